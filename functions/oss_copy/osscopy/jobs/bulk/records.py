"""The records of one job that copies many objects, under `bulk/<job>/`.

Knows their names; not what follows from one. The logs of its ranges are in `log`.
"""

from __future__ import annotations

from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.questions import Question
from osscopy.jobs.bulk.log import RangeLog
from osscopy.jobs.journal import newest_generation, restart
from osscopy.jobs.records import Records, create, read
from osscopy.model import (
    BulkDone,
    BulkJob,
    Claim,
    Clear,
    Closing,
    Generation,
    Problem,
    Settle,
    Stop,
    Walk,
)
from osscopy.plan import bulk


class BulkRecords:
    """The records of one job; each call is asked again while that may help."""

    def __init__(self, context: Context, records: Records, job: str) -> None:
        self._context = context
        self._records = records
        self._job = job
        self._at = f"bulk/{job}/"
        self.log = RangeLog(context, records, job)
        self.deletions = RangeLog(context, records, job, bulk.CLEAR)

    # --- the job ---------------------------------------------------------------------------------------

    def job(self) -> BulkJob | None:
        return self._context.ask(read, self._records, f"{self._at}job", BulkJob)

    def create_job(self, entry: BulkJob) -> BulkJob:
        return self._context.ask(create, self._records, f"{self._at}job", entry)

    def standing(self, what: str) -> tuple[BulkJob | None, BulkDone | None, Generation | None]:
        """Return `job`, `done/`, and the newest generation of a range, or of `settle`; asked at once."""
        job, done = Question(self.job), Question(self.done)
        newest = Question(lambda: self.generation(what))
        self._context.together(job, done, newest)
        return job.get(), done.get(), newest.get()

    def done(self) -> BulkDone | None:
        return self._context.ask(read, self._records, f"done/{self._job}", BulkDone)

    def close(self, entry: BulkDone) -> BulkDone:
        return self._context.ask(create, self._records, f"done/{self._job}", entry)

    def closing(self, entry: Closing) -> Closing:
        """Write how the job has ended, unless somebody has; return what is on record."""
        return self._context.ask(create, self._records, f"{self._at}closing", entry)

    def stopped(self) -> Stop | None:
        return self._context.ask(read, self._records, f"{self._at}stop", Stop)

    def stop(self, problem: Problem) -> None:
        self._context.ask(create, self._records, f"{self._at}stop", Stop(problem))

    def reason_to_stop(self) -> str | None:
        """Return why no range is to go on: a caller has cancelled the job, or a range has stopped it."""
        cancelled = self._context.question(self._context.journal.cancelled, self._job)
        stopped = Question(self.stopped)
        self._context.together(cancelled, stopped)
        stop = stopped.get()
        return "cancelled" if cancelled.get() else stop.problem.code if stop else None

    # --- hops ------------------------------------------------------------------------------------------

    def claim(self, task: Walk | Settle | Clear, attempt: int) -> bool:
        """Claim a hop for this delivery; False if another one has it. `attempt`: FC's count of retries."""
        name = f"{self._at}hop/{name_of(task)}-g{task.generation}-h{task.hop}-a{attempt}"
        mine = Claim(self._context.clock.nonce())
        return self._context.ask(create, self._records, name, mine).nonce == mine.nonce

    def generation(self, what: str) -> Generation | None:
        """Return the newest generation that a sweep has started of a range, or of `settle`."""
        return self._context.ask(newest_generation, self._records, f"{self._job}/{what}")

    def restart(self, what: str, generation: int) -> None:
        self._context.ask(restart, self._records, f"{self._job}/{what}", generation)


def name_of(task: Walk | Settle | Clear) -> str:
    """Return the name of a range, or of what follows its end, for claims and invocations."""
    match task:
        case Walk():
            return bulk.range_id(task.range.path)
        case Settle():
            return "settled" if task.cleared else "settle"
        case Clear():
            return "clear"


def bulk_jobs(context: Context, records: Records, after: str, limit: int) -> tuple[str, ...]:
    """Return up to `limit` jobs after `after` that have any record, one listing for each."""
    found: list[str] = []
    after = f"bulk/{after}0" if after else ""  # "0" comes right after "/"
    while len(found) < limit:
        page = context.ask(records.page, "bulk/", after, 1)
        if not page.entries:
            break
        job = page.entries[0][0].split("/")[1]
        found.append(job)
        after = f"bulk/{job}0"
    return tuple(found)
