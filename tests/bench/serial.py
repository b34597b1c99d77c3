"""Serial requests of copies, counted from the OSS server's log."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.figures import Figure, reach
from tests.bench.running import DESTINATION, PART, SOURCE, Run, copy, warm_cloud, watched
from tests.cloud.client import LocalCloud
from tests.cloud.request_log import Logged
from tests.cloud.rounds import PART as PART_COPY, after_parts, before_parts, path, rounds

STATE = "oss-copy/"  # of `s.yaml`: where records lie in the state bucket
Log = Sequence[Logged]


def serial(quick: bool) -> list[Figure]:
    """How often a copy waits for an answer before it asks on, from the log of the OSS server.

    Every request takes 100 ms. A request belongs to the round after the last one of which an answer had come
    when it was asked (`tests/cloud/rounds.py`); ∥ joins what was asked together, → the rounds. Small copies
    have 1 KiB, copies in parts 1,100 parts (two pages of ListParts), 32 threads. The chain has two hops.
    """
    parts, long = (64, 0) if quick else (1100, 2800)
    with warm_cloud(10) as cloud:
        cloud.conditions(latency_ms=100)
        direct = copy(cloud, "direct.bin", parts * PART, lanes=1).log[0]
        figures = [
            *_counted(
                "before-parts", "a copy in parts, directly, before the first part", before_parts(direct)
            ),
            *_counted("after-parts", "a copy in parts, directly, after the last part", after_parts(direct)),
            *_counted("before-parts-http", "a copy behind HTTP, before the first part", _http(cloud, parts)),
        ]
        if long:
            hops = copy(cloud, "chain.bin", long * PART, lanes=1).log[1:]
            before = before_parts(next(each for each in hops if _has_parts(each)))
            figures += _counted("before-parts-hop", "a further hop, before its first part", before)
        figures += [
            *_counted("small", "a small copy, directly", _direct(cloud)),
            *_counted("small-trigger", "a small copy, by trigger", _triggered(cloud)),
        ]
    return figures


def _has_parts(log: Log) -> bool:
    return any(each.operation == PART_COPY for each in log)


def _http(cloud: LocalCloud, parts: int) -> Log:
    """The requests before the parts of the invocation that copies what HTTP has asked for."""
    cloud.seed(SOURCE, "http.bin", parts * PART)
    tuning = {"partSize": PART, "method": "multipart", "lanes": 1}
    request = {**_request("http.bin"), "tuning": tuning}
    run = _ended(watched(cloud, lambda: cloud.http("POST", "/copies", json_body=request)))
    return before_parts(next(each for each in run.log if _has_parts(each)))


def _direct(cloud: LocalCloud) -> Log:
    cloud.seed(SOURCE, "small.bin", 1024)
    return _ended(watched(cloud, lambda: cloud.invoke_async(_request("small.bin")))).log[-1]


def _request(key: str) -> dict[str, object]:
    return {"source": {"bucket": SOURCE, "key": key}, "destination": {"bucket": DESTINATION}}


def _triggered(cloud: LocalCloud) -> Log:
    return _ended(watched(cloud, lambda: cloud.seed(SOURCE, "incoming/small.bin", 1024))).log[-1]


def _ended(run: Run) -> Run:
    if run.result["status"] != "succeeded":
        raise RuntimeError(f"the copy failed: {run.result}")
    return run


def _counted(goal: str, what: str, log: Log) -> list[Figure]:
    found = rounds(log)
    told = path([[each.named(STATE) for each in one] for one in found])
    figure = reach(goal, f"rounds of {what}", len(found), note="the bench `serial` says which they are")
    return [figure, Figure(what, told)]
