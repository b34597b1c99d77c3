"""The report of a job of many objects, read back: its rows, of every file or of one status."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from urllib.parse import unquote

import msgspec

from functions.cli.errors import NoAnswer
from functions.cli.service import answers, objects
from functions.cli.service.answers import Known, Place
from functions.cli.service.target import Target

LOST = frozenset({"failed", "missing", "different", "superfluous"})


class File(Known, frozen=True):
    """A file of rows, as the manifest names it."""

    key: str
    rows: int
    md5: str


class _Manifest(Known, frozen=True):
    files: tuple[File, ...]


class Row(msgspec.Struct, frozen=True):
    """A row as it is written, with the names of its columns."""

    cells: dict[str, str]

    @property
    def status(self) -> str:
        return self.cells.get("status", "")

    def key(self, column: str) -> str:
        """Return a key, which is percent-encoded in the file."""
        return unquote(self.cells.get(column, ""))


def rows(target: Target, place: Place) -> Iterator[Row]:
    """Yield the rows of the report at this place; raise NoAnswer for a file that is damaged."""
    manifest = objects.read(target, place.bucket, f"{place.prefix.rstrip('/')}/manifest.json")
    told: _Manifest = answers.decode(manifest, _Manifest, f"oss://{place.bucket}/{place.prefix}")
    for file in told.files:
        yield from _rows(objects.read(target, place.bucket, file.key), file)


def _rows(packed: bytes, file: File) -> Iterator[Row]:
    if hashlib.md5(packed, usedforsecurity=False).hexdigest() != file.md5.lower():
        raise NoAnswer(f"{file.key} is not what the report's manifest says: it was changed, or cut short")
    try:
        text = gzip.decompress(packed).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise NoAnswer(f"{file.key} cannot be read: {error}") from error
    for cells in csv.DictReader(io.StringIO(text, newline="")):
        yield Row({str(name): str(value or "") for name, value in cells.items() if name})
