"""Finds the differences between a function of s.yaml and the same function in FC: values in, values out.

Compares everything that s.yaml can say, with the defaults that the fc3 component (0.1.22) sends for missing
properties; FC's own additions (times, ids, states) do not count. Asks nobody, and shows no value of an
environment variable: it may be a secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from functions.cli.template.props import Function, says_nothing

Json: TypeAlias = Mapping[str, Any]

_NOT_UPDATABLE = ("triggerType", "sourceArn")  # of a trigger: UpdateTrigger has no field for them
_SENT = frozenset(  # a deploy sends these, even if the template leaves them out
    [
        "description",
        "environmentVariables",
        "instanceLifecycleConfig",
        "internetAccess",
        "layers",
        "logConfig",
        "memorySize",
        "timeout",
    ]
)
_APART = frozenset(["asyncInvokeConfig", "code", "concurrencyConfig", "functionName", "region", "triggers"])
# s.yaml cannot give these powers: the component empties the first four, and never touches the others.
_NEVER_GIVEN = (
    "vpcConfig",
    "nasConfig",
    "ossMountConfig",
    "tracingConfig",
    "customDNS",
    "customContainerConfig",
    "customRuntimeConfig",
)


class FunctionInFc(msgspec.Struct, frozen=True):
    """One function as FC has it; None where there is none."""

    function: Json | None
    triggers: tuple[Json, ...] = ()
    asynchronous: Json | None = None
    concurrency: Json | None = None


class Differs(msgspec.Struct, frozen=True):
    """A place of the function where FC has something else; `text` describes it."""

    function: str
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.function}: {self.place}: {self.text}"


class NeedsRecreation(msgspec.Struct, frozen=True):
    """A trigger that no update sets right: it has to be deleted and created."""

    function: str
    trigger: str
    text: str

    def __str__(self) -> str:
        return f"{self.function}: triggers.{self.trigger}.{self.text}"


class OnlyInFc(msgspec.Struct, frozen=True):
    """Only FC has this: `triggers.NAME`, `asyncInvokeConfig` or `concurrencyConfig`."""

    function: str
    place: str

    def __str__(self) -> str:
        return f"{self.function}: {self.place}: FC has it, and s.yaml does not"


Difference: TypeAlias = Differs | NeedsRecreation | OnlyInFc


def find_differences(function: Function, as_written: Json, seen: FunctionInFc) -> list[Difference]:
    """Return every difference. `as_written` are the props as the template has them, references resolved."""
    name = function.function_name
    if seen.function is None:
        return [Differs(name, "function", "FC has no such function")]
    return [
        *(Differs(name, place, text) for place, text in _properties(function, as_written, seen.function)),
        *_triggers(function, seen.triggers),
        *_asynchronous(name, as_written.get("asyncInvokeConfig"), seen.asynchronous),
        *_concurrency(name, as_written.get("concurrencyConfig"), seen.concurrency),
    ]


# --- the function ---


def _properties(function: Function, as_written: Json, seen: Json) -> Iterator[tuple[str, str]]:
    wanted = _plain(function)
    for name in wanted:
        if name not in _APART and (name in as_written or name in _SENT):
            yield from _property(name, wanted[name], seen.get(name))
    for name in _NEVER_GIVEN:
        if not says_nothing(seen.get(name)):
            yield name, "FC has it, and s.yaml does not"


def _property(name: str, wanted: Any, seen: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON is anything
    match name:
        case "environmentVariables":
            yield from _variables(wanted, seen or {})
        case "layers":
            yield from _compare(name, wanted, [each.get("arn") for each in seen or ()])
        case "logConfig":
            yield from _log(wanted, seen or {})
        case "instanceLifecycleConfig":
            yield from _hook(wanted.get("initializer"), seen or {})
        case "role":
            yield from _compare(name, _role(wanted), _role(seen))
        case "tags":
            yield from _tags(wanted, seen or ())
        case _:
            yield from _compare(name, wanted, seen)


def _variables(wanted: Json, found: Json) -> Iterator[tuple[str, str]]:
    for name in sorted(wanted.keys() | found.keys()):
        if name not in found:
            yield f"environmentVariables.{name}", "FC has no such variable"
        elif name not in wanted:
            yield f"environmentVariables.{name}", "FC has it, and s.yaml does not"
        elif wanted[name] != found[name]:
            yield f"environmentVariables.{name}", "FC has another value"


def _log(wanted: object, found: Json) -> Iterator[tuple[str, str]]:
    """Compare logs. One without a project is none; for `auto` the component creates project and logstore."""
    there = found if found.get("project") else None
    if wanted != "auto":
        yield from _compare("logConfig", wanted, there)
    elif there is None:
        yield "logConfig", "FC has none, and s.yaml says auto"


def _hook(wanted: Json | None, seen: Json) -> Iterator[tuple[str, str]]:
    """Compare initializers. One that runs nothing is none."""
    found = seen.get("initializer") or {}
    runs = found.get("handler") or found.get("command")
    yield from _compare("instanceLifecycleConfig.initializer", wanted, found if runs else None)


def _tags(wanted: Sequence[Json], found: Sequence[Json]) -> Iterator[tuple[str, str]]:
    """Look for the tags that are wanted: FC adds others of its own."""
    for tag in wanted:
        lowered = {name.lower(): value for name, value in tag.items()}
        if lowered not in [{"key": each.get("key"), "value": each.get("value")} for each in found]:
            yield "tags", f"FC has no {lowered.get('key')}={lowered.get('value')}"


def _role(arn: object) -> str:
    """Return the ARN in lower case: RAM ignores case in names of roles, and the component sends it so."""
    return str(arn or "").lower()


# --- triggers ---


def _triggers(function: Function, seen: tuple[Json, ...]) -> Iterator[Difference]:
    name = function.function_name
    found = {str(each.get("triggerName")): each for each in seen}
    for trigger in function.triggers:
        wanted = _plain(trigger)
        there = found.pop(trigger.trigger_name, None)
        if there is None:
            yield Differs(name, f"triggers.{trigger.trigger_name}", "FC has no such trigger")
        elif unmatched := [text for field in _NOT_UPDATABLE for text in _not_updatable(field, wanted, there)]:
            yield NeedsRecreation(name, trigger.trigger_name, unmatched[0])
        else:
            for place, text in _trigger(wanted, there):
                yield Differs(name, f"triggers.{trigger.trigger_name}.{place}", text)
    yield from (OnlyInFc(name, f"triggers.{each}") for each in sorted(found))


def _not_updatable(field: str, wanted: Json, found: Json) -> Iterator[str]:
    """Compare a source only if the template has one: FC fills in that of some kinds of trigger by itself."""
    for place, text in _compare(field, wanted[field], found.get(field)) if wanted[field] else ():
        yield f"{place}: {text}"


def _trigger(wanted: Json, found: Json) -> Iterator[tuple[str, str]]:
    yield from _compare("description", wanted["description"], found.get("description"))
    yield from _compare("qualifier", wanted["qualifier"], found.get("qualifier") or "LATEST")
    if role := _role(wanted["invocationRole"]):
        yield from _compare("invocationRole", role, _role(found.get("invocationRole")))
    config = _config(found.get("triggerConfig"))
    yield from _compare("triggerConfig", _sorted(wanted["triggerConfig"]), _sorted(config))


def _config(given: object) -> object:
    """Return the configuration as a value: in the API it is a JSON text."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except ValueError:
        return given


