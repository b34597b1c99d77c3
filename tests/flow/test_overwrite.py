"""`ifDifferent` and `ifNewer` skip what shows all that is asked for, and nothing else."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.cloud.client import LocalCloud
from tests.flow.conftest import DESTINATION, SOURCE, answers, request_of

SSE = "x-oss-server-side-encryption"
CHANGES: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"metadata": {"contentType": "text/html", "user": {"a": "b"}}}, {"x-oss-meta-a": "b"}),
    ({"tags": {"a": "b"}}, {"x-oss-tagging-count": "1"}),
    ({"storageClass": "IA"}, {"x-oss-storage-class": "IA"}),
    ({"encryption": {"algorithm": "AES256"}}, {SSE: "AES256"}),
]


@pytest.mark.parametrize("method", ["simple", "multipart"])
@pytest.mark.parametrize("policy", ["ifDifferent", "ifNewer"])
@pytest.mark.parametrize(("change", "shows"), CHANGES, ids=str)
def test_what_is_asked_for_is_applied_to_equal_bytes_and_then_skipped(
    cloud: LocalCloud,
    source: Any,
    destination: Any,
    key: str,
    method: str,
    policy: str,
    change: dict[str, Any],
    shows: dict[str, str],
) -> None:
    source.put_object(key, b"content")
    asked = request_of(key, overwrite=policy, tuning={"method": method})
    assert cloud.invoke(asked)["status"] == "succeeded"
    assert cloud.invoke(asked)["status"] == "skipped"
    result = cloud.invoke(asked | change)
    assert result["status"] == "succeeded", result
    shown = destination.head_object(key).headers
    assert {name: shown.get(name) for name in shows} == shows
    assert cloud.invoke(asked | change)["status"] == "skipped"


@pytest.mark.parametrize("wanted", [{"a": "c"}, "none", "copy"], ids=str)
def test_tags_are_compared_by_their_values_and_not_by_their_number(
    cloud: LocalCloud, source: Any, destination: Any, key: str, wanted: Any
) -> None:
    source.put_object(key, b"content", {"x-oss-tagging": "a=d"})
    assert cloud.invoke(request_of(key, tags={"a": "b"}))["status"] == "succeeded"
    asked = request_of(key, overwrite="ifDifferent", tags=wanted)
    assert cloud.invoke(asked)["status"] == "succeeded"
    there = destination.get_object_tagging(key).tag_set.tagging_rule
    assert there == ({"a": "d"} if wanted == "copy" else {} if wanted == "none" else wanted)
    assert cloud.invoke(asked)["status"] == "skipped"


def test_tags_that_the_source_has_no_more_leave_the_destination(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    """HEAD shows no count of none: the tags of the source are read where the destination has some."""
    source.put_object(key, b"content")
    assert cloud.invoke(request_of(key, tags={"a": "b"}))["status"] == "succeeded"
    assert cloud.invoke(request_of(key, overwrite="ifDifferent"))["status"] == "succeeded"
    assert destination.get_object_tagging(key).tag_set.tagging_rule == {}


def test_by_a_rule_a_changed_header_reaches_the_destination_once() -> None:
    rule = {
        "source": {"bucket": SOURCE, "prefix": "incoming/"},
        "destination": {"bucket": DESTINATION},
        "overwrite": "ifDifferent",
    }
    with LocalCloud(environment={"COPY_RULES": json.dumps([rule])}) as cloud:
        source, destination = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
        for language in ("de", "en", "en"):
            source.put_object("incoming/a", b"content", {"Content-Language": language})
            cloud.wait_idle()
            shown = destination.head_object("incoming/a").headers
            assert shown["Content-Language"] == language
            time.sleep(1.1)  # what was made in the second of its event may be an earlier delivery's copy
        statuses = [each["status"] for each in answers(cloud.invocations(trigger="oss"))]
        assert statuses == ["succeeded", "succeeded", "skipped"]
