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
    path: Path, shell: Mapping[str, str], new_vars: Mapping[str, str] = MappingProxyType({})
) -> Deployment:
    """Read the template as `load` does; `shell` also answers `${config('AccountID')}`."""
    s_config = {name: shell[name] for name in ("AccountID",) if name in shell}
    return load(path, new_vars=new_vars, extra_variables={}, s_config=s_config, shell=shell)


def load(
    path: Path,
    *,
    new_vars: Mapping[str, str],
    extra_variables: Mapping[str, str],
    s_config: Mapping[str, str],
    shell: Mapping[str, str],
) -> Deployment:
    """Read the template; raise TemplateError if it is wrong in any way.

    - `new_vars` replace entries of the template's `vars` (see `_overriding`);
    - `extra_variables` are environment variables that every function gets, in place of its own of that name;
    - `s_config` answers `${config(…)}`: what the `s` tool knows of the account;
    - `shell` answers `${env(…)}`: the environment of whoever deploys, to which the `.env` files are added.
    """
    document, places = parse(path)
    if document.edition != "3.0.0":
        raise Mistaken(path, places, [Mistake("edition", f"{document.edition!r} is not 3.0.0")])
    files = _files(path, document)
    found: list[Mistake] = []
    values = _replace_vars(document, new_vars, path)
    known = Known(values, document.resources, s_config, _extended(path, shell, files))
    resolved = Scope(known).resolve_all(values, "vars", found)
    functions, written, versions = {}, {}, {}
    for name, resource in document.resources.items():
        where = f"resources.{name}"
        found += _not_judged(resource, where)
        if (component := _COMPONENT.fullmatch(resource.component)) is None:
            continue
        given = Scope(known, resource).resolve_all(resource.props, f"{where}.props", found)
        if function := make_function(given, extra_variables, f"{where}.props", found):
            functions[name], versions[name] = function, component["version"]
            variables = {**variables_of(given), **extra_variables}
            written[name] = {**given, "environmentVariables": variables}
    if not document.resources:
        found.append(Mistake("resources", "there are none"))
    deployment = Deployment(
        functions, written, resolved, path.resolve().parent, places, versions, frozenset(known.asked), files
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


def _not_judged(resource: Resource, where: str) -> Iterator[Mistake]:
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


def _replace_vars(document: Document, new_vars: Mapping[str, str], path: Path) -> dict[str, object]:
    """Return the document's vars with these values in place of its own."""
    values = dict(document.vars)
    for name, text in new_vars.items():
        if name not in values:
            raise TemplateError(f"{path.name} has no var {name}; it has {', '.join(values)}")
        values[name] = _overriding(values[name], text)
    return values


def _overriding(own: object, text: str) -> object:
    """Return the value that `text` gives a var in place of its `own`: YAML, so that numbers stay numbers.

    Keep the text if it is not YAML (`@every 1m`), or if the var is a string and YAML would make another type
    (`[]`, `2026`, nothing at all).
    """
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):  # not YAML; an impossible date; `[[[[…`
        return text
    return text if isinstance(own, str) and not isinstance(value, str) else value
