"""A copy by rule that FC delivers again: what an attempt that was killed had asked for may still land."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from osscopy import events, plan
from osscopy.model import MIB, Copy, CopyRequest, Destination, Source
from tests.cloud.client import LocalCloud
from tests.flow.conftest import DESTINATION, EARLIER, SOURCE, STATE, count_requests, exists


def again(key: str, bucket: str = DESTINATION, name: str = "") -> Copy:
    request = CopyRequest(source=Source(SOURCE, key), destination=Destination(bucket, name or key))
    job, started_at = plan.job_id(request, key), EARLIER
    return Copy(job, request, started_at, follows=0, retried=True)


def deliver(cloud: LocalCloud, copy: Copy) -> dict[str, Any]:
    result: dict[str, Any] = cloud.invoke(events.encode(copy))
    return result


def record(cloud: LocalCloud, kind: str, job: str) -> Any:
    return json.loads(cloud.oss_bucket(STATE).get_object(f"oss-copy/{kind}/{job}").read())


def test_a_source_that_has_grown_is_looked_at_once_more_too(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    """It was small when CopyObject was asked for it, and that may land on what the parts have made."""
    cloud.seed(SOURCE, key, 6 * MIB, seed=1)
    copy = again(key)
    result = deliver(cloud, copy)
    assert (result["status"], result["method"]) == ("succeeded", "multipart")
    assert record(cloud, "open", copy.job)["uncertain"]
    assert exists(destination, key)


def test_a_tagged_source_that_is_not_copied_shallowly_after_all_is_copied_in_parts(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    source.put_object(key, b"x" * 3 * MIB, {"x-oss-tagging": "team=a"})
    cloud.conditions([{"operation": "CopyObject", "error": "EntityTooLarge", "limit": 1}])
    result = deliver(cloud, again(key, SOURCE, f"{key}-copy"))
    assert (result["status"], result["method"], result["error"]) == ("succeeded", "multipart", None)


@pytest.mark.parametrize("size", [5, 3 * MIB])
def test_what_an_attempt_that_was_killed_had_put_on_record_stands(
    cloud: LocalCloud, source: Any, destination: Any, key: str, size: int
) -> None:
    copy = again(key)
    first = deliver(cloud, msgspec.structs.replace(copy, retried=False))
    assert first["error"]["code"] == "NoSuchKey"
    source.put_object(key, b"x" * size)
    before = count_requests(cloud, "CopyObject")
    assert deliver(cloud, copy) == first
    assert count_requests(cloud, "CopyObject") == before
    assert not exists(destination, key)
