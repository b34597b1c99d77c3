"""Deploying through the control API, by the FC 3.0 SDK as it is."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from alibabacloud_fc20230330 import client as sdk, models as fc
from darabonba.exceptions import DaraException

from tests.cloud.accounts import Accounts
from tests.cloud.client import sign_acs3
from tests.cloud.conditions import Weather
from tests.cloud.fc import home
from tests.cloud.fc.errors import FcError
from tests.cloud.fc.host import FcHost
from tests.cloud.fc.lab import ROLE, Lab
from tests.cloud.fc.packages import Location, Packages

ACCOUNT = "1234567890123456"
TELL = """
    import os, sys
    def handler(event, context):
        return {"version": VERSION, "A": os.environ.get("A"), "memory": int(context.function.memory),
                "timeout": int(context.function.timeout), "pid": os.getpid()}
"""
LINGER = """
    import pathlib, time
    def handler(event, context):
        gate = pathlib.Path(event.decode())
        (gate / f"{VERSION}").touch()
        while not (gate / "open").exists():
            time.sleep(0.01)
        return VERSION
"""


def zipped(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, textwrap.dedent(text))
    return packed.getvalue()


def inline(source: str, version: int = 1) -> dict[str, str]:
    data = zipped({"index.py": f"VERSION = {version}\n" + textwrap.dedent(source)})
    return {"zipFile": base64.b64encode(data).decode()}


def function(name: str = "fn", source: str = TELL, version: int = 1, **props: Any) -> dict[str, Any]:
    return {
        "functionName": name,
        "runtime": "python3.12",
        "handler": "index.handler",
        "memorySize": 256,
        "cpu": 0.25,
        "role": ROLE,
        "code": inline(source, version),
        **props,
    }


def create(lab: Lab, **props: Any) -> Any:
    body = fc.CreateFunctionInput().from_map(function(**props))
    return lab.native().create_function(fc.CreateFunctionRequest(body=body)).body


def update(lab: Lab, name: str = "fn", **props: Any) -> Any:
    body = fc.UpdateFunctionInput().from_map(props)
    return lab.native().update_function(name, fc.UpdateFunctionRequest(body=body)).body


def create_trigger(lab: Lab, name: str = "fn", **props: Any) -> Any:
    given = {**props, "triggerConfig": json.dumps(props["triggerConfig"])}
    body = fc.CreateTriggerInput().from_map(given)
    return lab.native().create_trigger(name, fc.CreateTriggerRequest(body=body)).body


def publish(lab: Lab, files: dict[str, str], runtimes: list[str], name: str = "tools") -> Any:
    body = fc.CreateLayerVersionInput(
        code=fc.InputCodeLocation(zip_file=base64.b64encode(zipped(files)).decode()),
        compatible_runtime=runtimes,
        description="for a test",
    )
    return lab.native().create_layer_version(name, fc.CreateLayerVersionRequest(body=body)).body


def refused(call: Callable[[], Any]) -> tuple[int, str, str]:
    """Status, code and message of the refusal."""
    with pytest.raises(DaraException) as caught:
        call()
    error: Any = caught.value
    return error.status_code, error.code, error.message


def raw(lab: Lab, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """A request with properties that the SDK's models would drop, signed as the SDK does."""
    content, url = json.dumps(body).encode(), lab.url + path
    headers = {"content-type": "application/json"}
    headers |= sign_acs3(method, url, headers, content, lab.accounts.owner)
    answer = httpx.request(method, url, headers=headers, content=content)
    return answer.status_code, answer.json()


# --- functions ---------------------------------------------------------------------------------------------


