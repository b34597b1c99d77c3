"""Inventories: what OSS writes of a bucket once a day or week, here when the admin API asks for it.

Paths, `manifest.json` and columns are those of the documentation ("Bucket inventory"). What it leaves open is
a guess: every value is quoted, keys are percent-encoded with `/` as `%2F`, times stand as in listings. As
there, an inventory is no snapshot: others are served while it is written.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from urllib.parse import quote
from uuid import UUID

import msgspec

from .extents import Writer
from .keyspace import records
from .protocol import iso
from .seeds import OCTETS
from .state import Bucket, Store
from .versions import Metadata, Version, version_of

_SLICE = 2000  # keys that are looked at before others have their turn
_JSON = Metadata(((b"content-type", b"application/json"),))


def _flag(value: object) -> str:
    return "true" if value else "false"


FIELDS: dict[str, Callable[[Version], str]] = {  # those that can be chosen
    "Size": lambda version: str(version.content.size),
    "LastModifiedDate": lambda version: iso(version.modified),
    "ETag": lambda version: version.etag,
    "StorageClass": lambda version: version.storage_class,
    "IsMultipartUploaded": lambda version: _flag(version.kind == "Multipart"),
    "EncryptionStatus": lambda version: _flag(version.encryption),
    "ObjectAcl": lambda version: version.acl,
    "TaggingCount": lambda version: str(len(version.tags)),
    "ObjectType": lambda version: version.kind,
    "Crc64": lambda version: str(version.content.checksum),
}
_OF_MARKERS = {"LastModifiedDate"}
_TITLES = {"Crc64": "CRC64"}  # where the manifest spells a field in another way


class Form(msgspec.Struct, frozen=True):
    """How an inventory is to be; `rows` are the most in one file."""

    id: str
    fields: tuple[str, ...]
    every_version: bool
    rows: int

    def schema(self) -> str:
        fixed = ["VersionId", "IsLatest", "IsDeleteMarker"] if self.every_version else []
        return ", ".join(["Bucket", "Key", *fixed, *(_TITLES.get(name, name) for name in self.fields)])


class Written(msgspec.Struct, frozen=True):
    manifest: str
    files: list[str]
    rows: int


class _File:
    """One `csv.gz` in the making."""

    def __init__(self, store: Store) -> None:
        self._writer = store.writer()
        self._gzip = zlib.compressobj(3, zlib.DEFLATED, 31)
        self.rows = 0

    def take(self, lines: list[str], most: int) -> None:
        """Write the first of `lines`, so that there are at most `most` in all, and leave the others."""
        taken = lines[: most - self.rows]
        del lines[: len(taken)]
        self._writer.write(self._gzip.compress("".join(taken).encode()))
        self.rows += len(taken)

    def finish(self, key: str, now: float) -> Version:
        self._writer.write(self._gzip.flush())
        content, md5 = self._writer.finish()
        return Version(key, now, content, md5.hex().upper(), metadata=OCTETS)


async def write(
    store: Store,
    source: Bucket,
    prefix: str,
    destination: tuple[str, str],
    form: Form,
    put: Callable[[Bucket, Version], None],
) -> Written:
    """List the objects of `source` under `prefix` into files in `destination` (bucket, prefix).

    The manifest comes last: OSS says that an inventory is done when it is there.
    """
    target = store.bucket(destination[0])
    begun = store.clock()
    home = "/".join([each for each in (destination[1].strip("/"), source.name, form.id) if each])
    name = UUID(store.draw(16))
    files: list[Version] = []
    file, total = _File(store), 0

    def close() -> None:
        number = f"-{len(files)}" if files else ""
        files.append(file.finish(f"{home}/data/{name}{number}.csv.gz", store.clock()))
        put(target, files[-1])

    async for lines in _slices(source, prefix, form):
        total += len(lines)
        while len(lines) > form.rows - file.rows:
            file.take(lines, form.rows)
            close()
            file = _File(store)
        file.take(lines, form.rows)
    close()
    folder = f"{home}/{time.strftime('%Y-%m-%dT%H-%MZ', time.gmtime(begun))}"
    manifest = _manifest(source, target, form, files, begun)
    digest = hashlib.md5(manifest, usedforsecurity=False).hexdigest().upper()
    put(target, _object(store, f"{folder}/manifest.checksum", digest.encode(), OCTETS))
    put(target, _object(store, f"{folder}/manifest.json", manifest, _JSON))
    return Written(f"{folder}/manifest.json", [each.key for each in files], total)


async def _slices(bucket: Bucket, prefix: str, form: Form) -> AsyncIterator[list[str]]:
    """Lines of the file, for some thousand keys at a time."""
    start = prefix
    while True:
        found = list(islice(bucket.objects.walk(start), _SLICE))
        lines: list[str] = []
        for key, stored in found:
            if not key.startswith(prefix):
                break
            several = [version_of(key, each) for each in records(stored)]
            lines += _lines(bucket, several[::-1] if form.every_version else several[-1:], form)
        yield lines
        if len(found) < _SLICE or not found[-1][0].startswith(prefix):
            return
        start = found[-1][0] + "\0"
        await asyncio.sleep(0)


def _lines(bucket: Bucket, versions: list[Version], form: Form) -> Iterator[str]:
    """One line each, new to old; delete markers only where every version is asked for."""
    for age, version in enumerate(versions):
        if version.marker and not form.every_version:
            continue
        values = [bucket.name, quote(version.key, safe="")]
        if form.every_version:
            shown = version.id if bucket.versioning else ""
            values += [shown, _flag(age == 0), _flag(version.marker)]
        values += [
            "" if version.marker and name not in _OF_MARKERS else FIELDS[name](version)
            for name in form.fields
        ]
        yield '"' + '","'.join(values) + '"\n'


def _manifest(source: Bucket, target: Bucket, form: Form, files: list[Version], begun: float) -> bytes:
    manifest = {
        "creationTimestamp": str(int(begun)),
        "destinationBucket": target.name,
        "fileFormat": "CSV",
        "fileSchema": form.schema(),
        "files": [{"MD5checksum": each.etag, "key": each.key, "size": each.content.size} for each in files],
        "sourceBucket": source.name,
        "version": "2019-09-01",
    }
    return msgspec.json.encode(manifest)


def _object(store: Store, key: str, data: bytes, metadata: Metadata) -> Version:
    writer = Writer(None)
    writer.write(data)
    content, md5 = writer.finish()
    return Version(key, store.clock(), content, md5.hex().upper(), metadata=metadata)
