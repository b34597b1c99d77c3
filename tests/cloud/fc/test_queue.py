"""Asynchronous invocations: accepted once, delivered at least once, retried, expired, stopped, passed on."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import fc2
import pytest
from alibabacloud_fc20230330 import models as fc_models
from alibabacloud_tea_openapi.exceptions import ClientException

from tests.cloud.conditions import Fault
from tests.cloud.fc.lab import Lab

FcError = fc2.fc_exceptions.FcError
FAIL = "def handler(event, context): raise OSError(context.retry_count)"
TASKS: dict[str, Any] = {"asyncInvokeConfig": {"asyncTask": True, "maxAsyncRetryAttempts": 0}}


def test_an_invocation_is_accepted_before_it_runs(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return event")
    answer = lab.submit(b"1")
    assert answer.headers["x-fc-request-id"]
    (invocation,) = lab.settle()
    assert (invocation.outcome, invocation.attempts[0].body) == ("succeeded", b"1")


def test_the_native_sdk_gets_202(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return event")
    answer = lab.invoke_native(b"1", x_fc_invocation_type="Async", x_fc_async_task_id="t-1")
    assert (answer.status_code, answer.headers["x-fc-async-task-id"]) == (202, "t-1")
    assert lab.settle()[0].outcome == "succeeded"


def test_a_task_id_is_accepted_once_whichever_api_it_comes_by(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return 1", **TASKS)
    lab.submit(x_fc_stateful_async_invocation_id="job-1")
    with pytest.raises(FcError) as old:
        lab.submit(x_fc_stateful_async_invocation_id="job-1")
    assert (old.value.status_code, old.value.err_code) == (409, "StatefulAsyncInvocationAlreadyExists")
    with pytest.raises(ClientException) as new:
        lab.invoke_native(x_fc_invocation_type="Async", x_fc_async_task_id="job-1")
    assert (new.value.status_code, new.value.code) == (409, "StatefulAsyncInvocationAlreadyExists")
    assert len(lab.settle()) == 1


@pytest.mark.parametrize("task_id", ["1a", "a b", "a" * 129, "-a"])
def test_a_malformed_task_id_is_refused(lab: Lab, task_id: str) -> None:
    lab.deploy("def handler(event, context): return 1", **TASKS)
    with pytest.raises(FcError) as failed:
        lab.submit(x_fc_stateful_async_invocation_id=task_id)
    assert (failed.value.status_code, failed.value.err_code) == (400, "InvalidArgument")


def test_an_asynchronous_payload_ends_at_128_kb(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return len(event)")
    lab.submit(bytes(128 << 10))
    with pytest.raises(FcError) as failed:
        lab.submit(bytes((128 << 10) + 1))
    assert (failed.value.status_code, failed.value.err_code) == (413, "EntityTooLarge")
    assert lab.settle()[0].attempts[0].body == b"131072"


def test_a_delayed_invocation_starts_late(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return 1")
    lab.submit(x_fc_async_delay="1")
    (invocation,) = lab.settle()
    assert invocation.attempts[0].start - invocation.submitted >= 1


def test_what_is_delayed_can_be_hurried(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return 1")
    lab.submit(x_fc_async_delay="3600")

    def delivered() -> bool:
        lab.call(lab.host.queue.hurry)
        return not lab.invocations[0].open

    lab.until(delivered)
    assert lab.invocations[0].outcome == "succeeded"


@pytest.mark.parametrize("delay", ["-1", "3601", "soon"])
def test_a_delay_is_between_0_and_3600_seconds(lab: Lab, delay: str) -> None:
    lab.deploy("def handler(event, context): return 1")
    with pytest.raises(FcError) as failed:
        lab.submit(x_fc_async_delay=delay)
    assert failed.value.status_code == 400


@pytest.mark.parametrize("retries", [0, 2])
def test_a_function_error_is_retried_as_often_as_configured(lab: Lab, retries: int) -> None:
    lab.deploy(FAIL, asyncInvokeConfig={"maxAsyncRetryAttempts": retries})
    lab.submit()
    (invocation,) = lab.settle()
    assert invocation.outcome == "function-error"
    told = [json.loads(attempt.body)["errorMessage"] for attempt in invocation.attempts]
    assert told == [str(count) for count in range(retries + 1)]


def test_a_retry_that_succeeds_ends_the_matter(lab: Lab) -> None:
    lab.deploy(
        "def handler(event, context):\n    if context.retry_count < 1: raise OSError\n    return 'second'"
    )
    lab.submit()
    (invocation,) = lab.settle()
    view = invocation.view()
    assert (view["outcome"], view["result"], view["retries"]) == ("succeeded", "second", 1)


def test_a_killed_instance_is_retried(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return 1")
    lab.conditions(Fault("invocation", answer="kill", limit=1))
    lab.submit()
    (invocation,) = lab.settle()
    assert [attempt.outcome for attempt in invocation.attempts] == ["killed", "succeeded"]


def test_an_event_that_is_too_old_is_discarded(tmp_path: Path) -> None:
    lab = Lab(tmp_path, retry_pause=1.1)
    try:
        lab.deploy(FAIL, asyncInvokeConfig={"maxAsyncEventAgeInSeconds": 1})
        lab.submit()
        (invocation,) = lab.settle()
        assert (invocation.outcome, len(invocation.attempts)) == ("expired", 1)
    finally:
        lab.close()


def test_at_the_concurrency_limit_invocations_wait_for_their_turn(lab: Lab) -> None:
    lab.deploy(
        "import time\ndef handler(event, context): time.sleep(0.05)",
        concurrencyConfig={"reservedConcurrency": 1},
    )
    for _ in range(3):
        lab.submit()
    done = sorted((one.attempts[0] for one in lab.settle()), key=lambda attempt: attempt.start)
    assert len({attempt.instance_id for attempt in done}) == 1
    assert all(one.end <= two.start + 0.02 for one, two in pairwise(done))


def test_delivery_can_happen_twice(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return context.request_id", **TASKS)
    lab.conditions(Fault("invocation", answer="duplicate", limit=1))
    lab.submit(x_fc_stateful_async_invocation_id="t")
    one, two = lab.settle()
    assert one.attempts[0].body == two.attempts[0].body


def test_an_accepted_invocation_can_be_lost(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return 1", **TASKS)
    lab.conditions(Fault("invocation", answer="drop", limit=1))
    lab.submit(x_fc_stateful_async_invocation_id="t")
    (invocation,) = lab.settle()
    assert (invocation.outcome, invocation.attempts) == ("lost", [])
    with pytest.raises(FcError):
        lab.submit(x_fc_stateful_async_invocation_id="t")


def _destinations(**arns: str) -> dict[str, Any]:
    config = {name: {"destination": arn} for name, arn in arns.items()}
    return {"asyncInvokeConfig": {"maxAsyncRetryAttempts": 0, "destinationConfig": config}}


def test_the_result_goes_to_another_function(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return event", "after")
    arn = "acs:fc:cn-hangzhou:1234567890123456:functions/after"
    lab.deploy("def handler(event, context): return 'done'", **_destinations(onSuccess=arn))
    lab.submit(b"payload")
    first, second = lab.settle()
    told = json.loads(second.request.event)
    assert second.request.function == "after"
    assert told["requestContext"]["requestId"] == first.request.request_id
    assert (told["requestPayload"], told["responsePayload"]) == ("payload", "done")


def test_a_failure_goes_to_its_own_destination_after_all_retries(lab: Lab) -> None:
    queue = "acs:mns:cn-hangzhou:1234567890123456:/queues/failed/messages"
    lab.deploy(FAIL, **_destinations(onFailure=queue))
    lab.submit()
    lab.settle()
    ((destination, event),) = lab.until(lambda: lab.host.sent)
    assert destination.destination == queue
    assert json.loads(event)["responseContext"]["functionError"] == "UnhandledInvocationError"


@pytest.mark.parametrize(("size", "passed_on"), [(1000, "delivered"), (70_000, "too large")])
def test_what_a_destination_does_not_take_is_dropped_and_told(lab: Lab, size: int, passed_on: str) -> None:
    """The event comes as a JSON text in a JSON text: quotes take two bytes there."""
    lab.deploy("def handler(event, context): return 1", "after")
    arn = "acs:fc:cn-hangzhou:1234567890123456:functions/after"
    lab.deploy(FAIL, **_destinations(onFailure=arn))
    lab.submit(b'"' * size)
    functions = [one.request.function for one in lab.settle()]
    assert functions == ["fn", "after"][: 2 if passed_on == "delivered" else 1]
    assert [one.view()["passed_on"] for one in lab.invocations] == [passed_on, None][: len(functions)]


def test_a_queue_takes_less_than_a_function(lab: Lab) -> None:
    queue = "acs:mns:cn-hangzhou:1234567890123456:/queues/failed/messages"
    lab.deploy(FAIL, **_destinations(onFailure=queue))
    lab.submit(b"x" * 70_000)
    (invocation,) = lab.settle()
    assert (invocation.passed_on, lab.host.sent) == ("too large", [])


def test_a_task_can_be_looked_up_listed_and_stopped(lab: Lab) -> None:
    lab.deploy("import time\ndef handler(event, context): time.sleep(60)", timeout=60, **TASKS)
    client = lab.native()
    lab.submit(b"event", x_fc_stateful_async_invocation_id="t-1")
    lab.until(lambda: lab.invocations[0].outcome == "running")
    task = client.get_async_task("fn", "t-1", fc_models.GetAsyncTaskRequest()).body
    assert (task.status, task.task_payload) == ("Running", "event")
    client.stop_async_task("fn", "t-1", fc_models.StopAsyncTaskRequest())
    assert lab.settle()[0].outcome == "stopped"
    listed = client.list_async_tasks("fn", fc_models.ListAsyncTasksRequest(prefix="t-")).body
    assert [(one.task_id, one.status) for one in listed.tasks] == [("t-1", "Stopped")]
    with pytest.raises(ClientException):
        client.get_async_task("fn", "t-2", fc_models.GetAsyncTaskRequest())


def test_an_event_grows_too_old_while_it_waits_for_its_turn(lab: Lab) -> None:
    lab.deploy(
        "import time\ndef handler(event, context): time.sleep(1.5)",
        concurrencyConfig={"reservedConcurrency": 1},
        timeout=5,
        asyncInvokeConfig={"maxAsyncEventAgeInSeconds": 1},
    )
    lab.submit()
    lab.submit()
    assert sorted(one.outcome for one in lab.settle()) == ["expired", "succeeded"]
