"""What clients that other people wrote assert of OSS, one answer a test.

Each docstring says how sure it is that OSS answers so, and which client asserts it. Where it says only
"clients", that is the suite of an SDK or a tool, and which one is not recorded.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import httpx
import oss2
import pytest

from tests.cloud.oss.running import Running, refused

PART = 100 * 1024


def ask(
    bucket: oss2.Bucket,
    method: str,
    key: str = "",
    params: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> httpx.Response:
    """A request that oss2 has no method for, signed in its URL."""
    signed = dict(headers or {})
    name = key or "\0"  # oss2 signs no URL of a bucket alone
    url = bucket.sign_url(method, name, 60, headers=signed, params=dict(params or {}))
    return httpx.request(method, url, headers=headers, content=body or None)


def text_of(answer: httpx.Response, name: str) -> str | None:
    """The text of this element of a body."""
    return ET.fromstring(answer.content).findtext(name)  # noqa: S314 - our own server's


def upload(bucket: oss2.Bucket, key: str, **headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    made: str = bucket.init_multipart_upload(key, headers=named).upload_id
    return made


# --- copies and parts ---------------------------------------------------------------------------------------


def test_a_part_copied_into_an_encrypted_upload_tells_the_encryption(oss: Running) -> None:
    """Clients; 90 %."""
    bucket = oss.bucket()
    bucket.put_object("k", b"x")
    made = upload(bucket, "up", x_oss_server_side_encryption="AES256")
    copied = bucket.upload_part_copy("src", "k", None, "up", made, 1)
    assert copied.headers["x-oss-server-side-encryption"] == "AES256"


def test_parts_and_objects_answer_with_their_md5(oss: Running) -> None:
    """SDK v2 and ali-oss; 95 %."""
    bucket = oss.bucket()
    digest = oss2.utils.content_md5(b"x")
    assert bucket.put_object("k", b"x").headers["Content-MD5"] == digest
    assert bucket.upload_part("up", upload(bucket, "up"), 1, b"x").headers["Content-MD5"] == digest


def test_a_copy_onto_itself_with_replace_keeps_the_acl_unless_it_is_named(oss: Running) -> None:
    """Clients; 85 %."""
    bucket = oss.bucket()
    bucket.put_object("k", b"x", headers={"x-oss-object-acl": "public-read"})
    replace = {"x-oss-metadata-directive": "REPLACE"}
    bucket.copy_object("src", "k", "k", headers=replace)
    assert bucket.get_object_acl("k").acl == "public-read"
    bucket.copy_object("src", "k", "k", headers={**replace, "x-oss-object-acl": "private"})
    assert bucket.get_object_acl("k").acl == "private"
    bucket.copy_object("src", "k", "other", headers=replace)
    assert bucket.get_object_acl("other").acl == "default"


def test_the_location_of_a_completed_upload_is_percent_encoded(oss: Running) -> None:
    """Clients; 80 %."""
    bucket = oss.bucket()
    key = "a b/ü&.bin"
    made = upload(bucket, key)
    part = oss2.models.PartInfo(1, bucket.upload_part(key, made, 1, b"x").etag)
    done = bucket.complete_multipart_upload(key, made, [part])
    location = ET.fromstring(done.resp.read()).findtext("Location")  # noqa: S314 - our own server's
    assert location is not None
    assert location.endswith("/src/a%20b%2F%C3%BC%26.bin")


def test_a_list_without_parts_has_an_empty_next_marker(oss: Running) -> None:
    """Clients; 80 %."""
    bucket = oss.bucket()
    made = upload(bucket, "k")
    answer = ask(bucket, "GET", "k", {"uploadId": made})
    assert text_of(answer, "NextPartNumberMarker") == ""
    bucket.upload_part("k", made, 7, b"x")
    assert text_of(ask(bucket, "GET", "k", {"uploadId": made}), "NextPartNumberMarker") == "7"


# --- objects ------------------------------------------------------------------------------------------------


def test_a_condition_that_fails_is_named_in_an_element_alone(oss: Running) -> None:
    """ali-oss makes a suffix of its message from it; 95 %."""
    bucket = oss.bucket()
    bucket.put_object("k", b"x")
    with pytest.raises(oss2.exceptions.PreconditionFailed) as caught:
        bucket.get_object("k", headers={"If-Match": "no"})
    assert caught.value.message == "At least one of the pre-conditions you specified did not hold."
    assert caught.value.details["Condition"] == "If-Match"


def test_a_symlink_tells_its_own_type_and_metadata(oss: Running) -> None:
    """Clients; 95 %."""
    bucket = oss.bucket()
    bucket.put_object("k", b"x", headers={"Content-Type": "text/x", "x-oss-meta-a": "1"})
    bucket.put_symlink("k", "link", headers={"Content-Type": "text/y", "x-oss-meta-b": "2"})
    headers = bucket.get_symlink("link").headers
    assert (headers["Content-Type"], headers["x-oss-meta-b"]) == ("text/y", "2")
    assert "x-oss-meta-a" not in headers


def test_a_symlink_to_nothing_says_so_in_these_words(oss: Running) -> None:
    """Clients; 95 %."""
    bucket = oss.bucket()
    bucket.put_symlink("nothing", "link")
    with pytest.raises(oss2.exceptions.ServerError) as caught:
        bucket.get_object("link")
    assert (caught.value.code, caught.value.message) == (
        "SymlinkTargetNotExist",
        "The symlink target object does not exist",
    )


def test_an_empty_acl_of_an_object_means_default(oss: Running) -> None:
    """Clients; 80 %."""
    bucket = oss.bucket()
    bucket.put_object("k", b"x", headers={"x-oss-object-acl": ""})
    assert bucket.get_object_acl("k").acl == "default"
    bucket.put_object_acl("k", "private")
    assert ask(bucket, "PUT", "k", {"acl": ""}, {"x-oss-object-acl": ""}).status_code == 200
    assert bucket.get_object_acl("k").acl == "default"


def test_of_a_second_append_the_acl_counts_and_the_metadata_does_not(oss: Running) -> None:
    """Clients; 80 %."""
    bucket = oss.bucket()
    bucket.append_object("k", 0, b"1", headers={"x-oss-meta-a": "1"})
    more = {"x-oss-object-acl": "public-read", "x-oss-meta-a": "2"}
    bucket.append_object("k", 1, b"2", headers=more)
    assert bucket.get_object_acl("k").acl == "public-read"
    assert bucket.head_object("k").headers["x-oss-meta-a"] == "1"
    bucket.append_object("k", 2, b"3")
    assert bucket.get_object_acl("k").acl == "public-read"


def test_the_meta_of_an_object_can_be_got(oss: Running) -> None:
    """Clients; 90 %."""
    bucket = oss.bucket()
    etag = bucket.put_object("k", b"hello").etag
    answer = ask(bucket, "GET", "k", {"objectMeta": ""})
    assert (answer.status_code, answer.headers["etag"], answer.content) == (200, f'"{etag}"', b"")
    assert bucket.get_object_meta("k").content_length == 5


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("bytes=-0", 416, None),
        ("bytes=1-2,a-c", 206, b"12"),
        ("bytes=1-2,4-5", 206, b"12"),
        ("bytes=a-c,1-2", 200, b"0123456789"),
    ],
)
def test_no_last_bytes_are_no_range_and_of_several_the_first_counts(
    oss: Running, asked: str, status: int, body: bytes | None
) -> None:
    """Clients; 85 %."""
    bucket = oss.bucket()
    bucket.put_object("k", b"0123456789")
    answer = httpx.get(bucket.sign_url("GET", "k", 60), headers={"range": asked})
    assert answer.status_code == status
    assert body is None or answer.content == body


# --- buckets ------------------------------------------------------------------------------------------------


def bucket_request(bucket: oss2.Bucket, method: str, params: dict[str, str], **headers: str) -> Any:
    """A request to the bucket itself, as oss2 signs it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return bucket._do(method, bucket.bucket_name, "", params=params, headers=named)  # noqa: SLF001 - there is no public way to it


