"""Every trigger against every kind of outcome, through the local cloud's real triggers.

The function may read `allowed/` of the source bucket alone, while its triggers and rule see all of it: so
each trigger can be made to ask for what is copied inline, what takes a chain, what is refused as asked, what
is forbidden, and what OSS refuses.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from osscopy.model import MIB
from tests.cloud.client import READING, LocalCloud
from tests.flow.conftest import DESTINATION, SOURCE, crc64, exists, genuine, open_uploads

BIG = 12 * MIB
BRIDGE: dict[str, Any] = {
    "triggerName": "bridge",
    "triggerType": "eventbridge",
    "triggerConfig": {
        "triggerEnable": True,
        "asyncInvocationType": True,
        "eventRuleFilterPattern": json.dumps(
            {"source": ["acs.oss"], "type": ["oss:ObjectCreated:PutObject"]}
        ),
        "eventSourceConfig": {"eventSourceType": "Default"},
    },
}


RAW = {"deliveryOption": {"eventSchema": "RawData"}}
RAW_BRIDGE = {**BRIDGE, "triggerConfig": {**BRIDGE["triggerConfig"], "eventSinkConfig": RAW}}


@pytest.fixture(scope="module", params=["oss", "eventbridge", "eventbridge-raw"])
def cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """The template as it is, or with EventBridge in the place of the OSS trigger."""
    template = genuine()
    props = template["resources"]["oss_copy"]["props"]
    if request.param != "oss":
        props["triggers"][0] = BRIDGE if request.param == "eventbridge" else RAW_BRIDGE
    path: Path = tmp_path_factory.mktemp("template") / "s.yaml"
    path.write_text(yaml.safe_dump(template))
    environment = {
        "MULTIPART_THRESHOLD": "2MiB",
        "ALLOWED_SOURCES": f"{SOURCE}/allowed/*",
        "MAX_PARALLEL": "4",
    }
    variables = {"watchedPrefix": "", "timeout": 5}
    with LocalCloud(template=path, variables=variables, environment=environment) as running:
        yield running


OUTCOMES = ("small", "chained", "refused", "forbidden", "failing")


def prepare(cloud: LocalCloud, outcome: str, name: str) -> str:
    """Put an object into the source bucket that comes to `outcome`; its key. The bucket's trigger sees it."""
    key = f"{'other' if outcome == 'forbidden' else 'allowed'}/{name} {outcome}+ü.bin"
    source = cloud.oss_bucket(SOURCE)
    match outcome:
        case "chained":
            cloud.seed(SOURCE, key, BIG, seed=5)
        case "failing":
            source.put_object(key, b"x", headers={"x-oss-storage-class": "Archive"})
        case _:
            source.put_object(key, b"small")
    return key


def asked_for(key: str, outcome: str) -> dict[str, Any]:
    request: dict[str, Any] = {
        "source": {"bucket": SOURCE, "key": key},
        "destination": {"bucket": DESTINATION},
    }
    if outcome == "chained":
        request["tuning"] = {"partSize": "1MiB"}
    if outcome == "refused":
        request["trafficLimit"] = 1
    return request


def judge(cloud: LocalCloud, outcome: str, key: str, result: dict[str, Any]) -> None:
    """What every trigger has to come to."""
    destination = cloud.oss_bucket(DESTINATION)
    code = (result["error"] or {}).get("code")
    if outcome in {"small", "chained"}:
        assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
        assert result["method"] == ("simple" if outcome == "small" else "multipart")
        assert crc64(destination, key) == crc64(cloud.oss_bucket(SOURCE), key)
    else:
        wanted = {
            "refused": "InvalidTrafficLimit",
            "forbidden": "NotAllowed",
            "failing": "InvalidObjectState",
        }
        assert (result["status"], code) == ("failed", wanted[outcome]), result
        assert not exists(destination, key)
    assert open_uploads(destination) == []


def results_for(cloud: LocalCloud, key: str) -> list[dict[str, Any]]:
    """The last word of every job that was about `key`.

    Where events tell keys encoded, a copy that is refused early names its object as the event does.
    """
    names = {key, quote(key)} if os.environ.get(READING) == "event-key=b" else {key}
    cloud.wait_idle()
    last: dict[str, dict[str, Any]] = {}
    for invocation in cloud.invocations():
        assert invocation["result"] is not None, invocation
        answer = json.loads(invocation["result"])
        for result in answer.get("results", [answer]):
            if (result.get("source") or {}).get("key") in names:
                last[result["job"]] = result
    return list(last.values())


