"""How a job of many objects stands, and its cancellation.

Knows the tree and its records; writes nothing but `cancel/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from osscopy.copying import results
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.questions import Question
from osscopy.jobs.bulk.records import BulkRecords
from osscopy.jobs.records import Records, create
from osscopy.model import Ahead, BulkJob, BulkResult, Bytes, Cancelled, Range, Ranges, Refused, Totals
from osscopy.plan import bulk

READERS = 16  # ranges looked at together
LookAhead: TypeAlias = Callable[[BulkJob, Sequence[Range]], Ahead]


def standing(
    context: Context, records: Records, job: str, ahead: LookAhead | None = None
) -> BulkResult | None:
    """Return how a job stands, None without a record of it.

    `ahead` tells what is left of a job that runs: only with it are the sums of its ranges made.
    """
    of = BulkRecords(context, records, job)
    begun, closed = Question(of.job), Question(of.done)
    context.together(begun, closed)
    entry, done = begun.get(), closed.get()
    if done is not None:
        return done.result
    if entry is None:
        return None
    return _begun(entry) if ahead is None else whole(context, of, entry, ahead).result


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
        entry.job,
        "running",
        report=entry.report,
        started_at=entry.started_at,
        parent=entry.parent or None,
        caller=entry.origin.told,
    )


class Whole(msgspec.Struct, frozen=True):
    """How a job that runs stands, and the sums and ranges that this is made of."""

    result: BulkResult
    totals: Totals
    parts: tuple[Part, ...]


def whole(context: Context, of: BulkRecords, entry: BulkJob, ahead: LookAhead) -> Whole:
    """Return the sums of all ranges, each as far as its newest entry says."""
    found = tuple(_parts(context, of))
    _, cleared, _ = of.deletions.newest(()) if entry.request.delete else (0, None, 0)
    totals = bulk.summed([*(each.totals for each in found), *([cleared.totals] if cleared else [])])
    left = [each.left for each in found if each.left is not None]
    chains = min(len(of.log.chains()), totals.started)
    age = context.now() - results.unix(entry.started_at)
    pace = bulk.pace(totals, chains, ahead(entry, left), age)
    result = replace(
        _begun(entry),
        objects=bulk.objects(totals),
        bytes=Bytes(totals.bytes, totals.bytes_done),
        excluded=totals.excluded,
        chains=totals.started - chains,
        errors=totals.errors,
        ranges=Ranges(len(left), sum(each.ended for each in found)),
        rate=pace.rate,
        eta_seconds=pace.left,
        eta_at_least=pace.is_at_least,
    )
    return Whole(result, totals, found)


class Part(msgspec.Struct, frozen=True):
    """A range of the tree as it stands: the totals of its own log, or of all below it once it has ended.

    `left`: what is open of it; `children` of a split, which have parts of their own; `ended`: ranges.
    """

    range: Range
    totals: Totals
    left: Range | None = None
    children: tuple[Range, ...] = ()
    ended: int = 0


def _parts(context: Context, of: BulkRecords) -> Iterator[Part]:
    """Yield all ranges that have not ended, and the ended ones right below these, level by level."""
    level = [Range()]
    while level:
        found: list[Part] = []
        for first in range(0, len(level), READERS):
            looks = [Question(partial(_part, of, each)) for each in level[first : first + READERS]]
            context.together(*looks)
            found += [each.get() for each in looks]
        yield from found
        level = [child for each in found for child in each.children]


def _part(of: BulkRecords, whole: Range) -> Part:
    ended = of.log.ended(bulk.parent_id(whole.path), bulk.index_of(whole.path))
    if ended is not None:
        return Part(whole, ended.totals, ended=ended.ranges)
    _, newest, _ = of.log.newest(whole.path)
    if newest is None:
        return Part(whole, Totals(), whole)
    left = None if newest.children else replace(whole, low=newest.high)
    return Part(whole, newest.totals, left, newest.children)
