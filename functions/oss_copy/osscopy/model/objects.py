"""The values of a copy, and the errors it can end with.

Knows no I/O, no SDK, no environment and no event format: everything here is a frozen value. Field names are
snake_case here and camelCase on the wire.

Errors are split by what the caller should do:

    OssCopyError
    ├── Misconfigured     a setting is wrong: fail at start, naming the variable
    ├── Refused           the request is wrong: never retry (4xx)
    ├── Failed            OSS or FC said no for good: stop, clean up, report
    │   ├── SourceChanged     the source is no longer the version the copy was pinned to
    │   ├── Conflict          the destination may not be written: it exists, or is immutable
    │   └── UploadGone        the upload was completed or aborted: look at the destination before naming it
    ├── Skipped           there is nothing to do: a condition or the overwrite policy says so
    └── Transient         it may work later: retry, and if that does not help, raise
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40

Acl: TypeAlias = Literal["default", "private", "public-read", "public-read-write"]


class OssCopyError(Exception):
    """The root. `code` is OSS's or FC's own where they gave one; `field` names the input at fault."""

    retryable = False

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str | None = None,
        request_id: str | None = None,
        status: int = 0,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.field = field
        self.request_id = request_id
        self.status = status


class Misconfigured(OssCopyError):
    """A setting is missing or wrong; `field` is the variable's name."""


class Refused(OssCopyError):
    """The request cannot be served as it is; nothing was asked of OSS."""


class Failed(OssCopyError):
    """The platform refused for good; asking again would not change it."""


class SourceChanged(Failed):
    """The source was overwritten, deleted or re-tagged while it was copied."""


class Conflict(Failed):
    """The destination exists, is immutable, or fails a condition."""


class UploadGone(Failed):
    """OSS knows no such upload any more; a lost answer of our own may be why."""


class Skipped(OssCopyError):
    """Nothing was copied because the request says so: not modified, or there already."""


class Transient(OssCopyError):
    """Throttling, 5xx, time-outs, lost connections, expired credentials.

    `in_doubt`: the request may have taken effect although its answer was lost; `outlasted`: it was waited
    for as long as it was to be.
    `throttled`: the platform asked for less; `pause` seconds if it said how long.
    """

    retryable = True

    def __init__(
        self,
        code: str,
        message: str,
        *,
        request_id: str | None = None,
        status: int = 0,
        in_doubt: bool = False,
        outlasted: bool = False,
        throttled: bool = False,
        pause: float = 0.0,
    ) -> None:
        super().__init__(code, message, request_id=request_id, status=status)
        self.in_doubt = in_doubt
        self.outlasted = outlasted
        self.throttled = throttled
        self.pause = pause


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A frozen value with camelCase names on the wire that refuses unknown fields."""


# --- what is asked for -------------------------------------------------------------------------------------


class Source(Value, frozen=True):
    """The object to copy; the current version unless `version_id` says otherwise."""

    bucket: str
    key: str
    version_id: str | None = None


class Destination(Value, frozen=True):
    """Where to. `key` may be a template (see `names.render`); by default it is the source's key."""

    bucket: str
    key: str = "{key}"


class Conditions(Value, frozen=True):
    """Conditions on the source: ETags, or dates as HTTP writes them (`Sun, 22 Nov 2026 10:00:00 GMT`)."""

    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_unmodified_since: str | None = None


class ContentHeaders(Value, frozen=True):
    """The headers a reader of the object gets with it, and its user metadata (without `x-oss-meta-`)."""

    content_type: str | None = None
    cache_control: str | None = None
    content_disposition: str | None = None
    content_encoding: str | None = None
    content_language: str | None = None
    expires: str | None = None
    user: dict[str, str] = {}


class Encryption(Value, frozen=True):
    """Server-side encryption of the destination; `key_id` and `data_encryption` go with KMS."""

    algorithm: Literal["KMS", "AES256", "SM4"]
    key_id: str | None = None
    data_encryption: Literal["SM4"] | None = None


class Tuning(Value, frozen=True):
    """How to copy. `part_size` in bytes or as `"64MiB"`; absent means: chosen by plan."""

    part_size: int | str | None = None
    parallel: int | None = None
    lanes: int = 1
    method: Literal["auto", "simple", "multipart"] = "auto"


