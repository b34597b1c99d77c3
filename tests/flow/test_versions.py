"""Jobs about versions that are not the current ones, through the real handler and the local cloud."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import msgspec
import pytest

from functions.cli import rights
from functions.cli.rights import reach
from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import DESTINATION, SOURCE, VERSIONED, set_versioning, until, versions
from tests.flow.test_bulk import ODD, ended, rows

OLD = "oss-copy-versioned"  # a source that the allow list names


@pytest.fixture
def old(cloud: LocalCloud) -> Iterator[Any]:
    """A source with versioning."""
    bucket = cloud.oss_bucket(OLD)
    bucket.create_bucket()
    set_versioning(bucket, "Enabled")
    yield bucket
    set_versioning(bucket, "Enabled")


def the_next_second() -> str:
    """A time that is over, and later than all that was written so far."""
    begun = int(time.time())
    until(lambda: time.time() >= begun + 2)
    return datetime.fromtimestamp(begun + 1, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def asked(prefix: str, **options: Any) -> dict[str, Any]:
    return {
        "source": {"bucket": OLD, "prefix": prefix},
        "destination": {"bucket": DESTINATION, "prefix": f"of-{prefix}"},
        "encryption": "bucket",
        "tuning": {"partSize": "1MiB"},
        **options,
    }


def shown(bucket: Any, prefix: str) -> dict[str, bytes]:
    """The bytes of each key below a prefix."""
    listed = bucket.list_objects_v2(prefix=prefix, max_keys=1000).object_list
    return {each.key.removeprefix(prefix): bucket.get_object(each.key).read() for each in listed}


def test_the_past_of_odd_keys_is_copied_and_later_changes_are_not(
    cloud: LocalCloud, old: Any, destination: Any
) -> None:
    for key in ODD:
        old.put_object(f"odd/{key}", b"old " + key.encode())
    old.put_object("odd/deleted-before", b"x")
    old.delete_object("odd/deleted-before")
    then = the_next_second()
    for number, key in enumerate(ODD):
        if number % 3 == 0:
            old.delete_object(f"odd/{key}")
        elif number % 3 == 1:
            old.put_object(f"odd/{key}", b"new " + key.encode())
    old.put_object("odd/came-later", b"x")
    result = ended(cloud, cloud.invoke(asked("odd/", asOf=then))["job"])
    assert (result["status"], result["objects"]["succeeded"]) == ("succeeded", len(ODD)), result
    assert shown(destination, "of-odd/") == {key: b"old " + key.encode() for key in ODD}
    ids = {each["key"]: each["versionId"] for each in rows(cloud, result)}
    assert len(ids) == len(ODD)
    assert all(ids.values())
    again = ended(cloud, cloud.invoke(asked("odd/", asOf=then, dryRun=True))["job"])
    assert again["objects"]["wouldCopy"] == 0, again


def test_null_versions_of_a_suspended_bucket_are_versions_like_others(
    cloud: LocalCloud, old: Any, destination: Any
) -> None:
    set_versioning(old, "Suspended")
    old.put_object("null/a", b"null, overwritten below")
    old.put_object("null/a", b"null")
    old.put_object("null/b", b"null")
    then = the_next_second()
    set_versioning(old, "Enabled")
    old.put_object("null/a", b"v1")
    old.delete_object("null/b")
    later = the_next_second()
    old.put_object("null/a", b"v2")
    for moment, expected in ((then, {"a": b"null", "b": b"null"}), (later, {"a": b"v1", "b": b"null"})):
        result = ended(cloud, cloud.invoke(asked("null/", asOf=moment))["job"])
        assert result["status"] == "succeeded", result
        assert shown(destination, "of-null/") == expected, "what had a delete marker then is not touched"
        row = {each["key"]: each for each in rows(cloud, result)}
        assert (row["null/a"]["versionId"] == "null") == (moment == then)


def test_a_large_version_and_a_page_of_newer_ones(cloud: LocalCloud, old: Any, destination: Any) -> None:
    cloud.seed(OLD, "large/a", 5 * MIB, seed=1)
    old.put_object("large/b", b"then")
    then = the_next_second()
    old.put_object("large/a", b"now")
    for number in range(1005):
        old.put_object("large/b", b"%d" % number)
    wanted = old.head_object("large/a", params={"versionId": versions(old, "large/a")[1]}).headers
    result = ended(cloud, cloud.invoke(asked("large/", asOf=then))["job"])
    assert (result["status"], result["objects"]["succeeded"]) == ("succeeded", 2), result
    assert destination.get_object("of-large/b").read() == b"then"
    made = destination.head_object("of-large/a").headers
    assert made["x-oss-hash-crc64ecma"] == wanted["x-oss-hash-crc64ecma"]


def test_a_job_whose_invocations_are_killed_has_one_row_for_each_key(
    cloud: LocalCloud, old: Any, destination: Any
) -> None:
    keys = {f"{number:03}" for number in range(300)}
    for key in keys:
        old.put_object(f"killed/{key}", b"old")
    then = the_next_second()
    for key in sorted(keys)[::2]:
        old.put_object(f"killed/{key}", b"new")
    kill = [{"operation": "CopyObject", "probability": 0.005, "answer": "kill"}]
    cloud.conditions(latency_ms=5, seed=3, faults=kill)
    begun = cloud.invoke(asked("killed/", asOf=then))
    until(lambda: destination.object_exists("of-killed/050"), 60)
    cloud.conditions()
    result = ended(cloud, begun["job"])
    assert (result["status"], result["objects"]["total"]) == ("succeeded", 300), result
    assert sorted(each["key"] for each in rows(cloud, result)) == sorted(f"killed/{key}" for key in keys)
    assert shown(destination, "of-killed/") == dict.fromkeys(keys, b"old")


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"source": {"bucket": SOURCE, "prefix": "incoming/"}}, "VersioningRequired", "source.bucket"),
        ({"asOf": "2126-01-01T00:00:00Z"}, "InvalidField", "asOf"),
        ({"mode": "check"}, "InvalidField", "mode"),
        ({"delete": True, "maxDelete": 1}, "InvalidField", "delete"),
    ],
)
def test_what_cannot_be_done_is_refused(
    cloud: LocalCloud, changes: dict[str, Any], code: str, field: str
) -> None:
    body = {**asked("x/", asOf="2026-01-01T00:00:00Z", allowEmpty=True), **changes}
    answer = cloud.http("POST", "/copies", json_body=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (422, code, field), error


@pytest.mark.usefixtures("old")
def test_the_check_lists_versions_where_the_word_is_allowed(cloud: LocalCloud) -> None:
    def line(name: str) -> dict[str, Any]:
        lines = cloud.invoke({"action": "check"})["lines"]
        return next(each for each in lines if (each["check"], each["subject"]) == (name, f"{SOURCE}/*"))

    assert line("source.versions")["status"] == "ok"
    to = msgspec.structs.replace(reach.read(), options=frozenset())
    cloud.set_policy(to.role, rights.document(rights.function_grants(to, ("check",))))
    try:
        told = line("source.versions")
    finally:
        cloud.set_policy(to.role, None)
    assert (told["status"], "oss:ListObjectVersions" in told["advice"]) == ("warning", True), told


# --- all versions ------------------------------------------------------------------------------------------


def every(prefix: str, **options: Any) -> dict[str, Any]:
    there = {"bucket": VERSIONED, "prefix": f"of-{prefix}"}
    return asked(prefix, versions="all", destination=there, **options)


def in_order(bucket: Any, prefix: str) -> dict[str, list[str]]:
    """ETags of all versions of each key as the cloud lists them, one request a version; a dash: a marker."""
    found: dict[str, list[str]] = {}
    key, version = "", ""
    while True:
        page = bucket.list_object_versions(
            prefix=prefix, key_marker=key, versionid_marker=version, max_keys=1
        )
        for each in (*page.versions, *page.delete_marker):
            name = each.etag if each in page.versions else "-"
            found.setdefault(each.key.removeprefix(prefix), []).append(name)
        if not page.is_truncated:
            return found
        key, version = page.next_key_marker, page.next_versionid_marker


def test_every_version_of_odd_keys_is_copied_in_its_order(
    cloud: LocalCloud, old: Any, versioned: Any
) -> None:
    set_versioning(old, "Suspended")
    for key in ODD:
        old.put_object(f"every/{key}", b"null " + key.encode())
    set_versioning(old, "Enabled")
    for number, key in enumerate(ODD):
        if number % 3:
            old.put_object(f"every/{key}", b"first " + key.encode())
        if number % 2:
            old.delete_object(f"every/{key}")
        if number % 5:
            old.put_object(f"every/{key}", b"second " + key.encode())
    count = sum(map(len, in_order(old, "every/").values()))
    result = ended(cloud, cloud.invoke(every("every/"))["job"])
    assert (result["status"], result["objects"]["succeeded"]) == ("succeeded", count), result
    assert in_order(versioned, "of-every/") == in_order(old, "every/")
    ids = [(each["key"], each["versionId"]) for each in rows(cloud, result)]
    assert len(set(ids)) == len(ids) == count
    old.delete_object(f"every/{ODD[0]}")
    the_next_second()
    again = ended(cloud, cloud.invoke(every("every/"))["job"])
    assert (again["objects"]["skipped"], again["objects"]["succeeded"]) == (count, 1), again
    assert in_order(versioned, "of-every/") == in_order(old, "every/")


def test_large_versions_keep_their_place_and_are_known_again(
    cloud: LocalCloud, old: Any, versioned: Any
) -> None:
    old.put_object("big/a", b"small")
    cloud.seed(OLD, "big/a", 5 * MIB, seed=1)
    cloud.seed(OLD, "big/a", 5 * MIB, seed=2)
    old.delete_object("big/a")
    old.put_object("big/a", b"last")
    old.put_object("big/b", b"other")
    result = ended(cloud, cloud.invoke(every("big/"))["job"])
    assert (result["status"], result["objects"]["succeeded"]) == ("succeeded", 6), result
    made = in_order(versioned, "of-big/")["a"]
    assert [each == "-" for each in made] == [False, True, False, False, False]
    crcs = [
        [_crc64(bucket, f"{at}a", each) for each in versions(bucket, f"{at}a")]
        for bucket, at in ((old, "big/"), (versioned, "of-big/"))
    ]
    assert crcs[0] == crcs[1]
    the_next_second()
    again = ended(cloud, cloud.invoke(every("big/"))["job"])
    assert (again["objects"]["skipped"], again["objects"]["succeeded"]) == (6, 0), again


def _crc64(bucket: Any, key: str, version: str) -> str:
    return str(bucket.head_object(key, params={"versionId": version}).headers["x-oss-hash-crc64ecma"])


def test_versions_of_a_job_whose_invocations_are_killed_are_copied_once(
    cloud: LocalCloud, old: Any, versioned: Any
) -> None:
    for turn in range(3):
        for number in range(100):
            old.put_object(f"dying/{number:03}", b"%d" % turn)
    kill = [{"operation": "CopyObject", "probability": 0.01, "answer": "kill"}]
    cloud.conditions(latency_ms=5, seed=5, faults=kill)
    begun = cloud.invoke(every("dying/"))
    until(lambda: versioned.object_exists("of-dying/050"), 60)
    cloud.conditions()
    result = ended(cloud, begun["job"])
    assert (result["status"], result["objects"]["total"]) == ("succeeded", 300), result
    assert in_order(versioned, "of-dying/") == in_order(old, "dying/")
    assert len({(each["key"], each["versionId"]) for each in rows(cloud, result)}) == 300


def test_a_destination_without_versions_is_refused(cloud: LocalCloud, old: Any) -> None:
    old.put_object("kept/a", b"a")
    answer = cloud.http("POST", "/copies", json_body=asked("kept/", versions="all"))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "VersioningRequired"), error
    assert error["field"] == "destination.bucket"
