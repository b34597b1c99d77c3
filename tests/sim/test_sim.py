"""The invariants of a copy over seeded schedules, and proof that the simulation can fail."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from osscopy.model import Result
from tests.sim import bugs, campaign, faults, invariants, kept, records
from tests.sim.faults import Fault
from tests.sim.scenario import Scenario
from tests.sim.scheduler import Simulation

SECONDS = float(os.environ.get("SIM_SECONDS", "60"))  # of simulation, on two processes where there are two
KEPT = kept.schedules()
CALM = Scenario(
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


def on_record(run: Simulation) -> Result:
    """What `done/` says of the copy that was asked for."""
    done = records.done(run.world, run.job)
    assert done is not None
    return done.result


@pytest.mark.parametrize("first", [1, 10_000_001])
def test_no_schedule_breaks_an_invariant(record_property: Callable[[str, object], None], first: int) -> None:
    tally, begun = campaign.Tally(), time.monotonic()
    found = None
    while time.monotonic() - begun < SECONDS / 2 and found is None:
        found = campaign.search(range(first, first + 500), tally)
        first += 500
    seconds = time.monotonic() - begun
    rate = tally.schedules / seconds
    record_property("simulated", f"{tally.schedules} schedules in {seconds:.0f} s ({rate:.0f}/s)")
    assert found is None, campaign.story(campaign.drawn(found or 0))


@pytest.mark.parametrize("entry", ["queue", "doubt"])
def test_what_http_leaves_to_the_queue_breaks_no_invariant(entry: str) -> None:
    """A copy for which there was no instance, and one whose first invocation may be at work still."""
    for seed in range(1, 600):
        drawn = campaign.drawn(seed)
        if not drawn.scenario.by_rule:
            schedule = replace(drawn, scenario=replace(drawn.scenario, entry=entry))
            assert campaign.play(schedule).violations == [], campaign.story(schedule)


def test_the_faults_of_a_campaign_are_of_every_kind() -> None:
    tally = campaign.Tally()
    assert campaign.search(range(1, 1000), tally) is None
    assert set(tally.struck) == {*faults.ON_REQUEST, *faults.BESIDE, *faults.ON_SUBMIT}
    assert {"succeeded", "failed", "cancelled"} <= set(tally.outcomes)


def test_a_seed_is_the_same_schedule_every_time() -> None:
    for seed in range(50):
        one, two = (campaign.play(campaign.drawn(seed), trace=True) for _ in range(2))
        assert one.trace == two.trace


def test_a_schedule_is_the_same_as_a_list_of_its_choices() -> None:
    for seed in range(50):
        listed = campaign.listed(campaign.drawn(seed))
        assert listed.seed is None
        one, two = (campaign.play(listed, trace=True) for _ in range(2))
        assert one.trace == two.trace
        assert [each.name for each in one.processes] == [
            each.name for each in campaign.play(campaign.drawn(seed)).processes
        ]


@pytest.mark.parametrize("bug", bugs.BUGS)
def test_a_deliberate_bug_is_found(bug: str) -> None:
    """By the schedule that is kept, or by one of many, where the product has changed since."""
    if bug not in KEPT or not kept.finds(bug, KEPT[bug]):
        with bugs.BUGS[bug]():
            found = campaign.search(range(1, kept.WITHIN), campaign.Tally())
        assert found is not None, f"{kept.WITHIN} schedules did not find that {bug}"


def test_the_schedules_that_are_kept_break_nothing() -> None:
    for bug, schedule in KEPT.items():
        assert campaign.play(schedule).violations == [], bug


def test_a_failing_seed_is_told_with_no_more_than_it_takes() -> None:
    of_two = "an upload got parts of two versions of the source"
    with bugs.BUGS["parts are not pinned"]():
        found = next(
            seed
            for seed in range(1, kept.WITHIN)
            if any(of_two in each for each in campaign.play(campaign.drawn(seed)).violations)
        )
        fewest = campaign.minimise(campaign.drawn(found))
        struck = fewest.faults
        for n in range(len(struck)):
            fewer = replace(fewest, faults=struck[:n] + struck[n + 1 :])
            assert not campaign.play(fewer).violations
        story = campaign.story(fewest)
    assert "\nVIOLATION: " in story
    assert story.count("\nfault: ") == len(struck) <= 4


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
    """The redelivery called a job succeeded whose record said that it was under way."""
    run = campaign.run(
        replace(CALM, entry="http", size=76_719, former=False, timeout=60.0, part_seconds=0.05),
        (
            Fault(faults.BYTES, "head source", 2, 3.3, choice=0.5),
            Fault(faults.KILL_AFTER, "initiate", 1, 0.07),
        ),
    )
    assert run.violations == []
    opened, result = records.opened(run.world, run.job), on_record(run)
    assert opened is not None
    assert run.world.source is not None
    assert (opened.method, opened.pin.size, run.world.source.size) == ("multipart", 76_719, 50_000)
    assert result.error is not None
    assert (result.status, result.error.code) == ("failed", "SourceChanged")
    assert run.requests["copy object"] == 0


def test_an_abort_whose_answer_was_lost_does_not_make_a_completed_copy_a_cancelled_one() -> None:
    """The canceller took the 404 of its second abort for the work of its first."""
    struck = (
        Fault(faults.KILL_LATE, "complete", 1, 1.0),
        Fault(faults.CANCEL, "complete", 1, 0.0),
        Fault(faults.NEVER, "abort", 1, 2.0),
    )
    run = campaign.run(CALM, struck)
    assert run.violations == []
    assert run.requests["abort"] == 3, "two of the canceller, and one before it is forgotten"
    assert on_record(run).status == "succeeded"
    with bugs.BUGS["cancelled reported without looking"]():
        assert campaign.run(CALM, struck).violations != []


def test_a_copy_that_is_skipped_after_it_was_put_on_record_is_closed_at_once() -> None:
    """It was handed over, and the destination came to be the same: it stayed `running` for two sweeps."""
    asked = replace(CALM, entry="http", overwrite="ifDifferent", former=False)
    run = campaign.run(
        asked, (Fault(faults.RIVAL, "head source", 1, 0.0), Fault(faults.DELAYED, "submit", 1, 9.0))
    )
    assert run.violations == []
    done = run.world.ever[f"done/{run.job}"]
    assert done[0] < min(process.began for process in run.processes if process.name.startswith("sweep"))


def test_who_waits_to_name_an_outcome_is_not_sent_away_by_the_next_sweep() -> None:
    """Each sweep started a younger chain, and each waited anew: the copy never came to an end."""
    unbroken(CALM, Fault(faults.KILL_AFTER, "complete", 1, 0.1), Fault(faults.FOREIGN, "complete", 1, 0.2))


def test_a_hop_that_wakes_up_after_its_chain_was_replaced_leaves() -> None:
    slow = replace(CALM, size=6 * 100 * 1024, part_seconds=20 / 6)
    run = campaign.run(slow, (Fault(faults.DELAYED, "submit", 1, 78.0),))
    assert run.violations == []
    late = [each for each in run.processes if each.name == "g0-l1-h2#1"]
    assert [each.answer.status for each in late if each.answer] == ["running"]
    assert run.requests["copy part"] == 6


def test_an_abort_that_an_outage_keeps_from_happening_happens_later() -> None:
    unbroken(CALM, Fault(faults.DELETE, "list parts", 1, 0.01), Fault(faults.OUTAGE, "abort", 1, 14.5))


@pytest.mark.parametrize("part_seconds", range(40, 230, 10))
def test_a_chain_whose_link_is_lost_moves_again_within_two_periods_of_the_sweep(part_seconds: int) -> None:
    """As in s.yaml: 600 s for an invocation, a sweep every 900 s; lost at all times between two sweeps."""
    period = 900.0
    slow = replace(CALM, size=2_000_000, timeout=600.0, period=period, part_seconds=float(part_seconds))
    run = campaign.run(slow, (Fault(faults.MISLAID, "submit", 1, 0.0),))
    assert run.violations == []
    first, second = [each for each in run.processes if not each.name.startswith("sweep")][:2]
    assert first.answer is not None
    assert first.answer.status == "running"
    assert second.began - first.ended_at <= 2 * period, (first.ended_at, second.began)


def test_a_delivery_that_skips_ends_the_upload_that_another_has_opened_meanwhile() -> None:
    """Two deliveries of a copy: one has begun and died, the other sees that there is nothing left to do."""
    run = campaign.run(
        replace(CALM, overwrite="ifDifferent", former=False),
        (Fault(faults.RIVAL, "head source", 1, 0.0), Fault(faults.KILL_AFTER, "put up", 1, 0.0)),
    )
    assert run.violations == []
    first, second = run.world.uploads.values()
    assert (first.state, second.state) == ("aborted", "completed")
    assert on_record(run).status == "skipped"
    swept = min(process.began for process in run.processes if process.name.startswith("sweep"))
    assert run.world.ever[f"done/{run.job}"][0] < swept


def test_an_outcome_that_is_put_on_record_late_ends_the_upload_of_the_next_delivery() -> None:
    """Killed while it put on record that there is no source, which is there when the event comes again."""
    run = campaign.run(
        replace(CALM, size=90_000, timeout=60.0, part_seconds=10.0),
        (
            Fault(faults.DELETE, "", 1, 0.0),
            Fault(faults.KILL_LATE, "put done", 1, 7.0),
            Fault(faults.BYTES, "put done", 1, 0.01, choice=0.0),
        ),
    )
    assert run.violations == []
    assert [each.answer.status for each in run.processes if each.answer] == ["failed"]


def test_a_small_copy_that_http_calls_running_is_begun_by_the_sweep_if_its_link_is_lost() -> None:
    unanswered = [Fault(faults.NEVER, "copy object", attempt, 8.4) for attempt in (1, 2)]
    small = replace(CALM, entry="http", size=50_000)
    run = campaign.run(small, (Fault(faults.MISLAID, "submit", 1, 0.3), *unanswered))
    assert run.violations == []
    answers = [each.answer.status for each in run.processes if each.answer]
    assert answers == ["running", "succeeded"], run.processes


@pytest.mark.parametrize("fault", [faults.NEVER, faults.LATE, faults.LOST])
def test_a_small_copy_in_doubt_is_cancelled_when_nothing_can_land_any_more(fault: str) -> None:
    """HTTP has handed it over when it is cancelled; what is said of it is what the destination shows."""
    small = replace(CALM, entry="http", size=50_000, timeout=60, former=False)
    unanswered = [Fault(fault, "copy object", attempt, 9.0) for attempt in (1, 2)]
    run = campaign.run(small, (*unanswered, Fault(faults.CANCEL, "put open", 1, 0.01)))
    assert run.violations == []
    result = on_record(run)
    landed = any(shown.origin == "copy" for shown in run.world.shown)
    assert result.status == ("succeeded" if landed else "cancelled")
    assert landed == (fault != faults.NEVER)
    (cancel,) = (each for each in run.processes if each.name == "cancel#1")
    assert cancel.answer is not None
    by_then = any(shown.origin == "copy" and shown.modified < cancel.began for shown in run.world.shown)
    assert cancel.answer.status == ("succeeded" if by_then else "running")


def test_parts_that_land_after_nobody_waits_for_them_any_more_are_progress() -> None:
    slow = replace(CALM, size=4 * 102_400, timeout=20, part_seconds=24, period=600)
    run = campaign.run(slow, (Fault(faults.SLOW, "copy object", 1, 0.0),))  # which is never met
    result = on_record(run)
    assert (result.status, run.violations) == ("succeeded", [])


def test_what_a_cancelled_small_copy_may_have_written_is_called_unknown() -> None:
    """Its instance dies within a CopyObject that lands late; the source is another one, and then gone."""
    small = replace(CALM, size=50_000, timeout=60, by_rule=True, keeps=True)
    struck = (
        Fault(faults.KILL_LATE, "copy object", 1, 20.0),
        Fault(faults.TAGS, "copy object", 1, 0.3),
        Fault(faults.KILL, "find destination", 2, 0.0),
        Fault(faults.CANCEL, "put open", 1, 0.01),
        Fault(faults.DELETE, "put open", 1, 15.0),
    )
    run = campaign.run(small, struck)
    assert run.violations == []
    result = on_record(run)
    assert result.error is not None
    assert result.error.code == "OutcomeUnknown"
    assert run.world.shown[-1].origin == "copy"


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
    look = 1 if size < 60_000 else 2  # parts look before they are begun
    for fault in (Fault(kind, request, 1, seconds), Fault(kind, "find destination", look, seconds)):
        run = campaign.run(ruled, (fault,))
        source, shown = run.world.source, run.world.destination
        assert run.violations == []
        assert source is not None
        assert shown is not None
        if size > 60_000 or seconds == 0:  # a small copy leaves no record for a later look
            assert (shown.content, shown.meta) == (source.content, source.meta), run.faults


def test_a_killed_small_copy_that_lands_on_a_newer_one_is_put_right() -> None:
    """FC delivers its event again and says so, so that it is on record when its first CopyObject lands."""
    small = replace(CALM, size=50_000, former=False, versioned=True, by_rule=True, timeout=60)
    late = Fault(faults.KILL_LATE, "copy object", 1, 13.05, survives=True)
    run = campaign.run(small, (Fault(faults.META, "", 8, 1.323), late))
    assert run.violations == []
    assert run.requests["copy object"] == 4, "the event's, again, the next event's, and the follow-up"


def test_a_copy_that_had_no_answer_and_then_a_refusal_is_put_right_when_it_lands_late() -> None:
    """The source changed between two attempts at a CopyObject, and the first one landed after all."""
    small = replace(CALM, size=50_000, former=False, by_rule=True, timeout=20, part_seconds=0.5)
    late = Fault(faults.LATE, "copy object", 1, 8.59)
    run = campaign.run(small, (Fault(faults.BYTES, "copy object", 1, 0.09), late))
    assert run.violations == []
    assert [shown.content for shown in run.world.shown if shown.origin == "copy"] == [2, 1, 2]


def test_a_source_that_is_gone_is_not_followed() -> None:
    run = campaign.run(replace(CALM, by_rule=True), (Fault(faults.DELETE, "find destination", 2, 0.0),))
    assert run.violations == []
    assert len(run.world.shown) == 2


# --- settings that change, lists, doubt --------------------------------------------------------------------


@pytest.mark.parametrize(("timeout", "then"), [(20.0, 60.0), (20.0, 240.0), (240.0, 20.0)])
def test_a_chain_that_is_lost_again_goes_on_after_the_timeout_was_changed(
    timeout: float, then: float
) -> None:
    """The sweep's own chain is lost as well; patience, and the period of the sweep, change in between."""
    slow = replace(CALM, size=40 * 102_400, timeout=timeout, part_seconds=min(timeout, then) / 6)
    lost = (Fault(faults.MISLAID, "submit", 1, 0.0), Fault(faults.MISLAID, "submit", 2, 0.0))
    simulation = Simulation(slow, lost)
    simulation.at(3 * timeout, lambda: setattr(simulation, "timeout", then))
    simulation.run()
    invariants.check(simulation)
    assert simulation.violations == []
    assert on_record(simulation).status == "succeeded"


