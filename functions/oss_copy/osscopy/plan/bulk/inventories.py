"""The manifest of an OSS inventory, and what the rows of its files tell. Knows no request to OSS.

Documented: Bucket and Key come first, keys are percent-encoded, rows have no header, and which columns there
are is said by `fileSchema`. Positions are a file's number and an offset in its text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Literal
from urllib.parse import unquote_to_bytes

import msgspec

from osscopy.model import Filters, Refused, Shown, Source
from osscopy.plan.bulk.manifests import MAX_LINE, Form, fields

MOST_BYTES = 32 << 20  # of manifest.json
MOST_FILES = 999_999
FORM = Form("csv", "url")  # a line ends with its line feed: keys are encoded
_OFFSETS = 10**14
_MD5 = re.compile(r"[0-9A-Fa-f]{32}")
_MILLISECONDS = 10**11  # a time above this is not in seconds
_SHOWS = {"size", "etag", "lastmodifieddate", "storageclass", "objecttype"}  # all that a listing shows
_NO_LATEST = (
    "`fileSchema` does not say which version is the latest: an incremental inventory tells of changes, "
    "not of what is there"
)
_NEEDS = {
    "min_size": "Size",
    "max_size": "Size",
    "modified_after": "LastModifiedDate",
    "modified_before": "LastModifiedDate",
    "storage_classes": "StorageClass",
}


class File(msgspec.Struct, frozen=True):
    """A file of rows; `md5` in hex, in capitals."""

    key: str
    size: int
    md5: str


class Contents(msgspec.Struct, frozen=True):
    """The contents of `manifest.json`. `columns`: their names in small letters, and where they are.

    `began`: when the bucket began to be listed (Unix seconds), 0 if that is not told.
    """

    began: int
    columns: Mapping[str, int]
    files: tuple[File, ...]


class Listed(msgspec.Struct, frozen=True):
    """An object as a row tells of it; `passed`: why no copy is to be made.

    `shown` only where the row tells all that a listing shows: a symlink is known by its type alone.
    """

    source: Source
    size: int
    modified: int
    storage_class: str
    passed: Literal["", "NotLatest", "DeleteMarker"] = ""
    shown: Shown | None = None


class _File(msgspec.Struct, frozen=True):
    key: str
    size: int
    md5: str = msgspec.field(name="MD5checksum")


class _Manifest(msgspec.Struct, frozen=True, rename="camel"):
    file_format: str
    file_schema: str
    files: tuple[_File, ...]
    creation_timestamp: str | int = 0


def read(text: bytes) -> Contents:
    """Return the contents of a `manifest.json`; Refused if its rows could not be understood."""
    try:
        told = msgspec.json.decode(text, type=_Manifest)
        began = int(told.creation_timestamp)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise _refused(f"it is no manifest.json of an inventory: {error}"[:300]) from None
    names = [each.strip().lower() for each in told.file_schema.split(",")]
    for is_wrong, why in (
        (told.file_format.upper() != "CSV", f"its files are {told.file_format[:40]!r}: only CSV is read"),
        (not {"bucket", "key"} <= set(names), "`fileSchema` names no Bucket, or no Key"),
        (len(set(names)) < len(names), "`fileSchema` names a column twice"),
        ("recordtype" in names or ("versionid" in names and "islatest" not in names), _NO_LATEST),
        (len(told.files) > MOST_FILES, f"it has more than {MOST_FILES} files"),
    ):
        if is_wrong:
            raise _refused(why)
    for number, each in enumerate(told.files):
        if not each.key or each.size < 0 or not _MD5.fullmatch(each.md5):
            raise _refused(f"files[{number}] lacks its key, size or MD5checksum")
    files = tuple(File(each.key, each.size, each.md5.upper()) for each in told.files)
    seconds = began // 1000 if began > _MILLISECONDS else began
    return Contents(seconds, {name: at for at, name in enumerate(names)}, files)


def refuse_blind(contents: Contents, filters: Filters) -> None:
    """Refuse filters of what the rows do not tell."""
    for name, column in _NEEDS.items():
        if getattr(filters, name) is not None and column.lower() not in contents.columns:
            field = re.sub("_(.)", lambda found: found[1].upper(), name)
            text = f"the inventory has no column {column}: add it there, or leave the filter out"
            raise Refused("InvalidFilter", text, field=f"filters.{field}")


def row(contents: Contents, line: bytes) -> Listed:
    """Return what one row tells; ValueError if it is none."""
    values = fields(line) if len(line) <= MAX_LINE else None
    if values is None or len(values) != len(contents.columns):
        raise ValueError(f"it has not the {len(contents.columns)} columns of `fileSchema`, or is too long")

    def value(column: str) -> str:
        at = contents.columns.get(column)
        return "" if at is None else values[at]

    source = Source(value("bucket"), unquote_to_bytes(value("key")).decode())
    if value("isdeletemarker").lower() == "true":
        return Listed(source, 0, 0, "", "DeleteMarker")
    size, modified = _size(value("size")), _seconds(value("lastmodifieddate"))
    is_old = "islatest" in contents.columns and value("islatest").lower() != "true"
    shows = contents.columns.keys() >= _SHOWS
    kind, etag = value("objecttype"), value("etag").strip('"')
    shown = Shown(size, etag, modified, value("storageclass"), kind) if shows and etag else None
    return Listed(source, size, modified, value("storageclass"), "NotLatest" if is_old else "", shown)


def _size(text: str) -> int:
    if text and not text.isdecimal():
        raise ValueError(f"{text[:40]!r} is no size")
    return int(text or 0)


def _seconds(text: str) -> int:
    """Return a time in Unix seconds; 0 where none is told."""
    if not text:
        return 0
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp())


def position(file: int, offset: int) -> str:
    """Return a place in the text of a file as a bound."""
    return f"{file * _OFFSETS + offset:020}"


def place(bound: str) -> tuple[int, int]:
    """Return the file and the offset that a bound stands for."""
    return divmod(int(bound), _OFFSETS)


def _refused(text: str) -> Refused:
    return Refused("InvalidInventory", text, field="source.inventory")
