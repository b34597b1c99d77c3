"""The end of a range: its totals and files on record, and those of its parent once all siblings have ended.

Knows `ended/` and the tree; not what follows the root's end (`settle`). Own record first, then the siblings',
in one listing: of two that end at once, one sees both. Who joins a parent writes the files of its own rows
first. Everything here may be done again, by anyone.
"""

from __future__ import annotations

from osscopy.jobs.bulk import report
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import BulkJob, Ended, Entry, Settle
from osscopy.plan import bulk


def join(tools: Tools, job: BulkJob, path: tuple[int, ...], end: Entry) -> None:
    """Put the end of a range on record, and those of all ranges above it that have ended with it."""
    records = tools.of(job.job)
    files = report.write_rows(tools, job, path)
    records.log.end(path, report.ended(end.totals, files, end.stopped, report.slow(path, end)))
    if path:
        climb(tools, job, path)
    else:
        tools.submit(Settle(job.job))


def climb(tools: Tools, job: BulkJob, path: tuple[int, ...]) -> None:
    """Put the ends of the ranges above `path` on record, as far as all of their children have ended."""
    records = tools.of(job.job)
    while path and (above := _parent(tools, job, path[:-1])) is not None:
        path = path[:-1]
        records.log.end(path, above)
    if not path:
        tools.submit(Settle(job.job))


def _parent(tools: Tools, job: BulkJob, path: tuple[int, ...]) -> Ended | None:
    """Return the end of a range that was split; None while one of its children has not ended."""
    records, name = tools.of(job.job), bulk.range_id(path)
    names = [each for each in records.log.ended_names(name) if not each.startswith(f"{name}/of-")]
    _, split, _ = records.log.newest(path)
    if split is None or len(names) < len(split.children):
        return None
    children = [records.log.ended(name, index) for index in range(len(split.children))]
    known = [each for each in children if each is not None]
    own = report.ended(split.totals, report.write_rows(tools, job, path), None, report.slow(path, split))
    return bulk.joined(own, known)
