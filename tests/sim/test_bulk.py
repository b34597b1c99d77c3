"""Jobs of many objects under drawn faults: no schedule breaks what must be true, and each bug is found."""

from __future__ import annotations

import os
import secrets

import pytest

from tests.sim.bulk import bugs, campaign
from tests.sim.bulk.scenario import drawn

SECONDS = float(os.environ.get("SIM_SECONDS", "10"))  # of new schedules in each run

# The first seed that finds each bug, all within 10,000; a change of what is drawn finds others:
# `python -m tests.sim.bulk`.
FOUND = {
    "a_chain_starts_before_its_row_stands": 47,
    "a_hop_believes_its_event": 0,
    "a_phase_nobody_enters_again": 217,
    "a_twin_does_not_leave": 2,
    "an_end_is_not_written_when_stopped": 32,
    "cancel_forgets_children": 419,
    "child_started_twice": 47,
    "entry_not_write_once": 439,
    "it_does_not_wait_for_chains": 36,
    "join_reads_before_it_writes": 5,
    "no_second_join": 5,
    "page_cut_short_after_a_gap": 37,
    "rows_of_a_lost_race_kept": 1514,
    "split_beside_the_log": 1145,
    "sweep_skips_a_split": 16,
    "total_counted_twice": 12,
}


def test_no_schedule_breaks_what_must_be_true() -> None:
    first = secrets.randbelow(1 << 40)
    wrong = campaign.first_wrong(range(first, first + 1_000_000), SECONDS)
    assert wrong is None, f"seed {wrong[0]}: {wrong[1]}"


@pytest.mark.parametrize("seed", sorted(set(FOUND.values())))
def test_a_schedule_that_finds_a_bug_finds_nothing_without_it(seed: int) -> None:
    assert campaign.run(seed)[1] == []


def test_every_bug_has_a_schedule_that_finds_it() -> None:
    assert FOUND.keys() == bugs.EVERY.keys()
    assert max(FOUND.values()) < 10_000


@pytest.mark.parametrize("name", bugs.EVERY)
def test_a_deliberate_bug_is_found(name: str) -> None:
    with bugs.EVERY[name]():
        _, wrong = campaign.run(FOUND[name])
    assert wrong, "the oracle sees nothing wrong with it"


def test_a_schedule_is_the_same_each_time() -> None:
    one, other = campaign.run(7, trace=True)[0], campaign.run(7, trace=True)[0]
    assert one.trace == other.trace
    assert one.trace


def test_scenarios_have_large_objects_splits_and_events() -> None:
    many = [drawn(seed) for seed in range(200)]
    assert any(each.large for each in many)
    assert any(each.workers > 1 and len(each.keys) > 6 for each in many)
    assert {what for each in many for what in each.happens} >= {"put", "delete", "cancel", "sweep", "foreign"}
