"""The roles and policies of an account as setup sees and creates them. Must not know what a policy says."""

from __future__ import annotations

import json
from typing import Any, Literal

from alibabacloud_ram20150501 import models

from functions.cli.account.credentials import Account
from functions.cli.account.sdk_errors import asking_ram, found_in_ram

Document = dict[str, Any]
Kind = Literal["System", "Custom"]


class Roles:
    """Roles and policies, as RAM has them."""

    def __init__(self, account: Account, region: str) -> None:
        self._client = account.ram(region)

    def trust_of(self, role: str) -> Document | None:
        """Return the trust policy of a role; None if there is no such role."""
        found = found_in_ram(self._client.get_role, models.GetRoleRequest(role_name=role))
        return json.loads(found.role.assume_role_policy_document) if found else None

    def make_role(self, role: str, trust: Document, description: str) -> None:
        """Create a role with this trust policy."""
        with asking_ram():
            self._client.create_role(
                models.CreateRoleRequest(
                    role_name=role,
                    assume_role_policy_document=json.dumps(trust),
                    description=description,
                )
            )

    def change_trust(self, role: str, trust: Document) -> None:
        """Replace the trust policy of a role."""
        with asking_ram():
            self._client.update_role(
                models.UpdateRoleRequest(role_name=role, new_assume_role_policy_document=json.dumps(trust))
            )

    def policy(self, name: str) -> Document | None:
        """Return the document of a custom policy; None if there is no such policy."""
        asked = models.GetPolicyRequest(policy_name=name, policy_type="Custom")
        found = found_in_ram(self._client.get_policy, asked)
        return json.loads(found.default_policy_version.policy_document) if found else None

    def make_policy(self, name: str, document: Document, description: str) -> None:
        """Create a custom policy."""
        with asking_ram():
            self._client.create_policy(
                models.CreatePolicyRequest(
                    policy_name=name,
                    policy_document=json.dumps(document),
                    description=description,
                )
            )

    def change_policy(self, name: str, document: Document) -> None:
        """Add a version, in force at once; RAM deletes the oldest one if there are too many."""
        with asking_ram():
            self._client.create_policy_version(
                models.CreatePolicyVersionRequest(
                    policy_name=name,
                    policy_document=json.dumps(document),
                    set_as_default=True,
                    rotate_strategy="DeleteOldestNonDefaultVersionWhenLimitExceeded",
                )
            )

    def attached(self, role: str) -> set[tuple[Kind, str]]:
        """Return kind and name of the policies of a role; none if there is no such role."""
        asked = models.ListPoliciesForRoleRequest(role_name=role)
        found = found_in_ram(self._client.list_policies_for_role, asked)
        return {
            (each.policy_type, each.policy_name) for each in (found.policies.policy or [] if found else [])
        }

    def attach(self, role: str, kind: Kind, policy: str) -> None:
        """Give a role a policy."""
        with asking_ram():
            self._client.attach_policy_to_role(
                models.AttachPolicyToRoleRequest(role_name=role, policy_type=kind, policy_name=policy)
            )
