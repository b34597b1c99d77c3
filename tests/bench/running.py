"""One copy on the local cloud, timed by the host's own record of it, with what it cost in requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.cloud.client import LocalCloud
from tests.cloud.request_log import Logged

SOURCE, DESTINATION = "oss-copy-source", "oss-copy-destination"
WARM = "warm.bin"  # a small object that every warm cloud holds
PART = 1 << 20  # bytes: seeded objects cost nothing, and neither do their parts
THREADS = 32


class Run(msgspec.Struct, frozen=True):
    """`seconds` from the submission of the event to the end of the last invocation."""

    seconds: float
    result: dict[str, Any]
    operations: Mapping[str, int]  # requests to OSS by operation
    connections: tuple[int, ...]  # opened to OSS by each invocation
    parts_before: tuple[int, ...]  # that were there when each hop after the first began
    peaks: tuple[float, ...]  # MB, of each invocation
    log: tuple[tuple[Logged, ...], ...] = ()  # the requests to OSS of each invocation


@contextmanager
def warm_cloud(timeout: int, threads: int | None = THREADS) -> Iterator[LocalCloud]:
    """A cloud whose instance has done a copy already: cold starts are measured elsewhere.

    `threads` None: as many as `s.yaml` says.
    """
    environment = {"MAX_PARALLEL": str(threads)} if threads else {}
    with LocalCloud(variables={"timeout": timeout}, environment=environment) as cloud:
        copy(cloud, WARM, 2 * PART)
        yield cloud


def copy(
    cloud: LocalCloud, key: str, size: int, part_size: int | None = PART, **tuning: int | str | None
) -> Run:
    """Copy a seeded object between buckets in parts (None: of the size that oss-copy chooses), as an event.

    `tuning` as in a request; None leaves one out. RuntimeError unless that ends as a copy proved by CRC64.
    """
    cloud.seed(SOURCE, key, size)
    if part_size:
        tuning = {"partSize": part_size, "method": "multipart", **tuning}
    said = {name: value for name, value in tuning.items() if value is not None}
    source, destination = {"bucket": SOURCE, "key": key}, {"bucket": DESTINATION}
    request = {"source": source, "destination": destination, **({"tuning": said} if said else {})}
    run = watched(cloud, lambda: cloud.invoke_async(request))
    if run.result["status"] != "succeeded" or run.result["verified"] != "crc64":
        raise RuntimeError(f"the copy failed: {run.result}")
    return run


def watched(cloud: LocalCloud, start: Callable[[], object]) -> Run:
    """Watch what `start` begins until nothing is queued, delayed or running.

    `result` is that of the copy's end. RuntimeError if an invocation failed.
    """
    known, earlier = len(cloud.invocations()), cloud.requests()
    before = earlier["operations"]
    start()
    cloud.wait_idle(600)
    counted, made, log = cloud.requests(), cloud.invocations()[known:], cloud.log(earlier["logged"])
    if failed := [one["error"] for one in made if one["error"]]:
        raise RuntimeError(f"an invocation failed: {failed}")
    results = [_result(one) for one in made]
    ended = [each for each in results if each.get("status") == "succeeded"]
    by_key = counted["connections_by_access_key"]
    return Run(
        seconds=max(one["end"] for one in made) - made[0]["submitted"],
        result=(ended or results)[-1],
        operations={name: n - before.get(name, 0) for name, n in counted["operations"].items()},
        connections=tuple(by_key.get(one["access_key_id"], 0) for one in made),
        parts_before=tuple(each.get("partsDone", 0) for each in results[:-1]),
        peaks=tuple(one["peak_memory_mb"] for one in made),
        log=tuple(asked_by(one, log) for one in made),
    )


def _result(invocation: Mapping[str, Any]) -> dict[str, Any]:
    """What an invocation returned; of a list of results the last one."""
    result: dict[str, Any] = json.loads(invocation["result"] or "{}")
    found: dict[str, Any] = result["results"][-1] if "results" in result else result
    return found


def asked_by(invocation: Mapping[str, Any], log: Sequence[Logged]) -> tuple[Logged, ...]:
    """The requests of `log` that an invocation made: signed by its instance, and begun while it ran."""
    return tuple(
        each
        for each in log
        if each.access_key_id == invocation["access_key_id"]
        and invocation["start"] <= each.begin <= invocation["end"]
    )


def interpreter(cloud: LocalCloud) -> str:
    """Which Python the instances run, and whether its packages are the layer's."""
    pid = cloud.instances()[0]["pid"]
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    packages = "packages of layers/sdk/python" if "layers/sdk/python" in maps else "packages of .venv"
    return f"{Path(f'/proc/{pid}/exe').readlink().name}, {packages}"
