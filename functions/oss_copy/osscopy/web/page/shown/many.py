"""The view of a job of many objects: counts, its ranges, errors with what to do, and its cost so far."""

from __future__ import annotations

from collections.abc import Sequence

from osscopy.jobs.pictures.many import Picture, Piece
from osscopy.model import BulkRequest, BulkResult, Prices, Slow
from osscopy.plan import bulk
from osscopy.web.page.markup import Child, Html, name, tag
from osscopy.web.page.shown import figures, pieces, strips
from osscopy.web.page.words import Words

ERRORS = 8  # codes that are shown
TAKEN = "Copy as shown"


def view(
    words: Words,
    job: BulkResult,
    picture: Picture | None,
    request: BulkRequest | None,
    prices: Prices | None,
    now: float,
) -> list[Html]:
    """Return all that is known of a job."""
    kind = words("Dry run") if job.would is not None else words("Many objects")
    return [
        tag("h1", pieces.badge(words, job.status), " ", kind),
        *(
            [tag("h2", words("Error")), pieces.problem(words, job.error, pieces.advised(job.error.code))]
            if job.error
            else []
        ),
        _pace(words, job, now),
        pieces.numbers(_counts(words, job)),
        tag("div", _buttons(words, job), class_="actions"),
        *_would(words, job),
        *_errors(words, job),
        *_ranges(words, job, picture),
        *_slowest(words, picture),
        *_timeline(words, job, picture),
        tag("h2", words("Facts")),
        pieces.facts(_facts(words, job, picture, request, prices, now)),
    ]


def seconds(job: BulkResult) -> int:
    """Return after how long another look is worth while; 0: never."""
    return 5 if job.status == "running" else 0


def _pace(words: Words, job: BulkResult, now: float) -> Html:
    took = words("{t} so far" if job.status == "running" else "took {t}", t=figures.span(_took(job, now)))
    told = [took, pieces.speed(words, job, now), pieces.left(words, job)]
    percent = figures.share(job.objects.total, job.objects.total + _left(job))
    bar = pieces.bar(percent, words("Progress")) if job.status == "running" else None
    return tag("div", bar, tag("p", ", ".join(filter(None, told)), data_news=True))


def _left(job: BulkResult) -> float:
    """Return how many objects are left, as far as that is known."""
    return (job.rate or 0.0) * (job.eta_seconds or 0)


def _took(job: BulkResult, now: float) -> float:
    return figures.took(job.started_at, job.finished_at, now)


def _counts(words: Words, job: BulkResult) -> list[tuple[str, str, str]]:
    counts = job.objects
    every = [
        (counts.total, "Objects", ""),
        (counts.succeeded, "Copied", ""),
        (counts.would_copy, "Would be copied", ""),
        (counts.skipped, "Skipped", ""),
        (counts.same, "The same", ""),
        (counts.different, "Different", "bad"),
        (counts.superfluous, "Superfluous", ""),
        (counts.failed, "Failed", "bad"),
        (counts.missing, "Missing", "bad"),
        (counts.deleted, "Deleted", ""),
        (counts.kept, "Kept", ""),
        (counts.would_delete, "Would be deleted", ""),
        (job.excluded, "Filtered out", ""),
        (job.chains, "Large copies under way", ""),
    ]
    shown = [each for each in every if each[0] or each[1] in {"Objects", "Failed"}]
    told = [(figures.number(count), words(label), kind if count else "") for count, label, kind in shown]
    copied = (figures.size(job.bytes.done), words("Bytes copied"), "")
    return told if job.would is not None else [*told, copied]


def _buttons(words: Words, job: BulkResult) -> list[Html]:
    if job.status == "running":
        question = words("Walkers stop within a page. What is copied by then stays.")
        return [pieces.asking(words, job.job or "", "cancel", words("Cancel"), question)]
    asked = [pieces.asking(words, job.job or "", "resubmit", words("Same again"))]
    if job.would is not None and job.objects.would_copy:
        asked.insert(0, pieces.asking(words, job.job or "", "carry-out", words(TAKEN)))
    if job.objects.failed or job.objects.missing:
        asked.append(
            pieces.asking(words, job.job or "", "resubmit", words("Only what failed"), only="failed")
        )
    if job.report is not None:
        link = tag("a", words("Report: what was not copied"), href=f"./?report={job.job}")
        asked.append(tag("p", link))
    return asked


def _would(words: Words, job: BulkResult) -> list[Html]:
    if job.would is None:
        return []
    asked = job.would.requests
    told = words(
        "Nothing was copied. The copies would take {put} PUT and {get} GET requests.",
        put=figures.number(asked.put), get=figures.number(asked.get),
    )  # fmt: skip
    cost = job.would.cost
    price = [tag("p", words("They would cost {cost}.", cost=pieces.money(cost)))] if cost else []
    return [tag("div", tag("p", told), *price, class_="box note")]


