"""What the OSS server of the local cloud can do: `python -m tests.bench.oss_server`.

UploadPartCopy from a raw client with ready-made signatures, the server alone on its core; and a 100 GB object
copied in 1,600 parts. Loopback: it measures requests, not bandwidth.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import oss2
import uvloop

PART = 64 * 1024**2


class Cloud(msgspec.Struct, frozen=True):
    oss: str
    access_key_id: str
    access_key_secret: str


class _Captured(Exception):
    pass


class _Capture:
    """An oss2 session that sends nothing."""

    def __init__(self) -> None:
        self.last: oss2.http.Request | None = None

    def do_request(self, request: oss2.http.Request, timeout: object) -> None:
        del timeout
        self.last = request
        raise _Captured


def requests(cloud: Cloud, upload: str, count: int, version: str) -> Iterator[bytes]:
    """UploadPartCopy requests as they go over the wire, signed by oss2."""
    auth = oss2.make_auth(cloud.access_key_id, cloud.access_key_secret, version)
    capture = _Capture()
    bucket = oss2.Bucket(auth, cloud.oss, "dst", session=capture, region="cn-hangzhou")
    host = cloud.oss.removeprefix("http://")
    for number in range(count):
        with contextlib.suppress(_Captured):
            stretch = (number * PART, (number + 1) * PART - 1)
            bucket.upload_part_copy("src", "big", stretch, "big", upload, number + 1)
        assert capture.last is not None
        headers = {**capture.last.headers, "Host": host, "Content-Length": "0"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value is not None)
        query = urlencode(capture.last.params)
        yield f"PUT /dst/big?{query} HTTP/1.1\r\n{lines}\r\n".encode()


async def drive(cloud: Cloud, ready: list[bytes], connections: int) -> float:
    """Send everything, one request at a time on each connection; the seconds it took."""
    host, port = cloud.oss.removeprefix("http://").split(":")
    waiting = iter(ready)

    async def work() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for request in waiting:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200"), head
            await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    return time.perf_counter() - started


def disk(directory: str) -> int:
    return sum(path.stat().st_size for path in Path(directory).rglob("*"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=16)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        command = (
            sys.executable,
            "-m",
            "tests.cloud.oss",
            "--data",
            data,
            "--seed",
            f"src/big={10_000 * PART}",
        )
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            cloud = msgspec.json.decode(process.stdout.readline(), type=Cloud)
            try:
                measure(cloud, arguments.requests, arguments.connections, data)
            finally:
                process.terminate()


def measure(cloud: Cloud, count: int, connections: int, data: str) -> None:
    auth = oss2.Auth(cloud.access_key_id, cloud.access_key_secret)
    bucket = oss2.Bucket(auth, cloud.oss, "dst")
    bucket.create_bucket()
    for version in ("v1", "v4"):
        upload = bucket.init_multipart_upload("big").upload_id
        ready = list(requests(cloud, upload, count, version))
        seconds = uvloop.run(drive(cloud, ready, connections))
        print(f"UploadPartCopy, {version} signatures: {count / seconds:,.0f} requests/s")
    upload = bucket.init_multipart_upload("big").upload_id
    ready = list(requests(cloud, upload, 1600, "v4"))
    started = time.perf_counter()
    uvloop.run(drive(cloud, ready, connections))
    parts = list(oss2.PartIterator(bucket, "big", upload, max_parts=1000))
    bucket.complete_multipart_upload("big", upload, parts)
    size = bucket.head_object("big").content_length
    seconds = time.perf_counter() - started
    print(f"{size / 1e9:.1f} GB in {len(parts)} parts: {seconds:.2f} s, {disk(data)} bytes on disk")


if __name__ == "__main__":
    main()
