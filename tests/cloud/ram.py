"""RAM policies: documents read strictly, and the question whether they let an action pass on a resource.

Pure: it knows neither OSS nor FC nor who asks; `Policies` keeps what each role may do. Rules as RAM documents
them: what no statement allows is denied, a Deny goes before any Allow, `*` stands for any characters and `?`
for one, in actions (their case does not count) and in resources (theirs does). What the evaluation does not
do, such as conditions, is refused when a document is read, never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

import msgspec

Effect = Literal["Allow", "Deny"]
_DONE = "Effect, Action and Resource"
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_RESOURCE = re.compile(r"\*|acs:[^:]*:[^:]*:[^:]*:.+", re.DOTALL)


class PolicyError(ValueError):
    """No policy document, or one that asks for what is not done here."""


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    effect: Effect
    action: str | list[str]
    resource: str | list[str]

    def covers(self, action: str, resource: str) -> bool:
        return any(_matches(pattern.lower(), action.lower()) for pattern in _several(self.action)) and any(
            _matches(pattern, resource) for pattern in _several(self.resource)
        )


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """What a role may do; one without statements lets nothing pass."""

    version: Literal["1"] = "1"
    statement: Sequence[Statement] = ()

    def allows(self, action: str, resource: str) -> bool:
        effects = {each.effect for each in self.statement if each.covers(action, resource)}
        return effects == {"Allow"}


def read(document: bytes | str) -> Policy:
    """The policy that a JSON document says; PolicyError names what is wrong with it."""
    try:
        policy = msgspec.json.decode(document, type=Policy)
    except msgspec.ValidationError as error:
        raise PolicyError(f"{error}; a statement has {_DONE} here, and no conditions") from error
    except msgspec.DecodeError as error:
        raise PolicyError(str(error)) from error
    if not policy.statement:
        raise PolicyError("the policy has no Statement")
    for statement in policy.statement:
        _check(statement.action, _ACTION, "is no action such as oss:GetObject")
        _check(statement.resource, _RESOURCE, "is no resource such as acs:oss:*:*:bucket/*")
    return policy


def _check(texts: str | list[str], form: re.Pattern[str], wrong: str) -> None:
    for text in _several(texts):
        if not form.fullmatch(text):
            raise PolicyError(f"{text!r} {wrong}")
    if not texts:
        raise PolicyError(f"an empty list {wrong}")


def union(policies: Iterable[Policy]) -> Policy:
    """What several policies of one role allow together."""
    return Policy(statement=tuple(each for policy in policies for each in policy.statement))


class Policies:
    """The policy of each role, by its name. A role of which nothing is said may do everything."""

    def __init__(self) -> None:
        self._by_role: dict[str, Policy] = {}

    def put(self, role: str, policy: Policy | None) -> None:
        """Let the role do what `policy` allows from now on; None: everything again."""
        if policy is None:
            self._by_role.pop(role.lower(), None)
        else:
            self._by_role[role.lower()] = policy

    def of(self, principal: str) -> Policy | None:
        """The policy of an ARN such as `acs:ram::1234567890123456:role/name`; None: it may do everything."""
        role = principal.partition(":role/")[2]
        return self._by_role.get(role.lower()) if role else None

    def allow(self, principal: str, action: str, resource: str) -> bool:
        policy = self.of(principal)
        return policy is None or policy.allows(action, resource)


def _several(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _matches(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    pieces = (".*" if each == "*" else "." if each == "?" else re.escape(each) for each in pattern)
    return re.compile("".join(pieces), re.DOTALL)
