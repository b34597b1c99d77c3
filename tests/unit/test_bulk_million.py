"""A sync of two places that are alike: no copy, and few requests, however many objects there are.

`SYNC=1000000` as an environment variable lists so many objects on either side, made when they are asked for.
"""

from __future__ import annotations

import itertools
import os
import resource
import sys
import time
from typing import Any

import pytest
from msgspec.structs import replace

from osscopy.jobs.bulk.tools import Tools
from osscopy.model import BulkResult, ListedObject, ObjectPage
from tests.unit.engine import DST, SRC
from tests.unit.many import FileCloud, Jobs, MemoryObjects, request

COUNT = int(os.environ.get("SYNC", "20000"))
LISTED, ENTRY = 1000, 10_000  # keys of a listing, rows of an entry


class Seeded(MemoryObjects):
    """Listings of `COUNT` objects on either side, and of `more` that only the destination has.

    Every `changed`th is another one there.
    """

    def __init__(self, cloud: FileCloud, changed: int, more: int) -> None:
        super().__init__(cloud)
        self._cloud, self._changed, self._more = cloud, changed, more

    def page(self, bucket: str, prefix: str, after: str, limit: int, *, pays: bool = False) -> ObjectPage:
        if bucket not in {SRC, DST}:
            return super().page(bucket, prefix, after, limit, pays=pays)
        count = COUNT + (self._more if bucket == DST else 0)
        first = _first_after(prefix, after)
        found = tuple(self._made(bucket, prefix, n) for n in range(first, min(first + limit, count)))
        page = ObjectPage(found, int(self._cloud.time), more=first + limit < count)
        return self._cloud.ask("list source" if bucket == SRC else "list there", lambda: page, after)

    def _made(self, bucket: str, prefix: str, number: int) -> ListedObject:
        is_other = bucket == DST and self._changed and number % self._changed == 0
        etag, size = (f"O{number}", 11) if is_other else (f"E{number}", 10)
        return ListedObject(f"{prefix}{number:09}", size, "Standard", "Normal", 1, etag)


def _first_after(prefix: str, after: str) -> int:
    """Return the number of the first key after a text, which may be cut anywhere."""
    text = after.removeprefix(prefix)
    if not after.startswith(prefix) or not text:
        return 0
    digits = "".join(itertools.takewhile("0123456789".__contains__, text))[:9]
    known = int(digits.ljust(9, "0"))
    return known + (f"{known:09}" <= text)


class Places(Jobs):
    """A cloud whose listings are made when they are asked for."""

    def __init__(self, workers: int, changed: int = 0, more: int = 0) -> None:
        super().__init__(workers, timeout=600.0)
        self._changed, self._more = changed, more
        for number in range(0, COUNT if changed else 0, changed or 1):
            self.cloud.put(f"in/{number:09}", size=10, etag=f"E{number}", last_modified=1)

    def tools(self) -> Tools:
        return replace(super().tools(), objects=Seeded(self.cloud, self._changed, self._more))


def measured(places: Places, **asked: Any) -> tuple[BulkResult, int, int]:
    """Return how a sync has ended, its requests, and its ranges; say what it took."""
    begun, cpu = time.monotonic(), time.process_time()
    result = places.run(request(**asked))
    requests, ranges = len(places.cloud.asked), result.ranges.done if result.ranges else 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    seconds, used = time.monotonic() - begun, time.process_time() - cpu
    told = f"{COUNT} objects a side: {requests} requests, {ranges} ranges, {seconds:.1f} s ({used:.1f} s CPU)"
    sys.stdout.write(f"{told}, {peak} MiB at most\n")
    return result, requests, ranges


def bound(ranges: int) -> int:
    """The requests that a sync of equal places may take: two listings of each page, and four an entry.

    An entry is written once and read once, for the report; cancel and stop are read before it. The start, the
    end and each range take some more.
    """
    return 2 * -(-COUNT // LISTED) + 4 * -(-COUNT // ENTRY) + 6 * ranges + 40


@pytest.mark.parametrize("deletes", [False, True])
def test_equal_places_are_walked_without_a_copy_in_few_requests(deletes: bool) -> None:
    places = Places(1)
    result, requests, ranges = measured(places, delete=deletes)
    assert (result.status, result.objects.skipped, result.objects.total) == ("succeeded", COUNT, COUNT)
    assert [places.cloud.count(name) for name in ("copy", "head", "remove")] == [0, 0, 0]
    assert requests <= bound(ranges)


def test_what_has_changed_is_copied_and_nothing_else() -> None:
    places = Places(1, changed=100)
    result, requests, ranges = measured(places)
    assert (result.objects.succeeded, result.objects.total) == (COUNT // 100, COUNT)
    assert places.cloud.count("copy") == COUNT // 100
    assert requests <= bound(ranges) + COUNT // 100 + -(-COUNT // LISTED)  # and a note of each page
