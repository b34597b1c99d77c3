"""The Python runtime inside an instance: fetches invocations from the host and runs the handler.

It uses the standard library only and knows nothing of the host but its address. The loop, the errors, the log
lines and the filtered environment are those of FC's own runtime (facts.md §3 and §6); the two context shapes
are those of python3.10 and python3.12, whichever interpreter runs this file.

With a descriptor and names of packages as arguments it is no instance: it imports these packages, and forks
into an instance for every request that comes through the descriptor.
"""

from __future__ import annotations

import ctypes
import gc
import http.client
import importlib
import json
import logging
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

HANDLE, INITIALIZE = "0", "1"  # x-fc-function-type
KEPT = {  # of all FC_* variables the function sees only these
    "FC_FUNCTION_NAME",
    "FC_FUNCTION_HANDLER",
    "FC_FUNCTION_MEMORY_SIZE",
    "FC_REGION",
    "FC_ACCOUNT_ID",
    "FC_INSTANCE_ID",
    "FC_FUNC_CODE_PATH",
}
PR_SET_PDEATHSIG = 1


def fork(connection: socket.socket, packages: Sequence[str]) -> None:
    """Import these packages, then answer each request with the id of a process, and a descriptor of it."""
    _die_with(int(os.environ["FC_HOST_PID"]))
    sys.path[0] = os.devnull  # this directory has modules with the names of others
    for name in packages:
        importlib.import_module(name)
    gc.freeze()  # what is imported stays in memory that all of them share
    host = str(os.getpid())
    signal.signal(signal.SIGCHLD, _forget_ended)
    while True:
        asked, descriptors, _, _ = socket.recv_fds(connection, 1 << 20, 1)
        if not asked:  # the host has stopped
            return
        (output,) = descriptors
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        if not (pid := os.fork()):
            break
        os.close(output)
        ended = os.pidfd_open(pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        socket.send_fds(connection, [str(pid).encode()], [ended])
        os.close(ended)
    connection.close()
    _become(json.loads(asked), host, output)
    main()


def _become(asked: Mapping[str, Any], host: str, output: int) -> None:
    """Be a process of its own, with the directory, the environment and the output that were asked for."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    os.setsid()
    for number in (1, 2):
        os.dup2(output, number)
    os.close(output)
    os.chdir(asked["directory"])
    os.environ.clear()
    os.environ.update({**asked["environment"], "FC_HOST_PID": host})


def _forget_ended(*_: object) -> None:
    """Reap the processes that have ended; the host knows by their descriptors."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


class HandlerNotFound(Exception):
    pass


class ImportModuleError(Exception):
    pass


def main() -> None:
    parent = int(os.environ["FC_HOST_PID"])
    address, _, instance = os.environ["FC_RUNTIME_API"].partition("/")
    shape = os.environ["FC_RUNTIME"]
    _die_with(parent)
    _resolve_localhost()
    sys.path[:1] = [os.environ["FC_FUNC_CODE_PATH"], *filter(None, os.environ["FC_LAYER_PATH"].split(":"))]
    for name in [name for name in os.environ if name.startswith("FC_") and name not in KEPT]:
        del os.environ[name]
    log = _RequestIdFormatter()
    _configure_logging(log)
    connection = http.client.HTTPConnection(address)
    base = f"/{instance}/2020-11-11/runtime/invocation"
    while True:
        connection.request("GET", f"{base}/next")
        answer = connection.getresponse()
        event = answer.read()
        if answer.status != 200:
            raise SystemExit(f"the host answered {answer.status}")
        request_id = answer.headers["x-fc-request-id"]
        log.request_id = request_id
        kind = "Initialize" if answer.headers["x-fc-function-type"] == INITIALIZE else "Invoke"
        _say(f"FC {kind} Start RequestId: {request_id}")
        outcome, body = _run(shape, dict(answer.headers.items()), event)
        _say(f"FC {kind} End RequestId: {request_id}")
        connection.request("POST", f"{base}/{request_id}/{outcome}", body)
        connection.getresponse().read()


def _run(shape: str, headers: Mapping[str, str], event: bytes) -> tuple[str, bytes]:
    """Run the handler; the outcome is the last word of the path that reports it."""
    if shape == "python3.12":
        _renew_credentials(headers)
    context = _context(shape, headers)
    try:
        if headers["x-fc-function-type"] == INITIALIZE:
            _load(headers["x-fc-function-initializer"])(context)
            return "response", b""
        result = _load(headers["x-fc-function-handler"])(event, context)
        return "response", _encode(result)
    except Exception as exc:  # noqa: BLE001 - whatever the function raises is its answer
        error = _describe(exc)
        _say(f"{_stamp()} {headers['x-fc-request-id']} [ERROR] {error['errorType']}: {error['errorMessage']}")
        _say("".join(traceback.format_exception(type(exc), exc, exc.__traceback__)).rstrip())
        return "error", json.dumps(error).encode()


_loaded: dict[str, Callable[..., object]] = {}


def _load(handler: str) -> Callable[..., object]:
    """`pkg.module.function`, split at the last dot; loaded once, within the first invocation as FC does."""
    if handler not in _loaded:
        module_name, _, function_name = handler.rpartition(".")
        if not module_name:
            raise HandlerNotFound(f"Invalid handler {handler!r}")
        try:
            module = importlib.import_module(module_name.replace("/", "."))
        except ImportError as exc:
            raise ImportModuleError(f"Unable to import module {module_name!r}: {exc}") from exc
        try:
            _loaded[handler] = getattr(module, function_name)
        except AttributeError as exc:
            raise HandlerNotFound(f"Handler {handler!r} is missing on module {module_name!r}") from exc
    return _loaded[handler]


def _encode(result: object) -> bytes:
    if isinstance(result, bytes):
        return result
    if isinstance(result, str):
        return result.encode()
    return json.dumps(result).encode()


def _describe(exc: Exception) -> dict[str, object]:
    trace = traceback.extract_tb(exc.__traceback__)
    own = [frame for frame in trace if frame.filename != __file__]
    return {
        "errorMessage": str(exc),
        "errorType": type(exc).__name__,
        "stackTrace": [[f"File {f.filename}, line {f.lineno}, in {f.name}", f.line or ""] for f in own],
    }


def _context(shape: str, headers: Mapping[str, str]) -> SimpleNamespace:
    """What the handler gets: up to 3.10 credentials and service, and numbers as text; from 3.12 neither."""
    old = shape != "python3.12"
    number: Callable[[str], object] = str if old else int
    context = SimpleNamespace(
        request_id=headers["x-fc-request-id"],
        function=SimpleNamespace(
            name=headers["x-fc-function-name"],
            handler=headers["x-fc-function-handler"],
            memory=number(headers["x-fc-function-memory"]),
            timeout=number(headers["x-fc-function-timeout"]),
        ),
        region=headers["x-fc-region"],
        account_id=headers["x-fc-account-id"],
        retry_count=number(headers["x-fc-retry-count"]),
        qualifier=headers["x-fc-qualifier"],
        version_id="",
        tracing=SimpleNamespace(span_context=None, jaeger_endpoint=None, span_baggages={}),
    )
    if old:
        context.credentials = SimpleNamespace(
            access_key_id=headers["x-fc-access-key-id"],
            access_key_secret=headers["x-fc-access-key-secret"],
            security_token=headers["x-fc-security-token"],
        )
        context.service = SimpleNamespace(
            name=headers["x-fc-service-name"],
            log_project="",
            log_store="",
            qualifier=headers["x-fc-qualifier"],
            version_id="",
        )
    return context


def _renew_credentials(headers: Mapping[str, str]) -> None:
    """From 3.12 on the function finds its credentials in the environment, renewed as they rotate."""
    os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"] = headers["x-fc-access-key-id"]
    os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = headers["x-fc-access-key-secret"]
    os.environ["ALIBABA_CLOUD_SECURITY_TOKEN"] = headers["x-fc-security-token"]


class _RequestIdFormatter(logging.Formatter):
    request_id = ""

    def format(self, record: logging.LogRecord) -> str:
        text = f"{_stamp(record.created)} {self.request_id} [{record.levelname}] {record.getMessage()}"
        return text + ("\n" + self.formatException(record.exc_info) if record.exc_info else "")


def _configure_logging(formatter: logging.Formatter) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _stamp(seconds: float | None = None) -> str:
    now = time.time() if seconds is None else seconds
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"


def _say(line: str) -> None:
    sys.stderr.flush()
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _resolve_localhost() -> None:
    """Let names under `.localhost` be this machine, as RFC 6761 asks of resolvers; not every libc does it."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        under = isinstance(host, str) and host.endswith(".localhost")
        return resolve("127.0.0.1" if under else host, *arguments, **options)

    socket.getaddrinfo = getaddrinfo


def _die_with(parent: int) -> None:
    """No instance outlives its host, however that ends; this works on a frozen process too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(1)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        fork(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
    else:
        main()
