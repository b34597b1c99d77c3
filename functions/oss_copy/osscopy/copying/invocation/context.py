"""What one invocation asks of the world, each question repeated while that may help and time allows.

Knows the ports, the allow list, retries and the time left; not what the answers mean for a copy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import msgspec

from osscopy import events, plan
from osscopy.copying.invocation.retry import Attempts
from osscopy.model import (
    Acl,
    Conditions,
    Continue,
    Copy,
    CopyRequest,
    Failed,
    Head,
    ListedPart,
    Opened,
    Pin,
    Refused,
    Source,
    Transient,
)
from osscopy.model.ports import Invoker, Journal, Log, Runtime, Store

P = ParamSpec("P")
T = TypeVar("T")


_TAG_RIGHTS = "oss:GetObjectTagging (of a version oss:GetObjectVersionTagging too)"


class Limits(msgspec.Struct, frozen=True):
    """What this invocation may use. `deadline` is monotonic; `timeout` in seconds.

    `configured`: the function's timeout, which those invocations have that go on with what this one, behind
    HTTP, has begun.
    """

    timeout: float
    configured: float
    deadline: float
    threshold: int = plan.DEFAULT_THRESHOLD
    parallel: int = 32

    @property
    def settle(self) -> int:
        """Seconds in which a request that timed out may still land."""
        return math.ceil(plan.settle_time(self.configured))


class Session:
    """The store, the journal, the invoker and the clock of one invocation, asked with patience."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        invoker: Invoker,
        clock: Runtime,
        log: Log,
        limits: Limits,
        allow: Callable[[CopyRequest], None],
    ) -> None:
        """`allow` raises Refused for what the settings do not name."""
        self.allow = allow
        self.store = store
        self.journal = journal
        self.clock = clock
        self.log = log
        self.limits = limits
        self.submit_by = limits.deadline - plan.reserve(limits.timeout)
        self._invoker = invoker

    def is_allowed(self, request: CopyRequest) -> bool:
        """Whether the settings name its source and its destination."""
        try:
            self.allow(request)
        except Refused:
            return False
        return True

    def attempts(self) -> Attempts:
        """For a question whose earlier attempts matter."""
        return Attempts(self.clock, until=self.submit_by)

    def ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the answer to one question, asked again while that may help."""
        return self.attempts().run(lambda: question(*args, **kwargs))

    def opening(
        self,
        copy: Copy,
        pin: Pin,
        head: Head,
        method: plan.Method,
        *,
        in_doubt: bool = False,
        restores: bool = False,
    ) -> Opened:
        """The record of a copy that is bound to `pin`, as `head` shows it; it is not written yet."""
        return Opened(
            self.clock.nonce(),
            copy.job,
            copy.request,
            pin,
            copy.started_at,
            "multipart" if method == "multipart" else "simple",
            copy.follows,
            uncertain=copy.may_land_late,
            seen_at=head.seen_at,
            in_doubt=in_doubt,
            settle=self.limits.settle,
            restores=restores,
        )

    def submit(self, task_id: str, payload: bytes, delay: int) -> None:
        """Submit an invocation; that its id was accepted before means that it is on its way."""
        attempts = Attempts(self.clock, until=self.limits.deadline - 0.5)
        fresh = attempts.run(lambda: self._invoker.submit(task_id, payload, delay))
        self.log("submitted", taskId=task_id, bytes=len(payload), delay=delay, fresh=fresh)

    def parts(self, task: Continue, after: int, last: int) -> list[ListedPart]:
        """The parts with numbers above `after` up to `last`, read from OSS page by page."""
        found: list[ListedPart] = []
        marker: int | None = after
        while marker is not None and marker < last:
            start = marker
            page = self.ask(lambda: self.store.list_parts(task.request, task.upload.id, start))  # noqa: B023 - called before the loop goes on
            marker = page.next
            if marker is not None and marker <= start:
                raise Failed("ListPartsStuck", f"ListParts answered marker {marker} after {start}")
            found.extend(part for part in page.parts if part.number <= last)
        return found

    def idle(self, task: Continue) -> int:
        """Seconds since the newest part, or the upload, came, by OSS's clock. UploadGone if it ended."""
        newest, marker, seen_at = task.upload.opened_at, 0, 0
        while True:
            start = marker
            page = self.ask(lambda: self.store.list_parts(task.request, task.upload.id, start))  # noqa: B023 - called before the loop goes on
            newest = max([newest, *(part.modified for part in page.parts)])
            seen_at = page.seen_at
            if page.next is None or page.next <= start:
                return seen_at - newest
            marker = page.next

    def source(self, request: CopyRequest, conditions: Conditions) -> Head:
        """The source as it is now: a symlink itself, unless it is to be followed."""
        source = request.source
        head = self._itself(request, source, lambda: self.store.head(request, source, conditions))
        if head is None:
            raise Transient("SourceInMotion", "the source is being replaced just now")
        return head

    def follow(self, request: CopyRequest, head: Head, conditions: Conditions) -> tuple[CopyRequest, Head]:
        """Where a symlink points to, if that is to be copied; OSS has no links to links.

        Refused if it may not be. A version of a symlink is not looked at again: it points there for ever.
        """
        if head.kind != "Symlink" or request.symlinks != "follow":
            return request, head
        key = self._points_to(request, request.source)
        if key is None:
            raise Transient("SourceInMotion", "the symlink is being replaced just now")
        followed = msgspec.structs.replace(request, source=Source(request.source.bucket, key))
        events.check_request(followed)
        self.allow(followed)
        via = request.source.key if request.source.version_id is None else None
        return followed, msgspec.structs.replace(self.source(followed, conditions), via=via)

    def _points_to(self, request: CopyRequest, place: Source) -> str | None:
        link = self.ask(lambda: self.store.link(request, place))
        return link.link if link is not None else None

    def _itself(self, request: CopyRequest, place: Source, look: Callable[[], Head | None]) -> Head | None:
        """What `look` sees; where it sees the target of a symlink, or that there is none, the symlink."""
        follows = request.symlinks == "follow" and place == request.source
        try:
            head = self.ask(look)
        except Failed as error:
            if follows or error.code not in {"SymlinkTargetNotExist", "InvalidTargetType"}:
                raise
        else:
            if follows or head is None or head.kind != "Symlink":
                return head
        return self.ask(lambda: self.store.link(request, place))

    def same_source(self, request: CopyRequest, pin: Pin) -> Head | None:
        """The source if it is still what was pinned: ETag, versionId, Last-Modified and copied tags.

        Headers too, since Last-Modified knows whole seconds only; and the symlink that was followed to it.
        Tags that were read are those of `head` only if there are as many as it shows.
        """
        if pin.via is not None:
            source = request.source
            if self._points_to(request, Source(source.bucket, pin.via)) != source.key:
                return None
        try:
            head = self.source(request, Conditions())
            tags = self.tags_since(request, head, pin)
            now = plan.bind(request, head, tags)
        except Failed as error:
            if error.code not in {"NoSuchKey", "NoSuchVersion"}:
                raise
            return None
        is_read = request.tags == "copy" and tags is not None and head.tag_count is not None
        if is_read and head.tag_count != len(tags or {}):
            return None
        is_same = plan.is_same_version(pin, head) and (now.tags, now.promise) == (pin.tags, pin.promise)
        return head if is_same else None

    def source_is_same(self, task: Continue) -> bool:
        """Whether the source is still the version the copy is pinned to."""
        return self.same_source(task.request, task.pin) is not None

    def tags(self, request: CopyRequest, head: Head) -> dict[str, str]:
        """The tags to be copied. Failed if they may not be read, where HEAD does not show their number."""
        if request.tags != "copy" or head.link is not None or head.tag_count == 0:
            return {}
        source = plan.pinned(request.source, plan.pin(head))
        try:
            return self.ask(lambda: self.store.tags(request, source))
        except Failed as error:
            if error.status != 403:
                raise
            text = (
                f"the tags of the source may not be read, and would be lost: grant the function's role "
                f"{_TAG_RIGHTS} on oss://{source.bucket}/{source.key}, or ask with `tags` as `none` or a map "
                f"({error.message})"
            )
            raise Failed(error.code, text, request_id=error.request_id, status=error.status) from error

    def tags_if_readable(self, request: CopyRequest, head: Head) -> dict[str, str] | None:
        """The tags to be copied, None if they may not be read."""
        try:
            return self.tags(request, head)
        except Failed as error:
            if error.status != 403:
                raise
            return None

    def tags_since(self, request: CopyRequest, head: Head, seen: Pin) -> dict[str, str] | None:
        """The tags to be copied, None where they were not read for `seen` and HEAD shows none by now.

        Where they were read for `seen`, and there were none, HEAD would show it if there were any by now.
        """
        if head.tag_count is None and seen.promise is not None and not seen.promise.tags:
            return None if seen.promise.tags is None else {}
        return self.tags(request, head)

    def is_shown(self, request: CopyRequest, head: Head, shown: Head | None) -> bool:
        """Whether the destination shows what a copy of `head` would, as far as may be seen."""
        if shown is None or not plan.is_shown(request, head, shown):
            return False
        return self.same_tags(request, head, shown)

    def same_tags(self, request: CopyRequest, head: Head, shown: Head) -> bool:
        """Whether the destination has the tags of a copy of `head`, as far as they may be read."""
        promise = plan.bind(request, head).promise
        if promise is None or not (promise.tags or shown.tag_count):
            return True
        wanted = self.tags_if_readable(request, head) if request.tags == "copy" else request.tags
        try:
            return wanted is None or self.tags_shown(request) == ({} if wanted == "none" else wanted)
        except Failed as error:
            if error.status not in {403, 404}:
                raise
            return error.status == 403  # 404: the destination is gone

    def judge_overwrite(self, request: CopyRequest, head: Head, follows: int | None) -> None:
        """Look at the destination; raise Conflict or Skipped if the overwrite policy says so."""
        shown = self.destination(request)
        may_skip = shown is not None and request.overwrite != "never" and plan.is_shown(request, head, shown)
        same_tags = not may_skip or shown is None or self.same_tags(request, head, shown)
        plan.judge_overwrite(request, head, shown, follows, same_tags=same_tags)

    def tags_shown(self, request: CopyRequest, version_id: str | None = None) -> dict[str, str]:
        """The tags of the destination, or of one version of it."""
        place = Source(request.destination.bucket, request.destination.key, version_id)
        return self.ask(lambda: self.store.tags(request, place))

    def destination(self, request: CopyRequest, version_id: str | None = None) -> Head | None:
        """What the destination shows now, or one version of it; a symlink itself, not what it points to."""
        place = Source(request.destination.bucket, request.destination.key, version_id)
        return self._itself(request, place, lambda: self.store.find(request, place))

    def may_look(self, request: CopyRequest) -> None:
        """Failed, with the right that is missing, if what is written there could not be looked at.

        OSS tells who may read an object that there is none, whether he may list or not.
        """
        try:
            self.destination(request)
        except Failed as error:
            if error.status != 403:
                raise
            bucket, key = request.destination.bucket, request.destination.key
            text = (
                f"nothing was written: the copy could not be looked at, since the function's role lacks "
                f"oss:GetObject on oss://{bucket}/{key} ({error.message})"
            )
            raise Failed(error.code, text, request_id=error.request_id, status=error.status) from error

    def acl(self, request: CopyRequest, pin: Pin) -> Acl:
        """The ACL the destination is to have; an object that is changed in place keeps its own.

        Where that may not be read, it is left to OSS.
        """
        if request.acl != "copy" and not (request.is_onto_itself and request.acl == "default"):
            return request.acl
        try:
            return self.ask(lambda: self.store.acl(request, plan.pinned(request.source, pin)))
        except Failed as error:
            if request.acl == "copy" or error.status != 403:
                raise
            return "default"

    def is_cancelled(self, job: str) -> bool:
        """Whether somebody wants the copy to end."""
        return self.ask(lambda: self.journal.cancelled(job)) is not None

    def parallel(self, request: CopyRequest) -> int:
        """Threads for a copy: what was asked for, within the limit."""
        return max(1, min(request.tuning.parallel or self.limits.parallel, self.limits.parallel))

    def now(self) -> float:
        """Unix seconds."""
        return self.clock.now()

    def part_budget(self) -> float:
        """Seconds one part may take in an invocation that copies parts."""
        return plan.part_budget(self.limits.configured)

    def seconds_left(self) -> float:
        """Until the platform kills this invocation."""
        return self.limits.deadline - self.clock.monotonic()

    def wait(self, usual: float) -> float:
        """Return the seconds to wait for an answer: `usual`, or less, so that time is left to hand over."""
        return max(1.0, min(usual, self.submit_by - self.clock.monotonic()))

    def is_short_of_time(self) -> bool:
        """Whether another copy of a list had better not be begun in this invocation."""
        return self.seconds_left() < plan.list_reserve(self.limits.timeout)
