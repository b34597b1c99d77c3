"""Plants the faults one after another: `make mutants`. Exit code 1 if one that is not explained survives.

`--seconds N`: as many as take so much CPU time, others each time. `--only TEXT`: those with this text in
their name. `--against PATHS`: with other tests than those on the list; all that fail are shown.
"""

from __future__ import annotations

import argparse
import compileall
import hashlib
import json
import os
import py_compile
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.mutants import planted
from tests.mutants.planted import ROOT, Fault

FAILED = 1  # pytest's exit code if tests ran and one failed
ENOUGH = 0.95  # of all faults have to be found


@dataclass
class Tally:
    """What became of the faults."""

    found: list[str] = field(default_factory=list)
    survived: list[str] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)  # neither: the list or the tests are wrong
    cpu: float = 0.0


class Workspace:
    """A copy of the tree, and a process that runs tests in it."""

    def __init__(self, folder: Path) -> None:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            path = ROOT / name
            if path.is_file() and not path.is_symlink():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, folder / name)
        compileall.compile_dir(
            folder, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH
        )  # by their text: a file that is changed within the second is compiled anew
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "tests/mutants/working.py"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(("functions/oss_copy", "."))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, tests: Sequence[str], write: dict[str, str], *options: str) -> dict[str, Any]:
        """Return how these tests end with these texts in files."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        asked = {"tests": list(tests), "write": write, "options": list(options)}
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process that runs tests has ended with {process.wait(30)}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(30)


@contextmanager
def workspace() -> Iterator[Workspace]:
    with tempfile.TemporaryDirectory(prefix="oss-copy-mutants-") as folder:
        opened = Workspace(Path(folder))
        try:
            yield opened
        finally:
            opened.close()


def main() -> int:
    """Run what was asked for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, help="of CPU time, as many faults as fit")
    options.add_argument("--seed", default=str(int(time.time() // 60)), help="of the order, with --seconds")
    options.add_argument("--only", default="", help="faults with this text in their names")
    options.add_argument("--against", nargs="+", default=[], help="tests to run instead of those on the list")
    options.add_argument("--processes", type=int, default=2)
    asked = options.parse_args()
    faults = [each for each in planted.load() if asked.only in each.name]
    if asked.seconds is not None:
        faults.sort(key=lambda each: hashlib.sha256(f"{asked.seed} {each.name}".encode()).digest())
        _say(f"order {asked.seed}")
    tally, begun = Tally(), time.monotonic()
    if asked.seconds is None and not asked.against:
        _share(_clean(faults), tally, asked.processes, None)
    if not tally.broken:
        _share([_Planted(each, asked.against) for each in faults], tally, asked.processes, asked.seconds)
    return _report(tally, time.monotonic() - begun, is_all=asked.seconds is None and not asked.only)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _report(tally: Tally, seconds: float, *, is_all: bool) -> int:
    for title, names in (("SURVIVED", tally.survived), ("BROKEN", tally.broken)):
        for name in names:
            _say(f"{title} {name}")
    for name in tally.explained:
        _say(f"explained {name}")
    count = len(tally.found) + len(tally.survived) + len(tally.explained)
    share = len(tally.found) / count if count else 0.0
    _say(
        f"{len(tally.found)} of {count} planted faults found ({share:.1%}), {len(tally.survived)} survived, "
        f"{len(tally.explained)} explained; {seconds:.0f} s, {tally.cpu:.0f} s of CPU"
    )
    too_few = is_all and share < ENOUGH
    return int(bool(tally.survived or tally.broken or too_few))


@dataclass(frozen=True)
class _Planted:
    """One fault and the tests that look for it."""

    fault: Fault
    against: Sequence[str]

    def run(self, place: Workspace, tally: Tally) -> None:
        fault = self.fault
        try:
            write = {fault.path: fault.planted()}
        except planted.Stale as error:
            tally.broken.append(str(error))
            return
        if self.against:
            ended = place.run(self.against, write, "--maxfail=1000")
            for name, seconds in sorted(ended["failed"].items(), key=lambda each: float(each[1])):
                _say(f"    {seconds:6.2f} s  {name}")
        else:
            ended = place.run(fault.tests, write)
        tally.cpu += ended["cpu"]
        is_found = ended["code"] in {FAILED, -1}  # -1: it did not end
        _say(f"{'found' if is_found else 'MISSED'} {ended['seconds']:5.1f} s  {fault.name}")
        if ended["code"] not in {0, FAILED, -1}:
            tally.broken.append(f"{fault.name}: pytest ended with {ended['code']}\n{ended['output']}")
        elif is_found and fault.survives:
            tally.broken.append(f"{fault.name}: is found, and said to survive")
        elif is_found:
            tally.found.append(fault.name)
        elif fault.survives:
            tally.explained.append(f"{fault.name}: {fault.survives}")
        else:
            tally.survived.append(fault.name)


@dataclass(frozen=True)
class _Clean:
    """Tests of one file, which pass without a fault."""

    tests: tuple[str, ...]

    def run(self, place: Workspace, tally: Tally) -> None:
        ended = place.run(self.tests, {})
        tally.cpu += ended["cpu"]
        if ended["code"] != 0:
            tally.broken.append(f"{self.tests[0]} and others fail without a fault\n{ended['output']}")


def _clean(faults: Sequence[Fault]) -> list[_Clean]:
    """Return the tests on the list, file by file."""
    tests = sorted({test for fault in faults for test in fault.tests})
    files = sorted({test.partition("::")[0] for test in tests})
    return [_Clean(tuple(t for t in tests if t.partition("::")[0] == file)) for file in files]


def _share(
    work: Sequence[_Planted] | Sequence[_Clean], tally: Tally, processes: int, seconds: float | None
) -> None:
    """Let so many processes do it, until it is done or the CPU time is used up."""
    waiting: queue.SimpleQueue[_Planted | _Clean] = queue.SimpleQueue()
    for each in work:
        waiting.put(each)
    errors: list[BaseException] = []

    def labour() -> None:
        try:
            with workspace() as place:
                while not errors and (seconds is None or tally.cpu < seconds):
                    waiting.get_nowait().run(place, tally)
        except queue.Empty:
            return
        except BaseException as error:  # noqa: BLE001 - raised below, in the thread that asked
            errors.append(error)

    threads = [threading.Thread(target=labour) for _ in range(min(processes, len(work)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


if __name__ == "__main__":
    sys.exit(main())
