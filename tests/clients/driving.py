"""A client as a program of its own: started, asked by lines of JSON, ended.

`drivers/channel.py` has the other end. It must not know what is asked for.
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 20.0  # that an answer may take

# What a verb is given where the scenario does not say it.
DEFAULTS: dict[str, dict[str, Any]] = {
    "put": {"headers": {}},
    "get": {"span": None, "headers": {}, "version": None},
    "head": {"headers": {}, "version": None},
    "delete": {"version": None},
    "copy": {"headers": {}, "version": None},
    "initiate": {"headers": {}},
    "copy_part": {"span": None, "headers": {}},
    "complete": {"headers": {}},
    "list_keys": {"prefix": "", "delimiter": "", "page": 100},
    "list_v2": {"prefix": "", "delimiter": "", "page": 100, "after": ""},
    "list_versions": {"prefix": "", "page": 100},
    "list_uploads": {"prefix": "", "page": 100},
    "list_buckets": {"page": 100},
    "put_symlink": {"headers": {}},
    "presign": {"seconds": 600, "headers": {}},
}


class LacksError(Exception):
    """The client has no such call: no fault of the server's."""


class RefusedError(Exception):
    """The server refused, and the client says so; `code` is empty where it does not pass it on."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class BrokenError(Exception):
    """The client failed in a way of its own: it could not read an answer, or did not answer itself."""


class Program(msgspec.Struct, frozen=True):
    """The start of a driver. `ready` is there once the client is installed."""

    name: str
    command: tuple[str, ...]
    ready: Path
    environment: Mapping[str, str] = {}
    signs: tuple[str, ...] = ("v4", "v1")  # the first one is used where nothing else is asked for
    style: str = "path"  # of addresses, likewise


class Driver:
    """A running driver; a context manager."""

    def __init__(self, program: Program, environment: Mapping[str, str]) -> None:
        self.program = program
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the driver
        self._process = subprocess.Popen(
            program.command,
            cwd=ROOT,
            env={
                "PATH": os.environ.get("PATH", ""),
                "PYTHONPATH": str(ROOT),
                **program.environment,
                **environment,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
        )
        self.version: str = self._line()["client"]

    def __enter__(self) -> Driver:  # noqa: PYI034 - typing has no Self before 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it: its input ends, and so does the program."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._stderr.close()

    def __call__(self, verb: str, **arguments: Any) -> Any:
        """Return what the client answers. LacksError, RefusedError or BrokenError if it does not."""
        assert self._process.stdin is not None
        request = {"verb": verb, "arguments": {**DEFAULTS.get(verb, {}), **arguments}}
        try:
            self._process.stdin.write(json.dumps(request, default=_base64).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise BrokenError(f"{self.program.name} has ended:\n{self._complaints()}") from error
        answer = self._line()
        if "lacks" in answer:
            raise LacksError(answer["lacks"])
        if "broken" in answer:
            raise BrokenError(answer["broken"])
        if "refused" in answer:
            raise RefusedError(answer["refused"]["status"], answer["refused"]["code"])
        return answer["done"]

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], SECONDS)
        line = self._process.stdout.readline() if readable else b""
        if not line:
            self._process.kill()  # an answer that comes too late would be taken for the next one's
            raise BrokenError(f"{self.program.name} does not answer:\n{self._complaints()}")
        answer: dict[str, Any] = json.loads(line, object_hook=_bytes)
        return answer

    def _complaints(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")[-2000:]


def found(programs: Sequence[Program]) -> list[Program]:
    """Those that are installed."""
    return [each for each in programs if each.ready.exists()]


def _base64(value: object) -> dict[str, str]:
    if not isinstance(value, bytes):
        raise TypeError(f"{value!r} is nothing that JSON has")
    return {"base64": base64.b64encode(value).decode()}


def _bytes(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["base64"]) if value.keys() == {"base64"} else value
