"""Copies on record: status, list, cancel, resubmit, idempotency keys, and events delivered twice."""

from __future__ import annotations

import json
from typing import Any

import oss2
import oss2.models
import pytest

from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    BIG,
    EARLIER,
    PART,
    SOURCE,
    STATE,
    THREADS,
    begin,
    count_requests,
    crc64,
    exists,
    final_result,
    in_parts,
    open_uploads,
    records,
    request_of,
    until,
    wait_for_parts,
)


def kinds(cloud: LocalCloud, job: str) -> set[str]:
    """The kinds of record there are of a job."""
    return {name.partition("/")[0] for name in records(cloud) if name.endswith(job)}


def test_a_copy_under_way_can_be_looked_at_from_the_moment_it_is_accepted(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    job = begin(cloud, key)
    first = cloud.http("GET", f"/copies/{job}")
    assert (first.status_code, first.json()["status"]) == (200, "running")
    wait_for_parts(destination, key, parts=4)
    status = cloud.http("GET", f"/copies/{job}").json()
    assert status["status"] == "running"
    assert status["partsDone"] >= 4
    assert status["bytesDone"] == status["partsDone"] * PART
    assert status["rate"] > 0
    assert status["etaSeconds"] > 0
    listed = cloud.http("GET", "/copies?status=running").json()["copies"]
    assert [each["partsDone"] >= 4 for each in listed if each["job"] == job] == [True]
    final_result(cloud, job)
    done = cloud.http("GET", f"/copies/{job}").json()
    assert (done["status"], done["verified"], done["bytesDone"]) == ("succeeded", "crc64", BIG)
    assert kinds(cloud, job) == {"open", "up", "done"}


def test_the_last_error_of_a_copy_under_way_is_told(cloud: LocalCloud, destination: Any, key: str) -> None:
    cloud.seed(SOURCE, key, BIG, seed=1)
    # a second for each of 205 parts, and most fail at first: the copy goes on for long after an error that
    # its retries did not overcome
    failing = {"operation": "UploadPartCopy", "error": "InternalError", "probability": 0.7}
    cloud.conditions([failing], bandwidth_mb_s=0.1)
    small_parts = request_of(key, tuning={"partSize": "100KiB"})
    job = cloud.http("POST", "/copies", json_body=small_parts).json()["job"]
    told: dict[str, Any] = {}

    def has_error() -> bool:
        answer = cloud.http("GET", f"/copies/{job}")
        told.update(answer.json())
        return answer.status_code == 200 and bool(told["error"])

    until(has_error)
    cloud.conditions()
    assert (told["status"], told["error"]["code"]) == ("running", "InternalError"), told
    assert told["error"]["retryable"] is True
    assert told["partsDone"] < told["parts"] == 205
    assert any(name.startswith(f"note/{job}/") for name in records(cloud))
    assert final_result(cloud, job)["error"] is None
    assert crc64(destination, key) == crc64(cloud.oss_bucket(SOURCE), key)


def test_a_cancelled_copy_stops_at_the_next_part_and_leaves_nothing(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    destination.put_object(key, b"before")
    job = begin(cloud, key)
    wait_for_parts(destination, key, parts=2)
    answer = cloud.http("DELETE", f"/copies/{job}")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    copied = count_requests(cloud, "UploadPartCopy")
    cloud.wait_idle()
    assert count_requests(cloud, "UploadPartCopy") - copied <= 8  # those in flight and one more a thread
    assert destination.get_object(key).read() == b"before"
    assert open_uploads(destination, key) == []
    again = cloud.http("DELETE", f"/copies/{job}")
    assert (again.status_code, again.json()["status"]) == (200, "cancelled")
    assert cloud.http("GET", f"/copies/{job}").json()["status"] == "cancelled"


def test_a_copy_cancelled_before_its_upload_is_opened_opens_none(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    cloud.seed(SOURCE, key, BIG, seed=1)
    cloud.conditions([{"operation": "InitiateMultipartUpload", "answer": "delay"}])
    job = cloud.http("POST", "/copies", json_body=in_parts(key)).json()["job"]
    assert cloud.http("DELETE", f"/copies/{job}").json()["status"] == "cancelled"
    cloud.wait_idle()
    assert not exists(destination, key)
    assert open_uploads(destination, key) == []
    assert cloud.http("GET", f"/copies/{job}").json()["status"] == "cancelled"


def test_a_finished_copy_cannot_be_cancelled_any_more(cloud: LocalCloud, destination: Any, key: str) -> None:
    job = begin(cloud, key)
    cloud.conditions()
    final_result(cloud, job)
    assert cloud.http("DELETE", f"/copies/{job}").json()["status"] == "succeeded"
    assert exists(destination, key)


def test_a_job_without_a_record_is_not_found(cloud: LocalCloud) -> None:
    job = "c-" + "0" * 32
    for method in ("GET", "DELETE"):
        answer = cloud.http(method, f"/copies/{job}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NoSuchJob")
    assert cloud.http("POST", f"/copies/{job}/resubmit").status_code == 404


def test_failed_copies_can_be_listed_and_resubmitted(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    result = cloud.invoke(request_of(key))
    assert result["error"]["code"] == "NoSuchKey"
    failed = cloud.http("GET", "/copies", json_body=None).json()
    assert set(failed) == {"copies", "next"}
    listed = _all(cloud, "failed")
    assert [each for each in listed if each["job"] == result["job"]] == [result]
    source.put_object(key, b"there now")
    again = cloud.http("POST", f"/copies/{result['job']}/resubmit")
    assert (again.status_code, again.json()["status"]) == (200, "succeeded")
    assert again.json()["job"] != result["job"]
    assert destination.get_object(key).read() == b"there now"


def test_running_copies_are_listed_page_by_page_and_cannot_be_resubmitted(
    cloud: LocalCloud, key: str
) -> None:
    jobs = {begin(cloud, f"{key}-{n}") for n in range(3)}
    running = _all(cloud, "running", limit=2)
    assert jobs <= {each["job"] for each in running}
    assert {each["status"] for each in running} == {"running"}
    assert cloud.http("POST", f"/copies/{min(jobs)}/resubmit").status_code == 409
    cloud.conditions()
    for job in jobs:
        final_result(cloud, job)
    assert not jobs & {each["job"] for each in _all(cloud, "running")}
    assert jobs <= {each["job"] for each in _all(cloud, "succeeded")}


def _all(cloud: LocalCloud, status: str, limit: int = 100) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = ""
    for _ in range(100):
        page = cloud.http(
            "GET", f"/copies?status={status}&limit={limit}" + (f"&after={after}" if after else "")
        )
        assert page.status_code == 200, page.text
        found += page.json()["copies"]
        after = page.json()["next"]
        if after is None:
            return found
    raise AssertionError("the listing has no end")


def test_what_is_called_running_can_be_looked_at_though_it_is_small(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    source.put_object(key, b"small")
    unread = {"operation": "HeadObject", "key": key, "skip": 1, "error": "InternalError"}
    cloud.conditions([unread, {"operation": "invocation", "skip": 2, "answer": "drop"}])
    answer = cloud.http("POST", "/copies", json_body=request_of(key))
    cloud.conditions()
    assert (answer.status_code, answer.json()["status"]) == (202, "running")
    look = cloud.http("GET", answer.headers["location"])
    assert (look.status_code, look.json()["status"]) == (200, "running")


def test_the_same_idempotency_key_is_the_same_job_while_it_runs_and_after(
    cloud: LocalCloud, key: str
) -> None:
    job = begin(cloud, key, headers={"Idempotency-Key": f"order-{key}"})
    for _ in range(2):
        again = cloud.http(
            "POST", "/copies", json_body=in_parts(key), headers={"Idempotency-Key": f"order-{key}"}
        )
        assert (again.status_code, again.json()["job"]) == (202, job)
    cloud.conditions()
    first = final_result(cloud, job)
    after = cloud.http(
        "POST", "/copies", json_body=in_parts(key), headers={"Idempotency-Key": f"order-{key}"}
    )
    assert after.status_code == 200
    assert {name: after.json()[name] for name in first} == first


def test_the_same_idempotency_key_answers_a_small_copy_alike(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    source.put_object(key, b"x")
    headers, asked = {"Idempotency-Key": key}, request_of(key, overwrite="never")
    one, two = (cloud.http("POST", "/copies", json_body=asked, headers=headers) for _ in range(2))
    assert (one.status_code, two.status_code) == (200, 200)
    assert {name: two.json()[name] for name in one.json()} == one.json()


def test_the_dates_of_a_request_sent_again_under_its_key_are_those_of_the_first_time(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    source.put_object(key, b"x")
    asked = request_of(key)
    asked["destination"]["key"] = key + "/{date:%H%M%S%f}"
    headers = {"Idempotency-Key": key}
    one, two = (cloud.http("POST", "/copies", json_body=asked, headers=headers) for _ in range(2))
    assert (one.status_code, two.status_code) == (200, 200), two.text
    assert {name: two.json()[name] for name in one.json()} == one.json()
    assert len(destination.list_objects_v2(prefix=key).object_list) == 1


def test_an_idempotency_key_with_another_body_is_refused(cloud: LocalCloud, source: Any, key: str) -> None:
    source.put_object(key, b"x")
    headers = {"Idempotency-Key": f"k-{key}"}
    assert cloud.http("POST", "/copies", json_body=request_of(key), headers=headers).status_code == 200
    other = cloud.http("POST", "/copies", json_body=request_of(key, acl="private"), headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "IdempotencyKeyReused")


def timer(key: str) -> dict[str, str]:
    return {"triggerTime": EARLIER, "triggerName": "t", "payload": json.dumps(in_parts(key))}


def test_two_deliveries_at_once_make_one_copy(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    cloud.seed(SOURCE, key, BIG, seed=12)
    cloud.conditions(bandwidth_mb_s=1.0)
    completed = count_requests(cloud, "CompleteMultipartUpload")
    cloud.invoke_async(timer(key))
    cloud.invoke_async(timer(key))
    cloud.wait_idle()
    assert crc64(destination, key) == crc64(source, key)
    assert open_uploads(destination, key) == []
    assert count_requests(cloud, "CompleteMultipartUpload") - completed == 1


def test_a_delivery_after_success_answers_alike_and_copies_nothing(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    cloud.seed(SOURCE, key, 6 << 20, seed=12)
    one = cloud.invoke(timer(key))
    before = count_requests(cloud, "UploadPartCopy")
    source.delete_object(key)
    two = cloud.invoke(timer(key))
    assert one["status"] == "succeeded"
    assert one == two
    assert count_requests(cloud, "UploadPartCopy") == before


def test_a_redelivered_event_resumes_the_upload_its_dead_delivery_had_opened(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    """FC delivers an event again when its instance dies: there is one upload, and parts done stay done."""
    cloud.seed(SOURCE, key, BIG, seed=13)
    cloud.conditions(bandwidth_mb_s=1.0)
    opened = count_requests(cloud, "InitiateMultipartUpload")
    copied = count_requests(cloud, "UploadPartCopy")
    request_id = cloud.invoke_async(timer(key))
    wait_for_parts(destination, key, parts=4)
    assert cloud.kill(request_id)
    cloud.wait_idle()
    assert crc64(destination, key) == crc64(source, key)
    assert open_uploads(destination, key) == []
    assert count_requests(cloud, "InitiateMultipartUpload") - opened == 1
    (delivered,) = cloud.invocations(request_id=request_id)
    deaths = len(delivered["attempts"]) - 1
    assert deaths >= 1
    assert count_requests(cloud, "UploadPartCopy") - copied <= BIG // PART + THREADS * deaths


@pytest.mark.parametrize("answer", ["lost", "reset", "duplicate"])
def test_records_survive_disturbed_requests(
    cloud: LocalCloud, source: Any, destination: Any, key: str, answer: str
) -> None:
    cloud.seed(SOURCE, key, 6 << 20, seed=14)
    cloud.conditions(
        [
            {"operation": "PutObject", "answer": answer, "key": "oss-copy/", "skip": n, "limit": 1}
            for n in range(3)
        ]
    )
    result = cloud.invoke(in_parts(key))
    assert result["status"] == "succeeded", result
    assert kinds(cloud, result["job"]) == {"open", "up", "done"}
    assert crc64(destination, key) == crc64(source, key)
    assert open_uploads(destination, key) == []


def test_a_versioned_state_bucket_is_refused() -> None:
    """Under versioning OSS ignores forbid-overwrite: two deliveries could both believe they are first."""
    with LocalCloud(environment={"MULTIPART_THRESHOLD": "2MiB"}) as cloud:
        config = oss2.models.BucketVersioningConfig()
        config.status = "Enabled"
        cloud.oss_bucket(STATE).put_bucket_versioning(config)
        cloud.seed(SOURCE, "k", 6 << 20, seed=1)
        answer = cloud.http("POST", "/copies", json_body=in_parts("k"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "VersionedStateBucket")
        assert open_uploads(cloud.oss_bucket("oss-copy-destination")) == []


def test_requests_of_a_copy_stay_within_their_budget(cloud: LocalCloud, key: str) -> None:
    """N parts in h hops take at most n + 14 + 4h requests, listings not counted.

    Among them are the tags of a source that shows no count, and the look at the destination before Initiate.
    Each hop reads `done/`, `cancel/` and `up/`, and puts itself on record.
    """
    before = cloud.requests()["operations"]
    cloud.seed(SOURCE, key, BIG, seed=15)
    cloud.conditions(bandwidth_mb_s=1.0)
    result = cloud.invoke(in_parts(key))
    result = final_result(cloud, result["job"])
    after = cloud.requests()["operations"]
    spent = {name: after[name] - before.get(name, 0) for name in after if "List" not in name}
    assert sum(spent.values()) <= BIG // PART + 14 + 4 * result["hops"], spent
