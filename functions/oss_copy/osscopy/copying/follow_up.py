"""Copies made by a rule keep up with their source: whoever closes one looks at the source once more.

Knows the source, the destination, records and submissions; not how a copy is made. A follow-up is a new job
whose occurrence is its parent and what was seen, so that two who look and see the same submit one. It is on
record before it is submitted, so that the sweep begins it if the submission is lost.
"""

from __future__ import annotations

import msgspec

from osscopy import events, plan
from osscopy.copying import results
from osscopy.copying.invocation.context import Session
from osscopy.model import Conditions, Copy, CopyRequest, Failed, Head, Pin, Refused

_GONE = {"NoSuchKey", "NoSuchBucket", "SymlinkTargetNotExist", "InvalidTargetType"}


def up(
    session: Session,
    job: str,
    request: CopyRequest,
    pin: Pin,
    follows: int | None,
    *,
    certain: bool = True,
) -> bool:
    """Submit a copy of the source as it is now, unless that is what was copied or what is shown.

    `pin`: what was copied, if that is `certain`. `follows` None: no rule made the copy. A source that is gone
    is not followed: rules do not delete. Nor is one that is the destination.
    """
    if follows is None:
        return False
    asked = plan.asked(request, pin)
    try:
        request, head = session.follow(asked, session.source(asked, Conditions()), Conditions())
        if request.is_onto_itself:
            return False
        if certain and _is_copied(session, request, pin, head):
            return False
        now = plan.bind(request, head, session.tags_if_readable(request, head))
        shown = session.destination(request)
    except Refused as error:  # a symlink points to what may not be copied
        session.log("notFollowed", job=job, error=str(error))
        return False
    except Failed as error:
        if error.code not in _GONE:
            raise
        return False
    if session.is_shown(request, head, shown):
        return False
    seen = shown and (shown.etag, shown.last_modified)
    occurrence = f"follow:{job}:{head.etag}:{head.last_modified}:{head.version_id}:{now.tags}:{seen}"
    job_id, started_at = plan.job_id(asked, occurrence), results.iso(session.now())
    copy = Copy(job_id, asked, started_at, keep=True, follows=follows + 1)
    bound = msgspec.structs.replace(copy, request=request)
    mine = session.opening(bound, now, head, _method(session, request, head))
    session.ask(lambda: session.journal.open(mine))
    session.submit(f"{copy.job}-g0-l1-h1", events.encode(copy), plan.follow_delay(follows + 1))
    session.log("followed", job=job, by=copy.job, follows=follows + 1)
    return True


def _is_copied(session: Session, request: CopyRequest, pin: Pin, head: Head) -> bool:
    """Whether the source is what was pinned, as far as may be seen."""
    try:
        now = plan.bind(request, head, session.tags_since(request, head, pin))
    except Failed as error:
        if error.status != 403:
            raise
        now = plan.bind(request, head)
    return plan.is_same_version(pin, head) and now.promise == pin.promise and pin.tags in {None, now.tags}


def _method(session: Session, request: CopyRequest, head: Head) -> plan.Method:
    """What the record says; a follow-up that will be refused opens nothing."""
    limits = session.limits
    try:
        return plan.method(request, head, limits.threshold, limits.configured)
    except Refused:
        return "simple"
