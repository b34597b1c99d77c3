"""Jobs about versions that are not the current ones: listings, what is copied of them, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from osscopy.events import Arrival
from osscopy.jobs.bulk import walk
from osscopy.jobs.bulk.pages import listing, versions as pages, width
from osscopy.jobs.many import Many
from osscopy.model import (
    BulkDestination,
    BulkRequest,
    BulkResult,
    BulkSource,
    Failed,
    Filters,
    ListedVersion,
    Manifest,
    Range,
    Refused,
)
from osscopy.plan import bulk
from osscopy.plan.allowed.options import ANY_OPTION, NO_OPTION
from osscopy.plan.bulk.modes import versions
from tests.unit.engine import DST, LARGE, LOST, SRC, START
from tests.unit.many import Jobs, job_of, request
from tests.unit.test_bulk_property import EXAMPLES, KEYS, WORLDS, Mortal, begun, run

NOW = datetime(2027, 1, 15, 8, 1, 40, tzinfo=timezone.utc)  # START is a hundred seconds earlier
KINDS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["put", "put", "marker"])), max_size=6)


@contextmanager
def narrow(page: int, most: int) -> Iterator[None]:
    kept = pages.PAGE, listing.PAGE, walk.MOST_ROWS, listing.LEAST, width.SOON
    pages.PAGE = listing.PAGE = page
    walk.MOST_ROWS, listing.LEAST, width.SOON = most, 0, 0.0
    try:
        yield
    finally:
        pages.PAGE, listing.PAGE, walk.MOST_ROWS, listing.LEAST, width.SOON = kept


def at(seconds: float) -> str:
    """The time so many seconds after the tests' start."""
    return datetime.fromtimestamp(START + seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_of(seconds: float, **changes: Any) -> BulkRequest:
    return request(as_of=at(seconds), **changes)


def jobs_with(*history: tuple[str, str], **options: Any) -> Jobs:
    """Jobs on a versioned source where each of these has happened, ten seconds after the one before it.

    A key with the name of its bytes, or with `-` for a delete marker.
    """
    jobs = Jobs(**options)
    jobs.cloud.versioned.add(SRC)
    for key, name in history:
        jobs.cloud.time += 10
        if name == "-":
            jobs.cloud.hide(f"in/{key}")
        else:
            jobs.cloud.put(f"in/{key}", name)
    return jobs


def there(jobs: Jobs) -> dict[str, str]:
    """The bytes of each key at the destination."""
    return {
        key.removeprefix("out/"): str(stored.head.crc64)
        for (bucket, key), stored in jobs.cloud.objects.items()
        if bucket == DST
    }


def code(result: BulkResult) -> str | None:
    return result.error.code if result.error else None


# --- what was current --------------------------------------------------------------------------------------


def test_the_versions_are_copied_that_were_current_then() -> None:
    history = [("a", "1"), ("b", "2"), ("a", "3"), ("b", "-"), ("c", "4"), ("a", "5"), ("b", "6")]
    jobs = jobs_with(*history)
    jobs.cloud.time += 100
    for seconds, expected in (
        (10, {"a": "1"}),
        (29, {"a": "1", "b": "2"}),
        (30, {"a": "3", "b": "2"}),
        (40, {"a": "3"}),
        (59, {"a": "3", "c": "4"}),
        (60, {"a": "5", "c": "4"}),
        (99, {"a": "5", "b": "6", "c": "4"}),
    ):
        for key in [key for bucket, key in jobs.cloud.objects if bucket == DST]:
            jobs.cloud.remove(DST, key)
        result = jobs.run(as_of(seconds), f"at {seconds}")
        assert (result.status, there(jobs)) == ("succeeded", expected), seconds
        assert result.objects.total == len(expected), "what was not there then has no row"


def test_rows_name_the_version_that_was_copied() -> None:
    jobs = jobs_with(("a", "1"), ("a", "2"))
    row = jobs.rows(jobs.run(as_of(15)).job or "")["in/a"]
    assert (row["versionId"], row["status"], row["etag"]) == ("v1", "copied", "E1")


def test_a_second_run_copies_nothing() -> None:
    jobs = jobs_with(("a", "1"), ("a", "2"), ("b", "3"))
    jobs.run(as_of(15))
    copies = jobs.cloud.count("copy")
    again = jobs.run(as_of(15), "again")
    assert (again.status, again.objects.skipped) == ("succeeded", 1)
    assert jobs.cloud.count("copy") == copies


def test_a_version_that_is_gone_when_it_is_copied_is_missing() -> None:
    jobs = jobs_with(("a", "1"), ("a", "2"))
    jobs.cloud.at("copy", lambda: jobs.cloud.versions.pop((SRC, "in/a", "v1")))
    result = jobs.run(as_of(15))
    assert (result.status, jobs.statuses(result.job or "")) == ("succeeded", {"a": "missing NoSuchKey"})


def test_a_large_version_is_copied_by_a_chain_of_its_own() -> None:
    jobs = jobs_with()
    jobs.cloud.put("in/a", "1", size=LARGE)
    jobs.cloud.time += 10
    jobs.cloud.put("in/a", "2")
    result = jobs.run(as_of(5))
    assert (result.status, there(jobs)) == ("succeeded", {"a": "1"})
    assert jobs.rows(result.job or "")["in/a"]["versionId"] == "v1"


def test_filters_judge_the_version_that_was_current_then() -> None:
    jobs = jobs_with()
    jobs.cloud.put("in/a", "1", size=10)
    jobs.cloud.put("in/b", "2", size=2000)
    jobs.cloud.time += 10
    jobs.cloud.put("in/a", "3", size=2000)
    jobs.cloud.put("in/b", "4", size=10)
    result = jobs.run(as_of(5, filters=Filters(max_size=100)))
    assert (there(jobs), result.excluded) == ({"a": "1"}, 1)


def test_a_template_may_name_the_destination() -> None:
    jobs = jobs_with(("x/a", "1"), ("x/a", "2"))
    asked = as_of(15, destination=BulkDestination(bucket=DST, key="old/{name}"))
    assert (jobs.run(asked).status, there(jobs)) == ("succeeded", {"old/a": "1"})


def test_a_dry_run_shows_the_versions_and_its_list_copies_just_these() -> None:
    jobs = jobs_with(("a", "1"), ("b", "2"), ("a", "3"))
    shown = jobs.run(as_of(25, dry_run=True))
    assert (shown.objects.would_copy, there(jobs)) == (2, {})
    row = jobs.rows(shown.job or "")["in/a"]
    assert (row["status"], row["versionId"]) == ("wouldCopy", "v1")
    begun = Many(jobs.tools()).carry_out(shown.job or "", "later", Arrival("r", NOW))
    jobs.drain()
    assert (jobs.look(begun.job or "").status, there(jobs)) == ("succeeded", {"a": "1", "b": "2"})


def test_what_failed_is_asked_for_again_by_its_version() -> None:
    jobs = jobs_with(("a", "1"), ("b", "2"), ("a", "3"))
    jobs.forbidden = frozenset({"in/a"})
    failed = jobs.run(as_of(25))
    assert (failed.status, there(jobs)) == ("failed", {"b": "2"})
    jobs.forbidden = frozenset()
    again = Many(jobs.tools()).resubmit(failed.job or "", "failed", "later", Arrival("r", NOW))
    job = jobs.tools().of(again.job or "").job()
    assert job is not None
    assert job.request.as_of is None, "a list and a time do not go together: its rows name the versions"
    jobs.drain()
    assert (jobs.look(again.job or "").status, there(jobs)["a"]) == ("succeeded", "1")


def test_the_summary_says_what_cannot_be_kept() -> None:
    jobs = jobs_with(("a", "1"))
    result = jobs.run(as_of(15))
    summary = msgspec.json.decode(jobs.cloud.files[f"r/{result.job}/summary.json"])
    assert versions.NOTE in summary["notes"]


# --- the listing -------------------------------------------------------------------------------------------


def test_keys_cost_a_page_for_a_thousand_versions_and_older_versions_of_a_key_none() -> None:
    jobs = jobs_with(*[("a", "1")] * 7, ("b", "2"))
    jobs.cloud.time += 50
    with narrow(page=3, most=100):
        result = jobs.run(as_of(99))
    assert (result.status, there(jobs)) == ("succeeded", {"a": "1", "b": "2"})
    listed = [each for each in jobs.cloud.asked if each.startswith("list versions")]
    assert listed == ["list versions", "list versions", "list versions in/a"]  # the first one is the start's


def test_a_key_with_many_newer_versions_is_asked_for_until_the_version_is_found() -> None:
    jobs = jobs_with(("a", "1"), *[("b", str(number)) for number in range(1, 9)], ("c", "5"))
    jobs.cloud.time += 50
    with narrow(page=3, most=100):
        result = jobs.run(as_of(25))
    assert (result.status, there(jobs)) == ("succeeded", {"a": "1", "b": "1"})


def test_a_hop_without_time_for_the_versions_of_one_key_says_so() -> None:
    jobs = jobs_with(*[("a", str(number)) for number in range(1, 40)], timeout=20.0)
    jobs.cloud.time += 50

    def slowly() -> None:
        jobs.cloud.time += 3
        jobs.cloud.at("list versions", slowly)

    jobs.cloud.at("list versions", slowly, nth=2)
    with narrow(page=2, most=100):
        result = jobs.run(as_of(10))
    assert (result.status, code(result)) == ("failed", "TimeoutTooShort")
    assert "in/a" in (result.error.message if result.error else "")


def test_a_key_after_others_gets_a_hop_of_its_own_where_time_is_short() -> None:
    jobs = jobs_with(("a", "1"), *[("b", str(number)) for number in range(1, 10)])
    jobs.cloud.time += 50
    job = _job(jobs, as_of(25))
    with narrow(page=3, most=100):
        found = pages.AsOfPages(jobs.tools(), job, Range(), at(25))
        first = found.after(None)
        assert (first.high, first.is_last) == ("in/a", False)
        jobs.cloud.at("list versions", lambda: jobs.cloud.sleep(100), nth=2)
        late = found.after("in/a")
        assert (late.places, late.high, late.is_last) == ((), "in/a", False)
        again = pages.AsOfPages(jobs.tools(), job, Range(), at(25)).after("in/a")
        assert [each.position for each in again.places] == ["in/b"]


def test_what_is_left_of_a_job_counts_versions_that_were_current_then() -> None:
    jobs = jobs_with(("a", "1"), ("a", "2"), ("b", "-"), ("c", "3"))
    found = pages.AsOfPages(jobs.tools(), _job(jobs, as_of(99)), Range(), at(99)).ahead(None)
    assert (found.objects, found.more) == (2, False)
    ranged = pages.AsOfPages(jobs.tools(), _job(jobs, as_of(99)), Range((), None, "in/a"), at(99))
    assert ranged.ahead(None).objects == 1


def _job(jobs: Jobs, asked: BulkRequest) -> Any:
    jobs.begin(asked)
    return jobs.tools().of(job_of(asked).job).job()


def test_a_delete_marker_that_is_listed_before_the_latest_version_of_its_second_is_older() -> None:
    def listed(version: str, modified: int, **more: bool) -> ListedVersion:
        return ListedVersion("k", 1, "Standard", "Normal", modified, "E", version, **more)

    found = [listed("m", 5, is_marker=True), listed("new", 5, is_latest=True), listed("old", 3)]
    assert [each.version_id for each in versions.newest_first(found)] == ["new", "m", "old"]
    current = bulk.current(found, 4)
    assert current is not None
    assert current.version_id == "old"
    assert bulk.current(found, 2) is None


@EXAMPLES
@given(history=st.dictionaries(KEYS, KINDS, max_size=8), when=st.integers(0, 4), **WORLDS)
def test_any_history_has_one_row_for_each_key_that_was_there(
    history: dict[str, list[tuple[int, str]]],
    when: int,
    page: int,
    most: int,
    timeout: float,
    seconds: float,
    deaths: frozenset[int],
    retries: int,
    chances: tuple[float, ...],
) -> None:
    jobs, cloud = begun(timeout, seconds, deaths, chances)
    expected = _told(cloud, history, when)
    cloud.time = START + 100
    with narrow(page, most):
        job = run(jobs, cloud, as_of(when, allow_empty=True), retries)
    assert json.loads(cloud.records[f"done/{job}"][1])["result"]["status"] == "succeeded"
    found = {key.removeprefix("in/"): row["versionId"] for key, row in jobs.rows(job).items()}
    assert found == {key: version for key, (version, _) in expected.items()}
    assert there(jobs) == {key: crc for key, (_, crc) in expected.items()}


def _told(cloud: Mortal, history: dict[str, list[tuple[int, str]]], when: int) -> dict[str, tuple[str, str]]:
    """Put a history there; return version and bytes of what was current at a time, by another way."""
    cloud.versioned.add(SRC)
    expected: dict[str, tuple[str, str]] = {}
    for key, steps in history.items():
        time = 0
        for gap, kind in steps:
            time += gap
            cloud.time = START + time
            if kind == "put":
                head = cloud.put(f"in/{key}", str(len(cloud.versions)))
                shown = (head.version_id or "", str(head.crc64))
            else:
                cloud.hide(f"in/{key}")
                shown = None
            if time <= when and shown:
                expected[key] = shown
            elif time <= when:
                expected.pop(key, None)
    return expected


# --- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"as_of": "yesterday"}, "asOf"),
        ({"as_of": "2026-02-30T00:00:00Z"}, "asOf"),
        ({"as_of": "2026-01-01T00:00:00"}, "asOf"),
        ({"as_of": "2027-01-15T08:01:41Z"}, "asOf"),
        ({"source": BulkSource(manifest=Manifest(SRC, "m"))}, "asOf"),
        ({"delete": True, "max_delete": 1}, "delete"),
        ({"mode": "check"}, "mode"),
        ({"symlinks": "follow"}, "symlinks"),
    ],
)
def test_what_does_not_go_with_a_time_is_refused(changes: dict[str, Any], field: str) -> None:
    bulk.refuse_wrong(request(as_of="2027-01-15T16:01:40+08:00"), NOW)
    with pytest.raises(Refused) as caught:
        bulk.refuse_wrong(request(**{"as_of": "2026-01-01T00:00:00Z", **changes}), NOW)
    assert (caught.value.code, caught.value.field) == ("InvalidField", field)


