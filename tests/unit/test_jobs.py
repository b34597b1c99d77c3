"""Many copies over time: control, queries, lists, what FC gave up, the sweep, orphan uploads, records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from osscopy import events, plan
from osscopy.copying import results
from osscopy.copying.invocation.context import Context
from osscopy.copying.outcome import task_of
from osscopy.jobs import dropped, lists, orphans
from osscopy.jobs.control import Control
from osscopy.jobs.forget import Cleaner, delete_records
from osscopy.jobs.journal import newest_generation, restart, supersede
from osscopy.jobs.lists import Worklist
from osscopy.jobs.queries import Queries
from osscopy.jobs.records import PAGE, create, list_all, read
from osscopy.jobs.resume import Resumer
from osscopy.jobs.sweep import COPIES, Sweeper
from osscopy.model import (
    Cancelled,
    Claimed,
    Command,
    Continue,
    Copy,
    Done,
    Dropped,
    Entered,
    Failed,
    Misconfigured,
    Opened,
    Problem,
    Refused,
    Rest,
    Result,
    Seen,
    Source,
    Sweep,
    Swept,
    Transient,
    Waiting,
)
from osscopy.plan import steps
from tests.unit.engine import (
    BUSY,
    DENIED,
    DST,
    EXPIRED,
    LARGE,
    LOST,
    PART,
    SRC,
    START,
    Cloud,
    Engine,
    Open,
    code,
    fails,
    request,
)

NO_BUCKET = Failed("NoSuchBucket", "no such bucket", status=404)
MOMENT = datetime.fromtimestamp(START, timezone.utc)
ARRIVAL = events.Arrival("r", MOMENT)
PATIENCE = plan.patience(60.0)
SETTLE = 60 + 48 + 60  # an invocation's life, the wait for its last answer, a margin


def sweep(engine: Engine, **context: Any) -> Swept:
    return Sweeper(engine.context(**context), engine.journal).run(Sweep())


def large(engine: Engine, **asked: Any) -> tuple[Opened, Entered]:
    """Put a copy in parts on record that has opened its upload."""
    engine.cloud.put("a", size=LARGE)
    opened = engine.opened(engine.copy(request(**asked)))
    return opened, engine.entered(opened)


def small(engine: Engine, **fields: Any) -> Opened:
    engine.cloud.put("a")
    return engine.opened(engine.copy(), "simple", **fields)


def over(
    engine: Engine,
    opened: Opened,
    status: Any = "succeeded",
    code: str | None = None,
    settle: int = 0,
    etag: str | None = None,
) -> Done:
    error = None if code is None else Problem(code, "why")
    there = Seen(DST, "b", etag=etag)
    entry = Done("n", Result(opened.job, status, destination=there, error=error), opened.request, settle)
    engine.put(f"done/{opened.job}", entry)
    return entry


# --- callers -----------------------------------------------------------------------------------------------


def control(engine: Engine, **context: Any) -> Control:
    return Control(engine.context(**context), engine.journal)


def once(engine: Engine, key: str = "key", asked: Any = None, moment: datetime = MOMENT) -> Result:
    return control(engine).start_once(key, lambda _: engine.copy(asked), moment)


def test_what_a_caller_was_told_is_running_is_on_record(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    copy = engine.copy()
    engine.cloud.broken["submit"] = EXPIRED
    assert control(engine).start(copy).status == "running"
    other = engine.copy(occurrence="two")
    engine.cloud.broken["get open"] = EXPIRED  # what is known is the record of the first one
    with pytest.raises(Transient):
        control(engine).start(other)
    del engine.cloud.broken["get open"]
    engine.cloud.broken["put open"] = EXPIRED
    with pytest.raises(Transient):
        control(engine).start(other)


def test_a_record_whose_write_had_no_answer_is_looked_for_where_there_is_time(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    copy = engine.copy()
    engine.cloud.at(
        "put open", lambda: engine.cloud.broken.update({"put open": BUSY}), fails(LOST), after=True
    )
    assert control(engine).start(copy).status == "running"
    late = Engine()
    late.cloud.put("a", size=LARGE)
    late.cloud.broken["put open"] = BUSY
    late.cloud.at("put open", lambda: late.cloud.broken.update({"get open": DENIED}))
    with pytest.raises(Transient):
        control(late).start(late.copy())
    assert late.cloud.count("get open") > 1


def test_without_time_for_an_answer_no_record_is_looked_for(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    engine.cloud.broken["put open"] = EXPIRED
    context = engine.context(10.0)
    engine.cloud.time += 9
    with pytest.raises(Transient):
        Control(context, engine.journal).start(engine.copy())
    assert engine.cloud.count("get open") == 1, "beside HEAD"
    longer = engine.context(10.0, 60.0)
    engine.cloud.time += 9
    with pytest.raises(Transient):
        Control(longer, engine.journal).start(engine.copy())
    assert engine.cloud.count("get open") == 3, "behind HTTP the platform waits longer than the caller"


def test_a_key_makes_a_request_run_once(engine: Engine) -> None:
    engine.cloud.put("a")
    first = once(engine)
    assert once(engine).job == first.job
    assert engine.cloud.count("copy") == 1
    assert engine.done(first.job or "") is not None


def test_a_key_s_copy_that_runs_is_not_begun_again(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    assert [once(engine).status, once(engine).status] == ["running", "running"]
    assert engine.cloud.count("submit") == 1


def test_a_key_s_copy_that_cannot_be_looked_at_for_the_moment_is_running(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    job = once(engine).job or ""
    opened = engine.journal.opened(job)
    assert opened is not None
    engine.entered(opened)
    engine.cloud.broken["list_parts"] = BUSY
    assert once(engine).status == "running"


def test_a_key_stands_for_one_request(engine: Engine) -> None:
    engine.cloud.put("a")
    once(engine)
    with pytest.raises(Refused, match="IdempotencyKeyReused"):
        once(engine, asked=request(overwrite="never"))


def test_a_key_claims_nothing_for_what_is_not_allowed(engine: Engine) -> None:
    engine.forbidden = {"b"}
    with pytest.raises(Refused, match="NotAllowed"):
        once(engine)
    assert engine.cloud.records == {}


def test_dates_in_a_key_s_request_are_those_of_its_first_use(engine: Engine) -> None:
    engine.cloud.put("a")

    def dated(moment: datetime) -> Copy:
        place = replace(request().destination, key=f"b-{moment:%H}")
        return engine.copy(request(destination=place))

    first = control(engine).start_once("key", dated, MOMENT)
    later = control(engine).start_once("key", dated, MOMENT.replace(hour=23))
    assert later.job == first.job


def test_a_key_whose_copy_left_no_record_is_begun_again_and_finds_what_was_made(engine: Engine) -> None:
    engine.cloud.put("a")
    never = request(overwrite="never")
    copy = engine.copy(never)
    name = "key/" + "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"
    engine.put(name, Claimed("n", copy.job, MOMENT.isoformat()))
    engine.cloud.put("b", bucket=DST)
    assert once(engine, asked=never).status == "succeeded"
    assert engine.cloud.count("copy") == 0


def test_cancelling_writes_the_record_first_and_then_reads_the_owner_s(engine: Engine) -> None:
    opened, _ = large(engine)
    result = control(engine).cancel(opened.job)
    assert result.status == "cancelled"
    assert engine.cloud.uploads == {}
    names = [each.partition(" c-")[0] for each in engine.cloud.asked]
    assert names[:5] == ["get done", "get open", "put cancel", "get done", "get up"]


def test_a_copy_that_ended_while_it_was_cancelled_has_ended_so(engine: Engine) -> None:
    opened, _ = large(engine)
    engine.cloud.at("put cancel", lambda: over(engine, opened), after=True)
    assert control(engine).cancel(opened.job).status == "succeeded"
    assert engine.cloud.count("abort") == 0


def test_what_is_over_is_not_cancelled_and_what_is_unknown_is_no_job(engine: Engine) -> None:
    opened, _ = large(engine)
    over(engine, opened)
    assert control(engine).cancel(opened.job).status == "succeeded"
    assert "cancel" not in engine.kinds()
    with pytest.raises(Refused, match="NoSuchJob"):
        control(engine).cancel("c-" + "9" * 32)
    assert "cancel" not in engine.kinds()


def test_a_cancelling_that_oss_keeps_from_ending_is_left_to_the_sweep(engine: Engine) -> None:
    opened, _ = large(engine)
    engine.cloud.broken["abort"] = BUSY
    assert control(engine).cancel(opened.job).status == "running"
    assert "cancel" in engine.kinds()


def test_only_what_is_over_is_resubmitted_as_a_job_of_its_own(engine: Engine) -> None:
    opened, _ = large(engine)
    with pytest.raises(Refused, match="StillRunning"):
        control(engine).resubmit(opened.job, "x", ARRIVAL)
    with pytest.raises(Refused, match="NoSuchJob"):
        control(engine).resubmit("c-" + "9" * 32, "x", ARRIVAL)
    over(engine, opened, "failed")
    again = control(engine).resubmit(opened.job, "x", ARRIVAL)
    assert again.job not in {None, opened.job}
    assert again.job == control(engine).resubmit(opened.job, "x", ARRIVAL).job


def test_a_copy_resubmitted_twice_at_once_is_not_in_its_own_way(engine: Engine) -> None:
    engine.cloud.put("a")
    never = request(overwrite="never")
    opened = engine.opened(engine.copy(never), "simple")
    ended = results.iso(START - 5)
    engine.put(f"done/{opened.job}", Done("n", Result(opened.job, "failed", finished_at=ended), never))
    engine.cloud.put("b", bucket=DST)
    assert control(engine).resubmit(opened.job, "x", ARRIVAL).status == "succeeded"


# --- queries -----------------------------------------------------------------------------------------------


def queries(engine: Engine) -> Queries:
    return Queries(engine.context(), engine.journal)


def test_a_copy_under_way_shows_its_parts_and_the_last_error_of_its_hops(engine: Engine) -> None:
    opened, entered = large(engine)
    part = engine.cloud.uploads[entered.upload.id].parts
    engine.entered(opened, [1, 2])
    engine.cloud.time += 2
    task = task_of(opened, entered.upload)
    engine.journal.note(task, Problem("NetworkError", "no answer"))
    for lane, hop in ((1, 2), (2, 1)):
        engine.journal.work_on(replace(task, lane=lane, hop=hop))
    seen = queries(engine).look(opened.job)
    assert (seen.parts_done, seen.hops, code(seen)) == (2, 3, "NetworkError")
    assert (seen.rate, seen.eta_seconds) == (PART, 2)
    assert part == {}


def test_only_a_running_copy_with_progress_has_a_rate(engine: Engine) -> None:
    opened, entered = large(engine)
    engine.cloud.time += 2
    assert queries(engine).look(opened.job).rate is None
    task = task_of(opened, entered.upload)
    engine.put(f"done/{opened.job}", Done("n", results.multipart(task, None, None, START), opened.request))
    ended = queries(engine).look(opened.job)
    assert (ended.status, ended.bytes_done, ended.rate) == ("succeeded", LARGE, None)


def test_an_upload_that_has_ended_and_is_not_closed_has_all_its_parts(engine: Engine) -> None:
    opened, _ = large(engine)
    engine.cloud.uploads.clear()
    assert queries(engine).look(opened.job).parts_done == 4


def test_a_transient_error_is_raised_for_one_copy_and_shown_in_a_list(engine: Engine) -> None:
    opened, _ = large(engine)
    engine.cloud.broken["list_parts"] = BUSY
    with pytest.raises(Transient):
        queries(engine).look(opened.job)
    (shown,) = queries(engine).page(None, 50, "").copies
    assert shown.error is not None
    assert shown.error.code == "TotalQpsLimitExceeded"
    engine.cloud.broken["list_parts"] = DENIED
    assert code(queries(engine).look(opened.job)) == "AccessDenied"


def test_a_copy_without_an_upload_is_running_and_one_without_records_is_no_job(engine: Engine) -> None:
    opened = small(engine)
    assert queries(engine).look(opened.job).status == "running"
    with pytest.raises(Refused, match="NoSuchJob"):
        queries(engine).look("c-" + "9" * 32)


def test_a_list_holds_the_copies_of_one_status_and_says_where_to_go_on(engine: Engine) -> None:
    engine.cloud.put("a")
    jobs = []
    for number in range(5):
        opened = engine.opened(engine.copy(occurrence=str(number)), "simple")
        jobs.append(opened.job)
        if number % 2:
            over(engine, opened, "failed")
    jobs.sort()
    failed = queries(engine).page("failed", 50, "")
    assert [each.status for each in failed.copies] == ["failed"] * 2
    assert failed.next is None
    assert len(queries(engine).page("running", 50, "").copies) == 3
    first = queries(engine).page(None, 2, "")
    assert [each.job for each in first.copies] == jobs[:2]
    assert first.next == jobs[1]
    assert [each.job for each in queries(engine).page(None, 50, first.next).copies] == jobs[2:]


def test_a_record_that_cannot_be_read_hides_no_other(engine: Engine) -> None:
    opened = small(engine)
    engine.cloud.records["done/c-" + "f" * 32] = (START, b"{}")
    shown = queries(engine).page(None, 50, "")
    assert [each.job for each in shown.copies] == [opened.job]
    assert len(engine.cloud.events("unreadableRecord")) == 1


def test_a_bug_that_one_copy_brings_out_hides_no_other(engine: Engine) -> None:
    opened = small(engine)
    engine.cloud.records["done/c-" + "f" * 32] = (START, b"{}")
    engine.cloud.at("get done", fails(KeyError("a bug")), nth=2)
    shown = queries(engine).page(None, 50, "")
    assert [each.job for each in shown.copies] == [opened.job]
    assert engine.cloud.events("unreadableRecord")[0]["kind"] == "KeyError"


# --- records -----------------------------------------------------------------------------------------------


def test_a_record_is_written_once_and_everybody_reads_the_first(engine: Engine) -> None:
    records = engine.records
    one, two = Cancelled("1", "now"), Cancelled("2", "later")
    assert create(records, "cancel/j", one) == one
    assert create(records, "cancel/j", two) == one
    engine.cloud.at("put cancel", lambda: engine.cloud.records.pop("cancel/j"), after=True)
    with pytest.raises(Transient, match="RecordGone"):
        create(records, "cancel/j", two)


def test_a_record_of_another_kind_is_a_wrong_configuration(engine: Engine) -> None:
    engine.cloud.records["cancel/j"] = (START, b'{"other": 1}')
    with pytest.raises(Misconfigured, match="UnreadableRecord"):
        read(engine.records, "cancel/j", Cancelled)


def test_all_pages_of_records_are_listed(engine: Engine) -> None:
    for number in range(2 * PAGE + 1):
        engine.cloud.records[f"gen/j/{number:012}"] = (START, b"{}")
    engine.cloud.at("list gen", fails(AssertionError("it goes on for ever")), nth=4)
    assert len(list_all(engine.records, "gen/j/").entries) == 2 * PAGE + 1
    assert engine.cloud.count("list gen") == 3


def test_the_newest_generation_is_the_highest_of_chains_and_restarts(engine: Engine) -> None:
    assert newest_generation(engine.records, "j") is None
    supersede(engine.records, "j", 99)
    engine.cloud.time += 10
    restart(engine.records, "j", 1000)
    engine.cloud.time += 5
    newest = newest_generation(engine.records, "j")
    assert newest is not None
    assert (newest.number, newest.age) == (1000, 5)
    assert engine.journal.generation("j") == 99
    for name in ("x", "9" * 13, "-1", "٣" * 12, "999999999999-stop", "1/x"):
        engine.cloud.records[f"gen/j/{name}"] = (START, b"{}")  # no generation, and nobody dies of it
    assert engine.journal.generation("j") == 99
    supersede(engine.records, "j", 2000)
    engine.cloud.time += 1
    restart(engine.records, "j", 1500)
    newest = newest_generation(engine.records, "j")
    assert newest is not None
    assert (newest.number, newest.age) == (2000, 1)
    assert engine.journal.generation("j") == 2000


def test_when_a_record_was_written_is_asked_of_that_record_alone(engine: Engine) -> None:
    engine.put("cancel/job-2", Cancelled("n", "now"))
    assert engine.journal.written("cancel", "job") is None
    engine.cloud.time += 7
    assert engine.journal.written("cancel", "job-2") == (START, START + 7)


def test_records_are_deleted_open_last_so_that_the_job_is_found_again(engine: Engine) -> None:
    opened, _ = large(engine)
    engine.cloud.records[f"gen/{opened.job}/1"] = (START, b"{}")
    engine.cloud.records[f"note/{opened.job}/1-1"] = (START, b"{}")
    delete_records(engine.records, opened.job)
    deleted = [each.partition(" c-")[0] for each in engine.cloud.asked if each.startswith("delete")]
    assert deleted == ["delete gen", "delete note", "delete up", "delete open"]
    assert engine.cloud.records == {}


# --- the sweep ---------------------------------------------------------------------------------------------


def test_a_copy_that_has_hardly_begun_is_not_looked_at(engine: Engine) -> None:
    large(engine)
    engine.cloud.time += PATIENCE - 1
    assert sweep(engine).looked == 0
    engine.cloud.time += 1
    assert sweep(engine).looked == 1


def test_an_upload_that_moves_is_left_alone_and_one_that_stands_still_is_resumed(engine: Engine) -> None:
    opened, entered = large(engine)
    engine.cloud.time += PATIENCE
    uploaded = engine.cloud.uploads[entered.upload.id]
    engine.entered(opened, [1])
    engine.cloud.records[f"up/{opened.job}"] = (START, engine.cloud.records[f"up/{opened.job}"][1])
    assert uploaded.parts == {}
    engine.cloud.time += PATIENCE - 1
    assert sweep(engine).waiting == 1
    engine.cloud.time += 1
    assert sweep(engine).resumed == 1
    (following,) = engine.cloud.commands()
    generation = plan.next_generation(int(engine.cloud.time), 0)
    assert (following.generation, following.hop, following.lane) == (generation, 1, 1)
    assert engine.cloud.submitted[0][0] == f"{opened.job}-g{generation}-l1-h1"
    assert engine.journal.generation(opened.job) == generation


def test_an_upload_without_parts_stands_still_since_it_was_opened(engine: Engine) -> None:
    large(engine)
    engine.cloud.time += PATIENCE
    assert sweep(engine).resumed == 1


def test_two_sweeps_start_one_chain(engine: Engine) -> None:
    large(engine)
    engine.cloud.time += PATIENCE
    assert sweep(engine).resumed == 1
    engine.cloud.time += PATIENCE - 1
    assert sweep(engine).waiting == 1
    assert len(engine.cloud.submitted) == 1
    engine.cloud.time += 1
    assert sweep(engine).resumed == 1
    one, two = (each.generation for each in engine.cloud.commands())
    assert two > one


def test_a_chain_that_the_sweep_starts_is_above_every_one_on_record(engine: Engine) -> None:
    opened, _ = large(engine)
    engine.cloud.records[f"gen/{opened.job}/{10**9:012}"] = (START, b"{}")
    engine.cloud.time += PATIENCE
    assert sweep(engine).resumed == 1
    assert [each.generation for each in engine.cloud.commands()] == [10**9 + 1]


def test_a_copy_that_is_over_is_not_resumed(engine: Engine) -> None:
    opened, _ = large(engine)
    engine.cloud.time += PATIENCE
    over(engine, opened)
    assert sweep(engine).waiting == 1
    assert engine.cloud.submitted == []
    engine.cloud.time += SETTLE
    assert sweep(engine).forgotten == 1


def test_a_generation_is_on_record_before_its_chain_is_submitted(engine: Engine) -> None:
    large(engine)
    engine.cloud.time += PATIENCE
    engine.cloud.broken["submit"] = EXPIRED
    assert sweep(engine).failed == 1
    assert "gen" in engine.kinds()


def test_an_upload_that_is_gone_is_looked_into_by_a_hop(engine: Engine) -> None:
    large(engine)
    engine.cloud.uploads.clear()
    engine.cloud.time += PATIENCE
    assert sweep(engine).resumed == 1
    engine.cloud.time = START + plan.MAX_AGE + 10 * PATIENCE
    assert sweep(engine).resumed == 1, "however old it is: the destination tells"


def test_a_copy_that_is_too_old_is_ended_once_no_hop_can_be_alive(engine: Engine) -> None:
    opened, _ = large(engine)
    engine.cloud.time += plan.MAX_AGE + PATIENCE
    assert sweep(engine).resumed == 1
    engine.cloud.time += 1
    assert sweep(engine).ended == 1
    assert code(engine.done(opened.job)) == "TooOld"
    assert engine.cloud.uploads == {}


def test_a_copy_that_is_too_old_and_moves_is_left_to_its_hops(engine: Engine) -> None:
    opened, _ = large(engine)
    engine.cloud.time += plan.MAX_AGE + PATIENCE + 1
    engine.entered(opened, [1])
    assert sweep(engine).waiting == 1


def test_an_upload_that_may_not_be_looked_at_is_an_error_until_it_is_too_old(engine: Engine) -> None:
    opened, _ = large(engine)
    engine.cloud.broken["list_parts"] = DENIED
    engine.cloud.time += PATIENCE
    assert sweep(engine).failed == 1
    engine.cloud.time += plan.MAX_AGE + 1
    assert sweep(engine).ended == 1
    assert code(engine.done(opened.job)) == "TooOld"


def test_a_copy_without_an_upload_is_begun_again_and_given_up_when_it_is_too_old(engine: Engine) -> None:
    opened = small(engine, follows=2)
    engine.cloud.time += PATIENCE
    assert sweep(engine).resumed == 1
    (command,) = engine.cloud.commands()
    assert (command.job, command.keep, command.follows, command.since) == (opened.job, True, 2, START)
    assert engine.journal.generation(opened.job) == 0, "chains that go on are left alone"
    engine.cloud.time += plan.MAX_AGE + 1
    assert sweep(engine).ended == 1
    assert code(engine.done(opened.job)) == "TooOld"


def test_an_uncertain_copy_is_begun_again_without_a_time_since_when(engine: Engine) -> None:
    small(engine, uncertain=True)
    engine.cloud.time += PATIENCE
    sweep(engine)
    (command,) = engine.cloud.commands()
    assert command.since == 0


def test_a_copyobject_that_landed_unheard_is_found_by_the_sweep(engine: Engine) -> None:
    opened = small(engine)
    engine.cloud.put("b", bucket=DST)
    engine.cloud.time += PATIENCE
    assert sweep(engine).ended == 1
    assert (result := engine.done(opened.job)) is not None
    assert result.status == "succeeded"
    assert engine.cloud.submitted == []


@pytest.mark.parametrize("doubt", [False, True])
def test_only_a_copy_in_doubt_is_compared_before_its_parts_are_resumed(engine: Engine, doubt: bool) -> None:
    opened, _ = large(engine)
    engine.put(f"open/{opened.job}", replace(opened, in_doubt=doubt))
    engine.cloud.put("b", bucket=DST, size=LARGE)
    engine.cloud.time += PATIENCE
    report = sweep(engine)
    assert (report.ended, report.resumed) == ((1, 0) if doubt else (0, 1))


def test_a_cancelled_copy_is_ended_by_the_sweep_once_it_can_be(engine: Engine) -> None:
    opened = small(engine)
    engine.put(f"cancel/{opened.job}", Cancelled("n", "now"))
    engine.cloud.time += PATIENCE
    assert sweep(engine).waiting == 1
    engine.cloud.time += SETTLE
    assert sweep(engine).ended == 1


def test_a_record_that_another_sweep_has_forgotten_is_no_trouble(engine: Engine) -> None:
    opened = small(engine)
    engine.cloud.time += PATIENCE
    engine.cloud.at("get open", lambda: engine.cloud.records.pop(f"open/{opened.job}"))
    assert sweep(engine).forgotten == 1


def test_what_goes_wrong_with_one_copy_keeps_no_other_from_being_looked_at(engine: Engine) -> None:
    opened, _ = large(engine)
    text = msgspec.json.encode(opened).replace(opened.started_at.encode(), b"x")
    engine.cloud.records["open/c-" + "0" * 32] = (START, b"{}")
    engine.cloud.records["open/c-" + "1" * 32] = (START, text)
    engine.cloud.records["open/../c"] = (START, b"\xff")
    engine.put("open/c-" + "2" * 32, replace(opened, job="c-" + "2" * 32))
    engine.cloud.at("get done", fails(ZeroDivisionError("a bug that its values bring out")))
    engine.cloud.time += PATIENCE
    report = sweep(engine)
    assert (report.failed, report.resumed) == (4, 1)
    assert engine.journal.generation(opened.job) > 0
    assert "ZeroDivisionError" in [each["kind"] for each in engine.cloud.events("sweepFailed")]


def test_a_sweep_that_is_short_of_time_lets_another_invocation_go_on(engine: Engine) -> None:
    engine.cloud.put("a")
    jobs = sorted(engine.opened(engine.copy(occurrence=str(n)), "simple").job for n in range(3))
    engine.cloud.time += PATIENCE
    engine.cloud.at("submit", lambda: engine.cloud.sleep(50))
    report = sweep(engine)
    assert (report.more, report.looked) == (True, 1)
    (last,) = engine.cloud.commands()[1:]
    assert last == Sweep(jobs[0])
    assert not Sweeper(engine.context(), engine.journal).run(Sweep(jobs[1])).more
    assert engine.cloud.commands()[-1].job == jobs[2]


def test_a_sweep_without_time_asks_for_nothing_and_is_gone_on_with(engine: Engine) -> None:
    small(engine)
    sweeper = Sweeper(engine.context(), engine.journal)
    engine.cloud.time += 50
    assert sweeper.run(Sweep("c-1")).more
    assert engine.cloud.count("list open") == 0
    assert engine.cloud.commands() == [Sweep("c-1")]


def test_more_copies_than_one_page_are_all_looked_at(engine: Engine) -> None:
    opened = small(engine)
    for number in range(COPIES + 1):
        engine.cloud.records[f"open/c-{number:032x}"] = (START, b"{}")
    engine.cloud.time += PATIENCE
    report = sweep(engine)
    assert (report.looked, report.more) == (COPIES + 2, False)
    assert opened.job in {each.job for each in engine.cloud.commands()}


# --- forgetting --------------------------------------------------------------------------------------------


def forget(engine: Engine, opened: Opened, done: Done, opened_at: int = START) -> bool:
    return Cleaner(engine.context(), engine.journal).forget(opened, done, opened_at, int(engine.cloud.time))


@pytest.mark.parametrize(
    ("opened_settle", "done_settle", "wait"), [(0, 0, SETTLE), (900, 0, 900), (0, 900, 900)]
)
def test_nothing_is_forgotten_while_anything_may_still_take_effect(
    engine: Engine, opened_settle: int, done_settle: int, wait: int
) -> None:
    engine.cloud.put("a")
    opened = engine.opened(engine.copy(), "simple", settle=opened_settle)
    done = over(engine, opened, settle=done_settle)
    engine.cloud.time += wait - 1
    assert not forget(engine, opened, done)
    engine.cloud.time += 1
    assert forget(engine, opened, done)
    assert engine.kinds() == {"done"}


def test_without_done_nothing_is_forgotten(engine: Engine) -> None:
    opened = small(engine)
    done = over(engine, opened)
    del engine.cloud.records[f"done/{opened.job}"]
    engine.cloud.time += 10 * SETTLE
    assert not forget(engine, opened, done)


def test_an_upload_that_a_part_in_flight_brought_back_is_aborted_before_it_is_forgotten(
    engine: Engine,
) -> None:
    opened, _ = large(engine)
    done = over(engine, opened)
    engine.cloud.time += SETTLE
    assert forget(engine, opened, done)
    assert engine.cloud.uploads == {}


def test_an_upload_that_may_not_be_aborted_is_not_forgotten_but_one_whose_bucket_is_gone(
    engine: Engine,
) -> None:
    opened, _ = large(engine)
    done = over(engine, opened)
    engine.cloud.time += SETTLE
    engine.cloud.broken["abort"] = DENIED
    with pytest.raises(Failed, match="AccessDenied"):
        forget(engine, opened, done)
    assert "open" in engine.kinds()
    engine.cloud.broken["abort"] = NO_BUCKET
    assert forget(engine, opened, done)


@pytest.mark.parametrize(("status", "follows"), [("succeeded", 1), ("failed", 1), ("cancelled", 0)])
def test_a_rule_s_source_is_looked_at_once_more_unless_the_copy_was_cancelled(
    engine: Engine, status: str, follows: int
) -> None:
    engine.cloud.put("a")
    opened = engine.opened(engine.copy(follows=0), "simple")
    done = over(engine, opened, status)
    engine.cloud.put("a", "8")
    engine.cloud.time += SETTLE
    assert forget(engine, opened, done)
    assert len(engine.cloud.submitted) == follows


@pytest.mark.parametrize("uncertain", [False, True])
@pytest.mark.parametrize(("follows", "count"), [(0, 1), (1, 0)])
def test_the_destination_is_looked_at_though_the_source_is_what_was_seen(
    engine: Engine, uncertain: bool, follows: int, count: int
) -> None:
    """A delivery before its record, or at the same time, may have written an older version late.

    A follow-up has one version: two rules with one destination do not undo each other's copies for ever.
    """
    engine.cloud.put("a")
    opened = engine.opened(engine.copy(follows=follows), "simple", uncertain=uncertain)
    done = over(engine, opened)
    engine.cloud.put("b", "6", bucket=DST)
    engine.cloud.time += SETTLE
    assert forget(engine, opened, done)
    assert len(engine.cloud.submitted) == (1 if uncertain else count)


@pytest.mark.parametrize(
    ("status", "code", "count"),
    [
        ("succeeded", None, 1),
        ("skipped", "NotDifferent", 1),
        ("skipped", "NotNewer", 0),
        ("failed", "TooOld", 0),
    ],
)
def test_a_destination_that_was_no_copy_at_the_end_is_left_as_it_is(
    engine: Engine, status: str, code: str | None, count: int
) -> None:
    engine.cloud.put("a")
    opened = engine.opened(engine.copy(follows=0), "simple")
    done = over(engine, opened, status, code)
    engine.cloud.put("b", "6", bucket=DST)
    engine.cloud.time += SETTLE
    assert forget(engine, opened, done)
    assert len(engine.cloud.submitted) == count


@pytest.mark.parametrize(
    ("etag", "later", "count"),
    [("E-20", 0, 0), ("E-9", 0, 1), ("E-20", 1, 1)],
    ids=["left", "other", "newer"],
)
def test_what_the_copy_left_is_known_by_its_etag_and_time(
    engine: Engine, etag: str, later: int, count: int
) -> None:
    """Whatever tags it was given since, and whether or not the source has a CRC64 to compare."""
    engine.cloud.put("a", etag="S-2")
    engine.cloud.objects[SRC, "a"].head = replace(engine.cloud.objects[SRC, "a"].head, crc64=None)
    opened = engine.opened(engine.copy(follows=0), "multipart")
    engine.cloud.put("b", bucket=DST, etag="E-20", tags={"scanned": "yes"}, last_modified=START + later)
    done = over(engine, opened, etag=etag)
    engine.cloud.time += SETTLE
    assert forget(engine, opened, done)
    assert len(engine.cloud.submitted) == count


def test_a_copy_that_somebody_has_deleted_stays_deleted(engine: Engine) -> None:
    """What takes effect late is an object: that there is none is nobody's late effect."""
    engine.cloud.put("a")
    opened = engine.opened(engine.copy(follows=0), "simple")
    done = over(engine, opened)
    engine.cloud.time += SETTLE
    assert forget(engine, opened, done)
    assert engine.cloud.submitted == []


