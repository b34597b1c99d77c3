"""What is wrong with a template although each property of it is right: the rules between them.

The function's own settings are read by the code that will read them, and judged with its triggers by the code
that its check judges them with (`suspicions`, `triggers`); here is only what concerns a deployment: places,
powers, what functions tell each other. It knows no YAML and asks no cloud.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from functions.cli.account import calls
from functions.cli.account.credentials import is_in_clear
from functions.cli.template import policy
from functions.cli.template.props import Function, OssTrigger, account_of
from functions.cli.template.reach import ROLE
from functions.cli.template.reading import TRIED, Deployment, Mistake, TemplateError, meant
from osscopy import settings
from osscopy.check import config, triggers
from osscopy.check.triggers import Judgement
from osscopy.model import Line, Misconfigured, Rule, Trigger
from osscopy.settings import Settings

# What s.yaml comes with, and what cannot be meant: names of buckets are unique among all accounts.
PLACEHOLDERS = frozenset({"1234567890123456", "oss-copy-source", "oss-copy-destination", "oss-copy-state"})
OFFICIAL = "official"  # in place of an account: the layers of Function Compute itself
_SETTINGS: Mapping[str, str] = {  # which variable a line of the check is about, where it names none
    "settings.rules": "COPY_RULES",
    "settings.maxParallel": "MAX_PARALLEL",
    "settings.multipartThreshold": "MULTIPART_THRESHOLD",
}


def find(deployment: Deployment) -> list[Mistake]:
    """All mistakes, and what is only to be warned of; empty if there is nothing to be said."""
    found: list[Mistake] = []
    for name, function in deployment.resources.items():
        place = f"resources.{name}.props"
        for rule in _OF_A_FUNCTION:
            found += (Mistake(f"{place}.{at}", text) for at, text in rule(function))
        found += (
            msgspec.structs.replace(each, path=f"{place}.{each.path}")
            for each in _of_settings(function, function is deployment.main)
        )
    for name, props in deployment.props.items():
        found += (
            Mistake(f"resources.{name}.props.{_by_name(props, place)}", "unknown to FC's SDK")
            for place in calls.unknown(props)
        )
    return [
        *found,
        *_together(deployment),
        *_destinations(deployment),
        *_account(deployment),
        *_code(deployment),
        *_versions(deployment),
    ]


def placeholders(deployment: Deployment) -> list[Mistake]:
    """What nobody has changed of the template that is shipped."""
    return [
        Mistake(f"vars.{name}", f"{value} is what s.yaml comes with: put in your own", is_error=False)
        for name, value in deployment.vars.items()
        if str(value) in PLACEHOLDERS
    ]


def all_of(error: TemplateError) -> list[Mistake]:
    """What could not be read, and what else is wrong with the rest: nothing that follows from the former."""
    if error.repaired is None:
        return list(error.mistakes)
    gone = [path for each in error.mistakes for path in _without(each)]
    lacks_triggers = any(".triggers" in path for path in gone)
    return [
        *error.mistakes,
        *(
            each
            for each in find(error.repaired)
            if not any(_related(each.path, path) for path in gone)
            and not (lacks_triggers and re.match(r"no timer |no OSS trigger ", each.text))
        ),
    ]


def _without(mistake: Mistake) -> Iterator[str]:
    """The paths that are not judged because of a mistake: its own, and what it was meant to be."""
    yield mistake.path
    if found := re.search(r"; did you mean (\w+)\?", mistake.text):
        yield f"{mistake.path.rpartition('.')[0]}.{found[1]}"


def _by_name(props: Mapping[str, Any], place: str) -> str:
    """The place with the names of triggers in place of their numbers."""
    names = [each.get("triggerName", str(number)) for number, each in enumerate(props.get("triggers", ()))]
    return re.sub(r"^triggers\[(\d+)\]", lambda found: f"triggers.{names[int(found[1])]}", place)


def _related(one: str, other: str) -> bool:
    a, b = (re.findall(r"[^.\[\]]+", each) for each in (one, other))
    shorter = min(len(a), len(b))
    return a[:shorter] == b[:shorter]


# --- one function ---


def _places(function: Function) -> Iterator[tuple[str, str]]:
    """Everything it names lies in its own region and account: OSS and FC pass nothing on to others."""
    own = (function.region, account_of(function.role))
    for trigger in function.triggers:
        if isinstance(trigger, OssTrigger):
            at = f"triggers.{trigger.trigger_name}"
            _, _, region, account, _ = trigger.source_arn.split(":")
            if region != own[0]:
                yield f"{at}.sourceArn", f"{region} is not the region {own[0]}"
            if account != own[1]:
                yield f"{at}.sourceArn", f"{account} is not the account of `role`"
            yield from _invocation_role(trigger, own[1])
    for arn in function.layers:
        if arn.split(":")[:3] != ["acs", "fc", own[0]]:
            yield "layers", f"{arn} does not lie in the region {own[0]}"
        elif arn.split(":")[3] not in {own[1], OFFICIAL}:
            yield "layers", f"{arn} is of another account, whose code would run with the function's role"


def _invocation_role(trigger: OssTrigger, account: str) -> Iterator[tuple[str, str]]:
    """RAM knows no case in the names of roles, and writes them in lower case in ARNs."""
    at, wanted = f"triggers.{trigger.trigger_name}.invocationRole", policy.TRIGGER_ROLE
    role = ROLE.fullmatch(trigger.invocation_role)
    if role is None:
        yield at, f"{trigger.invocation_role!r} is not of the form acs:ram::ACCOUNT:role/NAME"
        return
    if role["account"] != account:
        yield at, "not of the account of `role`"
    if role["name"].lower() != wanted.lower():
        yield at, f"`make setup` makes no role {role['name']}: name {wanted.lower()}, by which OSS may invoke"


def _powers(function: Function) -> Iterator[tuple[str, str]]:
    if ROLE.fullmatch(function.role) is None:
        yield "role", "without a role (acs:ram::<account>:role/<name>) the function has no credentials"
    if not function.layers:
        yield "layers", "without the layer the function cannot be imported"
    if not function.async_invoke_config.async_task:
        yield "asyncInvokeConfig.asyncTask", "must be true, or two chains of one copy are not kept apart"
    if function.concurrency_config and function.concurrency_config.reserved_concurrency == 0:
        yield "concurrencyConfig.reservedConcurrency", "0 lets nothing run"


def _in_clear(function: Function) -> Iterator[tuple[str, str]]:
    """Requests carry the token of the role."""
    for name in ("OSS_ENDPOINT", "INVOKE_ENDPOINT"):
        if is_in_clear(function.environment_variables.get(name, "")):
            yield f"environmentVariables.{name}", "is not https: whoever is on the way reads the role's token"


_OF_A_FUNCTION: tuple[Callable[[Function], Iterator[tuple[str, str]]], ...] = (_places, _powers, _in_clear)


# --- one function, its settings and its triggers ---


class _Asked(dict[str, str]):
    """Variables that remember which of them were asked for."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(variables)
        self.names: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]  # settings gives text
        self.names.add(name)
        return super().get(name, default)


