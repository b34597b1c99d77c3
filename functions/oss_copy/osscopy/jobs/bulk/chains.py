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


def start(tools: Tools, job: BulkJob, path: tuple[int, ...], number: int, entry: Entry) -> None:
    """Hand over the chains of an entry that stands, as one list; again if somebody has."""
    makes, began = maker(job), results.iso(job.began)
    copies = [
        Copy(row.copy, makes.of_row(row), began, keep=True, since=job.began)
        for row in entry.rows
        if row.status == "started"
    ]
    if copies:
        parent = f"{job.job}/{bulk.range_id(path)}/{number}"
        lists.hand_over(tools.context, tools.records, copies, tools.context.now(), parent, 0)


def outcomes(tools: Tools, job: str, ended: Sequence[str]) -> tuple[Done, ...]:
    """Return how chains have ended, in their order."""
    records, ask = tools.records, tools.context.ask
    found = (ask(read, records, f"bulk/{job}/copy/{name}", Done) for name in ended)
    return tuple(done for done in found if done is not None)
