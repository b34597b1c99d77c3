"""The control API of 2023-03-30: functions, triggers, asynchronous settings, concurrency and layers.

Requests and answers have the shapes of the models of `alibabacloud_fc20230330`; it knows no HTTP beyond
method, path, query and body. What a request names must be known: a property that FC does not have, or that
this host does not do, is refused by name. Error codes: FC's error code page, and those that the fc3 component
and Alibaba's Terraform provider look for on this API.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from functions.cli.template.props import (
    AsyncInvokeConfig,
    ConcurrencyConfig,
    Function,
    HttpTrigger,
    OssTrigger,
    Trigger,
    says_nothing,
)
from tests.cloud.fc import component, errors
from tests.cloud.fc.layers import CreateLayerVersion, Layer, Layers, check_name
from tests.cloud.fc.packages import Location, Package, Packages, pack
from tests.cloud.fc.rights import Need, needs
from tests.cloud.oss import crc64

if TYPE_CHECKING:
    from tests.cloud.fc.queue import Queue
    from tests.cloud.fc.runner import Runner

T = TypeVar("T")
MOST_TRIGGERS = 50  # of a function (FC: quotas and limits)
MOST_RULES = 10  # of OSS triggers on one bucket (facts.md §3)
MOST_LISTED = 100
_CODE = "code.zip"  # stands in Function.code for what came as a package
SETTABLE = frozenset(  # of CreateFunctionInput, as far as this host does it
    [
        "cpu",
        "description",
        "diskSize",
        "environmentVariables",
        "handler",
        "instanceConcurrency",
        "instanceLifecycleConfig",
        "internetAccess",
        "layers",
        "logConfig",
        "memorySize",
        "role",
        "runtime",
        "timeout",
    ]
)
NOT_DONE = frozenset(  # the rest of CreateFunctionInput: taken only if it says nothing
    [
        "customContainerConfig",
        "customDNS",
        "customRuntimeConfig",
        "disableInjectCredentials",
        "enableLongLiving",
        "gpuConfig",
        "idleTimeout",
        "juiceFsConfig",
        "microSandboxConfig",
        "nasConfig",
        "ossMountConfig",
        "polarFsConfig",
        "resourceGroupId",
        "sessionAffinityConfig",
        "tracingConfig",
        "vpcConfig",
    ]
)
# The fc3 component always sends the first two; FC tells all three. Here they can be nothing else.
ALWAYS: Mapping[str, object] = {
    "instanceIsolationMode": "SHARE",
    "sessionAffinity": "NONE",
    "disableOndemand": False,
}
CREATE_TRIGGER = frozenset(
    ["description", "invocationRole", "qualifier", "sourceArn", "triggerConfig", "triggerName", "triggerType"]
)
UPDATE_TRIGGER = CREATE_TRIGGER - {"sourceArn", "triggerName", "triggerType"}
PUT_ASYNC = frozenset(
    ["asyncTask", "destinationConfig", "maxAsyncEventAgeInSeconds", "maxAsyncRetryAttempts"]
)


class EventSources(Protocol):
    """Where triggers are in service."""

    urls: dict[str, str]

    async def add(self, function: Function) -> None: ...
    async def put(self, function: str, trigger: Trigger) -> None: ...
    async def remove(self, function: str, trigger_name: str) -> None: ...


class Asked(msgspec.Struct, frozen=True):
    """One request: the names in its path, its query and its body."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


class Answer(msgspec.Struct, frozen=True):
    """Without a body: done, and nothing to say (204)."""

    body: dict[str, object] | None = None


Handle = Callable[[Asked], Awaitable[Answer]]


class Operation(msgspec.Struct, frozen=True):
    name: str  # as the SDK calls it, and RAM
    method: str
    path: str
    version: str
    handle: Handle


@dataclass(frozen=True)
class Stamp:
    """Who something is and since when; `text` is a trigger's configuration as it was given."""

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created: float = field(default_factory=time.time)
    modified: float = field(default_factory=time.time)
    text: str = ""

    def touched(self, text: str = "") -> Stamp:
        return replace(self, modified=time.time(), text=text)


