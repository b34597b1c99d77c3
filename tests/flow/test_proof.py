"""What is proved before the destination shows it, and after: injected corruption is caught every time."""

from __future__ import annotations

from typing import Any

import oss2
import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    BIG,
    PART,
    SOURCE,
    VERSIONED,
    count_requests,
    crc64,
    exists,
    final_result,
    in_parts,
    open_uploads,
    request_of,
    versions,
    wait_for_parts,
)

SIZE = 6 * MIB
# Before Complete a wrong part can be told by nothing else.
PARTS_TELL = {"copied-part-crc64": "a"}


def refused_before(result: dict[str, Any], destination: Any, key: str) -> None:
    """The copy failed its proof and the destination shows what it showed before."""
    assert (result["status"], result["error"]["code"]) == ("failed", "VerificationFailed"), result
    assert "CRC64" in result["error"]["message"]
    assert destination.get_object(key).read() == b"before"
    assert open_uploads(destination, key) == []


@pytest.mark.parametrize("skip", range(6))
def test_a_part_of_other_bytes_is_caught_before_the_destination_shows_it(
    cloud: LocalCloud, destination: Any, key: str, skip: int
) -> None:
    cloud.seed(SOURCE, key, SIZE - 7, seed=4)
    destination.put_object(key, b"before")
    wrong = {"operation": "UploadPartCopy", "answer": "corrupt", "skip": skip, "limit": 1}
    cloud.conditions([wrong], readings=PARTS_TELL)
    refused_before(cloud.invoke(in_parts(key)), destination, key)


def test_a_wrong_crc_of_a_part_is_not_completed(cloud: LocalCloud, destination: Any, key: str) -> None:
    cloud.seed(SOURCE, key, SIZE, seed=4)
    destination.put_object(key, b"before")
    cloud.conditions([{"operation": "ListParts", "answer": "corrupt"}], readings=PARTS_TELL)
    refused_before(cloud.invoke(in_parts(key)), destination, key)


