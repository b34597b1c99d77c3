"""The first rows of a report's list of failures, of however large a file.

Knows the file's form; a part of it is read, and what is cut off at its end is left out.
"""

from __future__ import annotations

import csv
import io
import zlib

from osscopy.jobs.bulk.tools import Tools
from osscopy.model import BulkResult, Failed
from osscopy.plan import bulk

SHOWN = 100  # rows
READ, UNPACKED = 64 * 1024, 512 * 1024  # bytes at most


def first_rows(tools: Tools, job: BulkResult) -> list[dict[str, str]] | None:
    """Return rows with the names of their columns; None where there is no such file."""
    if job.report is None or job.status == "running":
        return None
    key = f"{job.report.prefix}{bulk.FAILED}"
    try:
        packed = tools.context.ask(tools.objects.read, job.report.bucket, key, 0, READ - 1)
    except Failed as error:
        if error.code in {"NoSuchKey", "NoSuchBucket"}:
            return None
        raise
    text = unpacked(packed[:READ]).decode(errors="replace")
    whole = text[: text.rfind("\n") + 1]
    rows = csv.DictReader(io.StringIO(whole, newline=""))
    found = [{str(name): str(value or "") for name, value in row.items() if name} for row in rows]
    return [each for each in found if each.get("key") != "key"][:SHOWN]


def unpacked(packed: bytes) -> bytes:
    """Return what members of gzip hold, as far as they are there."""
    text = b""
    while packed and len(text) < UNPACKED:
        unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            text += unpacking.decompress(packed, UNPACKED - len(text))
        except zlib.error:
            break
        packed = unpacking.unused_data
    return text
