"""The look at the destination after something was written there, and what follows from it.

Knows what OSS said that it wrote and what was promised; not how a copy got there. On a versioned destination
exactly our version is looked at, and deleted if it is wrong; elsewhere a wrong object is kept and named: to
delete it could delete what somebody else has written by now.
"""

from __future__ import annotations

import msgspec

from osscopy import plan
from osscopy.copying.invocation.context import Session
from osscopy.model import Conditions, CopyRequest, Failed, Head, Pin, Problem, Transient, Written


class Proof(msgspec.Struct, frozen=True):
    """What the destination shows, and what speaks against it being the copy.

    What was written and cannot be looked at is known as OSS told of it.
    """

    seen: Head | Written | None
    problem: Problem | None = None


class Unverified(Failed):
    """Something was written, or may have been, and cannot be looked at; `seen` is what could be."""

    def __init__(
        self,
        request: CopyRequest,
        written: Written | None,
        error: Failed,
        seen: Head | None,
        what: str,
        right: str,
    ) -> None:
        bucket, key = request.destination.bucket, request.destination.key
        etag = f" with ETag {written.etag}" if written is not None and written.etag else ""
        version = f", version {written.version_id}" if written is not None and written.version_id else ""
        was = f"was written{etag}{version}" if written is not None else "may have been written"
        of_version = f" and {right.replace('Object', 'ObjectVersion', 1)}" if version else ""
        grant = f": grant the function's role {right}{of_version} there" if error.status == 403 else ""
        text = f"oss://{bucket}/{key} {was}, and {what} cannot be looked at{grant} ({error})"
        code = "NotVerified" if written is not None else "OutcomeUnknown"
        super().__init__(code, text, request_id=error.request_id, status=error.status)
        self.seen = seen or written


def of_upload(session: Session, request: CopyRequest, pin: Pin, written: Written | None, etag: str) -> Proof:
    """Compare a completed upload with what was promised. `written` None: the answer of the write was lost."""
    try:
        seen = look(session, request, pin, written)
    except Unverified as error:
        return Proof(error.seen, Problem.of(error))
    wrong = plan.differences(pin, seen, 0, etag)
    return _retagged(pin, seen, wrong, etag) or _judge(session, request, written, seen, wrong)


def of_copy_object(session: Session, request: CopyRequest, pin: Pin, written: Written | None) -> Proof:
    """Compare what CopyObject wrote with what was promised.

    CopyObject pins the bytes, but takes headers and tags as they are when it comes: if these were changed
    since HEAD, the destination must show the source as it is now. A symlink is not pinned: likewise. If the
    source was changed more often, the right bytes with headers of an instant in between are no corruption.
    Of a copy onto itself everything was named, and the source as it is now is the destination: `pin` decides.
    """
    try:
        seen = look(session, request, pin, written)
    except Unverified as error:
        return Proof(error.seen, Problem.of(error))
    wrong = plan.differences(pin, seen, 0, pin.etag)
    if wrong and not request.is_onto_itself:
        try:
            head = session.source(plan.bound(request, pin), Conditions())
        except Failed:
            head = None
        now = None
        if head is not None and (head.etag == pin.etag or head.link is not None):
            now = plan.bind(request, head)
            wrong = plan.differences(now, seen, 0, pin.etag)
        bare = msgspec.structs.replace(pin, promise=None)
        if wrong and now != pin and not plan.differences(bare, seen, 0, pin.etag):
            text = f"the source was changed again and again while it was copied: {'; '.join(wrong)}"
            return Proof(seen, Problem("SourceChanged", text))
    return _retagged(pin, seen, wrong, pin.etag) or _judge(session, request, written, seen, wrong)


def of_doubt(session: Session, request: CopyRequest, pin: Pin, not_before: int) -> tuple[Pin, Head] | None:
    """The version that the destination shows, and how, if CopyObjects without an answer may have made it.

    None of them took effect before `not_before`.

    That is `pin`, or the source as it is now: CopyObject takes headers as they are when it comes, and an
    attempt after the first one the version that it finds. None, too, where one of them cannot be looked at.
    Of a copy onto itself it is `pin` alone: the source as it is now is what is looked at.
    """
    try:
        seen = look(session, request, pin, None)
        if seen is None:
            return None
        if not plan.differences(pin, seen, not_before, pin.etag):
            return pin, seen
        if request.is_onto_itself:
            return None
        now = plan.bind(request, session.source(request, Conditions()))
    except Failed:
        return None
    return None if plan.differences(now, seen, not_before, now.etag) else (now, seen)


def look(session: Session, request: CopyRequest, pin: Pin, written: Written | None) -> Head | None:
    """What the destination shows after something was written; tags are counted if they are promised.

    Unverified if that cannot be looked at.
    """
    version_id = written.version_id if written else None
    try:
        seen = session.destination(request, version_id)
    except Failed as error:
        raise Unverified(request, written, error, None, "it", "oss:GetObject") from error
    if seen is None or not plan.lacks_tag_count(pin.promise, seen):
        return seen
    try:
        return msgspec.structs.replace(seen, tag_count=len(session.tags_shown(request, version_id)))
    except Failed as error:
        raise Unverified(request, written, error, seen, "its tags", "oss:GetObjectTagging") from error


def _retagged(pin: Pin, seen: Head | None, wrong: list[str], etag: str | None) -> Proof | None:
    """A copy that is right but for its tags, which anybody changes in place, without a new version."""
    if not wrong or seen is None or pin.promise is None:
        return None
    promise = msgspec.structs.replace(pin.promise, tags=seen.tag_count)
    if plan.differences(msgspec.structs.replace(pin, promise=promise), seen, 0, etag):
        return None
    text = f"the copy was written, and its tags were changed by somebody else: {'; '.join(wrong)}"
    return Proof(seen, Problem("DestinationChanged", text))


def _judge(
    session: Session, request: CopyRequest, written: Written | None, seen: Head | None, wrong: list[str]
) -> Proof:
    if not wrong:
        return Proof(seen)
    session.log("wrong", destination=request.destination, versionId=seen and seen.version_id, wrong=wrong)
    if written is not None and (seen is None or seen.etag != (written.etag or seen.etag)):
        text = f"the copy was written, and then deleted or overwritten by somebody else: {'; '.join(wrong)}"
        return Proof(seen, Problem("DestinationChanged", text))
    fate = _discard(session, request, written)
    return Proof(seen, Problem("VerificationFailed", f"{'; '.join(wrong)}; {fate}"))


def _discard(session: Session, request: CopyRequest, written: Written | None) -> str:
    """Delete our wrong version where that can hit no other; what became of it."""
    if written is None or (version_id := written.version_id) is None or version_id == "null":
        return "the wrong object is left in place"
    try:
        session.ask(lambda: session.store.delete_version(request, version_id))
    except (Failed, Transient) as error:
        return f"the wrong version {version_id} is left in place: it could not be deleted ({error})"
    return f"the wrong version {version_id} was deleted"
