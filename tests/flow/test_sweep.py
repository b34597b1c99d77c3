"""The sweep and the on-failure destination, with a short timeout so that patience is short."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    DESTINATION,
    SOURCE,
    STATE,
    begin,
    crc64,
    exists,
    in_parts,
    open_uploads,
    records,
    request_of,
    status,
    until,
)

PASSING = "oss-copy-passing"  # a bucket that is deleted


@pytest.fixture(scope="module")
def shared_cloud() -> Iterator[LocalCloud]:
    environment = {
        "MAX_PARALLEL": "4",
        "MULTIPART_THRESHOLD": "2MiB",
        "ALLOWED_DESTINATIONS": f"{DESTINATION}/*,{PASSING}/*",
        "ALLOWED_OPTIONS": "restore",
    }
    with LocalCloud(variables={"timeout": 3}, environment=environment) as running:
        yield running


def sweep(cloud: LocalCloud) -> dict[str, Any]:
    """One run of the timer; its report."""
    request = cloud.fire("sweep")
    cloud.wait_idle()
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
    cloud.wait_idle()
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


def test_a_small_copy_in_doubt_is_called_cancelled_when_nothing_of_it_can_land_any_more(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    cloud.oss_bucket(SOURCE).put_object(key, b"small")
    lost = {"operation": "invocation", "skip": 2, "answer": "drop"}
    cloud.conditions([{"operation": "CopyObject", "answer": "reset"}, lost])
    asked = cloud.http("POST", "/copies", json_body=request_of(key))
    cloud.conditions()
    assert (asked.status_code, asked.json()["method"]) == (202, "simple"), asked.text
    job = asked.json()["job"]
    cloud.conditions([{"operation": "HeadObject", "error": "AccessDenied"}])  # nor can anybody look
    answer = cloud.http("DELETE", f"/copies/{job}")
    assert (answer.status_code, answer.json()["status"]) == (202, "running"), answer.text
    cloud.conditions()
    until(lambda: sweep(cloud)["ended"] == 1)
    assert status(cloud, job)["status"] == "cancelled"
    assert not exists(destination, key)
    assert cloud.http("DELETE", f"/copies/{job}").status_code == 200


def test_a_record_that_cannot_be_read_hides_no_other(cloud: LocalCloud, key: str) -> None:
    """As a newer version of the function leaves it; it comes first in every list."""
    state, unread = cloud.oss_bucket(STATE), "oss-copy/open/c-00000000000000000000000000000000"
    state.put_object(unread, json.dumps({"nonce": "n", "newer": 1}))
    job = begin(cloud, key, parts=1)
    cloud.conditions([{"operation": "invocation", "answer": "drop"}], bandwidth_mb_s=1.0)
    cloud.wait_idle()
    cloud.conditions()
    listed = cloud.http("GET", "/copies?status=running")
    assert (listed.status_code, [each["job"] for each in listed.json()["copies"]]) == (200, [job])
    reports: list[dict[str, Any]] = []

    def resumed() -> bool:
        reports.append(sweep(cloud))
        return bool(reports[-1]["resumed"] == 1)

    until(resumed)
    assert reports[-1]["failed"] == 1
    until(lambda: status(cloud, job)["status"] == "succeeded")
    state.delete_object(unread)


def test_a_copy_to_a_bucket_that_is_gone_is_forgotten_all_the_same(cloud: LocalCloud, key: str) -> None:
    bucket = cloud.oss_bucket(PASSING)
    bucket.create_bucket()
    cloud.seed(SOURCE, key, 4_000_000, seed=1)
    result = cloud.invoke(in_parts(key) | {"destination": {"bucket": PASSING}})
    assert result["status"] == "succeeded"
    assert f"open/{result['job']}" in records(cloud)
    bucket.delete_object(key)
    bucket.delete_bucket()

    def forgotten() -> bool:
        sweep(cloud)
        return f"open/{result['job']}" not in records(cloud)

    until(forgotten)
    assert {name for name in records(cloud) if result["job"] in name} == {f"done/{result['job']}"}


def test_a_copy_whose_upload_cannot_be_aborted_is_cancelled_and_says_so(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    job = begin(cloud, key, parts=1)
    cloud.conditions([{"operation": "invocation", "answer": "drop"}], bandwidth_mb_s=1.0)
    cloud.wait_idle()
    cloud.conditions(
        [{"operation": name, "error": "AccessDenied"} for name in ("AbortMultipartUpload", "ListParts")]
    )
    assert (status(cloud, job)["status"], status(cloud, job)["error"]["code"]) == ("running", "AccessDenied")
    (listed,) = cloud.http("GET", "/copies?status=running").json()["copies"]
    assert (listed["job"], listed["error"]["code"]) == (job, "AccessDenied")
    answer = cloud.http("DELETE", f"/copies/{job}")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled"), answer.text
    assert answer.json()["error"]["code"] == "AccessDenied"
    assert "could not be aborted" in answer.json()["error"]["message"]
    cloud.conditions()
    until(lambda: sweep(cloud)["looked"] > 0 and open_uploads(destination, key) == [])


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


@pytest.mark.parametrize("method", ["auto", "simple"])
@pytest.mark.parametrize("body", [b"", b"cold"])
def test_an_archived_source_at_which_the_sweep_looks_is_copied_as_planned(
    cloud: LocalCloud, source: Any, destination: Any, key: str, body: bytes, method: str
) -> None:
    """Whatever its size: an empty object has no parts, and a small one keeps its ETag."""
    source.put_object(key, body, headers={"x-oss-storage-class": "Archive"})
    cloud.conditions([{"operation": "invocation", "probability": 1, "answer": "drop"}])
    asked = request_of(key, archive="restore", storageClass="Standard", tuning={"method": method})
    job = cloud.invoke(asked)["job"]
    cloud.conditions()

    def ended() -> bool:
        sweep(cloud)
        return bool(status(cloud, job)["status"] != "running")

    until(ended)
    told = status(cloud, job)
    assert (told["status"], told["method"]) == ("succeeded", "simple"), told
    assert destination.head_object(key).etag == source.head_object(key).etag


def test_a_list_that_fc_gave_up_goes_on_as_one(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    """Whoever is told of it does not submit its copies one by one: it would be killed over that."""
    keys = [f"{key}-{number:03}" for number in range(120)]
    source.put_object(keys[0], b"x")
    news = {
        "requestContext": {"requestId": key[:20], "condition": "RetriesExhausted"},
        "requestPayload": json.dumps([request_of(each) for each in keys]),
        "responseContext": {},
    }
    cloud.conditions(latency_ms=50)
    told = cloud.fc_client().invoke_function(
        "local", f"{cloud.function}-dropped", json.dumps(news).encode(), {}
    )
    assert json.loads(told.data) == {"resumed": len(keys)}
    submitted = told.headers["x-fc-request-id"]
    (run,) = cloud.invocations(request_id=submitted)
    assert run["logs"].count('"event":"submitted"') == 1
    assert sum(name.startswith("rest/") for name in records(cloud)) == 1
    cloud.conditions()
    cloud.hurry()
    until(lambda: not [name for name in records(cloud) if name.startswith("rest/")])
    assert exists(destination, keys[0])
    failed = [each["key"] for each in failures(cloud)]
    assert set(keys[1:]) <= set(failed)


def failures(cloud: LocalCloud) -> list[dict[str, Any]]:
    """The destinations of all copies on record as failed."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = cloud.http("GET", f"/copies?status=failed&limit=100{after}").json()
        found += [each["destination"] for each in page["copies"]]
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"
