"""What clients that other people wrote assert of OSS, one answer a test.

Each docstring says how sure it is that OSS answers so, and which client asserts it. Where it says only
"clients", that is the suite of an SDK or a tool, and which one is not recorded.
"""

from __future__ import annotations

import base64
import calendar
import hashlib
import hmac
import socket
import time
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import httpx
import oss2
import pytest

from tests.cloud.oss.running import Running, refused


def ask(
    bucket: oss2.Bucket,
    method: str,
    key: str,
    params: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> httpx.Response:
    """A request that oss2 has no method for, signed in its URL."""
    signed = dict(headers or {})
    url = bucket.sign_url(method, key, 60, headers=signed, params=dict(params or {}))
    return httpx.request(method, url, headers=headers, content=body or None)


def text_of(answer: httpx.Response, name: str) -> str | None:
    """The text of this element of a body."""
    return ET.fromstring(answer.content).findtext(name)  # noqa: S314 - our own server's


def delete_several(bucket: oss2.Bucket, body: bytes, **headers: str) -> bytes:
    """DeleteMultipleObjects with this body, which oss2 would make itself; the body of the answer."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent["Content-MD5"] = oss2.utils.content_md5(body)
    answer = bucket._do("POST", bucket.bucket_name, "", params={"delete": ""}, data=body, headers=sent)  # noqa: SLF001 - there is no public way to it
    told: bytes = answer.read()
    return told


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


def test_a_put_takes_no_condition_of_a_read(oss: Running) -> None:
    """Clients; 80 %, the code is a guess."""
    bucket = oss.bucket()
    for name in ("If-Modified-Since", "If-Unmodified-Since", "If-Match", "If-None-Match"):
        assert refused(bucket.put_object, "k", b"x", headers={name: "x"})[0] >= 400
    assert not bucket.object_exists("k")


def test_an_upload_without_parts_is_completed_to_an_empty_object(oss: Running) -> None:
    """Clients; 95 %."""
    bucket = oss.bucket()
    made = upload(bucket, "k", x_oss_meta_a="1")
    body = b"<CompleteMultipartUpload></CompleteMultipartUpload>"
    assert ask(bucket, "POST", "k", {"uploadId": made}, body=body).status_code == 200
    head = bucket.head_object("k")
    assert (head.content_length, head.object_type, head.headers["x-oss-meta-a"]) == (0, "Multipart", "1")
    assert bucket.list_multipart_uploads().upload_list == []


def test_parts_that_do_not_make_up_what_a_client_encrypted_are_not_completed(oss: Running) -> None:
    """Clients; 75 %, the code is a guess."""
    bucket = oss.bucket()
    size = {"x-oss-meta-client-side-encryption-data-size": "2"}
    made = bucket.init_multipart_upload("k", headers=size).upload_id
    part = oss2.models.PartInfo(1, bucket.upload_part("k", made, 1, b"x").etag)
    assert refused(bucket.complete_multipart_upload, "k", made, [part])[0] == 400
    part = oss2.models.PartInfo(1, bucket.upload_part("k", made, 1, b"xy").etag)
    bucket.complete_multipart_upload("k", made, [part])


@pytest.mark.parametrize(
    ("key_id", "taken"),
    [
        ("9468da86-3509-4f8d-a61e-6eab1eac372a", True),
        ("key-hzz62f1cb66fa42qo2i1v", True),
        ("alias/mine", True),
        ("not a key", False),
        ("123", False),
    ],
)
def test_a_kms_key_id_that_cannot_be_one_is_refused(oss: Running, key_id: str, taken: bool) -> None:
    """Clients; 80 %, the code is a guess. That buckets take any is asserted by oss2."""
    bucket = oss.bucket()
    headers = {"x-oss-server-side-encryption": "KMS", "x-oss-server-side-encryption-key-id": key_id}
    if taken:
        assert bucket.put_object("k", b"x", headers=headers).status == 200
    else:
        assert refused(bucket.put_object, "k", b"x", headers=headers)[0] == 400
    rule = oss2.models.ServerSideEncryptionRule("KMS", key_id)
    bucket.put_bucket_encryption(rule)


@pytest.mark.parametrize(("storage_class", "longest"), [("Archive", 7), ("ColdArchive", 365)])
def test_a_restoration_lasts_no_longer_than_its_class_allows(
    oss: Running, storage_class: str, longest: int
) -> None:
    """Clients, 80 %; the limits are documented."""
    bucket = oss.bucket()
    bucket.put_object("k", b"x", headers={"x-oss-storage-class": storage_class})

    def restore(days: int) -> int:
        body = f"<RestoreRequest><Days>{days}</Days></RestoreRequest>".encode()
        return ask(bucket, "POST", "k", {"restore": ""}, body=body).status_code

    assert (restore(longest + 1), restore(longest)) == (400, 202)


def test_a_traffic_limit_tells_how_long_it_delayed(oss: Running) -> None:
    """Clients; 85 %."""
    bucket = oss.bucket()
    limit = {"x-oss-traffic-limit": "819200"}
    put = bucket.put_object("k", bytes(50 * 1024), headers=limit)
    assert 400 <= int(put.headers["x-oss-qos-delay-time"]) < 10_000
    assert int(bucket.get_object("k", headers=limit).headers["x-oss-qos-delay-time"]) >= 400
    assert "x-oss-qos-delay-time" not in bucket.head_object("k").headers


# --- what is sent -------------------------------------------------------------------------------------------


def test_a_date_alone_is_signed_by_v4_as_it_stands(oss: Running) -> None:
    """The text that ossutil signs; 95 %."""
    owner, date = oss.accounts.owner, oss2.utils.http_date()
    oss.bucket().put_object("k", b"x")
    day = time.strftime("%Y%m%d", time.gmtime())
    scope = f"{day}/cn-hangzhou/oss/aliyun_v4_request"
    canonical = "GET\n/src/k\n\nx-oss-content-sha256:UNSIGNED-PAYLOAD\n\n\nUNSIGNED-PAYLOAD"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"OSS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}"
    key = f"aliyun_v4{owner.access_key_secret}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    headers = {
        "date": date,
        "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
        "authorization": f"OSS4-HMAC-SHA256 Credential={owner.access_key_id}/{scope},Signature={signature}",
    }
    answer = httpx.get(f"{oss.url}/src/k", headers=headers)
    assert (answer.status_code, answer.content) == (200, b"x"), answer.text


def test_a_signed_header_that_is_missing_from_a_v4_url_is_named(oss: Running) -> None:
    """Clients; 85 %."""
    bucket = oss.bucket()
    bucket.put_object("k", b"x")
    url = bucket.sign_url("GET", "k", 60, headers={"x-a": "1"}, additional_headers=["x-a"])
    assert httpx.get(url, headers={"x-a": "1"}).status_code == 200
    answer = httpx.get(url)
    assert (answer.status_code, text_of(answer, "Code")) == (400, "InvalidArgument")


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_an_ordinary_key_with_a_token_is_no_key(oss: Running, version: str) -> None:
    """Clients; 75 %."""
    owner = oss.accounts.owner
    auth = oss2.StsAuth(owner.access_key_id, owner.access_key_secret, "foreign", auth_version=version)
    oss.bucket()
    bucket = oss2.Bucket(auth, oss.url, "src", region="cn-hangzhou")
    assert refused(lambda: bucket.get_object("k")) == (403, "InvalidAccessKeyId")


def test_a_clock_that_is_off_is_told_both_times(oss: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients; 95 %."""
    bucket = oss.bucket()
    signatures = oss.server._admission.signatures  # noqa: SLF001 - there is no public way to it
    monkeypatch.setattr(signatures, "_clock", lambda: time.time() + 16 * 60)
    with pytest.raises(oss2.exceptions.ServerError) as caught:
        bucket.get_object("k")
    times = [caught.value.details[name] for name in ("RequestTime", "ServerTime")]
    first, second = (calendar.timegm(time.strptime(each, "%Y-%m-%dT%H:%M:%S.000Z")) for each in times)
    assert 15 * 60 < second - first < 17 * 60


def test_a_key_that_is_no_utf_8_is_an_invalid_argument(oss: Running) -> None:
    """Clients; 90 %."""
    oss.bucket()
    answer = httpx.get(f"{oss.url}/src/%ff%fe")
    assert (answer.status_code, text_of(answer, "Code")) == (400, "InvalidArgument")


def test_a_body_may_be_chunked_and_have_a_length_as_well(oss: Running) -> None:
    """ali-oss streams so; 95 %."""
    bucket = oss.bucket()
    url = httpx.URL(bucket.sign_url("PUT", "k", 60))
    head = (
        f"PUT {url.raw_path.decode()} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nContent-Length: 5\r\n"
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )
    with socket.create_connection((url.host, url.port or 80)) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200")
    assert bucket.get_object("k").read() == b"hello"


def test_a_document_may_begin_with_white_space(oss: Running) -> None:
    """Clients; 95 %."""
    bucket = oss.bucket()
    bucket.put_object("k", b"x")
    body = b'\n  <?xml version="1.0"?><Delete><Object><Key>k</Key></Object></Delete>'
    delete_several(bucket, body)
    assert not bucket.object_exists("k")


@pytest.mark.parametrize("reference", ["&#x1;", "&#1;", "&#x1F;", "&#31;"])
def test_keys_to_delete_may_hold_control_characters_as_references(oss: Running, reference: str) -> None:
    """SDK v2 and ali-oss; 95 %."""
    bucket = oss.bucket()
    key = f"a{chr(int(reference.strip('&#;x'), 16 if 'x' in reference else 10))}b"
    bucket.put_object(key, b"x")
    body = f"<Delete><Object><Key>a{reference}b</Key></Object></Delete>".encode()
    answer = delete_several(bucket, body, Encoding_type="url")
    assert not bucket.object_exists(key)
    assert ET.fromstring(answer).findtext("Deleted/Key") == quote(key)  # noqa: S314 - our own server's


def sign_v1(oss: Running, method: str, resource: str, date: str) -> str:
    """The Authorization of a request without body, type and headers of OSS's, as V1 has it."""
    owner = oss.accounts.owner
    to_sign = f"{method}\n\n\n{date}\n{resource}"
    digest = hmac.digest(owner.access_key_secret.encode(), to_sign.encode(), "sha1")
    return f"OSS {owner.access_key_id}:{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("method", "name"), [("POST", "seal"), ("POST", "cleanRestoredObject"), ("GET", "processConf")]
)
def test_v1_signs_this_parameter(oss: Running, method: str, name: str) -> None:
    """SDK v2 signs `seal` and `cleanRestoredObject` by V1, `processConf` is documented; 75 %."""
    oss.bucket().put_object("k", b"x")
    date = oss2.utils.http_date()

    def code(resource: str) -> str | None:
        headers = {"date": date, "authorization": sign_v1(oss, method, resource, date)}
        answer = httpx.request(method, f"{oss.url}/src/k?{name}", headers=headers)
        return None if answer.status_code == 200 else text_of(answer, "Code")

    assert code(f"/src/k?{name}") == (None if name == "processConf" else "NotImplemented")
    assert code("/src/k") == "SignatureDoesNotMatch"


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_a_seal_is_known_by_its_subresource_and_not_done(oss: Running, version: str) -> None:
    """SDK v2 seals an appendable object so; 75 %. Nothing is silently accepted."""
    bucket = oss.bucket(version=version)
    bucket.append_object("k", 0, b"x")
    if version == "v1":
        date = oss2.utils.http_date()
        signed = {"date": date, "authorization": sign_v1(oss, "POST", "/src/k?position=1&seal", date)}
        answer = httpx.post(f"{oss.url}/src/k?seal&position=1", headers=signed)
    else:
        answer = ask(bucket, "POST", "k", {"seal": "", "position": "1"})
    assert (answer.status_code, text_of(answer, "Code")) == (501, "NotImplemented"), answer.text
    assert text_of(answer, "Operation") == "SealAppendObject"
    assert bucket.get_object("k").read() == b"x"


