"""What follows the end of the root: the wait for chains, the report, and `done/`.

One decision that anyone may enter again, the sweep too: each effect here is the same whoever has it. Nobody
notices the last chain: this waits as a delayed hop, and chains only write how they ended.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from osscopy.copying import results
from osscopy.jobs.bulk import report
from osscopy.jobs.bulk.chains import outcomes
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import (
    BulkDone,
    BulkJob,
    BulkResult,
    Bytes,
    Closing,
    Done,
    Ended,
    Failed,
    Problem,
    Ranges,
    Row,
    Settle,
    Summary,
)
from osscopy.plan import bulk


def settle(tools: Tools, task: Settle, attempt: int) -> BulkResult:
    """Close a job whose root has ended, or look again later; `attempt`: FC's count of retries."""
    records = tools.of(task.job)
    job, done, newest = records.standing("settle")
    if done is not None:
        return _logged(tools, done.result)
    left = BulkResult(task.job, "running")
    if job is None or (newest is not None and newest.number > task.generation):
        return left
    root = records.log.ended(bulk.ROOT, 0)
    if root is None or not records.claim(task, attempt):
        return left
    ended = records.log.chains()
    if len(ended) < root.totals.started:
        tools.submit(replace(task, hop=task.hop + 1), bulk.settle_delay(task.hop))
        return left
    return _logged(tools, close(tools, job, root, ended))


def close(tools: Tools, job: BulkJob, root: Ended, ended: tuple[str, ...]) -> BulkResult:
    """Write the report and `done/`; return the result on record."""
    chains = outcomes(tools, job.job, ended)
    pinned = bulk.is_pinned(job.request)
    rows = tuple(bulk.row_of(each.result, each.request, pinned=pinned) for each in chains)
    made = _summary(tools, job, root, chains, rows)
    summary = tools.of(job.job).closing(Closing(tools.context.clock.nonce(), made)).summary
    result = _reported(tools, job, root, rows, summary)
    entry = BulkDone(tools.context.clock.nonce(), result, job.request, job.settle)
    return tools.of(job.job).close(entry).result


def _summary(tools: Tools, job: BulkJob, root: Ended, chains: Sequence[Done], rows: Sequence[Row]) -> Summary:
    """Return how the job has ended, as of now."""
    totals = bulk.with_chains(root.totals, rows)
    stop = tools.of(job.job).stopped()
    problem = stop.problem if stop else None
    cancelled = [row for row in rows if row.error_code == "cancelled"]
    status, why = bulk.outcome(job.request, totals, "cancelled" if cancelled else root.stopped, problem)
    result = BulkResult(
        job.job,
        status,
        bulk.objects(totals),
        Bytes(totals.bytes, totals.bytes_done),
        totals.excluded,
        errors=totals.errors,
        report=job.report,
        ranges=Ranges(0, root.ranges),
        started_at=job.started_at,
        finished_at=results.iso(tools.context.now()),
        error=why,
        parent=job.parent or None,
        would=bulk.would(root.totals, tools.prices) if job.request.dry_run else None,
    )
    own = [each.result for each in chains]
    made = bulk.summary(job.request, result, root.totals, own, root.slowest, tools.prices)
    return replace(made, notes=(*bulk.not_covered(job.covers), *made.notes))


def _reported(tools: Tools, job: BulkJob, root: Ended, rows: tuple[Row, ...], summary: Summary) -> BulkResult:
    """Write the report; a job whose report could not be written has failed, and its log is kept."""
    lost = Problem("ReportFailed", "rows of the report could not be written: the log is kept")
    result = BulkResult(**{name: getattr(summary, name) for name in BulkResult.__struct_fields__})
    files = report.write_chains(tools, job, rows)
    if isinstance(files, report.Lost) or root.report_lost:
        return replace(result, status="failed", error=lost)
    try:
        report.write_end(tools, job, summary, (*root.files, *files))
    except Failed as error:
        return replace(result, status="failed", error=replace(lost, message=f"{lost.message} ({error})"))
    return result


def _logged(tools: Tools, result: BulkResult) -> BulkResult:
    tools.context.log("result", job=result.job, status=result.status, error=result.error)
    return result
