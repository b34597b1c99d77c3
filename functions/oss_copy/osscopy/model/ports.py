"""What the engine needs from the world: a store, a journal, an invoker, a clock and a log.

Adapters implement these (`oss`, `journal`, `fc`, `app`), and so does a simulation. All of them raise the
errors of `model` and no others. They are declared apart from the engine because the crew of threads needs
them too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from osscopy.model.buckets import BucketInfo, LifecycleRule, ObjectPage, Retention
from osscopy.model.objects import Head, ListedPart, Part, PartPage, UploadPage, Written
from osscopy.model.pins import Attributes, Pin
from osscopy.model.records import Cancelled, Done, Entered, Opened
from osscopy.model.request import Acl, Conditions, CopyRequest, Source
from osscopy.model.results import Problem, Trigger


class Store(Protocol):
    """OSS, as far as a copy goes. Each call is one request: no retries, no hidden reads."""

    def head(self, request: CopyRequest, source: Source, conditions: Conditions) -> Head:
        """The source; Failed if it is missing, Skipped if a condition answers 304."""

    def find(self, request: CopyRequest, place: Source) -> Head | None:
        """The destination, or one version of it; None if there is no such object."""

    def link(self, request: CopyRequest, place: Source) -> Head | None:
        """A symlink itself, not what it points to; None if there is none under this name."""

    def restore(self, request: CopyRequest, source: Source) -> None:
        """Start the restoration of an archived source; that one runs already is as good."""

    def tags(self, request: CopyRequest, source: Source) -> dict[str, str]:
        """The tags of the source."""

    def acl(self, request: CopyRequest, source: Source) -> Acl:
        """The source's own ACL."""

    def copy(
        self, request: CopyRequest, pin: Pin, attributes: Attributes, timeout: float | None = None
    ) -> Written:
        """CopyObject of the pinned version; waits `timeout` seconds if that is given."""

    def initiate(self, request: CopyRequest, attributes: Attributes) -> str:
        """Open a multipart upload on the destination and return its id."""

    def copy_part(
        self, request: CopyRequest, pin: Pin, upload_id: str, part: Part, timeout: float | None = None
    ) -> None:
        """UploadPartCopy of the pinned version; raises unless exactly the asked range was copied.

        Waits `timeout` seconds for the answer if that is given.
        """

    def list_parts(self, request: CopyRequest, upload_id: str, after: int) -> PartPage:
        """One page of parts with numbers above `after`."""

    def uploads(self, request: CopyRequest) -> UploadPage:
        """Up to 1,000 open uploads of exactly the destination key, whoever opened them."""

    def complete(
        self, request: CopyRequest, upload_id: str, parts: Sequence[ListedPart], acl: Acl
    ) -> Written:
        """Complete the upload with exactly these parts."""

    def delete_version(self, request: CopyRequest, version_id: str) -> None:
        """Delete one version of the destination, for good."""

    def abort(self, request: CopyRequest, upload_id: str) -> None:
        """End the upload; raises UploadGone if it had ended before."""


class Buckets(Protocol):
    """OSS, as far as the check goes beyond a copy. Each call is one request."""

    def info(self, bucket: str) -> BucketInfo:
        """Region and versioning."""

    def retention(self, bucket: str) -> Retention | None:
        """The retention policy, None if there is none."""

    def lifecycle(self, bucket: str) -> tuple[LifecycleRule, ...]:
        """The lifecycle rules that are enabled."""

    def objects(self, bucket: str, prefix: str, limit: int, *, pays: bool = False) -> ObjectPage:
        """The first objects whose keys start with `prefix`. `pays`: the requester does."""

    def uploads(self, bucket: str, prefix: str) -> UploadPage:
        """The first open uploads of keys that start with `prefix`, whoever opened them."""

    def put_new(self, bucket: str, key: str, body: bytes) -> str | None:
        """Create an object; its version id where the bucket has versions. Conflict if it exists."""

    def get(self, bucket: str, key: str) -> bytes:
        """The bytes of a small object."""

    def delete(self, bucket: str, key: str, version_id: str | None = None) -> None:
        """Delete an object, or one version of it for good; that there is none is as good."""


class Journal(Protocol):
    """The records of copies. The first writer wins: what is returned is what is on record."""

    def open(self, entry: Opened) -> Opened: ...

    def enter(self, job: str, entry: Entered) -> Entered: ...

    def cancel(self, job: str, entry: Cancelled) -> Cancelled: ...

    def close(self, job: str, entry: Done) -> Done: ...

    def opened(self, job: str) -> Opened | None: ...

    def entered(self, job: str) -> Entered | None: ...

    def cancelled(self, job: str) -> Cancelled | None: ...

    def done(self, job: str) -> Done | None: ...

    def written(self, kind: Literal["cancel", "done"], job: str) -> tuple[int, int] | None:
        """When this record was written, and when that was asked, by the server's clock; None if it is not."""

    def note(self, job: str, generation: int, hop: int, problem: Problem) -> None:
        """Put on record what a hop met and did not fail of."""

    def generation(self, job: str) -> int:
        """The highest generation of which a sweep has started a chain; 0 if none has."""


class Invoker(Protocol):
    """FC, as far as a chain goes."""

    def submit(self, task_id: str, payload: bytes, delay: int) -> bool:
        """Invoke this function asynchronously after `delay` seconds; False: the task id was known."""


class Platform(Invoker, Protocol):
    """FC, as far as the check goes beyond a chain."""

    def triggers(self) -> tuple[Trigger, ...]:
        """The triggers of the function, 100 at most."""


class Clock(Protocol):
    """Time and chance."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""

    def now(self) -> float:
        """Unix seconds."""

    def sleep(self, seconds: float) -> None:
        """Let so much time pass."""

    def random(self) -> float:
        """A number from 0 up to 1."""

    def nonce(self) -> str:
        """A text that nobody else comes up with."""


class Runtime(Clock, Protocol):
    """Time, chance and threads of an invocation."""

    def together(self, work: Callable[[], None], count: int, until: float) -> None:
        """Let `count` threads do `work`; return when all have, or at `until` (monotonic)."""


class Log(Protocol):
    """Where an event that matters is noted, as one structured line."""

    def __call__(self, event: str, /, **fields: object) -> None: ...
