"""The reader of the destination cannot tell which way it was copied: HEAD, tags, ACL and bytes, generated.

FIDELITY=300 makes 300 cases (`make soak`); a case that failed is made again by its number in the test's name.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import DESTINATION, SOURCE, crc64, final_result, open_uploads, request_of
from tests.flow.fidelity import HEADERS, Case, case

CASES = int(os.environ.get("FIDELITY", "40"))
_COMPARED = (
    *(name.lower() for name, _ in HEADERS.values()),
    "x-oss-storage-class",
    "x-oss-server-side-encryption",
    "x-oss-server-side-encryption-key-id",
    "x-oss-server-side-data-encryption",
)


@pytest.mark.parametrize("seed", range(CASES))
def test_a_copy_shows_what_was_promised_whichever_way_it_is_made(cloud: LocalCloud, seed: int) -> None:
    made = case(seed)
    key = f"fidelity/{CASES}/{seed}"
    origin = cloud.oss_bucket(SOURCE)
    # different bytes for each case; oss2 would guess a type where none is given, but all cases give one
    content = bytes((seed + n) % 251 for n in range(251)) * (made.size // 251 + 1)
    origin.put_object(key, content[: made.size], headers=made.put)
    before = crc64(origin, key)
    asked, target = _asked(cloud, made, key)
    name = asked["destination"]["key"]
    result = _copy(cloud, made, asked)
    assert result["status"] == "succeeded", (result["error"], made)
    assert result["verified"] == "crc64"
    shown = _shown(target, name)
    if "x-oss-server-side-encryption-key-id" not in made.headers:
        shown.pop("x-oss-server-side-encryption-key-id", None)  # OSS shows the key it took by itself
    assert shown == made.headers, made
    assert target.get_object_tagging(name).tag_set.tagging_rule == made.tags, made
    assert target.get_object_acl(name).acl == made.acl, made
    assert crc64(target, name) == before
    assert int(target.head_object(name).headers["Content-Length"]) == made.size
    assert open_uploads(target, name) == []
    if made.way == "many hops":
        assert result["hops"] > 1


def _asked(cloud: LocalCloud, made: Case, key: str) -> tuple[dict[str, Any], Any]:
    bucket = SOURCE if made.onto_itself or made.way == "shallow" else DESTINATION
    name = key if made.onto_itself else f"{key}.copy"
    destination = {"bucket": bucket, "key": name}
    return request_of(key, **made.options) | {"destination": destination}, cloud.oss_bucket(bucket)


def _copy(cloud: LocalCloud, made: Case, asked: dict[str, Any]) -> dict[str, Any]:
    if made.way != "many hops":
        answer: dict[str, Any] = cloud.invoke(asked)
        return answer
    cloud.conditions(bandwidth_mb_s=PACE)
    return final_result(cloud, cloud.invoke(asked)["job"])


PACE = 5 * MIB / 1_000_000 / 16  # a part takes 0.4 s, so that a hop of 5 s does about 30 of them in 4 threads


def _shown(bucket: Any, key: str) -> dict[str, bytes]:
    head = {name.lower(): value for name, value in bucket.head_object(key).headers.items()}
    kept = {name: head[name] for name in head if name in _COMPARED or name.startswith("x-oss-meta-")}
    names = {name.lower(): name for name, _ in HEADERS.values()}
    return {names.get(name, name): value.encode("latin-1") for name, value in kept.items()}


def test_the_cases_hold_every_way_with_every_treatment() -> None:
    seen = {(made.way, str(made.options["metadata"])[:4]) for made in map(case, range(40))}
    assert {way for way, _ in seen} == {"simple", "shallow", "one hop", "many hops"}
    assert len([each for each in seen if each[1] == "copy"]) == 4
    assert any(made.onto_itself for made in map(case, range(40)))
    assert {made.size for made in map(case, range(200))} >= {0, 1, 2 * MIB, 2 * MIB + 1}
