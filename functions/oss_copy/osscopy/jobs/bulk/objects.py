"""The copies of a page: one CopyObject an object where that is enough, and the row of each.

Knows CopyObject and HEAD; not where the objects come from, nor what becomes of rows. An object without a row
had no time, or was throttled: the page ends before it.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from osscopy import plan
from osscopy.copying import results
from osscopy.jobs.bulk.doubt.notes import Notes
from osscopy.jobs.bulk.modes import check
from osscopy.jobs.bulk.pages import looks
from osscopy.jobs.bulk.pages.rate import Rate
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import (
    Attributes,
    BulkJob,
    Conflict,
    CopyRequest,
    Encrypted,
    Encryption,
    Failed,
    Item,
    Pin,
    Row,
    Shown,
    SourceChanged,
    Transient,
)
from osscopy.plan import bulk
from osscopy.plan.bulk import Act, Chain, Compare, CompareLinks, CompareTags, CopyNow, End, Look

LOOKS = 3  # at a source that keeps changing


class Copier:
    """One invocation's copies of a job's objects. `doubt`: a request had no answer."""

    def __init__(self, tools: Tools, job: BulkJob, notes: Notes) -> None:
        self._context = tools.context
        self._request = job.request
        self._options = self._context.options
        self._policy = bulk.policy_of(job, self._context.limits.threshold, self._options)
        self._default = job.default
        self.foreseen = functools.partial(bulk.foreseen, job.request, self._policy)
        self._until = tools.work_until
        self._notes = notes
        self.doubt = False
        self._slowest = 0.0  # seconds that an object has taken
        self.rate = Rate(tools.context.clock)

    def rows(self, items: Sequence[Item]) -> list[Row | None]:
        """Return the rows of items in their order; None where one has none for now."""
        items = self._looked_at(items)
        found = [None if each.asks else self._told(each, bulk.decide(self._policy, each)) for each in items]
        open_ones = [number for number, row in enumerate(found) if row is None]

        ended: set[int] = set()

        def work(number: int) -> None:
            if self._has_time() and self.rate.wait(self._requests(items[number]), self._until):
                found[number] = self._timed(items[number])
            ended.add(number)

        if self._policy.copies:
            self._notes.page([items[number] for number in open_ones])
        self._context.at_once([functools.partial(work, number) for number in open_ones], self._until)
        self.doubt = self.doubt or len(ended) < len(open_ones)
        return list(found)  # what ends later is not told any more

    def _looked_at(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return the items of a page, those whose source no listing shows with what HEAD shows of it."""
        found = list(items)

        def look(number: int) -> None:
            if self._has_time() and self.rate.wait(1, self._until):
                with contextlib.suppress(Transient, Failed):  # asked again where its row is made
                    found[number] = replace(
                        items[number], source=looks.source(self._context, items[number].request)
                    )

        asked = (number for number, item in enumerate(items) if item.asks and item.problem is None)
        due = [number for number in asked if items[number].source is None]
        self._context.at_once([functools.partial(look, number) for number in due], self._until)
        return list(found)

    def _has_time(self) -> bool:
        """Return whether an object may be begun: it may take half as long again as the slowest so far."""
        return self._context.clock.monotonic() + self._slowest * 1.5 < self._until

    def share_rate(self, open_ranges: Callable[[], int]) -> None:
        """Take the share of one open range of the requests a second that are asked for."""
        if self._request.max_rate:
            self.rate.share = self._request.max_rate / max(1, open_ranges())

    def _requests(self, item: Item) -> int:
        """Return the requests that an object takes, if nothing has to be looked at twice."""
        return 1 + self._policy.looks + item.asks * (2 if item.source is None else 1)

    def _timed(self, item: Item) -> Row | None:
        begun = self._context.clock.monotonic()
        row = self._row(item)
        self._slowest = max(self._slowest, self._context.clock.monotonic() - begun)
        return row

    def _told(self, item: Item, act: Act) -> Row | None:
        """Return the row of an act without a request; None for one with any."""
        match act:
            case End(status=status, code=code, message=message):
                return bulk.row(item.request, status, code, message, _shown(status, item))
            case Chain():
                return bulk.row(item.request, "started", shown=item.source)
        return None

    def _row(self, item: Item) -> Row | None:
        """Return the row of one object after its requests; None if it is to be tried again later."""
        begun = self._context.now()
        try:
            row = self._carried_out(self._asked(item) if item.asks else item)
        except Transient as error:
            self.doubt = self.doubt or error.in_doubt
            is_late = error.throttled or self._context.clock.monotonic() >= self._until
            return None if is_late else _left(item, error, may_begin=self._policy.copies)
        except Failed as error:
            if error.code == "NoSuchBucket":
                raise
            row = bulk.row(
                item.request, "failed", error.code, error.message, item.source, http_status=error.status
            )
        return replace(row, started_at=results.iso(begun), finished_at=results.iso(self._context.now()))

    def _carried_out(self, item: Item) -> Row:
        act = bulk.decide(self._policy, item)
        if isinstance(act, Compare):
            item = replace(
                item,
                source=looks.source(self._context, item.request),
                destination=looks.destination(self._context, item.request),
            )
            act = bulk.decide_compared(self._policy, item)
        match act:
            case CopyNow() | Look():
                return self._copied(item)
            case CompareTags():
                act = check.tags(self._context, item)
            case CompareLinks():
                act = check.links(self._context, item)
        told = self._told(item, act)
        return told or bulk.row(item.request, "started", shown=item.source)

    def _copied(self, item: Item) -> Row:
        """Copy what is shown; if that has changed meanwhile, look again, so many times."""
        for _ in range(LOOKS):
            if self._policy.looks and (item.source is None or item.source.head is None):
                item = replace(item, source=looks.source(self._context, item.request))
            if item.source is None:
                return bulk.row(item.request, "missing", "NoSuchKey", "the source is gone")
            if item.source.head is not None:
                self._options.judge_encryption(item.request, item.source.head.encryption, self._default)
            if bulk.is_other(item):
                other = bulk.OTHER
                return bulk.row(item.request, other.status, other.code, other.message, item.source)
            try:
                return self._sent(item, item.source)
            except SourceChanged:
                item = replace(item, source=looks.source(self._context, item.request))
        return bulk.row(
            item.request, "failed", "SourceChanging", "the source changed at each look", item.source
        )

    def _sent(self, item: Item, source: Shown) -> Row:
        """Send CopyObject, again while that may help."""
        context, request = self._context, item.request
        self._notes.before(replace(item, source=source))
        attempts = context.attempts(self._until)
        pin = Pin(source.size, source.etag, source.modified, request.source.version_id)
        attributes = self._attributes(request, source)
        wait = context.wait(plan.read_timeout(context.limits.timeout))
        try:
            written = attempts.run(lambda: context.store.copy(request, pin, attributes, wait))
        except Conflict as error:
            if error.code != "FileAlreadyExists":
                raise
            there = looks.destination(self._context, request)
            is_ours = attempts.in_doubt and bulk.recheck(self._policy, source, there)
            status, code = ("copied", "") if is_ours else ("skipped", "FileAlreadyExists")
            return bulk.row(request, status, code, "" if is_ours else error.message, source)  # type: ignore[arg-type]  # of two literals
        finally:
            self.doubt = self.doubt or attempts.in_doubt
        return bulk.row(request, "copied", shown=replace(source, etag=written.etag or source.etag))

    def _attributes(self, request: CopyRequest, source: Shown) -> Attributes:
        """Return what CopyObject has to name; metadata and tags OSS copies itself."""
        encryption: Encrypted | None = None
        if isinstance(request.encryption, Encryption):
            encryption = Encrypted.of(request.encryption)
        elif source.head is not None:
            encryption = plan.encryption(request, source.head)
        kept = request.storage_class == "keep"
        return Attributes(
            None, None, "default", source.storage_class if kept else request.storage_class, encryption
        )

    # --- looks -----------------------------------------------------------------------------------------

    def _asked(self, item: Item) -> Item:
        """Return an item that no listing shows, with what HEAD shows of it."""
        if item.problem is not None:
            return item
        source = looks.source(self._context, item.request) if item.source is None else item.source
        asks_there = self._policy.overwrite != "always" or self._policy.maps
        there = looks.destination(self._context, item.request) if asks_there and source is not None else None
        return replace(item, source=source, destination=there, asks=False)


def _left(item: Item, error: Transient, *, may_begin: bool) -> Row:
    """Return the row of an object that OSS does not answer about: a chain, where one may be begun."""
    if may_begin:
        return bulk.row(item.request, "started", shown=item.source)
    return bulk.row(item.request, "failed", error.code, error.message, item.source)


def _shown(status: str, item: Item) -> Shown | None:
    """Return what a row shows; no ETag to pin a symlink to: HEAD tells that of its target."""
    source = item.destination if status in {"superfluous", "wouldDelete", "planned"} else item.source
    if status == "wouldCopy" and source is not None and source.kind == "Symlink":
        return replace(source, etag="")
    return source