def test_a_source_that_cannot_be_looked_at_keeps_a_copy_on_record_for_a_week(engine: Engine) -> None:
    engine.cloud.put("a")
    opened = engine.opened(engine.copy(follows=0), "simple")
    done = over(engine, opened)
    engine.cloud.broken["head"] = DENIED
    engine.cloud.time += plan.MAX_AGE
    with pytest.raises(Failed):
        forget(engine, opened, done)
    engine.cloud.time += 1
    assert forget(engine, opened, done)
    assert len(engine.cloud.events("notFollowed")) == 1


# --- orphan uploads ----------------------------------------------------------------------------------------


def orphan(engine: Engine, initiated: int, name: str = "lost") -> Open:
    attributes = Open((DST, "b"), None, initiated)  # type: ignore[arg-type]  # nobody completes it
    engine.cloud.uploads[name] = attributes
    return attributes


def closed(engine: Engine) -> tuple[Opened, Done]:
    engine.cloud.put("a", size=LARGE)
    opened = engine.opened(engine.copy())
    engine.cloud.time += 10
    return opened, over(engine, opened)


def test_an_upload_that_no_record_names_is_aborted(engine: Engine) -> None:
    opened, done = closed(engine)
    orphan(engine, START + 5)
    engine.cloud.time += 2 * SETTLE
    assert forget(engine, opened, done)
    assert engine.cloud.uploads == {}


