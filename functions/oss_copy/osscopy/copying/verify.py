"""The look at the destination after something was written there, compared with what was promised.

Knows what OSS said that it wrote and what was promised; not how a copy got there. On a versioned destination
exactly our version is looked at, and deleted if it is wrong; elsewhere a wrong object is kept and named: to
delete it could delete what somebody else has written by now.
"""

from __future__ import annotations

import msgspec

from osscopy import plan
from osscopy.copying.invocation import destination, source
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.questions import Question
from osscopy.model import Conditions, CopyRequest, Failed, Head, Pin, Problem, Transient, Written


class Verdict(msgspec.Struct, frozen=True):
    """The destination as it was seen, and the `problem` with it, if there is one.

    `seen` is the answer to the write where the destination cannot be looked at.
    """

    seen: Head | Written | None
    problem: Problem | None = None


class Shown(msgspec.Struct, frozen=True):
    """The destination shows a copy of the version `pin`."""

    pin: Pin
    seen: Head


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


def upload(
    context: Context,
    request: CopyRequest,
    pin: Pin,
    written: Written | None,
    etag: str,
    shown: Question[Head | None],
) -> Verdict:
    """Compare a completed upload with what was promised. `written` None: Complete had no answer.

    `shown`: the destination, as `look` sees it.
    """
    try:
        seen = shown.get()
    except Unverified as error:
        return Verdict(error.seen, Problem.of(error))
    return _judge(context, request, pin, written, seen, plan.differences(pin, seen, 0, etag), etag)


def copy_object(
    context: Context, request: CopyRequest, pin: Pin, written: Written, shown: Question[Head | None]
) -> Verdict:
    """Compare what CopyObject wrote, as `look` sees it (`shown`), with what was promised.

    CopyObject pins the bytes, but takes headers and tags as they are when it comes: if these were changed
    since HEAD, the destination must show the source as it is now. A symlink is not pinned: likewise. If the
    source was changed more often, what it was at an instant in between is no corruption.
    In a copy onto itself everything was named, and the source as it is now is the destination: `pin` decides.
    """
    try:
        seen = shown.get()
    except Unverified as error:
        return Verdict(error.seen, Problem.of(error))
    wrong = plan.differences(pin, seen, 0, pin.etag)
    if wrong and not request.is_onto_itself:
        now = _pin_now(context, request, pin)
        if now is not None:
            wrong = plan.differences(now, seen, 0, pin.etag)
        if wrong and now != pin and _is_of_instant_between(pin, seen):
            text = f"the source was changed again and again while it was copied: {'; '.join(wrong)}"
            return Verdict(seen, Problem("SourceChanged", text))
    return _judge(context, request, pin, written, seen, wrong, pin.etag)


def unanswered(context: Context, request: CopyRequest, pin: Pin, not_before: int) -> Shown | None:
    """Return what the destination shows, if CopyObjects without an answer may have made it.

    None of them took effect before `not_before` (Unix seconds). The version is `pin`, or the source as it is
    now: CopyObject takes headers as they are when it comes, and a later attempt the version that it finds.
    Return None, too, where one of the two cannot be looked at. In a copy onto itself it is `pin` alone, since
    the source as it is now is the destination.
    """
    try:
        seen = look(context, request, pin, None)
        if seen is None:
            return None
        if not plan.differences(pin, seen, not_before, pin.etag):
            return Shown(pin, seen)
        if request.is_onto_itself:
            return None
        now = plan.bind(request, source.look(context, request, Conditions()))
    except Failed:
        return None
    return None if plan.differences(now, seen, not_before, now.etag) else Shown(now, seen)


def look(context: Context, request: CopyRequest, pin: Pin, written: Written | None) -> Head | None:
    """Return the destination after something was written; tags are counted if they are promised.

    Unverified if that cannot be looked at.
    """
    version_id = written.version_id if written else None
    try:
        seen = destination.look(context, request, version_id)
    except Failed as error:
        raise Unverified(request, written, error, None, "it", "oss:GetObject") from error
    if seen is None or not plan.lacks_tag_count(pin.promise, seen):
        return seen
    try:
        count = len(destination.tags(context, request, version_id))
    except Failed as error:
        raise Unverified(request, written, error, seen, "its tags", "oss:GetObjectTagging") from error
    return msgspec.structs.replace(seen, tag_count=count)


def _is_of_instant_between(pin: Pin, seen: Head | None) -> bool:
    """Return whether this may be the source at an instant in between: its bytes, or another symlink."""
    if pin.link is not None:
        return seen is not None and seen.link is not None
    return not plan.differences(msgspec.structs.replace(pin, promise=None), seen, 0, pin.etag)


def _pin_now(context: Context, request: CopyRequest, pin: Pin) -> Pin | None:
    """Return what a copy of these bytes, or of the symlink, would promise now; None if they are gone."""
    try:
        head = source.look(context, plan.bound(request, pin), Conditions())
    except Failed:
        return None
    return plan.bind(request, head) if head.etag == pin.etag or head.link is not None else None


def _judge(
    context: Context,
    request: CopyRequest,
    pin: Pin,
    written: Written | None,
    seen: Head | None,
    wrong: list[str],
    etag: str,
) -> Verdict:
    if not wrong:
        return Verdict(seen)
    if seen is not None and _differs_in_tags_only(pin, seen, etag):
        text = f"the copy was written, and its tags were changed by somebody else: {'; '.join(wrong)}"
        return Verdict(seen, Problem("DestinationChanged", text))
    context.log("wrong", destination=request.destination, versionId=seen and seen.version_id, wrong=wrong)
    if written is not None and (seen is None or seen.etag != (written.etag or seen.etag)):
        text = f"the copy was written, and then deleted or overwritten by somebody else: {'; '.join(wrong)}"
        return Verdict(seen, Problem("DestinationChanged", text))
    fate = _discard(context, request, written)
    return Verdict(seen, Problem("VerificationFailed", f"{'; '.join(wrong)}; {fate}"))


def _differs_in_tags_only(pin: Pin, seen: Head, etag: str) -> bool:
    """Return whether all is right but the tags, which anybody changes in place, without a new version."""
    if pin.promise is None:
        return False
    promise = msgspec.structs.replace(pin.promise, tags=seen.tag_count)
    return not plan.differences(msgspec.structs.replace(pin, promise=promise), seen, 0, etag)


def _discard(context: Context, request: CopyRequest, written: Written | None) -> str:
    """Delete our wrong version where that can hit no other, and say what became of it."""
    if written is None or (version_id := written.version_id) is None or version_id == "null":
        return "the wrong object is left in place"
    try:
        context.ask(context.store.delete_version, request, version_id)
    except (Failed, Transient) as error:
        return f"the wrong version {version_id} is left in place: it could not be deleted ({error})"
    return f"the wrong version {version_id} was deleted"
