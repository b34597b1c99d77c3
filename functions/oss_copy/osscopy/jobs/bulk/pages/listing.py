"""The objects of a range of keys, page by page, each with what the destination shows of it.

Knows listings of both sides and filters; not what is done with an object. Nothing is kept but a page of each
side. A page of the destination that is older than a minute is asked for again.
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

import msgspec

from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.questions import Question
from osscopy.jobs.bulk.tools import Tools, maker
from osscopy.model import (
    Ahead,
    BulkJob,
    CopyRequest,
    Destination,
    Item,
    ListedObject,
    ObjectPage,
    Passed,
    Problem,
    Range,
    Shown,
    Source,
)
from osscopy.plan import bulk

PAGE = 1000  # keys a listing; OSS gives no more
FRESH = 60  # seconds that a page of the destination counts
LEAST = 2  # pages that are worth a range of their own
NOT_ALLOWED = Problem("NotAllowed", "ALLOWED_SOURCES or ALLOWED_DESTINATIONS does not name this object")


class Place(msgspec.Struct, frozen=True):
    """An object and its position in the range; `item` None: the filters do not take it.

    `is_held`: the destination has one of this name, which filters of names take. `passed`: newer versions of
    its key follow, and the position is that of what comes before them.
    """

    position: str
    item: Item | None
    is_held: bool = False
    passed: Passed | None = None


class Places(msgspec.Struct, frozen=True):
    """All objects between the position that was asked for and `high`; `is_last`: nothing follows."""

    places: tuple[Place, ...]
    high: str | None
    is_last: bool


class Pages(Protocol):
    """The objects of a range."""

    def after(self, low: str | None) -> Places:
        """Return the page after `low`."""

    def cuts(self, low: str, pieces: int) -> tuple[str, ...]:
        """Return where to cut what comes after `low`, into so many pieces or fewer; ascending."""

    def ahead(self, low: str | None) -> Ahead:
        """Return how many objects come after `low`, as far as one look tells."""


class PrefixPages:
    """The pages of a range of keys under a prefix."""

    def __init__(self, tools: Tools, job: BulkJob, whole: Range) -> None:
        self._context, self._objects = tools.context, tools.objects
        self._request, self._range = job.request, whole
        self._bucket, self._prefix = job.request.source.bucket or "", job.request.source.prefix or ""
        self._until = tools.work_until
        self._maker = maker(job)
        self._filter = bulk.Filter(job.request.filters)
        self._there = Showing(tools, job)

    def after(self, low: str | None) -> Places:
        """Return the page after `low`, as far as it lies in the range."""
        page = self._page(low, PAGE)
        within = [each for each in page.objects if self._holds(each)]
        high = within[-1].key if within else low
        shown = {} if high is None else self._there.between(low, high)
        places = tuple(self._place(each, shown) for each in within)
        return Places(places, high, is_last=not page.more or len(within) < len(page.objects))

    def cuts(self, low: str, pieces: int) -> tuple[str, ...]:
        """Look at what is left, at several places at once, while the search wants more and there is time."""
        search, slowest = bulk.Search.of(self._prefix, low, self._range.high), 0.0
        while wanted := search.wanted():
            begun = self._context.clock.monotonic()
            if begun + slowest >= self._until:
                break
            looks = [Question(partial(self._look, at)) for at in wanted]
            self._context.together(*looks)
            search = search.seen(tuple(each.get() for each in looks))
            slowest = max(slowest, self._context.clock.monotonic() - begun)
        return search.cuts(pieces, max(1, LEAST * PAGE))

    def ahead(self, low: str | None) -> Ahead:
        """Count the objects of the next page that the filters take."""
        page = self._page(low, PAGE)
        within = [each for each in page.objects if self._holds(each)]
        return Ahead(sum(map(self._takes, within)), more=page.more and len(within) == len(page.objects))

    def _look(self, at: str) -> bulk.Sample:
        page = self._page(at, PAGE)
        keys = tuple(each.key for each in page.objects if self._holds(each))
        return bulk.Sample.of(at, keys, is_all=not page.more or len(keys) < len(page.objects))

    def _holds(self, listed: ListedObject) -> bool:
        return self._range.high is None or listed.key <= self._range.high

    def _takes(self, listed: ListedObject) -> bool:
        name = self._maker.name(listed.key)
        return self._filter.takes(name, listed.size, listed.modified, listed.storage_class)

    def _page(self, low: str | None, limit: int) -> ObjectPage:
        pays = self._request.request_payer
        return self._context.ask(self._objects.page, self._bucket, self._prefix, low or "", limit, pays=pays)

    def _place(self, listed: ListedObject, shown: dict[str, Shown]) -> Place:
        if not self._takes(listed):
            return Place(listed.key, None)
        made = item_of(self._context, self._maker, self._bucket, listed.key, listed.version_id)
        there = shown.get(made.request.destination.key)
        asks = self._there.asks
        return Place(listed.key, Item(made.request, shown_of(listed), there, made.problem, asks))


class Showing:
    """The destination under its prefix as it shows itself, asked in the order of keys.

    `asks`: destinations are made by a template, so that each has to be asked alone.
    """

    def __init__(self, tools: Tools, job: BulkJob) -> None:
        self._context, self._objects = tools.context, tools.objects
        self._request, self._maker = job.request, maker(job)
        self._prefix = job.request.destination.prefix or ""
        self._shown: dict[str, Shown] = {}  # by the last page
        self._more = True
        self._low: str | None = None  # the page shows what comes after it ...
        self._high: str | None = None  # ... up to this key; None: nothing was asked yet
        self._asked_at = 0.0
        self.asks = job.request.destination.key is not None

    def between(self, low: str | None, high: str, most: int = 0) -> dict[str, Shown]:
        """Return what is shown of the destinations of source keys above `low` up to `high`.

        `most`: listings for it, 0 for any number; `has_listed` tells how far they have reached.
        """
        if self.asks or self._request.overwrite == "always":
            return {}
        first = None if low is None else self._maker.destination(low)
        last = self._maker.destination(high)
        found = dict(self._known(first))
        asked = 0
        while self._more and (self._high is None or self._high < last):
            self._next(self._high if self._high is not None else first)
            found |= self._shown
            asked += 1
            if asked == most:
                break
        return found

    def has_listed(self, key: str) -> bool:
        """Return whether listings have come as far as this destination."""
        return not self._more or (self._high is not None and key <= self._high)

    def _known(self, first: str | None) -> dict[str, Shown]:
        """Return what the last page shows, unless it is too old or begins later; then start anew."""
        is_old = self._context.clock.monotonic() - self._asked_at >= FRESH
        begins_later = (self._low or "") > (first or "")
        if is_old or begins_later or (self._high is not None and (first or "") > self._high):
            self._shown, self._more, self._low, self._high = {}, True, first, None
        return self._shown

    def _next(self, after: str | None) -> None:
        bucket, pays = self._request.destination.bucket, self._request.request_payer
        self._asked_at = self._context.clock.monotonic()
        page = self._context.ask(self._objects.page, bucket, self._prefix, after or "", PAGE, pays=pays)
        self._shown = {each.key: shown_of(each) for each in page.objects}
        self._more, self._low = page.more, after
        self._high = page.objects[-1].key if page.objects else after


def shown_of(listed: ListedObject) -> Shown:
    return Shown(listed.size, listed.etag, listed.modified, listed.storage_class, listed.kind)


def item_of(
    context: Context, makes: bulk.Maker, bucket: str, key: str, version_id: str | None, known: str = ""
) -> Item:
    """Return the item of an object; one that is not allowed, or makes no copy, has a problem.

    `known`: the key of its destination, where that is said.
    """
    made = makes.copy(bucket, key, version_id, known)
    if isinstance(made, Problem):
        nowhere = CopyRequest(source=Source(bucket, key, version_id), destination=Destination("", ""))
        return Item(nowhere, None, None, made)
    is_allowed = makes.origin.allows(bucket, key) and context.is_allowed(made)
    return Item(made, None, None, None if is_allowed else NOT_ALLOWED)