def test_a_bucket_can_be_looked_for(oss: Running) -> None:
    """Clients; 95 %."""
    assert bucket_request(oss.bucket(), "HEAD", {}).status == 200
    missing = oss.bucket("missing", create=False)
    assert refused(lambda: bucket_request(missing, "HEAD", {})) == (404, "NoSuchBucket")


def test_an_acl_of_a_bucket_that_is_empty_or_missing_changes_nothing(oss: Running) -> None:
    """Clients; 75 to 85 %. The answer has a Location."""
    bucket = oss.bucket()
    bucket.put_bucket_acl("public-read")
    assert bucket_request(bucket, "PUT", {"acl": ""}).headers["Location"] == "/src"
    bucket_request(bucket, "PUT", {"acl": ""}, x_oss_acl="")
    assert bucket.get_bucket_acl().acl == "public-read"


def test_a_bucket_that_is_put_again_keeps_its_acl(oss: Running) -> None:
    """Clients; 90 %."""
    bucket = oss.bucket()
    bucket.put_bucket_acl("public-read")
    bucket_request(bucket, "PUT", {})
    assert bucket.get_bucket_acl().acl == "public-read"
    bucket.create_bucket("private")
    assert bucket.get_bucket_acl().acl == "private"


def test_what_is_told_of_a_bucket(oss: Running) -> None:
    """Clients; 75 %."""
    bucket = oss.bucket()
    info = bucket_request(bucket, "GET", {"bucketInfo": ""}).read()
    assert ET.fromstring(info).findtext("Bucket/BlockPublicAccess") == "false"  # noqa: S314 - our own server's
    stat = bucket_request(bucket, "GET", {"stat": ""}).read()
    assert ET.fromstring(stat).findtext("LastModifiedTime") == "0"  # noqa: S314 - our own server's
    upload(bucket, "k")
    with pytest.raises(oss2.exceptions.ServerError) as caught:
        bucket.delete_bucket()
    assert caught.value.message == "The bucket has Multipart Uploads."
