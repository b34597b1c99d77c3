"""The oracle shares no code with what it judges: its imports, and its arithmetic against the product's."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from osscopy import plan
from osscopy.plan import crc64
from tests.sim import order, scenario, world

HERE = Path(__file__).parent
PUTS_TOGETHER = {"engine.py"}  # the product on the simulated ports: it judges nothing
BREAKS = {"bugs.py"}  # the product, on purpose
JUDGES = sorted(
    each.name
    for each in HERE.glob("*.py")
    if each.name not in PUTS_TOGETHER | BREAKS and not each.name.startswith("test_")
)


def imported(name: str) -> set[str]:
    """The modules of the product that a module of the simulation imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((HERE / name).read_text())):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            found.add(node.module or "")
            found |= {f"{node.module}.{each.name}" for each in node.names if node.module == "osscopy"}
    return {each for each in found if each.partition(".")[0] == "osscopy"}


@pytest.mark.parametrize("name", JUDGES)
def test_the_oracle_imports_nothing_of_the_product_but_values(name: str) -> None:
    assert imported(name) <= {"osscopy.model"}
    text = (HERE / name).read_text()
    assert "importlib" not in text
    assert "__import__" not in text


@pytest.mark.parametrize("name", ["causes.py", "invariants.py", "order.py", "records.py", "world.py"])
def test_what_judges_does_not_know_the_product_put_together(name: str) -> None:
    tree = ast.parse((HERE / name).read_text())
    names = {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert not names & {"engine", "bugs"}
    assert name in JUDGES


def test_the_product_put_together_is_seen() -> None:
    """The list of imports is no empty one: the module that knows the product is found to do so."""
    assert {"osscopy.copying", "osscopy.jobs.sweep"} <= imported("engine.py")


def test_the_oracles_arithmetic_agrees_with_the_products() -> None:
    """Where both have to compute the same, each does so in its own way."""
    for tags in ({}, {"t": "1"}, {"b": "2", "a": "1"}):
        assert order.tags_on_record(tags) == plan.tags_digest(tags)
    for etags in (["P1-0-9"], ["P1-0-9", "p1-10-19!"]):
        assert world.etag_of(etags) == plan.multipart_etag(etags)
    for timeout in (5.0, 20.0, 60.0, 240.0, 600.0, 86_400.0):
        assert scenario.patience(timeout) == plan.read_timeout(timeout)
        assert scenario.standstill(timeout) == plan.patience(timeout)
    assert scenario.PART == plan.MIN_PART


@pytest.mark.parametrize("size", [1, 8, 13, 102_400, 102_407, 256_789])
def test_the_crc64s_of_parts_make_the_crc64_of_the_whole(size: int) -> None:
    for content in (1, 7, -3, 2**40):
        cuts = range(0, size, 102_400)
        pieces = [world.crc64_of(content, first, min(first + 102_400, size) - 1) for first in cuts]
        whole = crc64.combine(pieces, 102_400, size - cuts[-1])
        assert whole == world.crc64_of(content, 0, size - 1)
