"""The invoker: invocations of the function that copies, the tasks they are, and its triggers.

Knows what FC's answers mean, and that fc2 signs the FC 3.0 path as FC 2.0's: should the gateway refuse that
signature, the FC 3.0 SDK takes over, for good. Not how an SDK is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import requests

from osscopy.aliyun.fc_context import Invocation
from osscopy.aliyun.fc_sdks import Fc2, Fc3, FcRefusal
from osscopy.aliyun.oss_errors import advised
from osscopy.model import AsyncTask, Failed, OssCopyError, Refused, Transient, Trigger
from osscopy.model.ports import Log

ANNOUNCE_TIMEOUT = 3.0  # seconds, where a copy is not to wait for it
SUBMIT_TIMEOUT = 10.0  # seconds; the answer to an asynchronous invocation is an acknowledgement

# Expired credentials and skewed clocks are no verdict on the copy: raising lets FC retry with new ones.
_PASSING = ("SecurityToken", "InvalidAccessKey", "TimeStamp")

T = TypeVar("T")


class Gateway:
    """FC's gateway, as far as this instance knows it: if fc2's signature passes on the FC 3.0 path."""

    takes_fc_signature = True


class FcInvoker:
    """Invokes the function that `invocation` names."""

    def __init__(
        self,
        invocation: Invocation,
        endpoint: str | None,
        gateway: Gateway,
        log: Log,
        seconds_left: Callable[[], float],
        wait: float = SUBMIT_TIMEOUT,
    ) -> None:
        """An answer is waited for `wait` seconds, no longer than `seconds_left` says, or a second."""
        self._invocation = invocation
        self._seconds_left = seconds_left
        self._wait = wait
        self._log = log
        self._gateway = gateway
        self._endpoint = endpoint or (
            f"https://{invocation.account}.{invocation.region}-internal.fc.aliyuncs.com"
        )

    def submit(self, task_id: str, payload: bytes, delay: int) -> bool:
        """Return True if it was accepted, False if this task id was accepted before (documented as 409)."""
        headers = {"x-fc-invocation-type": "Async"}
        on_fc2 = bool(self._invocation.service)
        headers["x-fc-stateful-async-invocation-id" if on_fc2 else "x-fc-async-task-id"] = task_id
        if delay:
            headers["x-fc-async-delay"] = str(delay)
        try:
            self._ask(lambda sdk: sdk.submit(headers, payload))
        except FcRefusal as refusal:
            if refusal.is_duplicate:
                return False
            raise _translate(refusal, "fc:InvokeFunction") from refusal
        return True

    def invoke(self, event: bytes) -> bytes:
        """Return what the function answers to `event`; Transient in doubt if it did not come to its end."""
        try:
            answer = self._ask(lambda sdk: sdk.invoke(event))
        except FcRefusal as refusal:
            raise _translate(refusal, "fc:InvokeFunction") from refusal
        if answer.error_type:
            raise Transient("FunctionFailed", f"the function that copies: {answer.error_type}", in_doubt=True)
        return answer.body

    def task(self, task_id: str) -> AsyncTask | None:
        """Return what FC has of an asynchronous invocation; None if it knows none of this task id."""
        try:
            return self._ask(lambda sdk: sdk.task(task_id))
        except FcRefusal as refusal:
            if refusal.status == 404:
                return None
            raise _translate(refusal, "fc:GetAsyncTask") from refusal

    def triggers(self) -> tuple[Trigger, ...]:
        """Return the triggers of the function, 100 at most."""
        try:
            return self._ask(lambda sdk: sdk.triggers())
        except FcRefusal as refusal:
            raise _translate(refusal, "fc:ListTriggers") from refusal

    def _ask(self, question: Callable[[Fc2 | Fc3], T]) -> T:
        try:
            if self._gateway.takes_fc_signature:
                try:
                    return question(Fc2(self._invocation, self._endpoint, self._seconds()))
                except FcRefusal as refusal:
                    if self._invocation.service or not refusal.is_about_signature:
                        raise
                    self._gateway.takes_fc_signature = False
                    self._log("gatewayRefusedSignature", requestId=self._invocation.request_id)
            return question(Fc3(self._invocation, self._endpoint, self._seconds()))
        except requests.RequestException as error:  # among them: an error answer that is no JSON
            raise Transient("NetworkError", str(error)[:300], in_doubt=True) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:  # an answer of another form
            raise Transient("BadAnswer", f"unreadable: {error!r}"[:300], in_doubt=True) from error

    def _seconds(self) -> float:
        return max(1.0, min(self._wait, self._seconds_left()))


def _translate(refusal: FcRefusal, action: str) -> OssCopyError:
    code, status, text = refusal.code or f"HTTP{refusal.status}", refusal.status, refusal.message
    kind: Callable[..., OssCopyError] = Failed
    more: dict[str, bool] = {}
    if status == 429 or "Throttling" in code:
        kind, more = Transient, {"throttled": True}
    elif status >= 500:
        kind, more = Transient, {"in_doubt": True}
    elif any(word in code for word in _PASSING):
        kind = Transient
    elif status == 413:
        kind = Refused
    elif status in {401, 403}:
        text = advised(text, f"grant the function's role {action} on the function that copies")
    return kind(code, text, request_id=refusal.request_id, status=status, **more)
