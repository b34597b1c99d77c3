"""`python -m tests.coverage`: the suite with coverage of the product, lines and branches, in every process.

Each line and branch that is not run has its reason in coverage.txt. It knows no test; what it is given as
arguments goes to pytest. `--report` judges the data of the last run.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.cloud.client import ROOT

PRODUCT = "functions/oss_copy/"
REASONS = Path(__file__).with_name("coverage.txt")


class Spot(NamedTuple):
    """A line that is not run, or that goes on in one way only: its file, and its text without indentation."""

    file: str
    text: str


def main(arguments: Sequence[str]) -> int:
    """Return 0 if the suite passes, enough of the product is covered, and the rest has its reasons."""
    failed = 0
    if list(arguments) != ["--report"]:
        for old in ROOT.glob(".coverage*"):
            old.unlink()
        failed = _coverage("run", "-m", "pytest", "-q", *arguments)
        _coverage("combine", "-q")
    failed |= _coverage("report")
    command = [sys.executable, "-m", "coverage", "json", "-q", "--fail-under=0", "-o", "-"]
    report = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    there = dict(_missing(json.loads(report)))
    reasons = read_reasons()
    for spot in sorted(there.keys() - reasons.keys()):
        sys.stdout.write(f"not covered, without a reason: {spot.file}:{there[spot]}: {spot.text}\n")
    for spot in sorted(reasons.keys() - there.keys()):
        sys.stdout.write(f"covered this time, though it has a reason: {spot.file}: {spot.text}\n")
    return 1 if failed or there.keys() - reasons.keys() else 0


def read_reasons() -> dict[Spot, str]:
    """Return why each spot is not covered. A reason, in brackets, is for all lines up to the next one."""
    found: dict[Spot, str] = {}
    reason = file = ""
    for line in REASONS.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"\[(.+)\]", line):
            reason = heading[1]
        elif line.endswith(".py"):
            file = line
        elif line.strip() and not line.startswith("#"):
            found[Spot(file, line.strip())] = reason
    return found


def _missing(report: dict[str, Any]) -> Iterator[tuple[Spot, int]]:
    for name, each in report["files"].items():
        source = (ROOT / name).read_text(encoding="utf-8").splitlines()
        numbers = {*each["missing_lines"], *(abs(begun) for begun, _ in each["missing_branches"])}
        for number in sorted(numbers, reverse=True):
            yield Spot(name.removeprefix(PRODUCT), source[number - 1].strip()), number


def _coverage(*arguments: str) -> int:
    command = [sys.executable, "-m", "coverage", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
