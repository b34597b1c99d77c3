"""Where the requester pays, every request says so: of each method of the store, and of each way of a copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from osscopy.aliyun.oss import OssStore
from osscopy.aliyun.oss_transport import Connection
from osscopy.model import Attributes, Conditions, ContentHeaders, CopyRequest, Destination, Part, Pin, Source
from osscopy.model.ports import Store
from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    BIG,
    DESTINATION,
    SOURCE,
    VERSIONED,
    exists,
    final_result,
    in_parts,
    request_of,
    status,
    until,
)

WATCHED = (SOURCE, DESTINATION, VERSIONED)
PLAIN = Attributes(ContentHeaders(), {}, "default", "Standard", None)


@contextmanager
def all_paid(cloud: LocalCloud) -> Iterator[None]:
    """Nothing in here goes to the buckets of a copy without a word on who pays."""
    before = _unpaid(cloud)
    yield
    after = _unpaid(cloud)
    assert after == before, {name: after[name] - before.get(name, 0) for name in after}


def _unpaid(cloud: LocalCloud) -> dict[str, int]:
    counted: Mapping[str, int] = cloud.requests()["unpaid"]
    return {name: number for name, number in counted.items() if name.split(" ")[0] in WATCHED}


def test_each_method_of_the_store_says_who_pays(cloud: LocalCloud, source: Any, key: str) -> None:
    source.put_object(key, b"content", headers={"x-oss-tagging": "a=b"})
    source.put_object(f"{key}.cold", b"content", headers={"x-oss-storage-class": "Archive"})
    source.put_symlink(key, f"{key}.link")
    etag = source.head_object(key).etag
    owner = (cloud.owner.access_key_id, cloud.owner.access_key_secret, None)
    connection = Connection(
        owner, cloud.oss, cloud.region, threads=1, read_timeout=10, seconds_left=lambda: 60.0
    )
    store = OssStore(connection)
    here, there = Source(SOURCE, key), Destination(DESTINATION, key)
    asked = CopyRequest(source=here, destination=there, request_payer=True)
    pin = Pin(7, etag, 0)
    upload: list[str] = []
    steps: list[tuple[str, Callable[[], object]]] = [
        ("head", lambda: store.head(asked, here, Conditions())),
        ("find", lambda: store.find(asked, here)),
        ("link", lambda: store.link(asked, Source(SOURCE, f"{key}.link"))),
        ("restore", lambda: store.restore(asked, Source(SOURCE, f"{key}.cold"))),
        ("tags", lambda: store.tags(asked, here)),
        ("acl", lambda: store.acl(asked, here)),
        ("copy", lambda: store.copy(asked, pin, PLAIN)),
        ("initiate", lambda: upload.append(store.initiate(asked, PLAIN))),
        ("copy_part", lambda: store.copy_part(asked, pin, upload[0], Part(1, 0, 6))),
        ("uploads", lambda: store.uploads(asked)),
        (
            "complete",
            lambda: store.complete(asked, upload[0], store.list_parts(asked, upload[0], 0).parts, "default"),
        ),
        ("initiate", lambda: upload.append(store.initiate(asked, PLAIN))),
        ("list_parts", lambda: store.list_parts(asked, upload[1], 0)),
        ("abort", lambda: store.abort(asked, upload[1])),
        ("delete_version", lambda: store.delete_version(asked, "null")),
    ]
    methods = {name for name in vars(Store) if not name.startswith("_")}
    assert {name for name, _ in steps} == methods, "a method of the store that is not tried here"
    for name, step in steps:
        with all_paid(cloud):
            step()
            assert cloud.requests()["operations"], name


OPTIONS: list[dict[str, Any]] = [
    {},
    {"overwrite": "ifDifferent"},
    {"acl": "copy", "tags": "copy"},
    {"symlinks": "follow"},
    {"conditions": {"ifModifiedSince": "Sun, 22 Nov 2020 10:00:00 GMT"}},
]


@pytest.mark.parametrize("method", ["simple", "multipart"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_each_way_of_a_copy_says_who_pays(
    cloud: LocalCloud, source: Any, versioned: Any, key: str, method: str, options: dict[str, Any]
) -> None:
    source.put_object(key, b"content", headers={"x-oss-tagging": "a=b", "x-oss-object-acl": "private"})
    source.put_symlink(key, f"{key}.link")
    name = f"{key}.link" if "symlinks" in options else key
    with all_paid(cloud):
        for bucket in (DESTINATION, VERSIONED):
            asked = request_of(name, requestPayer=True, tuning={"method": method}, **options)
            result = cloud.invoke(asked | {"destination": {"bucket": bucket}})
            assert result["status"] == "succeeded", result
    assert exists(versioned, name)


def test_a_wrong_version_is_deleted_and_a_cancelled_upload_aborted_by_who_pays(
    cloud: LocalCloud, source: Any, versioned: Any, key: str
) -> None:
    source.put_object(key, b"content")
    cloud.seed(SOURCE, f"{key}.big", BIG, seed=1)
    with all_paid(cloud):
        cloud.conditions([{"operation": "CopyObject", "answer": "corrupt"}])
        wrong = cloud.invoke(request_of(key, requestPayer=True) | {"destination": {"bucket": VERSIONED}})
        cloud.conditions(bandwidth_mb_s=1.0)
        asked = in_parts(f"{key}.big", requestPayer=True)
        job = cloud.http("POST", "/copies", json_body=asked).json()["job"]
        until(lambda: status(cloud, job)["partsDone"] > 0)
        cloud.http("DELETE", f"/copies/{job}")
        cloud.wait_idle()
    assert "was deleted" in wrong["error"]["message"], wrong
    assert status(cloud, job)["status"] == "cancelled"
    assert not exists(versioned, key)


@pytest.mark.parametrize("method", ["simple", "multipart"])
def test_a_destination_of_another_account_where_the_requester_pays_is_written(
    cloud: LocalCloud, source: Any, key: str, method: str
) -> None:
    """It answers 403 to each request that does not say who pays: of a refused copy nothing is written."""
    name = f"foreign-paid-{method}"
    cloud.foreign(name, f"{key}.other", acl="public-read-write", payer="Requester")
    source.put_object(key, b"content")
    asked = request_of(key, tuning={"method": method}) | {"destination": {"bucket": name}}
    refused = cloud.invoke(asked)
    assert (refused["status"], refused["error"]["code"]) == ("failed", "AccessDenied"), refused
    assert "`requestPayer` as true" in refused["error"]["message"]
    result = final_result(cloud, cloud.invoke(asked | {"requestPayer": True})["job"])
    assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
