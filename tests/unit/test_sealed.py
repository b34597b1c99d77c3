"""The function's own mark: what it did not write is nothing to it, whatever it says."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from osscopy import events, plan
from osscopy.jobs.marks.sealed import SealedInvoker, SealedRecords
from osscopy.jobs.records import create, read
from osscopy.model import Cancelled, Copy, CopyRequest, Destination, Misconfigured, Refused, Source, Sweep
from osscopy.plan.marks.seal import Seal
from tests.unit.engine import START, Engine

OLD, NEW = b"o" * 32, b"n" * 32
SEAL = Seal((NEW,))
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
ARRIVAL = events.Arrival("r", NOW, SEAL)
JOB = "c-" + "0" * 32
ENTRY = Cancelled("n", "2026-11-22T10:00:00.000Z")
COPY = Copy(
    JOB,
    CopyRequest(source=Source("src-bucket", "a"), destination=Destination("dst-bucket", "b")),
    "2026-11-22T10:00:00.000Z",
)


def sealed(engine: Engine, seal: Seal = SEAL, now: float = START) -> SealedRecords:
    return SealedRecords(engine.records, seal, lambda: now)


class Platform:
    """Keeps what is submitted."""

    def __init__(self) -> None:
        self.submitted: list[tuple[str, bytes, int]] = []

    def submit(self, task_id: str, payload: bytes, delay: int) -> bool:
        self.submitted.append((task_id, payload, delay))
        return True

    def triggers(self) -> tuple[Any, ...]:
        return ()


def submitted(payload: bytes, seal: Seal = SEAL, name: str = "t") -> tuple[str, bytes]:
    platform = Platform()
    invoker = SealedInvoker(platform, seal)
    assert invoker.triggers() == ()
    assert invoker.submit(name, payload, 5)
    ((task_id, sent, delay),) = platform.submitted
    assert delay == 5
    return task_id, sent


# --- records -----------------------------------------------------------------------------------------------


def test_a_record_is_read_as_it_was_written_and_is_one_json_object(engine: Engine) -> None:
    records = sealed(engine)
    assert create(records, "cancel/j", ENTRY) == ENTRY
    assert create(records, "cancel/j", replace(ENTRY, nonce="m")) == ENTRY
    assert records.put_new("hop/j/1", b"{}")
    assert records.get("hop/j/1") == b"{}"
    body = engine.cloud.records["cancel/j"][1]
    assert body.startswith(b'{"mac":"')
    assert body.endswith(b',"nonce":"n","at":"2026-11-22T10:00:00.000Z"}')
    assert [name for name, _ in records.page("hop/", "", 9).entries] == ["hop/j/1"]
    records.delete("hop/j/1")
    assert records.get("hop/j/1") is None


def test_a_record_that_somebody_else_wrote_moved_or_changed_is_unreadable(engine: Engine) -> None:
    records = sealed(engine)
    create(records, "cancel/j", ENTRY)
    body = engine.cloud.records["cancel/j"][1]
    create(sealed(engine, Seal((OLD,))), "cancel/other-key", ENTRY)
    engine.cloud.records["cancel/moved"] = (START, body)
    engine.cloud.records["cancel/changed"] = (START, body.replace(b'"n"', b'"m"'))
    engine.cloud.records["cancel/unsigned"] = (START, b"{" + body.partition(b",")[2])
    engine.cloud.records["cancel/strange"] = (START, b'{"mac":"' + b"\xff" * 22 + body[30:])
    engine.cloud.records["cancel/short"] = (START, b'{"mac":"')
    for name in ("other-key", "moved", "changed", "unsigned", "strange", "short"):
        with pytest.raises(Misconfigured, match="not signed with STATE_KEY") as caught:
            read(records, f"cancel/{name}", Cancelled)
        assert caught.value.code == "UnreadableRecord"


def test_what_a_former_version_or_key_wrote_is_read_as_long_as_the_settings_say(engine: Engine) -> None:
    create(engine.records, "cancel/unsigned", ENTRY)
    create(sealed(engine, Seal((OLD,))), "cancel/old", ENTRY)
    rotated = Seal((NEW, OLD), unsigned_until=START + 10)
    for name in ("unsigned", "old"):
        assert read(sealed(engine, rotated), f"cancel/{name}", Cancelled) == ENTRY
        assert read(sealed(engine, Seal()), f"cancel/{name}", Cancelled) == ENTRY, (
            "no key: the mark is passed over"
        )
    assert create(sealed(engine, rotated), "cancel/new", ENTRY) == ENTRY
    assert read(sealed(engine), "cancel/new", Cancelled) == ENTRY, "the first key signs"
    with pytest.raises(Misconfigured):
        read(sealed(engine, rotated, START + 10), "cancel/unsigned", Cancelled)


def test_without_a_key_records_are_written_as_ever(engine: Engine) -> None:
    create(sealed(engine, Seal()), "cancel/j", ENTRY)
    assert engine.cloud.records["cancel/j"][1].startswith(b'{"nonce"')


# --- continuations -----------------------------------------------------------------------------------------


def test_a_continuation_of_ours_is_read_and_no_other() -> None:
    _, payload = submitted(events.encode(COPY))
    assert events.parse(payload, ARRIVAL, ()) == events.Batch((COPY,), many=False)
    forged = (
        events.encode(COPY),
        submitted(events.encode(COPY), Seal((OLD,)))[1],
        payload.replace(b'"key":"a"', b'"key":"z"'),
        payload.replace(b'"mac":"', b'"mac":"\xc3\xa9'),
        payload[:-1] + b',"mac":""}',
    )
    for each in forged:
        with pytest.raises(Refused, match="InvalidContinuation: it is not signed") as caught:
            events.parse(each, ARRIVAL, ())
        assert caught.value.field == "mac"
    with pytest.raises(Refused, match="InvalidField"):
        events.parse(events.encode(Sweep())[:-1] + b',"mac":1}', ARRIVAL, ())


def test_a_continuation_without_a_mark_is_read_as_long_as_the_settings_say() -> None:
    payload = events.encode(Sweep("j"))
    assert submitted(payload, Seal())[1] == payload
    for seal in (Seal(), Seal((NEW,), NOW.timestamp() + 1)):
        assert events.parse(payload, replace(ARRIVAL, seal=seal), ()) == Sweep("j")
    with pytest.raises(Refused):
        events.parse(payload, replace(ARRIVAL, seal=Seal((NEW,), NOW.timestamp())), ())
    _, signed = submitted(payload, Seal((OLD,)))
    assert events.parse(signed, replace(ARRIVAL, seal=Seal((NEW, OLD))), ()) == Sweep("j")


def test_a_record_s_mark_is_none_of_a_continuation() -> None:
    text = events.encode(Sweep())[len(plan.ENVELOPE) : -1]
    mark = SEAL.mark("record/x", text)
    assert SEAL.is_ours("record/x", text, mark, 0)
    assert not SEAL.is_ours("continuation", text, mark, 0)


def test_what_fc_gave_up_is_looked_at_like_what_it_delivers() -> None:
    def news(event: bytes) -> bytes:
        context = b'{"requestContext":{"condition":"RetriesExhausted"},"requestPayload":%s}'
        return context % b'"%s"' % event.replace(b'"', b'\\"')

    signed, unsigned = submitted(events.encode(COPY))[1], events.encode(COPY)
    for event, expected in ((signed, (COPY,)), (unsigned, ())):
        parsed: Any = events.parse(news(event), ARRIVAL, ())
        assert parsed.commands == expected


def test_an_event_that_is_no_continuation_is_submitted_as_it_is() -> None:
    assert submitted(b'{"events":[]}')[1] == b'{"events":[]}'


def test_a_task_id_is_the_same_each_time_and_nobody_can_take_it_in_advance() -> None:
    (one, _), (two, _), (other, _) = (submitted(b"{}", name=f"{JOB}-g0-l1-h{n}") for n in (1, 1, 2))
    assert one == two != other
    assert one.startswith(f"{JOB}-g0-l1-h1-")
    assert len(f"{JOB}-{JOB[2:]}-g{10**11}-l100-h999999-12345678") <= 128
    assert submitted(b"{}", Seal((OLD,)), f"{JOB}-g0-l1-h1")[0] != one
    assert submitted(b"{}", Seal(), "t")[0] == "t"


def test_the_largest_continuation_fits_with_its_mark() -> None:
    large = replace(COPY, alternatives=(replace(COPY.request, source=Source("src-bucket", "x" * 129_900)),))
    assert len(submitted(events.encode(large))[1]) <= 128 * 1024


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_a_signed_continuation_that_was_changed_anywhere_is_itself_or_refused(at: int, put: bytes) -> None:
    _, payload = submitted(events.encode(COPY))
    at %= len(payload)
    changed = payload[:at] + put + payload[at + len(put) :]
    try:
        parsed = events.parse(changed, ARRIVAL, ())
    except Refused:
        return
    assert parsed == events.Batch((COPY,), many=False)
