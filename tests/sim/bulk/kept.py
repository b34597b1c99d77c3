"""Schedules that find deliberate bugs, kept in `kept.json` as lists of choices, not as seeds.

A seed means another schedule after the next change of the drawing; a list of choices does not. One that
finds its bug no more is looked for anew by `python -m tests.sim.bulk --keep`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.sim.bulk import bugs, campaign, scenario
from tests.sim.bulk.campaign import Kept

PLACE = Path(__file__).with_name("kept.json")
WITHIN = 10_000  # schedules in which a deliberate bug has to be found


def schedules() -> dict[str, Kept]:
    """The kept schedules, by the bug that each finds."""
    found = json.loads(PLACE.read_text()) if PLACE.exists() else {}
    return {bug: Kept(scenario.read(each["scenario"]), each["choices"]) for bug, each in found.items()}


def finds(bug: str, kept: Kept) -> bool:
    """Whether the schedule breaks nothing, and something with this bug."""
    if campaign.play(kept)[1]:
        return False
    with bugs.EVERY[bug]():
        return bool(campaign.play(kept)[1])


def search(bug: str) -> tuple[int, Kept] | None:
    """The first of `WITHIN` seeds that finds the bug and nothing without it, and its schedule, made small."""
    first = 1
    while True:
        with bugs.EVERY[bug]():
            found = campaign.search(range(first, WITHIN), campaign.Tally())
            if found is None:
                return None
            small = campaign.minimise(found[0])
        if finds(bug, small):
            return found[0], small
        first = found[0] + 1


def renew() -> int:
    """Keep a schedule for each bug; those that still find theirs stay. Return 1 if one is not found."""
    known, missing = schedules(), 0
    for bug in bugs.EVERY:
        if bug in known and finds(bug, known[bug]):
            continue
        if (found := search(bug)) is None:
            missing = 1
            sys.stdout.write(f"{WITHIN} schedules did not find that {bug}\n")
            continue
        seed, known[bug] = found
        sys.stdout.write(f"schedule {seed} finds that {bug}\n")
        sys.stdout.flush()
    texts = {bug: asdict(known[bug]) for bug in bugs.EVERY if bug in known}
    PLACE.write_text(json.dumps(texts, indent=1) + "\n")
    return missing
