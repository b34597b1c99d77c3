"""A week in fast motion: events are lost by chance, and rules are reconciled each night."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from typing import Any

import oss2
import pytest

from tests.cloud.client import LocalCloud
from tests.flow.conftest import DESTINATION, SOURCE

DAYS = 7
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
]


def shown(cloud: LocalCloud, bucket: str, prefix: str) -> dict[str, str]:
    """ETags by key below the prefix."""
    found = oss2.ObjectIteratorV2(cloud.oss_bucket(bucket), prefix=prefix)
    return {each.key.removeprefix(prefix): each.etag for each in found}


def copied(cloud: LocalCloud) -> tuple[dict[str, str], dict[str, str]]:
    return shown(cloud, DESTINATION, "kept/in/"), shown(cloud, DESTINATION, "more/names/")


@pytest.fixture(scope="module")
def shared_cloud() -> Iterator[LocalCloud]:
    """A cloud without a template of its own: its trigger watches the whole bucket."""
    variables = {"watchedPrefix": "", "timeout": 20}
    with LocalCloud(variables=variables, environment={"COPY_RULES": json.dumps(RULES)}) as running:
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


def test_each_morning_both_sides_are_equal_and_nothing_was_deleted(cloud: LocalCloud) -> None:
    chance = random.Random(7)
    source = cloud.oss_bucket(SOURCE)
    cloud.wait_idle()
    healed = lost = 0
    ever: set[str] = set()
    for day in range(DAYS):
        cloud.conditions([{"operation": "invocation", "answer": "drop", "probability": 0.4}], seed=day + 1)
        for number in range(30):
            key = f"in/{chance.randrange(20):02}{chance.choice(('.bin', '.bin', '.txt'))}"
            source.put_object(key, f"{day} {number}".encode())
            source.put_object(f"names/{day}/{number:02}", f"{day} {number}".encode())
            if chance.random() < 0.1:
                source.delete_object(f"in/{chance.randrange(20):02}.bin")
        cloud.conditions()
        cloud.wait_idle()
        wanted = {name: etag for name, etag in shown(cloud, SOURCE, "in/").items() if name.endswith(".bin")}
        names = {f"{name}.bak": etag for name, etag in shown(cloud, SOURCE, "names/").items()}
        before = copied(cloud)
        lost += sum(before[0].get(name) != etag for name, etag in wanted.items())
        lost += sum(before[1].get(name) != etag for name, etag in names.items())
        results = reconcile(cloud)
        assert [each["status"] for each in results] == ["succeeded"] * 2, results
        healed += sum(each["objects"]["succeeded"] for each in results)
        kept, more = copied(cloud)
        ever |= set(kept)
        assert {name: kept.get(name) for name in wanted} == wanted
        assert set(kept) == ever, "nothing is deleted"
        assert more == names
    assert lost > DAYS
    assert healed >= lost / 2
