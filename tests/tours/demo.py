"""`make demo`: three copies on the local cloud, shown live, and what was measured.

1. a file uploaded under the watched prefix is copied by the OSS trigger;
2. an 8 GiB object is copied over HTTP by a chain of short invocations;
3. a copy is made by the timer trigger.

Exits non-zero if anything is not as it should be. `--kill` ends an instance in the middle of a batch.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import oss2
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.cloud.client import LocalCloud

SOURCE, DESTINATION = "oss-copy-source", "oss-copy-destination"
SIZE = 8 << 30  # bytes of the large object
TIMEOUT = 15  # seconds an invocation may take: short, so that the copy becomes a chain
THREADS = 8
LATENCY_MS, BANDWIDTH_MB_S = 20, 22  # what the local OSS takes for a request and for copied bytes
SECONDS = 150  # nothing here takes longer


class Demo:
    """The running demo: what it shows, what it found, and whether that is as it should be."""

    def __init__(self, cloud: LocalCloud, console: Console, progress: Progress) -> None:
        self.cloud = cloud
        self._console = console
        self._progress = progress
        self.source, self.destination = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
        self.copies: list[tuple[str, dict[str, Any]]] = []
        self.measured: list[tuple[str, str, str, bool]] = []

    def check(self, what: str, found: object, wanted: str, good: bool) -> None:
        """Note a measured figure beside what it has to be."""
        self.measured.append((what, str(found), wanted, good))

    def follow(self, title: str, key: str, size: int, done: Callable[[], bool]) -> None:
        """A bar that shows the bytes at the destination until `done`."""
        bar = self._progress.add_task(title, total=size)
        deadline = time.monotonic() + SECONDS
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{title}: not done after {SECONDS} s")
            self._progress.update(bar, completed=self._copied(key))
            time.sleep(0.1)
        self._progress.update(bar, completed=size)

    def _copied(self, key: str) -> int:
        for upload in oss2.MultipartUploadIterator(self.destination, prefix=key):
            try:
                return sum(part.size for part in oss2.PartIterator(self.destination, key, upload.upload_id))
            except oss2.exceptions.NoSuchUpload:  # completed between the two requests
                return 0
        return 0

    def verify(self, trigger: str, key: str, target: str, result: dict[str, Any]) -> None:
        """The destination has the source's CRC64 and the result says so."""
        self.copies.append((trigger, result))
        one, other = (
            bucket.head_object(name).headers["x-oss-hash-crc64ecma"]
            for bucket, name in ((self.source, key), (self.destination, target))
        )
        good = result["status"] == "succeeded" and result["verified"] == "crc64" and one == other
        self.check(f"{trigger}: CRC64 of source and copy", f"{one} {other}", "equal, verified", good)

    def result_of(self, request_id: str) -> dict[str, Any] | None:
        """The copy's result, once the invocation with this id has ended."""
        (found,) = self.cloud.invocations(request_id=request_id)
        if found["outcome"] in {"queued", "running"}:
            return None
        if not found["result"]:
            raise RuntimeError(f"the invocation ended as {found['outcome']}: {found['error']}")
        answer = json.loads(found["result"])
        result: dict[str, Any] = answer.get("results", [answer])[0]
        return result


def upload(demo: Demo) -> None:
    """A file put under the watched prefix: OSS tells the function, the function copies."""
    key, body = "incoming/report.pdf", os.urandom(3 << 20)
    demo.source.put_object(key, body)
    results: list[dict[str, Any]] = []

    def done() -> bool:
        for invocation in demo.cloud.invocations(trigger="oss"):
            result = demo.result_of(invocation["request_id"])
            results.extend([result] if result else [])
        return bool(results)

    demo.follow("1 OSS trigger", key, len(body), done)
    demo.verify("oss", key, key, results[0])


