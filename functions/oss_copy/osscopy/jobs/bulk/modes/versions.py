"""The copies of all versions of keys: one after another within a key, keys beside each other.

Knows CopyObject, DeleteObject and HEAD; the rules are those of `plan.bulk.modes.versions`. A version without
a row is tried again later, and all newer ones of its key with it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from msgspec.structs import replace

from osscopy import plan
from osscopy.jobs.bulk.doubt.notes import Notes
from osscopy.jobs.bulk.objects import Copier
from osscopy.jobs.bulk.pages import looks
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import BulkJob, Failed, Item, ListedVersion, Mark, Pin, Row, Shown, Source, Transient
from osscopy.plan import bulk

T = TypeVar("T")


class VersionCopier(Copier):
    """One invocation's copies of all versions of a job's objects."""

    def __init__(self, tools: Tools, job: BulkJob, notes: Notes) -> None:
        super().__init__(tools, job, notes)
        self._objects = tools.objects
        self._newest: dict[str, str] = {}  # version ids by destination; empty: there is none, or one of ours

    def rows(self, items: Sequence[Item]) -> list[Row | None]:
        """Return the rows of versions in their order; None where one has none for now, as all newer ones."""
        found: list[Row | None] = [None] * len(items)
        keys: dict[str, list[int]] = {}
        for number, item in enumerate(items):
            keys.setdefault(item.request.source.key, []).append(number)
        ended: set[str] = set()

        def work(key: str) -> None:
            self._of_key(items, keys[key], found)
            ended.add(key)

        self._context.at_once([functools.partial(work, key) for key in keys], self._until)
        self.doubt = self.doubt or len(ended) < len(keys)
        return list(found)  # what ends later is not told any more

    def _of_key(self, items: Sequence[Item], numbers: Sequence[int], found: list[Row | None]) -> None:
        """Make the rows of a key's versions, until one has none, or newer ones have to wait for its chain."""
        first = items[numbers[0]]
        if not isinstance(first, bulk.Step) or first.problem is not None:
            for number in numbers:
                found[number] = self._told(items[number], bulk.decide(self._policy, items[number]))
            return
        there, steps = first.history.there, [cast("bulk.Step", items[number]) for number in numbers]
        self._newest[first.request.destination.key] = (there[-1].version_id or "") if there else ""
        try:
            known = bulk.known(first.history, functools.partial(self._is_copy, first))
        except (Transient, Failed) as error:
            if isinstance(error, Failed) or (not error.throttled and self._has_time()):
                for number, step in zip(numbers, steps, strict=True):
                    found[number] = bulk.row(step.request, "failed", error.code, error.message, step.source)
            return
        has_failed = first.history.has_failed
        for number, step in zip(numbers, steps, strict=True):
            row = found[number] = self._version(step, known, has_failed=has_failed)
            if row is None or row.status == "started":
                return
            has_failed = has_failed or row.status == "failed"

    def _version(self, item: bulk.Step, known: int, *, has_failed: bool) -> Row | None:
        """Return the row of one version; `known`: so many of its key's are there already."""
        is_marker = item.listed.is_marker
        code = bulk.MARKED if is_marker else ""
        if item.index < known:
            there = item.history.there[len(item.history.there) - known + item.index]
            if there.modified >= self._policy.began:  # by a hop that died before it could tell
                return bulk.row(item.request, "copied", code, shown=item.source)
            return bulk.row(item.request, "skipped", "NotDifferent", "the same version", item.source)
        if has_failed:
            text = "an older version of this key could not be copied"
            return bulk.row(item.request, "failed", "OlderVersionFailed", text, item.source)
        if is_marker and not self._policy.copies:
            return bulk.row(item.request, "wouldCopy", code)
        if not is_marker:
            act = bulk.decide(self._policy, item)
            if isinstance(act, bulk.Compare):  # only HEAD tells whether an archived one is restored
                item = replace(item, source=looks.source(self._context, item.request))
                act = bulk.decide(self._policy, item)
            if told := self._told(item, act):
                return told
        if not self._has_time() or not self.rate.wait(1 + self._policy.looks, self._until):
            return None
        return self._timed(item)

    def _carried_out(self, item: Item) -> Row:
        step = cast("bulk.Step", item)
        return self._marked(step) if step.listed.is_marker else self._copied(step)

    # --- requests --------------------------------------------------------------------------------------

    def _sent(self, item: Item, source: Shown) -> Row:
        """Send CopyObject; each time that it has no answer, see first whether it took effect."""
        context, request = self._context, item.request
        pin = Pin(source.size, source.etag, source.modified, request.source.version_id)
        attributes = self._attributes(request, source)
        wait = context.wait(plan.read_timeout(context.limits.timeout))
        step = cast("bulk.Step", item)
        written = self._made(step, lambda: context.store.copy(request, pin, attributes, wait))
        self._newest[request.destination.key] = (written.version_id if written else None) or ""
        return bulk.row(request, "copied", shown=source)

    def _marked(self, step: bulk.Step) -> Row:
        """Put a delete marker over what the destination shows."""
        there, pays = step.request.destination, step.request.request_payer
        try:
            self._made(step, lambda: self._objects.remove(there.bucket, there.key, pays=pays))
        except Transient as error:
            if error.throttled or not self._has_time():
                raise
            raise Failed(error.code, error.message) from error  # no chain makes a delete marker
        self._newest[there.key] = ""
        return bulk.row(step.request, "copied", bulk.MARKED)

    def _made(self, step: bulk.Step, send: Callable[[], T]) -> T | None:
        """Return the answer of a request that makes a version; None if it had none, and took effect."""
        attempts = self._context.attempts(self._until)
        try:
            while True:
                try:
                    return attempts.once(send)
                except Transient as error:
                    if error.in_doubt and self._has_landed(step):
                        return None
                    attempts.pause(error)
        finally:
            self.doubt = self.doubt or attempts.in_doubt

    def _has_landed(self, step: bulk.Step) -> bool:
        """Return whether the newest version of the destination is a copy of this one, and a new one."""
        there, pays = step.request.destination, step.request.request_payer
        ask, versions = self._context.ask, self._objects.versions
        page = ask(versions, there.bucket, there.key, Mark(), 1, pays=pays)
        newest = next((each for each in page.versions if each.key == there.key), None)
        if newest is None or newest.version_id == self._newest[there.key]:
            return False
        is_certain = bool(self._newest[there.key]) or step.index == 0
        return (is_certain or not step.listed.is_marker) and self._is_copy(step, step.listed, newest)

    def _is_copy(self, item: Item, one: ListedVersion, other: ListedVersion) -> bool:
        """Return whether a version is there already: HEAD of either tells where listings do not."""
        found = bulk.alike(one, other, may_encrypt=self._policy.may_encrypt)
        if found is not None:
            return found
        context, request = self._context, item.request
        source = replace(request.source, version_id=one.version_id)
        place = Source(request.destination.bucket, request.destination.key, other.version_id)
        here = looks.source(context, replace(request, source=source))
        there = context.ask(context.store.find, request, place)
        return here is not None and there is not None and here.crc64 is not None and here.crc64 == there.crc64


def copier_of(tools: Tools, job: BulkJob, notes: Notes) -> Copier:
    """Return what copies the objects of a job."""
    return VersionCopier(tools, job, notes) if bulk.is_all(job.request) else Copier(tools, job, notes)
