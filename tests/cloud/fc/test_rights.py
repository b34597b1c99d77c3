"""The control API asks RAM for every action, on the resource that FC documents, before it does anything."""

from __future__ import annotations

import json
from collections.abc import Mapping

import httpx
import pytest

from tests.cloud import ram
from tests.cloud.client import sign_acs3
from tests.cloud.fc import rights
from tests.cloud.fc.lab import Lab
from tests.cloud.fc.rights import Need

ARN = "acs:fc:cn-hangzhou:1234567890123456:"
ROLE = "acs:ram::1234567890123456:role/r"
CREATE = {"functionName": "fn", "role": ROLE, "code": {"zipFile": "no base64"}}


def needs(operation: str, body: object = None, query: Mapping[str, str] = {}, **path: str) -> list[Need]:
    content = b"" if body is None else json.dumps(body).encode()
    return list(rights.needs(operation, path, query, content, ARN))


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (needs("GetFunction", function="fn"), [("fc:GetFunction", "functions/fn")]),
        (needs("ListFunctions"), [("fc:ListFunctions", "functions/*")]),
        (needs("ListTriggers", function="fn"), [("fc:ListTriggers", "functions/fn/triggers/*")]),
        (
            needs("DeleteTrigger", function="fn", trigger="t"),
            [("fc:DeleteTrigger", "functions/fn/triggers/t")],
        ),
        (
            needs("CreateTrigger", {"triggerName": "t", "triggerType": "timer"}, function="fn"),
            [("fc:CreateTrigger", "functions/fn/triggers/t")],
        ),
        (needs("CreateLayerVersion", {}, layer="l"), [("fc:CreateLayerVersion", "layers/l/versions/*")]),
        (
            needs("GetLayerVersion", layer="l", version="3"),
            [("fc:GetLayerVersion", "layers/l/versions/3")],
        ),
        (
            needs("PutAsyncInvokeConfig", {"asyncTask": True}, function="fn"),
            [
                ("fc:PutAsyncInvokeConfig", "functions/fn"),
                ("fc:PutFunctionAsyncInvokeConfig", "functions/fn"),
            ],
        ),
        (
            needs("ListAsyncInvokeConfigs", query={"functionName": "fn"}),
            [
                ("fc:ListAsyncInvokeConfigs", "functions/fn"),
                ("fc:ListFunctionAsyncInvokeConfigs", "functions/fn"),
            ],
        ),
        (
            needs("ListAsyncInvokeConfigs"),
            [
                ("fc:ListAsyncInvokeConfigs", "async-invoke-configs/*"),
                ("fc:ListFunctionAsyncInvokeConfigs", "async-invoke-configs/*"),
            ],
        ),
    ],
)
def test_an_operation_needs_its_action_on_what_it_is_about(
    found: list[Need], wanted: list[tuple[str, str]]
) -> None:
    assert found == [Need(action, ARN + resource) for action, resource in wanted]


@pytest.mark.parametrize(
    ("found", "passed"),
    [
        (needs("CreateFunction", CREATE), True),
        (needs("UpdateFunction", {"role": ROLE}, function="fn"), True),
        (needs("UpdateFunction", {"timeout": 5}, function="fn"), False),
        (needs("CreateTrigger", {"triggerName": "t", "invocationRole": ROLE}, function="fn"), True),
        (needs("UpdateTrigger", {"invocationRole": ROLE}, function="fn", trigger="t"), True),
        (needs("UpdateTrigger", {"invocationRole": ""}, function="fn", trigger="t"), False),
    ],
)
def test_a_role_is_handed_over_only_by_who_may_pass_it(found: list[Need], passed: bool) -> None:
    assert found[1:] == ([Need("ram:PassRole", ROLE)] if passed else [])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"functionName": 7}'])
def test_a_body_that_is_none_is_left_to_the_operation(body: bytes) -> None:
    assert list(rights.needs("CreateFunction", {}, {}, body, ARN)) == [
        Need("fc:CreateFunction", ARN + "functions/")
    ]


def test_no_operation_is_carried_out_for_who_may_do_nothing(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return 1")
    before = lab.host.runner.functions
    lab.accounts.policies.put("visitor", ram.Policy())
    visitor = lab.accounts.issue("acs:ram::1234567890123456:role/visitor")
    operations = lab.host.control.operations
    assert {operation.name for operation in operations} == set(rights.RESOURCES)
    for operation in operations:
        path = operation.path.format(function="fn", trigger="t", layer="l", version="1")
        headers = sign_acs3(operation.method, lab.url + path, {}, b"{}", visitor)
        answer = httpx.request(operation.method, lab.url + path, headers=headers, content=b"{}")
        assert (answer.status_code, f"'fc:{operation.name}'" in answer.text) == (403, True), answer.text
        assert "AccessDenied" in answer.text
    assert lab.host.runner.functions == before


def test_the_right_to_create_a_function_is_not_the_right_to_pass_its_role(lab: Lab) -> None:
    statement = ram.Statement("Allow", "fc:*", "*")
    lab.accounts.policies.put("visitor", ram.Policy(statement=[statement]))
    visitor = lab.accounts.issue("acs:ram::1234567890123456:role/visitor")
    url, body = lab.url + "/2023-03-30/functions", json.dumps(CREATE).encode()
    for passing, status in ((False, 403), (True, 400)):  # 400: its code is none
        if passing:
            both = [statement, ram.Statement("Allow", "ram:PassRole", ROLE)]
            lab.accounts.policies.put("visitor", ram.Policy(statement=both))
        answer = httpx.post(url, headers=sign_acs3("POST", url, {}, body, visitor), content=body)
        assert (answer.status_code, "ram:PassRole" in answer.text) == (status, not passing), answer.text
