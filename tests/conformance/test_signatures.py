"""Who may ask: V1 and V4, in headers and URLs, with access keys and STS tokens."""

from __future__ import annotations

import time

import httpx
import oss2
import pytest

from tests.cloud.oss.running import Running, refused

VERSIONS = pytest.mark.parametrize("version", ["v1", "v4"])


def sts(oss: Running, version: str, *, seconds: float = 3600, token: str | None = None) -> oss2.Bucket:
    temporary = oss.accounts.issue("acs:ram::1:role/copier", seconds)
    auth = oss2.StsAuth(
        temporary.access_key_id,
        temporary.access_key_secret,
        temporary.security_token if token is None else token,
        auth_version=version,
    )
    return oss2.Bucket(auth, oss.url, "src", region="cn-hangzhou")


@VERSIONS
def test_a_right_signature_is_accepted_whatever_the_key(oss: Running, version: str) -> None:
    bucket = oss.bucket(version=version)
    for key in ("plain", "a b/c+d", "ü/中文 &=?#%", "x/../y", "~-_.!*'()"):
        bucket.put_object(key, key)
        assert bucket.get_object(key).read().decode() == key
        assert bucket.get_object(key, params={"response-content-type": "a/b c"}).content_type == "a/b c"


@VERSIONS
def test_a_wrong_secret_does_not_match(oss: Running, version: str) -> None:
    oss.bucket()
    auth = oss2.make_auth(oss.accounts.owner.access_key_id, "wrong", version)
    bucket = oss2.Bucket(auth, oss.url, "src", region="cn-hangzhou")
    assert refused(lambda: bucket.put_object("k", b"x")) == (403, "SignatureDoesNotMatch")
    url = bucket.sign_url("GET", "k", 60)
    assert httpx.get(url).status_code == 403


@VERSIONS
def test_an_unknown_key_is_named_but_a_missing_bucket_comes_first(oss: Running, version: str) -> None:
    oss.bucket()
    auth = oss2.make_auth("LTAInobody", "wrong", version)
    known = oss2.Bucket(auth, oss.url, "src", region="cn-hangzhou")
    missing = oss2.Bucket(auth, oss.url, "missing", region="cn-hangzhou")
    assert refused(lambda: known.get_object("k")) == (403, "InvalidAccessKeyId")
    assert refused(lambda: missing.get_object("k")) == (404, "NoSuchBucket")
    assert refused(missing.create_bucket) == (403, "InvalidAccessKeyId")


@VERSIONS
def test_temporary_credentials_need_their_token_and_expire(oss: Running, version: str) -> None:
    oss.bucket().put_object("k", b"x")
    assert sts(oss, version).get_object("k").read() == b"x"
    assert httpx.get(sts(oss, version).sign_url("GET", "k", 60)).content == b"x"
    assert refused(lambda: sts(oss, version, token="other").get_object("k")) == (403, "InvalidSecurityToken")
    assert refused(lambda: sts(oss, version, token="").get_object("k")) == (403, "InvalidAccessKeyId")
    assert refused(lambda: sts(oss, version, seconds=-1).get_object("k")) == (403, "SecurityTokenExpired")


@VERSIONS
def test_a_signed_url_serves_its_method_until_it_expires(oss: Running, version: str) -> None:
    bucket = oss.bucket(version=version)
    assert httpx.put(bucket.sign_url("PUT", "k/a b", 60), content=b"x").status_code == 200
    url = bucket.sign_url("GET", "k/a b", 60)
    assert httpx.get(url).content == b"x"
    assert httpx.put(url, content=b"y").status_code == 403
    expired = bucket.sign_url("GET", "k/a b", -20 * 60 if version == "v1" else 1)
    if version == "v1":
        assert "expired" in httpx.get(expired).text
    assert httpx.get(url.replace("k", "other", 1)).status_code in {403, 404}


def test_a_v4_scope_of_another_region_is_refused(oss: Running) -> None:
    oss.bucket()
    owner = oss.accounts.owner
    auth = oss2.AuthV4(owner.access_key_id, owner.access_key_secret)
    bucket = oss2.Bucket(auth, oss.url, "src", region="cn-beijing")
    with pytest.raises(oss2.exceptions.ServerError, match="Invalid signing region") as caught:
        bucket.get_object("k")
    assert caught.value.ec == "0002-00000226"


