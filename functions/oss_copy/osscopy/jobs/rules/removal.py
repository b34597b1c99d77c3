"""The copy of a deleted object is deleted, too, where its rule follows deletions.

Knows source, destination and submissions. Only if the object at the source is still gone, and the destination
shows what was deleted: the same ETag, not written since. OSS deletes under no condition, so that the window
between the look and the deletion stays. The source is looked at once more after it: what has come back is
copied again. What was under way meanwhile is looked at T_late later, once.
"""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

from msgspec.structs import replace

from osscopy import events, plan
from osscopy.copying import results, submit
from osscopy.copying.invocation import destination, source
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.questions import Question
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import (
    Conditions,
    Copy,
    CopyRequest,
    Failed,
    Head,
    Problem,
    Refused,
    Remove,
    Result,
    Seen,
)

LOOKS = 1  # at what may yet take effect
_GONE = {"NoSuchKey", "NoSuchVersion"}
Kept: TypeAlias = Problem  # the reason why nothing is deleted


def remove(tools: Tools, task: Remove, *, retried: bool) -> Result:
    """Delete the destination, or return why it is kept: `skipped`, or `failed` where the settings refuse it.

    Transient where OSS does not answer: FC delivers the event again. `retried`: it has done so.
    """
    context = tools.context
    try:
        context.options.need("delete", "deletions of a rule", "deletes")
        for request in (task.request, *task.alternatives):
            context.allow(request)
    except Refused as error:
        return _told(context, task, "failed", Problem.of(error))
    try:
        return _in_each_reading(tools, task, retried=retried)
    except Failed as error:
        return _told(context, task, "failed", Problem.of(error))


def drop(context: Context, task: Remove) -> bool:
    """Submit again what FC has given up, so often; tell whether."""
    following = replace(task, drops=task.drops + 1)
    if following.drops > plan.MAX_DROPS:
        context.log("removalDropped", job=task.job, key=task.request.destination.key)
        return False
    _submit(context, following, plan.drop_delay(following.drops))
    return True


def _in_each_reading(tools: Tools, task: Remove, *, retried: bool) -> Result:
    """Delete the first destination that is there, of all readings of the key."""
    kept: Kept | None = None
    for request in (task.request, *task.alternatives):
        kept = _remove(tools, task, request, retried=retried)
        if kept is None or kept.code != "AlreadyGone":
            task = replace(task, request=request)
            break
    return _told(tools.context, task, "skipped" if kept else "succeeded", kept)


def _remove(tools: Tools, task: Remove, request: CopyRequest, *, retried: bool) -> Kept | None:
    """Return why the destination of one reading of the key is kept; None: it is deleted."""
    context = tools.context
    one, other = (
        Question(partial(_source, context, request)),
        Question(partial(destination.look, context, request)),
    )
    context.together(one, other)
    head, there = one.get(), other.get()
    if head is not None:
        if there is None:
            _copy_again(context, task, request, head)
        elif retried:
            _look_later(context, task)
        return Problem("SourceExists", "the object is there again")
    if there is None:
        _look_later(context, task)
        return Problem("AlreadyGone", "the destination has no such object")
    if (reason := _reason_to_keep(task, there)) is not None:
        return reason
    there_now = request.destination
    attempts = context.attempts()
    attempts.run(partial(tools.objects.remove, there_now.bucket, there_now.key, pays=request.request_payer))
    context.log("removed", job=task.job, bucket=there_now.bucket, key=there_now.key, etag=there.etag)
    head = _source(context, request)
    if head is not None:
        _copy_again(context, task, request, head)
    if attempts.in_doubt:
        _look_later(context, task)
    return None


def _reason_to_keep(task: Remove, there: Head) -> Kept | None:
    """Return why the destination is not what this rule has copied of the deleted object; None if it is."""
    if not task.etag or there.etag.strip('"') != task.etag:
        return Problem(
            "NotThisCopy", "its ETag is not that of the deleted object: copies in parts are kept, too"
        )
    if there.last_modified > task.moment + plan.CLOCK_MARGIN:
        return Problem("NotThisCopy", "it was written after the object was deleted")
    return None


def _source(context: Context, request: CopyRequest) -> Head | None:
    """Return what the source shows, None if it is gone."""
    try:
        return source.look(context, replace(request, symlinks="copy"), Conditions())
    except Failed as error:
        if error.code not in _GONE:
            raise
        return None


def _copy_again(context: Context, task: Remove, request: CopyRequest, head: Head) -> None:
    """Submit the rule's copy of a source that is there again while its copy is not."""
    occurrence = f"again:{task.job}:{head.etag}:{head.last_modified}:{head.version_id}"
    copy = Copy(
        plan.job_id(request, occurrence), request, results.iso(context.now()), follows=0, origin=task.origin
    )
    submit.submit(context, copy)
    context.log("followed", job=task.job, by=copy.job, follows=0)


def _look_later(context: Context, task: Remove) -> None:
    """Let an invocation look when no request that is under way now can take effect any more."""
    if task.looks < LOOKS:
        _submit(context, replace(task, looks=task.looks + 1), context.limits.settle)


def _submit(context: Context, task: Remove, delay: int) -> None:
    context.submit(f"{task.job}-r{task.looks}-d{task.drops}", events.encode(task), delay)


def _told(context: Context, task: Remove, status: str, problem: Problem | None) -> Result:
    there, was = task.request.destination, task.request.source
    return Result(
        task.job,
        status,  # type: ignore[arg-type]  # of three literals
        source=Seen(was.bucket, was.key),
        destination=Seen(there.bucket, there.key),
        started_at=task.started_at,
        finished_at=results.iso(context.now()),
        error=problem,
        caller=task.origin.told,
    )
