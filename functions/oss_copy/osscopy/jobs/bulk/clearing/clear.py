"""One hop of a job's deletions: entries of their log, until time is short or nothing is left of the plan.

Knows the order of effects. Order: read the job, `done/` and the verdict, claim the hop, read the newest
entry. Then for each entry: read `cancel/` and `stop`, look whether the source still has anything, claim the
entry, delete, write it. Each planned object has one row. What another hop has claimed is left alone until no
request of it can take effect any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, takewhile

from msgspec.structs import replace

from osscopy.jobs.bulk import report
from osscopy.jobs.bulk.clearing.claims import Claims
from osscopy.jobs.bulk.clearing.planned import planned
from osscopy.jobs.bulk.clearing.remove import Remover
from osscopy.jobs.bulk.records import name_of
from osscopy.jobs.bulk.tools import Tools
from osscopy.jobs.bulk.walk import Effort, Walked
from osscopy.model import BulkJob, Clear, Entry, Failed, Problem, Refused, Row, Settle, Totals, Verdict
from osscopy.plan import bulk
from osscopy.plan.bulk import Spot

BATCH = 1000  # objects of an entry: whether to stop is asked before each
PAUSE = 5  # seconds until the next hop where this one could do nothing


def clear(tools: Tools, task: Clear, attempt: int) -> Walked:
    """Go on with the deletions of a job; `attempt`: FC's count of retries of this hop."""
    records, name = tools.of(task.job), name_of(task)
    job, done, newest = records.standing(name)
    if job is None or done is not None:
        return Walked(task.job, name, "left")
    if newest is not None and newest.number > task.generation:
        return Walked(task.job, name, "superseded")
    verdict = Claims(tools.context, tools.records, task.job).verdict()
    if verdict is None or not records.claim(task, attempt):
        return Walked(task.job, name, "left")
    return Clearer(tools, job, task, verdict).run()