def _of_settings(function: Function, is_main: bool) -> Iterator[Mistake]:
    variables = _Asked(function.environment_variables)
    loaded, wrong = _load(variables)
    for field, text in wrong.items():
        yield Mistake(f"environmentVariables.{field}", text)
    if loaded is None:
        return
    for variable in sorted(variables.keys() - variables.names):
        text = f"the function knows no such setting{meant(variable, variables.names)}"
        yield Mistake(f"environmentVariables.{variable}", text)
    for each in () if wrong else _suspicious(function, loaded, is_main):
        at = f"environmentVariables.{(each.subject or _SETTINGS.get(each.check, '')).partition(', ')[0]}"
        yield _told("timeout" if each.check == "settings.timeout" else at, each)
    known = "COPY_RULES" not in wrong and (is_main or function.triggers)
    rules = _rules(loaded) if known else None
    for judgement in triggers.judge(loaded, rules, _triggers(function)):
        if judgement.grade in {"failed", "warning"}:
            yield _told(judgement.place, judgement.line)


def _load(variables: _Asked) -> tuple[Settings | None, dict[str, str]]:
    """The settings without the variables that are wrong, and what is wrong with each.

    None if too little is known without them to judge anything else.
    """
    wrong: dict[str, str] = {}
    while True:
        try:
            return settings.load(variables), wrong
        except Misconfigured as error:
            field = error.field or ""
            wrong[field] = error.message.removeprefix(f"{field}: ").removeprefix(f"{field} ")
            if variables.pop(field, None) is None or field.startswith(("STATE_", "ALLOWED_")):
                return None, wrong


def _suspicious(function: Function, loaded: Settings, is_main: bool) -> Iterator[Line]:
    """What the check would say of these settings; `triggers` has its word on an anonymous trigger."""
    deployed = config.Deployment(
        loaded, function.region, account_of(function.role), function.timeout, function.memory_size
    )
    lines = [*config.allow_lists(deployed), config.memory(deployed), *config.endpoints(deployed)]
    lines += config.rules(deployed, _rules(loaded) or ())
    if is_main:
        lines += config.timeout(deployed, 0)
    return (each for each in lines if each.status in {"failed", "warning"})


