"""The reach of a deployment: its account, role, buckets and functions, which its rights are about.

Derived from a template that was read; it knows no YAML and must not know RAM.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from functions.cli import template
from functions.cli.errors import TemplateError
from functions.cli.template import ROOT, Deployment
from functions.cli.template.props import ROLE, Function, HttpTrigger, OssTrigger
from osscopy import settings
from osscopy.model import Misconfigured
from osscopy.plan.keys import Pattern


class Reach(msgspec.Struct, frozen=True):
    """Everything that the rights of a deployment name."""

    region: str
    account: str
    function: str  # the one that copies
    functions: tuple[str, ...]  # all of them
    role: str  # of the one that copies: its name, not its ARN
    sources: tuple[Pattern, ...]  # the function may read these ...
    destinations: tuple[Pattern, ...]  # ... and write these: its allow lists
    state_bucket: str
    state_prefix: str
    rules: settings.RulesObject | None  # the object with its rules, if they are not in the environment
    watched: tuple[str, ...]  # buckets whose events invoke it
    options: frozenset[str] = frozenset()  # the words of ALLOWED_OPTIONS
    is_signed: bool = False  # it has a STATE_KEY
    tells: bool = False  # somebody is told that jobs have ended ...
    told: str | None = None  # ... and if it is a function, its name
    dropped_role: str = ""  # of the function that is told of what FC gives up; empty if there is none
    http_role: str = ""  # of another function that HTTP requests come to; empty if there is none

    @property
    def roles(self) -> tuple[str, ...]:
        """The names of the roles that functions work with, each once."""
        return tuple(dict.fromkeys(filter(None, (self.role, self.dropped_role, self.http_role))))


def read(
    path: Path = ROOT / "s.yaml",
    new_vars: Mapping[str, str] = MappingProxyType({}),
    shell: Mapping[str, str] = MappingProxyType({}),
) -> Reach:
    """Read the template with `new_vars`, each of them YAML, in place of its vars."""
    deployment = template.read(path, shell, new_vars)
    return _reach(deployment, path.name)


def _reach(deployment: Deployment, file: str) -> Reach:
    main, place = deployment.main, f"{file}: resources.{deployment.main_resource}.props"
    try:
        loaded = settings.load(main.environment_variables)
    except Misconfigured as error:
        raise TemplateError(f"{place}.environmentVariables.{error.message}") from error
    roles = {
        name: _role(each, f"{file}: resources.{name}.props") for name, each in deployment.resources.items()
    }
    others = {name: each for name, each in deployment.resources.items() if each is not main}
    dropped = [roles[name] for name, each in others.items() if not _is_web(each)]
    return Reach(
        region=main.region,
        account=deployment.account,
        function=main.function_name,
        functions=tuple(each.function_name for each in deployment.functions),
        role=roles[deployment.main_resource],
        sources=loaded.allowed_sources,
        destinations=loaded.allowed_destinations,
        state_bucket=loaded.state_bucket,
        state_prefix=loaded.state_prefix,
        rules=loaded.rules if isinstance(loaded.rules, settings.RulesObject) else None,
        watched=tuple(each.bucket for each in main.triggers if isinstance(each, OssTrigger)),
        options=frozenset(loaded.options.words),
        is_signed=bool(loaded.seal.keys),
        tells=loaded.telling is not None,
        told=loaded.telling.function if loaded.telling else None,
        dropped_role="".join(dropped[:1]),
        http_role="".join([roles[name] for name, each in others.items() if _is_web(each)][:1]),
    )


def _is_web(function: Function) -> bool:
    return any(isinstance(each, HttpTrigger) for each in function.triggers)


def _role(function: Function, place: str) -> str:
    role = ROLE.fullmatch(function.role)
    if role is None:
        raise TemplateError(f"{place}.role: {function.role!r} is not of the form acs:ram::ACCOUNT:role/NAME")
    return role["name"]
