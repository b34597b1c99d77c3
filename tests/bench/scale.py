"""A second sync of two prefixes with many equal objects: `python -m tests.bench.scale --keys 10000000`.

The product's own code, from the start of the job to its report, in processes that live as instances of FC do.
OSS is made up here: a page of a listing is made when it is asked for, as the bytes that OSS would send, and
read by the product's reader; records and reports are files. So that time is the product's, and it says
nothing of the latency of OSS. All rows of the report are read in the end: each key has to be there once.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import resource
import sys
import tempfile
import time
import zlib
from concurrent.futures import Future, ProcessPoolExecutor, wait
from datetime import datetime, timezone
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from osscopy import events
from osscopy.aliyun.bodies import listings
from osscopy.app import SystemClock
from osscopy.copying.invocation.context import Context, Limits
from osscopy.jobs.bulk import settle, start, walk
from osscopy.jobs.bulk.tools import Tools
from osscopy.jobs.journal import RecordJournal
from osscopy.model import (
    Bulk,
    BulkDestination,
    BulkRequest,
    BulkResult,
    BulkSource,
    CopyRequest,
    Encrypted,
    Failed,
    Mark,
    ObjectPage,
    RecordPage,
    ReportPlace,
    Requests,
    Settle,
    VersionPage,
    Walk,
)
from osscopy.plan import bulk
from osscopy.plan.allowed.options import ANY_OPTION

PREFIX = "data/"
BLOCK = 1000  # objects that are spelt at once: keys end with their number in the block
DIGITS = 9  # of a block's number
MARK = b"#########"
TIMEOUT = 120.0  # seconds of an invocation
HEAD = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult>\n  <Name>b</Name>\n'
    b"  <Prefix>data%%2F</Prefix>\n"
    b"  <MaxKeys>1000</MaxKeys>\n  <EncodingType>url</EncodingType>\n  <IsTruncated>%s</IsTruncated>\n"
    b"  <KeyCount>%d</KeyCount>\n"
)
OBJECT = (
    "  <Contents>\n    <Key>data%2F{mark}{number:03}.parquet</Key>\n"
    "    <LastModified>2024-05-01T10:00:00.000Z</LastModified>\n"
    '    <ETag>"{etag:032X}"</ETag>\n    <Type>Normal</Type>\n    <Size>{size}</Size>\n'
    "    <StorageClass>Standard</StorageClass>\n  </Contents>\n"
)
TAIL = b"</ListBucketResult>\n"
SPELT = [
    OBJECT.format(mark=MARK.decode(), number=number, etag=number * 7919, size=1000 + number).encode()
    for number in range(BLOCK)
]
NUMBER = re.compile(rf"{PREFIX}(\d{{{DIGITS + 3}}})\.parquet")


class Page:
    """The answer to a request for a page."""

    def __init__(self, body: bytes) -> None:
        self.status = 200
        self.headers = {"Date": formatdate(usegmt=True)}
        self.request_id = "r"
        self._body = body

    def read(self, amount: int | None = None) -> bytes:
        del amount
        return self._body


class MadeObjects:
    """The port `Objects`: both sides list the same `count` keys; reports are files in a folder."""

    def __init__(self, count: int, folder: Path) -> None:
        self._count, self._folder = count, folder
        self._asked = 0

    def page(self, bucket: str, prefix: str, after: str, limit: int, *, pays: bool = False) -> ObjectPage:
        del bucket, pays
        self._asked += 1
        first = _after(after)
        last = min(self._count, first + limit)
        body = HEAD % (b"true" if last < self._count else b"false", max(0, last - first)) + _spelt(
            first, last
        )
        answer: Any = Page(body + TAIL)
        found = listings.page(answer)
        listings.check_order(found, prefix, after)
        return found

    def versions(
        self, bucket: str, prefix: str, after: Mark, limit: int, *, pays: bool = False
    ) -> VersionPage:
        raise AssertionError((bucket, prefix, after, limit, pays))

    def versioning(self, bucket: str) -> str | None:
        raise AssertionError(bucket)

    def read(self, bucket: str, key: str, first: int, last: int, etag: str = "") -> bytes:
        del bucket, etag
        with (self._folder / quote(key, safe="")).open("rb") as file:
            file.seek(first)
            return file.read(last - first + 1)

    def write(self, bucket: str, key: str, body: bytes) -> None:
        del bucket
        (self._folder / quote(key, safe="")).write_bytes(body)

    def remove(self, bucket: str, key: str, *, pays: bool = False) -> None:
        raise AssertionError((bucket, key, pays))

    def answered(self) -> Requests:
        return Requests(self._asked, 0)


def _after(key: str) -> int:
    """The number of the first key that comes after `key`."""
    low, high = 0, 10 ** (DIGITS + 3)
    while low < high:  # `key` may be anything, where a range is cut
        middle = (low + high) // 2
        low, high = (middle + 1, high) if f"{PREFIX}{middle:0{DIGITS + 3}}.parquet" <= key else (low, middle)
    return low


def _spelt(first: int, last: int) -> bytes:
    pieces = []
    while first < last:
        block, at = divmod(first, BLOCK)
        upto = min(BLOCK, at + last - first)
        pieces.append(b"".join(SPELT[at:upto]).replace(MARK, b"%09d" % block))
        first += upto - at
    return b"".join(pieces)


class FileRecords:
    """The port `Records`: a file each, packed, named so that they are listed in order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _at(self, name: str) -> Path:
        return self._folder / name

    def put_new(self, name: str, body: bytes) -> bool:
        place = self._at(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_name(f".{place.name}.{os.getpid()}")
        fresh.write_bytes(zlib.compress(body, 1))
        try:
            os.link(fresh, place)
        except FileExistsError:
            return False
        finally:
            fresh.unlink()
        return True

    def put(self, name: str, body: bytes) -> None:
        self._at(name).parent.mkdir(parents=True, exist_ok=True)
        self._at(name).write_bytes(zlib.compress(body, 1))

    def get(self, name: str) -> bytes | None:
        try:
            return zlib.decompress(self._at(name).read_bytes())
        except FileNotFoundError:
            return None

    def page(self, prefix: str, after: str, limit: int) -> RecordPage:
        top = self._at(prefix.rpartition("/")[0])
        files = (each for each in top.rglob("*") if each.is_file() and not each.name.startswith("."))
        names = sorted(str(each.relative_to(self._folder)) for each in files)
        found = [name for name in names if name.startswith(prefix) and name > after][:limit]
        entries = tuple((name, int(self._at(name).stat().st_mtime)) for name in found)
        return RecordPage(entries, int(time.time()))

    def delete(self, name: str) -> None:
        self._at(name).unlink(missing_ok=True)


class Queue:
    """The port `Invoker`: FC's queue as a folder; a task id is taken once."""

    def __init__(self, folder: Path) -> None:
        self._records = FileRecords(folder)

    def submit(self, task_id: str, payload: bytes, delay: int) -> bool:
        assert not delay, "nothing waits in a second sync"
        return self._records.put_new(task_id, payload)


class NoStore:
    """The port `Store`, of which a second sync asks nothing."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} is asked of OSS")


def _tools(home: Path, count: int) -> Tools:
    clock = SystemClock()
    limits = Limits(TIMEOUT, TIMEOUT, clock.monotonic() + TIMEOUT)
    records = FileRecords(home / "records")
    store: Any = NoStore()
    context = Context(
        store,
        RecordJournal(records),
        Queue(home / "queue"),
        clock,
        _no_log,
        limits,
        _allow,
        ANY_OPTION,
        _default,
    )
    state = ReportPlace("state", "s/")
    return Tools(context, records, MadeObjects(count, home / "reports"), state, _writes, workers=2)


def _default(_: str) -> Encrypted | None:
    """No bucket encrypts by default."""
    return None


def _writes(_bucket: str, _key: str, _field: str) -> None:
    """Allow all."""


def _allow(_: CopyRequest) -> None:
    """Allow all."""


def _no_log(event: str, /, **fields: object) -> None:
    """Log nothing."""


def invoke(home: Path, count: int, payload: bytes) -> tuple[int, int, float, float]:
    """Carry out one invocation; return the process, its peak of memory in KiB, seconds, and those of CPU."""
    begun, cpu = time.monotonic(), time.process_time()
    tools = _tools(home, count)
    command = events.parse(payload, events.Arrival("r", datetime.now(timezone.utc)), ())
    match command:
        case Walk():
            walk.walk(tools, command, 0)
        case Settle():
            settle.settle(tools, command, 0)
        case _:
            raise AssertionError(command)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return os.getpid(), peak, time.monotonic() - begun, time.process_time() - cpu


def run(home: Path, count: int, processes: int) -> dict[str, Any]:
    """Sync `count` keys; return what came of it, and what it took."""
    for each in ("records", "queue", "reports"):
        (home / each).mkdir()
    request = BulkRequest(
        source=BulkSource(bucket="src", prefix=PREFIX),
        destination=BulkDestination(bucket="dst", prefix=PREFIX),
        encryption="bucket",
        max_workers=processes,
        report=ReportPlace("reports", "r/"),
    )
    job = bulk.bulk_id(request, f"scale {count}")
    begun = time.monotonic()
    start.begin(_tools(home, count), Bulk(job, request, datetime.now(timezone.utc).isoformat()))
    taken: set[str] = set()
    found: list[tuple[int, int, float, float]] = []
    open_ones: set[Future[tuple[int, int, float, float]]] = set()
    with ProcessPoolExecutor(processes) as pool:
        while True:
            for message in sorted((home / "queue").iterdir()):
                if message.name not in taken and not message.name.startswith("."):
                    taken.add(message.name)
                    payload = zlib.decompress(message.read_bytes())
                    open_ones.add(pool.submit(invoke, home, count, payload))
            if not open_ones:
                break
            done, open_ones = wait(open_ones, timeout=0.2, return_when="FIRST_COMPLETED")
            found += [each.result() for each in done]
    seconds = time.monotonic() - begun
    result = _result(home, job)
    summary = json.loads((home / "reports" / quote(f"r/{job}/summary.json", safe="")).read_bytes())
    return {
        "keys": count,
        "status": result.status,
        "objects": msgspec.to_builtins(result.objects),
        "seconds": round(seconds, 1),
        "cpu": round(sum(each[3] for each in found), 1),
        "keys/s": round(count / seconds),
        "keys/s of CPU": round(count / sum(each[3] for each in found)),
        "peak MiB": round(max(each[1] for each in found) / 1024, 1),
        "invocations": len(found),
        "requests": summary["requests"],
        "report MiB": round(sum(each.stat().st_size for each in (home / "reports").iterdir()) / 2**20, 1),
        "records": sum(each.is_file() for each in (home / "records").rglob("*")),
    }


def _result(home: Path, job: str) -> BulkResult:
    body = FileRecords(home / "records").get(f"done/{job}")
    assert body is not None, "the job has not ended"
    return msgspec.json.decode(msgspec.json.encode(json.loads(body)["result"]), type=BulkResult)


def check(home: Path, count: int) -> None:
    """Raise unless each key has one row: their number, sum, and sum of squares tell."""
    rows = total = squares = 0
    for each in (home / "reports").iterdir():
        if "rows-" in each.name:
            text = unquote(gzip.decompress(each.read_bytes()).decode())
            for line in text.splitlines()[1:]:
                number = int(NUMBER.search(line)[1])  # type: ignore[index]  # each line has a key
                rows, total, squares = rows + 1, total + number, squares + number * number
                assert ",skipped," in line, line
    wanted = (count, count * (count - 1) // 2, (count - 1) * count * (2 * count - 1) // 6)
    if (rows, total, squares) != wanted:
        raise Failed("Miscounted", f"{(rows, total, squares)}, not {wanted}")


def main() -> None:
    """Run and tell, once for each number of keys."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--keys", type=int, nargs="+", default=[1_000_000])
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--unchecked", action="store_true", help="do not read the rows again")
    asked = options.parse_args()
    for count in asked.keys:
        with tempfile.TemporaryDirectory(prefix="scale-") as folder:
            told = run(Path(folder), count, asked.processes)
            if not asked.unchecked:
                check(Path(folder), count)
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()
        objects = told["objects"]
        if (told["status"], objects["total"], objects["skipped"]) != ("succeeded", count, count):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
