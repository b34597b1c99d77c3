"""The names of a range on both sides, page by page: two listings merged, so that what one lacks shows.

Knows listings and filters; not what is done with a name. Positions are keys of the source, also of names that
it lacks. A page is kept until it is passed, or a minute old.
"""

from __future__ import annotations

import msgspec

from osscopy.jobs.bulk.pages.listing import (
    FRESH,
    PAGE as LISTED,
    Place,
    Places,
    PrefixPages,
    item_of,
    shown_of,
)
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import (
    BulkJob,
    CopyRequest,
    Destination,
    Item,
    ListedObject,
    ObjectPage,
    Range,
    Source,
)
from osscopy.plan import bulk

PAGE = LISTED  # keys a listing
LONGEST = 1023  # bytes of a key


class Side:
    """One side as it shows itself, asked in the order of names, which are keys below its prefix."""

    def __init__(self, tools: Tools, bucket: str, prefix: str, *, pays: bool) -> None:
        self._context, self._objects, self._pays = tools.context, tools.objects, pays
        self._bucket, self._prefix = bucket, prefix
        self._page = ObjectPage((), 0, more=True)
        self._low: str | None = None  # the page shows what comes after this name
        self._asked_at: float | None = None

    def after(self, low: str | None) -> tuple[dict[str, ListedObject], str | None]:
        """Return what comes after a name, up to the second name; None: nothing follows."""
        if self._is_passed(low):
            after = "" if low is None else _cut_short(self._prefix + low)
            self._asked_at, self._low = self._context.clock.monotonic(), low
            ask = self._context.ask
            self._page = ask(self._objects.page, self._bucket, self._prefix, after, PAGE, pays=self._pays)
        known = ((each.key.removeprefix(self._prefix), each) for each in self._page.objects)
        found = {name: each for name, each in known if low is None or name > low}
        return found, self._high()

    def _high(self) -> str | None:
        """Return the last name of the page; None if nothing follows it."""
        return self._page.objects[-1].key.removeprefix(self._prefix) if self._page.more else None

    def _is_passed(self, low: str | None) -> bool:
        """Return whether the page does not show what comes after `low`, or is too old."""
        now = self._context.clock.monotonic()
        if self._asked_at is None or now - self._asked_at >= FRESH:
            return True
        high = self._high()
        return _order(low) < _order(self._low) or (high is not None and _order(low) >= _order(high))


class BothPages(PrefixPages):
    """The pages of a range of names that either side has."""

    def __init__(self, tools: Tools, job: BulkJob, whole: Range) -> None:
        super().__init__(tools, job, whole)
        request, there = job.request, job.request.destination
        self._there_bucket, self._there_prefix = there.bucket, there.prefix or ""
        self._deletes = request.delete
        pays = request.request_payer
        self._sources = Side(tools, self._bucket, self._prefix, pays=pays)
        self._others = Side(tools, there.bucket, self._there_prefix, pays=pays)

    def after(self, low: str | None) -> Places:
        """Return the names after `low`, as far as both listings show them."""
        begin = None if low is None else low.removeprefix(self._prefix)
        sources, upto = self._sources.after(begin)
        others, up_to = self._others.after(begin)
        stops = [each for each in (upto, up_to, self._last()) if each is not None]
        stop = min(stops, default=None)
        names = sorted(name for name in sources.keys() | others.keys() if stop is None or name <= stop)
        found = (self._at(name, sources.get(name), others.get(name)) for name in names)
        is_last = stop is None or stop == self._last()
        passed = names[-1] if is_last and names else stop
        high = low if is_last and not names else f"{self._prefix}{passed}"
        return Places(tuple(each for each in found if each is not None), high, is_last=is_last)

    def _last(self) -> str | None:
        return None if self._range.high is None else self._range.high.removeprefix(self._prefix)

    def _at(self, name: str, source: ListedObject | None, other: ListedObject | None) -> Place | None:
        """Return the place of a name; None where the destination has it alone and filters do not take it."""
        key = self._prefix + name
        is_held = other is not None and self._filter.takes_name(name)
        if source is None:
            is_row = is_held and (not self._deletes or bulk.may_go(self._there_prefix, name))
            return Place(key, self._alone(name, other), is_held) if other and is_row else None
        if not self._takes(source):
            return Place(key, None, is_held)
        made = item_of(self._context, self._maker, self._bucket, key, None)
        there = shown_of(other) if other else None
        return Place(key, msgspec.structs.replace(made, source=shown_of(source), destination=there), is_held)

    def _alone(self, name: str, other: ListedObject) -> Item:
        """Return the item of a name that the source lacks."""
        source = Source(self._bucket, self._prefix + name)
        there = Destination(self._there_bucket, self._there_prefix + name)
        return Item(CopyRequest(source=source, destination=there), None, shown_of(other))


def _order(name: str | None) -> tuple[bool, str]:
    """Return where a name stands: None is before the empty one, which is the prefix itself."""
    return name is not None, name or ""


def _cut_short(key: str) -> str:
    """Return a key that a listing may begin after: none is longer, so that nothing is passed over."""
    return key.encode()[:LONGEST].decode(errors="ignore")