def _told(place: str, found: Line) -> Mistake:
    several = f"{found.subject}: " if ", " in (found.subject or "") else ""
    advice = f"; {found.advice}" if found.advice else ""
    return Mistake(place, f"{several}{found.found}{advice}", found.status == "failed")


def _rules(loaded: Settings) -> tuple[Rule, ...] | None:
    """Those of the environment; what is in an object is judged when the function reads it."""
    return loaded.rules if isinstance(loaded.rules, tuple) else None


def _triggers(function: Function, before: str = "") -> list[Trigger]:
    """As FC would tell of them."""
    return [
        Trigger(
            f"{before}{each.trigger_name}",
            str(type(each).__struct_config__.tag),
            each.source_arn,
            msgspec.json.encode(each.trigger_config).decode(),
        )
        for each in function.triggers
    ]


# --- all functions ---


def _together(deployment: Deployment) -> Iterator[Mistake]:
    """What is wrong between triggers, of whichever functions."""
    given = [
        trigger
        for name, function in deployment.resources.items()
        for trigger in _triggers(function, f"{name}/")
    ]
    for judgement in triggers.together(given):
        yield _told(_place(judgement), judgement.line)


def _place(judgement: Judgement) -> str:
    """`triggers.RESOURCE/NAME…` as a path of the template."""
    found = re.fullmatch(r"triggers\.([^/]+)/(.*)", judgement.place)
    return f"resources.{found[1]}.props.triggers.{found[2]}" if found else "resources"


def _destinations(deployment: Deployment) -> Iterator[Mistake]:
    """What an asynchronous invocation is reported to is there, and is not in the end the function itself."""
    known = {function.function_name: function for function in deployment.functions}
    for name, function in deployment.resources.items():
        config = function.async_invoke_config.destination_config
        for side, each in (("onSuccess", config.on_success), ("onFailure", config.on_failure)):
            if each is None or each.function_name is None:
                continue
            place = f"resources.{name}.props.asyncInvokeConfig.destinationConfig.{side}.destination"
            _, _, region, account, _ = each.destination.split(":", 4)
            if region != function.region:
                yield Mistake(place, f"not in the region {function.region}")
            if account != deployment.account:
                yield Mistake(
                    place, "not of the account of `role`: it would be told of every copy that fails"
                )
            if each.function_name == function.function_name:
                text = "a function that cannot start would be told of its own failure, and again"
                yield Mistake(place, text)
            elif each.function_name not in known:
                yield Mistake(place, f"no resource deploys the function {each.function_name}")
            elif side == "onSuccess":
                text = f"{each.function_name} would take what succeeded for given up, and ask again"
                yield Mistake(place, text)
            elif _comes_back(function, known):
                text = f"{each.function_name} tells of its failures in turn: of one, both would hear for ever"
                yield Mistake(place, text)


def _comes_back(function: Function, known: Mapping[str, Function]) -> bool:
    """Whether what is told of this function's failures comes back to it by way of others."""
    seen: list[str] = []
    at: Function | None = function
    while at is not None:
        told = at.async_invoke_config.destination_config.on_failure
        name = told.function_name if told else None
        if name is None or name in seen:
            return False
        if name == function.function_name:
            return True
        seen.append(name)
        at = known.get(name)
    return False


def _account(deployment: Deployment) -> Iterator[Mistake]:
    """An account's id has 16 digits, and is text: as a number, the tool would round what is above 2^53."""
    for name, value in deployment.vars.items():
        if isinstance(value, int) and value >= 10**11:
            yield Mistake(f"vars.{name}", f'a number is rounded by `s`: put it in quotes, {name}: "{value}"')
    account = deployment.account
    named = [name for name, value in deployment.vars.items() if str(value) == account]
    path = f"vars.{named[0]}" if named else f"resources.{deployment.main_resource}.props.role"
    if ROLE.fullmatch(deployment.main.role) and len(account) != 16:
        text = f"{account} is no account's id: it has 16 digits, not {len(account)}"
        yield Mistake(path, text, is_error=not 12 <= len(account) <= 20)


def _code(deployment: Deployment) -> Iterator[Mistake]:
    """All of a folder is uploaded: one of somebody else's choice may hold anything of this machine."""
    root = deployment.root.resolve()
    for name, function in deployment.resources.items():
        if not (root / function.code_path).resolve().is_relative_to(root):
            text = f"{function.code_path} lies outside the template's folder"
            yield Mistake(f"resources.{name}.props.code", text)


def _versions(deployment: Deployment) -> Iterator[Mistake]:
    for name, version in deployment.versions.items():
        if version != TRIED:
            text = f"{version} was not tried" if version else "names no version: `s` runs whatever is newest"
            place = f"resources.{name}.component"
            yield Mistake(place, f"{text}; fc3@{TRIED} was tried", is_error=False)
