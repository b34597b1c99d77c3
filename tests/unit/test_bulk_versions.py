"""Jobs about versions that are not the current ones: listings, what is copied of them, what is refused."""

from __future__ import annotations

import csv
import gzip
import io
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
    Former,
    ListedVersion,
    Manifest,
    Passed,
    Range,
    Refused,
    Tuning,
)
from osscopy.plan import bulk
from osscopy.plan.allowed.options import ANY_OPTION, NO_OPTION
from osscopy.plan.bulk.modes import versions
from tests.unit.engine import BUSY, DST, LARGE, LOST, SRC, START
from tests.unit.many import FileCloud, Jobs, job_of, request
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


def _told(
    cloud: Mortal, history: dict[str, list[tuple[int, str]]], when: int, kinds: int = 10**6
) -> dict[str, tuple[str, str]]:
    """Put a history there; return version and bytes of what was current at a time, by another way."""
    cloud.versioned.add(SRC)
    expected: dict[str, tuple[str, str]] = {}
    for key, steps in history.items():
        time = 0
        for gap, kind in steps:
            time += gap
            cloud.time = START + time
            if kind == "put":
                head = cloud.put(f"in/{key}", str(len(cloud.versions) % kinds))
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
    assert (code(result), result.error and result.error.field) == ("VersioningRequired", "source.bucket")
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


# --- all versions ------------------------------------------------------------------------------------------


def every(**changes: Any) -> BulkRequest:
    return request(versions="all", **changes)


def both_versioned(*history: tuple[str, str], **options: Any) -> Jobs:
    jobs = jobs_with(*history, **options)
    jobs.cloud.versioned.add(DST)
    return jobs


def history_of(cloud: FileCloud, bucket: str, prefix: str) -> dict[str, list[str]]:
    """The bytes of all versions of each key, the oldest first; `-` for a delete marker."""
    found: dict[str, list[str]] = {}
    for (there, key, _), stored in cloud.versions.items():
        if there == bucket and key.startswith(prefix):
            name = "-" if stored.is_marker else str(stored.head.crc64)
            found.setdefault(key.removeprefix(prefix), []).append(name)
    return found


def rows_of(cloud: FileCloud, job: str) -> list[dict[str, str]]:
    """All rows of a report, in its order."""
    found: list[dict[str, str]] = []
    for file in json.loads(cloud.files[f"r/{job}/manifest.json"])["files"]:
        text = gzip.decompress(cloud.files[file["key"]]).decode()
        found += csv.DictReader(io.StringIO(text, newline=""))
    return found


def told(cloud: FileCloud, job: str) -> list[tuple[str, str, str]]:
    rows = rows_of(cloud, job)
    return [
        (each["versionId"], each["status"], each["errorCode"])
        for each in sorted(rows, key=lambda row: int(row["versionId"].removeprefix("v") or 0))
    ]


HISTORY = (("a", "1"), ("b", "2"), ("a", "3"), ("b", "-"), ("a", "1"), ("b", "4"))


def test_all_versions_are_copied_the_oldest_first_and_delete_markers_too() -> None:
    jobs = both_versioned(*HISTORY)
    result = jobs.run(every())
    assert result.status == "succeeded"
    assert history_of(jobs.cloud, DST, "out/") == {"a": ["1", "3", "1"], "b": ["2", "-", "4"]}
    assert told(jobs.cloud, result.job or "") == [
        ("v1", "copied", ""),
        ("v2", "copied", ""),
        ("v3", "copied", ""),
        ("v4", "copied", "DeleteMarker"),
        ("v5", "copied", ""),
        ("v6", "copied", ""),
    ]
    summary = json.loads(jobs.cloud.files[f"r/{result.job}/summary.json"])
    assert versions.NOTE_ALL in summary["notes"]


