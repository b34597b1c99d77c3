"""How a job of many objects stands, and its cancellation.

Knows the tree and its records; writes nothing but `cancel/`.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from osscopy.copying import results
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.questions import Question
from osscopy.jobs.bulk.records import BulkRecords
from osscopy.jobs.records import Records, create
from osscopy.model import BulkJob, BulkResult, Bytes, Cancelled, Ranges, Refused, Totals
from osscopy.plan import bulk


def standing(context: Context, records: Records, job: str, *, deep: bool = False) -> BulkResult | None:
    """Return how a job stands, None without a record of it. `deep`: with what its ranges have done so far."""
    of = BulkRecords(context, records, job)
    begun, closed = Question(of.job), Question(of.done)
    context.together(begun, closed)
    entry, done = begun.get(), closed.get()
    if done is not None:
        return done.result
    if entry is None:
        return None
    return _running(context, of, entry) if deep else _begun(entry)


def cancel(context: Context, records: Records, job: str) -> BulkResult:
    """Ask a job to end: walkers stop within a page, and its chains end; Refused without a record of it."""
    known = standing(context, records, job)
    if known is None:
        raise Refused("NoSuchJob", f"there is no record of {job}", status=404)
    if known.status == "running":
        entry = Cancelled(context.clock.nonce(), results.iso(context.now()))
        context.ask(create, records, f"cancel/{job}", entry)
    return known


def _begun(entry: BulkJob) -> BulkResult:
    return BulkResult(
        entry.job, "running", report=entry.report, started_at=entry.started_at, parent=entry.parent or None
    )


def _running(context: Context, of: BulkRecords, entry: BulkJob) -> BulkResult:
    """Return the sums of all ranges, each as far as its newest entry says."""
    parts = list(_parts(of, ()))
    totals = bulk.summed(each for each, _ in parts)
    ended = sum(is_over for _, is_over in parts)
    chains = len(of.log.chains())
    done = bulk.objects(totals)
    age = max(1.0, context.now() - results.unix(entry.started_at))
    return replace(
        _begun(entry),
        objects=done,
        bytes=Bytes(totals.bytes, totals.bytes_done),
        excluded=totals.excluded,
        chains=max(0, totals.started - chains),
        errors=totals.errors,
        ranges=Ranges(len(parts) - ended, ended),
        rate=round(done.total / age, 1),
    )


def _parts(of: BulkRecords, path: tuple[int, ...]) -> Iterator[tuple[Totals, bool]]:
    """Yield the totals of each range without children, and whether it has ended; of a split its own rows."""
    ended = of.log.ended(bulk.parent_id(path), bulk.index_of(path))
    if ended is not None:
        yield ended.totals, True
        return
    _, newest, _ = of.log.newest(path)
    totals = newest.totals if newest else Totals()
    children = newest.children if newest else ()
    if not children:
        yield totals, False
    for number, child in enumerate(children):
        for found, is_over in _parts(of, child.path):
            yield (bulk.summed((totals, found)) if number == 0 else found), is_over
            totals = Totals()
