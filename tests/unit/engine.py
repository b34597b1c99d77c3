"""OSS, records and FC in memory, for unit tests of the engine: small, and exact about what is asked and when.

Nothing goes wrong here but what a test lets go wrong at a request (`Cloud.at`), and no time passes but in
`Cloud.sleep`, or where a test moves `Cloud.time`. The simulation and the local cloud have the rest.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from osscopy import events, plan
from osscopy.copying import results
from osscopy.copying.invocation.context import Context, Limits
from osscopy.copying.outcome import task_of
from osscopy.jobs.journal import RecordJournal
from osscopy.model import (
    MIB,
    Acl,
    Attributes,
    Command,
    Conditions,
    Conflict,
    ContentHeaders,
    Continue,
    Copy,
    CopyRequest,
    Destination,
    Done,
    Encrypted,
    Entered,
    Failed,
    Head,
    ListedPart,
    Opened,
    OpenUpload,
    Part,
    PartPage,
    Pin,
    RecordPage,
    Refused,
    Result,
    Source,
    SourceChanged,
    Transient,
    Tuning,
    Upload,
    UploadGone,
    UploadPage,
    Written,
)
from osscopy.model.ports import Outbox
from osscopy.plan import keys
from osscopy.plan.allowed.options import ANY_OPTION

T = TypeVar("T")
START = 1_800_000_000  # Unix seconds at which all tests begin
PART = MIB
SMALL, LARGE = 1000, 4 * PART  # sizes of objects; with `THRESHOLD` the larger one is copied in parts
THRESHOLD = 2 * PART
SRC, DST = "src-bucket", "dst-bucket"

LOST = Transient("NetworkError", "no answer", in_doubt=True)
LATE = Transient("NetworkError", "no answer in time", in_doubt=True, outlasted=True)
BUSY = Transient("TotalQpsLimitExceeded", "slow down", throttled=True)
EXPIRED = Transient("SecurityTokenExpired", "the token has expired")
DENIED = Failed("AccessDenied", "no", status=403)


@dataclass
class Stored:
    """An object; `head.crc64` stands for its bytes."""

    head: Head
    tags: dict[str, str] = field(default_factory=dict)
    acl: Acl = "default"
    is_marker: bool = False  # a delete marker, which has no bytes


@dataclass
class Open:
    """An upload."""

    place: tuple[str, str]
    attributes: Attributes
    initiated: int
    parts: dict[int, tuple[ListedPart, str | None]] = field(
        default_factory=dict
    )  # and the CRC64 of its source


class Cloud:
    """Everything that the engine asks, and its clock. `asked`: the requests so far, in order."""

    def __init__(self) -> None:
        self.time: float = START
        self.objects: dict[tuple[str, str], Stored] = {}
        self.versions: dict[tuple[str, str, str], Stored] = {}
        self.versioned: set[str] = set()  # buckets
        self.uploads: dict[str, Open] = {}
        self.read: dict[str, Stored] = {}  # what the parts of an upload were copied from
        self.records: dict[str, tuple[int, bytes]] = {}
        self.submitted: list[tuple[str, bytes, int]] = []
        self.asked: list[str] = []
        self.logged: list[tuple[str, dict[str, object]]] = []
        self.waits: dict[str, float | None] = {}  # for answers, by request
        self.page = 1000  # parts a listing
        self.rounds: list[int] = []  # threads that were begun together
        self.broken: dict[str, Exception] = {}  # requests that always fail so
        self.shows_part_crcs = False
        self._happenings: dict[tuple[str, int, bool], list[Callable[[], object]]] = {}
        self._counts: Counter[str] = Counter()
        self._numbers = itertools.count(1)

    # --- what tests let happen -------------------------------------------------------------------------

    def at(self, request: str, *happens: Callable[[], object], nth: int = 1, after: bool = False) -> None:
        """Let something happen at the `nth` request of this name from now on, before or after its effect."""
        key = (request, self._counts[request] + nth, after)
        self._happenings.setdefault(key, []).extend(happens)

    def put(self, key: str, crc64: str = "7", *, bucket: str = SRC, size: int = SMALL, **shown: Any) -> Head:
        """Put an object whose bytes are named `crc64`."""
        tags: dict[str, str] = shown.pop("tags", {})
        head = Head(
            size=size,
            etag=shown.pop("etag", f"E{crc64}"),
            version_id=None,
            last_modified=int(self.time),
            seen_at=int(self.time),
            crc64=crc64,
            storage_class="Standard",
            kind="Normal",
            content=ContentHeaders(content_type="text/plain"),
            tag_count=len(tags),
        )
        return self.show(bucket, key, Stored(replace(head, **shown), tags))

    def show(self, bucket: str, key: str, stored: Stored) -> Head:
        """Show this object from now on."""
        version = f"v{next(self._numbers)}" if bucket in self.versioned else None
        stored.head = replace(stored.head, version_id=version)
        self.objects[bucket, key] = stored
        if version is not None:
            self.versions[bucket, key, version] = stored
        return stored.head

    def hide(self, key: str, bucket: str = SRC) -> None:
        """Put a delete marker in a bucket with versions."""
        self.put(key, "0", bucket=bucket, size=0, etag="")
        self.objects.pop((bucket, key)).is_marker = True

    def retag(self, key: str, tags: dict[str, str], bucket: str = SRC) -> None:
        """Change tags in place: nothing else shows that but their number."""
        stored = self.objects[bucket, key]
        stored.tags, stored.head = tags, replace(stored.head, tag_count=len(tags))

    # --- the clock -------------------------------------------------------------------------------------

    def monotonic(self) -> float:
        return self.time

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def random(self) -> float:
        return 0.5

    def nonce(self) -> str:
        return f"n{next(self._numbers)}"

    def cpu(self) -> float:
        return 0.0

    def start(self, work: Callable[[], None]) -> None:
        work()

    def signal(self) -> threading.Event:
        return threading.Event()

    def together(self, work: Callable[[], None], count: int, until: float) -> None:
        self.rounds.append(count)
        for _ in range(count):
            work()

    # --- requests --------------------------------------------------------------------------------------

    def ask(self, name: str, effect: Callable[[], T], about: str = "") -> T:
        self.asked.append(f"{name} {about}".strip())
        self._counts[name] += 1
        count = self._counts[name]
        for happen in self._happenings.pop((name, count, False), []):
            happen()
        if name in self.broken:
            raise self.broken[name]
        found = effect()
        for happen in self._happenings.pop((name, count, True), []):
            happen()
        return found

    def count(self, name: str) -> int:
        return self._counts[name]

    def log(self, event: str, /, **fields: object) -> None:
        self.logged.append((event, fields))

    def events(self, name: str) -> list[dict[str, object]]:
        return [fields for event, fields in self.logged if event == name]

    def submit(self, task_id: str, payload: bytes, delay: int) -> bool:
        def effect() -> bool:
            is_new = task_id not in {name for name, _, _ in self.submitted}
            if is_new:
                self.submitted.append((task_id, payload, delay))
            return is_new

        return self.ask("submit", effect, task_id)

    def commands(self) -> list[Any]:
        """The commands that were submitted, in order."""
        arrival = events.Arrival("r", _moment(self.time))
        found = []
        for _, payload, _ in self.submitted:
            parsed = events.parse(payload, arrival, ())
            found.append(parsed.items[0] if isinstance(parsed, events.Batch) else parsed)
        return found

    # --- the store -------------------------------------------------------------------------------------

    def _at(self, place: Source) -> Stored | None:
        if place.version_id is not None:
            found = self.versions.get((place.bucket, place.key, place.version_id))
            return None if found is not None and found.is_marker else found
        return self.objects.get((place.bucket, place.key))

    def _seen(self, stored: Stored) -> Head:
        return replace(stored.head, seen_at=int(self.time))

    def head(self, request: CopyRequest, source: Source, conditions: Conditions) -> Head:
        def effect() -> Head:
            stored = self._at(source)
            if stored is None:
                code = "NoSuchVersion" if source.version_id else "NoSuchKey"
                raise Failed(code, f"no {source.key}", status=404)
            head = stored.head
            if head.link is not None and (to := self.objects.get((source.bucket, head.link))):
                head = replace(to.head, kind="Symlink")  # HEAD shows the target's headers
            elif head.link is not None:
                raise Failed("SymlinkTargetNotExist", "no target", status=404)
            if conditions.if_match not in {None, head.etag}:
                raise Conflict("PreconditionFailed", "another ETag", status=412)
            return replace(head, seen_at=int(self.time))

        return self.ask("head", effect, source.key)

    def find(self, request: CopyRequest, place: Source) -> Head | None:
        def effect() -> Head | None:
            stored = self._at(place)
            return self._seen(stored) if stored else None

        return self.ask("find", effect, place.key + (f" {place.version_id}" if place.version_id else ""))

    def link(self, request: CopyRequest, place: Source) -> Head | None:
        def effect() -> Head | None:
            stored = self._at(place)
            return self._seen(stored) if stored and stored.head.link is not None else None

        return self.ask("link", effect, place.key)

    def restore(self, request: CopyRequest, source: Source) -> None:
        self.ask("restore", lambda: None, f"{source.key} {source.version_id or ''}".strip())

    def tags(self, request: CopyRequest, source: Source) -> dict[str, str]:
        def effect() -> dict[str, str]:
            stored = self._at(source)
            if stored is None:
                raise Failed("NoSuchKey", "no such key", status=404)
            return dict(stored.tags)

        about = f"{source.bucket}/{source.key}" + (f" {source.version_id}" if source.version_id else "")
        return self.ask("tags", effect, about)

    def acl(self, request: CopyRequest, source: Source) -> Acl:
        def effect() -> Acl:
            stored = self._at(source)
            assert stored is not None
            return stored.acl

        return self.ask("acl", effect, source.key + (f" {source.version_id}" if source.version_id else ""))

    def _pinned(self, request: CopyRequest, pin: Pin) -> Stored:
        source = request.source
        stored = self._at(plan.pinned(source, pin) if pin.version_id else source)
        if stored is None or (pin.link is None and stored.head.etag != pin.etag):
            raise SourceChanged("SourceChanged", "it is another version", status=412)
        return stored

    def _forbid(self, request: CopyRequest) -> None:
        place = (request.destination.bucket, request.destination.key)
        if request.overwrite == "never" and place in self.objects and place[0] not in self.versioned:
            raise Conflict("FileAlreadyExists", "the object exists", status=409)

    def copy(
        self, request: CopyRequest, pin: Pin, attributes: Attributes, timeout: float | None = None
    ) -> Written:
        self.waits["copy"] = timeout

        def effect() -> Written:
            read = self._pinned(request, pin)
            self._forbid(request)
            return self._write(request, read.head, read.tags, attributes, read.head.etag)

        return self.ask("copy", effect)

    def _write(
        self, request: CopyRequest, read: Head, tags: dict[str, str], attributes: Attributes, etag: str
    ) -> Written:
        tags = dict(tags) if attributes.tags is None else dict(attributes.tags)
        head = replace(
            read,
            etag=etag,
            last_modified=int(self.time),
            content=attributes.content or read.content,
            tag_count=len(tags),
            storage_class=attributes.storage_class,
            encryption=attributes.encryption,
            restoration="none",
        )
        place = request.destination
        shown = self.show(place.bucket, place.key, Stored(head, tags, attributes.acl))
        return Written(etag, shown.version_id)

    def initiate(self, request: CopyRequest, attributes: Attributes) -> str:
        def effect() -> str:
            self._forbid(request)
            name = f"u{next(self._numbers)}"
            place = (request.destination.bucket, request.destination.key)
            self.uploads[name] = Open(place, attributes, int(self.time))
            return name

        return self.ask("initiate", effect)

    def upload(self, name: str) -> Open:
        if name not in self.uploads:
            raise UploadGone("NoSuchUpload", "there is none", status=404)
        return self.uploads[name]

    def copy_part(
        self, request: CopyRequest, pin: Pin, upload_id: str, part: Part, timeout: float | None = None
    ) -> None:
        self.waits["copy_part"] = timeout

        def effect() -> None:
            read = self._pinned(request, pin)
            crc64 = part.number if self.shows_part_crcs else None
            listed = ListedPart(part.number, f"P{part.number}", part.size, crc64, int(self.time))
            self.upload(upload_id).parts[part.number] = (listed, read.head.crc64)
            self.read[upload_id] = read

        self.ask("copy_part", effect, str(part.number))

    def list_parts(self, request: CopyRequest, upload_id: str, after: int) -> PartPage:
        def effect() -> PartPage:
            parts = self.upload(upload_id).parts
            numbers = sorted(number for number in parts if number > after)
            page = tuple(parts[number][0] for number in numbers[: self.page])
            return PartPage(page, page[-1].number if len(numbers) > self.page else None, int(self.time))

        return self.ask("list_parts", effect, f"{upload_id} {after}")

    def list_uploads(self, request: CopyRequest) -> UploadPage:
        def effect() -> UploadPage:
            place = (request.destination.bucket, request.destination.key)
            found = (
                OpenUpload(name, place[1], each.initiated)
                for name, each in self.uploads.items()
                if each.place == place
            )
            return UploadPage(tuple(found), int(self.time))

        return self.ask("uploads", effect)

    def complete(
        self, request: CopyRequest, upload_id: str, parts: Sequence[ListedPart], acl: Acl
    ) -> Written:
        def effect() -> Written:
            upload = self.upload(upload_id)
            self._forbid(request)
            if [each for each, _ in upload.parts.values() if each not in parts]:
                raise Failed("InvalidPart", "other parts", status=400)
            del self.uploads[upload_id]
            size = sum(each.size for each in parts)
            (crc64,) = {crc for _, crc in upload.parts.values()}
            attributes = replace(upload.attributes, acl=acl)
            source = (request.source.bucket, request.source.key)
            read = (self.read.get(upload_id) or self.objects[source]).head
            made = replace(read, size=size, crc64=crc64, kind="Multipart", link=None)
            etag = plan.multipart_etag(each.etag for each in parts)
            return self._write(request, made, {}, attributes, etag)

        return self.ask("complete", effect, acl)

    def delete_version(self, request: CopyRequest, version_id: str) -> None:
        place = request.destination
        self.ask(
            "delete_version", lambda: self.versions.pop((place.bucket, place.key, version_id)), version_id
        )

    def abort(self, request: CopyRequest, upload_id: str) -> None:
        def effect() -> None:
            self.upload(upload_id)
            del self.uploads[upload_id]

        self.ask("abort", effect, upload_id)


class MemoryStore:
    """The port `Store`; it has a method of its own where a name would mean two things."""

    def __init__(self, cloud: Cloud) -> None:
        self.head, self.find, self.link, self.restore = cloud.head, cloud.find, cloud.link, cloud.restore
        self.tags, self.acl, self.copy, self.initiate = cloud.tags, cloud.acl, cloud.copy, cloud.initiate
        self.copy_part, self.list_parts = cloud.copy_part, cloud.list_parts
        self.uploads, self.complete = cloud.list_uploads, cloud.complete
        self.delete_version, self.abort = cloud.delete_version, cloud.abort


class MemoryRecords:
    """The port `Records`. A request's name has the kind of record: `put done`, `list gen`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def _ask(self, verb: str, name: str, effect: Callable[[], T]) -> T:
        kind, _, rest = name.partition("/")
        return self._cloud.ask(f"{verb} {kind}", effect, rest)

    def put_new(self, name: str, body: bytes) -> bool:
        def effect() -> bool:
            if name in self._cloud.records:
                return False
            self._cloud.records[name] = (int(self._cloud.time), body)
            return True

        return self._ask("put", name, effect)

    def put(self, name: str, body: bytes) -> None:
        def effect() -> None:
            self._cloud.records[name] = (int(self._cloud.time), body)

        self._ask("put", name, effect)

    def get(self, name: str) -> bytes | None:
        return self._ask("get", name, lambda: self._cloud.records.get(name, (0, None))[1])

    def page(self, prefix: str, after: str, limit: int) -> RecordPage:
        def effect() -> RecordPage:
            found = sorted(n for n in self._cloud.records if n.startswith(prefix) and n > after)
            entries = tuple((n, self._cloud.records[n][0]) for n in found[:limit])
            return RecordPage(entries, int(self._cloud.time))

        return self._ask("list", prefix, effect)

    def delete(self, name: str) -> None:
        self._ask("delete", name, lambda: self._cloud.records.pop(name, None))


