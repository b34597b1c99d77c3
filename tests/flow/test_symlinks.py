"""Symlinks: copied as what they are, followed only if asked, and proved either way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    BIG,
    DESTINATION,
    SOURCE,
    count_requests,
    exists,
    final_result,
    in_parts,
    open_uploads,
    request_of,
    until,
    versions,
    wait_for_parts,
)
from tests.flow.test_copies import HEADERS, shown

TARGET = "ziel/größe 备份+1"


def target(bucket: Any, key: str) -> str:
    found: str = bucket.get_symlink(key).target_key
    return found


@pytest.mark.parametrize("dangling", [False, True])
def test_a_symlink_is_copied_as_a_symlink(
    cloud: LocalCloud, source: Any, destination: Any, key: str, dangling: bool
) -> None:
    """Whether it points to anything or not, in either bucket."""
    name = key + TARGET
    if not dangling:
        source.put_object(name, b"target")
    source.put_symlink(name, key)
    result = cloud.invoke(request_of(key))
    assert (result["status"], result["method"], result["verified"]) == ("succeeded", "simple", "link"), result
    assert target(destination, key) == name
    assert not exists(destination, name)


def test_the_symlink_itself_is_read_written_and_not_its_target(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    """A destination that is a symlink is replaced; what it pointed to is left alone."""
    destination.put_object(key + "-other", b"kept")
    destination.put_symlink(key + "-other", key)
    source.put_object(key, b"new")
    assert cloud.invoke(request_of(key))["verified"] == "crc64"
    assert destination.get_object(key).read() == b"new"
    assert destination.head_object(key).headers["x-oss-object-type"] == "Normal"
    assert destination.get_object(key + "-other").read() == b"kept"


@pytest.mark.parametrize(
    ("overwrite", "there", "status", "code"),
    [
        ("never", "other", "failed", "FileAlreadyExists"),
        ("ifDifferent", "same", "skipped", "NotDifferent"),
        ("ifDifferent", "other", "succeeded", None),
        ("ifNewer", "other", "skipped", "NotNewer"),
    ],
)
def test_overwrite_policies_compare_the_symlinks_themselves(
    cloud: LocalCloud,
    source: Any,
    destination: Any,
    key: str,
    overwrite: str,
    there: str,
    status: str,
    code: str | None,
) -> None:
    source.put_symlink("nowhere/same", key)
    destination.put_symlink(f"nowhere/{there}", key)
    result = cloud.invoke(request_of(key, overwrite=overwrite))
    assert (result["status"], result["error"] and result["error"]["code"]) == (status, code), result
    assert target(destination, key) == ("nowhere/same" if status == "succeeded" else f"nowhere/{there}")


def test_a_symlink_that_is_changed_before_it_is_copied_is_copied_as_it_is_then(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    """CopyObject cannot be pinned to a symlink; what it took is proved against the source as it is now."""
    source.put_symlink("one", key)
    cloud.conditions([{"operation": "CopyObject", "answer": "delay", "key": key, "limit": 1}])
    before = count_requests(cloud, "GetSymlink")
    task = cloud.invoke_async(request_of(key))
    while count_requests(cloud, "GetSymlink") == before:  # it has been read; bounded by the test's timeout
        pass
    source.put_symlink("two", key)
    cloud.wait_idle()
    (invocation,) = [each for each in cloud.invocations() if each["request_id"] == task]
    assert '"succeeded"' in invocation["result"]
    assert target(destination, key) == "two"


def test_a_symlink_that_points_elsewhere_than_promised_is_no_success(
    cloud: LocalCloud, source: Any, versioned: Any, key: str
) -> None:
    """On a versioned bucket our wrong version is deleted, so that the former object shows again."""
    source.put_symlink("there", key)
    versioned.put_object(key, b"before")
    (before,) = versions(versioned, key)
    cloud.conditions([{"operation": "CopyObject", "answer": "corrupt", "key": key}])
    result = cloud.invoke(request_of(key) | {"destination": {"bucket": versioned.bucket_name}})
    cloud.conditions()
    assert (result["status"], result["error"]["code"]) == ("failed", "VerificationFailed"), result
    assert "symlink to 'there-corrupt', not to 'there'" in result["error"]["message"]
    assert versions(versioned, key) == [before]


def test_a_lost_answer_is_looked_up(cloud: LocalCloud, source: Any, destination: Any, key: str) -> None:
    source.put_symlink("there", key)
    cloud.conditions([{"operation": "CopyObject", "answer": "lost", "key": key, "limit": 1}])
    result = cloud.invoke(request_of(key, overwrite="never"))
    assert (result["status"], result["verified"]) == ("succeeded", "link"), result
    assert target(destination, key) == "there"


def test_a_rule_copies_a_symlink(cloud: LocalCloud, source: Any, destination: Any, key: str) -> None:
    source.put_symlink("there", f"incoming/{key}")
    cloud.wait_idle()
    assert target(destination, f"incoming/{key}") == "there"


def test_a_symlink_has_no_parts(cloud: LocalCloud, source: Any, destination: Any, key: str) -> None:
    source.put_symlink("there", key)
    result = cloud.invoke(request_of(key, tuning={"method": "multipart"}))
    assert (result["status"], result["error"]["field"]) == ("failed", "tuning.method"), result
    assert not exists(destination, key)


# --- followed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["simple", "multipart"])
def test_what_a_symlink_points_to_is_copied_on_request(
    cloud: LocalCloud, source: Any, destination: Any, key: str, method: str
) -> None:
    source.put_object(key + "-ziel 备份", b"target", headers=HEADERS)
    source.put_symlink(key + "-ziel 备份", key)
    result = cloud.invoke(request_of(key, symlinks="follow", tuning={"method": method}))
    assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
    assert result["source"]["key"] == key + "-ziel 备份"
    assert result["destination"]["key"] == key
    assert destination.get_object(key).read() == b"target"
    assert shown(destination, key) == shown(source, key + "-ziel 备份")
    assert destination.head_object(key).headers["x-oss-object-type"] != "Symlink"


@pytest.mark.local
def test_a_symlink_followed_onto_its_own_target_is_refused(cloud: LocalCloud, source: Any, key: str) -> None:
    source.put_object(key + "-target", b"target")
    source.put_symlink(key + "-target", key)
    asked = request_of(key, symlinks="follow") | {"destination": {"bucket": SOURCE, "key": key + "-target"}}
    assert cloud.invoke(asked)["error"]["code"] == "SelfCopy"


@pytest.mark.parametrize(
    ("points_to", "code"), [("nothing", "SymlinkTargetNotExist"), ("link", "InvalidTargetType")]
)
def test_a_symlink_that_cannot_be_followed_is_refused_with_advice(
    cloud: LocalCloud, source: Any, key: str, points_to: str, code: str
) -> None:
    source.put_symlink("nowhere", key + "-link")
    source.put_symlink(f"{key}-{points_to}", key)
    result = cloud.invoke(request_of(key, symlinks="follow"))
    assert (result["status"], result["error"]["code"]) == ("failed", code), result
    assert "leave `symlinks` at copy" in result["error"]["message"]


def test_a_symlink_to_a_symlink_is_copied_as_one(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    source.put_symlink("nowhere", key + "-link")
    source.put_symlink(key + "-link", key)
    assert cloud.invoke(request_of(key))["verified"] == "link"
    assert target(destination, key) == key + "-link"


def test_a_followed_symlink_that_comes_to_point_elsewhere_is_another_source(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    cloud.seed(SOURCE, key + "-one", BIG, seed=1)
    source.put_object(key + "-two", b"two")
    source.put_symlink(key + "-one", key)
    cloud.conditions(bandwidth_mb_s=1.0)
    asked = cloud.http("POST", "/copies", json_body=in_parts(key, symlinks="follow"))
    assert asked.status_code == 202, asked.text
    wait_for_parts(destination, key)
    source.put_symlink(key + "-two", key)
    cloud.conditions()
    result = final_result(cloud, asked.json()["job"])
    assert (result["status"], result["error"]["code"]) == ("failed", "SourceChanged"), result
    assert not exists(destination, key)
    assert open_uploads(destination, key) == []
    again = cloud.http("POST", f"/copies/{result['job']}/resubmit").json()
    assert (again["status"], again["source"]["key"]) == ("succeeded", key + "-two")


def test_a_rule_that_follows_symlinks_keeps_up_with_where_they_point() -> None:
    """The copy of what a link pointed to first lands last, and the copy that follows it puts that right."""
    rule = {
        "source": {"bucket": SOURCE, "prefix": "incoming/"},
        "destination": {"bucket": DESTINATION, "key": "{key}"},
        "symlinks": "follow",
    }
    variables = {"timeout": 20, "watchedPrefix": "incoming/links/"}  # the targets fire no trigger
    with LocalCloud(variables=variables, environment={"COPY_RULES": json.dumps([rule])}) as cloud:
        source, destination = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
        cloud.seed(SOURCE, "incoming/one", 4 * MIB, seed=1)
        source.put_object("incoming/two", b"two")
        cloud.conditions(bandwidth_mb_s=1.0)
        source.put_symlink("incoming/one", "incoming/links/a")
        until(lambda: count_requests(cloud, "CopyObject") == 1)
        source.put_symlink("incoming/two", "incoming/links/a")
        cloud.conditions()
        cloud.wait_idle()
        shown = destination.get_object("incoming/links/a").read()
        assert shown == b"two"
        assert count_requests(cloud, "CopyObject") == 3
