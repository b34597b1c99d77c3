"""What FC has against what the template says, as values."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from functions.cli.account import differences
from functions.cli.account.differences import Differs, FunctionInFc, NeedsRecreation, OnlyInFc
from functions.cli.template import Deployment

Json = dict[str, Any]
ROLE = "acs:ram::1234567890123456:role/"


def told(said: Json) -> Json:
    """As FC would tell what a deploy has sent: one value, so that a test changes it at one place."""
    apart = {"asyncInvokeConfig", "code", "concurrencyConfig", "region", "triggers"}
    function = copy.deepcopy({name: value for name, value in said.items() if name not in apart})
    function |= {
        "functionArn": "acs:fc:x",
        "state": "Active",
        "disableOndemand": False,
        "sessionAffinity": "NONE",
        "layers": [{"arn": arn, "size": 1} for arn in said["layers"]],
        "logConfig": {"project": "serverless-x", "logstore": "default-logs"},
        "role": said["role"].lower(),
        "vpcConfig": {"vpcId": "", "vSwitchIds": []},
    }
    triggers = [{**each, "triggerConfig": json.dumps(each["triggerConfig"])} for each in said["triggers"]]
    for each in triggers:
        each["triggerId"] = "1"
        if "invocationRole" in each:
            each["invocationRole"] = f"{ROLE}AliyunOSSEventNotificationRole"
    asynchronous = {name: value for name, value in said["asyncInvokeConfig"].items() if name != "qualifier"}
    asynchronous = {"destinationConfig": {}, **copy.deepcopy(asynchronous), "functionArn": "acs:fc:x"}
    concurrency = {**said["concurrencyConfig"], "functionArn": "acs:fc:x"}
    return {
        "function": function,
        "triggers": triggers,
        "asynchronous": asynchronous,
        "concurrency": concurrency,
    }


def compared(
    deployment: Deployment, change: Callable[[Json], object] = bool, name: str = "oss_copy"
) -> list[Any]:
    said = dict(deployment.props[name])
    given = told(said)
    change(given)
    value = FunctionInFc(
        given["function"], tuple(given["triggers"]), given["asynchronous"], given["concurrency"]
    )
    return differences.find_differences(deployment.resources[name], said, value)


@pytest.mark.parametrize("name", ["oss_copy", "oss_copy_dropped", "oss_copy_http"])
def test_what_is_told_as_it_was_said_differs_in_nothing(deployment: Deployment, name: str) -> None:
    assert compared(deployment, name=name) == []


def _config(given: Json, number: int, **changes: object) -> None:
    trigger = given["triggers"][number]
    trigger["triggerConfig"] = json.dumps({**json.loads(trigger["triggerConfig"]), **changes})


CHANGES: dict[str, Callable[[Json], object]] = {
    "timeout": lambda given: given["function"].update(timeout=3),
    "memorySize": lambda given: given["function"].pop("memorySize"),
    "cpu": lambda given: given["function"].update(cpu=1),
    "internetAccess": lambda given: given["function"].update(internetAccess=False),
    "role": lambda given: given["function"].update(role=f"{ROLE}other"),
    "layers": lambda given: given["function"].update(layers=[]),
    "logConfig": lambda given: given["function"].update(logConfig={"project": "", "logBeginRule": "None"}),
    "vpcConfig": lambda given: given["function"].update(vpcConfig={"vpcId": "v"}),
    "customDNS": lambda given: given["function"].update(customDNS={"nameServers": ["1.2.3.4"]}),
    "environmentVariables.STATE_BUCKET": lambda given: given["function"]["environmentVariables"].update(
        STATE_BUCKET="other"
    ),
    "environmentVariables.LOG_LEVEL": lambda given: given["function"]["environmentVariables"].pop(
        "LOG_LEVEL"
    ),
    "environmentVariables.API_TOKEN": lambda given: given["function"]["environmentVariables"].update(
        API_TOKEN="a-secret"
    ),
    "instanceLifecycleConfig.initializer.handler": lambda given: given["function"][
        "instanceLifecycleConfig"
    ].update(initializer={"handler": "other.initialize", "timeout": 30}),
    "triggers.http": lambda given: given["triggers"].pop(0),
    "triggers.oss.description": lambda given: given["triggers"][0].update(description="other"),
    "triggers.oss.invocationRole": lambda given: given["triggers"][0].update(invocationRole=f"{ROLE}x"),
    "triggers.oss.triggerConfig.events": lambda given: _config(given, 0, events=["oss:ObjectCreated:*"]),
    "triggers.http.triggerConfig.authType": lambda given: _config(given, 0, authType="anonymous"),
    "triggers.http.triggerConfig.disableURLInternet": lambda given: _config(
        given, 0, disableURLInternet=True
    ),
    "asyncInvokeConfig.maxAsyncRetryAttempts": lambda given: given["asynchronous"].update(
        maxAsyncRetryAttempts=1
    ),
    "asyncInvokeConfig.destinationConfig.onFailure.destination": lambda given: given["asynchronous"].update(
        destinationConfig={"onFailure": {"destination": "acs:fc:x:y:functions/z"}}
    ),
    "asyncInvokeConfig.destinationConfig.onSuccess": lambda given: given["asynchronous"][
        "destinationConfig"
    ].update(onSuccess={"destination": "acs:fc:x:y:functions/z"}),
    "concurrencyConfig.reservedConcurrency": lambda given: given["concurrency"].update(reservedConcurrency=1),
}


@pytest.mark.parametrize("place", CHANGES)
def test_whatever_differs_is_named_and_no_value_of_a_variable_shown(
    deployment: Deployment, place: str
) -> None:
    name = "oss_copy_http" if place.startswith("triggers.http") else "oss_copy"
    (found,) = compared(deployment, CHANGES[place], name)
    assert isinstance(found, Differs)
    assert (found.function, found.place) == (name.replace("_", "-"), place)
    assert "a-secret" not in str(found)


@pytest.mark.parametrize(
    "change",
    [
        {"sourceArn": "acs:oss:cn-hangzhou:1234567890123456:other"},
        {"triggerType": "timer"},
    ],
)
def test_what_no_update_of_a_trigger_changes_is_told_apart(deployment: Deployment, change: Json) -> None:
    (found,) = compared(deployment, lambda given: given["triggers"][0].update(change))
    (field,) = change
    assert isinstance(found, NeedsRecreation)
    assert str(found).startswith(f"oss-copy: triggers.oss.{field}: FC has ")


def test_what_fc_fills_in_by_itself_is_no_difference(deployment: Deployment) -> None:
    def fill(given: Json) -> None:
        given["triggers"][0].update(
            sourceArn="acs:fc:x", invocationRole=f"{ROLE}x", description="POST /copies"
        )
        _config(given, 0, methods=["DELETE", "POST", "GET", "HEAD"], authConfig=None)

    assert compared(deployment, fill, "oss_copy_http") == []


def test_what_the_template_no_longer_says_stays(deployment: Deployment) -> None:
    (said,) = (dict(deployment.props["oss_copy"]),)
    given = told(said)
    more = ({**given["triggers"][2], "triggerName": "old"}, *given["triggers"])
    value = FunctionInFc(given["function"], more, given["asynchronous"], given["concurrency"])
    for name in ("asyncInvokeConfig", "concurrencyConfig"):
        del said[name]
    found = differences.find_differences(deployment.resources["oss_copy"], said, value)
    assert found == [
        OnlyInFc("oss-copy", "triggers.old"),
        OnlyInFc("oss-copy", "asyncInvokeConfig"),
        OnlyInFc("oss-copy", "concurrencyConfig"),
    ]


def test_a_function_that_is_not_there_is_one_difference(deployment: Deployment) -> None:
    found = differences.find_differences(
        deployment.resources["oss_copy"], deployment.props["oss_copy"], FunctionInFc(None)
    )
    assert [each.place for each in found if isinstance(each, Differs)] == ["function"]
