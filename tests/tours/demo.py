"""`make demo`: three copies and a job of many objects on the local cloud, shown live, and what was measured.

1. a file uploaded under the watched prefix is copied by the OSS trigger;
2. an 8 GiB object is copied over HTTP by a chain of short invocations;
3. a copy is made by the timer trigger;
4. 20,000 objects under a prefix are copied by the timer trigger, by several walkers, and then compared again.

Tells when an invocation of the chain ends and the next one goes on, and draws a timeline of them. Exits
non-zero if anything is not as it should be. `--kill` ends an instance in the middle of a batch: FC delivers
its hop again, so that there is an attempt more, and other hops than without.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import oss2
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from osscopy.jobs.pictures.timelines import Bar, Mark, Timeline
from osscopy.web.page.shown import figures, timelines
from osscopy.web.page.words import Words
from tests.cloud.client import LocalCloud

SOURCE, DESTINATION = "oss-copy-source", "oss-copy-destination"
SIZE = 8 << 30  # bytes of the large object
TIMEOUT = 15  # seconds an invocation may take: short, so that the copy becomes a chain
THREADS = 8
LATENCY_MS, BANDWIDTH_MB_S = 20, 22  # what the local OSS takes for a request and for copied bytes
SECONDS = 150  # nothing here takes longer
WIDTH = 80  # columns
HOP = re.compile(r"-l([0-9]+)-h([0-9]+)$")  # how the task id of a hop ends
NEXT = """
Next, with your own files:
  oss-copy local FILE    a local cloud with your file in it, and what to try there
  oss-copy ui            jobs as a page in your browser
  make demo ARGS=--kill  the same with an instance that is killed
"""
OBJECTS, WALKERS = 20_000, 8


class Demo:
    """The running demo: what it shows, what it found, and whether that is as it should be."""

    def __init__(self, cloud: LocalCloud, console: Console, progress: Progress) -> None:
        self.cloud = cloud
        self._console = console
        self._progress = progress
        self.source, self.destination = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
        self.copies: list[tuple[str, dict[str, Any]]] = []
        self.jobs: list[tuple[dict[str, Any], int]] = []  # with the requests that each took
        self.measured: list[tuple[str, str, str, bool]] = []
        self.picture: Path | None = None

    def say(self, text: str, style: str = "") -> None:
        """Print a line above the bars."""
        self._console.print(text, style=style, markup=False, highlight=False)

    def show_in(self, progress: Progress) -> None:
        """Show the next bars there."""
        self._progress = progress

    def check(self, what: str, found: object, wanted: str, good: bool) -> None:
        """Note a measured figure beside what it has to be."""
        self.measured.append((what, str(found), wanted, good))

    def follow(self, title: str, key: str, size: int, done: Callable[[], bool]) -> None:
        """A bar that shows the bytes at the destination until `done`."""
        self.watch(title, size, lambda: self.copied(key), done)

    def watch(self, title: str, size: int, count: Callable[[], int], done: Callable[[], bool]) -> None:
        """A bar that shows what is counted until `done`."""
        bar = self._progress.add_task(title, total=size)
        deadline = time.monotonic() + SECONDS
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{title}: not done after {SECONDS} s")
            self._progress.update(bar, completed=count())
            time.sleep(0.1)
        self._progress.update(bar, completed=size)

    def copied(self, key: str) -> int:
        """Return the bytes that are at the destination so far."""
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
        found = one if one == other else f"{one}, {other}"
        self.check(f"{trigger}: CRC64 of both", found, "equal, verified", good)

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
    story = Story(demo, key)

    def hops() -> list[dict[str, Any]]:
        return [one for one in cloud.invocations() if (one["task_id"] or "").startswith(f"{job}-")]

    def done() -> bool:
        if kill and not victims:
            victims.extend(_kill_in_the_middle(cloud, f"{job}-g0-l1-h2"))
        found = hops()
        story.go_on(found)
        return bool(found) and all(one["outcome"] not in {"queued", "running"} for one in found)

    demo.follow("2 HTTP, chained", key, SIZE, done)
    chained = hops()
    result = demo.result_of(chained[-1]["request_id"])
    assert result is not None
    demo.verify("http", key, key, result)
    demo.picture = draw(chained)
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
    demo.check("connections of a hop", f"at most {opened}", f"at most {most}", opened <= most)
    if kill:
        again = sum(one["retries"] for one in chained)
        demo.check(
            "instances killed, hops retried",
            f"{len(victims)}, {again}",
            "1, 1",
            (len(victims), again) == (1, 1),
        )


class Story:
    """Tells of each invocation of a chain once: where it ended, and where it was killed."""

    def __init__(self, demo: Demo, key: str) -> None:
        self._demo, self._key = demo, key
        self._told: set[tuple[str, int]] = set()

    def go_on(self, chained: list[dict[str, Any]]) -> None:
        """Tell what has ended since."""
        for one in chained:
            for number, attempt in enumerate(one["attempts"]):
                if (one["request_id"], number) not in self._told:
                    self._told.add((one["request_id"], number))
                    self._tell(one, attempt)

    def _tell(self, one: dict[str, Any], attempt: dict[str, Any]) -> None:
        at = figures.size(self._demo.copied(self._key) or SIZE)
        if attempt["outcome"] == "killed":
            self._demo.say(f"  ✗ {name_of(one)} killed at {at} → FC delivers it again, and it resumes", "red")
        elif attempt["outcome"] == "succeeded":
            self._demo.say(f"  · {name_of(one)} ended at {at}", "dim")


def name_of(one: dict[str, Any]) -> str:
    """Return what an invocation of a chain is called: its hop."""
    found = HOP.search(one["task_id"])
    return f"hop {found[2]}" if found else "the start"


def draw(chained: list[dict[str, Any]]) -> Path:
    """Draw the attempts of a chain's invocations over time, and return where the picture is."""
    begun = min(attempt["start"] for one in chained for attempt in one["attempts"])
    names = list(dict.fromkeys(_lane(one) for one in chained))
    bars, marks = [], []
    for one in chained:
        row = names.index(_lane(one))
        for attempt in one["attempts"]:
            bars.append(Bar(row, attempt["start"], attempt["end"], _number(one)))
            if attempt["outcome"] == "killed":
                marks.append(Mark(attempt["end"], "killed", f"({name_of(one)})", row))
    line = Timeline(begun, max(bar.ended for bar in bars), tuple(names), tuple(bars), tuple(marks))
    path = Path(tempfile.gettempdir()) / f"oss-copy-demo-{os.getpid()}.svg"
    path.write_text(timelines.drawing(Words("en"), line, "Lane", alone=True), encoding="utf-8")
    return path


