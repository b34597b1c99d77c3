"""The third column of the fidelity matrix: what is copied among many shows what a copy of it alone shows."""

from __future__ import annotations

import os
from typing import Any

import oss2
import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import DESTINATION, SOURCE, final_result, open_uploads
from tests.flow.fidelity import PART, case
from tests.flow.test_bulk import ended, rows

OBJECTS = int(os.environ.get("FIDELITY", "8"))
LARGE = 2 * MIB + 1
SHOWN = ("content-length", "content-md5", "etag", "x-oss-hash-crc64ecma", "x-oss-object-type")
OPTIONS: dict[str, dict[str, Any]] = {
    "as they are": {},
    "encrypted as the bucket says": {"encryption": "bucket"},
    "encrypted": {"encryption": {"algorithm": "KMS", "keyId": "9468da86-3509-4f8d-a61e-6eab1eac372a"}},
    "of another class": {"storageClass": "IA", "encryption": "bucket"},
    "with their ACL": {"acl": "copy"},
    "with other headers": {
        "metadata": {"contentType": "text/x-ü", "user": {"farbe": "grün"}},
        "tags": {"größe": "1"},
    },
    "in parts": {"tuning": {"method": "multipart", "partSize": PART}},
}


def put(cloud: LocalCloud, prefix: str) -> list[str]:
    """Put objects of all kinds of headers, tags, classes, ACLs and encryptions; return their names."""
    origin = cloud.oss_bucket(SOURCE)
    names = []
    for seed in range(OBJECTS):
        made = case(seed)
        name = f"{seed}/a b+ü{'.txt' * (seed % 2)}"
        size = (0, 1, PART, LARGE)[seed % 4]
        content = bytes((seed + n) % 251 for n in range(251)) * (size // 251 + 1)
        origin.put_object(f"{prefix}{name}", content[:size], headers=made.put)
        names.append(name)
    return names


def shown(bucket: Any, key: str) -> dict[str, Any]:
    """Return all that a reader sees of an object, without its dates."""
    head = {name.lower(): value for name, value in bucket.head_object(key).headers.items()}
    content = (
        "content-",
        "cache-",
        "expires",
        "x-oss-meta-",
        "x-oss-storage",
        "x-oss-server-side",
        "x-oss-tag",
    )
    kept: dict[str, Any] = {
        name: head[name] for name in head if name in SHOWN or (name.startswith(content) and head[name])
    }
    kept["tags"] = bucket.get_object_tagging(key).tag_set.tagging_rule
    kept["acl"] = bucket.get_object_acl(key).acl
    return kept


@pytest.mark.parametrize("name", OPTIONS)
def test_an_object_that_is_copied_among_many_shows_what_one_alone_shows(cloud: LocalCloud, name: str) -> None:
    prefix, options = f"third/{name}/", OPTIONS[name]
    names = put(cloud, prefix)
    target = cloud.oss_bucket(DESTINATION)
    alone = [
        {
            "source": {"bucket": SOURCE, "key": f"{prefix}{each}"},
            "destination": {"bucket": DESTINATION, "key": f"alone/{prefix}{each}"},
            **options,
        }
        for each in names
    ]
    begun = cloud.invoke(alone)["results"]
    results = [final_result(cloud, each["job"]) if each["status"] == "running" else each for each in begun]
    assert [each["status"] for each in results] == ["succeeded"] * len(names), results
    wanted = {each: shown(target, f"alone/{prefix}{each}") for each in names}
    for verify in ("answer", "full"):
        asked = {
            "source": {"bucket": SOURCE, "prefix": prefix},
            "destination": {"bucket": DESTINATION, "prefix": f"{verify}/{prefix}"},
            "verify": verify,
            **options,
        }
        result = ended(cloud, cloud.invoke(asked)["job"])
        assert result["status"] == "succeeded", result
        assert {each: shown(target, f"{verify}/{prefix}{each}") for each in names} == wanted
        made = rows(cloud, result)
        assert {each["status"] for each in made} == {"copied"}
        if verify == "full":
            assert all(each["copy"] for each in made)
        assert open_uploads(target, f"{verify}/{prefix}") == []


def test_the_objects_have_all_that_a_copy_may_lose(cloud: LocalCloud) -> None:
    names = put(cloud, "third/all/")
    seen = [shown(cloud.oss_bucket(SOURCE), f"third/all/{each}") for each in names]
    assert {each["acl"] for each in seen} >= {oss2.OBJECT_ACL_DEFAULT, oss2.OBJECT_ACL_PUBLIC_READ}
    assert {each["x-oss-storage-class"] for each in seen} == {"Standard", "IA"}
    assert len({each.get("x-oss-server-side-encryption") for each in seen}) > 2
    assert any(each["tags"] for each in seen)
    assert any("x-oss-meta-farbe" in each for each in seen)
