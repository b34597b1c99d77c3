"""Follow-ups keep the copies of a rule like their source: whoever closes one looks at the source once more.

Knows the source, the destination, records and submissions; not how a copy is made. A follow-up is a new job
whose occurrence is its parent and what was seen, so that two who look and see the same submit one. It is on
record before it is submitted, so that the sweep begins it if the submission is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from osscopy import plan
from osscopy.copying import results, submit
from osscopy.copying.invocation import destination, source
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.questions import Question
from osscopy.model import Conditions, Copy, CopyRequest, Failed, Head, Opened, Origin, Pin, Refused

_GONE = {"NoSuchKey", "NoSuchBucket", "SymlinkTargetNotExist", "InvalidTargetType"}


def follow(
    context: Context,
    job: str,
    request: CopyRequest,
    pin: Pin,
    follows: int | None,
    origin: Origin,
    *,
    certain: bool = True,
    again: Callable[[Head], bool] | None = None,
    seen: Question[Head] | None = None,
) -> bool:
    """Submit a copy of the source as it is now, unless it was copied or is shown already; tell whether.

    `pin`: what was copied, if that is `certain`. `again`: look at the destination all the same; it tells
    whether what is there may be an older version that took effect late. What was deleted stays deleted.
    `follows` None: no rule made the copy. `seen`: the source as `look` saw it after the copy was written.
    Not followed are a source that is gone (rules do not delete), and one that is the destination.
    """
    if follows is None:
        return False
    asked = plan.asked(request, pin)
    try:
        head = (seen or look(context, request, pin)).get()
        request, head = source.follow(context, asked, head, Conditions(), origin)
        is_copied = not request.is_onto_itself and certain and _is_copied(context, request, pin, head)
        if request.is_onto_itself or (is_copied and again is None):
            return False
        now = plan.bind(request, head, source.tags_if_readable(context, request, head))
        shown = destination.look(context, request)
    except Refused as error:  # a symlink points to what may not be copied
        context.log("notFollowed", job=job, error=str(error))
        return False
    except Failed as error:
        if error.code not in _GONE:
            raise
        return False
    may_differ = not is_copied or bool(again and shown and again(shown))
    if not may_differ or destination.is_shown(context, request, head, shown):
        return False
    job_id, count = plan.job_id(asked, _occurrence(job, head, now, shown)), follows + 1
    copy = Copy(job_id, asked, results.iso(context.now()), keep=True, follows=count, origin=origin)
    _submit(context, copy, _opening(context, copy, request, now, head), plan.follow_delay(count))
    context.log("followed", job=job, by=copy.job, follows=count)
    return True


def _occurrence(job: str, head: Head, now: Pin, shown: Head | None) -> str:
    """Return what names a follow-up: its parent, and what was seen of the source and the destination."""
    there = shown and (shown.etag, shown.last_modified)
    return f"follow:{job}:{head.etag}:{head.last_modified}:{head.version_id}:{now.tags}:{there}"


def _submit(context: Context, copy: Copy, opened: Opened, delay: int) -> None:
    context.ask(context.journal.open, opened)
    submit.submit(context, copy, delay)


def look(context: Context, request: CopyRequest, pin: Pin) -> Question[Head]:
    """Return the question about the source that a follow-up begins with."""
    return Question(partial(source.look, context, plan.asked(request, pin), Conditions()))


def _opening(context: Context, copy: Copy, request: CopyRequest, pin: Pin, head: Head) -> Opened:
    """Return the record of a follow-up; one that will be refused opens nothing."""
    limits = context.limits
    try:
        method = plan.method(request, head, limits.threshold, limits.configured)
    except Refused:
        method = "simple"
    return context.opening(msgspec.structs.replace(copy, request=request), pin, head, method)


def _is_copied(context: Context, request: CopyRequest, pin: Pin, head: Head) -> bool:
    """Return whether the source is what was pinned, as far as the role may see."""
    try:
        now = plan.bind(request, head, source.tags_since(context, request, head, pin))
    except Failed as error:
        if error.status != 403:
            raise
        now = plan.bind(request, head)
    return plan.is_same_version(pin, head) and now.promise == pin.promise and pin.tags in {None, now.tags}
