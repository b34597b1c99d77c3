"""What one invocation works with: its ports and its time, retries, threads, and its questions to OSS.

Must not know the order of effects of a copy, nor name an outcome.
"""
