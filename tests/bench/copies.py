"""Large objects through the real handler: against the floor and a plain loop."""

from __future__ import annotations

import statistics
import time
from typing import Any

import oss2

from tests.bench.figures import Figure, ratio, reach, spread
from tests.bench.running import DESTINATION, PART, SOURCE, THREADS, Run, copy, warm_cloud
from tests.cloud import rounds

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

    The floor is `m*r + ceil(n/k)*t`: n parts, k threads, one lane, r = t = the injected latency of 100 ms
    (320 requests a second at most), m the mandatory serial requests: SERIAL, and one at the start of each
    further hop. The log of the OSS server tells how many rounds were really made. The hand-over `a` is not in
    the floor: starting threads, signing, an instance's cold start when a hop begins before the previous one
    has ended, and the FC host itself all count against us. The chain is the same copy in invocations of 10 s.
    """
    figures: list[Figure] = []
    for name, timeout, parts, repeats in (("one hop", 600, 1920, 3), ("a chain", 10, 5120, 2)):
        with warm_cloud(timeout) as cloud:
            cloud.conditions(latency_ms=100)
            size = (320 if quick else parts) * PART
            runs = [copy(cloud, f"{i}.bin", size, lanes=1) for i in range(1 if quick else repeats)]
        least = [_floor(run, 0.1) for run in runs]
        middle = statistics.median(run.seconds / at_least for run, at_least in zip(runs, least, strict=True))
        last = runs[-1]
        state = (
            f"n={last.result['parts']}, k={THREADS}, hops={last.result['hops']}, m={_serial(last)}, t=r=0.1 s"
        )
        against = f"{name}: time against the floor"
        figures += [
            reach("floor", against, middle)
            if name == "one hop"
            else ratio(against, middle, "<= 1.10", middle <= 1.10),
            Figure(f"{name}: {state}", f"{spread([run.seconds for run in runs])}, floor {least[-1]:.2f} s"),
            _counted(name, last),
            *_cost(name, last),
        ]
        if last.result["hops"] > 1:
            over = (last.seconds - least[-1]) / (last.result["hops"] - 1)
            figures.append(Figure(f"{name}: time over the floor for each hand-over", f"{over:.2f} s"))
    return figures


def _floor(run: Run, latency: float) -> float:
    return rounds.floor(_serial(run), latency, run.result["parts"], THREADS, latency)


def _serial(run: Run) -> int:
    hops: int = run.result["hops"]
    return len(SERIAL) + (hops - 1) * len(SERIAL_OF_A_HOP)


def _counted(name: str, run: Run) -> Figure:
    """The m of the floor beside the serial rounds in the server's log: neither may be the larger one."""
    *earlier, last = run.log
    made = sum(len(rounds.rounds(rounds.before_parts(each))) for each in run.log)
    made += len(rounds.rounds(rounds.after_parts(last)))
    whole = rounds.serial(run.log[0])
    formula = _serial(run)
    beside = "" if earlier else f": {whole.before} before the parts, {whole.after} after them"
    return Figure(
        f"{name}: serial rounds beside the parts in the server's log",
        f"{made}{beside}",
        f"= {formula}, the m of the floor",
        made == formula,
        "" if made == formula else "SERIAL does not say what the copy does",
    )


def _cost(name: str, run: Run) -> list[Figure]:
    """Requests and connections, as the OSS server counted them."""
    parts, hops = run.result["parts"], run.result["hops"]
    listings = run.operations.get("ListParts", 0)
    made, most = sum(run.operations.values()), parts + 12 + 5 * hops + listings
    opened = max(run.connections)
    return [
        Figure(
            f"{name}: requests, {parts} parts in {hops} hops, {listings} listings",
            f"{made} (n + listings + {made - parts - listings})",
            f"<= {most} (n + listings + 12 + 5h)",
            made <= most,
        ),
        reach(
            "connections",
            f"{name}: connections a hop opened beside its {THREADS} threads' own",
            max(0, opened - THREADS),
            f"{max(0, opened - THREADS)} ({opened})",
        ),
    ]


def sequential(quick: bool) -> list[Figure]:
    """Against the documentation's loop: oss2's `upload_part_copy`, one part after another, then Complete.

    Same server, same object, same parts, 50 ms a request. The loop runs in this process and pays for no
    invocation; ours is submitted as an event and counts until its invocation has ended. The loop verifies
    nothing. It opens a new connection for each part, since oss2 leaves the answers unread: on loopback that
    costs next to nothing, with TLS it would.
    """
    parts = 160 if quick else 960
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
