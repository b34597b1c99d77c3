"""The later comparison of a job that has ended: what is stale of its ranges in doubt is copied once more.

Knows the order: compare note by note, each with a record of what was found, so that the next sweep goes on
where time was short; then the list of what is stale, then the job that follows, which names this one. All of
it may be done twice. It comes T_late after `done/`, when nothing takes effect any more, and before anything
is forgotten.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from osscopy.copying import results
from osscopy.jobs.bulk import report, start
from osscopy.jobs.bulk.pages import looks
from osscopy.jobs.bulk.pages.listing import PrefixPages
from osscopy.jobs.bulk.tools import Tools, maker
from osscopy.jobs.records import list_all, read
from osscopy.model import (
    Bulk,
    BulkDone,
    BulkJob,
    Intended,
    Manifest,
    Noted,
    Range,
    Row,
    Shown,
    Transient,
)
from osscopy.plan import bulk


class Comparison:
    """One sweep's comparison of a job that has ended."""

    def __init__(self, tools: Tools, job: BulkJob, done: BulkDone) -> None:
        self._tools, self._job, self._done = tools, job, done
        self._at = f"bulk/{job.job}/"
        # with `always`, nothing would be asked of the destination
        self._asked = replace(job, request=replace(job.request, overwrite="ifDifferent"))

    def is_over(self) -> bool:
        """Compare as much as there is time for; return whether all is, and what is stale has a job."""
        if self._done.result.status == "cancelled" or self._job.request.overwrite == "never":
            return True
        request = self._job.request
        if request.as_of is not None or bulk.is_all(request):  # a version stays what it is, no copy is stale
            return True
        if bulk.only_looks(request) or bulk.is_pinned(request):  # it copies nothing but what was shown
            return True
        names = self._names("hop/")
        notes = bulk.notes_in_doubt(names)
        known = {"doubt/" + each for each in self._names("doubt/")} if notes else set()
        for name in notes:
            if self._record(name) in known:
                continue
            if self._tools.context.clock.monotonic() >= self._tools.work_until:
                return False
            self._compare(name)
        stale = [each for name in notes for each in self._found(self._record(name))]
        if stale and not self._tools.context.is_cancelled(self._job.job):
            self._follow(stale)
        return True

    def _names(self, kind: str) -> tuple[str, ...]:
        prefix = f"{self._at}{kind}"
        page = self._tools.context.ask(list_all, self._tools.records, prefix)
        return tuple(name.removeprefix(prefix) for name, _ in page.entries)

    def _record(self, note: str) -> str:
        """Return the name of the record of what was found of a note."""
        return "doubt/" + note.replace("/", "-")

    def _found(self, name: str) -> tuple[Intended, ...]:
        noted = self._tools.context.ask(read, self._tools.records, f"{self._at}{name}", Noted)
        return noted.copies if noted else ()

    # --- one note --------------------------------------------------------------------------------------

    def _compare(self, name: str) -> None:
        """Compare the copies of one note, and put what is stale on record."""
        copies = self._found(f"hop/{name}")
        source = self._job.request.source
        is_listed = source.prefix is not None and source.manifest is None
        is_listed = is_listed and self._job.request.destination.key is None
        shown = self._listed(copies) if is_listed else self._looked_at(copies)
        stale = tuple(each for each, one, other in shown if bulk.is_stale(each.etag, one, other))
        body = msgspec.json.encode(Noted(stale))
        self._tools.context.ask(self._tools.records.put_new, f"{self._at}{self._record(name)}", body)

    def _listed(self, copies: Sequence[Intended]) -> Iterator[tuple[Intended, Shown | None, Shown | None]]:
        """Yield copies with what listings show of either side."""
        noted: dict[str, list[Intended]] = {}
        for each in copies:
            noted.setdefault(each.key, []).append(each)
        low, last = bulk.before(min(noted)), max(noted)
        pages = PrefixPages(self._tools, self._asked, Range((), low, last))
        position: str | None = low
        is_last = False
        while not is_last:
            page = pages.after(position)
            position, is_last = page.high, page.is_last
            for place in page.places:
                if place.item is not None:
                    for each in noted.get(place.position, ()):
                        yield each, place.item.source, place.item.destination

    def _looked_at(self, copies: Sequence[Intended]) -> Iterable[tuple[Intended, Shown | None, Shown | None]]:
        """Return copies with what HEAD shows of either side."""
        context, makes = self._tools.context, maker(self._job)
        found: list[tuple[Intended, Shown | None, Shown | None]] = []

        def look(each: Intended) -> None:
            row = Row(each.bucket, each.key, each.version_id, makes.destination(each.key), "started")
            request = makes.of_row(row)
            found.append((each, looks.source(context, request), looks.destination(context, request)))

        context.at_once([functools.partial(look, each) for each in copies])
        if len(found) < len(copies):
            raise Transient("NoAnswer", "there was no time to compare all copies of a note")
        return found

    # --- what follows ----------------------------------------------------------------------------------

    def _follow(self, stale: Sequence[Intended]) -> None:
        """Begin the job that copies what is stale; it has the same id whoever begins it."""
        tools, job = self._tools, self._job
        place = report.place_of(None, tools.state, job.job)
        key = f"{place.prefix}{bulk.DOUBT}"
        tools.context.ask(tools.objects.write, place.bucket, key, bulk.listed(stale))
        request = bulk.follow_up(job.request, Manifest(place.bucket, key))
        name = bulk.bulk_id(request, f"doubt:{job.job}")
        now = results.iso(tools.context.now())
        began = start.begin(tools, Bulk(name, request, now, parent=job.job, origin=job.origin))
        tools.context.log("followed", job=job.job, by=name, status=began.status, objects=len(stale))
