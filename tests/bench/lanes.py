"""One object copied by several lanes, and the hand-over from one hop to the next."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from tests.bench.figures import Figure, Point, point, ratio, reach, spread
from tests.bench.running import PART, THREADS, Run, copy
from tests.cloud.client import LocalCloud
from tests.cloud.request_log import Logged

LATENCY = 0.05  # seconds a request
PART_SECONDS = 0.7  # that OSS copies one part
PARTS = 1792  # 56 rounds of 32 threads
LANES = (1, 2, 4, 8, 16)


def lanes(quick: bool) -> list[Figure | Point]:
    """One large object by 1 to 16 lanes of 32 threads, submitted as an event until its outcome is known.

    Parts of 0.7 s by bandwidth, 50 ms a request. Instances are warm: a copy with all lanes comes first. The
    server, FC and all instances share this machine's cores, so that 16 lanes (512 requests in flight) measure
    the machine more than the lanes.
    """
    parts, runs = (256, 1) if quick else (PARTS, 3)
    seconds: dict[int, list[float]] = {}
    repeated: dict[int, float] = {}
    environment = {"MAX_PARALLEL": str(THREADS), "MAX_LANES": str(max(LANES))}
    with LocalCloud(variables={"timeout": 600}, environment=environment) as cloud:
        _copy(cloud, "warm.bin", 512, max(LANES))
        cloud.conditions(latency_ms=1000 * LATENCY, bandwidth_mb_s=PART / 1e6 / PART_SECONDS)
        for count in LANES:
            made = [_copy(cloud, f"{count}-{n}.bin", parts, count) for n in range(1 if count == 1 else runs)]
            seconds[count] = [each.seconds for each in made]
            repeated[count] = made[-1].operations["UploadPartCopy"] / parts
    alone = statistics.median(seconds[1])
    figures: list[Figure | Point] = []
    for count in LANES[1:]:
        faster = alone / statistics.median(seconds[count])
        what = f"{count} lanes against 1, {parts} parts of {PART_SECONDS} s"
        figures.append(reach("lanes", what, faster) if count == 8 else ratio(what, faster, "", True))
        figures.append(point("lanes", "oss-copy", count, [alone / each for each in seconds[count]]))
    told = (f"{count} lane{'s' * (count > 1)}: {spread(seconds[count])}" for count in LANES)
    figures.append(Figure("seconds", "; ".join(told)))
    twice = ", ".join(f"{count}: {repeated[count]:.3f}" for count in LANES)
    figures.append(Figure("UploadPartCopy requests a part, by lanes", twice))
    return [*figures, *_hand_over(quick)]


def _hand_over(quick: bool) -> list[Figure | Point]:
    """A chain of hops of 10 s, 100 ms a request and parts of 0.3 s; the gap is read from the request log."""
    parts = 640 if quick else 1600
    with LocalCloud(variables={"timeout": 10}, environment={"MAX_PARALLEL": str(THREADS)}) as cloud:
        _copy(cloud, "warm.bin", 64, 1)
        cloud.conditions(latency_ms=100, bandwidth_mb_s=PART / 1e6 / 0.2)
        run = _copy(cloud, "chain.bin", parts, 1)
        gaps = longest_gaps(cloud.log(), "chain.bin", run.result["hops"] - 1)
    what = f"hand-over: seconds without a part in flight, {run.result['hops']} hops"
    return [
        reach("hand-over", what, max(gaps, default=0.0), spread(gaps) if gaps else "none"),
        Figure(
            "hand-over: UploadPartCopy requests a part", f"{run.operations['UploadPartCopy'] / parts:.3f}"
        ),
    ]


def longest_gaps(log: Iterable[Logged], key: str, count: int) -> list[float]:
    """Return the `count` longest times in which no part of `key` was in flight, the longest first."""
    parts = sorted(
        (each.begin, each.end) for each in log if (each.operation, each.key) == ("UploadPartCopy", key)
    )
    gaps, until = [], parts[0][0]
    for begin, end in parts:
        gaps.append(max(0.0, begin - until))
        until = max(until, end)
    return sorted(gaps, reverse=True)[:count]


def _copy(cloud: LocalCloud, key: str, parts: int, count: int) -> Run:
    return copy(cloud, key, parts * PART, lanes=count)
