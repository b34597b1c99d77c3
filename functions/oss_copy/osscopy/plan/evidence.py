"""Evidence: the version that a copy is bound to, and the proof that the destination is its finished copy.

Asks nothing of OSS: `copying.verify` does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from osscopy.model import CopyRequest, Head, ListedPart, Pin, Source, Upload
from osscopy.plan import crc64
from osscopy.plan.parts import part
from osscopy.plan.promises import promise_of, tags_digest, unkept


def combined_crc64(pin: Pin, upload: Upload, listed: Sequence[ListedPart]) -> int | None:
    """Return the CRC64 that the listed parts make together; None if OSS does not show it of all parts."""
    known = [part.crc64 for part in listed if part.crc64 is not None]
    if len(known) != upload.parts:
        return None
    return crc64.combine(known, upload.part_size, part(upload.parts, pin.size, upload.part_size).size)


def multipart_etag(etags: Iterable[str]) -> str:
    """Return the ETag of a completed upload: MD5 of the part ETags in upper case, then their count."""
    known = [etag.upper() for etag in etags]
    digest = hashlib.md5("".join(known).encode(), usedforsecurity=False).hexdigest()
    return f"{digest.upper()}-{len(known)}"


def pin_of(head: Head) -> Pin:
    """Return the version of the source that `head` saw."""
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
    """Return the version that `head` saw, with the promise of its copy.

    `tags` are those of the source that are carried apart; None: they were not read. A symlink has no promise:
    OSS shows nothing of it but its target.
    """
    if head.link is not None:
        return pin_of(head)
    promise = promise_of(request, head, tags)
    return msgspec.structs.replace(pin_of(head), tags=tags_digest(tags or {}), promise=promise)


def pinned(source: Source, pin: Pin) -> Source:
    """Return `source` with the version that was seen, so that every later request means the same object."""
    return msgspec.structs.replace(source, version_id=pin.version_id)


def asked(request: CopyRequest, pin: Pin) -> CopyRequest:
    """Return `request` as it was before a symlink was followed."""
    if pin.via is None:
        return request
    return msgspec.structs.replace(request, source=Source(request.source.bucket, pin.via))


def bound(request: CopyRequest, pin: Pin) -> CopyRequest:
    """Return `request` for the version that was seen."""
    return msgspec.structs.replace(request, source=pinned(request.source, pin))


def is_same_version(pin: Pin, head: Head) -> bool:
    """Return whether the source is still as pinned; a change of metadata keeps its ETag but not its date."""
    return (head.etag, head.size, head.last_modified, head.version_id) == (
        pin.etag,
        pin.size,
        pin.last_modified,
        pin.version_id,
    )


def differences(pin: Pin, seen: Head | None, not_before: int, etag: str | None) -> list[str]:
    """Return the differences between `seen` and the finished copy; none: proved as far as OSS shows.

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
    return found + (unkept(pin.promise, seen) if pin.promise is not None else [])


def verified_by(pin: Pin, seen: Head) -> Literal["crc64", "size", "link"]:
    """Return the evidence that a success rests on."""
    if pin.link is not None:
        return "link"
    return "crc64" if pin.crc64 is not None and pin.crc64 == seen.crc64 else "size"
