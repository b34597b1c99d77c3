"""Pieces that several views show: a status, a bar, facts, errors, and buttons that ask for something."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from osscopy.model import BulkResult, Cost, Problem, Result, Seen, Status
from osscopy.plan import bulk
from osscopy.web.page.markup import Child, Html, name, tag
from osscopy.web.page.shown import figures
from osscopy.web.page.words import Words

SHORT = 90  # characters of an address in a list
STATES = {
    "running": "Running",
    "succeeded": "Succeeded",
    "skipped": "Skipped",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
THROTTLED = frozenset(
    {
        "ActiveRequestLimitExceeded",
        "DownloadTrafficRateLimitExceeded",
        "QpsLimitExceeded",
        "ServiceUnavailable",
        "TotalQpsLimitExceeded",
        "UploadTrafficRateLimitExceeded",
    }
)


def badge(words: Words, status: str) -> Html:
    return tag("span", words(STATES[status]), class_=f"badge {status}", data_state=status)


def address(of: Seen | None, most: int = 2000) -> Html:
    """Return the address of an object; of one with more than `most` characters both ends."""
    if of is None:
        return Html("-")
    text = f"oss://{of.bucket}/{of.key}"
    return name(text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}")


def report_place(job: BulkResult) -> str:
    """Return where the report of a job is; nothing where there is none."""
    return f"oss://{job.report.bucket}/{job.report.prefix}" if job.report else ""


def bar(percent: int | None, label: str) -> Html:
    """Return a bar; without a share, one that only says that something goes on."""
    if percent is None:
        return tag("progress", label, max=100, aria_label=label)
    return tag("progress", f"{percent} %", max=100, value=percent, aria_label=f"{label}: {percent} %")


def wide(label: str, *inside: Child) -> Html:
    """Return what is moved sideways where the window is narrow, by keys too."""
    return tag("div", inside, class_="wide", role="region", aria_label=label, tabindex=0)


def money(cost: Cost) -> str:
    """Return a sum, of small ones enough digits."""
    return f"{cost.total:,.2f} {cost.currency}" if cost.total >= 1 else f"{cost.total:.3g} {cost.currency}"


def facts(rows: Iterable[tuple[str, Child]]) -> Html:
    """Return a list of names and values, without those that are empty."""
    shown = [(each, value) for each, value in rows if value not in {None, ""}]
    return tag("dl", [[tag("dt", each), tag("dd", value)] for each, value in shown], class_="facts")


def numbers(rows: Sequence[tuple[str, str, str]]) -> Html:
    """Return figures that stand out: value, name, and class."""
    cells = [tag("li", tag("b", value, class_=kind or None), label) for value, label, kind in rows]
    return tag("ul", cells, class_="numbers")


def problem(words: Words, error: Problem, advice: str | None = None, role: str | None = None) -> Html:
    """Return an error with its code, the request to OSS, and what to do."""
    told = [tag("p", tag("strong", error.code), ": ", tag("bdi", error.message, lang="en"))]
    if error.field:
        told.append(tag("p", words("Field"), ": ", tag("code", error.field)))
    if advice:
        told.append(tag("p", words("What to do"), ": ", words(advice)))
    if error.request_id:
        told.append(tag("p", words("Request"), " ", tag("code", error.request_id), class_="dim small"))
    return tag("div", told, class_="box", role=role)


def advised(code: str) -> str | None:
    """Return what to do about an error; None where its message is all there is to say."""
    if code in THROTTLED:
        return "OSS asks for less at once: the copy waits and goes on by itself"
    return bulk.advice_on(code)


def speed(words: Words, job: Result | BulkResult, now: float) -> str:
    """Return how fast a job that runs is."""
    if job.status != "running":
        return ""
    if isinstance(job, BulkResult):
        return words("{n} objects/s", n=figures.number(job.rate)) if job.rate else ""
    rate = job.rate if isinstance(job, Status) and job.rate else None
    seconds = figures.took(job.started_at, None, now)
    rate = rate or (int(job.bytes_done / seconds) if seconds >= 1 else 0)
    return f"{figures.size(rate)}/s" if rate else ""


def left(words: Words, job: Result | BulkResult) -> str:
    """Return how long a job will take, as far as that is known."""
    seconds = job.eta_seconds if isinstance(job, Status | BulkResult) else None
    if job.status != "running" or seconds is None:
        return ""
    is_least = isinstance(job, BulkResult) and job.eta_at_least
    return words("at least {t} left" if is_least else "{t} left", t=figures.span(seconds))


def asking(words: Words, job: str, what: str, label: str, question: str = "", **more: str) -> Html:
    """Return a button that asks for something about a job; with a question, in two steps."""
    hidden = [
        tag("input", type="hidden", name=key, value=value) for key, value in {"job": job, **more}.items()
    ]
    kind = "danger" if question else None
    form = tag(
        "form",
        hidden,
        tag("p", question) if question else None,
        tag("button", label, name="do", value=what, class_=kind),
        method="post",
        action="./",
    )
    if not question:
        return form
    return tag(
        "details", tag("summary", words("{label} …", label=label), class_="button", id=f"ask-{what}"), form
    )
