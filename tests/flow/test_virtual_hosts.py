"""The main ways of copying with OSS under a name, so that buckets are virtual hosts, as in production."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    BIG,
    DESTINATION,
    SOURCE,
    crc64,
    final_result,
    in_parts,
    open_uploads,
    records,
    request_of,
)

ODD = "ä b+c%2F?d&e=f/größe.bin"
KEYS = ("./a", "a/../b", "a//b/", "%2e%2E", "%zz", "~ +", "'()*!$&,;=:@", "#?&=", "x\x7f", "😀u\u0308")


@pytest.fixture(scope="module")
def named() -> Iterator[LocalCloud]:
    environment = {
        "MULTIPART_THRESHOLD": "2MiB",
        "MAX_PARALLEL": "4",
        "ALLOWED_DESTINATIONS": f"{DESTINATION}/*,{SOURCE}/*",
    }
    arguments = ["--oss-host", "oss.localhost"]
    with LocalCloud(variables={"timeout": 5}, environment=environment, arguments=arguments) as running:
        yield running


@pytest.fixture
def cloud(named: LocalCloud) -> Iterator[LocalCloud]:
    """Each test makes the function address OSS by virtual hosts alone; its clients here use the address."""
    before = named.requests()["virtual_hosts"]
    yield named
    named.conditions()
    named.wait_idle()
    assert named.requests()["virtual_hosts"] > before


def test_a_small_copy_with_all_that_goes_with_it(cloud: LocalCloud) -> None:
    source, destination = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
    headers: dict[str, Any] = {"x-oss-meta-name": "größe".encode(), "x-oss-tagging": "t=1"}
    source.put_object(ODD, b"small", headers={**headers, "Content-Type": "text/x"})
    result = cloud.invoke(request_of(ODD))
    assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
    assert destination.get_object(ODD).read() == b"small"
    assert destination.head_object(ODD).headers["x-oss-meta-name"].encode("latin-1") == "größe".encode()
    assert destination.get_object_tagging(ODD).tag_set.tagging_rule == {"t": "1"}


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_asked_for_as_it_is_signed(cloud: LocalCloud, key: str) -> None:
    """The server refuses the signature of another key; many clients take dots for steps upwards."""
    cloud.seed(SOURCE, key, 3 * MIB, seed=7)
    for asked in (request_of(key, tuning={"method": "simple"}), in_parts(key)):
        result = cloud.invoke(asked)
        assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
        assert result["destination"]["key"] == key


def test_a_chain_of_parts(cloud: LocalCloud) -> None:
    key = f"chain/{ODD}"
    cloud.seed(SOURCE, key, BIG, seed=4)
    cloud.conditions(bandwidth_mb_s=1.0)
    answer = cloud.http("POST", "/copies", json_body=in_parts(key))
    result = final_result(cloud, answer.json()["job"])
    assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
    assert result["hops"] > 1
    destination = cloud.oss_bucket(DESTINATION)
    assert crc64(destination, key) == crc64(cloud.oss_bucket(SOURCE), key)
    assert open_uploads(destination) == []
    assert f"done/{result['job']}" in records(cloud)


def test_a_copy_inside_a_bucket_and_one_in_place(cloud: LocalCloud) -> None:
    key = f"inside/{ODD}"
    cloud.seed(SOURCE, key, 3 * MIB, seed=5)
    place = {"bucket": SOURCE, "key": key}
    for to, options in ((f"{key}.copy", {}), (key, {"tags": {"t": "2"}})):
        result = cloud.invoke({"source": place, "destination": {"bucket": SOURCE, "key": to}, **options})
        assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result


def test_an_upload_under_the_watched_prefix(cloud: LocalCloud) -> None:
    key = f"incoming/{ODD}"
    cloud.seed(SOURCE, key, 3 * MIB, seed=6)
    cloud.wait_idle()
    assert crc64(cloud.oss_bucket(DESTINATION), key) == crc64(cloud.oss_bucket(SOURCE), key)


def test_a_symlink_and_what_it_points_to(cloud: LocalCloud) -> None:
    source, destination = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
    source.put_object(f"t/{ODD}", b"target")
    source.put_symlink(f"t/{ODD}", "link")
    assert cloud.invoke(request_of("link"))["verified"] == "link"
    assert destination.get_symlink("link").target_key == f"t/{ODD}"
    assert cloud.invoke(request_of("link", symlinks="follow"))["verified"] == "crc64"
    assert destination.get_object("link").read() == b"target"


def test_a_sweep_and_the_check(cloud: LocalCloud) -> None:
    assert cloud.invoke({"action": "sweep"}) is not None
    report = cloud.invoke({"action": "check"})
    assert [line for line in report["lines"] if line["status"] == "failed"] == []
