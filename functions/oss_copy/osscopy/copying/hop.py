"""One hop of a copy in parts: its checks, ListParts of its lane, the missing parts, and what comes next.

A hop asks all that it has to know at once, and judges it in the order of effects: its generation, `up/`,
`done/`, `cancel/`, then the parts. Knows chains and batches; how an upload is completed is in `finish`, how a
copy ends in `outcome`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

import msgspec

from osscopy import plan
from osscopy.copying import finish, outcome, results, submit
from osscopy.copying.invocation import listing, looks
from osscopy.copying.invocation.batch import Batch
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.listing import Pages
from osscopy.copying.invocation.looks import Ends
from osscopy.copying.invocation.questions import Question
from osscopy.copying.invocation.workers import Workers
from osscopy.copying.lanes.supply import Supply
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
        asked = looks.of_hop(context, task)
        context.together(*asked.questions)
        if _is_superseded(context, task, asked.generation.get()):
            return results.under_way(task, 0)
        if not outcome.is_on_record(task, asked.entered.get()):
            return outcome.of_another_upload(context, task, asked.ends.done.get())
        return _advance(context, task, asked.ends, asked.pages)
    except Refused as error:
        return outcome.disown(context, task, error)
    except Failed as error:  # the upload has ended, but the destination cannot be looked at
        return outcome.close_failed(context, task, error)


def begin(context: Context, task: Continue, *, is_new: bool = False) -> Result:
    """Work on the first batch, in the invocation that has opened or found the upload.

    One that it has just opened (`is_new`) has no parts to list. `done/` and `cancel/` are read after `up/`
    was written: beside the first parts.
    """
    asked = looks.of_hop(context, task)
    if not is_new:
        context.together(*asked.ends.questions, *asked.pages)
    try:
        return _advance(context, task, asked.ends, () if is_new else asked.pages)
    except Failed as error:  # as in `proceed`: this is no failure to begin
        return outcome.close_failed(context, task, error)
    except Transient as error:
        try:  # perhaps nobody delivers this event again: leave it to the next hop
            result = submit.next_hop(context, task, delay=5, stalls=0, done=0)
        except Transient as second:
            raise error from second
        for start in submit.lane_starts(context, task):  # the next hop starts none
            start()
        return result


def _advance(context: Context, task: Continue, ends: Ends, pages: Pages) -> Result:
    """Work; whatever speaks against going on ends the upload, never leaves it open."""
    task = msgspec.structs.replace(task, settle=max(task.settle, context.limits.settle))
    watches = [each.asks_to_stop for each in ends.questions if not each.is_asked]
    if not watches and (over := outcome.end_if_over(context, task, ends)) is not None:
        return over
    try:
        if task.hop - task.excused > plan.max_hops(task.upload):
            raise Failed("TooManyHops", f"{task.hop} invocations for {task.upload.parts} parts")
        supply, beside = _supply(context, task, pages), _beside(context, task)
        workers = _copy_parts(context, task, supply, [*watches, *(each.pursue for each in beside)])
        if watches and (over := outcome.end_if_over(context, task, ends)) is not None:
            return over
        if not workers.is_handed_over:  # else the next hop judges
            workers.raise_fatal()
            return _go_on(context, task, supply, workers, beside)
        return _noted(context, task, workers, results.under_way(task, supply.done(workers.copied)))
    except UploadGone:
        return _find_outcome(context, task)
    except (Refused, Failed) as error:
        return outcome.fail(context, task, error)
    except Skipped as reason:
        return outcome.skip(context, task, reason)


def _supply(context: Context, task: Continue, pages: Pages) -> Supply:
    """Return the parts that this hop may copy; of an upload that was just opened there is nothing to list."""
    listed = listing.found(pages, task.upload.opened_at)
    expected = min(task.upload.part_size / plan.rate(task.request), context.limits.part_budget)
    return Supply(context, task, listed, expected)


def _beside(context: Context, task: Continue) -> list[Question[None]]:
    """Return what is done beside the first parts: the other lanes are started, and the hop put on record."""
    record = [] if task.is_first else [context.question(context.journal.work_on, task)]
    return [*map(Question, submit.lane_starts(context, task)), *record]


def _go_on(
    context: Context, task: Continue, supply: Supply, workers: Workers, beside: Sequence[Question[None]]
) -> Result:
    """Do what `plan.next_step` says after a batch."""
    match plan.next_step(_progress(context, task, supply, workers)):
        case plan.Finish():
            return finish.finish(context, task, beside)
        case plan.HandOver(delay=delay, stalls=stalls):
            excused = task.excused + (workers.throttled and not workers.copied)
            context.together(*beside)  # what no parts were copied beside
            this, done = msgspec.structs.replace(task, excused=excused), supply.done(workers.copied)
            result = submit.next_hop(context, this, delay=delay, stalls=stalls, done=done)
            return _noted(context, task, workers, result)
        case plan.GiveUp(code=code, why=why):
            because = f"; the last error was {workers.last_error}" if workers.last_error else ""
            raise Failed(code, why + because)


def _copy_parts(
    context: Context, task: Continue, supply: Supply, watches: Sequence[Callable[[], bool]]
) -> Workers:
    """Copy parts while there is time, and no watch says stop; hand over when no part is begun any more."""
    threads, clock = context.parallel(task.request), context.clock
    wait = plan.part_timeout(task.upload.part_size, plan.rate(task.request), context.limits.timeout)

    def copy(part: Part) -> None:
        context.store.copy_part(task.request, task.pin, task.upload.id, part, context.wait(wait))

    def hand_over(in_flight: frozenset[int]) -> bool:
        until = supply.now() + context.submit_by - clock.monotonic()
        flights = submit.Flights(plan.ranges_of(in_flight), int(until) + 1)
        return submit.early(context, task, supply.done(workers.copied), flights)

    workers = Workers(
        copy,
        Batch(supply.first(), supply.more, clock, threads),
        clock=clock,
        deadline=context.submit_by,
        expected=supply.slowest,
        hand_over=hand_over,
        watches=watches,
    )
    workers.run(threads)
    context.log(
        "batch",
        **where(task),
        parts=len(workers.copied),
        bytes=sum(part.size for part in workers.copied),
        left=task.upload.parts - supply.done(workers.copied),
        retries=workers.retries,
        again=workers.again,
        throttled=workers.throttled,
        lastError=workers.last_error and str(workers.last_error),
    )
    return workers


def _progress(context: Context, task: Continue, supply: Supply, workers: Workers) -> plan.Progress:
    copied = {part.number for part in workers.copied}
    return plan.Progress(
        missing=len(set(supply.missing()) - copied),
        copied=len(copied),
        throttled=workers.throttled,
        seconds_left=context.seconds_left(),
        seconds_needed=plan.completion_time(context.limits.timeout) if supply.has_given else 0.0,
        stalls=0 if supply.before > task.parts_done else task.stalls,
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


def _noted(context: Context, task: Continue, workers: Workers, result: Result) -> Result:
    """Put the last error on record for who asks how the copy stands; it is logged too, so no retry."""
    if workers.last_error is not None:
        with contextlib.suppress(OssCopyError):
            context.journal.note(task, Problem.of(workers.last_error))
    return result
