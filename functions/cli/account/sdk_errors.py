"""Translates the errors of OSS, FC and RAM into those of the tools. Knows no request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree as ET

import oss2.exceptions
import requests
from darabonba.exceptions import ResponseException, RetryError
from Tea.exceptions import TeaException, UnretryableException

from functions.cli.errors import NoAnswer, ServiceRefused, cause

SETUP, DEPLOYER = "--setup", "--deployer"  # of `oss-copy policy`: who lacks a right


class _Unreadable(Exception):
    """FC or RAM has answered with something that the SDK cannot read."""


@contextmanager
def asking_oss(subject: str, action: str, policy: str) -> Iterator[None]:
    """Translate errors of OSS. `action` is the right it takes: OSS does not name it when it refuses.

    oss2 translates neither a connection that breaks within an answer nor an answer that is not its XML.
    """
    try:
        yield
    except oss2.exceptions.RequestError as error:
        raise _unreached(f"{subject}: OSS", error.exception, "OSS_ENDPOINT") from error
    except requests.RequestException as error:
        raise _unreached(f"{subject}: OSS", error, "OSS_ENDPOINT") from error
    except (ET.ParseError, RuntimeError) as error:
        raise _unread(f"{subject}: OSS", error, "OSS_ENDPOINT") from error
    except oss2.exceptions.OssError as error:
        answer = " ".join(filter(None, (str(error.status), error.code)))  # HEAD has no body, and no code
        text = ": ".join(filter(None, (f"{subject}: OSS answered {answer}", error.message.rstrip("."))))
        grant = f"it takes {action}: {_grant(policy)}" if error.status == 403 else ""
        advice = _next(error.code, error.message, grant)
        text = f"{text} (request id {error.request_id}){advice}"
        raise ServiceRefused(text, cause(error.code, error.status)) from error


@contextmanager
def asking_fc(subject: str) -> Iterator[None]:
    """Translate errors of FC, which name the right that is lacking themselves."""
    try:
        yield
    except ResponseException as error:
        status = cause(error.code, error.status_code)
        advice = _next(error.code, "")
        raise ServiceRefused(f"{subject}: {error.code}: {error.message}{advice}", status) from error
    except (TeaException, _Unreadable) as error:
        raise _no_answer(f"{subject}: FC", error, "FC_CLIENT_CUSTOM_ENDPOINT") from error


@contextmanager
def asking_ram() -> Iterator[None]:
    """Translate errors of RAM, which name the right that is lacking themselves."""
    try:
        yield
    except ResponseException as error:
        advice = _next(error.code, "", _grant(SETUP) if error.status_code == 403 else "")
        text = f"RAM answered {error.status_code} {error.code}: {error.message.rstrip('.')}"
        raise ServiceRefused(f"{text}{advice}", cause(error.code, error.status_code)) from error
    except (TeaException, _Unreadable) as error:
        raise _no_answer("RAM", error, "--ram-endpoint") from error


def body_of(ask: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - the SDK's answers carry no common type
    """Return the body of the answer of FC or RAM; call it within `asking_fc` or `asking_ram`.

    The SDK raises nothing if it cannot read an answer with status 200: then there is no body.
    """
    body = ask(*arguments).body
    if body is None:
        raise _Unreadable("it is not of the form that the SDK expects")
    return body


def found_in_fc(ask: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - as above
    """Return the body of the answer; None for a 404."""
    try:
        return body_of(ask, *arguments)
    except ResponseException as error:
        if error.status_code != 404:
            raise
        return None


def found_in_ram(ask: Callable[..., Any], request: object) -> Any:  # noqa: ANN401 - as above
    """Return the body of the answer; None for an entity that does not exist."""
    with asking_ram():
        try:
            return body_of(ask, request)
        except ResponseException as error:
            if str(error.code).startswith("EntityNotExist."):
                return None
            raise


def _no_answer(service: str, error: Exception, endpoint: str) -> NoAnswer:
    """Return the error for a request that FC or RAM has not answered, or with something unreadable.

    The SDK wraps both in the same error. Its RetryError stands for everything that goes wrong on the way: a
    closed port, an unknown host, TLS, a time-out, a connection that breaks.
    """
    cause = error.inner_exception if isinstance(error, UnretryableException) else error
    if isinstance(cause, RetryError):
        return _unreached(service, cause.message, endpoint)
    return _unread(service, cause, endpoint)


def _unreached(service: str, reason: object, endpoint: str) -> NoAnswer:
    return NoAnswer(f"{service} cannot be reached: {reason}; {_try_again(endpoint)}")


def _unread(service: str, reason: object, endpoint: str) -> NoAnswer:
    return NoAnswer(f"{service} has sent an answer that cannot be read: {reason}; {_try_again(endpoint)}")


def _try_again(endpoint: str) -> str:
    return f"check the network, and {endpoint} if you have set it; then run the command again"


def _next(code: str | None, message: str, otherwise: str = "") -> str:
    """Return what to do about an error, behind a semicolon; nothing if nobody knows."""
    if "Signature" in (code or "") or code in {"InvalidAccessKeyId", "InvalidAccessKeyID"}:
        return "; check ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"
    if "signing region" in message or "specified endpoint" in message:
        return "; name the bucket's region: --region, OSS_COPY_REGION, or `region` in s.yaml"
    return f"; {otherwise}" if otherwise else ""


def _grant(policy: str) -> str:
    return f"grant yourself what `oss-copy policy {policy}` prints"
