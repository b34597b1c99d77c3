"""Reads s.yaml (Serverless Devs, edition 3.0.0, component fc3) into what is to be deployed.

References are resolved as the `s` tool does: `${vars.x}`, `${env('X', 'default')}` (of the environment and of
`.env` files; an empty variable is none), `${config('AccountID')}`, `${resources.r.props.x}`,
`${this.props.x}`; a value that is exactly one reference keeps its type. Unlike the tool, which drops what it
does not know, an unknown reference or property is a mistake that is named with its line, all of them at once.
"""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

import msgspec
import yaml

from functions.cli.template import environment, props
from functions.cli.template.places import Places
from functions.cli.template.props import Function, account_of, check_environment

ROOT = Path(__file__).resolve().parents[3]
TRIED = "0.1.22"  # the version of the fc3 component that all this was tried with
_COMPONENT = re.compile(r"(?:devsapp/)?fc3(?:@(?P<version>\d+\.\d+\.\d+))?")
_REFERENCE = re.compile(r"\$\{(?P<inner>[^{}]*)\}")
_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\)\Z", re.DOTALL)
_ARGUMENT = re.compile(r"""\s*(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)")\s*""")
_DEPTH = 50  # values and references inside each other; an alias of YAML can name what it stands in
_MOST = 50  # mistakes of one resource

_SAID = re.compile(r"(?P<text>.*?)(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?", re.DOTALL)  # by msgspec


class Mistake(msgspec.Struct, frozen=True):
    """Something wrong with a template. `path`: where, such as `resources.f.props.timeout`."""

    path: str
    text: str
    is_error: bool = True  # else it can be deployed, and perhaps should not
    is_of_a_reference: bool = False  # which is wrong wherever it stands, and told once

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


class TemplateError(ValueError):
    """The template cannot be deployed; the message names the places.

    `repaired` is the same without what is wrong, if anything is left of it: more may be wrong with that.
    """

    def __init__(
        self,
        told: str,
        mistakes: Sequence[Mistake] = (),
        places: Places | None = None,
        repaired: Deployment | None = None,
    ) -> None:
        super().__init__(told)
        self.mistakes = tuple(mistakes)
        self.places = places
        self.repaired = repaired


class Resource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    component: str
    props: dict[str, object]
    access: str | None = None
    actions: object = None
    extend: object = None


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    edition: str
    resources: dict[str, Resource]
    name: str = ""
    access: str = "default"
    vars: dict[str, object] = {}
    template: object = None


class Deployment(msgspec.Struct, frozen=True):
    """What a template says: its resources in their order, and the values of its vars."""

    resources: Mapping[str, Function]
    props: Mapping[
        str, Mapping[str, Any]
    ]  # as they are spelt, references resolved, with the whole environment
    vars: Mapping[str, object]
    root: Path  # code and layers are relative to it
    places: Places
    versions: Mapping[str, str | None] = {}  # of each resource's component; None: whatever is newest
    asked: frozenset[str] = frozenset()  # the variables that `${env(…)}` names
    files: tuple[Path, ...] = ()  # of `.env`, in the order in which they are read

    @property
    def functions(self) -> tuple[Function, ...]:
        return tuple(self.resources.values())

    @property
    def main_resource(self) -> str:
        """The resource that copies: the first that does not hand on to another function."""
        handing_on = "INVOKE_FUNCTION"
        own = (name for name, each in self.resources.items() if handing_on not in each.environment_variables)
        return next(own, next(iter(self.resources)))

    @property
    def main(self) -> Function:
        """The function that copies."""
        return self.resources[self.main_resource]

    @property
    def account(self) -> str:
        """The account that it is deployed to: that of the function's role."""
        return account_of(self.main.role)

    @property
    def buckets(self) -> tuple[str, ...]:
        """A bucket for every var whose name ends in Bucket, each once."""
        names = (str(value) for name, value in self.vars.items() if name.endswith("Bucket") and value)
        return tuple(dict.fromkeys(names))