def _number(one: dict[str, Any]) -> str:
    found = HOP.search(one["task_id"])
    return found[2] if found else "1"


def _lane(one: dict[str, Any]) -> str:
    found = HOP.search(one["task_id"])
    return found[1] if found else "1"


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


def many(demo: Demo) -> None:
    """20,000 objects under a prefix, by the timer: all of them, and at the next time none."""
    demo.cloud.seed_many(SOURCE, OBJECTS, (1_000, 100_000), prefix="photos/", shape="dates")
    first, requests = _job(demo, "4 timer, 20,000 objects")
    again, others = _job(demo, "5 timer, the same again")
    copied, ranges = first["objects"]["succeeded"], first["ranges"]["done"]
    demo.check("objects copied", f"{copied:,}", f"{OBJECTS:,}", copied == OBJECTS)
    rows = _rows(demo, first)
    demo.check("rows of its report", f"{rows:,}", f"{OBJECTS:,}", rows == OBJECTS)
    demo.check("ranges, a walker each", ranges, "at least 4", ranges >= 4)
    each = requests / OBJECTS
    demo.check("requests an object", f"{each:.3f}", "at most 1.05", each <= 1.05)
    skipped = again["objects"]["skipped"]
    demo.check("again: skipped", f"{skipped:,}", f"{OBJECTS:,}", skipped == OBJECTS)
    demo.check("again: requests", others, "under 1,000", others < 1000)


def _job(demo: Demo, title: str) -> tuple[dict[str, Any], int]:
    """Fire the timer; follow the job that it begins to its end, and return its result and its requests."""
    source = {"bucket": SOURCE, "prefix": "photos/"}
    asked = {"source": source, "destination": {"bucket": DESTINATION}, "encryption": "bucket"}
    before = demo.cloud.requests()["operations"]
    request_id = demo.cloud.fire("timer", json.dumps({**asked, "maxWorkers": WALKERS}))
    found: list[dict[str, Any]] = []

    def count() -> int:
        return int(demo.cloud.requests()["operations"].get("CopyObject", 0) - before.get("CopyObject", 0))

    def done() -> bool:
        begun = demo.result_of(request_id)
        if begun is None or any(one["end"] is None for one in demo.cloud.invocations()):
            return False
        looked = demo.cloud.http("GET", f"/copies/{begun['job']}").json()
        found.extend([looked] if looked["status"] != "running" else [])
        return bool(found)

    demo.watch(title, OBJECTS, count, done)
    after = demo.cloud.requests()["operations"]
    requests = sum(after.values()) - sum(before.values())
    demo.jobs.append((found[0], requests))
    return found[0], requests