class Engine:
    """The cloud, and the product's tools for invocations on it."""

    def __init__(self, cloud: Cloud | None = None) -> None:
        self.cloud = cloud or Cloud()
        self.store = MemoryStore(self.cloud)
        self.records = MemoryRecords(self.cloud)
        self.journal = RecordJournal(self.records)
        self.lanes = 8  # of a copy at most
        self.options = ANY_OPTION
        self.default: Encrypted | None = None  # encryption of every bucket
        self.outbox: Outbox | None = None  # of whom is told
        self.forbidden: set[str] = set()  # keys that the settings do not allow

    def context(
        self, timeout: float = 60.0, configured: float | None = None, parallel: int = 4, page: int = plan.PAGE
    ) -> Context:
        """Return what an invocation works with that begins now."""
        until = self.cloud.time + timeout
        limits = Limits(timeout, configured or timeout, until, THRESHOLD, parallel, page, self.lanes)
        cloud = self.cloud
        return Context(
            self.store,
            self.journal,
            cloud,
            cloud,
            cloud.log,
            limits,
            self._allow,
            self.options,
            self._default,
            self.outbox,
        )

    def _default(self, bucket: str) -> Encrypted | None:
        return self.cloud.ask("default encryption", lambda: self.default, bucket)

    def _allow(self, request: CopyRequest) -> None:
        for place in (request.source, request.destination):
            if place.key in self.forbidden:
                raise Refused("NotAllowed", f"{place.key} is not allowed", status=403)

    def copy(self, asked: CopyRequest | None = None, **fields: Any) -> Copy:
        """Return a copy to begin, asked for now."""
        asked = request() if asked is None else asked
        began = results.iso(self.cloud.time)
        return Copy(plan.job_id(asked, fields.pop("occurrence", "one")), asked, began, **fields)

    def opened(self, copy: Copy, method: plan.Method = "multipart", **fields: Any) -> Opened:
        """Put `open/` of this copy on record, of the source as it is, without a request."""
        stored = self.cloud.objects[copy.request.source.bucket, copy.request.source.key]
        pin = plan.bind(copy.request, stored.head, stored.tags)
        head = replace(stored.head, seen_at=int(self.cloud.time))
        entry = replace(self.context().opening(copy, pin, head, method), **fields)
        self.put(f"open/{copy.job}", entry)
        return entry

    def chain(
        self, parts: Sequence[int] = (), *, size: int = LARGE, lanes: int = 1, **asked: Any
    ) -> Continue:
        """Put a copy in parts on record that has begun, with these parts copied; return its second hop."""
        if (SRC, "a") not in self.cloud.objects:
            self.cloud.put("a", size=size)
        opened = self.opened(self.copy(request(**asked)))
        return replace(task_of(opened, self.entered(opened, parts, lanes).upload), hop=2)

    def entered(self, opened: Opened, parts: Sequence[int] = (), lanes: int = 1) -> Entered:
        """Open the upload of a copy and put `up/` on record, with these parts in it, without a request."""
        size = -(-opened.pin.size // PART)
        upload = Upload(f"u-{opened.job[-4:]}", PART, size, lanes, int(self.cloud.time))
        attributes = Attributes(ContentHeaders(content_type="text/plain"), {}, "default", "Standard", None)
        place = (opened.request.destination.bucket, opened.request.destination.key)
        self.cloud.uploads[upload.id] = Open(place, attributes, int(self.cloud.time))
        for number in parts:
            part = ListedPart(number, f"P{number}", PART, None, int(self.cloud.time))
            self.cloud.uploads[upload.id].parts[number] = (part, opened.pin.crc64)
        entry = Entered("other", upload)
        self.put(f"up/{opened.job}", entry)
        return entry

    def put(self, name: str, entry: msgspec.Struct) -> None:
        """Put a record there that another invocation has written now."""
        self.cloud.records[name] = (int(self.cloud.time), msgspec.json.encode(entry))

    def done(self, job: str) -> Result | None:
        """Return the result on record."""
        body = self.cloud.records.get(f"done/{job}")
        return None if body is None else msgspec.json.decode(body[1], type=Done).result

    def kinds(self) -> set[str]:
        """Return the kinds of records that there are."""
        return {name.partition("/")[0] for name in self.cloud.records}


def request(**changes: Any) -> CopyRequest:
    """Return a request for a copy of `a` to `b`, in parts of a MiB where it is in parts."""
    usual = CopyRequest(
        source=Source(SRC, "a"), destination=Destination(DST, "b"), tuning=Tuning(part_size=PART)
    )
    return replace(usual, **changes)


def fails(error: Exception) -> Callable[[], None]:
    """Return what raises this error, for `Cloud.at`."""

    def fail() -> None:
        raise error

    return fail


def continues(command: Command | Any) -> Continue:
    assert isinstance(command, Continue)
    return command


def group(job: str) -> str:
    """Return how the ids of the jobs to the same destination begin."""
    return job[: len(keys.job_group(request()))]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def code(result: Result | None) -> str | None:
    """Return the error's code of a result that must be there; None if it has none."""
    assert result is not None
    return result.error.code if result.error else None