@pytest.mark.parametrize("initiated", [START - 2, START + 10 + SETTLE + 1])
def test_an_upload_from_before_or_after_the_copy_is_somebody_else_s(engine: Engine, initiated: int) -> None:
    opened, done = closed(engine)
    orphan(engine, initiated)
    engine.cloud.time += 3 * SETTLE
    assert forget(engine, opened, done)
    assert list(engine.cloud.uploads) == ["lost"]


@pytest.mark.parametrize("initiated", [START - 1, START + 10 + SETTLE])
def test_an_upload_at_the_edge_of_the_copy_s_time_is_ours(engine: Engine, initiated: int) -> None:
    opened, done = closed(engine)
    orphan(engine, initiated)
    engine.cloud.time += 3 * SETTLE
    assert forget(engine, opened, done)
    assert engine.cloud.uploads == {}


def test_an_upload_that_may_still_be_used_keeps_its_copy_on_record(engine: Engine) -> None:
    opened, done = closed(engine)
    engine.cloud.time += SETTLE
    orphan(engine, int(engine.cloud.time) - SETTLE + 1)
    assert not forget(engine, opened, done)
    engine.cloud.time += 1
    assert forget(engine, opened, done)
    assert engine.cloud.uploads == {}


def test_the_copy_s_own_upload_that_is_there_again_keeps_it_on_record(engine: Engine) -> None:
    opened, entered = large(engine)
    upload = engine.cloud.uploads[entered.upload.id]
    done = over(engine, opened)
    engine.cloud.time += SETTLE
    engine.cloud.at("uploads", lambda: engine.cloud.uploads.update({entered.upload.id: upload}))
    assert not forget(engine, opened, done)


