"""Synchronous invocations as a caller sees them."""

from __future__ import annotations

import base64
import json

import fc2
import pytest
import requests

from tests.cloud.conditions import Fault
from tests.cloud.fc.lab import Lab

FcError = fc2.fc_exceptions.FcError


@pytest.mark.parametrize(
    ("returned", "body"),
    [("'text'", b"text"), ("b'bytes'", b"bytes"), ("{'a': [1]}", b'{"a": [1]}'), ("None", b"null")],
)
def test_text_and_bytes_are_returned_as_they_are_and_the_rest_as_json(
    lab: Lab, returned: str, body: bytes
) -> None:
    lab.deploy(f"def handler(event, context): return {returned}")
    assert lab.invoke().data == body


def test_an_exception_is_a_200_with_an_error_type_and_three_fields(lab: Lab) -> None:
    lab.deploy("def handler(event, context): raise ValueError('oops')")
    with pytest.raises(FcError) as failed:
        lab.invoke()
    error = json.loads(failed.value.args[0])
    assert failed.value.status_code == 200
    assert (error["errorMessage"], error["errorType"]) == ("oops", "ValueError")
    assert "in handler" in error["stackTrace"][-1][0]


@pytest.mark.parametrize(
    ("handler", "kind"), [("index.missing", "HandlerNotFound"), ("absent.handler", "ImportModuleError")]
)
def test_a_handler_that_is_not_there_is_named_in_the_error(lab: Lab, handler: str, kind: str) -> None:
    lab.deploy("", handler=handler)
    with pytest.raises(FcError) as failed:
        lab.invoke()
    assert json.loads(failed.value.args[0])["errorType"] == kind


def test_the_last_4_kb_of_the_log_come_back_on_request(lab: Lab) -> None:
    lab.deploy("def handler(event, context): print('x' * 5000); print('end of log'); return 1")
    answer = lab.invoke(x_fc_log_type="Tail")
    log = base64.b64decode(answer.headers["x-fc-log-result"])
    assert len(log) == 4096
    assert b"end of log\nFC Invoke End RequestId: " + answer.headers["x-fc-request-id"].encode() in log


def test_an_unknown_function_is_404_in_the_words_of_either_api(lab: Lab) -> None:
    with pytest.raises(FcError) as failed:
        lab.invoke(name="absent")
    assert (failed.value.status_code, failed.value.err_code) == (404, "FunctionNotFound")


def test_an_unknown_qualifier_is_404(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return 1")
    assert lab.fc2().invoke_function("svc", "fn", b"", qualifier="LATEST").data == b"1"
    with pytest.raises(FcError) as failed:
        lab.fc2().invoke_function("svc", "fn", b"", qualifier="prod")
    assert failed.value.status_code == 404


def test_a_synchronous_payload_ends_at_32_mb(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return str(len(event))", memorySize=512, cpu=0.5)
    assert lab.invoke(bytes(32 << 20)).data == str(32 << 20).encode()
    with pytest.raises(FcError) as failed:
        lab.invoke(bytes((32 << 20) + 1))
    assert (failed.value.status_code, failed.value.err_code) == (413, "EntityTooLarge")


def test_an_operation_that_is_not_done_says_so(lab: Lab) -> None:
    with pytest.raises(FcError) as failed:
        lab.fc2().get_account_settings()
    assert failed.value.err_code == "PathNotSupported"


def test_at_the_concurrency_limit_a_synchronous_invocation_is_throttled(lab: Lab) -> None:
    lab.deploy(
        "import time\ndef handler(event, context): time.sleep(60)",
        concurrencyConfig={"reservedConcurrency": 1},
    )
    lab.submit()
    lab.until(lambda: lab.invocations[0].outcome == "running")
    with pytest.raises(FcError) as failed:
        lab.invoke()
    assert (failed.value.status_code, failed.value.err_code) == (429, "ResourceExhausted")
    assert lab.invocations[-1].outcome == "throttled"


def test_an_injected_error_keeps_the_invocation_from_happening(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return 1")
    lab.conditions(Fault("invocation", error="ResourceExhausted", limit=1))
    with pytest.raises(FcError) as failed:
        lab.invoke()
    assert failed.value.err_code == "ResourceExhausted"
    assert not lab.invocations
    assert lab.invoke().data == b"1"


@pytest.mark.parametrize(("answer", "happened"), [("lost", 1), ("reset", 0)])
def test_an_answer_can_be_lost_after_the_effect_or_before_it(lab: Lab, answer: str, happened: int) -> None:
    lab.deploy("def handler(event, context): return 1")
    lab.conditions(Fault("invocation", answer=answer, limit=1))  # type: ignore[arg-type]  # parametrized with its literals
    with pytest.raises(requests.ConnectionError):
        lab.invoke()
    assert len(lab.settle()) == happened


def test_an_answer_can_stall_until_the_caller_gives_up(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return 1")
    lab.conditions(Fault("invocation", answer="stall", limit=1))
    client = lab.fc2()
    client.timeout = 0.2
    with pytest.raises(requests.ReadTimeout):
        client.invoke_function("svc", "fn", b"")
    assert not lab.invocations


def test_a_synchronous_invocation_can_happen_twice(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return 1")
    lab.conditions(Fault("invocation", answer="duplicate", limit=1))
    assert lab.invoke().data == b"1"
    assert [one.outcome for one in lab.settle()] == ["succeeded", "succeeded"]
