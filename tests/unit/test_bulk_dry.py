"""Dry runs of jobs of many objects, and the run that does what one has shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from osscopy.jobs.bulk import start as bulk_start
from osscopy.model import (
    BulkDestination,
    BulkResult,
    BulkSource,
    Failed,
    Filters,
    Former,
    Prices,
    Requests,
    Row,
    Totals,
    Transient,
)
from osscopy.plan import bulk
from osscopy.plan.allowed.options import ANY_OPTION
from osscopy.plan.bulk.modes import dry
from tests.unit.engine import DST, LARGE, SRC, THRESHOLD, fails
from tests.unit.many import Jobs, carry_out, job_of, request

ARCHIVED = Failed("InvalidObjectState", "it is archived", status=403)
BACK = BulkDestination(bucket=DST)


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


def shown(jobs: Jobs, **asked: Any) -> BulkResult:
    """Return how a dry run has ended."""
    return jobs.run(request(dry_run=True, **asked), "dry")


def repeat(jobs: Jobs, result: BulkResult, occurrence: str = "two", **asked: Any) -> BulkResult:
    """Do what a dry run has shown."""
    source = BulkSource(report=Former(result.job or "", "wouldCopy"))
    return jobs.run(request(source=source, **{"destination": BACK, **asked}), occurrence)


def there(jobs: Jobs) -> set[str]:
    return {key.removeprefix("out/") for bucket, key in jobs.cloud.objects if bucket == DST}


def statuses(jobs: Jobs, result: BulkResult) -> dict[str, str]:
    return jobs.statuses(result.job or "")


def fill(jobs: Jobs) -> None:
    """Objects that are there already, large ones, a symlink, one without a copy, and some to copy."""
    jobs.put("same", crc64="7")
    jobs.cloud.put("out/same", "7", bucket=DST)
    jobs.put(*"abc")
    jobs.put("large", size=LARGE)
    jobs.put("link", link="in/a", kind="Symlink")
    jobs.cloud.put("in/old", "5", storage_class="Archive")
    jobs.cloud.put("in/..", "6")


# --- what it shows -----------------------------------------------------------------------------------------


def test_a_dry_run_shows_what_would_be_copied_and_writes_no_object(jobs: Jobs) -> None:
    fill(jobs)
    result = shown(jobs, destination=BulkDestination(bucket=DST, prefix="out/"))
    assert statuses(jobs, result) == {
        **dict.fromkeys(("a", "b", "c", "large", "link"), "wouldCopy"),
        "..": "wouldCopy",
        "same": "skipped NotDifferent",
        "old": "failed InvalidObjectState",
    }
    assert (result.objects.would_copy, result.objects.total) == (6, 8)
    assert there(jobs) == {"same"}
    names = {name.split("/")[0] for name in jobs.cloud.records}
    assert names == {"bulk", "done"}
    assert [jobs.cloud.count(name) for name in ("copy", "initiate", "restore")] == [0, 0, 0]


def test_the_run_that_follows_does_the_same_row_by_row(jobs: Jobs) -> None:
    fill(jobs)
    before = statuses(jobs, shown(jobs))
    jobs.cloud.broken["restore"] = AssertionError()
    jobs.cloud.at("copy", fails(ARCHIVED), nth=5)
    after = statuses(jobs, jobs.run(occurrence="two"))
    assert {key: row.replace("wouldCopy", "copied") for key, row in before.items()} == after


def test_an_archived_object_that_is_restored_would_be_copied(jobs: Jobs) -> None:
    jobs.cloud.put("in/a", "5", storage_class="Archive", restoration="done")
    jobs.cloud.put("in/b", "6", storage_class="Archive", restoration="ongoing")
    jobs.cloud.put("in/c", "7", storage_class="Archive")
    failed = "failed InvalidObjectState"
    assert statuses(jobs, shown(jobs)) == {"a": "wouldCopy", "b": failed, "c": failed}
    result = jobs.run(request(dry_run=True, archive="restore"), "restore")
    assert result.objects.would_copy == 3
    assert jobs.run(request(dry_run=True, archive="skip"), "skip").objects.skipped == 3
    assert jobs.cloud.count("restore") == 0


def test_what_has_to_be_compared_is_compared(jobs: Jobs) -> None:
    jobs.put("a", "b", crc64="7", etag="E-2")
    for key, crc64 in (("a", "7"), ("b", "8")):
        jobs.cloud.put(f"out/{key}", crc64, bucket=DST, etag="E-9")
    assert statuses(jobs, shown(jobs)) == {"a": "skipped NotDifferent", "b": "wouldCopy"}


def test_an_object_that_oss_does_not_answer_about_begins_no_chain(jobs: Jobs) -> None:
    jobs.put("a", etag="E-2")
    jobs.cloud.put("out/a", "7", bucket=DST, etag="E-9")
    jobs.cloud.broken["head"] = Transient("ServerError", "broken")
    result = shown(jobs)
    assert statuses(jobs, result) == {"a": "failed ServerError"}
    assert result.chains == 0


def test_a_dry_run_takes_no_turn_and_waits_for_none(jobs: Jobs) -> None:
    jobs.put("a")
    running = jobs.begin()
    assert running.status == "running"
    assert shown(jobs).status == "succeeded"
    assert jobs.begin(request(dry_run=True), "third").status == "running"


def test_its_limits_are_told_and_do_not_stop_it(jobs: Jobs) -> None:
    for name in "abc":
        jobs.cloud.put(f"in/{name}", "5", storage_class="Archive")
    jobs.put("z")
    result = shown(jobs, max_failures=1)
    assert (result.objects.failed, result.objects.would_copy) == (3, 1)
    assert "the run would stop: 3 objects fail" in summary(jobs, result)["notes"][-1]


def summary(jobs: Jobs, result: BulkResult) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(jobs.cloud.files[f"r/{result.job}/summary.json"])
    return found


def test_the_requests_of_the_run_and_their_price_are_shown(jobs: Jobs) -> None:
    jobs.put(*(f"{number:02}" for number in range(20)))
    jobs.put("large", size=LARGE)
    result = shown(jobs)
    assert result.would is not None
    assert (result.would.requests, result.would.cost) == (Requests(20 + 4 + 6, 5), None)
    assert summary(jobs, result)["would"]["requests"] == {"put": 30, "get": 5}
    begun = jobs.cloud.count("copy")
    jobs.run(occurrence="two")
    assert jobs.cloud.count("copy") - begun == 20


@pytest.mark.parametrize(
    ("asked", "size", "expected"),
    [
        ({}, 10, Requests(1, 0)),
        ({"encryption": "keep"}, 10, Requests(1, 1)),
        ({"verify": "full"}, 10, Requests(1, 2)),
        ({}, LARGE, Requests(10, 5)),
        ({"tuning": replace(request().tuning, part_size=None)}, LARGE, Requests(7, 5)),
        ({"tuning": replace(request().tuning, method="multipart")}, 10, Requests(7, 5)),
    ],
)
def test_the_requests_of_a_copy_are_foreseen(asked: dict[str, Any], size: int, expected: Requests) -> None:
    job = replace(many_job(), request=request(**asked))
    policy = bulk.policy_of(job, THRESHOLD, ANY_OPTION)
    rows = [
        Row(SRC, "in/a", "", "out/a", "wouldCopy", bytes=size),
        Row(SRC, "in/b", "", "out/b", "skipped", bytes=size),
    ]
    assert bulk.foreseen(job.request, policy, rows) == expected


def many_job() -> Any:
    jobs = Jobs()
    jobs.put("a")
    jobs.begin()
    return jobs.tools().of(job_of(request()).job).job()


def test_the_price_is_that_of_the_settings() -> None:
    totals = Totals(put=2, get=3, would_put=10, would_get=20)
    priced = bulk.would(totals, Prices("CNY", 0.5, 0.25))
    assert priced.cost is not None
    assert (priced.requests, priced.cost.total, priced.cost.currency) == (Requests(12, 23), 11.75, "CNY")


# --- what its report does ----------------------------------------------------------------------------------


def test_its_report_is_done_exactly(jobs: Jobs) -> None:
    fill(jobs)
    result = shown(jobs)
    jobs.cloud.time += 5
    jobs.put("new")
    done = repeat(jobs, result)
    assert done.status == "succeeded"
    assert set(statuses(jobs, done)) == {"a", "b", "c", "large", "link", ".."}
    assert set(statuses(jobs, done).values()) == {"copied"}
    assert "new" not in there(jobs)


@pytest.mark.parametrize("size", [1000, LARGE])
def test_an_object_that_has_changed_since_is_said_and_not_done(jobs: Jobs, size: int) -> None:
    jobs.put("a", "b", "c", size=size)
    result = shown(jobs)
    jobs.put("a", size=size)
    jobs.cloud.objects.pop((SRC, "in/c"))
    done = repeat(jobs, result)
    assert statuses(jobs, done) == {"a": "failed SourceChanged", "b": "copied", "c": "missing NoSuchKey"}
    assert there(jobs) == {"b"}
    assert done.status == "failed"


def test_an_object_that_changes_while_it_is_copied_is_said_and_not_done(jobs: Jobs) -> None:
    jobs.put("a")
    result = shown(jobs)
    jobs.cloud.at("copy", lambda: jobs.put("a"))
    assert statuses(jobs, repeat(jobs, result)) == {"a": "failed SourceChanged"}
    assert there(jobs) == set()


def test_a_large_object_that_changes_before_its_chain_begins_is_said_and_not_done(jobs: Jobs) -> None:
    jobs.put("a", size=LARGE)
    result = shown(jobs)
    source = BulkSource(report=Former(result.job or "", "wouldCopy"))
    jobs.cloud.time += 10
    begun = jobs.begin(request(source=source, destination=BACK), "two")
    jobs.drain_one()
    jobs.put("a", size=LARGE)
    jobs.drain()
    assert jobs.statuses(begun.job or "") == {"a": "failed SourceChanged"}
    assert there(jobs) == set()


def test_what_has_to_be_compared_first_is_pinned_too(jobs: Jobs) -> None:
    jobs.put("a", etag="E-2")
    jobs.cloud.put("out/a", "7", bucket=DST, etag="E-9")
    result = shown(jobs)
    jobs.put("a", etag="E-3")
    assert statuses(jobs, repeat(jobs, result)) == {"a": "failed SourceChanged"}


def test_a_condition_of_the_request_itself_is_told_as_it_is(jobs: Jobs) -> None:
    jobs.put("a", size=LARGE)
    conditions = replace(request().conditions, if_match="another")
    assert statuses(jobs, jobs.run(request(conditions=conditions))) == {"a": "failed PreconditionFailed"}


def test_the_destinations_are_those_that_were_shown(jobs: Jobs) -> None:
    jobs.put("a")
    result = shown(jobs, destination=BulkDestination(bucket=DST, key="{date:%S}/{name}"))
    (before,) = (row["destinationKey"] for row in jobs.rows(result.job or "").values())
    jobs.cloud.time += 7
    source = BulkSource(report=Former(result.job or "", "wouldCopy"))
    asked = request(source=source, destination=BACK)
    later = replace(job_of(asked, "later"), started_at="2027-01-15T09:09:09.000Z")
    jobs.cloud.time += 10
    bulk_start.begin(jobs.tools(), later)
    jobs.drain()
    (after,) = (row["destinationKey"] for row in jobs.rows(later.job).values())
    assert before == after
    assert (DST, before) in jobs.cloud.objects


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"destination": BulkDestination(bucket="other-bucket")}, "InvalidField", "destination"),
        ({"destination": BulkDestination(bucket=DST, prefix="x/")}, "InvalidField", "destination"),
        ({"destination": BulkDestination(bucket=DST, prefix="out/")}, None, None),
    ],
)
def test_a_dry_run_is_done_where_it_was_shown(
    jobs: Jobs, change: dict[str, Any], code: str | None, field: str | None
) -> None:
    jobs.put("a")
    error = repeat(jobs, shown(jobs), **change).error
    assert (error and error.code, error and error.field) == (code, field)


def test_a_job_that_was_no_dry_run_has_no_such_rows(jobs: Jobs) -> None:
    jobs.put("a")
    error = repeat(jobs, jobs.run()).error
    assert (error and error.code, error and error.field) == ("InvalidField", "source.report.status")


def test_a_dry_run_that_shows_nothing_is_an_empty_source(jobs: Jobs) -> None:
    jobs.put("a", crc64="7")
    jobs.cloud.put("out/a", "7", bucket=DST)
    result = shown(jobs)
    error = repeat(jobs, result).error
    assert error
    assert error.code == "EmptySource"
    assert repeat(jobs, result, "three", allow_empty=True).status == "succeeded"


def test_a_list_that_would_be_too_long_is_not_written(jobs: Jobs) -> None:
    jobs.put("a", "b")
    kept, bulk.LISTED = bulk.LISTED, 1
    dry.LISTED = 1
    try:
        result = shown(jobs)
        error = repeat(jobs, result).error
    finally:
        bulk.LISTED = dry.LISTED = kept
    assert f"r/{result.job}/would-copy.csv.gz" not in jobs.cloud.files
    assert "not listed" in summary(jobs, result)["notes"][-1]
    assert (error and error.code, error and error.field) == ("InvalidField", "source.report")


def test_its_report_among_the_records_may_be_read(jobs: Jobs) -> None:
    jobs.put("a")
    result = shown(jobs, report=None)
    jobs.forbidden = frozenset({"state-bucket"})
    source = BulkSource(report=Former(result.job or "", "wouldCopy"))
    assert jobs.run(request(source=source, destination=BACK), "two").status == "succeeded"


def test_the_etag_of_a_symlink_is_no_pin(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.put("link", link="in/a", kind="Symlink", etag="own")
    result = shown(jobs)
    assert jobs.rows(result.job or "")["in/link"]["etag"] == ""
    assert statuses(jobs, repeat(jobs, result)) == {"a": "copied", "link": "copied"}


# --- what would be deleted ---------------------------------------------------------------------------------


def mirror(jobs: Jobs, occurrence: str = "dry", **asked: Any) -> BulkResult:
    return jobs.run(request(dry_run=True, delete=True, **asked), occurrence)


def test_what_would_be_deleted_is_shown_apart(jobs: Jobs) -> None:
    jobs.put("a", "b", crc64="7")
    for name in ("b", "c", "d/", ""):
        jobs.cloud.put(f"out/{name}", "7", bucket=DST, size=1000 if name == "b" else 33)
    before = dict(jobs.cloud.objects)
    result = mirror(jobs, max_delete="75%")
    assert statuses(jobs, result) == {
        "a": "wouldCopy",
        "b": "skipped NotDifferent",
        "c": "wouldDelete",
        "d/": "wouldDelete",
    }
    objects = result.objects
    assert (objects.would_delete, objects.deleted, objects.would_copy, objects.total) == (2, 0, 1, 2)
    row = jobs.rows(result.job or "")["in/c"]
    assert (row["destinationKey"], row["bytes"]) == ("out/c", "33")
    kept = {place: each for place, each in jobs.cloud.objects.items() if place[0] in {SRC, DST}}
    assert kept == {place: each for place, each in before.items() if place[0] in {SRC, DST}}
    assert "would delete nothing" not in str(summary(jobs, result)["notes"])


@pytest.mark.parametrize(
    ("most", "allowed"), [(0, 0), (2, 2), ("33%", 1), ("66.6%", 2), ("75%", 3), ("100%", 4), ("0%", 0)]
)
def test_what_maxdelete_allows_is_told(jobs: Jobs, most: int | str, allowed: int) -> None:
    jobs.put("a", crc64="7")
    for name in "abcd":
        jobs.cloud.put(f"out/{name}", "7", bucket=DST)
    jobs.cloud.put("out/e.tmp", "7", bucket=DST)
    result = mirror(jobs, max_delete=most, filters=Filters(exclude=("*.tmp",)))
    assert result.objects.would_delete == 3
    told = [note for note in summary(jobs, result)["notes"] if "TooManyDeletes" in note]
    expected = [f"3 of 4 objects are superfluous, and maxDelete allows {allowed}"] if allowed < 3 else []
    assert [note.partition("): ")[2] for note in told] == expected


def test_failures_that_keep_the_run_from_deleting_are_told(jobs: Jobs) -> None:
    jobs.cloud.put("in/old", "5", storage_class="Archive")
    jobs.cloud.put("out/x", bucket=DST)
    result = mirror(jobs, max_delete=1)
    assert "the run would delete nothing while 1 objects fail" in summary(jobs, result)["notes"]


def test_filters_of_sizes_and_times_make_no_name_superfluous(jobs: Jobs) -> None:
    jobs.put("a", "b", size=10)
    jobs.cloud.put("out/a", bucket=DST)
    jobs.cloud.put("out/c", bucket=DST)
    jobs.cloud.put("out/.dlsdata/x", bucket=DST)
    result = mirror(jobs, filters=Filters(min_size=100))
    assert statuses(jobs, result) == {"c": "wouldDelete", ".dlsdata/x": "wouldDelete"}
    jobs.cloud.put(".dlsdata/x", bucket=DST)
    whole = request(
        dry_run=True,
        delete=True,
        destination=BulkDestination(bucket=DST, prefix=""),
        filters=Filters(include=(".dlsdata/**",)),
    )
    assert statuses(jobs, jobs.run(whole, "whole")) == {}


def test_an_empty_source_is_no_reason_to_delete(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.cloud.put("out/x", bucket=DST)
    asked = request(dry_run=True, delete=True, max_delete="100%")
    jobs.cloud.at("list source", lambda: jobs.cloud.objects.pop((SRC, "in/a")), nth=2)
    result = jobs.run(asked)
    assert (result.status, result.error and result.error.code) == ("failed", "EmptySource")


def test_a_source_that_goes_while_it_is_compared_is_not_superfluous(jobs: Jobs) -> None:
    jobs.put("a", etag="E-2")
    jobs.cloud.put("out/a", "7", bucket=DST, etag="E-9")
    jobs.cloud.at("head", lambda: jobs.cloud.objects.pop((SRC, "in/a")))
    assert statuses(jobs, mirror(jobs)) == {"a": "missing NoSuchKey"}


# --- no doubt is settled by a copy that nobody has seen ----------------------------------------------------


def test_a_dry_run_notes_no_copies_and_is_compared_with_nothing_later(jobs: Jobs) -> None:
    jobs.put("a", etag="E-2")
    jobs.cloud.put("out/a", "7", bucket=DST, etag="E-2", last_modified=1)
    jobs.begin(request(dry_run=True))
    _, payload, _ = jobs.cloud.submitted[0]
    carry_out(jobs.tools(), payload, 1)
    assert not [name for name in jobs.cloud.records if "/hop/" in name and name.count("/") > 3]
    jobs.drain()
    known = len(jobs.cloud.submitted)
    jobs.sweep(100_000)
    assert (jobs.cloud.count("copy"), len(jobs.cloud.submitted)) == (0, known)


def test_no_later_comparison_copies_what_was_not_shown(jobs: Jobs) -> None:
    jobs.put("a", crc64="7")
    result = shown(jobs)
    source = BulkSource(report=Former(result.job or "", "wouldCopy"))
    jobs.cloud.time += 10
    jobs.begin(request(source=source, destination=BACK), "two")
    _, payload, _ = jobs.cloud.submitted[-1]
    carry_out(jobs.tools(), payload, 1)
    jobs.drain()
    jobs.put("a", crc64="8")
    known = len(jobs.cloud.submitted)
    jobs.sweep(100_000)
    assert len(jobs.cloud.submitted) == known
    assert jobs.cloud.events("followUp") == []
    assert jobs.cloud.objects[DST, "out/a"].head.crc64 == "7"
