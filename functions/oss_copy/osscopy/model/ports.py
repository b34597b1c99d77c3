"""The ports of the product to the world: a store, a journal, an invoker, a clock and a log.

`aliyun`, `jobs.journal` and `app` implement them, and so does a simulation. All raise the errors of `model`
and no others. Knows nothing of how a port is implemented.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from osscopy.model.buckets import BucketInfo, LifecycleRule, Mark, ObjectPage, Retention, VersionPage
from osscopy.model.bulk import Requests
from osscopy.model.commands import Continue
from osscopy.model.objects import Encrypted, Head, ListedPart, Part, PartPage, UploadPage, Written
from osscopy.model.pins import Attributes, Pin
from osscopy.model.records import Cancelled, Done, Entered, Opened
from osscopy.model.request import Acl, Conditions, CopyRequest, Source
from osscopy.model.results import AsyncTask, Problem, Trigger


class Store(Protocol):
    """OSS for a copy. Each call is one request: no retries, no hidden reads."""

    def head(self, request: CopyRequest, source: Source, conditions: Conditions) -> Head:
        """Return the source; Failed if it is missing, Skipped if a condition answers 304."""

    def find(self, request: CopyRequest, place: Source) -> Head | None:
        """Return the destination, or one version of it; None if there is no such object."""

    def link(self, request: CopyRequest, place: Source) -> Head | None:
        """Return a symlink itself, not its target; None if there is none under this name."""

    def restore(self, request: CopyRequest, source: Source) -> None:
        """Start the restoration of an archived source, unless one runs already."""

    def tags(self, request: CopyRequest, source: Source) -> dict[str, str]:
        """Return the tags of the source."""

    def acl(self, request: CopyRequest, source: Source) -> Acl:
        """Return the source's own ACL."""

    def copy(
        self, request: CopyRequest, pin: Pin, attributes: Attributes, timeout: float | None = None
    ) -> Written:
        """Copy the pinned version with CopyObject; wait `timeout` seconds for the answer if that is given."""

    def initiate(self, request: CopyRequest, attributes: Attributes) -> str:
        """Open a multipart upload on the destination and return its id."""

    def copy_part(
        self, request: CopyRequest, pin: Pin, upload_id: str, part: Part, timeout: float | None = None
    ) -> None:
        """Copy a range of the pinned version with UploadPartCopy; raise if any other range was copied.

        Wait `timeout` seconds for the answer if that is given.
        """

    def list_parts(self, request: CopyRequest, upload_id: str, after: int) -> PartPage:
        """Return one page of parts with numbers above `after`."""

    def uploads(self, request: CopyRequest) -> UploadPage:
        """Return up to 1,000 open uploads of exactly the destination key, whoever opened them."""

    def complete(
        self, request: CopyRequest, upload_id: str, parts: Sequence[ListedPart], acl: Acl
    ) -> Written:
        """Complete the upload with exactly these parts."""

    def delete_version(self, request: CopyRequest, version_id: str) -> None:
        """Delete one version of the destination, for good."""

    def abort(self, request: CopyRequest, upload_id: str) -> None:
        """Abort the upload; raise UploadGone if it had ended before."""


class Buckets(Protocol):
    """OSS for the check. Each call is one request."""

    def info(self, bucket: str) -> BucketInfo:
        """Return region and versioning."""

    def retention(self, bucket: str) -> Retention | None:
        """Return the retention policy, None if there is none."""

    def lifecycle(self, bucket: str) -> tuple[LifecycleRule, ...]:
        """Return the lifecycle rules that are enabled."""

    def encryption(self, bucket: str) -> Encrypted | None:
        """Return the encryption that objects get by default, None if there is none."""

    def objects(self, bucket: str, prefix: str, limit: int, *, pays: bool = False) -> ObjectPage:
        """Return the first objects whose keys start with `prefix`. `pays`: the requester does."""

    def versions(self, bucket: str, prefix: str, limit: int, *, pays: bool = False) -> VersionPage:
        """Return the first versions of keys that start with `prefix`."""

    def uploads(self, bucket: str, prefix: str) -> UploadPage:
        """Return the first open uploads of keys that start with `prefix`, whoever opened them."""

    def put_new(self, bucket: str, key: str, body: bytes) -> str | None:
        """Create an object and return its version id, if the bucket has versions. Conflict if it exists."""

    def get(self, bucket: str, key: str) -> bytes:
        """Return the bytes of a small object."""

    def delete(self, bucket: str, key: str, version_id: str | None = None) -> None:
        """Delete an object, or one version of it for good, if there is one."""


