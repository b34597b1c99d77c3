"""Invocations that a copy submits of its own function: its start and its hops.

Knows task ids and delays; not why a copy goes on.
"""

from __future__ import annotations

import msgspec

from osscopy import events, plan
from osscopy.copying import results
from osscopy.copying.invocation.context import Context
from osscopy.model import Continue, Copy, Result


def task_id(job: str, generation: int, lane: int = 1, hop: int = 1) -> str:
    """Return the name of an invocation; FC takes each name once."""
    return f"{job}-g{generation}-l{lane}-h{hop}"


def dated(copy: Copy) -> Copy:
    """Return the copy with the time since when its first delivery may have written anything."""
    if copy.since is not None:
        return copy
    return msgspec.structs.replace(copy, since=int(results.unix(copy.started_at)) - plan.CLOCK_MARGIN)


def start(context: Context, copy: Copy, delay: int = 0) -> None:
    """Let an invocation of its own begin `copy` after `delay` seconds."""
    context.submit(task_id(copy.job, copy.generation), events.encode(copy), delay)


def hop(context: Context, task: Continue, delay: int = 0) -> None:
    """Let an invocation of its own go on with `task` after `delay` seconds."""
    name = task_id(task.job, task.generation, task.lane, task.hop)
    context.submit(name, events.encode(task), delay)


def next_hop(context: Context, task: Continue, *, delay: int, stalls: int, done: int) -> Result:
    """Let the hop after `task` go on; `done`: parts that are there by now. Return the result so far."""
    following = msgspec.structs.replace(task, hop=task.hop + 1, stalls=stalls, parts_done=done)
    hop(context, following, delay)
    return results.under_way(task, done)


def where(task: Continue) -> dict[str, object]:
    """Return what every log line about a chain says."""
    return {"job": task.job, "generation": task.generation, "lane": task.lane, "hop": task.hop}
