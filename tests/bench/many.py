"""Many objects by one job: requests, walkers, shapes of names, listings alone, memory."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import msgspec
import oss2

from tests.bench.figures import Figure, Measured, ratio, reach, spread
from tests.bench.running import DESTINATION, SOURCE, THREADS
from tests.bench.wire import computing
from tests.cloud.client import LocalCloud
from tests.cloud.oss.names import Names

OBJECTS = int(os.environ.get("MANY", "50000"))
SIZE = 1000  # bytes of an object
NEAR, LATENCY = 20, 100  # ms of a request: beside oss2, and where walkers are compared
NARROW = 8  # threads of a walker where walkers are compared: all of them fit onto two cores
WALKERS = (1, 4, 8)
HOT = (1000, *(1 for _ in range(7)))  # objects of a folder against those of each other one
_Done = dict[str, Any]


class Job(msgspec.Struct, frozen=True):
    """A job that has ended: `seconds` from the submission of its event, requests to OSS by operation."""

    seconds: float
    result: _Done
    operations: Counter[str]
    peak: float  # MB, of its largest invocation
    spent: float  # seconds of computing of all instances that are there

    @property
    def requests(self) -> int:
        return sum(self.operations.values())


def many(quick: bool) -> list[Measured]:
    """Jobs of small objects that are seeded, beside bare oss2 in threads, on one machine in one run.

    Requests of a job count all of it: listings, records, report. Copies by one walker with 32 threads against
    oss2 in 32 threads that send CopyObject alone, the same objects, at 20 ms a request; before each job its
    instance has done a small one. Walkers against one another at 100 ms with 8 threads each, so that latency
    decides and not the cores, with names that are flat, and with one folder that has a thousand times as many
    objects as each of seven others. Listings alone are a second job, which finds everything alike; on one
    core means keys by the seconds of computing of the function's process. Memory is the peak of an
    invocation. `MANY=1000000` copies so many in the first job.
    """
    return [*_whole(quick), *_one_walker(quick), *_walkers(quick), *_listings(quick)]


@contextmanager
def _cloud(threads: int = THREADS) -> Iterator[LocalCloud]:
    # else each object is looked at, whether it is encrypted
    environment = {"MAX_PARALLEL": str(threads), "ALLOWED_OPTIONS": "weaker-encryption"}
    with LocalCloud(variables={"timeout": 600}, environment=environment) as cloud:
        cloud.seed_many(SOURCE, 3, SIZE, prefix="warm/")
        _copied(cloud, "warm/", 3, 1)
        yield cloud


def _copied(cloud: LocalCloud, prefix: str, count: int, walkers: int) -> Job:
    """Copy all under a prefix; RuntimeError unless each of `count` objects ends as copied or skipped."""
    known, before = len(cloud.invocations()), Counter(cloud.requests()["operations"])
    spent = sum(computing(each["pid"]) for each in cloud.instances())
    asked = {
        "source": {"bucket": SOURCE, "prefix": prefix},
        "destination": {"bucket": DESTINATION, "prefix": f"copied/{prefix}"},
        "encryption": "bucket",
        "maxWorkers": walkers,
    }
    begun = time.monotonic()
    cloud.invoke_async(asked)
    cloud.wait_idle(3600)
    seconds = time.monotonic() - begun
    made = cloud.invocations()[known:]
    operations = Counter(cloud.requests()["operations"]) - before
    spent = sum(computing(each["pid"]) for each in cloud.instances()) - spent
    result = _result(cloud, json.loads(made[0]["result"])["job"])
    objects = result["objects"]
    if objects["succeeded"] + objects["skipped"] != count or objects["total"] != count:
        raise RuntimeError(f"{count} objects, of which {objects}: {result['error']}")
    return Job(seconds, result, operations, max(each["peak_memory_mb"] for each in made), spent)


def _result(cloud: LocalCloud, job: str) -> _Done:
    found: _Done = cloud.http("GET", f"/copies/{job}").json()
    return found


def _whole(quick: bool) -> list[Measured]:
    """One job with eight walkers, and a second one that has nothing to copy."""
    count = 5_000 if quick else OBJECTS
    with _cloud() as cloud:
        cloud.seed_many(SOURCE, count, SIZE, prefix="all/")
        first = _copied(cloud, "all/", count, 8)
        second = _copied(cloud, "all/", count, 8)
    ranges = second.result["ranges"]["done"]
    allowed = 2 * -(-count // 1000) + 3 * -(-count // 10_000) + 3 * ranges
    return [
        reach(
            "many-requests",
            f"requests of a job of {count:,} objects, 8 walkers, by 1.01 for each and 50",
            first.requests / (1.01 * count + 50),
        ),
        Figure(
            "requests an object", f"{first.requests / count:.4f}, {first.result['ranges']['done']} ranges"
        ),
        Figure("objects a second, 8 walkers, no latency", f"{count / first.seconds:,.0f} /s"),
        reach("many-again-copies", "copies of a second job", float(second.operations["CopyObject"])),
        reach(
            "many-again-requests",
            f"requests of a second job, {ranges} ranges, by 2 for 1,000 keys, 3 for 10,000 and 3 a range",
            second.requests / allowed,
            f"{second.requests / allowed:.2f}x ({second.requests} of {allowed})",
            "each range has records of its own: its hop, its log, its end",
        ),
        Figure("requests of the second job", _told(second.operations)),
    ]


def _told(operations: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in operations.most_common())


def _one_walker(quick: bool) -> list[Measured]:
    count, runs = (500, 1) if quick else (5_000, 3)
    ours, theirs = [], []
    with _cloud() as cloud:
        cloud.conditions(latency_ms=NEAR)
        for run in range(runs):
            cloud.seed_many(SOURCE, count, SIZE, prefix=f"one{run}/")
            ours.append(_copied(cloud, f"one{run}/", count, 1).seconds)
            theirs.append(_bare(cloud, f"one{run}/", count))
    value = sorted(theirs)[runs // 2] / sorted(ours)[runs // 2]
    return [
        reach("many-peer", f"time of oss2 in 32 threads / ours, {count:,} objects, one walker", value),
        Figure("oss-copy / oss2 in 32 threads", f"{spread(ours)} / {spread(theirs)}"),
    ]


def _bare(cloud: LocalCloud, prefix: str, count: int) -> float:
    """Return the seconds of CopyObject alone, by keys that are known."""
    bucket = cloud.oss_bucket(DESTINATION)
    bucket.session = oss2.Session(pool_size=THREADS)
    names = Names("flat", prefix, count, 0)
    keys = [names[number] for number in range(count)]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: bucket.get_bucket_info(), range(THREADS)))
        begun = time.monotonic()
        list(pool.map(lambda key: bucket.copy_object(SOURCE, key, f"bare/{key}"), keys))
        return time.monotonic() - begun


def _walkers(quick: bool) -> list[Measured]:
    count = 6_000 if quick else 20_000
    seconds: dict[int, Job] = {}
    with _cloud(NARROW) as cloud:
        _instances(cloud)
        cloud.conditions(latency_ms=LATENCY)
        for walkers in WALKERS:
            cloud.seed_many(SOURCE, count, SIZE, prefix=f"w{walkers}/")
            seconds[walkers] = _copied(cloud, f"w{walkers}/", count, walkers)
        for folder, share in enumerate(HOT):
            cloud.seed_many(SOURCE, count * share // sum(HOT), SIZE, prefix=f"hot/{folder}/")
        uneven = sum(count * share // sum(HOT) for share in HOT)
        skewed = _copied(cloud, "hot/", uneven, 8)
    even = seconds[8].seconds / count
    figures: list[Measured] = []
    for walkers in WALKERS[1:]:
        faster = seconds[1].seconds / seconds[walkers].seconds
        what = f"{walkers} walkers against 1, {count:,} objects, {NARROW} threads each"
        figures.append(reach("many-walkers", what, faster) if walkers == 4 else ratio(what, faster, "", True))
    what = "a folder with a thousand times the objects of others, 8 walkers: time an object against even"
    figures.append(reach("many-skew", what, skewed.seconds / uneven / even))
    told = (f"{walkers}: {job.seconds:.1f} s, {_ranges(job)}" for walkers, job in seconds.items())
    figures.append(Figure("walkers", f"{'; '.join(told)}; uneven: {skewed.seconds:.1f} s, {_ranges(skewed)}"))
    return figures


def _ranges(job: Job) -> str:
    return f"{job.result['ranges']['done']} ranges"


def _instances(cloud: LocalCloud) -> None:
    """Start as many instances as there are walkers: cold starts are measured elsewhere."""
    cloud.conditions(latency_ms=LATENCY)
    for each in range(8):
        cloud.seed_many(SOURCE, 50, SIZE, prefix=f"warm{each}/")
        asked = {
            "source": {"bucket": SOURCE, "prefix": f"warm{each}/"},
            "destination": {"bucket": DESTINATION},
        }
        cloud.invoke_async({**asked, "encryption": "bucket"})
    cloud.wait_idle(600)


def _listings(quick: bool) -> list[Measured]:
    few, some, lots = (1_000, 3_000, 5_000) if quick else (10_000, 100_000, 1_000_000)
    jobs = {}
    for count in (few, some, lots):
        with _cloud() as cloud:
            for bucket, prefix in ((SOURCE, "same/"), (DESTINATION, "copied/same/")):
                cloud.seed_many(bucket, count, SIZE, prefix=prefix)
            jobs[count] = _copied(cloud, "same/", count, 1)
    small, middle, large = jobs[few], jobs[some], jobs[lots]
    rate = (lots - few) / (large.spent - small.spent)
    flat = (large.peak / middle.peak - 1) * 100
    return [
        reach("many-keys", f"keys a second on one core, {lots:,} keys that are alike on both sides", rate),
        Figure("the same, as time passes: one walker, server and report", f"{lots / large.seconds:,.0f} /s"),
        reach("many-memory", f"peak memory, {lots:,} keys", large.peak, f"{large.peak:.1f} MB"),
        reach("many-flat", f"peak memory, {lots:,} keys against {some:,}: growth", flat),
        Figure(
            "peak memory by keys", ", ".join(f"{count:,}: {job.peak:.1f} MB" for count, job in jobs.items())
        ),
    ]
