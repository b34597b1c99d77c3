"""What a role may not see is unknown, never none: a missing right loses no tag, nor what was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    DESTINATION,
    SOURCE,
    VERSIONED,
    begin,
    count_requests,
    exists,
    final_result,
    open_uploads,
    request_of,
)

ROLE = "oss-copy"
WAYS = ["simple", "multipart"]
TAGGED = {"x-oss-tagging": "a=b&c=d"}


@pytest.fixture
def deny(cloud: LocalCloud) -> Iterator[Callable[..., None]]:
    """Let the function's role do everything but these actions on the objects of a bucket."""

    def refuse(bucket: str, *actions: str) -> None:
        everything = {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}
        denied = {"Effect": "Deny", "Action": list(actions), "Resource": [f"acs:oss:*:*:{bucket}/*"]}
        cloud.set_policy(ROLE, {"Version": "1", "Statement": [everything, denied]})

    yield refuse
    cloud.set_policy(ROLE, None)


def made(key: str, method: str, **options: Any) -> dict[str, Any]:
    return request_of(key, tuning={"method": method}, **options)


@pytest.mark.parametrize("put", [TAGGED, {}])
def test_tags_that_may_not_be_read_are_not_lost_in_parts_but_refused_by_the_right_that_is_missing(
    cloud: LocalCloud, source: Any, destination: Any, deny: Callable[..., None], key: str, put: dict[str, str]
) -> None:
    """Nor is an object without tags copied: nobody can tell that it has none."""
    source.put_object(key, b"content", put)
    deny(SOURCE, "oss:GetObjectTagging")
    result = cloud.invoke(made(key, "multipart"))
    assert (result["status"], result["error"]["code"]) == ("failed", "AccessDenied"), result
    assert "oss:GetObjectTagging" in result["error"]["message"]
    assert not exists(destination, key)
    assert open_uploads(destination, key) == []
    for tags in ("none", {"e": "f"}):
        result = cloud.invoke(made(key, "multipart", tags=tags))
        assert result["status"] == "succeeded", result
        found = destination.get_object_tagging(key).tag_set.tagging_rule
        assert found == ({} if tags == "none" else tags)


def test_a_small_copy_of_what_has_no_tags_needs_no_right_to_read_them(
    cloud: LocalCloud, source: Any, deny: Callable[..., None], key: str
) -> None:
    source.put_object(key, b"content")
    deny(SOURCE, "oss:GetObjectTagging")
    assert cloud.invoke(made(key, "simple"))["status"] == "succeeded"


@pytest.mark.parametrize("method", WAYS)
def test_promised_tags_that_may_not_be_looked_at_are_no_success(
    cloud: LocalCloud, source: Any, destination: Any, deny: Callable[..., None], key: str, method: str
) -> None:
    source.put_object(key, b"content", TAGGED)
    deny(DESTINATION, "oss:GetObjectTagging")
    result = cloud.invoke(made(key, method))
    assert (result["status"], result["error"]["code"]) == ("failed", "NotVerified"), result
    assert f"oss://{DESTINATION}/{key} was written" in result["error"]["message"]
    assert "oss:GetObjectTagging" in result["error"]["message"]
    shown = destination.head_object(key)
    assert result["destination"]["etag"] == shown.etag
    assert destination.get_object_tagging(key).tag_set.tagging_rule == {"a": "b", "c": "d"}


@pytest.mark.parametrize("method", WAYS)
def test_where_no_tags_are_promised_nobody_has_to_look_for_them(
    cloud: LocalCloud, source: Any, deny: Callable[..., None], key: str, method: str
) -> None:
    source.put_object(key, b"content")
    deny(DESTINATION, "oss:GetObjectTagging")
    assert cloud.invoke(made(key, method))["status"] == "succeeded"


def test_a_small_copy_that_may_not_be_looked_at_says_what_was_written_and_which_right_is_missing(
    cloud: LocalCloud, source: Any, destination: Any, deny: Callable[..., None], key: str
) -> None:
    source.put_object(key, b"content")
    destination.put_object(key, b"before")
    deny(DESTINATION, "oss:GetObject")
    answer = cloud.http("POST", "/copies", json_body=made(key, "simple"))
    result = cloud.invoke(made(key, "simple"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "NotVerified"), answer.text
    assert (result["status"], result["error"]["code"]) == ("failed", "NotVerified"), result
    shown = destination.head_object(key)
    assert destination.get_object(key).read() == b"content"
    assert f"oss://{DESTINATION}/{key} was written with ETag {shown.etag}" in result["error"]["message"]
    assert "oss:GetObject" in result["error"]["message"]
    assert (result["destination"]["etag"], result["verified"]) == (shown.etag, None)
    recorded = cloud.http("GET", f"/copies/{result['job']}").json()
    assert recorded["error"]["code"] == "NotVerified"


def test_a_version_that_may_not_be_looked_at_is_named(
    cloud: LocalCloud, source: Any, versioned: Any, deny: Callable[..., None], key: str
) -> None:
    source.put_object(key, b"content")
    deny(VERSIONED, "oss:GetObjectVersion")
    result = cloud.invoke(made(key, "multipart") | {"destination": {"bucket": VERSIONED}})
    assert (result["status"], result["error"]["code"]) == ("failed", "NotVerified"), result
    version = versioned.head_object(key).versionid
    assert f"version {version}" in result["error"]["message"]
    assert "oss:GetObjectVersion" in result["error"]["message"]
    assert result["destination"]["versionId"] == version


def test_a_copy_in_parts_that_could_not_be_looked_at_is_not_begun(
    cloud: LocalCloud, source: Any, destination: Any, deny: Callable[..., None], key: str
) -> None:
    source.put_object(key, b"content")
    destination.put_object(key, b"before")
    deny(DESTINATION, "oss:GetObject")
    before = count_requests(cloud, "InitiateMultipartUpload")
    result = cloud.invoke(made(key, "multipart"))
    assert (result["status"], result["error"]["code"]) == ("failed", "AccessDenied"), result
    assert "nothing was written" in result["error"]["message"]
    assert "oss:GetObject" in result["error"]["message"]
    assert destination.get_object(key).read() == b"before"
    assert count_requests(cloud, "InitiateMultipartUpload") == before


def test_a_right_that_goes_while_parts_are_copied_is_no_refusal_of_the_copy(
    cloud: LocalCloud, destination: Any, deny: Callable[..., None], key: str
) -> None:
    job = begin(cloud, key, parts=1)
    deny(DESTINATION, "oss:GetObject")
    result = final_result(cloud, job)
    assert (result["status"], result["error"]["code"]) == ("failed", "NotVerified"), result
    assert f"was written with ETag {destination.head_object(key).etag}" in result["error"]["message"]
    assert result["method"] == "multipart"


def test_where_tags_may_not_be_read_what_is_the_same_otherwise_is_skipped(
    cloud: LocalCloud, source: Any, deny: Callable[..., None], key: str
) -> None:
    """Else each event of a rule would copy it anew."""
    source.put_object(key, b"content", TAGGED)
    assert cloud.invoke(made(key, "simple"))["status"] == "succeeded"
    for bucket in (SOURCE, DESTINATION):
        deny(bucket, "oss:GetObjectTagging")
        result = cloud.invoke(made(key, "simple", overwrite="ifDifferent"))
        assert (result["status"], result["error"]["code"]) == ("skipped", "NotDifferent"), result
