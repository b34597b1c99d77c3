"""`make conformance`: run oss2's own tests against the OSS server, with V1 and V4 signatures, and judge them.

A test that also passes where nothing listens says nothing about the server and is not counted. A test that
fails must be listed in left_out.txt with its reason, and one that is listed must fail.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

import msgspec

from . import oss2_suite
from .oss2_suite import Outcome

LEAST = 175  # tests that need the server and must pass, for each signature version
VERSIONS = ("v1", "v4")
_HERE = Path(__file__).parent


class LeftOut(msgspec.Struct, frozen=True):
    """A line of left_out.txt: `[version] suite::Class::test  reason`; a bare `suite` is not run at all."""

    pattern: str
    reason: str
    version: str = ""

    def covers(self, test: str, version: str) -> bool:
        return self.version in {"", version} and fnmatch(test, self.pattern)


def left_out(text: str) -> list[LeftOut]:
    entries = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        head, _, reason = line.partition("  ")
        version, _, pattern = head.rpartition(" ")
        entries.append(LeftOut(pattern, reason.strip(), version))
    return entries


class Verdict(msgspec.Struct, frozen=True):
    counts: dict[str, tuple[int, int]]  # by suite: passed, failed
    complaints: list[str]


def judge(
    found: dict[str, Outcome], silent: dict[str, Outcome], entries: list[LeftOut], version: str
) -> Verdict:
    """`silent` are the outcomes where nothing listens."""
    passed: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    complaints = []
    used = set()
    for test, outcome in sorted(found.items()):
        suite = test.partition("::")[0]
        covering = [entry for entry in entries if entry.covers(test, version)]
        used |= set(covering)
        if outcome == "passed" and silent.get(test) == "passed":
            continue
        if outcome == "passed" and covering:
            complaints.append(f"{version} {test} is left out but passes")
        elif outcome == "passed":
            passed[suite] += 1
        elif outcome == "failed" and not covering:
            failed[suite] += 1
            complaints.append(f"{version} {test} fails and is not left out")
    complaints += [
        f"{version} left_out.txt: {entry.pattern} is no test"
        for entry in entries
        if "::" in entry.pattern and entry.version in {"", version} and entry not in used
    ]
    return Verdict({suite: (passed[suite], failed[suite]) for suite in {*passed, *failed}}, complaints)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--suite", action="append", help="only this one, e.g. test_object; no least number then"
    )
    parser.add_argument("--version", action="append", choices=VERSIONS)
    parser.add_argument("--cache", type=Path, default=Path(".conformance"))
    arguments = parser.parse_args()
    cache = arguments.cache.resolve()
    cache.mkdir(exist_ok=True)
    root = oss2_suite.fetch(cache)
    entries = left_out((_HERE / "left_out.txt").read_text())
    not_run = {entry.pattern for entry in entries if "::" not in entry.pattern}
    names = arguments.suite or sorted(path.stem for path in (root / "tests").glob("test_*.py"))
    tests = [f"tests/{name}.py" for name in names if name not in not_run]
    complaints = []
    with oss2_suite.silence() as cloud:
        silent = oss2_suite.run(root, cloud, "v1", tests)
    for version in arguments.version or VERSIONS:
        with oss2_suite.serving() as cloud:
            found = oss2_suite.run(root, cloud, version, tests)
        if arguments.suite:
            entries = [entry for entry in entries if entry.pattern.partition("::")[0] in names]
        verdict = judge(found, silent, entries, version)
        for suite, (good, bad) in sorted(verdict.counts.items()):
            print(f"oss2 {version} {suite}: {good} passed, {bad} failed")
        total = sum(good for good, _ in verdict.counts.values())
        print(f"oss2 {version}: {total} passed, {sum(bad for _, bad in verdict.counts.values())} failed")
        complaints += verdict.complaints
        if total < LEAST and not arguments.suite:
            complaints.append(f"{version}: {total} tests passed that need the server, at least {LEAST} must")
    print(*complaints, sep="\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
