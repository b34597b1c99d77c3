"""Questions about copies on record: how one stands, and which there are.

Knows records and results, and writes nothing; not how a copy is begun or ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from osscopy.copying import results
from osscopy.copying.invocation import listing
from osscopy.copying.invocation.context import Context
from osscopy.copying.outcome import task_of
from osscopy.jobs.bulk.records import bulk_jobs
from osscopy.jobs.bulk.standing import standing
from osscopy.jobs.journal import RecordJournal
from osscopy.jobs.pictures import copies
from osscopy.model import (
    BulkResult,
    Continue,
    Failed,
    OssCopyError,
    Problem,
    Refused,
    Result,
    Status,
    Transient,
    UploadGone,
    kind_of,
)
from osscopy.plan import bulk

SCAN = 200  # records looked at for one page: it may hold fewer copies than asked for and still have a next
READERS = 8


class Page(msgspec.Struct, frozen=True):
    """Copies in the order of their jobs; `next` is the job to go on after, None at the end."""

    copies: tuple[Result | BulkResult, ...]
    next: str | None


class Queries:
    """One invocation's answers about copies."""

    def __init__(self, context: Context, journal: RecordJournal) -> None:
        self._context = context
        self._journal = journal

    def look(self, job: str) -> Status:
        """Return how a copy stands; Refused if there is no record of it."""
        status = self.status(job)
        if status is None:
            raise no_such_job(job)
        return status

    def status(self, job: str) -> Status | None:
        """Return how a copy stands; None if there is no record of it."""
        result = self._result(job)
        return None if result is None else _with_rate(result, self._context.now())

    def picture(self, job: str, result: Result) -> copies.Picture | None:
        """Return the picture of a copy in parts; None where nothing of it is on record any more."""
        return copies.picture(self._context, self._journal, job, result)

    def page(self, status: str | None, limit: int, after: str, caller: str | None = None) -> Page:
        """Return up to `limit` copies with this status and caller, or any, of jobs after `after`."""
        jobs = self._jobs(status, after)
        found: list[Result | BulkResult] = []
        last = after
        for job, result in self._results(jobs):
            last = job
            if result is not None and status in {None, result.status} and caller in {None, result.caller}:
                found.append(result)
            if len(found) == limit:
                break
        is_end = len(jobs) < SCAN and (not jobs or last == jobs[-1])
        return Page(tuple(found), None if is_end else last)

    def _result(self, job: str, *, in_list: bool = False) -> Result | None:
        """Return the result of a copy, or how far it is and what its last hop met; None without a record.

        In a list, an error of the look at its upload is shown as well, and no progress then.
        """
        done = self._context.ask(self._journal.done, job)
        if done is not None:
            return done.result
        opened = self._context.ask(self._journal.opened, job)
        if opened is None:
            return None
        entered = self._context.ask(self._journal.entered, job)
        if entered is None:
            return results.opened(opened, self._context.now())
        problem = self._context.ask(self._journal.noted, job)
        hops = self._context.ask(self._journal.hops, job)
        task = task_of(opened, entered.upload)
        try:
            there = self._parts_there(task)
        except (Failed, Transient) as error:
            if isinstance(error, Transient) and not in_list:
                raise
            there, problem = 0, Problem.of(error)
        return msgspec.structs.replace(results.under_way(task, there), hops=hops, error=problem)

    def _parts_there(self, task: Continue) -> int:
        try:
            return len(listing.parts(self._context, task, 0, task.upload.parts).parts)
        except UploadGone:  # completed or aborted, and not yet closed
            return task.upload.parts

    def _jobs(self, status: str | None, after: str) -> list[str]:
        """Return the first jobs after `after`, in order, that may have this status."""
        kinds = ("open", "done") if status is None else ("open",) if status == "running" else ("done",)
        pages = [self._context.ask(self._journal.page, kind, after, SCAN) for kind in kinds]
        many = bulk_jobs(self._context, self._journal.records, after, SCAN) if "open" in kinds else ()
        jobs = {job for page in pages for job, _ in page.entries if not bulk.is_child(job)}
        return sorted({*jobs, *many})[:SCAN]

    def _results(self, jobs: Sequence[str]) -> Iterator[tuple[str, Result | BulkResult | None]]:
        """Yield each job with what a list shows of it, read by several threads at once."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - start-up time only listings need

        with ThreadPoolExecutor(READERS) as readers:
            for first in range(0, len(jobs), READERS):
                some = jobs[first : first + READERS]
                yield from zip(some, readers.map(self._in_list, some), strict=True)

    def _in_list(self, job: str) -> Result | BulkResult | None:
        """Return what a list shows of a copy: what cannot be read hides no other."""
        try:
            if bulk.is_bulk(job):
                return standing(self._context, self._journal.records, job)
            return self._result(job, in_list=True)
        except OssCopyError as error:
            if error.code != "UnreadableRecord":
                raise
            self._context.log("unreadableRecord", job=job, error=str(error))
        except Exception as error:  # noqa: BLE001 - logged: a bug that the values of this copy bring out
            self._context.log("unreadableRecord", job=job, error=str(error), kind=kind_of(error))
        return None


def no_such_job(job: str) -> Refused:
    return Refused("NoSuchJob", f"there is no record of {job}", status=404)


def _with_rate(result: Result, now: float) -> Status:
    """Return `result` with its rate, if it runs and has copied anything."""
    fields = {name: getattr(result, name) for name in Result.__struct_fields__}
    size = result.source.size if result.source else None
    since = result.started_at
    if result.status != "running" or not result.bytes_done or size is None or since is None:
        return Status(**fields)
    rate = max(1, int(result.bytes_done / max(1.0, now - results.unix(since))))
    return Status(**fields, rate=rate, eta_seconds=(size - result.bytes_done) // rate)
