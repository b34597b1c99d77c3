"""The start of a copy: what is seen, what `plan.first_step` decides, and who carries that out.

Knows the order of the first questions; CopyObject is in `simple`, parts begin in `upload`. A final refusal is
returned as a Result, Transient is raised.

Order of effects of a copy in parts (see `upload`, `hop`, `finish`): HEAD source, `open/`, read `done/`, HEAD
destination, Initiate, `up/`, read `done/` and `cancel/`, parts, join the threads, fresh ListParts, HEAD
source, read `done/` and `cancel/`, Complete, HEAD destination, HEAD source, `done/`. Owner and canceller each
write their own record first and then read the other's. Questions that do not depend on one another are asked
at once (`looks`), and judged in this order.
"""

from __future__ import annotations

import msgspec

from osscopy import plan
from osscopy.copying import earlier, outcome, restore, results, simple, upload
from osscopy.copying.invocation import destination, looks, source
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.looks import Start
from osscopy.copying.invocation.questions import Question
from osscopy.copying.simple import InParts, SimpleCopy
from osscopy.model import (
    Conflict,
    Copy,
    CopyRequest,
    Failed,
    Head,
    Opened,
    Refused,
    Result,
    Skipped,
    SourceChanged,
    Transient,
)
from osscopy.plan import keys

# What may be refused of a copy that is on record as open: by its continuation's size, or by a lower timeout.
_AFTER_RECORDS = {"RequestTooLarge", "TimeoutTooShort"}


def begin(context: Context, copy: Copy, *, inline: bool = True) -> Result:
    """Begin a copy. Not `inline`: only what one CopyObject does is done here, the rest is handed over."""
    try:
        return _begin(context, copy, inline=inline)
    except Refused as error:
        result = results.unopened(copy, "failed", context.now(), error)
        if error.code in _AFTER_RECORDS:
            return earlier.resume_or_close(context, copy, result)
        on_record = copy.keep or copy.generation  # as running
        return outcome.close(context, copy, result) if on_record else result
    except Failed as error:
        return refuse(context, copy, error)
    except Skipped as error:
        result = results.unopened(copy, "skipped", context.now(), error)
        return earlier.resume_or_close(context, copy, result)


def refuse(context: Context, copy: Copy, error: Failed) -> Result:
    """Close a copy that is not to be begun; one that an earlier delivery has begun goes on."""
    result = results.unopened(copy, "failed", context.now(), error)
    return earlier.resume_or_close(context, copy, result)


def _begin(context: Context, copy: Copy, *, inline: bool) -> Result:
    """Look, decide, and carry out; the copy itself in the way, made by an earlier delivery, is success."""
    copy = _allowed(context, copy)
    asked = looks.of_start(context, copy)
    context.together(*asked.due)
    if asked.ends.done.is_asked and (done := asked.ends.done.get()) is not None:
        if copy.may_land_late and asked.opened.get() is None:  # closed by a delivery that knew of no other
            simple.put_unseen_on_record(context, copy)
        return done.result
    try:
        request, head = _look(context, copy, asked.head)
    except (Failed, Skipped) as error:
        if (made := earlier.made_of_old_source(context, copy, error)) is not None:
            return made
        if copy.may_land_late:
            simple.put_unseen_on_record(context, copy)
        raise
    asked = asked.of(context, request)
    copy = msgspec.structs.replace(copy, request=request, alternatives=(), event_etag=None)
    method = plan.method(request, head, context.limits.threshold, context.limits.timeout)
    opened = _on_record(context, copy, head, asked.opened.get())
    try:
        if (made := earlier.made(context, copy, head, opened)) is not None:
            return made
        _judge(context, copy, head, asked)
    except (Conflict, Skipped):
        if (made := earlier.in_the_way(context, copy, head)) is None:
            raise
        return made
    step = plan.first_step(request, head, opened, method)
    try:
        return _carry_out(context, copy, head, step, opened, asked, inline=inline)
    except (Conflict, Skipped):
        # what is in the way came after our look: if it is the copy, another delivery has made it
        since = head.seen_at if copy.since is None else copy.since
        dated = msgspec.structs.replace(copy, since=since)
        if (made := earlier.in_the_way(context, dated, head)) is None:
            raise
        return made


def _carry_out(
    context: Context,
    copy: Copy,
    head: Head,
    step: plan.FirstStep,
    opened: Opened | None,
    asked: Start,
    *,
    inline: bool,
) -> Result:
    """Do the first step; `opened`: what an earlier delivery has put on record."""
    if not isinstance(step, plan.Restore) and opened is not None:
        copy = msgspec.structs.replace(copy, keep=True)
    match step:
        case plan.Restore(method=method):
            return restore.wait(context, copy, head, method)
        case plan.Parts():
            source.judge_acl(context, copy.request, plan.pin_of(head))
            return upload.start(context, copy, head, opened, asked, inline=inline, in_doubt=False)
        case plan.CopyObject() if copy.may_be_on_record and _is_cancelled(context, opened, asked):
            entry = simple.put_on_record(context, copy, head)
            return outcome.cancel(context, entry, context.ask(context.journal.entered, copy.job))
        case plan.CopyObject(shallow=shallow):
            return _copy_object(context, copy, head, opened, shallow=shallow, inline=inline)