def test_an_upload_with_parts_that_no_record_names_is_reported_and_left(engine: Engine) -> None:
    opened, done = closed(engine)
    upload = orphan(engine, START + 5)
    other = engine.entered(opened, [1])
    upload.parts = engine.cloud.uploads.pop(other.upload.id).parts
    del engine.cloud.records[f"up/{opened.job}"]
    engine.cloud.time += 2 * SETTLE
    cleaner = Cleaner(engine.context(), engine.journal)
    assert cleaner.forget(opened, done, START, int(engine.cloud.time))
    assert [each.upload_id for each in cleaner.orphans.doubts] == ["lost"]
    assert list(engine.cloud.uploads) == ["lost"]


@pytest.mark.parametrize(
    ("rival", "forgets"),
    [
        ("may be about to open it", False),
        ("has it", False),
        ("has another", True),
        ("is over", True),
        ("is of another key", True),
        ("is gone", True),
    ],
)
def test_an_upload_that_another_open_copy_may_use_is_left(engine: Engine, rival: str, forgets: bool) -> None:
    opened, done = closed(engine)
    orphan(engine, START + 5)
    other = engine.copy(occurrence="two")
    entry = engine.opened(other)
    match rival:
        case "has it" | "has another":
            entered = engine.entered(entry)
            engine.cloud.uploads.pop(entered.upload.id)
            name = "lost" if rival == "has it" else "another"
            engine.put(f"up/{other.job}", replace(entered, upload=replace(entered.upload, id=name)))
        case "is over":
            over(engine, entry)
        case "is of another key":
            place = replace(other.request.destination, key="c")
            engine.put(f"open/{other.job}", replace(entry, request=replace(other.request, destination=place)))
        case "is gone":
            gone = lambda: engine.cloud.records.pop(f"open/{other.job}")  # noqa: E731 - it happens later
            engine.cloud.at("get open", gone)
    engine.cloud.time += 2 * SETTLE
    assert forget(engine, opened, done) is forgets
    assert ("lost" in engine.cloud.uploads) is not forgets


