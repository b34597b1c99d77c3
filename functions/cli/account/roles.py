"""The account's roles and policies as setup sees and makes them, through RAM's SDK.

`Roles` is what setup asks for, `RamRoles` how RAM does it. Neither knows what a policy says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol, TypeVar

from alibabacloud_ram20150501 import models
from alibabacloud_ram20150501.client import Client
from alibabacloud_tea_openapi.utils_models import Config
from Tea.exceptions import TeaException

from functions.cli.account.buckets import ADVICE, AccessKey, Obstacle

Document = dict[str, Any]
Kind = Literal["System", "Custom"]
T = TypeVar("T")
_TIMEOUT = 10_000  # milliseconds


class Roles(Protocol):
    def trust_of(self, role: str) -> Document | None:
        """The trust policy of a role; None if there is no such role."""

    def make_role(self, role: str, trust: Document, description: str) -> None: ...

    def change_trust(self, role: str, trust: Document) -> None: ...

    def policy(self, name: str) -> Document | None:
        """The document of a custom policy; None if there is no such policy."""

    def make_policy(self, name: str, document: Document, description: str) -> None: ...

    def change_policy(self, name: str, document: Document) -> None:
        """A new version, in force at once; the oldest goes if there are too many."""

    def attached(self, role: str) -> set[tuple[Kind, str]]:
        """Kind and name of the policies of a role."""

    def attach(self, role: str, kind: Kind, policy: str) -> None: ...


class RamRoles:
    def __init__(self, access_key: AccessKey, endpoint: str, region: str) -> None:
        identity, secret, token = access_key
        scheme, _, host = endpoint.partition("://")
        self._client = Client(
            Config(
                access_key_id=identity,
                access_key_secret=secret,
                security_token=token,
                region_id=region,
                endpoint=host,
                protocol=scheme,
                connect_timeout=_TIMEOUT,
                read_timeout=_TIMEOUT,
            )
        )

    def trust_of(self, role: str) -> Document | None:
        answer = _found(lambda: self._client.get_role(models.GetRoleRequest(role_name=role)))
        return json.loads(answer.body.role.assume_role_policy_document) if answer else None

    def make_role(self, role: str, trust: Document, description: str) -> None:
        with _told():
            self._client.create_role(
                models.CreateRoleRequest(
                    role_name=role,
                    assume_role_policy_document=json.dumps(trust),
                    description=description,
                )
            )

    def change_trust(self, role: str, trust: Document) -> None:
        with _told():
            self._client.update_role(
                models.UpdateRoleRequest(role_name=role, new_assume_role_policy_document=json.dumps(trust))
            )

    def policy(self, name: str) -> Document | None:
        asked = models.GetPolicyRequest(policy_name=name, policy_type="Custom")
        answer = _found(lambda: self._client.get_policy(asked))
        return json.loads(answer.body.default_policy_version.policy_document) if answer else None

    def make_policy(self, name: str, document: Document, description: str) -> None:
        with _told():
            self._client.create_policy(
                models.CreatePolicyRequest(
                    policy_name=name,
                    policy_document=json.dumps(document),
                    description=description,
                )
            )

    def change_policy(self, name: str, document: Document) -> None:
        with _told():
            self._client.create_policy_version(
                models.CreatePolicyVersionRequest(
                    policy_name=name,
                    policy_document=json.dumps(document),
                    set_as_default=True,
                    rotate_strategy="DeleteOldestNonDefaultVersionWhenLimitExceeded",
                )
            )

    def attached(self, role: str) -> set[tuple[Kind, str]]:
        asked = models.ListPoliciesForRoleRequest(role_name=role)
        answer = _found(lambda: self._client.list_policies_for_role(asked))
        found = answer.body.policies.policy if answer else []
        return {(each.policy_type, each.policy_name) for each in found or []}

    def attach(self, role: str, kind: Kind, policy: str) -> None:
        with _told():
            self._client.attach_policy_to_role(
                models.AttachPolicyToRoleRequest(role_name=role, policy_type=kind, policy_name=policy)
            )


def _found(ask: Callable[[], T]) -> T | None:
    """The answer; None for what does not exist."""
    with _told():
        try:
            return ask()
        except TeaException as error:
            if str(getattr(error, "code", "")).startswith("EntityNotExist."):
                return None
            raise


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except TeaException as error:
        status = getattr(error, "status_code", None) or getattr(error, "statusCode", None)
        if not status:
            raise Obstacle(f"RAM cannot be reached: {error.message}") from error
        advice = f"; {ADVICE}" if status == 403 else ""
        raise Obstacle(f"RAM answered {status} {error.code}: {error.message.rstrip('.')}{advice}") from error