class Options(Value, frozen=True, kw_only=True):
    """How a copy is to be done and what the destination is to carry.

    `encryption`: `keep`: the source's, and where it has none, the destination bucket's; `bucket`: the latter.
    None is how earlier versions wrote `bucket` on record; a request that says null means the default.
    """

    overwrite: Literal["always", "never", "ifDifferent", "ifNewer"] = "always"
    conditions: Conditions = Conditions()
    metadata: Literal["copy"] | ContentHeaders = "copy"
    tags: Literal["copy", "none"] | dict[str, str] = "copy"
    acl: Literal["default", "copy", "private", "public-read", "public-read-write"] = "default"
    storage_class: Literal["keep", "Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"] = "keep"
    encryption: Literal["keep", "bucket"] | Encryption | None = "keep"
    archive: Literal["fail", "restore"] = "fail"
    symlinks: Literal["copy", "follow"] = "copy"
    traffic_limit: int = 0
    request_payer: bool = False
    tuning: Tuning = Tuning()


class CopyRequest(Options, frozen=True, kw_only=True):
    """One copy, as a direct event, an HTTP body or a timer payload describes it."""

    source: Source
    destination: Destination

    @property
    def is_onto_itself(self) -> bool:
        """Whether what is written takes the place of what was read, or of the current version of it.

        The source as it is afterwards is then what was written: no evidence of anything.
        """
        source, destination = self.source, self.destination
        return (source.bucket, source.key) == (destination.bucket, destination.key)


class RuleSource(Value, frozen=True):
    """What a rule watches: keys of `bucket` with this prefix and suffix."""

    bucket: str
    prefix: str = ""
    suffix: str = ""


class Rule(Options, frozen=True, kw_only=True):
    """What the OSS trigger copies where; the options are those of a copy request.

    `markers`: what becomes of folder markers, keys that end with a slash; None: what suits the template.
    """

    source: RuleSource
    destination: Destination
    markers: Literal["copy", "skip"] | None = None

    def covers(self, bucket: str, key: str) -> bool:
        """Whether an object is this rule's business."""
        watched = self.source
        return bucket == watched.bucket and key.startswith(watched.prefix) and key.endswith(watched.suffix)

    def request(self, key: str) -> CopyRequest:
        """The copy this rule makes of `key`; its destination key is still the template."""
        options = {name: getattr(self, name) for name in Options.__struct_fields__}
        return CopyRequest(source=Source(self.source.bucket, key), destination=self.destination, **options)


# --- what was seen -----------------------------------------------------------------------------------------


class Encrypted(Value, frozen=True):
    """Server-side encryption as OSS shows it and as it is named to OSS: text, whatever OSS has by now.

    `key_id` and `data_encryption` None: not shown, or not named, so that OSS decides.
    """

    algorithm: str
    key_id: str | None = None
    data_encryption: str | None = None

    @classmethod
    def of(cls, asked: Encryption) -> Encrypted:
        """What a request asks for."""
        return cls(asked.algorithm, asked.key_id, asked.data_encryption)


class Head(msgspec.Struct, frozen=True):
    """An object as HEAD shows it. Times are Unix seconds of the server's clock.

    `link`: the key it points to, where the object is a symlink itself; it has no bytes then.
    `via`: the key of the symlink that was followed to it.
    """

    size: int
    etag: str
    version_id: str | None
    last_modified: int
    seen_at: int  # the Date of the answer
    crc64: str | None  # unsigned decimal; None: OSS did not say
    storage_class: str
    kind: str  # Normal | Multipart | Appendable | Symlink; empty: OSS did not say
    content: ContentHeaders
    tag_count: int | None  # None: not shown, since there are none or we may not know
    encryption: Encrypted | None = None
    restoration: Literal["none", "ongoing", "done"] = "none"  # of an archived object
    link: str | None = None
    via: str | None = None


class Promise(Value, frozen=True):
    """What the destination has to show besides size and CRC64, small enough to travel with every hop.

    `content`: a digest of each content header and of the user metadata (`plan.digests`). `tags`: how many;
    None: the source did not show it, and OSS copies them itself.
    """

    content: str
    tags: int | None
    storage_class: str  # empty: OSS did not say the source's
    encryption: Encrypted | None = None