def test_nothing_is_forgotten_while_an_invocation_of_the_former_timeout_may_still_write() -> None:
    """It is killed with a CopyObject under way that lands late, and the timeout is lowered at once."""
    small = replace(CALM, size=50_000, timeout=240.0, period=30.0, former=False, by_rule=True)
    late = Fault(faults.LATE, "copy object", 1, 200.0)
    simulation = Simulation(small, (late,))
    simulation.at(1.0, lambda: setattr(simulation, "timeout", 20.0))
    simulation.run()
    invariants.check(simulation)
    assert simulation.violations == []
    landed = max(each.modified for each in simulation.world.shown if each.origin == "copy")
    assert simulation.world.forgotten[f"open/{simulation.job}"] > landed


@pytest.mark.parametrize("threshold", [60_000, 1_000_000])
def test_a_list_that_is_too_long_is_handed_over_and_each_copy_of_it_is_made_once(threshold: int) -> None:
    many = replace(CALM, entry="list", listed=12, size=50_000, part_seconds=2.0, threshold=threshold)
    run = campaign.run(many, ())
    assert run.violations == []
    assert run.requests["copy object"] == 12
    assert sum(1 for name in run.messages if name.startswith("l-")) >= 1


def test_the_rest_of_a_list_that_fc_loses_is_handed_over_by_the_sweep() -> None:
    many = replace(CALM, entry="list", listed=12, size=50_000, part_seconds=2.0)
    run = campaign.run(many, (Fault(faults.MISLAID, "submit", 1, 0.0),))
    assert run.violations == []
    ends = [[answer.status for _, answer in run.answers(each.job)] for each in run.list]
    assert all(each[-1] == "succeeded" for each in ends), ends
    assert ["running", "succeeded"] in ends


