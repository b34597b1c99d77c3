"""One look at what is to be told: each outcome on record is told in every way, then `told/` is written.

Knows records, ways and the order: outcome, message, `told/<way>/<job>`, and last `tell/<job>` is deleted. So
a message comes at least once, and twice only where an invocation dies between a message and its record. A way
that takes no message is left alone until the next look; after a day an outcome is given up.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Protocol

import msgspec

from osscopy import events, plan
from osscopy.copying.invocation.context import Context
from osscopy.jobs.records import PAGE, Records, read
from osscopy.model import (
    BulkDone,
    Done,
    Misconfigured,
    OssCopyError,
    Tell,
    ToldCounts,
    Transient,
)
from osscopy.plan.telling import news

PAGES = 3  # of a look: with one message for each further one, robots take what two looks send
ATTEMPTS = 2  # at one message
LEAST = 10.0  # seconds that are left where another message is begun; less in a short invocation


class Way(Protocol):
    """A way in which somebody is told."""

    name: str

    def send(self, message: news.News) -> None:
        """Send one message; OssCopyError if it was not taken, or may not have been."""


class _Due(msgspec.Struct):
    """An outcome that is to be told. `result` None: it is not on record yet. `told`: ways that are done."""

    job: str
    age: int
    result: news.Outcome | None
    told: set[str]


class Look:
    """One invocation's look at what is to be told."""

    def __init__(
        self, context: Context, records: Records, ways: Sequence[Way], on: news.On, sender: news.Sender
    ) -> None:
        self._context = context
        self._records = records
        self._ways = ways
        self._on = on
        self._sender = sender
        self._silent: set[str] = set()  # ways that have not taken a message
        self._counts: Counter[str] = Counter()

    def run(self) -> ToldCounts:
        """Tell all that is to be told, as far as time goes; another look follows where it does not."""
        after, told, is_last = "", 0, False
        while not is_last and told < PAGES and self._has_time():
            page = self._context.ask(self._records.page, "tell/", after, PAGE)
            told += self._tell(self._look(page.entries, page.seen_at), own=0 if told else news.OWN)
            is_last = len(page.entries) < PAGE
            after = after if is_last else page.entries[-1][0]
        if not is_last and not self._silent:
            window, delay = news.window_of(self._context.now())
            self._context.submit(news.task_of(window), events.encode(Tell()), delay)
        counts = self._counts
        return ToldCounts(counts["told"], counts["left"], counts["given up"], not is_last)

    def _has_time(self) -> bool:
        return self._context.seconds_left() > min(LEAST, 0.4 * self._context.limits.timeout)

    # --- looking ---------------------------------------------------------------------------------------

    def _look(self, entries: Sequence[tuple[str, int]], now: int) -> list[_Due]:
        """Return what is to be told, jobs of many objects first; what cannot be read is left out."""
        found: list[_Due] = []

        def look(job: str, written: int) -> None:
            try:
                found.append(_Due(job, now - written, self._outcome(job), self._ways_told(job)))
            except Misconfigured as error:
                self._context.log("unreadableRecord", job=job, error=str(error))

        names = [(name.removeprefix("tell/"), written) for name, written in entries]
        known = [each for each in names if re.fullmatch(plan.JOB, each[0])]
        self._context.at_once([partial(look, *each) for each in known])
        return sorted(found, key=lambda each: (each.job[:1] != "b", each.job))

    def _outcome(self, job: str) -> news.Outcome | None:
        """Return how a job has ended, None if that is not on record."""
        kind: type[Done | BulkDone] = BulkDone if re.fullmatch(plan.BULK_JOB, job) else Done
        done = self._context.ask(read, self._records, f"done/{job}", kind)
        return None if done is None else done.result

    def _ways_told(self, job: str) -> set[str]:
        names = [each.name for each in self._ways]
        return {name for name in names if self._context.ask(self._records.get, f"told/{name}/{job}")}

    # --- telling ---------------------------------------------------------------------------------------

    def _tell(self, due: Sequence[_Due], own: int) -> bool:
        """Tell a page of outcomes by `own` messages or one, and forget them; return if there were any."""
        wanted = [each for each in due if self._is_wanted(each)]
        for way in self._ways:
            here = [each for each in wanted if way.name not in each.told]
            alone = here if len(here) <= own else here[: max(0, own - 1)]
            for each in alone:
                self._send(way, [each])
            if rest := here[len(alone) :]:
                self._send(way, rest)
        self._context.at_once([partial(self._forget, each) for each in due if self._is_over(each)])
        return bool(wanted)

    def _is_wanted(self, due: _Due) -> bool:
        """Return whether the outcome on record, which may be another one's, is told at all."""
        if due.result is None:
            return False
        return news.is_told(self._on, due.job, due.result.status, by_rule=False)

    def _send(self, way: Way, due: Sequence[_Due]) -> None:
        """Send one message about these outcomes, and put on record that it was sent."""
        if way.name in self._silent or not self._has_time():
            return
        results = [each.result for each in due if each.result is not None]
        message = self._sender.of_one(results[0]) if len(due) == 1 else self._sender.of_many(results)
        if not self._is_taken(way, message):
            self._silent.add(way.name)
            return
        self._context.at_once([partial(self._put_told, way.name, each) for each in due])
        self._context.log("told", way=way.name, jobs=len(due), job=due[0].job)

    def _is_taken(self, way: Way, message: news.News) -> bool:
        for attempt in range(ATTEMPTS):
            try:
                way.send(message)
            except OssCopyError as error:
                if isinstance(error, Transient) and attempt + 1 < ATTEMPTS and self._has_time():
                    continue
                self._context.log("notTold", way=way.name, error=str(error))
                return False
            return True
        return False

    def _put_told(self, way: str, due: _Due) -> None:
        self._context.ask(self._records.put_new, f"told/{way}/{due.job}", b"{}")
        due.told.add(way)

    # --- forgetting ------------------------------------------------------------------------------------

    def _is_over(self, due: _Due) -> bool:
        """Count an outcome; return whether it is told, or is not to be, or is given up."""
        if due.result is not None and not self._is_wanted(due):
            return True
        if due.result is not None and len(due.told) == len(self._ways):
            self._counts["told"] += 1
            return True
        # what has no outcome is given up when it is older than any copy
        if due.age < (2 * plan.MAX_AGE if due.result is None else news.GIVE_UP):
            self._counts["left"] += 1
            return False
        self._counts["given up"] += 1
        self._context.log("notTold", job=due.job, error=f"given up after {due.age} s")
        return True

    def _forget(self, due: _Due) -> None:
        self._context.ask(self._records.delete, f"tell/{due.job}")
