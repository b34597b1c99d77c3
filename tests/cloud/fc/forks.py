"""Processes of instances by fork: one process imports what the layer holds, and is copied for each instance.

To start one takes a tenth of the time then. It knows processes, and nothing of functions and invocations. A
process so started has run no code of the function, so each instance still starts cold.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from asyncio import StreamReader, StreamReaderProtocol
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
IN_LAYER = ("msgspec", "oss2", "fc2")  # of what layers/sdk builds, the packages that take long to import


class Process(Protocol):
    """A process of an instance: its id, what it prints, and its end."""

    @property
    def pid(self) -> int: ...

    @property
    def output(self) -> StreamReader: ...

    async def wait(self) -> None:
        """Wait until it has ended."""


class Started:
    """A process started as a program."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        self._process = process
        self.pid, self.output = process.pid, process.stdout

    async def wait(self) -> None:
        await self._process.wait()


class Forked:
    """A process that another one has forked; its descriptor becomes readable when it ends."""

    def __init__(self, pid: int, descriptor: int, output: StreamReader) -> None:
        self.pid, self.output = pid, output
        self._ended = asyncio.Event()
        self._descriptor = descriptor
        asyncio.get_running_loop().add_reader(descriptor, self._end)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._ended.set()

    async def wait(self) -> None:
        await self._ended.wait()


def can_fork() -> bool:
    """The system tells by a descriptor when a process ends: Linux since 5.3."""
    return hasattr(os, "pidfd_open")


class Forks:
    """The process that forks, started when the first instance is asked for."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    async def start(self, environment: Mapping[str, str], directory: Path) -> Forked:
        """Fork a process that runs the bootstrap, with this environment and directory; else OSError"""
        self._run()
        read, write = os.pipe()
        pipe = os.fdopen(read, "rb", buffering=0)
        asked = json.dumps({"environment": dict(environment), "directory": str(directory)}).encode()
        forked = asyncio.ensure_future(asyncio.to_thread(self._ask, asked, write))
        try:
            pid, descriptor = await asyncio.shield(forked)
        except BaseException:
            pipe.close()
            forked.add_done_callback(_close_descriptor)
            raise
        output = StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: StreamReaderProtocol(output), pipe)
        return Forked(pid, descriptor, output)

    def stop(self) -> None:
        """Let the process that forks end; the kernel ends what it has forked and is not gone."""
        with self._turn:
            if self._process is not None and self._socket is not None:
                self._socket.close()
                try:
                    self._process.wait(5)
                except subprocess.TimeoutExpired:
                    self._process.kill()
                    self._process.wait()
                self._process = self._socket = None

    def _run(self) -> None:
        """Start the process that forks. It ends with the thread that has started it: not one of a pool."""
        if self._process is not None:
            return
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with there:
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-s", str(BOOTSTRAP), str(there.fileno()), *IN_LAYER],
                stdin=subprocess.DEVNULL,
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "FC_HOST_PID": str(os.getpid())},
                pass_fds=[there.fileno()],
                start_new_session=True,
            )
        self._socket = here

    def _ask(self, asked: bytes, output: int) -> tuple[int, int]:
        try:
            with self._turn:
                if self._socket is None:
                    raise OSError("the process that forks instances was stopped")
                socket.send_fds(self._socket, [asked], [output])
                answer, descriptors, _, _ = socket.recv_fds(self._socket, 100, 1)
        finally:
            os.close(output)
        if not answer:
            raise OSError("the process that forks instances has ended")
        return int(answer), descriptors[0]


def _close_descriptor(forked: asyncio.Future[tuple[int, int]]) -> None:
    """Nobody waits for this process any more: it ends itself, as the host does not know it."""
    if not forked.cancelled() and forked.exception() is None:
        os.close(forked.result()[1])
