"""Buckets of another account: what an ACL or a policy lets strangers do, and who pays for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import oss2
import pytest

from .running import Running, refused

PAYS = {"x-oss-request-payer": "requester"}
Act = Callable[["Stage", dict[str, str]], object]


class Stage:
    """A bucket of another account whose policy lets us do everything, and one of our own."""

    def __init__(self, oss: Running) -> None:
        self.oss = oss
        self.bucket = oss.do(lambda: oss.server.create_bucket("foreign", owner="9999"))
        self.bucket.granted = True
        self.foreign, self.mine = oss.bucket("foreign"), oss.bucket("mine")
        self.mine.put_object("k", b"bytes")
        self.foreign.put_object("k", b"bytes")
        self.foreign.put_object("cold", b"bytes", {"x-oss-storage-class": "Archive"})
        self.foreign.put_symlink("k", "link")
        self.upload: str = self.foreign.init_multipart_upload("up").upload_id
        self.part = self.foreign.upload_part("up", self.upload, 1, b"part")
        self.own_upload: str = self.mine.init_multipart_upload("up").upload_id
        self.bucket.payer = "Requester"

    def tagging(self) -> Any:
        rule = oss2.models.TaggingRule()
        rule.add("a", "b")
        return oss2.models.Tagging(rule)


@pytest.fixture
def stage(oss: Running) -> Stage:
    return Stage(oss)


READS: dict[str, Act] = {
    "get": lambda s, h: s.foreign.get_object("k", headers=h),
    "head": lambda s, h: s.foreign.head_object("k", headers=h),
    "meta": lambda s, h: s.foreign.get_object_meta("k", headers=h),
    "get of a symlink": lambda s, h: s.foreign.get_symlink("link", headers=h),
    "list": lambda s, h: s.foreign.list_objects_v2(headers=h),
    "copy from there": lambda s, h: s.mine.copy_object("foreign", "k", "x", headers=h),
    "copy of a part from there": lambda s, h: s.mine.upload_part_copy(
        "foreign", "k", None, "up", s.own_upload, 1, headers=h
    ),
}
WRITES: dict[str, Act] = {
    "put": lambda s, h: s.foreign.put_object("x", b"", headers=h),
    "append": lambda s, h: s.foreign.append_object("x", 0, b"1", headers=h),
    "copy": lambda s, h: s.foreign.copy_object("mine", "k", "x", headers=h),
    "symlink": lambda s, h: s.foreign.put_symlink("k", "x", headers=h),
    "restore": lambda s, h: s.foreign.restore_object("cold", headers=h),
    "initiate": lambda s, h: s.foreign.init_multipart_upload("x", headers=h),
    "upload of a part": lambda s, h: s.foreign.upload_part("up", s.upload, 2, b"", headers=h),
    "copy of a part": lambda s, h: s.foreign.upload_part_copy(
        "mine", "k", None, "up", s.upload, 2, headers=h
    ),
    "list of parts": lambda s, h: s.foreign.list_parts("up", s.upload, headers=h),
    "complete": lambda s, h: s.foreign.complete_multipart_upload(
        "up", s.upload, [oss2.models.PartInfo(1, s.part.etag)], headers=h
    ),
    "abort": lambda s, h: s.foreign.abort_multipart_upload("up", s.upload, headers=h),
    "delete": lambda s, h: s.foreign.delete_object("k", headers=h),
    "delete of several": lambda s, h: s.foreign.batch_delete_objects(["k"], headers=h),
}
OWNERS: dict[str, Act] = {
    "tags": lambda s, h: s.foreign.get_object_tagging("k", headers=h),
    "new tags": lambda s, h: s.foreign.put_object_tagging("k", s.tagging(), headers=h),
    "no tags": lambda s, h: s.foreign.delete_object_tagging("k", headers=h),
    "ACL": lambda s, h: s.foreign.get_object_acl("k", headers=h),
    "new ACL": lambda s, h: s.foreign.put_object_acl("k", "private", headers=h),
    "list of uploads": lambda s, h: s.foreign.list_multipart_uploads(headers=h),
}
ALL = {**READS, **WRITES, **OWNERS}


@pytest.mark.parametrize("name", ALL)
def test_every_request_says_that_it_pays(stage: Stage, name: str) -> None:
    with pytest.raises(oss2.exceptions.ServerError) as caught:
        ALL[name](stage, {})
    assert (caught.value.status, caught.value.ec) == (403, "0003-00000703")
    ALL[name](stage, dict(PAYS))


@pytest.mark.parametrize("name", ALL)
def test_an_acl_lets_strangers_read_or_write(stage: Stage, name: str) -> None:
    """Tags and ACLs are the owner's, whatever the ACL."""
    stage.bucket.granted, stage.bucket.payer = False, "BucketOwner"
    allowed = {"private": set(), "public-read": set(READS), "public-read-write": {*READS, *WRITES}}
    for acl, names in allowed.items():
        stage.bucket.acl = acl
        if name in names:
            ALL[name](stage, {})
            return
        assert refused(ALL[name], stage, {}) == (403, "AccessDenied"), acl


def test_nobody_in_particular_copies_what_is_private(stage: Stage) -> None:
    stage.bucket.acl, stage.bucket.payer, stage.bucket.granted = "public-read-write", "BucketOwner", False
    anyone = oss2.Bucket(oss2.AnonymousAuth(), stage.oss.url, "foreign")
    assert refused(lambda: anyone.copy_object("mine", "k", "x")) == (403, "AccessDenied")
    anyone.copy_object("foreign", "k", "x")
