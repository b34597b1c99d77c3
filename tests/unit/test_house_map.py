"""The map of the house: the tree and the table of tests/README.md name the rooms that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.cloud.client import ROOT
from tests.flow import documents

OPEN = (
    "functions",
    "functions/oss_copy",
    "functions/oss_copy/osscopy",
    "layers",
    "tests",
)  # rooms with rooms
PRODUCT = "functions/oss_copy/"


def drawn() -> dict[str, str]:
    """The paths in the tree, folders with a slash at their end, and the line about each."""
    (tree,) = (each.text for each in documents.blocks(documents.section(documents.WORK, "The house")))
    found: dict[str, str] = {}
    above: list[str] = []
    for line in tree.splitlines():
        name, _, said = line.strip().partition(" ")
        del above[(len(line) - len(line.lstrip())) // 2 :]
        found["".join([*above, name])] = said.strip()
        above.append(name)
    return found


def described() -> dict[str, list[str]]:
    """The rooms in the table of tests/README.md and the modules that it names there."""
    rows = documents.table(documents.read(documents.WORK), "room", "what it is for", "modules")
    return {room.strip("`"): documents.spans(modules) for room, _, modules in rows}


def is_room(folder: Path) -> bool:
    """Whether it holds anything that is not made by a build or a run."""
    return folder.is_dir() and not re.match(r"[_.]|sdk-", folder.name) and any(
        each.is_file() and "__pycache__" not in each.parts for each in folder.rglob("*")
    )  # fmt: skip


def rooms(within: str) -> Iterator[str]:
    """The rooms right below a folder."""
    for each in sorted((ROOT / within).iterdir()):
        if is_room(each):
            yield f"{within}/{each.name}/"


def test_the_tree_has_a_line_for_every_room_and_names_nothing_that_is_not_there() -> None:
    assert [each for each, said in drawn().items() if not (said or each in {f"{o}/" for o in OPEN})] == []
    missing = [
        each for each in drawn() if not (ROOT / each).exists() or each.endswith("/") != (ROOT / each).is_dir()
    ]
    assert missing == [], "the tree names them"
    assert [each for within in OPEN for each in rooms(within) if each not in drawn()] == []


def test_the_table_has_every_room_and_every_module_of_the_product_whose_room_lists_them() -> None:
    table = described()
    shown = {each for each in drawn() if each.endswith("/")} - {f"{each}/" for each in OPEN}
    assert [each for each in shown if each not in table] == []
    assert [each for each in table if not (ROOT / each).is_dir()] == []
    for room, modules in table.items():
        there = {each.name for each in (ROOT / room).glob("*.py")} - {"__init__.py"}
        assert set(modules) <= there, room
        if modules and room.startswith(PRODUCT):
            assert there == set(modules), room
    packages = {each.parent for each in (ROOT / PRODUCT).rglob("*.py")}
    assert {f"{each.relative_to(ROOT)}/" for each in packages} <= table.keys()


def test_paths_in_the_documents_lead_somewhere() -> None:
    for each in documents.spans(documents.everything()):
        if re.fullmatch(r"(functions|layers|tests)/[\w./-]+", each) and "NAME" not in each:
            assert (ROOT / each).exists(), each
