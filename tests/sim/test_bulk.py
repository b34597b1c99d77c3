"""Jobs of many objects under drawn faults: no schedule breaks what must be true, and each bug is found."""

from __future__ import annotations

import os
import secrets

import pytest

from tests.sim.bulk import bugs, campaign, kept
from tests.sim.bulk.campaign import Tally
from tests.sim.bulk.scenario import FORMS, drawn

SECONDS = float(os.environ.get("SIM_SECONDS", "10"))  # of new schedules in each run
FOUND = kept.schedules(kept.COPIES)  # the schedule that finds each bug, looked for within 10,000


def test_no_schedule_breaks_what_must_be_true() -> None:
    first = secrets.randbelow(1 << 40)
    wrong = campaign.search(range(first, first + 1_000_000), Tally(), SECONDS)
    assert wrong is None, f"seed {wrong[0]}: {wrong[1]}"


def test_every_bug_has_a_schedule_that_finds_it() -> None:
    assert FOUND.keys() == bugs.EVERY.keys(), "renew them: python -m tests.sim.bulk --keep"


@pytest.mark.parametrize("name", bugs.EVERY)
def test_a_deliberate_bug_is_found_by_a_schedule_that_finds_nothing_without_it(name: str) -> None:
    assert campaign.play(FOUND[name])[1] == []
    with bugs.EVERY[name]():
        _, wrong = campaign.play(FOUND[name])
    assert wrong, "renew it: python -m tests.sim.bulk --keep"


def test_a_schedule_is_the_same_each_time() -> None:
    one, other = campaign.run(7, trace=True)[0], campaign.run(7, trace=True)[0]
    assert one.trace == other.trace
    assert one.trace


def test_scenarios_have_all_that_may_go_wrong() -> None:
    many = [drawn(seed) for seed in range(400)]
    assert any(each.large for each in many)
    assert any(each.workers > 1 and len(each.keys) > 6 for each in many)
    assert any(each.changes and not each.threads for each in many)
    assert any(each.denied and each.max_failures < len(each.denied) for each in many)
    assert {each.form for each in many} == {"", *FORMS}
    assert any("" in each.lines for each in many)
    assert any(len(set(each.lines)) < len(each.lines) for each in many)
    assert {what for each in many for what in each.happens} >= {"put", "delete", "cancel", "sweep", "foreign"}
    kinds = {kind for each in many for every in each.kinds.values() for kind in every}
    assert kinds >= {"kill", "kill late", "late", "lost", "mislaid", "twice", "much later"}
