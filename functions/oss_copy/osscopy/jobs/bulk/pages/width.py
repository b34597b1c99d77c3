"""When a range is split, and where: some workers are free, and more is left than is done soon.

Knows how many ranges are open, and pages; not what a split is in the log.
"""

from __future__ import annotations

from osscopy.jobs.bulk.pages.listing import Pages
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import BulkJob, Failed, Range, Transient
from osscopy.plan import bulk

SOON = 5.0  # seconds from one look at the open ranges to the next


class Width:
    """One hop's looks at whether to split its range. A search that finds nothing is put off twice as long."""

    def __init__(self, tools: Tools, job: BulkJob, whole: Range) -> None:
        self._clock, self._log = tools.context.clock, tools.context.log
        self._job, self._records = job.job, tools.of(job.job)
        self._workers, self._range = job.workers, whole
        self._wait, self._looked_at = SOON, self._clock.monotonic()
        self._wanted = 1

    def open_ranges(self) -> int:
        """Return how many ranges of the job are open."""
        return bulk.open_ranges(self._records.log.ended_names())

    def wants_pieces(self) -> bool:
        """Look once in a while; return whether to split what is left as soon as its rows are on record."""
        is_due = self._clock.monotonic() - self._looked_at >= self._wait
        if is_due and self._workers > 1 and self._wanted == 1:
            self._look()
        return self._wanted > 1

    def cuts(self, pages: Pages, low: str, *, at_once: bool) -> tuple[str, ...]:
        """Return where to cut what comes after `low`, if it is to be cut now. `at_once`: look first."""
        if at_once and self._workers > 1:
            self._look()
        wanted, self._wanted = self._wanted, 1
        if wanted == 1:
            return ()
        try:
            found = pages.cuts(low, wanted)
        except (Failed, Transient) as error:  # the walk asks the same, and judges it
            self._log("widthUnknown", job=self._job, error=str(error))
            found = ()
        self._wait *= 1 if found else 2
        return found

    def _look(self) -> None:
        self._looked_at = self._clock.monotonic()
        chance = self._clock.random()
        self._wanted = bulk.pieces_wanted(self._range, self.open_ranges(), self._workers, chance)
