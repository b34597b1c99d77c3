"""The timeline of a job of many objects: when hops of its ranges began, and which of them came again.

Made of names alone: that of a hop's record tells range, hop and attempt, and OSS when it was written. A hop
ends where the next one of its range begins, or where the range ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from osscopy.copying.results import unix
from osscopy.jobs.bulk.tools import Tools
from osscopy.jobs.pictures.timelines import Bar, Mark, Timeline
from osscopy.jobs.queries import no_such_job
from osscopy.model import BulkResult
from osscopy.plan import bulk

MOST = 1000  # hops of a timeline
ROWS = 40  # ranges
SETTLE = "settle"  # in the place of a range: the hops that wait for chains, and close the job
_HOP = re.compile(r"hop/([0-9a-f]{20}|settle)-g[0-9]+-h([0-9]+)-a([0-9]+)")
_ENDED = re.compile(r"ended/([0-9a-f]{20}|[a-z]+)/([0-9]+)")


class _Hop(msgspec.Struct, frozen=True):
    range: str
    number: str
    attempt: int
    begun: float


def timeline(tools: Tools, result: BulkResult) -> Timeline:
    """Return when the hops of the first ranges began; Refused where that is forgotten."""
    job = result.job or ""
    records, at = tools.records, f"bulk/{job}/"
    hops, ends = (tools.context.question(records.page, f"{at}{kind}/", "", MOST) for kind in ("hop", "ended"))
    tools.context.together(hops, ends)
    begun = sorted(_hops(hops.get().entries, at), key=lambda each: each.begun)
    if not begun:
        raise no_such_job(job)
    now = unix(result.finished_at) if result.finished_at else tools.context.now()
    rows = list(dict.fromkeys(each.range for each in begun))[:ROWS]
    ended = dict(_ended(ends.get().entries, at))
    first = min(begun[0].begun, unix(result.started_at) if result.started_at else begun[0].begun)
    return Timeline(
        first,
        max(now, begun[-1].begun),
        tuple(each[:8] for each in rows),
        tuple(_bars(begun, rows, ended, now)),
        tuple(_again(begun, rows)),
    )


def _hops(entries: Iterable[tuple[str, int]], at: str) -> Iterator[_Hop]:
    for name, written in entries:
        if found := _HOP.fullmatch(name.removeprefix(at)):
            yield _Hop(found[1], found[2], int(found[3]), float(written))


def _ended(entries: Iterable[tuple[str, int]], at: str) -> Iterator[tuple[str, float]]:
    """Yield the ids of ranges that have ended, and when."""
    for name, written in entries:
        if found := _ENDED.fullmatch(name.removeprefix(at)):
            yield bulk.child_range(found[1], int(found[2])), float(written)


def _bars(hops: Iterable[_Hop], rows: list[str], ended: dict[str, float], now: float) -> Iterator[Bar]:
    """Yield the hops of each row up to the next one."""
    known = [each for each in hops if each.range in rows]
    for row, of in enumerate(rows):
        own = [each for each in known if each.range == of]
        for hop, after in zip(own, [*own[1:], None], strict=True):
            until = ended.get(of, now) if after is None else after.begun
            is_open = after is None and of not in ended
            yield Bar(row, hop.begun, max(hop.begun, until), hop.number, is_open)


def _again(hops: Iterable[_Hop], rows: list[str]) -> Iterator[Mark]:
    """Yield the hops that FC has delivered once more, since an instance died."""
    for each in hops:
        if each.attempt and each.range in rows:
            yield Mark(each.begun, "killed", each.number, rows.index(each.range))
