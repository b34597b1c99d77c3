"""Commands that FC gave up after its retries: they go on at once, sooner than the next sweep would see them.

Knows commands and submissions; not how a copy is done. The sweep goes on with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from osscopy import events, plan
from osscopy.copying import outcome, results, submit
from osscopy.copying.invocation.context import Context
from osscopy.jobs import lists
from osscopy.jobs.bulk.tools import task_id
from osscopy.jobs.records import Records
from osscopy.jobs.rules import removal
from osscopy.jobs.sweep import last_look
from osscopy.model import Bulk, Continue, Copy, Dropped, Failed, Remove, Rest


def resume_dropped(context: Context, records: Records, dropped: Dropped) -> int:
    """Submit once more what FC gave up; return how many commands go on."""
    resumed = 0
    copies: list[Copy] = []
    for command in dropped.commands:
        match command:
            case Continue():
                resumed += _resume_hop(context, command)
            case Rest():
                resumed += _resume_list(context, command)
            case Bulk():
                resumed += _resume_bulk(context, command)
            case Remove():
                resumed += removal.drop(context, command)
            case Copy():
                copies.append(command)
    return resumed + _resume_copies(context, records, copies, dropped)


def _resume_hop(context: Context, task: Continue) -> bool:
    following = msgspec.structs.replace(task, hop=task.hop + 1, stalls=task.stalls + 1)
    if following.stalls >= plan.MAX_STALLS:  # it dies each time: at the sweep's pace from here on
        context.log("leftToSweep", job=task.job, hop=task.hop)
        return False
    submit.submit(context, following, 5)
    return True


def _resume_list(context: Context, rest: Rest) -> bool:
    following = Rest(rest.list, rest.generation, rest.drops + 1)
    if following.drops > plan.MAX_DROPS:
        context.log("leftToSweep", list=rest.list)
        return False
    submit.submit(context, following, plan.drop_delay(following.drops))
    return True


def _resume_bulk(context: Context, asked: Bulk) -> bool:
    following = msgspec.structs.replace(asked, drops=asked.drops + 1)
    if following.drops > plan.MAX_DROPS:
        context.log("bulkDropped", job=asked.job)
        return False
    context.submit(task_id(following), events.encode(following), plan.drop_delay(following.drops))
    return True


def _resume_copies(context: Context, records: Records, copies: Sequence[Copy], dropped: Dropped) -> int:
    """Submit copies that were not begun, several as one list; end those that were given up too often.

    Where time is short, these stay on the list, too. Nothing is asked of OSS about one copy alone: OSS
    may be the reason it was given up, and the invocation that begins it sees how it stands.
    """
    until = last_look(context)
    again = [msgspec.structs.replace(each.delivered_again(), drops=each.drops + 1) for each in copies]
    lasting = [each for each in again if each.drops <= plan.MAX_DROPS]
    for position, copy in enumerate(each for each in again if each.drops > plan.MAX_DROPS):
        if position and context.clock.monotonic() >= until:
            lasting.append(copy)
        else:
            _give_up(context, copy, dropped)
    if len(lasting) == 1:
        (copy,) = lasting
        name, delay = f"{copy.job}-d{copy.drops}", plan.drop_delay(copy.drops)
        context.submit(name, events.encode(copy), delay)
    elif lasting:
        drops, now = lasting[0].drops, context.now()
        delay = plan.drop_delay(min(plan.MAX_DROPS, drops))
        lists.hand_over(context, records, lasting, now, f"d{drops}", delay)
    return len(lasting)


def _give_up(context: Context, copy: Copy, dropped: Dropped) -> None:
    """Call a copy failed that FC has given up too often, unless it has been begun."""
    if context.ask(context.journal.opened, copy.job) is None:
        text = f"FC gave up {copy.drops} invocations, the last one for {dropped.condition}"
        error = Failed("InvocationDropped", text, request_id=dropped.request_id)
        outcome.close(context, copy, results.unopened(copy, "failed", context.now(), error))
