"""Copies made by a rule keep up with their source: whoever closes one looks at the source once more.

Knows the source, the destination and submissions; not how a copy is made. A follow-up is a new job whose
occurrence is its parent and what was seen, so that two who look and see the same submit one.
"""

from __future__ import annotations

from osscopy import events, plan, results
from osscopy.model import Conditions, Copy, CopyRequest, Failed, Pin
from osscopy.session import Session


def up(session: Session, job: str, request: CopyRequest, pin: Pin, follows: int) -> bool:
    """Submit a copy of the source as it is now, unless that is what was copied or what is shown.

    A source that is gone is not followed: rules copy, they do not delete.
    """
    try:
        head = session.source(request, Conditions())
    except Failed as error:
        if error.code != "NoSuchKey":
            raise
        return False
    now = plan.bind(request, head, session.tags(request, head))
    if plan.is_same_version(pin, head) and now.promise == pin.promise and pin.tags in {None, now.tags}:
        return False
    shown = session.destination(request)
    if shown is not None and plan.same_content(head, shown) and not plan.differences(now, shown, 0, None):
        return False
    seen = shown and (shown.etag, shown.last_modified)
    occurrence = f"follow:{job}:{head.etag}:{head.last_modified}:{head.version_id}:{now.tags}:{seen}"
    copy = Copy(events.job_id(request, occurrence), request, results.iso(session.now()), follows=follows + 1)
    session.submit(f"{copy.job}-g0-l1-h1", events.encode(copy), plan.follow_delay(copy.follows or 0))
    session.log("followed", job=job, by=copy.job, follows=copy.follows)
    return True
