"""The invoker: asynchronous invocations of this function through the FC SDKs; and FC's word on an invocation.

The only module that imports an FC SDK, and only when something is to be submitted: most invocations are not
chained. fc2 signs the FC 3.0 path as FC 2.0's; should the gateway refuse that signature, the FC 3.0 SDK takes
over, for good.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import msgspec
import requests

from osscopy.aliyun.oss_errors import advised
from osscopy.model import Failed, Misconfigured, OssCopyError, Refused, Transient, Trigger
from osscopy.model.ports import Log

SUBMIT_TIMEOUT = 10.0  # seconds; the answer to an asynchronous invocation is an acknowledgement
MOST_TRIGGERS = 100  # FC gives no more at once, and a function has 50 at most

# Expired credentials and skewed clocks are no verdict on the copy: raising lets FC retry with new ones.
_PASSING = ("SecurityToken", "InvalidAccessKey", "TimeStamp")

T = TypeVar("T")

AccessKey = tuple[str, str, str | None]  # id, secret, security token


class Invocation(msgspec.Struct, frozen=True):
    """What FC tells a function about one invocation of it."""

    request_id: str
    function: str
    service: str  # empty on FC 3.0
    region: str
    account: str
    timeout: float
    access_key: AccessKey
    memory: int = 0  # MB; 0: unknown
    retries: int = 0  # attempts at it that failed before


class Context(Protocol):
    """FC's context object: on python3.12 it has neither `credentials` nor `service`."""

    request_id: str
    region: str
    account_id: str
    function: Any


def read_context(context: Context, environment_key: AccessKey | None) -> Invocation:
    """The invocation, whichever shape of context the runtime gives; numbers may be text."""
    given = getattr(context, "credentials", None)
    identity = getattr(given, "access_key_id", None)
    secret = getattr(given, "access_key_secret", None)
    if identity and secret:
        access_key: AccessKey = (identity, secret, getattr(given, "security_token", None) or None)
    elif environment_key is not None:
        access_key = environment_key
    else:
        raise Misconfigured(
            "NoCredentials", "the function has no role: set `role` in s.yaml so that FC gives it credentials"
        )
    service = getattr(context, "service", None)
    return Invocation(
        request_id=context.request_id,
        function=context.function.name,
        service=getattr(service, "name", None) or "",
        region=context.region,
        account=context.account_id,
        timeout=_seconds(context.function.timeout),
        access_key=access_key,
        memory=_count(getattr(context.function, "memory", 0)),
        retries=_count(getattr(context, "retry_count", 0)),
    )


def _seconds(told: object) -> float:
    """The function's timeout; Misconfigured if FC tells none, without which nothing can be planned."""
    try:
        seconds = float(str(told))
    except ValueError:
        seconds = 0.0
    if 0 < seconds < math.inf:
        return seconds
    raise Misconfigured("NoTimeout", f"FC tells the timeout {str(told)[:40]!r}: look at `timeout` in s.yaml")


def _count(told: object) -> int:
    """A number that FC tells, perhaps as text; 0: it does not tell."""
    text = str(told)
    return int(text) if text.isascii() and text.isdecimal() else 0


class Gateway:
    """What this instance knows of FC's gateway: whether fc2's signature passes on the FC 3.0 path."""

    takes_fc_signature = True


