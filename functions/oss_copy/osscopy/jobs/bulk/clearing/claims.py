"""The records of a job's deletions but their log: the verdict, and who deletes what an entry will tell.

Knows names under `bulk/<job>/`; not what follows from a record.
"""

from __future__ import annotations

from osscopy.copying.invocation.context import Context
from osscopy.jobs.records import Records, create, list_all, read
from osscopy.model import Problem, Taken, Verdict
from osscopy.plan.bulk import Spot


class Claims:
    """The verdict and the claims of one job; each call is asked again while that may help."""

    def __init__(self, context: Context, records: Records, job: str) -> None:
        self._context, self._records = context, records
        self._at = f"bulk/{job}/"

    def verdict(self) -> Verdict | None:
        return self._context.ask(read, self._records, f"{self._at}verdict", Verdict)

    def judge(self, planned: int, problem: Problem | None) -> None:
        """Write whether what is planned may be deleted, unless somebody has."""
        entry = Verdict(self._context.clock.nonce(), planned, problem)
        self._context.ask(create, self._records, f"{self._at}verdict", entry)

    def taken(self, entry: int) -> tuple[tuple[Taken, int], ...]:
        """Return who has begun to delete what an entry will tell, in order, each with its age in seconds."""
        page = self._context.ask(list_all, self._records, f"{self._at}claim/{entry}/")
        found = ((self._context.ask(read, self._records, name, Taken), at) for name, at in page.entries)
        return tuple((each, page.seen_at - at) for each, at in found if each is not None)

    def take(self, entry: int, number: int, up_to: Spot, *, is_over: bool = False) -> bool:
        """Claim an entry, and the plan up to a spot, as the `number`th who does; False if one was faster."""
        mine = Taken(self._context.clock.nonce(), up_to.text, is_over)
        name = f"{self._at}claim/{entry}/{number:06}"
        return self._context.ask(create, self._records, name, mine).nonce == mine.nonce
