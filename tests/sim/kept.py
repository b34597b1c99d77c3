"""Schedules that find deliberate bugs, kept in `kept.json` as lists of choices, not as seeds.

A seed means another schedule after the next change of the drawing; a list of choices does not. One that finds
its bug no more, since the product asks otherwise now, is looked for anew by `python -m tests.sim --keep`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from tests.sim import bugs, campaign
from tests.sim.faults import Fault
from tests.sim.scenario import Scenario, Schedule

PLACE = Path(__file__).with_name("kept.json")
WITHIN = 10_000  # schedules in which a deliberate bug has to be found


def schedules() -> dict[str, Schedule]:
    """The kept schedules, by the bug that each finds."""
    found = json.loads(PLACE.read_text()) if PLACE.exists() else {}
    return {bug: _read(each) for bug, each in found.items()}


def finds(bug: str, schedule: Schedule) -> bool:
    """Whether the schedule breaks nothing, and something with this bug."""
    if campaign.play(schedule).violations:
        return False
    with bugs.BUGS[bug]():
        return bool(campaign.play(schedule).violations)


def search(bug: str) -> tuple[int, Schedule] | None:
    """The first of `WITHIN` seeds that finds the bug, and its schedule, made small."""
    with bugs.BUGS[bug]():
        seed = campaign.search(range(1, WITHIN), campaign.Tally())
        return None if seed is None else (seed, campaign.minimise(campaign.drawn(seed)))


def renew() -> int:
    """Keep a schedule for each bug; those that still find theirs stay. Return 1 if one is not found."""
    known, missing = schedules(), 0
    for bug in bugs.BUGS:
        if bug in known and finds(bug, known[bug]):
            continue
        if (found := search(bug)) is None:
            missing = 1
            sys.stdout.write(f"{WITHIN} schedules did not find that {bug}\n")
            continue
        seed, known[bug] = found
        sys.stdout.write(f"schedule {seed} finds that {bug}\n")
    texts = {bug: _write(known[bug]) for bug in bugs.BUGS if bug in known}
    PLACE.write_text(json.dumps(texts, indent=1) + "\n")
    return missing


def _write(schedule: Schedule) -> dict[str, Any]:
    assert schedule.seed is None
    return {
        "scenario": asdict(schedule.scenario),
        "faults": [asdict(fault) for fault in schedule.faults],
        "choices": dict(schedule.choices),
    }


def _read(text: dict[str, Any]) -> Schedule:
    """Read what `_write` wrote; what is not known any more is an error, what is new has its default."""
    known = {each.name for each in fields(Scenario)}
    assert set(text["scenario"]) <= known, set(text["scenario"]) - known
    faults = tuple(Fault(**fault) for fault in text["faults"])
    return Schedule(Scenario(**text["scenario"]), faults, choices=text["choices"])
