"""Hops: their checks, their batch of parts, what comes next, and how an upload is completed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from osscopy import plan
from osscopy.copying import hop, results
from osscopy.copying.invocation import listing
from osscopy.copying.invocation.batch import Batch
from osscopy.copying.invocation.questions import Question
from osscopy.copying.invocation.retry import Attempts
from osscopy.copying.invocation.workers import Workers
from osscopy.model import (
    Cancelled,
    Conflict,
    Continue,
    Done,
    Failed,
    ListedPart,
    Part,
    PartPage,
    Problem,
    Result,
    Transient,
    Tuning,
)
from osscopy.plan import steps
from tests.unit.engine import (
    BUSY,
    DENIED,
    DST,
    EXPIRED,
    LARGE,
    LATE,
    LOST,
    PART,
    SRC,
    START,
    Engine,
    code,
    fails,
    request,
)

ALL = (1, 2, 3, 4)


def proceed(engine: Engine, task: Continue, **context: Any) -> Result:
    return hop.proceed(engine.context(**context), task)


# --- the checks of a hop -----------------------------------------------------------------------------------


def test_a_hop_that_the_settings_do_not_allow_any_more_ends_its_upload(engine: Engine) -> None:
    task = engine.chain([1])
    engine.forbidden = {"b"}
    assert code(proceed(engine, task)) == "NotAllowed"
    assert code(engine.done(task.job)) == "NotAllowed"
    assert engine.cloud.uploads == {}
    assert engine.cloud.count("copy_part") == 0


@pytest.mark.parametrize(
    "changes", [{"id": "u-victim"}, {"parts": 3}, {"lanes": 2}, {"opened_at": START - 1}]
)
def test_a_forged_continuation_ends_no_upload_but_the_one_on_record(
    engine: Engine, changes: dict[str, Any]
) -> None:
    task = engine.chain([1])
    engine.cloud.uploads["u-victim"] = engine.cloud.uploads[task.upload.id]
    engine.forbidden = {"b"}
    forged = replace(task, upload=replace(task.upload, **changes))
    assert code(proceed(engine, forged)) == "NotAllowed"
    assert len(engine.cloud.uploads) == 2
    assert engine.done(task.job) is None


def test_a_forged_continuation_of_no_job_on_record_ends_nothing(engine: Engine) -> None:
    task = engine.chain([1])
    engine.forbidden = {"b"}
    del engine.cloud.records[f"up/{task.job}"]
    assert code(proceed(engine, task)) == "NotAllowed"
    assert len(engine.cloud.uploads) == 1
    assert engine.done(task.job) is None


def test_a_hop_of_a_chain_that_was_replaced_leaves(engine: Engine) -> None:
    task = engine.chain()
    engine.cloud.records[f"gen/{task.job}/{5:012}"] = (START, b"{}")
    assert proceed(engine, task).status == "running"
    assert engine.cloud.count("copy_part") == 0
    assert [each["by"] for each in engine.cloud.events("superseded")] == [5]
    assert proceed(engine, replace(task, generation=5)).status == "succeeded"


def test_a_start_that_the_sweep_put_on_record_replaces_no_chain(engine: Engine) -> None:
    task = engine.chain()
    engine.cloud.records[f"gen/{task.job}/{5:012}-start"] = (START, b"{}")
    assert proceed(engine, task).status == "succeeded"


def test_a_hop_that_waits_to_name_an_outcome_does_not_leave_for_a_younger_chain(engine: Engine) -> None:
    task = replace(engine.chain(), gone_at=START - 10_000)
    engine.cloud.uploads.clear()
    engine.cloud.records[f"gen/{task.job}/{5:012}"] = (START, b"{}")
    assert code(proceed(engine, task)) == "OutcomeUnknown"


@pytest.mark.parametrize("status", ["failed", "cancelled", "skipped"])
def test_a_hop_of_a_job_that_is_over_answers_what_is_on_record_and_ends_the_upload(
    engine: Engine, status: Any
) -> None:
    task = engine.chain([1])
    engine.put(f"done/{task.job}", Done("n", Result(task.job, status), task.request))
    assert proceed(engine, task).status == status
    assert engine.cloud.uploads == {}
    assert engine.cloud.count("copy_part") == 0


def test_a_hop_of_a_job_that_succeeded_aborts_nothing(engine: Engine) -> None:
    task = engine.chain([1])
    engine.put(f"done/{task.job}", Done("n", Result(task.job, "succeeded"), task.request))
    assert proceed(engine, task).status == "succeeded"
    assert engine.cloud.count("abort") == 0


def test_a_cancelled_job_has_its_upload_aborted_by_its_next_hop(engine: Engine) -> None:
    task = engine.chain([1])
    engine.put(f"cancel/{task.job}", Cancelled("n", "now"))
    assert proceed(engine, task).status == "cancelled"
    assert engine.cloud.uploads == {}


@pytest.mark.parametrize(("excused", "status"), [(0, "failed"), (1, "succeeded")])
def test_a_chain_with_too_many_hops_is_a_loop_unless_throttling_excuses_them(
    engine: Engine, excused: int, status: str
) -> None:
    task = engine.chain([1, 2])
    ceiling = plan.max_hops(task.upload)
    assert ceiling == 4 * steps.MAX_STALLS + steps.MAX_STALLS + 1
    result = proceed(engine, replace(task, hop=ceiling + 1, excused=excused))
    assert result.status == status
    assert code(result) == (None if excused else "TooManyHops")
    assert engine.cloud.uploads == {}


def test_a_chain_takes_the_longest_time_that_its_requests_may_need_along(engine: Engine) -> None:
    """Settings change: a hop with a short timeout must not forget what a long one has asked for."""
    task = replace(engine.chain(), settle=9_000)
    engine.cloud.broken["copy_part"] = BUSY
    proceed(engine, task, timeout=20.0)
    (following,) = engine.cloud.commands()
    assert following.settle == 9_000
    proceed(engine, replace(task, hop=9, settle=0), timeout=20.0)
    assert engine.cloud.commands()[1].settle == engine.context(20.0).limits.settle


# --- its batch ---------------------------------------------------------------------------------------------


def test_only_what_is_missing_is_copied(engine: Engine) -> None:
    task = engine.chain([1, 3])
    assert proceed(engine, task).status == "succeeded"
    assert [each for each in engine.cloud.asked if each.startswith("copy_part")] == [
        "copy_part 2",
        "copy_part 4",
    ]
    assert engine.cloud.count("list_parts") == 2, "at the start and before Complete"


def test_a_hop_that_is_throttled_is_excused_and_the_next_one_waits(engine: Engine) -> None:
    task = replace(engine.chain([1]), stalls=2, parts_done=1)
    engine.cloud.broken["copy_part"] = BUSY
    assert proceed(engine, task).status == "running"
    (following,) = engine.cloud.commands()
    assert (following.hop, following.stalls, following.excused, following.parts_done) == (3, 2, 1, 1)
    assert [delay for _, _, delay in engine.cloud.submitted] == [30]
    assert engine.journal.noted(task.job) is not None


def test_the_last_error_of_a_hop_is_on_record_and_does_no_harm_where_it_cannot_be(engine: Engine) -> None:
    task = engine.chain([1])
    engine.cloud.broken["copy_part"] = LOST
    proceed(engine, task)
    noted = engine.journal.noted(task.job)
    assert noted is not None
    assert noted.code == "NetworkError"
    engine.cloud.broken["put note"] = BUSY
    assert proceed(engine, replace(task, hop=3)).status == "running"


def test_the_newest_note_is_the_first_one_listed(engine: Engine) -> None:
    task = engine.chain([1])
    for generation, number in ((0, 9), (4, 1), (4, 12), (0, 30)):
        hop_of = replace(task, generation=generation, hop=number)
        engine.journal.note(hop_of, Problem("NetworkError", f"hop {number}"))
    noted = engine.journal.noted(task.job)
    assert noted is not None
    assert noted.message == "hop 12"


def test_a_part_that_is_refused_ends_the_copy_at_once(engine: Engine) -> None:
    task = engine.chain([1])
    engine.cloud.broken["copy_part"] = DENIED
    assert code(proceed(engine, task)) == "AccessDenied"
    assert engine.cloud.uploads == {}


def test_a_chain_that_copies_nothing_gives_up_and_says_what_the_last_error_was(engine: Engine) -> None:
    task = replace(engine.chain(), stalls=steps.MAX_STALLS - 1)
    engine.cloud.broken["copy_part"] = LOST
    result = proceed(engine, task)
    assert code(result) == "Stalled"
    assert result.error is not None
    assert "no answer" in result.error.message
    assert engine.cloud.uploads == {}


def test_parts_that_were_copied_since_are_progress_though_this_hop_copied_none(engine: Engine) -> None:
    task = replace(engine.chain([1, 2]), stalls=steps.MAX_STALLS - 1, parts_done=1)
    engine.cloud.broken["copy_part"] = LOST
    assert proceed(engine, task).status == "running"
    (following,) = engine.cloud.commands()
    assert (following.stalls, following.parts_done) == (1, 2)


def test_a_copy_that_is_too_old_gives_up(engine: Engine) -> None:
    task = replace(engine.chain(), started_at=results.iso(START - plan.MAX_AGE - 1))
    engine.cloud.broken["copy_part"] = LOST
    assert code(proceed(engine, task)) == "TooOld"


def test_a_part_is_waited_for_no_longer_than_leaves_time_to_hand_over(engine: Engine) -> None:
    task = engine.chain([1, 2, 3])
    assert proceed(engine, task, timeout=600.0).status == "succeeded"
    usual = engine.cloud.waits["copy_part"]
    assert usual == plan.part_timeout(PART, plan.PART_RATE, 600.0)
    late = engine.chain([1, 2, 3], destination=replace(request().destination, key="c"))
    context = engine.context(20.0)
    engine.cloud.time += 10
    hop.proceed(context, late)
    assert engine.cloud.waits["copy_part"] == context.submit_by - engine.cloud.time == 8


def test_a_request_never_gets_more_threads_than_the_settings_allow(engine: Engine) -> None:
    context = engine.context(parallel=4)
    asked = [context.parallel(request(tuning=Tuning(parallel=each))) for each in (None, 1, 4, 512)]
    assert asked == [4, 1, 4, 4]


def test_without_time_to_complete_a_hop_that_has_copied_hands_over(engine: Engine) -> None:
    task = engine.chain([1, 2, 3])
    context = engine.context(60.0)
    engine.cloud.time += 60 - plan.completion_time(60) + 0.5
    assert hop.proceed(context, task).status == "running"
    assert engine.cloud.count("complete") == 0
    (following,) = engine.cloud.commands()
    assert (following.stalls, following.parts_done) == (0, 4)


def test_a_hop_with_nothing_to_copy_completes_however_little_time_is_left(engine: Engine) -> None:
    """Else such hops would hand over for ever."""
    task = engine.chain(ALL)
    context = engine.context(60.0)
    engine.cloud.time += 60 - plan.completion_time(60) + 0.5
    assert hop.proceed(context, task).status == "succeeded"


def test_a_transient_failure_of_the_first_hop_is_left_to_the_next_one(engine: Engine) -> None:
    task = replace(engine.chain(), hop=1)
    engine.cloud.broken["list_parts"] = EXPIRED
    assert hop.begin(engine.context(), task).status == "running"
    assert [
        (each.hop, delay)
        for each, (_, _, delay) in zip(engine.cloud.commands(), engine.cloud.submitted, strict=True)
    ] == [(2, 5)]
    engine.cloud.broken["submit"] = BUSY
    with pytest.raises(Transient, match="SecurityTokenExpired"):
        hop.begin(engine.context(), task)


def test_a_transient_failure_of_a_later_hop_is_raised_and_ends_no_upload(engine: Engine) -> None:
    task = engine.chain()
    for error in (EXPIRED, BUSY, LOST):
        engine.cloud.broken["list_parts"] = error
        with pytest.raises(Transient):
            proceed(engine, task)
    assert len(engine.cloud.uploads) == 1
    assert engine.done(task.job) is None


@pytest.mark.parametrize("record", ["cancel", "done"])
def test_who_ends_a_job_while_its_first_parts_are_copied_stops_them_and_has_its_upload_ended(
    engine: Engine, record: str
) -> None:
    task = replace(engine.chain(), hop=1)
    if record == "cancel":
        engine.put(f"cancel/{task.job}", Cancelled("n", "now"))
    else:
        engine.put(f"done/{task.job}", Done("n", Result(task.job, "cancelled"), task.request))
    assert hop.begin(engine.context(), task, is_new=True).status == "cancelled"
    assert engine.cloud.uploads == {}
    assert engine.cloud.count("copy_part") == 0


def test_parts_are_copied_while_the_records_cannot_be_read_and_the_next_hop_reads_them(
    engine: Engine,
) -> None:
    task = replace(engine.chain(), hop=1)
    engine.cloud.broken["get cancel"] = BUSY
    assert hop.begin(engine.context(), task, is_new=True).status == "running"
    assert (engine.cloud.count("copy_part"), engine.cloud.count("complete")) == (4, 0)
    del engine.cloud.broken["get cancel"]
    (following,) = engine.cloud.commands()
    assert proceed(engine, following).status == "succeeded"


def test_a_hop_asks_all_that_it_has_to_know_at_once(engine: Engine) -> None:
    task = engine.chain([1, 2])
    proceed(engine, task)
    first = {each.partition(f" {task.job}")[0].partition(" u-")[0] for each in engine.cloud.asked[:5]}
    assert first == {"list gen", "get up", "get done", "get cancel", "list_parts"}
    assert engine.cloud.rounds == [5, 5], "at the start and before Complete"
    assert sorted(each.partition(" ")[0] for each in engine.cloud.asked[5:8]) == ["copy_part"] * 2 + ["put"]


def test_a_chain_that_was_replaced_leaves_though_its_upload_is_gone(engine: Engine) -> None:
    """Answers are judged in the order of effects, whatever they are."""
    task = engine.chain()
    engine.cloud.records[f"gen/{task.job}/{5:012}"] = (START, b"{}")
    engine.cloud.uploads.clear()
    assert proceed(engine, task).status == "running"
    assert engine.cloud.count("find") == 0
    entry = Done("n", Result(task.job, "failed"), task.request)
    engine.put(f"done/{task.job}", entry)
    assert proceed(engine, replace(task, generation=5)).status == "failed"
    assert engine.cloud.count("find") == 0


# --- Complete ----------------------------------------------------------------------------------------------


def test_complete_waits_for_parts_that_the_fresh_listing_lacks(engine: Engine) -> None:
    task = engine.chain(ALL)
    parts = engine.cloud.uploads[task.upload.id].parts
    engine.cloud.at("list_parts", lambda: parts.pop(3), nth=2)
    assert proceed(engine, task).status == "running"
    assert engine.cloud.count("complete") == 0
    (following,) = engine.cloud.commands()
    assert (following.stalls, following.parts_done) == (1, 3)


def test_a_part_of_another_size_is_copied_again(engine: Engine) -> None:
    task = engine.chain(ALL)
    engine.cloud.uploads[task.upload.id].parts[2] = (ListedPart(2, "P2", PART - 1), "7")
    assert proceed(engine, task).status == "succeeded"
    assert engine.cloud.count("copy_part") == 1


@pytest.mark.parametrize("change", ["bytes", "tags", "date", "gone"])
def test_a_source_that_changed_before_complete_ends_the_copy(engine: Engine, change: str) -> None:
    task = engine.chain(ALL)
    cloud = engine.cloud
    happens = {
        "bytes": lambda: cloud.put("a", "8", size=LARGE),
        "tags": lambda: cloud.retag("a", {"k": "v"}),
        "date": lambda: cloud.put("a", size=LARGE, last_modified=START + 1),
        "gone": lambda: cloud.objects.pop((SRC, "a")),
    }
    cloud.at("list_parts", happens[change], nth=2)
    assert code(proceed(engine, task)) == "SourceChanged"
    assert (cloud.uploads, cloud.count("complete")) == ({}, 0)


def test_parts_whose_crcs_do_not_make_that_of_the_source_are_not_completed(engine: Engine) -> None:
    engine.cloud.shows_part_crcs = True
    task = engine.chain()
    assert code(proceed(engine, task)) == "VerificationFailed"
    assert engine.cloud.count("complete") == 0
    assert engine.cloud.uploads == {}


def test_without_the_source_s_crc_those_of_parts_prove_nothing_and_forbid_nothing(engine: Engine) -> None:
    engine.cloud.shows_part_crcs = True
    engine.cloud.put("a", size=LARGE)
    engine.cloud.objects[SRC, "a"].head = replace(engine.cloud.objects[SRC, "a"].head, crc64=None)
    assert proceed(engine, engine.chain()).status == "succeeded"


@pytest.mark.parametrize("policy", ["never", "ifDifferent", "ifNewer"])
def test_the_overwrite_policy_is_judged_again_right_before_complete(engine: Engine, policy: str) -> None:
    """Under versioning OSS refuses no overwriting itself."""
    engine.cloud.versioned = {DST}
    task = engine.chain(ALL, overwrite=policy)
    engine.cloud.at("list_parts", lambda: engine.cloud.put("b", bucket=DST, size=LARGE), nth=2)
    result = proceed(engine, task)
    assert (result.status, code(result)) == {
        "never": ("failed", "FileAlreadyExists"),
        "ifDifferent": ("skipped", "NotDifferent"),
        "ifNewer": ("skipped", "NotNewer"),
    }[policy]
    assert engine.cloud.uploads == {}
    assert engine.cloud.count("complete") == 0


def test_a_copy_cancelled_while_its_last_part_was_copied_is_not_completed(engine: Engine) -> None:
    task = engine.chain([1, 2, 3])
    cancel = lambda: engine.put(f"cancel/{task.job}", Cancelled("n", "now"))  # noqa: E731 - it happens later
    engine.cloud.at("list_parts", cancel, nth=2)
    assert proceed(engine, task).status == "cancelled"
    assert engine.cloud.count("complete") == 0


def test_a_copy_that_is_over_when_its_last_part_was_copied_is_not_completed(engine: Engine) -> None:
    task = engine.chain([1, 2, 3])
    entry = Done("n", Result(task.job, "failed"), task.request)
    engine.cloud.at("list_parts", lambda: engine.put(f"done/{task.job}", entry), nth=2)
    assert proceed(engine, task).status == "failed"
    assert engine.cloud.count("complete") == 0
    assert engine.cloud.uploads == {}


def test_a_part_list_that_oss_refuses_is_listed_again_three_times_at_most(engine: Engine) -> None:
    task = engine.chain(ALL)
    invalid = fails(Failed("InvalidPart", "other parts", status=400))
    engine.cloud.at("complete", invalid)
    engine.cloud.at("complete", invalid, nth=2)
    assert proceed(engine, task).status == "succeeded"
    other = engine.chain(ALL, destination=replace(request().destination, key="c"))
    engine.cloud.broken["complete"] = Failed("InvalidPart", "other parts", status=400)
    before = engine.cloud.count("complete")
    assert code(proceed(engine, other)) == "InvalidPart"
    assert engine.cloud.count("complete") - before == 3


def test_any_other_refusal_of_complete_ends_the_copy_at_once(engine: Engine) -> None:
    task = engine.chain(ALL)
    engine.cloud.broken["complete"] = DENIED
    assert code(proceed(engine, task)) == "AccessDenied"
    assert (engine.cloud.count("complete"), engine.cloud.uploads) == (1, {})


def test_all_that_speaks_against_complete_is_asked_once(engine: Engine) -> None:
    task = engine.chain(ALL, overwrite="ifDifferent")
    assert proceed(engine, task).status == "succeeded"
    asked = [each.partition(" u-")[0].partition(" c-")[0] for each in engine.cloud.asked]
    before = asked[5 : asked.index("complete default")]
    looks = ["find b", "get cancel", "get done", "head a", "list hop", "list_parts"]
    assert sorted(before) == [*looks, "put hop"], "this hop had no part to copy beside its record"
    assert engine.cloud.rounds[1] == len(before)


def test_no_rule_s_copy_is_looked_at_for_its_source_after_complete(engine: Engine) -> None:
    assert proceed(engine, engine.chain(ALL)).status == "succeeded"
    asked = engine.cloud.asked
    after = asked[asked.index("complete default") + 1 :]
    assert [each.partition(" ")[0] for each in after] == ["find", "put"]
    by_rule = replace(engine.chain(ALL, destination=replace(request().destination, key="c")), follows=0)
    assert proceed(engine, by_rule).status == "succeeded"
    assert engine.cloud.rounds[-1] == 2, "destination and source"


IN_THE_WAY = Conflict("FileAlreadyExists", "the object exists", status=409)


def test_our_own_object_in_the_way_of_a_repeated_complete_is_success_and_nothing_is_aborted(
    engine: Engine,
) -> None:
    task = engine.chain(ALL, overwrite="never")
    engine.cloud.at("complete", fails(LOST), after=True)
    engine.cloud.at("complete", fails(IN_THE_WAY), nth=2)
    assert proceed(engine, task).status == "succeeded"
    assert engine.cloud.count("abort") == 0


def test_an_equal_object_of_somebody_else_in_the_way_of_complete_is_a_conflict(engine: Engine) -> None:
    task = engine.chain(ALL, overwrite="never")
    engine.cloud.at("complete", lambda: engine.cloud.put("b", bucket=DST, size=LARGE))
    assert code(proceed(engine, task)) == "FileAlreadyExists"
    assert engine.cloud.uploads == {}


def test_an_older_equal_object_in_the_way_of_a_repeated_complete_is_a_conflict(engine: Engine) -> None:
    task = engine.chain(ALL, overwrite="never")
    older = lambda: engine.cloud.put("b", bucket=DST, size=LARGE, last_modified=START - 1)  # noqa: E731 - it happens later
    engine.cloud.at("complete", older, fails(LOST))
    assert code(proceed(engine, task)) == "FileAlreadyExists"
    assert engine.cloud.uploads == {}


def test_a_rule_s_copy_in_parts_is_followed_if_its_source_changed_after_complete(engine: Engine) -> None:
    task = replace(engine.chain(ALL), follows=0)
    engine.cloud.at("complete", lambda: engine.cloud.put("a", "8", size=LARGE), after=True)
    assert proceed(engine, task).status == "succeeded"
    (following,) = engine.cloud.commands()
    assert (following.follows, following.keep) == (1, True)
    assert len(engine.cloud.events("sourceChangedAfter")) == 1


def test_a_copy_in_parts_onto_itself_has_no_source_to_look_at_afterwards(engine: Engine) -> None:
    itself = replace(request().destination, bucket=SRC, key="a")
    task = replace(engine.chain(ALL, destination=itself, storage_class="IA"), follows=0)
    uploaded = engine.cloud.uploads[task.upload.id]
    uploaded.attributes = replace(uploaded.attributes, storage_class="IA")
    assert proceed(engine, task).status == "succeeded"
    assert engine.cloud.events("sourceChangedAfter") == []
    assert engine.cloud.submitted == []


def test_a_destination_that_is_wrong_after_complete_is_no_success_and_not_followed(engine: Engine) -> None:
    task = replace(engine.chain(ALL), follows=0)
    engine.cloud.at("complete", lambda: engine.cloud.put("a", "8", size=LARGE), after=True)
    engine.cloud.at("find", lambda: engine.cloud.put("b", "9", bucket=DST, size=LARGE))
    assert code(proceed(engine, task)) == "DestinationChanged"
    assert engine.cloud.submitted == []


# --- ListParts ---------------------------------------------------------------------------------------------


def test_all_pages_of_a_listing_are_read_and_no_part_beyond_the_lane(engine: Engine) -> None:
    task = engine.chain(ALL)
    engine.cloud.page = 1
    found = listing.parts(engine.context(), task, 1, 3).parts
    assert [each.number for each in found] == [2, 3]
    assert engine.cloud.count("list_parts") == 2
    engine.cloud.page = 1000
    assert [each.number for each in listing.parts(engine.context(), task, 0, 2).parts] == [1, 2]


def test_pages_at_known_markers_are_asked_for_at_once_and_one_that_ends_early_is_followed_up(
    engine: Engine,
) -> None:
    task = engine.chain(ALL)
    for shown, markers in ((2, ["0", "2"]), (1, ["0", "1", "2", "3"])):
        engine.cloud.page = shown
        engine.cloud.asked.clear()
        context = engine.context(page=2)
        asked = listing.pages(context, task, 0, 4)
        context.together(*asked)
        assert [each.number for each in listing.found(asked).parts] == [1, 2, 3, 4]
        assert [each.rpartition(" ")[2] for each in engine.cloud.asked] == markers
        assert engine.cloud.rounds[-1] == 2


def test_a_listing_that_does_not_come_on_is_an_error_and_no_loop(engine: Engine) -> None:
    task = engine.chain(ALL)
    pages = iter([PartPage((), 0, START)] * 9)
    engine.store.list_parts = lambda *_: next(pages)
    with pytest.raises(Failed, match="ListPartsStuck"):
        listing.parts(engine.context(), task, 0, 4)


def test_an_upload_is_idle_since_its_newest_part_or_since_it_was_opened(engine: Engine) -> None:
    task = engine.chain()
    engine.cloud.time += 100
    assert listing.idle(engine.context(), task) == 100
    parts = engine.cloud.uploads[task.upload.id].parts
    for number, age in ((1, 70), (2, 30), (3, 50)):
        parts[number] = (ListedPart(number, "e", PART, None, int(engine.cloud.time) - age), "7")
    for page in (1000, 1):
        engine.cloud.page = page
        assert listing.idle(engine.context(), task) == 30


# --- attempts and threads ----------------------------------------------------------------------------------


def test_a_doubt_stays_whatever_later_attempts_are_told(engine: Engine) -> None:
    attempts = Attempts(engine.cloud, START + 1000)
    told = iter((LOST, EXPIRED, BUSY, EXPIRED))

    def ask() -> str:
        for error in told:
            raise error
        return "answer"

    assert attempts.run(ask) == "answer"
    assert (attempts.in_doubt, attempts.throttled, attempts.count) == (True, True, 5)
    calm = Attempts(engine.cloud, START + 1000)
    assert calm.run(lambda: 1) == 1
    assert (calm.in_doubt, calm.throttled) == (False, False)


def test_a_request_is_repeated_so_often_and_no_more(engine: Engine) -> None:
    attempts = Attempts(engine.cloud, START + 10_000)
    with pytest.raises(Transient):
        attempts.run(fails(EXPIRED))
    assert attempts.count == plan.MAX_ATTEMPTS


def test_no_pause_goes_beyond_the_time_there_is(engine: Engine) -> None:
    attempts = Attempts(engine.cloud, START + 1)
    slow = Transient("Busy", "later", throttled=True, pause=1.0)
    with pytest.raises(Transient):
        attempts.run(fails(slow))
    assert (attempts.count, engine.cloud.time) == (1, START)


def workers(engine: Engine, copy: Any, count: int = 3, seconds: float = 10, expected: float = 1) -> Workers:
    return Workers(
        copy,
        batch(engine, count),
        clock=engine.cloud,
        deadline=START + seconds,
        expected=expected,
        hand_over=lambda _: True,
    )


def batch(engine: Engine, count: int) -> Batch:
    parts = [Part(n, (n - 1) * PART, n * PART - 1) for n in range(1, count + 1)]
    return Batch(parts, lambda _: (), engine.cloud, 1)


def test_no_part_is_begun_that_may_not_be_done_in_time(engine: Engine) -> None:
    slow = workers(engine, lambda _: engine.cloud.sleep(3), count=9)
    slow.run(1)
    assert len(slow.copied) == 2, "after 6 s a part of 3 s, and half as long again, does not fit into 10 s"
    none = workers(Engine(), lambda _: None, expected=7)
    none.run(1)
    assert none.copied == []
    surprising = workers(engine := Engine(), lambda _: engine.cloud.sleep(1), count=9, expected=6)
    surprising.run(1)
    assert len(surprising.copied) == 9, "what was measured counts, not what was expected"


def run_beside(engine: Engine, *watches: Callable[[], bool]) -> Workers:
    """Copy two parts in four threads, and ask the watches beside them."""
    watched = Workers(
        lambda _: None,
        batch(engine, 2),
        hand_over=lambda _: True,
        clock=engine.cloud,
        deadline=START + 10,
        expected=1,
        watches=watches,
    )
    watched.run(4)
    return watched


def test_watches_are_asked_beside_the_parts_and_one_that_says_yes_stops_them(engine: Engine) -> None:
    for says, copied in ((False, 2), (True, 0)):
        asked: list[bool] = []

        def watch(says: bool = says, asked: list[bool] = asked) -> bool:
            asked.append(says)
            return says

        watched = run_beside(engine, watch, watch)
        assert (asked, len(watched.copied)) == ([says] * 2, copied)


def test_an_error_of_what_is_done_beside_the_parts_is_raised(engine: Engine) -> None:
    watched = run_beside(engine, Question(fails(BUSY)).pursue, Question(fails(DENIED)).pursue)
    assert watched.copied == []
    with pytest.raises(Failed, match="AccessDenied"):
        watched.raise_fatal()


def test_an_error_that_no_retry_changes_stops_all_threads_and_is_raised(engine: Engine) -> None:
    refused = workers(engine, fails_for(DENIED), count=9)
    refused.run(4)
    assert refused.copied == []
    with pytest.raises(Failed, match="AccessDenied"):
        refused.raise_fatal()
    assert len(refused._batch) == 8  # noqa: SLF001 - the other parts were not tried


def fails_for(error: Exception) -> Any:
    def copy(_: Part) -> None:
        raise error

    return copy


def test_a_part_whose_retries_are_used_up_is_left_to_the_next_hop(engine: Engine) -> None:
    failing = workers(engine, fails_for(BUSY), count=1, seconds=1000)
    failing.run(1)
    failing.raise_fatal()
    assert (failing.copied, failing.throttled, failing.retries) == ([], True, plan.MAX_ATTEMPTS - 1)
    assert failing.last_error is BUSY


def test_an_answer_that_is_not_waited_for_any_more_is_no_error_and_one_before_is(engine: Engine) -> None:
    def outlast(_: Part) -> None:
        engine.cloud.time = START + 9.9
        raise LATE

    left_alone = workers(engine, outlast, count=1)
    left_alone.run(1)
    assert left_alone.last_error is None

    def early(_: Part) -> None:
        raise LATE

    failing = workers(Engine(), early, count=1, seconds=3, expected=0)
    failing.run(1)
    assert failing.last_error is LATE


# --- the upload on record ----------------------------------------------------------------------------------


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_a_hop_whose_upload_is_not_the_one_on_record_does_nothing(engine: Engine, is_cancelled: bool) -> None:
    """It is forged, or another delivery's: neither copies a part nor ends what may be somebody's upload."""
    task = engine.chain([1])
    if is_cancelled:
        engine.put(f"cancel/{task.job}", Cancelled("n", "2027-01-15T08:00:00.000Z"))
    forged = replace(task, upload=replace(task.upload, id="u-of-somebody"))
    assert code(hop.proceed(engine.context(), forged)) == "NotOnRecord"
    assert [engine.cloud.count(each) for each in ("copy_part", "abort", "complete", "put done")] == [0] * 4


def test_a_hop_of_a_copy_that_was_forgotten_answers_with_its_outcome(engine: Engine) -> None:
    task = engine.chain(ALL)
    assert hop.proceed(engine.context(), task).status == "succeeded"
    del engine.cloud.records[f"up/{task.job}"]
    before = engine.cloud.count("abort")
    assert hop.proceed(engine.context(), task).status == "succeeded"
    assert engine.cloud.count("abort") == before
