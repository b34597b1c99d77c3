"""What HTTP answers once a copy is on record, and to requests that cannot be taken as they come."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    DESTINATION,
    SOURCE,
    begin,
    exists,
    final_result,
    in_parts,
    open_uploads,
    records,
    request_of,
    status,
)

RECORD = "oss-copy/"
COLD = {"x-oss-storage-class": "Archive"}


@pytest.mark.parametrize(
    "fault",
    [
        {"operation": "RestoreObject", "error": "InternalError"},
        {"operation": "RestoreObject", "answer": "stall"},
        {"operation": "GetObject", "key": f"{RECORD}done/", "error": "ServiceUnavailable"},
        {"operation": "invocation", "skip": 2, "error": "InternalServerError"},
    ],
    ids=["restore", "stalled restore", "outcome unread", "submission"],
)
def test_what_fails_for_the_moment_once_a_copy_is_on_record_is_answered_202(
    cloud: LocalCloud, source: Any, key: str, fault: dict[str, Any]
) -> None:
    """The sweep goes on with the copy: who was told 503 would ask for a second one."""
    source.put_object(key, b"cold", headers=COLD)
    cloud.conditions([fault])
    answer = cloud.http("POST", "/copies", json_body=request_of(key, archive="restore"))
    cloud.conditions()
    assert (answer.status_code, answer.json()["status"]) == (202, "running"), answer.text
    job = answer.json()["job"]
    assert answer.headers["location"] == f"/copies/{job}"
    assert status(cloud, job)["status"] == "running"
    # once the source can be read, a CopyObject may be under way: the sweep says later what came of it
    ends = {"cancelled", "running"} if fault["operation"] == "invocation" else {"cancelled"}
    assert cloud.http("DELETE", f"/copies/{job}").json()["status"] in ends


def test_a_copy_in_parts_whose_outcome_cannot_be_read_is_answered_202(cloud: LocalCloud, key: str) -> None:
    cloud.seed(SOURCE, key, 6 * MIB, seed=1)
    cloud.conditions([{"operation": "GetObject", "key": f"{RECORD}done/", "error": "ServiceUnavailable"}])
    answer = cloud.http("POST", "/copies", json_body=in_parts(key))
    cloud.conditions()
    assert (answer.status_code, answer.json()["status"]) == (202, "running"), answer.text
    assert status(cloud, answer.json()["job"])["status"] == "running"


def test_a_record_whose_answer_was_lost_is_found_and_answered_202(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    source.put_object(key, b"cold", headers=COLD)
    put = {"operation": "PutObject", "key": f"{RECORD}open/"}
    cloud.conditions([{**put, "answer": "lost", "limit": 1}, {**put, "error": "ServiceUnavailable"}])
    answer = cloud.http("POST", "/copies", json_body=request_of(key, archive="restore"))
    cloud.conditions()
    assert (answer.status_code, answer.json()["status"]) == (202, "running"), answer.text


@pytest.mark.parametrize("operation", ["PutObject", "*"])
def test_a_copy_that_did_not_come_on_record_is_answered_503(
    cloud: LocalCloud, source: Any, key: str, operation: str
) -> None:
    source.put_object(key, b"cold", headers=COLD)
    before = records(cloud)
    cloud.conditions([{"operation": operation, "key": RECORD, "error": "ServiceUnavailable"}])
    answer = cloud.http("POST", "/copies", json_body=request_of(key, archive="restore"))
    cloud.conditions()
    assert (answer.status_code, answer.headers.get("retry-after")) == (503, "5"), answer.text
    assert records(cloud) == before


def test_a_request_sent_again_under_its_key_is_answered_202_though_its_upload_cannot_be_looked_at(
    cloud: LocalCloud, key: str
) -> None:
    headers = {"Idempotency-Key": f"order-{key}"}
    job = begin(cloud, key, parts=1, headers=headers)
    cloud.conditions([{"operation": "ListParts", "error": "ServiceUnavailable"}], bandwidth_mb_s=1.0)
    again = cloud.http("POST", "/copies", json_body=in_parts(key), headers=headers)
    cloud.conditions()
    assert (again.status_code, again.json()["job"]) == (202, job), again.text
    assert final_result(cloud, job)["status"] == "succeeded"


def test_a_copy_that_cannot_be_ended_at_once_is_answered_202_and_ends(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    job = begin(cloud, key, parts=1)
    cloud.conditions([{"operation": "AbortMultipartUpload", "error": "ServiceUnavailable"}])
    answer = cloud.http("DELETE", f"/copies/{job}")
    assert (answer.status_code, answer.json()["status"]) == (202, "running"), answer.text
    assert answer.headers["location"] == f"/copies/{job}"
    cloud.conditions()
    cloud.wait_idle()
    assert cloud.http("DELETE", f"/copies/{job}").json()["status"] == "cancelled"
    assert not exists(destination, key)
    assert open_uploads(destination, key) == []


@pytest.mark.parametrize("job", ["c-" + "0" * 32, "c-1", "c-" + "A" * 32, "nothing"])
def test_a_job_that_is_not_known_is_named_whatever_it_looks_like(cloud: LocalCloud, job: str) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/resubmit")):
        answer = cloud.http(method, f"/copies/{job}{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NoSuchJob"), answer.text
        assert job in answer.json()["error"]["message"]


def test_a_body_that_is_packed_is_refused_by_its_header_and_one_with_a_mark_is_taken(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    source.put_object(key, b"x")
    body = json.dumps(request_of(key)).encode()
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    packed = cloud.http("POST", "/copies", body=gzip.compress(body), headers=headers)
    error = packed.json()["error"]
    assert (packed.status_code, error["code"]) == (415, "UnsupportedMediaType"), packed.text
    assert error["field"] == "Content-Encoding"
    marked = cloud.http(
        "POST", "/copies", body=b"\xef\xbb\xbf" + body, headers={"Content-Type": "application/json"}
    )
    assert (marked.status_code, marked.json()["status"]) == (200, "succeeded"), marked.text
    assert exists(destination, key)
    assert cloud.invoke(b"\xef\xbb\xbf" + body)["status"] == "succeeded"
    assert marked.json()["destination"]["bucket"] == DESTINATION