class Pin(Value, frozen=True):
    """The version of the source that a copy is bound to (design: one source version), and what that promises.

    `tags`: a digest of the source's tags if they are copied apart from the bytes, None if there are none.
    `link`: what a symlink points to that is copied as a symlink.
    `via`: the key of the symlink that was followed to the source, which has to go on pointing there.
    `encryption`: how the source was encrypted, for the result.
    """

    size: int
    etag: str
    last_modified: int
    version_id: str | None = None
    crc64: str | None = None
    tags: str | None = None
    promise: Promise | None = None
    link: str | None = None
    via: str | None = None
    encryption: Encrypted | None = None


class Attributes(msgspec.Struct, frozen=True):
    """Everything the destination must carry besides its bytes.

    `content` and `tags` are None where OSS copies them itself (CopyObject's COPY directives).
    """

    content: ContentHeaders | None
    tags: dict[str, str] | None
    acl: Acl
    storage_class: str
    encryption: Encrypted | None


class Part(msgspec.Struct, frozen=True):
    """A piece of the source: `first` and `last` are inclusive byte offsets, as OSS ranges are."""

    number: int
    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1


class ListedPart(msgspec.Struct, frozen=True):
    """A part as ListParts shows it; `crc64` is None where OSS does not say. `modified`: Unix seconds."""

    number: int
    etag: str
    size: int
    crc64: int | None = None
    modified: int = 0


class PartPage(msgspec.Struct, frozen=True):
    """A page of ListParts; `next`: the marker of the next one, None at the end. `seen_at`: its Date."""

    parts: tuple[ListedPart, ...]
    next: int | None
    seen_at: int


class OpenUpload(msgspec.Struct, frozen=True):
    """An upload as ListMultipartUploads shows it. `initiated`: Unix seconds."""

    id: str
    key: str
    initiated: int


class UploadPage(msgspec.Struct, frozen=True):
    """Open uploads; `seen_at`: the Date of the answer."""

    uploads: tuple[OpenUpload, ...]
    seen_at: int


class RecordPage(msgspec.Struct, frozen=True):
    """Names of records and when they were written (Unix seconds), in order; `seen_at`: the answer's Date."""

    entries: tuple[tuple[str, int], ...]
    seen_at: int


class BucketInfo(msgspec.Struct, frozen=True):
    """A bucket as GetBucketInfo shows it. `seen_at`: the Date of the answer."""

    region: str
    versioning: str | None  # Enabled | Suspended; None: never switched on
    seen_at: int


class Retention(msgspec.Struct, frozen=True):
    """A retention policy (WORM) of a bucket: nothing can be overwritten or deleted for so many days."""

    state: str  # InProgress | Locked
    days: int


class LifecycleRule(msgspec.Struct, frozen=True):
    """An enabled lifecycle rule. Days are those after the last change; 0: by date, that is for all before it.

    `tagged`: it is for objects with certain tags only.
    """

    id: str
    prefix: str
    tagged: bool
    expires: int | None
    aborts: int | None  # of uploads


class ListedObject(msgspec.Struct, frozen=True):
    """An object as ListObjects shows it; `modified`: Unix seconds."""

    key: str
    size: int
    storage_class: str
    kind: str
    modified: int


class ObjectPage(msgspec.Struct, frozen=True):
    """The first objects of a listing; `seen_at`: the Date of the answer."""

    objects: tuple[ListedObject, ...]
    seen_at: int


class Written(msgspec.Struct, frozen=True):
    """What OSS said that it wrote; `version_id` only where the bucket has versions. Its ETag may be empty."""

    etag: str
    version_id: str | None


# --- what is under way -------------------------------------------------------------------------------------


class Upload(Value, frozen=True):
    """A multipart upload of ours: its boundaries never change. `opened_at`: OSS's clock, Unix seconds."""

    id: str
    part_size: int
    parts: int
    lanes: int
    opened_at: int


