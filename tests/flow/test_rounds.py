"""The critical path of a copy for each trigger, printed and asserted, from the requests that OSS has seen.

`pytest -s tests/flow/test_rounds.py` prints them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow import rounds
from tests.flow.conftest import SOURCE, in_parts, request_of
from tests.flow.rounds import Round

PARTS = 6
LOOKS = ("GetObject open", "HeadObject source")
IN_PARTS = ("GetObject open", "GetObjectTagging source", "HeadObject source")


@pytest.fixture(scope="module")
def patient_cloud() -> Iterator[LocalCloud]:
    """Its invocations have a minute: nothing runs out of time, whatever the latency."""
    environment = {"MULTIPART_THRESHOLD": "2MiB", "MAX_PARALLEL": "4"}
    with LocalCloud(variables={"timeout": 60}, environment=environment) as running:
        running.invoke(b'{"action": "sweep"}')  # an instance that has begun
        yield running


@pytest.fixture
def cloud(patient_cloud: LocalCloud) -> Iterator[LocalCloud]:
    yield patient_cloud
    patient_cloud.conditions()
    patient_cloud.wait_idle()


@pytest.fixture
def small(cloud: LocalCloud, key: str) -> str:
    cloud.oss_bucket(SOURCE).put_object(key, b"x")
    return key


@pytest.fixture
def big(cloud: LocalCloud, key: str) -> str:
    cloud.seed(SOURCE, key, PARTS * MIB, seed=1)
    return key


def paths(cloud: LocalCloud, title: str, do: Any) -> list[list[Round]]:
    """The critical paths of the invocations, printed."""
    found = [rounds.path(each) for each in rounds.invocations(cloud, do)]
    for number, path in enumerate(found, 1):
        print(rounds.told(f"{title}, invocation {number}", path))  # noqa: T201 - shown by `pytest -s`
    return found


def test_a_small_copy_that_comes_directly(cloud: LocalCloud, small: str) -> None:
    (path,) = paths(cloud, "small, direct", lambda: cloud.invoke(request_of(small)))
    assert path == [LOOKS, ("CopyObject",), ("HeadObject destination",)]


def test_a_small_copy_with_an_overwrite_policy(cloud: LocalCloud, small: str) -> None:
    asked = request_of(small, overwrite="ifDifferent")
    (path,) = paths(cloud, "small, ifDifferent", lambda: cloud.invoke(asked))
    looks = ("GetObject open", "HeadObject destination", "HeadObject source")
    assert path == [looks, ("CopyObject",), ("HeadObject destination",)]


def test_a_small_copy_over_http(cloud: LocalCloud, small: str) -> None:
    (path,) = paths(cloud, "small, HTTP", lambda: cloud.http("POST", "/copies", json_body=request_of(small)))
    assert path == [LOOKS, ("CopyObject",), ("HeadObject destination",)]


def test_a_small_copy_by_the_oss_trigger(cloud: LocalCloud, key: str) -> None:
    bucket = cloud.oss_bucket(SOURCE)
    (path,) = paths(cloud, "small, OSS trigger", lambda: bucket.put_object(f"incoming/{key}", b"x"))
    assert path == [
        ("GetObject done", *LOOKS),
        ("CopyObject",),
        ("HeadObject destination", "HeadObject source"),
    ]


def test_a_copy_in_parts_that_comes_directly(cloud: LocalCloud, big: str) -> None:
    (path,) = paths(cloud, "parts, direct", lambda: cloud.invoke(in_parts(big)))
    assert path[:4] == [
        IN_PARTS,
        ("GetObject done", "HeadObject destination", "PutObject open"),
        ("InitiateMultipartUpload",),
        ("PutObject up",),
    ]
    assert path[4] == ("GetObject cancel", "GetObject done", *["UploadPartCopy"] * 4)
    assert path[-4:] == [
        ("GetObject cancel", "GetObject done", "HeadObject source", "ListObjectsV2 records", "ListParts"),
        ("CompleteMultipartUpload",),
        ("HeadObject destination",),
        ("PutObject done",),
    ]
    assert (rounds.before_parts(path), rounds.after_parts(path)) == (4, 4)


def test_a_copy_in_parts_by_the_oss_trigger(cloud: LocalCloud, key: str) -> None:
    """A rule says nothing of parts here: the tags wait until HEAD has shown the size."""
    (path,) = paths(
        cloud, "parts, OSS trigger", lambda: cloud.seed(SOURCE, f"incoming/{key}", PARTS * MIB, seed=1)
    )
    assert path[:2] == [("GetObject done", *LOOKS), ("GetObjectTagging source",)]
    assert path[-2] == ("HeadObject destination", "HeadObject source")
    assert (rounds.before_parts(path), rounds.after_parts(path)) == (5, 4)


def test_a_copy_in_parts_over_http(cloud: LocalCloud, big: str) -> None:
    """The caller's invocation writes `open/`; the one that goes on reads what is on record."""
    asked, path = paths(cloud, "parts, HTTP", lambda: cloud.http("POST", "/copies", json_body=in_parts(big)))
    assert asked == [IN_PARTS, ("GetObject done", "PutObject open")]
    assert path[:3] == [
        (
            "GetObject cancel",
            "GetObject done",
            "GetObject open",
            "GetObject up",
            "GetObjectTagging source",
            "HeadObject destination",
            "HeadObject source",
        ),
        ("InitiateMultipartUpload",),
        ("PutObject up",),
    ]
    assert (rounds.before_parts(path), rounds.after_parts(path)) == (3, 4)


def test_copies_by_the_timer(cloud: LocalCloud, small: str) -> None:
    asked = json.dumps([request_of(small)])
    (path,) = paths(cloud, "small, timer", lambda: cloud.fire("timer", asked))
    assert path == [("GetObject done", *LOOKS), ("CopyObject",), ("HeadObject destination",)]
    cloud.seed(SOURCE, f"{small}-large", PARTS * MIB, seed=1)
    asked = json.dumps([in_parts(f"{small}-large")])
    (path,) = paths(cloud, "parts, timer", lambda: cloud.fire("timer", asked))
    assert (rounds.before_parts(path), rounds.after_parts(path)) == (4, 4)


@pytest.fixture
def hurried(shared_cloud: LocalCloud) -> Iterator[LocalCloud]:
    """A cloud whose invocations have 5 seconds."""
    shared_cloud.invoke(b'{"action": "sweep"}')
    yield shared_cloud
    shared_cloud.conditions()
    shared_cloud.wait_idle()


def test_each_further_hop(hurried: LocalCloud, key: str) -> None:
    hurried.seed(SOURCE, key, 40 * MIB, seed=1)
    first, *further = paths(hurried, "a chain", lambda: hurried.invoke(in_parts(key)))
    assert rounds.before_parts(first) == 4
    assert further
    for path in further:
        assert path[0] == (
            "GetObject cancel",
            "GetObject done",
            "GetObject up",
            "ListObjectsV2 records",  # its generation
            "ListParts",
        )
        assert "UploadPartCopy" not in path[0]
        assert "UploadPartCopy" in path[1] or path[-1] == ("PutObject done",)
