"""What the local OSS server itself can do: the other figures mean nothing beyond that."""

from __future__ import annotations

import os
import selectors
import socket
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import oss2
import requests

from tests.bench.figures import Figure, spread
from tests.bench.running import DESTINATION, SOURCE
from tests.cloud.client import LocalCloud

CONNECTIONS = 16
PARTS, PART_SIZE = 1600, 64 << 20  # 100 GiB
KEY = "hundred.bin"


def server(quick: bool) -> list[Figure]:
    """UploadPartCopy a second of the local OSS server, its process on one core, the client on another.

    The client sends ready-made requests over plain sockets, 16 at a time, so that it costs next to nothing;
    the server parses, checks the V4 signature (a forged one is refused), copies and answers each. Then one
    whole copy of a seeded 100 GiB object in 1,600 parts: seconds from Initiate to the end of Complete, disk
    used in the server's data directory, growth of its resident memory.
    """
    repeats = 1 if quick else 5
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as data, LocalCloud(arguments=("--data", data)) as cloud:
        cloud.seed(SOURCE, KEY, PARTS * PART_SIZE)
        bucket = cloud.oss_bucket(DESTINATION)
        with _apart(cloud.pid, cores):
            rates = []
            for _ in range(repeats):
                upload_id = bucket.init_multipart_upload(KEY).upload_id
                signed = [_signed(bucket, upload_id, number) for number in range(1, PARTS + 1)]
                rates.append(PARTS / _send(cloud.oss, signed))
                _see_forgery_refused(cloud.oss, signed[0])
                bucket.abort_multipart_upload(KEY, upload_id)
            memory, disk = _resident(cloud.pid), _used(Path(data))
            begun = time.monotonic()
            upload_id = bucket.init_multipart_upload(KEY).upload_id
            _send(cloud.oss, [_signed(bucket, upload_id, number) for number in range(1, PARTS + 1)])
            parts = [
                oss2.models.PartInfo(each.part_number, each.etag)
                for each in oss2.PartIterator(bucket, KEY, upload_id)
            ]
            bucket.complete_multipart_upload(KEY, upload_id, parts)
            seconds = time.monotonic() - begun
        grown, written = _resident(cloud.pid) - memory, _used(Path(data)) - disk
        crcs = {
            cloud.oss_bucket(name).head_object(KEY).headers["x-oss-hash-crc64ecma"]
            for name in (SOURCE, DESTINATION)
        }
    rate = statistics.median(rates)
    pinned = "server and client pinned to a core each" if len(cores) > 1 else "one core for both"
    return [
        Figure(f"UploadPartCopy a second, {pinned}", spread(rates, "/s"), ">= 1,000 /s", rate >= 1000),
        Figure("100 GiB in 1,600 parts, signing included", f"{seconds:.1f} s"),
        Figure("CRC64 of source and copy", "equal" if len(crcs) == 1 else "differ", "equal", len(crcs) == 1),
        Figure("disk that took", f"{written / 1e6:.1f} MB", "< 50 MB", written < 50e6),
        Figure("memory that took", f"{grown / 1e6:.1f} MB"),
    ]


@contextmanager
def _apart(pid: int, cores: Sequence[int]) -> Iterator[None]:
    if len(cores) < 2:
        yield
        return
    os.sched_setaffinity(pid, {cores[0]})
    os.sched_setaffinity(0, {cores[1]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, set(cores))


def _signed(bucket: Any, upload_id: str, number: int) -> bytes:
    """The bytes of one UploadPartCopy, as oss2 signs and addresses it."""
    first = (number - 1) * PART_SIZE
    request = oss2.http.Request(
        "PUT",
        f"{bucket.endpoint}/{DESTINATION}/{KEY}",
        params={"uploadId": upload_id, "partNumber": str(number)},
        headers={
            "x-oss-copy-source": f"/{SOURCE}/{KEY}",
            "x-oss-copy-source-range": f"bytes={first}-{first + PART_SIZE - 1}",
            "Content-Length": "0",
        },
        region=bucket.region,
        product="oss",
    )
    bucket.auth._sign_request(request, DESTINATION, KEY)  # noqa: SLF001 - there is no public one for headers
    path = requests.Request("PUT", request.url, params=request.params).prepare().path_url
    lines = [f"PUT {path} HTTP/1.1", f"Host: {urlsplit(request.url).netloc}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _send(url: str, signed: Sequence[bytes]) -> float:
    """Seconds until each request has been answered 200; one at a time on each connection."""
    address = urlsplit(url)
    waiting = deque(signed)
    with selectors.DefaultSelector() as selector:
        for _ in range(CONNECTIONS):
            connection = socket.create_connection((address.hostname or "", address.port or 0))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ, bytearray())
        begun = time.monotonic()
        for key in selector.get_map().values():
            _socket(key).sendall(waiting.popleft())
        left = len(signed)
        while left:
            for key, _ in selector.select():
                key.data.extend(_socket(key).recv(65536))
                if _is_whole(key.data):
                    key.data.clear()
                    left -= 1
                    if waiting:
                        _socket(key).sendall(waiting.popleft())
        seconds = time.monotonic() - begun
        for key in list(selector.get_map().values()):
            _socket(key).close()
    return seconds


def _see_forgery_refused(url: str, signed: bytes) -> None:
    """Whether signatures are really checked: the same request for another part."""
    try:
        _send(url, [signed.replace(b"partNumber=1", b"partNumber=2")] * CONNECTIONS)
    except RuntimeError as error:
        if "SignatureDoesNotMatch" in str(error):
            return
        raise
    raise RuntimeError("the server took a forged request")


def _socket(key: selectors.SelectorKey) -> socket.socket:
    assert isinstance(key.fileobj, socket.socket)
    return key.fileobj


def _is_whole(answer: bytearray) -> bool:
    """Whether the answer has arrived with its body; RuntimeError if it is not 200."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(bytes(answer).decode(errors="replace"))
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return len(body) >= int(length.split(b":")[1])


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _used(directory: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in directory.rglob("*") if path.is_file())
