"""Copies that are chains of their own: named by their rows, and begun once the entry of these stands.

Knows that a list of copies is on record before it is submitted (`lists`); not how a copy is done. The id of a
chain is made of range, entry and line, so that whoever begins it again begins the same one.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from osscopy.copying import results
from osscopy.jobs import lists
from osscopy.jobs.bulk.tools import Tools, maker
from osscopy.jobs.records import read
from osscopy.model import BulkJob, Copy, Done, Entry, Row
from osscopy.plan import bulk


def named(job: BulkJob, path: tuple[int, ...], number: int, rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return the rows of an entry, those of chains with their jobs."""
    makes, place = maker(job), f"{bulk.range_id(path)}/{number}"
    return tuple(
        replace(row, copy=bulk.child_id(makes.of_row(row), job.job, f"{place}/{line}"))
        if row.status == "started"
        else row
        for line, row in enumerate(rows)
    )


def start(tools: Tools, job: BulkJob, path: tuple[int, ...], number: int, entry: Entry) -> int:
    """Hand over the chains of an entry that stands, as one list; return how many have to wait.

    Each list is on record before that is noted. As many chains are handed over as there is room for: others
    wait until some have ended. Those of a job that is to end are handed over at once, since they end, too.
    """
    makes, began = maker(job), results.iso(job.began)
    copies = [
        Copy(row.copy, makes.of_row(row), began, keep=True, since=job.began, origin=job.origin)
        for row in entry.rows
        if row.status == "started"
    ]
    if not copies:
        return 0
    done, most = _room(tools, job, f"{bulk.range_id(path)}-{number}", len(copies))
    batch = copies[done : done + most]
    if batch:
        parent = f"{job.job}/{bulk.range_id(path)}/{number}"
        lists.hand_over(tools.context, tools.records, batch, tools.context.now(), parent, 0)
        tools.of(job.job).log.note_begun(path, number, done + len(batch))
    return len(copies) - done - len(batch)


def _room(tools: Tools, job: BulkJob, entry: str, chains: int) -> tuple[int, int]:
    """Return how many chains of an entry have been handed over, and how many may be now."""
    records = tools.of(job.job)
    begun = records.log.begun()
    done = begun.get(entry, 0)
    free = tools.chains - (sum(begun.values()) - len(records.log.chains()))
    if chains - done <= free // job.workers or records.reason_to_stop() is not None:
        return done, chains - done
    return done, bulk.share(free, bulk.open_ranges(records.log.ended_names()))


def outcomes(tools: Tools, job: str, ended: Sequence[str]) -> tuple[Done, ...]:
    """Return how chains have ended, in their order."""
    records, ask = tools.records, tools.context.ask
    found = (ask(read, records, f"bulk/{job}/copy/{name}", Done) for name in ended)
    return tuple(done for done in found if done is not None)
