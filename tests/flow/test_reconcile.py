"""A week in fast motion: events are lost by chance, and rules are reconciled each night."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from typing import Any

import oss2
import pytest
import yaml

from tests.cloud.client import LocalCloud
from tests.flow.conftest import DESTINATION, SOURCE, genuine

DAYS, OBJECTS = 7, 8  # objects written a day, for each rule
RULES = [
    {
        "source": {"bucket": SOURCE, "prefix": "in/", "suffix": ".bin"},
        "destination": {"bucket": DESTINATION, "key": "kept/{key}"},
        "encryption": "bucket",
    },
    {
        "source": {"bucket": SOURCE, "prefix": "names/"},
        "destination": {"bucket": DESTINATION, "key": "more/{key}.bak"},
    },
    {
        "source": {"bucket": SOURCE, "prefix": "mirror/"},
        "destination": {"bucket": DESTINATION, "key": "{key}"},
        "deletes": "follow",
    },
]


def shown(cloud: LocalCloud, bucket: str, prefix: str) -> dict[str, str]:
    """ETags by key below the prefix."""
    found = oss2.ObjectIteratorV2(cloud.oss_bucket(bucket), prefix=prefix)
    return {each.key.removeprefix(prefix): each.etag for each in found}


@pytest.fixture(scope="module")
def shared_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A cloud whose trigger tells of the whole bucket, deletions included."""
    template = genuine()
    (watch,) = (
        each
        for each in template["resources"]["oss_copy"]["props"]["triggers"]
        if each["triggerName"] == "oss"
    )
    watch["triggerConfig"]["events"] += [
        "oss:ObjectRemoved:DeleteObject",
        "oss:ObjectRemoved:DeleteObjects",
    ]
    path = tmp_path_factory.mktemp("reconcile") / "s.yaml"
    path.write_text(yaml.safe_dump(template), encoding="utf-8")
    with LocalCloud(
        template=path,
        variables={"watchedPrefix": "", "timeout": 20},
        environment={"COPY_RULES": json.dumps(RULES), "ALLOWED_OPTIONS": "delete"},
    ) as running:
        yield running


def reconcile(cloud: LocalCloud) -> list[dict[str, Any]]:
    """Fire the timer, and wait until every job has ended; return their results."""
    cloud.conditions()
    cloud.wait_idle()
    request = cloud.fire("reconcile")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        cloud.hurry()
        cloud.wait_idle()
        (begun,) = [each for each in cloud.invocations() if each["request_id"] == request]
        jobs = [each["job"] for each in json.loads(begun["result"])["results"]]
        found = [cloud.http("GET", f"/copies/{job}").json() for job in jobs]
        if all(each["status"] != "running" for each in found):
            return found
    raise AssertionError("the jobs did not end")


def test_each_morning_both_sides_are_equal_and_only_a_rule_that_follows_has_deleted(
    cloud: LocalCloud,
) -> None:
    chance = random.Random(7)
    source = cloud.oss_bucket(SOURCE)
    cloud.wait_idle()
    ever: set[str] = set()
    deaf: set[str] = set()  # deletions that nobody was told of
    lost = healed = followed = 0

    def lacking(there: str, wanted: dict[str, str]) -> int:
        has = shown(cloud, DESTINATION, there)
        return sum(has.get(name) != etag for name, etag in wanted.items())

    for day in range(DAYS):
        cloud.conditions([{"operation": "invocation", "answer": "drop", "probability": 0.4}], seed=day + 1)
        for number in range(OBJECTS):
            body = f"{day} {number}".encode()
            source.put_object(
                f"in/{chance.randrange(OBJECTS):02}{chance.choice(('.bin', '.bin', '.txt'))}", body
            )
            source.put_object(f"names/{day}/{number:02}", body)
            source.put_object(f"mirror/{chance.randrange(OBJECTS):02}", body)
            if chance.random() < 0.2:
                source.delete_object(f"in/{chance.randrange(OBJECTS):02}.bin")
                source.delete_object(f"mirror/{chance.randrange(OBJECTS):02}")
        cloud.conditions()
        cloud.wait_idle()
        kept = {name: etag for name, etag in shown(cloud, SOURCE, "in/").items() if name.endswith(".bin")}
        names = {f"{name}.bak": etag for name, etag in shown(cloud, SOURCE, "names/").items()}
        mirror = shown(cloud, SOURCE, "mirror/")
        lost += lacking("kept/in/", kept) + lacking("more/names/", names) + lacking("mirror/", mirror)
        deaf |= shown(cloud, DESTINATION, "mirror/").keys() - mirror.keys()
        results = reconcile(cloud)
        assert [each["status"] for each in results] == ["succeeded"] * len(RULES), results
        healed += sum(each["objects"]["succeeded"] for each in results)
        ever |= kept.keys()
        there = shown(cloud, DESTINATION, "kept/in/")
        assert {name: there.get(name) for name in kept} == kept
        assert there.keys() >= ever, "this rule keeps what is deleted"
        assert shown(cloud, DESTINATION, "more/names/") == names
        there = shown(cloud, DESTINATION, "mirror/")
        assert {name: there.get(name) for name in mirror} == mirror
        assert there.keys() - mirror.keys() <= deaf, "what nobody told of is left, and nothing else"
        for name in sorted(mirror)[:3]:  # by day, with every event
            source.delete_object(f"mirror/{name}")
        cloud.wait_idle()
        assert not shown(cloud, DESTINATION, "mirror/").keys() & set(sorted(mirror)[:3])
        followed += 3
    assert lost > DAYS
    assert healed >= lost / 2
    told = [each["logs"].count('"event":"removed"') for each in cloud.invocations()]
    assert sum(told) >= followed


def test_a_copy_that_somebody_else_has_written_over_is_kept(cloud: LocalCloud) -> None:
    source, destination = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
    source.put_object("mirror/mine", b"a")
    cloud.wait_idle()
    destination.put_object("mirror/mine", b"theirs")
    source.delete_object("mirror/mine")
    cloud.wait_idle()
    assert destination.get_object("mirror/mine").read() == b"theirs"
