"""The requests of the copies that a dry run has found, and their price.

Knows rows; sends nothing. Counts as functions/COSTS.md does, and
`plan.bulk.figures.summary` for chains that were made.
"""

from __future__ import annotations

from collections.abc import Iterable

from osscopy.model import BulkRequest, Cost, Prices, Requests, Row, Totals, Would
from osscopy.plan.bulk.decisions import Policy
from osscopy.plan.bulk.modes import deletion
from osscopy.plan.parts import MAX_PARTS, USUAL_PART, byte_size

LISTED = 1_000_000  # objects in the list that `source.report` reads; more would not fit into memory


def foreseen(asked: BulkRequest, policy: Policy, rows: Iterable[Row]) -> Requests:
    """Return the requests that the copies of these rows would make, by OSS's classes."""
    each = [_requests(asked, policy, row.bytes) for row in rows if row.status == "wouldCopy"]
    return Requests(sum(one.put for one in each), sum(one.get for one in each))


def _requests(asked: BulkRequest, policy: Policy, size: int) -> Requests:
    if size > policy.threshold or asked.tuning.method == "multipart":
        asked_size = asked.tuning.part_size
        part = USUAL_PART if asked_size is None else byte_size(asked_size)
        return Requests(min(MAX_PARTS, -(-size // part)) + 6, 5)
    return Requests(1, int(policy.looks)) if policy.plain else Requests(1, 2)


def would(totals: Totals, prices: Prices | None) -> Would:
    """Return what the run would send, its walk included, which is that of the dry run."""
    found = Requests(totals.put + totals.would_put, totals.get + totals.would_get)
    if prices is None:
        return Would(found)
    price = round(found.put * prices.put + found.get * prices.get, 6)
    return Would(found, Cost(price, prices.currency, price, 0.0))


def notes(asked: BulkRequest, totals: Totals) -> Iterable[str]:
    """Yield what would keep the run from doing what its dry run shows."""
    if asked.dry_run and totals.failed > asked.max_failures:
        yield f"the run would stop: {totals.failed} objects fail, and maxFailures allows {asked.max_failures}"
    yield from deletion.notes(asked, totals)
    if totals.would_copy > LISTED:
        yield f"the rows of more than {LISTED} objects are not listed for `source.report`"
