"""Waiting for an archived source: RestoreObject, and a new start of the copy later until it can be read.

Knows records, submissions and RestoreObject; nothing of how a copy is made. Each step may run twice: the
record is written once, OSS says of a second restoration that one runs, and the next look has one task id.
"""

from __future__ import annotations

import msgspec

from osscopy import events, plan
from osscopy.copying import results
from osscopy.copying.invocation import source
from osscopy.copying.invocation.context import Context
from osscopy.model import Copy, Failed, Head, Result


def wait(context: Context, copy: Copy, head: Head, method: plan.Method) -> Result:
    """Let the copy begin again when the source may be readable; Failed after `plan.MAX_AGE`.

    `method`: the one that will copy it then, for the record.
    """
    request = copy.request
    pin = plan.bind(request, head, source.tags_if_readable(context, request, head))
    opened = context.ask(context.journal.open, context.opening(copy, pin, head, method, restores=True))
    if (done := context.ask(context.journal.done, copy.job)) is not None:
        return done.result
    if context.now() - results.unix(copy.started_at) > plan.MAX_AGE:
        text = f"the source could not be read {plan.MAX_AGE} s after it was asked for"
        raise Failed("RestoreTooSlow", text)
    if head.restoration != "ongoing":
        context.ask(context.store.restore, request, plan.pinned(request.source, pin))
    if not copy.generation:  # else the sweep looks again, however often it takes
        asked, looks = plan.asked(request, pin), copy.looks + 1
        following = msgspec.structs.replace(copy, request=asked, keep=True, looks=looks)
        context.submit(f"{copy.job}-r{looks}", events.encode(following), plan.restore_delay(copy.looks))
    return results.opened(opened, context.now())