def test_a_created_function_runs_and_tells_what_it_was_given(lab: Lab) -> None:
    made = create(
        lab, description="tells", timeout=7, environmentVariables={"A": "1"}, internetAccess=False
    ).to_map()
    told = lab.native().get_function("fn", fc.GetFunctionRequest()).body.to_map()
    assert told == made
    given = {name: value for name, value in function().items() if name != "code"}
    assert {name: told[name] for name in given} == given
    assert told["functionArn"] == f"acs:fc:cn-hangzhou:{ACCOUNT}:functions/fn"
    assert (told["state"], told["lastUpdateStatus"]) == ("Active", "Successful")
    assert (told["description"], told["timeout"], told["internetAccess"]) == ("tells", 7, False)
    assert told["codeSize"] == len(base64.b64decode(function()["code"]["zipFile"]))
    answer = json.loads(lab.invoke_native().body.read())
    assert {name: answer[name] for name in ("version", "A", "memory", "timeout")} == {
        "version": 1,
        "A": "1",
        "memory": 256,
        "timeout": 7,
    }


def test_a_function_is_created_once_and_must_be_there_for_the_rest(lab: Lab) -> None:
    assert refused(lambda: update(lab, timeout=5))[:2] == (404, "FunctionNotFound")
    create(lab)
    assert refused(lambda: create(lab))[:2] == (409, "FunctionAlreadyExists")
    for call in (
        lambda: lab.native().get_function("other", fc.GetFunctionRequest()),
        lambda: lab.native().delete_function("other"),
        lambda: lab.native().list_triggers("other", fc.ListTriggersRequest()),
        lambda: lab.native().get_concurrency_config("other"),
        lambda: lab.native().get_async_invoke_config("other", fc.GetAsyncInvokeConfigRequest()),
    ):
        assert refused(call)[:2] == (404, "FunctionNotFound")


@pytest.mark.parametrize(
    ("props", "named"),
    [
        ({"timeout": 86_401}, "timeout"),
        ({"timeout": "5"}, "timeout"),
        ({"memorySize": 100}, "memorySize"),
        ({"runtime": "python3.11"}, "runtime"),
        ({"diskSize": 1000}, "diskSize"),
        ({"memorysize": 256}, "memorysize"),
        ({"triggers": []}, "triggers"),
        ({"asyncInvokeConfig": {"asyncTask": True}}, "asyncInvokeConfig"),
        ({"vpcConfig": {"vpcId": "vpc-1"}}, "vpcConfig"),
        ({"instanceLifecycleConfig": {"initialiser": {"handler": "x"}}}, "initialiser"),
        ({"environmentVariables": {"FC_X": "1"}}, "FC_X"),
        ({"environmentVariables": {"A": "x" * 4096}}, "environmentVariables"),
        ({"functionName": "1fn"}, "functionName"),
        ({"layers": ["acs:fc:cn-hangzhou:1:layers/tools/versions/1"]}, "layers/tools"),
        ({"layers": [f"acs:fc:cn-hangzhou:{ACCOUNT}:layers/l/versions/{n}" for n in range(6)]}, "layers"),
        ({"code": {}}, "zipFile"),
        ({"code": {"zipFile": "AAAA", "ossBucketName": "b", "ossObjectName": "k"}}, "zipFile"),
        ({"code": {"zipFile": "%"}}, "base64"),
        ({"code": {"zipFile": "AAAA"}}, "zip"),
        ({"code": {**inline(TELL), "checksum": "1"}}, "checksum"),
        ({"code": {"ossBucketName": "b", "ossObjectName": "none"}}, "NoSuchKey"),
    ],
)
def test_what_fc_refuses_is_refused_by_name(lab: Lab, props: dict[str, Any], named: str) -> None:
    status, answer = raw(lab, "POST", "/2023-03-30/functions", function(**props))
    assert (status, answer["Code"]) == (400, "InvalidArgument")
    assert named in answer["Message"]
    assert lab.native().list_functions(fc.ListFunctionsRequest()).body.functions == []


