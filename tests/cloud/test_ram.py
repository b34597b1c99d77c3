"""Policies as values: what passes, what does not, and which documents are refused."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.cloud import ram

OBJECT = "acs:oss:oss-cn-hangzhou:1234567890123456:bucket/a/b"


def policy(*statements: tuple[str, Any, Any]) -> ram.Policy:
    said = [
        {"Effect": effect, "Action": action, "Resource": resource} for effect, action, resource in statements
    ]
    return ram.read(json.dumps({"Version": "1", "Statement": said}))


@pytest.mark.parametrize(
    ("action", "resource", "passes"),
    [
        ("oss:GetObject", "acs:oss:*:*:bucket/*", True),
        (["oss:PutObject", "oss:GetObject"], ["acs:oss:*:*:other", "acs:oss:*:*:bucket/a/*"], True),
        ("*", "*", True),
        ("oss:*", "acs:oss:*:1234567890123456:bucket/a/?", True),
        ("oss:Get*", "acs:oss:*:*:*", True),
        ("OSS:getobject", "acs:oss:*:*:bucket/*", True),
        ("oss:GetObject", "acs:oss:*:*:Bucket/*", False),
        ("oss:GetObject", "acs:oss:*:*:bucket", False),
        ("oss:GetObject", "acs:oss:*:*:bucket/a", False),
        ("oss:GetObject", "acs:oss:*:*:bucket/a/b/?", False),
        ("oss:GetObjectTagging", "acs:oss:*:*:bucket/*", False),
        ("oss:Get?bject", "acs:oss:*:*:bucket/*", True),
        ("oss:Get?Object", "acs:oss:*:*:bucket/*", False),
        ("fc:*", "*", False),
    ],
)
def test_an_action_passes_where_a_statement_covers_it(action: Any, resource: Any, passes: bool) -> None:
    assert policy(("Allow", action, resource)).allows("oss:GetObject", OBJECT) is passes


@pytest.mark.parametrize("order", [1, -1])
def test_a_deny_goes_before_any_allow(order: int) -> None:
    statements = [("Allow", "oss:*", "*"), ("Deny", "oss:GetObject", "acs:oss:*:*:bucket/a/*")][::order]
    assert not policy(*statements).allows("oss:GetObject", OBJECT)
    assert policy(*statements).allows("oss:PutObject", OBJECT)


def test_dots_and_brackets_in_keys_stand_for_themselves() -> None:
    allowed = policy(("Allow", "oss:GetObject", "acs:oss:*:*:bucket/a.[b]"))
    assert allowed.allows("oss:GetObject", "acs:oss:oss-x:1:bucket/a.[b]")
    assert not allowed.allows("oss:GetObject", "acs:oss:oss-x:1:bucket/axb")


def test_keys_with_line_breaks_are_matched_too() -> None:
    assert policy(("Allow", "oss:GetObject", "acs:oss:*:*:bucket/*")).allows("oss:GetObject", OBJECT + "\nc")


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"Condition": {"Bool": {"acs:SecureTransport": "true"}}}, "Condition.*no conditions"),
        ({"NotAction": "oss:*"}, "NotAction"),
        ({"Principal": ["*"]}, "Principal"),
        ({"Effect": "allow"}, "allow"),
        ({"Action": "GetObject"}, "no action"),
        ({"Action": []}, "no action"),
        ({"Resource": "bucket/*"}, "no resource"),
        ({"Resource": 7}, "int"),
    ],
)
def test_what_is_not_done_or_wrong_is_refused_by_name(change: dict[str, Any], wrong: str) -> None:
    statement = {"Effect": "Allow", "Action": "oss:GetObject", "Resource": "*"} | change
    with pytest.raises(ram.PolicyError, match=wrong):
        ram.read(json.dumps({"Version": "1", "Statement": [statement]}))


@pytest.mark.parametrize(
    "document", ["", "[]", "{}", '{"Version": "2", "Statement": []}', '{"Version": "1", "Statement": []}']
)
def test_what_is_no_policy_is_refused(document: str) -> None:
    with pytest.raises(ram.PolicyError, match=re.compile(".")):
        ram.read(document)


def test_a_role_without_a_policy_and_the_owner_may_do_everything() -> None:
    policies = ram.Policies()
    role, owner = "acs:ram::1234567890123456:role/oss-copy", "acs:ram::1234567890123456:root"
    assert policies.allow(role, "oss:GetObject", OBJECT)
    policies.put("OSS-Copy", policy(("Deny", "*", "*")))
    assert not policies.allow(role, "oss:GetObject", OBJECT)
    assert policies.allow(owner, "oss:GetObject", OBJECT)
    assert policies.allow(role + "-2", "oss:GetObject", OBJECT)
    policies.put("oss-copy", None)
    assert policies.allow(role, "oss:GetObject", OBJECT)


def test_policies_of_one_role_add_up() -> None:
    both = ram.union([policy(("Allow", "oss:GetObject", "*")), policy(("Deny", "oss:Get*", OBJECT))])
    assert both.allows("oss:GetObject", OBJECT + "c")
    assert not both.allows("oss:GetObject", OBJECT)
