"""Copies that had no answer: noted before they are sent, compared later, and copied anew where stale."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given, strategies as st
from msgspec import json
from msgspec.structs import replace

from osscopy import events
from osscopy.jobs.bulk.pages import listing
from osscopy.model import (
    BulkDestination,
    BulkRequest,
    Cancelled,
    Intended,
    Manifest,
    Noted,
    Range,
    Shown,
    Walk,
)
from osscopy.plan import bulk
from tests.unit.engine import BUSY, DENIED, DST, LARGE, LOST, SRC, fails
from tests.unit.many import Jobs, carry_out, job_of, request

JOB = job_of(request()).job
ROOT = bulk.range_id(())


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


def in_doubt(jobs: Jobs, asked: BulkRequest | None = None) -> str:
    """Run a job of which one request had no answer; return its id."""
    jobs.cloud.at("copy", fails(LOST))
    result = jobs.run(asked)
    assert result.error is None
    return result.job or ""


def change(jobs: Jobs, key: str = "a") -> None:
    """Write a newer version at the source: the destination shows the older one, as if a copy were late."""
    jobs.put(key, crc64="2")


def shown(jobs: Jobs, key: str = "a") -> str | None:
    return jobs.cloud.objects[DST, f"out/{key}"].head.crc64


def follow_up(jobs: Jobs) -> str:
    """Sweep, and carry out the job that follows; return its id, "" if there is none."""
    jobs.sweep()
    names = [str(each["by"]) for each in jobs.cloud.events("followed")]
    jobs.drain()
    return names[-1] if names else ""


def _cancel(jobs: Jobs) -> None:
    entry = json.encode(Cancelled("x", "2027-01-15T08:00:00Z"))
    jobs.cloud.records[f"cancel/{JOB}"] = (int(jobs.cloud.time), entry)


class Waiting(threading.Event):
    """A flag that nobody raises: time goes by where it is waited for."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs

    def wait(self, timeout: float | None = None) -> bool:
        self._jobs.cloud.time += timeout or 0.0
        return False


def _never_ends(work: Callable[[], None]) -> None:
    """Begin a thread that never ends."""


def notes(jobs: Jobs, job: str = JOB) -> dict[str, set[tuple[str, str]]]:
    """Return keys and ETags by the name of each note."""
    at = f"bulk/{job}/hop/"
    return {
        name.removeprefix(at): {(each.key, each.etag) for each in json.decode(body, type=Noted).copies}
        for name, (_, body) in jobs.cloud.records.items()
        if name.startswith(at) and name.count("/") == 4
    }


def is_marked(jobs: Jobs) -> bool:
    return f"bulk/{JOB}/hop/{ROOT}-doubt" in jobs.cloud.records


# --- decisions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        (["r-g0-h1-a0"], False),
        (["r-g0-h2-a0"], False),
        (["r-g0-h1-a1"], True),
        (["r-g7-h1-a0"], True),
        (["r-doubt"], True),
        (["s-doubt", "s-g7-h1-a1"], False),
    ],
)
def test_a_range_is_in_doubt_if_it_is_marked_or_a_hop_came_again(claims: list[str], expected: bool) -> None:
    names = ["r-g0-h1-a0/000000", "settle-g0-h1-a0", *claims]
    assert bulk.notes_in_doubt(names) == (("r-g0-h1-a0/000000",) if expected else ())


def test_only_our_own_copy_of_another_version_is_stale() -> None:
    old, new, foreign = (Shown(1, etag, 5, "Standard", "Normal") for etag in ("E1", "E2", "E9"))
    assert bulk.is_stale("E1", new, old)
    assert not bulk.is_stale("E1", old, old)
    assert not bulk.is_stale("E1", new, new)
    assert not bulk.is_stale("E1", new, foreign)
    assert not bulk.is_stale("E1", None, old)
    assert not bulk.is_stale("E1", new, None)


