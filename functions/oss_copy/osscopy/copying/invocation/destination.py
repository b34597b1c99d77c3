"""Questions about the destination: what it shows, its tags, and whether that is the copy already.

Knows missing rights; not how a copy gets there.
"""

from __future__ import annotations

from osscopy import plan
from osscopy.copying.invocation import source
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.questions import Question
from osscopy.model import CopyRequest, Failed, Head, Source


def look(context: Context, request: CopyRequest, version_id: str | None = None) -> Head | None:
    """Return what the destination shows now, or one version of it; a symlink itself, not its target."""
    place = _place(request, version_id)
    return source.object_or_link(context, request, place, lambda: context.store.find(request, place))


def check_readable(request: CopyRequest, looked: Question[Head | None]) -> None:
    """Judge a look before the first write; Failed, with the missing right, if the copy cannot be looked at.

    OSS tells who may read an object that there is none, whether he may list or not.
    """
    try:
        looked.get()
    except Failed as error:
        if error.status != 403:
            raise
        bucket, key = request.destination.bucket, request.destination.key
        text = (
            f"nothing was written: the copy could not be looked at, since the function's role lacks "
            f"oss:GetObject on oss://{bucket}/{key} ({error.message})"
        )
        raise Failed(error.code, text, request_id=error.request_id, status=error.status) from error


def tags(context: Context, request: CopyRequest, version_id: str | None = None) -> dict[str, str]:
    """Return the tags of the destination, or of one version of it."""
    return context.ask(context.store.tags, request, _place(request, version_id))


def is_shown(context: Context, request: CopyRequest, head: Head, shown: Head | None) -> bool:
    """Return whether `shown` is what a copy of `head` would show, as far as the role may see."""
    if shown is None or not plan.is_shown(request, head, shown):
        return False
    return has_same_tags(context, request, head, shown)


def has_same_tags(context: Context, request: CopyRequest, head: Head, shown: Head) -> bool:
    """Return whether the destination has the tags of a copy of `head`, as far as they may be read."""
    promise = plan.bind(request, head).promise
    if promise is None or not (promise.tags or shown.tag_count):
        return True
    wanted = source.tags_if_readable(context, request, head) if request.tags == "copy" else request.tags
    try:
        return wanted is None or tags(context, request) == ({} if wanted == "none" else wanted)
    except Failed as error:
        if error.status not in {403, 404}:
            raise
        return error.status == 403  # 404: the destination is gone


def judge_allowed(context: Context, request: CopyRequest, head: Head) -> None:
    """Raise Failed if the settings do not allow what a copy of the object that `head` shows would do."""
    options = context.options
    options.judge_source(request, head, restores=plan.must_wait(request, head))
    default = None
    if options.asks_default(request, head.encryption):
        default = context.ask(context.default_encryption, request.destination.bucket)
    options.judge_encryption(request, head.encryption, default)


def judge_overwrite(
    context: Context, request: CopyRequest, head: Head, shown: Head | None, follows: int | None
) -> None:
    """Raise Conflict or Skipped if the overwrite policy says so; `shown`: the destination as it is now."""
    may_skip = shown is not None and request.overwrite != "never" and plan.is_shown(request, head, shown)
    same_tags = not may_skip or shown is None or has_same_tags(context, request, head, shown)
    plan.judge_overwrite(request, head, shown, follows, same_tags=same_tags)


def _place(request: CopyRequest, version_id: str | None) -> Source:
    return Source(request.destination.bucket, request.destination.key, version_id)
