"""Forgetting what is over: deletes the records of a copy once no late effect of it can come any more.

Knows records, how long late effects are waited for, and what to look at before; not how a copy ends.
"""

from __future__ import annotations

import contextlib

from osscopy import plan
from osscopy.copying import follow_up, outcome
from osscopy.copying.invocation.context import Context
from osscopy.copying.outcome import task_of
from osscopy.jobs.journal import RecordJournal
from osscopy.jobs.orphans import Orphans
from osscopy.jobs.records import Records, delete_all
from osscopy.model import Done, Entered, Failed, Head, Opened, UploadGone


class Cleaner:
    """One sweep's means to end what a closed copy may have left, and to forget it."""

    def __init__(self, context: Context, journal: RecordJournal) -> None:
        self._context = context
        self._journal = journal
        self.orphans = Orphans(context, journal)

    def forget(self, opened: Opened, done: Done, opened_at: int, now: int) -> bool:
        """Delete the records of a copy that is over, once nothing of it can take effect; False: not yet.

        Before that, abort its upload once more, abort orphan uploads on its key, and look at the source if a
        rule made the copy.
        """
        closed = self._context.ask(self._journal.written, "done", opened.job)
        settle = max(self._context.limits.settle, opened.settle, done.settle)  # settings change
        if closed is None or now - closed[0] < settle:
            return False
        entered = self._context.ask(self._journal.entered, opened.job)
        window = range(opened_at - 1, closed[0] + settle + 1)
        if not self._end_uploads(opened, entered, window, settle):
            return False
        if done.result.status != "cancelled":
            self._follow_up(opened, done, closed[0], is_late=now - opened_at > plan.MAX_AGE)
        self._context.ask(delete_records, self._journal.records, opened.job)
        return True

    def _end_uploads(self, opened: Opened, entered: Entered | None, window: range, settle: int) -> bool:
        """Abort the uploads of this copy; False if one may still be open. With its bucket all are gone."""
        try:
            if entered is not None:
                with contextlib.suppress(UploadGone):
                    outcome.abort(self._context, task_of(opened, entered.upload))
            return self.orphans.abort(opened, entered, window, settle)
        except Failed as error:
            if error.code != "NoSuchBucket":
                raise
            return True

    def _follow_up(self, opened: Opened, done: Done, closed_at: int, *, is_late: bool) -> None:
        """Look at the source once more; Failed if that is refused, unless it `is_late` by now.

        Look at the destination too: a delivery at the same time, unknown to the one on record, may have died
        in a CopyObject of an older version. A follow-up needs no such look: its one version is on record
        before it begins. And two rules with one destination would undo each other's copies for ever.
        """
        left = done.left if opened.follows == 0 else None

        def is_other(shown: Head) -> bool:
            return left is None or shown.etag != left.etag or shown.last_modified > closed_at

        try:
            follow_up.follow(
                self._context,
                opened.job,
                opened.request,
                opened.pin,
                opened.follows,
                opened.origin,
                certain=not opened.uncertain,
                again=is_other if left else None,
            )
        except Failed as error:
            if not is_late:
                raise
            self._context.log("notFollowed", job=opened.job, error=str(error))


def delete_records(records: Records, job: str) -> None:
    """Delete what is on record of a copy, `open/` last: if that is cut short, the job is found again."""
    for kind in ("gen", "hop", "note"):
        delete_all(records, f"{kind}/{job}/")
    records.delete(f"up/{job}")
    records.delete(f"open/{job}")
