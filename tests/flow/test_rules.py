"""What rules make of events that are not like the others: folder markers, odd keys, replicas, raw data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cloud.client import LocalCloud
from tests.flow.conftest import DESTINATION, SOURCE, answers, exists

RULES = [
    {
        "source": {"bucket": SOURCE, "prefix": "incoming/flat/"},
        "destination": {"bucket": DESTINATION, "key": "flat/{name}"},
    },
    {"source": {"bucket": SOURCE, "prefix": "incoming/tree/"}, "destination": {"bucket": DESTINATION}},
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
    cloud.wait_idle(60)
    assert [each["status"] for each in answers(cloud.invocations())] == ["succeeded"] * 2
    assert [each["key"] for each in lines(cloud, "markerSkipped")] == ["incoming/flat/", "incoming/flat/a/"]
    assert exists(destination, "flat/b.bin")
    assert exists(destination, "incoming/tree/a/")
    assert not exists(destination, "flat/")
