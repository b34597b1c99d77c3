"""Every decision of a copy, as pure functions from values to values.

Knows no I/O, no clock and no SDK: time, random numbers and what OSS said come in as arguments, so that the
same decisions run in the function, in tests and in a simulation. Limits are OSS's unless a comment says ours.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from osscopy.model import (
    GIB,
    KIB,
    MIB,
    TIB,
    Acl,
    Attributes,
    Conflict,
    ContentHeaders,
    CopyRequest,
    Encrypted,
    Encryption,
    Head,
    ListedPart,
    Opened,
    Part,
    Pin,
    Promise,
    Refused,
    Skipped,
    Source,
    Transient,
    Tuning,
    Upload,
)
from osscopy.plan import crc64

MIN_PART, MAX_PART, MAX_PARTS = 100 * KIB, 5 * GIB, 10_000
MAX_OBJECT = 488 * TIB // 10  # 48.8 TB as documented, a little less than MAX_PARTS * MAX_PART

# Ours. The official copier (oss SDK v2) leaves CopyObject at this size: 2 GB were seen to outlast 60 s.
DEFAULT_THRESHOLD = 200 * MIB
USUAL_PART, SMALLEST_PART = 64 * MIB, 8 * MIB
PART_RATE = 20 * MIB  # bytes a second that a part copy is trusted to reach when its size is chosen
MAX_STALLS = 3  # hops in a row that copied nothing and were not throttled
MAX_ATTEMPTS = 8  # of one request within one hop
MAX_AGE = 7 * 86_400  # seconds: longer than any async event lives (FC: 604,800 s)
MAX_EVENT_AGE = MAX_AGE + 86_400  # seconds; records of outcomes are kept much longer
MAX_FOLLOWS = 3  # follow-up copies directly one after another
MAX_DROPS = 3  # times that an invocation FC gave up is submitted anew before the copy is called failed
GENERATION = 60  # seconds: the unit of generations, a constant: no change of a setting lets them fall
STANDSTILL = 30  # seconds until an invocation goes on with a list of which nothing could be done
CLOCK_MARGIN = 60  # seconds by which the clocks of FC and OSS may differ

Method: TypeAlias = Literal["simple", "shallow", "multipart"]

_SIZE = re.compile(r"([1-9][0-9]{0,14}) ?(B|KiB|MiB|GiB)?")
_UNITS = {None: 1, "B": 1, "KiB": KIB, "MiB": MIB, "GiB": GIB}


# --- what to do with an object -----------------------------------------------------------------------------


def method(request: CopyRequest, source: Head, threshold: int, timeout: float) -> Method:
    """CopyObject up to `threshold` bytes and for what is shallow, parts above; an empty object has no parts.

    A threshold above what CopyObject takes does not count: 5 GB, and 1 GB if the storage class changes; nor
    one above what an invocation of `timeout` seconds can wait for. A traffic limit lowers it, so that
    CopyObject takes no longer than without one.
    """
    tuning = request.tuning
    if source.link is not None and tuning.method == "multipart":
        text = "a symlink has no parts; with `symlinks` as `follow`, what it points to is copied"
        raise Refused("InvalidTuning", text, field="tuning.method")
    if source.size > MAX_OBJECT:
        raise Refused(
            "EntityTooLarge",
            f"the source has {source.size} bytes; OSS holds {MAX_OBJECT} (48.8 TB) in 10,000 parts of 5 GiB",
            field="source",
        )
    if source.size == 0 or tuning.method == "simple":
        return "simple"
    if tuning.method == "multipart":
        return "multipart"
    changed = request.storage_class not in {"keep", source.storage_class}
    quick = int(min(threshold, longest_copy(timeout)) * rate(request) / PART_RATE)
    if source.size <= min(quick, GIB if changed else 5 * GIB):
        return "simple"
    return "shallow" if is_shallow(request, source) else "multipart"


def method_on_record(opened: Opened, source: Head, chosen: Method) -> Method:
    """`chosen`, unless an earlier delivery has begun in parts; an empty object has none whatever it wrote."""
    if opened.method == "simple" or (source.size == 0 and is_same_version(opened.pin, source)):
        return chosen
    return "multipart"


def longest_copy(timeout: float) -> int:
    """Bytes that one CopyObject can be waited for within an invocation of `timeout` seconds."""
    return int(min(read_timeout(timeout), max(1.0, timeout - 2 * reserve(timeout))) * PART_RATE)


def rate(request: CopyRequest) -> float:
    """Bytes a second that one request of this copy is trusted to copy."""
    return min(PART_RATE, request.traffic_limit / 8) if request.traffic_limit else PART_RATE


def is_shallow(request: CopyRequest, source: Head) -> bool:
    """Whether OSS can copy without moving bytes: same bucket, storage class and encryption as they are.

    Not with an overwrite policy: one that times out and lands later would be in the way of its own fallback.
    """
    return (
        request.overwrite == "always"
        and request.source.bucket == request.destination.bucket
        and request.storage_class in {"keep", source.storage_class}
        and (request.encryption == "keep" or encryption(request, source) == source.encryption)
        # an appendable one becomes a Normal object: unknown whether without moving bytes
        and source.kind in {"Normal", "Multipart", "Symlink"}
    )


def names_all(request: CopyRequest, source: Head) -> bool:
    """Whether CopyObject has to name every header and tag, although they are to be copied.

    Sources disagree whether OSS keeps what is not named where an object is copied onto itself. Of a symlink
    nothing is known that could be named.
    """
    return request.is_onto_itself and source.link is None


def encryption(request: CopyRequest, source: Head) -> Encrypted | None:
    """How the destination is to be encrypted; None leaves it to its bucket.

    OSS copies no encryption by itself. It takes no name for the data encryption that KMS has by default.
    """
    match request.encryption:
        case "keep" if source.encryption is not None and source.encryption.data_encryption == "AES256":
            return msgspec.structs.replace(source.encryption, data_encryption=None)
        case "keep":
            return source.encryption
        case Encryption() as asked:
            return Encrypted.of(asked)
        case _:  # `bucket`, or null on record
            return None


def must_wait(request: CopyRequest, source: Head) -> bool:
    """Whether the source is archived and is to be restored first."""
    archived = source.storage_class in {"Archive", "ColdArchive", "DeepColdArchive"}
    return request.archive == "restore" and archived and source.restoration != "done"


def restore_delay(looks: int) -> int:
    """Seconds until the next look at an archived source: a minute for Archive, hours for the colder ones."""
    return int(min(3600, 5 * 2 ** min(looks, 10)))


def judge_overwrite(
    request: CopyRequest,
    source: Head,
    destination: Head | None,
    follows: int | None = None,
    *,
    same_tags: bool = True,
) -> None:
    """Raise Conflict or Skipped if the overwrite policy says so; `destination` None: nothing is there.

    What holds the source's bytes is skipped only if it shows all that was asked for, too. Dates have whole
    seconds: within one, a rule (`follows`) copies what differs, since nobody asks again.
    """
    if destination is None:
        return
    same = same_content(source, destination)
    lacks = same and not (same_tags and is_shown(request, source, destination))
    match request.overwrite:
        case "never":
            raise Conflict(
                "FileAlreadyExists", "the destination exists and `overwrite` is `never`", status=409
            )
        case "ifNewer" if not lacks and (
            source.last_modified < destination.last_modified
            or (source.last_modified == destination.last_modified and (follows is None or same))
        ):
            raise Skipped("NotNewer", "the destination is not older than the source")
        case "ifDifferent" if same and not lacks:
            raise Skipped("NotDifferent", "the destination has the same bytes, and all that was asked for")


def is_shown(request: CopyRequest, source: Head, destination: Head) -> bool:
    """Whether the destination holds the source's bytes and shows all that a copy promises.

    What is not shown counts as kept, so that nothing is copied again and again for what nobody can see.
    """
    return same_content(source, destination) and not differences(bind(request, source), destination, 0, None)


def same_content(one: Head, other: Head) -> bool:
    """Whether two objects surely hold the same bytes: unknown checksums are never counted as equal."""
    if one.link is not None or other.link is not None:
        return one.link == other.link
    if one.size != other.size:
        return False
    if one.crc64 is not None and other.crc64 is not None:
        return one.crc64 == other.crc64
    return "-" not in one.etag and one.etag == other.etag  # a plain ETag is the MD5 of the bytes


def attributes(
    request: CopyRequest, source: Head, tags: Mapping[str, str] | None, acl: Acl, *, carried: bool
) -> Attributes:
    """What the destination must carry. `carried`: all is named, since OSS copies nothing itself.

    That is so of parts, and of an object that is copied onto itself (`names_all`).
    """
    content = promised_content(request, source) if carried or request.metadata != "copy" else None
    match request.tags:
        case "copy":
            wanted = dict(tags or {}) if carried else None
        case "none":
            wanted = {}
        case chosen:
            wanted = chosen
    return Attributes(
        content=content,
        tags=wanted,
        acl=acl,
        storage_class=source.storage_class if request.storage_class == "keep" else request.storage_class,
        encryption=encryption(request, source),
    )


# Of the source's user metadata: what its bytes were encrypted with before they were uploaded.
_SEALED = "client-side-encryption-"


def promised_content(request: CopyRequest, source: Head) -> ContentHeaders:
    """The headers and user metadata of the destination.

    OSS's REPLACE keeps the source's type unless another is named, and what a client needs to decrypt the
    bytes: so do we, whichever way we copy.
    """
    if request.metadata == "copy":
        return source.content
    asked, had = request.metadata, source.content
    named = {name.lower() for name in asked.user}
    sealed = {name: had.user[name] for name in had.user if name.lower().startswith(_SEALED)}
    kept = {name: value for name, value in sealed.items() if name.lower() not in named}
    return msgspec.structs.replace(
        asked, content_type=asked.content_type or had.content_type, user=kept | asked.user
    )


# --- parts and lanes ---------------------------------------------------------------------------------------


def byte_size(value: int | str, field: str = "tuning.partSize") -> int:
    """`"64MiB"` or a number of bytes; refuses anything else, naming the `field`."""
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if isinstance(value, str) and found is None:
        raise Refused("InvalidSize", f"{value[:40]!r} is no size; write 67108864 or 64MiB", field=field)
    return int(found[1]) * _UNITS[found[2]] if found else int(value)


def part_size(size: int, tuning: Tuning, parallel: int, seconds: float, rate: float = PART_RATE) -> int:
    """Bytes per part: at most 10,000 parts, each copied within `seconds` at `rate`, all threads busy."""
    least = max(MIN_PART, -(-size // MAX_PARTS))
    if tuning.part_size is not None:
        asked = byte_size(tuning.part_size)
        if not least <= asked <= MAX_PART:
            raise Refused(
                "InvalidPartSize",
                f"parts of {asked} bytes: for this object they may have {least} to {MAX_PART}",
                field="tuning.partSize",
            )
        return asked
    even = _round_up(-(-size // max(1, parallel)), MIB)
    chosen = max(min(USUAL_PART, max(SMALLEST_PART, even)), _round_up(least, MIB))
    within = max(MIN_PART, int(seconds * rate))
    if least > within:
        raise Refused(
            "TimeoutTooShort",
            f"an object of {size} bytes needs parts of {least} bytes or more, about {least / rate:.1f} s "
            f"each; {max(0.0, seconds):.1f} s are there for one: raise the function's timeout",
            field="timeout",
        )
    return chosen if chosen <= within else max(least, _round_down(within, MIB if within >= MIB else KIB))


def smallest_part(tuning: Tuning) -> int:
    """Bytes up to which an object has one part, which takes as long as the whole of it."""
    return SMALLEST_PART if tuning.part_size is None else byte_size(tuning.part_size)


def _round_up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def _round_down(value: int, unit: int) -> int:
    return value // unit * unit


def part(number: int, size: int, part_size: int) -> Part:
    """Part `number` (from 1) of an object of `size` bytes."""
    return Part(number, (number - 1) * part_size, min(number * part_size, size) - 1)


def split(size: int, part_size: int) -> tuple[Part, ...]:
    """Cut `size` > 0 bytes into parts numbered from 1."""
    return tuple(part(n + 1, size, part_size) for n in range(-(-size // part_size)))


def lane_numbers(parts: int, lanes: int, lane: int) -> range:
    """The part numbers of `lane` (from 1): one unbroken range, so that ListParts reads it by marker."""
    return range((lane - 1) * parts // lanes + 1, lane * parts // lanes + 1)


def missing(pin: Pin, upload: Upload, lane: int, listed: Iterable[ListedPart]) -> tuple[Part, ...]:
    """The parts of `lane` that are not there in full; one with a wrong size is copied again."""
    sizes = {seen.number: seen.size for seen in listed}
    wanted = (part(n, pin.size, upload.part_size) for n in lane_numbers(upload.parts, upload.lanes, lane))
    return tuple(each for each in wanted if sizes.get(each.number) != each.size)


def gaps(pin: Pin, upload: Upload, listed: Sequence[ListedPart]) -> list[int]:
    """Part numbers that keep the upload from being completed: missing, of wrong size, or not ours."""
    sizes = {seen.number: seen.size for seen in listed}
    wrong = [each.number for each in split(pin.size, upload.part_size) if sizes.get(each.number) != each.size]
    return wrong + [number for number in sizes if number > upload.parts]


def combined_crc64(pin: Pin, upload: Upload, listed: Sequence[ListedPart]) -> int | None:
    """The CRC64 that the listed parts make, when none is missing; None if OSS does not tell it of all."""
    known = [part.crc64 for part in listed if part.crc64 is not None]
    if len(known) != upload.parts:
        return None
    return crc64.combine(known, upload.part_size, part(upload.parts, pin.size, upload.part_size).size)


def multipart_etag(etags: Iterable[str]) -> str:
    """The ETag OSS gives a completed upload: MD5 of the part ETags in upper case, then their count."""
    known = [etag.upper() for etag in etags]
    digest = hashlib.md5("".join(known).encode(), usedforsecurity=False).hexdigest()
    return f"{digest.upper()}-{len(known)}"


# --- the next step of a lane -------------------------------------------------------------------------------


class Progress(msgspec.Struct, frozen=True):
    """Where a hop stands after it has worked: parts of its lane, seconds of its invocation."""

    missing: int
    copied: int
    throttled: bool
    seconds_left: float
    seconds_needed: float  # to list, complete and verify
    stalls: int
    age: float  # seconds since the copy began


class Finish(msgspec.Struct, frozen=True):
    """The lane is done: look whether all lanes are, and complete."""


class HandOver(msgspec.Struct, frozen=True):
    """Submit the next hop, to start after `delay` seconds."""

    delay: int
    stalls: int


class GiveUp(msgspec.Struct, frozen=True):
    """The copy does not get on: abort, and say `code` and `why`."""

    code: str
    why: str


Step: TypeAlias = Finish | HandOver | GiveUp


def next_step(progress: Progress) -> Step:
    """What a hop does after its parts. Throttling excuses a hop without progress, nothing else does."""
    if progress.missing == 0:
        if progress.seconds_left >= progress.seconds_needed:
            return Finish()
        return HandOver(delay=0, stalls=0)
    if progress.age > MAX_AGE:
        return GiveUp("TooOld", f"not finished after {MAX_AGE} s")
    if progress.copied:
        return HandOver(delay=0, stalls=0)
    if progress.throttled:
        return HandOver(delay=30, stalls=progress.stalls)
    if progress.stalls + 1 >= MAX_STALLS:
        return GiveUp("Stalled", f"{MAX_STALLS} invocations in a row copied no part")
    return HandOver(delay=5 * 2**progress.stalls, stalls=progress.stalls + 1)


def max_hops(upload: Upload) -> int:
    """More hops than this are a loop: each must copy a part, but for the stalled ones between and a last."""
    return upload.parts * MAX_STALLS + MAX_STALLS + 1


# --- time --------------------------------------------------------------------------------------------------


def reserve(timeout: float) -> float:
    """Seconds kept free at the end of an invocation to submit the next hop."""
    return min(10.0, max(1.5, timeout * 0.1))


def list_reserve(timeout: float) -> float:
    """Seconds kept free while a list is worked on: for the copy that is begun, and for handing over the rest.

    The last of them are the reserve of every invocation, in which nothing is asked of OSS any more.
    """
    return min(0.75 * timeout, 3 * reserve(timeout))


def completion_time(timeout: float) -> float:
    """Seconds that listing, completing and verifying may take; less left means: leave it to a fresh hop."""
    return min(60.0, timeout * 0.3)


def part_budget(timeout: float) -> float:
    """Seconds one part may take, so that a hop has room for at least two rounds of them.

    With 600 s, as in s.yaml, it is enough for the parts of the largest object: 250 s each.
    """
    return max(1.0, (timeout - reserve(timeout)) * 0.45)


def read_timeout(timeout: float) -> float:
    """Seconds to wait for an answer: what a slow part may take, within the life of the invocation."""
    return max(5.0, min(300.0, timeout - 2 * reserve(timeout)))


def part_timeout(size: int, rate: float, timeout: float) -> float:
    """Seconds to wait for a copied part of `size` bytes: three times what it is trusted to take, and 30."""
    return min(read_timeout(timeout), 30 + 3 * size / rate)


def settle_time(timeout: float) -> float:
    """Seconds in which a request that timed out may still take effect, as far as anybody can tell.

    The life of an invocation, the wait for its last answer, and a margin; OSS documents no bound.
    """
    return timeout + read_timeout(timeout) + min(60.0, 2 * timeout)


def patience(timeout: float) -> int:
    """Seconds without progress after which a chain is taken for lost: more than a part may need.

    Less than the 15 minutes from one sweep to the next, so that the second one at the latest resumes it.
    """
    return int(min(2 * timeout + 5, 840))


def next_look(asked: float, now: float) -> float:
    """When an archived source is looked at again; both and what comes back in Unix seconds."""
    moment, looks = asked, 0
    while moment <= now:
        moment, looks = moment + restore_delay(looks), looks + 1
    return moment


def next_generation(now: int, newest: int) -> int:
    """The generation that a sweep starts at `now` (Unix seconds): above all on record, and two are one."""
    return max(now // GENERATION, newest + 1)


def follow_delay(follows: int) -> int:
    """Seconds until the next follow-up copy of a source that keeps changing."""
    return 0 if follows <= MAX_FOLLOWS else int(min(3600, 60 * 2 ** min(follows - MAX_FOLLOWS, 6)))


def drop_delay(drops: int) -> int:
    """Seconds until an invocation that FC gave up is tried again: 5 min, 20 min, 1 h (FC's longest delay)."""
    return int(min(3600, 300 * 4 ** (drops - 1)))


def shallow_timeout(seconds_left: float) -> float:
    """Seconds to wait for a shallow copy: 30, as the official copier does, or half of what is left."""
    return max(1.0, min(30.0, seconds_left / 2))


def pause(attempt: int, error: Transient, random: float) -> float:
    """Seconds before attempt `attempt` + 1: full jitter, doubling to 20 s, never less than OSS asked for."""
    return max(error.pause, random * min(20.0, 0.2 * 2.0 ** (attempt - 1)))


# --- evidence ----------------------------------------------------------------------------------------------


def pin(head: Head) -> Pin:
    """The version of the source that `head` saw."""
    return Pin(
        head.size,
        head.etag,
        head.last_modified,
        head.version_id,
        head.crc64,
        link=head.link,
        via=head.via,
        encryption=head.encryption,
    )


def bind(request: CopyRequest, head: Head, tags: Mapping[str, str] | None = None) -> Pin:
    """The version that `head` saw, and what a copy of it must show.

    `tags` are those of the source that are carried apart; None: they were not read. Their number is that of
    HEAD, if it shows one: where the other look tells otherwise, the source was changed between the two. Of a
    symlink OSS tells nothing but where it points to.
    """
    if head.link is not None:
        return pin(head)
    match request.tags:
        case "copy":
            count = len(tags) if head.tag_count is None and tags is not None else head.tag_count
        case "none":
            count = 0
        case chosen:
            count = len(chosen)
    promise = Promise(
        content=digests(promised_content(request, head)),
        tags=count,
        storage_class=head.storage_class if request.storage_class == "keep" else request.storage_class,
        encryption=encryption(request, head),
    )
    return msgspec.structs.replace(pin(head), tags=tags_digest(tags or {}), promise=promise)


def tags_digest(tags: Mapping[str, str]) -> str | None:
    """A digest of tags in any order; None of none."""
    return _digest(sorted(tags.items())) if tags else None


DIGEST = 8  # hex digits of each field's digest
_FIELDS = tuple(name for name in ContentHeaders.__struct_fields__)


def digests(content: ContentHeaders) -> str:
    """One digest a field, so that a difference can be named. OSS keeps neither empty values nor case."""
    values = msgspec.structs.asdict(content)
    values["user"] = sorted((name.lower(), value) for name, value in content.user.items() if value)
    return "".join(_digest(values[name] or None) for name in _FIELDS)


def _digest(value: object) -> str:
    # repr, because values may hold bytes that are no UTF-8, as surrogates
    return hashlib.sha256(repr(value).encode("utf-8", "surrogateescape")).hexdigest()[:DIGEST]


def pinned(source: Source, pin: Pin) -> Source:
    """`source` with the version that was seen, so that every later request means the same object."""
    return msgspec.structs.replace(source, version_id=pin.version_id)


def asked(request: CopyRequest, pin: Pin) -> CopyRequest:
    """`request` as it was before a symlink was followed."""
    if pin.via is None:
        return request
    return msgspec.structs.replace(request, source=Source(request.source.bucket, pin.via))


def bound(request: CopyRequest, pin: Pin) -> CopyRequest:
    """`request` for the very version that was seen."""
    return msgspec.structs.replace(request, source=pinned(request.source, pin))


def is_same_version(pin: Pin, head: Head) -> bool:
    """Whether the source is still what was pinned; a metadata change keeps the ETag but not the date."""
    return (head.etag, head.size, head.last_modified, head.version_id) == (
        pin.etag,
        pin.size,
        pin.last_modified,
        pin.version_id,
    )


def differences(pin: Pin, seen: Head | None, not_before: int, etag: str | None) -> list[str]:
    """What speaks against `seen` being the finished copy: empty means proved as far as OSS tells.

    `etag` is the predicted one, None if unknown; it decides only where a CRC64 is missing, since KMS
    encryption changes ETags.
    """
    if seen is None:
        return ["the destination does not exist"]
    found: list[str] = []
    if seen.last_modified < not_before:
        found.append("last modified before the copy began")
    if (seen.link, pin.link) != (None, None):
        if seen.link != pin.link:
            found.append(f"symlink to {seen.link!r}, not to {pin.link!r}")
        return found
    if seen.size != pin.size:
        found.append(f"size {seen.size}, not {pin.size}")
    if pin.crc64 is not None and seen.crc64 is not None:
        if seen.crc64 != pin.crc64:
            found.append(f"CRC64 {seen.crc64}, not {pin.crc64}")
    elif etag is not None and seen.etag != etag:
        found.append(f"ETag {seen.etag}, not {etag}")
    return found + (_unkept(pin.promise, seen) if pin.promise is not None else [])


def lacks_tag_count(promise: Promise | None, seen: Head) -> bool:
    """Whether tags are promised and `seen` does not show how many there are: they have to be read."""
    return promise is not None and bool(promise.tags) and seen.tag_count is None


def _unkept(promise: Promise, seen: Head) -> list[str]:
    """What `seen` shows otherwise than promised. Encryption nobody asked for is the bucket's own affair.

    What is not shown is no difference: see `lacks_tag_count`.
    """
    shown = digests(seen.content)
    found = [
        f"{'user metadata' if name == 'user' else name.replace('_', ' ')} differs"
        for at, name in enumerate(_FIELDS)
        if shown[at * DIGEST : (at + 1) * DIGEST] != promise.content[at * DIGEST : (at + 1) * DIGEST]
    ]
    if None not in {seen.tag_count, promise.tags} and seen.tag_count != promise.tags:
        found.append(f"{seen.tag_count} tags, not {promise.tags}")
    if promise.storage_class and seen.storage_class not in {"", promise.storage_class}:
        found.append(f"storage class {seen.storage_class}, not {promise.storage_class}")
    if (asked := promise.encryption) is not None:
        has, fields = seen.encryption, ("algorithm", "key_id", "data_encryption")
        if has is None or any(getattr(asked, f) not in {None, getattr(has, f)} for f in fields):
            found.append(f"encryption {_told(has)}, not {_told(asked)} as promised")
    return found


def _told(encryption: Encrypted | None) -> str:
    if encryption is None:
        return "none"
    return " ".join(filter(None, (encryption.algorithm, encryption.data_encryption, encryption.key_id)))


def verified_by(pin: Pin, seen: Head) -> Literal["crc64", "size", "link"]:
    """Which evidence a success rests on."""
    if pin.link is not None:
        return "link"
    return "crc64" if pin.crc64 is not None and pin.crc64 == seen.crc64 else "size"
