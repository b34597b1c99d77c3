"""One hop of the walk of a range: entries of its log, until time is short or nothing is left.

Knows the order of effects; not how objects are listed or copied. Order: read the job and `done/`, claim the
hop, read the newest entry, start the chains of its rows; then for each entry: read `cancel/` and `stop`,
copy, write `fail/`, write the entry, start its chains. A split is an entry, too: whoever finds it newest
submits its children. Whoever finds an end joins it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec
from msgspec.structs import replace

from osscopy.copying.invocation.questions import Question
from osscopy.jobs.bulk import chains
from osscopy.jobs.bulk.doubt.notes import Notes
from osscopy.jobs.bulk.join import climb, join
from osscopy.jobs.bulk.modes.versions import copier_of
from osscopy.jobs.bulk.pages.listing import Pages
from osscopy.jobs.bulk.pages.of_job import pages_of
from osscopy.jobs.bulk.pages.width import Width
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import BulkJob, Entry, Failed, Passed, Problem, Requests, Row, Totals, Walk
from osscopy.plan import bulk

MOST_ROWS = 10_000  # of an entry
MOST_SECONDS = 30  # of an entry, so that progress shows
DENIED = 100  # objects that may not be read, and none that may: the whole job is refused
LEAST_WAIT, MOST_WAIT = 5, 60  # seconds until the next look where there is no room for chains
PAUSE = 5  # seconds until the next hop where this one could do nothing


class Walked(msgspec.Struct, frozen=True):
    """The outcome of a hop: what it did last, and how many entries it wrote."""

    job: str
    range: str
    status: str  # left | superseded | handed over | waiting | split | ended
    entries: int = 0


def walk(tools: Tools, task: Walk, attempt: int) -> Walked:
    """Walk on; `attempt`: FC's count of retries of this hop."""
    records, name = tools.of(task.job), bulk.range_id(task.range.path)
    job, done, newest = records.standing(name)
    if job is None or done is not None:
        return Walked(task.job, name, "left")
    if newest is not None and newest.number > task.generation:
        return Walked(task.job, name, "superseded")
    if not records.claim(task, attempt):
        return Walked(task.job, name, "left")
    notes = Notes(tools, task, attempt)
    return Walker(tools, job, task, notes, is_again=attempt > 0 or task.generation > 0).run()


class Gathered(msgspec.Struct, frozen=True):
    """Rows of all objects up to `high`; `is_last`: nothing is left; `is_short`: a page was cut short.

    `held`: objects that the destination has there. `passed`: as of an entry.
    """

    rows: tuple[Row, ...]
    excluded: int
    high: str | None
    is_last: bool
    is_short: bool
    held: int = 0
    passed: Passed | None = None


