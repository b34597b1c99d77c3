"""The measures of the house: few rooms, small modules, short functions, plain docstrings, no metaphors."""

from __future__ import annotations

import ast
import re
import statistics
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OSSCOPY, CLI = ROOT / "functions/oss_copy/osscopy", ROOT / "functions/cli"
ROOMS, MODULES_OF_A_ROOM, ARROWS = 10, 12, 25
LARGEST, MEDIAN = 450, 150  # lines of a module
METHODS = 15  # of a class
USUAL, MOST, LONGEST = 8, 18, 45  # lines of a function: median, nine of ten, all
STILTED = re.compile(r"(What|Whether|Of)\b")
METAPHORS = re.compile(
    r"\b(crew|desk|workshop|ending is|strangers?|reviv\w+|pick(s|ed)? up|unheard|riddles?)\b", re.IGNORECASE
)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(root: Path) -> list[Path]:
    return sorted(each for each in root.rglob("*.py") if each.name != "__init__.py")


@cache
def nodes(root: Path) -> list[tuple[str, ast.AST]]:
    """Every node of the product, with the place of its module."""
    return [
        (str(path.relative_to(ROOT)), node)
        for path in sorted(root.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]


def length(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def arrows() -> set[tuple[str, str]]:
    """Pairs of rooms of which the first imports the second."""
    rooms = {each.name for each in OSSCOPY.iterdir() if (each / "__init__.py").exists()}
    found = set()
    for place, node in nodes(OSSCOPY):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "osscopy":
            _, *inner = node.module.split(".")
            for room in [inner[0]] if inner else [each.name for each in node.names]:
                found.add((Path(place).parts[3], room))
    return {(one, other) for one, other in found if one in rooms and other in rooms and one != other}


def test_the_product_has_few_rooms_and_few_arrows_between_them() -> None:
    rooms = [each for each in OSSCOPY.iterdir() if each.suffix == ".py" or (each / "__init__.py").exists()]
    assert len(rooms) - 1 <= ROOMS, sorted(each.name for each in rooms)  # but for __init__.py
    assert len(arrows()) <= ARROWS, sorted(arrows())


@pytest.mark.parametrize("root", [OSSCOPY, CLI], ids=["osscopy", "cli"])
def test_modules_are_small_and_no_folder_holds_too_many(root: Path) -> None:
    sizes = {
        str(each.relative_to(ROOT)): len(each.read_text(encoding="utf-8").splitlines())
        for each in modules(root)
    }
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}
    assert statistics.median(sizes.values()) <= MEDIAN
    folders = Counter(str(Path(each).parent) for each in sizes)
    assert {name: count for name, count in folders.items() if count > MODULES_OF_A_ROOM} == {}


@pytest.mark.parametrize("root", [OSSCOPY, CLI], ids=["osscopy", "cli"])
def test_functions_are_short_and_classes_narrow(root: Path) -> None:
    functions = [(place, node) for place, node in nodes(root) if isinstance(node, Function)]
    sizes = [length(node) for _, node in functions]
    assert [f"{place}: {node.name}" for place, node in functions if length(node) > LONGEST] == []
    assert statistics.median(sizes) <= USUAL
    assert statistics.quantiles(sizes, n=10)[8] <= MOST
    wide = [
        f"{place}: {node.name}"
        for place, node in nodes(root)
        if isinstance(node, ast.ClassDef) and sum(isinstance(each, Function) for each in node.body) > METHODS
    ]
    assert wide == []


@pytest.mark.parametrize("root", [OSSCOPY, CLI], ids=["osscopy", "cli"])
def test_docstrings_say_what_is_done_and_every_module_has_one(root: Path) -> None:
    stilted = [
        f"{place}: {node.name}"
        for place, node in nodes(root)
        if isinstance(node, Function | ast.ClassDef) and STILTED.match(ast.get_docstring(node) or "")
    ]
    assert stilted == []
    silent = [
        place for place, node in nodes(root) if isinstance(node, ast.Module) and not ast.get_docstring(node)
    ]
    assert silent == []


@pytest.mark.parametrize("root", [OSSCOPY, CLI], ids=["osscopy", "cli"])
def test_names_and_texts_are_the_fields(root: Path) -> None:
    found = [
        f"{each.relative_to(ROOT)}:{number}: {word[0]}"
        for each in sorted(root.rglob("*.py"))
        for number, line in enumerate(each.read_text(encoding="utf-8").splitlines(), 1)
        if (word := METAPHORS.search(line))
    ]
    assert found == []
