"""What a server saves when it stops is what the next one in its directory begins with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import oss2
import pytest

from tests.cloud.accounts import Accounts
from tests.cloud.oss import extents, saved, seeded
from tests.cloud.oss.running import Running

LARGE = seeded.read(5, 0, extents.SPILL + 12345)
ACCOUNTS = Accounts()


@contextmanager
def server(directory: Path) -> Iterator[Running]:
    running = Running(directory, accounts=ACCOUNTS)
    running.start()
    yield running
    running.stop()


def files(directory: Path) -> set[str]:
    return {each.name for each in directory.glob(extents.BLOBS)}


def test_objects_versions_tags_and_seeds_are_there_the_next_time(tmp_path: Path) -> None:
    with server(tmp_path) as running:
        bucket = running.bucket("src")
        bucket.put_bucket_versioning(oss2.models.BucketVersioningConfig("Enabled"))
        first = bucket.put_object("k", b"one").versionid
        second = bucket.put_object("k", LARGE, {"x-oss-tagging": "a=b", "x-oss-meta-m": "m"}).versionid
        bucket.delete_object("k")
        running.do(lambda: running.server.seed_many("src", "many/", 1000, (0, 1000)))
        bucket.delete_object("many/00000007")
        before = [(each.key, each.etag, each.last_modified) for each in oss2.ObjectIteratorV2(bucket)]
        listed = bucket.list_object_versions(prefix="k")
        versions = [(each.versionid, each.etag, each.is_latest) for each in listed.versions]
    with server(tmp_path) as running:
        bucket = running.bucket("src", create=False)
        after = [(each.key, each.etag, each.last_modified) for each in oss2.ObjectIteratorV2(bucket)]
        assert (after, len(after)) == (before, 999)
        listed = bucket.list_object_versions(prefix="k")
        assert [(each.versionid, each.etag, each.is_latest) for each in listed.versions] == versions
        assert len(listed.delete_marker) == 1
        assert bucket.get_object("k", params={"versionId": first}).read() == b"one"
        found = bucket.get_object("k", params={"versionId": second})
        assert (found.read(), found.headers["x-oss-meta-m"]) == (LARGE, "m")
        tags = bucket.get_object_tagging("k", params={"versionId": second})
        assert tags.tag_set.tagging_rule == {"a": "b"}


def test_an_upload_goes_on_the_next_time(tmp_path: Path) -> None:
    with server(tmp_path) as running:
        bucket = running.bucket("src")
        upload = bucket.init_multipart_upload("k").upload_id
        one = bucket.upload_part("k", upload, 1, LARGE)
    with server(tmp_path) as running:
        bucket = running.bucket("src", create=False)
        assert [each.etag for each in oss2.PartIterator(bucket, "k", upload)] == [one.etag]
        two = bucket.upload_part("k", upload, 2, b"end")
        parts = [oss2.models.PartInfo(number, each.etag) for number, each in ((1, one), (2, two))]
        bucket.complete_multipart_upload("k", upload, parts)
        assert bucket.get_object("k").read() == LARGE + b"end"


def test_what_nothing_holds_any_more_leaves_no_file(tmp_path: Path) -> None:
    with server(tmp_path) as running:
        bucket = running.bucket("src")
        bucket.put_object("gone", LARGE)
        bucket.put_object("kept", LARGE + b"x")
        assert len(files(tmp_path)) == 2
        bucket.delete_object("gone")
    kept = files(tmp_path)
    assert len(kept) == 1
    with server(tmp_path) as running:
        bucket = running.bucket("src", create=False)
        bucket.copy_object("src", "kept", "copy")
        bucket.delete_object("kept")
    assert files(tmp_path) == kept
    with server(tmp_path) as running:
        assert running.bucket("src", create=False).get_object("copy").read() == LARGE + b"x"


def test_a_server_that_is_killed_leaves_what_was_saved_before(tmp_path: Path) -> None:
    with server(tmp_path) as running:
        running.bucket("src").put_object("k", LARGE)
    lost = Running(tmp_path, accounts=ACCOUNTS)
    lost.start()
    lost.bucket("src", create=False).put_object("k", b"after")
    lost.server.store.data = None  # it saves nothing more, as if it were killed
    lost.stop()
    with server(tmp_path) as running:
        assert running.bucket("src", create=False).get_object("k").read() == LARGE


def test_a_directory_belongs_to_one_server_at_a_time(tmp_path: Path) -> None:
    with server(tmp_path), pytest.raises(ValueError, match="is in use by another local cloud"):
        Running(tmp_path)
    with server(tmp_path) as running:
        running.bucket("src")


@pytest.mark.parametrize("text", [b"", b"no pickle", b"\x80\x04cnowhere\nNothing\n."])
def test_what_cannot_be_read_is_refused_and_left_as_it_is(tmp_path: Path, text: bytes) -> None:
    (tmp_path / saved.NAME).write_bytes(text)
    with pytest.raises(ValueError, match="cannot be read: name another directory, or delete it"):
        Running(tmp_path)
    assert (tmp_path / saved.NAME).read_bytes() == text
