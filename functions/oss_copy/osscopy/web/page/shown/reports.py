"""The view of a job's report: the objects that were not copied, as far as one page holds them."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from osscopy.model import BulkResult
from osscopy.web.page.markup import Html, name, tag
from osscopy.web.page.shown import figures, pieces
from osscopy.web.page.words import Words

COLUMNS = (("status", "Status"), ("errorCode", "Code"), ("key", "Key"), ("message", "Message"))


def view(words: Words, job: BulkResult, rows: Sequence[dict[str, str]] | None) -> list[Html]:
    """Return the first rows of what failed or was missing, and where all rows are."""
    place = pieces.report_place(job)
    return [
        tag("h1", pieces.badge(words, job.status), " ", words("Report")),
        tag("p", tag("a", words("Back to the job"), href=f"./?job={job.job}")),
        _rows(words, job, rows),
        tag("h2", words("All rows")),
        pieces.facts(
            [
                (words("Place"), tag("bdi", place)),
                (words("On your machine"), tag("code", f"oss-copy report {job.job} --output rows.csv")),
            ]
        ),
    ]


def _rows(words: Words, job: BulkResult, rows: Sequence[dict[str, str]] | None) -> Html:
    if job.status == "running" or rows is None:
        return tag("p", words("The report is written when the job ends."))
    if not rows:
        return tag("p", words("Nothing failed or was missing."))
    lost = job.objects.failed + job.objects.missing + job.objects.different
    head = tag("tr", *(tag("th", words(label), scope="col") for _, label in COLUMNS))
    body = [tag("tr", *(tag("td", _cell(each, column)) for column, _ in COLUMNS)) for each in rows]
    told = words("{n} of {all} that were not copied", n=figures.number(len(rows)), all=figures.number(lost))
    return tag(
        "div",
        tag("p", told),
        pieces.wide(words("Report"), tag("table", tag("thead", head), tag("tbody", body))),
    )


def _cell(row: dict[str, str], column: str) -> Html:
    text = row.get(column, "")
    return name(unquote(text) if column == "key" else text)
