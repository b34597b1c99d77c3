"""What the fc3 component makes of props, and how what is deployed is compared with them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tests.cloud.client import ROOT
from tests.cloud.fc import component
from tests.cloud.fc.component import Deploy, Told, differences, requests
from tests.tours.rehearsal import read

ACCOUNT = "1234567890123456"
PROPS: dict[str, Any] = {
    "region": "cn-hangzhou",
    "functionName": "Fn",
    "runtime": "python3.12",
    "handler": "index.handler",
    "code": "code",
    "timeout": 60,
    "layers": ["acs:fc:cn-hangzhou:1:layers/l/versions/1"],
    "environmentVariables": {"A": "1"},
    "logConfig": "auto",
    "asyncInvokeConfig": {
        "asyncTask": True,
        "qualifier": "LATEST",
        "destinationConfig": {"onFailure": {"destination": "acs:fc:cn-hangzhou:1:functions/dropped"}},
    },
    "concurrencyConfig": {"reservedConcurrency": 5},
    "triggers": [
        {"triggerName": "t", "triggerType": "timer", "triggerConfig": {"cronExpression": "@every 1h"}}
    ],
}


def told(wanted: Deploy) -> Told:
    """As a faithful API would tell it."""
    layers = [{"arn": arn, "size": 1} for arn in wanted.function.get("layers", ())]
    system = dict.fromkeys(component.SYSTEM, "x")
    function = {**wanted.function, **component.DEFAULTS, **system, "layers": layers}
    for name in ("vpcConfig", "nasConfig", "ossMountConfig", "tracingConfig"):
        del function[name]
    triggers = tuple({**each, "triggerId": "1", "status": "OK"} for each in wanted.triggers)
    asynchronous = wanted.asynchronous and {**wanted.asynchronous, "functionArn": "a", "createdTime": "c"}
    return Told(function, triggers, asynchronous, wanted.concurrency)


def test_every_request_has_its_share_of_the_props() -> None:
    made = requests(PROPS, ACCOUNT)
    assert (made.name, made.code) == ("Fn", "code")
    apart = {"region", "code", "asyncInvokeConfig", "concurrencyConfig", "triggers", "logConfig"}
    given = {name: value for name, value in PROPS.items() if name not in apart}
    assert {name: made.function[name] for name in given} == given
    assert made.function.keys() == given.keys() | component.EMPTY.keys()
    assert json.loads(made.triggers[0]["triggerConfig"]) == {"cronExpression": "@every 1h"}
    assert made.asynchronous == {
        name: value for name, value in PROPS["asyncInvokeConfig"].items() if name != "qualifier"
    }
    assert made.concurrency == {"reservedConcurrency": 5}


def test_log_config_auto_names_a_project_of_the_account_and_region() -> None:
    log = requests(PROPS, ACCOUNT).function["logConfig"]
    assert log["project"] == "serverless-cn-hangzhou-deed2a88-e73d-5caa-b0a9-e6e296f62be2"
    assert (log["logstore"], log["enableRequestMetrics"]) == ("default-logs", True)


def test_what_a_template_leaves_out_is_sent_empty_or_not_at_all() -> None:
    little = {name: PROPS[name] for name in ("region", "functionName", "runtime", "handler", "code")}
    made = requests(little, ACCOUNT)
    assert made.function["environmentVariables"] == {}
    assert made.function["logConfig"]["project"] == ""
    assert (made.triggers, made.asynchronous, made.concurrency) == ((), None, None)


def test_every_resource_of_s_yaml_makes_requests() -> None:
    deployment = read(ROOT / "s.yaml")
    made = [requests(props, ACCOUNT) for props in deployment.props.values()]
    assert [each.name for each in made] == [each.function_name for each in deployment.functions]
    assert [each.name for each in made] == ["oss-copy-dropped", "oss-copy", "oss-copy-http"], (
        "what a destination names comes first"
    )
    assert [trigger["triggerName"] for trigger in made[1].triggers] == [
        "oss", "sweep", "timer", "reconcile",
    ]  # fmt: skip
    assert [trigger["triggerName"] for trigger in made[2].triggers] == ["http"]
    assert all((deployment.root / each.code).is_dir() for each in made)


def test_what_is_told_as_it_was_asked_differs_in_nothing() -> None:
    wanted = requests(PROPS, ACCOUNT)
    assert differences(wanted, told(wanted)) == []


@pytest.mark.parametrize(
    ("part", "change", "named"),
    [
        ("function", {"timeout": 61}, "timeout"),
        ("function", {"environmentVariables": {"A": "1", "B": ""}}, "environmentVariables.B"),
        ("function", {"environmentVariables": {}}, "environmentVariables.A"),
        ("function", {"layers": []}, "layers"),
        ("function", {"internetAccess": False}, "internetAccess"),
        ("function", {"vpcConfig": {"vpcId": "v"}}, "vpcConfig.vpcId"),
        ("function", {"diskSize": 10240}, "diskSize"),
        ("function", {"gpuConfig": {"gpuType": "x"}}, "gpuConfig"),
        ("triggers", (), "triggers.t"),
        ("asynchronous", None, "asyncInvokeConfig.asyncTask"),
        ("concurrency", {"reservedConcurrency": 6}, "concurrencyConfig.reservedConcurrency"),
    ],
)
def test_whatever_differs_is_named(part: str, change: Any, named: str) -> None:
    wanted = requests(PROPS, ACCOUNT)
    right = told(wanted)
    if part == "function":
        change = {**right.function, **change}
    found = differences(wanted, msgspec.structs.replace(right, **{part: change}))
    if part in {"function", "concurrency"}:
        assert len(found) == 1
    assert any(one.startswith(named) for one in found)


def test_triggers_are_compared_as_values_and_none_may_be_too_many() -> None:
    wanted = requests(PROPS, ACCOUNT)
    right = told(wanted)
    other = {**right.triggers[0], "triggerConfig": '{"cronExpression": "@every 2h"}'}
    spaced = {**right.triggers[0], "triggerConfig": '{ "cronExpression": "@every 1h" }'}
    more = {**right.triggers[0], "triggerName": "more"}
    for triggers, named in (((spaced,), []), ((other,), ["triggers.t"]), ((spaced, more), ["triggers.more"])):
        found = differences(wanted, msgspec.structs.replace(right, triggers=triggers))
        assert [one.startswith(name) for one, name in zip(found, named, strict=True)] == [True] * len(named)
