"""Questions about the source: what it shows, its tags and ACL, and whether it is still what was pinned.

Knows symlinks and missing rights; not what follows from an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from osscopy import plan
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.questions import Question, known
from osscopy.model import Acl, Conditions, CopyRequest, Failed, Head, Origin, Pin, Refused, Source, Transient

_TAG_RIGHTS = "oss:GetObjectTagging (of a version oss:GetObjectVersionTagging too)"
_GONE = {"NoSuchKey", "NoSuchVersion"}
_NO_TARGET = {"SymlinkTargetNotExist", "InvalidTargetType"}


def look(context: Context, request: CopyRequest, conditions: Conditions) -> Head:
    """Return the source as it is now: a symlink itself, unless it is to be followed."""
    place = request.source
    head = object_or_link(context, request, place, lambda: context.store.head(request, place, conditions))
    if head is None:
        raise Transient("SourceInMotion", "the source is being replaced just now")
    return head


def follow(
    context: Context, request: CopyRequest, head: Head, conditions: Conditions, origin: Origin
) -> tuple[CopyRequest, Head]:
    """Return the request and HEAD of a symlink's target, where it is to be copied; OSS has no links to links.

    Refused if it may not be copied, or lies beyond what its rule watches or its caller may read. A version of
    a symlink is not looked at again: its target never changes.
    """
    if head.kind != "Symlink" or request.symlinks != "follow":
        return request, head
    key = _target(context, request, request.source)
    if key is None:
        raise Transient("SourceInMotion", "the symlink is being replaced just now")
    followed = msgspec.structs.replace(request, source=Source(request.source.bucket, key))
    plan.check_request(followed)
    context.allow(followed)
    judge_reach(followed, origin)
    via = request.source.key if request.source.version_id is None else None
    return followed, msgspec.structs.replace(look(context, followed, conditions), via=via)


def judge_reach(request: CopyRequest, origin: Origin) -> None:
    """Refuse a source that lies beyond what the rule watches, or the caller's token allows."""
    place = request.source
    if not origin.allows(place.bucket, place.key):
        text = f"oss://{place.bucket}/{place.key} lies beyond what {origin.caller or 'its rule'} may copy"
        raise Refused("NotAllowed", text, field="source", status=403)


def object_or_link(
    context: Context, request: CopyRequest, place: Source, question: Callable[[], Head | None]
) -> Head | None:
    """Return what `question` sees, or the symlink itself where it sees the target, or that there is none."""
    follows = request.symlinks == "follow" and place == request.source
    try:
        head = context.ask(question)
    except Failed as error:
        if follows or error.code not in _NO_TARGET:
            raise
    else:
        if follows or head is None or head.kind != "Symlink":
            return head
    return context.ask(context.store.link, request, place)


class Looks(msgspec.Struct, frozen=True):
    """All that has to be asked to compare the source with a pin; `same` judges it.

    `key`: to which the symlink points that was followed. `tags` None: asked only if HEAD shows any.
    """

    key: Question[str | None]
    head: Question[Head]
    tags: Question[dict[str, str]] | None

    @property
    def questions(self) -> tuple[Question[Any], ...]:
        """Return what may be asked at once."""
        return (self.key, self.head) if self.tags is None else (self.key, self.head, self.tags)


def looks(context: Context, request: CopyRequest, pin: Pin) -> Looks:
    """Return the questions about the source as it is now; they are not asked yet."""
    source, via = request.source, pin.via
    return Looks(
        known(source.key)
        if via is None
        else Question(partial(_target, context, request, Source(source.bucket, via))),
        Question(partial(look, context, request, Conditions())),
        None
        if pin.tags is None
        else Question(partial(read_tags, context, request, plan.pinned(source, pin))),
    )


def same(context: Context, request: CopyRequest, pin: Pin, asked: Looks | None = None) -> Head | None:
    """Return the source if it is still what was pinned, else None.

    ETag, versionId, Last-Modified and copied tags are compared, headers too, since Last-Modified has whole
    seconds, and the symlink that was followed to it. Tags that were read belong to this HEAD only if there
    are as many as it shows. `asked`: if it was asked before.
    """
    if asked is None:
        asked = looks(context, request, pin)
        context.together(*asked.questions)
    if asked.key.get() != request.source.key:
        return None
    try:
        head = asked.head.get()
        if not plan.is_same_version(pin, head):
            return None  # whatever became of the tags
        found = tags_since(context, request, head, pin) if asked.tags is None else asked.tags.get()
        now = plan.bind(request, head, found)
    except Failed as error:
        if error.code not in _GONE:
            raise
        return None
    is_read = request.tags == "copy" and found is not None and head.tag_count is not None
    if is_read and head.tag_count != len(found or {}):
        return None
    return head if (now.tags, now.promise) == (pin.tags, pin.promise) else None