def read(
    path: Path, environment: Mapping[str, str], variables: Mapping[str, str] = MappingProxyType({})
) -> Deployment:
    """As `load`, where `environment` is all there is: `${config('AccountID')}` is its AccountID."""
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
    """Read the template; TemplateError if it is wrong in any way.

    `variables` override entries of `vars` (see `_overriding`), `environment` adds to or replaces environment
    variables of every function; `config` is what `${config(…)}` knows, `process_environment` what `${env(…)}`
    knows beside `.env` files.
    """
    document, places = _parse(path)
    if document.edition != "3.0.0":
        raise _wrong(path, places, [Mistake("edition", f"{document.edition!r} is not 3.0.0")])
    values = dict(document.vars)
    for name, text in variables.items():
        if name not in values:
            raise TemplateError(f"{path.name} has no var {name}; it has {', '.join(values)}")
        values[name] = _overriding(values[name], text)
    files = _files(path, document)
    known = _Known(values, document.resources, config, _extended(path, process_environment, files))
    found: list[Mistake] = []
    resolved = _Scope(known, None).resolve_all(values, "vars", found)
    functions, spelt = {}, {}
    for name, resource in document.resources.items():
        where = f"resources.{name}"
        if _COMPONENT.fullmatch(resource.component) is None:
            text = f"{resource.component!r} is neither fc3 nor fc3@VERSION"
            found.append(Mistake(f"{where}.component", text))
            continue
        found += _beyond(resource, where)
        given = _Scope(known, resource).resolve_all(resource.props, f"{where}.props", found)
        function = _function(given, environment, f"{where}.props", found)
        if function is not None:
            functions[name] = function
            spelt[name] = {**given, "environmentVariables": {**_variables(given), **environment}}
    if not document.resources:
        found.append(Mistake("resources", "there are none"))
    asked = frozenset(known.asked)
    versions = {name: _version(document.resources[name].component) for name in functions}
    deployment = Deployment(functions, spelt, resolved, path.resolve().parent, places, versions, asked, files)
    if found:
        raise _wrong(path, places, found, deployment if functions else None)
    return deployment


def _version(component: str) -> str | None:
    found = _COMPONENT.fullmatch(component)
    return found["version"] if found else None


def _beyond(resource: Resource, where: str) -> Iterator[Mistake]:
    """What the tool would do that nobody here judges: run commands, or add properties."""
    if resource.actions is not None:
        yield Mistake(f"{where}.actions", "runs commands on this machine: take it out, and run them yourself")
    if resource.extend is not None:
        yield Mistake(f"{where}.extend", "adds what is not judged here: write it into props")


def rendered(path: Path, places: Places, mistakes: Iterable[Mistake]) -> list[str]:
    """A line for each, in the file's order; what one line of it does to several resources is told once."""
    once: dict[tuple[object, str], tuple[int, Mistake]] = {}
    for each in mistakes:
        line = places.line(each.path) or 0
        place = None if each.is_of_a_reference else line or each.path
        once.setdefault((place, each.text), (line, each))
    told = sorted(once.values(), key=lambda found: found[0])
    return [
        f"{path.name}{f':{line}' if line else ''}: {each}{_by_way_of(places, each)}" for line, each in told
    ]


def _by_way_of(places: Places, mistake: Mistake) -> str:
    """Where the value is that a property takes from a var."""
    if mistake.text.startswith("unknown "):
        return ""
    found = re.fullmatch(r"\$\{(vars\.\w+)\}", places.text(mistake.path) or "")
    line = places.line(found[1]) if found else None
    return f" ({found[1]} is in line {line})" if found and line else ""


def _wrong(
    path: Path, places: Places, found: Sequence[Mistake], repaired: Deployment | None = None
) -> TemplateError:
    text = "\n".join(rendered(path, places, found))
    return TemplateError(text, found, places, repaired)


