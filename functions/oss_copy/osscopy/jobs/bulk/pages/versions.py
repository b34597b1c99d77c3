"""The versions of a range of keys, page by page: those that were current at a time, or all of them.

Knows listings of versions; not what is done with an object. Positions are keys, as those of current objects:
a range is never cut within the versions of a key. What a key had at a time is found on the page that shows
it: only a key whose page has nothing but newer versions costs another one, and memory holds one page. Where
all versions are copied, memory holds a page, or those of one key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from osscopy.jobs.bulk.pages.listing import PAGE as LISTED, Place, Places, PrefixPages, item_of, shown_of
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import (
    Ahead,
    BulkJob,
    Failed,
    ListedVersion,
    Mark,
    Passed,
    Problem,
    Range,
    VersionPage,
)
from osscopy.plan import bulk

PAGE = LISTED  # versions a listing
TOO_MANY = Problem(
    "TooManyVersions", f"more than {bulk.MOST} versions: name them in a manifest, and have others removed"
)


class VersionPages(PrefixPages):
    """The pages of a range of keys, as listings of versions show it."""

    def __init__(self, tools: Tools, job: BulkJob, whole: Range) -> None:
        super().__init__(tools, job, whole)
        self._has_listed = False

    def ahead(self, low: str | None) -> Ahead:
        """Count the versions of the next page that the filters take."""
        page = self._listed(Mark(low or ""))
        found = [each for each in self._meant(page) if self._holds(each)]
        is_over = page.next is None or not self._holds(page.versions[-1])
        return Ahead(sum(map(self._takes, found)), more=not is_over)

    def _meant(self, page: VersionPage) -> Sequence[ListedVersion]:
        """Return the versions of a page that are copied."""
        return page.versions

    def _look(self, at: str) -> bulk.Sample:
        """Return the keys after a place; they weigh as many as they have versions."""
        page = self._listed(Mark(at))
        within = [each for each in page.versions if self._holds(each)]
        keys = tuple(dict.fromkeys(each.key for each in within))
        is_all = page.next is None or len(within) < len(page.versions)
        return msgspec.structs.replace(bulk.Sample.of(at, keys, is_all=is_all), count=len(within))

    def _listed(self, mark: Mark) -> VersionPage:
        pays = self._request.request_payer
        return self._context.ask(self._objects.versions, self._bucket, self._prefix, mark, PAGE, pays=pays)

    def _has_time(self) -> bool:
        return self._context.clock.monotonic() < self._until

    def _refuse_endless(self, mark: Mark) -> None:
        """Raise Failed if a whole hop had no time for the versions of one key."""
        if not self._has_listed and mark.version_id:
            text = f"one invocation has no time to list the versions of {mark.key}: raise the timeout"
            raise Failed("TimeoutTooShort", text)


class Found(msgspec.Struct, frozen=True):
    """The versions that keys had at the time, up to the key `high`; `is_last`: no key follows.

    `high` None: there is no key, or there was no time.
    """

    versions: tuple[ListedVersion, ...]
    high: str | None
    is_last: bool = False


class AsOfPages(VersionPages):
    """The pages of a range of keys, each with the version that was current at the time."""

    def __init__(self, tools: Tools, job: BulkJob, whole: Range, as_of: str) -> None:
        super().__init__(tools, job, whole)
        self._at = bulk.moment(as_of)

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

    def _find(self, low: str | None) -> Found:
        """Return what the next keys had; Failed where one hop has no time for the versions of one."""
        mark = Mark(low or "")
        while self._has_time():
            page = self._listed(mark)
            keys = [key for key, _ in bulk.by_keys(page.versions)]
            found = tuple(self._meant(page))
            if page.next is None:
                self._has_listed = True
                return Found(found, keys[-1] if keys else None, is_last=True)
            whole = keys if page.next.key != keys[-1] or self._tells(page, keys[-1]) else keys[:-1]
            if whole:
                self._has_listed = True
                return Found(found, whole[-1])
            mark = page.next
        self._refuse_endless(mark)
        return Found((), None)

    def _tells(self, page: VersionPage, key: str) -> bool:
        """Return whether a page shows what its last key had, so that older versions do not matter."""
        return any(each.key == key and each.modified <= self._at for each in page.versions)

    def _meant(self, page: VersionPage) -> list[ListedVersion]:
        """Return what the keys of a page had, those that had a delete marker, or nothing yet, left out."""
        found = (bulk.current(versions, self._at) for _, versions in bulk.by_keys(page.versions))
        return [each for each in found if each is not None and not each.is_marker]


class Keys(msgspec.Struct, frozen=True):
    """The next keys with all their versions, the newest first, up to `high`; `is_last`: no key follows."""

    versions: dict[str, list[ListedVersion]]
    high: str | None
    is_last: bool = False


class AllPages(VersionPages):
    """The pages of a range of keys with all their versions, the oldest first.

    `passed`: of this key, versions up to that one have rows.
    """

    def __init__(self, tools: Tools, job: BulkJob, whole: Range, passed: Passed | None) -> None:
        super().__init__(tools, job, whole)
        self._passed = passed
        self._to, self._to_prefix = job.request.destination.bucket, job.request.destination.prefix or ""

    def after(self, low: str | None) -> Places:
        """Return what comes after `low`, as far as it lies in the range."""
        keys = self._keys(low)
        if keys is None or keys.high is None:
            return Places((), low, is_last=keys is not None)
        end = self._range.high
        is_last = keys.is_last or (end is not None and keys.high >= end)
        within = {key: found for key, found in keys.versions.items() if end is None or key <= end}
        high = keys.high if end is None else min(keys.high, end)
        there = self._there_too(low, high, within) if within else {}
        if there is None:
            return Places((), low, is_last=False)
        before, places = low or "", list[Place]()
        for key, found in within.items():
            places += self._of_key(before, key, found, there.get(self._maker.destination(key), ()))
            before = key
        self._has_listed = True
        return Places(tuple(places), high, is_last=is_last)

    def _keys(self, low: str | None) -> Keys | None:
        """Return the next keys; None where there is no time."""
        mark, found = Mark(low or ""), dict[str, list[ListedVersion]]()
        while self._has_time():
            page = self._listed(mark)
            for key, versions in bulk.by_keys(page.versions):
                found.setdefault(key, []).extend(versions)
            keys = list(found)
            if page.next is None:
                return Keys(found, keys[-1] if keys else None, is_last=True)
            if page.next.key != keys[-1] or len(found[keys[-1]]) > bulk.MOST:
                return Keys(found, keys[-1])
            if len(keys) > 1:  # what is shown of the last one is not all
                return Keys({key: found[key] for key in keys[:-1]}, keys[-2])
            mark = page.next
        self._refuse_endless(mark)
        return None

    def _there_too(
        self, low: str | None, high: str, wanted: dict[str, list[ListedVersion]]
    ) -> dict[str, tuple[ListedVersion, ...]] | None:
        """Return the newest versions of the destinations, the oldest first; None where there is no time."""
        most = {self._maker.destination(key): len(found) for key, found in wanted.items()}
        mark, last = Mark(self._maker.destination(low) if low else ""), self._maker.destination(high)
        found: dict[str, list[ListedVersion]] = {key: [] for key in most}
        while self._has_time():
            page = self._context.ask(
                self._objects.versions,
                self._to,
                self._to_prefix,
                mark,
                PAGE,
                pays=self._request.request_payer,
            )
            for each in page.versions:
                if each.key in most and len(found[each.key]) < most[each.key]:
                    found[each.key].append(each)
            if page.next is None or page.versions[-1].key > last:
                return {key: tuple(reversed(bulk.newest_first(each))) for key, each in found.items()}
            mark = page.next
        self._refuse_endless(mark)
        return None

    def _of_key(
        self, before: str, key: str, listed: Sequence[ListedVersion], there: tuple[ListedVersion, ...]
    ) -> Iterator[Place]:
        """Yield the places of a key's versions that have no rows yet; `before`: the position before them."""
        if not self._filter.takes_name(self._maker.name(key)):
            yield from (Place(key, None) for _ in listed)
            return
        if len(listed) > bulk.MOST:
            made = item_of(self._context, self._maker, self._bucket, key, None)
            yield Place(key, msgspec.structs.replace(made, problem=TOO_MANY))
            return
        ordered = tuple(reversed(bulk.newest_first(listed)))
        passed = self._passed if self._passed is not None and self._passed.key == key else None
        history = bulk.History(ordered, there, passed is not None and passed.has_failed)
        for index in range(_first_without_row(ordered, passed), len(ordered)):
            each = ordered[index]
            is_newest = index == len(ordered) - 1
            up_to = None if is_newest else Passed(key, each.version_id or "", each.modified)
            yield Place(key if is_newest else before, self._step(history, index), passed=up_to)

    def _step(self, history: bulk.History, index: int) -> bulk.Step:
        listed = history.versions[index]
        made = item_of(self._context, self._maker, self._bucket, listed.key, listed.version_id)
        return bulk.Step(made.request, shown_of(listed), None, made.problem, history=history, index=index)


def _first_without_row(versions: Sequence[ListedVersion], passed: Passed | None) -> int:
    """Return the index of the oldest version that has no row; the one that is passed may be gone."""
    if passed is None:
        return 0
    ids = [each.version_id for each in versions]
    if passed.version_id in ids:
        return ids.index(passed.version_id) + 1
    return sum(each.modified < passed.modified for each in versions)
