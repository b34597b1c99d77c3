"""Copies whose outcome is in doubt, or that meet themselves: looked at, never repeated or refused unseen."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    DESTINATION,
    SOURCE,
    answers,
    count_requests,
    crc64,
    exists,
    final_result,
    open_uploads,
    records,
    request_of,
    status,
)

TIMEOUT = 8
THROTTLED = "TotalQpsLimitExceeded"


@pytest.fixture(scope="module")
def shared_cloud() -> Iterator[LocalCloud]:
    rule = {
        "source": {"bucket": SOURCE, "prefix": "incoming/"},
        "destination": {"bucket": DESTINATION},
        "overwrite": "never",
    }
    environment = {"COPY_RULES": json.dumps([rule]), "MAX_PARALLEL": "4"}
    with LocalCloud(variables={"timeout": TIMEOUT}, environment=environment) as running:
        yield running


# --- in its own way ----------------------------------------------------------------------------------------


def test_an_event_that_comes_twice_to_a_rule_with_never_is_one_success(
    cloud: LocalCloud, source: Any, destination: Any
) -> None:
    source.put_object("incoming/twice.txt", b"once")
    cloud.wait_idle()
    (event,) = [each["event"] for each in cloud.invocations(trigger="oss")]
    cloud.invoke_async(event)
    cloud.wait_idle()
    told = list(answers(cloud.invocations()))[-2:]
    assert [each["status"] for each in told] == ["succeeded", "succeeded"], told
    assert told[0]["job"] == told[1]["job"]
    assert f"done/{told[0]['job']}" not in records(cloud)
    assert destination.get_object("incoming/twice.txt").read() == b"once"


def test_what_somebody_else_has_written_before_the_event_is_a_conflict(
    cloud: LocalCloud, source: Any, destination: Any
) -> None:
    destination.put_object("incoming/theirs.txt", b"same")
    time.sleep(1.1)  # dates have whole seconds
    source.put_object("incoming/theirs.txt", b"same")
    cloud.wait_idle()
    told = list(answers(cloud.invocations()))[-1]
    assert (told["status"], told["error"]["code"]) == ("failed", "FileAlreadyExists"), told


def test_a_copy_whose_look_is_throttled_until_time_is_up_is_found_by_the_next_attempt(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    source.put_object(key, b"mine")
    before = count_requests(cloud, "CopyObject")
    cloud.conditions([{"operation": "HeadObject", "error": THROTTLED, "skip": 2, "limit": 8}])
    cloud.invoke_async(request_of(key, overwrite="never"))
    cloud.wait_idle()
    (told,) = [each for each in answers(cloud.invocations()) if each.get("destination", {}).get("key") == key]
    assert told["status"] == "succeeded", told
    assert count_requests(cloud, "CopyObject") - before == 1
    assert status(cloud, told["job"])["status"] == "succeeded"


def test_a_request_with_a_key_that_could_not_be_looked_at_goes_on_and_is_no_conflict_later(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    source.put_object(key, b"mine")
    cloud.conditions([{"operation": "HeadObject", "error": THROTTLED, "skip": 2, "limit": 8}])
    asked, headers = request_of(key, overwrite="never"), {"Idempotency-Key": key}
    first = cloud.http("POST", "/copies", json_body=asked, headers=headers)
    assert first.status_code == 202, first.text
    cloud.wait_idle()
    second = cloud.http("POST", "/copies", json_body=asked, headers=headers)
    assert (second.status_code, second.json()["status"]) == (200, "succeeded"), second.text


# --- a CopyObject that outlasts its wait -------------------------------------------------------------------


def test_a_copyobject_that_outlasts_its_wait_goes_on_in_parts(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    """12 s for the whole, where an invocation of 8 s waits for 5 s."""
    cloud.seed(SOURCE, key, 24 * MIB, seed=1)
    before = {name: count_requests(cloud, name) for name in ("CopyObject", "UploadPartCopy")}
    cloud.conditions(bandwidth_mb_s=2.1)
    begun = cloud.http("POST", "/copies", json_body=request_of(key))
    assert begun.status_code == 202, begun.text
    result = final_result(cloud, begun.json()["job"])
    assert result["status"] == "succeeded", result
    assert count_requests(cloud, "CopyObject") - before["CopyObject"] == 1
    assert count_requests(cloud, "UploadPartCopy") - before["UploadPartCopy"] >= 3
    assert crc64(destination, key) == crc64(source, key)
    assert open_uploads(destination, key) == []


def test_a_copyobject_that_lands_unheard_is_found_and_not_repeated(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    source.put_object(key, b"once")
    before = count_requests(cloud, "CopyObject")
    cloud.conditions([{"operation": "CopyObject", "answer": "lost", "limit": 1}])
    result = cloud.invoke(request_of(key))
    assert result["status"] == "succeeded", result
    assert count_requests(cloud, "CopyObject") - before == 1
    assert status(cloud, result["job"])["status"] == "succeeded"


# --- lists -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_list_that_does_not_fit_into_one_invocation_is_handed_over(
    cloud: LocalCloud, source: Any, destination: Any, key: str, way: str
) -> None:
    """Twelve copies of some seconds each, four at once, where 2 s are there to begin them."""
    keys = [f"{key}-{number:03}" for number in range(12)]
    for each in keys:
        source.put_object(each, b"x")
    before = count_requests(cloud, "CopyObject")
    cloud.conditions(latency_ms=600)
    asked = [request_of(each) for each in keys]
    if way == "sync":
        told = cloud.invoke(asked)["results"]
        assert len(told) == len(keys)
        assert {each["status"] for each in told} == {"succeeded", "running"}
    else:
        cloud.invoke_async(asked)
    cloud.wait_idle()
    cloud.conditions()
    assert all(exists(destination, each) for each in keys)
    assert count_requests(cloud, "CopyObject") - before == len(keys)
    assert not [name for name in records(cloud) if name.startswith("rest/")]
    assert not [each for each in cloud.invocations() if each["outcome"] not in {"success", "succeeded"}]


# --- one thread --------------------------------------------------------------------------------------------


def test_one_thread_leaves_a_stalled_part_in_time_to_hand_over(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    cloud.seed(SOURCE, key, 3 * MIB, seed=1)
    cloud.conditions([{"operation": "UploadPartCopy", "answer": "stall", "limit": 2}])
    one = {"tuning": {"partSize": "1MiB", "parallel": 1, "method": "multipart"}}
    job = cloud.invoke(request_of(key) | one)["job"]
    result = final_result(cloud, job)
    assert (result["status"], result["hops"]) == ("succeeded", 2), result
    first = next(each for each in cloud.invocations() if each["result"] and job in each["result"])
    assert first["end"] - first["start"] <= TIMEOUT - 1
    assert crc64(destination, key) == crc64(source, key)