@pytest.mark.parametrize("outcome", [each for each in OUTCOMES if each != "refused"])
def test_by_upload(cloud: LocalCloud, outcome: str) -> None:
    """The OSS trigger or EventBridge: the object itself asks."""
    if outcome == "chained":
        cloud.conditions(bandwidth_mb_s=2.0)
    key = prepare(cloud, outcome, "upload")
    (result,) = results_for(cloud, key)
    cloud.conditions()
    judge(cloud, outcome, key, result)


def test_by_upload_of_a_symlink(cloud: LocalCloud) -> None:
    """Its event type is listened to by the OSS trigger alone."""
    source = cloud.oss_bucket(SOURCE)
    key = prepare(cloud, "small", "target")
    source.put_symlink(key, "allowed/link")
    found = [each["verified"] for each in results_for(cloud, "allowed/link")]
    by_oss = any(one["trigger"] == "oss" for one in cloud.invocations())
    assert found == (["link"] if by_oss else [])


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_by_http(cloud: LocalCloud, outcome: str) -> None:
    key = quietly(cloud, outcome, "http")
    answer = cloud.http("POST", "/copies", json_body=asked_for(key, outcome))
    wanted = {"small": 200, "chained": 202, "refused": 422, "forbidden": 403, "failing": 409}
    assert answer.status_code == wanted[outcome], answer.text
    body = answer.json()
    if outcome == "chained":
        cloud.wait_idle()
        body = cloud.http("GET", answer.headers["location"]).json()
    result = body if answer.status_code < 300 else {"status": "failed", **body}
    judge(cloud, outcome, key, result)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_by_timer(cloud: LocalCloud, outcome: str) -> None:
    key = quietly(cloud, outcome, "timer")
    request_id = cloud.fire("timer", json.dumps([asked_for(key, outcome)]))
    judge(cloud, outcome, key, final(cloud, request_id))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_by_direct_invocation(cloud: LocalCloud, outcome: str) -> None:
    key = quietly(cloud, outcome, "direct")
    request_id = cloud.invoke_async(asked_for(key, outcome))
    judge(cloud, outcome, key, final(cloud, request_id))


def quietly(cloud: LocalCloud, outcome: str, name: str) -> str:
    """An object whose own event has been dealt with, and the copy that made removed."""
    key = prepare(cloud, outcome, name)
    cloud.wait_idle()
    cloud.oss_bucket(DESTINATION).delete_object(key)
    return key


def final(cloud: LocalCloud, request_id: str) -> dict[str, Any]:
    """The last word on the job that this invocation began."""
    cloud.wait_idle()
    (invocation,) = cloud.invocations(request_id=request_id)
    answer = json.loads(invocation["result"])
    result: dict[str, Any] = answer.get("results", [answer])[0]
    if result["status"] != "running":
        return result
    status: dict[str, Any] = cloud.http("GET", f"/copies/{result['job']}").json()
    return status


def test_rules_too_long_for_the_environment_are_read_from_an_object() -> None:
    rules = [
        {
            "source": {"bucket": SOURCE, "prefix": "in/"},
            "destination": {"bucket": DESTINATION, "key": "x/{key}"},
        }
    ]
    environment = {"COPY_RULES": "oss://oss-copy-state/rules.json"}
    with LocalCloud(variables={"watchedPrefix": "in/"}, environment=environment) as cloud:
        cloud.oss_bucket("oss-copy-state").put_object("rules.json", json.dumps(rules))
        cloud.oss_bucket(SOURCE).put_object("in/a", b"by rule")
        cloud.wait_idle()
        assert cloud.oss_bucket(DESTINATION).get_object("x/in/a").read() == b"by rule"
        reads = cloud.requests()["operations"]["GetObject"]
        cloud.oss_bucket(SOURCE).put_object("in/b", b"again")
        cloud.wait_idle()
        assert cloud.oss_bucket(DESTINATION).get_object("x/in/b").read() == b"again"
        more = cloud.requests()["operations"]["GetObject"] - reads
        assert more == 3, "our own read and the looks for two records: the rules are kept"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "NoSuchKey"),
        ("[", "not JSON"),
        (
            json.dumps([{"source": {"bucket": SOURCE}, "destination": {"bucket": SOURCE, "key": "x/{key}"}}]),
            "would copy again",
        ),
    ],
)
def test_rules_in_an_object_that_cannot_be_used_fail_the_event_by_name(text: str | None, why: str) -> None:
    environment = {"COPY_RULES": "oss://oss-copy-state/rules.json"}
    with LocalCloud(variables={"watchedPrefix": "in/"}, environment=environment) as cloud:
        if text is not None:
            cloud.oss_bucket("oss-copy-state").put_object("rules.json", text)
        cloud.oss_bucket(SOURCE).put_object("in/a", b"x")
        cloud.wait_idle()
        (invocation,) = cloud.invocations(trigger="oss")
        assert "COPY_RULES" in invocation["error"]
        assert why in invocation["error"]