def _files(path: Path, document: Document) -> tuple[Path, ...]:
    """The `.env` files in the order in which `s` reads them, when it is started in the root."""
    codes = [each.props.get("code") for each in document.resources.values()]
    folders = [ROOT, *(ROOT / code for code in codes if isinstance(code, str)), path.resolve().parent]
    return tuple(folder / ".env" for folder in folders)


def environment_of(path: Path, given: Mapping[str, str]) -> dict[str, str]:
    """The environment with what the `.env` files of this template add, even if it cannot be read."""
    try:
        files = _files(path, _parse(path)[0])
    except TemplateError:
        files = (ROOT / ".env", path.resolve().parent / ".env")
    return _extended(path, given, files)


def _extended(path: Path, given: Mapping[str, str], files: Sequence[Path]) -> dict[str, str]:
    try:
        return environment.extended(given, files)
    except ValueError as error:
        raise TemplateError(f"{path.name}: {error}") from error


def _overriding(own: object, text: str) -> object:
    """The value that `text` gives a var in place of its `own`: YAML, so that numbers stay numbers.

    The text as it is where it is no YAML (`@every 1m`), and where the var is text and YAML makes something
    else of it (`[]`, `2026`, nothing at all).
    """
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):  # not YAML; a date that is none; `[[[[…`
        return text
    return text if isinstance(own, str) and not isinstance(value, str) else value


def _parse(path: Path) -> tuple[Document, Places]:
    try:
        text = path.read_text(encoding="utf-8")
        content, places = yaml.safe_load(text), Places(text)
    except (OSError, yaml.YAMLError, ValueError) as exc:
        raise TemplateError(f"{path.name}: {exc}") from exc
    try:
        return msgspec.convert(content, Document), places
    except msgspec.ValidationError as exc:
        place, said = _said(exc)
        raise _wrong(path, places, [Mistake(place, said)]) from exc


# --- properties --------------------------------------------------------------------------------------------


def _function(
    given: Mapping[str, Any], more: Mapping[str, str], where: str, found: list[Mistake]
) -> Function | None:
    """The function without what is wrong with it, which is added to `found`; None if nothing is left."""
    variables = _variables(given)
    texts = {name: value for name, value in variables.items() if isinstance(value, str)}
    for name in variables.keys() - texts.keys():
        text = _no_text(name, variables[name])
        found.append(Mistake(f"{where}.environmentVariables.{name}", text))
    value = copy.deepcopy({**given, "environmentVariables": texts} if variables else dict(given))
    function = _Repair(value, where).convert(found)
    if function is None:
        return None
    both = {**function.environment_variables, **more}
    try:
        check_environment(both)
    except ValueError as exc:
        found.append(Mistake(f"{where}.environmentVariables", str(exc)))
    return msgspec.structs.replace(function, environment_variables=both)


def _variables(given: Mapping[str, Any]) -> dict[str, Any]:
    variables = given.get("environmentVariables")
    return dict(variables) if isinstance(variables, Mapping) else {}


def _no_text(name: str, value: object) -> str:
    if isinstance(value, bool | int | float):
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        return f'{shown} is no text: put it in quotes, {name}: "{shown}"'
    return f"{type(value).__name__} is no text" if value is not None else 'there is no value: write ""'


