"""How a copy ends: aborted, cancelled, examined, closed - and put on record.

Knows the rules for who may end an upload and how an outcome is named; not how a copy gets there. The upload
decides, not the record: Abort answered 204 means that we ended it; 404 means to examine the destination
before naming anything.
"""

from __future__ import annotations

import contextlib

import msgspec

from osscopy import plan
from osscopy.copying import results, verify
from osscopy.copying.invocation.context import Session
from osscopy.model import (
    Conditions,
    Conflict,
    Continue,
    Copy,
    CopyRequest,
    Done,
    Entered,
    Failed,
    Opened,
    OssCopyError,
    Pin,
    Problem,
    Refused,
    Result,
    Skipped,
    SourceChanged,
    Upload,
    UploadGone,
)

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
        settle = self._settle(0 if isinstance(copy, Copy) else copy.settle)
        entry = Done(self._session.clock.nonce(), result, asked, settle)
        return self._session.ask(lambda: self._session.journal.close(copy.job, entry)).result

    def cancelled(self, task: Continue) -> Result:
        """End the upload because somebody wants it; 404 may mean that it was completed first.

        It is running as long as a CopyObject without an answer may land: the sweep looks again.
        """
        problem = None
        try:
            self.abort(task)
        except UploadGone:
            return self.outcome(task, None) or results.under_way(task, 0)
        except Failed as error:
            problem = msgspec.structs.replace(Problem.of(error), message=self._unaborted(task, error))
        if self._may_land(task):
            return self._shown(task) or results.under_way(task, 0)
        return self._call_cancelled(task, problem)

    def fail(self, task: Continue, error: Refused | Failed) -> Result:
        """End the upload and report; Transient if that has to wait: an outcome on record ends the chain."""
        if isinstance(error, Conflict) and (shown := self._own_copy(task)) is not None:
            return shown
        problem = Problem.of(error)
        try:
            self.abort(task)
            if isinstance(error, SourceChanged) and task.request.is_onto_itself:
                # what changed it may be a CopyObject of ours that nobody waited for any more
                found = verify.of_doubt(self._session, task.request, task.pin, task.not_before)
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
        if (shown := self._own_copy(task)) is not None:
            return shown
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
        result = results.unbegun(opened, "cancelled", self._session.now(), None)
        if opened.may_land and not self._is_waited_for(opened):
            if (landed := self.landed(opened)) is not None:
                return landed
            if not self._is_settled(opened.job, opened.settle):
                return results.opened(opened, self._session.now())
            if self._is_written(opened.request, opened.pin, opened.seen_at):
                unknown = Problem.of(Failed(*UNKNOWN))
                result = msgspec.structs.replace(result, status="failed", error=unknown)
        return self.close(opened, result)

    def _settle(self, known: int) -> int:
        """T_late: the longest that is known, since settings may have been changed meanwhile."""
        return max(known, self._session.limits.settle)

    def _is_settled(self, job: str, settle: int) -> bool:
        """Whether nothing that was asked for before `cancel/` can land any more."""
        cancel = self._session.ask(lambda: self._session.journal.written("cancel", job))
        return cancel is not None and cancel[1] - cancel[0] >= self._settle(settle)

    def _may_land(self, task: Continue) -> bool:
        """Whether a CopyObject from before the upload may land on a copy that is to be called cancelled."""
        return task.in_doubt and not self._is_settled(task.job, task.settle)

    def _shown(self, task: Continue) -> Result | None:
        """The result, if the destination shows the copy, or what a CopyObject without an answer made."""
        seen = verify.look(self._session, task.request, task.pin, None)
        if not plan.differences(task.pin, seen, task.not_before, None):
            return self.close(task, results.multipart(task, seen, None, self._session.now()))
        return self.landed(task) if task.in_doubt else None

    def _call_cancelled(self, task: Continue, problem: Problem | None) -> Result:
        """Nothing can land any more; what a CopyObject without an answer may have written is unknown."""
        if task.in_doubt and self._is_written(task.request, task.pin, task.not_before):
            unknown = Problem.of(Failed(*UNKNOWN))
            return self.close(task, results.ended(task, "failed", self._session.now(), unknown))
        return self.close(task, results.ended(task, "cancelled", self._session.now(), problem))

    def _own_copy(self, task: Continue) -> Result | None:
        """The result, if a CopyObject of ours has made what stands in the way: no upload is needed."""
        try:
            shown = self._shown(task) if task.in_doubt else None
        except Failed:  # it cannot be looked at
            return None
        if shown is None:
            return None
        with contextlib.suppress(UploadGone):
            self.abort(task)
        return shown

    def _is_waited_for(self, opened: Opened) -> bool:
        """Whether the source cannot be read yet, so that nothing can have been copied from it."""
        if not opened.restores:
            return False
        try:
            head = self._session.source(opened.request, Conditions())
        except Failed:  # nobody can tell
            return False
        return plan.must_wait(opened.request, head)

    def _is_written(self, request: CopyRequest, pin: Pin, since: int) -> bool:
        """Whether the destination may show something that this copy has written, whatever it is."""
        try:
            seen = self._session.destination(request)
        except Failed as error:  # nobody can tell
            return error.code != "NoSuchBucket"
        if seen is None or (request.is_onto_itself and plan.is_same_version(pin, seen)):
            return False
        return seen.last_modified >= since

    def landed(self, opened: Opened | Continue) -> Result | None:
        """The result of a CopyObject on record, if the destination shows what it was to write."""
        found = verify.of_doubt(self._session, opened.request, opened.pin, opened.not_before)
        if found is None:
            return None
        return self.close(opened, results.simple(opened, *found, None, self._session.now()))

    def examine(self, task: Continue, error: OssCopyError | None) -> Result:
        """The upload is gone: whoever ended it, the destination tells the outcome, else `error` is it.

        `error` None: it was cancelled.
        """
        result = self.outcome(task, error)
        if result is None and self._may_land(task) and self._session.is_cancelled(task.job):
            return results.under_way(task, 0)
        if result is None:
            unknown = Problem.of(Failed(*UNKNOWN))
            result = self.close(task, results.ended(task, "failed", self._session.now(), unknown))
        return result

    def outcome(self, task: Continue, error: OssCopyError | None) -> Result | None:
        """As `examine`, but None if nothing tells it: a write without an answer may yet show."""
        if (shown := self._shown(task)) is not None:
            return shown
        if error is None or self._session.is_cancelled(task.job):
            return None if self._may_land(task) else self._call_cancelled(task, None)
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
        settle=opened.settle,
        in_doubt=opened.may_land,
    )


def where(task: Continue) -> dict[str, object]:
    """What every log line about a chain says."""
    return {"job": task.job, "generation": task.generation, "lane": task.lane, "hop": task.hop}