def _sorted(config: object) -> object:
    """Return the configuration with its lists of texts sorted: events and methods are sets."""
    if not isinstance(config, dict):
        return config
    return {
        name: sorted(value)
        if isinstance(value, list) and all(isinstance(each, str) for each in value)
        else value
        for name, value in config.items()
    }


# --- how it is invoked ---


def _asynchronous(name: str, as_written: Json | None, seen: Json | None) -> Iterator[Difference]:
    """Compare the fields that the template has, and destinations, which are always sent."""
    if not as_written:
        if seen is not None:
            yield OnlyInFc(name, "asyncInvokeConfig")
        return
    destinations = as_written.get("destinationConfig") or {}
    sides = {side: destinations.get(side) for side in ("onSuccess", "onFailure")}
    wanted = {**as_written, "destinationConfig": sides}
    for field in (each for each in wanted if each != "qualifier"):
        place = f"asyncInvokeConfig.{field}"
        for at, text in _compare(place, wanted[field], (seen or {}).get(field)):
            yield Differs(name, at, text)


def _concurrency(name: str, as_written: Json | None, seen: Json | None) -> Iterator[Difference]:
    field = "reservedConcurrency"
    found = (seen or {}).get(field)
    if not as_written:
        if found is not None:
            yield OnlyInFc(name, "concurrencyConfig")
        return
    for place, text in _compare(f"concurrencyConfig.{field}", as_written.get(field), found):
        yield Differs(name, place, text)


def _compare(place: str, wanted: object, found: object) -> Iterator[tuple[str, str]]:
    """Compare objects by the fields that are wanted, all else as a whole; an empty value may be missing."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            yield from _compare(f"{place}.{name}", value, found.get(name))
        return
    if wanted != found and not (says_nothing(wanted) and says_nothing(found)):
        yield place, f"FC has {_shown(found)}, and s.yaml says {_shown(wanted)}"


def _plain(value: msgspec.Struct) -> dict[str, Any]:
    """Return the value as JSON has it: no tuples."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(value))
    return plain


def _shown(value: object) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
