"""ListParts of an upload, page by page.

Knows parts and their markers; not which parts a copy needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TypeAlias

from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.questions import Question
from osscopy.model import Continue, Failed, ListedPart, PartPage

Pages: TypeAlias = tuple[Question[PartPage], ...]


def pages(context: Context, task: Continue, after: int, last: int) -> Pages:
    """Return the listing of `parts` as questions to ask at once: full pages begin at known markers."""
    size = context.limits.page
    return tuple(
        Question(partial(parts, context, task, marker, min(marker + size, last)))
        for marker in range(after, last, size)
    )


def found(asked: Iterable[Question[PartPage]], now: int = 0) -> PartPage:
    """Return all pages as one, with the time of its last answer; `now` if there is none.

    UploadGone if the upload has ended.
    """
    pages = [page.get() for page in asked]
    parts = tuple(part for page in pages for part in page.parts)
    return PartPage(parts, None, max([now, *(page.seen_at for page in pages)]))


def parts(context: Context, task: Continue, after: int, last: int) -> PartPage:
    """Return the parts with numbers above `after` up to `last` as one page, with the time of its last answer.

    UploadGone if the upload has ended. A page that ends early is followed by another.
    """
    listed: list[ListedPart] = []
    seen_at = 0
    marker: int | None = after
    while marker is not None and marker < last:
        start = marker
        page = context.ask(context.store.list_parts, task.request, task.upload.id, start)
        marker, seen_at = page.next, page.seen_at
        if marker is not None and marker <= start:
            raise Failed("ListPartsStuck", f"ListParts answered marker {marker} after {start}")
        listed.extend(part for part in page.parts if part.number <= last)
    return PartPage(tuple(listed), None, seen_at)


def idle(context: Context, task: Continue) -> int:
    """Return the seconds since the newest part, or the upload, by OSS's clock; UploadGone if it has ended."""
    newest, marker = task.upload.opened_at, 0
    while True:
        page = context.ask(context.store.list_parts, task.request, task.upload.id, marker)
        newest = max([newest, *(part.modified for part in page.parts)])
        if page.next is None or page.next <= marker:
            return page.seen_at - newest
        marker = page.next
