"""FC's context object as a value.

Knows both shapes of the context and the forms of its numbers; not what they are used for.
"""

from __future__ import annotations

import math
from typing import Any, Protocol, TypeAlias

import msgspec

from osscopy.model import Misconfigured

AccessKey: TypeAlias = tuple[str, str, str | None]  # id, secret, security token


class Invocation(msgspec.Struct, frozen=True):
    """One invocation of the function, as FC describes it."""

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
    """Return the invocation, whichever shape of context the runtime gives; numbers may be text."""
    return Invocation(
        request_id=context.request_id,
        function=context.function.name,
        service=getattr(getattr(context, "service", None), "name", None) or "",
        region=context.region,
        account=context.account_id,
        timeout=_seconds(context.function.timeout),
        access_key=_access_key(getattr(context, "credentials", None), environment_key),
        memory=count(getattr(context.function, "memory", 0)),
        retries=count(getattr(context, "retry_count", 0)),
    )


def _access_key(given: object, environment_key: AccessKey | None) -> AccessKey:
    identity = getattr(given, "access_key_id", None)
    secret = getattr(given, "access_key_secret", None)
    if identity and secret:
        return identity, secret, getattr(given, "security_token", None) or None
    if environment_key is not None:
        return environment_key
    raise Misconfigured(
        "NoCredentials", "the function has no role: set `role` in s.yaml so that FC gives it credentials"
    )


def _seconds(given: object) -> float:
    """Return the function's timeout; Misconfigured if FC gives none, without which nothing can be planned."""
    try:
        seconds = float(str(given))
    except ValueError:
        seconds = 0.0
    if 0 < seconds < math.inf:
        return seconds
    raise Misconfigured("NoTimeout", f"FC tells the timeout {str(given)[:40]!r}: look at `timeout` in s.yaml")


def count(given: object) -> int:
    """Return a number that FC gives, perhaps as text; 0 if it gives none."""
    text = str(given)
    return int(text) if text.isascii() and text.isdecimal() else 0