def test_a_second_run_copies_what_has_come_since() -> None:
    jobs = both_versioned(*HISTORY)
    jobs.run(every())
    jobs.cloud.time += 100
    again = jobs.run(every(), "again")
    assert (again.status, again.objects.skipped, again.objects.succeeded) == ("succeeded", 6, 0)
    jobs.cloud.put("in/a", "9")
    jobs.cloud.hide("in/b")
    jobs.cloud.time += 100
    more = jobs.run(every(), "more")
    assert (more.objects.skipped, more.objects.succeeded) == (6, 2)
    expected = {"a": ["1", "3", "1", "9"], "b": ["2", "-", "4", "-"]}
    assert history_of(jobs.cloud, DST, "out/") == expected


def test_versions_that_have_expired_at_the_source_since_do_not_matter() -> None:
    jobs = both_versioned(*HISTORY)
    jobs.run(every())
    del jobs.cloud.versions[SRC, "in/a", "v1"]
    jobs.cloud.time += 100
    again = jobs.run(every(), "again")
    assert (again.objects.skipped, again.objects.succeeded) == (5, 0)


def test_a_destination_that_shows_something_else_gets_all_versions_above_it() -> None:
    jobs = both_versioned(("a", "1"), ("a", "2"))
    jobs.cloud.put("out/a", "1", bucket=DST)
    jobs.cloud.put("out/a", "foreign", bucket=DST)
    jobs.run(every())
    assert history_of(jobs.cloud, DST, "out/") == {"a": ["1", "foreign", "1", "2"]}


def test_a_dry_run_of_all_versions_shows_each_and_its_list_is_no_source() -> None:
    jobs = both_versioned(*HISTORY)
    shown = jobs.run(every(dry_run=True))
    assert (shown.objects.would_copy, history_of(jobs.cloud, DST, "out/")) == (6, {})
    asked = request(source=BulkSource(report=Former(shown.job or "", "wouldCopy")))
    refused = jobs.begin(asked)
    assert (code(refused), refused.error and refused.error.field) == ("InvalidField", "source.report")
    begun = Many(jobs.tools()).carry_out(shown.job or "", "later", Arrival("r", NOW))
    jobs.drain()
    assert (jobs.look(begun.job or "").objects.succeeded, there(jobs)) == (6, {"a": "1", "b": "4"})


def test_newer_versions_wait_for_the_chain_of_a_large_one() -> None:
    jobs = both_versioned(("a", "1"))
    jobs.cloud.put("in/a", "2", size=LARGE)
    jobs.cloud.put("in/a", "3", size=LARGE)
    jobs.cloud.hide("in/a")
    jobs.cloud.put("in/a", "4")
    jobs.cloud.put("in/b", "5")
    result = jobs.run(every())
    assert (result.status, result.objects.succeeded) == ("succeeded", 6)
    assert history_of(jobs.cloud, DST, "out/") == {"a": ["1", "2", "3", "-", "4"], "b": ["5"]}
    assert jobs.cloud.count("initiate") == 2
    jobs.cloud.time += 100
    again = jobs.run(every(), "again")
    assert (again.objects.skipped, again.objects.succeeded) == (6, 0), "CRC64s tell what ETags do not"


def test_what_is_newer_than_a_version_whose_chain_has_failed_is_not_copied() -> None:
    jobs = both_versioned()
    jobs.cloud.put("in/a", "2", size=LARGE)
    jobs.cloud.put("in/a", "3")
    jobs.cloud.broken["initiate"] = Failed("AccessDenied", "no", status=403)
    result = jobs.run(every())
    assert told(jobs.cloud, result.job or "") == [
        ("v1", "failed", "AccessDenied"),
        ("v2", "failed", "OlderVersionFailed"),
    ]
    assert history_of(jobs.cloud, DST, "out/") == {}


