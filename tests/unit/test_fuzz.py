"""Whatever comes in is a command, an HTTP call or a typed refusal; `make soak` does the same for longer."""

from __future__ import annotations

import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import inputs

thorough = settings(
    max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
EDITS = st.tuples(st.integers(24, 255), st.binary(min_size=1, max_size=33))


@thorough
@given(EDITS.map(lambda drawn: inputs.event_of(bytes([drawn[0]]) + drawn[1])))
def test_an_edited_event_is_a_command_or_a_typed_refusal(event: bytes) -> None:
    inputs.judge(event)


@thorough
@given(st.binary(max_size=60).map(inputs.event_of) | st.binary(max_size=60))
def test_bytes_that_are_hardly_an_event_are_a_command_or_a_typed_refusal(event: bytes) -> None:
    inputs.judge(event)


def test_a_parser_that_opened_a_connection_would_be_caught() -> None:
    with pytest.raises(AssertionError, match=r"asked the world: socket"), inputs.watched():
        socket.socket().connect(("127.0.0.1", 9))


def test_the_edits_reach_every_kind_of_answer() -> None:
    seen = {inputs.judge(inputs.edited(n)) for n in range(len(inputs.SAMPLES))}
    seen.add(inputs.judge(b"{"))
    assert seen == {"batch", "http", "refused"}
