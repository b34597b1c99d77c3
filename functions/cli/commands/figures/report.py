"""`report`: what became of a job, object by object: as a table, as CSV, in a file."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TextIO

import click

from functions.cli.commands import session as shared
from functions.cli.commands.following import facts
from functions.cli.commands.session import Session
from functions.cli.errors import Misused, ReportedFailure, Status
from functions.cli.service import target
from functions.cli.service.answers import Answer, Many
from functions.cli.service.reports import LOST, Row, rows

SHOWN = 20  # rows of a table unless more are asked for
COLUMNS = ("status", "errorCode", "bytes", "key", "message")
KNOWN = ("copied", "skipped", "missing", "failed", "deleted", "kept", "different", "superfluous", "same")


@click.command()
@shared.in_region
@click.option("--url", metavar="URL", help="The HTTP trigger, as in `cp`.")
@shared.as_json
@click.option("--csv", "is_csv", is_flag=True, help="All rows as CSV, keys percent-encoded as in the report.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write CSV to this file.",
)
@click.option(
    "--timeline",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a picture (SVG) of when its invocations ran.",
)
@click.option(
    "--status",
    "of",
    type=click.Choice(KNOWN),
    multiple=True,
    metavar="STATUS",
    help=f"Only rows of this status: {', '.join(KNOWN)}.",
)
@click.option("--limit", type=click.IntRange(1), default=SHOWN, show_default=True, help="Rows of the table.")
@click.argument("job")
@click.pass_obj
def report(
    session: Session, /, job: str, is_csv: bool, output: Path | None, timeline: Path | None,
    of: tuple[str, ...], limit: int, url: str | None, region: str | None, template: Path,
) -> None:  # fmt: skip
    """Show what became of a job; of a job of many, the objects that were not copied."""
    found = target.find(template, region)
    with found.api(url, session.sleep) as api:
        answer = api.look(job)
        drawn = api.timeline(job) if timeline else None
    if timeline and drawn:
        return _draw(session, drawn, timeline)
    if not isinstance(answer.job, Many):
        if is_csv or output:
            raise Misused(f"job {job} is about one object: it has no rows; `oss-copy status {job}` shows it")
        session.screen.give(answer.told)
        session.screen.facts(facts(answer.job))
        return None
    chosen = _rows(found, answer.job, frozenset(of) or (frozenset(KNOWN) if is_csv or output else LOST))
    if output:
        _write(session, chosen, output)
    elif is_csv:
        _print(chosen, sys.stdout)
    else:
        _show(session, answer, chosen, limit)
    return None


def _draw(session: Session, drawn: bytes, file: Path) -> None:
    """Write the picture to a file, which is there whole or as it was before."""
    with _replacing(file) as new:
        new.write_bytes(drawn)
    session.screen.give({"file": str(file)})
    session.screen.say(f"{file}: open it in a browser")


@contextmanager
def _replacing(file: Path) -> Iterator[Path]:
    """Yield a file that takes the place of `file` in the end; raise Misused where it cannot."""
    new = file.with_name(f".{file.name}.part")
    try:
        yield new
        os.replace(new, file)  # noqa: PTH105 - names that are no Unicode
    except OSError as error:
        raise Misused(f"{str(file)!r} cannot be written: {error.strerror}") from error
    finally:
        new.unlink(missing_ok=True)


def _rows(found: target.Target, job: Many, wanted: frozenset[str]) -> Iterator[Row]:
    if job.status == "running":
        text = f"job {job.job} still runs, and its report is written when it ends: `oss-copy watch {job.job}`"
        raise ReportedFailure(text, Status.TEMPORARY)
    if job.report is None:
        raise ReportedFailure(f"job {job.job} has no report: {job.error or 'it has copied nothing'}")
    return (row for row in rows(found, job.report) if row.status.removeprefix("would").lower() in wanted)


def _show(session: Session, answer: Answer, chosen: Iterable[Row], limit: int) -> None:
    listed = list(islice(chosen, limit + 1))
    shown = listed[:limit]
    session.screen.give({**answer.told, "rows": [each.cells for each in shown]})
    session.screen.facts(facts(answer.job))
    if not shown:
        return
    session.screen.say()
    session.screen.table(COLUMNS, map(_cells, shown), right=("bytes",))
    if len(listed) > limit:
        session.screen.note(f"there are more: --limit, or `oss-copy report {answer.job.job} --output FILE`")


def _cells(row: Row) -> list[str]:
    return [row.key(each) if each == "key" else row.cells.get(each, "") for each in COLUMNS]


def _write(session: Session, chosen: Iterable[Row], file: Path) -> None:
    """Write the rows to a file, which is there whole or as it was before."""
    with _replacing(file) as new, new.open("w", encoding="utf-8", newline="") as out:
        count = _print(chosen, out)
    session.screen.give({"file": str(file), "rows": count})
    session.screen.say(f"{file}: {count} rows")


def _print(chosen: Iterable[Row], out: TextIO) -> int:
    """Write rows as CSV, below the names of their columns; return how many."""
    count = 0
    for row in chosen:
        if not count:
            out.write(_line(tuple(row.cells)))
        out.write(_line(tuple(row.cells.values())))
        count += 1
    return count


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()
