"""What must be true of deletions: each against what either side had at that moment. Imports no product.

A look and the deletion that follows it are two requests, and what is written in between is lost; so is what
is written while a deletion is under way. Nothing else may be: no object that was not planned as it was, none
that the source had all the time before, none that has its row already.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.sim.bulk.scenario import is_taken
from tests.unit.engine import DST

if TYPE_CHECKING:
    from tests.sim.bulk.scheduler import Schedule
    from tests.sim.bulk.world import Removed

WINDOW = 1.1  # seconds between a look and the deletion that is sent
EMPTY = 30.0  # seconds in which somebody has to see that the source is empty
LIES = {"cut", "empty"}
Rows = list[dict[str, str]]


def judge(schedule: Schedule, table: Rows, deletions: Rows, code: str | None) -> list[str]:
    """Return what is wrong with the deletions of a job that has ended."""
    done = [each for each in schedule.cloud.removed if each.stored is not None]
    found = [f"{each.key}: {wrong}" for each in done for wrong in _wrong(schedule, each)]
    failed = [row["key"] for row in table if row["status"] == "failed"]
    if done and failed:
        found.append(f"deletes though {failed} have failed")
    if done and len(schedule.cloud.noted.planned) > schedule.scenario.max_delete:
        found.append(f"deletes though {len(schedule.cloud.noted.planned)} are more than it may")
    if done and code in {"EmptySource", "TooManyDeletes", "ObjectsFailed"} and not _was_emptied(schedule):
        found.append(f"deletes though it ends with {code}")
    told = schedule.cloud.noted.told
    found += [
        f"{each.key}: a deletion takes effect after it was told as {told[each.key][0]}"
        for each in schedule.cloud.removed  # whatever was there: it could have hit anything
        if each.key in told and told[each.key][1] < each.at
    ]
    found += _each_has_a_row(schedule, deletions)
    if not lied(schedule):
        always = {f"out/{name}" for name in schedule.always} & set(schedule.cloud.noted.planned)
        found += [f"planned though the source always had it: {always}"] if always else []
        found += [wrong for row in deletions for wrong in _row(schedule, row)]
        found += _all_is_gone(schedule, code)
    return found


def lied(schedule: Schedule) -> bool:
    """Whether a listing claimed to be whole and was not."""
    return bool(LIES & set(schedule.struck))


def _wrong(schedule: Schedule, removed: Removed) -> list[str]:
    """Return what is wrong with one deletion that took something away."""
    noted, name = schedule.cloud.noted, removed.key.removeprefix("out/")
    head = removed.stored.head if removed.stored else None
    found = []
    if not removed.key.startswith("out/") or not is_taken(schedule.scenario, name):
        found.append("it is not in question")
    is_planned = head is not None and noted.planned.get(removed.key) == (head.etag, head.last_modified)
    if not is_planned and removed.born <= removed.sent - WINDOW:
        found.append("it was not planned as it was")
    if _had_source(schedule, name, removed.sent):
        found.append("the source had it")
    if removed.is_late:
        found.append("its invocation began after the cancel")
    if not schedule.scenario.allow_empty and _was_empty(schedule, removed.sent):
        found.append("the source was empty")
    return found


def _had_source(schedule: Schedule, name: str, sent: float) -> bool:
    """Whether the source had an object all the time before a deletion was sent in which it was looked for."""
    changes = schedule.changes.get(name, [])
    before = [there for at, there in changes if at <= sent - WINDOW]
    within = [there for at, there in changes if sent - WINDOW < at <= sent]
    return bool(before) and before[-1] and all(within)


def _was_empty(schedule: Schedule, at: float) -> bool:
    """Whether the source had nothing for so long before."""
    last = {name: [each for each in changes if each[0] <= at] for name, changes in schedule.changes.items()}
    known = [changes[-1] for changes in last.values() if changes]
    return not any(there for _, there in known) and all(when < at - EMPTY for when, _ in known)


def _was_emptied(schedule: Schedule) -> bool:
    return "emptied" in schedule.scenario.happens or "delete" in schedule.scenario.happens


def _each_has_a_row(schedule: Schedule, deletions: Rows) -> list[str]:
    """Each planned object has one row, whatever has become of the job."""
    told = Counter(row["destinationKey"] for row in deletions)
    planned = Counter(dict.fromkeys(schedule.cloud.noted.planned, 1))
    return [f"planned {dict(planned)}, told {dict(told)}"] if told != planned else []


def _row(schedule: Schedule, row: dict[str, str]) -> list[str]:
    """Return what is wrong with one row, as far as the end shows it."""
    key = row["destinationKey"]
    shown = schedule.cloud.objects.get((DST, key))
    told_at = schedule.cloud.noted.told[key][1]
    ours = [each for each in schedule.cloud.removed if each.key == key and each.stored is not None]
    if row["status"] == "deleted":
        is_old = shown is not None and schedule.cloud.born[id(shown)][1] < min(
            [told_at, *(each.at for each in ours)]
        )
        found = [f"{key} is told as deleted, and there"] if is_old else []
        is_nobody_s = not row["errorCode"] and not ours and not _may_vanish(schedule)
        return found + ([f"{key} is told as deleted by nobody"] if is_nobody_s else [])
    is_gone = shown is None and bool(ours) and not _may_vanish(schedule)
    return [f"{key} is told as kept, and we have deleted it"] if is_gone else []


def _may_vanish(schedule: Schedule) -> bool:
    """Whether somebody else deletes at the destination, between a look and what follows it, too."""
    return "vanishes" in schedule.scenario.happens


def _all_is_gone(schedule: Schedule, code: str | None) -> list[str]:
    """Where nothing happened, all is gone that is superfluous."""
    scenario = schedule.scenario
    extra = [name for name in scenario.extra if is_taken(scenario, name)]
    if schedule.struck or scenario.happens or scenario.denied or code or len(extra) > scenario.max_delete:
        return []
    left = [name for name in extra if (DST, f"out/{name}") in schedule.cloud.objects]
    return [f"superfluous and still there: {left}"] if left else []
