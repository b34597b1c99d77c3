"""The parts that one hop copies: those that its lane lacks, and then those that others have not begun.

Knows listings and times; `plan.lanes` chooses the parts.
"""

from __future__ import annotations

from collections.abc import Iterable

from osscopy import plan
from osscopy.copying.invocation import listing
from osscopy.copying.invocation.context import Context
from osscopy.model import Continue, Part, PartPage

FIRST_PAUSE = 0.5  # seconds until the first look for what was in flight at the hop before


class Supply:
    """The supply of one hop. `listed`: the parts of all lanes when it began; `slowest`: seconds of a part.

    `before`: the number of parts that were there then.
    """

    def __init__(self, context: Context, task: Continue, listed: PartPage, slowest: float) -> None:
        self._context = context
        self._task = task
        self._listed = listed
        self._now, self._since = listed.seen_at, context.clock.monotonic()
        self._threads = context.parallel(task.request)
        self._in_flight = plan.numbers_of(task.in_flight)
        self._given: set[int] = set()  # numbers of all parts that this hop copies, or has copied
        self.slowest = slowest
        self.before = self.done()
        self._numbers = plan.lane_numbers(task.upload.parts, task.upload.lanes, task.lane)

    @property
    def has_given(self) -> bool:
        """Tell whether there was a part to copy."""
        return bool(self._given)

    def now(self) -> float:
        """Return the time by OSS's clock (Unix seconds)."""
        return self._now + self._context.clock.monotonic() - self._since

    def first(self) -> tuple[Part, ...]:
        """Return the parts to begin with, as the first listing shows them; none as for `more`."""
        return self._give(_chosen(self._view()) or self._awaited())

    def more(self, slowest: float) -> tuple[Part, ...]:
        """List once more, and return further parts to copy; none if there is nothing to begin.

        `slowest`: seconds that a part takes.
        """
        self.slowest = slowest
        return self._give(self._further() or self._awaited())

    def missing(self) -> list[int]:
        """Return the numbers of the own lane that the last listing lacks."""
        return self._view().lacking[self._task.lane]

    def done(self, copied: Iterable[Part] = ()) -> int:
        """Return how many parts of all lanes are there: those that the last listing shows, and `copied`."""
        there = {part.number for part in self._listed.parts}
        return len(there.union(part.number for part in copied))

    def _view(self) -> plan.View:
        now = self.now()
        spared = self._in_flight if now < self._task.leave_until else frozenset()
        listed = self._listed.parts
        return plan.view(self._task, listed, now, self._threads, self.slowest, self._given, spared)

    def _give(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        self._given.update(part.number for part in parts)
        return parts

    def _further(self) -> tuple[Part, ...]:
        """Return parts of the own lane, or of another one.

        A chain that is alone lists again only where it waits for parts of the hop before.
        """
        view = self._view()
        if self._task.upload.lanes > 1 or self._in_flight:
            view = self._look(view)
        return _chosen(view)

    def _awaited(self) -> tuple[Part, ...]:
        """Wait for parts that were in flight at the hop before; return what is to be copied then."""
        parts: tuple[Part, ...] = ()
        pause = FIRST_PAUSE
        while not parts and self._waits(pause):
            self._context.clock.sleep(pause)
            pause, parts = 2 * pause, self._further()
        return parts

    def _look(self, view: plan.View) -> plan.View:
        """List the own lane, or all if it has no part to begin; return what that shows."""
        numbers = self._numbers if view.free(self._task.lane) else range(1, self._task.upload.parts + 1)
        fresh = listing.parts(self._context, self._task, numbers.start - 1, numbers.stop - 1)
        kept = (part for part in self._listed.parts if part.number not in numbers)
        self._listed = PartPage((*kept, *fresh.parts), None, fresh.seen_at)
        return self._view()

    def _waits(self, pause: float) -> bool:
        """Return whether parts of the hop before are not there yet, and there is time to look for them."""
        outstanding = self._in_flight.intersection(self.missing()) - self._given
        has_time = self._context.clock.monotonic() + 2 * pause < self._context.submit_by
        return bool(outstanding) and has_time


def _chosen(view: plan.View) -> tuple[Part, ...]:
    return plan.own_parts(view) or plan.parts_of_others(view)