def test_the_empty_settings_that_the_fc3_component_sends_mean_nothing(lab: Lab) -> None:
    empty: dict[str, Any] = {
        "vpcConfig": {"vpcId": "", "vSwitchIds": [], "securityGroupId": ""},
        "nasConfig": {"groupId": 0, "userId": 0, "mountPoints": []},
        "tracingConfig": {},
        "logConfig": {"project": "", "logstore": "", "logBeginRule": "None"},
    }
    status, answer = raw(lab, "POST", "/2023-03-30/functions", function(**empty))
    assert status == 200
    assert not answer.keys() & empty.keys()


def test_packages_have_limits() -> None:
    packages = Packages(None, "cn-hangzhou", inline_limit=10)
    with pytest.raises(FcError, match="EntityTooLarge: payload size exceeds maximum allowed size"):
        asyncio.run(packages.unpack(Location(zip_file=base64.b64encode(b"x" * 11).decode())))


def test_code_may_come_from_oss(lab: Lab) -> None:
    lab.depot.objects["code", "fn.zip"] = zipped({"index.py": "VERSION = 5\n" + textwrap.dedent(TELL)})
    create(lab, code={"ossBucketName": "code", "ossObjectName": "fn.zip"})
    assert json.loads(lab.invoke().data)["version"] == 5


def test_functions_are_listed_by_page_and_prefix(lab: Lab) -> None:
    for name in ("b1", "a1", "b3", "b2"):
        create(lab, name=name)
    request = fc.ListFunctionsRequest(prefix="b", limit=2)
    first = lab.native().list_functions(request).body
    assert [each.function_name for each in first.functions] == ["b1", "b2"]
    request.next_token = first.next_token
    second = lab.native().list_functions(request).body
    assert ([each.function_name for each in second.functions], second.next_token) == (["b3"], None)


# --- updates -----------------------------------------------------------------------------------------------


def test_an_update_changes_what_it_names_and_new_instances_have_it(lab: Lab) -> None:
    before = create(lab, environmentVariables={"A": "1"}, timeout=7)
    old = json.loads(lab.invoke().data)
    after = update(lab, environmentVariables={"A": "2"}, code=inline(TELL, version=2))
    new = json.loads(lab.invoke().data)
    assert (old["version"], old["A"], new["version"], new["A"]) == (1, "1", 2, "2")
    assert (new["timeout"], new["pid"] == old["pid"]) == (7, False)
    assert (after.function_id, after.created_time) == (before.function_id, before.created_time)
    assert after.code_checksum != before.code_checksum
    assert [pid for pid in {old["pid"], new["pid"]} if Path(f"/proc/{pid}").exists()] == [new["pid"]]


def test_a_refused_update_changes_nothing(lab: Lab) -> None:
    create(lab, timeout=7)
    before = lab.native().get_function("fn", fc.GetFunctionRequest()).body.to_map()
    pid = json.loads(lab.invoke().data)["pid"]
    assert refused(lambda: update(lab, timeout=0, description="x"))[:2] == (400, "InvalidArgument")
    status, answer = raw(lab, "PUT", "/2023-03-30/functions/fn", {"functionName": "x"})
    assert (status, answer["Message"]) == (400, "unknown property `functionName`")
    assert lab.native().get_function("fn", fc.GetFunctionRequest()).body.to_map() == before
    assert json.loads(lab.invoke().data)["pid"] == pid


