"""Requests as bytes over plain sockets: a client that costs next to nothing; what a server's process takes.

What is sent has been signed by oss2 beforehand. It must not know what is measured.
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import oss2
import requests

CONNECTIONS = 16


@contextmanager
def apart(pid: int, cores: Sequence[int]) -> Iterator[None]:
    """Keep a process on one core and this one on another while the block runs."""
    if len(cores) < 2:
        yield
        return
    os.sched_setaffinity(pid, {cores[0]})
    os.sched_setaffinity(0, {cores[1]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, set(cores))


def signed(
    bucket: Any, method: str, key: str, params: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> bytes:
    """The bytes of a request without a body, as oss2 signs and addresses it; without a key, of the bucket."""
    request = oss2.http.Request(
        method,
        f"{bucket.endpoint}/{bucket.bucket_name}/{oss2.compat.urlquote(key, '')}",
        params=dict(params),
        headers=dict(headers or {}),
        region=bucket.region,
        product="oss",
    )
    bucket.auth._sign_request(request, bucket.bucket_name, key)  # noqa: SLF001 - there is no public one for headers
    path = requests.Request(method, request.url, params=request.params).prepare().path_url
    lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(request.url).netloc}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def send(url: str, ready: Sequence[bytes], connections: int = CONNECTIONS) -> float:
    """Seconds until each request has been answered 200; one at a time on each connection."""
    address = urlsplit(url)
    waiting = deque(ready)
    with selectors.DefaultSelector() as selector:
        for _ in range(min(connections, len(ready))):
            connection = socket.create_connection((address.hostname or "", address.port or 0))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ, bytearray())
        begun = time.monotonic()
        for key in selector.get_map().values():
            _socket(key).sendall(waiting.popleft())
        left = len(ready)
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


def computing(pid: int) -> float:
    """Seconds of computing that a process has had, whatever else the machine did."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")  # utime, stime


def resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
