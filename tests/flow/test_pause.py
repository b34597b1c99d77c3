"""Pausing, as OPERATING.md explains it: a limit of 0 instances is a pause, an empty allow list is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fc2
import pytest
from alibabacloud_fc20230330 import models

from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    DESTINATION,
    SOURCE,
    begin,
    exists,
    open_uploads,
    request_of,
    results,
    status,
    until,
)


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    environment = {"MAX_PARALLEL": "4", "MULTIPART_THRESHOLD": "2MiB"}
    with LocalCloud(variables={"timeout": 3}, environment=environment) as running:
        yield running


def limit(cloud: LocalCloud, instances: int) -> None:
    body = models.PutConcurrencyInput(reserved_concurrency=instances)
    cloud.control().put_concurrency_config(cloud.function, models.PutConcurrencyConfigRequest(body=body))


def outcomes(cloud: LocalCloud, **wanted: object) -> list[str]:
    return [each["outcome"] for each in cloud.invocations(**wanted)]


def hops(cloud: LocalCloud, job: str) -> list[str]:
    """What became of each hop so far."""
    return [each["outcome"] for each in cloud.invocations() if (each["task_id"] or "").startswith(job)]


def test_with_a_limit_of_0_everything_waits_and_then_goes_on(cloud: LocalCloud, key: str) -> None:
    job = begin(cloud, key, parts=1)
    limit(cloud, 0)
    cloud.oss_bucket(SOURCE).put_object("incoming/small", b"x")
    cloud.fire("sweep")
    with pytest.raises(fc2.FcError) as refused:
        cloud.invoke(request_of(key))
    assert (refused.value.status_code, refused.value.err_code) == (429, "ResourceExhausted")
    answer = cloud.http("GET", f"/copies/{job}")
    assert (answer.status_code, answer.headers["retry-after"] != "") == (503, True), answer.text
    until(lambda: hops(cloud, job)[-1] == "queued" and "running" not in hops(cloud, job))
    assert set(hops(cloud, job)[:-1]) == {"succeeded"}, "what ran ends its batch"
    assert outcomes(cloud, trigger="oss") == outcomes(cloud, trigger="sweep") == ["queued"]
    cloud.conditions()
    limit(cloud, 20)
    cloud.wait_idle()
    assert status(cloud, job)["status"] == "succeeded"
    assert exists(cloud.oss_bucket(DESTINATION), "incoming/small")


def test_an_empty_allow_list_is_no_pause_but_the_end_of_copies_under_way(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    job = begin(cloud, key, parts=1)
    control = cloud.control()
    told = control.get_function(cloud.function, models.GetFunctionRequest()).to_map()
    variables = {**told["body"]["environmentVariables"], "ALLOWED_SOURCES": ""}
    body = models.UpdateFunctionInput(environment_variables=variables)
    control.update_function(cloud.function, models.UpdateFunctionRequest(body=body))
    cloud.wait_idle()
    ended = [each for each in results(cloud, job) if each["status"] != "running"]
    assert {(each["status"], each["error"]["code"]) for each in ended} == {("failed", "NotAllowed")}
    assert open_uploads(destination, key) == []