class Copy(Value, frozen=True, tag_field="step", tag="start", omit_defaults=True):
    """A copy to begin. The request's destination key is final (no template any more).

    `alternatives`: the same event read with its key unquoted, for the trigger that may encode keys (see
    `names.readings`); `event_etag` tells which reading is right.
    `follows`: None unless a rule made the copy, so that the destination is to keep up with the source; then
    how many follow-up copies led to this one.
    `retried`: FC has delivered it before; what an attempt that was killed had asked of OSS may still land.
    `since`: no delivery of this job came before (Unix seconds); None: this is surely the first one.
    """

    job: str
    request: CopyRequest
    started_at: str
    alternatives: tuple[CopyRequest, ...] = ()
    event_etag: str | None = None
    keep: bool = False  # leave a record even of a copy that one CopyObject does
    looks: int = 0  # at an archived source, to see whether it can be read by now
    follows: int | None = None
    generation: int = 0  # of the sweep that asks for it again
    drops: int = 0  # times that FC has given it up
    retried: bool = False
    since: int | None = None

    @property
    def may_be_on_record(self) -> bool:
        """Whether it may have ended: this is more than the first delivery of what nobody was told of."""
        return bool(self.keep or self.looks or self.generation or self.drops or self.retried)

    def delivered_again(self) -> Copy:
        """Return this copy as a later delivery of it; 0: nobody knows when the first one came."""
        return msgspec.structs.replace(self, retried=True, since=self.since or 0)

    @property
    def needs_record(self) -> bool:
        """Whether nothing but a record tells a later delivery that the copy in its way is its own."""
        return self.request.overwrite == "never" and not self.since

    @property
    def may_land_late(self) -> bool:
        """Whether an attempt may have been killed within a CopyObject, which may land on a newer copy yet.

        The copy is put on record then, so that the sweep compares destination and source once that is over.
        """
        return self.retried and self.follows is not None


class Continue(Value, frozen=True, tag_field="step", tag="continue"):
    """The next batch of a multipart copy. Small for any object: ListParts knows what is done, not this."""

    job: str
    request: CopyRequest
    started_at: str
    pin: Pin
    upload: Upload
    generation: int
    lane: int
    hop: int
    stalls: int = 0
    parts_done: int = 0  # as the hop before left them; a part it did not wait for may have come since
    excused: int = 0  # hops that were throttled: they do not count against the ceiling
    gone_at: int = 0  # when the upload was found gone without a trace of the copy; Unix seconds
    follows: int | None = None
    settle: int = 0  # the longest T_late of the invocations that have worked on it: settings change
    in_doubt: bool = False  # a CopyObject may land yet

    @property
    def not_before(self) -> int:
        """When the copy began, by OSS's clock: what the destination showed before is not the copy."""
        return self.upload.opened_at


class Rest(Value, frozen=True, tag_field="step", tag="rest"):
    """The copies of a list on record, which another invocation had no time for.

    `generation`: of the sweep that hands it over again; `drops`: times that FC has given it up.
    """

    list: str
    generation: int = 0
    drops: int = 0


class Sweep(Value, frozen=True, tag_field="step", tag="sweep"):
    """A look at all copies on record, for those that stand still; a page of it, from job `after` on."""

    after: str = ""


class Check(Value, frozen=True):
    """A look at the deployment: settings, reach and rights, reported line by line."""


class Ping(Value, frozen=True, tag_field="step", tag="ping"):
    """Nothing to do: the check submits it, to see whether the function may invoke itself, and how often."""


class Dropped(msgspec.Struct, frozen=True):
    """What FC gave up after its retries, as the function's own on-failure destination is told of it."""

    commands: tuple[Copy | Continue | Rest, ...]
    condition: str
    request_id: str


Command: TypeAlias = Copy | Continue
Action: TypeAlias = Sweep | Check


# --- what came of it ---------------------------------------------------------------------------------------


class Seen(Value, frozen=True):
    """An object in a result; what is unknown is null."""

    bucket: str
    key: str
    version_id: str | None = None
    etag: str | None = None
    size: int | None = None
    crc64: str | None = None
    encryption: Encrypted | None = None


class Problem(Value, frozen=True):
    """An error in a result."""

    code: str
    message: str
    request_id: str | None = None
    retryable: bool = False
    field: str | None = None

    @classmethod
    def of(cls, error: OssCopyError) -> Problem:
        return cls(error.code, error.message, error.request_id or None, error.retryable, error.field)