def test_it_needs_its_word() -> None:
    asked = as_of(5)
    ANY_OPTION.judge_request(asked)
    with pytest.raises(Refused) as caught:
        NO_OPTION.judge_request(asked)
    assert (caught.value.code, caught.value.field) == ("NotAllowed", "asOf")
    assert "versions" in caught.value.message


def test_a_bucket_that_never_had_versions_is_refused_before_anything_is_written() -> None:
    jobs = jobs_with(("a", "1"))
    jobs.cloud.versioned.clear()
    result = jobs.begin(as_of(15))
    assert (code(result), result.error and result.error.field) == ("VersioningRequired", "asOf")
    assert not jobs.cloud.records
    jobs.cloud.versioned.add(SRC)
    jobs.cloud.versioning[SRC] = "Suspended"
    assert jobs.run(as_of(15)).status == "succeeded"


def test_a_prefix_that_never_had_any_object_is_empty_but_one_whose_objects_were_deleted_is_not() -> None:
    jobs = jobs_with()
    assert code(jobs.begin(as_of(15))) == "EmptySource"
    jobs = jobs_with(("a", "1"), ("a", "-"))
    assert (jobs.run(as_of(15)).status, there(jobs)) == ("succeeded", {"a": "1"})
    assert code(jobs.run(as_of(25))) == "EmptySource"


def test_a_listing_that_is_refused_names_the_source() -> None:
    jobs = jobs_with(("a", "1"))
    jobs.cloud.broken["list versions"] = Failed("AccessDenied", "no", status=403)
    result = jobs.begin(as_of(15))
    assert (code(result), result.error and result.error.field) == ("AccessDenied", "source.bucket")


def test_versions_that_had_no_answer_need_no_later_comparison() -> None:
    jobs = jobs_with(("a", "1"), ("a", "2"))
    jobs.cloud.at("copy", _raising(LOST))
    result = jobs.run(as_of(15))
    assert result.status == "succeeded"
    jobs.sweep(100_000)
    jobs.drain()
    assert there(jobs) == {"a": "1"}
    assert not [each for each in jobs.cloud.asked if "doubt/" in each]


def _raising(error: Exception) -> Callable[[], object]:
    def happen() -> object:
        raise error

    return happen


def test_a_prefix_without_a_time_needs_none() -> None:
    bulk.refuse_wrong(request(), NOW)
