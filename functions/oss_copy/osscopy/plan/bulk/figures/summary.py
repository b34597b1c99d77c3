"""The figures of a job that has ended: requests, seconds, cost by the user's prices, slowest ranges, advice.

Knows totals and results. Walkers count what they send; chains are reckoned by their parts and hops, as
functions/COSTS.md says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

from msgspec.structs import replace

from osscopy.model import (
    BulkRequest,
    BulkResult,
    Cost,
    Prices,
    Requests,
    Result,
    Slow,
    Summary,
    Totals,
)
from osscopy.plan.bulk.figures.advice import advice
from osscopy.plan.bulk.modes import dry, versions
from osscopy.plan.bulk.requests import only_looks

SLOWEST = 5  # ranges that are named
NO_PRICES = "no prices are known: the function's setting PRICES says what a request and a second cost"
KEPT = "each object cost a HEAD for its encryption: `encryption` as `bucket` or an algorithm saves it"


def slowest(ranges: Iterable[Slow]) -> tuple[Slow, ...]:
    """Return the ranges that took longest, the slowest one first."""
    return tuple(sorted(ranges, key=lambda each: (-each.seconds, each.range))[:SLOWEST])


def reckoned(chains: Sequence[Result]) -> Totals:
    """Return requests, milliseconds and invocations of copies of their own."""
    in_parts = [each for each in chains if each.method == "multipart"]
    others = len(chains) - len(in_parts)
    more = sum(max(0, each.hops - 1) for each in in_parts)
    return Totals(
        put=others + sum(each.parts + 6 for each in in_parts) + 2 * more,
        get=2 * others + 5 * len(in_parts) + 2 * more,
        milliseconds=sum(int(1000 * _seconds(each)) for each in chains),
        hops=sum(max(1, each.hops) for each in chains),
    )


def spent(copy: Result, now: float) -> Totals:
    """Return what a copy has taken so far, reckoned; `now` (Unix seconds) ends one that runs."""
    until = datetime.fromtimestamp(now, timezone.utc).isoformat()
    so_far = replace(copy, finished_at=until, parts=copy.parts_done)
    return reckoned([so_far if copy.status == "running" else copy])


def _seconds(result: Result) -> float:
    """Return the seconds of a copy, of all its lanes."""
    if result.started_at is None or result.finished_at is None:
        return 0.0
    begun, ended = (
        datetime.fromisoformat(each.replace("Z", "+00:00"))
        for each in (result.started_at, result.finished_at)
    )
    return max(0.0, (ended - begun).total_seconds()) * max(1, min(result.lanes, result.hops))


def summary(
    request: BulkRequest,
    result: BulkResult,
    walked: Totals,
    chains: Sequence[Result],
    slow: Iterable[Slow],
    prices: Prices | None,
) -> Summary:
    """Return the summary of a job: its result and its figures."""
    own = reckoned(chains)
    put, get = walked.put + own.put, walked.get + own.get
    seconds, invocations = (walked.milliseconds + own.milliseconds) / 1000, walked.hops + own.hops
    notes = [
        (request.encryption == "keep" and not only_looks(request), KEPT),
        (prices is None, NO_PRICES),
        (request.as_of is not None, versions.NOTE),
        (versions.is_all(request), versions.NOTE_ALL),
    ]
    return Summary(
        **{name: getattr(result, name) for name in BulkResult.__struct_fields__},
        requests=Requests(put, get),
        chain_requests=Requests(own.put, own.get),
        seconds=round(seconds, 1),
        invocations=invocations,
        cost=None if prices is None else cost_of(prices, put, get, seconds, invocations),
        slowest=slowest(slow),
        advice=advice(result.errors),
        notes=(*(text for holds, text in notes if holds), *dry.notes(request, walked)),
    )


def not_covered(began: int) -> Iterable[str]:
    """Yield what an inventory that was begun then (Unix seconds) does not cover; 0: there is none."""
    if began:
        moment = datetime.fromtimestamp(began, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield f"the inventory was begun at {moment}: objects that were written since are not covered"


def cost_of(prices: Prices, put: int, get: int, seconds: float, invocations: int) -> Cost:
    """Return the cost of requests by class, of seconds of instances, and of invocations."""
    requests = put * prices.put + get * prices.get
    function = seconds * prices.second + invocations * prices.invocation
    return Cost(round(requests + function, 6), prices.currency, round(requests, 6), round(function, 6))