def chain(demo: Demo, *, kill: bool) -> None:
    """An 8 GiB object over HTTP, by a chain of invocations of which none may take long."""
    cloud, key = demo.cloud, "large/archive.tar"
    cloud.seed(SOURCE, key, SIZE, seed=8)
    before = cloud.requests()
    request = {"source": {"bucket": SOURCE, "key": key}, "destination": {"bucket": DESTINATION}}
    begun = time.monotonic()
    answer = cloud.http("POST", "/copies", json_body=request)
    seconds = time.monotonic() - begun
    demo.check("POST /copies answered", f"{answer.status_code} in {seconds:.2f} s", "202 within 3 s",
               answer.status_code == 202 and seconds < 3)  # fmt: skip
    job = answer.json()["job"]
    victims: list[str] = []

    def hops() -> list[dict[str, Any]]:
        return [one for one in cloud.invocations() if (one["task_id"] or "").startswith(f"{job}-")]

    def done() -> bool:
        if kill and not victims:
            victims.extend(_kill_in_the_middle(cloud, f"{job}-g0-l1-h2"))
        found = hops()
        return bool(found) and all(one["outcome"] not in {"queued", "running"} for one in found)

    demo.follow("2 HTTP, chained", key, SIZE, done)
    chained = hops()
    result = demo.result_of(chained[-1]["request_id"])
    assert result is not None
    demo.verify("http", key, key, result)
    counted = cloud.requests()
    attempts = [attempt for one in chained for attempt in one["attempts"]]
    opened = max(counted["connections_by_access_key"].get(one["access_key_id"], 0) for one in attempts)
    copied = counted["operations"]["UploadPartCopy"] - before["operations"].get("UploadPartCopy", 0)
    largest = max(one["event_bytes"] for one in chained)
    left = len(list(oss2.MultipartUploadIterator(demo.destination)))
    parts = result["parts"]
    spare = THREADS if kill else 0
    demo.check("hops", result["hops"], "at least 4", result["hops"] >= 4)
    demo.check("UploadPartCopy requests", copied, f"at most {parts + spare}", copied <= parts + spare)
    demo.check("open uploads afterwards", left, "0", left == 0)
    demo.check("largest continuation event", f"{largest} bytes", "under 2048", largest < 2048)
    most = THREADS + 2  # `done/` and `cancel/` are read beside the first parts
    demo.check("connections of a hop, counted by OSS", f"at most {opened}", f"at most {most}", opened <= most)
    if kill:
        again = sum(one["retries"] for one in chained)
        demo.check(
            "instances killed, hops retried",
            f"{len(victims)}, {again}",
            "1, 1",
            (len(victims), again) == (1, 1),
        )


def _kill_in_the_middle(cloud: LocalCloud, task_id: str) -> list[str]:
    """Kill the hop's instance once it has been copying for a while; its request id."""
    for invocation in cloud.invocations(task_id=task_id, outcome="running"):
        copying = 0.5 * (TIMEOUT - 5)
        if time.time() - invocation["submitted"] > copying and cloud.kill(invocation["request_id"]):
            return [invocation["request_id"]]
    return []


def timer(demo: Demo) -> None:
    """What the timer's payload in the template asks for."""
    request_id = demo.cloud.fire("timer")
    found: list[dict[str, Any]] = []

    def done() -> bool:
        result = demo.result_of(request_id)
        found.extend([result] if result else [])
        return bool(found)

    demo.follow("3 timer trigger", "nightly/", 3 << 20, done)
    demo.verify("timer", "incoming/report.pdf", found[0]["destination"]["key"], found[0])


def show(demo: Demo, console: Console) -> bool:
    """The tables; whether everything is as it should be."""
    table = Table(title="Copies", title_justify="left")
    for column in ("job", "trigger", "method", "size", "parts", "hops", "seconds", "verified by"):
        table.add_column(
            column, justify="right" if column in {"size", "parts", "hops", "seconds"} else "left"
        )
    for trigger, result in demo.copies:
        begun, ended = (
            datetime.fromisoformat(result[at].replace("Z", "+00:00")) for at in ("startedAt", "finishedAt")
        )
        table.add_row(
            result["job"][:12],
            trigger,
            str(result["method"]),
            f"{result['destination']['size']:,}",
            str(result["parts"]),
            str(result["hops"]),
            f"{(ended - begun).total_seconds():.1f}",
            str(result["verified"]),
        )
    console.print(table)
    figures = Table(title="Measured", title_justify="left")
    for column in ("what", "found", "wanted", ""):
        figures.add_column(column)
    for what, found, wanted, good in demo.measured:
        figures.add_row(what, found, wanted, "[green]ok[/]" if good else "[red]NOT OK[/]")
    console.print(figures)
    return all(good for *_, good in demo.measured)


def main() -> int:
    """Run the demo."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--kill", action="store_true", help="kill an instance in the middle of a batch")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(True), TimeElapsedColumn())
    payload = {
        "source": {"bucket": SOURCE, "key": "incoming/report.pdf"},
        "destination": {"bucket": DESTINATION, "key": "nightly/{date:%Y-%m-%d}/{name}"},
    }
    variables = {"timeout": TIMEOUT, "timerPayload": json.dumps(payload)}
    with LocalCloud(variables=variables, environment={"MAX_PARALLEL": str(THREADS)}) as cloud:
        cloud.conditions(latency_ms=LATENCY_MS, bandwidth_mb_s=BANDWIDTH_MB_S)
        with Progress(*columns, console=console) as progress:
            demo = Demo(cloud, console, progress)
            upload(demo)
            chain(demo, kill=options.kill)
            timer(demo)
        peak = max(one["peak_memory_mb"] for one in cloud.invocations())
        demo.check("peak memory of an instance", f"{peak:.1f} MB", "at most 96 MB", peak <= 96)
        good = show(demo, console)
    console.print(
        "[green]Everything is as it should be.[/]" if good else "[red]Something is not as it should be.[/]"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
