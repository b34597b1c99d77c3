"""Reads a failure from the function's answer to an event, which FC hands on whatever it says.

Pure. Knows `status` of a result and of a check, `results` of a list, and `failed` of a sweep.
"""

from __future__ import annotations


def failure(answer: object) -> str | None:
    """Return the failure that the function reports; None if it reports none."""
    match answer:
        case {"status": "failed"}:
            return "the function says: failed"
        case {"results": list(results)}:
            count = sum(failure(each) is not None for each in results)
            return f"the function says: {count} of {len(results)} failed" if count else None
        case {"failed": int(count)} if count > 0:
            return f"the function says: {count} failed"
    return None
