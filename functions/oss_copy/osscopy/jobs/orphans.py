"""Orphan uploads: an Initiate without an answer leaves one, and no record names it.

Knows the open uploads of one key and the records of all copies to it; not when a copy is over. OSS cannot
label an upload. One is aborted only if it has exactly the key of the copy, was initiated while the copy was
open, has no parts, is named in no `up/`, is older than anything that could still use it, and no other copy to
that key is open. One that may be ours or not is reported.
"""

from __future__ import annotations

import contextlib

from osscopy.copying.invocation.context import Context
from osscopy.jobs.journal import RecordJournal
from osscopy.model import Doubt, Entered, Opened, UploadGone
from osscopy.plan import keys

MAX_RIVALS = 1000  # open copies to one destination that are looked at
MOST_DOUBTS = 100  # in one report; all are logged


class Orphans:
    """The orphan uploads that one sweep `aborted`, and its `doubts`: uploads that it only reports."""

    def __init__(self, context: Context, journal: RecordJournal) -> None:
        self._context = context
        self._journal = journal
        self.aborted = 0
        self.doubts: list[Doubt] = []

    def abort(self, opened: Opened, entered: Entered | None, window: range, settle: int) -> bool:
        """Abort the orphan uploads of this copy; False if one of its uploads is or may be left for now.

        `window`: when it may have initiated one (Unix seconds); `settle`: how long one may still be used.
        """
        page = self._context.ask(self._context.store.uploads, opened.request)
        is_settled = True
        for upload in page.uploads:
            if entered is not None and upload.id == entered.upload.id:
                is_settled = False  # a part that was in flight has brought it back
            elif upload.initiated not in window:
                continue
            elif page.seen_at - upload.initiated < settle or self._has_rival(opened, upload.id):
                is_settled = False
            elif not self._abort_empty(opened, upload.id):
                self._report(opened, upload.id, "it has parts, and no record names it")
        return is_settled

    def _has_rival(self, opened: Opened, upload_id: str) -> bool:
        """Return whether another open copy to the same key has this upload, or may be about to."""
        group = keys.job_group(opened.request)
        page = self._context.ask(self._journal.page, "open", "", MAX_RIVALS, start=group)
        return any(self._is_rival(job, opened, upload_id) for job, _ in page.entries if job != opened.job)

    def _is_rival(self, job: str, opened: Opened, upload_id: str) -> bool:
        rival = self._context.ask(self._journal.opened, job)
        if rival is None or rival.request.destination != opened.request.destination:
            return False
        entered = self._context.ask(self._journal.entered, job)
        if entered is not None:
            return entered.upload.id == upload_id
        return self._context.ask(self._journal.done, job) is None

    def _abort_empty(self, opened: Opened, upload_id: str) -> bool:
        """Abort an upload, unless it has parts: False."""
        store, request = self._context.store, opened.request
        with contextlib.suppress(UploadGone):
            if self._context.ask(store.list_parts, request, upload_id, 0).parts:
                return False
            self._context.ask(store.abort, request, upload_id)
            self.aborted += 1
            self._context.log("orphanAborted", job=opened.job, uploadId=upload_id)
        return True

    def _report(self, opened: Opened, upload_id: str, why: str) -> None:
        destination = opened.request.destination
        self._context.log("doubt", job=opened.job, destination=destination, uploadId=upload_id, why=why)
        if len(self.doubts) < MOST_DOUBTS:
            self.doubts.append(Doubt(destination.bucket, destination.key, upload_id, why))
