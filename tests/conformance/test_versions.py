"""Versioning: ids, delete markers, and what Suspended does."""

from __future__ import annotations

import oss2
import pytest

from tests.cloud.oss.running import Running, refused


def switch(bucket: oss2.Bucket, status: str) -> None:
    bucket.put_bucket_versioning(oss2.models.BucketVersioningConfig(status))


def ids(bucket: oss2.Bucket) -> list[tuple[str, bool, bool]]:
    listed = bucket.list_object_versions()
    versions = [(item.versionid, item.is_latest, False) for item in listed.versions]
    return versions + [(item.versionid, item.is_latest, True) for item in listed.delete_marker]


def test_every_write_makes_a_version_and_a_delete_leaves_a_marker(oss: Running) -> None:
    bucket = oss.bucket()
    before = bucket.put_object("k", b"0")
    assert before.versionid is None
    switch(bucket, "Enabled")
    first, second = bucket.put_object("k", b"1").versionid, bucket.put_object("k", b"2").versionid
    marker = bucket.delete_object("k")
    assert marker.delete_marker
    with pytest.raises(oss2.exceptions.NoSuchKey) as caught:
        bucket.get_object("k")
    assert caught.value.headers["x-oss-delete-marker"] == "true"
    assert bucket.get_object("k", params={"versionId": first}).read() == b"1"
    assert bucket.get_object("k", params={"versionId": "null"}).read() == b"0"
    assert refused(lambda: bucket.get_object("k", params={"versionId": marker.versionid}))[0] == 405
    missing = "CAE" + "0" * 61
    assert refused(lambda: bucket.get_object("k", params={"versionId": missing})) == (404, "NoSuchVersion")
    assert refused(lambda: bucket.get_object("k", params={"versionId": "odd"})) == (400, "InvalidArgument")
    assert set(ids(bucket)) == {
        ("null", False, False),
        (first, False, False),
        (second, False, False),
        (marker.versionid, True, True),
    }
    bucket.delete_object("k", params={"versionId": marker.versionid})
    assert bucket.get_object("k").read() == b"2"
    bucket.delete_object("k", params={"versionId": second})
    assert bucket.head_object("k").versionid == first


def test_suspended_writes_replace_the_null_version_only(oss: Running) -> None:
    bucket = oss.bucket()
    switch(bucket, "Enabled")
    kept = bucket.put_object("k", b"1").versionid
    switch(bucket, "Suspended")
    assert bucket.put_object("k", b"2").versionid == "null"
    assert bucket.put_object("k", b"3").versionid == "null"
    assert {item[0] for item in ids(bucket)} == {kept, "null"}
    assert bucket.delete_object("k").versionid == "null"
    assert bucket.get_object("k", params={"versionId": kept}).read() == b"1"


def test_versions_are_listed_in_pages_new_to_old(oss: Running) -> None:
    bucket = oss.bucket()
    switch(bucket, "Enabled")
    written = [(key, bucket.put_object(key, b"x").versionid) for key in "ab" for _ in range(3)]
    seen, key_marker, id_marker = [], "", ""
    while True:
        page = bucket.list_object_versions(max_keys=2, key_marker=key_marker, versionid_marker=id_marker)
        seen += [(item.key, item.versionid) for item in page.versions]
        if not page.is_truncated:
            break
        key_marker, id_marker = page.next_key_marker, page.next_versionid_marker
    assert seen == list(reversed(written[:3])) + list(reversed(written[3:]))
