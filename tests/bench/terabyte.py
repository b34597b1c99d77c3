"""An object of 1 TB in eight lanes, while one request in a hundred fails."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.bench.figures import Figure, Measured, point, spread
from tests.bench.running import DESTINATION, SOURCE, THREADS, copy, warm_cloud
from tests.cloud import rounds
from tests.cloud.client import LocalCloud
from tests.cloud.request_log import Logged

SIZE = 10**12  # bytes
PART_SIZE = 128 << 20  # bytes: 7,451 parts
LANES = 8
R, T = 0.05, 0.55  # seconds of a request, and of a part by latency and bandwidth
KEY = "terabyte.bin"
OPERATIONS = (
    "HeadObject",
    "GetObject",
    "PutObject",
    "InitiateMultipartUpload",
    "UploadPartCopy",
    "ListParts",
    "CompleteMultipartUpload",
)
POINTS = 60  # of the plot


def terabyte(quick: bool) -> Sequence[Measured]:
    """A seeded object of 1 TB in parts of 128 MiB, eight lanes of 32 threads, 1 % of all requests failing.

    Of the requests 0.5 % are answered 500, of 0.25 % the connection closes before and of 0.25 % after the
    effect. A request takes 50 ms, a part 0.55 s by bandwidth. The floor is that of an undisturbed copy:
    `8*r + ceil(n / (32*8))*t`. The copy is compared with its source afterwards: size and CRC64, and nothing
    may be left behind. All eight instances, the server and this program share the machine's cores.
    """
    size = SIZE // 50 if quick else SIZE
    with warm_cloud(600) as cloud:
        cloud.conditions(_faults(), latency_ms=R * 1000, bandwidth_mb_s=PART_SIZE / 1e6 / (T - R), seed=1)
        known, begun = cloud.requests()["logged"], time.time()
        run = copy(cloud, KEY, size, PART_SIZE, lanes=LANES)
        struck, log = cloud.struck(), cloud.log(known)
        cloud.conditions()
        exact, left = _is_exact(cloud, size), _left(cloud)
    parts = run.result["parts"]
    least = rounds.floor(8, R, parts, THREADS * LANES, T)
    asked = run.operations["UploadPartCopy"]
    over = run.seconds / least
    return [
        Figure("size and CRC64 of the copy", exact, "equal", exact == "equal"),
        Figure("uploads left behind", f"{left}", "0", left == 0),
        Figure(
            f"time against the floor, {parts:,} parts, {LANES} lanes asked for, {run.result['lanes']} used",
            f"{over:.2f}x",
        ),
        Figure("time, and the floor", f"{spread([run.seconds])}, floor {least:.1f} s"),
        Figure("UploadPartCopy a part", f"{asked / parts:.3f}", "<= 1.3", asked / parts <= 1.3),
        Figure("requests that failed", f"{struck} of {sum(run.operations.values()):,}"),
        Figure("invocations, instances", f"{len(run.log)}, {len({each.access_key_id for each in log})}"),
        *progress(log, begun, parts, least),
    ]


def _faults() -> list[Mapping[str, object]]:
    """Three ways to fail for each operation; later ones strike what earlier ones have passed."""
    return [
        {"operation": operation, "probability": probability, **how}
        for operation in OPERATIONS
        for probability, how in (
            (0.005, {"error": "InternalError"}),
            (0.0025, {"answer": "reset"}),
            (0.0025, {"answer": "lost"}),
        )
    ]


def _is_exact(cloud: LocalCloud, size: int) -> str:
    """Judge the copy by what OSS tells of both objects."""
    source, copied = (_told(cloud.oss_bucket(name).head_object(KEY)) for name in (SOURCE, DESTINATION))
    return "equal" if source == copied == (size, source[1]) else f"{source} and {copied}"


def _told(head: Any) -> tuple[int, str]:
    return head.content_length, head.headers["x-oss-hash-crc64ecma"]


def _left(cloud: LocalCloud) -> int:
    return len(cloud.oss_bucket(DESTINATION).list_multipart_uploads().upload_list)


def progress(log: Sequence[Logged], begun: float, parts: int, least: float) -> list[Measured]:
    """Points of the plot: how many parts were there when; a part counts when it was first answered 200."""
    first: dict[int, float] = {}
    for each in sorted(log, key=lambda one: one.end):
        if each.operation == rounds.PART and each.status == 200:
            first.setdefault(each.part, each.end - begun)
    ends = sorted(first.values())
    shown = sorted({len(ends) * i // POINTS for i in range(1, POINTS + 1)} - {0})
    return [
        point("terabyte", "oss-copy", 0, [0]),
        *(point("terabyte", "oss-copy", round(ends[count - 1], 3), [count]) for count in shown),
        point("terabyte", "floor", 0, [0]),
        point("terabyte", "floor", least, [parts]),
    ]