class Objects(Protocol):
    """OSS for many objects: listings, manifests and reports. Each call is one request."""

    def page(self, bucket: str, prefix: str, after: str, limit: int, *, pays: bool = False) -> ObjectPage:
        """Return up to `limit` objects whose keys start with `prefix` and come after `after`, in order.

        `pays`: the requester does. Transient for a listing that is not in order or lies elsewhere.
        """

    def versions(
        self, bucket: str, prefix: str, after: Mark, limit: int, *, pays: bool = False
    ) -> VersionPage:
        """Return up to `limit` versions of keys that start with `prefix`, from `after` on; as for `page`."""

    def versioning(self, bucket: str) -> str | None:
        """Return `Enabled` or `Suspended`; None if the bucket never had versions."""

    def read(self, bucket: str, key: str, first: int, last: int, etag: str = "") -> bytes:
        """Return the bytes from offset `first` to `last`, both inclusive; Conflict if the ETag is another."""

    def write(self, bucket: str, key: str, body: bytes) -> None:
        """Put a file of a report, over one of this name."""

    def remove(self, bucket: str, key: str, *, pays: bool = False) -> None:
        """Delete an object; where the bucket keeps versions, what it was stays as one of them.

        That there is none is as good.
        """

    def answered(self) -> Requests:
        """Return the requests to OSS of all ports that this invocation has had answers to."""


class Journal(Protocol):
    """The records of copies. The first writer wins: a write returns the record that stands."""

    def open(self, entry: Opened) -> Opened: ...

    def enter(self, job: str, entry: Entered) -> Entered: ...

    def cancel(self, job: str, entry: Cancelled) -> Cancelled: ...

    def close(self, job: str, entry: Done) -> Done: ...

    def opened(self, job: str) -> Opened | None: ...

    def entered(self, job: str) -> Entered | None: ...

    def cancelled(self, job: str) -> Cancelled | None: ...

    def done(self, job: str) -> Done | None: ...

    def written(self, kind: Literal["cancel", "done"], job: str) -> tuple[int, int] | None:
        """Return when this record was written, and the answer's time, by OSS's clock; None without it."""

    def note(self, task: Continue, problem: Problem) -> None:
        """Put on record a problem that did not make the hop fail."""

    def work_on(self, task: Continue) -> None:
        """Put on record that this hop works on its copy; once, however often it is delivered."""

    def hops(self, job: str, this: Continue | None = None) -> int:
        """Return how many invocations have worked on the copy, the first of all and `this` hop included."""

    def generation(self, job: str) -> int:
        """Return the highest generation of which a sweep has started a chain; 0 if none has."""


class Invoker(Protocol):
    """FC for a chain of invocations."""

    def submit(self, task_id: str, payload: bytes, delay: int) -> bool:
        """Invoke this function asynchronously after `delay` seconds; False: the task id was known."""


class Outbox(Protocol):
    """Outcomes that somebody is to be told of."""

    def put(self, job: str, status: str, *, by_rule: bool) -> bool:
        """Put on record that an outcome is to be told, before it is on record itself; False: it is not."""

    def is_empty(self) -> bool:
        """Return whether nothing is left to be told."""

    def announce(self) -> None:
        """Let an invocation of its own tell what is on record soon. One request at most; never raises."""


class Copier(Protocol):
    """The function that copies, for the one that HTTP requests come to."""

    def invoke(self, event: bytes) -> bytes:
        """Invoke it synchronously and return its answer; Transient if there is none, or no instance."""

    def task(self, task_id: str) -> AsyncTask | None:
        """Return what FC has of one of its asynchronous invocations; None if it knows none."""


class Platform(Invoker, Protocol):
    """FC for the check."""

    def triggers(self) -> tuple[Trigger, ...]:
        """Return the triggers of the function, 100 at most."""


class Clock(Protocol):
    """Time and chance."""

    def monotonic(self) -> float:
        """Return seconds that only grow."""

    def now(self) -> float:
        """Return Unix seconds."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def random(self) -> float:
        """Return a number from 0 up to 1."""

    def nonce(self) -> str:
        """Return a text that is unique."""


class Signal(Protocol):
    """A flag that one thread waits for; `threading.Event` is one."""

    def set(self) -> None:
        """Raise the flag, and wake who waits."""

    def clear(self) -> None:
        """Lower the flag."""

    def wait(self, timeout: float) -> object:
        """Return when the flag is up, or after `timeout` seconds."""


class Runtime(Clock, Protocol):
    """Time, chance and threads of an invocation."""

    def cpu(self) -> float:
        """Return the CPU seconds that this process has used."""

    def start(self, work: Callable[[], None]) -> None:
        """Let a thread do `work`; nobody waits for it."""

    def signal(self) -> Signal:
        """Return a flag that is down."""

    def together(self, work: Callable[[], None], count: int, until: float) -> None:
        """Let `count` threads do `work`; return when all have, or at `until` (monotonic)."""


class Log(Protocol):
    """The log of events that matter, one structured line each."""

    def __call__(self, event: str, /, **fields: object) -> None: ...
