"""Judges a function's settings and triggers with the product's own modules, as its check does later.

`osscopy.settings` reads them as the function will; `osscopy.check` says what is suspicious. This module only
puts their lines at places of the template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from functions.cli.template.deployment import Deployment
from functions.cli.template.mistake import Mistake
from functions.cli.template.props import Function, HttpTrigger, account_of
from functions.cli.template.spelling import meant
from osscopy import settings
from osscopy.check import config, triggers
from osscopy.model import Line, Misconfigured, Rule, Trigger
from osscopy.settings import Settings

_SETTINGS: Mapping[str, str] = {  # the variable that a line of the check is about, where it names none
    "settings.rules": "COPY_RULES",
    "settings.maxParallel": "MAX_PARALLEL",
    "settings.multipartThreshold": "MULTIPART_THRESHOLD",
}
_OF_A_RULE = ("source", "destination", "bucket", "prefix", "suffix", "key")


def judge_variables(function: Function, *, is_main: bool) -> Iterator[Mistake]:
    """Yield every mistake and warning; paths are those below the function's properties."""
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
        yield _mistake("timeout" if each.check == "settings.timeout" else at, each)
    brings_events = any(not isinstance(each, HttpTrigger) for each in function.triggers)
    is_known = "COPY_RULES" not in wrong and (is_main or brings_events)
    for judgement in triggers.judge(loaded, _rules(loaded) if is_known else None, _triggers(function)):
        if judgement.grade in {"failed", "warning"}:
            yield _mistake(judgement.place, judgement.line, lacks_trigger=judgement.is_of_a_lack)


def together(deployment: Deployment) -> Iterator[Mistake]:
    """Yield every mistake between triggers, of whichever functions."""
    given = [
        trigger
        for name, function in deployment.resources.items()
        for trigger in _triggers(function, f"{name}/")
    ]
    for judgement in triggers.together(given):
        found = re.fullmatch(r"triggers\.([^/]+)/(.*)", judgement.place)  # triggers.RESOURCE/NAME…
        place = f"resources.{found[1]}.props.triggers.{found[2]}" if found else "resources"
        yield _mistake(place, judgement.line, lacks_trigger=judgement.is_of_a_lack)


class _Asked(dict[str, str]):
    """Variables that remember which of them were asked for."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(variables)
        self.names: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]  # settings gives text
        self.names.add(name)
        return super().get(name, default)


def _load(variables: _Asked) -> tuple[Settings | None, dict[str, str]]:
    """Return the settings without the variables that are wrong, and what is wrong with each.

    The settings are None if too little is left of them to judge anything else.
    """
    wrong: dict[str, str] = {}
    while True:
        try:
            return settings.load(variables), wrong
        except Misconfigured as error:
            field = error.field or ""
            text = error.message.removeprefix(f"{field}: ").removeprefix(f"{field} ")
            wrong[field] = _about_rules(variables[field], text) if field == "COPY_RULES" else text
            if variables.pop(field, None) is None or field.startswith(("STATE_", "ALLOWED_")):
                return None, wrong


def _about_rules(given: str, text: str) -> str:
    """Return what is wrong with COPY_RULES, with the advice that the function's own message lacks."""
    if unknown := re.search(r"unknown field `(.*)`", text):
        return text + meant(unknown[1], _OF_A_RULE)
    if re.fullmatch(r"oss://[^/]*/?", given):
        return (
            f"{given} names no object: write {given.rstrip('/')}/KEY, such as {given.rstrip('/')}/rules.json"
        )
    if given.lstrip()[:1] not in {"[", "{"} and not given.startswith("oss://"):
        place = re.sub(r"^\w*:?/+", "", given)
        near = f"; did you mean oss://{place}?" if "/" in place else ""
        return f"{given[:100]!r} is neither a JSON list of rules nor an object oss://BUCKET/KEY{near}"
    return text


def _suspicious(function: Function, loaded: Settings, is_main: bool) -> Iterator[Line]:
    """Yield the lines of the check about settings; those about an anonymous trigger come from `triggers`."""
    deployed = config.Deployment(
        loaded, function.region, account_of(function.role), function.timeout, function.memory_size
    )
    lines = [*config.allow_lists(deployed), config.memory(deployed), *config.endpoints(deployed)]
    lines += config.rules(deployed, _rules(loaded) or ())
    if is_main:
        lines += config.timeout(deployed, 0)
    return (each for each in lines if each.status in {"failed", "warning"})


def _mistake(place: str, found: Line, *, lacks_trigger: bool = False) -> Mistake:
    several = f"{found.subject}: " if ", " in (found.subject or "") else ""
    advice = f"; {found.advice}" if found.advice else ""
    text = f"{several}{found.found}{advice}"
    return Mistake(place, text, found.status == "failed", lacks_trigger=lacks_trigger)


def _rules(loaded: Settings) -> tuple[Rule, ...] | None:
    """Return the rules of the environment; those in an object are judged when the function reads them."""
    return loaded.rules if isinstance(loaded.rules, tuple) else None


def _triggers(function: Function, before: str = "") -> list[Trigger]:
    """Return the triggers as FC lists them."""
    return [
        Trigger(
            f"{before}{each.trigger_name}",
            str(type(each).__struct_config__.tag),
            each.source_arn,
            msgspec.json.encode(each.trigger_config).decode(),
        )
        for each in function.triggers
    ]
