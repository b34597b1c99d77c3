"""The objects of a range of keys as they were at a time, page by page.

Knows listings of versions; not what is done with an object. Positions are keys, as those of current objects:
a range is never cut within the versions of a key. What a key had then is found on the page that shows it.
Only a key whose page has nothing but newer versions costs another one, and memory holds one page.
"""

from __future__ import annotations

import msgspec

from osscopy.jobs.bulk.pages.listing import PAGE as LISTED, Places, PrefixPages
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import Ahead, BulkJob, Failed, ListedVersion, Mark, Range, VersionPage
from osscopy.plan import bulk

PAGE = LISTED  # versions a listing


class Found(msgspec.Struct, frozen=True):
    """The versions that keys had at the time, up to the key `high`; `is_last`: no key follows.

    `high` None: there is no key, or there was no time.
    """

    versions: tuple[ListedVersion, ...]
    high: str | None
    is_last: bool = False


class AsOfPages(PrefixPages):
    """The pages of a range of keys, each with the version that was current at the time."""

    def __init__(self, tools: Tools, job: BulkJob, whole: Range, as_of: str) -> None:
        super().__init__(tools, job, whole)
        self._at = bulk.moment(as_of)
        self._has_listed = False

    def after(self, low: str | None) -> Places:
        """Return what comes after `low`, as far as it lies in the range."""
        found = self._find(low)
        if found.high is None:
            return Places((), low, is_last=found.is_last)
        end = self._range.high
        is_last = found.is_last or (end is not None and found.high >= end)
        high = found.high if end is None else min(found.high, end)
        within = [each for each in found.versions if self._holds(each)]
        shown = self._there.between(low, high) if within else {}
        return Places(tuple(self._place(each, shown) for each in within), high, is_last=is_last)

    def ahead(self, low: str | None) -> Ahead:
        """Count the objects of the next page that the filters take."""
        page = self._listed(Mark(low or ""))
        found = [each for each in self._current(page) if self._holds(each)]
        is_over = page.next is None or not self._holds(page.versions[-1])
        return Ahead(sum(map(self._takes, found)), more=not is_over)

    def _look(self, at: str) -> bulk.Sample:
        """Return the keys after a place; they weigh as many as they have versions."""
        page = self._listed(Mark(at))
        within = [each for each in page.versions if self._holds(each)]
        keys = tuple(dict.fromkeys(each.key for each in within))
        is_all = page.next is None or len(within) < len(page.versions)
        return msgspec.structs.replace(bulk.Sample.of(at, keys, is_all=is_all), count=len(within))

    def _find(self, low: str | None) -> Found:
        """Return what the next keys had; Failed where one hop has no time for the versions of one."""
        mark = Mark(low or "")
        while self._context.clock.monotonic() < self._until:
            page = self._listed(mark)
            keys = [key for key, _ in bulk.by_keys(page.versions)]
            found = tuple(self._current(page))
            if page.next is None:
                self._has_listed = True
                return Found(found, keys[-1] if keys else None, is_last=True)
            whole = keys if page.next.key != keys[-1] or self._tells(page, keys[-1]) else keys[:-1]
            if whole:
                self._has_listed = True
                return Found(found, whole[-1])
            mark = page.next
        if self._has_listed or mark.version_id == "":
            return Found((), None)
        text = f"one invocation has no time to list the versions of {mark.key}: raise the function's timeout"
        raise Failed("TimeoutTooShort", text)

    def _tells(self, page: VersionPage, key: str) -> bool:
        """Return whether a page shows what its last key had, so that older versions do not matter."""
        return any(each.key == key and each.modified <= self._at for each in page.versions)

    def _current(self, page: VersionPage) -> list[ListedVersion]:
        """Return what the keys of a page had, those that had a delete marker, or nothing yet, left out."""
        found = (bulk.current(versions, self._at) for _, versions in bulk.by_keys(page.versions))
        return [each for each in found if each is not None and not each.is_marker]

    def _listed(self, mark: Mark) -> VersionPage:
        pays = self._request.request_payer
        return self._context.ask(self._objects.versions, self._bucket, self._prefix, mark, PAGE, pays=pays)
