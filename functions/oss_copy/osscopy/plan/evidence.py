"""What proves that the destination is the finished copy. Asks nothing: `copying.verify` does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from osscopy.model import CopyRequest, Encrypted, Head, ListedPart, Pin, Promise, Source, Upload
from osscopy.plan import crc64
from osscopy.plan.attributes import DIGEST, FIELDS, digests, encryption, promised_content, tags_digest
from osscopy.plan.parts import part


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
        for at, name in enumerate(FIELDS)
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