def test_what_is_newer_than_a_version_that_failed_is_not_copied_and_another_run_goes_on() -> None:
    jobs = both_versioned(("a", "1"), ("a", "2"), ("a", "3"), ("b", "4"))
    jobs.cloud.at("copy", _raising(Failed("AccessDenied", "no", status=403)), nth=2)
    result = jobs.run(every())
    assert told(jobs.cloud, result.job or "") == [
        ("v1", "copied", ""),
        ("v2", "failed", "AccessDenied"),
        ("v3", "failed", "OlderVersionFailed"),
        ("v4", "copied", ""),
    ]
    jobs.cloud.time += 100
    assert jobs.run(every(), "again").status == "succeeded"
    assert history_of(jobs.cloud, DST, "out/") == {"a": ["1", "2", "3"], "b": ["4"]}
    refused = jobs.begin(request(source=BulkSource(report=Former(result.job or ""))))
    assert code(refused) == "InvalidField"


def test_a_version_that_is_gone_is_missing_and_newer_ones_are_copied() -> None:
    jobs = both_versioned(("a", "1"), ("a", "2"))
    jobs.cloud.at("copy", lambda: jobs.cloud.versions.pop((SRC, "in/a", "v1")))
    result = jobs.run(every())
    assert [status for _, status, _ in told(jobs.cloud, result.job or "")] == ["missing", "copied"]


@pytest.mark.parametrize("request_name", ["copy", "remove"])
def test_a_request_without_an_answer_is_repeated_only_if_it_did_not_take_effect(request_name: str) -> None:
    for after in (False, True):
        jobs = both_versioned(("a", "1"), ("a", "-"), ("a", "2"))
        jobs.cloud.at(request_name, _raising(LOST), after=after)
        result = jobs.run(every())
        assert result.status == "succeeded", after
        assert history_of(jobs.cloud, DST, "out/") == {"a": ["1", "-", "2"]}, after


def test_a_delete_marker_that_cannot_be_made_ends_its_key() -> None:
    jobs = both_versioned(("a", "1"), ("a", "-"), ("a", "2"))
    jobs.cloud.broken["remove"] = Failed("AccessDenied", "no", status=403)
    result = jobs.run(every())
    assert [status for _, status, _ in told(jobs.cloud, result.job or "")] == ["copied", "failed", "failed"]
    jobs.cloud.broken["remove"] = LOST
    result = jobs.run(every(), "again")
    assert told(jobs.cloud, result.job or "")[1][1:] == ("failed", "NetworkError")


def test_throttled_versions_are_tried_again_later() -> None:
    jobs = both_versioned(*HISTORY)
    jobs.cloud.broken["copy"] = BUSY
    jobs.begin(every())
    jobs.drain_one()
    del jobs.cloud.broken["copy"]
    jobs.drain()
    assert history_of(jobs.cloud, DST, "out/") == {"a": ["1", "3", "1"], "b": ["2", "-", "4"]}


def test_whole_keys_are_filtered() -> None:
    jobs = both_versioned(*HISTORY)
    result = jobs.run(every(filters=Filters(include=("a",))))
    assert (history_of(jobs.cloud, DST, "out/"), result.excluded) == ({"a": ["1", "3", "1"]}, 3)


def test_a_key_with_too_many_versions_has_one_row_and_is_not_copied() -> None:
    jobs = both_versioned(*[("a", "1")] * 5, ("b", "2"))
    kept, bulk.MOST = bulk.MOST, 3
    try:
        with narrow(page=2, most=100):
            result = jobs.run(every())
    finally:
        bulk.MOST = kept
    statuses = [
        (each["key"], each["status"], each["errorCode"]) for each in rows_of(jobs.cloud, result.job or "")
    ]
    assert statuses == [("in/a", "failed", "TooManyVersions"), ("in/b", "copied", "")]


