"""Waiting for an archived source: start its restoration, and begin the copy again later until it can be read.

Knows records, submissions and RestoreObject; nothing of how a copy is made. Each step may run twice: the
record is written once, OSS says of a second restoration that one runs, and the next look has one task id.
"""

from __future__ import annotations

import msgspec

from osscopy import events, plan
from osscopy.copying import results
from osscopy.copying.invocation.context import Session
from osscopy.model import Copy, Failed, Head, Result


def wait(session: Session, copy: Copy, head: Head, method: plan.Method) -> Result:
    """Let the copy begin again when the source may be readable; Failed after `plan.MAX_AGE`.

    `method`: that by which it is to be copied then.
    """
    request = copy.request
    pin = plan.bind(request, head, session.tags_if_readable(request, head))
    mine = session.opening(copy, pin, head, method, restores=True)
    opened = session.ask(lambda: session.journal.open(mine))
    if (done := outcome(session, copy)) is not None:
        return done
    if session.now() - results.unix(copy.started_at) > plan.MAX_AGE:
        raise Failed(
            "RestoreTooSlow", f"the source could not be read {plan.MAX_AGE} s after it was asked for"
        )
    if head.restoration != "ongoing":
        session.ask(lambda: session.store.restore(request, plan.pinned(request.source, pin)))
    if copy.generation:  # the sweep looks again, however often it takes
        return results.opened(opened, session.now())
    asked = plan.asked(request, pin)
    following = msgspec.structs.replace(copy, request=asked, keep=True, looks=copy.looks + 1)
    delay = plan.restore_delay(copy.looks)
    session.submit(f"{copy.job}-r{following.looks}", events.encode(following), delay)
    return results.opened(opened, session.now())


def outcome(session: Session, copy: Copy) -> Result | None:
    """The result if the copy has ended while it waited, because somebody cancelled it."""
    done = session.ask(lambda: session.journal.done(copy.job))
    return done.result if done is not None else None
