"""A flood of HTTP requests without a token, beside a chained copy and uploads that the OSS trigger copies.

Knows the local cloud from outside; the requests are sent by a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

from osscopy.model import MIB
from tests.bench.figures import Figure, Measured, reach
from tests.cloud.client import ROOT, LocalCloud

SOURCE, DESTINATION = "oss-copy-source", "oss-copy-destination"
CONNECTIONS = 30
PAUSE = 0.1  # seconds of a connection between an answer and the next request
COPIES = 100  # by the OSS trigger
SECONDS = 60.0  # of the flood, and of the chained copy about as long
LATENCY, BANDWIDTH = 200.0, 1.5  # ms a request; MB/s of a part
THREADS = 4
TOKEN = "nobody-here-has-this-token"


class Arm(msgspec.Struct, frozen=True):
    """One run: seconds of the chained copy and of each one by the trigger, answers to the flood by status."""

    chain: float
    copies: tuple[float, ...]
    answers: dict[int, int]
    hops: int


def flood(quick: bool) -> Sequence[Measured]:
    """30 connections ask without a token, ten times a second each at most, for a minute. Meanwhile a chain of
    hops copies one large object, and the OSS trigger copies 100 uploads. The same without the flood is the
    measure; each run has a cloud of its own, with `s.yaml`. The flood, the servers and instances share this
    machine's cores: in part, what is lost is lost to that.
    """
    seconds = SECONDS / 6 if quick else SECONDS
    calm = _run(seconds, is_flooded=False)
    flooded = _run(seconds, is_flooded=True)
    before = _run(seconds, is_flooded=True, is_apart=False)
    told = f"{sum(flooded.answers.values())} requests: {_shown(flooded.answers)}"
    return [
        reach("flood-chain", f"chained copy, {calm.hops} hops", flooded.chain / calm.chain),
        reach(
            "flood-copies",
            f"{len(calm.copies)} copies by the trigger, medians",
            _middle(flooded) / _middle(calm),
        ),
        Figure("the same, the slowest of each", f"{max(flooded.copies) / max(calm.copies):.2f}x"),
        Figure("seconds without the flood", f"{calm.chain:.1f} s, {_middle(calm):.2f} s"),
        Figure("the flood", told),
        Figure(
            "the trigger at the function that copies: chained copy, copies by the trigger",
            f"{before.chain / calm.chain:.2f}x, {_middle(before) / _middle(calm):.2f}x",
            note=f"{sum(before.answers.values())} requests: {_shown(before.answers)}",
        ),
    ]


def _middle(arm: Arm) -> float:
    return statistics.median(arm.copies)


def _shown(answers: dict[int, int]) -> str:
    return ", ".join(f"{count} x {status}" for status, count in sorted(answers.items()))


def _run(seconds: float, *, is_flooded: bool, is_apart: bool = True) -> Arm:
    variables = {"timeout": 15, "httpAuthType": "anonymous"}
    environment = {"API_TOKEN": TOKEN, "MAX_PARALLEL": str(THREADS), "MAX_LANES": "1"}
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCloud(
            template=_template(Path(folder), is_apart), variables=variables, environment=environment
        ) as cloud,
    ):
        bucket = cloud.oss_bucket(SOURCE)
        for number in range(4):  # instances that are warm
            bucket.put_object(f"incoming/warm{number}", b"x")
        cloud.wait_idle()
        parts = int(seconds / (MIB / BANDWIDTH / 1e6 + LATENCY / 1000) * THREADS)
        cloud.seed(SOURCE, "large", parts * MIB, seed=1)
        cloud.conditions(latency_ms=LATENCY, bandwidth_mb_s=BANDWIDTH)
        with _knocking(cloud, seconds if is_flooded else 0.0) as answers:
            begun = time.time()
            cloud.invoke_async(_request())
            for number in range(COPIES):
                bucket.put_object(f"incoming/{number}", b"x")
                time.sleep(max(0.0, seconds / COPIES - LATENCY / 1000))
            cloud.wait_idle()
        done = cloud.invocations(function=cloud.function)
        hops = [each for each in done if each["trigger"] == "api" and '"job"' in (each["result"] or "")]
        copies = [each for each in done if each["trigger"] == "oss" and each["submitted"] > begun]
        last = json.loads(hops[-1]["result"])
        assert last["status"] == "succeeded", last
        took = tuple(each["end"] - each["submitted"] for each in copies)
        return Arm(max(each["end"] for each in hops) - begun, took, dict(answers), len(hops))


def _request() -> dict[str, Any]:
    return {
        "source": {"bucket": SOURCE, "key": "large"},
        "destination": {"bucket": DESTINATION},
        "tuning": {"method": "multipart", "partSize": "1MiB"},
    }


def _template(folder: Path, is_apart: bool) -> Path:
    """s.yaml, or what it would be without a function of its own for HTTP."""
    if is_apart:
        return ROOT / "s.yaml"
    template = yaml.safe_load((ROOT / "s.yaml").read_text(encoding="utf-8"))
    web = template["resources"].pop("oss_copy_http")["props"]
    for resource in template["resources"].values():
        resource["props"]["code"] = str(ROOT / "functions/oss_copy")
    template["resources"]["oss_copy"]["props"]["triggers"] += web["triggers"]
    path = folder / "s.yaml"
    path.write_text(yaml.safe_dump(template), encoding="utf-8")
    return path


@contextmanager
def _knocking(cloud: LocalCloud, seconds: float) -> Iterator[Counter[int]]:
    """Let another process send the flood for so long; the answers by their status are known afterwards."""
    answers: Counter[int] = Counter()
    if not seconds:
        yield answers
        return
    command = [sys.executable, "-m", "tests.bench.flood", cloud.http_trigger, str(seconds)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        yield answers
        told, _ = process.communicate(timeout=seconds + 60)
    answers.update({int(status): count for status, count in json.loads(told).items()})


async def _knock(url: str, until: float, answers: Counter[int]) -> None:
    """Ask again and again on one connection, a while after each answer.

    Without the while, the local cloud's event loop is what is measured: it serves OSS, too.
    """
    place = urlsplit(url)
    asked = f"GET /copies HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer wrong\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    while time.monotonic() < until:
        writer.write(asked)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = head.partition("content-length: ")[2].partition("\r\n")[0]
        await reader.readexactly(int(length or 0))
        answers[int(head.split(" ", 2)[1])] += 1
        await asyncio.sleep(PAUSE)
    writer.close()


async def _flood(url: str, seconds: float) -> Counter[int]:
    answers: Counter[int] = Counter()
    until = time.monotonic() + seconds
    await asyncio.gather(*(_knock(url, until, answers) for _ in range(CONNECTIONS)))
    return answers


if __name__ == "__main__":
    found = asyncio.run(_flood(sys.argv[1], float(sys.argv[2])))
    print(json.dumps(dict(found)))  # noqa: T201 - for the process that measures
