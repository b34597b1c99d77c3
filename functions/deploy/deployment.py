"""What is deployed where, read from s.yaml: the one place that the deployer's tools learn it from.

Knows the template's vars and the few properties that decide about rights and buckets. It must not know RAM,
nor any client. Of references it resolves `${vars.…}`; another one in a value that is needed here is an error
that names it.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from osscopy import settings
from osscopy.model import Misconfigured
from osscopy.names import Pattern

ROOT = Path(__file__).resolve().parents[2]
_REFERENCE = re.compile(r"\$\{(?P<inner>[^{}]*)\}")
_ROLE = re.compile(r"acs:ram::(?P<account>\d+):role/(?P<name>[\w.-]+)")


class DeploymentError(ValueError):
    """The template does not say what is needed; the message names the place."""


class Deployment(msgspec.Struct, frozen=True):
    region: str
    account: str
    function: str
    role: str  # its name, not its ARN
    sources: tuple[Pattern, ...]  # what the function may read ...
    destinations: tuple[Pattern, ...]  # ... and write: its allow lists
    state_bucket: str
    state_prefix: str
    rules: settings.RulesObject | None  # where its rules are, if not in the environment
    watched: tuple[str, ...]  # buckets whose events invoke it


def read(template: Path = ROOT / "s.yaml", variables: Mapping[str, str] | None = None) -> Deployment:
    """What the template says, with `variables` in place of its vars (each is YAML); else DeploymentError."""
    try:
        document = yaml.safe_load(template.read_text(encoding="utf-8"))
        values = dict(document["vars"])
        props = next(each["props"] for each in document["resources"].values() if _is_main(each["props"]))
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError, StopIteration) as error:
        raise DeploymentError(f"{template.name}: not the template of this function: {error!r}") from error
    for name, text in (variables or {}).items():
        if name not in values:
            raise DeploymentError(f"{template.name} has no var {name}; it has {', '.join(values)}")
        values[name] = yaml.safe_load(text)
    return _deployment(props, _Resolver(template.name, values))


def _is_main(props: Mapping[str, Any]) -> bool:
    """The copying function, not a smaller one beside it: the one that has a state bucket."""
    return "STATE_BUCKET" in props.get("environmentVariables", {})


class _Resolver:
    def __init__(self, template: str, values: Mapping[str, object]) -> None:
        self._template = template
        self._values = values

    def text(self, props: Mapping[str, Any], name: str) -> str:
        value = props.get(name)
        if not isinstance(value, str | int):
            raise DeploymentError(f"{self._template}: {name} is missing, or no text")
        return _REFERENCE.sub(lambda match: self._look_up(match["inner"].strip(), name), str(value))

    def _look_up(self, reference: str, where: str) -> str:
        kind, _, name = reference.partition(".")
        if kind != "vars" or name not in self._values:
            raise DeploymentError(f"{self._template}: {where}: ${{{reference}}} cannot be resolved here")
        return str(self._values[name])


def _deployment(props: Mapping[str, Any], resolver: _Resolver) -> Deployment:
    environment = props["environmentVariables"]
    names = ("STATE_BUCKET", "STATE_PREFIX", "ALLOWED_SOURCES", "ALLOWED_DESTINATIONS", "COPY_RULES")
    try:
        said = settings.load(
            {name: resolver.text(environment, name) for name in names if name in environment}
        )
    except Misconfigured as error:
        raise DeploymentError(str(error)) from error
    role = _ROLE.fullmatch(resolver.text(props, "role"))
    if role is None:
        raise DeploymentError("role: not of the form acs:ram::ACCOUNT:role/NAME")
    triggers = [each for each in props.get("triggers", []) if each.get("triggerType") == "oss"]
    return Deployment(
        region=resolver.text(props, "region"),
        account=role["account"],
        function=resolver.text(props, "functionName"),
        role=role["name"],
        sources=said.allowed_sources,
        destinations=said.allowed_destinations,
        state_bucket=said.state_bucket,
        state_prefix=said.state_prefix,
        rules=said.rules if isinstance(said.rules, settings.RulesObject) else None,
        watched=tuple(resolver.text(each, "sourceArn").rpartition(":")[2] for each in triggers),
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--template` and `--var`, as every tool of the deployer has them."""
    parser.add_argument("--template", type=Path, default=ROOT / "s.yaml", metavar="FILE")
    parser.add_argument(
        "--var",
        type=_pair,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="in place of a var of the template, as often as needed",
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value
