"""Inventories: files and manifest as OSS writes them."""

from __future__ import annotations

import asyncio
import csv
import gzip
import json
from typing import Any
from urllib.parse import unquote

import oss2
import pytest

from .inventory import FIELDS, Form, Written
from .running import Running, refused

BASIC = ("Size", "ETag", "StorageClass", "LastModifiedDate")


def write(oss: Running, form: Form, prefix: str = "", to: str = "lists/") -> Written:
    return asyncio.run(oss.server.write_inventory("src", prefix, ("dst", to), form))


def read(bucket: oss2.Bucket, written: Written) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The manifest and all rows, by column; the files are as the manifest says."""
    body = bucket.get_object(written.manifest).read()
    checksum = bucket.get_object(written.manifest.replace(".json", ".checksum")).read().decode()
    assert checksum == _md5(body)
    manifest = json.loads(body)
    rows: list[dict[str, str]] = []
    for file in manifest["files"]:
        data = bucket.get_object(file["key"]).read()
        assert (file["size"], file["MD5checksum"]) == (len(data), _md5(data))
        lines = gzip.decompress(data).decode("ascii").splitlines()
        rows += [dict(zip(manifest["fileSchema"].split(", "), row, strict=True)) for row in csv.reader(lines)]
    assert [each["key"] for each in manifest["files"]] == written.files
    assert len(rows) == written.rows
    return manifest, rows


def _md5(data: bytes) -> str:
    return str(oss2.utils.md5_string(data)).upper()


def test_an_inventory_shows_what_a_listing_shows(oss: Running) -> None:
    source, target = oss.bucket(), oss.bucket("dst")
    oss.server.seed_many("src", "in/", 2500, (10, 2000), shape="chinese")
    source.put_object("in/\"quoted\", 'a' & b+c\n", b"x")
    source.put_object("out", b"x")
    manifest, rows = read(target, write(oss, Form("daily", BASIC, every_version=False, rows=1000), "in/"))
    listed = list(oss2.ObjectIteratorV2(source, prefix="in/"))
    assert [unquote(row["Key"]) for row in rows] == [each.key for each in listed]
    assert [(int(row["Size"]), row["ETag"], row["StorageClass"]) for row in rows] == [
        (each.size, each.etag, each.storage_class) for each in listed
    ]
    assert {row["Bucket"] for row in rows} == {"src"}
    assert rows[-1]["LastModifiedDate"].startswith("2024-")
    assert manifest["fileSchema"] == "Bucket, Key, Size, ETag, StorageClass, LastModifiedDate"
    assert (manifest["sourceBucket"], manifest["destinationBucket"]) == ("src", "dst")
    assert (manifest["fileFormat"], manifest["version"]) == ("CSV", "2019-09-01")
    assert manifest["creationTimestamp"].isdecimal()


def test_its_files_have_as_many_rows_as_they_may_and_are_told_to_listeners(oss: Running) -> None:
    oss.bucket()
    target = oss.bucket("dst")
    oss.server.seed_many("src", "", 2500, (0, 0))
    written = write(oss, Form("daily", (), every_version=False, rows=1000))
    assert [each.partition("/data/")[0] for each in written.files] == ["lists/src/daily"] * 3
    assert [each[-8 - 1 :] == "-2.csv.gz" for each in written.files] == [False, False, True]
    sizes = [len(gzip.decompress(target.get_object(key).read()).splitlines()) for key in written.files]
    assert sizes == [1000, 1000, 500]
    assert [each.key for each in oss.events] == [
        *written.files,
        written.manifest.replace("json", "checksum"),
        written.manifest,
    ]
    assert write(oss, Form("daily", (), every_version=False, rows=2500), to="").manifest.startswith(
        "src/daily/"
    )


def test_all_versions_come_with_their_ids_and_delete_markers(oss: Running) -> None:
    source, target = oss.bucket(), oss.bucket("dst")
    source.put_object("k", b"old")
    every = Form("daily", ("Size", "ObjectType", "Crc64"), every_version=True, rows=10)
    _, rows = read(target, write(oss, every))
    assert [(row["VersionId"], row["IsLatest"], row["IsDeleteMarker"]) for row in rows] == [
        ("", "true", "false")
    ]
    source.put_bucket_versioning(oss2.models.BucketVersioningConfig("Enabled"))
    newer = source.put_object("k", b"newer")
    marker = source.delete_object("k").versionid
    manifest, rows = read(target, write(oss, every))
    fixed = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker"
    assert manifest["fileSchema"] == fixed + ", Size, ObjectType, CRC64"
    assert [tuple(row.values()) for row in rows] == [
        ("src", "k", marker, "true", "true", "", "", ""),
        ("src", "k", newer.versionid, "false", "false", "5", "Normal", str(newer.crc)),
        ("src", "k", "null", "false", "false", "3", "Normal", rows[2]["CRC64"]),
    ]
    _, rows = read(target, write(oss, Form("daily", BASIC, every_version=False, rows=10)))
    assert rows == []


def test_every_field_says_what_the_object_has(oss: Running) -> None:
    source, target = oss.bucket(), oss.bucket("dst")
    headers = {
        "x-oss-server-side-encryption": "AES256",
        "x-oss-object-acl": "public-read",
        "x-oss-tagging": "a=1&b=2",
        "x-oss-storage-class": "IA",
    }
    put = source.put_object("k", b"12345", headers=headers)
    _, (row,) = read(target, write(oss, Form("daily", tuple(FIELDS), every_version=False, rows=10)))
    del row["LastModifiedDate"]
    assert row == {
        "Bucket": "src",
        "Key": "k",
        "Size": "5",
        "ETag": put.etag,
        "StorageClass": "IA",
        "IsMultipartUploaded": "false",
        "EncryptionStatus": "true",
        "ObjectAcl": "public-read",
        "TaggingCount": "2",
        "ObjectType": "Normal",
        "CRC64": str(put.crc),
    }


def test_an_inventory_needs_both_buckets(oss: Running) -> None:
    oss.bucket()
    with pytest.raises(Exception, match="NoSuchBucket"):
        write(oss, Form("daily", (), every_version=False, rows=1))
    assert refused(lambda: oss.bucket("dst").get_object("lists/src")) == (404, "NoSuchKey")
