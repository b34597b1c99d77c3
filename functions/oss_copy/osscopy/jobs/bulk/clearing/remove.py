"""The deletion of a batch of planned objects: two fresh looks at each, then one DeleteObject.

Knows requests; not claims and entries. An object goes only if a listing of its own shows the destination as
it was planned, and HEAD says that the source has no such key. A deletion is never sent twice without looks in
between, nor after one without an answer: that one may yet take effect.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from osscopy.jobs.bulk.pages import looks
from osscopy.jobs.bulk.pages.rate import Rate
from osscopy.jobs.bulk.tools import Tools, maker
from osscopy.model import BulkJob, CopyRequest, Failed, ListedObject, Problem, Row, Transient
from osscopy.plan import bulk

LOOKS = 3  # at an object, where OSS asks for patience or answers slowly
FRESH = 1.0  # seconds that a look counts
MOST_RATE = 2000  # deletions a second
REQUESTS = 3  # of one deletion
NOT_ALLOWED = Problem("NotAllowed", "ALLOWED_DESTINATIONS does not name this object any more")
EXISTS = {"SymlinkTargetNotExist", "InvalidTargetType"}  # HEAD of a symlink that leads nowhere


class Remover:
    """One invocation's deletions. `in_doubt`: one of the last batch had no answer."""

    def __init__(self, tools: Tools, job: BulkJob) -> None:
        self._tools, self._context, self._request = tools, tools.context, job.request
        self._records, self._makes = tools.of(job.job), maker(job)
        self._until = tools.work_until
        self._rate = Rate(tools.context.clock)
        asked = job.request.max_rate
        self._rate.share = min(MOST_RATE, asked / REQUESTS) if asked else MOST_RATE
        self._is_stopped = False
        self.in_doubt = False

    def rows(self, batch: Sequence[Row], why: Problem | None) -> list[Row | None]:
        """Return the rows of planned objects in their order; None where one has none for now.

        `why`: nothing is deleted, since an earlier hop has begun to; only what is gone is told as that.
        """
        found: list[Row | None] = [None] * len(batch)
        ended: set[int] = set()
        self.in_doubt = self._is_stopped = False

        def work(number: int) -> None:
            if not self._is_stopped and self._rate.wait(1, self._until):
                found[number] = self._row(batch[number], why)
            ended.add(number)

        tasks = [functools.partial(work, number) for number in range(len(batch))]
        self._context.at_once(tasks, self._until)
        self.in_doubt = self.in_doubt or len(ended) < len(batch)
        return list(found)  # what ends later is not told any more

    def _row(self, planned: Row, why: Problem | None) -> Row | None:
        """Return the row of one object; None if it is to be looked at again later."""
        try:
            return self._left(planned, why) if why else self._removed(planned)
        except Transient:
            return None
        except Failed as error:
            problem = Problem.of(error)
            if why is None and error.code != "FileImmutable":  # a retention policy keeps this one alone
                self._is_stopped = True
                self._records.stop(problem)
            return bulk.kept(planned, problem, error.status)

    def _left(self, planned: Row, why: Problem) -> Row:
        """Return the row of an object that an earlier hop may have deleted, and nobody deletes any more."""
        there = self._there(planned)
        return bulk.deleted(planned, "AlreadyGone") if there is None else bulk.kept(planned, why)

    def _removed(self, planned: Row) -> Row | None:
        """Look at both sides and delete, some times where that may help."""
        request = self._makes.of_row(planned)
        if not self._context.is_allowed(request):
            return bulk.kept(planned, NOT_ALLOWED)
        for _ in range(LOOKS):
            begun = self._context.clock.monotonic()
            row = self._looked_at(planned, request)
            if row is not None:
                return row
            if self._context.clock.monotonic() - begun < FRESH and self._is_sent(request):
                return bulk.deleted(planned)
            if self._context.clock.monotonic() >= self._until:
                return None
        return None

    def _is_sent(self, request: CopyRequest) -> bool:
        """Send one DeleteObject; False where it has had no effect. Transient if nobody knows."""
        there, pays = request.destination, self._request.request_payer
        attempts = self._context.attempts(self._until)
        try:
            attempts.once(lambda: self._tools.objects.remove(there.bucket, there.key, pays=pays))
        except Transient as error:
            if error.in_doubt:
                self.in_doubt = True
                raise
            attempts.pause(error)
            return False
        return True

    # --- looks -----------------------------------------------------------------------------------------

    def _looked_at(self, planned: Row, request: CopyRequest) -> Row | None:
        """Return the row of an object that is not to be deleted, as both sides show it now; else None."""
        there = self._there(planned)
        if there is None:
            return bulk.deleted(planned, "AlreadyGone")
        return bulk.judge(planned, there, has_source=self._has_source(request))

    def _has_source(self, request: CopyRequest) -> bool:
        try:
            return looks.source(self._context, request) is not None
        except Failed as error:
            if error.code not in EXISTS:
                raise
            return True

    def _there(self, planned: Row) -> ListedObject | None:
        """Return what a listing shows at the destination: also of a symlink, of which HEAD tells another."""
        bucket, key = self._request.destination.bucket, planned.destination_key
        pays = self._request.request_payer
        page = self._context.ask(self._tools.objects.page, bucket, key, "", 1, pays=pays)
        return next((each for each in page.objects if each.key == key), None)
