"""The picture of one copy: the parts that are there, and when its hops began.

Made of records and of ListParts: the name of a hop's record tells lane and generation, and OSS when it was
written. A hop of a lane ends where the next one begins. What the sweep has forgotten is not in a picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from osscopy import plan
from osscopy.copying.invocation import listing
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.questions import Question
from osscopy.copying.outcome import task_of
from osscopy.copying.results import unix
from osscopy.jobs.hops import LAST
from osscopy.jobs.journal import RecordJournal
from osscopy.jobs.pictures.timelines import Bar, Mark, Timeline
from osscopy.model import Entered, ListedPart, Opened, Result, Upload, UploadGone

MOST = 1000  # hops of a picture
_HOP = re.compile(r"([0-9]{12})-([0-9]{3})-([0-9]{6})")
_NOTE = re.compile(r"([0-9]{12})-([0-9]{12})-([0-9]{3})")
_START = re.compile(r"([0-9]{12})(-start)?")


class Picture(msgspec.Struct, frozen=True):
    """The numbers of the parts that are there, and the first and last number of each lane."""

    lanes: tuple[tuple[int, int], ...]
    there: frozenset[int]
    timeline: Timeline

    @property
    def parts(self) -> int:
        return self.lanes[-1][1]


class _Hop(msgspec.Struct, frozen=True, order=True):
    lane: int
    begun: float
    generation: int
    number: int


def picture(context: Context, journal: RecordJournal, job: str, result: Result) -> Picture | None:
    """Return the picture of a copy in parts; None where nothing of it is on record any more."""
    opened, entered = context.question(journal.opened, job), context.question(journal.entered, job)
    hops, starts, notes = (
        context.question(journal.records.page, f"{kind}/{job}/", "", MOST) for kind in ("hop", "gen", "note")
    )
    context.together(opened, entered, hops, starts, notes)
    known = entered.get()
    if known is None:
        return None
    is_open = result.status == "running"
    listed = _listed(context, opened, known) if is_open else ()
    upload, now = known.upload, context.now()
    ended = unix(result.finished_at) if result.finished_at else now
    first = _Hop(1, float(upload.opened_at), 0, 1)
    begun = [first, *_hops(hops.get().entries, upload.lanes)]
    marks = [*_starts(starts.get().entries), *_problems(notes.get().entries, upload.lanes)]
    every = range(1, upload.parts + 1)
    return Picture(
        tuple((numbers[0], numbers[-1]) for numbers in _lanes(upload)),
        frozenset(every if result.status == "succeeded" else [each.number for each in listed]),
        Timeline(
            begun=min(each.begun for each in begun),
            ended=ended,
            rows=tuple(str(lane + 1) for lane in range(upload.lanes)),
            bars=tuple(_bars(begun, ended, is_open=is_open)),
            marks=tuple(sorted(marks, key=lambda each: each.at)),
            batches=tuple(_batches(upload, listed)),
        ),
    )


def _lanes(upload: Upload) -> list[range]:
    return [plan.lane_numbers(upload.parts, upload.lanes, lane + 1) for lane in range(upload.lanes)]


def _listed(context: Context, opened: Question[Opened | None], known: Entered) -> tuple[ListedPart, ...]:
    """Return the parts of the upload; none once it has ended."""
    intent = opened.get()
    if intent is None:
        return ()
    try:
        return listing.found(
            listing.pages(context, task_of(intent, known.upload), 0, known.upload.parts)
        ).parts
    except UploadGone:
        return ()


def _hops(entries: Iterable[tuple[str, int]], lanes: int) -> Iterator[_Hop]:
    for name, written in entries:
        if (found := _HOP.fullmatch(name.rpartition("/")[2])) and 1 <= int(found[2]) <= lanes:
            yield _Hop(int(found[2]), float(written), int(found[1]), int(found[3]))


def _bars(hops: Iterable[_Hop], ended: float, *, is_open: bool) -> Iterator[Bar]:
    """Yield each hop up to the next one of its lane, the last one up to the end."""
    ordered = sorted(hops)
    for hop, after in zip(ordered, [*ordered[1:], None], strict=True):
        is_last = after is None or after.lane != hop.lane
        until = ended if is_last or after is None else after.begun
        yield Bar(hop.lane - 1, hop.begun, max(hop.begun, until), str(hop.number), is_last and is_open)


def _starts(entries: Iterable[tuple[str, int]]) -> Iterator[Mark]:
    for name, written in entries:
        if _START.fullmatch(name.rpartition("/")[2]):
            yield Mark(float(written), "resumed", "")


def _problems(entries: Iterable[tuple[str, int]], lanes: int) -> Iterator[Mark]:
    for name, written in entries:
        if (found := _NOTE.fullmatch(name.rpartition("/")[2])) and 1 <= int(found[3]) <= lanes:
            yield Mark(float(written), "problem", str(LAST - int(found[2])), int(found[3]) - 1)


def _batches(upload: Upload, listed: Iterable[ListedPart]) -> Iterator[tuple[int, float]]:
    """Yield when parts came, by lane; parts of one second count once."""
    lanes = _lanes(upload)
    seen = {(lane, each.modified) for each in listed for lane, own in enumerate(lanes) if each.number in own}
    yield from ((lane, float(second)) for lane, second in sorted(seen) if second)
