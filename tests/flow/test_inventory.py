"""Inventories that the local OSS has written, as the source of a job, through the real handler and SDKs.

`INVENTORY=1000000` as an environment variable lists so many objects.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import oss2
import pytest

from tests.cloud.client import LocalCloud
from tests.flow.conftest import DESTINATION, SOURCE, status, until
from tests.flow.test_bulk import ended, in_the_next_second, keys_of

COUNT = int(os.environ.get("INVENTORY", "3000"))
LAYOUTS: dict[str, dict[str, Any]] = {
    "current": {
        "fields": [
            "Size",
            "StorageClass",
            "LastModifiedDate",
            "ETag",
            "IsMultipartUploaded",
            "EncryptionStatus",
        ]
    },
    "every version": {
        "versions": "all",
        "fields": [
            *("Size", "StorageClass", "LastModifiedDate", "ETag", "IsMultipartUploaded", "EncryptionStatus"),
            *("ObjectAcl", "TaggingCount", "ObjectType", "Crc64"),
        ],
    },
    "least": {"fields": []},
}


def asked(written: dict[str, Any], to: str, **options: Any) -> dict[str, Any]:
    return {
        "source": {"inventory": {"bucket": SOURCE, "key": written["manifest"]}},
        "destination": {"bucket": DESTINATION, "prefix": to},
        "encryption": "bucket",
        **options,
    }


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_copies_what_it_lists(cloud: LocalCloud, layout: str) -> None:
    source, name = cloud.oss_bucket(SOURCE), f"inventory-{layout.replace(' ', '-')}"
    keys = {"a b", "c+d", "中文/x", "100%", "last"}
    for key in keys:
        source.put_object(f"{name}/{key}", key.encode())
    written = cloud.inventory(
        SOURCE, {"bucket": SOURCE, "prefix": f"lists/{name}"}, prefix=f"{name}/", rows=2, **LAYOUTS[layout]
    )
    source.put_object(f"{name}/later", b"not covered")
    result = ended(cloud, cloud.invoke(asked(written, "listed/"))["job"])
    assert (result["status"], result["objects"]["succeeded"]) == ("succeeded", len(keys)), result
    assert keys_of(cloud.oss_bucket(DESTINATION), f"listed/{name}/") == keys
    place = result["report"]
    told = json.loads(cloud.oss_bucket(place["bucket"]).get_object(place["prefix"] + "summary.json").read())
    assert any(each.startswith("the inventory was begun at ") for each in told["notes"])


def test_a_file_with_another_md5_and_a_damaged_one_end_the_job(cloud: LocalCloud) -> None:
    source, name = cloud.oss_bucket(SOURCE), "inventory-damaged"
    source.put_object(f"{name}/a", b"a")
    written = cloud.inventory(SOURCE, {"bucket": SOURCE, "prefix": f"lists/{name}"}, prefix=f"{name}/")
    (file,) = written["files"]
    body = bytearray(source.get_object(file).read())
    body[-9] ^= 1
    source.put_object(file, bytes(body))
    result = ended(cloud, cloud.invoke(asked(written, "damaged/"))["job"])
    assert (result["status"], result["error"]["code"]) == ("failed", "ManifestDamaged")
    assert "MD5" in result["error"]["message"]
    manifest = json.loads(source.get_object(written["manifest"]).read())
    manifest["files"][0]["MD5checksum"] = source.head_object(file).etag
    source.put_object(written["manifest"], json.dumps(manifest))
    result = ended(cloud, cloud.invoke(asked(written, "damaged/"))["job"])
    assert (result["status"], result["error"]["code"]) == ("failed", "ManifestDamaged")
    assert "no whole gzip" in result["error"]["message"]
    assert keys_of(cloud.oss_bucket(DESTINATION), "damaged/") == set()


def test_many_rows_are_compared_by_listings_and_what_lacks_is_copied_once(cloud: LocalCloud) -> None:
    name = "inventory-many"
    for bucket in (SOURCE, DESTINATION):
        cloud.seed_many(bucket, COUNT, 10, prefix=f"{name}/")
    destination = cloud.oss_bucket(DESTINATION)
    lacking = [each.key for each in oss2.ObjectIteratorV2(destination, prefix=f"{name}/")][:: COUNT // 30]
    for key in lacking:
        destination.delete_object(key)
    layout = LAYOUTS["every version"]
    to = {"bucket": SOURCE, "prefix": f"lists/{name}"}
    written = cloud.inventory(SOURCE, to, prefix=f"{name}/", rows=COUNT // 3, **layout)
    assert written["rows"] == COUNT
    in_the_next_second()
    before, begun = cloud.requests()["operations"], time.monotonic()
    job = cloud.invoke(asked(written, ""))["job"]
    until(lambda: bool(status(cloud, job)["status"] != "running"), COUNT / 1000 + 120)
    seconds = time.monotonic() - begun
    cloud.wait_idle()
    result = status(cloud, job)
    objects = result["objects"]
    assert (objects["succeeded"], objects["skipped"]) == (len(lacking), COUNT - len(lacking)), result
    after = cloud.requests()["operations"]
    made = {each: count - before.get(each, 0) for each, count in after.items()}
    assert made["CopyObject"] == len(lacking)
    assert made["HeadObject"] <= 60, made
    sys.stdout.write(f"{COUNT} rows, {len(lacking)} copies in {seconds:.0f} s: {made}\n")
