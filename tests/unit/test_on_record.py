"""What is read back from records and continuations: nothing that no invocation has written gets in."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from osscopy import plan
from osscopy.copying import results
from osscopy.jobs.records import read
from osscopy.model import (
    MIB,
    Claimed,
    Conditions,
    ContentHeaders,
    Continue,
    Copy,
    CopyRequest,
    Destination,
    Done,
    Encrypted,
    Entered,
    Misconfigured,
    Opened,
    Pin,
    Promise,
    Refused,
    Result,
    Source,
    Upload,
    Waiting,
)
from osscopy.model.values import Moment
from tests.unit.engine import START, Engine

JOB, AT = "c-" + "0" * 32, "2026-11-22T10:00:00.000Z"
REQUEST = CopyRequest(source=Source("src-bucket", "a"), destination=Destination("dst-bucket", "b"))
PIN = Pin(
    3 * MIB,
    "E",
    9,
    "v",
    promise=Promise("", 0, "IA", Encrypted("KMS", "k")),
    via="l",
    encryption=Encrypted("AES256"),
)
WORDY = ContentHeaders(cache_control="x" * 8000, expires="é" * 8000)
OPENED = Opened("n", JOB, REQUEST, PIN, AT)
ENTERED = Entered("n", Upload("U", MIB, 3, 2, 9))
DONE = Done("n", Result(JOB, "succeeded", started_at=AT, finished_at=AT), REQUEST)
WAITING = Waiting((Copy(JOB, REQUEST, AT, (REQUEST,)),), 9.5)
CLAIMED = Claimed("n", JOB, "2026-11-22T10:00:00.000123+08:00")
RECORDS: dict[str, msgspec.Struct] = {
    f"open/{JOB}": OPENED,
    f"up/{JOB}": ENTERED,
    f"done/{JOB}": DONE,
    "rest/l-" + "0" * 32: WAITING,
    "key/0": CLAIMED,
}
LARGE = (-1, 2**64, 10**400, 1.5, "1")
TIMES = (
    "",
    "x",
    "t",
    "2026-02-30T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "2026-11-22",
    AT + "\n",
)
WRONG: dict[str, dict[str, tuple[Any, ...]]] = {
    f"open/{JOB}": {
        "startedAt": TIMES,
        "seenAt": (*LARGE, 10**12),
        "settle": (*LARGE, 10**6),
        "follows": (*LARGE, 10**6),
        "job": ("c-" + "1" * 32, "../x", ""),
        "request.source.bucket": ("evil.host", "a/b"),
        "request.destination.key": ("", "a\0", ".."),
        "pin.size": (*LARGE, 2**53 + 1),
        "pin.lastModified": (*LARGE, 10**12),
        "pin.etag": ("E\r\nx: y", "x" * 9000),
        "pin.versionId": ("v?acl", ""),
        "pin.via": ("", "..", "k" * 2000),
        "pin.promise.encryption.keyId": ("k\nx: y",),
        "pin.promise.encryption.dataEncryption": ("k\nx: y",),
        "pin.encryption.algorithm": ("k\nx: y",),
        "method": ("", 1),
    },
    f"up/{JOB}": {
        "upload.id": ("", "U\n", "U&acl\0"),
        "upload.parts": (*LARGE, 0, 10_001, 1),
        "upload.partSize": (*LARGE, 0, MIB // 100, 2**40),
        "upload.lanes": (*LARGE, 0, 4),
        "upload.openedAt": (*LARGE, 10**12),
    },
    f"done/{JOB}": {
        "result.finishedAt": TIMES,
        "result.startedAt": TIMES,
        "result.parts": LARGE,
        "request.source.bucket": ("evil.host",),
        "settle": (*LARGE, 10**6),
    },
    "rest/l-" + "0" * 32: {
        "askedAt": (-1, 1e300, "x"),
        "copies.0.startedAt": TIMES,
        "copies.0.job": ("../x",),
        "copies.0.request.source.bucket": ("evil.host",),
        "copies.0.alternatives.0.source.bucket": ("evil.host",),
    },
    "key/0": {"moment": TIMES},
}
CASES = [
    (name, path, value) for name, paths in WRONG.items() for path, values in paths.items() for value in values
]


def put_in(tree: Any, path: str, value: Any) -> None:
    *way, last = path.split(".")
    for step in way:
        tree = tree[int(step)] if isinstance(tree, list) else tree.setdefault(step, {})
    tree[last] = value


@pytest.mark.parametrize("name", RECORDS)
def test_what_was_written_is_read_back(engine: Engine, name: str) -> None:
    entry = RECORDS[name]
    engine.cloud.records[name] = (START, msgspec.json.encode(entry))
    assert read(engine.records, name, type(entry)) == entry


@pytest.mark.parametrize(("name", "path", "value"), CASES)
def test_a_value_that_nobody_writes_makes_a_record_unreadable(
    engine: Engine, name: str, path: str, value: Any
) -> None:
    tree = json.loads(msgspec.json.encode(RECORDS[name]))
    put_in(tree, path, value)
    engine.cloud.records[name] = (START, json.dumps(tree).encode())
    with pytest.raises(Misconfigured, match="UnreadableRecord"):
        read(engine.records, name, type(RECORDS[name]))


def test_a_record_of_what_is_no_job_is_unreadable(engine: Engine) -> None:
    engine.cloud.records["open/../x"] = (START, msgspec.json.encode(replace(OPENED, job="../x")))
    with pytest.raises(Misconfigured, match="UnreadableRecord"):
        read(engine.records, "open/../x", Opened)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[" * 100_000, b'"', b"{}{}", b"null"])
def test_what_is_no_record_at_all_is_unreadable(engine: Engine, body: bytes) -> None:
    engine.cloud.records[f"open/{JOB}"] = (START, body)
    with pytest.raises(Misconfigured, match="UnreadableRecord"):
        read(engine.records, f"open/{JOB}", Opened)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)))  # noqa: DTZ001 - the zone is written after it
def test_every_time_that_is_written_is_read(moment: datetime) -> None:
    for text in (moment.isoformat(timespec="milliseconds") + "Z", moment.isoformat() + "+00:00"):
        assert msgspec.json.decode(msgspec.json.encode(text), type=Moment) == text
        results.unix(text)


def test_the_numbers_of_a_hop_are_bounded() -> None:
    good = Continue(JOB, REQUEST, AT, PIN, ENTERED.upload, 0, 1, 1)
    for name in ("generation", "stalls", "partsDone", "excused", "goneAt", "follows", "settle", "leaveUntil"):
        for value in (-1, 10**12):
            tree = json.loads(msgspec.json.encode(good)) | {name: value}
            with pytest.raises(msgspec.ValidationError):
                msgspec.json.decode(json.dumps(tree), type=Continue)
    assert replace(good, generation=10**11, hop=999_999) == msgspec.json.decode(
        msgspec.json.encode(replace(good, generation=10**11, hop=999_999)), type=Continue
    )


def test_the_numbers_of_a_hop_fit_together() -> None:
    good = Continue(JOB, REQUEST, AT, PIN, ENTERED.upload, 0, 1, 1, in_flight=((1, 3),))
    plan.check_continue(good, "")
    wrong: tuple[dict[str, Any], ...] = (
        {"lane": 0},
        {"lane": 3},
        {"hop": 0},
        {"job": "../x"},
        {"pin": replace(PIN, size=2 * MIB)},
        {"pin": replace(PIN, etag="")},
        {"in_flight": ((0, 1),)},
        {"in_flight": ((1, 4),)},
        {"in_flight": ((3, 1),)},
    )
    for changes in wrong:
        with pytest.raises(Refused, match="InvalidContinuation"):
            plan.check_continue(replace(good, **changes), "")


def test_a_request_is_small_enough_for_its_records() -> None:
    large = replace(REQUEST, metadata=WORDY)
    plan.prepare(large, datetime(2026, 1, 1, tzinfo=timezone.utc))
    larger = replace(large, conditions=Conditions(if_match="x" * 8000, if_none_match="x" * 8000))
    larger = replace(larger, metadata=replace(WORDY, content_disposition="é" * 8000))
    with pytest.raises(Refused, match="RequestTooLarge"):
        plan.prepare(larger, datetime(2026, 1, 1, tzinfo=timezone.utc))
