"""Somebody is told of failed jobs: by a robot and by a function, once a job, and never of anything else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from functions.cli import rights
from functions.cli.rights import reach
from osscopy import events
from osscopy.model import Tell
from tests.cloud.client import LocalCloud
from tests.flow.conftest import DESTINATION, SOURCE, STATE, genuine, records, request_of, until
from tests.flow.leaks import leaks
from tests.unit.peer import Peer, Told, running

TOKEN, SECRET, FUNCTION = "t0ken-of-the-robot", "SECret-of-the-robot", "on-call"
ECHO = "def handler(event, context):\n    return event.decode()\n"
TAKEN = Told(body=b'{"errcode":0,"errmsg":"ok"}')


@pytest.fixture(scope="module")
def robot() -> Iterator[Peer]:
    with running() as peer:
        yield peer


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, robot: Peer) -> Path:
    """s.yaml that names somebody who is told, with the function that is."""
    folder = tmp_path_factory.mktemp("told")
    (folder / "code").mkdir()
    (folder / "code" / "index.py").write_text(ECHO)
    document = genuine()
    told = {
        "OSS_ENDPOINT": "http://127.0.0.1:1",  # the local cloud's takes its place
        "NOTIFY_URL": f"{robot.url}/robot/send?access_token={TOKEN}",
        "NOTIFY_FORM": "dingtalk",
        "NOTIFY_SECRET": SECRET,
        "NOTIFY_FUNCTION": FUNCTION,
    }
    document["resources"]["oss_copy"]["props"]["environmentVariables"] |= told
    props = dict(document["resources"]["oss_copy_dropped"]["props"])
    for name in ("layers", "instanceLifecycleConfig"):
        props.pop(name)
    props |= {"functionName": FUNCTION, "code": str(folder / "code"), "environmentVariables": {}}
    document["resources"]["on_call"] = {"component": "fc3@0.1.22", "props": props}
    path = folder / "s.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def shared_cloud(template: Path) -> Iterator[LocalCloud]:
    with LocalCloud(template=template, variables={"timeout": 20}) as running_cloud:
        yield running_cloud


@pytest.fixture
def cloud(shared_cloud: LocalCloud, robot: Peer) -> Iterator[LocalCloud]:
    robot.tell(TAKEN)
    yield shared_cloud
    told(shared_cloud)
    assert not [each for each in records(shared_cloud) if each.startswith("tell/")]
    assert leaks(shared_cloud, TOKEN, SECRET) == []


def told(cloud: LocalCloud) -> dict[str, Any]:
    """Let what is to be told be told now, as the look that is delayed would; what that answers."""
    found: dict[str, Any] = cloud.invoke(json.loads(events.encode(Tell())))
    return found


def texts(robot: Peer) -> list[str]:
    return [json.loads(each.body)["text"]["content"] for each in robot.asked]


def on_call(cloud: LocalCloud, job: str) -> list[dict[str, Any]]:
    """What the function was told of a job, once it was told anything."""
    found: list[dict[str, Any]] = []

    def is_told() -> bool:
        runs = [each for each in cloud.invocations() if each["function"] == FUNCTION and each["result"]]
        found[:] = [json.loads(each["result"]) for each in runs]
        return bool(of_job())

    def of_job() -> list[dict[str, Any]]:
        return [each for each in found if each.get("result", {}).get("job") == job]

    until(is_told)
    return of_job()


def fail(cloud: LocalCloud, key: str) -> str:
    """A copy whose source may not be read; its job."""
    cloud.foreign("oss-copy-theirs", key)
    found = cloud.invoke(request_of(key))
    assert found["status"] == "failed"
    return str(found["job"])


def test_a_failed_copy_is_told_to_the_robot_and_to_the_function(
    cloud: LocalCloud, robot: Peer, key: str
) -> None:
    job = fail(cloud, key)
    assert robot.asked == [], "the copy does not wait for a message"
    cloud.hurry()
    until(lambda: len(robot.asked) > 0)
    (asked,) = robot.asked
    assert (asked.method, asked.path) == ("POST", "/robot/send")
    assert asked.query["access_token"] == TOKEN
    signed = f"{asked.query['timestamp']}\n{SECRET}".encode()
    digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    assert asked.query["sign"] == base64.b64encode(digest).decode()
    (text,) = texts(robot)
    assert f"failed: job {job}" in text
    assert "NoSuchKey" in text
    (message,) = on_call(cloud, job)
    assert (message["event"], message["function"]) == ("jobEnded", "oss-copy")
    assert message["result"]["error"]["code"] == "NoSuchKey"
    until(lambda: f"tell/{job}" not in records(cloud))
    assert {f"told/url/{job}", f"told/function/{job}", f"done/{job}"} <= records(cloud)
    assert told(cloud)["told"] == 0
    assert len(robot.asked) == 1


def test_what_succeeds_is_not_told_and_asks_for_nothing_more(
    cloud: LocalCloud, robot: Peer, key: str
) -> None:
    cloud.oss_bucket(SOURCE).put_object(key, b"content")
    assert cloud.invoke(request_of(key))["status"] == "succeeded"
    (run,) = [each for each in cloud.invocations() if each["function"] == "oss-copy"][-1:]
    told(cloud)
    assert robot.asked == []
    assert "tell" not in run["logs"]


def test_a_job_of_many_objects_that_fails_is_told_once_with_its_counts(
    cloud: LocalCloud, robot: Peer, key: str
) -> None:
    prefix = f"{key}/"
    cloud.oss_bucket(SOURCE).put_object(f"{prefix}a", b"content")
    cloud.oss_bucket(SOURCE).put_object(f"{prefix}b", b"content")
    cloud.oss_bucket(DESTINATION).put_object(f"there/{prefix}b", b"another")
    request = {
        "source": {"bucket": SOURCE, "prefix": prefix},
        "destination": {"bucket": DESTINATION, "prefix": f"there/{prefix}"},
    }
    cloud.conditions([{"operation": "CopyObject", "probability": 1, "error": "InvalidObjectState"}])
    job = cloud.invoke(request)["job"]
    until(lambda: f"done/{job}" in records(cloud))
    cloud.conditions()
    told(cloud)
    (text,) = texts(robot)
    assert f"failed: job {job}" in text
    assert "failed 2" in text
    (message,) = on_call(cloud, job)
    assert message["result"]["objects"]["failed"] == 2


def test_a_robot_that_takes_nothing_is_told_later_and_the_function_once(
    cloud: LocalCloud, robot: Peer, key: str
) -> None:
    robot.tell(Told(body=b'{"errcode":310000,"errmsg":"sign not match"}'))
    job = fail(cloud, key)
    told(cloud)
    assert f"tell/{job}" in records(cloud)
    logs = "".join(each["logs"] for each in cloud.invocations())
    assert '"event":"notTold","way":"url","error":"NotTaken: 310000: \\"sign not match\\""' in logs
    robot.tell(TAKEN)
    assert told(cloud) == {"told": 1, "left": 0, "givenUp": 0, "more": False}
    assert [f"job {job}" in text for text in texts(robot)] == [True]
    assert len(on_call(cloud, job)) == 1


def test_many_failures_make_few_messages(cloud: LocalCloud, robot: Peer, key: str) -> None:
    found = cloud.invoke([request_of(f"{key}{number}") for number in range(40)])
    assert {each["status"] for each in found["results"]} == {"failed"}
    told(cloud)
    assert len(robot.asked) == 8
    assert "33 jobs have ended" in texts(robot)[-1]


def test_the_role_needs_the_right_to_invoke_the_function_that_is_told(
    cloud: LocalCloud, template: Path, key: str
) -> None:
    to = reach.read(template)
    grants = rights.function_grants(to)
    (named,) = [each for each in grants if each.name == "told"]
    assert all(each.rpartition("functions/")[2].split("/")[0] == FUNCTION for each in named.resources)
    assert "told" not in {each.name for each in rights.function_grants(reach.read())}
    cloud.set_policy(to.role, rights.document(tuple(each for each in grants if each != named)))
    job = fail(cloud, key)
    told(cloud)
    assert f"told/url/{job}" in records(cloud)
    assert f"told/function/{job}" not in records(cloud)
    cloud.set_policy(to.role, rights.document(grants))
    told(cloud)
    assert f"told/function/{job}" in records(cloud)
    cloud.set_policy(to.role, None)


def test_the_check_says_who_is_told_without_a_secret(cloud: LocalCloud, robot: Peer) -> None:
    lines = cloud.invoke({"action": "check"})["lines"]
    (line,) = [each for each in lines if each["check"] == "settings.notify"]
    assert line["found"] == f"failed jobs are told: function {FUNCTION} and dingtalk at {robot.url}"
    assert cloud.oss_bucket(STATE).bucket_name == STATE