class FcInvoker:
    """Submits asynchronous invocations of the function that `invocation` names."""

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
        """True: accepted. False: this task id was accepted before (documented as 409)."""
        headers = {"x-fc-invocation-type": "Async"}
        on_fc2 = bool(self._invocation.service)
        headers["x-fc-stateful-async-invocation-id" if on_fc2 else "x-fc-async-task-id"] = task_id
        if delay:
            headers["x-fc-async-delay"] = str(delay)
        try:
            self._ask(
                lambda: _submit_through_fc2(self._reach(), headers, payload),
                lambda: _submit_through_sdk3(self._reach(), headers, payload),
            )
        except _Answer as answer:
            if answer.is_duplicate:
                return False
            raise _translate(answer, "fc:InvokeFunction") from answer
        return True

    def triggers(self) -> tuple[Trigger, ...]:
        """The triggers of the function, 100 at most."""
        try:
            return self._ask(
                lambda: _list_through_fc2(self._reach()), lambda: _list_through_sdk3(self._reach())
            )
        except _Answer as answer:
            raise _translate(answer, "fc:ListTriggers") from answer

    def _reach(self) -> _Reach:
        wait = max(1.0, min(self._wait, self._seconds_left()))
        return _Reach(self._invocation, self._endpoint, wait)

    def _ask(self, through_fc2: Callable[[], T], through_sdk3: Callable[[], T]) -> T:
        try:
            if self._gateway.takes_fc_signature:
                try:
                    return through_fc2()
                except _Answer as answer:
                    if self._invocation.service or not answer.refuses_signature:
                        raise
                    self._gateway.takes_fc_signature = False
                    self._log("gatewayRefusedSignature", requestId=self._invocation.request_id)
            return through_sdk3()
        except requests.RequestException as error:  # among them: an error answer that is no JSON
            raise Transient("NetworkError", str(error)[:300], in_doubt=True) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:  # an answer of another form
            raise Transient("BadAnswer", f"unreadable: {error!r}"[:300], in_doubt=True) from error


class _Reach(msgspec.Struct, frozen=True):
    """The function, and how it is asked: where, and how many seconds an answer is waited for."""

    invocation: Invocation
    endpoint: str
    wait: float


class _Answer(Exception):
    """An error that FC answered, the same for both SDKs."""

    def __init__(self, status: int, code: str, message: str, request_id: str) -> None:
        if "Signature" in code:  # the gateway may quote all that was signed, the security token too
            message = "FC does not accept the signature of the request"
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.request_id = status, code, message, request_id

    @property
    def is_duplicate(self) -> bool:
        # Documented as 409; one page has 400, where only a code that says so counts.
        return self.status == 409 or (self.status == 400 and "AlreadyExist" in self.code)

    @property
    def refuses_signature(self) -> bool:
        return self.status in {400, 401, 403} and "Signature" in self.code


def _submit_through_fc2(reach: _Reach, headers: dict[str, str], payload: bytes) -> None:
    _ask_through_fc2(reach, "POST", "invocations", headers, body=payload)


def _list_through_fc2(reach: _Reach) -> tuple[Trigger, ...]:
    told = _ask_through_fc2(reach, "GET", "triggers", {}, params={"limit": str(MOST_TRIGGERS)}).json()
    return tuple(
        Trigger(
            each["triggerName"],
            each["triggerType"],
            each.get("sourceArn") or "",
            _text(each["triggerConfig"]),
        )
        for each in told["triggers"]
    )


def _text(config: object) -> str:
    """FC 2.0 gives the object that FC 3.0 has as text."""
    return config if isinstance(config, str) else msgspec.json.encode(config).decode()


def _ask_through_fc2(reach: _Reach, method: str, what: str, headers: dict[str, str], **sent: object) -> Any:  # noqa: ANN401 - a response of requests
    import fc2  # noqa: PLC0415 - costs start-up time that only chains need

    logging.getLogger().addFilter(_is_not_from_fc2)
    fc2.client.retries = 0  # it connects up to six times, half a minute in all, and nobody sees it

    class Client(fc2.Client):  # type: ignore[misc]  # fc2 carries no types
        """Adds the path by which FC 3.0 differs; signing and sending are fc2's."""

        def ask(self, path: str) -> Any:  # noqa: ANN401 - a response of requests
            return self._do_request(method, path, self._build_common_headers(method, path, headers), **sent)

    invocation = reach.invocation
    identity, secret, token = invocation.access_key
    client = Client(
        endpoint=reach.endpoint,
        accessKeyID=identity,
        accessKeySecret=secret,
        securityToken=token or "",
        Timeout=reach.wait,
    )
    if invocation.service:
        path = f"/2016-08-15/services/{invocation.service}/functions/{invocation.function}/{what}"
    else:
        path = f"/2023-03-30/functions/{invocation.function}/{what}"
    try:
        return client.ask(path)
    except fc2.FcError as error:
        code, message = _read_error(error.message)
        raise _Answer(error.status_code, error.err_code or code, message, error.request_id) from error