def test_the_destination_has_to_keep_versions() -> None:
    jobs = jobs_with(("a", "1"))
    refused = jobs.begin(every())
    assert (code(refused), refused.error and refused.error.field) == (
        "VersioningRequired",
        "destination.bucket",
    )
    jobs.cloud.versioned.add(DST)
    jobs.cloud.versioning[DST] = "Suspended"
    assert code(jobs.begin(every())) == "VersioningRequired"
    assert not jobs.cloud.records


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"as_of": "2026-01-01T00:00:00Z"}, "asOf"),
        ({"source": BulkSource(manifest=Manifest(SRC, "m"))}, "versions"),
        ({"delete": True, "max_delete": 1}, "delete"),
        ({"mode": "check"}, "mode"),
        ({"symlinks": "follow"}, "symlinks"),
        ({"destination": BulkDestination(bucket=DST, key="{name}")}, "destination.key"),
        ({"overwrite": "always"}, "overwrite"),
        ({"compare": "metadata"}, "compare"),
        ({"filters": Filters(min_size=1)}, "filters"),
        ({"archive": "restore"}, "archive"),
        ({"verify": "full"}, "verify"),
        ({"tags": "none"}, "tags"),
        ({"acl": "copy"}, "acl"),
        ({"tuning": Tuning(method="multipart")}, "tuning.method"),
    ],
)
def test_what_does_not_go_with_all_versions_is_refused(changes: dict[str, Any], field: str) -> None:
    bulk.refuse_wrong(every(), NOW)
    with pytest.raises(Refused) as caught:
        bulk.refuse_wrong(every(**changes), NOW)
    assert (caught.value.code, caught.value.field) == ("InvalidField", field)


def test_all_versions_need_their_word() -> None:
    with pytest.raises(Refused) as caught:
        NO_OPTION.judge_request(every())
    assert (caught.value.code, caught.value.field) == ("NotAllowed", "versions")


@EXAMPLES
@given(history=st.dictionaries(KEYS, KINDS, max_size=6), large=st.integers(0, 4), **WORLDS)
def test_any_history_is_copied_in_its_order_with_one_row_for_each_version(
    history: dict[str, list[tuple[int, str]]],
    large: int,
    page: int,
    most: int,
    timeout: float,
    seconds: float,
    deaths: frozenset[int],
    retries: int,
    chances: tuple[float, ...],
) -> None:
    jobs, cloud = begun(timeout, seconds, deaths, chances)
    cloud.versioned |= {SRC, DST}
    _told(cloud, history, 0, kinds=10**6 if large else 2)
    if large:  # every so manyth version takes a chain
        for number, stored in enumerate(cloud.versions.values(), 1):
            if number % large == 0 and not stored.is_marker:
                stored.head = msgspec.structs.replace(stored.head, size=LARGE)
    cloud.time = START + 100
    with narrow(page, most):
        job = run(jobs, cloud, every(allow_empty=True), retries, sweep_every=15)
    assert json.loads(cloud.records[f"done/{job}"][1])["result"]["status"] == "succeeded"
    ids = [each["versionId"] for each in rows_of(cloud, job)]
    assert sorted(ids) == sorted(version for bucket, _, version in cloud.versions if bucket == SRC)
    assert history_of(cloud, DST, "out/") == history_of(cloud, SRC, "in/")


def test_versions_of_a_key_that_is_not_allowed_fail_each_for_that_reason() -> None:
    jobs = both_versioned(*HISTORY)
    jobs.forbidden = frozenset({"in/b"})
    result = jobs.run(every())
    codes = {(each["key"], each["errorCode"]) for each in rows_of(jobs.cloud, result.job or "")}
    assert codes == {("in/a", ""), ("in/b", "NotAllowed")}
    assert history_of(jobs.cloud, DST, "out/") == {"a": ["1", "3", "1"]}


def test_a_key_that_cannot_be_compared_fails_and_others_are_copied() -> None:
    for error, expected in (
        (Failed("AccessDenied", "no", status=403), "AccessDenied"),
        (LOST, "NetworkError"),
    ):
        jobs = both_versioned(("b", "1"))
        jobs.cloud.put("in/a", "2", size=LARGE, etag="E-2")
        jobs.cloud.put("out/a", "2", bucket=DST, size=LARGE, etag="F-2")
        jobs.cloud.broken["find"] = error
        result = jobs.run(every())
        found = {each["key"]: each["errorCode"] for each in rows_of(jobs.cloud, result.job or "")}
        assert found == {"in/a": expected, "in/b": ""}


