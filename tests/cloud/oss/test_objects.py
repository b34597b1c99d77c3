"""Objects: bytes, headers, conditions, ranges, tags, ACL, links, archives."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable

import httpx
import oss2
import pytest

from .protocol import parse
from .running import Running, refused


def test_what_is_put_comes_back_with_its_headers(oss: Running) -> None:
    bucket = oss.bucket()
    headers = {
        "Content-Type": "text/x",
        "Cache-Control": "no-cache",
        "Content-Disposition": "inline",
        "Content-Language": "de",
        "Expires": "Wed, 01 Jan 2031 00:00:00 GMT",
        "x-oss-meta-name": "größe".encode(),
    }
    put = bucket.put_object("k", b"hello", headers=headers)
    assert put.etag == "5D41402ABC4B2A76B9719D911017C592"
    got = bucket.head_object("k")
    for name, value in headers.items():
        shown = got.headers[name]
        assert (shown.encode("latin-1") if isinstance(value, bytes) else shown) == value
    assert (got.server_crc, len(got.request_id), got.object_type) == (put.crc, 24, "Normal")


@pytest.mark.parametrize(
    "write",
    [
        lambda bucket, headers: bucket.put_object("x", b"x", headers=headers),
        lambda bucket, headers: bucket.append_object("x", 0, b"x", headers=headers),
        lambda bucket, headers: bucket.put_symlink("k", "x", headers=headers),
        lambda bucket, headers: bucket.init_multipart_upload("x", headers=headers),
        lambda bucket, headers: bucket.copy_object("src", "k", "x", headers=headers),
        lambda bucket, headers: bucket.copy_object(
            "src", "k", "x", headers={**headers, "x-oss-metadata-directive": "REPLACE"}
        ),
    ],
    ids=["put", "append", "symlink", "initiate", "copy", "copy with REPLACE"],
)
@pytest.mark.parametrize("name", ["my_key", "a.b", "a!b", ""])
def test_names_of_user_metadata_hold_letters_digits_and_hyphens(
    oss: Running, write: Callable[[oss2.Bucket, dict[str, str]], object], name: str
) -> None:
    bucket = oss.bucket()
    bucket.put_object("k", b"x")
    with pytest.raises(oss2.exceptions.ServerError) as caught:
        write(bucket, {f"x-oss-meta-{name}": "1"})
    seen = (caught.value.status, caught.value.code, caught.value.ec)
    assert seen == (400, "InvalidArgument", "0011-00000004")
    assert not bucket.object_exists("x")
    write(bucket, {"x-oss-meta-My-Key2": "1"})


def test_user_metadata_is_limited_to_8_kb(oss: Running) -> None:
    bucket = oss.bucket()
    with pytest.raises(oss2.exceptions.ServerError) as caught:
        bucket.put_object("k", b"x", headers={"x-oss-meta-a": "x" * 8192})
    assert (caught.value.code, caught.value.ec) == ("InvalidArgument", "0011-00000002")


def test_a_large_body_comes_back_whole_and_leaves_the_disk_when_deleted(oss: Running) -> None:
    bucket = oss.bucket()
    data = bytes(range(256)) * 40_000
    bucket.put_object("k", data)
    assert bucket.get_object("k").read() == data
    assert bucket.get_object("k", byte_range=(5_000_000, 5_000_099)).read() == data[5_000_000:5_000_100]
    bucket.delete_object("k")
    assert refused(lambda: bucket.get_object("k")) == (404, "NoSuchKey")


def test_a_missing_key_is_told_on_head_in_a_header(oss: Running) -> None:
    bucket = oss.bucket()
    answer = httpx.head(bucket.sign_url("HEAD", "nope", 60))
    assert answer.status_code == 404
    assert b"<Code>NoSuchKey</Code>" in base64.b64decode(answer.headers["x-oss-err"])
    assert answer.headers["x-oss-ec"] == "0026-00000001"
    assert len(answer.headers["x-oss-request-id"]) == 24


def test_conditions_of_a_read_fail_as_412_or_304(oss: Running) -> None:
    bucket = oss.bucket()
    etag = bucket.put_object("k", b"x").etag
    past, future = oss2.utils.http_date(int(time.time()) - 60), oss2.utils.http_date(int(time.time()) + 60)
    assert bucket.get_object("k", headers={"If-Match": f'"{etag}"', "If-Modified-Since": past}).read() == b"x"
    for headers in ({"If-Match": "0" * 32}, {"If-Unmodified-Since": past}):
        assert refused(bucket.get_object, "k", headers=headers)[0] == 412
    for headers in ({"If-None-Match": etag}, {"If-Modified-Since": future}):
        with pytest.raises(oss2.exceptions.NotModified):
            bucket.get_object("k", headers=headers)


def test_a_range_outside_the_object_gives_all_of_it(oss: Running) -> None:
    bucket = oss.bucket()
    bucket.put_object("k", b"0123456789")
    assert bucket.get_object("k", byte_range=(None, 3)).read() == b"789"
    assert bucket.get_object("k", byte_range=(7, None)).headers["content-range"] == "bytes 7-9/10"
    for past in ("bytes=5-10", "bytes=10-", "bytes=20-30", "bytes=a-b"):
        got = bucket.get_object("k", headers={"Range": past})
        assert (got.status, got.read()) == (200, b"0123456789")
    standard = {"Range": "bytes=5-100", "x-oss-range-behavior": "standard"}
    assert bucket.get_object("k", headers=standard).read() == b"56789"
    standard["Range"] = "bytes=10-"
    assert refused(lambda: bucket.get_object("k", headers=standard)) == (416, "InvalidRange")


def test_a_wrong_content_md5_is_refused_and_nothing_is_stored(oss: Running) -> None:
    bucket = oss.bucket()
    headers = {"Content-MD5": oss2.utils.content_md5(b"other")}
    assert refused(lambda: bucket.put_object("k", b"x", headers=headers)) == (400, "InvalidDigest")
    assert not bucket.object_exists("k")


def test_tags_travel_and_too_many_or_odd_ones_are_refused(oss: Running) -> None:
    bucket = oss.bucket()
    bucket.put_object("k", b"x", headers={"x-oss-tagging": "a=1&%E4%B8%AD=b+c"})
    assert bucket.get_object_tagging("k").tag_set.tagging_rule == {"a": "1", "中": "b c"}
    assert bucket.head_object("k").headers["x-oss-tagging-count"] == "2"
    for wrong in ("&".join(f"k{n}=v" for n in range(11)), "a=1&a=2", "=1", "%25=1"):
        wrong_tags = {"x-oss-tagging": wrong}
        assert refused(bucket.put_object, "k", b"x", headers=wrong_tags) == (400, "InvalidTag")


def test_a_link_shows_its_target(oss: Running) -> None:
    bucket = oss.bucket()
    bucket.put_object("target", b"hello")
    bucket.put_symlink("target", "link", headers={"x-oss-meta-own": "1"})
    head = bucket.head_object("link")
    assert (head.content_length, head.object_type, head.headers["x-oss-meta-own"]) == (5, "Symlink", "1")
    assert bucket.get_object("link").read() == b"hello"
    assert bucket.get_symlink("link").target_key == "target"
    bucket.put_symlink("link", "link2")
    assert refused(lambda: bucket.get_symlink("target")) == (400, "NotSymlink")
    assert refused(lambda: bucket.get_object("link2")) == (400, "InvalidTargetType")
    bucket.delete_object("target")
    assert refused(lambda: bucket.get_object("link")) == (404, "SymlinkTargetNotExist")


def test_an_archived_object_is_read_only_after_it_was_restored(oss: Running) -> None:
    bucket = oss.bucket()
    oss.server.store.restore_seconds = 0.2
    bucket.put_object("k", b"x", headers={"x-oss-storage-class": "Archive"})
    assert refused(lambda: bucket.get_object("k")) == (403, "InvalidObjectState")
    assert refused(lambda: bucket.copy_object("src", "k", "k2")) == (403, "InvalidObjectState")
    assert bucket.restore_object("k").status == 202
    assert refused(lambda: bucket.restore_object("k")) == (409, "RestoreAlreadyInProgress")
    assert bucket.head_object("k").headers["x-oss-restore"] == 'ongoing-request="true"'
    deadline = time.monotonic() + 10
    while "true" in bucket.head_object("k").headers["x-oss-restore"]:
        assert time.monotonic() < deadline, "the restoration never ends"
    assert bucket.get_object("k").read() == b"x"
    assert bucket.restore_object("k").status == 200
    bucket.put_object("plain", b"x")
    assert refused(lambda: bucket.restore_object("plain")) == (400, "OperationNotSupported")


def test_appending_needs_the_right_position_and_an_appendable_object(oss: Running) -> None:
    bucket = oss.bucket()
    first = bucket.append_object("k", 0, b"abc", init_crc=0)
    assert first.next_position == 3
    with pytest.raises(oss2.exceptions.PositionNotEqualToLength) as caught:
        bucket.append_object("k", 0, b"x")
    assert caught.value.next_position == 3
    bucket.append_object("k", 3, b"def", init_crc=first.crc)
    assert bucket.get_object("k").read() == b"abcdef"
    bucket.put_object("plain", b"x")
    assert refused(lambda: bucket.append_object("plain", 1, b"y")) == (409, "ObjectNotAppendable")


def test_listings_page_through_keys_and_prefixes(oss: Running) -> None:
    bucket = oss.bucket()
    keys = [f"{a}/{b}/{c}" for a in "xy" for b in "123" for c in "pq"] + ["top", "x", "é &"]
    for key in keys:
        bucket.put_object(key, b"")
    for size in (1, 2, 3, 100):
        assert [item.key for item in oss2.ObjectIterator(bucket, max_keys=size)] == sorted(keys)
        assert [item.key for item in oss2.ObjectIteratorV2(bucket, max_keys=size)] == sorted(keys)
        folders = [item.key for item in oss2.ObjectIterator(bucket, "x/", delimiter="/", max_keys=size)]
        assert folders == ["x/1/", "x/2/", "x/3/"]
    after = bucket.list_objects_v2(start_after="x/3/q", max_keys=2)
    assert [item.key for item in after.object_list] == ["y/1/p", "y/1/q"]


def test_what_is_not_done_answers_501_with_its_name(oss: Running) -> None:
    bucket = oss.bucket()
    with pytest.raises(oss2.exceptions.ServerError) as caught:
        bucket.get_bucket_cors()
    assert (caught.value.status, caught.value.details["Operation"]) == (501, "GetBucketCors")
    bucket.put_object("k", b"x")
    assert refused(lambda: bucket.get_object("k", process="image/resize,w_1"))[0] == 501
    callback = {"x-oss-callback": "e30="}
    assert refused(lambda: bucket.put_object("k", b"x", headers=callback)) == (501, "NotImplemented")


def test_a_get_that_announces_a_body_and_sends_none_is_answered(oss: Running) -> None:
    bucket = oss.bucket()
    bucket.put_object("k", b"x")
    for _ in range(2):
        assert bucket.get_object("k", headers={"Content-Length": "9"}).read() == b"x"


def test_a_bucket_is_made_found_described_and_deleted(oss: Running) -> None:
    owner = oss.accounts.owner
    bucket = oss.bucket("made-here", create=False)
    bucket.create_bucket(oss2.BUCKET_ACL_PRIVATE, oss2.models.BucketCreateConfig("IA"))
    info = bucket.get_bucket_info()
    assert (info.name, info.storage_class, info.location) == ("made-here", "IA", "oss-cn-hangzhou")
    service = oss2.Service(oss2.Auth(owner.access_key_id, owner.access_key_secret), oss.url)
    (found,) = service.list_buckets(prefix="made-").buckets
    assert f"http://{found.extranet_endpoint}" == oss.url
    bucket.put_object("k", b"x")
    assert refused(bucket.delete_bucket) == (409, "BucketNotEmpty")
    bucket.delete_object("k")
    bucket.delete_bucket()
    assert refused(bucket.get_bucket_info) == (404, "NoSuchBucket")


def test_a_form_uploads_what_its_policy_allows(oss: Running) -> None:
    bucket = oss.bucket()
    owner = oss.accounts.owner

    def post(
        expiration: str = "2099-01-01T00:00:00.000Z", secret: str = owner.access_key_secret
    ) -> httpx.Response:
        conditions = [{"bucket": "src"}, ["starts-with", "$key", "up/"], ["content-length-range", 0, 10]]
        policy = base64.b64encode(json.dumps({"expiration": expiration, "conditions": conditions}).encode())
        signature = base64.b64encode(hmac.digest(secret.encode(), policy, "sha1"))
        fields = {"key": "up/${filename}", "policy": policy.decode(), "Signature": signature.decode()}
        fields |= {"OSSAccessKeyId": owner.access_key_id, "x-oss-meta-a": "1", "success_action_status": "201"}
        return httpx.post(
            f"{oss.url}/src", data=fields, files={"file": ("k.txt", b"hel\r\nlo", "text/plain")}
        )

    assert post().status_code == 201
    got = bucket.get_object("up/k.txt")
    assert (got.read(), got.content_type, got.headers["x-oss-meta-a"]) == (b"hel\r\nlo", "text/plain", "1")
    assert oss.events[-1].name == "ObjectCreated:PostObject"
    assert "Policy expired" in post("2020-01-01T00:00:00.000Z").text
    assert "SignatureDoesNotMatch" in post(secret="wrong").text
    assert httpx.post(f"{oss.url}/src", data={"key": "k"}, files={"file": b"x"}).status_code == 403


@pytest.mark.parametrize(
    ("host", "bucket", "key"),
    [
        ("localhost:1", "src", "a/b"),
        ("src.localhost:1", "src", "src/a/b"),
        ("oss.localhost:1", "src", "a/b"),
        ("src.oss.localhost:1", "src", "src/a/b"),
        ("src.oss.localhost", "src", "src/a/b"),
        ("src.oss-cn-hangzhou-internal.aliyuncs.com", "src", "src/a/b"),
        ("oss-cn-hangzhou.aliyuncs.com", "src", "a/b"),
        ("127.0.0.1:1", "src", "a/b"),
        ("other.example", "src", "a/b"),
    ],
)
def test_a_host_that_has_a_name_may_name_the_bucket(host: str, bucket: str, key: str) -> None:
    request = parse("GET", b"/src/a%2Fb", b"", {b"host": host.encode()}, "", "oss.localhost")
    assert (request.bucket, request.key, request.virtual) == (bucket, key, key.startswith("src/"))
