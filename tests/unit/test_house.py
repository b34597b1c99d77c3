"""Rules of the house that no linter has: exceptions say why, OPERATING.md knows every line logged."""

from __future__ import annotations

import re
from pathlib import Path

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
    text = (ROOT / "functions/OPERATING.md").read_text(encoding="utf-8")
    table = text.partition("\n| event | says |\n")[2].partition("\n\n")[0]
    told = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert told == logged