def test_the_list_of_what_is_stale_is_a_manifest_with_each_object_once() -> None:
    text = bulk.listed(
        [Intended("b +,\n", "E1", SRC), Intended("a", "E1", SRC, "v1"), Intended("a", "E2", SRC, "v1")]
    )
    form = bulk.form_of(text, "url")
    found = [
        (each.bucket, each.key, each.version_id)
        for each in bulk.lines(form, text[form.skips :], 0, is_last=True)
    ]
    assert found == [(SRC, "a", "v1"), (SRC, "b +,\n", None)]


@given(st.text(min_size=1))
def test_a_listing_that_begins_before_a_key_shows_it(key: str) -> None:
    assert bulk.before(key).encode() < key.encode()


def test_a_listing_that_begins_before_a_key_shows_little_else() -> None:
    assert "a/998" < bulk.before("a/999") < "a/999"
    assert bulk.before("a\x00") == "a"
    assert bulk.before("\ue000") == "\ud7ff\U0010ffff"


# --- notes -----------------------------------------------------------------------------------------------


def test_copies_are_noted_before_the_first_one_is_sent(jobs: Jobs) -> None:
    jobs.put("a", crc64="1")
    jobs.put("b", crc64="3")
    jobs.begin()
    found: list[dict[str, set[tuple[str, str]]]] = []
    jobs.cloud.at("copy", lambda: found.append(notes(jobs)))
    jobs.drain()
    assert found == [{f"{ROOT}-g0-h1-a0/000000": {("in/a", "E1"), ("in/b", "E3")}}]


def test_what_is_not_copied_is_not_noted(jobs: Jobs) -> None:
    jobs.put("a", crc64="1")
    jobs.cloud.put("out/a", "1", bucket=DST)
    jobs.run()
    assert notes(jobs) == {}


def test_a_source_that_has_changed_is_noted_anew(jobs: Jobs) -> None:
    jobs.put("a", crc64="1")
    jobs.cloud.at("copy", lambda: change(jobs))
    jobs.run()
    assert sorted(map(sorted, notes(jobs).values())) == [[("in/a", "E1")], [("in/a", "E2")]]


def test_a_source_that_is_as_it_was_is_not_noted_twice(jobs: Jobs) -> None:
    jobs.put("a", crc64="1")
    jobs.run(request(encryption="keep"))
    job = job_of(request(encryption="keep")).job
    assert len(notes(jobs, job)) == 1


def test_the_lines_of_a_manifest_are_looked_at_before_they_are_noted_at_once(jobs: Jobs) -> None:
    jobs.put("a", crc64="1")
    jobs.put("b", crc64="3")
    asked = request(source=jobs.list(f"{SRC},in/a\n{SRC},in/b\n".encode()))
    jobs.run(asked)
    assert list(notes(jobs, job_of(asked).job).values()) == [{("in/a", "E1"), ("in/b", "E3")}]
    assert jobs.cloud.count("head") == 3  # one is of the manifest


def test_a_line_that_could_not_be_looked_at_is_looked_at_where_its_row_is_made(jobs: Jobs) -> None:
    jobs.put("a", crc64="1")
    jobs.cloud.at("head", fails(DENIED), nth=2)
    asked = request(source=jobs.list(f"{SRC},in/a\n".encode()))
    assert jobs.run(asked).objects.succeeded == 1
    assert list(notes(jobs, job_of(asked).job).values()) == [{("in/a", "E1")}]


def test_a_request_without_an_answer_marks_the_range(jobs: Jobs) -> None:
    jobs.put("a", "b")
    in_doubt(jobs)
    assert is_marked(jobs)


