"""The sweep: looks at all copies on record, resumes what stands still, and forgets what is over.

Knows which record means which of these, and the report; not how each is done. Liveness rests on the sweep
alone; it may run twice, at the same time as hops and other sweeps. All times are OSS's own. It looks at a
page of copies at a time; when time is short, an invocation of its own goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from osscopy import events, plan
from osscopy.copying import outcome
from osscopy.copying.invocation.context import Context
from osscopy.jobs.bulk.records import bulk_jobs
from osscopy.jobs.bulk.sweep import BulkSweeper
from osscopy.jobs.bulk.tools import Tools
from osscopy.jobs.forget import Cleaner
from osscopy.jobs.journal import RecordJournal
from osscopy.jobs.records import PAGE
from osscopy.jobs.resume import Resumer
from osscopy.model import Sweep, Swept, kind_of

COPIES = 200  # on record, read at a time


class Sweeper:
    """One invocation's look at the copies on record; `many`: what it works with on jobs of many objects."""

    def __init__(self, context: Context, journal: RecordJournal, many: Tools | None = None) -> None:
        self._context = context
        self._many = many
        self._journal = journal
        self._cleaner = Cleaner(context, journal)
        self._patience = plan.patience(context.limits.timeout)
        self._resumer = Resumer(context, journal.records, self._patience)
        self._until = last_look(context)
        self._counts: Counter[str] = Counter()

    def run(self, sweep: Sweep) -> Swept:
        """Look at the copies after job `sweep.after`; Transient if their records cannot be listed."""
        if not sweep.after:
            self._resume_lists()
            if self._many is not None:
                self._look_at_many(self._many)
            self._look_at_outbox()
        after = self._look_at_copies(sweep.after)
        if after is not None:
            name = f"sweep-{int(self._context.now()) // plan.GENERATION}-{after or 'start'}"
            self._context.submit(name, events.encode(Sweep(after)), 0)
        report = self._report(more=after is not None)
        self._context.log("swept", **{name: getattr(report, name) for name in Swept.__struct_fields__})
        return report

    def _has_time(self) -> bool:
        return self._context.clock.monotonic() < self._until

    def _resume_lists(self) -> None:
        """Hand over again the lists that no invocation seems to work on any more."""
        page = self._context.ask(self._journal.page, "rest", "", PAGE)
        patience = max(self._patience, 2 * self._context.limits.timeout)
        resumer = Resumer(self._context, self._journal.records, patience)
        for name, written in page.entries:
            if page.seen_at - written < patience or not self._has_time():
                continue
            with self._alone(list=name):
                self._counts["resumed"] += resumer.resume_list(name, page.seen_at) == "resumed"

    def _look_at_many(self, many: Tools) -> None:
        """Look at the jobs of many objects; what goes wrong with one keeps no other from being looked at."""
        sweeper = BulkSweeper(many, self._journal)
        for job in bulk_jobs(self._context, self._journal.records, "", COPIES):
            if not self._has_time():
                return
            with self._alone(job=job):
                self._counts[sweeper.look_at(job)] += 1

    def _look_at_outbox(self) -> None:
        """Ask for a look at what is left to be told: its writer has died, or a receiver did not answer."""
        outbox = self._context.outbox
        if outbox is None:
            return
        with self._alone(record="tell"):
            if not self._context.ask(outbox.is_empty):
                outbox.announce()

    def _look_at_copies(self, after: str) -> str | None:
        """Look at the copies after job `after`; return the one to go on after, None if that was the last."""
        while self._has_time():
            page = self._context.ask(self._journal.page, "open", after, COPIES)
            for job, written in page.entries:
                if not self._has_time():
                    return after
                after = job
                if page.seen_at - written >= self._patience:  # else it has hardly begun
                    self._look_at(job, written, page.seen_at)
            if len(page.entries) < COPIES:
                return None
        return after

    def _look_at(self, job: str, written: int, now: int) -> None:
        """Look at one copy; what goes wrong with it keeps no other from being looked at."""
        self._counts["looked"] += 1
        with self._alone(job=job):
            self._counts[self._treat(job, written, now)] += 1

    @contextmanager
    def _alone(self, **what: str) -> Iterator[None]:
        """Count and log whatever goes wrong with one job, bugs too: its values must not stop the others."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - counted as `failed`, which is to raise an alarm
            self._context.log("sweepFailed", **what, error=str(error), kind=kind_of(error))
            self._counts["failed"] += 1

    def _treat(self, job: str, written: int, now: int) -> str:
        """Do what the records of a copy ask for; return the field of the report that counts it."""
        opened = self._context.ask(self._journal.opened, job)
        if opened is None:  # another sweep has just forgotten it
            return "forgotten"
        done = self._context.ask(self._journal.done, job)
        if done is not None:
            return "forgotten" if self._cleaner.forget(opened, done, written, now) else "waiting"
        entered = self._context.ask(self._journal.entered, job)
        if self._context.is_cancelled(job):
            result = outcome.cancel(self._context, opened, entered)
            return "waiting" if result.status == "running" else "ended"
        return self._resumer.resume(opened, entered, now)

    def _report(self, *, more: bool) -> Swept:
        names = ("looked", "resumed", "ended", "forgotten", "waiting", "failed")
        counts = {name: self._counts[name] for name in names}
        orphans = self._cleaner.orphans
        return Swept(**counts, aborted=orphans.aborted, doubts=tuple(orphans.doubts), more=more)


def last_look(context: Context) -> float:
    """Return when to look at nothing more (monotonic), so that what was looked at can still be ended."""
    begun = context.clock.monotonic()
    return begun + 0.75 * (context.submit_by - begun)
