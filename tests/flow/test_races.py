"""Somebody else writes while a copy is made: the outcome is named as it is, and nothing is left half done."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    BIG,
    DESTINATION,
    SOURCE,
    VERSIONED,
    count_requests,
    crc64,
    exists,
    final_result,
    in_parts,
    open_uploads,
    request_of,
    set_versioning,
    versions,
    wait_for_parts,
)

SIZE = 6 * MIB


def wait_for(cloud: LocalCloud, operation: str, count: int) -> None:
    """Until the server has begun so many requests of this kind."""
    deadline = time.monotonic() + 30
    while count_requests(cloud, operation) < count:
        assert time.monotonic() < deadline, f"no {operation} came"


def outcome(cloud: LocalCloud, request_id: str) -> dict[str, Any]:
    cloud.wait_idle()
    (invocation,) = cloud.invocations(request_id=request_id)
    result: dict[str, Any] = json.loads(invocation["result"])
    return result


def delayed(cloud: LocalCloud, asked: dict[str, Any], operation: str, skip: int = 0) -> str:
    """Begin a copy of which one request is held up; its invocation, when that request has arrived."""
    cloud.conditions([{"operation": operation, "answer": "delay", "skip": skip, "limit": 1}])
    before = count_requests(cloud, operation)
    request_id = cloud.invoke_async(asked)
    wait_for(cloud, operation, before + skip + 1)
    return request_id


@pytest.mark.parametrize("method", ["simple", "multipart"])
def test_a_source_overwritten_before_head_is_copied_as_it_is_then(
    cloud: LocalCloud, source: Any, destination: Any, key: str, method: str
) -> None:
    source.put_object(key, b"one")
    request_id = delayed(cloud, request_of(key, tuning={"method": method}), "HeadObject")
    source.put_object(key, b"other")
    assert outcome(cloud, request_id)["status"] == "succeeded"
    assert destination.get_object(key).read() == b"other"


@pytest.mark.parametrize(
    ("method", "operation"),
    [("simple", "CopyObject"), ("multipart", "InitiateMultipartUpload"), ("multipart", "UploadPartCopy")],
)
def test_a_source_overwritten_after_head_ends_the_copy(
    cloud: LocalCloud, source: Any, destination: Any, key: str, method: str, operation: str
) -> None:
    source.put_object(key, b"one")
    destination.put_object(key, b"before")
    request_id = delayed(cloud, request_of(key, tuning={"method": method}), operation)
    source.put_object(key, b"other")
    result = outcome(cloud, request_id)
    assert (result["status"], result["error"]["code"]) == ("failed", "SourceChanged"), result
    assert destination.get_object(key).read() == b"before"
    assert open_uploads(destination, key) == []


@pytest.mark.parametrize("change", ["bytes", "tags", "metadata", "deleted"])
def test_a_source_changed_before_complete_ends_the_copy(
    cloud: LocalCloud, source: Any, destination: Any, key: str, change: str
) -> None:
    """ETag, Last-Modified and tags are looked at again when all parts are there."""
    source.put_object(key, b"one", headers={"x-oss-tagging": "a=b"})
    destination.put_object(key, b"before")
    # `open/`, `done/`, and beside the part `done/` and `cancel/`: without them nothing is completed
    request_id = delayed(cloud, request_of(key, tuning={"method": "multipart"}), "GetObject", skip=3)
    wait_for_parts(destination, key)
    match change:
        case "bytes":
            source.put_object(key, b"two", headers={"x-oss-tagging": "a=b"})
        case "tags":
            source.put_object_tagging(key, _tagging({"a": "c"}))
        case "metadata":
            source.copy_object(SOURCE, key, key, {"x-oss-metadata-directive": "REPLACE", "Expires": "0"})
        case _:
            source.delete_object(key)
    result = outcome(cloud, request_id)
    assert (result["status"], result["error"]["code"]) == ("failed", "SourceChanged"), result
    assert destination.get_object(key).read() == b"before"
    assert open_uploads(destination, key) == []


def _tagging(tags: dict[str, str]) -> Any:
    import oss2.models  # noqa: PLC0415 - the one place that needs it

    rule = oss2.models.TaggingRule()
    for name, value in tags.items():
        rule.add(name, value)
    return oss2.models.Tagging(rule)


def test_a_source_overwritten_after_complete_leaves_the_copy_of_the_version_it_was_bound_to(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    source.put_object(key, b"one")
    asked = request_of(key, tuning={"method": "multipart"})
    request_id = delayed(cloud, asked, "HeadObject", skip=3)  # source, destination, source: destination
    source.put_object(key, b"other")
    result = outcome(cloud, request_id)
    assert result["status"] == "succeeded", result
    assert destination.get_object(key).read() == b"one"
    (invocation,) = cloud.invocations(request_id=request_id)
    assert "sourceChangedAfter" not in json.dumps(invocation["logs"]), "no rule made it: nobody looks"


def test_metadata_changed_between_head_and_copyobject_is_what_the_destination_shows(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    source.put_object(key, b"one", headers={"Content-Language": "de"})
    request_id = delayed(cloud, request_of(key), "CopyObject")
    source.update_object_meta(key, {"Content-Language": "fr"})
    assert outcome(cloud, request_id)["status"] == "succeeded"
    assert destination.head_object(key).headers["Content-Language"] == "fr"


@pytest.mark.parametrize("change", ["overwritten", "deleted"])
@pytest.mark.parametrize("method", ["simple", "multipart"])
def test_a_destination_changed_after_it_was_written_is_named_and_left_alone(
    cloud: LocalCloud, source: Any, destination: Any, key: str, method: str, change: str
) -> None:
    source.put_object(key, b"one")
    skip = 1 if method == "simple" else 3  # parts look at the destination before they are begun
    request_id = delayed(cloud, request_of(key, tuning={"method": method}), "HeadObject", skip)
    if change == "overwritten":
        destination.put_object(key, b"foreign")
    else:
        destination.delete_object(key)
    result = outcome(cloud, request_id)
    assert (result["status"], result["error"]["code"]) == ("failed", "DestinationChanged"), result
    assert exists(destination, key) == (change == "overwritten")


def test_a_destination_overwritten_while_parts_are_copied_is_replaced_whole(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    cloud.seed(SOURCE, key, BIG, seed=1)
    cloud.conditions(bandwidth_mb_s=1.5)
    job = cloud.http("POST", "/copies", json_body=in_parts(key)).json()["job"]
    wait_for_parts(destination, key)
    destination.put_object(key, b"foreign")
    assert final_result(cloud, job)["status"] == "succeeded"
    assert crc64(destination, key) == crc64(source, key)


@pytest.mark.parametrize("policy", ["never", "ifNewer", "ifDifferent"])
@pytest.mark.parametrize("versioning", ["Enabled", "Suspended", None])
def test_a_destination_that_appears_while_parts_are_copied_is_kept_by_the_policy(
    cloud: LocalCloud, source: Any, destination: Any, versioned: Any, key: str, policy: str,
    versioning: str | None,
) -> None:  # fmt: skip
    """OSS ignores forbid-overwrite under versioning, enabled or suspended."""
    target = versioned if versioning else destination
    if versioning:
        set_versioning(versioned, versioning)
    source.put_object(key, b"one")
    asked = request_of(key, overwrite=policy, tuning={"method": "multipart"})
    asked["destination"] = {"bucket": VERSIONED if versioning else DESTINATION}
    request_id = delayed(cloud, asked, "UploadPartCopy")
    target.put_object(key, b"one" if policy == "ifDifferent" else b"foreign")
    there = target.head_object(key).headers["Last-Modified"]
    result = outcome(cloud, request_id)
    ends = {"never": "FileAlreadyExists", "ifNewer": "NotNewer", "ifDifferent": "NotDifferent"}
    assert result["status"] == ("failed" if policy == "never" else "skipped"), result
    assert result["error"]["code"] == ends[policy]
    assert target.head_object(key).headers["Last-Modified"] == there
    assert open_uploads(target, key) == []


@pytest.mark.parametrize("method", ["simple", "multipart"])
def test_two_copies_to_one_key_leave_one_of_them_whole(
    cloud: LocalCloud, source: Any, destination: Any, key: str, method: str
) -> None:
    for seed in (1, 2):
        cloud.seed(SOURCE, f"{key}-{seed}", SIZE, seed)
    cloud.conditions(latency_ms=20)
    asked = [
        in_parts(f"{key}-{seed}")
        | {"destination": {"bucket": DESTINATION, "key": key}}
        | {"tuning": {"method": method, "partSize": "1MiB"}}
        for seed in (1, 2)
    ]
    ids = [cloud.invoke_async(each) for each in asked]
    outcomes = [outcome(cloud, each) for each in ids]
    assert {each["status"] for each in outcomes} <= {"succeeded", "failed"}
    assert "succeeded" in {each["status"] for each in outcomes}
    codes = {each["error"]["code"] for each in outcomes if each["error"]}
    assert codes <= {"DestinationChanged"}, outcomes
    assert crc64(destination, key) in {crc64(source, f"{key}-{seed}") for seed in (1, 2)}
    assert open_uploads(destination, key) == []


def test_two_copies_to_one_key_never_overwriting_are_one_success(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    for seed in (1, 2):
        source.put_object(f"{key}-{seed}", b"x" * seed)
    asked = [
        request_of(f"{key}-{seed}", overwrite="never", tuning={"method": "multipart"})
        | {"destination": {"bucket": DESTINATION, "key": key}}
        for seed in (1, 2)
    ]
    cloud.conditions(latency_ms=20)
    outcomes = [outcome(cloud, each) for each in [cloud.invoke_async(each) for each in asked]]
    assert sorted(each["status"] for each in outcomes) == ["failed", "succeeded"], outcomes
    (failed,) = [each for each in outcomes if each["error"]]
    assert failed["error"]["code"] == "FileAlreadyExists"
    assert open_uploads(destination, key) == []


@pytest.mark.parametrize("method", ["simple", "multipart"])
def test_versioning_switched_on_in_between_changes_nothing_for_the_copy(
    cloud: LocalCloud, source: Any, versioned: Any, key: str, method: str
) -> None:
    set_versioning(versioned, "Suspended")
    versioned.put_object(key, b"before")
    source.put_object(key, b"one")
    asked = request_of(key, tuning={"method": method}) | {"destination": {"bucket": VERSIONED}}
    request_id = delayed(cloud, asked, "CopyObject" if method == "simple" else "ListParts")
    set_versioning(versioned, "Enabled")
    result = outcome(cloud, request_id)
    assert result["status"] == "succeeded", result
    newest, *older = versions(versioned, key)
    assert result["destination"]["versionId"] == newest
    assert older == ["null"]
    assert versioned.get_object(key).read() == b"one"