def test_what_runs_finishes_with_the_old_code_and_what_is_queued_runs_with_the_new(
    lab: Lab, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    gate.mkdir()
    create(lab, source=LINGER, timeout=20)
    lab.native().put_concurrency_config(
        "fn", fc.PutConcurrencyConfigRequest(body=fc.PutConcurrencyInput(reserved_concurrency=1))
    )
    for _ in range(3):
        lab.submit(str(gate).encode())
    lab.until((gate / "1").exists)
    update(lab, code=inline(LINGER, version=2))
    (gate / "open").touch()
    done = lab.settle()
    assert [one.attempts[0].body for one in done] == [b"1", b"2", b"2"]
    assert len({one.attempts[0].instance_id for one in done}) == 2


def test_a_task_id_stays_used_up_across_an_update(lab: Lab) -> None:
    create(lab)
    config = fc.PutAsyncInvokeConfigInput(async_task=True)
    lab.native().put_async_invoke_config("fn", fc.PutAsyncInvokeConfigRequest(body=config))
    lab.submit(x_fc_stateful_async_invocation_id="t")
    lab.settle()
    update(lab, description="new")
    with pytest.raises(Exception, match="StatefulAsyncInvocationAlreadyExists"):
        lab.submit(x_fc_stateful_async_invocation_id="t")


def test_a_deployed_template_is_shown_and_can_be_updated(lab: Lab) -> None:
    lab.deploy(
        "def handler(event, context):\n    return 'from a folder'",
        logConfig="auto",
        triggers=[
            {
                "triggerName": "t",
                "triggerType": "timer",
                "triggerConfig": {"cronExpression": "@every 5m", "enable": False},
            }
        ],
    )
    told = lab.native().get_function("fn", fc.GetFunctionRequest()).body
    assert (told.memory_size, told.code_size > 100, len(told.code_checksum) > 15) == (256, True, True)
    assert told.log_config.log_begin_rule == "DefaultRegex"
    (listed,) = lab.native().list_functions(fc.ListFunctionsRequest()).body.functions
    assert listed.function_arn == told.function_arn
    assert lab.native().get_trigger("fn", "t").body.trigger_type == "timer"
    update(lab, description="still the same code")
    assert lab.invoke().data == b"from a folder"


def test_a_deleted_function_is_gone_with_what_was_queued_for_it(lab: Lab, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.mkdir()
    create(lab, source=LINGER, timeout=20)
    lab.native().put_concurrency_config(
        "fn", fc.PutConcurrencyConfigRequest(body=fc.PutConcurrencyInput(reserved_concurrency=1))
    )
    for _ in range(2):
        lab.submit(str(gate).encode())
    lab.until((gate / "1").exists)
    lab.native().delete_function("fn")
    (gate / "open").touch()
    assert [one.outcome for one in lab.settle()] == ["succeeded", "stopped"]
    assert refused(lambda: lab.native().delete_function("fn"))[:2] == (404, "FunctionNotFound")
    create(lab)
    assert json.loads(lab.invoke().data)["version"] == 1


# --- triggers ----------------------------------------------------------------------------------------------

HTTP: dict[str, Any] = {
    "triggerName": "web",
    "triggerType": "http",
    "description": "the way in",
    "triggerConfig": {"authType": "anonymous", "methods": ["GET"]},
}
TIMER: dict[str, Any] = {
    "triggerName": "tick",
    "triggerType": "timer",
    "triggerConfig": {"cronExpression": "@every 1h", "enable": True, "payload": "p"},
}


def test_an_http_trigger_tells_its_url_and_keeps_it_when_it_changes(lab: Lab) -> None:
    create(lab)
    made = create_trigger(lab, **HTTP)
    assert json.loads(made.trigger_config) == HTTP["triggerConfig"]
    told = (made.source_arn, made.invocation_role, made.status, made.target_arn)
    assert told == (None,) * 4, "the fc3 component would show them as changes"
    url = lab.native().get_trigger("fn", "web").body.http_trigger.url_internet
    assert lab.web("GET").status_code == 200
    assert str(lab.web("GET").url).startswith(url)
    config = json.dumps({"authType": "anonymous", "methods": ["POST"]})
    body = fc.UpdateTriggerInput(trigger_config=config)
    changed = lab.native().update_trigger("fn", "web", fc.UpdateTriggerRequest(body=body)).body
    assert (changed.http_trigger.url_internet, changed.description) == (url, "the way in")
    assert (changed.trigger_id, changed.trigger_config) == (made.trigger_id, config)
    assert (lab.web("GET").status_code, lab.web("POST").status_code) == (405, 200)


def test_a_trigger_is_created_once_listed_and_deleted(lab: Lab) -> None:
    create(lab)
    for trigger in (TIMER, HTTP):
        create_trigger(lab, **trigger)
    assert refused(lambda: create_trigger(lab, **TIMER))[:2] == (409, "TriggerAlreadyExists")
    listed = lab.native().list_triggers("fn", fc.ListTriggersRequest()).body.triggers
    assert [each.trigger_name for each in listed] == ["tick", "web"]
    assert refused(lambda: lab.native().delete_function("fn"))[:2] == (409, "FunctionNotEmpty")
    for name in ("tick", "web"):
        lab.native().delete_trigger("fn", name)
    assert refused(lambda: lab.native().get_trigger("fn", "web"))[:2] == (404, "TriggerNotFound")
    with pytest.raises(KeyError):
        lab.call(lab.sources.fire, "tick")
    lab.native().delete_function("fn")


def test_timers_of_two_functions_may_have_one_name(lab: Lab) -> None:
    for name in ("fn", "fn2"):
        create(lab, name=name)
        create_trigger(lab, name, **TIMER)
    with pytest.raises(KeyError):
        lab.call(lab.sources.fire, "tick")
    lab.native().delete_trigger("fn", "tick")
    lab.call(lab.sources.fire, "tick")
    assert [one.request.function for one in lab.settle()] == ["fn2"]


@pytest.mark.parametrize(
    ("trigger", "named"),
    [
        ({**TIMER, "triggerConfig": {"cronExpression": "every day", "enable": True}}, "cronExpression"),
        ({**TIMER, "triggerConfig": {"cronExpresion": "@every 5m", "enable": True}}, "cronExpresion"),
        ({**TIMER, "triggerType": "tablestore"}, "tablestore"),
        ({**TIMER, "triggername": "x"}, "triggername"),
        ({**TIMER, "code": "x"}, "code"),
        ({**HTTP, "triggerConfig": {"authType": "none", "methods": ["GET"]}}, "authType"),
        (
            {
                "triggerName": "o",
                "triggerType": "oss",
                "sourceArn": "acs:oss:cn-hangzhou:1:src",
                "triggerConfig": {"events": ["oss:ObjectCreated:PutObject"], "filter": {"key": {}}},
            },
            "prefix",
        ),
    ],
)
def test_a_wrong_trigger_is_refused_by_name_and_leaves_nothing(
    lab: Lab, trigger: dict[str, Any], named: str
) -> None:
    create(lab)
    body = {**trigger, "triggerConfig": json.dumps(trigger["triggerConfig"])}
    status, answer = raw(lab, "POST", "/2023-03-30/functions/fn/triggers", body)
    assert (status, answer["Code"]) == (400, "InvalidArgument")
    assert named in answer["Message"]
    assert lab.native().list_triggers("fn", fc.ListTriggersRequest()).body.triggers == []


def test_a_trigger_configuration_is_a_json_text(lab: Lab) -> None:
    create(lab)
    status, answer = raw(lab, "POST", "/2023-03-30/functions/fn/triggers", TIMER)
    assert (status, answer["Message"]) == (400, "`triggerConfig` is not a JSON text")


def _objects(name: str = "o", prefix: str = "", suffix: str = "", *events: str) -> dict[str, Any]:
    names = [f"oss:ObjectCreated:{each}" for each in events or ("PutObject",)]
    return {
        "triggerName": name,
        "triggerType": "oss",
        "sourceArn": f"acs:oss:cn-hangzhou:{ACCOUNT}:src",
        "invocationRole": f"acs:ram::{ACCOUNT}:role/notify",
        "triggerConfig": {"events": names, "filter": {"key": {"prefix": prefix, "suffix": suffix}}},
    }


@pytest.mark.parametrize(
    ("one", "other", "conflict"),
    [
        (("in/",), ("in/",), True),
        (("in/",), ("",), True),
        (("in/",), ("in/a/",), True),
        (("in/",), ("out/",), False),
        (("in/", ".jpg"), ("in/", ".png"), False),
        (("in/", ".jpg"), ("in/", "g"), True),
        (("in/", ".jpg"), ("", ""), True),
        (("in/", "", "PutObject"), ("in/", "", "PostObject"), False),
        (("in/", "", "PutObject", "CopyObject"), ("in/", "", "PostObject", "CopyObject"), True),
        (("in/", "", "PutObject"), ("in/", "", "*"), True),
    ],
)
@pytest.mark.parametrize("functions", [("fn", "fn"), ("fn", "fn2")])
def test_triggers_of_a_bucket_that_conflict_are_refused_also_of_other_functions(
    lab: Lab, functions: tuple[str, str], one: tuple[str, ...], other: tuple[str, ...], conflict: bool
) -> None:
    for name in dict.fromkeys(functions):
        create(lab, name=name)
    create_trigger(lab, functions[0], **_objects("one", *one))
    second = _objects("two", *other)
    if not conflict:
        create_trigger(lab, functions[1], **second)
        return
    status, code, message = refused(lambda: create_trigger(lab, functions[1], **second))
    assert (status, code) == (400, "InvalidArgument")
    assert "Cannot specify overlapping prefix and suffix with same event type" in message
    assert refused(lambda: lab.native().get_trigger(functions[1], "two"))[1] == "TriggerNotFound"
    create_trigger(lab, functions[1], **{**second, "sourceArn": f"acs:oss:cn-hangzhou:{ACCOUNT}:src2"})


def test_a_trigger_may_change_but_not_into_a_conflict(lab: Lab) -> None:
    create(lab)
    create_trigger(lab, **_objects("one", "in/"))
    create_trigger(lab, **_objects("two", "out/"))

    def change(prefix: str) -> Any:
        config = json.dumps(_objects("two", prefix)["triggerConfig"])
        request = fc.UpdateTriggerRequest(body=fc.UpdateTriggerInput(trigger_config=config))
        return lab.native().update_trigger("fn", "two", request)

    change("out/a/")
    assert refused(lambda: change("in/a/"))[:2] == (400, "InvalidArgument")
    kept = json.loads(lab.native().get_trigger("fn", "two").body.trigger_config)
    assert kept["filter"]["key"]["prefix"] == "out/a/"
    lab.native().delete_trigger("fn", "one")
    change("in/a/")


def test_a_function_has_one_http_trigger(lab: Lab) -> None:
    create(lab)
    create_trigger(lab, **HTTP)
    another = {**HTTP, "triggerName": "web2"}
    assert "http trigger" in refused(lambda: create_trigger(lab, **another))[2]


# --- asynchronous settings and concurrency -----------------------------------------------------------------


def test_asynchronous_settings_are_put_told_used_and_deleted(lab: Lab) -> None:
    create(lab, source="def handler(event, context): raise ValueError('no')\n")
    create(lab, name="told")
    client, whose = lab.native(), fc.GetAsyncInvokeConfigRequest()
    assert refused(lambda: client.get_async_invoke_config("fn", whose))[:2] == (404, "AsyncConfigNotExists")
    arn = f"acs:fc:cn-hangzhou:{ACCOUNT}:functions/told"
    given = {
        "asyncTask": True,
        "maxAsyncRetryAttempts": 0,
        "maxAsyncEventAgeInSeconds": 60,
        "destinationConfig": {"onFailure": {"destination": arn}},
    }
    body = fc.PutAsyncInvokeConfigInput().from_map(given)
    client.put_async_invoke_config("fn", fc.PutAsyncInvokeConfigRequest(body=body, qualifier="LATEST"))
    told = client.get_async_invoke_config("fn", whose).body.to_map()
    assert {name: told[name] for name in given} == given
    lab.submit(b"x")
    lab.settle()
    assert [one.request.function for one in lab.settle()] == ["fn", "told"]
    client.delete_async_invoke_config("fn", fc.DeleteAsyncInvokeConfigRequest())
    assert refused(lambda: client.get_async_invoke_config("fn", whose))[0] == 404


def test_a_destination_that_is_empty_is_refused(lab: Lab) -> None:
    create(lab)
    body = fc.PutAsyncInvokeConfigInput().from_map({"destinationConfig": {"onSuccess": {}}})
    request = fc.PutAsyncInvokeConfigRequest(body=body)
    status, code, message = refused(lambda: lab.native().put_async_invoke_config("fn", request))
    assert (status, code, "onSuccess" in message) == (400, "InvalidDestinationResources", True)


def test_a_destination_that_is_not_there_is_refused_where_that_counts(lab: Lab) -> None:
    create(lab)
    named = {"onFailure": {"destination": f"acs:fc:cn-hangzhou:{ACCOUNT}:functions/nobody"}}
    body = fc.PutAsyncInvokeConfigInput().from_map({"destinationConfig": named})
    request = fc.PutAsyncInvokeConfigRequest(body=body)
    lab.native().put_async_invoke_config("fn", request)
    lab.host.control.strict_destinations = True
    status, code, message = refused(lambda: lab.native().put_async_invoke_config("fn", request))
    assert (status, code, "nobody" in message) == (400, "InvalidDestinationResources", True)
    create(lab, name="nobody")
    lab.native().put_async_invoke_config("fn", request)


# --- what the fc3 component always sends and asks ---


def test_what_the_component_always_sends_is_taken_and_told(lab: Lab) -> None:
    always: dict[str, Any] = {
        "instanceIsolationMode": "SHARE",
        "sessionAffinity": "NONE",
        "disableOndemand": False,
    }
    status, made = raw(lab, "POST", "/2023-03-30/functions", function(**always, layers=[]))
    assert (status, {name: made[name] for name in always}) == (200, always)
    assert "tags" not in made
    assert "instanceConcurrency" not in made
    assert update(lab, **always).to_map()["sessionAffinity"] == "NONE"
    for name, other in (
        ("instanceIsolationMode", "MULTI"),
        ("sessionAffinity", "MCP"),
        ("disableOndemand", True),
    ):
        status, answer = raw(lab, "PUT", "/2023-03-30/functions/fn", {name: other})
        assert (status, name in answer["Message"]) == (400, True)


def test_what_s_yaml_cannot_ask_for_is_told_to_be_none(lab: Lab) -> None:
    create(lab)
    client = lab.native()
    assert client.list_vpc_bindings("fn").body.vpc_ids == []
    assert client.get_scaling_config("fn", fc.GetScalingConfigRequest()).body.function_arn is None
    asked = fc.ListScalingConfigsRequest(function_name="fn")
    assert client.list_scaling_configs(asked).body.scaling_configs == []
    assert client.get_provision_config("fn", fc.GetProvisionConfigRequest()).body.function_arn is None
    wanted = fc.ListProvisionConfigsRequest(function_name="fn")
    assert client.list_provision_configs(wanted).body.provision_configs == []
    assert client.list_aliases("fn", fc.ListAliasesRequest()).body.aliases == []
    assert client.list_function_versions("fn", fc.ListFunctionVersionsRequest()).body.versions == []
    assert refused(lambda: client.list_vpc_bindings("nobody"))[0] == 404


def test_an_invocation_tells_the_checksum_of_its_code(lab: Lab) -> None:
    made = create(lab)
    assert lab.invoke_native().headers["x-fc-code-checksum"] == made.code_checksum


def test_concurrency_is_put_told_and_deleted(lab: Lab) -> None:
    create(lab)
    client = lab.native()
    assert refused(lambda: client.get_concurrency_config("fn"))[:2] == (404, "OnDemandConfigNotFound")
    body = fc.PutConcurrencyInput(reserved_concurrency=0)
    client.put_concurrency_config("fn", fc.PutConcurrencyConfigRequest(body=body))
    assert client.get_concurrency_config("fn").body.reserved_concurrency == 0
    with pytest.raises(Exception, match="ResourceExhausted"):
        lab.invoke()
    lab.submit()
    client.delete_concurrency_config("fn")
    assert [one.outcome for one in lab.settle()][-1] == "succeeded"


# --- layers ------------------------------------------------------------------------------------------------


def test_a_layer_is_published_in_versions_and_told(lab: Lab) -> None:
    first, second = (publish(lab, {"python/tool.py": f"N = {n}"}, ["python3.12"]) for n in (1, 2))
    assert second.layer_version_arn == f"acs:fc:cn-hangzhou:{ACCOUNT}:layers/tools/versions/2"
    client = lab.native()
    told = client.get_layer_version("tools", "1").body
    assert told.to_map() == first.to_map()
    assert (told.description, told.compatible_runtime) == ("for a test", ["python3.12"])
    listed = client.list_layer_versions("tools", fc.ListLayerVersionsRequest(limit=1)).body
    assert ([each.version for each in listed.layers], listed.next_version) == ([1], 2)
    client.delete_layer_version("tools", "1")
    assert refused(lambda: client.get_layer_version("tools", "1"))[:2] == (404, "LayerVersionNotFound")
    assert refused(lambda: client.get_layer_version("other", "1"))[:2] == (404, "LayerNotFound")
    assert publish(lab, {"python/tool.py": ""}, []).version == 3


@pytest.mark.skipif(home.installed("3.12") is None, reason="python3.12 is not installed")
def test_a_function_runs_with_exactly_its_layers_under_the_interpreter_of_its_runtime(lab: Lab) -> None:
    site = "python/lib/python3.12/site-packages/tool.py"
    first = publish(lab, {site: "N = 1", "python/tool.py": "N = 0"}, ["python3.12"])
    second = publish(lab, {"python/other.py": "M = 2"}, [], "others")
    source = """
        import importlib.util, sys, tool, other
        def handler(event, context):
            found = [name for name in ("oss2", "pytest", "pip") if importlib.util.find_spec(name)]
            return [sys.version_info[:2], tool.N, other.M, found]
    """
    made = create(lab, source=source, layers=[first.layer_version_arn, second.layer_version_arn])
    assert [each.to_map() for each in made.layers] == [
        {"arn": each.layer_version_arn, "size": each.code_size} for each in (first, second)
    ]
    assert json.loads(lab.invoke().data) == [[3, 12], 1, 2, []]


def test_a_layer_must_be_there_and_made_for_the_runtime(lab: Lab) -> None:
    arn = publish(lab, {"python/tool.py": ""}, ["python3.10"]).layer_version_arn
    assert "python3.10" in refused(lambda: create(lab, layers=[arn]))[2]
    gone = arn.replace("versions/1", "versions/9")
    assert refused(lambda: create(lab, layers=[gone]))[:2] == (404, "LayerVersionNotFound")


def test_a_function_keeps_a_layer_that_was_deleted(lab: Lab) -> None:
    arn = publish(lab, {"python/tool.py": ""}, ["python3.12"]).layer_version_arn
    create(lab, layers=[arn])
    lab.native().delete_layer_version("tools", "1")
    assert [each.arn for each in update(lab, description="x").layers] == [arn]


# --- who asks ----------------------------------------------------------------------------------------------


def test_the_control_api_wants_a_signature(lab: Lab) -> None:
    answer = httpx.get(lab.url + "/2023-03-30/functions")
    assert (answer.status_code, answer.json()["Code"]) == (400, "MissingRequiredHeader")


def test_every_path_of_the_sdk_that_is_done_here_is_spelt_as_there() -> None:
    source = Path(sdk.__file__).read_text(encoding="utf-8")
    spelt = {re.sub(r"\{[^}]*\}", "{}", path) for path in re.findall(r"pathname = f?'([^']+)'", source)}
    operations = FcHost(accounts=Accounts(), weather=Weather()).control.operations
    ours = {re.sub(r"\{[^}]*\}", "{}", each.path) for each in operations if each.version == "2023-03-30"}
    assert ours <= spelt
