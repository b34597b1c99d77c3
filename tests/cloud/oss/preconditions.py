"""Conditions on an object as it is now: If-Match and its relatives, also those of a copy source; ranges."""

from __future__ import annotations

import re

from .errors import OssError
from .protocol import Call, read_date
from .state import Bucket
from .versions import Version

_RANGE = re.compile(r"^bytes=(\d*)-(\d*)(?:,.*)?$")


def check(call: Call, version: Version, prefix: str = "") -> None:
    """412 when If-Match or If-Unmodified-Since fail, 304 when If-None-Match or If-Modified-Since do.

    `prefix` is "x-oss-copy-source-" for a copy. An element names the condition: ali-oss makes a suffix of it.
    """
    headers = call.headers
    wanted = headers.get(f"{prefix}if-match".encode())
    if wanted is not None and not _matches(wanted, version):
        raise _failed("If-Match")
    since = read_date(call.header(f"{prefix}if-unmodified-since".encode()))
    if wanted is None and since is not None and int(version.modified) > since:
        raise _failed("If-Unmodified-Since")
    refused = headers.get(f"{prefix}if-none-match".encode())
    if refused is not None and _matches(refused, version):
        raise OssError("NotModified", headers=_shown(version))
    since = read_date(call.header(f"{prefix}if-modified-since".encode()))
    if refused is None and since is not None and int(version.modified) <= since:
        raise OssError("NotModified", headers=_shown(version))


def _matches(value: bytes, version: Version) -> bool:
    etags = [etag.strip().strip('"') for etag in value.decode("latin-1").split(",")]
    return "*" in etags or version.etag in etags


def _shown(version: Version) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"etag", b'"' + version.etag.encode() + b'"'),)


def _failed(condition: str) -> OssError:
    return OssError("PreconditionFailed", Condition=condition)


def refuse_on_write(call: Call) -> None:
    """PutObject takes no condition of a read (clients assert that it fails; the code is a guess)."""
    if "put-conditions" in call.readings:
        return
    for name in ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"):
        if name.lower().encode() in call.headers:
            message = "A header you provided implies functionality that is not implemented."
            raise OssError("NotImplemented", message, Header=name)


def check_overwrite(call: Call, bucket: Bucket, key: str, *, forbidden: bool = False) -> None:
    """`x-oss-forbid-overwrite: true`; ignored when the bucket has or had versioning (PutObject docs)."""
    asked = forbidden or (call.header(b"x-oss-forbid-overwrite") or "").lower() == "true"
    if asked and not bucket.versioning and bucket.current(key) is not None:
        raise OssError("FileAlreadyExists", Key=key)


def asked_range(call: Call) -> str | None:
    """The Range of a request; None where several are none."""
    value = call.header(b"range")
    return None if value and "," in value and "several-ranges" in call.readings else value


def read_range(value: str | None, size: int, *, standard: bool = False) -> tuple[int, int] | None:
    """(start, stop) of `bytes=a-b`, None for the whole: without a range, and with one OSS ignores.

    OSS gives the whole object for a range that does not lie inside it (GetObject docs), unless
    `x-oss-range-behavior: standard` asks for what the RFC says: 416, or up to the end. Of several ranges the
    first counts, and the last no byte (`bytes=-0`) are always 416 (both asserted by clients' tests).
    """
    match = _RANGE.match(value.strip()) if value else None
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1] and int(match[2]) == 0:
        raise OssError("InvalidRange", ActualObjectSize=size, RangeRequested=value or "")
    if match[1]:
        start, last = int(match[1]), int(match[2]) if match[2] else size - 1
    else:
        start, last = size - int(match[2]), size - 1
    if standard and (start >= size or start > last):
        raise OssError("InvalidRange", ActualObjectSize=size, RangeRequested=value or "")
    if standard:
        start, last = max(start, 0), min(last, size - 1)
    return (start, last + 1) if 0 <= start <= last < size else None