def is_same(context: Context, request: CopyRequest, pin: Pin, asked: Looks | None = None) -> bool:
    """Return whether the source is still what was pinned. `asked`: if it was asked before."""
    return same(context, request, pin, asked) is not None


def tags(
    context: Context, request: CopyRequest, head: Head, asked: Question[dict[str, str]] | None = None
) -> dict[str, str]:
    """Return the tags to copy. Failed if they cannot be read, where HEAD does not show their number.

    Transient if the version that HEAD has shown is gone: the object has another one, or will be gone too.
    `asked`: the same question, beside HEAD. It counts only if it was about the version that HEAD saw, or
    about an object without versions: the look before Complete compares tags and date. Nor does it count if
    HEAD shows another number: the tags came between the two, and are asked for again.
    """
    if request.tags != "copy" or head.link is not None or head.tag_count == 0:
        return {}
    if asked is not None and asked.is_asked and head.version_id == request.source.version_id:
        found = asked.get()
        if head.tag_count in {None, len(found)}:
            return found
    return read_tags(context, request, plan.pinned(request.source, plan.pin_of(head)))


def read_tags(context: Context, request: CopyRequest, place: Source) -> dict[str, str]:
    """Return the tags at `place`; Failed, with the missing right, if they may not be read."""
    try:
        return context.ask(context.store.tags, request, place)
    except Failed as error:
        if error.code in _GONE and place != request.source:
            raise Transient("SourceInMotion", "the version of the source that was seen is gone") from error
        if error.status != 403:
            raise
        text = (
            f"the tags of the source may not be read, and would be lost: grant the function's role "
            f"{_TAG_RIGHTS} on oss://{place.bucket}/{place.key}, or ask with `tags` as `none` or a map "
            f"({error.message})"
        )
        raise Failed(error.code, text, request_id=error.request_id, status=error.status) from error


def tags_if_readable(context: Context, request: CopyRequest, head: Head) -> dict[str, str] | None:
    """Return the tags to copy, None if the role may not read them."""
    try:
        return tags(context, request, head)
    except Failed as error:
        if error.status != 403:
            raise
        return None


def tags_since(context: Context, request: CopyRequest, head: Head, seen: Pin) -> dict[str, str] | None:
    """Return the tags to copy, None where they were not read for `seen` and HEAD shows none by now.

    Where they were read for `seen`, and there were none, HEAD would show it if there were any by now.
    """
    if head.tag_count is None and seen.promise is not None and not seen.promise.tags:
        return None if seen.promise.tags is None else {}
    return tags(context, request, head)


def acl(context: Context, request: CopyRequest, pin: Pin) -> Question[Acl]:
    """Ask for the ACL of the destination; an object that is changed in place keeps its own.

    Where that may not be read, OSS decides.
    """
    if request.acl != "copy" and not (request.is_onto_itself and request.acl == "default"):
        return known(request.acl)
    return Question(partial(_read_acl, context, request, pin))


def judge_acl(context: Context, request: CopyRequest, pin: Pin) -> None:
    """Raise Failed before the first write if an ACL is to be copied that the settings may not allow."""
    if request.acl == "copy" and not context.options.allows("public-acl"):
        context.options.judge_acl(request, _read_acl(context, request, pin))


def _read_acl(context: Context, request: CopyRequest, pin: Pin) -> Acl:
    try:
        return context.ask(context.store.acl, request, plan.pinned(request.source, pin))
    except Failed as error:
        if request.acl == "copy" or error.status != 403:
            raise
        return "default"


def _target(context: Context, request: CopyRequest, place: Source) -> str | None:
    """Return the key that the symlink at `place` points to, None if there is none."""
    link = context.ask(context.store.link, request, place)
    return link.link if link is not None else None
