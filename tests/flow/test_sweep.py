"""The sweep and the on-failure destination, with a short timeout so that patience is short."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    SOURCE,
    begin,
    crc64,
    open_uploads,
    records,
    status,
    until,
)


@pytest.fixture(scope="module")
def shared_cloud() -> Iterator[LocalCloud]:
    environment = {"MAX_PARALLEL": "4", "MULTIPART_THRESHOLD": "2MiB"}
    with LocalCloud(variables={"timeout": 3}, environment=environment) as running:
        yield running


def sweep(cloud: LocalCloud) -> dict[str, Any]:
    """One run of the timer; its report."""
    request = cloud.fire("sweep")
    cloud.wait_idle(60)
    (run,) = cloud.invocations(request_id=request)
    report: dict[str, Any] = json.loads(run["result"])
    return report


def test_a_lost_link_is_found_and_everything_is_forgotten_in_the_end(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    job = begin(cloud, key, parts=1)
    destination.init_multipart_upload(key)  # as an Initiate whose answer was lost leaves it
    doubtful = destination.init_multipart_upload(key).upload_id
    destination.upload_part(key, doubtful, 1, b"somebody's")
    cloud.conditions([{"operation": "invocation", "probability": 1, "answer": "drop"}], bandwidth_mb_s=1.0)
    cloud.wait_idle(60)
    assert status(cloud, job)["status"] == "running"
    cloud.conditions()
    resumed = 0

    def ended() -> bool:
        nonlocal resumed
        resumed += sweep(cloud)["resumed"]
        return bool(status(cloud, job)["status"] == "succeeded")

    until(ended)
    assert resumed == 1
    assert crc64(destination, key) == crc64(cloud.oss_bucket(SOURCE), key)
    assert {f"open/{job}", f"up/{job}", f"done/{job}"} <= records(cloud)
    seen: list[dict[str, Any]] = []

    def forgotten() -> bool:
        seen.append(sweep(cloud))
        return bool(seen[-1]["forgotten"] == 1)

    until(forgotten)
    assert records(cloud) & {f"open/{job}", f"up/{job}", f"done/{job}"} == {f"done/{job}"}
    assert sum(each["aborted"] for each in seen) == 1
    assert [each["uploadId"] for each in seen[-1]["doubts"]] == [doubtful]
    assert open_uploads(destination, key) == [key]  # what is doubtful is reported, never aborted


def test_what_fc_gives_up_comes_back_and_goes_on_without_the_sweep(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    job = begin(cloud, key, parts=1)
    cloud.conditions(
        [{"operation": "GetObject", "probability": 1, "error": "ServiceUnavailable"}], bandwidth_mb_s=1.0
    )
    until(lambda: bool(cloud.invocations(function=f"{cloud.function}-dropped")))
    cloud.conditions()
    until(lambda: status(cloud, job)["status"] == "succeeded")
    assert crc64(destination, key) == crc64(cloud.oss_bucket(SOURCE), key)
    assert open_uploads(destination, key) == []


def test_a_small_copy_by_rule_that_was_killed_is_on_record_when_fc_delivers_it_again(
    cloud: LocalCloud, destination: Any
) -> None:
    """What the killed attempt asked for may land yet: the sweep compares source and destination once more."""
    before = records(cloud)
    cloud.conditions([{"operation": "CopyObject", "answer": "kill", "limit": 1}])
    cloud.oss_bucket(SOURCE).put_object("incoming/killed", b"small")
    until(lambda: bool(destination.object_exists("incoming/killed")))
    cloud.wait_idle()
    assert {name.partition("/")[0] for name in records(cloud) - before} == {"open", "done"}
    assert destination.get_object("incoming/killed").read() == b"small"


def test_a_function_that_cannot_start_is_not_told_of_its_own_failure_for_ever() -> None:
    broken = {"MAX_PARALLEL": "0"}
    with LocalCloud(environment=broken, arguments=["--retry-pause", "0.01"]) as cloud:
        cloud.invoke_async(b'{"action": "sweep"}')
        until(lambda: bool(cloud.invocations(function=f"{cloud.function}-dropped")))
        cloud.wait_idle()
        told = [(each["function"], each["outcome"], each["retries"]) for each in cloud.invocations()]
        failed = ("function-error", 3)
        assert told == [(cloud.function, *failed), (f"{cloud.function}-dropped", *failed)]
