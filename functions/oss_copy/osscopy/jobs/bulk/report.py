"""The files of a report: rows of a range, of chains, the failed ones, and the manifest of all.

Knows where files are and how large; not when they are due. A file is the same whoever writes it, so that
writing it again does no harm. Members of gzip concatenate: a file holds one for each entry.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from osscopy.jobs.bulk.tools import Tools
from osscopy.model import (
    BulkJob,
    BulkResult,
    Ended,
    Entry,
    Failed,
    Objects,
    ReportFile,
    ReportPlace,
    Row,
    Slow,
    Summary,
    Totals,
)
from osscopy.plan import bulk

MOST_BYTES = 4 << 20  # of a file: memory does not grow with the rows of a range
MOST_LINE = 64 << 10
SCHEMA = 1


class Listed(msgspec.Struct, frozen=True, rename="camel"):
    """`manifest.json`: the files of a report. Keys in rows are percent-encoded."""

    schema: int
    job: str
    columns: tuple[str, ...]
    key_encoding: str
    files: tuple[ReportFile, ...]
    objects: Objects
    excluded: int


class Lost(msgspec.Struct, frozen=True):
    """The files of a range that could not be written."""

    error: Failed


def folder(job: BulkJob) -> str:
    """Return the prefix of all files of a job's report."""
    return job.report.prefix


def write_rows(tools: Tools, job: BulkJob, path: tuple[int, ...]) -> tuple[ReportFile, ...] | Lost:
    """Write the final rows of a range's own entries into files; Lost if their place does not take them."""
    records = tools.of(job.job)
    entries = (records.log.entry(name) for name in records.log.entry_names(path))
    rows = (_final(entry) for entry in entries if entry is not None)
    return _written(tools, job, f"rows-{bulk.range_id(path)}", rows)


def write_deletions(tools: Tools, job: BulkJob) -> tuple[ReportFile, ...] | Lost:
    """Write the rows of what was planned to be deleted."""
    log = tools.of(job.job).deletions
    entries = (log.entry(name) for name in log.entry_names(()))
    return _written(tools, job, "rows-deletions", (_final(each) for each in entries if each is not None))


def _final(entry: Entry) -> Sequence[Row]:
    """Return the rows of an entry that no other row follows."""
    return [row for row in entry.rows if row.status not in {"started", "planned"}]


def ended(
    totals: Totals, files: tuple[ReportFile, ...] | Lost, stopped: str | None, slow: tuple[Slow, ...] = ()
) -> Ended:
    """Return the end of a range with the files of its own rows."""
    if isinstance(files, Lost):
        return Ended(totals, stopped=stopped, report_lost=True, slowest=slow)
    return Ended(totals, files, stopped=stopped, slowest=slow)


def slow(path: tuple[int, ...], last: Entry) -> tuple[Slow, ...]:
    """Return how long a range took up to its last entry."""
    return (Slow(bulk.range_id(path), last.totals.rows, last.totals.milliseconds / 1000, last.high),)


def write_chains(tools: Tools, job: BulkJob, rows: Sequence[Row]) -> tuple[ReportFile, ...] | Lost:
    """Write the final rows of chains."""
    return _written(tools, job, "rows-chains", [rows])


def write_trial(tools: Tools, job: BulkJob) -> None:
    """Write the first form of `summary.json`: whether the place takes files shows before the first copy."""
    _put_json(tools, job, "summary.json", BulkResult(job.job, "running", report=job.report))


def write_end(tools: Tools, job: BulkJob, result: Summary, files: Sequence[ReportFile]) -> None:
    """Write `failed.csv.gz`, `manifest.json` and `summary.json`, the last one last."""
    _write_list(tools, job, files, bulk.FAILED, {"failed", "missing", "different"})
    if job.request.mode == "check":
        _write_list(tools, job, files, bulk.LISTS["superfluous"], {"superfluous"})
    if job.request.dry_run and result.objects.would_copy <= bulk.LISTED:
        _write_list(tools, job, files, bulk.LISTS["wouldCopy"], {"wouldCopy"})
    columns = tuple(bulk.HEADER.decode().strip().split(","))
    listed = Listed(SCHEMA, job.job, columns, "url", tuple(files), result.objects, result.excluded)
    _put_json(tools, job, "manifest.json", listed)
    _put_json(tools, job, "summary.json", result)


def _write_list(
    tools: Tools, job: BulkJob, files: Iterable[ReportFile], name: str, statuses: set[str]
) -> None:
    """Write the lines of rows of these statuses into one file, a member of gzip for each file of rows."""
    members = [_packed(bulk.HEADER)]
    for file in files:
        body = tools.context.ask(tools.objects.read, job.report.bucket, file.key, 0, file.bytes - 1)
        with gzip.open(io.BytesIO(body)) as text:  # line by line, whatever it unpacks to
            lines = iter(functools.partial(text.readline, MOST_LINE), b"")
            kept = b"".join(line for line in lines if bulk.status_of(line) in statuses)
        members.append(_packed(kept))
    tools.context.ask(tools.objects.write, job.report.bucket, f"{folder(job)}{name}", b"".join(members))


def _written(
    tools: Tools, job: BulkJob, name: str, members: Iterable[Sequence[Row]]
) -> tuple[ReportFile, ...] | Lost:
    found: list[ReportFile] = []
    try:
        for number, (body, rows) in enumerate(_bodies(members)):
            key = f"{folder(job)}{name}-{number}.csv.gz"
            tools.context.ask(tools.objects.write, job.report.bucket, key, body)
            md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
            found.append(ReportFile(key, rows, len(body), md5))
    except Failed as error:
        tools.context.log("reportLost", job=job.job, error=str(error))
        return Lost(error)
    return tuple(found)


def _bodies(members: Iterable[Sequence[Row]]) -> Iterator[tuple[bytes, int]]:
    """Yield the files and their numbers of rows; each begins with the names of the columns."""
    parts, size, rows = [_packed(bulk.HEADER)], 0, 0
    for member in members:
        packed = _packed(bulk.csv_rows(member)) if member else b""
        if rows and size + len(packed) > MOST_BYTES:
            body, count = b"".join(parts), rows
            parts, size, rows = [_packed(bulk.HEADER)], 0, 0
            yield body, count
        parts.append(packed)
        size, rows = size + len(packed), rows + len(member)
    if rows:
        body = b"".join(parts)
        parts.clear()
        yield body, rows


def _packed(text: bytes) -> bytes:
    """Return one member of gzip, the same bytes for the same text; level 6 takes twice as long."""
    packer = zlib.compressobj(3, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(text) + packer.flush()


def _put_json(tools: Tools, job: BulkJob, name: str, value: msgspec.Struct) -> None:
    body = msgspec.json.format(msgspec.json.encode(value), indent=1)
    tools.context.ask(tools.objects.write, job.report.bucket, f"{folder(job)}{name}", body)


def place_of(asked: ReportPlace | None, state: ReportPlace, job: str) -> ReportPlace:
    """Return the folder of a job's report, by default under `reports/` among the records."""
    place = ReportPlace(state.bucket, f"{state.prefix}{bulk.REPORTS}") if asked is None else asked
    return ReportPlace(place.bucket, f"{place.prefix}{job}/")
