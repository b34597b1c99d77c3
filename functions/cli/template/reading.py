"""Reads s.yaml (Serverless Devs, edition 3.0.0, component fc3) into a Deployment.

An unknown reference or property is a mistake; all of them are named at once, each with its line. This module
must not know which properties fit together: `judging` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import yaml

from functions.cli.errors import TemplateError
from functions.cli.template import environment as env_files
from functions.cli.template.deployment import ROOT, Deployment
from functions.cli.template.document import Document, Resource, parse
from functions.cli.template.mistake import Mistake, Mistaken
from functions.cli.template.references import Known, Scope
from functions.cli.template.repair import make_function, variables_of

_COMPONENT = re.compile(r"(?:devsapp/)?fc3(?:@(?P<version>\d+\.\d+\.\d+))?")


def read(
    path: Path, environment: Mapping[str, str], variables: Mapping[str, str] = MappingProxyType({})
) -> Deployment:
    """Read the template as `load` does; `environment` is also where `${config('AccountID')}` looks."""
    config = {name: environment[name] for name in ("AccountID",) if name in environment}
    return load(path, variables=variables, environment={}, config=config, process_environment=environment)


def load(
    path: Path,
    *,
    variables: Mapping[str, str],
    environment: Mapping[str, str],
    config: Mapping[str, str],
    process_environment: Mapping[str, str],
) -> Deployment:
    """Read the template; raise TemplateError if it is wrong in any way.

    `variables` override entries of `vars` (see `_overriding`), `environment` adds to or replaces environment
    variables of every function; `config` is for `${config(…)}`, `process_environment` for `${env(…)}`, beside
    the `.env` files.
    """
    document, places = parse(path)
    if document.edition != "3.0.0":
        raise Mistaken(path, places, [Mistake("edition", f"{document.edition!r} is not 3.0.0")])
    files = _files(path, document)
    found: list[Mistake] = []
    values = _with(variables, document, path)
    known = Known(values, document.resources, config, _extended(path, process_environment, files))
    resolved = Scope(known).resolve_all(values, "vars", found)
    functions, spelt, versions = {}, {}, {}
    for name, resource in document.resources.items():
        where = f"resources.{name}"
        found += _beyond(resource, where)
        if (component := _COMPONENT.fullmatch(resource.component)) is None:
            continue
        given = Scope(known, resource).resolve_all(resource.props, f"{where}.props", found)
        if function := make_function(given, environment, f"{where}.props", found):
            functions[name], versions[name] = function, component["version"]
            spelt[name] = {**given, "environmentVariables": {**variables_of(given), **environment}}
    if not document.resources:
        found.append(Mistake("resources", "there are none"))
    deployment = Deployment(
        functions, spelt, resolved, path.resolve().parent, places, versions, frozenset(known.asked), files
    )
    if found:
        raise Mistaken(path, places, found, deployment if functions else None)
    return deployment


def environment_of(path: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the `.env` files of this template added, even if it cannot be read."""
    try:
        files = _files(path, parse(path)[0])
    except TemplateError:
        files = (ROOT / ".env", path.resolve().parent / ".env")
    return _extended(path, given, files)


def _beyond(resource: Resource, where: str) -> Iterator[Mistake]:
    """Yield what the tool would do that nobody judges here: run commands, or add properties."""
    if _COMPONENT.fullmatch(resource.component) is None:
        yield Mistake(f"{where}.component", f"{resource.component!r} is neither fc3 nor fc3@VERSION")
        return
    if resource.actions is not None:
        yield Mistake(f"{where}.actions", "runs commands on this machine: take it out, and run them yourself")
    if resource.extend is not None:
        yield Mistake(f"{where}.extend", "adds what is not judged here: write it into props")


def _files(path: Path, document: Document) -> tuple[Path, ...]:
    """Return the `.env` files in the order in which `s` reads them, when it is started in the root."""
    codes = [each.props.get("code") for each in document.resources.values()]
    folders = [ROOT, *(ROOT / code for code in codes if isinstance(code, str)), path.resolve().parent]
    return tuple(folder / ".env" for folder in folders)


def _extended(path: Path, given: Mapping[str, str], files: Sequence[Path]) -> dict[str, str]:
    try:
        return env_files.extended(given, files)
    except ValueError as error:
        raise TemplateError(f"{path.name}: {error}") from error


def _with(variables: Mapping[str, str], document: Document, path: Path) -> dict[str, object]:
    """Return the document's vars with these values in place of its own."""
    values = dict(document.vars)
    for name, text in variables.items():
        if name not in values:
            raise TemplateError(f"{path.name} has no var {name}; it has {', '.join(values)}")
        values[name] = _overriding(values[name], text)
    return values


def _overriding(own: object, text: str) -> object:
    """Return the value that `text` gives a var in place of its `own`: YAML, so that numbers stay numbers.

    The text itself where it is no YAML (`@every 1m`), and where the var is text and YAML makes something else
    of it (`[]`, `2026`, nothing at all).
    """
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):  # not YAML; an impossible date; `[[[[…`
        return text
    return text if isinstance(own, str) and not isinstance(value, str) else value
