"""Large objects through the real handler: against the floor, a plain loop and the official copier."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import oss2

from tests.bench.figures import Figure, ratio, spread
from tests.bench.running import DESTINATION, PART, SOURCE, THREADS, WARM, Run, copy, warm_cloud
from tests.cloud.client import ROOT, LocalCloud

COPIER = ROOT / ".venvs/bench/bin/python"  # made by `make bench`

# The serial requests that the order of effects makes mandatory, each with what is asked beside it: those of
# the whole copy, and those every further hop begins with. `tests/flow/test_rounds.py` holds them.
SERIAL = (
    "HeadObject of the source; beside it GetObject open/ and the source's tags",
    "PutObject open/; beside it GetObject done/ and HeadObject of the destination",
    "InitiateMultipartUpload",
    "PutObject up/; beside the first parts GetObject done/ and cancel/",
    "ListParts, all pages; beside them HeadObject of the source, GetObject done/ and cancel/",
    "CompleteMultipartUpload",
    "HeadObject of the destination",
    "PutObject done/",
)
SERIAL_OF_A_HOP = ("ListParts, all pages; beside them the generation, GetObject up/, done/ and cancel/",)


def floor(quick: bool) -> list[Figure]:
    """One large object, submitted as an asynchronous event to a warm instance, until the last hop has ended.

    The floor is `m*r + ceil(n/k)*t`: n parts, k threads, r = t = the injected latency of 100 ms (320
    requests a second at most), m the mandatory serial requests: SERIAL, and one at the start of each further
    hop. The hand-over `a` is not in the floor:
    starting threads, signing, an instance's cold start when a hop begins before the previous one has ended,
    and the FC host itself all count against us. The chain is the same copy in invocations of 10 s.
    """
    figures: list[Figure] = []
    for name, timeout, parts in (("one hop", 600, 1920), ("a chain", 10, 5120)):
        with warm_cloud(timeout) as cloud:
            cloud.conditions(latency_ms=100)
            runs = [
                copy(cloud, f"{i}.bin", (320 if quick else parts) * PART) for i in range(1 if quick else 3)
            ]
        least = [_floor(run, 0.1) for run in runs]
        middle = statistics.median(run.seconds / at_least for run, at_least in zip(runs, least, strict=True))
        last = runs[-1]
        state = (
            f"n={last.result['parts']}, k={THREADS}, hops={last.result['hops']}, m={_serial(last)}, t=r=0.1 s"
        )
        figures += [
            ratio(f"{name}: time against the floor", middle, "<= 1.10", middle <= 1.10),
            Figure(f"{name}: {state}", f"{spread([run.seconds for run in runs])}, floor {least[-1]:.2f} s"),
            *_cost(name, last),
        ]
        if last.result["hops"] > 1:
            over = (last.seconds - least[-1]) / (last.result["hops"] - 1)
            figures.append(Figure(f"{name}: time over the floor for each hand-over", f"{over:.2f} s"))
    return figures


def _floor(run: Run, latency: float) -> float:
    rounds: int = -(-run.result["parts"] // THREADS)
    return (_serial(run) + rounds) * latency


def _serial(run: Run) -> int:
    hops: int = run.result["hops"]
    return len(SERIAL) + (hops - 1) * len(SERIAL_OF_A_HOP)


def _cost(name: str, run: Run) -> list[Figure]:
    """Requests and connections, as the OSS server counted them."""
    parts, hops = run.result["parts"], run.result["hops"]
    listings = run.operations.get("ListParts", 0)
    made, most = sum(run.operations.values()), parts + 12 + 4 * hops + listings
    opened = max(run.connections)
    return [
        Figure(
            f"{name}: requests, {parts} parts in {hops} hops, {listings} listings",
            f"{made} (n + listings + {made - parts - listings})",
            f"<= {most} (n + listings + 12 + 4h)",
            made <= most,
        ),
        Figure(f"{name}: connections a hop opened", f"{opened}", f"<= {THREADS + 2}", opened <= THREADS + 2),
    ]


def sequential(quick: bool) -> list[Figure]:
    """Against the documentation's loop: oss2's `upload_part_copy`, one part after another, then Complete.

    Same server, same object, same parts, 50 ms a request. The loop runs in this process and pays for no
    invocation; ours is submitted as an event and counts until its invocation has ended. The loop verifies
    nothing. It opens a new connection for each part, since oss2 leaves the answers unread: on loopback that
    costs next to nothing, with TLS it would.
    """
    parts = 160 if quick else 1600
    with warm_cloud(600) as cloud:
        cloud.conditions(latency_ms=50)
        ours = [copy(cloud, f"{i}.bin", parts * PART).seconds for i in range(1 if quick else 3)]
        begun = time.monotonic()
        _loop(cloud.oss_bucket(DESTINATION), "0.bin")
        loop = time.monotonic() - begun
    faster = loop / statistics.median(ours)
    return [
        ratio(f"faster than the loop, {parts} parts, {THREADS} threads", faster, ">= 20x", faster >= 20),
        Figure("oss-copy", spread(ours)),
        Figure("the loop", spread([loop])),
    ]


def _loop(bucket: Any, key: str) -> None:
    """As the documentation has it, between buckets."""
    source = oss2.Bucket(bucket.auth, bucket.endpoint, SOURCE, region=bucket.region)
    size = source.head_object(key).content_length
    upload_id = bucket.init_multipart_upload(key).upload_id
    parts = []
    for number, offset in enumerate(range(0, size, PART), start=1):
        byte_range = (offset, min(offset + PART, size) - 1)
        answer = bucket.upload_part_copy(SOURCE, key, byte_range, key, upload_id, number)
        parts.append(oss2.models.PartInfo(number, answer.etag))
    bucket.complete_multipart_upload(key, upload_id, parts)


def copier(quick: bool) -> list[Figure]:
    """Against the Copier of alibabacloud-oss-v2 1.4.1, the official SDK's own way to copy a large object.

    Same server, same object, same parts, 50 ms a request, runs of both in turn. The Copier runs in a process
    of its own that has imported and built everything and has copied once before the clock starts; ours counts
    the invocation too. At the same parallelism it is given as many connections as threads (its default of 20
    would cost it reconnections). It neither lists the parts nor looks at source and destination afterwards:
    those serial requests of ours weigh less the more parts there are.
    """
    if not COPIER.exists():
        return [Figure("not measured: `make bench` installs the SDK", "", "", False)]
    figures = []
    with warm_cloud(600) as cloud:
        cloud.conditions(latency_ms=50)
        for parts in (320,) if quick else (1000, 3200):
            runs, theirs, others = [], [], 0
            for i in range(1 if quick else 3):
                key = f"{parts}-{i}.bin"
                runs.append(copy(cloud, key, parts * PART))
                before = sum(cloud.requests()["operations"].values())
                theirs.append(_copier(cloud, key, THREADS))
                others = (
                    sum(cloud.requests()["operations"].values()) - before - parts - 2
                )  # that warmed it up
            own = _serial(runs[-1])
            rounds = -(-parts // THREADS)
            figures += _against(f"both {THREADS} threads, {parts} parts", runs, theirs, 0.95)
            figures.append(
                Figure(
                    f"serial requests beside the {rounds} rounds of {parts} parts, oss-copy / Copier",
                    f"{own} / {others}: leaves {(rounds + others) / (rounds + own):.2f}x at most",
                )
            )
            if parts <= 1000:
                slow = [_copier(cloud, f"{parts}-0.bin", None)]
                figures += _against(f"its defaults (3 threads), {parts} parts", runs, slow, 5.0)
    return figures


def _against(how: str, ours: Sequence[Run], theirs: Sequence[float], target: float) -> list[Figure]:
    seconds = [run.seconds for run in ours]
    value = statistics.median(theirs) / statistics.median(seconds)
    note = "" if value >= target else "the requests that prove the copy: see what they leave"
    return [
        ratio(f"its time / ours, {how}", value, f">= {target:g}x", value >= target, note),
        Figure(f"oss-copy / Copier, {how}", f"{spread(seconds)} / {spread(theirs)}"),
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
    done = subprocess.run([COPIER, script, json.dumps(order)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the Copier failed:\n{done.stderr}")
    return float(done.stdout)
