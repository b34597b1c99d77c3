"""Checks: jobs of many objects that tell differences and copy nothing."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from osscopy.jobs.bulk import walk
from osscopy.jobs.bulk.pages import both, listing, width
from osscopy.model import (
    BulkDestination,
    BulkResult,
    BulkSource,
    Encrypted,
    Encryption,
    Filters,
    Former,
    Range,
)
from tests.unit.engine import DST, SRC
from tests.unit.many import Jobs, job_of, request


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def narrow() -> Iterator[None]:
    """Pages of two keys, and entries of two rows."""
    kept = both.PAGE, walk.MOST_ROWS, listing.LEAST, width.SOON
    both.PAGE, walk.MOST_ROWS, listing.LEAST, width.SOON = 2, 2, 0, 0.0
    yield
    both.PAGE, walk.MOST_ROWS, listing.LEAST, width.SOON = kept


def check(jobs: Jobs, occurrence: str = "check", **asked: Any) -> BulkResult:
    return jobs.run(request(mode="check", **asked), occurrence)


def found(jobs: Jobs, result: BulkResult) -> dict[str, str]:
    """The statuses of all that is not the same."""
    return {key: row for key, row in jobs.statuses(result.job or "").items() if row != "same"}


def pair(jobs: Jobs, name: str, one: dict[str, Any] | None, other: dict[str, Any] | None) -> None:
    """Put an object on either side; None: not there."""
    for bucket, prefix, shown in ((SRC, "in/", one), (DST, "out/", other)):
        if shown is not None:
            jobs.cloud.put(f"{prefix}{name}", **{"bucket": bucket, "crc64": "7", **shown})


def content(jobs: Jobs, **changes: Any) -> Any:
    return replace(jobs.cloud.put("elsewhere").content, **changes)


def test_every_kind_of_difference_is_found_and_no_other(jobs: Jobs) -> None:
    text = content(jobs, content_type="text/html")
    pairs: dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None, str]] = {
        "bytes": ({}, {"crc64": "8"}, "different Bytes"),
        "bytes of parts": ({"etag": "a-2"}, {"crc64": "8", "etag": "b-2"}, "different Bytes"),
        "size": ({}, {"size": 999}, "different Size"),
        "size of equal ETags": ({"etag": "e"}, {"size": 1, "etag": "e"}, "different Size"),
        "type": ({}, {"content": text}, "different Headers"),
        "user": ({"content": content(jobs, user={"a": "1"})}, {}, "different Headers"),
        "cache": ({}, {"content": content(jobs, cache_control="no-cache")}, "different Headers"),
        "tags": ({"tags": {"a": "1"}}, {"tags": {"a": "2"}}, "different Tags"),
        "tag": ({"tags": {"a": "1"}}, {}, "different Tags"),
        "tag more": ({"tags": {"a": "1"}}, {"tags": {"a": "1", "b": "2"}}, "different Tags"),
        "missing": ({}, None, "missing"),
        "superfluous": (None, {}, "superfluous"),
        "Case": ({}, None, "missing"),
        "case": (None, {}, "superfluous"),
        "\u00e9": ({}, None, "missing"),
        "e\u0301": (None, {}, "superfluous"),
        "": ({}, None, "missing"),
        "folder/": (None, {"size": 0}, "superfluous"),
        "kind": ({"kind": "Symlink", "link": "in/same"}, {}, "different Kind"),
        "target": (
            {"kind": "Symlink", "link": "in/same"},
            {"kind": "Symlink", "link": "in/other"},
            "different Target",
        ),
        "zero\u0000byte": ({}, None, "failed InvalidKey"),
        "same": ({}, {}, "same"),
        "same in parts": ({"etag": "a-2"}, {"etag": "b-3"}, "same"),
        "same tags": ({"tags": {"a": "1"}}, {"tags": {"a": "1"}}, "same"),
        "same link": ({"kind": "Symlink", "link": "t"}, {"kind": "Symlink", "link": "t"}, "same"),
    }
    for name, (one, other, _) in pairs.items():
        if name.startswith("zero"):
            continue
        pair(jobs, name, one, other)
    before = dict(jobs.cloud.objects)
    result = check(jobs, compare="metadata", encryption="keep")
    expected = {name: row for name, (_, _, row) in pairs.items() if not name.startswith("zero")}
    assert jobs.statuses(result.job or "") == expected
    objects = result.objects
    assert (objects.missing, objects.superfluous, objects.different, objects.same) == (4, 4, 12, 4)
    assert (objects.total, objects.succeeded, result.status) == (24, 0, "succeeded")
    assert {place: each for place, each in jobs.cloud.objects.items() if place[0] in {SRC, DST}} == before
    assert [jobs.cloud.count(name) for name in ("copy", "initiate", "restore")] == [0, 0, 0]


def test_what_headers_and_tags_say_is_no_difference_where_nobody_asks(jobs: Jobs) -> None:
    pair(jobs, "a", {"tags": {"a": "1"}}, {"content": content(jobs, content_type="x/y")})
    result = check(jobs)
    assert found(jobs, result) == {}
    assert jobs.cloud.count("head") + jobs.cloud.count("tags") == 0


def test_equal_sides_take_one_listing_each_for_a_page(jobs: Jobs) -> None:
    for number in range(2500):
        pair(jobs, f"{number:04}", {}, {})
    asked = len(jobs.cloud.asked)
    assert check(jobs).objects.same == 2500
    assert len(jobs.cloud.asked) - asked <= 2 * 3 + 3 + 40


def test_a_superfluous_object_is_shown_as_the_destination_has_it(jobs: Jobs) -> None:
    pair(jobs, "a", {}, {})
    pair(jobs, "b", None, {"size": 77, "etag": "theirs"})
    row = jobs.rows(check(jobs).job or "")["in/b"]
    assert (row["destinationKey"], row["bytes"], row["etag"]) == ("out/b", "77", "theirs")


def test_bytes_that_nothing_tells_are_not_called_the_same(jobs: Jobs) -> None:
    pair(jobs, "a", {"etag": "x-2", "crc64": None}, {"etag": "y-2", "crc64": None})
    pair(jobs, "b", {"etag": "x-2", "crc64": None}, {"etag": "y-2"})
    result = check(jobs)
    assert set(found(jobs, result).values()) == {"skipped NotCompared"}


def test_equal_etags_tell_where_no_crc64_is_there(jobs: Jobs) -> None:
    pair(jobs, "a", {"etag": "x", "crc64": None}, {"etag": "x", "crc64": None})
    assert found(jobs, check(jobs, compare="metadata")) == {}


def test_etags_of_encrypted_objects_tell_no_difference(jobs: Jobs) -> None:
    pair(jobs, "a", {"etag": "x"}, {"etag": "y", "encryption": Encrypted("KMS")})
    assert found(jobs, check(jobs, encryption=Encryption("KMS"))) == {}


def test_followed_symlinks_are_compared_by_what_they_show(jobs: Jobs) -> None:
    pair(jobs, "to", {}, {})
    pair(jobs, "a", {"kind": "Symlink", "link": "in/to"}, {})
    assert found(jobs, check(jobs, symlinks="follow")) == {}


def test_a_symlink_that_is_replaced_meanwhile_is_different(jobs: Jobs) -> None:
    links = {"kind": "Symlink", "link": "t"}
    pair(jobs, "a", links, links)
    jobs.cloud.at("link", lambda: jobs.cloud.put("out/a", bucket=DST))
    assert found(jobs, check(jobs)) == {"a": "different Kind"}


def test_an_object_that_comes_or_goes_meanwhile_is_told_as_it_is_then(jobs: Jobs) -> None:
    pair(jobs, "a", {"etag": "x-2"}, {"etag": "y-2"})
    jobs.cloud.at("find", lambda: jobs.cloud.objects.pop((DST, "out/a")))
    assert found(jobs, check(jobs)) == {"a": "missing"}


def test_a_name_that_makes_no_copy_is_a_row(jobs: Jobs) -> None:
    pair(jobs, "..", {}, None)
    pair(jobs, "x", {}, {})
    pair(jobs, "y/", {}, {})
    asked = request(
        mode="check",
        source=BulkSource(bucket=SRC, prefix="in/"),
        destination=BulkDestination(bucket=DST, prefix=""),
    )
    result = jobs.run(asked)
    assert jobs.statuses(result.job or "")[".."] == "failed InvalidKey"
    pair(jobs, "", {}, None)
    result = jobs.run(asked, "two")
    assert jobs.statuses(result.job or "")[""] == "skipped NoName"


def test_filters_take_names_of_both_sides_and_sizes_of_the_source(jobs: Jobs) -> None:
    pair(jobs, "a.txt", {}, None)
    pair(jobs, "b.bin", {}, None)
    pair(jobs, "c.txt", None, {"size": 1})
    pair(jobs, "d.bin", None, {})
    pair(jobs, "e.txt", {"size": 1}, {})
    result = check(jobs, filters=Filters(include=("*.txt",), min_size=10))
    assert found(jobs, result) == {"a.txt": "missing", "c.txt": "superfluous"}
    assert result.excluded == 2


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("workers", [1, 3])
def test_long_runs_on_one_side_are_walked_page_by_page(workers: int) -> None:
    jobs = Jobs(workers)
    for number in range(9):
        pair(jobs, f"a{number}", None, {})
        pair(jobs, f"b{number}", {}, None)
        pair(jobs, f"c{number}", {}, {})
        pair(jobs, f"d{number}", None, {})
    objects = check(jobs).objects
    assert (objects.missing, objects.superfluous, objects.same, objects.total) == (9, 18, 9, 36)


@pytest.mark.usefixtures("narrow")
def test_names_that_nobody_wants_do_not_keep_a_walk_where_it_is(jobs: Jobs) -> None:
    for number in range(9):
        pair(jobs, f"a{number}", None, {})
    pair(jobs, "z.txt", {}, None)
    jobs.cloud.at("list there", *[lambda: jobs.cloud.sleep(31)] * 1, nth=3)
    for nth in range(4, 9):
        jobs.cloud.at("list there", lambda: jobs.cloud.sleep(31), nth=nth)
    result = check(jobs, filters=Filters(include=("*.txt",)))
    assert found(jobs, result) == {"z.txt": "missing"}


@given(
    st.sets(st.text("ab/\u00e9\U0001f680\uffff", max_size=3)),
    st.sets(st.text("ab/\u00e9\U0001f680\uffff", max_size=3)),
    st.integers(1, 4),
)
@settings(max_examples=60, deadline=None)
def test_each_name_of_either_side_is_there_once(ours: set[str], theirs: set[str], page: int) -> None:
    kept, both.PAGE = both.PAGE, page
    try:
        jobs = Jobs()
        for name in ours:
            pair(jobs, name, {}, None)
        for name in theirs:
            pair(jobs, name, None, {})
        asked = request(mode="check", allow_empty=True)
        job = bulk_job(jobs, asked)
        pages = both.BothPages(jobs.tools(), job, Range())
        names, position, is_last = [], None, False
        while not is_last:
            found = pages.after(position)
            for each in found.places:
                assert each.item
                name = each.position.removeprefix("in/")
                assert (each.item.source is None, each.item.destination is None) == (
                    name not in ours,
                    name not in theirs,
                )
                names.append(name)
            assert found.is_last or (found.high is not None and (position is None or found.high > position))
            position, is_last = found.high, found.is_last
        assert names == sorted(ours | theirs)
    finally:
        both.PAGE = kept


def bulk_job(jobs: Jobs, asked: Any) -> Any:
    jobs.begin(asked)
    return jobs.tools().of(job_of(asked).job).job()


def test_a_listing_begins_after_no_longer_key_than_there_is() -> None:
    jobs = Jobs()
    source = BulkSource(bucket=SRC, prefix="in/" + "p" * 900 + "/")
    name = "é" * 400
    jobs.cloud.put(f"out/{name}", bucket=DST)
    jobs.cloud.put(f"out/{name}x", bucket=DST)
    jobs.cloud.put(f"{source.prefix}a")
    job = bulk_job(jobs, request(mode="check", source=source))
    pages = both.BothPages(jobs.tools(), job, Range())
    low = f"{source.prefix}{name}"
    assert [each.position for each in pages.after(low).places] == [f"{low}x"]
    assert all(len(each.rpartition(" ")[2].encode()) <= 1023 for each in jobs.cloud.asked)


def test_a_page_that_is_a_minute_old_is_asked_for_again(jobs: Jobs) -> None:
    pair(jobs, "a", {}, None)
    pair(jobs, "b", {}, None)
    pages = both.BothPages(jobs.tools(), bulk_job(jobs, request(mode="check")), Range())
    pages.after(None)
    jobs.cloud.time += 59
    lists = jobs.cloud.count("list there")
    pages.after("in/a")
    assert jobs.cloud.count("list there") == lists
    jobs.cloud.time += 1
    pages.after("in/a")
    assert jobs.cloud.count("list there") == lists + 1
    assert [each.position for each in pages.after(None).places] == ["in/a", "in/b"]


def test_a_check_takes_no_turn(jobs: Jobs) -> None:
    jobs.put("a")
    assert jobs.begin().status == "running"
    assert check(jobs).status == "succeeded"
    assert jobs.begin(request(mode="check"), "third").status == "running"


def test_what_a_check_has_found_is_a_source(jobs: Jobs) -> None:
    pair(jobs, "a", {}, None)
    pair(jobs, "b", {}, {"crc64": "8"})
    pair(jobs, "c", None, {})
    pair(jobs, "d", {}, {})
    result = check(jobs)
    lists = {name: listed(jobs, result, name) for name in ("failed", "superfluous")}
    assert lists == {"failed": ["in/a", "in/b"], "superfluous": ["in/c"]}
    jobs.cloud.time += 10
    source = BulkSource(report=Former(result.job or ""))
    healed = jobs.run(request(source=source, destination=BulkDestination(bucket=DST)), "two")
    assert jobs.statuses(healed.job or "") == {"a": "copied", "b": "copied"}
    assert found(jobs, check(jobs, "again")) == {"c": "superfluous"}


def listed(jobs: Jobs, result: BulkResult, name: str) -> list[str]:
    text = gzip.decompress(jobs.cloud.files[f"r/{result.job}/{name}.csv.gz"]).decode()
    return [unquote(row["key"]) for row in csv.DictReader(io.StringIO(text, newline=""))]


def test_headers_of_parts_are_no_difference_where_nobody_asks(jobs: Jobs) -> None:
    other = content(jobs, content_type="x/y")
    pair(jobs, "a", {"etag": "a-2"}, {"etag": "b-2", "content": other})
    assert found(jobs, check(jobs)) == {}


def test_an_object_without_tags_differs_from_one_with_any(jobs: Jobs) -> None:
    pair(jobs, "a", {}, {"tags": {"a": "1"}})
    assert found(jobs, check(jobs, compare="metadata")) == {"a": "different Tags"}


def test_followed_symlinks_of_other_sizes_are_different(jobs: Jobs) -> None:
    pair(jobs, "to", {"crc64": None}, {"crc64": None})
    pair(jobs, "a", {"kind": "Symlink", "link": "in/to"}, {"size": 5, "crc64": None})
    assert found(jobs, check(jobs, symlinks="follow")) == {"a": "different Size"}


def test_kinds_that_listings_tell_are_not_looked_at(jobs: Jobs) -> None:
    pair(jobs, "a", {"kind": "Symlink", "link": "t"}, {})
    assert found(jobs, check(jobs)) == {"a": "different Kind"}
    assert jobs.cloud.count("link") == 0
