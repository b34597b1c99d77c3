"""Chaos among many: one request in ten fails, instances die, two sweeps run at once; each object has a row.

CHAOS_MANY=200000 copies so many objects (`make soak-chaos-many`), and the suite a few hundred.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import Counter
from typing import Any

import oss2
import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.cloud.request_log import Logged
from tests.flow.chaos import faults_of
from tests.flow.conftest import DESTINATION, SOURCE, STATE, crc64, open_uploads, status
from tests.flow.test_bulk import rows

OBJECTS = int(os.environ.get("CHAOS_MANY", "300"))
SEED = int(os.environ.get("CHAOS_SEED", "20261201"))
PERIOD = 2.0  # seconds from one pair of sweeps to the next
STORM = 30 + OBJECTS / 20  # seconds after which it is calm
CALM = 120 + OBJECTS / 50  # seconds in which the job must be over then
FIXED = 150  # requests of hops that were killed, and of those that took their place
STRUCK = {0, 500, 503}  # statuses of answers that only the weather gives
ODDS = 100  # one object in so many is large, one a symlink, one has headers and tags of its own
WEATHER = {
    "invocation": {"kill": 5.0, "drop": 2.0, "duplicate": 3.0, "delay": 2.0},
    "*": {
        "error InternalError": 2.0,
        "error ServiceUnavailable": 2.0,
        "error TotalQpsLimitExceeded": 1.0,
        "lost": 2.0,
        "reset": 2.5,
        "delay": 0.4,
        "stall": 0.05,
        "kill": min(0.05, 5 * 100 / OBJECTS),
    },
}


def put(cloud: LocalCloud, prefix: str) -> int:
    """Make objects of mixed size and kind; return how many."""
    bucket, few = cloud.oss_bucket(SOURCE), max(3, OBJECTS // ODDS)
    cloud.seed_many(SOURCE, OBJECTS - 3 * few, (0, 50_000), prefix=f"{prefix}small/", seed=SEED)
    for number in range(few):
        cloud.seed(SOURCE, f"{prefix}large/{number:05}", 3 * MIB + number, number)
        bucket.put_symlink(f"{prefix}large/{number:05}", f"{prefix}link/{number:05}")
        headers = {"x-oss-meta-name": "grün".encode(), "x-oss-tagging": "a=b", "Content-Type": "text/x"}
        bucket.put_object(f"{prefix}own/{number:05}", b"x" * number, headers=headers)
    return OBJECTS


def asked(prefix: str) -> dict[str, Any]:
    return {
        "source": {"bucket": SOURCE, "prefix": prefix},
        "destination": {"bucket": DESTINATION, "prefix": f"copied/{prefix}"},
        "encryption": "bucket",
        "tuning": {"partSize": "1MiB"},
        "maxWorkers": 4,
    }


class Watch:
    """The requests to OSS from now on, as they were answered, but those of sweeps and of this test."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud, self._known = cloud, len(cloud.invocations())
        self._seen = cloud.requests()["logged"]
        self._by_key: dict[str, list[Logged]] = {}

    def look(self) -> None:
        """Take what was logged since the last look: the log forgets."""
        found = self._cloud.log(self._seen)
        self._seen += len(found)
        for each in found:
            self._by_key.setdefault(each.access_key_id, []).append(each)

    def made(self) -> list[dict[str, Any]]:
        return self._cloud.invocations()[self._known :]

    def requests(self) -> list[Logged]:
        """Return all requests of invocations that were no sweeps."""
        self.look()
        found = []
        for key, made in self._by_key.items():
            spans = [one for one in self.made() if one["access_key_id"] == key]
            sweeps = [one for one in spans if '"sweep"' in one["event"]]
            ends = [(one["start"], one["end"] or float("inf")) for one in sweeps]
            found += [
                each for each in made if spans and not any(low <= each.begin <= high for low, high in ends)
            ]
        return found