class _Repair:
    """Properties from which one mistake after the other is taken away, until they make a function."""

    def __init__(self, value: Any, where: str) -> None:  # noqa: ANN401 - YAML is anything
        self._value = value
        self._where = where
        self._removed: set[tuple[int, str]] = set()  # by the container's identity
        self._containers: list[Any] = []  # kept, so that identities stay what they are

    def convert(self, found: list[Mistake]) -> Function | None:
        for _ in range(_MOST):
            try:
                return msgspec.convert(self._value, Function)
            except msgspec.ValidationError as error:
                if not self._take_away(error, found):
                    return None
        return None

    def _take_away(self, error: msgspec.ValidationError, found: list[Mistake]) -> bool:
        """Whether something could be taken away; it is told unless it is about what has gone already."""
        place, text = _said(error)
        chain = self._chain(place)
        holder, key, inner = chain[-1]
        names = re.findall(r"`([^`]*)`", str(error).rpartition(" - at `")[0] or str(error))
        is_told = not any((id(inner), name) in self._removed for name in names)
        named = [name for name in names if name in inner] if isinstance(inner, dict) else []
        path = ".".join([self._path(chain), *(named or _missing(text, names))[:1]])
        if is_told and path not in {each.path for each in found}:
            found.append(Mistake(path, text))
        container, entry = (inner, named[0]) if named else (holder, key)
        if container is None:
            return False
        del container[entry]
        self._removed.add((id(container), str(entry)))
        self._containers.append(container)
        return True

    def _chain(self, place: str) -> list[tuple[Any, Any, Any]]:
        """From the outside in: container, key, what is there."""
        chain: list[tuple[Any, Any, Any]] = [(None, "", self._value)]
        for step in re.findall(r"[^.\[\]]+", place):
            inner = chain[-1][2]
            key = int(step) if isinstance(inner, list) else step
            if isinstance(inner, dict) and key not in inner:
                break
            chain.append((inner, key, inner[key]))
        return chain

    def _path(self, chain: Sequence[tuple[Any, Any, Any]]) -> str:
        """A trigger goes by its name, since its number changes when another is taken away."""
        steps = [
            inner.get("triggerName", key) if isinstance(inner, dict) and isinstance(key, int) else key
            for _, key, inner in chain[1:]
        ]
        return ".".join(map(str, [self._where, *steps]))


def _missing(text: str, names: Sequence[str]) -> Sequence[str]:
    """The property that is not there, if that is what is wrong."""
    return names if "missing" in text else []


def _said(error: msgspec.ValidationError) -> tuple[str, str]:
    """The path and the words of msgspec, with what may have been meant."""
    match = _SAID.fullmatch(str(error))
    text, path = (match["text"], match["path"] or "") if match else (str(error), "")
    if found := re.fullmatch(r"Object contains unknown field `(.*)`", text):
        text = f"unknown property `{found[1]}`{meant(found[1], _PROPERTIES)}"
    elif found := re.fullmatch(r"Object missing required field `(.*)`", text):
        text = f"missing property `{found[1]}`"
    elif found := re.fullmatch(r"Invalid (?:enum )?value '(.*)'", text):
        text += meant(found[1], _VALUES)
    return path.lstrip("."), text