def _errors(words: Words, job: BulkResult) -> list[Html]:
    if not job.errors:
        return []
    commonest = sorted(job.errors.items(), key=lambda each: -each[1])[:ERRORS]
    advice = bulk.advice(job.errors)
    head = tag("tr", *(tag("th", words(each), scope="col") for each in ("Code", "Objects", "What to do")))
    rows = [
        tag(
            "tr",
            tag("td", tag("code", code)),
            tag("td", figures.number(count)),
            tag("td", words(advice[code])),
        )
        for code, count in commonest
    ]
    return [
        tag("h2", words("Commonest errors")),
        pieces.wide(words("Commonest errors"), tag("table", tag("thead", head), tag("tbody", rows))),
    ]


def _ranges(words: Words, job: BulkResult, picture: Picture | None) -> list[Html]:
    if picture is None or not picture.pieces:
        return []
    done = job.ranges.done if job.ranges else 0
    label = words("Ranges: {done} done, {open} open", done=done, open=job.ranges.open if job.ranges else 0)
    age = words("as of {t} ago", t=figures.span(picture.age)) if picture.age >= 1 else ""
    return [
        tag("h2", words("Ranges of keys")),
        tag("p", ", ".join(filter(None, (label, age))), class_="dim"),
        *strips.strip(words, _cells(job, picture.pieces), label),
    ]


def _cells(job: BulkResult, ranges: Sequence[Piece]) -> list[strips.Cell]:
    """Return a cell for each piece; those that are open share what is left."""
    count = sum(each.is_open for each in ranges)
    share = max(1.0, _left(job) / count) if count else 1.0
    return [strips.Cell(_state(each), share if each.is_open else max(1, each.objects)) for each in ranges]


def _state(piece: Piece) -> strips.State:
    if piece.is_open:
        return "open"
    return "bad" if piece.failed else "slow" if piece.is_slow else "done"


def _slowest(words: Words, picture: Picture | None) -> list[Html]:
    if picture is None or not picture.slowest:
        return []
    names = (("Range", ""), ("Objects", "n"), ("Time", "n"), ("Up to key", ""))
    head = tag("tr", *(tag("th", words(each), scope="col", class_=kind or None) for each, kind in names))
    rows = [tag("tr", _slow(each)) for each in picture.slowest]
    return [
        tag("h2", words("Slowest ranges")),
        pieces.wide(words("Slowest ranges"), tag("table", tag("thead", head), tag("tbody", rows))),
    ]


def _timeline(words: Words, job: BulkResult, picture: Picture | None) -> list[Html]:
    if picture is None:
        return []
    shown = tag("img", src=f"./?timeline={job.job}", alt=words("When the ranges were walked"), class_="line")
    return [tag("h2", words("Timeline")), pieces.wide(words("Timeline"), shown)]


def _slow(each: Slow) -> list[Child]:
    return [
        tag("td", tag("code", each.range[:8])),
        tag("td", figures.number(each.objects), class_="n"),
        tag("td", figures.span(each.seconds), class_="n"),
        tag("td", name(each.up_to or "-")),
    ]


def _facts(
    words: Words,
    job: BulkResult,
    picture: Picture | None,
    request: BulkRequest | None,
    prices: Prices | None,
    now: float,
) -> list[tuple[str, Html | str]]:
    place = pieces.report_place(job)
    rows: list[tuple[str, Html | str]] = [
        (words("Job"), tag("code", job.job)),
        *_places(words, request),
        (words("Report"), name(place) if place else ""),
        (words("Begun"), figures.moment(job.started_at)),
        (words("Ended"), figures.moment(job.finished_at) if job.finished_at else ""),
        (words("Took"), figures.span(_took(job, now))),
    ]
    if picture is not None:
        asked, of = picture.requests, picture
        rows.append(
            (words("Requests so far"), f"PUT {figures.number(asked.put)}, GET {figures.number(asked.get)}")
        )
        rows.append((words("Invocations"), figures.number(of.invocations)))
        if prices is not None:
            cost = bulk.cost_of(prices, asked.put, asked.get, of.seconds, of.invocations)
            rows.append((words("Spent so far"), pieces.money(cost)))
    return rows


def _places(words: Words, request: BulkRequest | None) -> list[tuple[str, Html | str]]:
    """Return where the objects come from, and where they go."""
    if request is None:
        return []
    source, to = request.source, request.destination
    listed = source.manifest or source.inventory
    if source.report is not None:
        of: Html = tag("a", tag("code", source.report.job), href=f"./?job={source.report.job}")
    elif listed is not None:
        of = name(f"oss://{listed.bucket}/{listed.key}")
    else:
        of = name(f"oss://{source.bucket}/{source.prefix}")
    there = to.key if to.key is not None else source.prefix if to.prefix is None else to.prefix
    return [(words("Source"), of), (words("Destination"), name(f"oss://{to.bucket}/{there or ''}"))]
