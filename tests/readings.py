"""`make readings`: the flow tests under each reading of the local cloud that is not the default, one by one.

What sources disagree about must make no difference to what is promised (tests/cloud/READINGS.md).
A first run, with the defaults, notes which tests make the cloud ask for which reading: the others of them
would be the same run again, and are left out.
"""

from __future__ import annotations

import argparse
import bisect
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.cloud.client import READING, ROOT
from tests.cloud.readings import NOTES, READINGS

_NO_TESTS = "no test makes the cloud ask for it"


def main() -> int:
    """Run them one after the other; 1 if any fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reading", action="append", choices=READINGS, help="only this one")
    parser.add_argument("-n", "--workers", default="4", help="processes at once")
    parser.add_argument(
        "tests", nargs="*", default=["tests/flow"], help="files of tests; default: tests/flow"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as notes:
        print("=== the defaults, to see which test asks for which reading", flush=True)
        outcomes = {"the defaults": _run(arguments.workers, arguments.tests, {NOTES: notes})}
        asking = _asking(Path(notes))
        for name in arguments.reading or READINGS:
            print(f"=== {name}: {READINGS[name].question} {READINGS[name].b}", flush=True)
            outcomes[name] = _NO_TESTS
            if asking[name]:
                listed = Path(notes, "tests.txt")
                listed.write_text("\n".join(asking[name]), encoding="utf-8")
                outcomes[name] = _run(arguments.workers, [f"@{listed}"], {READING: f"{name}=b"})
                outcomes[name] += f", {len(asking[name])} tests"
    print(*(f"{name}: {outcome}" for name, outcome in outcomes.items()), sep="\n")
    return 0 if not any(outcome.startswith("FAILED") for outcome in outcomes.values()) else 1


def _run(workers: str, tests: Sequence[str], environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.readings", "-n", workers, *tests]
    begun = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False).returncode
    outcome = "passed" if code == 0 else f"FAILED ({code})"
    return f"{outcome} in {time.monotonic() - begun:.0f} s"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note when the test began, beside what the clouds of its process note."""
    if NOTES in os.environ:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        with Path(os.environ[NOTES], f"{worker}.begun").open("a", encoding="utf-8") as notes:
            notes.write(f"{time.time()} {item.nodeid}\n")
    return (yield)


def _asking(notes: Path) -> dict[str, list[str]]:
    """Return for each reading the tests during or after which, before the next one, a cloud asked for it."""
    asking: dict[str, dict[str, None]] = defaultdict(dict)
    for begun in notes.glob("*.begun"):
        times, tests = zip(*_lines(begun), strict=True)
        for asked in notes.glob(f"{begun.stem}-*.asked"):
            for at, name in _lines(asked):
                asking[name][tests[max(0, bisect.bisect(times, at) - 1)]] = None
    return defaultdict(list, {name: list(tests) for name, tests in asking.items()})


def _lines(path: Path) -> list[tuple[float, str]]:
    lines = (line.split(" ", 1) for line in path.read_text(encoding="utf-8").splitlines())
    return [(float(at), text) for at, text in lines]


if __name__ == "__main__":
    sys.exit(main())
