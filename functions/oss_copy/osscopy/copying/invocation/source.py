"""Questions about the source: what it shows, its tags and ACL, and whether it is still what was pinned.

Knows symlinks and missing rights; not what follows from an answer.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from osscopy import plan
from osscopy.copying.invocation.context import Context
from osscopy.model import Acl, Conditions, CopyRequest, Failed, Head, Pin, Source, Transient

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
    context: Context, request: CopyRequest, head: Head, conditions: Conditions
) -> tuple[CopyRequest, Head]:
    """Return the request and HEAD of a symlink's target, where it is to be copied; OSS has no links to links.

    Refused if it may not be copied. A version of a symlink is not looked at again: its target never changes.
    """
    if head.kind != "Symlink" or request.symlinks != "follow":
        return request, head
    key = _target(context, request, request.source)
    if key is None:
        raise Transient("SourceInMotion", "the symlink is being replaced just now")
    followed = msgspec.structs.replace(request, source=Source(request.source.bucket, key))
    plan.check_request(followed)
    context.allow(followed)
    via = request.source.key if request.source.version_id is None else None
    return followed, msgspec.structs.replace(look(context, followed, conditions), via=via)


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


def same(context: Context, request: CopyRequest, pin: Pin) -> Head | None:
    """Return the source if it is still what was pinned, else None.

    ETag, versionId, Last-Modified and copied tags are compared, headers too, since Last-Modified has whole
    seconds, and the symlink that was followed to it. Tags that were read belong to this HEAD only if there
    are as many as it shows.
    """
    if pin.via is not None:
        source = request.source
        if _target(context, request, Source(source.bucket, pin.via)) != source.key:
            return None
    try:
        head = look(context, request, Conditions())
        found = tags_since(context, request, head, pin)
        now = plan.bind(request, head, found)
    except Failed as error:
        if error.code not in _GONE:
            raise
        return None
    is_read = request.tags == "copy" and found is not None and head.tag_count is not None
    if is_read and head.tag_count != len(found or {}):
        return None
    is_same = plan.is_same_version(pin, head) and (now.tags, now.promise) == (pin.tags, pin.promise)
    return head if is_same else None


def is_same(context: Context, request: CopyRequest, pin: Pin) -> bool:
    """Return whether the source is still what was pinned."""
    return same(context, request, pin) is not None


def tags(context: Context, request: CopyRequest, head: Head) -> dict[str, str]:
    """Return the tags to copy. Failed if they cannot be read, where HEAD does not show their number.

    Transient if the version that HEAD has shown is gone: the object has another one, or will be gone too.
    """
    if request.tags != "copy" or head.link is not None or head.tag_count == 0:
        return {}
    place = plan.pinned(request.source, plan.pin_of(head))
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


def acl(context: Context, request: CopyRequest, pin: Pin) -> Acl:
    """Return the ACL for the destination; an object that is changed in place keeps its own.

    Where that may not be read, OSS decides.
    """
    if request.acl != "copy" and not (request.is_onto_itself and request.acl == "default"):
        return request.acl
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