def test_an_upload_that_somebody_ends_meanwhile_is_no_trouble(engine: Engine) -> None:
    opened, done = closed(engine)
    orphan(engine, START + 5)
    engine.cloud.time += 2 * SETTLE
    engine.cloud.at("list_parts", engine.cloud.uploads.clear)
    cleaner = Cleaner(engine.context(), engine.journal)
    assert cleaner.forget(opened, done, START, int(engine.cloud.time))
    assert cleaner.orphans.aborted == 0


def test_a_report_names_so_many_doubts_and_no_more(engine: Engine) -> None:
    opened, done = closed(engine)
    parts = engine.entered(opened, [1])
    there = engine.cloud.uploads.pop(parts.upload.id).parts
    del engine.cloud.records[f"up/{opened.job}"]
    for number in range(orphans.MOST_DOUBTS + 1):
        orphan(engine, START + 5, f"lost-{number}").parts = there
    engine.cloud.time += 2 * SETTLE
    cleaner = Cleaner(engine.context(), engine.journal)
    cleaner.forget(opened, done, START, int(engine.cloud.time))
    assert len(cleaner.orphans.doubts) == orphans.MOST_DOUBTS
    assert len(engine.cloud.events("doubt")) == orphans.MOST_DOUBTS + 1


# --- lists -------------------------------------------------------------------------------------------------