def _read_error(body: str) -> tuple[str, str]:
    """Code and message of an error body: FC 2.0 says ErrorCode and ErrorMessage, FC 3.0 Code and Message."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, str | None])
    except msgspec.MsgspecError:
        return "", body[:300]
    code = fields.get("ErrorCode") or fields.get("Code") or ""
    return code, (fields.get("ErrorMessage") or fields.get("Message") or body)[:300]


def _is_not_from_fc2(record: logging.LogRecord) -> bool:
    """fc2 logs the headers of failed requests, signature and token included, to the root logger."""
    return "/fc2/" not in record.pathname.replace("\\", "/")


def _submit_through_sdk3(reach: _Reach, headers: dict[str, str], payload: bytes) -> None:
    from alibabacloud_fc20230330.models import InvokeFunctionHeaders, InvokeFunctionRequest  # noqa: PLC0415 - only where fc2 is refused

    with _sdk3(reach) as (client, options):
        client.invoke_function_with_options(
            reach.invocation.function,
            InvokeFunctionRequest(body=payload),
            InvokeFunctionHeaders(common_headers=dict(headers)),
            options,
        )


def _list_through_sdk3(reach: _Reach) -> tuple[Trigger, ...]:
    from alibabacloud_fc20230330.models import ListTriggersRequest  # noqa: PLC0415 - only where fc2 is refused

    with _sdk3(reach) as (client, options):
        asked = ListTriggersRequest(limit=MOST_TRIGGERS)
        told = client.list_triggers_with_options(reach.invocation.function, asked, {}, options)
    return tuple(
        Trigger(each.trigger_name, each.trigger_type, each.source_arn or "", each.trigger_config)
        for each in told.body.triggers
    )


@contextmanager
def _sdk3(reach: _Reach) -> Iterator[tuple[Any, Any]]:
    """The FC 3.0 SDK's client and how long it waits; its errors become ours."""
    from alibabacloud_fc20230330.client import Client  # noqa: PLC0415 - only where fc2 is refused
    from alibabacloud_tea_openapi.utils_models import Config  # noqa: PLC0415 - only where fc2 is refused
    from darabonba.exceptions import TeaException  # noqa: PLC0415 - only where fc2 is refused
    from darabonba.runtime import RuntimeOptions  # noqa: PLC0415 - only where fc2 is refused

    identity, secret, token = reach.invocation.access_key
    scheme, _, host = reach.endpoint.partition("://")
    client = Client(
        Config(
            access_key_id=identity,
            access_key_secret=secret,
            security_token=token,
            region_id=reach.invocation.region,
            endpoint=host,
            protocol=scheme,
        )
    )
    milliseconds = int(reach.wait * 1000)
    options = RuntimeOptions(connect_timeout=milliseconds, read_timeout=milliseconds, autoretry=False)
    try:
        yield client, options
    except TeaException as error:  # the root of them all: a lost connection is no DaraException
        status = _count(getattr(error, "status_code", 0) or getattr(error, "statusCode", 0))
        if not status:
            raise Transient("NetworkError", str(error)[:300], in_doubt=True) from error
        request_id = str(getattr(error, "request_id", "") or "")
        raise _Answer(
            status,
            str(getattr(error, "code", "") or ""),
            str(getattr(error, "message", error))[:300],
            request_id,
        ) from error


def _translate(answer: _Answer, action: str) -> OssCopyError:
    code, request_id, status = answer.code or f"HTTP{answer.status}", answer.request_id, answer.status
    if status == 429 or "Throttling" in code:
        return Transient(code, answer.message, request_id=request_id, status=status, throttled=True)
    if status >= 500:
        return Transient(code, answer.message, request_id=request_id, status=status, in_doubt=True)
    if any(word in code for word in _PASSING):
        return Transient(code, answer.message, request_id=request_id, status=status)
    if status == 413:
        return Refused(code, answer.message, request_id=request_id, status=status)
    if status in {401, 403}:
        advice = f"grant the function's role {action} on the function itself"
        return Failed(code, advised(answer.message, advice), request_id=request_id, status=status)
    return Failed(code, answer.message, request_id=request_id, status=status)
