"""Lanes: how many there are, which parts each copies, how they start and end, and what is counted."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from osscopy import plan
from osscopy.copying import hop, start, submit
from osscopy.copying.lanes.supply import Supply
from osscopy.jobs.forget import delete_records
from osscopy.model import (
    GIB,
    MIB,
    Continue,
    ListedPart,
    PartPage,
    Pin,
    Problem,
    Result,
    Tuning,
    Upload,
)
from tests.unit.engine import BUSY, PART, START, Engine, request

MINUTE = 60 * 32 * plan.PART_RATE  # bytes that one lane of 32 threads is trusted to copy in a minute


def divide(size: int, most: int = 8, threads: int = 32, **tuning: Any) -> plan.Division:
    return plan.divide(size, Tuning(**tuning), threads, 250.0, most=most)


# --- how many ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "lanes"), [(300 * MIB, 1), (MINUTE, 1), (MINUTE + 1, 2), (3 * MINUTE, 3), (60 * MINUTE, 8)]
)
def test_a_small_copy_has_one_lane_and_one_of_some_minutes_several(size: int, lanes: int) -> None:
    assert divide(size).lanes == lanes


def test_a_request_overrides_the_number_and_the_settings_cap_it() -> None:
    assert divide(GIB, lanes=4).lanes == 4
    assert divide(60 * MINUTE, lanes=2).lanes == 2
    assert divide(GIB, most=3, lanes=4).lanes == 3
    assert divide(60 * MINUTE, most=3).lanes == 3


def test_no_lane_is_without_parts_and_by_default_each_has_some_for_every_thread() -> None:
    assert divide(3 * MIB, lanes=8, part_size=MIB).lanes == 3
    few = divide(60 * MINUTE, part_size=5 * GIB)
    assert few.lanes == few.parts // (4 * 32) == 3


def test_parts_are_larger_where_one_key_would_be_asked_too_often() -> None:
    """2,000 requests a second; a part takes as long as the rate that is trusted says."""
    usual, many = divide(100 * GIB, lanes=8), divide(100 * GIB, most=16, threads=512, lanes=16)
    assert usual.part_size == 64 * MIB
    seconds = many.part_size / plan.PART_RATE
    assert 16 * 512 / seconds <= 2000 < 16 * 512 / (64 * MIB / plan.PART_RATE)
    assert divide(GIB, most=16, threads=512, lanes=16, part_size=MIB).part_size == MIB


@given(
    size=st.integers(1, 40 * 1024 * GIB),
    lanes=st.none() | st.integers(1, 100),
    most=st.integers(1, 100),
    threads=st.integers(1, 512),
)
def test_every_lane_has_parts_and_all_parts_make_the_object(
    size: int, lanes: int | None, most: int, threads: int
) -> None:
    found = plan.divide(size, Tuning(lanes=lanes), threads, 250.0, most=most)
    assert 1 <= found.lanes <= min(most, found.parts)
    assert (found.parts - 1) * found.part_size < size <= found.parts * found.part_size


# --- which parts -------------------------------------------------------------------------------------------


def view(
    lacking: Sequence[int], *, parts: int = 40, lanes: int = 4, lane: int = 1, **fields: Any
) -> plan.View:
    """The view of a lane of 2 threads on a copy that lacks these parts; `came`: when others did."""
    pin, upload = Pin(parts * PART, "E", 0), Upload("u", PART, parts, lanes, START)
    came = fields.pop("came", {})
    listed = [
        ListedPart(n, "P", PART, None, came.get(n, START + 95))
        for n in range(1, parts + 1)
        if n not in lacking
    ]
    generation, now = fields.pop("generation", 0), fields.pop("now", START + 100)
    task = Continue("c", request(), "t", pin, upload, generation=generation, lane=lane, hop=2)
    return plan.view(task, listed, now, 2, fields.pop("slowest", 1.0), **fields)


def numbers(parts: Sequence[Any]) -> list[int]:
    return [each.number for each in parts]


def test_a_lane_that_is_alone_copies_all_that_is_missing() -> None:
    assert numbers(plan.own_parts(view(range(3, 41), lanes=1))) == list(range(3, 41))


def test_a_lane_copies_a_quarter_of_its_parts_and_looks_again() -> None:
    large = view(range(1, 401), parts=400)
    assert numbers(plan.own_parts(large)) == list(range(1, 26))
    small = view(range(1, 41), parts=16)
    assert numbers(plan.own_parts(small)) == [1, 2], "one for each thread"


def test_what_this_hop_copies_and_what_is_in_flight_at_the_one_before_is_left_alone() -> None:
    taken = view(range(1, 41), taken={1, 2}, spared={3})
    assert numbers(plan.own_parts(taken)) == [4, 5]


def test_a_part_of_another_size_is_missing() -> None:
    pin, upload = Pin(4 * PART, "E", 0), Upload("u", PART, 4, 2, START)
    task = Continue("c", request(), "t", pin, upload, generation=0, lane=1, hop=1)
    seen = plan.view(task, [ListedPart(1, "P", PART - 1), ListedPart(2, "P", PART)], START, 2, 1.0)
    assert seen.lacking == {1: [1], 2: [3, 4]}


def test_a_lane_that_is_done_copies_from_the_far_end_of_the_slowest_other_one() -> None:
    """Lane 2 has 11 to 20, lane 4 31 to 40; their two threads are at the lowest, and have two more to come.

    Of what is beyond these the owner has the lower half.
    """
    seen = view([*range(15, 21), *range(32, 41)])
    assert numbers(plan.own_parts(seen)) == []
    assert numbers(plan.parts_of_others(seen)) == [40, 39]
    assert numbers(plan.parts_of_others(replace(seen, task=replace(seen.task, lane=3)))) == [20]


def test_lanes_that_help_the_same_one_share_its_parts() -> None:
    seen = view(range(62, 81), parts=80)
    helpers = [replace(seen, task=replace(seen.task, lane=lane)) for lane in (1, 2, 3)]
    assert [numbers(plan.parts_of_others(each)) for each in helpers] == [[80, 77], [79, 76], [78, 75]]
    silent = [replace(each, now=START + 200) for each in helpers]
    assert [numbers(plan.parts_of_others(each)) for each in silent] == [[80, 77], [79, 76], [78, 75]]
    few = replace(silent[2], lacking={**seen.lacking, 4: [62]})
    assert numbers(plan.parts_of_others(few)) == [62], "whoever is left copies it"


def test_nothing_is_copied_that_the_owner_has_in_flight() -> None:
    assert plan.parts_of_others(view([12, 13, 35, 36])) == ()
    assert plan.parts_of_others(view([])) == ()


def test_a_lane_of_which_nobody_hears_is_copied_whole() -> None:
    """Its owner has copied 11 and 12 long ago; what is above was copied by others."""
    silent = view(range(13, 18), came={11: START + 10, 12: START + 11})
    assert numbers(plan.parts_of_others(silent)) == [17, 14]
    moving = view(range(13, 18), came={11: START + 10, 12: START + 95})
    assert numbers(plan.parts_of_others(moving)) == []
    never = view(range(11, 21), came={})
    assert numbers(plan.parts_of_others(never)) == [20, 17]


def test_what_this_hop_has_copied_of_another_lane_is_no_sign_of_its_owner() -> None:
    """The helper is at 15 and 16, and has copied 14 before; without it nobody has been here."""
    seen = view([11, 12, 13, 15, 16], came={14: START + 99})
    assert numbers(plan.parts_of_others(replace(seen, taken={14, 15, 16}))) == [13, 12]
    low = view([11, 16], came=dict.fromkeys((12, 13, 14, 15), START + 99))  # it has come down to the owner's
    assert numbers(plan.parts_of_others(replace(low, taken={12, 13, 14, 15, 16}))) == [11]


def test_slow_parts_and_a_young_generation_give_a_lane_more_time() -> None:
    never = range(11, 21)
    assert len(plan.parts_of_others(view(never, now=START + 9))) == 1
    assert len(plan.parts_of_others(view(never, now=START + 10))) == 2
    assert len(plan.parts_of_others(view(never, now=START + 14, slowest=5.0))) == 1
    assert len(plan.parts_of_others(view(never, now=START + 15, slowest=5.0))) == 2
    young = START // plan.GENERATION + 1
    assert len(plan.parts_of_others(view(never, now=START + 65, generation=young))) == 1


def test_lanes_that_have_shown_nothing_are_waited_for() -> None:
    never = range(11, 21)
    assert plan.seconds_until_silent(view(never, now=START + 3)) == 8
    assert plan.seconds_until_silent(view(never, now=START + 30)) == 0
    assert plan.seconds_until_silent(view(range(12, 21), now=START + 3, came={11: START + 2})) == 0
    assert plan.seconds_until_silent(view([], now=START + 3)) == 0


def test_numbers_that_are_no_other_lanes_are_ones_own() -> None:
    task = view([]).task
    assert plan.has_own(task, [30, 10])
    assert not plan.has_own(task, [11, 40])
    assert plan.has_own(task, [41])


@given(st.frozensets(st.integers(1, 10_000)))
def test_numbers_travel_as_ranges(some: frozenset[int]) -> None:
    ranges = plan.ranges_of(some)
    assert plan.numbers_of(ranges) == some
    assert all(one[1] + 1 < other[0] for one, other in itertools.pairwise(ranges))


# --- how they start ----------------------------------------------------------------------------------------


def lanes_started(engine: Engine) -> list[tuple[int, int, int]]:
    commands = [each for each in engine.cloud.commands() if isinstance(each, Continue)]
    return [(each.generation, each.lane, each.hop) for each in commands]


def begin(engine: Engine, lanes: int = 3, **fields: Any) -> Result:
    engine.cloud.put("a", size=9 * PART)
    asked = request(tuning=Tuning(part_size=PART, lanes=lanes))
    return start.begin(engine.context(), engine.copy(asked, **fields))


def test_the_first_invocation_starts_the_other_lanes_and_works_on_the_first(engine: Engine) -> None:
    result = begin(engine)
    assert lanes_started(engine)[:2] == [(0, 2, 1), (0, 3, 1)]
    ids = [name.partition("-")[2].partition("-")[2] for name, _, _ in engine.cloud.submitted]
    assert ids[:2] == ["g0-l2-h1", "g0-l3-h1"]
    assert result.lanes == 3
    assert [each["lanes"] for each in engine.cloud.events("opened")] == [3]


def test_more_lanes_than_the_settings_allow_are_capped_and_the_log_says_so(engine: Engine) -> None:
    engine.lanes = 2
    assert begin(engine, 5).lanes == 2
    assert [(each["lanes"], each["lanesAsked"]) for each in engine.cloud.events("opened")] == [(2, 5)]


def test_a_delivery_that_finds_the_upload_starts_lanes_that_the_dead_one_did_not(engine: Engine) -> None:
    task = engine.chain(lanes=3)
    copy = engine.copy(retried=True, occurrence="one")
    assert copy.job == task.job
    start.begin(engine.context(), copy)
    assert {(0, 2, 1), (0, 3, 1)} <= set(lanes_started(engine))


def test_a_new_generation_starts_its_lanes_and_a_later_hop_starts_none(engine: Engine) -> None:
    task = replace(engine.chain(lanes=3), hop=1, generation=7)
    hop.proceed(engine.context(), task)
    assert {(7, 2, 1), (7, 3, 1)} <= set(lanes_started(engine))
    for other in (replace(task, lane=2), replace(task, hop=2)):
        assert submit.lane_starts(engine.context(), other) == []


def test_a_lane_that_cannot_be_started_is_logged_and_the_first_one_goes_on(engine: Engine) -> None:
    task = replace(engine.chain(lanes=2), hop=1)
    engine.cloud.broken["submit"] = BUSY
    for work in submit.lane_starts(engine.context(), task):
        work()
    assert [each["started"] for each in engine.cloud.events("laneNotStarted")] == [2]


# --- how they end ------------------------------------------------------------------------------------------


def test_a_lane_whose_parts_are_there_ends_while_others_work(engine: Engine) -> None:
    task = replace(engine.chain([3], lanes=2), lane=2)
    engine.cloud.at("list_parts", lambda: engine.cloud.sleep(1))
    result = hop.proceed(engine.context(), task)
    assert (result.status, result.parts_done) == ("running", 2)
    assert engine.cloud.submitted == []
    assert engine.cloud.count("complete") == 0
    assert [each["missing"] for each in engine.cloud.events("laneDone")] == [2]


def test_the_last_lane_sees_all_parts_and_completes(engine: Engine) -> None:
    task = replace(engine.chain([1, 2, 3], lanes=2), lane=2)
    result = hop.proceed(engine.context(), task)
    assert (result.status, result.lanes) == ("succeeded", 2)


def test_a_lane_whose_own_part_is_not_there_does_not_end(engine: Engine) -> None:
    task = replace(engine.chain([1, 2, 3, 4], lanes=2), lane=2)
    parts = engine.cloud.uploads[task.upload.id].parts
    engine.cloud.at("list_parts", lambda: [parts.pop(n) for n in (1, 4)], nth=2)
    assert hop.proceed(engine.context(), task).status == "running"
    assert [(each.lane, each.hop, each.stalls) for each in engine.cloud.commands()] == [(2, 3, 1)]


def test_the_first_lane_comes_again_for_one_that_seems_not_to_have_started(engine: Engine) -> None:
    task = engine.chain([1, 2], lanes=2)
    assert hop.proceed(engine.context(), task).status == "running"
    assert [delay for _, _, delay in engine.cloud.submitted] == [11]
    assert [(each.lane, each.hop) for each in engine.cloud.commands()] == [(1, 3)]
    engine.cloud.time += 11
    assert hop.proceed(engine.context(), engine.cloud.commands()[0]).status == "succeeded"
    assert engine.cloud.count("copy_part") == 2


def test_a_lane_that_is_done_before_it_begins_helps_another(engine: Engine) -> None:
    task = replace(engine.chain(range(9, 17), size=16 * PART, lanes=2), lane=2)
    hop.proceed(engine.context(parallel=2), task)
    copied = [each for each in engine.cloud.asked if each.startswith("copy_part")]
    assert copied[:3] == ["copy_part 8", "copy_part 7", "copy_part 6"]


def test_a_lane_looks_again_and_leaves_what_others_have_copied(engine: Engine) -> None:
    task = engine.chain(range(9, 17), size=16 * PART, lanes=2)
    parts = engine.cloud.uploads[task.upload.id].parts
    crc64 = engine.cloud.objects["src-bucket", "a"].head.crc64
    landed = {n: (ListedPart(n, f"P{n}", PART, None, START), crc64) for n in range(5, 9)}
    engine.cloud.at("copy_part", lambda: parts.update(landed))
    assert hop.proceed(engine.context(parallel=1), task).status == "succeeded"
    copied = [each for each in engine.cloud.asked if each.startswith("copy_part")]
    assert copied == [f"copy_part {n}" for n in range(1, 5)]


def test_no_part_is_given_twice_while_it_is_being_copied(engine: Engine) -> None:
    task = engine.chain(size=16 * PART, lanes=2)
    supply = Supply(engine.context(parallel=1), task, PartPage((), None, START), 1.0)
    assert numbers(supply.first()) == [1, 2]
    assert numbers(supply.more(1.0)) == [3, 4]


# --- handing over ------------------------------------------------------------------------------------------


def test_what_is_in_flight_at_the_hop_before_is_left_alone_until_it_must_be_there(engine: Engine) -> None:
    task = replace(engine.chain([1]), in_flight=((2, 3),), leave_until=START + 5)
    parts = engine.cloud.uploads[task.upload.id].parts
    landed = (ListedPart(2, "P2", PART, None, START), engine.cloud.objects["src-bucket", "a"].head.crc64)
    engine.cloud.at("list_parts", lambda: parts.__setitem__(2, landed), nth=2)
    assert hop.proceed(engine.context(), task).status == "succeeded"
    copied = [each for each in engine.cloud.asked if each.startswith("copy_part")]
    assert copied == ["copy_part 4", "copy_part 3"], "2 has come, and 3 has not"
    assert engine.cloud.time >= START + 5


def test_a_hop_hands_over_when_it_begins_no_part_any_more(engine: Engine) -> None:
    task = engine.chain(size=8 * PART)
    engine.cloud.at("copy_part", lambda: engine.cloud.sleep(25.0))
    result = hop.proceed(engine.context(), task)
    assert (result.status, result.parts_done) == ("running", 1)
    (following,) = engine.cloud.commands()
    assert (following.hop, following.stalls, following.parts_done) == (3, 0, 1)
    assert engine.cloud.count("submit") == 1, "nothing is judged after that"
    assert (following.in_flight, following.leave_until) == ((), START + 55)


def test_a_hand_over_that_fails_is_tried_once_more_at_the_end(engine: Engine) -> None:
    task = engine.chain(size=8 * PART)
    engine.cloud.at("copy_part", lambda: engine.cloud.sleep(25.0))
    engine.cloud.broken["submit"] = BUSY
    with pytest.raises(type(BUSY)):
        hop.proceed(engine.context(), task)
    assert len(engine.cloud.events("handOverFailed")) == 1


# --- what is counted ---------------------------------------------------------------------------------------


def test_every_hop_but_the_first_of_all_is_on_record_once(engine: Engine) -> None:
    task = engine.chain([1], lanes=2)
    engine.journal.work_on(task)
    engine.journal.work_on(task)
    engine.journal.work_on(replace(task, lane=2))
    engine.journal.work_on(replace(task, generation=1))
    assert engine.journal.hops(task.job) == 4


def test_every_hop_but_the_first_writes_its_record(engine: Engine) -> None:
    task = engine.chain([1])
    hop.proceed(engine.context(), task)
    assert [name.rpartition("/")[2] for name in engine.cloud.records if name.startswith("hop/")] == [
        "000000000000-001-000002"
    ]


def test_records_of_hops_are_forgotten_with_their_copy(engine: Engine) -> None:
    task = engine.chain([1])
    engine.journal.work_on(task)
    delete_records(engine.records, task.job)
    assert engine.kinds() == set()


def test_a_result_counts_the_hops_of_all_lanes(engine: Engine) -> None:
    task = replace(engine.chain([1, 2, 3], lanes=2), lane=2)
    engine.journal.work_on(replace(task, lane=1))
    result = hop.proceed(engine.context(), task)
    assert (result.status, result.hops) == ("succeeded", 3)
    assert engine.done(task.job) == result


def test_the_first_of_all_hops_writes_no_record_and_counts(engine: Engine) -> None:
    assert begin(engine, 1).hops == 1
    assert "hop" not in engine.kinds()


def test_a_copy_that_failed_counts_its_hops_too(engine: Engine) -> None:
    task = engine.chain([1])
    engine.forbidden = {"b"}
    engine.journal.work_on(replace(task, hop=5))
    assert hop.proceed(engine.context(), task).hops == 3  # the first one, the one on record, and this one


def test_a_hop_whose_record_cannot_be_written_goes_on_and_counts(engine: Engine) -> None:
    task = engine.chain([1])
    engine.cloud.broken["put hop"] = BUSY
    result = hop.proceed(engine.context(), task)
    assert (result.status, result.hops) == ("succeeded", 2)


def test_notes_of_two_lanes_are_both_on_record(engine: Engine) -> None:
    task = engine.chain(lanes=2)
    for lane in (1, 2):
        engine.journal.note(replace(task, lane=lane), Problem("NetworkError", f"lane {lane}"))
    noted = engine.journal.noted(task.job)
    assert noted is not None
    assert sum(name.startswith("note/") for name in engine.cloud.records) == 2
