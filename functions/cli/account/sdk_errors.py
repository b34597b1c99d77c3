"""Translates the errors of OSS, FC and RAM into those of the tools. Knows no request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import oss2.exceptions
from darabonba.exceptions import DaraException
from Tea.exceptions import TeaException

from functions.cli.errors import Refused, Unanswered

SETUP, DEPLOYER = "--setup", "--deployer"  # of `make policy`: who lacks a right


@contextmanager
def asking_oss(subject: str, action: str, policy: str) -> Iterator[None]:
    """Translate errors of OSS. `action` is the right it takes: OSS does not name it when it refuses."""
    try:
        yield
    except oss2.exceptions.RequestError as error:
        raise Unanswered(f"{subject}: OSS cannot be reached: {error.exception}") from error
    except oss2.exceptions.OssError as error:
        answer = " ".join(filter(None, (str(error.status), error.code)))  # HEAD has no body, and no code
        text = ": ".join(filter(None, (f"{subject}: OSS answered {answer}", error.message.rstrip("."))))
        advice = f"; it takes {action}: {_grant(policy)}" if error.status == 403 else ""
        raise Refused(f"{text} (request id {error.request_id}){advice}") from error


@contextmanager
def asking_fc(subject: str) -> Iterator[None]:
    """Translate errors of FC, which name the right that is lacking themselves."""
    try:
        yield
    except DaraException as error:
        raise Refused(f"{subject}: {error.code}: {error.message}") from error


@contextmanager
def asking_ram() -> Iterator[None]:
    """Translate errors of RAM, which name the right that is lacking themselves."""
    try:
        yield
    except TeaException as error:
        status = getattr(error, "status_code", None) or getattr(error, "statusCode", None)
        if not status:
            raise Unanswered(f"RAM cannot be reached: {error.message}") from error
        advice = f"; {_grant(SETUP)}" if status == 403 else ""
        raise Refused(f"RAM answered {status} {error.code}: {error.message.rstrip('.')}{advice}") from error


def found_in_fc(ask: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - the SDK's answers carry no common type
    """Return the body of the answer; None for a 404."""
    try:
        return ask(*arguments).body
    except DaraException as error:
        if getattr(error, "status_code", None) != 404:
            raise
        return None


def found_in_ram(ask: Callable[..., Any], request: object) -> Any:  # noqa: ANN401 - as above
    """Return the body of the answer; None for an entity that does not exist."""
    with asking_ram():
        try:
            return ask(request).body
        except TeaException as error:
            if str(getattr(error, "code", "")).startswith("EntityNotExist."):
                return None
            raise


def _grant(policy: str) -> str:
    return f"grant yourself what `make policy ARGS={policy}` prints"
