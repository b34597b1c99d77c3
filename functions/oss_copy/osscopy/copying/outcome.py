"""How a copy ends: closed, failed, skipped, cancelled, or found at the destination - and put on record.

Knows who may end an upload and how an outcome is named; not how a copy gets there. The upload decides, not
the record: Abort answered 204 means that we ended it; 404 means that the destination has to be examined
before anything is named.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from osscopy import plan
from osscopy.copying import results, verify
from osscopy.copying.invocation import destination, source
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.looks import Ends
from osscopy.copying.submit import where
from osscopy.model import (
    Conditions,
    Conflict,
    Continue,
    Copy,
    CopyRequest,
    Done,
    Entered,
    Failed,
    Opened,
    OssCopyError,
    Pin,
    Problem,
    Refused,
    Result,
    Skipped,
    SourceChanged,
    Upload,
    UploadGone,
)

CHANGED = ("SourceChanged", "the source was changed while it was copied")
UNKNOWN = (
    "OutcomeUnknown",
    "what was written is not known, and the destination does not show the copy: compare before copying again",
)

Pinned: TypeAlias = Opened | Continue  # a copy that is bound to a version of its source


# --- closing -----------------------------------------------------------------------------------------------


def close(context: Context, copy: Copy | Pinned, result: Result, hops: int | None = None) -> Result:
    """Write `done/`; return the outcome on record, which may be an earlier one.

    Who is to be told of it is told later, by another invocation: that it is to be told is on record before.
    `hops`: invocations that have worked on a copy in parts; they are counted if that is not known.
    """
    asked = copy.request if isinstance(copy, Copy) else plan.asked(copy.request, copy.pin)
    if isinstance(copy, Continue) and result.method == "multipart":
        counted = hops or context.ask(context.journal.hops, copy.job, copy)
        result = msgspec.structs.replace(result, hops=counted)
    settle = _settle(context, 0 if isinstance(copy, Copy) else copy.settle)
    entry = Done(context.clock.nonce(), result, asked, settle)
    with put_out(context, copy.job, result.status, by_rule=copy.follows is not None):
        return context.ask(context.journal.close, copy.job, entry).result


@contextlib.contextmanager
def put_out(context: Context, job: str, status: str, *, by_rule: bool = False) -> Iterator[None]:
    """Let an outcome be told that is written within: that is on record before, and announced after."""
    outbox = context.outbox
    is_due = outbox is not None and context.ask(outbox.put, job, status, by_rule=by_rule)
    yield
    if outbox is not None and is_due:
        outbox.announce()


def close_failed(context: Context, task: Continue, error: OssCopyError) -> Result:
    """Close a chain as failed for `error`, and leave its upload alone."""
    return close(context, task, results.ended(task, "failed", context.now(), Problem.of(error)))


def close_if_landed(context: Context, opened: Pinned) -> Result | None:
    """Close a copy with the result of its CopyObject, if the destination shows that; else None."""
    found = verify.unanswered(context, opened.request, opened.pin, opened.not_before)
    if found is None:
        return None
    return close(context, opened, results.simple(opened, found.pin, found.seen, None, context.now()))


def leave(context: Context, task: Continue, result: Result) -> Result:
    """Return the result of a job that is over; abort an upload that was opened after its end."""
    if result.status != "succeeded":
        with contextlib.suppress(UploadGone):
            abort(context, task)
    return result


def end_if_over(context: Context, task: Continue, ends: Ends) -> Result | None:
    """End the upload, and return the outcome, if `done/` or `cancel/` is on record; else None."""
    done = ends.done.get()
    if done is not None:
        return leave(context, task, done.result)
    return abort_cancelled(context, task) if ends.cancelled.get() is not None else None


# --- ending an upload --------------------------------------------------------------------------------------


def abort(context: Context, task: Continue) -> None:
    """Abort, and again while parts that were in flight bring the upload back.

    UploadGone: it was perhaps not ended by us. After a lost answer that may have been a Complete, too.
    """
    context.ask(context.store.abort, task.request, task.upload.id)
    context.log("aborted", **where(task), uploadId=task.upload.id)
    for _ in range(3):
        try:
            context.ask(context.store.list_parts, task.request, task.upload.id, 0)
            context.ask(context.store.abort, task.request, task.upload.id)
        except UploadGone:
            return


def fail(context: Context, task: Continue, error: Refused | Failed) -> Result:
    """Abort the upload and close with `error`.

    If Abort gets no answer, raise Transient and write no `done/`: later hops stop at `done/`.
    """
    if isinstance(error, Conflict) and (shown := _own_copy(context, task)) is not None:
        return shown
    problem = Problem.of(error)
    # a CopyObject of ours, for which nobody waited any more, may be what has changed the source
    may_be_ours = isinstance(error, SourceChanged) and task.request.is_onto_itself
    try:
        abort(context, task)
        if may_be_ours and (landed := close_if_landed(context, task)) is not None:
            return landed
    except UploadGone:
        return examine(context, task, error)
    except Failed as second:
        message = f"{error.message} ({_not_aborted(context, task, second)})"
        problem = msgspec.structs.replace(problem, message=message)
    return close(context, task, results.ended(task, "failed", context.now(), problem))


def skip(context: Context, task: Continue, reason: Skipped) -> Result:
    """Abort the upload: the destination shows by now what the request does not overwrite."""
    if (shown := _own_copy(context, task)) is not None:
        return shown
    try:
        abort(context, task)
    except UploadGone:
        return examine(context, task, Failed(*UNKNOWN))
    return close(context, task, results.ended(task, "skipped", context.now(), Problem.of(reason)))


def disown(context: Context, task: Continue, error: Refused) -> Result:
    """End a copy that the settings do not allow (any more): its upload, too, if `up/` names it."""
    if is_on_record(task, context.ask(context.journal.entered, task.job)):
        return fail(context, task, error)
    return results.ended(task, "failed", context.now(), Problem.of(error))


def is_on_record(task: Continue, entered: Entered | None) -> bool:
    """Return whether `up/` names the upload of this hop."""
    return entered is not None and entered.upload == task.upload


def of_another_upload(context: Context, task: Continue, done: Done | None) -> Result:
    """Return the result of a hop whose upload `up/` does not name: nothing is touched, nothing is written.

    It comes after the job was forgotten, or it is forged.
    """
    if done is not None:
        return done.result
    text = f"no record of {task.job} names upload {task.upload.id}: nothing was done"
    return results.ended(task, "failed", context.now(), Problem("NotOnRecord", text))


# --- cancelling --------------------------------------------------------------------------------------------


def cancel(context: Context, opened: Opened, entered: Entered | None) -> Result:
    """End a copy that has a `cancel/`; it is still running where it cannot be called cancelled yet.

    Who is about to open its upload reads `cancel/` after `up/`, and aborts what was opened. Who is about to
    send a CopyObject reads it right before; one that is under way, or had no answer, may still take effect.
    """
    if entered is not None:
        return abort_cancelled(context, task_of(opened, entered.upload))
    result = results.unbegun(opened, "cancelled", context.now(), None)
    if opened.may_land and not _waits_for_restore(context, opened):
        if (landed := close_if_landed(context, opened)) is not None:
            return landed
        if not _is_settled(context, opened.job, opened.settle):
            return results.opened(opened, context.now())
        if _may_be_written(context, opened.request, opened.pin, opened.seen_at):
            result = msgspec.structs.replace(result, status="failed", error=Problem.of(Failed(*UNKNOWN)))
    return close(context, opened, result)


def abort_cancelled(context: Context, task: Continue) -> Result:
    """Abort the upload of a copy that has a `cancel/`; UploadGone may mean that it was completed first.

    The copy is running as long as a CopyObject without an answer may take effect: the sweep looks again.
    """
    problem = None
    try:
        abort(context, task)
    except UploadGone:
        return find(context, task, None) or results.under_way(task, 0)
    except Failed as error:
        problem = msgspec.structs.replace(Problem.of(error), message=_not_aborted(context, task, error))
    if _may_land(context, task):
        return _close_if_shown(context, task) or results.under_way(task, 0)
    return _close_cancelled(context, task, problem, may_have_written=task.in_doubt)


def _close_cancelled(
    context: Context, task: Continue, problem: Problem | None, *, may_have_written: bool
) -> Result:
    """Close it; unknown: what a CopyObject without an answer, or an upload that is gone, may have written."""
    if may_have_written and _may_be_written(context, task.request, task.pin, _begun(context, task)):
        return close_failed(context, task, Failed(*UNKNOWN))
    return close(context, task, results.ended(task, "cancelled", context.now(), problem))


# --- an upload that is gone --------------------------------------------------------------------------------


def examine(context: Context, task: Continue, error: OssCopyError) -> Result:
    """Close a copy whose upload is gone: with what the destination shows, `error`, or OutcomeUnknown."""
    return find(context, task, error) or close_unknown(context, task)


def close_unknown(context: Context, task: Continue) -> Result:
    """Close a copy of which `find` can tell nothing.

    It is still running where somebody cancelled it and a CopyObject may yet take effect.
    """
    if _may_land(context, task) and context.is_cancelled(task.job):
        return results.under_way(task, 0)
    return close_failed(context, task, Failed(*UNKNOWN))


def find(context: Context, task: Continue, error: OssCopyError | None) -> Result | None:
    """Close a copy whose upload is gone, if its outcome is known; None if a write may yet take effect.

    `error`: what it failed of if the destination does not show it; None if it was cancelled.
    """
    if (shown := _close_if_shown(context, task)) is not None:
        return shown
    if error is None or context.is_cancelled(task.job):
        if _may_land(context, task):
            return None
        return _close_cancelled(context, task, None, may_have_written=True)  # it may have been completed
    if error.code == UNKNOWN[0]:
        if task.request.is_onto_itself or source.is_same(context, task.request, task.pin):
            return None
        error = SourceChanged(*CHANGED)  # an earlier hop may have seen it, and died
    return close_failed(context, task, error)


# --- looking -----------------------------------------------------------------------------------------------


def _close_if_shown(context: Context, task: Continue) -> Result | None:
    """Close with success if the destination shows the copy, or what a CopyObject without an answer made."""
    seen = verify.look(context, task.request, task.pin, None)
    if not plan.differences(task.pin, seen, task.not_before, None):
        return close(context, task, results.multipart(task, seen, None, context.now()))
    return close_if_landed(context, task) if task.in_doubt else None


def _own_copy(context: Context, task: Continue) -> Result | None:
    """Close with success, and without an upload, if a CopyObject of ours has made what is in the way."""
    try:
        shown = _close_if_shown(context, task) if task.in_doubt else None
    except Failed:  # it cannot be looked at
        return None
    if shown is None:
        return None
    with contextlib.suppress(UploadGone):
        abort(context, task)
    return shown


def _settle(context: Context, known: int) -> int:
    """Return T_late: the longest that is known, since settings may have been changed meanwhile."""
    return max(known, context.limits.settle)


def _is_settled(context: Context, job: str, settle: int) -> bool:
    """Return whether nothing that was asked for before `cancel/` can take effect any more."""
    cancelled = context.ask(context.journal.written, "cancel", job)
    return cancelled is not None and cancelled[1] - cancelled[0] >= _settle(context, settle)


def _may_land(context: Context, task: Continue) -> bool:
    """Return whether a CopyObject from before the upload may yet take effect."""
    return task.in_doubt and not _is_settled(context, task.job, task.settle)


def _begun(context: Context, task: Continue) -> int:
    """Return since when the copy may have written: a CopyObject without an answer came before the upload."""
    opened = context.ask(context.journal.opened, task.job) if task.in_doubt else None
    return task.not_before if opened is None else min(opened.seen_at, task.not_before)


def _waits_for_restore(context: Context, opened: Opened) -> bool:
    """Return whether the source cannot be read yet, so that nothing can have been copied from it.

    That says nothing of the version on record if the source is another one by now.
    """
    if not opened.restores:
        return False
    try:
        head = source.look(context, opened.request, Conditions())
    except Failed:  # nobody can tell
        return False
    return plan.is_same_version(opened.pin, head) and plan.must_wait(opened.request, head)


def _may_be_written(context: Context, request: CopyRequest, pin: Pin, since: int) -> bool:
    """Return whether the destination may show something that this copy has written, whatever it is."""
    try:
        seen = destination.look(context, request)
    except Failed as error:  # nobody can tell
        return error.code != "NoSuchBucket"
    if seen is None or (request.is_onto_itself and plan.is_same_version(pin, seen)):
        return False
    return seen.last_modified >= since


def _not_aborted(context: Context, task: Continue, error: Failed) -> str:
    """Log an upload that cannot be aborted, and say so; the sweep tries again before it forgets."""
    context.log("abortFailed", **where(task), uploadId=task.upload.id, error=str(error))
    return f"upload {task.upload.id} could not be aborted: {error}"


def task_of(opened: Opened, upload: Upload, generation: int = 0) -> Continue:
    """Return the first hop of a copy on record, in this generation."""
    return Continue(
        opened.job,
        opened.request,
        opened.started_at,
        opened.pin,
        upload,
        generation=generation,
        lane=1,
        hop=1,
        follows=opened.follows,
        settle=opened.settle,
        in_doubt=opened.may_land,
        origin=opened.origin,
    )
