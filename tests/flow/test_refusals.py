"""What is refused before any OSS request, and what OSS refuses: code, request id, advice, nothing left."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import fc2
import oss2
import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    BIG,
    DESTINATION,
    EARLIER,
    SOURCE,
    count_requests,
    exists,
    final_result,
    in_parts,
    open_uploads,
    request_of,
    wait_for_parts,
)

HERE = {"bucket": SOURCE, "key": "k"}
THERE = {"bucket": DESTINATION}


@pytest.mark.parametrize(
    ("event", "code", "field"),
    [
        (b"{not json", "InvalidJson", None),
        ({"source": HERE, "destination": THERE, "colour": 1}, "UnknownField", "colour"),
        ({"source": {"key": "k"}, "destination": THERE}, "MissingField", "source.bucket"),
        ({"source": {**HERE, "key": "x" * 1024}, "destination": THERE}, "InvalidKey", "source.key"),
        ({"source": {**HERE, "key": "/k"}, "destination": THERE}, "InvalidKey", "source.key"),
        ({"source": HERE, "destination": {**THERE, "key": "/{key}"}}, "InvalidKey", "destination.key"),
        ({"source": HERE, "destination": {"bucket": SOURCE}}, "SelfCopy", "destination"),
        ({"continuation": {"version": 0, "command": {}}}, "UnsupportedVersion", "continuation.version"),
        ({"source": {**HERE, "bucket": "foreign-bucket"}, "destination": THERE}, "NotAllowed", "source"),
        ({"source": HERE, "destination": {"bucket": "foreign-bucket"}}, "NotAllowed", "destination"),
        (
            {"source": {**HERE, "endpoint": "http://x"}, "destination": THERE},
            "UnknownField",
            "source.endpoint",
        ),
    ],
)
def test_a_bad_request_is_refused_by_name_before_any_oss_request(
    cloud: LocalCloud, event: object, code: str, field: str | None
) -> None:
    before = count_requests(cloud)
    result = cloud.invoke(event)
    assert (result["status"], result["error"]["code"], result["error"]["field"]) == ("failed", code, field)
    assert result["error"]["retryable"] is False
    assert count_requests(cloud) == before


def test_a_continuation_for_what_is_not_allowed_is_refused_at_its_hop(cloud: LocalCloud) -> None:
    forged = {
        "step": "continue",
        "job": "c-" + "f" * 32,
        "request": {"source": {**HERE, "bucket": "foreign-bucket"}, "destination": {**THERE, "key": "k"}},
        "startedAt": EARLIER,
        "pin": {"size": 3 * MIB, "etag": "E", "lastModified": 1},
        "upload": {"id": "U", "partSize": MIB, "parts": 3, "lanes": 1, "openedAt": 1},
        "generation": 0,
        "lane": 1,
        "hop": 2,
    }
    before = count_requests(cloud, "UploadPartCopy")
    result = cloud.invoke({"continuation": {"version": 1, "command": forged}})
    assert result["error"]["code"] == "NotAllowed"
    assert count_requests(cloud, "UploadPartCopy") == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"colour": 1}', 422),
        (json.dumps({"source": {**HERE, "bucket": "foreign-bucket"}, "destination": THERE}).encode(), 403),
        (
            json.dumps({"source": {"bucket": "no-such-bucket", "key": "k"}, "destination": THERE}).encode(),
            404,
        ),
        (json.dumps(request_of("no/such/key")).encode(), 404),
        (json.dumps(request_of("k", conditions={"ifMatch": "X"})).encode(), 404),
        (b"x" * 100_000, 413),
    ],
)
def test_http_says_what_is_wrong_with_its_status(cloud: LocalCloud, body: bytes, status: int) -> None:
    answer = cloud.http("POST", "/copies", body=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "requestId", "retryable", "field"}


def test_an_http_event_that_cannot_be_read_is_answered_as_http(cloud: LocalCloud) -> None:
    answer = cloud.invoke({"requestContext": {"http": {"method": "GET"}}, "headers": None})
    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["error"]["code"] == "InvalidField"


def test_http_without_a_signature_does_not_reach_the_function(cloud: LocalCloud) -> None:
    count = len(cloud.invocations())
    assert cloud.http("POST", "/copies", json_body=request_of("k"), signed=False).status_code == 403
    assert len(cloud.invocations()) == count


Case = Callable[[LocalCloud, str], dict[str, Any]]


def _missing_source(_: LocalCloud, key: str) -> dict[str, Any]:
    return request_of(key + "-absent")


def _missing_source_bucket(_: LocalCloud, key: str) -> dict[str, Any]:
    return request_of(key) | {"source": {"bucket": "no-such-bucket", "key": key}}


def _missing_destination_bucket(cloud: LocalCloud, key: str) -> dict[str, Any]:
    cloud.oss_bucket(SOURCE).put_object(key, b"x")
    return request_of(key) | {"destination": {"bucket": "no-such-bucket"}}


def _other_region(cloud: LocalCloud, key: str) -> dict[str, Any]:
    where = "<CreateBucketConfiguration><LocationConstraint>oss-cn-shanghai</LocationConstraint>"
    abroad = cloud.oss_bucket("oss-copy-abroad")  # oss2 has no way to name a region but its endpoint
    abroad._do("PUT", "oss-copy-abroad", "", data=where + "</CreateBucketConfiguration>")  # noqa: SLF001 - there is no public way to it
    cloud.oss_bucket(SOURCE).put_object(key, b"x")
    return request_of(key) | {"destination": {"bucket": "oss-copy-abroad"}}


def _retention(cloud: LocalCloud, key: str) -> dict[str, Any]:
    bucket = cloud.oss_bucket("oss-copy-worm")
    bucket.create_bucket()
    bucket.put_object(key, b"kept")
    try:
        bucket.complete_bucket_worm(bucket.init_bucket_worm(1).worm_id)
    except oss2.exceptions.ServerError as error:
        assert error.code == "WORMConfigurationLocked"
    cloud.oss_bucket(SOURCE).put_object(key, b"x")
    return request_of(key) | {"destination": {"bucket": "oss-copy-worm"}}


def _archived(cloud: LocalCloud, key: str) -> dict[str, Any]:
    cloud.oss_bucket(SOURCE).put_object(key, b"x", headers={"x-oss-storage-class": "Archive"})
    return request_of(key)


def _no_permission(cloud: LocalCloud, key: str) -> dict[str, Any]:
    cloud.oss_bucket(SOURCE).put_object(key, b"x")
    cloud.conditions([{"operation": "CopyObject", "error": "AccessDenied"}])
    return request_of(key)


def _no_permission_for_parts(cloud: LocalCloud, key: str) -> dict[str, Any]:
    cloud.oss_bucket(SOURCE).put_object(key, b"x")
    cloud.conditions([{"operation": "UploadPartCopy", "error": "AccessDenied"}])
    return request_of(key)


@pytest.mark.parametrize(
    ("case", "method", "code", "advice", "field"),
    [
        (_missing_source, "auto", "NoSuchKey", "versionId", "source.key"),
        (_missing_source_bucket, "auto", "NoSuchBucket", "region", "source.bucket"),
        (_missing_destination_bucket, "simple", "NoSuchBucket", "region", "destination.bucket"),
        (_missing_destination_bucket, "multipart", "NoSuchBucket", "region", "destination.bucket"),
        (_other_region, "simple", "AccessDenied", "one region only", "destination.bucket"),
        (_other_region, "multipart", "AccessDenied", "one region only", "destination.bucket"),
        (_retention, "simple", "FileImmutable", "retention policy", "destination.key"),
        (_retention, "multipart", "FileImmutable", "retention policy", "destination.key"),
        (_archived, "simple", "InvalidObjectState", "restore", "source.key"),
        (_archived, "multipart", "InvalidObjectState", "restore", "source.key"),
        (_no_permission, "simple", "AccessDenied", "grant", None),
        (_no_permission_for_parts, "multipart", "AccessDenied", "grant", None),
    ],
)
def test_what_oss_refuses_is_reported_and_leaves_nothing_behind(
    cloud: LocalCloud, key: str, case: Case, method: str, code: str, advice: str, field: str | None
) -> None:
    asked = case(cloud, key) | {"tuning": {"method": method}}
    target = cloud.oss_bucket(asked["destination"]["bucket"])
    before = _content(target, key)
    result = cloud.invoke(asked)
    cloud.conditions()
    assert (result["status"], result["error"]["code"]) == ("failed", code), result
    assert advice in result["error"]["message"]
    assert result["error"]["field"] == field
    bucket = asked["source" if (field or "").startswith("source") else "destination"]["bucket"]
    assert f"oss://{bucket}" in result["error"]["message"]
    assert len(result["error"]["requestId"]) == 24
    assert result["error"]["retryable"] is False
    assert _content(target, key) == before
    if target.bucket_name != "no-such-bucket":
        assert open_uploads(target, key) == []


def test_a_refusal_of_the_state_bucket_names_the_setting_and_the_right(cloud: LocalCloud, key: str) -> None:
    cloud.seed(SOURCE, key, 6 * MIB, seed=1)
    cloud.conditions([{"operation": "PutObject", "key": "oss-copy/open/", "error": "AccessDenied"}])
    answer = cloud.http("POST", "/copies", json_body=in_parts(key))
    cloud.conditions()
    assert answer.status_code == 500, answer.text
    error = answer.json()["error"]
    assert (error["code"], error["field"]) == ("AccessDenied", "STATE_BUCKET")
    assert "(missing: oss:PutObject on oss://oss-copy-state/oss-copy/open/c-" in error["message"]


def test_a_copy_onto_itself_by_the_null_version_is_refused_where_there_are_no_versions(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    source.put_object(key, b"x")
    here = {"bucket": SOURCE, "key": key}
    request = {"source": {**here, "versionId": "null"}, "destination": here}
    before = count_requests(cloud, "CopyObject")
    result = cloud.invoke(request)
    assert (result["status"], result["error"]["code"]) == ("failed", "SelfCopy"), result
    assert result["error"]["field"] == "source.versionId"
    assert count_requests(cloud, "CopyObject") == before
    assert cloud.invoke({**request, "storageClass": "IA"})["status"] == "succeeded"


def _content(bucket: Any, key: str) -> bytes | None:
    try:
        return bytes(bucket.get_object(key).read())
    except oss2.exceptions.ServerError as error:
        if error.code not in {"NoSuchKey", "NoSuchBucket"}:
            raise
        return None


def test_a_source_that_changes_between_parts_ends_the_copy(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    cloud.seed(SOURCE, key, BIG, seed=1)
    destination.put_object(key, b"before")
    cloud.conditions(bandwidth_mb_s=1.5)
    job = cloud.http("POST", "/copies", json_body=in_parts(key)).json()["job"]
    wait_for_parts(destination, key)
    cloud.seed(SOURCE, key, BIG, seed=2)
    result = final_result(cloud, job)
    assert (result["status"], result["error"]["code"]) == ("failed", "SourceChanged"), result
    assert destination.get_object(key).read() == b"before"
    assert open_uploads(destination, key) == []


def test_a_source_deleted_between_parts_ends_the_copy(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    cloud.seed(SOURCE, key, BIG, seed=1)
    cloud.conditions(bandwidth_mb_s=1.5)
    job = cloud.http("POST", "/copies", json_body=in_parts(key)).json()["job"]
    wait_for_parts(destination, key)
    source.delete_object(key)
    result = final_result(cloud, job)
    assert (result["status"], result["error"]["code"]) == ("failed", "SourceChanged"), result
    assert not exists(destination, key)
    assert open_uploads(destination, key) == []


def test_new_metadata_on_the_source_before_the_end_is_a_changed_source(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    """Its ETag stays, so that every part passes; its date tells."""
    cloud.seed(SOURCE, key, BIG, seed=1)
    cloud.conditions([{"operation": "UploadPartCopy", "answer": "delay"}])
    job = cloud.http("POST", "/copies", json_body=in_parts(key)).json()["job"]
    wait_for_parts(destination, key, parts=4)
    source.update_object_meta(key, {"x-oss-meta-new": "1"})
    result = final_result(cloud, job)
    assert (result["status"], result["error"]["code"]) == ("failed", "SourceChanged"), result
    assert not exists(destination, key)
    assert open_uploads(destination, key) == []


def test_an_upload_aborted_by_somebody_else_is_an_unknown_outcome(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    cloud.seed(SOURCE, key, BIG, seed=1)
    cloud.conditions(bandwidth_mb_s=1.5)
    job = cloud.http("POST", "/copies", json_body=in_parts(key)).json()["job"]
    wait_for_parts(destination, key)
    (upload,) = oss2.MultipartUploadIterator(destination, prefix=key)
    _abort_for_good(destination, key, upload.upload_id)
    cloud.conditions()
    result = final_result(cloud, job)
    assert (result["status"], result["error"]["code"]) == ("failed", "OutcomeUnknown"), result
    assert not exists(destination, key)


def _abort_for_good(bucket: Any, key: str, upload_id: str) -> None:
    """Abort until OSS knows no such upload: parts in flight bring it back."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            bucket.abort_multipart_upload(key, upload_id)
        except oss2.exceptions.NoSuchUpload:
            return
    raise AssertionError("the upload does not go away")


def test_a_timeout_too_short_for_the_object_is_refused_before_anything_is_opened(
    cloud: LocalCloud, key: str
) -> None:
    cloud.seed(SOURCE, key, 48 << 40, seed=1)
    before = count_requests(cloud, "InitiateMultipartUpload")
    result = cloud.invoke(request_of(key))
    assert (result["error"]["code"], result["error"]["field"]) == ("TimeoutTooShort", "timeout")
    assert count_requests(cloud, "InitiateMultipartUpload") == before


def test_a_wrong_setting_fails_the_instance_by_name() -> None:
    with (
        LocalCloud(environment={"MULTIPART_THRESHOLD": "huge"}) as cloud,
        pytest.raises(fc2.FcError) as caught,
    ):
        cloud.invoke(request_of("k"))
    assert "MULTIPART_THRESHOLD" in str(caught.value)
