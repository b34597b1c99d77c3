"""Carries one copy forward, by the steps that `plan` decides and in the order the protocol asks for.

Knows nothing of SDKs, of trigger events or of the environment. One Engine serves one invocation. What it
promises: the destination shows what it showed before or the complete copy; a copy that cannot be finished
leaves no upload open; nothing is called succeeded without evidence. A final refusal is returned as a Result;
Transient is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Literal, TypeVar

import msgspec

from osscopy import events, plan
from osscopy.attempts import Attempts
from osscopy.crew import Crew
from osscopy.model import (
    Acl,
    Conditions,
    Conflict,
    Continue,
    Copy,
    CopyRequest,
    Failed,
    Head,
    ListedPart,
    OssCopyError,
    Pin,
    Problem,
    Refused,
    Result,
    Seen,
    Skipped,
    SourceChanged,
    Transient,
    Upload,
    UploadGone,
)
from osscopy.ports import Clock, Invoker, Log, Store

T = TypeVar("T")

OUTCOME_UNKNOWN = Failed(
    "OutcomeUnknown",
    "the upload was completed or aborted elsewhere and the destination does not show the copy: compare them "
    "before copying again",
)
SOURCE_CHANGED = SourceChanged("SourceChanged", "the source was changed while it was copied")


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
        invoker: Invoker,
        clock: Clock,
        log: Log,
        limits: Limits,
        allow: Callable[[CopyRequest], None],
    ) -> None:
        self._store = store
        self._invoker = invoker
        self._clock = clock
        self._log = log
        self._limits = limits
        self._allow = allow
        self._submit_by = limits.deadline - plan.reserve(limits.timeout)

    # --- entry -----------------------------------------------------------------------------------------

    def start(self, copy: Copy, *, inline: bool = True) -> Result:
        """Begin a copy. Not `inline`: only what one CopyObject does is done here, the rest is handed over."""
        try:
            return self._start(copy, inline=inline)
        except (Refused, Failed, Skipped) as error:
            return self._ended(copy, error, copy.request)

    def proceed(self, task: Continue) -> Result:
        """Work on the next batch of a multipart copy."""
        try:
            return self._advance(task, is_new=False)
        except (Refused, Failed) as error:  # the upload has ended, but the destination cannot be looked at
            return self._result(task, "failed", error=Problem.of(error))

    def hand_over(self, copy: Copy) -> Result:
        """Let an invocation of its own begin this copy."""
        self._submit(f"{copy.job}-g0-l1-h1", events.encode(copy), 0)
        return Result(
            copy.job,
            "running",
            source=Seen(copy.request.source.bucket, copy.request.source.key, copy.request.source.version_id),
            destination=Seen(copy.request.destination.bucket, copy.request.destination.key),
            hops=0,
            started_at=copy.started_at,
        )

    def is_short_of_time(self) -> bool:
        """Whether another copy had better not be begun in this invocation."""
        return self._clock.monotonic() > self._limits.deadline - 3 * plan.reserve(self._limits.timeout)

    # --- beginning -------------------------------------------------------------------------------------

    def _start(self, copy: Copy, *, inline: bool) -> Result:
        self._allow(copy.request)
        request, head = self._find_source(copy)
        copy = msgspec.structs.replace(copy, request=request, alternative=None, event_etag=None)
        if request.overwrite != "always":
            found = self._ask(lambda: self._store.find(request.destination.bucket, request.destination.key))
            plan.judge_overwrite(request, head, found)
        if plan.method(head, request.tuning, self._limits.threshold) == "simple":
            try:
                return self._copy_simply(copy, head)
            except Failed as error:
                if error.code != "EntityTooLarge" or request.tuning.method != "auto":
                    raise
            except Transient as error:
                if inline or error.throttled:
                    raise
                return self.hand_over(copy)
        if not inline:
            return msgspec.structs.replace(
                self.hand_over(copy), method="multipart", source=_seen(request, head)
            )
        return self._open(copy, head)

    def _find_source(self, copy: Copy) -> tuple[CopyRequest, Head]:
        """HEAD the source; an OSS event's key may be raw or encoded, and its ETag tells which is meant."""
        request = copy.request
        try:
            head = self._head(request)
        except Failed as error:
            if copy.alternative is None or error.code != "NoSuchKey":
                raise
            self._allow(copy.alternative)
            return copy.alternative, self._head(copy.alternative)
        if copy.alternative is not None and head.etag != copy.event_etag:
            try:
                self._allow(copy.alternative)
                other = self._head(copy.alternative)
            except (Refused, Failed):
                return request, head
            if other.etag == copy.event_etag:
                return copy.alternative, other
        return request, head

    def _head(self, request: CopyRequest, conditions: Conditions | None = None) -> Head:
        asked = request.conditions if conditions is None else conditions
        return self._ask(lambda: self._store.head(request, request.source, asked))

    def _copy_simply(self, copy: Copy, head: Head) -> Result:
        request, pin = copy.request, plan.pin(head)
        attributes = plan.attributes(request, head, {}, self._acl(request, pin), carried=False)
        attempts = self._attempts()
        try:
            attempts.run(lambda: self._store.copy(request, pin, attributes))
        except (Conflict, SourceChanged):
            if not attempts.in_doubt:  # else it may be our own copy that stands in the way
                raise
            seen = self._destination(request)
            if plan.differences(pin, seen, head.seen_at, pin.etag):
                raise
        seen = self._destination(request)
        return self._verified(copy, pin, seen, pin.etag, method="simple", parts=1, hops=1, lanes=1)

    def _open(self, copy: Copy, head: Head) -> Result:
        request, pin = copy.request, plan.pin(head)
        parallel = self._parallel(request)
        budget = plan.part_budget(self._limits.timeout)
        part_size = plan.part_size(head.size, request.tuning, parallel, budget)
        source = plan.pinned(request.source, pin)
        wants_tags = request.tags == "copy" and head.tag_count > 0
        tags = self._ask(lambda: self._store.tags(request, source)) if wants_tags else {}
        attributes = plan.attributes(request, head, tags, "default", carried=True)
        upload_id = self._ask(lambda: self._store.initiate(request, attributes))
        upload = Upload(upload_id, part_size, -(-head.size // part_size), lanes=1, opened_at=head.seen_at)
        task = Continue(copy.job, request, copy.started_at, pin, upload, generation=0, lane=1, hop=1)
        self._log("opened", **_where(task), parts=upload.parts, partSize=part_size, size=head.size)
        try:
            return self._advance(task, is_new=True)
        except Transient as error:
            return self._rescue(task, error)

    def _rescue(self, task: Continue, error: Transient) -> Result:
        """A retry of this event would open a second upload: leave this one to the next hop, or end it."""
        try:
            return self._next(task, delay=5, stalls=0, done=0)
        except Transient as second:
            if not second.in_doubt:
                self._abort(task)
            raise error from second

    # --- a hop -----------------------------------------------------------------------------------------

    def _advance(self, task: Continue, *, is_new: bool) -> Result:
        """Work; whatever speaks against going on ends the upload, never leaves it open."""
        try:
            self._allow(task.request)
            if task.hop > plan.max_hops(task.upload):
                raise Failed("TooManyHops", f"{task.hop} invocations for {task.upload.parts} parts")
            numbers = plan.lane_numbers(task.upload.parts, task.upload.lanes, task.lane)
            listed = [] if is_new else self._list(task, numbers.start - 1, numbers.stop - 1)
            return self._work(task, listed)
        except UploadGone:
            return self._examine(task, OUTCOME_UNKNOWN)
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
                age=self._clock.now() - _unix(task.started_at),
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
        fresh = self._submit(_task_id(following), events.encode(following), delay)
        if task.hop == 1 and not fresh:
            # Another delivery of the same event got its chain going first: this upload is one too many.
            self._abort(task)
        return self._result(task, "running", parts_done=done)

    def _finish(self, task: Continue) -> Result:
        """Judge a fresh listing, look at the source again, complete, and prove it."""
        acl = self._acl(task.request, task.pin)
        for _ in range(3):
            listed = self._list(task, 0, task.upload.parts)
            if plan.gaps(task.pin, task.upload, listed):
                return self._next(task, 0, task.stalls + 1, len(listed))
            if not self._source_is_same(task):
                raise SourceChanged(SOURCE_CHANGED.code, SOURCE_CHANGED.message)
            if self._complete(task, listed, acl):
                break
        else:
            raise Failed("InvalidPart", "OSS refused the part list three times")
        return self._proved(
            task, self._destination(task.request), plan.multipart_etag(part.etag for part in listed)
        )

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

    def _examine(self, task: Continue, error: OssCopyError) -> Result:
        """The upload is gone: whoever ended it, the destination tells the outcome, else `error` is it."""
        seen = self._destination(task.request)
        if not plan.differences(task.pin, seen, task.upload.opened_at, None):
            return self._proved(task, seen, None)
        if error is OUTCOME_UNKNOWN and not self._source_is_same(task):
            error = SOURCE_CHANGED  # a hop before this one saw it too, and died before it could say so
        return self._result(task, "failed", error=Problem.of(error))

    def _source_is_same(self, task: Continue) -> bool:
        try:
            return plan.is_same_version(task.pin, self._head(task.request, Conditions()))
        except Failed as error:
            if error.code not in {"NoSuchKey", "NoSuchVersion"}:
                raise
            return False

    def _proved(self, task: Continue, seen: Head | None, etag: str | None) -> Result:
        return self._verified(
            task, task.pin, seen, etag, "multipart", task.upload.parts, task.hop, task.upload.lanes
        )

    # --- ending ----------------------------------------------------------------------------------------

    def _fail(self, task: Continue, error: Refused | Failed) -> Result:
        """End the upload and report."""
        try:
            self._abort(task)
            return self._result(task, "failed", error=Problem.of(error))
        except UploadGone:
            return self._examine(task, error)
        except (Failed, Transient) as second:
            self._log("abortFailed", **_where(task), uploadId=task.upload.id, error=str(second))
            problem = Problem.of(error)
            message = f"{error.message} (upload {task.upload.id} could not be aborted: {second})"
            return self._result(task, "failed", error=msgspec.structs.replace(problem, message=message))

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
                self._ask(lambda: self._store.list_parts(task.request, task.upload.id, 0))
                self._ask(lambda: self._store.abort(task.request, task.upload.id))
            except UploadGone:
                return

    def _ended(self, copy: Copy, error: Refused | Failed | Skipped, request: CopyRequest) -> Result:
        source, destination = request.source, request.destination
        return Result(
            copy.job,
            "skipped" if isinstance(error, Skipped) else "failed",
            source=Seen(source.bucket, source.key, source.version_id),
            destination=Seen(destination.bucket, destination.key),
            started_at=copy.started_at,
            finished_at=iso(self._clock.now()),
            error=Problem.of(error),
        )

    def _verified(
        self,
        copy: Copy | Continue,
        pin: Pin,
        seen: Head | None,
        etag: str | None,
        method: Literal["simple", "multipart"],
        parts: int,
        hops: int,
        lanes: int,
    ) -> Result:
        """Succeeded if the destination shows the copy, else failed, saying what differs."""
        wrong = plan.differences(pin, seen, 0, etag)
        error = Failed("VerificationFailed", "; ".join(wrong)) if wrong else None
        request = copy.request
        return Result(
            copy.job,
            "failed" if wrong else "succeeded",
            source=_seen(request, pin),
            destination=_shown(request, seen),
            method=method,
            verified=None if wrong or seen is None else plan.verified_by(pin, seen),
            parts=parts,
            parts_done=parts,
            bytes_done=pin.size,
            lanes=lanes,
            hops=hops,
            started_at=copy.started_at,
            finished_at=iso(self._clock.now()),
            error=Problem.of(error) if error else None,
        )

    def _result(
        self,
        task: Continue,
        status: Literal["running", "failed"],
        *,
        parts_done: int = 0,
        error: Problem | None = None,
    ) -> Result:
        return Result(
            task.job,
            status,
            source=_seen(task.request, task.pin),
            destination=_shown(task.request, None),
            method="multipart",
            parts=task.upload.parts,
            parts_done=parts_done,
            bytes_done=min(parts_done * task.upload.part_size, task.pin.size),
            lanes=task.upload.lanes,
            hops=task.hop,
            started_at=task.started_at,
            finished_at=None if status == "running" else iso(self._clock.now()),
            error=error,
        )

    # --- asking ----------------------------------------------------------------------------------------

    def _attempts(self) -> Attempts:
        return Attempts(self._clock, until=self._submit_by)

    def _ask(self, request: Callable[[], T]) -> T:
        return self._attempts().run(request)

    def _submit(self, task_id: str, payload: bytes, delay: int) -> bool:
        """Whether this id was new to FC; after a lost answer of our own it counts as new."""
        attempts = Attempts(self._clock, until=self._limits.deadline - 0.5)
        fresh = attempts.run(lambda: self._invoker.submit(task_id, payload, delay))
        self._log("submitted", taskId=task_id, bytes=len(payload), delay=delay, fresh=fresh)
        return fresh or attempts.in_doubt

    def _list(self, task: Continue, after: int, last: int) -> list[ListedPart]:
        """The parts with numbers above `after` up to `last`, read from OSS page by page."""
        found: list[ListedPart] = []
        marker: int | None = after
        while marker is not None and marker < last:
            start = marker
            page, marker = self._ask(lambda: self._store.list_parts(task.request, task.upload.id, start))  # noqa: B023
            if marker is not None and marker <= start:
                raise Failed("ListPartsStuck", f"ListParts answered marker {marker} after {start}")
            found.extend(part for part in page if part.number <= last)
        return found

    def _destination(self, request: CopyRequest) -> Head | None:
        return self._ask(lambda: self._store.find(request.destination.bucket, request.destination.key))

    def _acl(self, request: CopyRequest, pin: Pin) -> Acl:
        if request.acl != "copy":
            return request.acl
        return self._ask(lambda: self._store.acl(request, plan.pinned(request.source, pin)))

    def _parallel(self, request: CopyRequest) -> int:
        return max(1, min(request.tuning.parallel or self._limits.parallel, self._limits.parallel))


def iso(seconds: float) -> str:
    """Unix seconds as ISO 8601 in UTC, to the millisecond."""
    return (
        datetime.fromtimestamp(seconds, timezone.utc)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def _unix(moment: str) -> float:
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


def _task_id(task: Continue) -> str:
    return f"{task.job}-g{task.generation}-l{task.lane}-h{task.hop}"


def _where(task: Continue) -> dict[str, object]:
    return {"job": task.job, "generation": task.generation, "lane": task.lane, "hop": task.hop}


def _seen(request: CopyRequest, of: Pin | Head) -> Seen:
    return Seen(request.source.bucket, request.source.key, of.version_id, of.etag, of.size, of.crc64)


def _shown(request: CopyRequest, of: Head | None) -> Seen:
    if of is None:
        return Seen(request.destination.bucket, request.destination.key)
    return Seen(
        request.destination.bucket, request.destination.key, of.version_id, of.etag, of.size, of.crc64
    )
