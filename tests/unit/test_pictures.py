"""Pictures of jobs: which parts or ranges are done, when hops began, and what a look at them asks."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from datetime import datetime, timezone

import msgspec
import pytest
from msgspec.structs import replace

from osscopy import events
from osscopy.copying.outcome import task_of
from osscopy.jobs.bulk import walk
from osscopy.jobs.bulk.pages import listing
from osscopy.jobs.journal import RecordJournal
from osscopy.jobs.many import Many
from osscopy.jobs.pictures import copies, many as pictures
from osscopy.jobs.pictures.copies import Picture
from osscopy.jobs.pictures.many import FRESH, PIECES, Progress
from osscopy.jobs.pictures.rows import first_rows, unpacked
from osscopy.jobs.queries import Queries
from osscopy.model import (
    BulkResult,
    Failed,
    Opened,
    Problem,
    Refused,
    ReportPlace,
    Requests,
    Transient,
)
from osscopy.plan import bulk
from tests.unit.engine import DENIED, LARGE, PART, Engine, fails
from tests.unit.many import REPORT, Jobs, job_of, request

JOB = job_of(request()).job


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


# --- one copy ----------------------------------------------------------------------------------------------


def picture(engine: Engine, job: str) -> Picture | None:
    queries = Queries(engine.context(), engine.journal)
    return queries.picture(job, queries.look(job))


def running(engine: Engine, parts: list[int], lanes: int = 2) -> Opened:
    engine.cloud.put("a", size=LARGE)
    opened = engine.opened(engine.copy())
    engine.entered(opened, parts, lanes)
    return opened


def test_a_picture_shows_the_parts_that_are_there_lane_by_lane(engine: Engine) -> None:
    opened = running(engine, [1, 3])
    drawn = picture(engine, opened.job)
    assert drawn is not None
    assert (drawn.lanes, drawn.parts) == (((1, 2), (3, 4)), LARGE // PART)
    assert drawn.there == {1, 3}
    assert drawn.timeline.rows == ("1", "2")
    assert drawn.timeline.batches == ((0, engine.cloud.time), (1, engine.cloud.time))


def test_a_hop_ends_where_the_next_one_of_its_lane_begins(engine: Engine) -> None:
    opened = running(engine, [])
    begun = engine.cloud.time
    entered = engine.journal.entered(opened.job)
    assert entered is not None
    task = task_of(opened, entered.upload)
    for seconds, lane, hop in ((1, 2, 1), (5, 1, 2), (9, 1, 3)):
        engine.cloud.time = begun + seconds
        engine.journal.work_on(replace(task, lane=lane, hop=hop))
    engine.cloud.time = begun + 20
    drawn = picture(engine, opened.job)
    assert drawn is not None
    bars = [(bar.row, bar.begun - begun, bar.ended - begun, bar.is_open) for bar in drawn.timeline.bars]
    assert bars == [(0, 0, 5, False), (0, 5, 9, False), (0, 9, 20, True), (1, 1, 20, True)]


def test_a_resumption_and_an_error_are_marks(engine: Engine) -> None:
    opened = running(engine, [])
    entered = engine.journal.entered(opened.job)
    assert entered is not None
    engine.journal.note(replace(task_of(opened, entered.upload), lane=2, hop=4), Problem("NetworkError", ""))
    engine.cloud.time += 3
    records = engine.records
    records.put_new(f"gen/{opened.job}/000030000001-start", b"{}")
    records.put_new(f"gen/{opened.job}/nonsense", b"{}")
    records.put_new(f"note/{opened.job}/nonsense", b"{}")
    records.put_new(f"hop/{opened.job}/nonsense", b"{}")
    drawn = picture(engine, opened.job)
    assert drawn is not None
    assert [(mark.kind, mark.row, mark.text) for mark in drawn.timeline.marks] == [
        ("problem", 1, "4"),
        ("resumed", None, ""),
    ]
    assert len(drawn.timeline.bars) == 1


def test_a_copy_that_is_done_has_all_its_parts_and_one_that_is_forgotten_no_picture(engine: Engine) -> None:
    opened = running(engine, [1])
    result = Queries(engine.context(), engine.journal).look(opened.job)
    ended = replace(result, status="succeeded", finished_at="2027-01-15T08:10:00.000Z")
    asked = len(engine.cloud.asked)
    drawn = copies.picture(engine.context(), engine.journal, opened.job, ended)
    assert drawn is not None
    assert drawn.there == {1, 2, 3, 4}
    assert "list parts" not in engine.cloud.asked[asked:]
    del engine.cloud.records[f"up/{opened.job}"]
    assert copies.picture(engine.context(), engine.journal, opened.job, ended) is None


def test_an_upload_that_has_just_ended_and_a_record_that_is_gone_show_no_parts(engine: Engine) -> None:
    opened = running(engine, [1])
    result = Queries(engine.context(), engine.journal).look(opened.job)
    engine.cloud.uploads.clear()
    drawn = copies.picture(engine.context(), engine.journal, opened.job, result)
    assert drawn is not None
    assert drawn.there == frozenset()
    del engine.cloud.records[f"open/{opened.job}"]
    again = copies.picture(engine.context(), RecordJournal(engine.records), opened.job, result)
    assert again is not None
    assert again.there == frozenset()


# --- many objects ------------------------------------------------------------------------------------------


def counted(jobs: Jobs, since: int) -> int:
    return len(jobs.cloud.asked) - since


def test_a_look_is_kept_for_those_who_look_next(jobs: Jobs) -> None:
    jobs.put(*"abc")
    jobs.begin()
    first = Many(jobs.tools()).picture(JOB)
    assert first.picture is not None
    assert [piece.is_open for piece in first.picture.pieces] == [True]
    since, waiting = len(jobs.cloud.asked), len(jobs.cloud.submitted)
    jobs.cloud.time += FRESH
    assert Many(jobs.tools()).picture(JOB).result == first.result
    assert (counted(jobs, since), len(jobs.cloud.submitted)) == (3, waiting)


def test_an_old_look_is_shown_with_its_age_while_an_invocation_looks_again(jobs: Jobs) -> None:
    jobs.put(*"abc")
    jobs.begin()
    Many(jobs.tools()).picture(JOB)
    since, waiting = len(jobs.cloud.asked), len(jobs.cloud.submitted)
    jobs.cloud.time += FRESH + 1
    old = Many(jobs.tools()).picture(JOB)
    assert old.picture is not None
    assert old.picture.age == FRESH + 1
    asked = [each.partition(" b-")[0] for each in jobs.cloud.asked[since:]]
    assert asked == ["get bulk", "get done", "get bulk", "submit"]
    assert len(jobs.cloud.submitted) == waiting + 1
    jobs.done = waiting
    jobs.drain_one()
    new = Many(jobs.tools()).picture(JOB)
    assert new.picture is not None
    assert new.picture.age == 0


def test_what_cannot_be_asked_for_is_looked_at_here(jobs: Jobs) -> None:
    jobs.put(*"abc")
    jobs.begin()
    Many(jobs.tools()).picture(JOB)
    jobs.cloud.time += FRESH + 1
    jobs.cloud.broken["submit"] = Transient("NetworkError", "no answer")
    seen = Many(jobs.tools()).picture(JOB)
    assert seen.picture is not None
    assert seen.picture.age == 0


def test_a_job_that_has_ended_shows_its_own_figures(jobs: Jobs) -> None:
    jobs.put(*"abc")
    result = jobs.run()
    seen = Many(jobs.tools()).picture(JOB)
    assert seen.result == result
    assert seen.picture is not None
    assert (seen.picture.requests.put, seen.picture.invocations) == (3, 1)
    assert seen.picture.slowest[0].objects == 3
    for name in [name for name in jobs.cloud.records if name.startswith("bulk/")]:
        del jobs.cloud.records[name]
    assert Many(jobs.tools()).picture(JOB).picture is None


def test_there_is_no_picture_of_nothing(jobs: Jobs) -> None:
    for ask in (Many(jobs.tools()).picture, lambda job: pictures.overview(jobs.tools(), job)):
        with pytest.raises(Refused) as refusal:
            ask(JOB)
        assert refusal.value.code == "NoSuchJob"
    assert not jobs.cloud.records


def test_an_overview_that_comes_late_keeps_nothing_of_a_job_that_has_ended(jobs: Jobs) -> None:
    jobs.put("a")
    result = jobs.run()
    assert pictures.overview(jobs.tools(), JOB) == result
    assert f"bulk/{JOB}/progress" not in jobs.cloud.records


@pytest.mark.parametrize("has_ended", [False, True])
def test_a_look_that_cannot_be_read_is_as_good_as_none(jobs: Jobs, has_ended: bool) -> None:
    jobs.put(*"abc")
    if has_ended:
        jobs.run()
        jobs.cloud.records[f"bulk/{JOB}/closing"] = (0, b"{")
    else:
        jobs.begin()
    jobs.cloud.records[f"bulk/{JOB}/progress"] = (0, b"{")
    seen = Many(jobs.tools()).picture(JOB)
    assert (seen.picture is None) is has_ended
    jobs.cloud.broken["get bulk"] = DENIED
    with pytest.raises(Failed):
        Many(jobs.tools()).picture(JOB)


@pytest.fixture
def narrow() -> Iterator[None]:
    """Pages of two keys, and entries of two rows."""
    kept = listing.PAGE, walk.MOST_ROWS
    listing.PAGE, walk.MOST_ROWS = 2, 2
    yield
    listing.PAGE, walk.MOST_ROWS = kept


@pytest.mark.usefixtures("narrow")
def test_ranges_are_shown_in_the_order_of_keys_and_several_as_one(jobs: Jobs) -> None:
    jobs.put(*(f"{number:03}" for number in range(60)))
    jobs.workers = 4
    jobs.begin()
    jobs.drain(1)
    seen = Many(jobs.tools()).picture(JOB)
    assert seen.picture is not None
    assert sum(piece.objects for piece in seen.picture.pieces) == seen.result.objects.total > 0
    assert any(piece.is_open for piece in seen.picture.pieces)


def test_ten_thousand_ranges_are_shown_for_three_requests_and_little_computing(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    many = [pictures.Piece(number % 500 == 0, 1000, number % 7 == 0) for number in range(10_000)]
    size = -(-len(many) // PIECES)
    kept = tuple(pictures.merged(many[at : at + size]) for at in range(0, len(many), size))
    known = Progress(jobs.cloud.time, BulkResult(JOB, "running"), Requests(10**7, 10**4), 10**6, 9000, kept)
    jobs.cloud.records[f"bulk/{JOB}/progress"] = (0, msgspec.json.encode(known))
    Many(jobs.tools()).picture(JOB)
    since, begun = len(jobs.cloud.asked), time.process_time()
    seen = Many(jobs.tools()).picture(JOB)
    assert time.process_time() - begun < 0.05
    assert counted(jobs, since) <= 3
    assert seen.picture is not None
    assert len(seen.picture.pieces) <= PIECES
    assert sum(piece.objects for piece in seen.picture.pieces) == 10**7


def test_a_picture_is_forgotten_with_its_job(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    Many(jobs.tools()).picture(JOB)
    jobs.drain()
    jobs.sweep(4 * 86_400)
    jobs.sweep(4 * 86_400)
    assert not [name for name in jobs.cloud.records if name.startswith(f"bulk/{JOB}/")]


def test_a_timeline_of_many_shows_hops_by_range_and_those_that_came_again(jobs: Jobs) -> None:
    jobs.put(*"abc")
    begun = jobs.cloud.time
    jobs.begin()
    root, child = bulk.range_id(()), bulk.range_id((1,))
    hops = ((1, root, 1, 0), (4, root, 2, 0), (5, child, 1, 0), (9, child, 1, 1))
    for seconds, of, number, attempt in hops:
        jobs.cloud.records[f"bulk/{JOB}/hop/{of}-g0-h{number}-a{attempt}"] = (int(begun + seconds), b"{}")
    jobs.cloud.records[f"bulk/{JOB}/hop/{root}-g0-h1-a0/000000"] = (0, b"{}")
    jobs.cloud.records[f"bulk/{JOB}/ended/{bulk.ROOT}/0"] = (int(begun + 6), b"{}")
    jobs.cloud.records[f"bulk/{JOB}/ended/{root}/of-2"] = (0, b"{}")
    jobs.cloud.time = begun + 20
    line = Many(jobs.tools()).timeline(BulkResult(JOB, "running"))
    assert line.rows == (root[:8], child[:8])
    bars = [(bar.row, bar.begun - begun, bar.ended - begun, bar.is_open) for bar in line.bars]
    assert bars == [(0, 1, 4, False), (0, 4, 6, False), (1, 5, 9, False), (1, 9, 20, True)]
    assert [(mark.kind, mark.row, mark.at - begun) for mark in line.marks] == [("killed", 1, 9)]


def test_a_job_whose_hops_are_forgotten_has_no_timeline(jobs: Jobs) -> None:
    with pytest.raises(Refused) as refusal:
        Many(jobs.tools()).timeline(BulkResult(JOB, "succeeded"))
    assert refusal.value.code == "NoSuchJob"


# --- dry runs ----------------------------------------------------------------------------------------------


def test_a_dry_run_is_carried_out_as_it_was_shown(jobs: Jobs) -> None:

    jobs.put("a", "b")
    shown = jobs.run(request(dry_run=True))
    arrival = events.Arrival("r", datetime.fromtimestamp(jobs.cloud.time, timezone.utc))
    jobs.put("c")
    again = Many(jobs.tools()).carry_out(shown.job or "", "x", arrival)
    jobs.drain()
    assert set(jobs.statuses(again.job or "").values()) == {"copied"}
    assert set(jobs.statuses(again.job or "")) == {"a", "b"}
    with pytest.raises(Refused) as refusal:
        Many(jobs.tools()).carry_out(again.job or "", "y", arrival)
    assert (refusal.value.code, refusal.value.field) == ("InvalidField", "job")


# --- rows of a report --------------------------------------------------------------------------------------


def test_the_first_rows_of_what_failed_are_read(jobs: Jobs) -> None:
    jobs.put(*"abc")
    jobs.cloud.at("copy", fails(DENIED), nth=2)
    result = jobs.run()
    (row,) = first_rows(jobs.tools(), result) or []
    assert (row["key"], row["status"], row["errorCode"]) == ("in/b", "failed", "AccessDenied")


def test_a_list_that_is_cut_off_shows_its_whole_lines(jobs: Jobs) -> None:
    jobs.put("a")
    result = jobs.run()
    name = f"r/{JOB}/{bulk.FAILED}"
    lines = bulk.HEADER + b"".join(b"b,k%06d,,,failed,X,,m,,,,,\n" % number for number in range(60_000))
    body = gzip.compress(bulk.HEADER) + gzip.compress(lines, compresslevel=1)
    jobs.cloud.files[name] = body
    rows = first_rows(jobs.tools(), result)
    assert rows is not None
    assert [row["key"] for row in rows] == [f"k{number:06}" for number in range(100)]
    assert len(unpacked(body)) <= 512 * 1024
    assert unpacked(b"no gzip") == b""


def test_there_are_no_rows_without_a_report(jobs: Jobs) -> None:
    jobs.put("a")
    result = jobs.run()
    assert first_rows(jobs.tools(), BulkResult(JOB, "failed")) is None
    assert first_rows(jobs.tools(), replace(result, status="running")) is None
    assert first_rows(jobs.tools(), replace(result, report=ReportPlace(REPORT, "gone/"))) is None
    jobs.cloud.broken["read file"] = DENIED
    with pytest.raises(Failed):
        first_rows(jobs.tools(), result)
