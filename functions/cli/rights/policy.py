"""The documents of RAM: policies of grants, trust policies of roles, and the content of `ram-policy.json`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from functions.cli.rights.grants import Grant, role_grants
from functions.cli.rights.reach import Reach


def document(grants: Iterable[Grant]) -> dict[str, Any]:
    """Return the policy of these grants, with a statement for each."""
    return {
        "Version": "1",
        "Statement": [
            {"Effect": "Allow", "Action": list(each.actions), "Resource": list(each.resources)}
            for each in grants
        ],
    }


def trust(service: str) -> dict[str, Any]:
    """Return the trust policy by which this service may assume a role."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": [service]}}
    return {"Version": "1", "Statement": [statement]}


def rendered(to: Reach, parts: Collection[str] = ()) -> str:
    """Return the content of `ram-policy.json`: the documents of each role, and each statement's purpose.

    That of the function that copies comes first; those of the others are in `others`.
    """
    roles = role_grants(to, parts)
    mine = roles.pop(to.role)
    content = {
        "about": "Made by `oss-copy policy`; statement n of `policy` does what `purposes` says at n.",
        "role": to.role,
        "purposes": [each.why for each in mine],
        "trustPolicy": trust("fc.aliyuncs.com"),
        "policy": document(mine),
        "others": [
            {"role": role, "purposes": [each.why for each in grants], "policy": document(grants)}
            for role, grants in roles.items()
        ],
    }
    return json.dumps(content, indent=2) + "\n"