@dataclass(frozen=True)
class Deployed:
    """What the API tells of a function besides its properties. No `package`: it came from a directory."""

    stamp: Stamp
    package: Package | None = None
    layers: tuple[Layer, ...] = ()
    triggers: Mapping[str, Stamp] = field(default_factory=dict)
    asynchronous: Stamp | None = None


class Control:
    """Changes what `runner` has deployed. The triggers need `sources`, which announces itself."""

    def __init__(
        self, runner: Runner, queue: Queue, packages: Packages, *, region: str, account_id: str
    ) -> None:
        self.sources: EventSources | None = None
        self.strict_destinations = (
            False  # whether FC refuses a destination that is not there (sources disagree)
        )
        self._runner = runner
        self._queue = queue
        self._packages = packages
        self._region = region
        self._account_id = account_id
        self._layers = Layers(region, account_id)
        self._deployed: dict[str, Deployed] = {}
        self._turn = asyncio.Lock()

    @property
    def body_limit(self) -> int:
        """Bytes that a request may have: a package in base64."""
        return self._packages.body_limit

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Every operation with its path, as the SDK's client.py has it."""
        new = "2023-03-30"
        functions, one = f"/{new}/functions", f"/{new}/functions/{{function}}"
        triggers, layers = f"{one}/triggers", f"/{new}/layers/{{layer}}/versions"
        asynchronous, concurrency = f"{one}/async-invoke-config", f"{one}/concurrency"
        table: tuple[tuple[str, str, str, Handle], ...] = (
            ("CreateFunction", "POST", functions, self._create_function),
            ("ListFunctions", "GET", functions, self._list_functions),
            ("GetFunction", "GET", one, self._get_function),
            ("UpdateFunction", "PUT", one, self._update_function),
            ("DeleteFunction", "DELETE", one, self._delete_function),
            ("CreateTrigger", "POST", triggers, self._create_trigger),
            ("ListTriggers", "GET", triggers, self._list_triggers),
            ("GetTrigger", "GET", f"{triggers}/{{trigger}}", self._get_trigger),
            ("UpdateTrigger", "PUT", f"{triggers}/{{trigger}}", self._update_trigger),
            ("DeleteTrigger", "DELETE", f"{triggers}/{{trigger}}", self._delete_trigger),
            ("PutAsyncInvokeConfig", "PUT", asynchronous, self._put_async),
            ("GetAsyncInvokeConfig", "GET", asynchronous, self._get_async),
            ("ListAsyncInvokeConfigs", "GET", f"/{new}/async-invoke-configs", self._list_async),
            ("DeleteAsyncInvokeConfig", "DELETE", asynchronous, self._delete_async),
            ("PutConcurrencyConfig", "PUT", concurrency, self._put_concurrency),
            ("GetConcurrencyConfig", "GET", concurrency, self._get_concurrency),
            ("DeleteConcurrencyConfig", "DELETE", concurrency, self._delete_concurrency),
            # What s.yaml cannot ask for, so that there is none; the fc3 component asks all the same.
            ("ListVpcBindings", "GET", f"{one}/vpc-bindings", self._none_of("vpcIds")),
            ("GetScalingConfig", "GET", f"{one}/scaling-config", self._none_of()),
            ("ListScalingConfigs", "GET", f"/{new}/scaling-configs", self._none_of("scalingConfigs")),
            ("GetProvisionConfig", "GET", f"{one}/provision-config", self._none_of()),
            ("ListProvisionConfigs", "GET", f"/{new}/provision-configs", self._none_of("provisionConfigs")),
            ("ListAliases", "GET", f"{one}/aliases", self._none_of("aliases")),
            ("ListFunctionVersions", "GET", f"{one}/versions", self._none_of("versions")),
            ("CreateLayerVersion", "POST", layers, self._create_layer),
            ("ListLayerVersions", "GET", layers, self._list_layers),
            ("GetLayerVersion", "GET", f"{layers}/{{version}}", self._get_layer),
            ("DeleteLayerVersion", "DELETE", f"{layers}/{{version}}", self._delete_layer),
        )
        version, path = "2016-08-15", "/2016-08-15/tempBucketToken"
        old = Operation("GetTempBucketToken", "GET", path, version, self._grant)
        operations = (
            Operation(name, method, path, new, self._alone(handle)) for name, method, path, handle in table
        )
        return (*operations, old)

    def checksum(self, function: str) -> str:
        """The CRC64 of a function's code package, as invocations tell it."""
        return self._measure(self._about(function).package, function)[1]

    def needs(self, operation: Operation, asked: Asked) -> Iterable[Need]:
        """What the caller of this operation must be allowed to."""
        arn = f"acs:fc:{self._region}:{self._account_id}:"
        return needs(operation.name, asked.path, asked.query, asked.body, arn)

    def _alone(self, handle: Handle) -> Handle:
        """One at a time: unpacking takes a while, and what it is meant for must not change meanwhile."""

        async def handle_alone(asked: Asked) -> Answer:
            async with self._turn:
                return await handle(asked)

        return handle_alone

    def _none_of(self, what: str = "") -> Handle:
        """Of a function that is there: an empty list of these, or nothing at all."""

        async def handle(asked: Asked) -> Answer:
            if name := asked.path.get("function") or asked.query.get("functionName"):
                self._runner.function(name)
            return Answer({what: []} if what else {})

        return handle

    # --- functions ---

    async def _create_function(self, asked: Asked) -> Answer:
        body = _object(asked.body)
        given = _properties(body, SETTABLE | {"functionName", "tags"}, NOT_DONE | {"code", *ALWAYS})
        name = str(given.get("functionName"))
        if self._runner.knows(name):
            raise errors.FcError(409, "FunctionAlreadyExists", f"function '{name}' already exists")
        function = _convert({**given, "region": self._region, "code": _CODE}, Function)
        layers = self._layers.resolve(function.layers, function.runtime)
        package = await self._packages.unpack(_location(body))
        self._publish(function, package, layers)
        self._deployed[name] = Deployed(Stamp(), package, layers)
        return Answer(self._view(name))

    async def _update_function(self, asked: Asked) -> Answer:
        name, body = asked.path["function"], _object(asked.body)
        function, deployed = self._runner.function(name), self._about(name)
        given = _properties(body, SETTABLE, NOT_DONE | {"code", *ALWAYS})
        function = _convert({**msgspec.to_builtins(function), **given}, Function)
        layers, package = deployed.layers, deployed.package
        if "layers" in given or deployed.package is not None:
            layers = self._layers.resolve(function.layers, function.runtime, deployed.layers)
        if body.get("code") is not None:
            package = await self._packages.unpack(_location(body))
        self._publish(function, package, layers)
        self._deployed[name] = replace(
            deployed, stamp=deployed.stamp.touched(), package=package, layers=layers
        )
        return Answer(self._view(name))

    def _publish(self, function: Function, package: Package | None, layers: tuple[Layer, ...]) -> None:
        code = package.directory if package else self._runner.code(function.function_name)
        if function.layers and not layers:  # those of a template, which were not published
            self._runner.renew(function, code)
        else:
            self._runner.publish(function, code, tuple(layer.package.directory for layer in layers))

    async def _get_function(self, asked: Asked) -> Answer:
        _check_qualifier(asked)
        return Answer(self._view(asked.path["function"]))

    async def _list_functions(self, asked: Asked) -> Answer:
        names = sorted(function.function_name for function in self._runner.functions)
        return Answer(_page(asked, "functions", names, self._view))

    async def _delete_function(self, asked: Asked) -> Answer:
        name = asked.path["function"]
        if self._runner.function(name).triggers:
            raise errors.FcError(409, "FunctionNotEmpty", f"function '{name}' has triggers")
        self._runner.remove(name)
        self._queue.forget(name)
        self._deployed.pop(name, None)
        return Answer()

    def _view(self, name: str) -> dict[str, object]:
        """`Function` of API 2023-03-30."""
        function, deployed = self._runner.function(name), self._about(name)
        size, checksum = self._measure(deployed.package, name)
        sizes = {layer.arn: layer.package.size for layer in deployed.layers}
        view: dict[str, object] = msgspec.to_builtins(function)
        if function.instance_lifecycle_config.initializer is None:
            del view["instanceLifecycleConfig"]
        for internal in ("region", "code", "triggers", "asyncInvokeConfig", "concurrencyConfig"):
            del view[internal]
        if view["logConfig"] == "auto":  # of a template: FC knows what the component makes of that
            asked = {"functionName": name, "region": self._region, "code": "", "logConfig": "auto"}
            view["logConfig"] = component.requests(asked, self._account_id).function["logConfig"]
        del view["instanceConcurrency"]  # 1: it is for runtimes of one's own
        if not function.tags:
            del view["tags"]
        told = {each: value for each, value in view.items() if value is not None}
        return {**ALWAYS, **told} | {
            "functionArn": self._arn(name),
            "functionId": deployed.stamp.id,
            "codeSize": size,
            "codeChecksum": checksum,
            "createdTime": _iso(deployed.stamp.created),
            "lastModifiedTime": _iso(deployed.stamp.modified),
            "layers": [{"arn": arn, "size": sizes.get(arn, 0)} for arn in function.layers],
            "state": "Active",
            "lastUpdateStatus": "Successful",
        }

    def _measure(self, package: Package | None, name: str) -> tuple[int, str]:
        if package is not None:
            return package.size, package.checksum
        data = pack(self._runner.code(name))
        return len(data), str(crc64.checksum(data))

    def _about(self, name: str) -> Deployed:
        """What there is to tell of a function; one of a template is met here for the first time."""
        if name not in self._deployed:
            function = self._runner.function(name)
            stamps = {trigger.trigger_name: Stamp(text=_text(trigger)) for trigger in function.triggers}
            asynchronous = Stamp() if function.async_invoke_config != AsyncInvokeConfig() else None
            self._deployed[name] = Deployed(Stamp(), triggers=stamps, asynchronous=asynchronous)
        return self._deployed[name]

    def _arn(self, name: str) -> str:
        return f"acs:fc:{self._region}:{self._account_id}:functions/{name}"

    def _change(self, name: str, **properties: Any) -> None:
        """Another trigger, setting or limit; FcError InvalidArgument if the function may not have it."""
        try:
            function = msgspec.structs.replace(self._runner.function(name), **properties)
        except ValueError as exc:
            raise errors.invalid_argument(str(exc)) from exc
        self._runner.reconfigure(function)

    # --- triggers ---

    async def _create_trigger(self, asked: Asked) -> Answer:
        name = asked.path["function"]
        function, deployed = self._runner.function(name), self._about(name)
        given = _properties(_object(asked.body), CREATE_TRIGGER)
        if given.get("triggerName") in deployed.triggers:
            raise errors.FcError(
                409, "TriggerAlreadyExists", f"trigger '{given['triggerName']}' already exists"
            )
        trigger = _trigger(given)
        self._check_room(function, trigger)
        await self._serve(name, (*function.triggers, trigger), trigger)
        stamps = {**deployed.triggers, trigger.trigger_name: Stamp(text=str(given["triggerConfig"]))}
        self._deployed[name] = replace(deployed, triggers=stamps)
        return Answer(self._trigger_view(name, trigger.trigger_name))

    async def _update_trigger(self, asked: Asked) -> Answer:
        name = asked.path["function"]
        function, deployed = self._runner.function(name), self._about(name)
        old = self._trigger(name, asked.path["trigger"])
        stamp = deployed.triggers[old.trigger_name]
        given = _properties(_object(asked.body), UPDATE_TRIGGER)
        text = given.get("triggerConfig", stamp.text)
        trigger = _trigger({**msgspec.to_builtins(old), **given, "triggerConfig": text})
        others = [trigger if each is old else each for each in function.triggers]
        await self._serve(name, tuple(others), trigger)
        stamps = {**deployed.triggers, trigger.trigger_name: stamp.touched(str(text))}
        self._deployed[name] = replace(deployed, triggers=stamps)
        return Answer(self._trigger_view(name, trigger.trigger_name))

    async def _serve(self, name: str, triggers: tuple[Trigger, ...], changed: Trigger) -> None:
        """Put it into service first: what cannot be leaves everything as it was."""
        before = self._runner.function(name)
        self._change(name, triggers=triggers)
        try:
            await self._sources.put(name, changed)
        except ValueError as exc:
            self._runner.reconfigure(before)
            raise errors.invalid_argument(str(exc)) from exc

    async def _get_trigger(self, asked: Asked) -> Answer:
        return Answer(self._trigger_view(asked.path["function"], asked.path["trigger"]))

    async def _list_triggers(self, asked: Asked) -> Answer:
        name = asked.path["function"]
        names = sorted(trigger.trigger_name for trigger in self._runner.function(name).triggers)
        return Answer(_page(asked, "triggers", names, lambda each: self._trigger_view(name, each)))

    async def _delete_trigger(self, asked: Asked) -> Answer:
        name = asked.path["function"]
        function, deployed = self._runner.function(name), self._about(name)
        gone = self._trigger(name, asked.path["trigger"])
        await self._sources.remove(name, gone.trigger_name)
        self._change(name, triggers=tuple(each for each in function.triggers if each is not gone))
        stamps = {each: stamp for each, stamp in deployed.triggers.items() if each != gone.trigger_name}
        self._deployed[name] = replace(deployed, triggers=stamps)
        return Answer()

    def _trigger(self, name: str, trigger_name: str) -> Trigger:
        for trigger in self._runner.function(name).triggers:
            if trigger.trigger_name == trigger_name:
                return trigger
        raise errors.FcError(404, "TriggerNotFound", f"trigger '{trigger_name}' does not exist")

    def _trigger_view(self, name: str, trigger_name: str) -> dict[str, object]:
        """`Trigger` of API 2023-03-30; the two URLs of an HTTP trigger are one here.

        No `status`, no `targetArn`, nor what is empty: the fc3 component, which takes out `status` of
        EventBridge's triggers alone, would show them as changes of every trigger.
        """
        trigger, stamp = self._trigger(name, trigger_name), self._about(name).triggers[trigger_name]
        view: dict[str, object] = msgspec.to_builtins(trigger)
        view = {
            each: value
            for each, value in view.items()
            if value or each not in {"sourceArn", "invocationRole"}
        }
        view |= {
            "triggerConfig": stamp.text,
            "triggerId": stamp.id,
            "createdTime": _iso(stamp.created),
            "lastModifiedTime": _iso(stamp.modified),
        }
        if isinstance(trigger, HttpTrigger):
            url = self._sources.urls[name]
            view["httpTrigger"] = {"urlInternet": url, "urlIntranet": url}
        return view

    def _check_room(self, function: Function, trigger: Trigger) -> None:
        if len(function.triggers) >= MOST_TRIGGERS:
            raise errors.invalid_argument(f"a function has at most {MOST_TRIGGERS} triggers")
        if isinstance(trigger, OssTrigger):
            every = (each for other in self._runner.functions for each in other.triggers)
            rules = sum(isinstance(each, OssTrigger) and each.bucket == trigger.bucket for each in every)
            if rules >= MOST_RULES:
                raise errors.invalid_argument(f"bucket '{trigger.bucket}' has {MOST_RULES} triggers already")

    @property
    def _sources(self) -> EventSources:
        if self.sources is None:
            raise errors.FcError(501, "NotImplemented", "this host has no event sources")
        return self.sources

    # --- asynchronous settings and concurrency ---

    async def _put_async(self, asked: Asked) -> Answer:
        _check_qualifier(asked)
        name, deployed = asked.path["function"], self._about(asked.path["function"])
        given = _properties(_object(asked.body), PUT_ASYNC)
        destinations = given.get("destinationConfig")
        for each, destination in destinations.items() if isinstance(destinations, dict) else ():
            if isinstance(destination, dict) and not destination.get("destination"):
                raise errors.FcError(
                    400,
                    "InvalidDestinationResources",
                    f"The destination resource is invalid: destination can't be empty. ({each})",
                )
        config = _convert(given, AsyncInvokeConfig)
        self._check_destinations(config)
        self._change(name, async_invoke_config=config)
        stamp = deployed.asynchronous.touched() if deployed.asynchronous else Stamp()
        self._deployed[name] = replace(deployed, asynchronous=stamp)
        return Answer(self._async_view(name))

    def _check_destinations(self, config: AsyncInvokeConfig) -> None:
        """FcError if one is a function that is not there, where that counts."""
        named = config.destination_config
        for each in (named.on_success, named.on_failure) if self.strict_destinations else ():
            if each and each.function_name and not self._runner.knows(each.function_name):
                raise errors.FcError(
                    400,
                    "InvalidDestinationResources",
                    f"The destination resource is invalid: {each.destination} does not exist.",
                )

    async def _get_async(self, asked: Asked) -> Answer:
        _check_qualifier(asked)
        return Answer(self._async_view(asked.path["function"]))

    async def _list_async(self, asked: Asked) -> Answer:
        """Of one function if the query names it. There is one configuration of a function here: LATEST's."""
        wanted = asked.query.get("functionName")
        names = [wanted] if wanted else sorted(each.function_name for each in self._runner.functions)
        having = [name for name in names if self._about(name).asynchronous]
        page = Asked(asked.path, {**asked.query, "functionName": ""}, asked.body)
        return Answer(_page(page, "configs", having, self._async_view))

    async def _delete_async(self, asked: Asked) -> Answer:
        _check_qualifier(asked)
        name = asked.path["function"]
        self._async_view(name)
        self._change(name, async_invoke_config=AsyncInvokeConfig())
        self._deployed[name] = replace(self._about(name), asynchronous=None)
        return Answer()

    def _async_view(self, name: str) -> dict[str, object]:
        """`AsyncConfig` of API 2023-03-30."""
        stamp = self._about(name).asynchronous
        if stamp is None:
            raise errors.FcError(
                404, "AsyncConfigNotExists", f"function '{name}' has no asynchronous configuration"
            )
        config = self._runner.function(name).async_invoke_config
        view: dict[str, object] = msgspec.to_builtins(config)
        del view["qualifier"]
        named = {
            "onSuccess": config.destination_config.on_success,
            "onFailure": config.destination_config.on_failure,
        }
        view["destinationConfig"] = {
            each: msgspec.to_builtins(destination) for each, destination in named.items() if destination
        }
        times = {"createdTime": _iso(stamp.created), "lastModifiedTime": _iso(stamp.modified)}
        return {**view, **times, "functionArn": self._arn(name)}

    async def _put_concurrency(self, asked: Asked) -> Answer:
        name = asked.path["function"]
        self._runner.function(name)
        config = _convert(_object(asked.body), ConcurrencyConfig)
        if config.reserved_concurrency < 0:
            raise errors.invalid_argument("`reservedConcurrency` is negative")
        self._change(name, concurrency_config=config)
        return Answer(self._concurrency_view(name))

    async def _get_concurrency(self, asked: Asked) -> Answer:
        return Answer(self._concurrency_view(asked.path["function"]))

    async def _delete_concurrency(self, asked: Asked) -> Answer:
        self._concurrency_view(asked.path["function"])
        self._change(asked.path["function"], concurrency_config=None)
        return Answer()

    def _concurrency_view(self, name: str) -> dict[str, object]:
        config = self._runner.function(name).concurrency_config
        if config is None:
            raise errors.FcError(
                404, "OnDemandConfigNotFound", f"function '{name}' has no reserved concurrency"
            )
        return {"functionArn": self._arn(name), "reservedConcurrency": config.reserved_concurrency}

    # --- layers, and where code is put on its way ---

    async def _create_layer(self, asked: Asked) -> Answer:
        check_name(asked.path["layer"])
        given = _convert(_object(asked.body), CreateLayerVersion)
        package = await self._packages.unpack(given.code)
        given = msgspec.structs.replace(given, code=Location())  # not kept twice
        return Answer(self._layers.publish(asked.path["layer"], given, package).view())

    async def _get_layer(self, asked: Asked) -> Answer:
        return Answer(self._layers.version(asked.path["layer"], asked.path["version"]).view())

    async def _list_layers(self, asked: Asked) -> Answer:
        start = _number(asked, "startVersion", 1)
        found, following = self._layers.versions(asked.path["layer"], start, _limit(asked))
        body: dict[str, object] = {"layers": [layer.view() for layer in found]}
        return Answer(body | ({"nextVersion": following} if following else {}))

    async def _delete_layer(self, asked: Asked) -> Answer:
        self._layers.delete(asked.path["layer"], asked.path["version"])
        return Answer()

    async def _grant(self, _: Asked) -> Answer:
        """`s deploy` uploads to `<account>/<objectName>` of this bucket and names that as the code."""
        grant = self._packages.grant()
        return Answer(
            body={
                "ossRegion": f"oss-{self._region}",
                "ossBucket": grant.bucket,
                "objectName": grant.key.removeprefix(f"{self._account_id}/"),
                "credentials": {
                    "AccessKeyId": grant.credentials.access_key_id,
                    "AccessKeySecret": grant.credentials.access_key_secret,
                    "SecurityToken": grant.credentials.security_token,
                    "Expiration": _iso(grant.credentials.expires or 0),
                },
            }
        )


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError as exc:
        raise errors.invalid_argument(f"the body is not JSON: {exc}") from exc
    if not isinstance(value, dict):
        raise errors.invalid_argument("the body is not a JSON object")
    return value


