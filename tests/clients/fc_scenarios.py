"""Scenarios that every client of FC plays against the FC host: the rows of the second table."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from typing import Any

from tests.cloud.accounts import Credentials
from tests.cloud.client import LocalCloud

from .driving import Driver, RefusedError
from .scenarios import same

CODE = """\
import time


def echo(event, context):
    print("said by the function")
    return event


def fail(event, context):
    raise ValueError("on purpose")


def wait(event, context):
    time.sleep(float(event))
    return b"waited"
"""
SECONDS = 30.0  # that a task may take


def packed() -> bytes:
    """The code of the functions as a package."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("main.py", CODE)
    return target.getvalue()


class FcScene:
    """The client under test, and a helper that makes functions."""

    def __init__(self, cloud: LocalCloud, client: Driver, helper: Driver, name: str) -> None:
        self.cloud, self.client, self.helper, self.name = cloud, client, helper, name
        self.connect(client)
        self.connect(helper)

    def connect(self, driver: Driver, *, who: Credentials | None = None, secret: str = "") -> None:
        who = who or self.cloud.owner
        driver(
            "connect",
            endpoint=self.cloud.fc,
            id=who.access_key_id,
            secret=secret or who.access_key_secret,
            token=who.security_token or "",
            account=self.cloud.account_id,
            region=self.cloud.region,
        )

    def made(self, handler: str = "echo") -> str:
        self.helper("create", function=self.name, code=packed(), handler=f"main.{handler}")
        return self.name

    def made_with_tasks(self, handler: str = "echo") -> None:
        self.made(handler)
        self.helper("keep_tasks", function=self.name)

    def invoke(self, payload: bytes = b"hello", **headers: str) -> dict[str, Any]:
        """Invoke the function of this scene by the client."""
        sent = {f"x-fc-{name.replace('_', '-')}": value for name, value in headers.items()}
        answer: dict[str, Any] = self.client("invoke", function=self.name, payload=payload, headers=sent)
        return answer

    def refused(
        self, status: int, code: str, action: Callable[..., object], *given: Any, **options: Any
    ) -> None:
        """The client says that the host refuses; where it tells the code, the right one."""
        try:
            done = action(*given, **options)
        except RefusedError as error:
            assert (error.status, error.code or code) == (status, code), str(error)
        else:
            raise AssertionError(f"it should be refused with {status} {code}: {done!r}")

    def until(self, task: str, status: str) -> None:
        """Wait until the client says that the task has this status."""
        end = time.monotonic() + SECONDS
        while (found := self.client("task", function=self.name, task=task)) != status:
            assert time.monotonic() < end, f"{task} is {found}, not {status}"
            time.sleep(0.05)


FcScenario = Callable[[FcScene], None]
FC_SCENARIOS: dict[str, FcScenario] = {}


def scenario(function: FcScenario) -> FcScenario:
    """Register it under its name, with spaces."""
    FC_SCENARIOS[function.__name__.replace("_", " ")] = function
    return function


@scenario
def invoke_a_function(scene: FcScene) -> None:
    scene.made()
    answer = scene.invoke(b"\x00hello \xff")
    same(answer["body"], b"\x00hello \xff")
    assert answer["headers"]["x-fc-request-id"]


@scenario
def invoke_what_raises(scene: FcScene) -> None:
    scene.made("fail")
    answer = scene.invoke()
    same(answer["headers"]["x-fc-error-type"], "UnhandledInvocationError")
    assert b"on purpose" in answer["body"], answer


@scenario
def ask_for_the_end_of_the_log(scene: FcScene) -> None:
    scene.made()
    assert scene.invoke(log_type="Tail")["headers"]["x-fc-log-result"]


@scenario
def invoke_what_is_not_there(scene: FcScene) -> None:
    scene.refused(404, "FunctionNotFound", scene.invoke)


@scenario
def invoke_without_waiting(scene: FcScene) -> None:
    scene.made()
    request = scene.invoke(invocation_type="Async")["headers"]["x-fc-request-id"]
    scene.cloud.wait_idle()
    (done,) = [each for each in scene.cloud.invocations() if each["request_id"] == request]
    same(done["outcome"], "succeeded")


@scenario
def use_a_task_id_once(scene: FcScene) -> None:
    scene.made_with_tasks()
    scene.invoke(invocation_type="Async", async_task_id="one")
    again = {"invocation_type": "Async", "async_task_id": "one"}
    scene.refused(409, "StatefulAsyncInvocationAlreadyExists", scene.invoke, **again)
    scene.cloud.wait_idle()


@scenario
def follow_a_task(scene: FcScene) -> None:
    scene.made_with_tasks()
    scene.invoke(invocation_type="Async", async_task_id="followed-1")
    scene.until("followed-1", "Succeeded")
    same(scene.client("tasks", function=scene.name, prefix="followed"), ["followed-1"])


@scenario
def stop_a_task(scene: FcScene) -> None:
    scene.made_with_tasks("wait")
    scene.invoke(b"15", invocation_type="Async", async_task_id="stopped")
    scene.until("stopped", "Running")
    scene.client("stop", function=scene.name, task="stopped")
    scene.until("stopped", "Stopped")


@scenario
def make_and_remove_a_function(scene: FcScene) -> None:
    names = [f"{scene.name}-{letter}" for letter in "ab"]
    for name in names:
        scene.client("create", function=name, code=packed(), handler="main.echo")
    same(
        scene.client("describe", function=names[0]), {"name": names[0], "handler": "main.echo", "memory": 256}
    )
    same(scene.client("functions", prefix=scene.name, page=1), names)
    same(scene.helper("functions", prefix=scene.name, page=100), names)
    same(scene.helper("invoke", function=names[0], payload=b"x", headers={})["body"], b"x")
    scene.client("remove", function=names[0])
    same(scene.helper("functions", prefix=scene.name, page=100), names[1:])


@scenario
def use_temporary_credentials(scene: FcScene) -> None:
    scene.made()
    scene.connect(scene.client, who=scene.cloud.assume("acs:ram::1234567890123456:role/any"))
    same(scene.invoke(b"x")["body"], b"x")


@scenario
def sign_with_a_wrong_secret(scene: FcScene) -> None:
    scene.made()
    scene.connect(scene.client, secret="wrong")
    scene.refused(403, "SignatureNotMatch", scene.invoke)