class Clearer:
    """One hop's way through the plan."""

    def __init__(self, tools: Tools, job: BulkJob, task: Clear, verdict: Verdict) -> None:
        self._tools, self._context, self._job, self._task = tools, tools.context, job, task
        self._records, self._verdict = tools.of(job.job), verdict
        self._claims = Claims(tools.context, tools.records, job.job)
        self._log = self._records.deletions
        self._remover = Remover(tools, job)
        self._late = max(job.settle, tools.context.limits.settle)
        self._effort = Effort(tools)
        self._wait = 0  # seconds until the next hop
        self._written = 0

    def run(self) -> Walked:
        """Write entries until the plan is done, another hop goes on, or time is short."""
        number, newest, _ = self._log.newest(())
        low = Spot.of(newest.high) if newest is not None and newest.high else None
        plan = planned(self._records.log, low)
        while newest is None or newest.kind != "end":
            batch = tuple(islice(plan, BATCH))
            entry = self._next(newest, number + 1, batch)
            if entry is None:
                self._tools.submit(replace(self._task, hop=self._task.hop + 1), self._wait)
                return self._walked("handed over")
            if not self._log.append((), number + 1, entry):
                return self._walked("left")
            number, newest = number + 1, entry
            self._written += 1
            if len(entry.rows) < len(batch):
                plan = planned(self._records.log, Spot.of(entry.high or ""))
        self._finish(newest)
        return self._walked("ended")

    def _next(self, newest: Entry | None, number: int, batch: Sequence[tuple[Spot, Row]]) -> Entry | None:
        """Return the next entry; None where time is short, or another hop may yet delete something."""
        stopped = None if newest is None else newest.stopped
        if not batch:
            return self._entry("end", newest, (), stopped)
        if self._context.clock.monotonic() >= self._tools.work_until:
            return None
        if self._verdict.problem is not None:
            rows: Sequence[Row] = [bulk.kept(each, self._verdict.problem) for _, each in batch]
        else:
            why = self._reason_to_keep()
            stopped = why.code if why else stopped
            rows = self._claimed(number, batch, why)
        if not rows:
            return None
        return replace(self._entry("rows", newest, rows, stopped), high=batch[len(rows) - 1][0].text)

    def _reason_to_keep(self) -> Problem | None:
        """Return why nothing more is to be deleted: a cancel, a stop, or a source that has nothing left."""
        stopped = self._records.reason_to_stop()
        if stopped is None:
            self._stop_where_nothing_may_go()
            stopped = self._records.reason_to_stop()
        stop = self._records.stopped() if stopped not in {None, "cancelled"} else None
        if stop is not None:
            return stop.problem
        return None if stopped is None else bulk.CANCELLED

    def _stop_where_nothing_may_go(self) -> None:
        """Stop the job where deletions are not allowed any more, and where its source has nothing left."""
        asked, ask = self._job.request, self._context.ask
        bucket, prefix, pays = asked.source.bucket or "", asked.source.prefix or "", asked.request_payer
        try:
            self._context.options.need("delete", "this job deletes", "delete")
            page = ask(self._tools.objects.page, bucket, prefix, "", 1, pays=pays)
        except (Refused, Failed) as error:
            self._records.stop(Problem.of(error))
            return
        if not page.objects and not asked.allow_empty:
            text = "the source has no object any more: `allowEmpty` takes that"
            self._records.stop(Problem("EmptySource", text))

    # --- one entry -------------------------------------------------------------------------------------

    def _claimed(self, number: int, batch: Sequence[tuple[Spot, Row]], why: Problem | None) -> Sequence[Row]:
        """Return the rows of the first objects of a batch, as many as have one; none where another is at it.

        Who has claimed the entry before may have deleted some: then each is looked at, even if it is kept.
        """
        taken = self._claims.taken(number)
        left = self._late - taken[-1][1] + 1 if taken and not taken[-1][0].is_over else 0
        if left > 0:
            self._wait = left
            return ()
        self._wait = PAUSE
        up_to = max([batch[-1][0], *(Spot.of(each.up_to) for each, _ in taken)])
        if not self._claims.take(number, len(taken) + 1, up_to):
            return ()
        if why is not None and not taken:
            return [bulk.kept(each, why) for _, each in batch]
        rows = _first(self._remover.rows([row for _, row in batch], why))
        if not rows or batch[len(rows) - 1][0] < up_to:
            self._leave(number, len(taken) + 1, up_to, is_empty=not rows)
        return rows

    def _leave(self, number: int, claim: int, up_to: Spot, *, is_empty: bool) -> None:
        """Claim what is left before its rows are told: whoever goes on waits if need be, and looks at it.

        That is the rest of this batch, or of a longer one before it: BATCH may have been more.
        """
        is_over = not self._remover.in_doubt
        if not is_empty:
            self._claims.take(number + 1, 1, up_to, is_over=is_over)
        elif is_over:
            self._claims.take(number, claim + 1, up_to, is_over=True)

    def _entry(self, kind: str, newest: Entry | None, rows: Sequence[Row], stopped: str | None) -> Entry:
        low, totals = (newest.high, newest.totals) if newest else (None, Totals())
        totals = self._effort.added(bulk.added(totals, rows))
        return Entry(self._context.clock.nonce(), kind, low, low, totals, tuple(rows), stopped=stopped)  # type: ignore[arg-type]  # of three literals

    # --- the end ---------------------------------------------------------------------------------------

    def _finish(self, end: Entry) -> None:
        """Put the end on record with the files of all rows, again if somebody has; then the job is closed."""
        files = report.write_deletions(self._tools, self._job)
        self._log.end((), report.ended(end.totals, files, end.stopped))
        self._tools.submit(Settle(self._job.job, cleared=True))

    def _walked(self, status: str) -> Walked:
        walked = Walked(self._job.job, name_of(self._task), status, self._written)
        self._context.log("walked", **{name: getattr(walked, name) for name in Walked.__struct_fields__})
        return walked


def _first(found: Sequence[Row | None]) -> Sequence[Row]:
    """Return the rows before the first object that has none."""
    return tuple(row for row in takewhile(lambda each: each is not None, found) if row is not None)
