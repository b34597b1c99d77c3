"""What FC has against what s.yaml says: two values in, every difference out.

Compared is what s.yaml can say, with the defaults that the fc3 component sends for what it leaves out; what
FC tells besides (times, ids, states) is its own. Asks nobody, and shows no value of an environment
variable: it may be a secret. What UpdateTrigger has no field for, and what `s deploy` leaves where s.yaml no
longer has it: devsapp/fc3 0.1.22.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from functions.cli.template.props import Function, says_nothing

Json: TypeAlias = Mapping[str, Any]

_FIXED = ("triggerType", "sourceArn")  # of a trigger, for good: UpdateTrigger has neither
_SENT = frozenset(  # what a deploy sends, whether the template says it or not
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
# Powers that s.yaml cannot give: the component empties the first four, and never touches the others.
_NEVER_SAID = (
    "vpcConfig",
    "nasConfig",
    "ossMountConfig",
    "tracingConfig",
    "customDNS",
    "customContainerConfig",
    "customRuntimeConfig",
)


class Told(msgspec.Struct, frozen=True):
    """What FC tells of one function. None: there is none."""

    function: Json | None
    triggers: tuple[Json, ...] = ()
    asynchronous: Json | None = None
    concurrency: Json | None = None


class Differs(msgspec.Struct, frozen=True):
    """FC has something else at this place of the function; `text` says what."""

    function: str
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.function}: {self.place}: {self.text}"


class Fixed(msgspec.Struct, frozen=True):
    """A trigger differs in what no update changes: it is to be deleted and created."""

    function: str
    trigger: str
    text: str

    def __str__(self) -> str:
        return f"{self.function}: triggers.{self.trigger}.{self.text}"


class Stays(msgspec.Struct, frozen=True):
    """FC still has what s.yaml does not say: `triggers.NAME`, `asyncInvokeConfig` or `concurrencyConfig`."""

    function: str
    place: str

    def __str__(self) -> str:
        return f"{self.function}: {self.place}: FC has it, and s.yaml does not"


Difference: TypeAlias = Differs | Fixed | Stays


def of(function: Function, said: Json, told: Told) -> list[Difference]:
    """Everything in which FC has something else. `said`: the props as the template spells them, resolved."""
    name = function.function_name
    if told.function is None:
        return [Differs(name, "function", "FC has no such function")]
    return [
        *(Differs(name, place, text) for place, text in _properties(function, said, told.function)),
        *_triggers(function, told.triggers),
        *_asynchronous(name, said.get("asyncInvokeConfig"), told.asynchronous),
        *_concurrency(name, said.get("concurrencyConfig"), told.concurrency),
    ]


# --- the function ------------------------------------------------------------------------------------------


def _properties(function: Function, said: Json, told: Json) -> Iterator[tuple[str, str]]:
    wanted = _plain(function)
    for name in (each for each in wanted if each not in _APART and (each in said or each in _SENT)):
        match name:
            case "environmentVariables":
                yield from _variables(wanted[name], told.get(name) or {})
            case "layers":
                found = [each.get("arn") for each in told.get(name) or ()]
                yield from _compare(name, wanted[name], found)
            case "logConfig":
                yield from _log(wanted[name], told.get(name) or {})
            case "instanceLifecycleConfig":
                yield from _hook(wanted[name].get("initializer"), told.get(name) or {})
            case "role":
                yield from _compare(name, _role(wanted[name]), _role(told.get(name)))
            case "tags":
                yield from _tags(wanted[name], told.get(name) or ())
            case _:
                yield from _compare(name, wanted[name], told.get(name))
    for name in _NEVER_SAID:
        if not says_nothing(told.get(name)):
            yield name, "FC has it, and s.yaml does not"


def _variables(wanted: Json, found: Json) -> Iterator[tuple[str, str]]:
    for name in sorted(wanted.keys() | found.keys()):
        if name not in found:
            yield f"environmentVariables.{name}", "FC has no such variable"
        elif name not in wanted:
            yield f"environmentVariables.{name}", "FC has it, and s.yaml does not"
        elif wanted[name] != found[name]:
            yield f"environmentVariables.{name}", "FC has another value"


def _log(wanted: object, found: Json) -> Iterator[tuple[str, str]]:
    """A log without a project is none. Of `auto` the component makes project and logstore."""
    there = found if found.get("project") else None
    if wanted != "auto":
        yield from _compare("logConfig", wanted, there)
    elif there is None:
        yield "logConfig", "FC has none, and s.yaml says auto"


def _hook(wanted: Json | None, told: Json) -> Iterator[tuple[str, str]]:
    """A hook that runs nothing is none."""
    found = told.get("initializer") or {}
    runs = found.get("handler") or found.get("command")
    yield from _compare("instanceLifecycleConfig.initializer", wanted, found if runs else None)


def _tags(wanted: Sequence[Json], found: Sequence[Json]) -> Iterator[tuple[str, str]]:
    """FC adds tags of its own."""
    for tag in wanted:
        lowered = {name.lower(): value for name, value in tag.items()}
        if lowered not in [{"key": each.get("key"), "value": each.get("value")} for each in found]:
            yield "tags", f"FC has no {lowered.get('key')}={lowered.get('value')}"


def _role(arn: object) -> str:
    """RAM knows no case in the names of roles; the component sends lower case."""
    return str(arn or "").lower()


# --- triggers ----------------------------------------------------------------------------------------------


def _triggers(function: Function, told: tuple[Json, ...]) -> Iterator[Difference]:
    name = function.function_name
    found = {str(each.get("triggerName")): each for each in told}
    for trigger in function.triggers:
        wanted = _plain(trigger)
        there = found.pop(trigger.trigger_name, None)
        if there is None:
            yield Differs(name, f"triggers.{trigger.trigger_name}", "FC has no such trigger")
        elif fixed := [text for field in _FIXED for text in _fixed(field, wanted, there)]:
            yield Fixed(name, trigger.trigger_name, fixed[0])
        else:
            for place, text in _trigger(wanted, there):
                yield Differs(name, f"triggers.{trigger.trigger_name}.{place}", text)
    yield from (Stays(name, f"triggers.{each}") for each in sorted(found))


def _fixed(field: str, wanted: Json, found: Json) -> Iterator[str]:
    """FC fills in the source of some kinds of trigger by itself."""
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
    """In the API it is a JSON text."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except ValueError:
        return given


