"""Sums of rows, and the result that they make. Knows no record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec.structs import replace

from osscopy.model import BulkRequest, Ended, Objects, Problem, Requests, Row, Totals
from osscopy.plan.bulk.figures.summary import slowest

MOST_CODES = 20  # of errors that are counted apart
Outcome: TypeAlias = tuple[Literal["succeeded", "failed", "cancelled"], Problem | None]
_COUNTED = {
    "copied": "copied",
    "skipped": "skipped",
    "missing": "missing",
    "failed": "failed",
    "started": "started",
    "would_copy": "wouldCopy",
    "would_delete": "wouldDelete",
    "planned": "planned",
    "deleted": "deleted",
    "kept": "kept",
    "different": "different",
    "superfluous": "superfluous",
    "same": "same",
}  # totals, and the status that each counts
_BAD = ("failed", "missing")
_APART = frozenset({"wouldDelete", "planned", "deleted", "kept"})  # no objects of the source


def added(
    totals: Totals,
    rows: Sequence[Row],
    excluded: int = 0,
    *,
    doubt: bool = False,
    held: int = 0,
    would: Requests = Requests(),  # noqa: B008 - it is frozen
) -> Totals:
    """Return the totals with these rows, and with one entry more in doubt if it is.

    `held`: objects that the destination has there. `would`: the requests that copies of these rows would
    make, where none is made.
    """
    count: Counter[str] = Counter(row.status for row in rows)
    codes = Counter(row.error_code for row in rows if row.status in _BAD and row.error_code)
    return replace(
        totals,
        **{name: getattr(totals, name) + count[status] for name, status in _COUNTED.items()},
        excluded=totals.excluded + excluded,
        held=totals.held + held,
        bytes=totals.bytes + sum(row.bytes for row in rows if row.status not in _APART),
        bytes_done=totals.bytes_done + sum(row.bytes for row in rows if row.status == "copied"),
        doubts=totals.doubts + doubt,
        would_put=totals.would_put + would.put,
        would_get=totals.would_get + would.get,
        errors=_commonest(totals.errors, codes),
    )


def summed(parts: Iterable[Totals]) -> Totals:
    """Return the sum of totals."""
    known = tuple(parts)
    numbers = {
        name: sum(getattr(each, name) for each in known)
        for name in Totals.__struct_fields__
        if name != "errors"
    }
    return Totals(**numbers, errors=_commonest(*(each.errors for each in known)))


def with_chains(totals: Totals, rows: Sequence[Row]) -> Totals:
    """Return the totals with the final rows of chains in place of so many that had started."""
    found = added(totals, rows)
    return replace(found, started=found.started - len(rows), bytes=totals.bytes)


def objects(totals: Totals) -> Objects:
    """Return the counts as a result shows them; chains that have not ended are not in them."""
    done = totals.rows - totals.started
    return Objects(
        done,
        totals.copied,
        totals.skipped,
        totals.failed,
        totals.missing,
        totals.deleted,
        totals.kept,
        would_copy=totals.would_copy,
        would_delete=totals.would_delete,
        different=totals.different,
        superfluous=totals.superfluous,
        same=totals.same,
    )


def outcome(request: BulkRequest, totals: Totals, stopped: str | None, problem: Problem | None) -> Outcome:
    """Return the status of a job that has ended, and what speaks against it.

    `stopped`: why its walk was; `problem`: of the record `stop`.
    """
    seen = totals.rows - totals.superfluous + totals.excluded
    is_empty = seen == 0 and not request.allow_empty
    is_listed = request.source.manifest is not None and not request.allow_missing
    if stopped == "cancelled":
        return "cancelled", None
    if stopped is not None or problem is not None:
        return "failed", problem or Problem("Stopped", f"the walk was stopped: {stopped}")
    if is_empty:
        return "failed", Problem("EmptySource", "there is no object: `allowEmpty` takes that for a success")
    bad = totals.failed + (totals.missing if is_listed else 0)
    text = f"{totals.failed} objects failed, {totals.missing} were missing: see failed.csv.gz of the report"
    return ("failed", Problem("ObjectsFailed", text)) if bad else ("succeeded", None)


def _commonest(*counts: Mapping[str, int]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for each in counts:
        found.update(each)
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0]))[:MOST_CODES])


def joined(own: Ended, children: Iterable[Ended]) -> Ended:
    """Return the end of a range that was split: its own rows and files, and those of all below it."""
    below = tuple(children)
    every = (own, *below)
    return Ended(
        summed(each.totals for each in every),
        tuple(file for each in every for file in each.files),
        sum(each.ranges for each in below),
        next((each.stopped for each in every if each.stopped), None),
        report_lost=any(each.report_lost for each in every),
        slowest=slowest(one for each in every for one in each.slowest),
    )


def open_ranges(names: Iterable[str]) -> int:
    """Return how many ranges are open, from `<parent>/<index>` of those that have ended and marks of splits.

    A mark `<range>/of-<children>` is written when a range is split; once all its children have ended, the
    range itself has, too.
    """
    below: dict[str, list[str]] = {}
    for name in names:
        parent, _, index = name.partition("/")
        below.setdefault(parent, []).append(index)
    open_ones = 1
    for indices in below.values():
        marks = [int(each.removeprefix("of-")) for each in indices if each.startswith("of-")]
        open_ones += sum(marks[:1]) - len(marks[:1]) - (len(indices) - len(marks))
        open_ones += int(bool(marks) and len(indices) - len(marks) == marks[0])
    return max(0, open_ones)


def settle_delay(hop: int) -> int:
    """Return the seconds until the next look at chains that have not ended: 30, doubling to 300."""
    return int(min(300, 30 * 2 ** min(hop - 1, 4)))
