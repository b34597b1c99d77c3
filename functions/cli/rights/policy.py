"""The documents of RAM: policies of grants, trust policies of roles, and the content of `ram-policy.json`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from functions.cli.rights.grants import Grant, function_grants
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
    """Return the content of `ram-policy.json`: both documents, and the purpose of each statement."""
    grants = function_grants(to, parts)
    content = {
        "about": "Made by `oss-copy policy`; statement n of `policy` does what `purposes` says at n.",
        "role": to.role,
        "purposes": [each.why for each in grants],
        "trustPolicy": trust("fc.aliyuncs.com"),
        "policy": document(grants),
    }
    return json.dumps(content, indent=2) + "\n"