class Result(Value, frozen=True):
    """What became of a copy; times are ISO 8601 in UTC.

    `phase`: what a copy that runs waits for, and `next_look_at` when that is looked at again; else left out.
    """

    job: str | None
    status: Literal["succeeded", "skipped", "running", "failed", "cancelled"]
    source: Seen | None = None
    destination: Seen | None = None
    method: Literal["simple", "multipart"] | None = None
    verified: Literal["crc64", "size", "link"] | None = None
    parts: int = 0
    parts_done: int = 0
    bytes_done: int = 0
    lanes: int = 1
    hops: int = 1
    started_at: str | None = None
    finished_at: str | None = None
    error: Problem | None = None
    phase: Literal["restoring"] | msgspec.UnsetType = msgspec.UNSET
    next_look_at: str | msgspec.UnsetType = msgspec.UNSET


class Doubt(Value, frozen=True):
    """An upload that may be ours or not: it is reported, never aborted."""

    bucket: str
    key: str
    upload_id: str
    why: str


class Swept(Value, frozen=True):
    """What a sweep did: copies looked at, and of these resumed, ended, and forgotten for good.

    `aborted`: uploads that an Initiate without an answer had left. `more`: an invocation of its own goes on.
    """

    looked: int
    resumed: int
    ended: int
    forgotten: int
    aborted: int
    waiting: int
    failed: int
    doubts: tuple[Doubt, ...]
    more: bool


Grade: TypeAlias = Literal["ok", "warning", "failed", "skipped"]


class Trigger(msgspec.Struct, frozen=True):
    """A trigger as FC tells of it. `source`: an ARN; `config`: JSON."""

    name: str
    kind: str
    source: str
    config: str


class Line(Value, frozen=True):
    """One finding of the check. `subject`: the bucket, pattern or setting it is about, if there are several.

    `advice` says what to do; a line that is ok has none.
    """

    check: str
    status: Grade
    found: str
    advice: str | None = None
    subject: str | None = None


class Checked(Value, frozen=True):
    """What the check found; `status` is that of the worst line, `skipped` counting as ok."""

    status: Literal["ok", "warning", "failed"]
    lines: tuple[Line, ...]


class Status(Result, frozen=True):
    """A result with how fast it goes: bytes a second since the start, and seconds to go at that rate."""

    rate: int | None = None
    eta_seconds: int | None = None


# --- what is on record -------------------------------------------------------------------------------------
# Written once, never changed; the nonce tells a writer whose answer was lost that the record is its own.


class Opened(Value, frozen=True):
    """`open/<job>`: what is asked for, and the version of the source it is bound to.

    `uncertain`: an attempt before this record may have copied an older version, and that may land late.
    `seen_at`: when the source was seen, by OSS's clock; nothing was written before.
    `in_doubt`: a copy in parts that a CopyObject without an answer came before.
    `settle`: T_late of the invocation that wrote it, in seconds.
    `restores`: the source is archived, and is waited for.
    """

    nonce: str
    job: str
    request: CopyRequest
    pin: Pin
    started_at: str
    method: Literal["simple", "multipart"] = "multipart"
    follows: int | None = None
    uncertain: bool = False
    seen_at: int = 0
    in_doubt: bool = False
    settle: int = 0
    restores: bool = False

    @property
    def may_land(self) -> bool:
        """Whether a CopyObject may have been asked for that has had no answer."""
        return self.in_doubt or self.method == "simple"

    @property
    def not_before(self) -> int:
        """No CopyObject of this copy landed before, by OSS's clock; 0: nobody knows."""
        return 0 if self.uncertain else self.seen_at


class Entered(Value, frozen=True):
    """`up/<job>`: the one upload of the job."""

    nonce: str
    upload: Upload


class Cancelled(Value, frozen=True):
    """`cancel/<job>`: somebody wants it to end."""

    nonce: str
    at: str


class Done(Value, frozen=True):
    """`done/<job>`: how it ended, and what had been asked for, so that it can be asked for again.

    `settle`: the longest T_late of the invocations that are known to have worked on it, in seconds.
    """

    nonce: str
    result: Result
    request: CopyRequest
    settle: int = 0


class Waiting(Value, frozen=True):
    """`rest/<list>`: copies of one event that are to be begun. `asked_at`: when they came, Unix seconds."""

    copies: tuple[Copy, ...]
    asked_at: float


class Generation(msgspec.Struct, frozen=True):
    """The newest generation that a sweep has started, and how many seconds ago by OSS's clock."""

    number: int
    age: int


class Claimed(Value, frozen=True):
    """`key/<hash>`: the job that an Idempotency-Key stands for, and when it was given first (ISO 8601)."""

    nonce: str
    job: str
    moment: str | None = None