@VERSIONS
def test_a_clock_that_is_off_by_more_than_15_minutes_is_refused(
    oss: Running, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = oss.bucket(version=version)
    bucket.put_object("k", b"x")
    signatures = oss.server._admission.signatures  # noqa: SLF001 - there is no public way to it
    monkeypatch.setattr(signatures, "_clock", lambda: time.time() + 14 * 60)
    assert bucket.get_object("k").read() == b"x"
    monkeypatch.setattr(signatures, "_clock", lambda: time.time() + 16 * 60)
    assert refused(lambda: bucket.get_object("k")) == (403, "RequestTimeTooSkewed")


def test_nobody_in_particular_reads_and_writes_what_the_acl_lets(oss: Running) -> None:
    bucket = oss.bucket()
    bucket.put_object("k", b"x")
    anyone = oss2.Bucket(oss2.AnonymousAuth(), oss.url, "src")
    assert refused(lambda: anyone.get_object("k")) == (403, "AccessDenied")
    bucket.put_object_acl("k", oss2.OBJECT_ACL_PUBLIC_READ)
    assert anyone.get_object("k").read() == b"x"
    assert refused(lambda: anyone.put_object("k", b"y")) == (403, "AccessDenied")
    bucket.put_bucket_acl(oss2.BUCKET_ACL_PUBLIC_READ_WRITE)
    anyone.put_object("new", b"y")
    assert refused(lambda: anyone.put_bucket_acl(oss2.BUCKET_ACL_PRIVATE)) == (403, "AccessDenied")


def test_a_bucket_of_another_account_is_closed(oss: Running) -> None:
    oss.do(lambda: oss.server.create_bucket("foreign", owner="9999"))
    foreign = oss.bucket("foreign")
    mine = oss.bucket("mine")
    mine.put_object("k", b"x")
    assert refused(lambda: foreign.put_object("k", b"x")) == (403, "AccessDenied")
    assert refused(lambda: foreign.get_object("k")) == (403, "AccessDenied")
    assert refused(lambda: mine.copy_object("foreign", "k", "k2")) == (403, "AccessDenied")
    assert refused(foreign.create_bucket) == (409, "BucketAlreadyExists")


@pytest.mark.parametrize(
    "host", ["localhost", "oss-cn-hangzhou.aliyuncs.com", "oss-cn-hangzhou-internal.aliyuncs.com"]
)
def test_a_virtual_host_names_the_bucket(oss: Running, host: str) -> None:
    bucket = oss.bucket()
    bucket.put_object("a/b c", b"x")
    url = httpx.URL(bucket.sign_url("GET", "a/b c", 60, slash_safe=True))
    assert url.raw_path.startswith(b"/src/")
    target = url.copy_with(raw_path=url.raw_path.removeprefix(b"/src"))
    answer = httpx.get(target, headers={"host": f"src.{host}:{url.port}"})
    assert (answer.status_code, answer.content) == (200, b"x")


def test_where_the_requester_pays_another_account_has_to_say_so(oss: Running) -> None:
    foreign = oss.do(lambda: oss.server.create_bucket("foreign", owner="9999"))
    foreign.acl, foreign.payer = "public-read-write", "Requester"
    bucket, pays = oss.bucket("foreign"), {"x-oss-request-payer": "requester"}
    assert refused(lambda: bucket.put_object("k", b"x")) == (403, "AccessDenied")
    bucket.put_object("k", b"x", headers=pays)
    assert refused(lambda: bucket.get_object("k")) == (403, "AccessDenied")
    assert bucket.get_object("k", headers=pays).read() == b"x"
    mine = oss.bucket()
    assert refused(lambda: mine.copy_object("foreign", "k", "k2")) == (403, "AccessDenied")
    mine.copy_object("foreign", "k", "k2", headers=pays)
    anyone = oss2.Bucket(oss2.AnonymousAuth(), oss.url, "foreign")
    assert refused(lambda: anyone.get_object("k", headers=pays)) == (403, "AccessDenied")  # who would pay?
    mine.put_bucket_request_payment("Requester")
    assert mine.get_bucket_request_payment().payer == "Requester"
    assert mine.get_object("k2").read() == b"x"  # the owner need not say so