def test_a_copyobject_that_outlasts_its_wait_goes_on_in_parts_and_lands_beside_them() -> None:
    large = replace(CALM, size=6 * 102_400, part_seconds=0.1, threshold=1_000_000, former=False)
    run = campaign.run(large, (Fault(faults.SLOW, "copy object", 1, 30.0),))
    assert run.violations == []
    assert (run.requests["copy object"], run.requests["copy part"]) == (1, 6)
    assert len(run.world.shown) == 2


def test_a_copy_that_landed_unheard_is_found_by_the_sweep_and_not_repeated() -> None:
    small = replace(CALM, entry="direct", size=50_000, former=False)
    struck = (Fault(faults.LATE, "copy object", 1, 9.0), Fault(faults.OUTAGE, "find destination", 1, 30.0))
    run = campaign.run(small, struck)
    assert run.violations == []
    assert run.requests["copy object"] == 1


def test_a_look_at_the_source_between_two_changes_is_no_look_at_what_was_pinned() -> None:
    """HEAD saw other tags, and the tags that were read then were those of a newer version again."""
    run = campaign.run(
        replace(CALM, size=72_107, former=False, part_seconds=20 / 6, page=1),
        (Fault(faults.TAGS, "initiate", 1, 1.69), Fault(faults.BYTES, "list parts", 2, 0.16)),
    )
    assert run.violations == []
    assert next(each.answer.status for each in run.processes if each.answer) == "failed"
