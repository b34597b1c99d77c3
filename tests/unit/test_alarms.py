"""The alarms: each event and field that a query names is logged, and each is told of."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from osscopy.jobs.bulk.walk import Walked
from osscopy.model import Problem, Swept

ROOT = Path(__file__).parents[2]
ALARMS: list[dict[str, Any]] = json.loads((ROOT / "functions/alarms.json").read_text(encoding="utf-8"))
NAMES = [each["name"] for each in ALARMS]
STRUCTS = {"swept": Swept, "walked": Walked}  # logged field by field
PLACES = ("REGION", "PROJECT", "LOGSTORE", "ACTION_POLICY")


def logged() -> dict[str, set[str]]:
    """Return the fields of each event, as the product's calls of its log name them."""
    found: dict[str, set[str]] = {name: set(kind.__struct_fields__) for name, kind in STRUCTS.items()}
    for path in (ROOT / "functions/oss_copy/osscopy").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in {"log", "_log"} and isinstance(event := node.args[0].value, str):
                fields = found.setdefault(event, set())
                fields |= {each.arg for each in node.keywords if each.arg}
                if any(each.arg is None for each in node.keywords):
                    fields |= {"job"}  # `where(task)`: of what it is about
    return found


def query(alarm: dict[str, Any]) -> str:
    (only,) = alarm["configuration"]["queryList"]
    text: str = only["query"]
    return text


def test_the_document_tells_of_every_alarm() -> None:
    told = re.findall(r"`(oss-copy-[\w-]+)` \|", (ROOT / "functions/alarms.md").read_text(encoding="utf-8"))
    assert told == NAMES
    assert len(NAMES) == len(set(NAMES)) == 8


@pytest.mark.parametrize("alarm", ALARMS, ids=NAMES)
def test_an_alarm_asks_for_events_and_fields_that_are_logged(alarm: dict[str, Any]) -> None:
    known, text = logged(), query(alarm)
    search, _, statement = text.partition("|")
    events = re.findall(r'"(\w+)"', search)
    assert set(events) <= known.keys()
    assert set(events) | {"result"} >= set(re.findall(r"(?:IN \(|, )'(\w+)'", statement))
    every = set().union(*(known[each] for each in events)) | {"event"}
    for field in re.findall(r"'\$\.([\w.]+)'", statement):
        top, _, inner = field.partition(".")
        assert top in every, field
        assert not inner or (top == "error" and inner in Problem.__struct_fields__), field


@pytest.mark.parametrize("alarm", ALARMS, ids=NAMES)
def test_an_alarm_is_a_body_of_createalert_with_places_to_fill(alarm: dict[str, Any]) -> None:
    text = json.dumps(alarm)
    assert [each for each in PLACES if text.count(f'"{each}"') != 1] == []
    (severity,) = alarm["configuration"]["severityConfigurations"]
    assert severity["evalCondition"]["countCondition"] == "__count__ > 0"
    assert len(alarm["displayName"]) <= 64
    assert alarm["configuration"]["queryList"][0]["start"].startswith("-")