def test_what_a_dead_hop_has_copied_counts_as_copied() -> None:
    jobs = both_versioned(("a", "1"), ("a", "2"))
    jobs.cloud.time += 10
    jobs.begin(every())
    jobs.cloud.put("out/a", "1", bucket=DST)
    jobs.drain()
    result = jobs.look(job_of(every()).job)
    assert (result.objects.succeeded, result.objects.skipped) == (2, 0)
    assert history_of(jobs.cloud, DST, "out/") == {"a": ["1", "2"]}


def test_delete_markers_are_no_objects_to_judge() -> None:
    jobs = both_versioned(("a", "1"), ("a", "-"))
    marker = next(each for each in jobs.cloud.versions.values() if each.is_marker)
    marker.head = msgspec.structs.replace(marker.head, storage_class="Archive")
    assert jobs.run(every(archive="skip")).objects.succeeded == 2


def test_a_dry_run_looks_whether_an_archived_version_is_restored() -> None:
    for restoration, expected in (("done", "wouldCopy"), ("none", "failed")):
        jobs = both_versioned()
        jobs.cloud.put("in/a", "1", storage_class="Archive", restoration=restoration)
        jobs.cloud.time += 10
        jobs.cloud.put("out/a", "1", bucket=DST, size=7)
        result = jobs.run(every(dry_run=True))
        assert [status for _, status, _ in told(jobs.cloud, result.job or "")] == [expected]


def test_all_versions_keep_the_rate_that_is_asked_for() -> None:
    jobs = both_versioned(*[("a", str(number)) for number in range(1, 21)])
    jobs.cloud.time += 10
    begun_at = jobs.cloud.time
    assert jobs.run(every(max_rate=2)).status == "succeeded"
    assert jobs.cloud.time - begun_at >= 18


def test_throttled_delete_markers_are_tried_again_later() -> None:
    jobs = both_versioned(*HISTORY)
    jobs.cloud.broken["remove"] = BUSY
    jobs.begin(every())
    jobs.drain_one()
    del jobs.cloud.broken["remove"]
    jobs.drain()
    assert history_of(jobs.cloud, DST, "out/") == {"a": ["1", "3", "1"], "b": ["2", "-", "4"]}
    assert len(rows_of(jobs.cloud, job_of(every()).job)) == 6


def test_an_equal_version_before_is_not_the_copy_that_had_no_answer() -> None:
    jobs = both_versioned(("a", "1"), ("a", "1"), ("a", "1"))
    jobs.cloud.at("copy", _raising(LOST), nth=2)
    assert jobs.run(every()).status == "succeeded"
    assert history_of(jobs.cloud, DST, "out/") == {"a": ["1", "1", "1"]}


def test_different_versions_cost_no_head() -> None:
    jobs = both_versioned(("a", "1"), ("a", "2"))
    jobs.cloud.put("out/a", "foreign", bucket=DST, size=7)
    jobs.run(every())
    assert (jobs.cloud.count("head"), jobs.cloud.count("find")) == (0, 0)


def test_without_crc64s_large_versions_are_not_taken_for_equal() -> None:
    jobs = both_versioned()
    for bucket, key, etag in ((SRC, "in/a", "E-2"), (DST, "out/a", "F-2")):
        head = jobs.cloud.put(key, "2", bucket=bucket, etag=etag)
        stored = jobs.cloud.versions[bucket, key, head.version_id or ""]
        stored.head = msgspec.structs.replace(stored.head, crc64=None)
    assert jobs.run(every()).objects.succeeded == 1


def test_a_large_version_that_equals_the_one_before_is_copied() -> None:
    jobs = both_versioned()
    jobs.cloud.put("in/a", "2", size=LARGE)
    jobs.cloud.put("in/a", "2", size=LARGE)
    assert jobs.run(every()).status == "succeeded"
    assert history_of(jobs.cloud, DST, "out/") == {"a": ["2", "2"]}


