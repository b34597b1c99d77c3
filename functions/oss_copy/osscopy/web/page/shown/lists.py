"""The list of jobs, those that run first; a filter is part of its address."""

from __future__ import annotations

from osscopy.jobs.queries import Page
from osscopy.model import BulkResult, Result
from osscopy.web.page.markup import Html, tag
from osscopy.web.page.shown import figures, pieces
from osscopy.web.page.words import Words

SHOWN = 30  # jobs of one page


def view(words: Words, page: Page, status: str | None, after: str, now: float) -> list[Html]:
    """Return the jobs of a page, and how to see others."""
    return [
        tag("h1", words("Jobs")),
        _filters(words, status),
        _jobs(words, page, status, now),
        *_more(words, page, status, after),
    ]


def seconds(page: Page) -> int:
    """Return after how long a look at the list is worth while."""
    return 5 if any(each.status == "running" for each in page.copies) else 15


def _filters(words: Words, chosen: str | None) -> Html:
    every = [(None, "All"), *pieces.STATES.items()]
    links = [
        tag(
            "a",
            words(label),
            href="./" if status is None else f"./?status={status}",
            aria_current="page" if status == chosen else None,
        )
        for status, label in every
    ]
    return tag("nav", links, class_="filter", aria_label=words("Filter"))


def _jobs(words: Words, page: Page, status: str | None, now: float) -> Html:
    if not page.copies:
        return _none(words, status)
    ordered = sorted(page.copies, key=lambda each: each.started_at or "", reverse=True)
    ordered.sort(key=lambda each: each.status != "running")
    running = sum(each.status == "running" for each in ordered)
    news = tag(
        "p", words("{n} running of {all} shown", n=running, all=len(ordered)), class_="dim", data_news=True
    )
    return tag("div", news, tag("ul", [_job(words, each, now) for each in ordered], class_="jobs"))


def _none(words: Words, status: str | None) -> Html:
    if status is not None:
        return tag("p", words("No job on record has this status."), data_news=True)
    return tag(
        "div",
        tag(
            "p", words("No job is on record. A small copy that succeeds at once leaves none."), data_news=True
        ),
        tag("p", tag("a", words("Start a copy"), href="./?new=1")),
        class_="box note",
    )


def _job(words: Words, job: Result | BulkResult, now: float) -> Html:
    return tag(
        "li",
        tag("div", pieces.badge(words, job.status)),
        tag("div", tag("a", _what(words, job), href=f"./?job={job.job}"), _from(job), class_="what"),
        tag("div", _progress(words, job, now), class_="small"),
        id=job.job,
    )


def _what(words: Words, job: Result | BulkResult) -> Html:
    if isinstance(job, BulkResult):
        return Html(tag("span", words("Many objects"), " ", tag("code", (job.job or "")[:10])))
    return pieces.address(job.destination or job.source, pieces.SHORT)


def _from(job: Result | BulkResult) -> Html | None:
    if isinstance(job, BulkResult) or job.source is None:
        return None
    return tag("div", "← ", pieces.address(job.source, pieces.SHORT), class_="dim small")


def _progress(words: Words, job: Result | BulkResult, now: float) -> list[Html | str]:
    begun = tag("div", figures.moment(job.started_at), class_="dim")
    if job.error is not None:
        told = tag("div", tag("strong", job.error.code), class_="bad" if job.status == "failed" else "warn")
    else:
        told = Html("")
    if isinstance(job, BulkResult):
        count = job.objects.total
        objects = words("{n} objects", n=figures.number(count)) if count or job.status != "running" else ""
        return [_line(objects, pieces.speed(words, job, now), pieces.left(words, job)), told, begun]
    size = job.source.size if job.source else None
    if job.status != "running":
        return [_line(figures.size(size) if size is not None else ""), told, begun]
    shown = pieces.bar(figures.share(job.bytes_done, size), words("Progress"))
    text = _line(f"{figures.size(job.bytes_done)} / {figures.size(size)}", pieces.speed(words, job, now))
    return [shown, text, told, begun]


def _line(*texts: str) -> Html:
    return tag("div", ", ".join(filter(None, texts)))


def _more(words: Words, page: Page, status: str | None, after: str) -> list[Html]:
    kept = f"&status={status}" if status else ""
    links = []
    if after:
        links.append(tag("a", words("First page"), href=f"./?status={status}" if status else "./"))
    if page.next is not None:
        links.append(tag("a", words("Next page"), href=f"./?after={page.next}{kept}"))
    return [tag("nav", links, class_="filter", aria_label=words("Pages"))] if links else []
