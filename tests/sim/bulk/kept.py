"""Schedules that find deliberate bugs, kept in `kept.json` as lists of choices, not as seeds.

A seed means another schedule after the next change of the drawing; a list of choices does not. One that
finds its bug no more is looked for anew by `python -m tests.sim.bulk --keep`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.sim.bulk import bugs, campaign, delete_bugs, scenario
from tests.sim.bulk.campaign import Draw, Kept
from tests.sim.bulk.deleting import deleting

WITHIN = 10_000  # schedules in which a deliberate bug has to be found


@dataclass(frozen=True)
class Family:
    """Bugs that are looked for in the same scenarios, and where their schedules are kept."""

    bugs: Mapping[str, Callable[[], AbstractContextManager[None]]]
    place: Path
    draw: Draw


COPIES = Family(bugs.EVERY, Path(__file__).with_name("kept.json"), scenario.drawn)
DELETIONS = Family(delete_bugs.EVERY, Path(__file__).with_name("kept_deletions.json"), deleting)


def schedules(family: Family) -> dict[str, Kept]:
    """The kept schedules, by the bug that each finds."""
    found = json.loads(family.place.read_text()) if family.place.exists() else {}
    return {bug: Kept(scenario.read(each["scenario"]), each["choices"]) for bug, each in found.items()}


def finds(family: Family, bug: str, kept: Kept) -> bool:
    """Whether the schedule breaks nothing, and something with this bug."""
    if campaign.play(kept)[1]:
        return False
    with family.bugs[bug]():
        return bool(campaign.play(kept)[1])


def search(family: Family, bug: str) -> tuple[int, Kept] | None:
    """The first of `WITHIN` seeds that finds the bug and nothing without it, and its schedule, made small."""
    first = 1
    while True:
        with family.bugs[bug]():
            found = campaign.search(range(first, WITHIN), campaign.Tally(), draw=family.draw)
            if found is None:
                return None
            small = campaign.minimise(found[0], family.draw)
        if finds(family, bug, small):
            return found[0], small
        first = found[0] + 1


def renew(family: Family) -> int:
    """Keep a schedule for each bug; those that still find theirs stay. Return 1 if one is not found."""
    known, missing = schedules(family), 0
    for bug in family.bugs:
        if bug in known and finds(family, bug, known[bug]):
            continue
        if (found := search(family, bug)) is None:
            missing = 1
            sys.stdout.write(f"{WITHIN} schedules did not find that {bug}\n")
            continue
        seed, known[bug] = found
        sys.stdout.write(f"schedule {seed} finds that {bug}\n")
        sys.stdout.flush()
        _write(family, known)
    _write(family, known)
    return missing


def _write(family: Family, known: Mapping[str, Kept]) -> None:
    texts = {bug: asdict(known[bug]) for bug in family.bugs if bug in known}
    family.place.write_text(json.dumps(texts, indent=1) + "\n")
