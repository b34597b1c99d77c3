"""One object copied by several chains at once, through the real handler and SDKs: exact, and counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    DESTINATION,
    SOURCE,
    count_requests,
    crc64,
    exists,
    expect_no_upload,
    open_uploads,
    records,
    request_of,
    results,
    status,
    until,
    wait_for_parts,
)

PARTS = 64


def asked(key: str, lanes: int) -> dict[str, Any]:
    return request_of(key, tuning={"partSize": "1MiB", "lanes": lanes})


def copied(cloud: LocalCloud, key: str, lanes: int) -> str:
    """Begin a copy of 64 parts of which each takes half a second; its job."""
    cloud.seed(SOURCE, key, PARTS * MIB, seed=7)
    cloud.conditions(bandwidth_mb_s=2.0)
    answer = cloud.http("POST", "/copies", json_body=asked(key, lanes))
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job"])


def outcome(cloud: LocalCloud, job: str) -> dict[str, Any]:
    """The one outcome that all invocations of the copy tell, once nothing is running any more."""
    cloud.wait_idle(120)
    told = [each for each in results(cloud, job) if each["status"] != "running"]
    assert [each for each in told if each != told[0]] == []
    return told[0]


def tasks(cloud: LocalCloud, job: str) -> list[str]:
    """The hops of the copy that have begun, by lane and number."""
    known = {one["task_id"] for one in cloud.invocations() if (one["task_id"] or "").startswith(job)}
    return sorted(each.removeprefix(f"{job}-g0-") for each in known)


def is_exact(cloud: LocalCloud, key: str, result: Mapping[str, Any], job: str, lanes: int) -> None:
    """Judge what a copy came to that was cut short by nobody."""
    assert (result["status"], result["verified"], result["error"]) == ("succeeded", "crc64", None)
    assert crc64(cloud.oss_bucket(DESTINATION), key) == crc64(cloud.oss_bucket(SOURCE), key)
    assert (result["lanes"], result["parts"], result["partsDone"]) == (lanes, PARTS, PARTS)
    begun = tasks(cloud, job)
    assert {each.partition("-")[0] for each in begun} == {f"l{n}" for n in range(1, lanes + 1)}
    assert lanes <= result["hops"] <= len(begun)
    assert open_uploads(cloud.oss_bucket(DESTINATION), key) == []


@pytest.mark.parametrize(("lanes", "got"), [(1, 1), (2, 2), (8, 8), (20, 8)])
def test_a_copy_by_several_lanes_is_exact_and_counts_them(
    cloud: LocalCloud, key: str, lanes: int, got: int
) -> None:
    before = count_requests(cloud, "UploadPartCopy")
    job = copied(cloud, key, lanes)
    is_exact(cloud, key, outcome(cloud, job), job, got)
    assert count_requests(cloud, "UploadPartCopy") - before <= 1.3 * PARTS


def test_the_progress_of_a_copy_under_way_is_that_of_all_lanes(cloud: LocalCloud, key: str) -> None:
    job = copied(cloud, key, 4)
    wait_for_parts(cloud.oss_bucket(DESTINATION), key, 8)
    until(lambda: int(status(cloud, job)["hops"]) >= 4)
    shown = status(cloud, job)
    assert (shown["status"], shown["lanes"]) == ("running", 4)
    assert shown["partsDone"] >= 8
    assert shown["bytesDone"] == shown["partsDone"] * MIB
    assert shown["rate"] > 0
    is_exact(cloud, key, outcome(cloud, job), job, 4)


def test_a_lane_whose_instance_is_killed_goes_on(cloud: LocalCloud, key: str) -> None:
    job = copied(cloud, key, 3)
    wait_for_parts(cloud.oss_bucket(DESTINATION), key, 6)
    (lane,) = cloud.invocations(task_id=f"{job}-g0-l3-h1")
    assert cloud.kill(lane["request_id"])
    is_exact(cloud, key, outcome(cloud, job), job, 3)


def test_a_cancel_ends_all_lanes(cloud: LocalCloud, key: str) -> None:
    job = copied(cloud, key, 4)
    wait_for_parts(cloud.oss_bucket(DESTINATION), key, 8)
    cloud.http("DELETE", f"/copies/{job}")
    assert outcome(cloud, job)["status"] == "cancelled"
    assert not exists(cloud.oss_bucket(DESTINATION), key)
    expect_no_upload(cloud, key)


def test_a_source_that_changes_while_eight_lanes_copy_ends_all_of_them(cloud: LocalCloud, key: str) -> None:
    job = copied(cloud, key, 8)
    wait_for_parts(cloud.oss_bucket(DESTINATION), key, 8)
    cloud.seed(SOURCE, key, PARTS * MIB, seed=8)
    result = outcome(cloud, job)
    assert (result["status"], result["error"]["code"]) == ("failed", "SourceChanged")
    assert not exists(cloud.oss_bucket(DESTINATION), key)
    expect_no_upload(cloud, key)


@pytest.fixture(scope="module")
def single_cloud() -> Iterator[LocalCloud]:
    """A cloud with one instance at most."""
    environment = {"MULTIPART_THRESHOLD": "2MiB", "MAX_PARALLEL": "4"}
    variables = {"timeout": 10, "reservedConcurrency": 1}
    with LocalCloud(variables=variables, environment=environment) as running:
        yield running


def test_eight_lanes_finish_with_one_instance(single_cloud: LocalCloud, key: str) -> None:
    """Those that run copy what the others would; the last ones find that it is over."""
    cloud = single_cloud
    cloud.seed(SOURCE, key, PARTS * MIB, seed=7)
    cloud.conditions(bandwidth_mb_s=4.0)
    request_id = cloud.invoke_async(asked(key, 8))
    cloud.wait_idle(180)
    (first,) = cloud.invocations(request_id=request_id)
    assert '"job":"' in first["result"]
    job = first["result"].partition('"job":"')[2].partition('"')[0]
    result = outcome(cloud, job)
    assert (result["status"], result["lanes"]) == ("succeeded", 8)
    assert 1 <= result["hops"] <= 1 + len(tasks(cloud, job))
    assert crc64(cloud.oss_bucket(DESTINATION), key) == crc64(cloud.oss_bucket(SOURCE), key)
    assert any(each.startswith(f"hop/{job}/") for each in records(cloud))
    assert count_requests(cloud, "UploadPartCopy") <= 1.3 * PARTS
