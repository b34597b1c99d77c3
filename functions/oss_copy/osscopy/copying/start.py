"""Carries one copy forward, by the steps that `plan` decides and in the order the protocol asks for.

Knows nothing of SDKs, of trigger events or of the environment. One Engine serves one invocation. What it
promises: the destination shows what it showed before or the complete copy; a copy that cannot be finished
leaves no upload open; nothing is called succeeded without evidence. A final refusal is returned as a Result;
Transient is raised.

Order of effects of a multipart copy: HEAD source, `open/`, read `done/`, Initiate, `up/`, read `done/` and
`cancel/`, parts, join the threads, fresh ListParts, HEAD source, read `done/` and `cancel/`, Complete, HEAD
destination, HEAD source, `done/`. Owner and canceller each write their own record first and then read the
other's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import msgspec

from osscopy import events, plan
from osscopy.copying import follow_up, restore, results, verify
from osscopy.copying.invocation.context import Session
from osscopy.copying.invocation.workers import Crew
from osscopy.copying.outcome import CHANGED, UNKNOWN, Ending, task_of, where
from osscopy.copying.simple import InParts, Outcome, SimpleCopy
from osscopy.model import (
    Acl,
    Conditions,
    Conflict,
    Continue,
    Copy,
    CopyRequest,
    Entered,
    Failed,
    Head,
    ListedPart,
    Opened,
    OssCopyError,
    Part,
    Pin,
    Problem,
    Refused,
    Result,
    Skipped,
    SourceChanged,
    Transient,
    Upload,
    UploadGone,
    Written,
)
from osscopy.plan import keys

# What may be refused of a copy that is on record as open: by its continuation's size, or by a lower timeout.
_AFTER_RECORDS = {"RequestTooLarge", "TimeoutTooShort"}


class Engine:
    """One invocation's worth of work on copies."""

    def __init__(self, session: Session, ending: Ending) -> None:
        self._session = session
        self._ending = ending

    # --- entry -----------------------------------------------------------------------------------------

    def start(self, copy: Copy, *, inline: bool = True) -> Result:
        """Begin a copy. Not `inline`: only what one CopyObject does is done here, the rest is handed over."""
        try:
            return self._start(copy, inline=inline)
        except Refused as error:
            result = results.unopened(copy, "failed", self._session.now(), error)
            if error.code in _AFTER_RECORDS:
                return self._unbegun(copy, result)
            on_record = copy.keep or copy.generation  # as running
            return self._ending.close(copy, result) if on_record else result
        except Failed as error:
            return self._unbegun(copy, results.unopened(copy, "failed", self._session.now(), error))
        except Skipped as error:
            return self._unbegun(copy, results.unopened(copy, "skipped", self._session.now(), error))

    def proceed(self, task: Continue) -> Result:
        """Work on the next batch of a multipart copy."""
        try:
            self._session.allow(task.request)
            if self._is_superseded(task):
                return results.under_way(task, 0)
            return self._advance(task)
        except Refused as error:
            return self._ending.disown(task, error)
        except Failed as error:  # the upload has ended, but the destination cannot be looked at
            return self._ending.close(
                task, results.ended(task, "failed", self._session.now(), Problem.of(error))
            )

    def give_up(self, copy: Copy, error: Failed) -> Result:
        """The result of a copy that is not to be begun; one that has been begun goes on."""
        return self._unbegun(copy, results.unopened(copy, "failed", self._session.now(), error))

    def hand_over(self, copy: Copy) -> Result:
        """Let an invocation of its own begin this copy."""
        since = int(results.unix(copy.started_at)) - plan.CLOCK_MARGIN
        copy = msgspec.structs.replace(copy, since=since if copy.since is None else copy.since)
        self._session.submit(f"{copy.job}-g{copy.generation}-l1-h1", events.encode(copy), 0)
        return results.unopened(copy, "running", self._session.now(), None)

    # --- beginning -------------------------------------------------------------------------------------

    def _start(self, copy: Copy, *, inline: bool) -> Result:
        copy = self._allowed(copy)
        comes_again = copy.may_be_on_record or copy.since is not None
        if comes_again and (done := restore.outcome(self._session, copy)) is not None:
            return done
        try:
            request, head = self._find_source(copy)
            plan.check_found(request, head)
            # from here on what a symlink points to is the source, pinned and proved as any other object
            request, head = self._session.follow(request, head, request.conditions)
        except (Failed, Skipped) as error:
            if (made := self._made_of_what_was(copy, error)) is None:
                raise
            return made
        copy = msgspec.structs.replace(copy, request=request, alternatives=(), event_etag=None)
        limits = self._session.limits
        method = plan.method(request, head, limits.threshold, limits.timeout)
        opened = self._opened(copy.job) if copy.may_be_on_record or method != "multipart" else None
        may_land = copy.may_land_late and method != "multipart" and not plan.must_wait(request, head)
        if may_land and opened is None:
            opened = self._simple(copy, head).put_on_record()
        try:
            if (made := self._made_before(copy, head, opened)) is not None:
                return made
            self._judge(copy, head)
        except (Conflict, Skipped):
            if (made := self._shown_already(copy, head)) is None:
                raise
            return made
        try:
            return self._carry_out(copy, head, method, opened, inline=inline)
        except (Conflict, Skipped):
            # what stands in the way came after our look: if it is the copy, another delivery has made it
            since = head.seen_at if copy.since is None else copy.since
            known = msgspec.structs.replace(copy, since=since)
            if (made := self._shown_already(known, head)) is None:
                raise
            return made

    def _carry_out(
        self, copy: Copy, head: Head, method: plan.Method, opened: Opened | None, *, inline: bool
    ) -> Result:
        """Copy what `head` shows by `method`, unless it is archived or cancelled."""
        if plan.must_wait(copy.request, head):
            return restore.wait(self._session, copy, head, method)
        if opened is not None:
            method = plan.method_on_record(opened, head, method)
            copy = msgspec.structs.replace(copy, keep=True)
        if method == "multipart":
            return self._start_upload(copy, head, opened, inline=inline, in_doubt=False)
        if copy.may_be_on_record and self._session.is_cancelled(copy.job):
            return self._cancel_simple(copy, head)
        match self._copy_simply(copy, head, method, inline=inline):
            case InParts(in_doubt=in_doubt):
                return self._go_on_in_parts(copy, head, opened, inline=inline, in_doubt=in_doubt)
            case result:
                return result

    def _allowed(self, copy: Copy) -> Copy:
        """The copy with those readings of its key that the allow lists name; Refused if that is none."""
        readings = (copy.request, *copy.alternatives)
        allowed = [each for each in readings if self._session.is_allowed(each)]
        request = allowed[0] if allowed else copy.request
        self._session.allow(request)
        return msgspec.structs.replace(copy, request=request, alternatives=tuple(allowed[1:]))

    def _find_source(self, copy: Copy) -> tuple[CopyRequest, Head]:
        """HEAD the source; an OSS event's key may be raw or encoded, and its ETag tells which is meant."""
        request = copy.request
        try:
            head = self._session.source(request, request.conditions)
        except Failed as error:
            if error.code != "NoSuchKey" or (other := self._find_reading(copy, is_needed=True)) is None:
                raise
            return other
        if head.etag != copy.event_etag and (other := self._find_reading(copy, is_needed=False)) is not None:
            return other
        return request, head

    def _find_reading(self, copy: Copy, *, is_needed: bool) -> tuple[CopyRequest, Head] | None:
        """Another reading of an event's key: the one with its ETag; if one `is_needed`, else what is there.

        A reading that takes `+` for a blank is not taken without its ETag: it may be any other object.
        """
        there: tuple[CopyRequest, Head] | None = None
        for request in copy.alternatives:
            is_candidate = is_needed and not keys.is_guess(copy.request.source.key, request.source.key)
            try:
                head = self._session.source(request, request.conditions)
            except (Failed, Skipped) as error:
                if is_candidate and error.code != "NoSuchKey":
                    raise
                continue
            if head.etag == copy.event_etag:
                return request, head
            if is_candidate:
                there = there or (request, head)
        return there

    def _judge(self, copy: Copy, head: Head) -> None:
        """Raise Conflict or Skipped if the overwrite policy says so, or a follow-up finds nothing to do."""
        if copy.request.overwrite != "always":
            self._session.judge_overwrite(copy.request, head, copy.follows)
        if copy.follows:
            shown = self._session.destination(copy.request)
            if self._session.is_shown(copy.request, head, shown):
                raise Skipped("NotDifferent", "the destination shows the source as it is now")

    def _made_before(self, copy: Copy, head: Head, opened: Opened | None) -> Result | None:
        """The result, if a CopyObject of an earlier delivery had no answer and has landed."""
        if opened is not None:
            return self._ending.landed(opened) if opened.may_land else None
        return self._made_without_record(copy, head) if copy.retried else None

    def _shown_already(self, copy: Copy, head: Head) -> Result | None:
        """The result, if what stands in the way is the copy itself: an earlier delivery has made it.

        It is if the destination has shown everything that is promised since the first delivery may have come.
        What is on record is bound to the version that was seen then, and goes on by that.
        """
        if copy.since is None or self._opened(copy.job) is not None:
            return None
        return self._made_without_record(copy, head)

    def _made_without_record(self, copy: Copy, head: Head) -> Result | None:
        """Return the result if the destination shows all that is promised; the copy is not on record.

        An ACL is not shown: who asks for one, and cannot tell when that was, copies again.
        """
        request = copy.request
        if copy.since is None or (copy.since == 0 and request.acl != "default"):
            return None
        pin = plan.bind(request, head)
        try:
            shown = verify.look(self._session, request, pin, None)
        except Failed:  # it cannot be looked at
            return None
        if shown is None or plan.differences(pin, shown, max(copy.since, head.last_modified), pin.etag):
            return None
        return self._call_made(copy, pin, shown)

    def _made_of_what_was(self, copy: Copy, error: Failed | Skipped) -> Result | None:
        """The result, if an earlier delivery has made the copy, and the source has changed or gone since.

        What is gone had the ETag that the event tells. What is changed in place shows what was asked for,
        though a condition on the source does not hold any more.
        """
        request = copy.request
        if copy.since is None or self._opened(copy.job) is not None:
            return None
        try:
            if error.code == "NoSuchKey" and copy.event_etag is not None:
                seen = self._session.destination(request)
                if seen is None or seen.etag != copy.event_etag or seen.last_modified < copy.since:
                    return None
                return self._call_made(copy, plan.bind(request, seen), seen)
            if request.is_onto_itself and isinstance(error, (Conflict, Skipped)):
                return self._made_without_record(copy, self._session.source(request, Conditions()))
        except Failed:  # it cannot be looked at
            return None
        return None

    def _call_made(self, copy: Copy, pin: Pin, shown: Head) -> Result:
        """The result of what an earlier delivery has made, on record if it may be asked for."""
        result = results.simple(copy, pin, shown, None, self._session.now())
        asked = msgspec.structs.replace(copy, request=plan.asked(copy.request, pin))
        on_record = copy.keep or copy.may_land_late or copy.needs_record
        return self._ending.close(asked, result) if on_record else result

    def _simple(self, copy: Copy, head: Head, *, shallow: bool = False) -> SimpleCopy:
        return SimpleCopy(self._session, self._ending, copy, head, shallow=shallow)

    def _copy_simply(self, copy: Copy, head: Head, method: plan.Method, *, inline: bool) -> Outcome:
        """One CopyObject; what it cannot do within an HTTP request is put on record and handed over."""
        simple = self._simple(copy, head, shallow=method == "shallow")
        try:
            return simple.run()
        except Transient as error:
            if inline or (error.throttled and simple.opened is None):
                raise
            return self._hand_over_on_record(copy, simple.opened or simple.put_on_record())

    def _go_on_in_parts(
        self, copy: Copy, head: Head, opened: Opened | None, *, inline: bool, in_doubt: bool
    ) -> Result:
        """Parts, where CopyObject is not the way; one that is in doubt runs though parts are refused."""
        in_doubt = in_doubt or copy.retried
        try:
            return self._start_upload(copy, head, opened, inline=inline, in_doubt=in_doubt)
        except (Refused, Failed) as error:
            if not in_doubt or isinstance(error, SourceChanged):
                raise
            self._session.log("leftToSweep", job=copy.job, error=str(error))
            return results.opened(self._simple(copy, head).put_on_record(), self._session.now())

    def _cancel_simple(self, copy: Copy, head: Head) -> Result:
        """Somebody wants the copy to end, and none of its upload is known: nothing is copied from here on."""
        opened = self._simple(copy, head).put_on_record()
        return self._ending.cancel(opened, self._session.ask(lambda: self._session.journal.entered(copy.job)))

    def _hand_over_on_record(self, copy: Copy, opened: Opened) -> Result:
        """Let an invocation of its own begin a copy that somebody was told is running."""
        asked = plan.asked(copy.request, opened.pin)
        try:
            self.hand_over(msgspec.structs.replace(copy, request=asked, keep=True))
        except Transient as error:  # the sweep lets it begin
            self._session.log("leftToSweep", job=copy.job, error=str(error))
        return results.opened(opened, self._session.now())

    def _start_upload(
        self, copy: Copy, head: Head, on_record: Opened | None, *, inline: bool, in_doubt: bool
    ) -> Result:
        """Put the copy on record; then open its upload, or go on with the one another delivery opened."""
        parallel = self._session.parallel(copy.request)
        part_size = plan.part_size(
            head.size, copy.request.tuning, parallel, self._session.part_budget(), plan.rate(copy.request)
        )
        tags = self._session.tags(copy.request, head)
        pin = plan.bind(copy.request, head, tags)
        mine = self._session.opening(copy, pin, head, "multipart", in_doubt=in_doubt)
        opened = on_record or self._session.ask(lambda: self._session.journal.open(mine))
        done = self._session.ask(lambda: self._session.journal.done(copy.job))
        if done is not None:
            return done.result if done.result.status == "succeeded" else self._resume(opened) or done.result
        if not inline:
            return self._hand_over_on_record(copy, opened)
        entered = (
            None
            if opened.nonce == mine.nonce
            else self._session.ask(lambda: self._session.journal.entered(copy.job))
        )
        if entered is None:
            if msgspec.structs.replace(opened.pin, encryption=pin.encryption) != pin:
                raise SourceChanged(*CHANGED)
            entered = self._open_upload(opened, head, tags, part_size)
        return self._begin(task_of(opened, entered.upload, copy.generation))

    def _opened(self, job: str) -> Opened | None:
        """What an earlier delivery has put on record."""
        return self._session.ask(lambda: self._session.journal.opened(job))

    def _unbegun(self, copy: Copy, result: Result) -> Result:
        """Something speaks against the copy. What an earlier delivery has begun goes on all the same.

        A skipped copy that is neither on record nor to be asked for leaves no record.
        """
        opened = self._opened(copy.job)
        if opened is not None and (resumed := self._resume(opened)) is not None:
            return resumed
        on_record = opened is not None or copy.keep or result.status == "failed"
        return self._close_unbegun(copy, result) if on_record else result

    def _close_unbegun(self, copy: Copy, result: Result) -> Result:
        """Put the outcome on record, and then look whether another delivery has opened an upload meanwhile.

        That one enters its upload and then looks for an outcome: one of the two sees the other and ends it.
        """
        closed = self._ending.close(copy, result)
        entered = self._session.ask(lambda: self._session.journal.entered(copy.job))
        if entered is None:
            return closed
        opened = self._opened(copy.job)
        return self._ending.leave(task_of(opened, entered.upload), closed) if opened else closed

    def _resume(self, opened: Opened) -> Result | None:
        """Go on with what an earlier delivery put on record; None if there is nothing to go on with.

        What speaks against a copy now may speak only against beginning it: the source that is gone may have
        been copied, the object in the way may be ours. The upload tells, and has nobody else to end it.
        """
        if opened.may_land and (landed := self._ending.landed(opened)) is not None:
            return landed
        entered = self._session.ask(lambda: self._session.journal.entered(opened.job))
        return self._begin(task_of(opened, entered.upload)) if entered else None

    def _begin(self, task: Continue) -> Result:
        """The first hop of a copy on record."""
        try:
            return self._advance(task)
        except Failed as error:  # as in proceed: not to be taken for a failure to begin
            return self._ending.close(
                task, results.ended(task, "failed", self._session.now(), Problem.of(error))
            )
        except Transient as error:
            try:  # nobody may be there to deliver this event again: leave it to the next hop
                return self._next(task, delay=5, stalls=0, done=0)
            except Transient as second:
                raise error from second

    def _open_upload(self, opened: Opened, head: Head, tags: dict[str, str], part_size: int) -> Entered:
        """Initiate; of several deliveries that do, the one whose `up/` is created goes on with its upload."""
        request = opened.request
        if request.overwrite == "always" and not request.is_onto_itself:  # else somebody has looked
            self._session.may_look(request)
        attributes = plan.attributes(request, head, tags, "default", carried=True)
        upload_id = self._session.ask(lambda: self._session.store.initiate(request, attributes))
        upload = Upload(upload_id, part_size, -(-head.size // part_size), lanes=1, opened_at=head.seen_at)
        mine = Entered(self._session.clock.nonce(), upload)
        entered = self._session.ask(lambda: self._session.journal.enter(opened.job, mine))
        if entered.nonce != mine.nonce:
            with contextlib.suppress(UploadGone):
                self._ending.abort(task_of(opened, upload))
        self._session.log("opened", job=opened.job, parts=upload.parts, partSize=part_size, size=head.size)
        return entered

    # --- a hop -----------------------------------------------------------------------------------------

    def _advance(self, task: Continue) -> Result:
        """Work; whatever speaks against going on ends the upload, never leaves it open."""
        task = msgspec.structs.replace(task, settle=max(task.settle, self._session.limits.settle))
        if (over := self._over(task)) is not None:
            return over
        try:
            if task.hop - task.excused > plan.max_hops(task.upload):
                raise Failed("TooManyHops", f"{task.hop} invocations for {task.upload.parts} parts")
            numbers = plan.lane_numbers(task.upload.parts, task.upload.lanes, task.lane)
            return self._work(task, self._session.parts(task, numbers.start - 1, numbers.stop - 1))
        except UploadGone:
            return self._look_for_outcome(task)
        except (Refused, Failed) as error:
            return self._ending.fail(task, error)
        except Skipped as reason:
            return self._ending.skip(task, reason)

    def _over(self, task: Continue) -> Result | None:
        """What the job has come to, by another delivery or whoever cancels it. Its upload is ended then."""
        done = self._session.ask(lambda: self._session.journal.done(task.job))
        if done is not None:
            return self._ending.leave(task, done.result)
        if self._session.is_cancelled(task.job):
            return self._ending.cancelled(task)
        return None

    def _is_superseded(self, task: Continue) -> bool:
        """Whether a sweep has started a younger chain. It saves work; truth rests on the upload id.

        Who waits to name an outcome waits longer than from one sweep to the next: it does not leave.
        """
        if task.gone_at:
            return False
        newest = self._session.ask(lambda: self._session.journal.generation(task.job))
        if newest > task.generation:
            self._session.log("superseded", **where(task), by=newest)
        return newest > task.generation

    def _look_for_outcome(self, task: Continue) -> Result:
        """The upload is gone. If nothing tells what came of it, look again when nothing can land any more."""
        result = self._ending.outcome(task, Failed(*UNKNOWN))
        if result is not None:
            return result
        since = task.gone_at or int(self._session.now())
        wait = since + task.settle - self._session.now()
        if wait <= 0:
            return self._ending.examine(task, Failed(*UNKNOWN))
        following = msgspec.structs.replace(task, hop=task.hop + 1, excused=task.excused + 1, gone_at=since)
        self._session.submit(plan.task_id(following), events.encode(following), min(3600, int(wait) + 1))
        return results.under_way(task, task.upload.parts)

    def _work(self, task: Continue, listed: Sequence[ListedPart]) -> Result:
        """Copy missing parts, then complete, hand over or give up."""
        missing = plan.missing(task.pin, task.upload, task.lane, listed)
        size, rate = task.upload.part_size, plan.rate(task.request)
        wait = plan.part_timeout(size, rate, self._session.limits.timeout)

        def copy_part(part: Part) -> None:
            """Its answer is waited for as long as there is time to hand over afterwards."""
            left = self._session.wait(wait)
            self._session.store.copy_part(task.request, task.pin, task.upload.id, part, left)

        crew = Crew(
            copy_part,
            missing,
            clock=self._session.clock,
            deadline=self._session.submit_by,
            expected=min(size / rate, self._session.part_budget()),
        )
        if missing:
            crew.work(min(self._session.parallel(task.request), len(missing)))
        copied = tuple(crew.copied)
        self._session.log(
            "batch",
            **where(task),
            parts=len(copied),
            bytes=sum(part.size for part in copied),
            left=len(missing) - len(copied),
            retries=crew.retries,
            throttled=crew.throttled,
            lastError=crew.last_error and str(crew.last_error),
        )
        crew.raise_fatal()
        step = plan.next_step(
            plan.Progress(
                missing=len(missing) - len(copied),
                copied=len(copied),
                throttled=crew.throttled,
                seconds_left=self._session.seconds_left(),
                seconds_needed=plan.completion_time(self._session.limits.timeout) if missing else 0.0,
                stalls=0 if task.upload.parts - len(missing) > task.parts_done else task.stalls,
                age=self._session.now() - results.unix(task.started_at),
            )
        )
        match step:
            case plan.Finish():
                return self._finish(task)
            case plan.HandOver(delay=delay, stalls=stalls):
                done = task.upload.parts - len(missing) + len(copied)
                excused = task.excused + (crew.throttled and not copied)
                result = self._next(msgspec.structs.replace(task, excused=excused), delay, stalls, done)
                if crew.last_error is not None:
                    self._note(task, crew.last_error)
                return result
            case plan.GiveUp(code=code, why=why):
                because = f"; the last error was {crew.last_error}" if crew.last_error else ""
                raise Failed(code, why + because)

    def _note(self, task: Continue, error: Transient) -> None:
        """Leave the last error for who asks how the copy stands. It is logged too, and not worth a retry."""
        with contextlib.suppress(OssCopyError):
            self._session.journal.note(task.job, task.generation, task.hop, Problem.of(error))

    def _next(self, task: Continue, delay: int, stalls: int, done: int) -> Result:
        following = msgspec.structs.replace(task, hop=task.hop + 1, stalls=stalls, parts_done=done)
        self._session.submit(plan.task_id(following), events.encode(following), delay)
        return results.under_way(task, done)

    def _finish(self, task: Continue) -> Result:
        """Judge a fresh listing, look at the source and for a cancellation, complete, and prove it."""
        acl = self._session.acl(task.request, task.pin)
        for _ in range(3):
            listed = self._session.parts(task, 0, task.upload.parts)
            if plan.gaps(task.pin, task.upload, listed):
                return self._next(task, 0, task.stalls + 1, len(listed))
            if (head := self._session.same_source(task.request, task.pin)) is None:
                raise SourceChanged(*CHANGED)
            _check_crc64(task.pin, plan.combined_crc64(task.pin, task.upload, listed))
            if task.request.overwrite != "always":  # forbid-overwrite does not hold under versioning
                self._session.judge_overwrite(task.request, head, task.follows)
            if (over := self._over(task)) is not None:  # an outcome may have been put on record late
                return over
            try:
                written = self._complete(task, listed, acl)
            except _Relist:
                continue
            break
        else:
            raise Failed("InvalidPart", "OSS refused the part list three times")
        etag = plan.multipart_etag(part.etag for part in listed)
        found = verify.of_upload(self._session, task.request, task.pin, written, etag)
        itself = task.request.is_onto_itself  # then the source is what was just written
        if found.problem is None and not itself and not self._session.source_is_same(task):
            # it is a version of the source all the same
            self._session.log("sourceChangedAfter", **where(task))
            follow_up.up(self._session, task.job, task.request, task.pin, task.follows)
        result = results.multipart(task, found.seen, found.problem, self._session.now())
        return self._ending.close(task, result)

    def _complete(self, task: Continue, listed: Sequence[ListedPart], acl: Acl) -> Written | None:
        """Complete with `listed`; None if the answer was lost; _Relist if OSS knows another part by now."""
        attempts = self._session.attempts()
        try:
            return attempts.run(
                lambda: self._session.store.complete(task.request, task.upload.id, listed, acl)
            )
        except Conflict:
            # After a lost answer it may be our own object that is in the way.
            seen = self._session.destination(task.request) if attempts.in_doubt else None
            if plan.differences(task.pin, seen, task.upload.opened_at, None):
                raise
        except Failed as error:
            if error.code != "InvalidPart":
                raise
            raise _Relist from error
        return None


class _Relist(Exception):
    """OSS knows other parts than were listed."""


def _check_crc64(pin: Pin, combined: int | None) -> None:
    """Refuse to complete what cannot become the source. Where OSS gives no CRC64s, the proof comes after."""
    if combined is not None and pin.crc64 is not None and combined != int(pin.crc64):
        text = (
            f"the parts make CRC64 {combined}, not the source's {pin.crc64}; the destination was not touched"
        )
        raise Failed("VerificationFailed", text)
