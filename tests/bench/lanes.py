"""One object copied by several lanes, and the hand-over from one hop to the next."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from typing import Any

from tests.bench.figures import Figure, ratio, spread
from tests.bench.running import DESTINATION, PART, SOURCE, THREADS, Run, measured
from tests.cloud.client import LocalCloud

LATENCY = 0.05  # seconds a request
PART_SECONDS = 0.7  # that OSS copies one part
PARTS = 1792  # 56 rounds of 32 threads
LANES = (1, 2, 4, 8, 16)
TARGET = 7.4  # times as fast with 8 lanes
GAP = 0.3  # seconds without a part in flight


def lanes(quick: bool) -> list[Figure]:
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
    figures = []
    for count in LANES[1:]:
        faster = alone / statistics.median(seconds[count])
        target, good = (f">= {TARGET}x", faster >= TARGET) if count == 8 else ("", True)
        figures.append(
            ratio(f"{count} lanes against 1, {parts} parts of {PART_SECONDS} s", faster, target, good)
        )
    told = (f"{count} lane{'s' * (count > 1)}: {spread(seconds[count])}" for count in LANES)
    figures.append(Figure("seconds", "; ".join(told)))
    twice = ", ".join(f"{count}: {repeated[count]:.3f}" for count in LANES)
    figures.append(Figure("UploadPartCopy requests a part, by lanes", twice))
    return [*figures, *_hand_over(quick)]


def _hand_over(quick: bool) -> list[Figure]:
    """A chain of hops of 10 s, 100 ms a request and parts of 0.3 s; the gap is read from the request log."""
    parts = 640 if quick else 1600
    with LocalCloud(variables={"timeout": 10}, environment={"MAX_PARALLEL": str(THREADS)}) as cloud:
        _copy(cloud, "warm.bin", 64, 1)
        cloud.conditions(latency_ms=100, bandwidth_mb_s=PART / 1e6 / 0.2)
        run = _copy(cloud, "chain.bin", parts, 1)
        gaps = longest_gaps(cloud.request_log(), "chain.bin", run.result["hops"] - 1)
    worst = max(gaps, default=0.0)
    return [
        Figure(
            f"hand-over: seconds without a part in flight, {run.result['hops']} hops",
            spread(gaps) if gaps else "none",
            f"<= {GAP} s",
            worst <= GAP,
        ),
        Figure(
            "hand-over: UploadPartCopy requests a part", f"{run.operations['UploadPartCopy'] / parts:.3f}"
        ),
    ]


def longest_gaps(log: Iterable[Mapping[str, Any]], key: str, count: int) -> list[float]:
    """Return the `count` longest times in which no part of `key` was in flight, the longest first."""
    parts = sorted(
        (each["begin"], each["end"])
        for each in log
        if (each["operation"], each["key"]) == ("UploadPartCopy", key)
    )
    gaps, until = [], parts[0][0]
    for begin, end in parts:
        gaps.append(max(0.0, begin - until))
        until = max(until, end)
    return sorted(gaps, reverse=True)[:count]


def _copy(cloud: LocalCloud, key: str, parts: int, count: int) -> Run:
    cloud.seed(SOURCE, key, parts * PART)
    source, destination = {"bucket": SOURCE, "key": key}, {"bucket": DESTINATION}
    tuning = {"partSize": PART, "method": "multipart", "lanes": count}
    return measured(cloud, {"source": source, "destination": destination, "tuning": tuning})
