"""The copies of one event, one after another, and the rest of them where time is short.

Knows lists of commands, their records and submissions; how a copy is done is the engine's business. What
there is no time for is put on record as one list and handed over as one continuation: so it is never too
large for a payload, and not lost if FC loses that, since the sweep hands it over again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from osscopy import events, plan
from osscopy.copying import results
from osscopy.copying.invocation.context import Session
from osscopy.copying.start import Engine
from osscopy.jobs.journal import RecordJournal
from osscopy.model import (
    Command,
    Continue,
    Copy,
    Failed,
    Misconfigured,
    Refused,
    Rest,
    Result,
    Transient,
    Waiting,
)

Note: TypeAlias = Callable[[Result], Result]

TOO_OLD = Failed("TooOld", f"not begun {plan.MAX_AGE} s after it was asked for")


class Batch:
    """One invocation's work on many copies. `note` logs a result and gives it back."""

    def __init__(self, session: Session, engine: Engine, journal: RecordJournal, note: Note) -> None:
        self._session = session
        self._engine = engine
        self._journal = journal
        self._note = note

    def run(self, items: Sequence[Command | Refused]) -> tuple[Result, ...]:
        """A result for every item of an event; see `_work`."""
        return self._work(items, "", self._session.now())

    def resume(self, rest: Rest, *, retried: bool) -> tuple[Result, ...]:
        """Go on with a list on record; it is forgotten once each copy has a result or is on a new list."""
        waiting = self._session.ask(self._journal.waiting, rest.list)
        if waiting is None:  # another delivery has done it, and a sweep may not have seen that
            self._session.ask(self._journal.drop, rest.list)
            return ()
        copies = waiting.copies
        if retried or rest.generation or rest.drops:
            copies = tuple(each.delivered_again() for each in copies)
        found = self._work(copies, rest.list, waiting.asked_at)
        self._session.ask(self._journal.drop, rest.list)
        return found

    def _work(self, items: Sequence[Command | Refused], parent: str, asked_at: float) -> tuple[Result, ...]:
        """A result for every item; `running` for those that another invocation goes on with.

        Large copies get chains of their own, and a bad item stops no other. What fails for the moment comes
        last, once more. Each invocation works on one item at least, so that lists grow shorter. Transient if
        the rest cannot be put on record, or, of an item that stands alone, if it may work later. A copy whose
        record cannot be read has failed as far as this version can tell.
        """
        found: list[Result] = []
        rest: list[Copy] = []
        again: list[Copy] = []
        left: list[Result] = []
        for position, item in enumerate(items):
            if isinstance(item, Copy) and position and self._session.is_short_of_time():
                rest.append(item)
                left.append(self._left(item))
                found.append(left[-1])
                continue
            try:
                found.append(self._one(item, asked_at, inline=len(items) == 1))
            except Transient as error:
                if not isinstance(item, Copy) or len(items) == 1:
                    raise
                self._session.log("again", job=item.job, error=str(error))
                again.append(msgspec.structs.replace(item, retried=True))  # it may have ended, unheard
                left.append(self._left(item))
                found.append(left[-1])
            except Misconfigured as error:
                if not isinstance(item, Copy) or error.code != "UnreadableRecord":
                    raise
                # of another version, which goes on with it: no other copy is to wait for that
                found.append(self._note(results.unopened(item, "failed", self._session.now(), error)))
        if left:
            delay = 0 if len(left) < len(items) else plan.STANDSTILL
            hand_over(self._session, self._journal, (*rest, *again), asked_at, parent, delay)
            for result in left:  # said now that it is so
                self._note(result)
        return tuple(found)

    def _one(self, item: Command | Refused, asked_at: float, *, inline: bool) -> Result:
        match item:
            case Refused():
                return self._note(results.refused(item))
            case Copy() if self._session.now() - asked_at > plan.MAX_AGE:
                return self._note(self._engine.give_up(item, TOO_OLD))
            case Copy():
                return self._note(self._engine.start(item, inline=inline))
            case Continue():
                return self._note(self._engine.proceed(item))

    def _left(self, copy: Copy) -> Result:
        return results.unopened(copy, "running", self._session.now(), None)


def hand_over(
    session: Session, journal: RecordJournal, copies: Sequence[Copy], asked_at: float, parent: str, delay: int
) -> None:
    """Put copies on record as a list, then submit one continuation, to start after `delay` seconds.

    If that fails for the moment, the sweep does it. Transient if they cannot be put on record.
    `parent` tells it from other lists of these copies. Two deliveries that leave the same copies leave one.
    """
    jobs = " ".join(each.job for each in copies)
    name = "l-" + hashlib.sha256(f"{parent} {jobs}".encode()).hexdigest()[:32]
    waiting = Waiting(tuple(map(_once_more, copies)), asked_at)
    session.ask(journal.leave, name, waiting)
    try:
        session.submit(f"{name}-g0", events.encode(Rest(name)), delay)
    except Transient as error:  # it is on record
        session.log("leftToSweep", list=name, error=str(error))
    else:
        session.log("handedOver", list=name, copies=len(copies), delay=delay)


def _once_more(copy: Copy) -> Copy:
    """As another invocation takes it on: one before it may have come, or had begun."""
    asked = int(results.unix(copy.started_at)) - plan.CLOCK_MARGIN
    return copy if copy.since is not None else msgspec.structs.replace(copy, since=asked)
