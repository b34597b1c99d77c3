"""The planted faults: each can still be planted and names a test that is there; no guard goes without."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutants import planted
from tests.mutants.planted import PRODUCT, ROOT, Fault

ROOMS = ("copying", "jobs", "plan")  # every guard of these has a fault
LEAST = 250
SECONDS = 25  # of CPU time, for some of the faults in each run of the suite


def faults() -> tuple[Fault, ...]:
    return planted.load()


def test_every_fault_can_be_planted() -> None:
    for fault in faults():
        fault.planted()
    assert len(faults()) >= LEAST


def test_no_fault_is_planted_twice() -> None:
    names = [fault.name for fault in faults()]
    assert [name for name in set(names) if names.count(name) > 1] == []
    places = [(fault.file, fault.text, fault.into) for fault in faults()]
    assert len(set(places)) == len(places)


def test_every_fault_says_why_it_matters_and_names_a_test_that_is_there() -> None:
    for fault in faults():
        assert fault.what, fault
        assert fault.why, fault
        assert fault.tests, fault.name
        for test in fault.tests:
            path, _, name = test.partition("::")
            assert (ROOT / path).exists(), fault.name
            if name:
                assert f"def {name.partition('[')[0]}(" in (ROOT / path).read_text(encoding="utf-8"), test


def guards(path: Path) -> Iterator[range]:
    """Yield the lines of every condition and every handler, each with the first statement that it guards."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.If(test=test, body=[first, *_]) | ast.While(test=test, body=[first, *_]):
                if not isinstance(test, ast.Constant):
                    yield range(test.lineno, _end(first) + 1)
            case ast.ExceptHandler():
                yield range(node.lineno, (node.end_lineno or node.lineno) + 1)
            case ast.match_case(guard=guard, body=[first, *_]) if guard is not None:
                yield range(guard.lineno, _end(first) + 1)


def _end(statement: ast.stmt) -> int:
    """Return its last line, or its first one where it holds others."""
    return statement.lineno if hasattr(statement, "body") else statement.end_lineno or statement.lineno


@pytest.mark.parametrize("room", ROOMS)
def test_every_guard_has_a_fault(room: str) -> None:
    """A guard without a test that fails when it is removed is not there."""
    lines: dict[str, set[int]] = {}
    for fault in faults():
        lines.setdefault(fault.path, set()).update(fault.lines())
    bare = [
        f"{name}:{guard.start}: {path.read_text(encoding='utf-8').splitlines()[guard.start - 1].strip()}"
        for path in sorted((ROOT / PRODUCT / room).rglob("*.py"))
        for guard in guards(path)
        if (name := str(path.relative_to(ROOT))) and not lines.get(name, set()) & set(guard)
    ]
    assert bare == []


@pytest.mark.timeout(600)
def test_some_of_the_faults_are_found_others_in_each_run() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.mutants", "--seconds", str(SECONDS), "--processes", "1"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
