"""From the `props` of an s.yaml to the requests that deploy them: what fc3 0.1.22 does, as values.

It sends nothing and reads no files. What is sent where, and the empty settings that stand for what a template
leaves out: devsapp/fc3, `subCommands/deploy` and `default/config`; wire shapes: `alibabacloud_fc20230330`.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from functions.cli.template.props import says_nothing

Json = dict[str, Any]
APART = frozenset(  # props that other requests carry, or none does
    [
        "access",
        "annotations",
        "asyncInvokeConfig",
        "code",
        "concurrencyConfig",
        "customDomain",
        "endpoint",
        "provisionConfig",
        "region",
        "scalingConfig",
        "supplement",
        "triggers",
        "vpcBinding",
    ]
)
EMPTY: Json = {
    "description": "",
    "environmentVariables": {},
    "instanceIsolationMode": "SHARE",
    "internetAccess": True,
    "layers": [],
    "logConfig": {
        "enableInstanceMetrics": False,
        "enableRequestMetrics": False,
        "logBeginRule": "None",
        "logstore": "",
        "project": "",
    },
    "nasConfig": {"groupId": 0, "userId": 0, "mountPoints": []},
    "memorySize": 512,
    "ossMountConfig": {"mountPoints": []},
    "sessionAffinity": "NONE",
    "timeout": 3,
    "tracingConfig": {},
    "vpcConfig": {"securityGroupId": "", "vSwitchIds": [], "vpcId": ""},
}
SYSTEM = frozenset(  # what GetFunction tells besides properties
    [
        "codeChecksum",
        "codeSize",
        "createdTime",
        "functionArn",
        "functionId",
        "lastModifiedTime",
        "lastUpdateStatus",
        "state",
    ]
)
DEFAULTS: Json = {"cpu": 0.35, "diskSize": 512}  # of FC, where a template says nothing


class Deploy(msgspec.Struct, frozen=True):
    """The bodies of the requests for one resource, in the order in which they are sent."""

    name: str
    code: str  # path of the directory, relative to the template
    function: Json  # CreateFunction or UpdateFunction, still without its code
    triggers: tuple[Json, ...]  # CreateTrigger or UpdateTrigger
    asynchronous: Json | None  # PutAsyncInvokeConfig
    concurrency: Json | None  # PutConcurrencyConfig


class Told(msgspec.Struct, frozen=True):
    """What the API tells of a resource afterwards; None: 404."""

    function: Json
    triggers: tuple[Json, ...]
    asynchronous: Json | None
    concurrency: Json | None


def requests(props: Mapping[str, Any], account_id: str) -> Deploy:
    """The requests for the resolved `props` of one resource."""
    function = {name: value for name, value in props.items() if name not in APART}
    if function.get("logConfig") == "auto":
        function["logConfig"] = log_config(props["region"], account_id)
    if isinstance(role := function.get("role"), str):
        function["role"] = role.lower()
    asynchronous = props.get("asyncInvokeConfig")
    if asynchronous:
        given = {name: value for name, value in asynchronous.items() if name != "qualifier"}
        asynchronous = {"destinationConfig": {}, **given}
    code = props["code"]
    return Deploy(
        name=props["functionName"],
        code=code if isinstance(code, str) else code["src"],
        function={**EMPTY, **function},
        triggers=tuple(_trigger(trigger) for trigger in props.get("triggers", ())),
        asynchronous=asynchronous,
        concurrency=props.get("concurrencyConfig"),
    )


def log_config(region: str, account_id: str) -> Json:
    """What `logConfig: auto` becomes; the component creates project and logstore first.

    All functions of an account and region share them. Names as fc3 0.1.22 makes them (`resources/sls`): the
    project's ends in a UUID made of the account's id.
    """
    digest = hashlib.sha1(account_id.encode(), usedforsecurity=False).digest()
    return {
        "enableInstanceMetrics": True,
        "enableRequestMetrics": True,
        "logBeginRule": "DefaultRegex",
        "logstore": "default-logs",
        "project": f"serverless-{region}-{uuid.UUID(bytes=digest[:16], version=5)}"[:63],
    }


def without_layers(deploy: Deploy) -> Deploy:
    """The same without layers, for where none can be published."""
    function = {name: value for name, value in deploy.function.items() if name != "layers"}
    return msgspec.structs.replace(deploy, function=function)


def _trigger(trigger: Mapping[str, Any]) -> Json:
    """The API takes as JSON text what the template has as an object; roles go in lower case."""
    roles = {"invocationRole": role.lower()} if (role := trigger.get("invocationRole")) else {}
    text = json.dumps(trigger["triggerConfig"], separators=(",", ":"))
    return {"qualifier": "LATEST", "description": "", **trigger, **roles, "triggerConfig": text}


def differences(wanted: Deploy, told: Told) -> list[str]:
    """Everything in which what is deployed is not what the template says, one sentence each."""
    return [
        *_function(wanted.function, told.function),
        *_triggers(wanted.triggers, told.triggers),
        *_compare("asyncInvokeConfig", wanted.asynchronous or {}, _settings(told.asynchronous)),
        *_compare("concurrencyConfig", wanted.concurrency or {}, _settings(told.concurrency)),
    ]


def _settings(told: Json | None) -> Json:
    apart = {"functionArn", "createdTime", "lastModifiedTime"}
    return {name: value for name, value in (told or {}).items() if name not in apart}


def _function(wanted: Json, told: Json) -> Iterator[str]:
    found = {name: value for name, value in told.items() if name not in SYSTEM}
    found["layers"] = [layer["arn"] for layer in told.get("layers", ())]
    for name, value in wanted.items():
        if value == EMPTY.get(name) and name not in found:
            continue
        yield from _compare(name, value, found.get(name))
    for name in found.keys() - wanted.keys():
        if found[name] != DEFAULTS.get(name) and not says_nothing(found[name]):
            yield f"{name}: {found[name]!r} was not asked for"


def _triggers(wanted: tuple[Json, ...], told: tuple[Json, ...]) -> Iterator[str]:
    found = {trigger["triggerName"]: trigger for trigger in told}
    for trigger in wanted:
        name = trigger["triggerName"]
        for field, value in trigger.items():
            given = found.get(name, {}).get(field, "" if name in found else None)
            if field == "triggerConfig":
                value, given = json.loads(value), json.loads(given or "null")  # noqa: PLW2901 - the same, as values
            yield from _compare(f"triggers.{name}.{field}", value, given)
    for name in found.keys() - {trigger["triggerName"] for trigger in wanted}:
        yield f"triggers.{name}: was not asked for"


def _compare(where: str, wanted: object, found: object) -> Iterator[str]:
    """Objects field by field, everything else as a whole; a field that says nothing may be missing."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name in sorted(wanted.keys() | found.keys()):
            beyond = name not in wanted and says_nothing(found[name])
            left_out = name not in found and wanted[name] in ("", [], {})
            if (beyond or left_out) and where != "environmentVariables":
                continue
            yield from _compare(f"{where}.{name}", wanted.get(name), found.get(name))
    elif wanted != found:
        yield f"{where}: wanted {wanted!r}, found {found!r}"
