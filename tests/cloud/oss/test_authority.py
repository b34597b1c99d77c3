"""What a role with a policy may do: each operation needs exactly the actions that OSS documents for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import oss2
import pytest

from tests.cloud import ram
from tests.cloud.ram import Policy, Statement

from . import authority
from .operations import COPY_OBJECT, LIST_OBJECTS_V2, TABLE, UPLOAD_PART_COPY, not_implemented
from .protocol import Body, Call
from .running import Running, refused

ROLE = "acs:ram::1234567890123456:role/copier"
Act = Callable[["Stage"], object]


class Stage:
    """A bucket as a role sees it, and what the owner has put there."""

    def __init__(self, oss: Running) -> None:
        self.oss = oss
        self.own = oss.bucket("src")
        self.own_destination = oss.bucket("dst")
        self.own.put_object("k", b"bytes", {"x-oss-tagging": "a=b"})
        self.own.put_object("plain", b"bytes")
        self.own.put_object("cold", b"bytes", {"x-oss-storage-class": "Archive"})
        self.own.put_symlink("plain", "link")
        versions = oss.bucket("versions")
        config = oss2.models.BucketVersioningConfig()
        config.status = "Enabled"
        versions.put_bucket_versioning(config)
        self.version: str = versions.put_object("k", b"bytes", {"x-oss-tagging": "a=b"}).versionid
        self.cold: str = versions.put_object("cold", b"b", {"x-oss-storage-class": "Archive"}).versionid
        self.own_vault = oss.bucket("vault")  # encrypts with KMS what does not say otherwise
        self.own_vault.put_bucket_encryption(oss2.models.ServerSideEncryptionRule("KMS"))
        self.own_vault.put_object("k", b"bytes")
        self.vault_upload: str = self.own_vault.init_multipart_upload("up").upload_id
        self.upload: str = self.own_destination.init_multipart_upload("up").upload_id
        self.part = self.own_destination.upload_part("up", self.upload, 1, b"part")
        self.credentials = oss.accounts.issue(ROLE)
        self.src, self.dst, self.versions = self.bucket("src"), self.bucket("dst"), self.bucket("versions")
        self.vault = self.bucket("vault")

    def bucket(self, name: str) -> Any:
        who = self.credentials
        auth = oss2.StsAuth(who.access_key_id, who.access_key_secret, who.security_token, auth_version="v4")
        return oss2.Bucket(auth, self.oss.url, name, region="cn-hangzhou")

    def allow(self, needed: set[str]) -> None:
        """`{"src/*:oss:GetObject"}`: this action on this resource."""
        pairs = [each.split(":", 1) for each in needed]
        said = tuple(
            Statement("Allow", action, "*" if at == "*" else f"acs:oss:*:*:{at}") for at, action in pairs
        )
        self.oss.do(lambda: self.oss.accounts.policies.put("copier", Policy(statement=said)))


@pytest.fixture
def stage(oss: Running) -> Stage:
    return Stage(oss)


COPY = {"src/*:oss:GetObject", "dst/*:oss:PutObject"}
TAGS = {"src/*:oss:GetObjectTagging", "dst/*:oss:PutObjectTagging"}
KMS = {"*:kms:GenerateDataKey", "*:kms:Decrypt"}


def copy(stage: Stage, key: str, **headers: str) -> object:
    named = {"x-oss-" + name.replace("_", "-"): value for name, value in headers.items()}
    return stage.dst.copy_object("src", key, "x", named)


def delete_several(stage: Stage) -> object:
    return stage.dst.batch_delete_objects(["a", "b"])


CASES: dict[str, tuple[Act, set[str]]] = {
    "get": (lambda s: s.src.get_object("k"), {"src/*:oss:GetObject"}),
    "head": (lambda s: s.src.head_object("k"), {"src/*:oss:GetObject"}),
    "meta": (lambda s: s.src.get_object_meta("k"), {"src/*:oss:GetObject"}),
    "symlink": (lambda s: s.src.get_symlink("link"), {"src/*:oss:GetObject"}),
    "head of a version": (
        lambda s: s.versions.head_object("k", params={"versionId": s.version}),
        {"versions/*:oss:GetObject", "versions/*:oss:GetObjectVersion"},
    ),
    "tags": (lambda s: s.src.get_object_tagging("k"), {"src/*:oss:GetObjectTagging"}),
    "tags of a version": (
        lambda s: s.versions.get_object_tagging("k", params={"versionId": s.version}),
        {"versions/*:oss:GetObjectTagging", "versions/*:oss:GetObjectVersionTagging"},
    ),
    "ACL": (lambda s: s.src.get_object_acl("k"), {"src/*:oss:GetObjectAcl"}),
    "ACL of a version": (
        lambda s: s.versions.get_object_acl("k", params={"versionId": s.version}),
        {"versions/*:oss:GetObjectAcl", "versions/*:oss:GetObjectVersionAcl"},
    ),
    "restore": (lambda s: s.src.restore_object("cold"), {"src/*:oss:RestoreObject"}),
    "restore of a version": (
        lambda s: s.versions.restore_object("cold", params={"versionId": s.cold}),
        {"versions/*:oss:RestoreObject", "versions/*:oss:RestoreObjectVersion"},
    ),
    "put": (lambda s: s.dst.put_object("x", b""), {"dst/*:oss:PutObject"}),
    "put with tags": (
        lambda s: s.dst.put_object("x", b"", {"x-oss-tagging": "a=b"}),
        {"dst/*:oss:PutObject", "dst/*:oss:PutObjectTagging"},
    ),
    "put with an ACL": (
        lambda s: s.dst.put_object("x", b"", {"x-oss-object-acl": "private"}),
        {"dst/*:oss:PutObject", "dst/*:oss:PutObjectAcl"},
    ),
    "put encrypted with KMS": (
        lambda s: s.dst.put_object("x", b"", {"x-oss-server-side-encryption": "KMS"}),
        {"dst/*:oss:PutObject", *KMS},
    ),
    "put into a bucket that encrypts with KMS": (
        lambda s: s.vault.put_object("x", b""),
        {"vault/*:oss:PutObject", *KMS},
    ),
    "put with another encryption than the bucket's": (
        lambda s: s.vault.put_object("x", b"", {"x-oss-server-side-encryption": "AES256"}),
        {"vault/*:oss:PutObject"},
    ),
    "append to a bucket that encrypts with KMS": (
        lambda s: s.vault.append_object("x", 0, b"1"),
        {"vault/*:oss:PutObject", *KMS},
    ),
    "get of what is encrypted with KMS": (
        lambda s: s.vault.get_object("k"),
        {"vault/*:oss:GetObject", "*:kms:Decrypt"},
    ),
    "head of what is encrypted with KMS": (lambda s: s.vault.head_object("k"), {"vault/*:oss:GetObject"}),
    "append": (lambda s: s.dst.append_object("x", 0, b"1"), {"dst/*:oss:PutObject"}),
    "delete": (lambda s: s.dst.delete_object("x"), {"dst/*:oss:DeleteObject"}),
    "delete of a version": (
        lambda s: s.versions.delete_object("k", params={"versionId": s.version}),
        {"versions/*:oss:DeleteObjectVersion"},
    ),
    "delete of several": (delete_several, {"dst/a:oss:DeleteObject", "dst/b:oss:DeleteObject"}),
    "copy": (lambda s: copy(s, "plain"), COPY),
    "copy with tags": (lambda s: copy(s, "k"), COPY | TAGS),
    "copy with other tags": (
        lambda s: copy(s, "k", tagging="c=d", tagging_directive="Replace"),
        COPY | {"dst/*:oss:PutObjectTagging"},
    ),
    "copy without tags": (lambda s: copy(s, "k", tagging_directive="Replace"), COPY),
    "copy with an ACL": (
        lambda s: copy(s, "plain", object_acl="private"),
        COPY | {"dst/*:oss:PutObjectAcl"},
    ),
    "copy of a version": (
        lambda s: s.dst.copy_object("versions", "k", "x", params={"versionId": s.version}),
        {
            "versions/*:oss:GetObject",
            "versions/*:oss:GetObjectVersion",
            "versions/*:oss:GetObjectTagging",
            "versions/*:oss:GetObjectVersionTagging",
            "dst/*:oss:PutObject",
            "dst/*:oss:PutObjectTagging",
        },
    ),
    "copy of a part": (
        lambda s: s.dst.upload_part_copy("src", "k", None, "up", s.upload, 2),
        COPY,
    ),
    "copy of what is encrypted with KMS": (
        lambda s: s.dst.copy_object("vault", "k", "x"),
        {"vault/*:oss:GetObject", "dst/*:oss:PutObject", "*:kms:Decrypt"},
    ),
    "copy of a part of what is encrypted with KMS": (
        lambda s: s.dst.upload_part_copy("vault", "k", None, "up", s.upload, 2),
        {"vault/*:oss:GetObject", "dst/*:oss:PutObject", "*:kms:Decrypt"},
    ),
    "copy into a bucket that encrypts with KMS": (
        lambda s: s.vault.copy_object("src", "plain", "x"),
        {"src/*:oss:GetObject", "vault/*:oss:PutObject", *KMS},
    ),
    "copy of a part into a bucket that encrypts with KMS": (
        lambda s: s.vault.upload_part_copy("src", "plain", None, "up", s.vault_upload, 1),
        {"src/*:oss:GetObject", "vault/*:oss:PutObject", *KMS},
    ),
    "initiate in a bucket that encrypts with KMS": (
        lambda s: s.vault.init_multipart_upload("x"),
        {"vault/*:oss:PutObject", *KMS},
    ),
    "initiate": (lambda s: s.dst.init_multipart_upload("x"), {"dst/*:oss:PutObject"}),
    "upload of a part": (lambda s: s.dst.upload_part("up", s.upload, 2, b""), {"dst/*:oss:PutObject"}),
    "list of parts": (lambda s: s.dst.list_parts("up", s.upload), {"dst/*:oss:ListParts"}),
    "complete": (
        lambda s: s.dst.complete_multipart_upload(
            "up", s.upload, [oss2.models.PartInfo(1, s.part.etag)], {"x-oss-object-acl": "private"}
        ),
        {"dst/*:oss:PutObject", "dst/*:oss:PutObjectAcl"},
    ),
    "abort": (
        lambda s: s.dst.abort_multipart_upload("up", s.upload),
        {"dst/*:oss:AbortMultipartUpload"},
    ),
    "list of uploads": (lambda s: s.dst.list_multipart_uploads(), {"dst:oss:ListMultipartUploads"}),
    "list": (lambda s: s.src.list_objects_v2(), {"src:oss:ListObjects"}),
    "versions": (lambda s: s.src.list_object_versions(), {"src:oss:ListObjectVersions"}),
    "bucket info": (lambda s: s.src.get_bucket_info(), {"src:oss:GetBucketInfo"}),
    "new bucket": (
        lambda s: s.bucket("fresh").create_bucket("private"),
        {"fresh:oss:PutBucket", "fresh:oss:PutBucketAcl"},
    ),
    "buckets": (
        lambda s: oss2.Service(s.src.auth, s.oss.url, region="cn-hangzhou").list_buckets(),
        {"*:oss:ListBuckets"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_operation_needs_exactly_these_actions(stage: Stage, name: str) -> None:
    act, needed = CASES[name]
    for missing in sorted(needed):
        stage.allow(needed - {missing} | {"nothing:oss:GetObject"})
        assert refused(act, stage) == (403, "AccessDenied"), f"it works without {missing}"
    stage.allow(needed)
    act(stage)


def test_every_operation_that_is_done_has_its_actions(stage: Stage) -> None:
    done = {
        (level, each.name) for (level, _, _), each in TABLE.items() if each.handler is not not_implemented
    }
    done |= {
        ("object", COPY_OBJECT.name),
        ("object", UPLOAD_PART_COPY.name),
        ("bucket", LIST_OBJECTS_V2.name),
    }
    for level, name in sorted(done - {("bucket", "PostObject")}):
        call = Call(
            operation=name,
            bucket="" if level == "service" else "src",
            key="k" if level == "object" else "",
            params={},
            headers={b"x-oss-copy-source": b"/src/k"},
            body=Body(),
            request_id="",
            principal=ROLE,
            source_ip="",
        )
        if name != "DeleteMultipleObjects":
            assert list(authority.needs(stage.oss.server.store, call)), name


def test_the_number_of_tags_is_shown_to_who_may_read_them(stage: Stage) -> None:
    stage.allow({"src/*:oss:GetObject"})
    assert "x-oss-tagging-count" not in stage.src.head_object("k").headers
    assert "x-oss-tagging-count" not in stage.src.get_object("k").headers
    stage.allow({"src/*:oss:GetObject", "src/*:oss:GetObjectTagging"})
    assert stage.src.head_object("k").headers["x-oss-tagging-count"] == "1"


def test_the_number_of_tags_is_not_shown_to_strangers_unless_the_bucket_grants_it(stage: Stage) -> None:
    foreign = stage.oss.do(lambda: stage.oss.server.create_bucket("foreign", owner="9999"))
    foreign.acl = "public-read-write"
    bucket, anyone = stage.oss.bucket("foreign"), oss2.Bucket(oss2.AnonymousAuth(), stage.oss.url, "foreign")
    bucket.put_object("k", b"x", {"x-oss-tagging": "a=b"})
    for who in (bucket, anyone):
        assert "x-oss-tagging-count" not in who.head_object("k").headers
        assert "x-oss-tagging-count" not in who.get_object("k").headers
    foreign.granted = True
    assert bucket.head_object("k").headers["x-oss-tagging-count"] == "1"


def test_a_refusal_is_worded_as_by_oss(stage: Stage) -> None:
    stage.allow({"nothing:oss:GetObject"})
    with pytest.raises(oss2.exceptions.AccessDenied) as of_object:
        stage.src.get_object("k")
    assert (of_object.value.message, of_object.value.ec) == (
        "You have no right to access this object.",
        "0003-00000001",
    )
    with pytest.raises(oss2.exceptions.AccessDenied) as of_bucket:
        stage.src.list_objects_v2()
    assert of_bucket.value.message == "The bucket you access does not belong to you."


def test_what_is_not_there_is_told_only_to_who_may_read(stage: Stage) -> None:
    stage.allow({"src/*:oss:GetObject"})
    assert refused(lambda: stage.src.get_object("nope")) == (404, "NoSuchKey")
    assert refused(lambda: stage.dst.get_object("nope")) == (403, "AccessDenied")


def test_the_owner_is_asked_for_no_policy_and_others_may_do_what_they_could(stage: Stage) -> None:
    stage.oss.do(lambda: stage.oss.accounts.policies.put("copier", ram.Policy()))
    stage.own.get_object("k")
    stage.oss.do(lambda: stage.oss.accounts.policies.put("copier", None))
    stage.src.get_object("k")