def work(engine: Engine, context: Context | None = None) -> Worklist:
    return Worklist(context or engine.context(), engine.records, lambda result: result)


def many(engine: Engine, count: int = 3, **fields: Any) -> list[Copy]:
    for number in range(count):
        engine.cloud.put(f"k{number}")
    return [
        engine.copy(
            request(source=Source(SRC, f"k{n}"), destination=replace(request().destination, key=f"k{n}")),
            **fields,
        )
        for n in range(count)
    ]


def waiting(engine: Engine) -> Waiting:
    (name,) = (each for each in engine.cloud.records if each.startswith("rest/"))
    found = read(engine.records, name, Waiting)
    assert found is not None
    return found


def test_every_item_has_its_result_and_a_bad_one_stops_no_other(engine: Engine) -> None:
    one, two, three = many(engine)
    del engine.cloud.objects[SRC, "k1"]
    items: list[Command | Refused] = [one, Refused("InvalidKey", "no"), two, three]
    found = work(engine).run(items)
    assert [each.status for each in found] == ["succeeded", "failed", "failed", "succeeded"]


def test_what_there_is_no_time_for_is_put_on_record_and_handed_over(engine: Engine) -> None:
    copies = many(engine)
    context = engine.context(60.0)
    engine.cloud.time += 60 - plan.list_reserve(60) + 0.5
    found = work(engine, context).run(copies, asked_at=START - 7)
    assert [each.status for each in found] == ["succeeded", "running", "running"]
    rest = waiting(engine)
    assert [each.job for each in rest.copies] == [each.job for each in copies[1:]]
    assert rest.asked_at == START - 7
    assert {each.since for each in rest.copies} == {START - plan.CLOCK_MARGIN}
    assert [delay for _, _, delay in engine.cloud.submitted] == [0]
    names = [each.partition(" ")[0] + " " + each.partition(" ")[2][:4] for each in engine.cloud.asked]
    assert names.index("put rest") < next(i for i, each in enumerate(names) if each.startswith("submit"))


def test_a_list_that_fc_does_not_take_is_left_to_the_sweep(engine: Engine) -> None:
    copies = many(engine)
    context = engine.context(60.0)
    engine.cloud.time += 55
    engine.cloud.broken["submit"] = BUSY
    assert work(engine, context).run(copies)[2].status == "running"
    engine.cloud.broken["put rest"] = BUSY
    with pytest.raises(Transient):
        work(engine, context).run(copies)


def test_what_fails_for_the_moment_comes_last_and_is_known_as_begun(engine: Engine) -> None:
    copies = many(engine)
    for attempt in range(plan.MAX_ATTEMPTS):
        engine.cloud.at("head", fails(EXPIRED), nth=attempt + 1)
    context = engine.context(600.0)
    found = work(engine, context).run(copies)
    assert [each.status for each in found] == ["running", "succeeded", "succeeded"]
    (left,) = waiting(engine).copies
    assert (left.job, left.retried) == (copies[0].job, True)


