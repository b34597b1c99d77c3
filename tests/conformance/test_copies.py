"""CopyObject and UploadPartCopy: headers, conditions, limits, errors and traps (sources: facts.md §1, §7)."""

from __future__ import annotations

import time
from functools import partial

import httpx
import oss2
import pytest

from tests.cloud.conditions import Conditions
from tests.cloud.oss.running import Running, refused
from tests.cloud.readings import Choice

GB = 1024**3
FULL = {
    "Content-Type": "text/x",
    "Cache-Control": "no-cache",
    "Content-Disposition": "inline",
    "Content-Encoding": "identity",
    "Content-Language": "de",
    "Expires": "Wed, 01 Jan 2031 00:00:00 GMT",
    "x-oss-meta-a": "1",
    "x-oss-tagging": "t=1",
    "x-oss-object-acl": "public-read",
    "x-oss-server-side-encryption": "AES256",
}


def seed(oss: Running, key: str, size: int, number: int = 1) -> None:
    oss.do(lambda: oss.server.seed("src", key, size, number))


def test_a_copy_takes_headers_metadata_and_tags_but_not_acl_and_encryption(oss: Running) -> None:
    src, dst = oss.bucket(), oss.bucket("dst")
    put = src.put_object("a b+ü", b"hello", headers=FULL)
    copied = dst.copy_object("src", "a b+ü", "k")
    assert (copied.etag, copied.headers["x-oss-hash-crc64ecma"]) == (put.etag, str(put.crc))
    assert b"<CopyObjectResult>" in copied.resp.read()
    head = dst.head_object("k")
    kept = (
        "Content-Type",
        "Cache-Control",
        "Content-Disposition",
        "Content-Language",
        "Expires",
        "x-oss-meta-a",
    )
    assert {name: head.headers[name] for name in kept} == {name: FULL[name] for name in kept}
    assert dst.get_object_tagging("k").tag_set.tagging_rule == {"t": "1"}
    assert dst.get_object_acl("k").acl == "default"
    assert "x-oss-server-side-encryption" not in head.headers


@pytest.mark.parametrize(("algorithm", "asked"), [("AES256", None), ("KMS", None), ("KMS", "AES256")])
def test_a_copy_is_encrypted_as_asked_or_else_as_the_bucket_says(
    oss: Running, algorithm: str, asked: str | None
) -> None:
    src, dst = oss.bucket(), oss.bucket("dst")
    src.put_object("k", b"hello", headers={"x-oss-server-side-encryption": "SM4"})
    dst.put_bucket_encryption(oss2.models.ServerSideEncryptionRule(algorithm))
    headers = {"x-oss-server-side-encryption": asked} if asked else {}
    copied = dst.copy_object("src", "k", "simple", headers=headers)
    upload = dst.init_multipart_upload("parts", headers=headers)
    dst.upload_part_copy("src", "k", None, "parts", upload.upload_id, 1)
    parts = dst.list_parts("parts", upload.upload_id).parts
    completed = dst.complete_multipart_upload("parts", upload.upload_id, parts)
    answers = [copied, upload, completed, dst.head_object("simple"), dst.head_object("parts")]
    shown = [answer.headers.get("x-oss-server-side-encryption") for answer in answers]
    assert shown == [asked or algorithm] * 5
    assert ("x-oss-server-side-encryption-key-id" in answers[-1].headers) == (shown[-1] == "KMS")