def run(cloud: LocalCloud, prefix: str, storm: dict[str, Any]) -> tuple[dict[str, Any], Counter[str], int]:
    """Copy all under a prefix; return the result, its good answers by operation, and how many others."""
    watch, state = Watch(cloud), cloud.oss_bucket(STATE)
    job = cloud.invoke(asked(prefix))["job"]  # what a caller asks for arrives; all else meets the weather
    cloud.conditions(**storm)
    begun = time.monotonic()
    while time.monotonic() < begun + STORM:
        if storm:
            cloud.fire("sweep")
            cloud.fire("sweep")
        time.sleep(PERIOD if storm else 0.2)
        cloud.hurry()
        watch.look()
        with contextlib.suppress(oss2.exceptions.OssError):  # the weather strikes this look, too
            if state.object_exists(f"oss-copy/done/{job}"):
                break
    seconds = time.monotonic() - begun
    cloud.conditions()
    deadline = time.monotonic() + CALM
    while status(cloud, job)["status"] == "running" or open_uploads(cloud.oss_bucket(DESTINATION)):
        assert time.monotonic() < deadline, "not over"
        cloud.fire("sweep")
        time.sleep(PERIOD)
        cloud.hurry()
    cloud.wait_idle()
    requests = watch.requests()
    good = Counter(each.operation for each in requests if each.status not in STRUCK)
    outcomes = dict(Counter(one["outcome"] for one in watch.made()))
    sys.stdout.write(f"{prefix} {seconds:.0f} s, invocations {outcomes}\n")
    return status(cloud, job), good, len(requests) - sum(good.values())


@pytest.mark.timeout(900 + OBJECTS)
def test_each_of_many_objects_has_its_row_in_a_storm() -> None:
    environment = {"MAX_PARALLEL": "8", "RESERVED_CONCURRENCY": "8", "MULTIPART_THRESHOLD": "2MiB"}
    variables = {"timeout": 10 if OBJECTS < 5000 else 60, "reservedConcurrency": 8}
    with LocalCloud(variables=variables, environment=environment) as cloud:
        count = put(cloud, "calm/")
        put(cloud, "storm/")
        quiet, fair, _ = run(cloud, "calm/", {})
        result, made, struck = run(cloud, "storm/", {"faults": faults_of(WEATHER), "seed": SEED})
        assert quiet["objects"]["succeeded"] == count, quiet
        assert result["objects"]["total"] == result["objects"]["succeeded"] == count, result
        check_report(cloud, result, "storm/")
        check_copies(cloud)
        assert open_uploads(cloud.oss_bucket(DESTINATION)) == []
    good, usual = sum(made.values()), sum(fair.values())
    sys.stdout.write(f"{count} objects: {usual} requests in calm; {good} good answers in the storm, ")
    sys.stdout.write(f"{good / usual:.3f} times as many, and {struck} struck; more: {dict(made - fair)}\n")
    assert struck >= 0.05 * good
    assert good <= 1.1 * usual + FIXED


def check_report(cloud: LocalCloud, result: dict[str, Any], prefix: str) -> None:
    """Fail unless each object has one row, and no other has any."""
    told = Counter(oss2.urlunquote(each["key"]) for each in rows(cloud, result))
    listed = {each.key for each in oss2.ObjectIteratorV2(cloud.oss_bucket(SOURCE), prefix=prefix)}
    assert {key: number for key, number in told.items() if number > 1} == {}
    assert told.keys() == listed


def check_copies(cloud: LocalCloud) -> None:
    """Fail unless each copy is there, and some of each kind are exact."""
    source, target = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
    there = {each.key: each for each in oss2.ObjectIteratorV2(target, prefix="copied/storm/")}
    for each in oss2.ObjectIteratorV2(source, prefix="storm/"):
        assert there[f"copied/{each.key}"].size == each.size, each.key
    for kind in ("small", "large", "own"):
        names = [each.key for each in oss2.ObjectIteratorV2(source, prefix=f"storm/{kind}/")]
        for name in names[:: max(1, len(names) // 50)]:
            assert crc64(target, f"copied/{name}") == crc64(source, name)
    for each in oss2.ObjectIteratorV2(source, prefix="storm/own/"):
        assert target.get_object_tagging(f"copied/{each.key}").tag_set.tagging_rule == {"a": "b"}
    for each in oss2.ObjectIteratorV2(source, prefix="storm/link/"):
        link = target.get_symlink(f"copied/{each.key}").target_key
        assert link == source.get_symlink(each.key).target_key
