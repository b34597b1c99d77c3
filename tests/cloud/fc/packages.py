"""Code packages: from what a request names to a directory that instances can run.

It knows zips and where their bytes may come from; it knows neither functions nor layers. Limits: FC's page
"Quotas and limits".
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
import tempfile
import zipfile
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Protocol

import msgspec

from tests.cloud.accounts import Credentials
from tests.cloud.fc import errors
from tests.cloud.oss import crc64

MIB = 1 << 20
INLINE_LIMIT = 100 * MIB  # of the zip in a request, before base64
LARGE, SMALL = 500 * MIB, 100 * MIB  # of a zip in OSS: in the regions below, and in all others
LARGE_REGIONS = frozenset(
    [
        "cn-hangzhou",
        "cn-shanghai",
        "cn-shenzhen",
        "cn-beijing",
        "cn-zhangjiakou",
        "cn-huhehaote",
        "cn-hongkong",
        "ap-southeast-1",
        "ap-northeast-1",
        "us-east-1",
        "eu-central-1",
    ]
)
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # where the calendar of zip begins


class Grant(msgspec.Struct, frozen=True):
    """Where a client may put a package for a moment: a bucket, a key in it, and credentials that allow it."""

    bucket: str
    key: str
    credentials: Credentials


class Depot(Protocol):
    """The object storage that packages may come from."""

    def read(self, bucket: str, key: str) -> bytes:
        """The object's bytes; ValueError with a sentence if it cannot be read."""

    def grant(self) -> Grant:
        """A place for one upload."""


class Location(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """`InputCodeLocation` of API 2023-03-30: the zip itself in base64, or the object that holds it."""

    zip_file: str | None = None
    oss_bucket_name: str | None = None
    oss_object_name: str | None = None
    checksum: str | None = None  # CRC64 of the zip, as decimal text


class Package(msgspec.Struct, frozen=True):
    """An unpacked zip; `checksum` is its CRC64, `size` that of the zip in bytes."""

    directory: Path
    size: int
    checksum: str


class Packages:
    """Unpacks into a temporary directory that lives as long as the host: old instances still use old code."""

    def __init__(self, depot: Depot | None, region: str, *, inline_limit: int = INLINE_LIMIT) -> None:
        self._depot = depot
        self._inline_limit = inline_limit
        self._limit = LARGE if region in LARGE_REGIONS else SMALL
        self._home: tempfile.TemporaryDirectory[str] | None = None

    @property
    def body_limit(self) -> int:
        """Bytes of a request that carries a package in base64."""
        return self._inline_limit * 4 // 3 + MIB

    def close(self) -> None:
        """Delete everything that was unpacked."""
        if self._home is not None:
            self._home.cleanup()
            self._home = None

    def grant(self) -> Grant:
        """Where a client may upload a package; FcError 501 without an object storage."""
        if self._depot is None:
            raise errors.FcError(501, "NotImplemented", "this host has no object storage")
        return self._depot.grant()

    async def unpack(self, location: Location | None) -> Package:
        """Fetch, check and unpack; FcError InvalidArgument or EntityTooLarge."""
        data = self._fetch(location or Location())
        checksum = str(crc64.checksum(data))
        if location is not None and location.checksum not in {None, checksum}:
            raise errors.invalid_argument(f"the code's checksum is {checksum}, not '{location.checksum}'")
        return Package(await asyncio.to_thread(self._extract, data), len(data), checksum)

    def _fetch(self, location: Location) -> bytes:
        match location:
            case Location(zip_file=str(text), oss_bucket_name=None, oss_object_name=None):
                return _decode(text, self._inline_limit)
            case Location(zip_file=None, oss_bucket_name=str(bucket), oss_object_name=str(key)):
                return self._download(bucket, key)
        raise errors.invalid_argument("Either ossBucketName/ossObjectName or zipFile must be set")

    def _download(self, bucket: str, key: str) -> bytes:
        if self._depot is None:
            raise errors.FcError(501, "NotImplemented", "this host has no object storage")
        try:
            data = self._depot.read(bucket, key)
        except ValueError as exc:
            raise errors.invalid_argument(f"the code cannot be read from OSS: {exc}") from exc
        if len(data) > self._limit:
            raise errors.too_large(self._limit)
        return data

    def _extract(self, data: bytes) -> Path:
        if self._home is None:
            self._home = tempfile.TemporaryDirectory(prefix="fc-packages-")
        directory = Path(tempfile.mkdtemp(dir=self._home.name))
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for entry in archive.infolist():
                    path = Path(archive.extract(entry, directory))
                    if mode := entry.external_attr >> 16 & 0o777:
                        path.chmod(mode | 0o600)
        except (zipfile.BadZipFile, NotImplementedError) as exc:
            raise errors.invalid_argument(f"the code is not a zip that can be read: {exc}") from exc
        return directory


def _decode(text: str, limit: int) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as exc:
        raise errors.invalid_argument(f"`zipFile` is not base64: {exc}") from exc
    if len(data) > limit:
        raise errors.too_large(limit)
    return data


def _is_no_cache(path: Path) -> bool:
    return "__pycache__" not in path.parts


def pack_code(directory: Path) -> bytes:
    """As the fc3 component packs a `code` folder: all of it, but for what its `.fcignore` names.

    Of the patterns that `.fcignore` can have, names with `*` are read, which hold at every depth.
    """
    ignore = directory / ".fcignore"
    patterns = ignore.read_text(encoding="utf-8").split() if ignore.is_file() else []

    def is_wanted(path: Path) -> bool:
        parts = path.relative_to(directory).parts
        return not any(fnmatch(part, pattern) for part in parts for pattern in patterns)

    return pack(directory, is_wanted)


def pack(directory: Path, wanted: Callable[[Path], bool] = _is_no_cache) -> bytes:
    """A zip of the files below `directory`; the same files give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(directory.rglob("*")):
            if path.is_file() and wanted(path):
                entry = zipfile.ZipInfo(path.relative_to(directory).as_posix(), _EARLIEST)
                entry.create_system = 3  # Unix, wherever this runs: the mode counts
                entry.external_attr = 0o100644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
    return packed.getvalue()