def test_swapped_parts_are_caught(cloud: LocalCloud, destination: Any, key: str) -> None:
    """Every part is there with its size, but one holds another's bytes."""
    cloud.seed(SOURCE, key, BIG, seed=4)
    destination.put_object(key, b"before")
    cloud.conditions(bandwidth_mb_s=1.0, readings=PARTS_TELL)
    job = cloud.http("POST", "/copies", json_body=in_parts(key)).json()["job"]
    wait_for_parts(destination, key, parts=4)
    (upload,) = oss2.MultipartUploadIterator(destination, prefix=key)
    number = destination.list_parts(key, upload.upload_id).parts[0].part_number
    other = number % (BIG // PART)  # the part after it, from 0
    stretch = (other * PART, (other + 1) * PART - 1)
    destination.upload_part_copy(SOURCE, key, stretch, key, upload.upload_id, number)
    refused_before(final_result(cloud, job), destination, key)


def test_a_part_that_was_acknowledged_and_lost_is_copied_again(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    cloud.seed(SOURCE, key, SIZE, seed=4)
    cloud.conditions([{"operation": "UploadPartCopy", "answer": "forget", "skip": 2, "limit": 1}])
    result = final_result(cloud, cloud.invoke(in_parts(key))["job"])
    assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
    assert crc64(destination, key) == crc64(source, key)


def test_an_upload_completed_by_somebody_else_over_a_gap_is_no_success(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    cloud.seed(SOURCE, key, BIG, seed=4)
    cloud.conditions(bandwidth_mb_s=1.0)
    job = cloud.http("POST", "/copies", json_body=in_parts(key)).json()["job"]
    wait_for_parts(destination, key, parts=4)
    (upload,) = oss2.MultipartUploadIterator(destination, prefix=key)
    destination.complete_multipart_upload(key, upload.upload_id, None, {"x-oss-complete-all": "yes"})
    cloud.conditions()
    result = final_result(cloud, job)
    assert (result["status"], result["error"]["code"]) == ("failed", "OutcomeUnknown"), result


def test_where_parts_have_no_crc_the_corruption_is_caught_after_and_the_object_kept_and_named(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    cloud.seed(SOURCE, key, SIZE, seed=4)
    cloud.conditions(
        [
            {"operation": "UploadPartCopy", "answer": "corrupt", "limit": 1},
            {"operation": "ListParts", "answer": "bare"},
        ]
    )
    result = cloud.invoke(in_parts(key))
    assert (result["status"], result["error"]["code"]) == ("failed", "VerificationFailed"), result
    assert "left in place" in result["error"]["message"]
    assert result["destination"]["etag"] == destination.head_object(key).etag


@pytest.mark.parametrize("method", ["simple", "multipart"])
def test_a_wrong_version_of_ours_is_deleted_where_the_destination_has_versions(
    cloud: LocalCloud, versioned: Any, key: str, method: str
) -> None:
    cloud.seed(SOURCE, key, SIZE, seed=4)
    before = versioned.put_object(key, b"before").versionid
    cloud.conditions(
        [
            {"operation": "UploadPartCopy", "answer": "corrupt", "limit": 1},
            {"operation": "CopyObject", "answer": "corrupt", "limit": 1},
            {"operation": "ListParts", "answer": "bare"},
        ]
    )
    asked = in_parts(key) | {"destination": {"bucket": VERSIONED}}
    asked["tuning"] = {"method": method, "partSize": "1MiB"}
    result = cloud.invoke(asked)
    assert (result["status"], result["error"]["code"]) == ("failed", "VerificationFailed"), result
    assert "was deleted" in result["error"]["message"]
    assert versions(versioned, key) == [before]
    assert versioned.get_object(key).read() == b"before"


def test_where_nothing_has_a_crc_the_result_says_what_it_rests_on(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    cloud.seed(SOURCE, key, SIZE, seed=4)
    cloud.conditions([{"operation": "*", "answer": "bare"}])
    result = cloud.invoke(in_parts(key))
    assert (result["status"], result["verified"]) == ("succeeded", "size"), result
    assert result["source"]["crc64"] is None
    assert exists(destination, key)


@pytest.mark.parametrize("method", ["simple", "multipart"])
def test_a_destination_that_does_not_show_what_was_promised_is_no_success(
    cloud: LocalCloud, source: Any, destination: Any, key: str, method: str
) -> None:
    """Somebody changes headers and tags of the destination, and keeps the bytes, before we look."""
    source.put_object(key, b"same", headers={"Content-Language": "de", "x-oss-tagging": "a=b"})
    cloud.conditions([{"operation": "HeadObject", "answer": "delay", "skip": 1 if method == "simple" else 3}])
    before = count_requests(cloud, "CopyObject") + count_requests(cloud, "CompleteMultipartUpload")
    request_id = cloud.invoke_async(request_of(key, tuning={"method": method}))
    while count_requests(cloud, "CopyObject") + count_requests(cloud, "CompleteMultipartUpload") == before:
        cloud.invocations(request_id=request_id)
    _replace_headers(destination, key)
    cloud.wait_idle()
    (invocation,) = cloud.invocations(request_id=request_id)
    assert '"VerificationFailed"' in invocation["result"], invocation["result"]
    assert "content language differs; 0 tags, not 1" in invocation["result"]


def _replace_headers(bucket: Any, key: str) -> None:
    """With the bytes of a multipart object kept, its ETag is kept too."""
    headers = {"x-oss-metadata-directive": "REPLACE", "x-oss-tagging-directive": "Replace"}
    bucket.copy_object(bucket.bucket_name, key, key, headers)


def test_a_copy_onto_itself_is_compared_with_what_was_seen_and_not_with_itself(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    """Headers and tags are lost before we look: the source as it is now has lost them too."""
    source.put_object(key, b"same", headers={"Content-Language": "de", "x-oss-tagging": "a=b"})
    cloud.conditions([{"operation": "HeadObject", "answer": "delay", "skip": 1}])
    before = count_requests(cloud, "CopyObject")
    asked = request_of(key, storageClass="IA") | {"destination": {"bucket": SOURCE}}
    request_id = cloud.invoke_async(asked)
    while count_requests(cloud, "CopyObject") == before:
        cloud.invocations(request_id=request_id)
    _replace_headers(source, key)
    cloud.wait_idle()
    (invocation,) = cloud.invocations(request_id=request_id)
    assert '"VerificationFailed"' in invocation["result"], invocation["result"]
    assert "content language differs" in invocation["result"]


@pytest.mark.parametrize("way", ["simple", "multipart", "version"])
def test_a_copy_onto_itself_keeps_every_header_and_tag_and_asks_once_what_it_shows(
    cloud: LocalCloud, source: Any, versioned: Any, key: str, way: str
) -> None:
    bucket = versioned if way == "version" else source
    put = {"Content-Language": "de", "x-oss-meta-a": "1", "x-oss-tagging": "a=b"}
    first = bucket.put_object(key, b"same", headers=put)
    place: dict[str, Any] = {"bucket": bucket.bucket_name, "key": key}
    bucket.put_object_acl(key, "public-read")
    if way == "version":
        bucket.put_object(key, b"newer")
        place["versionId"] = first.versionid
    asked = {"source": place, "destination": {"bucket": bucket.bucket_name}, "storageClass": "IA"}
    looks = count_requests(cloud, "HeadObject")
    tuning = {"method": "multipart" if way == "multipart" else "simple"}
    result = cloud.invoke(asked | {"tuning": tuning})
    assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
    assert count_requests(cloud, "HeadObject") - looks <= (3 if way == "multipart" else 2)
    shown = bucket.head_object(key).headers
    assert (shown["Content-Language"], shown["x-oss-meta-a"]) == ("de", "1")
    assert shown["x-oss-storage-class"] == "IA"
    assert bucket.get_object_tagging(key).tag_set.tagging_rule == {"a": "b"}
    assert bucket.get_object_acl(key).acl == "public-read"
    assert bucket.get_object(key).read() == b"same"
