"""What the weather does to a copy: retries, lost answers, throttling, and what is raised at the end."""

from __future__ import annotations

import json
from typing import Any

import fc2
import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    BIG,
    PART,
    SOURCE,
    count_requests,
    crc64,
    exists,
    final_result,
    in_parts,
    open_uploads,
    request_of,
    until,
)


@pytest.mark.parametrize("answer", ["lost", "reset", "duplicate"])
@pytest.mark.parametrize("operation", ["CopyObject", "HeadObject"])
def test_a_simple_copy_survives_a_disturbed_request(
    cloud: LocalCloud, source: Any, destination: Any, key: str, operation: str, answer: str
) -> None:
    source.put_object(key, b"calm")
    cloud.conditions([{"operation": operation, "answer": answer, "limit": 1}])
    result = cloud.invoke(request_of(key))
    assert result["status"] == "succeeded", result
    assert destination.get_object(key).read() == b"calm"


def test_our_own_copy_is_not_mistaken_for_somebody_elses_after_a_lost_answer(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    source.put_object(key, b"once")
    cloud.conditions([{"operation": "CopyObject", "answer": "lost", "limit": 1}])
    result = cloud.invoke(request_of(key, overwrite="never"))
    assert result["status"] == "succeeded", result


@pytest.mark.parametrize("answer", ["lost", "reset"])
@pytest.mark.parametrize("operation", ["UploadPartCopy", "ListParts", "CompleteMultipartUpload"])
def test_a_multipart_copy_survives_a_disturbed_request(
    cloud: LocalCloud, source: Any, destination: Any, key: str, operation: str, answer: str
) -> None:
    cloud.seed(SOURCE, key, 6 * MIB, seed=2)
    cloud.conditions([{"operation": operation, "answer": answer, "limit": 2}])
    result = cloud.invoke(in_parts(key))
    assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
    assert crc64(destination, key) == crc64(source, key)
    assert open_uploads(destination, key) == []


def test_a_lost_answer_to_complete_with_overwrite_never_is_our_own_success(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    cloud.seed(SOURCE, key, 6 * MIB, seed=2)
    cloud.conditions([{"operation": "CompleteMultipartUpload", "answer": "lost", "limit": 1}])
    result = cloud.invoke(in_parts(key, overwrite="never"))
    assert result["status"] == "succeeded", result
    assert open_uploads(destination, key) == []


def test_a_stormy_copy_is_exact(cloud: LocalCloud, source: Any, destination: Any, key: str) -> None:
    cloud.seed(SOURCE, key, BIG, seed=3)
    faults = [
        {"operation": "UploadPartCopy", "probability": 0.15, "error": "InternalError"},
        {"operation": "UploadPartCopy", "probability": 0.15, "answer": "lost"},
        {"operation": "UploadPartCopy", "probability": 0.1, "answer": "reset"},
        {"operation": "*", "probability": 0.05, "error": "ServiceUnavailable"},
    ]
    cloud.conditions(faults, seed=11, latency_ms=5)
    answer = cloud.http("POST", "/copies", json_body=in_parts(key))
    result = final_result(cloud, answer.json()["job"])
    cloud.conditions()
    assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
    assert crc64(destination, key) == crc64(source, key)
    assert open_uploads(destination, key) == []


def test_throttling_is_waited_out(cloud: LocalCloud, source: Any, destination: Any, key: str) -> None:
    cloud.seed(SOURCE, key, 8 * MIB, seed=5)
    cloud.conditions([{"operation": "UploadPartCopy", "error": "TotalQpsLimitExceeded", "limit": 6}])
    result = cloud.invoke(in_parts(key))
    job = result["job"]
    result = result if result["status"] != "running" else final_result(cloud, job)
    assert result["status"] == "succeeded", result
    assert crc64(destination, key) == crc64(source, key)


def test_a_direct_invocation_raises_what_lasts_so_that_fc_retries(cloud: LocalCloud, key: str) -> None:
    cloud.conditions([{"operation": "HeadObject", "error": "ServiceUnavailable"}])
    with pytest.raises(fc2.FcError) as caught:
        cloud.invoke(request_of(key))
    assert "ServiceUnavailable" in str(caught.value)
    assert "Transient" in str(caught.value)


def test_an_asynchronous_invocation_is_retried_by_fc_until_the_weather_is_better(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    source.put_object(key, b"later")
    cloud.conditions([{"operation": "HeadObject", "error": "InternalError", "limit": 9}])
    request_id = cloud.invoke_async(request_of(key))
    cloud.wait_idle()
    (invocation,) = cloud.invocations(request_id=request_id)
    assert invocation["retries"] >= 1
    assert destination.get_object(key).read() == b"later"


def test_http_never_raises_but_answers_503(cloud: LocalCloud, key: str) -> None:
    cloud.conditions([{"operation": "HeadObject", "error": "ServiceUnavailable"}])
    answer = cloud.http("POST", "/copies", json_body=request_of(key))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["error"]["retryable"] is True


def test_http_answers_503_while_the_function_lives_when_oss_does_not_answer(
    cloud: LocalCloud, key: str
) -> None:
    cloud.conditions([{"operation": "HeadObject", "answer": "stall"}])
    answer = cloud.http("POST", "/copies", json_body=request_of(key))
    assert (answer.status_code, answer.headers.get("retry-after")) == (503, "5"), answer.text
    assert answer.json()["error"]["code"] == "NetworkError"


def test_credentials_that_expire_before_the_hand_over_end_no_copy(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    """FC's refusal is raised, so that FC tries again with new ones."""
    cloud.seed(SOURCE, key, BIG, seed=6)
    expired = {"operation": "invocation", "error": "InvalidSecurityToken", "skip": 1, "limit": 2}
    cloud.conditions([expired], bandwidth_mb_s=1.0)
    request_id = cloud.invoke_async(in_parts(key))
    until(lambda: cloud.struck() > 0)
    cloud.conditions()
    cloud.wait_idle()
    assert cloud.invocations(request_id=request_id)
    assert crc64(destination, key) == crc64(cloud.oss_bucket(SOURCE), key)
    assert open_uploads(destination, key) == []


def test_a_copy_no_part_of_which_gets_done_gives_up_and_leaves_nothing(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    cloud.seed(SOURCE, key, BIG, seed=6)
    cloud.conditions([{"operation": "UploadPartCopy", "error": "InternalError"}])
    result = cloud.invoke(in_parts(key))
    assert result["status"] == "running"
    result = final_result(cloud, result["job"])
    assert (result["status"], result["error"]["code"]) == ("failed", "Stalled"), result
    assert "InternalError" in result["error"]["message"]
    assert not exists(destination, key)
    assert open_uploads(destination, key) == []


def test_an_event_of_which_one_record_fails_for_the_moment_submits_it_again_alone(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    for name in ("a", "b"):
        source.put_object(f"{key}/{name}", name.encode())
    cloud.conditions([{"operation": "HeadObject", "key": f"{key}/a", "error": "InternalError", "limit": 8}])
    result = cloud.invoke([request_of(f"{key}/b"), request_of(f"{key}/a")])
    assert [each["status"] for each in result["results"]] == ["succeeded", "running"], result
    assert final_result(cloud, result["results"][1]["job"])["status"] == "succeeded"
    assert destination.get_object(f"{key}/a").read() == b"a"


def test_the_function_without_the_right_to_invoke_itself_leaves_no_upload(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    """FC refuses the next hop for good: the upload is aborted and the result says why."""
    cloud.seed(SOURCE, key, BIG, seed=7)
    cloud.conditions([{"operation": "invocation", "error": "AccessDenied", "skip": 1}], bandwidth_mb_s=0.6)
    result = cloud.invoke(in_parts(key))
    assert (result["status"], result["error"]["code"]) == ("failed", "AccessDenied"), result
    assert "fc:InvokeFunction" in result["error"]["message"]
    assert open_uploads(destination, key) == []


def test_a_refused_signature_is_told_of_without_what_was_signed(cloud: LocalCloud, key: str) -> None:
    cloud.seed(SOURCE, key, BIG, seed=7)
    refusal = {"operation": "invocation", "error": "SignatureNotMatch", "skip": 1}
    cloud.conditions([refusal], bandwidth_mb_s=0.6)
    result = cloud.invoke(in_parts(key))
    assert (result["status"], result["error"]["code"]) == ("failed", "SignatureNotMatch"), result
    told = json.dumps([[one["logs"], one["result"]] for one in cloud.invocations() if key in one["event"]])
    assert "does not accept the signature" in told
    assert "ecurity-token" not in told


def test_no_log_line_holds_a_secret(cloud: LocalCloud, key: str) -> None:
    cloud.seed(SOURCE, key, BIG, seed=8)
    cloud.conditions(
        [{"operation": "UploadPartCopy", "error": "InternalError", "probability": 0.3}], bandwidth_mb_s=2.6
    )
    job = cloud.http("POST", "/copies", json_body=in_parts(key)).json()["job"]
    final_result(cloud, job)
    every = [json.dumps([one["logs"], one["result"], one["error"]]) for one in cloud.invocations()]
    of_job = [told for told in every if job in told]  # others may name the error SignatureDoesNotMatch
    assert len(of_job) > 1
    for told in of_job:
        for word in ("Signature", "authorization", "ecurity-token", "ecurity_token", "OSS4-HMAC"):
            assert word not in told
    assert count_requests(cloud, "UploadPartCopy") >= BIG // PART