def test_what_has_failed_is_after_what_had_no_time(engine: Engine) -> None:
    copies = many(engine)
    context = engine.context(60.0)
    engine.cloud.broken["head"] = EXPIRED
    engine.cloud.at("head", lambda: engine.cloud.sleep(50))
    work(engine, context).run(copies)
    assert [each.job for each in waiting(engine).copies] == [each.job for each in (*copies[1:], copies[0])]
    assert [delay for _, _, delay in engine.cloud.submitted] == [plan.STANDSTILL]


def test_a_copy_that_stands_alone_raises_what_may_work_later(engine: Engine) -> None:
    (copy,) = many(engine, 1)
    engine.cloud.broken["head"] = BUSY
    with pytest.raises(Transient):
        work(engine).run([copy])
    assert engine.cloud.records == {}


def test_a_record_of_another_version_keeps_no_other_copy_waiting(engine: Engine) -> None:
    one, two = many(engine, 2, keep=True)
    engine.cloud.records[f"done/{one.job}"] = (START, b"{}")
    assert [code(each) for each in work(engine).run([one, two])] == ["UnreadableRecord", None]
    engine.cloud.broken["get done"] = Misconfigured("AccessDenied", "no")
    with pytest.raises(Misconfigured):
        work(engine).run([one, two])


def test_a_bug_that_one_copy_brings_out_stops_no_other(engine: Engine) -> None:
    one, two = many(engine, 2)
    engine.cloud.at("head", fails(KeyError("a bug")))
    assert [each.status for each in work(engine).run([one, two])] == ["running", "succeeded"]
    assert [each.job for each in waiting(engine).copies] == [one.job]
    assert engine.cloud.events("again")[0]["kind"] == "KeyError"
    engine.cloud.at("head", fails(KeyError("a bug")))
    with pytest.raises(KeyError):
        work(engine).run([one])


def test_what_was_asked_for_too_long_ago_is_not_begun(engine: Engine) -> None:
    copies = many(engine, 2)
    assert work(engine).run(copies, asked_at=START - plan.MAX_AGE)[0].status == "succeeded"
    later = many(engine, 2, occurrence="two")
    assert [code(each) for each in work(engine).run(later, asked_at=START - plan.MAX_AGE - 1)] == [
        "TooOld"
    ] * 2
    assert engine.done(later[0].job) is not None


def test_a_large_copy_of_a_list_gets_a_chain_of_its_own_and_one_alone_begins_here(engine: Engine) -> None:
    copies = many(engine, 2)
    engine.cloud.put("k0", size=LARGE)
    assert work(engine).run(copies)[0].status == "running"
    assert engine.cloud.count("initiate") == 0
    assert work(Engine()).run([]) == ()
    alone = Engine()
    alone.cloud.put("a", size=LARGE)
    assert work(alone).run([alone.copy()])[0].status == "succeeded"


def test_a_hop_in_an_event_goes_on(engine: Engine) -> None:
    assert work(engine).run([engine.chain([1])])[0].status == "succeeded"


class Stalled(Cloud):
    """A cloud whose threads get nothing done before time is over."""

    def __init__(self) -> None:
        super().__init__()
        self.left: list[Callable[[], None]] = []

    def start(self, work: Callable[[], None]) -> None:
        self.left.append(work)

    def signal(self) -> Any:
        return self

    def set(self) -> None:
        pass

    def clear(self) -> None:
        pass

    def wait(self, timeout: float) -> None:
        self.time += timeout


def test_what_is_under_way_when_time_is_over_is_handed_over_as_begun_and_told_no_more() -> None:
    engine = Engine(Stalled())
    copies = many(engine)
    told: list[Result] = []

    def note(result: Result) -> Result:
        told.append(result)
        return result

    worklist = Worklist(engine.context(), engine.records, note)
    found = worklist.run(copies)
    assert [each.status for each in found] == ["running"] * 3
    assert [(each.job, each.retried) for each in waiting(engine).copies] == [(c.job, True) for c in copies]
    assert len(told) == 3
    assert isinstance(engine.cloud, Stalled)
    for left in engine.cloud.left:
        left()
    assert engine.cloud.count("copy") == 0
    ended = worklist._attempt(copies, 0, START)  # noqa: SLF001 - as a thread that is left alone ends its work
    assert isinstance(ended, Result)
    assert ended.status == "succeeded"
    assert len(told) == 3


def test_a_hop_that_is_under_way_when_time_is_over_is_delivered_again() -> None:
    engine = Engine(Stalled())
    with pytest.raises(Transient, match="NoAnswer"):
        work(engine).run([engine.chain([1]), *many(engine)])


def test_copies_that_name_the_same_place_are_made_in_the_order_of_the_list(engine: Engine) -> None:
    """A later one writes it too, reads what an earlier one writes, or writes what an earlier one reads."""

    def copy(source: str, destination: str, *others: str) -> Copy:
        asked = request(
            source=Source(SRC, source),
            destination=replace(request().destination, bucket=SRC, key=destination),
        )
        readings = [replace(asked, destination=replace(asked.destination, key=key)) for key in others]
        return engine.copy(asked, alternatives=tuple(readings))

    items: list[Command | Refused] = [
        copy("a", "b"),
        copy("c", "d"),
        Refused("InvalidKey", "no"),
        copy("e", "b"),
        copy("d", "f"),
        copy("a", "g"),
        copy("h", "e"),
        copy("i", "j", "g"),
    ]
    assert work(engine)._chains(items) == [[0, 3, 6], [1, 4], [2], [5, 7]]  # noqa: SLF001 - no thread tells


def test_copies_of_a_list_are_made_at_once_and_one_alone_in_no_thread(engine: Engine) -> None:
    started: list[int] = []
    right = engine.cloud.start

    def start(work: Callable[[], None]) -> None:
        started.append(1)
        right(work)

    engine.cloud.start = start  # type: ignore[method-assign]  # of this one alone
    assert work(engine).run(many(engine, 9))[8].status == "succeeded"
    assert len(started) > 1
    started.clear()
    work(engine).run(many(engine, 1, occurrence="two"))
    assert started == []


def test_requests_of_a_list_wait_where_one_of_them_is_refused(engine: Engine) -> None:
    context = engine.context()
    engine.cloud.at("copy", fails(Transient("SlowDown", "wait", throttled=True, pause=2.0)))
    engine.cloud.at("copy", fails(EXPIRED), nth=2)
    work(engine, context).run(many(engine, 2))
    assert engine.cloud.time >= START + 2.0
    assert context.attempts()._pacer is None  # noqa: SLF001 - a list's pace is its own


def rest_of(engine: Engine, copies: list[Copy]) -> str:
    name = "l-" + "1" * 32
    engine.put(f"rest/{name}", Waiting(tuple(copies), START))
    engine.cloud.records[f"gen/{name}/1-start"] = (START, b"{}")
    return name