def _rows(demo: Demo, result: dict[str, Any]) -> int:
    """The rows that the files of a report hold, as its manifest says."""
    place = result["report"]
    listed = demo.cloud.oss_bucket(place["bucket"]).get_object(f"{place['prefix']}manifest.json").read()
    return sum(file["rows"] for file in json.loads(listed)["files"])


def _show_jobs(demo: Demo, console: Console) -> None:
    table = Table(title="Many objects", title_justify="left")
    for column in ("job", "copied", "skipped", "failed", "ranges", "seconds", "requests"):
        table.add_column(column, justify="left" if column == "job" else "right")
    for result, requests in demo.jobs:
        objects = result["objects"]
        counts = (objects["succeeded"], objects["skipped"], objects["failed"], result["ranges"]["done"])
        table.add_row(
            result["job"][:8],
            *(f"{each:,}" for each in counts),
            f"{_seconds(result):.1f}",
            f"{requests:,}",
        )
    console.print(table)


def _seconds(result: dict[str, Any]) -> float:
    begun, ended = (
        datetime.fromisoformat(result[at].replace("Z", "+00:00")) for at in ("startedAt", "finishedAt")
    )
    return (ended - begun).total_seconds()


def show(demo: Demo, console: Console) -> bool:
    """The tables; whether everything is as it should be."""
    table = Table(title="Copies", title_justify="left")
    for column in ("job", "trigger", "method", "size", "parts", "hops", "seconds", "verified"):
        table.add_column(
            column, justify="right" if column in {"size", "parts", "hops", "seconds"} else "left"
        )
    for trigger, result in demo.copies:
        table.add_row(
            result["job"][:8],
            trigger,
            str(result["method"]),
            figures.size(result["destination"]["size"]),
            str(result["parts"]),
            str(result["hops"]),
            f"{_seconds(result):.1f}",
            str(result["verified"]),
        )
    console.print(table)
    _show_jobs(demo, console)
    measured = Table(title="Measured", title_justify="left")
    for column in ("what", "found", "wanted", ""):
        measured.add_column(column)
    for what, found, wanted, good in demo.measured:
        measured.add_row(what, found, wanted, "[green]ok[/]" if good else "[red]NOT OK[/]")
    console.print(measured)
    return all(good for *_, good in demo.measured)


def main() -> int:
    """Run the demo."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--kill", action="store_true", help="kill an instance in the middle of a batch")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(True), TimeElapsedColumn())
    counted = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    payload = {
        "source": {"bucket": SOURCE, "key": "incoming/report.pdf"},
        "destination": {"bucket": DESTINATION, "key": "nightly/{date:%Y-%m-%d}/{name}"},
    }
    variables = {"timeout": TIMEOUT, "timerPayload": json.dumps(payload)}
    # else each of many objects is looked at, whether it is encrypted
    environment = {"MAX_PARALLEL": str(THREADS), "ALLOWED_OPTIONS": "weaker-encryption"}
    with LocalCloud(variables=variables, environment=environment) as cloud:
        cloud.conditions(latency_ms=LATENCY_MS, bandwidth_mb_s=BANDWIDTH_MB_S)
        with Progress(*columns, console=console) as progress:
            demo = Demo(cloud, console, progress)
            upload(demo)
            chain(demo, kill=options.kill)
            timer(demo)
        with Progress(*counted, console=console) as progress:
            demo.show_in(progress)
            many(demo)
        peak = max(one["peak_memory_mb"] for one in cloud.invocations())
        demo.check("peak memory of an instance", f"{peak:.1f} MB", "at most 96 MB", peak <= 96)
        good = show(demo, console)
    console.print(
        "[green]Everything is as it should be.[/]" if good else "[red]Something is not as it should be.[/]"
    )
    if demo.picture:
        console.print(f"The chain over time: {demo.picture}", markup=False, highlight=False, soft_wrap=True)
    console.print(NEXT, markup=False, highlight=False, soft_wrap=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
