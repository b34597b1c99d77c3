"""Resuming what stands still: submits what takes a copy or a list on, in a generation of its own.

Knows records, uploads and submissions; not which copies to look at, nor what a hop does. An upload that
stands still is no reason to abort: only a copy that is too old is ended here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, TypeAlias

import msgspec

from osscopy import plan
from osscopy.copying import outcome, results, submit
from osscopy.copying.invocation import listing
from osscopy.copying.invocation.context import Context
from osscopy.copying.outcome import task_of
from osscopy.jobs.journal import newest_generation, restart, supersede
from osscopy.jobs.records import Records
from osscopy.model import Continue, Copy, Entered, Failed, Opened, Problem, Rest, UploadGone

Resumed: TypeAlias = Literal["resumed", "ended", "waiting"]

TOO_OLD = Failed("TooOld", f"not finished {plan.MAX_AGE} s after it was asked for")


class Resumer:
    """One sweep's means to let go on what has stood still for `patience` seconds."""

    def __init__(self, context: Context, records: Records, patience: float) -> None:
        self._context = context
        self._records = records
        self._patience = patience

    def resume(self, opened: Opened, entered: Entered | None, now: int) -> Resumed:
        """Submit what takes the copy on, unless it moves, or has ended and nobody put that on record."""
        if opened.may_land and outcome.close_if_landed(self._context, opened) is not None:
            return "ended"
        is_too_old = now - results.unix(opened.started_at) > plan.MAX_AGE + self._patience
        if entered is None:
            return self._begin_again(opened, now, is_too_old=is_too_old)
        task = task_of(opened, entered.upload)
        match self._progress(task, is_too_old=is_too_old):
            case "moving":
                return "waiting"
            case "still" if is_too_old:  # hops that live give up by themselves
                outcome.fail(self._context, task, TOO_OLD)
                return "ended"
            case "still" | "gone":
                return self._start(task.job, now, supersede, partial(msgspec.structs.replace, task))

    def resume_list(self, name: str, now: int) -> Resumed:
        """Hand over a list once more, unless another sweep has just done so."""
        return self._start(name, now, restart, partial(Rest, name))

    def _begin_again(self, opened: Opened, now: int, *, is_too_old: bool) -> Resumed:
        """Let a copy begin once more that has no upload on record."""
        if is_too_old:
            outcome.close(self._context, opened, results.unbegun(opened, "failed", now, Problem.of(TOO_OLD)))
            return "ended"
        asked, since = plan.asked(opened.request, opened.pin), opened.not_before
        began, follows, origin = opened.started_at, opened.follows, opened.origin
        copy = Copy(opened.job, asked, began, keep=True, follows=follows, since=since, origin=origin)
        return self._start(copy.job, now, restart, partial(msgspec.structs.replace, copy))

    def _progress(self, task: Continue, *, is_too_old: bool) -> Literal["moving", "still", "gone"]:
        """Return how the upload stands; for one that may not be looked at, Failed until it is too old."""
        try:
            return "moving" if listing.idle(self._context, task) < self._patience else "still"
        except UploadGone:
            return "gone"  # the hop looks at the destination
        except Failed:
            if not is_too_old:
                raise
            return "still"

    def _start(
        self,
        name: str,
        now: int,
        put: Callable[[Records, str, int], None],
        command: Callable[..., Continue | Copy | Rest],
    ) -> Resumed:
        """Put a new generation on record, then submit the `command` of it; not while the newest is young."""
        generation = self._next_generation(name, now)
        if generation is None:
            return "waiting"
        self._context.ask(put, self._records, name, generation)
        submit.submit(self._context, command(generation=generation))
        return "resumed"

    def _next_generation(self, name: str, now: int) -> int | None:
        """Return the generation to start, above all on record; None if the newest is not `patience` old.

        It makes task ids new ones. Two sweeps at once start the same, so that one of them counts.
        """
        newest = self._context.ask(newest_generation, self._records, name)
        if newest is not None and newest.age < self._patience:
            return None
        return plan.next_generation(now, newest.number if newest else 0)
