"""Rows of a report: made from outcomes, and written as CSV that spreadsheets do not take for formulas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from urllib.parse import quote

from osscopy.model import HIDDEN, CopyRequest, Result, Row, RowStatus, Shown

COLUMNS = (
    "bucket",
    "key",
    "versionId",
    "destinationKey",
    "status",
    "errorCode",
    "httpStatus",
    "message",
    "bytes",
    "etag",
    "crc64",
    "copy",
    "startedAt",
    "finishedAt",
)
HEADER = (",".join(COLUMNS) + "\r\n").encode()
MAX_MESSAGE = 300  # characters
_FORMULA = frozenset("=+-@")  # how what a spreadsheet computes begins
_HIDDEN = re.compile(rf"[\x00-\x1f{HIDDEN}]+")
_STATUS: dict[str, RowStatus] = {"succeeded": "copied", "skipped": "skipped"}
_PLAIN = re.compile(r"[A-Za-z0-9_.~/-]*")  # in which nothing is to be encoded
_GONE = {"NoSuchKey", "NoSuchVersion"}


def row(
    request: CopyRequest,
    status: RowStatus,
    code: str = "",
    message: str = "",
    shown: Shown | None = None,
    *,
    http_status: int = 0,
    times: tuple[str, str] = ("", ""),
    copy: str = "",
) -> Row:
    """Return the row of an object; `times`: when it was begun and finished."""
    source = request.source
    return Row(
        source.bucket,
        source.key,
        source.version_id or "",
        request.destination.key,
        status,
        code,
        http_status,
        message[:MAX_MESSAGE],
        shown.size if shown else 0,
        shown.etag if shown else "",
        (shown.crc64 if shown else None) or "",
        copy,
        *times,
        modified=shown.modified if shown and status == "planned" else 0,
    )


def row_of(result: Result, request: CopyRequest, *, pinned: bool = False) -> Row:
    """Return the final row of a chain; a source that is gone is missing, and no failure.

    `pinned`: what the copy had as its condition is the version that a dry run has shown.
    """
    error, seen = result.error, result.source
    code = error.code if error else ""
    if pinned and code == "PreconditionFailed":
        code = "SourceChanged"
    status: RowStatus = "missing" if code in _GONE else _STATUS.get(result.status, "failed")
    return Row(
        request.source.bucket,
        request.source.key,
        request.source.version_id or "",
        request.destination.key,
        status,
        code or result.status * (status == "failed"),
        0,
        (error.message if error else "")[:MAX_MESSAGE],
        (seen.size if seen else 0) or 0,
        (seen.etag if seen else "") or "",
        (seen.crc64 if seen else "") or "",
        result.job or "",
        result.started_at or "",
        result.finished_at or "",
    )


def csv_rows(rows: Iterable[Row]) -> bytes:
    """Return rows as lines of CSV without a header; keys are percent-encoded, so that no line breaks."""
    return "".join(map(_line, rows)).encode()


def _line(row: Row) -> str:
    """Return a row as `csv` writes it, which looks at every character: only where one of them matters."""
    fields = (
        _harmless(row.bucket),  # a line of a manifest may say anything
        encoded(row.key),
        _harmless(row.version_id),
        encoded(row.destination_key),
        row.status,
        row.error_code,
        str(row.http_status or ""),
        _harmless(row.message),
        str(row.bytes),
        _harmless(row.etag),
        row.crc64,
        row.copy,
        row.started_at,
        row.finished_at,
    )
    line = ",".join(fields)
    if line.count(",") == len(COLUMNS) - 1 and line.isprintable() and '"' not in line:
        return f"{line}\r\n"
    out = io.StringIO(newline="")
    csv.writer(out).writerow(fields)
    return out.getvalue()


def status_of(line: bytes) -> str:
    """Return the status in a line of a report."""
    return next(csv.reader([line.decode()]))[COLUMNS.index("status")]


def encoded(key: str) -> str:
    """Return a key percent-encoded; also a hyphen at its start, which begins a formula."""
    text = key if _PLAIN.fullmatch(key) else quote(key, safe="/")
    return f"%2D{text[1:]}" if text.startswith("-") else text


def _harmless(text: str) -> str:
    """Return a text on one line that no spreadsheet takes for a formula, and that shows all it holds."""
    line = text if text.isprintable() else _HIDDEN.sub(" ", text)
    return f"'{line}" if line[:1] in _FORMULA and line else line