def test_versions_are_alike_by_what_listings_show() -> None:
    def listed(etag: str = "E", size: int = 1, modified: int = 5, kind: str = "Normal") -> ListedVersion:
        return ListedVersion("k", size, "Standard", kind, modified, etag, "v")

    marker = ListedVersion("k", 1, "Standard", "Normal", 5, "E", "v", is_marker=True)
    for one, other, expected in (
        (listed(), listed(), True),
        (listed(), listed("F"), False),
        (listed("E-2"), listed("F-2"), None),
        (listed("E-2"), listed("E-2", modified=9), True),
        (listed(), listed(size=2), False),
        (listed(), listed(kind="Symlink"), False),
        (marker, marker, True),
        (marker, listed(), False),
        (listed(), marker, False),
    ):
        assert versions.alike(one, other, may_encrypt=False) is expected, (one, other)


def all_pages(jobs: Jobs, passed: Passed | None = None, whole: Range = Range()) -> pages.AllPages:  # noqa: B008 - it is frozen
    return pages.AllPages(jobs.tools(), _job(jobs, every()), whole, passed)


def test_without_time_a_listing_of_all_versions_stands_still() -> None:
    jobs = both_versioned(("a", "1"), *[("b", str(number)) for number in range(1, 6)])
    for number in range(5):
        jobs.cloud.put("out/b", str(number), bucket=DST)
    for nth in (1, 2, 3, 4):
        jobs.cloud.time += 50
        with narrow(page=2, most=100):
            found = all_pages(jobs)
            first = found.after(None)
            assert (first.high, first.is_last) == ("in/a", False)
            jobs.cloud.at("list versions", lambda: jobs.cloud.sleep(100), nth=nth)
            before = jobs.cloud.count("list versions")
            late = found.after("in/a")
            assert (late.places, late.high, late.is_last) == ((), "in/a", False), nth
            assert jobs.cloud.count("list versions") == before + nth
            again = all_pages(jobs).after("in/a")
            assert [each.position for each in again.places] == [*["in/a"] * 4, "in/b"]


def test_a_page_ends_before_a_key_that_is_cut() -> None:
    jobs = both_versioned(("a", "1"), ("b", "2"), ("b", "3"), ("b", "4"), ("c", "5"))
    for key in ("out/a", "out/b", "out/c", "out/d", "out/e", "out/f"):
        jobs.cloud.put(key, "9", bucket=DST)
    with narrow(page=2, most=100):
        found = all_pages(jobs)
        before = jobs.cloud.count("list versions")
        first = found.after(None)
        assert ([each.position for each in first.places], first.high) == (["in/a"], "in/a")
        assert jobs.cloud.count("list versions") == before + 2


def test_a_destination_with_more_versions_is_held_as_far_as_it_matters() -> None:
    jobs = both_versioned(("a", "1"), ("a", "2"))
    for number in range(5):
        jobs.cloud.put("out/a", str(number), bucket=DST)
    (one, _) = all_pages(jobs).after(None).places
    assert isinstance(one.item, bulk.Step)
    assert [each.etag for each in one.item.history.there] == ["E3", "E4"]


def test_versions_after_one_that_is_gone_have_one_row_each() -> None:
    jobs = both_versioned(("a", "1"), ("a", "2"), ("a", "3"), ("a", "4"))
    gone = jobs.cloud.versions.pop((SRC, "in/a", "v2"))
    found = all_pages(jobs, Passed("in/a", "v2", gone.head.last_modified)).after(None)
    ids = [each.item.request.source.version_id for each in found.places if each.item]
    assert ids == ["v3", "v4"]
    whole = all_pages(jobs, whole=Range((), "in/a", "in/b")).after("in/a")
    assert (whole.places, whole.is_last) == ((), True)