def test_the_directives_replace_metadata_and_tags_separately(oss: Running) -> None:
    src = oss.bucket()
    src.put_object("k", b"x", headers=FULL)
    headers = {"x-oss-metadata-directive": "REPLACE", "x-oss-meta-b": "2"}
    src.copy_object("src", "k", "m", headers=headers)
    head = src.head_object("m")
    assert "x-oss-meta-a" not in head.headers
    assert "Cache-Control" not in head.headers
    assert (head.headers["x-oss-meta-b"], head.content_type) == ("2", "text/x")  # the type stays
    assert src.get_object_tagging("m").tag_set.tagging_rule == {"t": "1"}
    src.copy_object("src", "k", "t", headers={"x-oss-tagging-directive": "Replace", "x-oss-tagging": "u=2"})
    assert src.get_object_tagging("t").tag_set.tagging_rule == {"u": "2"}
    src.copy_object("src", "k", "i", headers={"x-oss-meta-b": "2", "x-oss-tagging": "u=2"})
    assert "x-oss-meta-b" not in src.head_object("i").headers  # COPY ignores what is supplied
    assert src.get_object_tagging("i").tag_set.tagging_rule == {"t": "1"}


def test_a_copy_onto_itself_takes_supplied_metadata_unless_versioned(oss: Running) -> None:
    src = oss.bucket()
    src.put_object("k", b"x", headers={"x-oss-meta-a": "1"})
    src.copy_object("src", "k", "k", headers={"x-oss-meta-b": "2"})
    assert src.head_object("k").headers.get("x-oss-meta-b") == "2"
    src.put_bucket_versioning(oss2.models.BucketVersioningConfig("Enabled"))
    src.copy_object("src", "k", "k", headers={"x-oss-meta-c": "3"})
    assert "x-oss-meta-c" not in src.head_object("k").headers


@pytest.mark.parametrize(("reading", "kept"), [("a", None), ("b", "1")])
def test_a_copy_onto_itself_keeps_what_it_does_not_name_or_not_as_sources_disagree(
    oss: Running, reading: Choice, kept: str | None
) -> None:
    src = oss.bucket()
    src.put_object("k", b"x", headers={"x-oss-meta-a": "1", "Cache-Control": "no-cache", "x-oss-meta-b": "1"})
    oss.conditions(Conditions(readings={"self-copy-metadata": reading}))
    src.copy_object("src", "k", "k", headers={"x-oss-meta-b": "2"})
    head = src.head_object("k").headers
    assert (head.get("x-oss-meta-a"), head["x-oss-meta-b"]) == (kept, "2")
    assert head.get("Cache-Control") == (kept and "no-cache")
    src.copy_object("src", "k", "k", headers={"x-oss-meta-c": "3", "x-oss-metadata-directive": "REPLACE"})
    head = src.head_object("k").headers
    assert ("x-oss-meta-b" in head, head["x-oss-meta-c"]) == (False, "3")


@pytest.mark.parametrize("onto_itself", [True, False])
def test_replaced_metadata_keeps_what_decrypts_an_object_unless_it_is_named(
    oss: Running, onto_itself: bool
) -> None:
    """Asserted by SDK v2's tests."""
    src = oss.bucket()
    client_side = {f"x-oss-meta-client-side-encryption-{name}": name for name in ("key", "start")}
    src.put_object("k", b"x", headers={**client_side, "x-oss-meta-a": "1"})
    named = {"x-oss-metadata-directive": "REPLACE", "x-oss-meta-client-side-encryption-key": "other"}
    name = "k" if onto_itself else "k2"
    src.copy_object("src", "k", name, headers=named)
    head = src.head_object(name).headers
    assert head["x-oss-meta-client-side-encryption-start"] == "start"
    assert head["x-oss-meta-client-side-encryption-key"] == "other"
    assert "x-oss-meta-a" not in head


