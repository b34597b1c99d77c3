"""Multipart uploads: limits that are noticed at Complete only, and completions that are not idempotent."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import oss2
import pytest

from tests.cloud.conditions import Fault
from tests.cloud.oss.running import Running, refused

SMALLEST = 100 * 1024


def uploaded(
    bucket: oss2.Bucket, key: str, *sizes: int, **headers: str
) -> tuple[str, list[oss2.models.PartInfo]]:
    upload = bucket.init_multipart_upload(
        key, headers={name.replace("_", "-"): v for name, v in headers.items()}
    ).upload_id
    parts = []
    for number, size in enumerate(sizes, 1):
        parts.append(
            oss2.models.PartInfo(number, bucket.upload_part(key, upload, number, bytes([number]) * size).etag)
        )
    return upload, parts


def test_the_etag_of_a_multipart_object_is_the_md5_of_its_part_etags(oss: Running) -> None:
    bucket = oss.bucket()
    upload, parts = uploaded(bucket, "k", SMALLEST, 5)
    done = bucket.complete_multipart_upload("k", upload, parts)
    etags = "".join(part.etag for part in parts)
    assert done.etag == hashlib.md5(etags.encode(), usedforsecurity=False).hexdigest().upper() + "-2"
    data = b"\1" * SMALLEST + b"\2" * 5
    assert bucket.get_object("k").read() == data
    crc = oss2.utils.Crc64()
    crc.update(data)
    assert done.crc == crc.crc == bucket.head_object("k").server_crc
    assert bucket.head_object("k").object_type == "Multipart"


def test_initiate_says_what_the_object_will_carry_and_complete_its_acl(oss: Running) -> None:
    bucket = oss.bucket()
    headers = {
        "content_type": "text/x",
        "x_oss_meta_a": "1",
        "x_oss_tagging": "t=1",
        "x_oss_storage_class": "IA",
    }
    upload, parts = uploaded(bucket, "k", 5, **headers)
    bucket.complete_multipart_upload("k", upload, parts, headers={"x-oss-object-acl": "public-read"})
    head = bucket.head_object("k")
    assert (head.content_type, head.headers["x-oss-meta-a"], head.headers["x-oss-storage-class"]) == (
        "text/x",
        "1",
        "IA",
    )
    assert bucket.get_object_tagging("k").tag_set.tagging_rule == {"t": "1"}
    assert bucket.get_object_acl("k").acl == "public-read"


def test_a_second_complete_finds_no_upload(oss: Running) -> None:
    bucket = oss.bucket()
    upload, parts = uploaded(bucket, "k", 5)
    bucket.complete_multipart_upload("k", upload, parts)
    with pytest.raises(oss2.exceptions.NoSuchUpload) as caught:
        bucket.complete_multipart_upload("k", upload, parts)
    assert caught.value.ec == "0042-00000203"
    ends = {
        "0042-00000104": partial(bucket.upload_part, "k", upload, 1, b"x"),
        "0042-00000311": partial(bucket.upload_part_copy, "src", "k", None, "k", upload, 1),
        "0042-00000002": partial(bucket.list_parts, "k", upload),
    }
    for ec, call in ends.items():
        with pytest.raises(oss2.exceptions.NoSuchUpload) as caught:
            call()
        assert caught.value.ec == ec
    assert refused(bucket.abort_multipart_upload, "k", upload) == (404, "NoSuchUpload")


def test_complete_all_takes_what_is_there_and_no_body(oss: Running) -> None:
    bucket = oss.bucket()
    upload, parts = uploaded(bucket, "k", SMALLEST, SMALLEST, 5)
    everything = {"x-oss-complete-all": "yes"}
    with pytest.raises(oss2.exceptions.ServerError, match="Should not speficy both") as caught:
        bucket.complete_multipart_upload("k", upload, parts, headers=everything)
    assert (caught.value.status, caught.value.ec) == (400, "0042-00000216")
    gap = bucket.init_multipart_upload("gap").upload_id
    bucket.upload_part("gap", gap, 1, b"\1" * SMALLEST)
    bucket.upload_part("gap", gap, 3, b"\3")
    assert bucket.complete_multipart_upload("gap", gap, None, headers=everything).etag.endswith("-2")


def test_wrong_part_lists_are_refused_at_complete(oss: Running) -> None:
    bucket = oss.bucket()
    upload, parts = uploaded(bucket, "k", SMALLEST, SMALLEST - 1, 5)
    first, second, third = ((part.part_number, part.etag) for part in parts)

    def complete(*chosen: tuple[int, str]) -> tuple[int, str]:
        """Not through oss2, which puts the parts in order."""
        lines = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in chosen)
        url = bucket.sign_url("POST", "k", 60, params={"uploadId": upload})
        answer = httpx.post(url, content=f"<CompleteMultipartUpload>{lines}</CompleteMultipartUpload>")
        return answer.status_code, answer.text.partition("<Code>")[2].partition("</Code>")[0]

    assert complete(first, (4, "0" * 32)) == (400, "InvalidPart")
    assert complete((1, second[1]), third) == (400, "InvalidPart")
    assert complete(third, first) == (400, "InvalidPartOrder")
    assert complete(first, first) == (400, "InvalidPartOrder")
    assert complete(first, second, third) == (400, "EntityTooSmall")
    assert complete(first, third) == (200, "")
    assert bucket.head_object("k").content_length == SMALLEST + 5


def test_part_numbers_end_at_10000(oss: Running) -> None:
    bucket = oss.bucket()
    upload, _ = uploaded(bucket, "k")
    bucket.upload_part("k", upload, 10_000, b"x")
    for number in (0, 10_001):
        assert refused(bucket.upload_part, "k", upload, number, b"x") == (400, "InvalidArgument")


def test_parts_and_uploads_are_listed_in_pages(oss: Running) -> None:
    bucket = oss.bucket()
    upload, parts = uploaded(bucket, "k/1", *[1] * 5)
    listed = [part.part_number for part in oss2.PartIterator(bucket, "k/1", upload, max_parts=2)]
    assert listed == [1, 2, 3, 4, 5]
    answer = httpx.get(bucket.sign_url("GET", "k/1", 60, params={"uploadId": upload}))
    assert "<HashCrc64ecma>" in answer.text
    others = [bucket.init_multipart_upload(key).upload_id for key in ("k/1", "k/2", "other")]
    seen = [(item.key, item.upload_id) for item in oss2.MultipartUploadIterator(bucket, max_uploads=1)]
    assert seen == sorted(seen)
    assert {item for _, item in seen} == {upload, *others}
    rolled = oss2.MultipartUploadIterator(bucket, delimiter="/", max_uploads=1)
    assert sorted(item.key for item in rolled) == ["k/", "other"]
    page = bucket.list_multipart_uploads()
    assert (page.is_truncated, page.next_key_marker) == (False, "other")
    assert len(parts) == 5


def test_forbid_overwrite_is_looked_at_when_it_completes(oss: Running) -> None:
    bucket = oss.bucket()
    upload, parts = uploaded(bucket, "k", 5, x_oss_forbid_overwrite="true")
    bucket.put_object("k", b"meanwhile")
    assert refused(bucket.complete_multipart_upload, "k", upload, parts) == (409, "FileAlreadyExists")
    bucket.delete_object("k")
    bucket.complete_multipart_upload("k", upload, parts)


def test_an_aborted_upload_is_gone_and_a_rule_aborts_the_old_ones(oss: Running) -> None:
    bucket = oss.bucket()
    upload, _ = uploaded(bucket, "k", 5)
    bucket.abort_multipart_upload("k", upload)
    assert refused(lambda: bucket.list_parts("k", upload)) == (404, "NoSuchUpload")
    uploaded(bucket, "tmp/k", 5)
    uploaded(bucket, "kept", 5)
    bucket.put_bucket_lifecycle(
        "<LifecycleConfiguration><Rule><ID>r</ID><Prefix>tmp/</Prefix><Status>Enabled</Status>"
        "<AbortMultipartUpload><Days>1</Days></AbortMultipartUpload></Rule></LifecycleConfiguration>"
    )
    assert oss.do(lambda: oss.server.abort_by_lifecycle("src")) == 0
    assert oss.do(lambda: oss.server.abort_by_lifecycle("src", time.time() + 86401)) == 1
    assert [item.key for item in bucket.list_multipart_uploads().upload_list] == ["kept"]


def test_a_part_in_flight_survives_an_abort(oss: Running) -> None:
    """AbortMultipartUpload docs: parts that are being uploaded may stay; abort until nothing is listed."""
    bucket = oss.bucket()
    bucket.put_object("src", b"x")
    upload, _ = uploaded(bucket, "k", 5)
    oss.fail(Fault("UploadPartCopy", answer="delay"))
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(bucket.upload_part_copy, "src", "src", None, "k", upload, 2)
        deadline = time.monotonic() + 10
        while "UploadPartCopy" not in oss.do(oss.server.requests)["operations"]:
            assert time.monotonic() < deadline, "the part never arrived"
        bucket.abort_multipart_upload("k", upload)
        assert late.result().status == 200
    assert [part.part_number for part in bucket.list_parts("k", upload).parts] == [2]
    bucket.abort_multipart_upload("k", upload)
    assert bucket.list_multipart_uploads().upload_list == []


def test_a_bucket_with_open_uploads_cannot_be_deleted(oss: Running) -> None:
    bucket = oss.bucket()
    uploaded(bucket, "k", 5)
    assert refused(bucket.delete_bucket) == (409, "BucketNotEmpty")
