"""Runs tests in a copy of the tree, again and again: `python tests/mutants/working.py` in that copy.

Each line of the input asks for one run, as JSON; each line of the output answers one. What all tests import
is imported once, and each run is a process of its own that begins from there: so a run costs little more than
the tests themselves. Must not import the product, which each run reads anew.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import pytest

COMMON = ("greenlet", "msgspec", "msgspec.inspect", "oss2", "requests", "yaml")
UNUSED = ("cacheprovider", "xdist", "schemathesis", "anyio")  # plugins
OPTIONS = ("-x", "-q", "--no-header", *(each for name in UNUSED for each in ("-p", f"no:{name}")))
SECONDS = 120  # that one run may take
MEMORY = 2 << 30  # bytes of data that a process of a run may have: a fault can make a loop that never ends


class Failures:
    """The tests that failed, as pytest tells of them."""

    def __init__(self) -> None:
        self.found: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.found[report.nodeid] = report.duration


def main() -> None:
    """Answer until the input ends."""
    for name in COMMON:
        importlib.import_module(name)
    for line in sys.stdin:
        asked = json.loads(line)
        sys.stdout.write(json.dumps(run(asked["tests"], asked["write"], asked.get("options", []))) + "\n")
        sys.stdout.flush()


def run(tests: list[str], write: dict[str, str], options: list[str]) -> dict[str, Any]:
    """Run tests with these texts in files, which are as before afterwards; tell how they ended.

    `code`: pytest's exit code, or -1 if the run did not end by itself. `cpu`: seconds.
    """
    before = {name: Path(name).read_bytes() for name in write}
    try:
        for name, text in write.items():
            Path(name).write_text(text, encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            return _fork(tests, options, Path(folder))
    finally:
        for name, body in before.items():
            Path(name).write_bytes(body)


def _fork(tests: list[str], options: list[str], folder: Path) -> dict[str, Any]:
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        _be_run(tests, options, folder)
    ended, code, usage = 0, 0, resource.getrusage(resource.RUSAGE_SELF)
    while not ended and time.monotonic() - begun < SECONDS:
        ended, code, usage = os.wait4(child, os.WNOHANG)
        if not ended:
            time.sleep(0.005)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # itself if it did not end, and what it may have left
    if not ended:
        _, _, usage = os.wait4(child, 0)
    told = folder / "told"
    return {
        "code": os.waitstatus_to_exitcode(code) if ended else -1,
        "failed": json.loads(told.read_text()) if told.exists() else {},
        "output": (folder / "output").read_text(errors="replace")[-4000:],
        "seconds": round(time.monotonic() - begun, 2),
        "cpu": round(usage.ru_utime + usage.ru_stime, 2),
    }


def _be_run(tests: list[str], options: list[str], folder: Path) -> None:
    """Run the tests in this process, and end it."""
    code = 3
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        output = os.open(folder / "output", os.O_CREAT | os.O_WRONLY)
        for number in (1, 2):
            os.dup2(output, number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        failures = Failures()
        code = int(pytest.main([*OPTIONS, *options, *tests], plugins=[failures]))
        (folder / "told").write_text(json.dumps(failures.found))
    except BaseException:  # noqa: BLE001 - nobody is above it: the parent shows what it wrote
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