def test_conditions_on_the_source_fail_as_412_or_304(oss: Running) -> None:
    src = oss.bucket()
    etag = src.put_object("k", b"x").etag
    upload = src.init_multipart_upload("big").upload_id
    past, future = oss2.utils.http_date(int(time.time()) - 60), oss2.utils.http_date(int(time.time()) + 60)
    good = {
        "if-match": f'"{etag}"',
        "if-none-match": "0" * 32,
        "if-unmodified-since": future,
        "if-modified-since": past,
    }
    cases = [(f"x-oss-copy-source-{name}", value, 200) for name, value in good.items()]
    bad = {"if-match": ("0" * 32, 412), "if-unmodified-since": (past, 412)}
    bad |= {"if-none-match": (etag, 304), "if-modified-since": (future, 304)}
    cases += [(f"x-oss-copy-source-{name}", value, status) for name, (value, status) in bad.items()]
    for name, value, status in cases:
        for copy in (
            partial(src.copy_object, "src", "k", "k2"),
            partial(src.upload_part_copy, "src", "k", None, "big", upload, 1),
        ):
            try:
                answered = copy(headers={name: value}).status
            except oss2.exceptions.ServerError as error:
                answered = error.status
            assert answered == status, name
    with pytest.raises(oss2.exceptions.PreconditionFailed) as caught:
        src.copy_object("src", "k", "k2", headers={"x-oss-copy-source-if-match": "no"})
    assert caught.value.details["Condition"] == "If-Match"
    assert caught.value.message == "At least one of the pre-conditions you specified did not hold."


def test_missing_sources_and_regions_apart_are_told(oss: Running) -> None:
    src = oss.bucket()
    assert refused(lambda: src.copy_object("src", "nope", "k")) == (404, "NoSuchKey")
    assert refused(lambda: src.copy_object("nowhere", "k", "k")) == (404, "NoSuchBucket")
    oss.do(lambda: oss.server.create_bucket("far", "cn-shanghai"))
    oss.do(lambda: oss.server.seed("far", "k", 10, 1))
    with pytest.raises(oss2.exceptions.AccessDenied, match="same data center as source object"):
        src.copy_object("far", "k", "k")


def test_size_limits_depend_on_what_changes(oss: Running) -> None:
    src, dst = oss.bucket(), oss.bucket("dst")
    seed(oss, "small", GB)
    seed(oss, "medium", 5 * GB)
    seed(oss, "large", 5 * GB + 1)
    colder = {"x-oss-storage-class": "IA"}
    src.copy_object("src", "large", "shallow")
    dst.copy_object("src", "medium", "k")
    dst.copy_object("src", "small", "k", headers=colder)
    assert refused(lambda: dst.copy_object("src", "large", "k")) == (400, "EntityTooLarge")
    assert refused(lambda: dst.copy_object("src", "medium", "k", headers=colder)) == (400, "EntityTooLarge")
    assert refused(lambda: src.copy_object("src", "medium", "k", headers=colder)) == (400, "EntityTooLarge")


def test_a_range_past_the_end_copies_everything_and_has_no_content_range(oss: Running) -> None:
    src = oss.bucket()
    seed(oss, "k", 1_000_000)
    upload = src.init_multipart_upload("big").upload_id

    def copied(stretch: tuple[int, int | None]) -> tuple[str | None, int]:
        answer = src.upload_part_copy("src", "k", stretch, "big", upload, 1)
        (part,) = src.list_parts("big", upload).parts
        return answer.headers.get("Content-Range"), part.size

    assert copied((0, 199_999)) == ("bytes 0-199999/1000000", 200_000)
    assert copied((900_000, None)) == ("bytes 900000-999999/1000000", 100_000)
    assert copied((900_000, 1_000_000)) == (None, 1_000_000)
    assert copied((1_000_000, 1_000_001)) == (None, 1_000_000)


def test_a_plus_in_the_copy_source_is_a_space(oss: Running) -> None:
    src = oss.bucket()
    src.put_object("a b", b"x")
    url = httpx.URL(src.sign_url("PUT", "k", 60, headers={"x-oss-copy-source": "/src/a+b"}))
    assert httpx.put(url, headers={"x-oss-copy-source": "/src/a+b"}).status_code == 200
    assert src.get_object("k").read() == b"x"


