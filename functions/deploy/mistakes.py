"""What is wrong with a template although each property of it is right: the rules between them.

Every rule is a function from a deployment to sentences that begin with the place of the mistake. The
function's own settings are judged by the code that will read them. It knows no YAML and asks no cloud.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from functions.deploy import calls
from functions.deploy.props import Function, HttpTrigger, OssTrigger, TimerTrigger, account_of
from functions.deploy.template import Deployment
from osscopy import events, names, settings
from osscopy.model import Misconfigured, Rule
from osscopy.settings import Settings

# What creates an object. `ObjectCreated:*` also fires for the parts of an upload, and the operations of parts
# only for them.
CREATING = frozenset(f"oss:{event}" for event in events.CREATED)
METHODS = frozenset({"GET", "HEAD", "POST", "DELETE"})  # of the API in osscopy/openapi.json


def find(deployment: Deployment) -> list[str]:
    """All mistakes, in the template's order; empty if it can be deployed."""
    found: list[str] = []
    for name, function in deployment.resources.items():
        place = f"resources.{name}.props"
        for rule in _OF_A_FUNCTION:
            found += (f"{place}.{mistake}" for mistake in rule(function))
        variables = _Asked(function.environment_variables)
        try:
            loaded = settings.load(variables)
        except Misconfigured as error:
            found.append(f"{place}.environmentVariables.{error.message}")
            continue
        for variable in sorted(variables.keys() - variables.names):
            found.append(f"{place}.environmentVariables.{variable}: the function knows no such setting")
        for judge in _OF_ITS_SETTINGS:
            found += (f"{place}.{mistake}" for mistake in judge(function, loaded))
    for name, props in deployment.props.items():
        found += (f"resources.{name}.props.{place}: unknown to FC's SDK" for place in calls.unknown(props))
    return [*found, *_destinations(deployment), *_sweep(deployment)]


