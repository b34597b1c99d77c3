"""Deliberate bugs, to prove that the simulation finds what it is there for. Each is switched on by `with`."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import msgspec
from msgspec.structs import replace

from osscopy.jobs import journal
from osscopy.jobs.bulk import chains, join, report, walk
from osscopy.jobs.bulk.doubt.compare import Comparison
from osscopy.jobs.bulk.doubt.notes import Notes
from osscopy.jobs.bulk.log import RangeLog
from osscopy.jobs.bulk.pages.manifest import ManifestPages
from osscopy.jobs.bulk.records import BulkRecords
from osscopy.jobs.bulk.sweep import BulkSweeper
from osscopy.jobs.bulk.walk import Walker
from osscopy.model import BulkJob, Entry, Row, Totals, Walk
from osscopy.plan import bulk

_NO_ROW = Row("", "", "", "", "skipped")


@contextlib.contextmanager
def instead(owner: Any, name: str, wrong: Any) -> Iterator[None]:
    """Let `wrong` stand in the place of what has this name."""
    is_own, right = name in vars(owner), getattr(owner, name, None)
    setattr(owner, name, wrong)
    try:
        yield
    finally:
        if is_own:
            setattr(owner, name, right)
        else:
            delattr(owner, name)


def entry_not_write_once() -> AbstractContextManager[None]:
    """The last writer of an entry wins."""

    def append(self: Any, path: tuple[int, ...], number: int, entry: Entry) -> bool:
        name = f"{self._at}log/{bulk.range_id(path)}/{bulk.LAST - number:012}"
        self._context.ask(self._records.delete, name)
        self._context.ask(self._records.put_new, name, msgspec.json.encode(entry))
        return True

    return instead(RangeLog, "append", append)


def split_beside_the_log() -> AbstractContextManager[None]:
    """A split is a record of its own: another hop may go on with the log."""
    right = RangeLog.append

    def append(self: Any, path: tuple[int, ...], number: int, entry: Entry) -> bool:
        return right(self, path, number + 1000 * (entry.kind == "split"), entry)

    return instead(RangeLog, "append", append)


def page_cut_short_after_a_gap() -> AbstractContextManager[None]:
    """A page that was cut short ends at its last object with a row, whatever is missing before it."""
    right = Walker._gather

    def gather(self: Any, low: str | None, *, first: bool) -> Any:
        rows = self._copier.rows

        def gapped(items: Sequence[Any]) -> list[Row | None]:
            found = rows(items)
            last = max((at for at, row in enumerate(found) if row is not None), default=-1)
            return [_NO_ROW if row is None and at < last else row for at, row in enumerate(found)]

        self._copier.rows = gapped
        try:
            found = right(self, low, first=first)
        finally:
            self._copier.rows = rows
        kept = tuple(row for row in found.rows if row is not _NO_ROW)
        return type(found)(kept, found.excluded, found.high, found.is_last, found.is_short)

    return instead(Walker, "_gather", gather)


def join_reads_before_it_writes() -> AbstractContextManager[None]:
    """Siblings are listed before the own end is written, and nobody joins again."""
    right = join.join

    def joined(tools: Any, job: Any, path: tuple[int, ...], end: Entry) -> None:
        log = tools.of(job.job).log
        if path:
            names = log.ended_names(bulk.parent_id(path))
            ended = [each for each in names if "/of-" not in each]
            is_last = len(ended) == 1 and f"{bulk.parent_id(path)}/{path[-1]}" not in ended
            if not is_last:
                log.end(path, report.ended(end.totals, report.write_rows(tools, job, path), None))
                return
        right(tools, job, path, end)

    @contextlib.contextmanager
    def both() -> Iterator[None]:
        with instead(walk, "join", joined), no_second_join():
            yield

    return both()


def no_second_join() -> AbstractContextManager[None]:
    """Who finds an end, or a split whose children have ended, does not join."""
    right = Walker._follow

    def follow(self: Any, newest: Entry | None, number: int) -> str | None:
        if newest is not None and self._written == 0 and newest.kind == "end":
            return "ended"
        if newest is not None and newest.kind == "split":
            self._split(newest)
            return "split"
        return right(self, newest, number)

    return instead(Walker, "_follow", follow)


def child_started_twice() -> AbstractContextManager[None]:
    """A chain has another id each time it is begun."""
    numbers = itertools.count()
    begin = chains.start

    def start(tools: Any, job: Any, path: tuple[int, ...], number: int, entry: Entry) -> None:
        renamed = [
            replace(row, copy=f"c-{next(numbers):032x}-{job.job[2:]}") if row.status == "started" else row
            for row in entry.rows
        ]
        begin(tools, job, path, number, replace(entry, rows=tuple(renamed)))

    return instead(chains, "start", start)


def total_counted_twice() -> AbstractContextManager[None]:
    """The rows of an entry count again when its hop comes again."""
    right = Walker._rows

    def rows(self: Any, low: str | None, totals: Totals, number: int) -> Entry | None:
        found = right(self, low, totals, number)
        if found is not None and self._is_again and self._written == 0:
            return replace(found, totals=bulk.added(found.totals, found.rows))
        return found

    return instead(Walker, "_rows", rows)


def rows_of_a_lost_race_kept() -> AbstractContextManager[None]:
    """Who loses an entry goes on as if it were its own."""
    right = RangeLog.append

    def append(self: Any, path: tuple[int, ...], number: int, entry: Entry) -> bool:
        right(self, path, number, entry)
        return True

    return instead(RangeLog, "append", append)


def sweep_skips_a_split() -> AbstractContextManager[None]:
    """The sweep looks at the children of no range."""
    right = BulkSweeper._open

    def opened(self: Any, records: Any, whole: Any, above: int) -> Iterator[Any]:
        _, newest, _ = records.log.newest(whole.path)
        if newest is None or newest.kind != "split":
            yield from right(self, records, whole, above)

    return instead(BulkSweeper, "_open", opened)


def cancel_forgets_children() -> AbstractContextManager[None]:
    """A chain looks for a cancel of its own."""
    right = journal.name_of

    def name_of(kind: Any, job: str) -> str:
        return f"cancel/{job}" if kind == "cancel" else right(kind, job)

    return instead(journal, "name_of", name_of)


def a_twin_does_not_leave() -> AbstractContextManager[None]:
    """A hop that another delivery has claimed goes on."""
    return instead(BulkRecords, "claim", lambda *_: True)


def a_chain_starts_before_its_row_stands() -> AbstractContextManager[None]:
    """Chains are handed over before the entry is written."""
    right = Walker._rows

    def rows(self: Any, low: str | None, totals: Totals, number: int) -> Entry | None:
        found = right(self, low, totals, number)
        if found is not None:
            chains.start(self._tools, self._job, self._range.path, number, found)
        return found

    return instead(Walker, "_rows", rows)


def a_phase_nobody_enters_again() -> AbstractContextManager[None]:
    """The sweep does not look at a job whose ranges have ended."""
    right = BulkSweeper._idle

    def idle(self: Any, records: Any, entry: Any) -> Iterator[Any]:
        return (each for each in right(self, records, entry) if isinstance(each, Walk))

    return instead(BulkSweeper, "_idle", idle)


def a_hop_believes_its_event() -> AbstractContextManager[None]:
    """A first hop begins at the beginning, whatever the log says."""
    right = RangeLog.newest

    def newest(self: Any, path: tuple[int, ...]) -> Any:
        number, entry, age = right(self, path)
        if entry is not None and entry.kind == "rows":
            entry = replace(entry, high=entry.low)
        return number, entry, age

    return instead(RangeLog, "newest", newest)


def it_does_not_wait_for_chains() -> AbstractContextManager[None]:
    """The report is written while chains go on."""
    right = RangeLog.chains

    def chains_of(self: Any) -> Any:
        found = right(self)

        class Enough(tuple):  # type: ignore[type-arg]  # of anything
            __slots__ = ()

            def __len__(self) -> int:
                return 10**6

        return Enough(found)

    return instead(RangeLog, "chains", chains_of)


def an_end_is_not_written_when_stopped() -> AbstractContextManager[None]:
    """A range that is cancelled leaves without an entry."""
    right = Walker._next

    def following(self: Any, newest: Entry | None, number: int) -> Entry | None:
        found = right(self, newest, number)
        return None if found is not None and found.stopped else found

    return instead(Walker, "_next", following)


def a_late_hop_after_forgetting() -> AbstractContextManager[None]:
    """A hop goes on though its job has ended, or is forgotten: it knows it from its event."""
    right = BulkRecords.standing
    known: dict[str, BulkJob] = {}

    def standing(self: Any, what: str) -> Any:
        job, _, newest = right(self, what)
        if job is not None:
            known[self._job] = job
        return known.get(self._job), None, newest

    return instead(BulkRecords, "standing", standing)


def a_manifest_is_cut_within_a_line() -> AbstractContextManager[None]:
    """A range of a manifest begins in the middle of what is left, wherever lines begin."""
    right = ManifestPages.cuts

    def cuts(self: Any, low: str, pieces: int) -> tuple[str, ...]:
        return (bulk.position((int(low) + self._stop) // 2),) if right(self, low, pieces) else ()

    return instead(ManifestPages, "cuts", cuts)


def a_doubled_line_has_one_row() -> AbstractContextManager[None]:
    """Of the lines of one page that name the same object, only the first is a row."""
    right = ManifestPages.after

    def after(self: Any, low: str | None) -> Any:
        page = right(self, low)
        places = {each.item.request.source.key: each for each in reversed(page.places) if each.item}
        return replace(page, places=tuple(reversed(places.values())))

    return instead(ManifestPages, "after", after)


def doubt_is_not_compared() -> AbstractContextManager[None]:
    """Nothing is compared once more before a job is forgotten."""
    return instead(Comparison, "is_over", lambda _: True)


def a_copy_is_not_noted() -> AbstractContextManager[None]:
    """Nothing tells what a hop was about to copy when it was killed."""
    return instead(Notes, "_write", lambda *_: None)


def doubt_is_not_marked() -> AbstractContextManager[None]:
    """A range in which a request had no answer is in doubt only if a hop came again."""
    return instead(Notes, "mark", lambda _: None)


def a_hop_that_came_again_is_not_in_doubt() -> AbstractContextManager[None]:
    """A range is in doubt only if it is marked."""

    def marked(names: Sequence[str]) -> tuple[str, ...]:
        ranges = {name.removesuffix("-doubt") for name in names if name.endswith("-doubt")}
        return tuple(name for name in names if "/" in name and name.rpartition("-g")[0] in ranges)

    return instead(bulk, "notes_in_doubt", marked)


EVERY: dict[str, Callable[[], AbstractContextManager[None]]] = {
    each.__name__: each
    for each in (
        entry_not_write_once,
        split_beside_the_log,
        page_cut_short_after_a_gap,
        join_reads_before_it_writes,
        no_second_join,
        child_started_twice,
        total_counted_twice,
        rows_of_a_lost_race_kept,
        sweep_skips_a_split,
        cancel_forgets_children,
        a_twin_does_not_leave,
        a_chain_starts_before_its_row_stands,
        a_phase_nobody_enters_again,
        a_hop_believes_its_event,
        it_does_not_wait_for_chains,
        an_end_is_not_written_when_stopped,
        a_late_hop_after_forgetting,
        a_manifest_is_cut_within_a_line,
        a_doubled_line_has_one_row,
        doubt_is_not_compared,
        a_copy_is_not_noted,
        doubt_is_not_marked,
        a_hop_that_came_again_is_not_in_doubt,
    )
}
