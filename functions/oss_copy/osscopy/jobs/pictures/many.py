"""The picture of a job of many objects: its ranges in the order of keys, and what it has taken so far.

A look at all ranges takes requests for each. What it has found is kept as `progress` for those who look next,
and when that is old, an invocation of its own looks again. It is the one record that is written over, and
nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import msgspec

from osscopy import events
from osscopy.copying.invocation.questions import Question
from osscopy.jobs.bulk import standing
from osscopy.jobs.bulk.pages.ahead import ahead
from osscopy.jobs.bulk.standing import Part
from osscopy.jobs.bulk.tools import Tools
from osscopy.jobs.queries import no_such_job
from osscopy.jobs.records import read
from osscopy.model import (
    BulkJob,
    BulkRequest,
    BulkResult,
    Closing,
    OssCopyError,
    Overview,
    Requests,
    Slow,
    Transient,
)
from osscopy.model.values import Count, Tally, Value
from osscopy.plan import bulk

FRESH = 5  # seconds
PIECES = 120  # of a picture at most


class Piece(Value, frozen=True, array_like=True):
    """A range, or several next to one another: what is done of it, or what is open."""

    is_open: bool
    objects: Count = 0
    failed: Count = 0
    is_slow: bool = False


class Progress(Value, frozen=True):
    """`bulk/<job>/progress`: a job as it stood at `at` (Unix seconds)."""

    at: float
    result: BulkResult
    requests: Requests
    seconds: float
    invocations: Tally
    pieces: tuple[Piece, ...] = ()
    slowest: tuple[Slow, ...] = ()


class Picture(msgspec.Struct, frozen=True):
    """Pieces in the order of keys, as they stood `age` seconds ago, and what the job has taken by then."""

    age: float
    requests: Requests
    seconds: float
    invocations: int
    pieces: tuple[Piece, ...] = ()
    slowest: tuple[Slow, ...] = ()


class Seen(msgspec.Struct, frozen=True):
    """How a job stands, what was asked for, and its picture if there is one."""

    result: BulkResult
    request: BulkRequest
    picture: Picture | None


def look(tools: Tools, job: str) -> Seen:
    """Return how a job stands; Refused without a record of it."""
    of = tools.of(job)
    begun, closed = Question(of.job), Question(of.done)
    kept = Question(partial(_kept, tools, job))
    tools.context.together(begun, closed, kept)
    entry, done, known = begun.get(), closed.get(), kept.get()
    if done is not None:
        return Seen(done.result, done.request, _ended(tools, job, known))
    if entry is None:
        raise no_such_job(job)
    now = tools.context.now()
    if known is None:
        known = _renewed(tools, entry)
    elif now - known.at > FRESH:
        known = _asked_for(tools, entry, known)
    return Seen(known.result, entry.request, _pictured(known, max(0.0, now - known.at)))


def overview(tools: Tools, job: str) -> BulkResult:
    """Look at all ranges of a job that runs; return how it stands."""
    of = tools.of(job)
    entry, done = of.job(), of.done()
    if done is not None:
        return done.result
    if entry is None:
        raise no_such_job(job)
    return _renewed(tools, entry).result


def _asked_for(tools: Tools, entry: BulkJob, known: Progress) -> Progress:
    """Let an invocation look at all ranges, since nobody waits for that; return what is known for now."""
    name = f"{entry.job}-overview-{int(tools.context.now()) // FRESH}"
    try:
        tools.context.submit(name, events.encode(Overview(entry.job)), 0)
    except Transient:
        return _renewed(tools, entry)
    return known


def _renewed(tools: Tools, entry: BulkJob) -> Progress:
    """Look at all ranges, and keep what is found for others."""
    found = standing.whole(tools.context, tools.of(entry.job), entry, partial(ahead, tools))
    slow = _slowest(found.parts)
    made = Progress(
        at=tools.context.now(),
        result=found.result,
        requests=Requests(found.totals.put, found.totals.get),
        seconds=found.totals.milliseconds / 1000,
        invocations=found.totals.hops,
        pieces=tuple(_pieces(found.parts, {each.range for each in slow})),
        slowest=slow,
    )
    tools.context.ask(tools.records.put, _name(entry.job), msgspec.json.encode(made))
    return made


def _name(job: str) -> str:
    return f"bulk/{job}/progress"


def _kept(tools: Tools, job: str) -> Progress | None:
    """Return what an earlier look has kept; None without one, or with one that cannot be read."""
    try:
        return tools.context.ask(read, tools.records, _name(job), Progress)
    except OssCopyError as error:
        if error.code != "UnreadableRecord":
            raise
        return None


def _ended(tools: Tools, job: str, known: Progress | None) -> Picture | None:
    """Return the figures of a job that has ended, as long as its records are there."""
    try:
        closing = tools.context.ask(read, tools.records, f"bulk/{job}/closing", Closing)
    except OssCopyError as error:
        if error.code != "UnreadableRecord":
            raise
        closing = None
    if closing is None:
        return None if known is None else _pictured(known, 0.0)
    of = closing.summary
    return Picture(0.0, of.requests, of.seconds, of.invocations, (), of.slowest)


def _pictured(known: Progress, age: float) -> Picture:
    return Picture(age, known.requests, known.seconds, known.invocations, known.pieces, known.slowest)


def _slowest(parts: Iterable[Part]) -> tuple[Slow, ...]:
    """Return the ranges whose own walk has taken longest so far, of those that are not summed up yet."""
    return bulk.slowest(
        Slow(bulk.range_id(each.range.path), each.totals.rows, each.totals.milliseconds / 1000, _up_to(each))
        for each in parts
        if each.totals.milliseconds and not each.ended
    )


def _up_to(part: Part) -> str | None:
    return part.range.high if part.left is None else part.left.low


def _pieces(parts: Sequence[Part], slow: set[str]) -> Iterable[Piece]:
    """Yield what is done and what is open, in the order of keys, and several as one where there are many."""
    ordered = sorted(parts, key=lambda each: (each.range.low or "", len(each.range.path)))
    every: list[Piece] = []
    for each in ordered:
        totals = each.totals
        if totals.rows or each.ended:
            is_slow = bulk.range_id(each.range.path) in slow and len(parts) > len(slow)
            every.append(Piece(False, totals.rows, totals.failed + totals.missing, is_slow))
        if each.left is not None:
            every.append(Piece(True))
    size = -(-len(every) // PIECES) or 1
    return [merged(every[at : at + size]) for at in range(0, len(every), size)]


def merged(some: Sequence[Piece]) -> Piece:
    """Return pieces next to one another as one."""
    return Piece(
        any(each.is_open for each in some),
        sum(each.objects for each in some),
        sum(each.failed for each in some),
        any(each.is_slow for each in some),
    )
