"""Lanes and hand-overs under chosen faults, in virtual time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from osscopy.model import Result
from tests.sim import campaign, faults, records
from tests.sim.faults import Fault
from tests.sim.scenario import PART, Scenario
from tests.sim.scheduler import EPOCH, Simulation
from tests.sim.test_sim import CALM

FOUR = replace(CALM, size=24 * PART, lanes=4, parallel=2, timeout=60.0, part_seconds=1.0)
LONG = replace(CALM, size=12 * PART, parallel=2, part_seconds=5.0)  # some four parts a hop


def ran(scenario: Scenario, *struck: Fault) -> Simulation:
    run = campaign.run(scenario, struck)
    assert run.violations == []
    return run


def result(run: Simulation) -> Result:
    done = records.done(run.world, run.job)
    assert done is not None
    return done.result


def seconds(run: Simulation) -> float:
    return run.world.ever[f"done/{run.job}"][0] - EPOCH


def lanes_at_work(run: Simulation) -> set[str]:
    return {each.name.partition("-h")[0] for each in run.processes if "-l" in each.name}


def test_four_lanes_copy_at_the_same_time_and_hardly_a_part_twice() -> None:
    alone, four = ran(replace(FOUR, lanes=1)), ran(FOUR)
    assert (result(four).status, result(four).lanes, result(four).hops) == ("succeeded", 4, 4)
    assert four.requests["copy part"] <= 26
    assert seconds(four) < seconds(alone) / 2.5


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_lanes_whose_start_is_lost_are_copied_by_the_others_before_any_sweep(lost: int) -> None:
    run = ran(FOUR, *(Fault(faults.MISLAID, "submit", n, 0.0) for n in range(1, lost + 1)))
    assert result(run).status == "succeeded"
    assert len(lanes_at_work(run) - {"g0-l1"}) == 3 - lost
    assert seconds(run) < 60, "the first sweep comes after two minutes"


def test_a_lane_that_begins_late_finds_its_parts_copied() -> None:
    run = ran(FOUR, Fault(faults.DELAYED, "submit", 1, 45.0))
    assert result(run).status == "succeeded"
    assert seconds(run) < 40
    assert run.requests["copy part"] <= 30


def test_a_lane_that_is_throttled_alone_is_helped() -> None:
    run = ran(FOUR, Fault(faults.SQUEEZED, "copy part", 2, 0.0))
    assert result(run).status == "succeeded"
    assert seconds(run) < 90


def test_a_lane_whose_instance_dies_goes_on_and_is_counted_once() -> None:
    run = ran(FOUR, Fault(faults.KILL, "copy part", 9, 0.0))
    assert (result(run).status, result(run).lanes) == ("succeeded", 4)
    assert result(run).hops <= 5


def test_two_hops_of_one_lane_at_once_do_no_harm() -> None:
    run = ran(FOUR, Fault(faults.TWICE, "submit", 2, 0.2))
    assert (result(run).status, result(run).hops) == ("succeeded", 4)


def test_a_source_that_changes_ends_all_lanes() -> None:
    run = ran(FOUR, Fault(faults.BYTES, "copy part", 8, 0.1))
    error = result(run).error
    assert error is not None
    assert (result(run).status, error.code) == ("failed", "SourceChanged")
    assert seconds(run) < 30


def test_a_cancel_ends_all_lanes() -> None:
    run = ran(FOUR, Fault(faults.CANCEL, "copy part", 8, 0.1))
    assert result(run).status == "cancelled"
    assert run.requests["copy part"] < 24


def test_an_event_that_comes_twice_starts_no_lane_twice() -> None:
    run = ran(FOUR, Fault(faults.KILL, "copy part", 1, 0.0))
    assert result(run).status == "succeeded"
    assert len([task for task in run.messages if task.endswith("-h1")]) == 3


def test_a_copy_whose_lanes_all_died_is_resumed_with_all_lanes() -> None:
    killed = [Fault(faults.KILL, "copy part", n, 0.0) for n in range(1, 40)]
    run = ran(replace(FOUR, told=False), *killed)
    assert result(run).status == "succeeded"
    later = [task for task in run.messages if "-g0-" not in task and "-l" in task]
    assert {task.split("-")[-2] for task in later} >= {"l2", "l3", "l4"}


# --- handing over ------------------------------------------------------------------------------------------


def test_what_is_in_flight_when_a_hop_hands_over_is_copied_once() -> None:
    run = ran(LONG)
    assert result(run).status == "succeeded"
    assert result(run).hops >= 3
    assert any(b'"inFlight":[[' in each.payload for each in run.messages.values())
    assert run.requests["copy part"] == 12


@pytest.mark.parametrize("nth", range(1, 13))
@pytest.mark.parametrize("kind", [faults.NEVER, faults.LATE, faults.KILL_LATE, faults.SLOW])
def test_what_was_in_flight_and_does_not_come_is_copied_by_the_next_hop(kind: str, nth: int) -> None:
    run = ran(LONG, Fault(kind, "copy part", nth, 25.0))
    assert result(run).status == "succeeded"


def test_all_lanes_are_started_though_the_first_hop_has_no_time_for_parts() -> None:
    """A CopyObject outlasts its wait and takes most of the time; then the copy goes on in parts."""
    slow = replace(
        CALM,
        size=911_599,
        overwrite="ifDifferent",
        timeout=60.0,
        part_seconds=5.0,
        threshold=1_000_000,
        lanes=2,
    )
    chosen = {"arrival 1": 0.9747, "copy object 1": 0.7909, "arrival 10": 0.9621}
    run = campaign.run(slow, (), chosen)
    assert run.violations == []
    assert run.requests["copy part"] >= 9
