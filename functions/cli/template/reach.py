"""How far a deployment reaches: its account, role, buckets and functions, which its rights are about.

Derived from what `template` reads; it knows no YAML, must not know RAM, nor any client.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from functions.cli.template import reading as template
from functions.cli.template.props import OssTrigger
from functions.cli.template.reading import ROOT, Deployment, TemplateError
from osscopy import settings
from osscopy.model import Misconfigured
from osscopy.plan.keys import Pattern

ROLE = re.compile(r"acs:ram::(?P<account>\d+):role/(?P<name>[\w.-]+)")


class Reach(msgspec.Struct, frozen=True):
    region: str
    account: str
    function: str  # that copies
    functions: tuple[str, ...]  # all there are
    role: str  # its name, not its ARN
    sources: tuple[Pattern, ...]  # what the function may read ...
    destinations: tuple[Pattern, ...]  # ... and write: its allow lists
    state_bucket: str
    state_prefix: str
    rules: settings.RulesObject | None  # where its rules are, if not in the environment
    watched: tuple[str, ...]  # buckets whose events invoke it


def read(
    path: Path = ROOT / "s.yaml",
    variables: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Reach:
    """What the template says, with `variables` in place of its vars (each is YAML); else TemplateError."""
    deployment = template.read(path, environment or {}, variables or {})
    place = f"{path.name}: resources.{deployment.main_resource}.props"
    return _reach(deployment, place)


def _reach(deployment: Deployment, place: str) -> Reach:
    main = deployment.main
    try:
        said = settings.load(main.environment_variables)
    except Misconfigured as error:
        raise TemplateError(f"{place}.environmentVariables.{error.message}") from error
    role = ROLE.fullmatch(main.role)
    if role is None:
        raise TemplateError(f"{place}.role: {main.role!r} is not of the form acs:ram::ACCOUNT:role/NAME")
    return Reach(
        region=main.region,
        account=role["account"],
        function=main.function_name,
        functions=tuple(each.function_name for each in deployment.functions),
        role=role["name"],
        sources=said.allowed_sources,
        destinations=said.allowed_destinations,
        state_bucket=said.state_bucket,
        state_prefix=said.state_prefix,
        rules=said.rules if isinstance(said.rules, settings.RulesObject) else None,
        watched=tuple(each.bucket for each in main.triggers if isinstance(each, OssTrigger)),
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
