"""The notes of one hop: the copies that it is about to send, and that a request of it had no answer.

Knows the names of these records; not what is done about them (`compare`). A hop that is killed leaves no
other trace of what may still take effect. One note stands for a page.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec

from osscopy.jobs.bulk.tools import Tools
from osscopy.model import Intended, Item, Noted, Walk
from osscopy.plan import bulk


class Notes:
    """The notes of one hop; `attempt`: FC's count of retries."""

    def __init__(self, tools: Tools, task: Walk, attempt: int) -> None:
        self._context, self._records = tools.context, tools.records
        self._range = f"bulk/{task.job}/hop/{bulk.range_id(task.range.path)}"
        self._at = f"{self._range}-g{task.generation}-h{task.hop}-a{attempt}/"
        self._numbers = itertools.count()
        self._known: set[Intended] = set()  # on this page
        self._is_marked = False

    def page(self, items: Sequence[Item]) -> None:
        """Note the copies of a page as its listing shows them, before the first one is sent."""
        self._known = {intended(each) for each in items if each.source is not None}
        self._write(tuple(sorted(self._known, key=lambda each: each.key)))

    def before(self, item: Item) -> None:
        """Note a copy that is about to be sent, unless it is noted as it is: its source has changed since."""
        copy = intended(item)
        if copy not in self._known:
            self._known.add(copy)
            self._write((copy,))

    def mark(self) -> None:
        """Mark the range as in doubt."""
        if not self._is_marked:
            self._context.ask(self._records.put_new, f"{self._range}-{bulk.MARK}", b"{}")
            self._is_marked = True

    def _write(self, copies: tuple[Intended, ...]) -> None:
        if copies:
            body = msgspec.json.encode(Noted(copies))
            self._context.ask(self._records.put_new, f"{self._at}{next(self._numbers):06}", body)


def intended(item: Item) -> Intended:
    """Return the copy that an item with a source stands for."""
    source = item.request.source
    return Intended(
        source.key, item.source.etag if item.source else "", source.bucket, source.version_id or ""
    )