class Effort:
    """The requests and the time of one hop, which its entries add to the totals of their range."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._is_new = True
        self._counted, self._since = self._now()

    def _now(self) -> tuple[Requests, float]:
        return self._tools.objects.answered(), self._tools.context.clock.monotonic()

    def added(self, totals: Totals) -> Totals:
        """Return totals with what came since the last entry; with the first one, the hop itself."""
        before, begun, is_new = self._counted, self._since, self._is_new
        self._counted, self._since = self._now()
        self._is_new = False
        return replace(
            totals,
            put=totals.put + self._counted.put - before.put,
            get=totals.get + self._counted.get - before.get,
            milliseconds=totals.milliseconds + int(1000 * (self._since - begun)),
            hops=totals.hops + is_new,
        )


class Walker:
    """One hop's walk of its range. `is_again`: requests of a killed attempt may yet take effect."""

    def __init__(self, tools: Tools, job: BulkJob, task: Walk, notes: Notes, *, is_again: bool) -> None:
        self._tools, self._context, self._task = tools, tools.context, task
        self._job, self._range = job, task.range
        self._records = tools.of(job.job)
        self._known_pages: Pages | None = None
        self._passed: Passed | None = None
        self._copier = copier_of(tools, job, notes)
        self._width = Width(tools, job, task.range)
        self._notes = notes
        self._is_again = is_again
        self._effort = Effort(tools)
        self._written = 0
        self._age = 0  # of the newest entry, in seconds
        self._is_last = False

    @property
    def _pages(self) -> Pages:
        """Return the pages of the range, which are begun when they are needed: to end takes none."""
        known = self._known_pages or pages_of(self._tools, self._job, self._range, self._passed)
        self._known_pages = known
        return known

    def run(self) -> Walked:
        """Write entries until the range has ended, is split, belongs to another hop, or time is short."""
        number, newest, self._age = self._records.log.newest(self._range.path)
        while True:
            status = self._follow(newest, number)
            if status is not None:
                return self._walked(status)
            newest = None if newest is None else replace(newest, rows=())  # memory holds those of one entry
            entry = self._next(newest, number + 1)
            if entry is None:
                self._hand_over(0 if self._written else PAUSE)
                return self._walked("handed over")
            if not self._records.log.append(self._range.path, number + 1, entry):
                self._notes.mark()
                return self._walked("left")
            number, newest, self._age = number + 1, entry, 0
            self._written += 1

    def _follow(self, newest: Entry | None, number: int) -> str | None:
        """Do what the newest entry asks for, again if somebody has; None: the walk goes on after it."""
        if newest is None:
            return None
        match newest.kind:
            case "split":
                self._split(newest)
                climb(self._tools, self._job, (*self._range.path, 0))
                return "split"
            case "end":
                join(self._tools, self._job, self._range.path, newest)
                return "ended"
        is_over = not chains.start(self._tools, self._job, self._range.path, number, newest)
        if is_over and not self._waits_for_older(newest):
            return None
        self._hand_over(max(LEAST_WAIT, min(self._age, MOST_WAIT)))  # twice as long each time
        return "waiting"

    def _waits_for_older(self, newest: Entry) -> bool:
        """Return whether newer versions of a key wait for the chain of an older one."""
        if newest.passed is None:
            return False
        self._passed, self._known_pages = newest.passed, None
        last = newest.rows[-1]
        if last.status != "started" or self._records.reason_to_stop() is not None:
            return False
        ended = chains.outcomes(self._tools, self._job.job, [last.copy])
        has_failed = any(each.result.status not in {"succeeded", "skipped"} for each in ended)
        self._passed = replace(newest.passed, has_failed=has_failed)
        return not ended

    def _next(self, newest: Entry | None, number: int) -> Entry | None:
        """Return the next entry; None where time is short, or nothing could be done."""
        low = self._range.low if newest is None else newest.high
        totals = Totals() if newest is None else newest.totals
        stopped = self._records.reason_to_stop()
        if stopped is not None or self._is_last:
            return self._entry("end", low, low, totals, stopped=stopped)
        try:
            if newest is not None and low is not None and newest.passed is None:
                is_first = self._range.is_root and number == 2 and self._written == 1
                if cuts := self._width.cuts(self._pages, low, at_once=is_first):
                    children = bulk.pieces(self._range, low, cuts)
                    return self._entry("split", low, low, totals, children=children)
            if not self._has_time():
                return None
            return self._rows(low, totals, number)
        except Failed as error:  # the listing, or a bucket that is gone: no object is at fault
            self._records.stop(Problem.of(error))
            return self._entry("end", low, low, totals, stopped=error.code)

    def _rows(self, low: str | None, totals: Totals, number: int) -> Entry | None:
        """Return an entry of rows; an end where nothing is left; None where nothing could be done."""
        found = self._gather(low, first=self._range.is_root and number == 1)
        if self._copier.doubt:
            self._notes.mark()
        self._is_last = found.is_last
        if not found.rows and not found.excluded and (found.is_last or found.high == low):
            return self._entry("end", low, low, totals) if found.is_last else None
        rows = chains.named(self._job, self._range.path, number, found.rows)
        doubt = self._copier.doubt or self._is_again
        self._copier.doubt = False
        would = self._copier.foreseen(rows)
        totals = bulk.added(totals, rows, found.excluded, doubt=doubt, held=found.held, would=would)
        self._judge(rows, totals, number)
        return self._entry("rows", low, found.high, totals, rows=rows, passed=found.passed)

    def _gather(self, low: str | None, *, first: bool) -> Gathered:
        """Copy page after page; end at the last object before which every one has its row."""
        rows: list[Row] = []
        self._copier.share_rate(self._width.open_ranges if self._job.workers > 1 else lambda: 1)
        held, excluded, begun, position = 0, 0, self._context.clock.monotonic(), low
        passed: Passed | None = None
        most = 1 if first and self._job.workers > 1 else MOST_ROWS
        while True:
            page = self._pages.after(position)
            done = self._copier.rows([each.item for each in page.places if each.item is not None])
            outcomes = iter(done)
            for place in page.places:
                row = None if place.item is None else next(outcomes)
                if place.item is not None and row is None:
                    return Gathered(tuple(rows), excluded, position, False, True, held, passed)
                rows += [row] if row is not None else []
                excluded += place.item is None
                held += place.is_held
                position, passed = place.position, place.passed
            position = page.high
            is_full = len(rows) + excluded >= most or self._context.clock.monotonic() - begun >= MOST_SECONDS
            if page.is_last or is_full or not self._has_time() or self._width.wants_pieces():
                return Gathered(tuple(rows), excluded, position, page.is_last, False, held)

    def _has_time(self) -> bool:
        return self._context.clock.monotonic() < self._tools.work_until

    def _judge(self, rows: Sequence[Row], totals: Totals, number: int) -> None:
        """Note failures before they are in an entry, and stop the job where there are too many."""
        failed = [row for row in rows if row.status == "failed"]
        asked = self._job.request
        is_lost = all(row.status == "missing" for row in rows) and not asked.allow_missing
        is_listed = bulk.is_listed(asked) and asked.source.report is None
        if is_listed and is_lost and rows and self._range.is_root and number == 1:
            text = "none of the first objects of the list is there: `allowMissing` takes that"
            self._records.stop(Problem("ManifestMismatch", text))
        if not failed:
            return
        count, most = (
            self._records.log.fail(self._range.path, number, len(failed)),
            asked.max_failures,
        )
        denied = [row for row in failed if row.error_code == "AccessDenied"]
        if count > most and not asked.dry_run:  # its limits are told
            text = f"{count} objects have failed, more than maxFailures allows ({most})"
            self._records.stop(Problem("TooManyFailures", text))
        if len(denied) >= DENIED and not totals.copied + totals.skipped:
            self._records.stop(Problem("AccessDenied", denied[0].message))

    # --- entries ---------------------------------------------------------------------------------------

    def _entry(self, kind: str, low: str | None, high: str | None, totals: Totals, **more: object) -> Entry:
        nonce = self._context.clock.nonce()
        return Entry(nonce, kind, low, high, self._effort.added(totals), **more)  # type: ignore[arg-type]  # fields of an entry

    # --- width -----------------------------------------------------------------------------------------

    def _split(self, entry: Entry) -> None:
        """Submit the children of a split; FC takes each name once."""
        self._records.log.mark_split(self._range.path, len(entry.children))
        walks = [Walk(self._job.job, child) for child in entry.children]
        submitted = [Question(partial(self._tools.submit, each)) for each in walks]
        self._context.together(*submitted)
        for each in submitted:
            each.get()

    # --- the end of a hop ------------------------------------------------------------------------------

    def _hand_over(self, delay: int) -> None:
        self._tools.submit(replace(self._task, hop=self._task.hop + 1), delay)

    def _walked(self, status: str) -> Walked:
        walked = Walked(self._job.job, bulk.range_id(self._range.path), status, self._written)
        self._context.log("walked", **{name: getattr(walked, name) for name in Walked.__struct_fields__})
        return walked