def test_copying_a_link_copies_the_link_and_its_parts_cannot_be_copied(oss: Running) -> None:
    src = oss.bucket()
    src.put_object("target", b"x")
    src.put_symlink("target", "link")
    src.copy_object("src", "link", "link2")
    assert src.get_symlink("link2").target_key == "target"
    upload = src.init_multipart_upload("big").upload_id
    assert refused(lambda: src.upload_part_copy("src", "link", None, "big", upload, 1)) == (
        400,
        "OperationNotSupported",
    )


def test_the_retention_policy_protects_what_is_there(oss: Running) -> None:
    src = oss.bucket()
    src.put_object("k", b"x")
    worm = src.init_bucket_worm(1).worm_id
    src.complete_bucket_worm(worm)
    src.put_object("new", b"x")
    upload = src.init_multipart_upload("k").upload_id
    part = src.upload_part("k", upload, 1, b"y")
    changes = [
        partial(src.put_object, "k", b"y"),
        partial(src.copy_object, "src", "new", "k"),
        partial(src.delete_object, "k"),
        partial(src.batch_delete_objects, ["k"]),
        partial(src.put_symlink, "new", "k"),
        partial(src.complete_multipart_upload, "k", upload, [oss2.models.PartInfo(1, part.etag)]),
    ]
    for change in changes:
        assert refused(change) == (409, "FileImmutable")
    assert src.get_object("k").read() == b"x"


def test_forbid_overwrite_holds_without_versioning_and_is_ignored_with_it(oss: Running) -> None:
    bucket = oss.bucket()
    forbid = {"x-oss-forbid-overwrite": "true"}
    bucket.put_object("k", b"1", headers=forbid)
    assert refused(lambda: bucket.put_object("k", b"2", headers=forbid)) == (409, "FileAlreadyExists")
    bucket.put_bucket_versioning(oss2.models.BucketVersioningConfig("Suspended"))
    bucket.put_object("k", b"3", headers=forbid)
    bucket.copy_object("src", "k", "k", headers=forbid)
    assert bucket.get_object("k").read() == b"3"


def test_a_version_can_be_copied_and_is_named(oss: Running) -> None:
    src = oss.bucket()
    src.put_bucket_versioning(oss2.models.BucketVersioningConfig("Enabled"))
    first = src.put_object("k", b"1").versionid
    src.put_object("k", b"2")
    copied = src.copy_object("src", "k", "old", params={"versionId": first})
    assert copied.headers["x-oss-copy-source-version-id"] == first
    assert copied.headers["x-oss-version-id"] == copied.versionid
    assert src.get_object("old").read() == b"1"
    upload = src.init_multipart_upload("big").upload_id
    src.upload_part_copy("src", "k", None, "big", upload, 1, params={"versionId": first})
    src.complete_multipart_upload("big", upload, src.list_parts("big", upload).parts)
    assert src.get_object("big").read() == b"1"


def test_100_gb_are_copied_in_1600_parts_within_seconds_and_without_disk(oss: Running) -> None:
    src, dst = oss.bucket(), oss.bucket("dst")
    size = 1600 * 64 * 1024**2
    seed(oss, "k", size, 9)
    started = time.process_time()  # the server's thread included; other work on the machine is no part
    upload = dst.init_multipart_upload("k").upload_id
    parts = []
    for number in range(1, 1601):
        start = (number - 1) * 64 * 1024**2
        answer = dst.upload_part_copy("src", "k", (start, start + 64 * 1024**2 - 1), "k", upload, number)
        answer.resp.read()
        parts.append(oss2.models.PartInfo(number, answer.etag))
    dst.complete_multipart_upload("k", upload, parts)
    assert time.process_time() - started < 60
    head, origin = dst.head_object("k"), src.head_object("k")
    assert (head.server_crc, head.content_length) == (origin.server_crc, size)
    assert head.etag.endswith("-1600")
    assert len(oss.server.store.bucket("dst").objects["k"][-1].content.extents) == 1
    assert list(oss.directory.iterdir()) == []
    assert oss.do(oss.server.requests)["bytes_copied"] == size
