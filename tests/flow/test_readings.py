"""Where sources disagree about OSS, the copy is right under either reading."""

from __future__ import annotations

from typing import Any

import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import SOURCE, exists

BEFORE = {
    "Content-Type": "text/x",
    "Cache-Control": "no-cache",
    "x-oss-meta-a": "1",
    "x-oss-tagging": "t=1",
}
CHANGES: dict[str, dict[str, Any]] = {
    "metadata": {"metadata": {"contentType": "text/y", "user": {"b": "2"}}},
    "tags": {"tags": {"u": "2"}},
    "class": {"storageClass": "IA"},
    "all": {"metadata": {"cacheControl": "max-age=1"}, "tags": {"u": "2"}, "storageClass": "IA"},
}


@pytest.mark.parametrize("method", ["auto", "multipart"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("reading", ["replace", "keep"])
def test_an_object_changed_in_place_shows_what_was_asked_for_and_keeps_the_rest(
    cloud: LocalCloud, source: Any, key: str, reading: str, change: str, method: str
) -> None:
    body = bytes(MIB + 1)
    source.put_object(key, body, headers=BEFORE)
    cloud.conditions(self_copy=reading)
    place, asked = {"bucket": SOURCE, "key": key}, CHANGES[change]
    tuning = {"method": method, "partSize": "1MiB"}
    result = cloud.invoke({"source": place, "destination": place, "tuning": tuning, **asked})
    assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
    assert exists(source, key)
    assert source.get_object(key).read() == body
    head = source.head_object(key).headers
    metadata = asked.get("metadata")
    if metadata is None:
        assert {name: head[name] for name in BEFORE if name != "x-oss-tagging"}.items() <= BEFORE.items()
    else:
        assert head.get("x-oss-meta-b") == metadata.get("user", {}).get("b")
        assert head.get("Cache-Control") == metadata.get("cacheControl")
        assert "x-oss-meta-a" not in head
    assert head["x-oss-storage-class"] == asked.get("storageClass", "Standard")
    tags = source.get_object_tagging(key).tag_set.tagging_rule
    assert tags == asked.get("tags", {"t": "1"})
