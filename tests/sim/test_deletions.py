"""Jobs that delete under drawn faults: no schedule deletes what it should not, and each bug is found."""

from __future__ import annotations

import os
import secrets

import pytest

from tests.sim.bulk import campaign, delete_bugs, kept
from tests.sim.bulk.campaign import Tally
from tests.sim.bulk.deleting import EVENTS, LISTINGS, deleting

SECONDS = float(os.environ.get("SIM_SECONDS", "10"))  # of new schedules in each run
FOUND = kept.schedules(kept.DELETIONS)  # the schedule that finds each bug, looked for within 10,000


def test_no_schedule_deletes_what_it_should_not() -> None:
    first = secrets.randbelow(1 << 40)
    wrong = campaign.search(range(first, first + 1_000_000), Tally(), SECONDS, deleting)
    assert wrong is None, f"seed {wrong[0]}: {wrong[1]}"


def test_every_bug_of_deletions_has_a_schedule_that_finds_it() -> None:
    assert FOUND.keys() == delete_bugs.EVERY.keys(), "renew them: python -m tests.sim.bulk --delete --keep"


@pytest.mark.parametrize("name", delete_bugs.EVERY)
def test_a_bug_of_deletions_is_found_by_a_schedule_that_finds_nothing_without_it(name: str) -> None:
    assert campaign.play(FOUND[name])[1] == []
    with delete_bugs.EVERY[name]():
        _, wrong = campaign.play(FOUND[name])
    assert wrong, "renew it: python -m tests.sim.bulk --delete --keep"


def test_scenarios_of_deletions_have_all_that_may_go_wrong() -> None:
    many = [deleting(seed) for seed in range(400)]
    assert any(len(each.extra) > each.max_delete > 0 for each in many)
    assert any(each.filtered and each.large and "t/1" in each.extra for each in many)
    assert any(each.denied for each in many)
    assert any(not each.keys or each.allow_empty for each in many)
    assert {what for each in many for what in each.happens} == set(EVENTS)
    kinds = {kind for each in many for every in each.kinds.values() for kind in every}
    assert kinds >= {"kill", "kill late", "late", "lost", "mislaid", "twice", *LISTINGS}
