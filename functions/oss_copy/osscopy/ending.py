"""How a copy ends: aborted, cancelled, examined, closed - and put on record.

Knows the rules for who may end an upload and how an outcome is named; not how a copy gets there. The upload
decides, not the record: Abort answered 204 means that we ended it; 404 means to examine the destination
before naming anything.
"""

from __future__ import annotations

import contextlib

import msgspec

from osscopy import plan, proof, results
from osscopy.model import (
    Continue,
    Copy,
    Done,
    Entered,
    Failed,
    Opened,
    OssCopyError,
    Problem,
    Refused,
    Result,
    Skipped,
    SourceChanged,
    Upload,
    UploadGone,
)
from osscopy.session import Session

CHANGED = ("SourceChanged", "the source was changed while it was copied")
UNKNOWN = (
    "OutcomeUnknown",
    "what was written is not known, and the destination does not show the copy: compare before copying again",
)


class Ending:
    """The ends a copy can come to in this invocation."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def close(self, copy: Copy | Continue | Opened, result: Result) -> Result:
        """Put the outcome on record; the one that is on record already is the outcome."""
        asked = copy.request if isinstance(copy, Copy) else plan.asked(copy.request, copy.pin)
        entry = Done(self._session.clock.nonce(), result, asked)
        return self._session.ask(lambda: self._session.journal.close(copy.job, entry)).result

    def cancelled(self, task: Continue) -> Result:
        """End the upload because somebody wants it; 404 may mean that it was completed first."""
        problem = None
        try:
            self.abort(task)
        except UploadGone:
            return self.examine(task, None)
        except Failed as error:
            problem = msgspec.structs.replace(Problem.of(error), message=self._unaborted(task, error))
        return self.close(task, results.ended(task, "cancelled", self._session.now(), problem))

    def fail(self, task: Continue, error: Refused | Failed) -> Result:
        """End the upload and report; Transient if that has to wait: an outcome on record ends the chain."""
        problem = Problem.of(error)
        try:
            self.abort(task)
            if isinstance(error, SourceChanged) and task.request.is_onto_itself:
                # what changed it may be a CopyObject of ours that nobody waited for any more
                found = proof.of_doubt(self._session, task.request, task.pin)
                if found is not None:
                    return self.close(task, results.simple(task, *found, None, self._session.now()))
        except UploadGone:
            return self.examine(task, error)
        except Failed as second:
            message = f"{error.message} ({self._unaborted(task, second)})"
            problem = msgspec.structs.replace(problem, message=message)
        return self.close(task, results.ended(task, "failed", self._session.now(), problem))

    def _unaborted(self, task: Continue, error: Failed) -> str:
        """What is said of an upload that cannot be aborted; the sweep tries again before it forgets."""
        self._session.log("abortFailed", **where(task), uploadId=task.upload.id, error=str(error))
        return f"upload {task.upload.id} could not be aborted: {error}"

    def skip(self, task: Continue, reason: Skipped) -> Result:
        """End the upload because the destination has come to be what the request does not overwrite."""
        try:
            self.abort(task)
        except UploadGone:
            return self.examine(task, Failed(*UNKNOWN))
        return self.close(task, results.ended(task, "skipped", self._session.now(), Problem.of(reason)))

    def leave(self, task: Continue, result: Result) -> Result:
        """The job is over. An upload that was opened after it ended has nobody else to end it."""
        if result.status != "succeeded":
            with contextlib.suppress(UploadGone):
                self.abort(task)
        return result

    def disown(self, task: Continue, error: Refused) -> Result:
        """The settings do not allow this copy (any more): end its upload, if it is on record as ours."""
        entered = self._session.ask(lambda: self._session.journal.entered(task.job))
        if entered is not None and entered.upload == task.upload:
            return self.fail(task, error)
        return results.ended(task, "failed", self._session.now(), Problem.of(error))

    def cancel(self, opened: Opened, entered: Entered | None) -> Result:
        """End a copy that has a `cancel/`; one that cannot be called cancelled yet is running.

        Who is about to open its upload reads that after `up/`, and ends what was opened. Who is about to ask
        for a CopyObject reads it right before; one that is under way, or had no answer, may still land.
        """
        if entered is not None:
            return self.cancelled(task_of(opened, entered.upload))
        result = msgspec.structs.replace(
            results.opened(opened), status="cancelled", finished_at=results.iso(self._session.now())
        )
        if opened.method == "simple":
            if (landed := self.landed(opened)) is not None:
                return landed
            if not self._is_settled(opened.job):
                return results.opened(opened)
            if self._is_written(opened):
                unknown = Problem.of(Failed(*UNKNOWN))
                result = msgspec.structs.replace(result, status="failed", error=unknown)
        return self.close(opened, result)

    def _is_settled(self, job: str) -> bool:
        """Whether nothing that was asked for before `cancel/` can land any more."""
        cancel = self._session.ask(lambda: self._session.journal.written("cancel", job))
        return cancel is not None and cancel[1] - cancel[0] >= self._session.limits.settle

    def _is_written(self, opened: Opened) -> bool:
        """Whether the destination may show something that this copy has written, whatever it is."""
        try:
            seen = self._session.destination(opened.request)
        except Failed as error:  # nobody can tell
            return error.code != "NoSuchBucket"
        return seen is not None and seen.last_modified >= opened.seen_at

    def landed(self, opened: Opened) -> Result | None:
        """The result of a CopyObject on record, if the destination shows what it was to write."""
        found = proof.of_doubt(self._session, opened.request, opened.pin)
        if found is None:
            return None
        return self.close(opened, results.simple(opened, *found, None, self._session.now()))

    def examine(self, task: Continue, error: OssCopyError | None) -> Result:
        """The upload is gone: whoever ended it, the destination tells the outcome, else `error` is it.

        `error` None: it was cancelled.
        """
        result = self.outcome(task, error)
        if result is None:
            unknown = Problem.of(Failed(*UNKNOWN))
            result = self.close(task, results.ended(task, "failed", self._session.now(), unknown))
        return result

    def outcome(self, task: Continue, error: OssCopyError | None) -> Result | None:
        """As `examine`, but None if nothing tells it: a Complete without an answer may yet show."""
        seen = proof.look(self._session, task.request, task.pin, None)
        if not plan.differences(task.pin, seen, task.upload.opened_at, None):
            return self.close(task, results.multipart(task, seen, None, self._session.now()))
        if error is None or self._session.is_cancelled(task.job):
            return self.close(task, results.ended(task, "cancelled", self._session.now(), None))
        if error.code == UNKNOWN[0]:
            if task.request.is_onto_itself or self._session.source_is_same(task):
                return None
            error = SourceChanged(*CHANGED)  # an earlier hop may have seen it, and died
        return self.close(task, results.ended(task, "failed", self._session.now(), Problem.of(error)))

    def abort(self, task: Continue) -> None:
        """Abort, and again while parts that were in flight bring the upload back.

        UploadGone: not surely ended by us. After a lost answer that may have been a Complete, too.
        """
        self._session.ask(lambda: self._session.store.abort(task.request, task.upload.id))
        self._session.log("aborted", **where(task), uploadId=task.upload.id)
        for _ in range(3):
            try:
                self._session.ask(lambda: self._session.store.list_parts(task.request, task.upload.id, 0))
                self._session.ask(lambda: self._session.store.abort(task.request, task.upload.id))
            except UploadGone:
                return


def task_of(opened: Opened, upload: Upload, generation: int = 0) -> Continue:
    """The first hop of a copy on record, in this generation."""
    return Continue(
        opened.job,
        opened.request,
        opened.started_at,
        opened.pin,
        upload,
        generation=generation,
        lane=1,
        hop=1,
        follows=opened.follows,
    )


def where(task: Continue) -> dict[str, object]:
    """What every log line about a chain says."""
    return {"job": task.job, "generation": task.generation, "lane": task.lane, "hop": task.hop}
