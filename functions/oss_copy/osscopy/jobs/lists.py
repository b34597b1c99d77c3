"""The copies of one event, many at once, and the rest of them where time is short.

Knows lists of commands, their records and submissions; not how a copy is done. What there is no time for is
put on record as one list and handed over as one continuation: so it is never too large for a payload, and
not lost if FC loses that, since the sweep hands it over again. Copies that name the same place are made one
after another, in the order of the list.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence

import msgspec

from osscopy import plan
from osscopy.copying import hop, results, start, submit
from osscopy.copying.invocation.context import Context
from osscopy.jobs.records import Records, delete_all, read
from osscopy.model import (
    Command,
    Continue,
    Copy,
    Failed,
    Misconfigured,
    Refused,
    Rest,
    Result,
    Skipped,
    Transient,
    Waiting,
    kind_of,
)
from osscopy.plan import bulk

TOO_OLD = Failed("TooOld", f"not begun {plan.MAX_AGE} s after it was asked for")

LATE = Skipped("JobEnded", "the job of many objects that this copy belongs to has ended")


class _Postponed(msgspec.Struct, frozen=True):
    """A copy that another invocation is to begin, since time is short, or this one `has_failed` for now."""

    copy: Copy
    has_failed: bool


class Worklist:
    """One invocation's work on many copies. `note` logs a result and gives it back."""

    def __init__(self, context: Context, records: Records, note: Callable[[Result], Result]) -> None:
        self._context = context
        self._records = records
        self._note = note
        self._is_over = False  # what comes after that is not told any more

    def run(
        self, items: Sequence[Command | Refused], parent: str = "", asked_at: float | None = None
    ) -> tuple[Result, ...]:
        """Return a result for every item; `running` for those that another invocation goes on with.

        Large copies get chains of their own, and a bad item stops no other. What fails for the moment comes
        last on the list that is handed over. Each invocation works on one item at least, so that lists grow
        shorter. Transient if the rest cannot be put on record, or, of an item that stands alone, if it may
        work later.
        """
        asked_at = self._context.now() if asked_at is None else asked_at
        found: dict[int, Result | _Postponed] = {}

        def work(positions: Sequence[int]) -> None:
            for position in positions:
                found[position] = self._attempt(items, position, asked_at)

        self._context.at_once([functools.partial(work, each) for each in self._chains(items)])
        self._is_over = True
        outcomes = [found.get(position) or _left(item) for position, item in enumerate(items)]
        later = [each for each in outcomes if isinstance(each, _Postponed)]
        if later:
            delay = 0 if len(later) < len(items) else plan.STANDSTILL
            copies = [each.copy for each in sorted(later, key=lambda each: each.has_failed)]
            hand_over(self._context, self._records, copies, asked_at, parent, delay)
        return tuple(
            self._note(results.unopened(each.copy, "running", self._context.now(), None))
            if isinstance(each, _Postponed)
            else each
            for each in outcomes
        )

    def resume(self, rest: Rest, *, retried: bool) -> tuple[Result, ...]:
        """Go on with a list on record; it is forgotten once each copy has a result or is on a new list."""
        waiting = self._context.ask(read, self._records, f"rest/{rest.list}", Waiting)
        if waiting is None:  # another delivery has done it, and a sweep may not have seen that
            self._context.ask(drop, self._records, rest.list)
            return ()
        copies = waiting.copies
        if retried or rest.generation or rest.drops:
            copies = tuple(each.delivered_again() for each in copies)
        found = self.run(copies, rest.list, waiting.asked_at)
        self._context.ask(drop, self._records, rest.list)
        return found

    def _chains(self, items: Sequence[Command | Refused]) -> list[list[int]]:
        """Return the positions of items in groups; those of one group are worked on one after another."""
        written = {place for item in items if isinstance(item, Copy) for place in _destinations(item)}
        return plan.chains([_destinations(each) | (_sources(each) & written) for each in items])

    def _tell(self, result: Result) -> Result:
        """Log a result, unless its item has been handed over as one without an answer."""
        return result if self._is_over else self._note(result)

    def _attempt(
        self, items: Sequence[Command | Refused], position: int, asked_at: float
    ) -> Result | _Postponed:
        """Work on one item, unless time is short; a copy that fails for the moment is postponed.

        A copy whose record cannot be read has failed as far as this version can tell.
        """
        item, is_alone = items[position], len(items) == 1
        if position and isinstance(item, Copy) and self._context.is_short_of_time():
            return _Postponed(item, has_failed=False)
        try:
            return self._tell(self._do(item, asked_at, inline=is_alone))
        except Transient as error:
            if is_alone or not isinstance(item, Copy):
                raise
            self._context.log("again", job=item.job, error=str(error))
            # it may have ended without an answer
            return _Postponed(msgspec.structs.replace(item, retried=True), has_failed=True)
        except Misconfigured as error:
            if error.code != "UnreadableRecord" or not isinstance(item, Copy):
                raise
            # another version wrote it and goes on with it: no other copy is to wait for that
            return self._tell(results.unopened(item, "failed", self._context.now(), error))
        except Exception as error:
            if is_alone or not isinstance(item, Copy):
                raise
            self._context.log("again", job=item.job, error=str(error), kind=kind_of(error))
            # a bug that one value brings out: alone, it is raised, so that FC tells that it is given up
            return _Postponed(msgspec.structs.replace(item, retried=True), has_failed=True)

    def _do(self, item: Command | Refused, asked_at: float, *, inline: bool) -> Result:
        match item:
            case Refused():
                return results.refused(item)
            case Copy() if self._is_late(item.job):
                return results.unopened(item, "skipped", self._context.now(), LATE)
            case Copy() if self._context.now() - asked_at > plan.MAX_AGE:
                return start.refuse(self._context, item, TOO_OLD)
            case Copy():
                return start.begin(self._context, item, inline=inline)
            case Continue():
                return hop.proceed(self._context, item)

    def _is_late(self, job: str) -> bool:
        """Return whether a copy belongs to a job of many objects that has ended: its records may be gone."""
        done = f"done/{bulk.parent_of(job)}"
        return bulk.is_child(job) and self._context.ask(self._records.get, done) is not None


