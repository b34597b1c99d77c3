"""ListParts of an upload, page by page.

Knows parts and their markers; not which parts a copy needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TypeAlias

from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.questions import Question
from osscopy.model import Continue, Failed, ListedPart

Pages: TypeAlias = tuple[Question[list[ListedPart]], ...]


def pages(context: Context, task: Continue, after: int, last: int) -> Pages:
    """Return the listing of `parts` as questions to ask at once: full pages begin at known markers."""
    size = context.limits.page
    return tuple(
        Question(partial(parts, context, task, marker, min(marker + size, last)))
        for marker in range(after, last, size)
    )


def found(asked: Iterable[Question[list[ListedPart]]]) -> list[ListedPart]:
    """Return the parts of all pages; UploadGone if the upload has ended."""
    return [part for page in asked for part in page.get()]


def parts(context: Context, task: Continue, after: int, last: int) -> list[ListedPart]:
    """Return the parts with numbers above `after` up to `last`; UploadGone if the upload has ended.

    A page that ends early is followed by another.
    """
    listed: list[ListedPart] = []
    marker: int | None = after
    while marker is not None and marker < last:
        start = marker
        page = context.ask(context.store.list_parts, task.request, task.upload.id, start)
        marker = page.next
        if marker is not None and marker <= start:
            raise Failed("ListPartsStuck", f"ListParts answered marker {marker} after {start}")
        listed.extend(part for part in page.parts if part.number <= last)
    return listed


def idle(context: Context, task: Continue) -> int:
    """Return the seconds since the newest part, or the upload, by OSS's clock; UploadGone if it has ended."""
    newest, marker = task.upload.opened_at, 0
    while True:
        page = context.ask(context.store.list_parts, task.request, task.upload.id, marker)
        newest = max([newest, *(part.modified for part in page.parts)])
        if page.next is None or page.next <= marker:
            return page.seen_at - newest
        marker = page.next