def test_a_request_that_was_refused_for_the_moment_does_not(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.cloud.at("copy", fails(BUSY))
    jobs.run()
    assert not is_marked(jobs)


def test_a_range_is_marked_once_a_hop(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 1)
    monkeypatch.setattr("osscopy.jobs.bulk.walk.MOST_ROWS", 1)
    jobs.put("a", "b")
    for number in (1, 3):
        jobs.cloud.at("copy", fails(LOST), nth=number)
    jobs.run()
    assert sum(each.endswith("-doubt") for each in jobs.cloud.asked) == 1


def test_who_loses_an_entry_marks_the_range(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    name = f"bulk/{JOB}/log/{ROOT}/{bulk.LAST - 1:012}"

    def other() -> None:
        jobs.cloud.records[name] = (
            int(jobs.cloud.time),
            b'{"nonce":"x","kind":"end","low":null,"high":null,"totals":{}}',
        )

    jobs.cloud.at("copy", other)
    carry_out(jobs.tools(), events.encode(Walk(JOB, Range())), 0)
    assert is_marked(jobs)


def test_copies_that_have_not_ended_when_time_is_over_mark_the_range(jobs: Jobs) -> None:
    jobs.put("a", "b")
    jobs.begin()
    jobs.cloud.start = _never_ends  # type: ignore[method-assign]  # of this one alone
    jobs.cloud.signal = lambda: Waiting(jobs)  # type: ignore[method-assign]  # of this one alone
    carry_out(jobs.tools(), events.encode(Walk(JOB, Range())), 0)
    assert is_marked(jobs)


# --- the comparison --------------------------------------------------------------------------------------


@pytest.mark.parametrize("overwrite", ["ifDifferent", "ifNewer", "always"])
def test_what_is_stale_is_copied_by_a_job_that_names_its_parent(jobs: Jobs, overwrite: str) -> None:
    jobs.put("a", crc64="1")
    jobs.put("b", crc64="3")
    job = in_doubt(jobs, request(overwrite=overwrite))
    change(jobs)
    later = follow_up(jobs)
    result = jobs.look(later)
    assert (result.status, result.parent) == ("succeeded", job)
    assert (result.objects.total, result.objects.succeeded) == (1, 1)
    assert shown(jobs) == "2"
    assert jobs.cloud.count("copy") == 4
    assert set(jobs.statuses(job)) == {"a", "b"}  # the report stays
    assert not any(name.startswith(f"bulk/{job}/") for name in jobs.cloud.records)


def test_a_job_that_follows_says_while_it_runs_whose_copies_it_makes(jobs: Jobs) -> None:
    jobs.put("a", crc64="1")
    job = in_doubt(jobs)
    change(jobs)
    jobs.sweep()
    later = str(jobs.cloud.events("followed")[-1]["by"])
    assert (jobs.look(later).status, jobs.look(later).parent) == ("running", job)


def test_a_job_without_doubt_is_not_compared(jobs: Jobs) -> None:
    jobs.put("a", crc64="1")
    jobs.run()
    change(jobs)
    listed = jobs.cloud.count("list source")
    assert follow_up(jobs) == ""
    assert jobs.cloud.count("list source") == listed
    assert not any(name.startswith("bulk/") for name in jobs.cloud.records)


def test_what_somebody_else_has_written_is_left_alone(jobs: Jobs) -> None:
    jobs.put("a", crc64="1")
    in_doubt(jobs)
    change(jobs)
    jobs.cloud.put("out/a", "9", bucket=DST)
    assert follow_up(jobs) == ""
    assert shown(jobs) == "9"


def test_what_is_gone_on_one_side_is_left_alone(jobs: Jobs) -> None:
    jobs.put("a", "b", "c")
    in_doubt(jobs)
    del jobs.cloud.objects[SRC, "in/a"], jobs.cloud.objects[DST, "out/b"]
    assert follow_up(jobs) == ""
    assert not any(name.startswith("bulk/") for name in jobs.cloud.records)


def test_a_note_is_compared_page_by_page(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.put("a", crc64="1")
    jobs.put("b", "c", crc64="3")
    asked = request(filters=json.decode(b'{"exclude": ["b"]}', type=type(request().filters)))
    in_doubt(jobs, asked)
    change(jobs, "c")
    monkeypatch.setattr(listing, "PAGE", 1)
    follow_up(jobs)
    assert shown(jobs, "c") == "2"


def test_an_object_that_the_filters_take_no_more_is_left_alone(jobs: Jobs) -> None:
    jobs.put("a", crc64="1")
    asked = request(filters=json.decode(b'{"maxSize": 1000}', type=type(request().filters)))
    job = in_doubt(jobs, asked)
    jobs.put("a", crc64="2", size=1001)
    assert follow_up(jobs) == ""
    assert f"bulk/{job}/job" not in jobs.cloud.records


def test_no_line_is_looked_at_for_which_there_may_be_no_time(jobs: Jobs) -> None:
    jobs.put("a", "b")
    asked = request(source=jobs.list(f"{SRC},in/a\n{SRC},in/b\n".encode()))
    jobs.begin(asked)
    jobs.cloud.at("head", lambda: jobs.cloud.sleep(50))
    carry_out(jobs.tools(), events.encode(Walk(job_of(asked).job, Range())), 0)
    assert jobs.cloud.count("head") == 2  # one is of the manifest


def test_a_chain_that_comes_again_after_its_job_has_ended_leaves(jobs: Jobs) -> None:
    jobs.put("a", crc64="1", size=LARGE)
    jobs.put("b", crc64="3", size=LARGE)
    jobs.run()
    chains = [payload for task, payload, _ in jobs.cloud.submitted if task.startswith("c-")]
    for _ in range(2):
        jobs.sweep()
    for key in "ab":
        jobs.cloud.put(f"out/{key}", "9", bucket=DST)
    for payload in chains:
        carry_out(jobs.tools(), payload, 0)
    assert (len(chains), shown(jobs, "a"), shown(jobs, "b")) == (2, "9", "9")
    assert not any(name.startswith(("bulk/", "open/")) for name in jobs.cloud.records)


FORMS = ["manifest", "template"]


def asked_singly(jobs: Jobs, form: str) -> BulkRequest:
    """Return a request of which no listing shows both sides, and put its object there."""
    jobs.put("a", crc64="1")
    if form == "template":
        return request(destination=BulkDestination(bucket=DST, key="x/{name}"))
    source = jobs.list(f"{SRC},in/a\n".encode())
    return request(source=source, destination=BulkDestination(bucket=DST, prefix="x/"))


def place(form: str) -> tuple[str, str]:
    return DST, "x/a" if form == "template" else "x/in/a"


@pytest.mark.parametrize("form", FORMS)
def test_what_no_listing_shows_is_looked_at(jobs: Jobs, form: str) -> None:
    in_doubt(jobs, asked_singly(jobs, form))
    change(jobs)
    later = follow_up(jobs)
    assert jobs.look(later).objects.succeeded == 1
    assert jobs.cloud.objects[place(form)].head.crc64 == "2"


@pytest.mark.parametrize("form", FORMS)
def test_what_no_listing_shows_may_be_gone(jobs: Jobs, form: str) -> None:
    in_doubt(jobs, asked_singly(jobs, form))
    del jobs.cloud.objects[SRC, "in/a"]
    assert follow_up(jobs) == ""
    assert not any(name.startswith("bulk/") for name in jobs.cloud.records)


@pytest.mark.parametrize("form", FORMS)
def test_a_destination_that_no_listing_shows_may_be_gone(jobs: Jobs, form: str) -> None:
    in_doubt(jobs, asked_singly(jobs, form))
    del jobs.cloud.objects[place(form)]
    assert follow_up(jobs) == ""


def test_a_look_that_is_refused_leaves_the_job_for_the_next_sweep(jobs: Jobs) -> None:
    job = in_doubt(jobs, asked_singly(jobs, "template"))
    change(jobs)
    jobs.cloud.at("head", fails(DENIED))
    assert jobs.sweep().failed == 1
    assert f"bulk/{job}/job" in jobs.cloud.records
    assert follow_up(jobs)


def test_looks_for_which_there_was_no_time_are_made_by_the_next_sweep(jobs: Jobs) -> None:
    jobs.put("b", crc64="3")
    job = in_doubt(jobs, asked_singly(jobs, "template"))
    change(jobs)
    start = jobs.cloud.start
    jobs.cloud.start = _never_ends  # type: ignore[method-assign]  # of this sweep alone
    jobs.cloud.signal = lambda: Waiting(jobs)  # type: ignore[method-assign]  # of this sweep alone
    assert jobs.sweep().failed == 1
    assert not any(name.startswith(f"bulk/{job}/doubt/") for name in jobs.cloud.records)
    jobs.cloud.start = start  # type: ignore[method-assign]  # as before
    assert follow_up(jobs)


@pytest.mark.parametrize("overwrite", ["never", "ifDifferent"])
def test_what_never_overwrites_is_not_compared(jobs: Jobs, overwrite: str) -> None:
    jobs.put("a", crc64="1")
    in_doubt(jobs, request(overwrite=overwrite))
    change(jobs)
    assert bool(follow_up(jobs)) == (overwrite != "never")


def test_a_job_that_was_cancelled_is_not_compared(jobs: Jobs) -> None:
    jobs.put("a", crc64="1")
    jobs.cloud.at("copy", fails(LOST))
    jobs.cloud.at("put bulk", lambda: _cancel(jobs), nth=4, after=True)
    assert jobs.run().status == "cancelled"
    change(jobs)
    listed = jobs.cloud.count("list source")
    assert follow_up(jobs) == ""
    assert jobs.cloud.count("list source") == listed


def test_a_cancel_that_came_too_late_keeps_what_is_stale(jobs: Jobs) -> None:
    jobs.put("a", crc64="1")
    in_doubt(jobs)
    _cancel(jobs)
    change(jobs)
    assert follow_up(jobs) == ""


def test_the_next_sweep_goes_on_where_time_was_short(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 1)
    jobs.put("a", crc64="1")
    jobs.put("b", crc64="3")
    job = in_doubt(jobs)
    change(jobs, "b")
    jobs.cloud.at("put bulk", lambda: jobs.cloud.sleep(50))
    assert jobs.sweep().waiting == 1
    assert jobs.cloud.events("followed") == []
    compared = {name for name in jobs.cloud.records if name.startswith(f"bulk/{job}/doubt/")}
    assert len(compared) == 1
    puts = jobs.cloud.count("put bulk")
    later = follow_up(jobs)
    assert shown(jobs, "b") == "2"
    made = [each for each in jobs.cloud.asked if f"/{job}/doubt/" in each or f"{job}/doubt/" in each]
    assert len([each for each in made if each.startswith("put")]) == 2
    assert jobs.cloud.count("put bulk") > puts
    assert later


def test_a_job_that_follows_is_the_same_whoever_begins_it(jobs: Jobs) -> None:
    jobs.put("a", crc64="1")
    job = in_doubt(jobs)
    change(jobs)
    jobs.cloud.at("delete bulk", fails(DENIED))  # the sweep ends here
    jobs.sweep()
    assert f"bulk/{job}/job" in jobs.cloud.records
    follow_up(jobs)
    assert len({str(each["by"]) for each in jobs.cloud.events("followed")}) == 1
    assert shown(jobs) == "2"
    assert jobs.cloud.count("copy") == 3


def test_a_job_that_is_half_forgotten_is_not_compared(jobs: Jobs) -> None:
    jobs.put("a", crc64="1")
    job = in_doubt(jobs)
    change(jobs)
    del jobs.cloud.records[f"bulk/{job}/job"]
    assert follow_up(jobs) == ""
    assert not any(name.startswith("bulk/") for name in jobs.cloud.records)


@pytest.mark.parametrize("source", [{}, {"prefix": None, "bucket": None}])
def test_a_job_that_follows_up_is_read_back_as_it_was_submitted(source: dict[str, None]) -> None:
    asked = bulk.follow_up(request(), Manifest(SRC, "list.csv"))
    job = job_of(replace(asked, source=replace(asked.source, **source)))
    arrival = events.Arrival("r", datetime.fromisoformat(job.started_at))
    read = events.parse(events.encode(job), arrival, ())
    assert isinstance(read, events.Batch)
    assert read.items == (job,)