def _left(item: Command | Refused) -> _Postponed:
    """Return a copy that was under way when time was over: it may have ended without an answer."""
    if not isinstance(item, Copy):
        raise Transient("NoAnswer", "an invocation's own work did not end in time", in_doubt=True)
    return _Postponed(msgspec.structs.replace(item, retried=True), has_failed=True)


def _destinations(item: Command | Refused) -> set[tuple[str, str]]:
    """Return the places that a copy may write, by bucket and key."""
    if not isinstance(item, Copy):
        return set()
    return {(each.destination.bucket, each.destination.key) for each in (item.request, *item.alternatives)}


def _sources(item: Command | Refused) -> set[tuple[str, str]]:
    """Return the places that a copy may read, by bucket and key."""
    if not isinstance(item, Copy):
        return set()
    return {(each.source.bucket, each.source.key) for each in (item.request, *item.alternatives)}


def hand_over(
    context: Context, records: Records, copies: Sequence[Copy], asked_at: float, parent: str, delay: int
) -> None:
    """Put copies on record as a list, then submit one continuation, to start after `delay` seconds.

    If that fails for the moment, the sweep does it. Transient if they cannot be put on record.
    `parent` tells it from other lists of these copies. Two deliveries that leave the same copies leave one.
    """
    jobs = " ".join(each.job for each in copies)
    name = "l-" + hashlib.sha256(f"{parent} {jobs}".encode()).hexdigest()[:32]
    waiting = Waiting(tuple(map(submit.dated, copies)), asked_at)
    context.ask(records.put_new, f"rest/{name}", msgspec.json.encode(waiting))
    try:
        submit.submit(context, Rest(name), delay)
    except Transient as error:  # it is on record
        context.log("leftToSweep", list=name, error=str(error))
    else:
        context.log("handedOver", list=name, copies=len(copies), delay=delay)


def drop(records: Records, name: str) -> None:
    """Forget a list, all copies of which are begun or on another one."""
    delete_all(records, f"gen/{name}/")
    records.delete(f"rest/{name}")
