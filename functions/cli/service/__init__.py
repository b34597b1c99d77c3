"""What a deployed function is asked, and what its buckets hold: the HTTP API, invocations, objects, reports.

Only this room and `account` may import an SDK. It must not know how an answer is shown.
"""
