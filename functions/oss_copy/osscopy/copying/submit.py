"""Invocations of the own function: starts and hops of copies, and the rest of a list.

Knows task ids and delays; not why a copy goes on.
"""

from __future__ import annotations

import msgspec

from osscopy import events, plan
from osscopy.copying import results
from osscopy.copying.invocation.context import Context
from osscopy.model import Command, Continue, Copy, Rest, Result


def dated(copy: Copy) -> Copy:
    """Return the copy with the time since when its first delivery may have written anything."""
    if copy.since is not None:
        return copy
    return msgspec.structs.replace(copy, since=int(results.unix(copy.started_at)) - plan.CLOCK_MARGIN)


def submit(context: Context, command: Command | Rest, delay: int = 0) -> None:
    """Let an invocation of its own begin a copy or a list, or go on with it, after `delay` seconds."""
    context.submit(plan.task_id(command), events.encode(command), delay)


def next_hop(context: Context, task: Continue, *, delay: int, stalls: int, done: int) -> Result:
    """Let the hop after `task` go on; `done`: parts that are there by now. Return the result so far."""
    following = msgspec.structs.replace(task, hop=task.hop + 1, stalls=stalls, parts_done=done)
    submit(context, following, delay)
    return results.under_way(task, done)


def where(task: Continue) -> dict[str, object]:
    """Return what every log line about a chain says."""
    return {"job": task.job, "generation": task.generation, "lane": task.lane, "hop": task.hop}