class _Asked(dict[str, str]):
    """Variables that remember which of them were asked for."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(variables)
        self.names: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]  # settings gives text
        self.names.add(name)
        return super().get(name, default)


# --- one function ---


def _places(function: Function) -> Iterator[str]:
    """Everything it names lies in its own region and account: OSS and FC pass nothing on to others."""
    own = (function.region, account_of(function.role))
    for trigger in function.triggers:
        if isinstance(trigger, OssTrigger):
            _, _, region, account, _ = trigger.source_arn.split(":")
            if region != own[0]:
                yield f"triggers.{trigger.trigger_name}.sourceArn: {region} is not the region {own[0]}"
            if account != own[1]:
                yield f"triggers.{trigger.trigger_name}.sourceArn: {account} is not the account of `role`"
            if account_of(trigger.invocation_role) != own[1]:
                yield f"triggers.{trigger.trigger_name}.invocationRole: not of the account of `role`"
    for arn in function.layers:
        if arn.split(":")[:3] != ["acs", "fc", own[0]]:
            yield f"layers: {arn} does not lie in the region {own[0]}"


def _powers(function: Function) -> Iterator[str]:
    if not function.role.startswith("acs:ram::"):
        yield "role: without a role (acs:ram::<account>:role/<name>) the function has no credentials"
    if not function.layers:
        yield "layers: without the layer the function cannot be imported"
    if not function.async_invoke_config.async_task:
        yield "asyncInvokeConfig.asyncTask: must be true, or two chains of one copy are not kept apart"
    if function.concurrency_config and function.concurrency_config.reserved_concurrency == 0:
        yield "concurrencyConfig.reservedConcurrency: 0 lets nothing run"


def _events(function: Function) -> Iterator[str]:
    for trigger in function.triggers:
        if isinstance(trigger, OssTrigger):
            config = trigger.trigger_config
            for event in sorted(set(config.events) - CREATING):
                yield (
                    f"triggers.{trigger.trigger_name}.triggerConfig.events: {event} fires for parts "
                    "or for what is no new object"
                )


_OF_A_FUNCTION: tuple[Callable[[Function], Iterator[str]], ...] = (_places, _powers, _events)


# --- one function and its settings ---


def _http(function: Function, loaded: Settings) -> Iterator[str]:
    for trigger in function.triggers:
        if not isinstance(trigger, HttpTrigger):
            continue
        place, config = f"triggers.{trigger.trigger_name}.triggerConfig", trigger.trigger_config
        if config.auth_type != loaded.http_auth:
            yield f"{place}.authType: {config.auth_type}, but HTTP_AUTH_TYPE is {loaded.http_auth}"
        if config.auth_type == "anonymous" and loaded.api_token is None:
            yield f"{place}.authType: anonymous needs API_TOKEN, or every request is answered 403"
        if missing := sorted(METHODS.difference(config.methods)):
            yield f"{place}.methods: {', '.join(missing)} of the API would not arrive"


def _allowed(_: Function, loaded: Settings) -> Iterator[str]:
    """What a rule reads and writes is allowed: every one of its copies would be refused otherwise."""
    for index, rule in enumerate(_rules(loaded)):
        if not any(_covers(each, rule.source.bucket, rule.source.prefix) for each in loaded.allowed_sources):
            read = f"{rule.source.bucket}/{rule.source.prefix}*"
            yield f"environmentVariables.ALLOWED_SOURCES: does not cover {read} of COPY_RULES[{index}]"
        bucket, template = rule.destination.bucket, rule.destination.key
        written = names.fixed_prefix(template, rule.source.prefix)
        exact = any(
            not each.is_prefix and each.matches(bucket, template) for each in loaded.allowed_destinations
        )
        if not exact and not any(_covers(each, bucket, written) for each in loaded.allowed_destinations):
            yield (
                f"environmentVariables.ALLOWED_DESTINATIONS: does not cover {bucket}/{written}* "
                f"of COPY_RULES[{index}]"
            )


def _covers(allowed: names.Pattern, bucket: str, prefix: str) -> bool:
    return allowed.is_prefix and allowed.bucket == bucket and prefix.startswith(allowed.key)


def _records(_: Function, loaded: Settings) -> Iterator[str]:
    for each in loaded.allowed_destinations:
        if each.bucket == loaded.state_bucket and (
            loaded.state_prefix.startswith(each.key) or each.key.startswith(loaded.state_prefix)
        ):
            place = f"{loaded.state_bucket}/{loaded.state_prefix}"
            yield f"environmentVariables.ALLOWED_DESTINATIONS: copies could overwrite the records at {place}"


def _watched(function: Function, loaded: Settings) -> Iterator[str]:
    """Each OSS trigger has a rule for what it tells of, or its events end in nothing."""
    if not isinstance(loaded.rules, tuple):
        return
    for trigger in function.triggers:
        if not isinstance(trigger, OssTrigger):
            continue
        bucket, key = trigger.bucket, trigger.trigger_config.filter.key
        place = f"triggers.{trigger.trigger_name}.triggerConfig.filter.key"
        meant = [rule for rule in loaded.rules if rule.source.bucket == bucket]
        if not any(_meet(rule.source.prefix, key.prefix) for rule in meant):
            yield f"{place}.prefix: no rule of COPY_RULES copies from {bucket}/{key.prefix}"
        elif not any(_ends_meet(rule.source.suffix, key.suffix) for rule in meant):
            yield f"{place}.suffix: no rule of COPY_RULES copies from {bucket} what ends in {key.suffix!r}"


def _meet(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _ends_meet(one: str, other: str) -> bool:
    return one.endswith(other) or other.endswith(one)


def _rules(loaded: Settings) -> tuple[Rule, ...]:
    """Those of the environment; what is in an object is judged when the function reads it."""
    return loaded.rules if isinstance(loaded.rules, tuple) else ()


_OF_ITS_SETTINGS: tuple[Callable[[Function, Settings], Iterator[str]], ...] = (
    _http,
    _allowed,
    _records,
    _watched,
)


# --- all functions ---


def _destinations(deployment: Deployment) -> Iterator[str]:
    """What an asynchronous invocation is reported to is there, and is not the function itself."""
    known = {function.function_name for function in deployment.functions}
    for name, function in deployment.resources.items():
        config = function.async_invoke_config.destination_config
        for side, each in (("onSuccess", config.on_success), ("onFailure", config.on_failure)):
            if each is None or each.function_name is None:
                continue
            place = f"resources.{name}.props.asyncInvokeConfig.destinationConfig.{side}.destination"
            if each.destination.split(":")[2] != function.region:
                yield f"{place}: not in the region {function.region}"
            if each.function_name == function.function_name:
                yield f"{place}: a function that cannot start would be told of its own failure, and again"
            elif each.function_name not in known:
                yield f"{place}: no resource deploys the function {each.function_name}"
            elif side == "onSuccess":
                yield f"{place}: {each.function_name} would take what succeeded for given up, and ask again"


def _sweep(deployment: Deployment) -> Iterator[str]:
    triggers = chain.from_iterable(function.triggers for function in deployment.functions)
    timers = [trigger for trigger in triggers if isinstance(trigger, TimerTrigger)]
    if not any(
        timer.trigger_config.enable and _asks_for_sweep(timer.trigger_config.payload) for timer in timers
    ):
        yield (
            'resources: no enabled timer trigger has the payload {"action": "sweep"}: copies that stand '
            "still would stay so"
        )


def _asks_for_sweep(payload: str) -> bool:
    try:
        return bool(json.loads(payload) == {"action": "sweep"})
    except ValueError:
        return False
