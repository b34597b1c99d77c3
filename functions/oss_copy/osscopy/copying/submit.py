"""Invocations of the own function: starts and hops of copies, and the rest of a list.

Knows task ids and delays; not why a copy goes on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import msgspec

from osscopy import events, plan
from osscopy.copying import results
from osscopy.copying.invocation.context import Context
from osscopy.model import Command, Continue, Copy, Rest, Result, Transient

STARTERS = 8  # threads that start lanes


class Flights(msgspec.Struct, frozen=True):
    """Parts in flight when a hop hands over: ranges of their numbers, left alone `until` (OSS's clock)."""

    ranges: tuple[tuple[int, int], ...] = ()
    until: int = 0


NO_FLIGHTS = Flights()


def dated(copy: Copy) -> Copy:
    """Return the copy with the time since when its first delivery may have written anything."""
    if copy.since is not None:
        return copy
    return msgspec.structs.replace(copy, since=int(results.unix(copy.started_at)) - plan.CLOCK_MARGIN)


def queued(copy: Copy, *, in_doubt: bool) -> Copy:
    """Return a copy as an asynchronous invocation begins it, whose caller knows its job.

    `in_doubt`: an invocation may have begun it, which may be at work still.
    """
    known = msgspec.structs.replace(dated(copy), keep=True)
    return known.delivered_again() if in_doubt else known


def submit(context: Context, command: Command | Rest, delay: int = 0) -> None:
    """Let an invocation of its own begin a copy or a list, or go on with it, after `delay` seconds."""
    context.submit(plan.task_id(command), events.encode(command), delay)


def next_hop(
    context: Context, task: Continue, *, delay: int, stalls: int, done: int, flights: Flights = NO_FLIGHTS
) -> Result:
    """Let the hop after `task` go on; `done`: parts that are there by now. Return the result so far."""
    following = msgspec.structs.replace(
        task,
        hop=task.hop + 1,
        stalls=stalls,
        parts_done=done,
        in_flight=flights.ranges,
        leave_until=flights.until,
    )
    submit(context, following, delay)
    return results.under_way(task, done)


def early(context: Context, task: Continue, done: int, flights: Flights) -> bool:
    """Let the hop after `task` go on while parts of this one are in flight; return whether it surely does."""
    try:
        next_hop(context, task, delay=0, stalls=0, done=done, flights=flights)
    except Transient as error:
        context.log("handOverFailed", **where(task), error=str(error))
        return False
    return True


def lane_starts(context: Context, task: Continue) -> list[Callable[[], None]]:
    """Return what starts the other lanes, to be called at once, where `task` is the first hop of the first.

    Each is a chain of invocations of its own. What cannot be started is logged: other lanes help it.
    """
    is_first = (task.lane, task.hop) == (1, 1)
    lanes = range(2, task.upload.lanes + 1) if is_first else ()
    first = min(len(lanes), STARTERS)
    return [functools.partial(_start_lanes, context, task, lanes[n::STARTERS]) for n in range(first)]


def _start_lanes(context: Context, task: Continue, lanes: Sequence[int]) -> None:
    for lane in lanes:
        try:
            submit(context, msgspec.structs.replace(task, lane=lane))
        except Transient as error:
            context.log("laneNotStarted", **where(task), started=lane, error=str(error))


def where(task: Continue) -> dict[str, object]:
    """Return what every log line about a chain says."""
    return {"job": task.job, "generation": task.generation, "lane": task.lane, "hop": task.hop}
