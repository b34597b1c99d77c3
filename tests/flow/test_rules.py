"""What rules make of events that are not like the others: folder markers, odd keys, replicas, raw data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.client import ROOT, LocalCloud
from tests.flow.conftest import DESTINATION, SOURCE, STATE, answers, exists, until

RULES = [
    {
        "source": {"bucket": SOURCE, "prefix": "incoming/flat/"},
        "destination": {"bucket": DESTINATION, "key": "flat/{name}"},
    },
    {"source": {"bucket": SOURCE, "prefix": "incoming/tree/"}, "destination": {"bucket": DESTINATION}},
    {"source": {"bucket": SOURCE, "prefix": "quiet/"}, "destination": {"bucket": DESTINATION}},
]


@pytest.fixture(scope="module")
def shared_cloud() -> Iterator[LocalCloud]:
    with LocalCloud(environment={"COPY_RULES": json.dumps(RULES)}) as running:
        yield running


def lines(cloud: LocalCloud, event: str) -> list[dict[str, Any]]:
    """What has been logged of this kind."""
    found: list[dict[str, Any]] = []
    for invocation in cloud.invocations():
        for line in invocation["logs"].splitlines():
            at = line.find('{"event":"' + event + '"')
            found += [json.loads(line[at:])] if at >= 0 else []
    return found


def test_a_folder_marker_is_no_failure_under_a_rule(cloud: LocalCloud, source: Any, destination: Any) -> None:
    for key in ("incoming/flat/", "incoming/flat/a/", "incoming/flat/a/b.bin", "incoming/tree/a/"):
        source.put_object(key, b"")
    cloud.wait_idle()
    assert [each["status"] for each in answers(cloud.invocations())] == ["succeeded"] * 2
    assert [each["key"] for each in lines(cloud, "markerSkipped")] == ["incoming/flat/", "incoming/flat/a/"]
    assert exists(destination, "flat/b.bin")
    assert exists(destination, "incoming/tree/a/")
    assert not exists(destination, "flat/")


# --- events that no trigger of the local cloud makes -------------------------------------------------------


def told(key: str, etag: str, name: str = "ObjectCreated:PutObject") -> dict[str, Any]:
    """The event of an object that lies where the trigger does not look."""
    event: dict[str, Any] = json.loads(Path(ROOT, "tests/events/oss-trigger.json").read_text())
    (record, *_) = event["events"]
    record |= {"eventName": name, "eventTime": datetime.now(timezone.utc).isoformat()}
    record["oss"]["bucket"]["name"] = SOURCE
    record["oss"]["object"] |= {"key": key, "eTag": etag}
    return {"events": [record]}


def etag(source: Any, key: str, content: bytes) -> str:
    return str(source.put_object(key, content).etag)


def test_a_key_is_read_with_blanks_if_only_so_the_etag_is_that_of_the_event(
    cloud: LocalCloud, source: Any, destination: Any
) -> None:
    seen = etag(source, "quiet/a b", b"one")
    (result,) = cloud.invoke(told("quiet/a+b", seen))["results"]
    assert (result["status"], result["source"]["key"]) == ("succeeded", "quiet/a b"), result
    assert destination.get_object("quiet/a b").read() == b"one"
    (other,) = cloud.invoke(told("quiet/a+b", "0" * 32))["results"]
    assert (other["status"], other["error"]["code"]) == ("failed", "NoSuchKey"), "it is some other object"
    raw = etag(source, "quiet/a+b", b"two")
    (third,) = cloud.invoke(told("quiet/a+b", raw))["results"]
    assert third["source"]["key"] == "quiet/a+b"
    (fourth,) = cloud.invoke(told("quiet/a+b", seen))["results"]
    assert fourth["source"]["key"] == "quiet/a b", "both are there: the ETag tells"
    (fifth,) = cloud.invoke(told("quiet/a+b", "1" * 32))["results"]
    assert fifth["source"]["key"] == "quiet/a+b", "both have changed since: the text as it stands"


def test_of_three_readings_the_etag_tells_which_is_meant(cloud: LocalCloud, source: Any) -> None:
    keys = ("quiet/%20+x", "quiet/ +x", "quiet/  x")
    for number, key in enumerate(keys):
        seen = etag(source, key, b"%d" % number)
        (result,) = cloud.invoke(told(keys[0], seen))["results"]
        assert (result["status"], result["source"]["key"]) == ("succeeded", key), result


def test_an_unquoted_key_is_copied_though_it_was_overwritten_since(cloud: LocalCloud, source: Any) -> None:
    source.put_object("quiet/c d", b"newer")
    (result,) = cloud.invoke(told("quiet/c%20d", "0" * 32))["results"]
    assert (result["status"], result["source"]["key"]) == ("succeeded", "quiet/c d"), result


@pytest.mark.parametrize("name", ["ObjectCreated", "ObjectModified"])
def test_a_replica_is_copied(cloud: LocalCloud, source: Any, destination: Any, name: str) -> None:
    key = f"quiet/replica-{name}"
    event = told(key, etag(source, key, b"far"), f"ObjectReplication:{name}")
    (result,) = cloud.invoke(event)["results"]
    assert result["status"] == "succeeded", result
    assert exists(destination, key)


def test_an_event_that_nobody_knows_is_logged_once_an_instance(cloud: LocalCloud) -> None:
    for _ in range(3):
        assert cloud.invoke(told("quiet/x", "E", "ObjectCreated:Teleport")) == {"results": []}
    found = [each["name"] for each in lines(cloud, "unknownEvent")]
    assert found == ["ObjectCreated:Teleport"]


def test_an_upload_waits_for_rules_that_cannot_be_read() -> None:
    """FC gives its event up meanwhile, and tells of that who cannot read the rules either."""
    rules = [{"source": {"bucket": SOURCE, "prefix": "incoming/"}, "destination": {"bucket": DESTINATION}}]
    with LocalCloud(environment={"COPY_RULES": "oss://oss-copy-state/rules.json"}) as cloud:
        cloud.oss_bucket(SOURCE).put_object("incoming/early", b"x")
        until(lambda: bool(lines(cloud, "putOff")))
        cloud.oss_bucket(STATE).put_object("rules.json", json.dumps(rules))
        cloud.hurry()
        until(lambda: exists(cloud.oss_bucket(DESTINATION), "incoming/early"))