def meant(text: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, or nothing if nothing known is like it."""
    by_case = {each.lower(): each for each in known}
    near = difflib.get_close_matches(text.lower(), by_case, n=1, cutoff=0.7)
    return f"; did you mean {by_case[near[0]]}?" if near else ""


def _fields() -> Iterator[str]:
    for kind in vars(props).values():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from (field.encode_name for field in msgspec.structs.fields(kind))


_PROPERTIES = frozenset([*_fields(), *Document.__struct_fields__, *Resource.__struct_fields__, "triggerType"])
_VALUES = (*get_args(props.OssEventName), *get_args(props.Runtime), *get_args(props.Method), "oss", "timer",
           "http", "eventbridge", "function", "anonymous", "jwt")  # fmt: skip


# --- references --------------------------------------------------------------------------------------------


class _Known:
    """What references can name everywhere in a template, and which variables they have asked for."""

    def __init__(
        self,
        variables: Mapping[str, object],
        resources: Mapping[str, Resource],
        config: Mapping[str, str],
        environment: Mapping[str, str],
    ) -> None:
        self.variables = variables
        self.resources = resources
        self.config = config
        self.environment = environment
        self.asked: set[str] = set()


_GONE = object()


class _Scope:
    """What a reference can name at one place of the template."""

    def __init__(self, known: _Known, this: Resource | None) -> None:
        self._known = known
        self._this = this

    def resolve_all(self, given: Mapping[str, Any], path: str, found: list[Mistake]) -> dict[str, Any]:
        """The values with all references replaced; wrong ones are left out, and added to `found`."""
        resolved: dict[str, Any] = self._all(given, path, found, 0)
        return resolved

    def _all(self, value: Any, path: str, found: list[Mistake], depth: int) -> Any:  # noqa: ANN401 - YAML is anything
        try:
            if depth > _DEPTH:
                raise TemplateError("references go round in a circle")
            match value:
                case dict():
                    entries = ((k, self._all(v, f"{path}.{k}", found, depth + 1)) for k, v in value.items())
                    return {name: item for name, item in entries if item is not _GONE}
                case list():
                    items = (self._all(v, f"{path}[{i}]", found, depth + 1) for i, v in enumerate(value))
                    return [item for item in items if item is not _GONE]
            return self.resolve(value)
        except TemplateError as error:
            found.append(Mistake(path, str(error), is_of_a_reference=True))
            return _GONE

    def resolve(self, value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - YAML is anything
        """The value with all its references replaced, also those inside what they name."""
        if depth > _DEPTH:
            raise TemplateError("references go round in a circle")
        match value:
            case str():
                return self._text(value, depth)
            case dict():
                return {name: self.resolve(item, depth + 1) for name, item in value.items()}
            case list():
                return [self.resolve(item, depth + 1) for item in value]
        return value

    def _text(self, text: str, depth: int) -> object:
        if whole := _REFERENCE.fullmatch(text):
            return self.resolve(self._look_up(whole["inner"].strip()), depth + 1)

        def replace(match: re.Match[str]) -> str:
            found = self.resolve(self._look_up(match["inner"].strip()), depth + 1)
            if isinstance(found, dict | list) or found is None:
                raise TemplateError(f"{match[0]} is no text and cannot stand inside one")
            return str(found).lower() if isinstance(found, bool) else str(found)

        return _REFERENCE.sub(replace, text)

    def _look_up(self, reference: str) -> object:
        if call := _CALL.match(reference):
            return self._call(call["name"], call["arguments"], reference)
        head, *path = reference.split(".")
        resources = self._known.resources
        match head:
            case "vars":
                return self._walk(self._known.variables, path, reference)
            case "resources" if path and path[0] in resources and path[1:2] == ["props"]:
                return self._walk(resources[path[0]].props, path[2:], reference)
            case "this" if self._this is not None and path[:1] == ["props"]:
                return self._walk(self._this.props, path[1:], reference)
        raise self._unknown(reference)

    def _call(self, name: str, arguments: str, reference: str) -> object:
        values = [match["single"] or match["double"] or "" for match in _ARGUMENT.finditer(arguments)]
        if not values or ",".join(_ARGUMENT.sub("", part) for part in arguments.split(",")).strip(","):
            raise self._unknown(reference)
        match name, values:
            case "env", [variable, *default] if len(default) <= 1:
                return self._variable(variable, default)
            case "config", [key] if key in self._known.config:
                return self._known.config[key]
            case "config", ["AccountID"]:
                raise TemplateError(f"${{{reference}}}: set the environment variable AccountID")
        raise self._unknown(reference)

    def _variable(self, variable: str, default: Sequence[str]) -> str:
        """A variable that is empty is none, as for the tool."""
        self._known.asked.add(variable)
        found = self._known.environment.get(variable)
        if not found and not default:
            raise TemplateError(
                f"environment variable {variable} is not set: export it, or write {variable}=… into .env "
                "beside the template"
            )
        return found or default[0]

    def _walk(self, value: object, path: list[str], reference: str) -> object:
        for name in path:
            if not isinstance(value, Mapping) or name not in value:
                near = meant(name, value) if isinstance(value, Mapping) else ""
                raise TemplateError(f"unknown reference ${{{reference}}}{near}")
            value = value[name]
        return value

    def _unknown(self, reference: str) -> TemplateError:
        return TemplateError(f"unknown reference ${{{reference}}}")
