"""How much is asked of OSS at once: many small copies, parts that stall, and throttling."""

from __future__ import annotations

import contextlib
import json
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import oss2

from tests.bench.figures import Figure, reach, spread
from tests.bench.running import DESTINATION, PART, SOURCE, THREADS, Run, copy, warm_cloud
from tests.cloud.client import LocalCloud


def lists(quick: bool) -> list[Figure]:
    """A list of small copies in one event, against bare oss2 in 32 threads that sends the same requests.

    Same server, same objects, 50 ms a request, runs of both in turn. The threads run in this process, whose
    connections are open before the clock starts; they judge nothing that they are answered. Ours counts from
    the submission of the event to the end of its invocation, with the default number of threads.
    """
    count = 200 if quick else 1000
    ours, theirs = [], []
    with warm_cloud(600, None) as cloud:
        keys = [f"s/{number}" for number in range(count)]
        for key in keys:
            cloud.seed(SOURCE, key, 1000)
        cloud.conditions(latency_ms=50)
        for _ in range(1 if quick else 3):
            seconds, operations = _list(cloud, keys)
            ours.append(seconds)
            theirs.append(_bare(cloud, keys, operations))
    value = statistics.median(theirs) / statistics.median(ours)
    sent = ", ".join(f"{number} {name}" for name, number in sorted(operations.items()))
    return [
        reach("list", f"its time / ours, {count} small copies", value),
        Figure("oss-copy / oss2 in 32 threads", f"{spread(ours)} / {spread(theirs)}"),
        Figure("requests of a run", sent),
        Figure("copies a second", f"{count / statistics.median(ours):.0f}"),
    ]


def _list(cloud: LocalCloud, keys: list[str]) -> tuple[float, dict[str, int]]:
    """Copy all of them by one event; return the seconds it took, and the requests by operation."""
    known, before = len(cloud.invocations()), cloud.requests()["operations"]
    asked = [
        {"source": {"bucket": SOURCE, "key": key}, "destination": {"bucket": DESTINATION}} for key in keys
    ]
    cloud.invoke_async(json.dumps(asked, separators=(",", ":")).encode())
    cloud.wait_idle(600)
    after, made = cloud.requests()["operations"], cloud.invocations()[known:]
    results = [each for one in made for each in json.loads(one["result"] or "{}").get("results", [])]
    succeeded = sum(1 for each in results if each["status"] == "succeeded")
    if succeeded != len(keys):
        raise RuntimeError(f"{succeeded} of {len(keys)} copies succeeded: {made[-1]['error'] or results[:1]}")
    operations = {name: number - before.get(name, 0) for name, number in after.items()}
    return made[-1]["end"] - made[0]["submitted"], {name: n for name, n in operations.items() if n}


def _bare(cloud: LocalCloud, keys: list[str], operations: dict[str, int]) -> float:
    """Send as many requests of each kind, those of a key one after another; return the seconds."""
    bucket = cloud.oss_bucket(DESTINATION)
    bucket.session = oss2.Session(pool_size=THREADS)
    state = oss2.Bucket(
        bucket.auth, bucket.endpoint, "oss-copy-state", session=bucket.session, region=bucket.region
    )
    source = oss2.Bucket(bucket.auth, bucket.endpoint, SOURCE, session=bucket.session, region=bucket.region)
    known: dict[str, Callable[[str], Any]] = {
        "HeadObject": source.head_object,
        "CopyObject": lambda key: bucket.copy_object(SOURCE, key, key),
        "GetObject": lambda key: _record(state, key),
        "GetObjectTagging": source.get_object_tagging,
    }
    each = [known[name] for name, number in operations.items() for _ in range(round(number / len(keys)))]

    def send(key: str) -> None:
        for request in each:
            request(key)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(source.head_object, keys[:THREADS]))
        begun = time.monotonic()
        list(pool.map(send, keys))
        return time.monotonic() - begun


def _record(state: Any, key: str) -> None:
    """Ask for a record that is not there."""
    with contextlib.suppress(oss2.exceptions.NoSuchKey):
        state.get_object(f"oss-copy/open/{key}").read()


def tail(quick: bool) -> list[Figure]:
    """One part in a thousand gets no answer at all, against none, 32 threads, 100 ms a request.

    A part that nobody asks for again would hold the copy up until its answer is not waited for any longer,
    half a minute. Runs of both in turn, on one warm instance.
    """
    parts, stalls = (2000 if quick else 10_000), {"operation": "UploadPartCopy", "answer": "stall"}
    calm, stalled, again = [], [], 0
    with warm_cloud(600) as cloud:
        for i in range(1 if quick else 3):
            cloud.conditions(latency_ms=100)
            calm.append(copy(cloud, f"c{i}", parts * PART).seconds)
            cloud.conditions([{**stalls, "probability": 0.001}], latency_ms=100, seed=i + 1)
            run = copy(cloud, f"t{i}", parts * PART)
            stalled.append(run.seconds)
            again = max(again, run.operations["UploadPartCopy"] - parts)
            struck = cloud.struck()
    value, share = statistics.median(stalled) / statistics.median(calm), again / parts
    return [
        reach("tail", f"one part in a thousand stalls, {parts} parts: time against none", value),
        reach("tail-twice", "parts asked for twice", 100 * share, f"{again} ({share:.2%})"),
        Figure(
            "with stalls / without", f"{spread(stalled)} / {spread(calm)}; {struck} stalls in the last run"
        ),
    ]


def throttle(quick: bool) -> list[Figure]:
    """OSS takes so many requests a second, a tenth of them at once, and refuses what is more; one lane.

    50 ms a request; the function may use 128 threads. Goodput is parts of the object by the seconds of the
    whole copy: what is asked before the first part and after the last one counts against it.
    """
    figures = []
    for rate in (200,) if quick else (200, 500):
        parts = rate * (12 if quick else 20)
        with warm_cloud(600, 128) as cloud:
            cloud.conditions(latency_ms=50, requests_s=rate)
            before = _refused(cloud)
            run = copy(cloud, "throttled", min(parts, 10_000) * PART)
            refused = _refused(cloud) - before
        figures += _throttled(rate, run, refused)
    return figures


def _throttled(rate: int, run: Run, refused: int) -> list[Figure]:
    parts = run.result["parts"]
    goodput = parts / run.seconds / rate
    made = sum(run.operations.values())
    share = refused / made
    return [
        reach("throttled", f"goodput against {rate} requests/s, {parts} parts", goodput),
        reach("refused", f"refused of {made} requests, {rate} requests/s", 100 * share, f"{share:.2%}"),
    ]


def _refused(cloud: LocalCloud) -> int:
    return int(cloud.requests()["errors"].get("TotalQpsLimitExceeded", 0))