def test_a_list_is_forgotten_once_its_copies_are_done(engine: Engine) -> None:
    name = rest_of(engine, many(engine))
    there: list[bool] = []
    engine.cloud.at("copy", lambda: there.append("rest" in engine.kinds()), nth=3)
    found = work(engine).resume(Rest(name), retried=False)
    assert there == [True]
    assert [each.status for each in found] == ["succeeded"] * 3
    assert not engine.kinds() & {"rest", "gen"}
    engine.cloud.records[f"gen/{name}/2-start"] = (START, b"{}")
    assert work(engine).resume(Rest(name), retried=False) == ()
    assert "gen" not in engine.kinds()


@pytest.mark.parametrize(
    ("rest", "retried", "again"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"generation": 2}, False, True),
        ({"drops": 1}, False, True),
    ],
)
def test_copies_of_a_list_that_may_have_been_worked_on_are_known_as_delivered_again(
    engine: Engine, rest: dict[str, int], retried: bool, again: bool
) -> None:
    """Made already, they are not made once more."""
    copies = many(engine, 1, since=START)
    engine.cloud.put("k0", bucket=DST)
    name = rest_of(engine, copies)
    work(engine).resume(Rest(name, **rest), retried=retried)
    assert engine.cloud.count("copy") == (0 if again else 1)


def test_a_list_that_nobody_works_on_is_handed_over_by_the_sweep(engine: Engine) -> None:
    name = rest_of(engine, many(engine))
    del engine.cloud.records[f"gen/{name}/1-start"]
    engine.cloud.time += PATIENCE - 1
    assert sweep(engine).resumed == 0
    engine.cloud.time += 1
    assert sweep(engine).resumed == 1
    (rest,) = engine.cloud.commands()
    assert (rest.list, rest.generation > 0) == (name, True)
    engine.cloud.time += PATIENCE - 1
    assert sweep(engine).resumed == 0


def test_only_the_first_page_of_a_sweep_looks_at_lists(engine: Engine) -> None:
    rest_of(engine, many(engine))
    engine.cloud.time += 10 * PATIENCE
    assert Sweeper(engine.context(), engine.journal).run(Sweep("c-")).resumed == 0


def test_a_list_that_cannot_be_handed_over_stops_no_sweep(engine: Engine) -> None:
    rest_of(engine, many(engine))
    small(engine)
    engine.cloud.time += 10 * PATIENCE
    engine.cloud.at("submit", fails(DENIED))
    report = sweep(engine)
    assert (report.failed, report.resumed) == (1, 1)


# --- what FC gave up ---------------------------------------------------------------------------------------


def resume(engine: Engine, *commands: Any, **context: Any) -> int:
    return dropped.resume_dropped(
        engine.context(**context), engine.records, Dropped(commands, "RetriesExhausted", "r-9")
    )


def test_a_hop_that_fc_gave_up_goes_on_as_long_as_it_may_stall(engine: Engine) -> None:
    task = engine.chain([1])
    assert resume(engine, task) == 1
    (following,) = engine.cloud.commands()
    assert (following.hop, following.stalls) == (3, 1)
    assert engine.cloud.submitted[0][2] == 5
    assert resume(engine, replace(task, stalls=steps.MAX_STALLS - 2)) == 1
    assert resume(engine, replace(task, stalls=steps.MAX_STALLS - 1)) == 0
    assert len(engine.cloud.events("leftToSweep")) == 1


def test_a_list_that_fc_gave_up_goes_on_so_often_each_time_later(engine: Engine) -> None:
    name = "l-" + "1" * 32
    for drops in range(plan.MAX_DROPS):
        assert resume(engine, Rest(name, 4, drops)) == 1
    assert resume(engine, Rest(name, 4, plan.MAX_DROPS)) == 0
    assert [delay for _, _, delay in engine.cloud.submitted] == [300, 1200, 3600]
    assert [each.drops for each in engine.cloud.commands()] == [1, 2, 3]
    assert engine.cloud.submitted[0][0] == f"{name}-g4-d1"


def test_a_copy_that_fc_gave_up_goes_on_as_delivered_again(engine: Engine) -> None:
    (copy,) = many(engine, 1)
    assert resume(engine, copy) == 1
    (following,) = engine.cloud.commands()
    assert (following.drops, following.retried, following.since) == (1, True, 0)
    assert [(name, delay) for name, _, delay in engine.cloud.submitted] == [(f"{copy.job}-d1", 300)]


def test_several_copies_that_fc_gave_up_go_on_as_one_list(engine: Engine) -> None:
    copies = many(engine)
    assert resume(engine, *copies) == 3
    assert {(each.drops, each.retried) for each in waiting(engine).copies} == {(1, True)}
    assert [delay for _, _, delay in engine.cloud.submitted] == [300]


def test_a_copy_that_fc_gave_up_too_often_has_failed_unless_it_was_begun(engine: Engine) -> None:
    one, two = many(engine, 2)
    engine.opened(two, "simple")
    assert resume(engine, *(replace(each, drops=plan.MAX_DROPS - 1) for each in (one, two))) == 2
    assert resume(engine, *(replace(each, drops=plan.MAX_DROPS) for each in (one, two))) == 0
    result = engine.done(one.job)
    assert code(result) == "InvocationDropped"
    assert result is not None
    assert result.error is not None
    assert result.error.request_id == "r-9"
    assert "RetriesExhausted" in result.error.message
    assert engine.done(two.job) is None


def test_where_time_is_short_the_rest_is_given_up_by_the_next_invocation(engine: Engine) -> None:
    copies = [replace(each, drops=plan.MAX_DROPS) for each in many(engine)]
    engine.cloud.at("put done", lambda: engine.cloud.sleep(50), after=True)
    assert resume(engine, *copies) == 2
    assert len([each for each in engine.cloud.records if each.startswith("done/")]) == 1
    assert [delay for _, _, delay in engine.cloud.submitted] == [3600]


def test_a_command_of_two_lists_is_not_one_list(engine: Engine) -> None:
    copies = many(engine)
    lists.hand_over(engine.context(), engine.records, copies, START, "one", 0)
    lists.hand_over(engine.context(), engine.records, copies, START, "one", 0)
    lists.hand_over(engine.context(), engine.records, copies, START, "two", 0)
    assert len(engine.cloud.submitted) == 2


def test_resumer_and_sweep_agree_on_what_stands_still(engine: Engine) -> None:
    opened, entered = large(engine)
    resumer: Callable[[float], str] = lambda patience: Resumer(  # noqa: E731 - one expression
        engine.context(), engine.records, patience
    ).resume(opened, entered, int(engine.cloud.time))
    engine.cloud.time += 9
    assert [resumer(10), resumer(9)] == ["waiting", "resumed"]
    assert isinstance(engine.cloud.commands()[0], Continue)
