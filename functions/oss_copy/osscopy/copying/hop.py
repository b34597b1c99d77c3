"""One hop of a copy in parts: its checks, ListParts of its lane, the missing parts, and what comes next.

Knows chains and batches; how an upload is completed is in `finish`, how a copy ends in `outcome`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import msgspec

from osscopy import plan
from osscopy.copying import finish, outcome, results, submit
from osscopy.copying.invocation import listing
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.workers import Workers
from osscopy.copying.outcome import UNKNOWN
from osscopy.copying.submit import where
from osscopy.model import (
    Continue,
    Failed,
    OssCopyError,
    Part,
    Problem,
    Refused,
    Result,
    Skipped,
    Transient,
    UploadGone,
)


def proceed(context: Context, task: Continue) -> Result:
    """Work on the next batch of a copy, as its continuation asks."""
    try:
        context.allow(task.request)
        newest, entered = context.together(
            lambda: context.ask(context.journal.generation, task.job),
            lambda: context.ask(context.journal.entered, task.job),
        )
        if _is_superseded(context, task, newest):
            return results.under_way(task, 0)
        if not outcome.is_on_record(task, entered):
            return outcome.of_another_upload(context, task)
        return _advance(context, task)
    except Refused as error:
        return outcome.disown(context, task, error)
    except Failed as error:  # the upload has ended, but the destination cannot be looked at
        return outcome.close_failed(context, task, error)


def begin(context: Context, task: Continue) -> Result:
    """Work on the first batch, in the invocation that has opened or found the upload."""
    try:
        return _advance(context, task)
    except Failed as error:  # as in `proceed`: this is no failure to begin
        return outcome.close_failed(context, task, error)
    except Transient as error:
        try:  # perhaps nobody delivers this event again: leave it to the next hop
            return submit.next_hop(context, task, delay=5, stalls=0, done=0)
        except Transient as second:
            raise error from second


def _advance(context: Context, task: Continue) -> Result:
    """Work; whatever speaks against going on ends the upload, never leaves it open."""
    task = msgspec.structs.replace(task, settle=max(task.settle, context.limits.settle))
    if (over := outcome.end_if_over(context, task)) is not None:
        return over
    try:
        if task.hop - task.excused > plan.max_hops(task.upload):
            raise Failed("TooManyHops", f"{task.hop} invocations for {task.upload.parts} parts")
        return _work(context, task)
    except UploadGone:
        return _find_outcome(context, task)
    except (Refused, Failed) as error:
        return outcome.fail(context, task, error)
    except Skipped as reason:
        return outcome.skip(context, task, reason)


def _work(context: Context, task: Continue) -> Result:
    """Copy what is missing of the lane, then do what `plan.next_step` says."""
    numbers = plan.lane_numbers(task.upload.parts, task.upload.lanes, task.lane)
    listed = listing.parts(context, task, numbers.start - 1, numbers.stop - 1)
    missing = plan.missing(task.pin, task.upload, task.lane, listed)
    workers = _copy_parts(context, task, missing)
    match plan.next_step(_progress(context, task, missing, workers)):
        case plan.Finish():
            return finish.finish(context, task)
        case plan.HandOver(delay=delay, stalls=stalls):
            done = task.upload.parts - len(missing) + len(workers.copied)
            excused = task.excused + (workers.throttled and not workers.copied)
            this = msgspec.structs.replace(task, excused=excused)
            result = submit.next_hop(context, this, delay=delay, stalls=stalls, done=done)
            if workers.last_error is not None:
                _note(context, task, workers.last_error)
            return result
        case plan.GiveUp(code=code, why=why):
            because = f"; the last error was {workers.last_error}" if workers.last_error else ""
            raise Failed(code, why + because)


def _copy_parts(context: Context, task: Continue, missing: Sequence[Part]) -> Workers:
    """Copy the missing parts while there is time to hand over afterwards; raise what stopped the threads."""
    size, rate = task.upload.part_size, plan.rate(task.request)
    wait = plan.part_timeout(size, rate, context.limits.timeout)

    def copy(part: Part) -> None:
        context.store.copy_part(task.request, task.pin, task.upload.id, part, context.wait(wait))

    expected = min(size / rate, context.part_budget())
    workers = Workers(copy, missing, clock=context.clock, deadline=context.submit_by, expected=expected)
    workers.run(context.parallel(task.request))
    context.log(
        "batch",
        **where(task),
        parts=len(workers.copied),
        bytes=sum(part.size for part in workers.copied),
        left=len(missing) - len(workers.copied),
        retries=workers.retries,
        again=workers.again,
        throttled=workers.throttled,
        lastError=workers.last_error and str(workers.last_error),
    )
    workers.raise_fatal()
    return workers


def _progress(context: Context, task: Continue, missing: Sequence[Part], workers: Workers) -> plan.Progress:
    copied = len(workers.copied)
    return plan.Progress(
        missing=len(missing) - copied,
        copied=copied,
        throttled=workers.throttled,
        seconds_left=context.seconds_left(),
        seconds_needed=plan.completion_time(context.limits.timeout) if missing else 0.0,
        stalls=0 if task.upload.parts - len(missing) > task.parts_done else task.stalls,
        age=context.now() - results.unix(task.started_at),
    )


def _is_superseded(context: Context, task: Continue, newest: int) -> bool:
    """Return whether a sweep has started a younger chain.

    Leaving only saves work: an older chain can do no harm, since it writes into the same upload. A hop that
    waits to name an outcome waits longer than from one sweep to the next: it does not leave.
    """
    if task.gone_at:
        return False
    if newest > task.generation:
        context.log("superseded", **where(task), by=newest)
    return newest > task.generation


def _find_outcome(context: Context, task: Continue) -> Result:
    """Name the outcome of an upload that is gone, or look again when nothing can take effect any more."""
    result = outcome.find(context, task, Failed(*UNKNOWN))
    if result is not None:
        return result
    since = task.gone_at or int(context.now())
    wait = since + task.settle - context.now()
    if wait <= 0:
        return outcome.close_unknown(context, task)
    following = msgspec.structs.replace(task, hop=task.hop + 1, excused=task.excused + 1, gone_at=since)
    submit.submit(context, following, min(3600, int(wait) + 1))
    return results.under_way(task, task.upload.parts)


def _note(context: Context, task: Continue, error: Transient) -> None:
    """Put the last error on record for who asks how the copy stands; it is logged too, so no retry."""
    with contextlib.suppress(OssCopyError):
        context.journal.note(task.job, task.generation, task.hop, Problem.of(error))
