"""Whatever comes in is a command, an HTTP call or a typed refusal; FUZZ=N draws more (`make soak-fuzz`)."""

from __future__ import annotations

import json
import os
import socket

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from functions.cli import openapi
from osscopy import events
from osscopy.settings import Settings
from osscopy.web import routes
from tests.fuzz import inputs, marks
from tests.unit.test_web import JOB, StubJobs, StubMany

DOCUMENTED = set(openapi.paths()["/copies"]["post"]["responses"])

EXAMPLES = int(os.environ.get("FUZZ", "600"))
thorough = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
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
    assert seen == {"action", "batch", "http", "refused"}


PATHS = st.sampled_from(
    [
        *("/copies", "/copies/", "/healthz", "/openapi.json", f"/copies/{JOB}", f"/copies/{JOB}/resubmit"),
        *(
            "/copies%2F" + JOB,
            "//copies",
            "/copies/..",
            "/%ff",
            "/copies/%0A",
            "*",
            "",
            "/copies/c-1/resubmit",
        ),
    ]
) | st.text(max_size=12)
VALUES = st.text(max_size=8) | st.sampled_from(
    ["running", "50", "0", "٣", JOB, "application/json", "Bearer x"]
)
CALLS = st.builds(
    events.HttpCall,
    st.builds(
        events.HttpContext,
        st.builds(events.HttpLine, st.sampled_from(["GET", "POST", "DELETE", "PUT", "head", "TRACE", ""])),
        VALUES,
        st.sampled_from(["", "1795341600000", "9999999999999", "0000000000000", "x", "٣" * 13]),
    ),
    headers=st.dictionaries(
        st.sampled_from(["Content-Type", "Authorization", "idempotency-key"]), VALUES, max_size=3
    ),
    raw_path=PATHS,
    body=VALUES | st.just(inputs.edited(3).decode()),
    is_base64_encoded=st.booleans(),
    query_parameters=st.dictionaries(
        st.sampled_from(["status", "limit", "after", "x"]), VALUES | st.lists(VALUES, max_size=2), max_size=3
    ),
)


@settings(max_examples=EXAMPLES // 2, deadline=None, database=None)
@given(CALLS, st.booleans())
def test_every_http_call_is_answered_with_a_documented_status(call: events.HttpCall, is_open: bool) -> None:
    wanted = Settings("state", http_auth="anonymous", api_token="t" * 16) if is_open else Settings("state")
    jobs, many = StubJobs(None, []), StubMany(None, [])
    answer = routes.answer(call, wanted, inputs.ARRIVAL, lambda caller: routes.Work(caller, jobs, jobs, many))
    assert str(answer["statusCode"]) in DOCUMENTED
    is_page = call.segments == ("",)
    assert answer["body"].startswith("<!doctype") if is_page else isinstance(json.loads(answer["body"]), dict)


def test_a_changed_continuation_or_record_is_believed_only_by_the_mark_of_what_it_says() -> None:
    ends = marks.run(EXAMPLES * 2, seed=1, say=lambda _: None)
    assert ends.keys() == {"refused", "believed", "unreadable", "read"}


def test_a_mark_costs_little() -> None:
    measured = marks.cost(rounds=50)
    assert measured["bytes"] == 31
