"""Lines of a manifest to the objects that they name. Knows CSV and JSON lines; reads no object.

A range owns the lines that begin in it: whoever begins in the middle of a line leaves that to the range
before. One row a line, also of a line that is none.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Literal
from urllib.parse import unquote_to_bytes

import msgspec

from osscopy.model import Problem

MAX_LINE = 16 * 1024  # bytes: a key takes 3,069 when each byte is encoded
MARK = b"\xef\xbb\xbf"
LONGEST = 1 << 20  # bytes without a line feed after which a line is cut
OPEN_QUOTE = 4 * 1024  # bytes after which a quoted field that is still open fails its line


class Form(msgspec.Struct, frozen=True):
    """The form of a manifest: which column holds what; -1: none does. `skips`: bytes of mark and header.

    `etag`, `there`: the version and the destination's key, in a report.
    """

    kind: Literal["csv", "json"]
    encoding: Literal["url", "form", "none"]
    bucket: int = 0
    key: int = 1
    version: int = 2
    skips: int = 0
    etag: int = -1
    there: int = -1


class Named(msgspec.Struct, frozen=True):
    """A line: the object that it names, or the reason why it names none. `end`: the offset after it."""

    end: int
    bucket: str
    key: str
    version_id: str | None = None
    problem: Problem | None = None
    etag: str = ""
    there: str = ""


class _Line(msgspec.Struct, frozen=True, rename="camel"):
    key: str
    bucket: str = ""
    version_id: str | None = None
    etag: str = ""
    there: str = ""


def form_of(start: bytes, encoding: Literal["url", "form", "none"]) -> Form:
    """Return the form of a manifest that begins so; a header is known by a column named `key`."""
    marked = len(MARK) if start.startswith(MARK) else 0
    text = start[marked:]
    if text.lstrip()[:1] == b"{":
        return Form("json", "none", skips=marked)
    first, _, _ = text.partition(b"\n")
    names = [each.strip().lower() for each in fields(first) or []]
    if "key" not in names:
        return Form("csv", encoding, skips=marked)
    places = {name: at for at, name in enumerate(names)}
    version = places.get("versionid", places.get("version_id", -1))
    skips = min(marked + len(first) + 1, len(start))
    report = places.get("etag", -1), places.get("destinationkey", -1)
    return Form("csv", encoding, places.get("bucket", -1), places["key"], version, skips, *report)


def lines(form: Form, data: bytes, offset: int, *, is_last: bool) -> Iterator[Named]:
    """Yield what the whole lines in `data` name, which begins at `offset`; blank lines are none."""
    for end, line in texts(form, data, offset, is_last=is_last):
        yield _named(form, line, end)


def texts(form: Form, data: bytes, offset: int, *, is_last: bool) -> Iterator[tuple[int, bytes]]:
    """Yield the whole lines in `data`, which begins at `offset`, and the offset after each; no blank ones.

    `is_last`: nothing comes after `data`, so that its end is the end of a line.
    """
    at = 0
    while (stop := _line_end(form, data, at, is_last=is_last)) > at:
        line = data[at:stop].rstrip(b"\r\n")
        at = stop
        if line.strip():
            yield offset + stop, line


def _line_end(form: Form, data: bytes, at: int, *, is_last: bool) -> int:
    """Return where the line that begins at `at` ends; `at` itself if that is not in `data`.

    A field in quotes may hold line ends where keys are raw; one that stays open ends with its first line.
    """
    ends = list(_ends(form, data, at, is_last=is_last))
    closed = (end for end in ends if data.count(b'"', at, end) % 2 == 0)
    first = ends[0] if ends else at + (len(data) - at) * (len(data) - at >= LONGEST)
    may_close = form.encoding == "none" and not is_last and len(data) - at < OPEN_QUOTE
    return next(closed, at if may_close else first)


def _ends(form: Form, data: bytes, at: int, *, is_last: bool) -> Iterator[int]:
    """Yield where the line may end: at the first line feed, and at later ones where keys are raw."""
    is_raw = form.kind == "csv" and form.encoding == "none"
    end = data.find(b"\n", at) + 1
    while end and (end - at <= OPEN_QUOTE or not is_raw):
        yield end
        end = (data.find(b"\n", end) + 1) * is_raw
    if is_last and not end and at < len(data):
        yield len(data)


def _named(form: Form, line: bytes, end: int) -> Named:
    """Return what one line names; a line that names nothing is a failed row."""
    try:
        named = _read_json(line) if form.kind == "json" else _read_csv(form, line)
        version = named.version_id or None
        return Named(end, named.bucket, named.key, version, etag=named.etag, there=named.there)
    except (ValueError, IndexError, msgspec.MsgspecError) as error:
        text = f"the line that ends at byte {end} names no object: {error}"
        return Named(end, "", "", None, Problem("BadLine", text[:300]))


def _read_json(line: bytes) -> _Line:
    if len(line) > MAX_LINE:
        raise ValueError("it is too long")
    return msgspec.json.decode(line, type=_Line)


def _read_csv(form: Form, line: bytes) -> _Line:
    found = fields(line)
    if found is None or len(line) > MAX_LINE:
        raise ValueError("it is no CSV, or too long")

    def field(at: int) -> str:
        return found[at] if -1 < at < len(found) else ""

    key, there = _decoded(form, found[form.key]), _decoded(form, field(form.there))
    bucket = found[form.bucket] if form.bucket >= 0 else ""
    return _Line(key, bucket, field(form.version), field(form.etag), there)


def _decoded(form: Form, text: str) -> str:
    """Return a key; in `form`, `+` is a blank."""
    if form.encoding == "none":
        return text
    plain = text.replace("+", " ") if form.encoding == "form" else text
    return unquote_to_bytes(plain).decode()


def fields(line: bytes) -> list[str] | None:
    """Return the fields of a line of CSV, None if it is none."""
    try:
        rows = list(csv.reader([line.decode()], strict=True))
    except (csv.Error, UnicodeDecodeError):
        return None
    return rows[0] if len(rows) == 1 else None
