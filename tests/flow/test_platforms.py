"""The shapes of the platform: both runtimes' contexts, FC 2.0 and 3.0, both signatures, anonymous HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.cloud.client import LocalCloud
from tests.flow.conftest import BIG, DESTINATION, SOURCE, THREADS, crc64, final_result, in_parts, open_uploads

ENVIRONMENT = {"MULTIPART_THRESHOLD": "2MiB", "MAX_PARALLEL": str(THREADS)}


def chained(cloud: LocalCloud, **options: Any) -> dict[str, Any]:
    """A copy of several hops, started over HTTP."""
    cloud.seed(SOURCE, "k", BIG, seed=1)
    cloud.conditions(bandwidth_mb_s=1.3)
    result = final_result(
        cloud, cloud.http("POST", "/copies", json_body=in_parts("k"), **options).json()["job"]
    )
    cloud.conditions()
    assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
    attempts = [
        len(each["attempts"]) for each in cloud.invocations() if each["trigger"] not in {"http", "sweep"}
    ]
    assert result["hops"] >= 2 or max(attempts) >= 2  # a slow machine may kill a hop, and FC deliver it again
    source, destination = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
    assert crc64(source, "k") == crc64(destination, "k")
    assert open_uploads(destination) == []
    return result


@pytest.mark.parametrize(
    ("variables", "arguments"),
    [
        ({"runtime": "python3.10"}, []),
        ({"runtime": "python3.10"}, ["--service", "copying"]),
        ({"runtime": "python3.12"}, ["--refuse-fc-signature"]),
    ],
    ids=["python3.10", "FC 2.0", "FC signature refused"],
)
def test_a_chain_runs_on_every_shape_of_the_platform(
    variables: Mapping[str, object], arguments: list[str]
) -> None:
    settings = {"timeout": 5, **variables}
    with LocalCloud(variables=settings, environment=ENVIRONMENT, arguments=arguments) as cloud:
        chained(cloud)


def test_that_the_gateway_refuses_the_signature_is_found_out_once_an_instance() -> None:
    with LocalCloud(
        variables={"timeout": 5}, environment=ENVIRONMENT, arguments=["--refuse-fc-signature"]
    ) as cloud:
        chained(cloud)
        chained(cloud)
        invocations = cloud.invocations()
        logs = "".join(one["logs"] for one in invocations)
        instances = {one["instance_id"] for one in invocations}
        assert 1 <= logs.count('"gatewayRefusedSignature"') <= len(instances)
        assert max(one["peak_memory_mb"] for one in invocations) <= 96


def test_an_anonymous_trigger_asks_for_the_token_of_the_settings() -> None:
    token = "a-token-of-some-length"
    request = {"source": {"bucket": SOURCE, "key": "k"}, "destination": {"bucket": DESTINATION}}
    with LocalCloud(variables={"httpAuthType": "anonymous"}, environment={"API_TOKEN": token}) as cloud:
        cloud.oss_bucket(SOURCE).put_object("k", b"x")

        def ask(authorization: str) -> int:
            headers = {"Authorization": authorization} if authorization else {}
            answer = cloud.http("POST", "/copies", json_body=request, headers=headers, signed=False)
            return answer.status_code

        assert [ask(""), ask("Bearer wrong"), ask(f"Bearer {token}")] == [401, 401, 200]
        assert token not in "".join(one["logs"] or "" for one in cloud.invocations())


def test_an_anonymous_trigger_without_a_token_is_closed() -> None:
    with LocalCloud(variables={"httpAuthType": "anonymous"}) as cloud:
        assert cloud.http("GET", "/healthz", signed=False).status_code == 403
