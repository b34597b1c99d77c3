"""Archived sources: refused, or restored and copied when they can be read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud.client import LocalCloud
from tests.flow.conftest import count_requests, exists, final_result, open_uploads, request_of

ARCHIVED = {"x-oss-storage-class": "Archive", "x-oss-meta-colour": "blau", "x-oss-tagging": "a=b"}


@pytest.mark.parametrize("method", ["simple", "multipart"])
def test_an_archived_source_is_restored_and_then_copied(
    cloud: LocalCloud, source: Any, destination: Any, key: str, method: str
) -> None:
    source.put_object(key, b"cold", headers=ARCHIVED)
    begun = count_requests(cloud, "RestoreObject")
    asked = request_of(key, archive="restore", storageClass="Standard", tuning={"method": method})
    first = cloud.invoke(asked)
    assert first["status"] == "running", first
    assert cloud.http("GET", f"/copies/{first['job']}").json()["status"] == "running"
    result = final_result(cloud, first["job"])
    assert (result["status"], result["verified"], result["method"]) == ("succeeded", "crc64", method), result
    assert destination.get_object(key).read() == b"cold"
    assert destination.head_object(key).headers["x-oss-meta-colour"] == "blau"
    assert count_requests(cloud, "RestoreObject") - begun == 1
    assert cloud.http("GET", f"/copies/{first['job']}").json()["status"] == "succeeded"
    assert open_uploads(destination, key) == []


@pytest.mark.parametrize("method", ["simple", "multipart"])
def test_what_a_symlink_points_to_is_restored_and_then_copied(
    cloud: LocalCloud, source: Any, destination: Any, key: str, method: str
) -> None:
    source.put_object(key + "-cold", b"cold", headers=ARCHIVED)
    source.put_symlink(key + "-cold", key)
    asked = request_of(key, archive="restore", symlinks="follow", storageClass="Standard")
    first = cloud.invoke(asked | {"tuning": {"method": method}})
    assert first["status"] == "running", first
    result = final_result(cloud, first["job"])
    assert (result["status"], result["verified"], result["method"]) == ("succeeded", "crc64", method), result
    assert destination.get_object(key).read() == b"cold"


def test_a_restoration_that_runs_already_is_waited_for(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    source.put_object(key, b"cold", headers=ARCHIVED)
    source.restore_object(key)
    begun = count_requests(cloud, "RestoreObject")
    first = cloud.invoke(request_of(key, archive="restore"))
    assert final_result(cloud, first["job"])["status"] == "succeeded"
    assert count_requests(cloud, "RestoreObject") == begun
    assert exists(destination, key)


def test_a_copy_cancelled_while_its_source_is_restored_is_not_made(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    source.put_object(key, b"cold", headers=ARCHIVED)
    job = cloud.invoke(request_of(key, archive="restore"))["job"]
    assert cloud.http("DELETE", f"/copies/{job}").json()["status"] == "cancelled"
    cloud.wait_idle()
    assert not exists(destination, key)
    assert cloud.http("GET", f"/copies/{job}").json()["status"] == "cancelled"


def test_a_copy_that_waits_for_its_source_says_so(cloud: LocalCloud, source: Any, key: str) -> None:
    source.put_object(key, b"cold", headers=ARCHIVED)
    first = cloud.invoke(request_of(key, archive="restore"))
    for told in (first, cloud.http("GET", f"/copies/{first['job']}").json()):
        assert (told["status"], told["phase"], told["method"]) == ("running", "restoring", "simple"), told
        assert told["nextLookAt"] > told["startedAt"]
    assert "phase" not in final_result(cloud, first["job"])


def test_what_may_not_be_restored_is_refused(cloud: LocalCloud, source: Any, key: str) -> None:
    source.put_object(key, b"cold", headers=ARCHIVED)
    cloud.conditions([{"operation": "RestoreObject", "error": "AccessDenied"}])
    result = cloud.invoke(request_of(key, archive="restore"))
    assert (result["status"], result["error"]["code"]) == ("failed", "AccessDenied"), result
