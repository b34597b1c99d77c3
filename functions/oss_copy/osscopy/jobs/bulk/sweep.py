"""The sweep of jobs of many objects: starts what stands still, and forgets what is over.

Knows the tree and when a range stands still; not how it is walked. A job's records are forgotten T_late after
`done/`, `job` last, so that the next sweep finds what was left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

from msgspec.structs import replace

from osscopy import events, plan
from osscopy.copying.invocation.questions import Question
from osscopy.jobs.bulk.clearing.claims import Claims
from osscopy.jobs.bulk.doubt.compare import Comparison
from osscopy.jobs.bulk.records import BulkRecords, name_of
from osscopy.jobs.bulk.tools import Tools, task_id
from osscopy.jobs.journal import RecordJournal
from osscopy.jobs.records import delete_all, list_all, read
from osscopy.model import BulkDone, BulkJob, Claim, Clear, Range, Settle, Walk
from osscopy.plan import bulk

QUIET = 60  # seconds that a range that is walked may be without an entry, twice what an entry takes
KINDS = (
    "hop",
    "log",
    "ended",
    "fail",
    "stop",
    "chain",
    "copy",
    "doubt",
    "claim",
    "verdict",
    "progress",
    "closing",
)  # of records that are forgotten before `job`
Swept: TypeAlias = Literal["resumed", "waiting", "forgotten"]


class BulkSweeper:
    """One sweep's means to look at a job of many objects."""

    def __init__(self, tools: Tools, journal: RecordJournal) -> None:
        context = tools.context
        self._tools, self._context, self._journal = tools, context, journal
        self._patience = QUIET + plan.patience(context.limits.timeout)

    def look_at(self, job: str) -> Swept:
        """Start what stands still, or forget the job; return what was done."""
        records = BulkRecords(self._context, self._journal.records, job)
        begun, closed = Question(records.job), Question(records.done)
        self._context.together(begun, closed)
        entry, done = begun.get(), closed.get()
        if done is not None:
            swept = self._forget(job, done.settle, lambda: self._is_compared(entry, done))
            if swept == "forgotten":
                self._forget_turns(job, f"turn/{bulk.pair_id(done.request)}/")
            return swept
        if entry is None:  # forgotten, but for what a late hop has written
            return self._forget(job, 0, lambda: True)
        started = [self._start(records, command) for command in self._idle(records, entry)]
        return "resumed" if any(started) else "waiting"

    def _idle(self, records: BulkRecords, entry: BulkJob) -> Iterator[Walk | Settle | Clear]:
        """Yield the commands that take on what stands still: ranges that have not ended, or what follows."""
        if records.log.ended(bulk.ROOT, 0) is not None:
            yield from self._after_the_end(records, entry)
            return
        for each, age in self._open(records, Range(), self._age(entry.job)):
            if age >= self._patience:
                yield Walk(entry.job, each)

    def _after_the_end(self, records: BulkRecords, entry: BulkJob) -> Iterator[Settle | Clear]:
        """Yield what follows the end of the walk: the deletions if they stand still, else the look at all."""
        claims = Claims(self._context, self._journal.records, entry.job)
        if claims.verdict() is None or records.deletions.ended(bulk.CLEAR, 0) is not None:
            yield Settle(entry.job)
            return
        _, newest, age = records.deletions.newest(())
        if (age if newest else self._age(entry.job, "verdict")) >= self._patience:
            yield Clear(entry.job)

    def _age(self, job: str, name: str = "job") -> int:
        """Return how old a record of a job is, in seconds."""
        page = self._context.ask(self._journal.records.page, f"bulk/{job}/{name}", "", 1)
        return page.seen_at - page.entries[0][1] if page.entries else 0

    def _open(self, records: BulkRecords, whole: Range, above: int) -> Iterator[tuple[Range, int]]:
        """Yield each range that has not ended with the age of its newest entry; `above`: of its parent's.

        A split range whose children have ended is yielded, too: whoever walks it joins it.
        """
        if records.log.ended(bulk.parent_id(whole.path), bulk.index_of(whole.path)) is not None:
            return
        _, newest, known = records.log.newest(whole.path)
        age = above if newest is None else known
        children = newest.children if newest else ()
        found = [each for child in children for each in self._open(records, child, age)]
        yield from found or [(whole, age)]

    def _start(self, records: BulkRecords, command: Walk | Settle | Clear) -> bool:
        """Put a new generation on record, then submit its command; not while the newest is young."""
        what = name_of(command)
        newest = records.generation(what)
        if newest is not None and newest.age < self._patience:
            return False
        now = int(self._context.now())
        generation = plan.next_generation(now, newest.number if newest else 0)
        records.restart(what, generation)
        started = replace(command, generation=generation)
        self._context.submit(task_id(started), events.encode(started), 0)
        return True

    def _is_compared(self, entry: BulkJob | None, done: BulkDone) -> bool:
        """Return whether what was in doubt is compared; without its job a part is forgotten already."""
        return entry is None or Comparison(self._tools, entry, done).is_over()

    def _forget(self, job: str, settle: int, is_compared: Callable[[], bool]) -> Swept:
        """Delete all records of a job but `done/`, once nothing of it can come any more; else wait."""
        closed = self._context.ask(self._journal.written, "done", job)
        late = max(settle, self._context.limits.settle)
        if closed is not None and closed[1] - closed[0] < late:
            return "waiting"
        if self._has_open_chains(job) or not is_compared():
            return "waiting"
        kinds = [f"bulk/{job}/{kind}" for kind in KINDS]
        for prefix in (*kinds, f"gen/{job}/", f"bulk/{job}/job"):
            self._context.ask(delete_all, self._journal.records, prefix)
        return "forgotten"

    def _forget_turns(self, job: str, turns: str) -> None:
        """Delete the turn of a job that is forgotten, and all before it; never the newest: it counts them."""
        names = [name for name, _ in self._context.ask(list_all, self._journal.records, turns).entries]
        own = (at for at, name in enumerate(names) if self._has_turn(job, name))
        for name in names[max(1, next(own, len(names))) :]:
            self._context.ask(self._journal.records.delete, name)

    def _has_turn(self, job: str, name: str) -> bool:
        turn = self._context.ask(read, self._journal.records, name, Claim)
        return turn is not None and turn.job == job

    def _has_open_chains(self, job: str) -> bool:
        """Return whether a chain is still on record as open: without its outcome it would begin again."""
        records = BulkRecords(self._context, self._journal.records, job)
        return any(self._context.ask(self._journal.opened, each) is not None for each in records.log.chains())
