"""An OSS server: the real protocol over HTTP, its limits and its traps, on content that costs no disk.

It knows nothing of oss-copy nor of Function Compute.
"""
