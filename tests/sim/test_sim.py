"""The invariants of a copy over seeded schedules, and proof that the simulation can fail."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.sim import bugs, campaign, faults
from tests.sim.faults import Fault
from tests.sim.scheduler import Scenario

SECONDS = float(os.environ.get("SIM_SECONDS", "20"))
WITHIN = 10_000  # schedules in which a deliberate bug has to be found
CALM = Scenario(
    seed=1,
    entry="event",
    size=150_000,
    overwrite="always",
    former=True,
    versioned=False,
    timeout=20.0,
    part_seconds=0.5,
    page=1000,
    skew=0.0,
)


def test_no_schedule_breaks_an_invariant(record_property: Callable[[str, object], None]) -> None:
    tally, begun, first = campaign.Tally(), time.monotonic(), 1
    found = None
    while time.monotonic() - begun < SECONDS and found is None:
        found = campaign.search(range(first, first + 500), tally)
        first += 500
    seconds = time.monotonic() - begun
    rate = tally.schedules / seconds
    record_property("simulated", f"{tally.schedules} schedules in {seconds:.0f} s ({rate:.0f}/s)")
    assert found is None, campaign.story(found or 0)


def test_the_faults_of_a_campaign_are_of_every_kind() -> None:
    tally = campaign.Tally()
    assert campaign.search(range(1, 1000), tally) is None
    assert set(tally.struck) == {*faults.ON_REQUEST, *faults.BESIDE, *faults.ON_SUBMIT}
    assert {"succeeded", "failed", "cancelled"} <= set(tally.outcomes)


def test_a_seed_is_the_same_schedule_every_time() -> None:
    for seed in range(50):
        one, two = (campaign.run(*campaign.drawn(seed), trace=True) for _ in range(2))
        assert one.trace == two.trace


@pytest.mark.parametrize("bug", bugs.BUGS)
def test_a_deliberate_bug_is_found(bug: str) -> None:
    with bugs.BUGS[bug]():
        found = campaign.search(range(1, WITHIN), campaign.Tally())
    assert found is not None, f"{WITHIN} schedules did not find that {bug}"


def test_a_failing_seed_is_told_with_no_more_faults_than_it_takes() -> None:
    with bugs.BUGS["parts are not pinned"]():
        found = campaign.search(range(1, WITHIN), campaign.Tally())
        assert found is not None
        scenario, struck = campaign.drawn(found)
        fewest = campaign.minimise(scenario, struck)
        assert all(
            not campaign.run(scenario, fewest[:n] + fewest[n + 1 :]).violations for n in range(len(fewest))
        )
        story = campaign.story(found)
    assert "VIOLATION: an upload got parts of two versions of the source" in story
    assert story.count("\nfault: ") == len(fewest) <= 2


# --- what the simulation has found -------------------------------------------------------------------------


def unbroken(scenario: Scenario, *struck: Fault) -> None:
    assert campaign.run(scenario, struck).violations == []


def test_a_source_deleted_between_two_deliveries_leaves_no_upload() -> None:
    unbroken(CALM, Fault(faults.KILL_AFTER, "copy part", 1, 0.1), Fault(faults.DELETE, "copy part", 1, 0.1))


def test_a_copy_that_landed_is_no_failure_although_its_source_is_gone_when_the_event_comes_again() -> None:
    unbroken(CALM, Fault(faults.KILL_AFTER, "complete", 1, 0.1), Fault(faults.DELETE, "complete", 1, 0.1))


def test_a_copy_that_landed_does_not_stand_in_its_own_way_when_the_event_comes_again() -> None:
    never = replace(CALM, overwrite="never", former=False)
    unbroken(never, Fault(faults.KILL_AFTER, "complete", 1, 0.1))


def test_a_cancelled_copy_whose_upload_was_entered_last_has_it_ended_by_the_next_delivery() -> None:
    unbroken(
        CALM,
        Fault(faults.CANCEL, "initiate", 1, 0.001),
        Fault(faults.KILL_LATE, "put up", 1, 0.4),
        Fault(faults.SLOW, "put done", 1, 0.4),
    )


def test_a_source_that_became_small_is_not_copied_by_a_job_bound_to_the_large_one() -> None:
    """The redelivery of seed 662 called a job succeeded whose record said that it was under way."""
    scenario, struck = campaign.drawn(662)
    unbroken(scenario, *struck)


def test_an_abort_whose_answer_was_lost_does_not_make_a_completed_copy_a_cancelled_one() -> None:
    """The canceller of seed 288048 took the 404 of its second abort for the work of its first."""
    scenario, struck = campaign.drawn(288048)
    unbroken(scenario, *struck)


def test_an_abort_that_an_outage_keeps_from_happening_happens_later() -> None:
    unbroken(CALM, Fault(faults.DELETE, "list parts", 1, 0.01), Fault(faults.OUTAGE, "abort", 1, 14.5))


# --- copies made by a rule ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [50_000, 150_000])
@pytest.mark.parametrize(
    ("kind", "seconds"),
    [(faults.BYTES, 0.0), (faults.META, 0.0), (faults.BYTES, 1.5), (faults.BYTES, 9.0)],
)
def test_a_rules_destination_keeps_up_with_a_source_that_changes(
    size: int, kind: str, seconds: float
) -> None:
    """Whether it changes while the copy is made, after the last look of a hop, or after all is done."""
    ruled = replace(CALM, size=size, by_rule=True)
    request = "copy object" if size < 60_000 else "complete"
    for fault in (Fault(kind, request, 1, seconds), Fault(kind, "find destination", 1, seconds)):
        run = campaign.run(ruled, (fault,))
        source, shown = run.world.source, run.world.destination
        assert run.violations == []
        assert source is not None
        assert shown is not None
        if size > 60_000 or seconds == 0:  # a small copy leaves no record for a later look
            assert (shown.content, shown.meta) == (source.content, source.meta), run.faults


def test_a_source_that_is_gone_is_not_followed() -> None:
    run = campaign.run(replace(CALM, by_rule=True), (Fault(faults.DELETE, "find destination", 1, 0.0),))
    assert run.violations == []
    assert len(run.world.shown) == 2