def test_a_list_of_buckets_tells_tags_if_it_is_asked_to(oss: Running) -> None:
    """Clients; 75 %."""
    rule = oss2.models.TaggingRule()
    rule.add("a", "b")
    oss.bucket().put_bucket_tagging(oss2.models.Tagging(rule))
    owner = oss.accounts.owner
    service = oss2.Service(oss2.Auth(owner.access_key_id, owner.access_key_secret), oss.url)
    for params, tag in (({"tagging": ""}, "a"), ({}, None)):
        listed = service._do("GET", "", "", params=params).read()  # noqa: SLF001 - there is no public way to it
        found = ET.fromstring(listed).findtext("Buckets/Bucket/Tagging/TagSet/Tag/Key")  # noqa: S314 - our own server's
        assert found == tag


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


@pytest.mark.parametrize(
    ("one", "other", "refusal"),
    [
        ("<Prefix>a/</Prefix>", "<Prefix>a/b/</Prefix>", True),
        ("<Prefix>a/</Prefix>", "<Prefix>b/</Prefix>", False),
        ("<Prefix></Prefix>", "<Prefix>b/</Prefix>", True),
        (
            "<Prefix>a/</Prefix><Tag><Key>t</Key><Value>1</Value></Tag>",
            "<Prefix>a/</Prefix><Tag><Key>t</Key><Value>1</Value></Tag>",
            True,
        ),
        (
            "<Prefix>a/</Prefix><Tag><Key>t</Key><Value>1</Value></Tag>",
            "<Prefix>a/</Prefix><Tag><Key>t</Key><Value>2</Value></Tag>",
            False,
        ),
    ],
)
@pytest.mark.parametrize(
    "action",
    [
        "<Expiration><Days>9</Days></Expiration>",
        "<NoncurrentVersionExpiration><NoncurrentDays>9</NoncurrentDays></NoncurrentVersionExpiration>",
    ],
)
def test_lifecycle_rules_that_overlap_are_refused_unless_that_is_allowed(
    oss: Running, action: str, one: str, other: str, refusal: bool
) -> None:
    """Clients; 75 %."""
    bucket = oss.bucket()
    rules = "".join(
        f"<Rule><ID>{number}</ID>{where}<Status>Enabled</Status>{action}</Rule>"
        for number, where in enumerate((one, other))
    )
    document = f"<LifecycleConfiguration>{rules}</LifecycleConfiguration>"
    if refusal:
        assert refused(lambda: bucket.put_bucket_lifecycle(document)) == (400, "InvalidArgument")
    allowed = {"x-oss-allow-same-action-overlap": "true"} if refusal else {}
    bucket.put_bucket_lifecycle(document, headers=allowed)


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
