"""Carries one copy forward, by the steps that `plan` decides and in the order the protocol asks for.

Knows nothing of SDKs, of trigger events or of the environment. One Engine serves one invocation. What it
promises: the destination shows what it showed before or the complete copy; a copy that cannot be finished
leaves no upload open; nothing is called succeeded without evidence. A final refusal is returned as a Result;
Transient is raised.

Order of effects of a multipart copy: HEAD source, `open/`, read `done/`, Initiate, `up/`, read `done/` and
`cancel/`, parts, join the threads, fresh ListParts, HEAD source, read `cancel/`, Complete, HEAD destination,
`done/`. Owner and canceller each write their own record first and then read the other's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from osscopy import events, plan, results
from osscopy.attempts import Attempts
from osscopy.crew import Crew
from osscopy.model import (
    Acl,
    Cancelled,
    Conditions,
    Conflict,
    Continue,
    Copy,
    CopyRequest,
    Done,
    Entered,
    Failed,
    Head,
    ListedPart,
    Opened,
    OssCopyError,
    Pin,
    Problem,
    Refused,
    Result,
    Skipped,
    SourceChanged,
    Status,
    Transient,
    Upload,
    UploadGone,
)
from osscopy.ports import Clock, Invoker, Journal, Log, Store

T = TypeVar("T")

CHANGED = ("SourceChanged", "the source was changed while it was copied")
UNKNOWN = (
    "OutcomeUnknown",
    "the upload was ended elsewhere and the destination does not show the copy: compare before copying again",
)


class Limits(msgspec.Struct, frozen=True):
    """What this invocation may use. `deadline` is monotonic; `timeout` the configured one, in seconds."""

    timeout: float
    deadline: float
    threshold: int = plan.DEFAULT_THRESHOLD
    parallel: int = 32


class Engine:
    """One invocation's worth of work on copies."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        invoker: Invoker,
        clock: Clock,
        log: Log,
        limits: Limits,
        allow: Callable[[CopyRequest], None],
    ) -> None:
        self._store = store
        self._journal = journal
        self._invoker = invoker
        self._clock = clock
        self._log = log
        self._limits = limits
        self.allow = allow
        self._submit_by = limits.deadline - plan.reserve(limits.timeout)

    # --- entry -----------------------------------------------------------------------------------------

    def start(self, copy: Copy, *, inline: bool = True) -> Result:
        """Begin a copy. Not `inline`: only what one CopyObject does is done here, the rest is handed over."""
        try:
            return self._start(copy, inline=inline)
        except Refused as error:
            return results.unopened(copy, "failed", self._clock.now(), error)
        except Failed as error:
            return self._close(copy, results.unopened(copy, "failed", self._clock.now(), error))
        except Skipped as error:
            result = results.unopened(copy, "skipped", self._clock.now(), error)
            return self._close(copy, result) if copy.keep else result

    def proceed(self, task: Continue) -> Result:
        """Work on the next batch of a multipart copy."""
        try:
            self.allow(task.request)
            return self._advance(task)
        except Refused as error:
            return self._disown(task, error)
        except Failed as error:  # the upload has ended, but the destination cannot be looked at
            return self._close(task, results.ended(task, "failed", self._clock.now(), Problem.of(error)))

    def hand_over(self, copy: Copy) -> Result:
        """Let an invocation of its own begin this copy."""
        self._submit(f"{copy.job}-g0-l1-h1", events.encode(copy), 0)
        return results.unopened(copy, "running", self._clock.now(), None)

    def cancel(self, job: str) -> Result | None:
        """End a copy; its result, which may be that it had ended before. None if there is no such job."""
        done = self.ask(lambda: self._journal.done(job))
        if done is not None:
            return done.result
        opened = self.ask(lambda: self._journal.opened(job))
        if opened is None:
            return None
        entry = Cancelled(self._clock.nonce(), results.iso(self._clock.now()))
        self.ask(lambda: self._journal.cancel(job, entry))
        done = self.ask(lambda: self._journal.done(job))
        if done is not None:
            return done.result
        entered = self.ask(lambda: self._journal.entered(job))
        if entered is not None:
            return self._cancelled(_task(opened, entered.upload))
        # Whoever is about to open the upload reads `cancel/` after `up/`, and ends it.
        result = msgspec.structs.replace(
            results.opened(opened), status="cancelled", finished_at=results.iso(self._clock.now())
        )
        return self._close(opened, result)

    def status(self, job: str) -> Status | None:
        """How a copy stands, None if there is no record of it."""
        done = self.ask(lambda: self._journal.done(job))
        if done is not None:
            return _status(done.result, None)
        opened = self.ask(lambda: self._journal.opened(job))
        if opened is None:
            return None
        entered = self.ask(lambda: self._journal.entered(job))
        if entered is None:
            return _status(results.opened(opened), None)
        task = _task(opened, entered.upload)
        try:
            listed = self._list(task, 0, task.upload.parts)
        except UploadGone:  # completed or aborted, and not yet closed
            listed = []
        seconds = self._clock.now() - results.unix(opened.started_at)
        return _status(results.under_way(task, len(listed)), seconds)

    def is_short_of_time(self) -> bool:
        """Whether another copy had better not be begun in this invocation."""
        return self._clock.monotonic() > self._limits.deadline - 3 * plan.reserve(self._limits.timeout)

    # --- beginning -------------------------------------------------------------------------------------

    def _start(self, copy: Copy, *, inline: bool) -> Result:
        self.allow(copy.request)
        request, head = self._find_source(copy)
        copy = msgspec.structs.replace(copy, request=request, alternative=None, event_etag=None)
        if request.overwrite != "always":
            plan.judge_overwrite(request, head, self._destination(request))
        if plan.method(head, request.tuning, self._limits.threshold) == "simple":
            try:
                result = self._copy_simply(copy, head)
            except Failed as error:
                if error.code != "EntityTooLarge" or request.tuning.method != "auto":
                    raise
            except Transient as error:
                if inline or error.throttled:
                    raise
                return self.hand_over(copy)
            else:
                return self._close(copy, result) if copy.keep or result.status == "failed" else result
        return self._start_upload(copy, head, inline=inline)

    def _find_source(self, copy: Copy) -> tuple[CopyRequest, Head]:
        """HEAD the source; an OSS event's key may be raw or encoded, and its ETag tells which is meant."""
        request = copy.request
        try:
            head = self._head(request)
        except Failed as error:
            if copy.alternative is None or error.code != "NoSuchKey":
                raise
            self.allow(copy.alternative)
            return copy.alternative, self._head(copy.alternative)
        if copy.alternative is not None and head.etag != copy.event_etag:
            try:
                self.allow(copy.alternative)
                other = self._head(copy.alternative)
            except (Refused, Failed):
                return request, head
            if other.etag == copy.event_etag:
                return copy.alternative, other
        return request, head

    def _copy_simply(self, copy: Copy, head: Head) -> Result:
        request, pin = copy.request, plan.pin(head)
        attributes = plan.attributes(request, head, {}, self._acl(request, pin), carried=False)
        attempts = self._attempts()
        try:
            attempts.run(lambda: self._store.copy(request, pin, attributes))
        except (Conflict, SourceChanged):
            if not attempts.in_doubt:  # else it may be our own copy that stands in the way
                raise
            if plan.differences(pin, self._destination(request), head.seen_at, pin.etag):
                raise
        return results.simple(copy, pin, self._destination(request), self._clock.now())

    def _start_upload(self, copy: Copy, head: Head, *, inline: bool) -> Result:
        """Put the copy on record; then open its upload, or go on with the one another delivery opened."""
        parallel, budget = self._parallel(copy.request), plan.part_budget(self._limits.timeout)
        part_size = plan.part_size(head.size, copy.request.tuning, parallel, budget)
        mine = Opened(self._clock.nonce(), copy.job, copy.request, plan.pin(head), copy.started_at)
        opened = self.ask(lambda: self._journal.open(mine))
        done = self.ask(lambda: self._journal.done(copy.job))
        if done is not None:
            return done.result
        if not inline:
            self.hand_over(copy)
            return results.opened(opened)
        entered = None if opened is mine else self.ask(lambda: self._journal.entered(copy.job))
        if entered is None:
            if not plan.is_same_version(opened.pin, head):
                raise SourceChanged(*CHANGED)
            entered = self._open_upload(opened, head, part_size)
        task = _task(opened, entered.upload)
        try:
            return self._advance(task)
        except Transient as error:
            try:  # nobody may be there to deliver this event again: leave it to the next hop
                return self._next(task, delay=5, stalls=0, done=0)
            except Transient as second:
                raise error from second

    def _open_upload(self, opened: Opened, head: Head, part_size: int) -> Entered:
        """Initiate; of several deliveries that do, the one whose `up/` is created goes on with its upload."""
        request = opened.request
        source = plan.pinned(request.source, opened.pin)
        wants_tags = request.tags == "copy" and head.tag_count > 0
        tags = self.ask(lambda: self._store.tags(request, source)) if wants_tags else {}
        attributes = plan.attributes(request, head, tags, "default", carried=True)
        upload_id = self.ask(lambda: self._store.initiate(request, attributes))
        upload = Upload(upload_id, part_size, -(-head.size // part_size), lanes=1, opened_at=head.seen_at)
        mine = Entered(self._clock.nonce(), upload)
        entered = self.ask(lambda: self._journal.enter(opened.job, mine))
        if entered.nonce != mine.nonce:
            self._abort(_task(opened, upload))
        self._log("opened", job=opened.job, parts=upload.parts, partSize=part_size, size=head.size)
        return entered

    # --- a hop -----------------------------------------------------------------------------------------

    def _advance(self, task: Continue) -> Result:
        """Work; whatever speaks against going on ends the upload, never leaves it open."""
        done = self.ask(lambda: self._journal.done(task.job))
        if done is not None:
            return self._leave(task, done.result)
        if self._is_cancelled(task):
            return self._cancelled(task)
        try:
            if task.hop > plan.max_hops(task.upload):
                raise Failed("TooManyHops", f"{task.hop} invocations for {task.upload.parts} parts")
            numbers = plan.lane_numbers(task.upload.parts, task.upload.lanes, task.lane)
            return self._work(task, self._list(task, numbers.start - 1, numbers.stop - 1))
        except UploadGone:
            return self._examine(task, Failed(*UNKNOWN))
        except (Refused, Failed) as error:
            return self._fail(task, error)

    def _work(self, task: Continue, listed: Sequence[ListedPart]) -> Result:
        """Copy missing parts, then complete, hand over or give up."""
        missing = plan.missing(task.pin, task.upload, task.lane, listed)
        crew = Crew(
            lambda part: self._store.copy_part(task.request, task.pin, task.upload.id, part),
            missing,
            clock=self._clock,
            deadline=self._submit_by,
            expected=min(task.upload.part_size / plan.PART_RATE, plan.part_budget(self._limits.timeout)),
        )
        if missing:
            crew.work(min(self._parallel(task.request), len(missing)))
        copied = tuple(crew.copied)
        self._log(
            "batch",
            **_where(task),
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
                seconds_left=self._limits.deadline - self._clock.monotonic(),
                seconds_needed=plan.completion_time(self._limits.timeout) if missing else 0.0,
                stalls=task.stalls,
                age=self._clock.now() - results.unix(task.started_at),
            )
        )
        match step:
            case plan.Finish():
                return self._finish(task)
            case plan.HandOver(delay=delay, stalls=stalls):
                done = task.upload.parts - len(missing) + len(copied)
                return self._next(task, delay, stalls, done)
            case plan.GiveUp(code=code, why=why):
                because = f"; the last error was {crew.last_error}" if crew.last_error else ""
                raise Failed(code, why + because)

    def _next(self, task: Continue, delay: int, stalls: int, done: int) -> Result:
        following = msgspec.structs.replace(task, hop=task.hop + 1, stalls=stalls)
        self._submit(_task_id(following), events.encode(following), delay)
        return results.under_way(task, done)

    def _finish(self, task: Continue) -> Result:
        """Judge a fresh listing, look at the source and for a cancellation, complete, and prove it."""
        acl = self._acl(task.request, task.pin)
        for _ in range(3):
            listed = self._list(task, 0, task.upload.parts)
            if plan.gaps(task.pin, task.upload, listed):
                return self._next(task, 0, task.stalls + 1, len(listed))
            if not self._source_is_same(task):
                raise SourceChanged(*CHANGED)
            if self._is_cancelled(task):
                return self._cancelled(task)
            if self._complete(task, listed, acl):
                break
        else:
            raise Failed("InvalidPart", "OSS refused the part list three times")
        etag = plan.multipart_etag(part.etag for part in listed)
        seen = self._destination(task.request)
        return self._close(task, results.multipart(task, seen, etag, self._clock.now()))

    def _complete(self, task: Continue, listed: Sequence[ListedPart], acl: Acl) -> bool:
        """Complete with `listed`; False if OSS knows another part by now, so that a new listing is due."""
        attempts = self._attempts()
        try:
            attempts.run(lambda: self._store.complete(task.request, task.upload.id, listed, acl))
        except Conflict:
            # After a lost answer it may be our own object that is in the way.
            seen = self._destination(task.request) if attempts.in_doubt else None
            if plan.differences(task.pin, seen, task.upload.opened_at, None):
                raise
        except Failed as error:
            if error.code != "InvalidPart":
                raise
            return False
        return True

    # --- ending ----------------------------------------------------------------------------------------

    def _examine(self, task: Continue, error: OssCopyError | None) -> Result:
        """The upload is gone: whoever ended it, the destination tells the outcome, else `error` is it.

        `error` None: it was cancelled.
        """
        seen = self._destination(task.request)
        if not plan.differences(task.pin, seen, task.upload.opened_at, None):
            return self._close(task, results.multipart(task, seen, None, self._clock.now()))
        if error is None or self._is_cancelled(task):
            return self._close(task, results.ended(task, "cancelled", self._clock.now(), None))
        if error.code == UNKNOWN[0] and not self._source_is_same(task):
            error = SourceChanged(*CHANGED)  # an earlier hop may have seen it, and died
        return self._close(task, results.ended(task, "failed", self._clock.now(), Problem.of(error)))

    def _cancelled(self, task: Continue) -> Result:
        """End the upload because somebody wants it; 404 may mean that it was completed first."""
        try:
            self._abort(task)
        except UploadGone:
            return self._examine(task, None)
        return self._close(task, results.ended(task, "cancelled", self._clock.now(), None))

    def _leave(self, task: Continue, result: Result) -> Result:
        """The job is over. An upload that was opened after it ended has nobody else to end it."""
        if result.status != "succeeded":
            with contextlib.suppress(UploadGone):
                self._abort(task)
        return result

    def _fail(self, task: Continue, error: Refused | Failed) -> Result:
        """End the upload and report."""
        problem = Problem.of(error)
        try:
            self._abort(task)
        except UploadGone:
            return self._examine(task, error)
        except (Failed, Transient) as second:
            self._log("abortFailed", **_where(task), uploadId=task.upload.id, error=str(second))
            message = f"{error.message} (upload {task.upload.id} could not be aborted: {second})"
            problem = msgspec.structs.replace(problem, message=message)
        return self._close(task, results.ended(task, "failed", self._clock.now(), problem))

    def _disown(self, task: Continue, error: Refused) -> Result:
        """The settings do not allow this copy (any more): end its upload, if it is on record as ours."""
        entered = self.ask(lambda: self._journal.entered(task.job))
        if entered is not None and entered.upload == task.upload:
            return self._fail(task, error)
        return results.ended(task, "failed", self._clock.now(), Problem.of(error))

    def _abort(self, task: Continue) -> None:
        """Abort, and again while parts that were in flight bring the upload back."""
        attempts = self._attempts()
        try:
            attempts.run(lambda: self._store.abort(task.request, task.upload.id))
        except UploadGone:
            if not attempts.in_doubt:
                raise
        self._log("aborted", **_where(task), uploadId=task.upload.id)
        for _ in range(3):
            try:
                self.ask(lambda: self._store.list_parts(task.request, task.upload.id, 0))
                self.ask(lambda: self._store.abort(task.request, task.upload.id))
            except UploadGone:
                return

    def _close(self, copy: Copy | Continue | Opened, result: Result) -> Result:
        """Put the outcome on record; the one that is on record already is the outcome."""
        entry = Done(self._clock.nonce(), result, copy.request)
        return self.ask(lambda: self._journal.close(copy.job, entry)).result

    # --- asking ----------------------------------------------------------------------------------------

    def _attempts(self) -> Attempts:
        return Attempts(self._clock, until=self._submit_by)

    def ask(self, request: Callable[[], T]) -> T:
        """The answer to one request, asked again while that may help."""
        return self._attempts().run(request)

    def _submit(self, task_id: str, payload: bytes, delay: int) -> None:
        """Submit an invocation; that its id was accepted before means that it is on its way."""
        attempts = Attempts(self._clock, until=self._limits.deadline - 0.5)
        fresh = attempts.run(lambda: self._invoker.submit(task_id, payload, delay))
        self._log("submitted", taskId=task_id, bytes=len(payload), delay=delay, fresh=fresh)

    def _list(self, task: Continue, after: int, last: int) -> list[ListedPart]:
        """The parts with numbers above `after` up to `last`, read from OSS page by page."""
        found: list[ListedPart] = []
        marker: int | None = after
        while marker is not None and marker < last:
            start = marker
            page, marker = self.ask(lambda: self._store.list_parts(task.request, task.upload.id, start))  # noqa: B023
            if marker is not None and marker <= start:
                raise Failed("ListPartsStuck", f"ListParts answered marker {marker} after {start}")
            found.extend(part for part in page if part.number <= last)
        return found

    def _head(self, request: CopyRequest, conditions: Conditions | None = None) -> Head:
        asked = request.conditions if conditions is None else conditions
        return self.ask(lambda: self._store.head(request, request.source, asked))

    def _source_is_same(self, task: Continue) -> bool:
        try:
            return plan.is_same_version(task.pin, self._head(task.request, Conditions()))
        except Failed as error:
            if error.code not in {"NoSuchKey", "NoSuchVersion"}:
                raise
            return False

    def _is_cancelled(self, task: Continue) -> bool:
        return self.ask(lambda: self._journal.cancelled(task.job)) is not None

    def _destination(self, request: CopyRequest) -> Head | None:
        return self.ask(lambda: self._store.find(request.destination.bucket, request.destination.key))

    def _acl(self, request: CopyRequest, pin: Pin) -> Acl:
        if request.acl != "copy":
            return request.acl
        return self.ask(lambda: self._store.acl(request, plan.pinned(request.source, pin)))

    def _parallel(self, request: CopyRequest) -> int:
        return max(1, min(request.tuning.parallel or self._limits.parallel, self._limits.parallel))


def _task(opened: Opened, upload: Upload) -> Continue:
    return Continue(
        opened.job, opened.request, opened.started_at, opened.pin, upload, generation=0, lane=1, hop=1
    )


def _task_id(task: Continue) -> str:
    return f"{task.job}-g{task.generation}-l{task.lane}-h{task.hop}"


def _where(task: Continue) -> dict[str, object]:
    return {"job": task.job, "generation": task.generation, "lane": task.lane, "hop": task.hop}


def _status(result: Result, seconds: float | None) -> Status:
    """`result` with its rate, if it has been running for `seconds`."""
    fields = {name: getattr(result, name) for name in Result.__struct_fields__}
    if not seconds or not result.bytes_done or result.source is None or result.source.size is None:
        return Status(**fields)
    rate = max(1, int(result.bytes_done / seconds))
    return Status(**fields, rate=rate, eta_seconds=(result.source.size - result.bytes_done) // rate)
