"""One instance with more and more threads."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.figures import Figure, Measured, point, reach
from tests.bench.running import PART, copy, warm_cloud
from tests.cloud import rounds

R, T = 0.05, 0.7  # seconds of a request, and of a part by latency and bandwidth
ROUNDS = 7
WIDE, USUAL = 256, 32


def threads(quick: bool) -> Sequence[Measured]:
    """Parts a second of one instance with 1 to 256 threads: a request takes 50 ms, a part 0.7 s by bandwidth.

    One copy each, of as many parts as keep all threads busy for seven rounds; 32 and 256 threads copy the
    same 1,792 parts. MAX_PARALLEL is set, and the request asks for as many threads. Time counts from the
    submission to the end of the invocation; the floor is `parts / (8*r + rounds*t)`.
    """
    figures: list[Measured] = []
    points: list[Measured] = []
    seconds = {}
    for count in (1, 32) if quick else (1, 8, USUAL, 64, 128, WIDE):
        parts = _parts(count, quick)
        with warm_cloud(600, count) as cloud:
            cloud.conditions(latency_ms=R * 1000, bandwidth_mb_s=PART / 1e6 / (T - R))
            run = copy(cloud, "wide.bin", parts * PART, parallel=count, lanes=1)
        seconds[count] = run.seconds
        least = rounds.floor(8, R, parts, count, T)
        points += [
            point("threads", "oss-copy", count, [parts / run.seconds]),
            point("threads", "floor", count, [parts / least]),
        ]
        figures.append(
            Figure(
                f"{count} threads, {parts:,} parts",
                f"{parts / run.seconds:.1f} parts a second, {run.seconds / least:.2f}x the floor",
            )
        )
    if not quick:
        faster = seconds[USUAL] / seconds[WIDE]
        what = f"{WIDE} threads against {USUAL}, {_parts(WIDE, quick):,} parts"
        figures.insert(0, reach("width", what, faster, note="each of 256 parts in flight costs CPU too"))
    return [*figures, *points]


def _parts(threads: int, quick: bool) -> int:
    if quick:
        return 2 * threads
    return ROUNDS * (WIDE if threads == USUAL else threads)
