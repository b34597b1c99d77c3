"""Every object has exactly one row, whatever is listed, wherever it is cut and an invocation dies."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import quote, unquote

from hypothesis import given, settings, strategies as st

from osscopy import events
from osscopy.jobs.bulk import walk
from osscopy.jobs.bulk.pages import listing, manifest, width
from osscopy.model import BulkRequest, Manifest, Sweep
from tests.unit.engine import SRC
from tests.unit.many import FileCloud, Jobs, carry_out, job_of, request

T = TypeVar("T")
MOST = 400  # invocations of one example
KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
EXAMPLES = settings(max_examples=100, deadline=None)


class Killed(BaseException):
    """The end of an invocation that FC has killed."""


class Mortal(FileCloud):
    """A cloud where each request takes time, and some invocations die right after one took effect.

    `deaths`: numbers of requests, of all that are made. `chances`: what `random` answers, in turn.
    """

    def __init__(self, seconds: float, deaths: frozenset[int], chances: tuple[float, ...]) -> None:
        super().__init__()
        self._seconds = seconds
        self._deaths = deaths
        self._chances = chances
        self._drawn = 0
        self._made = 0
        self.until = 0.0  # the invocation's time

    def ask(self, name: str, effect: Callable[[], T], about: str = "") -> T:
        self._made += 1
        self.time += self._seconds
        if self.time > self.until:
            raise Killed
        found = super().ask(name, effect, about)
        if self._made in self._deaths:
            raise Killed
        return found

    def random(self) -> float:
        self._drawn += 1
        return self._chances[self._drawn % len(self._chances)]


@contextmanager
def narrow(page: int, most: int) -> Iterator[None]:
    kept = listing.PAGE, manifest.PAGE, listing.LEAST, manifest.LEAST, width.SOON, walk.MOST_ROWS
    listing.PAGE = manifest.PAGE = page
    listing.LEAST, manifest.LEAST, width.SOON, walk.MOST_ROWS = 0, 0, 0.0, most
    try:
        yield
    finally:
        listing.PAGE, manifest.PAGE, listing.LEAST, manifest.LEAST, width.SOON, walk.MOST_ROWS = kept


def run(jobs: Jobs, cloud: Mortal, asked: BulkRequest, retries: int, sweep_every: int = MOST) -> str:
    """Carry out a job to its end; what dies is tried again so many times, and then left to the sweep.

    Its event is tried again until the job is on record. The sweep comes where nothing is left to do, and
    after so many invocations, since a walk may wait for a chain that has died.
    """
    event = job_of(asked)
    queue = [(event.job, events.encode(event), 0)]
    for number in range(MOST):
        if f"done/{event.job}" in cloud.records:
            return event.job
        if queue and number % sweep_every != sweep_every - 1:
            task, body, tries = queue.pop(0)
            if not _lives(jobs, cloud, body, tries) and (tries < retries or task == event.job):
                queue.append((task, body, tries + 1))
        else:
            cloud.time += 200
            _lives(jobs, cloud, events.encode(Sweep()), 0)
        fresh = cloud.submitted[jobs.done :]
        jobs.done += len(fresh)
        cloud.time += min((delay for _, _, delay in fresh), default=0)
        queue += [(name, body, 0) for name, body, _ in fresh]
    raise AssertionError("it has no end")


def _lives(jobs: Jobs, cloud: Mortal, body: bytes, tries: int) -> bool:
    """Carry out one invocation; return whether it has answered."""
    cloud.until = cloud.time + jobs.timeout
    try:
        carry_out(jobs.tools(), body, tries)
    except Killed:
        return False
    return True


def rows(cloud: FileCloud, job: str) -> Counter[str]:
    """Return how many rows each key has in the report."""
    found: Counter[str] = Counter()
    for file in json.loads(cloud.files[f"r/{job}/manifest.json"])["files"]:
        text = gzip.decompress(cloud.files[file["key"]]).decode()
        found.update(unquote(row["key"]) for row in csv.DictReader(io.StringIO(text, newline="")))
    return found


def begun(
    timeout: float, seconds: float, deaths: frozenset[int], chances: tuple[float, ...]
) -> tuple[Jobs, Mortal]:
    """Return a cloud, and jobs of three walkers on it."""
    jobs = Jobs(workers=3, timeout=timeout)
    jobs.cloud = cloud = Mortal(seconds, deaths, chances)
    cloud.until = 1e12
    return jobs, cloud


WORLDS = {
    "page": st.integers(1, 5),
    "most": st.integers(1, 6),
    "timeout": st.sampled_from([20.0, 30.0, 60.0]),
    "seconds": st.sampled_from([0.0, 0.1, 0.5]),
    "deaths": st.frozensets(st.integers(1, 150), max_size=4),
    "retries": st.integers(0, 2),
    "chances": st.lists(st.floats(0, 0.99), min_size=1, max_size=5).map(tuple),
}


@EXAMPLES
@given(keys=st.sets(KEYS, min_size=1, max_size=20), **WORLDS)
def test_every_key_of_a_listing_has_exactly_one_row(
    keys: set[str],
    page: int,
    most: int,
    timeout: float,
    seconds: float,
    deaths: frozenset[int],
    retries: int,
    chances: tuple[float, ...],
) -> None:
    jobs, cloud = begun(timeout, seconds, deaths, chances)
    for key in keys:
        cloud.put(f"in/{key}")
    with narrow(page, most):
        job = run(jobs, cloud, request(), retries)
    assert rows(cloud, job) == Counter(f"in/{key}" for key in keys)


@EXAMPLES
@given(keys=st.lists(KEYS, min_size=1, max_size=20), packed=st.booleans(), **WORLDS)
def test_every_line_of_a_manifest_has_exactly_one_row(
    keys: list[str],
    packed: bool,
    page: int,
    most: int,
    timeout: float,
    seconds: float,
    deaths: frozenset[int],
    retries: int,
    chances: tuple[float, ...],
) -> None:
    jobs, cloud = begun(timeout, seconds, deaths, chances)
    for key in set(keys):
        cloud.put(f"in/{key}")
    text = "".join(f"{SRC},{quote(f'in/{key}')}\n" for key in keys).encode()
    source = jobs.list(gzip.compress(text, mtime=0) if packed else text)
    assert isinstance(source.manifest, Manifest)
    with narrow(page, most):
        job = run(jobs, cloud, request(source=source), retries)
    assert rows(cloud, job) == Counter(f"in/{key}" for key in keys)
