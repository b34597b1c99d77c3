"""What an attack on copies in doubt, lists and changes of settings has found."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from email.utils import formatdate
from typing import Any

import fc2
import msgspec
import pytest

from osscopy import events, plan
from osscopy.aliyun import oss_headers
from osscopy.copying import results
from osscopy.model import (
    MIB,
    Copy,
    CopyRequest,
    Destination,
    Entered,
    Opened,
    Rest,
    Source,
    Upload,
    Waiting,
)
from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    DESTINATION,
    SOURCE,
    STATE,
    answers,
    exists,
    records,
    request_of,
    status,
    until,
)

TIMEOUT = 8
NONE = "c-00000000000000000000000000000000"
LIST = "l-0123456789abcdef0123456789abcdef"
GONE = "l-00000000000000000000000000000000"
ROLE = "oss-copy"


@pytest.fixture(scope="module")
def shared_cloud() -> Iterator[LocalCloud]:
    rule = {"source": {"bucket": SOURCE, "prefix": "incoming/"}, "destination": {"bucket": DESTINATION}}
    environment = {
        "COPY_RULES": json.dumps([rule]),
        "MAX_PARALLEL": "4",
        "ALLOWED_DESTINATIONS": f"{DESTINATION}/*,{SOURCE}/*",
        "ALLOWED_OPTIONS": "public-acl,colder-class",
    }
    with LocalCloud(variables={"timeout": TIMEOUT}, environment=environment) as running:
        yield running


def state(cloud: LocalCloud, name: str, value: object) -> None:
    cloud.oss_bucket(STATE).put_object(f"oss-copy/{name}", msgspec.json.encode(value))


def copy_of(key: str, **options: Any) -> Copy:
    request = CopyRequest(source=Source(SOURCE, key), destination=Destination(DESTINATION, key), **options)
    moment = results.iso(time.time())
    return Copy(plan.job_id(request, key), request, moment)


def timer(asked: object) -> dict[str, str]:
    moment = datetime.now(timezone.utc).isoformat()
    return {"triggerTime": moment, "triggerName": "t", "payload": json.dumps(asked)}


# --- lists -------------------------------------------------------------------------------------------------


def test_a_copyobject_that_stalls_in_a_list_leaves_time_to_hand_over_the_rest(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    """Right: its answer is waited for as long as there is time to hand over afterwards, as for a part."""
    keys = [f"{key}-{number:02}" for number in range(12)]
    for each in keys:
        source.put_object(each, b"x")
    cloud.conditions([{"operation": "CopyObject", "answer": "stall", "limit": 1, "skip": 3}], latency_ms=200)
    try:
        told = cloud.invoke([request_of(each) for each in keys])["results"]
    except fc2.FcError as error:
        told = error
    cloud.wait_idle()
    assert isinstance(told, list), told
    assert all(exists(destination, each) for each in keys)


@pytest.mark.parametrize("age", [0, plan.MAX_AGE + 60])
def test_a_record_that_cannot_be_read_stops_no_other_copy_of_a_list(
    cloud: LocalCloud, source: Any, destination: Any, key: str, age: int
) -> None:
    """As another version of the function has left it. Right: that copy alone has an error.

    And the list is forgotten then, at the latest when its copies are too old: nothing goes on for ever.
    """
    for name in ("a", "b"):
        source.put_object(f"{key}-{name}", b"x")
    bad, good = copy_of(f"{key}-a"), copy_of(f"{key}-b")
    state(cloud, f"open/{bad.job}", {"nonce": "n", "newer": 1})
    state(cloud, f"rest/{LIST}", Waiting((bad, good), time.time() - age))
    try:
        told = cloud.invoke(events.encode(Rest(LIST)))
    except fc2.FcError as error:
        told = error
    cloud.oss_bucket(STATE).delete_object(f"oss-copy/open/{bad.job}")
    assert exists(destination, f"{key}-b") == (age == 0), told
    assert f"rest/{LIST}" not in records(cloud)


def test_a_list_on_record_that_cannot_be_submitted_is_answered_and_left_to_the_sweep(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    """Right: what was done is told, and what is on record is running, as behind HTTP."""
    keys = [f"{key}-{number:02}" for number in range(10)]
    for each in keys:
        source.put_object(each, b"x")
    cloud.conditions([{"operation": "invocation", "error": "ResourceExhausted", "skip": 1}], latency_ms=600)
    try:
        told = cloud.invoke([request_of(each) for each in keys])["results"]
    except fc2.FcError as error:
        told = error
    assert [name for name in records(cloud) if name.startswith("rest/")]
    assert isinstance(told, list), told


def test_a_list_that_is_gone_leaves_no_generation_on_record(cloud: LocalCloud) -> None:
    """A sweep has started it again while its last invocation forgot it. Right: nothing stays for ever."""
    cloud.oss_bucket(STATE).put_object(f"oss-copy/gen/{GONE}/{29000000:012}-start", b"{}")
    cloud.invoke(events.encode(Rest(GONE, 29000000)))
    assert not [name for name in records(cloud) if GONE in name]


# --- settings and sizes ------------------------------------------------------------------------------------


def test_a_request_too_large_to_be_handed_over_is_refused_and_not_left_open(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    """Right: it is refused before anything is written, and does not run on record for a week."""
    cloud.seed(SOURCE, key, 210 * MIB, seed=1)
    source.put_object(f"{key}-small", b"x")
    names = ("contentType", "cacheControl", "contentDisposition", "contentEncoding", "contentLanguage")
    metadata = {**dict.fromkeys(names, "v" * 8000), "user": {"n": "v" * 2000}}
    asked = [request_of(key, metadata=metadata), request_of(f"{key}-small")]
    first, second = cloud.invoke(asked)["results"]
    assert (first["status"], first["error"]["code"]) == ("failed", "RequestTooLarge"), first
    assert second["status"] == "succeeded"
    assert status(cloud, first["job"])["error"]["code"] == "NoSuchJob"


def test_an_upload_that_is_on_record_goes_on_when_the_timeout_is_too_short_for_a_new_one(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    """The timeout was lowered between two deliveries. Right: part sizes on record are what counts."""
    cloud.seed(SOURCE, key, 3_300_000_000, seed=1)
    copy = msgspec.structs.replace(copy_of(key, traffic_limit=819_200), keep=True)
    head = oss_headers.head(source.head_object(key))
    pin = plan.bind(copy.request, head, {})
    upload_id = destination.init_multipart_upload(key).upload_id
    upload = Upload(upload_id, 400 * MIB, -(-head.size // (400 * MIB)), 1, head.seen_at)
    state(cloud, f"open/{copy.job}", Opened("n", copy.job, copy.request, pin, copy.started_at))
    state(cloud, f"up/{copy.job}", Entered("n", upload))
    told = cloud.invoke(events.encode(msgspec.structs.replace(copy, retried=True)))
    assert told["status"] in {"running", "succeeded"}, told
    cloud.http("DELETE", f"/copies/{copy.job}")  # nobody waits for its parts of minutes


# --- in its own way ----------------------------------------------------------------------------------------


def test_an_object_changed_in_place_under_a_condition_is_no_failure_when_the_event_comes_twice(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    """Right: the source has changed since because the first delivery has changed it."""
    source.put_object(key, b"x")
    time.sleep(1.1)
    moment = formatdate(time.time(), usegmt=True)
    time.sleep(1.1)
    asked = {
        "source": {"bucket": SOURCE, "key": key},
        "destination": {"bucket": SOURCE},
        "storageClass": "IA",
        "conditions": {"ifUnmodifiedSince": moment},
    }
    event = timer(asked)
    told = [cloud.invoke(event) for _ in range(2)]
    assert [each["status"] for each in told] == ["succeeded", "succeeded"], told


def test_an_event_that_comes_twice_is_one_success_although_its_source_is_gone_by_then(
    cloud: LocalCloud, source: Any, destination: Any
) -> None:
    """Right: the destination shows the ETag that the event tells of, written since the event."""
    source.put_object("incoming/moved.txt", b"once")
    cloud.wait_idle()
    event = [each["event"] for each in cloud.invocations(trigger="oss")][-1]
    assert exists(destination, "incoming/moved.txt")
    source.delete_object("incoming/moved.txt")
    cloud.invoke_async(event)
    cloud.wait_idle()
    told = list(answers(cloud.invocations()))[-2:]
    assert [each["status"] for each in told] == ["succeeded", "succeeded"], told


def test_an_event_that_comes_again_after_a_failure_is_answered_as_it_is_on_record(
    cloud: LocalCloud, source: Any
) -> None:
    """Right: one job has one outcome: what is answered, what is on record and what is shown agree."""
    cloud.conditions([{"operation": "HeadObject", "error": "AccessDenied", "limit": 1}])
    source.put_object("incoming/again.txt", b"once")
    cloud.wait_idle()
    event = [each["event"] for each in cloud.invocations(trigger="oss")][-1]
    cloud.invoke_async(event)
    cloud.wait_idle()
    first, second = list(answers(cloud.invocations()))[-2:]
    assert (first["status"], first["job"]) == ("failed", second["job"])
    assert second["status"] == status(cloud, first["job"])["status"], (first, second)


def test_a_direct_event_that_fc_delivers_twice_at_once_is_one_success(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    """FC delivers asynchronous events at least once. Right: what is in the way is this very copy."""
    source.put_object(key, b"once")
    cloud.conditions([{"operation": "invocation", "answer": "duplicate", "limit": 1}], latency_ms=200)
    cloud.invoke_async(request_of(key, overwrite="never"))
    cloud.wait_idle()
    told = [
        each for each in answers(cloud.invocations()) if (each.get("destination") or {}).get("key") == key
    ]
    assert [each["status"] for each in told] == ["succeeded", "succeeded"], told
    assert told[0]["job"] == told[1]["job"]


# --- after the write ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["AccessDenied", "InternalError"])
def test_a_look_at_the_source_after_the_write_decides_nothing_about_what_was_written(
    cloud: LocalCloud, source: Any, destination: Any, key: str, code: str
) -> None:
    """Right: the copy by rule is proved before; that no follow-up can be judged does not make it fail."""
    look = {"operation": "HeadObject", "bucket": SOURCE, "error": code, "skip": 1, "limit": 1}
    cloud.conditions([look])  # its own, the destination is looked at beside it
    name = f"incoming/{key}"
    source.put_object(name, b"x")
    cloud.wait_idle()
    assert exists(destination, name)
    told = [
        each for each in answers(cloud.invocations()) if (each.get("destination") or {}).get("key") == name
    ]
    assert [each["status"] for each in told] == ["succeeded"], told


def test_a_copyobject_that_outlasts_its_wait_is_on_record_though_parts_are_refused(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    """Parts would need the right to read tags. Right: CopyObject may land yet, and is not called failed."""
    cloud.seed(SOURCE, key, 24 * MIB, seed=1)
    everything = {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}
    denied = {
        "Effect": "Deny",
        "Action": ["oss:GetObjectTagging"],
        "Resource": [f"acs:oss:*:*:{SOURCE}/*"],
    }
    cloud.set_policy(ROLE, {"Version": "1", "Statement": [everything, denied]})
    cloud.conditions(bandwidth_mb_s=2.1)
    try:
        told = cloud.http("POST", "/copies", json_body=request_of(key)).json()
        until(lambda: exists(destination, key))
        assert "error" not in told or told["error"] is None, told
    finally:
        cloud.set_policy(ROLE, None)
