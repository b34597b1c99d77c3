"""Looks at one object: what HEAD shows of a source, and of its destination.

Knows requests; not what is decided on what they show.
"""

from __future__ import annotations

from osscopy.copying.invocation.context import Context
from osscopy.model import Conditions, CopyRequest, Failed, Head, Shown, Source

_GONE = {"NoSuchKey", "NoSuchVersion"}


def source(context: Context, request: CopyRequest) -> Shown | None:
    """Return what HEAD shows of the source of `request`; None if it is gone. Failed if it is refused."""
    try:
        return Shown.of(context.ask(context.store.head, request, request.source, Conditions()))
    except Failed as error:
        if error.code not in _GONE:
            raise
        return None


def destination(context: Context, request: CopyRequest) -> Shown | None:
    """Return what HEAD shows at the destination of `request`; None if nothing is there."""
    place = Source(request.destination.bucket, request.destination.key)
    head: Head | None = context.ask(context.store.find, request, place)
    return None if head is None else Shown.of(head)
