"""Five readings of one outcome agree: answer, record, log, destination and a second asking."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    DESTINATION,
    SOURCE,
    answers,
    begin,
    crc64,
    exists,
    open_uploads,
    records,
    status,
)

Fault = dict[str, object]
THROTTLED = "TotalQpsLimitExceeded"
SMALL, LARGE = 3, 4 * MIB
FAULTS: dict[str, list[Fault]] = {
    "none": [],
    "CopyObject unheard": [{"operation": "CopyObject", "answer": "lost", "limit": 1}],
    "Complete unheard": [{"operation": "CompleteMultipartUpload", "answer": "lost", "limit": 1}],
    "looks throttled": [{"operation": "HeadObject", "error": THROTTLED, "skip": 2, "limit": 8}],
    "killed in CopyObject": [{"operation": "CopyObject", "answer": "kill", "limit": 1}],
    "killed in Complete": [{"operation": "CompleteMultipartUpload", "answer": "kill", "limit": 1}],
    "done/ unheard": [{"operation": "PutObject", "key": "oss-copy/done/", "answer": "lost", "limit": 1}],
}


@pytest.fixture(scope="module")
def shared_cloud() -> Iterator[LocalCloud]:
    rules = [
        {
            "source": {"bucket": SOURCE, "prefix": f"incoming/{policy}/"},
            "destination": {"bucket": DESTINATION},
            "overwrite": policy,
            "tuning": {"partSize": "1MiB"},
        }
        for policy in ("always", "never", "ifDifferent", "ifNewer")
    ]
    environment = {"COPY_RULES": json.dumps(rules), "MAX_PARALLEL": "4", "MULTIPART_THRESHOLD": "2MiB"}
    with LocalCloud(variables={"timeout": 8}, environment=environment) as running:
        yield running


def told(cloud: LocalCloud, key: str) -> list[dict[str, Any]]:
    """The final answers of the invocations that worked on this destination, oldest first."""
    found = (each for each in answers(cloud.invocations()) if each.get("status") not in {None, "running"})
    return [each for each in found if (each.get("destination") or {}).get("key") == key]


def logged(cloud: LocalCloud, job: str) -> list[dict[str, Any]]:
    """The final `result` lines of a job, oldest first."""
    lines = (line for each in cloud.invocations() for line in each["logs"].splitlines())
    events = [json.loads(line[line.index("{") :]) for line in lines if '{"event":"result"' in line]
    return [each for each in events if each.get("job") == job and each["status"] != "running"]


def agree(cloud: LocalCloud, key: str, job: str, outcomes: set[str], *, written: bool) -> None:
    """What each of the five says of the job, whose event has come twice by now."""
    ends = {each["status"] for each in told(cloud, key) if each["job"] == job}
    lines = {each["status"] for each in logged(cloud, job)}
    recorded = f"done/{job}" in records(cloud)
    on_record = {status(cloud, job)["status"]} if recorded else set()
    assert ends == lines == outcomes, (ends, lines, told(cloud, key))
    assert on_record <= outcomes, on_record
    source, destination = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
    assert written == (exists(destination, key) and crc64(destination, key) == crc64(source, key))
    assert open_uploads(destination, key) == []


def event_of(cloud: LocalCloud, key: str) -> str:
    """The event of the OSS trigger that names the key, as it is or encoded."""
    names = (key, quote(key))
    events: list[str] = [each["event"] for each in cloud.invocations(trigger="oss")]
    return next(event for event in events if any(name in event for name in names))


MEETS = [  # those that meet a copy of this size
    (fault, size)
    for size, other in ((SMALL, "Complete"), (LARGE, "CopyObject"))
    for fault in FAULTS
    if other not in fault
]


@pytest.mark.parametrize("policy", ["always", "never", "ifDifferent", "ifNewer"])
@pytest.mark.parametrize(("fault", "size"), MEETS)
def test_an_event_that_comes_twice_has_one_outcome(
    cloud: LocalCloud, fault: str, size: int, policy: str
) -> None:
    key = f"incoming/{policy}/{fault.replace('/', '-')}-{size}.bin"
    cloud.conditions([{**each, "key": each.get("key", key)} for each in FAULTS[fault]])
    cloud.seed(SOURCE, key, size, seed=1)
    cloud.wait_idle()
    event = event_of(cloud, key)
    cloud.conditions()
    first = told(cloud, key)
    cloud.invoke_async(event)
    cloud.wait_idle()
    assert len(told(cloud, key)) > len(first)
    agree(cloud, key, first[0]["job"], {"succeeded"}, written=True)


@pytest.mark.parametrize("fault", ["none", "CopyObject unheard", "looks throttled", "done/ unheard"])
@pytest.mark.parametrize("policy", ["always", "never", "ifDifferent"])
def test_a_request_that_is_sent_twice_with_its_key_has_one_outcome(
    cloud: LocalCloud, source: Any, key: str, fault: str, policy: str
) -> None:
    source.put_object(key, b"x")
    asked = {
        "source": {"bucket": SOURCE, "key": key},
        "destination": {"bucket": DESTINATION},
        "overwrite": policy,
    }
    cloud.conditions(FAULTS[fault])
    first = cloud.http("POST", "/copies", json_body=asked, headers={"Idempotency-Key": key})
    cloud.conditions()
    cloud.wait_idle()
    again = cloud.http("POST", "/copies", json_body=asked, headers={"Idempotency-Key": key})
    assert first.status_code in {200, 202}, first.text
    assert (again.status_code, again.json()["status"]) == (200, "succeeded"), again.text
    assert status(cloud, again.json()["job"])["status"] == "succeeded"
    ends = {each["status"] for each in logged(cloud, again.json()["job"])}
    assert ends == {"succeeded"}
    assert crc64(cloud.oss_bucket(DESTINATION), key) == crc64(source, key)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "parts"])
def test_what_stands_in_the_way_before_its_event_is_a_conflict_each_time(
    cloud: LocalCloud, destination: Any, size: int
) -> None:
    key = f"incoming/never/theirs-{size}.bin"
    destination.put_object(key, b"theirs")
    cloud.seed(SOURCE, key, size, seed=1)
    cloud.wait_idle()
    event = event_of(cloud, key)
    cloud.invoke_async(event)
    cloud.wait_idle()
    job = told(cloud, key)[0]["job"]
    agree(cloud, key, job, {"failed"}, written=False)
    assert status(cloud, job)["error"]["code"] == "FileAlreadyExists"


def test_a_cancelled_copy_is_cancelled_in_every_reading(cloud: LocalCloud, key: str) -> None:
    job = begin(cloud, key, parts=1, headers={"Idempotency-Key": key})
    assert cloud.http("DELETE", f"/copies/{job}").json()["status"] == "cancelled"
    cloud.conditions()
    cloud.wait_idle()
    agree(cloud, key, job, {"cancelled"}, written=False)
    assert cloud.http("DELETE", f"/copies/{job}").json()["status"] == "cancelled"
