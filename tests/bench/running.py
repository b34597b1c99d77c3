"""One copy on the local cloud, timed by the host's own record of it, with what it cost in requests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.cloud.client import LocalCloud

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
    peaks: tuple[float, ...]  # MB, of each invocation


@contextmanager
def warm_cloud(timeout: int, threads: int | None = THREADS) -> Iterator[LocalCloud]:
    """A cloud whose instance has done a copy already: cold starts are measured elsewhere.

    `threads`: MAX_PARALLEL, None for what `s.yaml` says.
    """
    most = {} if threads is None else {"MAX_PARALLEL": str(threads)}
    with LocalCloud(variables={"timeout": timeout}, environment=most) as cloud:
        copy(cloud, WARM, 2 * PART)
        yield cloud


def copy(
    cloud: LocalCloud, key: str, size: int, part_size: int | None = PART, parallel: int | None = None
) -> Run:
    """Copy a seeded object between buckets in parts (None: of the size that oss-copy chooses), as an event.

    `parallel`: threads, None for as many as the settings allow.

    RuntimeError unless that ends as a copy proved by CRC64.
    """
    cloud.seed(SOURCE, key, size)
    chosen = {"partSize": part_size, "parallel": parallel, "method": part_size and "multipart", "lanes": 1}
    tuning = {"tuning": {name: value for name, value in chosen.items() if value}}
    source, destination = {"bucket": SOURCE, "key": key}, {"bucket": DESTINATION}
    return measured(cloud, {"source": source, "destination": destination, **tuning})


def measured(cloud: LocalCloud, request: Mapping[str, Any]) -> Run:
    """Submit a request as an event, and measure until an invocation has told its outcome."""
    known, before = len(cloud.invocations()), cloud.requests()["operations"]
    cloud.invoke_async(request)
    cloud.wait_idle(600)
    counted, made = cloud.requests(), cloud.invocations()[known:]
    results = [json.loads(one["result"] or "null") for one in made]
    ended = [n for n, each in enumerate(results) if each and each["status"] == "succeeded"]
    if not ended or results[ended[0]]["verified"] != "crc64":
        raise RuntimeError(f"the copy failed: {[one['error'] for one in made]} {results}")
    by_key = counted["connections_by_access_key"]
    return Run(
        seconds=min(made[n]["end"] for n in ended) - made[0]["submitted"],
        result=results[ended[0]],
        operations={name: n - before.get(name, 0) for name, n in counted["operations"].items()},
        connections=tuple(by_key.get(one["access_key_id"], 0) for one in made),
        peaks=tuple(one["peak_memory_mb"] for one in made),
    )


def interpreter(cloud: LocalCloud) -> str:
    """Which Python the instances run, and whether its packages are the layer's."""
    pid = cloud.instances()[0]["pid"]
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    packages = "packages of layers/sdk/python" if "layers/sdk/python" in maps else "packages of .venv"
    return f"{Path(f'/proc/{pid}/exe').readlink().name}, {packages}"
