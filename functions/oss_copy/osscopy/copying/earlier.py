"""Earlier deliveries of the same copy: what they have made, and what they have begun.

An event may come twice, and an invocation may die after any effect: what stands in the way of a copy may be
the copy itself. Knows records and the destination; not how a copy is made.
"""

from __future__ import annotations

import msgspec

from osscopy import plan
from osscopy.copying import outcome, results, upload, verify
from osscopy.copying.invocation import destination, source
from osscopy.copying.invocation.context import Context
from osscopy.copying.outcome import task_of
from osscopy.model import (
    Conditions,
    Conflict,
    Copy,
    Failed,
    Head,
    Opened,
    Pin,
    Result,
    Skipped,
)

# --- what they have made -----------------------------------------------------------------------------------


def made(context: Context, copy: Copy, head: Head, opened: Opened | None) -> Result | None:
    """Close and return the result, if a CopyObject of an earlier delivery had no answer and took effect."""
    if opened is not None:
        return outcome.close_if_landed(context, opened) if opened.may_land else None
    return _made_without_record(context, copy, head) if copy.retried else None


def in_the_way(context: Context, copy: Copy, head: Head) -> Result | None:
    """Close and return the result, if what is in the way is the copy itself.

    It is ours if the destination shows all that is promised and is no older than the first delivery. A copy
    on record is bound to the version that was seen then, and goes on by that.
    """
    if copy.since is None or is_on_record(context, copy):
        return None
    return _made_without_record(context, copy, head)


def made_of_old_source(context: Context, copy: Copy, error: Failed | Skipped) -> Result | None:
    """Close and return the result, if an earlier delivery has copied what the source was then.

    If the source is gone, the destination is compared with the event's ETag. If it was changed in place, it
    shows what was asked for, though a condition on the source does not hold any more.
    """
    request = copy.request
    if copy.since is None or is_on_record(context, copy):
        return None
    try:
        if error.code == "NoSuchKey" and copy.event_etag is not None:
            seen = destination.look(context, request)
            if seen is None or seen.etag != copy.event_etag or seen.last_modified < copy.since:
                return None
            return _close_made(context, copy, plan.bind(request, seen), seen)
        if request.is_onto_itself and isinstance(error, (Conflict, Skipped)):
            return _made_without_record(context, copy, source.look(context, request, Conditions()))
    except Failed:  # it cannot be looked at
        return None
    return None


def _made_without_record(context: Context, copy: Copy, head: Head) -> Result | None:
    """Close and return the result if the destination shows all that is promised; there is no `open/`.

    OSS does not show an ACL: where one is asked for, and nobody knows since when, the copy is made again.
    """
    request = copy.request
    if copy.since is None or (copy.since == 0 and request.acl != "default"):
        return None
    pin = plan.bind(request, head)
    try:
        shown = verify.look(context, request, pin, None)
    except Failed:  # it cannot be looked at
        return None
    if shown is None or plan.differences(pin, shown, max(copy.since, head.last_modified), pin.etag):
        return None
    return _close_made(context, copy, pin, shown)


def _close_made(context: Context, copy: Copy, pin: Pin, shown: Head) -> Result:
    """Return the result of what an earlier delivery has made; write `done/` if it may be asked for."""
    result = results.simple(copy, pin, shown, None, context.now())
    asked = msgspec.structs.replace(copy, request=plan.asked(copy.request, pin))
    on_record = copy.keep or copy.may_land_late or copy.needs_record
    return outcome.close(context, asked, result) if on_record else result


# --- what they have begun ----------------------------------------------------------------------------------


def is_on_record(context: Context, copy: Copy) -> bool:
    """Return whether an earlier delivery has written `open/`."""
    return context.ask(context.journal.opened, copy.job) is not None


def resume_or_close(context: Context, copy: Copy, result: Result) -> Result:
    """Go on with what an earlier delivery has begun, although something speaks against the copy by now.

    Else close it with `result`. A skipped copy that is neither on record nor asked for leaves no record.
    """
    opened = context.ask(context.journal.opened, copy.job)
    if opened is not None and (resumed := upload.resume(context, opened)) is not None:
        return resumed
    if opened is None and not copy.keep and result.status != "failed":
        return result
    closed = outcome.close(context, copy, result)
    # Another delivery may have opened an upload meanwhile. It writes `up/` and then reads `done/`: one of the
    # two sees the other, and aborts that upload.
    entered = context.ask(context.journal.entered, copy.job)
    if entered is None:
        return closed
    opened = context.ask(context.journal.opened, copy.job)
    return outcome.leave(context, task_of(opened, entered.upload), closed) if opened else closed