def _sorted(config: object) -> object:
    """Events and methods are sets."""
    if not isinstance(config, dict):
        return config
    return {
        name: sorted(value)
        if isinstance(value, list) and all(isinstance(each, str) for each in value)
        else value
        for name, value in config.items()
    }


# --- how it is invoked -------------------------------------------------------------------------------------


def _asynchronous(name: str, said: Json | None, told: Json | None) -> Iterator[Difference]:
    """What the template leaves out is FC's to choose, but for destinations: they are always sent."""
    if not said:
        if told is not None:
            yield Stays(name, "asyncInvokeConfig")
        return
    destinations = said.get("destinationConfig") or {}
    sides = {side: destinations.get(side) for side in ("onSuccess", "onFailure")}
    wanted = {**said, "destinationConfig": sides}
    for field in (each for each in wanted if each != "qualifier"):
        place = f"asyncInvokeConfig.{field}"
        for at, text in _compare(place, wanted[field], (told or {}).get(field)):
            yield Differs(name, at, text)


def _concurrency(name: str, said: Json | None, told: Json | None) -> Iterator[Difference]:
    field = "reservedConcurrency"
    found = (told or {}).get(field)
    if not said:
        if found is not None:
            yield Stays(name, "concurrencyConfig")
        return
    for place, text in _compare(f"concurrencyConfig.{field}", said.get(field), found):
        yield Differs(name, place, text)


def _compare(place: str, wanted: object, found: object) -> Iterator[tuple[str, str]]:
    """Objects by the fields that are wanted, all else as a whole; what says nothing may be missing."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            yield from _compare(f"{place}.{name}", value, found.get(name))
        return
    if wanted != found and not (says_nothing(wanted) and says_nothing(found)):
        yield place, f"FC has {_shown(found)}, and s.yaml says {_shown(wanted)}"


def _plain(value: msgspec.Struct) -> dict[str, Any]:
    """As JSON has it: no tuples."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(value))
    return plain


def _shown(value: object) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
