"""What is under oss2, and how it is imported.

Knows HTTP and Python's imports; nothing of OSS's requests, and not what an error means for a copy.
"""
