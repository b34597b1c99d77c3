"""The plan of a job's deletions: the rows `planned` of the walk's logs, in the order of keys.

Knows the tree and its logs, which do not change any more; deletes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from osscopy.jobs.bulk.log import RangeLog
from osscopy.model import Row
from osscopy.plan import bulk
from osscopy.plan.bulk import Spot


def planned(log: RangeLog, after: Spot | None) -> Iterator[tuple[Spot, Row]]:
    """Yield what stands in the plan after a spot; None: all of it. Ranges without any are not read."""
    yield from _below(log, (), after)


def _below(log: RangeLog, path: tuple[int, ...], after: Spot | None) -> Iterator[tuple[Spot, Row]]:
    """Yield what stands in a range and below it; `after`: a spot there."""
    ended = log.ended(bulk.parent_id(path), bulk.index_of(path))
    if ended is not None and not ended.totals.planned:
        return
    _, newest, _ = log.newest(path)
    if newest is None:
        return
    is_below = after is not None and after.path != path
    if newest.totals.planned and not is_below:
        yield from _rows(log, path, after)
    for child in newest.children:
        passed = after.path[: len(child.path)] if after is not None and is_below else ()
        if child.path >= passed:
            yield from _below(log, child.path, after if child.path == passed else None)


def _rows(log: RangeLog, path: tuple[int, ...], after: Spot | None) -> Iterator[tuple[Spot, Row]]:
    """Yield what stands in the entries of one range."""
    for name in log.entry_names(path):
        number = bulk.number_of(name)
        if after is not None and number < after.number:
            continue
        entry = log.entry(name)
        for line, row in enumerate(entry.rows if entry else ()):
            spot = Spot(path, number, line)
            if row.status == "planned" and (after is None or spot > after):
                yield spot, row