def _properties(
    body: Mapping[str, Any], known: frozenset[str], apart: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The known properties that are given, without those that stand `apart`.

    FcError names the first that FC does not know, or that is not done here and says something.
    """
    for name, value in body.items():
        is_done = name not in NOT_DONE & apart or says_nothing(value)
        if not is_done or (name in ALWAYS.keys() & apart and value not in {None, ALWAYS[name]}):
            raise errors.invalid_argument(f"`{name}` is not done by the local cloud")
        if name not in known | apart:
            raise errors.invalid_argument(f"unknown property `{name}`")
    given = {name: value for name, value in body.items() if name in known and value is not None}
    if isinstance(log := given.get("logConfig"), dict) and not log.get("project"):
        del given["logConfig"]  # the fc3 component says so that there is none
    return given


def _location(body: Mapping[str, Any]) -> Location | None:
    code = body.get("code")
    return None if code is None else _convert(code, Location)


def _convert(value: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, ValueError) as exc:
        raise errors.invalid_argument(str(exc)) from exc


def _trigger(given: Mapping[str, Any]) -> Trigger:
    """In the API the configuration is a JSON text, where s.yaml has an object."""
    text = given.get("triggerConfig")
    if not isinstance(text, str):
        raise errors.invalid_argument("`triggerConfig` is not a JSON text")
    try:
        config = json.loads(text)
    except ValueError as exc:
        raise errors.invalid_argument(f"`triggerConfig` is not JSON: {exc}") from exc
    trigger: Trigger = _convert({**given, "triggerConfig": config}, Trigger)  # type: ignore[arg-type]  # a union is no type
    if trigger.qualifier != "LATEST":
        raise errors.FcError(404, "AliasNotFound", f"alias '{trigger.qualifier}' does not exist")
    return trigger


def _text(trigger: Trigger) -> str:
    return msgspec.json.encode(trigger.trigger_config).decode()


def _page(
    asked: Asked, what: str, names: Iterable[str], view: Callable[[str], dict[str, object]]
) -> dict[str, object]:
    """One page of a list by name; the token to go on with is the last name."""
    for name, value in asked.query.items():
        if name not in {"limit", "nextToken", "prefix", "fcVersion"} and value:
            raise errors.invalid_argument(f"the filter `{name}` is not done by the local cloud")
    prefix, after, limit = asked.query.get("prefix", ""), asked.query.get("nextToken", ""), _limit(asked)
    found = [name for name in names if name.startswith(prefix) and name > after]
    body: dict[str, object] = {what: [view(name) for name in found[:limit]]}
    return body | ({"nextToken": found[limit - 1]} if len(found) > limit else {})


def _limit(asked: Asked) -> int:
    limit = _number(asked, "limit", 20)
    if not 1 <= limit <= MOST_LISTED:
        raise errors.invalid_argument(f"`limit` is between 1 and {MOST_LISTED}")
    return limit


def _number(asked: Asked, name: str, default: int) -> int:
    text = asked.query.get(name) or str(default)
    if not re.fullmatch(r"\d{1,9}", text):
        raise errors.invalid_argument(f"`{name}` is not a number")
    return int(text)


def _check_qualifier(asked: Asked) -> None:
    qualifier = asked.query.get("qualifier") or "LATEST"
    if qualifier != "LATEST":
        raise errors.FcError(404, "AliasNotFound", f"alias '{qualifier}' does not exist")


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
