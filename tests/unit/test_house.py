"""Rules of the house that no linter has: exceptions say why, documents know the log and the long tests."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import LONG
from tests.coverage import PRODUCT, read_reasons
from tests.flow import documents

ROOT = Path(__file__).parents[2]
BARE = re.compile(
    r"#\s*noqa(: [A-Z0-9, ]+)?\s*$|#\s*type: ignore(\[[a-z, -]+\])?\s*$|#\s*pragma: no cover\s*$"
)
EVENT = re.compile(r"log\(\s*\"([A-Za-z]+)\"")


def test_every_exception_from_a_rule_has_its_reason() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for folder in ("functions", "tests", "layers/sdk")
        for path in sorted((ROOT / folder).glob("**/*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if BARE.search(line)
    ]
    assert bare == []


def test_the_document_explains_every_event_of_the_log_and_no_other() -> None:
    product = (ROOT / "functions/oss_copy/osscopy").rglob("*.py")
    logged = {name for path in product for name in EVENT.findall(path.read_text(encoding="utf-8"))}
    text = (ROOT / "functions/LOG.md").read_text(encoding="utf-8")
    table = text.partition("\n| event | says |\n")[2].partition("\n\n")[0]
    told = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert told == logged


def test_the_tests_that_are_named_as_long_are_there() -> None:
    begun_first = [each.partition("::")[::2] for each in LONG]
    assert [each for each in begun_first if f"def {each[1]}(" not in (ROOT / each[0]).read_text()] == []
    rows = documents.table(documents.read(documents.CHECKS), "test", "what it alone shows", "at length")
    named = [each for row in rows for each in documents.spans(row[0])]
    every = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    files = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert len(named) > len(rows) > 8
    there = [each for each in named if each.rpartition("/")[2] in files or f"def {each}(" in every]
    assert there == named


def test_what_is_not_covered_is_there_and_has_a_reason() -> None:
    reasons = read_reasons()
    gone = [
        spot
        for spot in reasons
        if spot.text
        not in map(str.strip, (ROOT / PRODUCT / spot.file).read_text(encoding="utf-8").splitlines())
    ]
    assert gone == []
    assert all(len(reason) > 40 for reason in reasons.values())
