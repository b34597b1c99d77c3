"""What follows the end of the root: the wait for chains, deletions, the report, and `done/`.

One decision that anyone may enter again, the sweep too: each effect here is the same whoever has it. Nobody
notices the last chain: this waits as a delayed hop, and chains only write how they ended.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from osscopy.copying import outcome, results
from osscopy.jobs.bulk import report
from osscopy.jobs.bulk.chains import outcomes
from osscopy.jobs.bulk.clearing import others
from osscopy.jobs.bulk.clearing.claims import Claims
from osscopy.jobs.bulk.records import BulkRecords, name_of
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import (
    BulkDone,
    BulkJob,
    BulkResult,
    Bytes,
    Clear,
    Closing,
    Done,
    Ended,
    Failed,
    Problem,
    Ranges,
    Row,
    Settle,
    Summary,
    Totals,
)
from osscopy.plan import bulk


def settle(tools: Tools, task: Settle, attempt: int) -> BulkResult:
    """Close a job whose root has ended, or look again later; `attempt`: FC's count of retries."""
    records = tools.of(task.job)
    job, done, newest = records.standing(name_of(task))
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
    cleared = records.deletions.ended(bulk.CLEAR, 0) if root.totals.planned else Ended(Totals())
    if cleared is None:
        _let_delete(tools, job, root, ended)
        return left
    return _logged(tools, close(tools, job, root, ended, cleared))


def _let_delete(tools: Tools, job: BulkJob, root: Ended, ended: tuple[str, ...]) -> None:
    """Put on record whether what is planned may be deleted, then let a hop do it, or tell why not."""
    claims = Claims(tools.context, tools.records, job.job)
    if claims.verdict() is None:
        rows = _rows(job, outcomes(tools, job.job, ended))
        status, why = _outcome(tools.of(job.job), job, root, rows)
        problem = bulk.verdict(job.request, root, status, why)
        problem = problem or others.in_the_way(tools, job.job, job.request)
        claims.judge(root.totals.planned, problem)
    tools.submit(Clear(job.job))


def close(tools: Tools, job: BulkJob, root: Ended, ended: tuple[str, ...], cleared: Ended) -> BulkResult:
    """Write the report and `done/`; return the result on record. `cleared`: the end of the deletions."""
    chains = outcomes(tools, job.job, ended)
    rows = _rows(job, chains)
    whole = replace(bulk.joined(root, [cleared]), ranges=root.ranges)
    made = _summary(tools, job, whole, chains, rows)
    summary = tools.of(job.job).closing(Closing(tools.context.clock.nonce(), made)).summary
    result = _reported(tools, job, whole, rows, summary)
    entry = BulkDone(tools.context.clock.nonce(), result, job.request, job.settle)
    with outcome.put_out(tools.context, job.job, result.status):
        return tools.of(job.job).close(entry).result


def _rows(job: BulkJob, chains: Sequence[Done]) -> tuple[Row, ...]:
    """Return the final rows of chains."""
    pinned = bulk.is_pinned(job.request)
    return tuple(bulk.row_of(each.result, each.request, pinned=pinned) for each in chains)


def _outcome(records: BulkRecords, job: BulkJob, whole: Ended, rows: Sequence[Row]) -> bulk.Outcome:
    """Return how the job ends, as far as it has come: `whole` and the final rows of its chains."""
    stop = records.stopped()
    problem = stop.problem if stop else None
    is_cancelled = any(row.error_code == "cancelled" for row in rows)
    stopped = "cancelled" if is_cancelled else whole.stopped
    return bulk.outcome(job.request, bulk.with_chains(whole.totals, rows), stopped, problem)


def _summary(tools: Tools, job: BulkJob, root: Ended, chains: Sequence[Done], rows: Sequence[Row]) -> Summary:
    """Return how the job has ended, as of now."""
    records, totals = tools.of(job.job), bulk.with_chains(root.totals, rows)
    claims = Claims(tools.context, tools.records, job.job)
    verdict = claims.verdict() if root.totals.planned else None
    status, why = _outcome(records, job, root, rows)
    if status == "succeeded" and verdict is not None and verdict.problem is not None:
        status, why = "failed", verdict.problem
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
        caller=job.origin.told,
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
