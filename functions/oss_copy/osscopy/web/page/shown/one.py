"""The view of one copy: how far it is, its parts by lane, its hops over time, and what can be asked of it."""

from __future__ import annotations

from osscopy.jobs.pictures.copies import Picture
from osscopy.model import Prices, Status
from osscopy.plan import bulk
from osscopy.web.page.markup import Html, tag
from osscopy.web.page.shown import figures, pieces, strips, timelines
from osscopy.web.page.words import Words


def view(words: Words, job: Status, picture: Picture | None, prices: Prices | None, now: float) -> list[Html]:
    """Return all that is known of a copy."""
    place = pieces.address(job.destination or job.source)
    return [
        tag("h1", pieces.badge(words, job.status), " ", place),
        *_error(words, job),
        *_progress(words, job, now),
        tag("div", _buttons(words, job), class_="actions"),
        *_parts(words, job.job or "", picture),
        tag("h2", words("Facts")),
        pieces.facts(_facts(words, job, prices, now)),
    ]


def seconds(job: Status) -> int:
    """Return after how long another look is worth while; 0: never."""
    return 3 if job.status == "running" else 0


def _error(words: Words, job: Status) -> list[Html]:
    if job.error is None:
        return []
    title = words("The last error that a hop met") if job.status == "running" else words("Error")
    return [tag("h2", title), pieces.problem(words, job.error, pieces.advised(job.error.code))]


def _progress(words: Words, job: Status, now: float) -> list[Html]:
    size = job.source.size if job.source else None
    if job.status != "running":
        return []
    percent = figures.share(job.bytes_done, size)
    told = [f"{figures.size(job.bytes_done)} / {figures.size(size)}"]
    if percent is not None:
        told.append(f"{percent} %")
    told += [each for each in (pieces.speed(words, job, now), pieces.left(words, job)) if each]
    waits = (
        tag("p", words("It waits until the archived source can be read."))
        if job.phase == "restoring"
        else None
    )
    return [
        pieces.bar(percent, words("Progress")),
        tag("p", ", ".join(told), data_news=True),
        *([waits] if waits else []),
    ]


def _buttons(words: Words, job: Status) -> Html:
    if job.status == "running":
        question = words("The upload is aborted; the destination stays as it is.")
        return pieces.asking(words, job.job or "", "cancel", words("Cancel"), question)
    return pieces.asking(words, job.job or "", "resubmit", words("Copy again"))


def _parts(words: Words, job: str, picture: Picture | None) -> list[Html]:
    if picture is None:
        return []
    cells = strips.shares(picture.there, picture.lanes)
    label = words(
        "{n} of {all} parts, {lanes} lanes", n=len(picture.there), all=picture.parts, lanes=len(picture.lanes)
    )
    return [
        tag("h2", words("Parts")),
        tag("p", label, class_="dim"),
        *strips.strip(words, cells, label),
        tag("h2", words("Timeline")),
        pieces.wide(words("Timeline"), timelines.drawing(words, picture.timeline, "Lane")),
        tag("p", words("A bar is an invocation; ticks below it are parts that came."), class_="hint"),
        tag("p", tag("a", words("As a picture"), href=f"./?timeline={job}")),
    ]


def _facts(words: Words, job: Status, prices: Prices | None, now: float) -> list[tuple[str, Html | str]]:
    spent = bulk.spent(job, now)
    cost = (
        bulk.cost_of(prices, spent.put, spent.get, spent.milliseconds / 1000, spent.hops) if prices else None
    )
    size = job.source.size if job.source else None
    rows: list[tuple[str, Html | str]] = [
        (words("Job"), tag("code", job.job)),
        (words("Source"), pieces.address(job.source)),
        (words("Destination"), pieces.address(job.destination)),
        (words("Size"), figures.size(size) if size is not None else ""),
        (
            words("Method"),
            words({"simple": "One request", "multipart": "In parts"}.get(job.method or "", "")),
        ),
        (
            words("Verified by"),
            words({"crc64": "CRC64", "size": "Size", "link": "Link"}.get(job.verified or "", "")),
        ),
        (words("Invocations"), figures.number(job.hops)),
        (words("Begun"), figures.moment(job.started_at)),
        (words("Ended"), figures.moment(job.finished_at) if job.finished_at else ""),
        (words("Took"), figures.span(figures.took(job.started_at, job.finished_at, now))),
        (
            words("Requests so far, about"),
            f"PUT {figures.number(spent.put)}, GET {figures.number(spent.get)}",
        ),
    ]
    if cost is not None:
        rows.append((words("Spent so far, about"), pieces.money(cost)))
    return rows