def _is_cancelled(context: Context, opened: Opened | None, asked: Start) -> bool:
    """Return whether `cancel/` was on record, or is, where a canceller would not wait for a CopyObject."""
    waits = opened is None or (opened.may_land and not opened.restores)
    ends = asked.ends if waits else looks.of_ends(context, asked.copy.job)
    return ends.cancelled.get() is not None


def _copy_object(
    context: Context, copy: Copy, head: Head, opened: Opened | None, *, shallow: bool, inline: bool
) -> Result:
    """Send one CopyObject; what it cannot do within an HTTP request is put on record and handed over."""
    tags = source.tags(context, copy.request, head) if plan.names_all(copy.request, head) else None
    once = SimpleCopy(context, copy, head, tags, shallow=shallow)
    try:
        copied = once.run()
    except Transient as error:
        if inline or (error.throttled and once.opened is None):
            raise
        entry = once.opened or simple.put_on_record(context, copy, head)
        return upload.hand_over(context, copy, entry)
    match copied:
        case InParts(in_doubt=in_doubt):
            return _in_parts(context, copy, head, opened, inline=inline, in_doubt=in_doubt or copy.retried)
        case result:
            return result


def _in_parts(
    context: Context, copy: Copy, head: Head, opened: Opened | None, *, inline: bool, in_doubt: bool
) -> Result:
    """Copy in parts after CopyObject.

    If parts are refused while a CopyObject may yet take effect, the copy is left open for the sweep.
    """
    asked = looks.of_start(context, copy)  # a while has passed: all is asked anew
    try:
        return upload.start(context, copy, head, opened, asked, inline=inline, in_doubt=in_doubt)
    except (Refused, Failed) as error:
        if not in_doubt or isinstance(error, SourceChanged):
            raise
        context.log("leftToSweep", job=copy.job, error=str(error))
        return results.opened(simple.put_on_record(context, copy, head), context.now())


# --- what is seen ------------------------------------------------------------------------------------------


def _allowed(context: Context, copy: Copy) -> Copy:
    """Return the copy with those readings of its key that the settings allow; Refused if they allow none."""
    readings = (copy.request, *copy.alternatives)
    allowed = [each for each in readings if context.is_allowed(each)]
    request = allowed[0] if allowed else copy.request
    context.allow(request)
    source.judge_reach(request, copy.origin)
    return msgspec.structs.replace(copy, request=request, alternatives=tuple(allowed[1:]))


def _look(context: Context, copy: Copy, seen: Question[Head]) -> tuple[CopyRequest, Head]:
    """Judge the source as it was `seen`; from here on the target of a symlink that is followed is it."""
    request, head = _find_source(context, copy, seen)
    plan.check_found(request, head)
    request, head = source.follow(context, request, head, request.conditions, copy.origin)
    destination.judge_allowed(context, request, head)
    return request, head


def _find_source(context: Context, copy: Copy, seen: Question[Head]) -> tuple[CopyRequest, Head]:
    """Find the source; an OSS event's key may be raw or encoded, and its ETag tells which is meant."""
    request = copy.request
    try:
        head = seen.get()
    except Failed as error:
        if error.code != "NoSuchKey" or (other := _find_reading(context, copy, is_needed=True)) is None:
            raise
        return other
    if head.etag != copy.event_etag and (other := _find_reading(context, copy, is_needed=False)) is not None:
        return other
    return request, head


def _find_reading(context: Context, copy: Copy, *, is_needed: bool) -> tuple[CopyRequest, Head] | None:
    """Return another reading of an event's key: the one with its ETag; if one `is_needed`, else what exists.

    A reading that takes `+` for a blank is not taken without its ETag: it may be any other object.
    """
    there: tuple[CopyRequest, Head] | None = None
    for request in copy.alternatives:
        is_candidate = is_needed and not keys.is_guess(copy.request.source.key, request.source.key)
        try:
            head = source.look(context, request, request.conditions)
        except (Failed, Skipped) as error:
            if is_candidate and error.code != "NoSuchKey":
                raise
            continue
        if head.etag == copy.event_etag:
            return request, head
        if is_candidate:
            there = there or (request, head)
    return there


def _on_record(context: Context, copy: Copy, head: Head, opened: Opened | None) -> Opened | None:
    """Return `open/`; write it where an attempt may have been killed within its CopyObject.

    Also where parts are the way by now: that attempt may have seen a smaller source.
    """
    may_land = copy.may_land_late and not plan.must_wait(copy.request, head)
    return simple.put_on_record(context, copy, head) if may_land and opened is None else opened


def _judge(context: Context, copy: Copy, head: Head, asked: Start) -> None:
    """Raise Conflict or Skipped if the overwrite policy says so, or a follow-up finds nothing to do."""
    request = copy.request
    if request.overwrite != "always":
        destination.judge_overwrite(context, request, head, asked.destination.get(), copy.follows)
    if copy.follows and destination.is_shown(context, request, head, asked.destination.get()):
        raise Skipped("NotDifferent", "the destination shows the source as it is now")
