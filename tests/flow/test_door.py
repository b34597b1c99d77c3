"""HTTP is a function of its own: what it lets in is answered as ever, and what it refuses harms no copy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    DESTINATION,
    SOURCE,
    exists,
    final_result,
    genuine,
    in_parts,
    request_of,
    status,
)

TOKEN = "the-token-of-this-deployment"
THROTTLED = {"operation": "invocation", "skip": 1, "limit": 4, "error": "ResourceExhausted"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def public() -> Iterator[LocalCloud]:
    """A deployment that anybody reaches, whose copies have two instances."""
    variables = {"timeout": 10, "httpAuthType": "anonymous", "reservedConcurrency": 2, "httpConcurrency": 1}
    environment = {"API_TOKEN": TOKEN, "MULTIPART_THRESHOLD": "2MiB", "MAX_PARALLEL": "4", "MAX_LANES": "1"}
    with LocalCloud(variables=variables, environment=environment) as cloud:
        yield cloud


def test_http_comes_to_a_function_of_its_own_and_copies_are_made_by_another(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    source.put_object(key, b"x")
    before = len(cloud.invocations())
    answer = cloud.http("POST", "/copies", json_body=request_of(key))
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded"), answer.text
    first, second = cloud.invocations()[before:]
    assert (first["function"], first["trigger"]) == (f"{cloud.function}-http", "http")
    assert (second["function"], second["trigger"]) == (cloud.function, "api")
    assert second["event"] == first["event"], "passed on as it came"
    assert json.loads(first["result"]) == json.loads(second["result"])


def test_who_is_refused_takes_no_instance_of_the_function_that_copies(public: LocalCloud) -> None:
    """30 connections ask without a token beside a chained copy and ten uploads."""
    source, destination = public.oss_bucket(SOURCE), public.oss_bucket(DESTINATION)
    public.seed(SOURCE, "large", 12 * MIB, seed=1)
    public.conditions(bandwidth_mb_s=1.0)
    job = public.invoke(in_parts("large"))["job"]
    keys = [f"incoming/{n}" for n in range(10)]

    def knock(number: int) -> set[int]:
        ways = (("GET", "/copies"), ("POST", "/copies"), ("GET", "/"), ("DELETE", f"/copies/{job}"))
        return {
            public.http(*ways[(number + n) % 4], body=b"{}", headers=JSON, signed=False).status_code
            for n in range(4)
        }

    with ThreadPoolExecutor(30) as knocking:
        answers = [knocking.submit(knock, number) for number in range(30)]
        for key in keys:
            source.put_object(key, b"x")
        seen = set().union(*(each.result() for each in answers))
    public.conditions()
    public.wait_idle()
    assert seen <= {401, 429}, "FC refuses those for which it has no instance of the function in front"
    assert all(exists(destination, key) for key in keys)
    copying = public.invocations(function=public.function)
    assert {each["trigger"] for each in copying} <= {"api", "oss"}
    assert not any('"requestContext"' in each["event"] for each in copying), "no HTTP request came so far"
    (last,) = [each for each in results_of(copying, job) if each["status"] != "running"]
    assert last["status"] == "succeeded"


def results_of(invocations: list[dict[str, Any]], job: str) -> list[dict[str, Any]]:
    found = [json.loads(each["result"]) for each in invocations if each["result"]]
    return [each for each in found if each.get("job") == job]


def test_a_copy_for_which_there_is_no_instance_is_left_to_the_queue_and_known_at_once(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    source.put_object(key, b"x")
    cloud.conditions([THROTTLED, {"operation": "invocation", "skip": 1, "limit": 1, "answer": "delay"}])
    answer = cloud.http("POST", "/copies", json_body=request_of(key))
    assert (answer.status_code, answer.json()["status"]) == (202, "running"), answer.text
    job = answer.json()["job"]
    assert answer.headers["location"] == f"/copies/{job}"
    seen = cloud.http("GET", f"/copies/{job}")
    assert (seen.status_code, seen.json()["status"]) == (200, "running"), seen.text
    cloud.conditions()
    assert final_result(cloud, job)["status"] == "succeeded"
    assert status(cloud, job)["status"] == "succeeded", "it is on record, since its caller asks for it"
    assert exists(destination, key)


def test_a_request_without_an_answer_is_left_to_the_queue_and_copied_once(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    """The instance dies with its copy; what it has written by then is looked at."""
    source.put_object(key, b"x")
    cloud.conditions([{"operation": "invocation", "skip": 1, "limit": 1, "answer": "kill"}], latency_ms=100)
    answer = cloud.http("POST", "/copies", json_body=request_of(key))
    cloud.conditions()
    assert (answer.status_code, answer.json()["status"]) == (202, "running"), answer.text
    assert final_result(cloud, answer.json()["job"])["status"] == "succeeded"
    assert exists(destination, key)


@pytest.mark.parametrize("way", ["GET", "DELETE", "key"])
def test_what_cannot_be_left_to_the_queue_is_answered_503(
    cloud: LocalCloud, source: Any, key: str, way: str
) -> None:
    source.put_object(key, b"x")
    cloud.conditions([{**THROTTLED, "limit": 20}])
    if way == "key":
        headers = {"Idempotency-Key": key}
        answer = cloud.http("POST", "/copies", json_body=request_of(key), headers=headers)
    else:
        answer = cloud.http(way, f"/copies/c-{'1' * 32}")
    cloud.conditions()
    assert (answer.status_code, answer.headers.get("retry-after")) == (503, "5"), answer.text


def test_a_deployment_without_it_answers_as_before(tmp_path: Path) -> None:
    """The HTTP trigger is one of the function that copies, as in older versions."""
    template = genuine()
    web = template["resources"].pop("oss_copy_http")["props"]
    template["resources"]["oss_copy"]["props"]["triggers"] += web["triggers"]
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(template), encoding="utf-8")
    with LocalCloud(template=path) as cloud:
        cloud.oss_bucket(SOURCE).put_object("k", b"x")
        answer = cloud.http("POST", "/copies", json_body=request_of("k"))
        assert (answer.status_code, answer.json()["status"]) == (200, "succeeded"), answer.text
        assert [each["function"] for each in cloud.invocations()] == [cloud.function]
