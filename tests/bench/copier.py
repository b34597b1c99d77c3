"""Large objects beside the Copier of the official SDK, which copies in parts too."""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.bench.figures import Figure, Measured, point, reach, spread
from tests.bench.running import DESTINATION, PART, SOURCE, THREADS, WARM, Run, copy, warm_cloud
from tests.cloud import rounds
from tests.cloud.client import ROOT, LocalCloud

PEERS = ROOT / ".venvs/bench/bin/python"  # made by `make bench`
MISSING = "not measured: `make bench` installs the SDK"
BEHIND = "the requests that prove the copy: see what they leave"
T = 0.5  # seconds of a part by bandwidth


class Race(msgspec.Struct, frozen=True):
    """Runs of both in turn: ours, theirs in seconds; rounds of theirs that were not for parts; its parts."""

    parts: int
    ours: Sequence[Run]
    theirs: Sequence[float]
    beside: int = 0
    peer_parts: int = 0

    @property
    def seconds(self) -> list[float]:
        return [run.seconds for run in self.ours]

    @property
    def ratio(self) -> float:
        return statistics.median(self.theirs) / statistics.median(self.seconds)


def copier(quick: bool) -> list[Figure]:
    """Against the Copier of alibabacloud-oss-v2 1.4.1, the official SDK's own way to copy a large object.

    Same server, same object, same parts, runs of both in turn; 100 ms a request unless said otherwise. The
    Copier runs in a process of its own that has imported and built everything and has copied once before the
    clock starts; ours counts the invocation too. At the same parallelism it is given as many connections as
    threads (its default of 20 would cost it reconnections), and ours has one lane. The Copier neither lists
    the parts nor looks at source and destination afterwards: those serial requests of ours weigh less the
    more parts there are. By bandwidth a part takes 0.5 s, and every request 20 ms, which is near what OSS
    does. As shipped, the Copier has its 3 threads, and oss-copy the settings of `s.yaml`.
    """
    if not PEERS.exists():
        return [Figure(MISSING, "", "", False)]
    repeats = 1 if quick else 3
    if quick:
        with warm_cloud(600) as cloud:
            cloud.conditions(latency_ms=100)
            return _equal("copier-1000-100", race(cloud, "quick", 320, repeats))
    figures = []
    with warm_cloud(600) as cloud:
        cloud.conditions(latency_ms=100)
        figures += _equal("copier-1000-100", race(cloud, "slow", 1000, repeats))
        figures += _equal("copier-3200-100", race(cloud, "slow", 3200, repeats))
        cloud.conditions(latency_ms=50)
        at_50 = race(cloud, "fast", 1000, repeats)
        figures += _against("copier-1000-50", "at 50 ms a request, 32 threads each and 1000 parts", at_50)
        cloud.conditions(latency_ms=20, bandwidth_mb_s=PART / 1e6 / T)
        near = race(cloud, "near", 224, repeats)
        figures += _against(
            "copier-bandwidth", "at 20 ms and parts of 0.5 s, 32 threads each and 224 parts", near
        )
    with warm_cloud(600, threads=None) as cloud:
        cloud.conditions(latency_ms=50)
        shipped = race(cloud, "shipped", 1000, repeats, parallel=None, peers=1)
    return figures + _against("copier-shipped", "its defaults (3 threads), 1000 parts", shipped)


def parts(quick: bool) -> Sequence[Measured]:
    """Time of a copy against its number of parts, oss-copy and the Copier in turn, 32 threads each.

    As in `copier`, with 50 ms a request. The floor is the one of oss-copy: see `floor`, with m = 8. Where the
    Copier makes its parts larger than it was asked to, that is said: then the times are not of equal work.
    """
    if not PEERS.exists():
        return [Figure(MISSING, "", "", False)]
    figures: list[Measured] = []
    points: list[Measured] = []
    with warm_cloud(600) as cloud:
        cloud.conditions(latency_ms=50)
        for count in (64, 200) if quick else (200, 1000, 3200, 10_000):
            found = race(cloud, "parts", count, 1 if quick or count > 1000 else 3)
            theirs = [point("parts", "Copier", count, found.theirs)]
            points += [point("parts", "oss-copy", count, found.seconds), *theirs]
            points += [
                point("parts", "floor of oss-copy", count, [rounds.floor(8, 0.05, count, THREADS, 0.05)])
            ]
            theirs_made = "" if found.peer_parts == count else f" of {found.peer_parts:,} larger parts"
            figures.append(
                Figure(
                    f"{count:,} parts: oss-copy / Copier",
                    f"{spread(found.seconds)} / {spread(found.theirs)}{theirs_made}: {found.ratio:.2f}x",
                )
            )
    return [*figures, *points]


def race(
    cloud: LocalCloud,
    name: str,
    parts: int,
    repeats: int,
    parallel: int | None = THREADS,
    peers: int | None = None,
) -> Race:
    """Copy objects of so many parts by both, in turn; the peer only `peers` times, if that is said."""
    ours, theirs, beside, copied = [], [], 0, 0
    for i in range(repeats):
        key = f"{name}-{parts}-{i}.bin"
        ours.append(copy(cloud, key, parts * PART, lanes=1 if parallel else None))
        if i < (repeats if peers is None else peers):
            known = cloud.requests()["logged"]
            theirs.append(_copier(cloud, key, parallel))
            log = [each for each in cloud.log(known) if each.key == key]
            beside = rounds.serial(log).beside_parts
            copied = sum(each.operation == rounds.PART for each in log)
    return Race(parts, ours, theirs, beside, copied)


def _equal(goal: str, found: Race) -> list[Figure]:
    """The rows of a race at equal parallelism. Other checks read the first: its wording stays."""
    own = rounds.serial(found.ours[-1].log[0])
    least = -(-found.parts // THREADS)
    return [
        *_against(goal, f"both {THREADS} threads, {found.parts} parts", found),
        Figure(
            f"serial rounds beside the {least} of {found.parts} parts, oss-copy / Copier",
            f"{own.beside_parts} / {found.beside}: leaves "
            f"{(least + found.beside) / (least + own.beside_parts):.2f}x at most",
        ),
    ]


def _against(goal: str, how: str, found: Race) -> list[Figure]:
    return [
        reach(goal, f"its time / ours, {how}", found.ratio, note=BEHIND),
        Figure(f"oss-copy / Copier, {how}", f"{spread(found.seconds)} / {spread(found.theirs)}"),
    ]


def _copier(cloud: LocalCloud, key: str, parallel: int | None) -> float:
    """Seconds that one copy takes it."""
    order = {
        "endpoint": cloud.oss,
        "region": cloud.region,
        "access_key_id": cloud.owner.access_key_id,
        "access_key_secret": cloud.owner.access_key_secret,
        "source": SOURCE,
        "destination": DESTINATION,
        "key": key,
        "warm": WARM,
        "part_size": PART,
        "parallel": parallel,
    }
    script = Path(__file__).with_name("peer.py")
    done = subprocess.run([PEERS, script, json.dumps(order)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the Copier failed:\n{done.stderr}")
    return float(done.stdout)
