"""Finds properties that would never reach FC, by the models of its own SDK. Sends nothing.

The `s` tool sends CreateFunction, CreateTrigger, PutAsyncInvokeConfig and PutConcurrencyConfig. A model drops
a property that it does not know: it is gone after a round trip through the model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from alibabacloud_fc20230330 import models

from functions.cli.template import Deployment, Mistake

# Not sent with CreateFunction: the properties of the other calls, and those that only say where to deploy.
_APART = frozenset({"region", "triggers", "asyncInvokeConfig", "concurrencyConfig"})
_CONFIGS: Mapping[str, Callable[[], Any]] = {
    "oss": models.OSSTriggerConfig,
    "timer": models.TimerTriggerConfig,
    "http": models.HTTPTriggerConfig,
    "eventbridge": models.EventBridgeTriggerConfig,
}


def find_lost_properties(deployment: Deployment) -> list[Mistake]:
    """Return a mistake for every property that would not reach FC."""
    return [
        Mistake(f"resources.{name}.props.{_by_name(props, place)}", "unknown to FC's SDK")
        for name, props in deployment.props.items()
        for place in unknown(props)
    ]


def unknown(props: Mapping[str, Any]) -> list[str]:
    """Return the places in one resource's props, references resolved, that would not reach FC."""
    return [place.lstrip(".") for place in _unknown(props)]


def _by_name(props: Mapping[str, Any], place: str) -> str:
    """Return the place with the names of triggers instead of their numbers."""
    names = [each.get("triggerName", str(number)) for number, each in enumerate(props.get("triggers", ()))]
    return re.sub(r"^triggers\[(\d+)\]", lambda found: f"triggers.{names[int(found[1])]}", place)


def _unknown(props: Mapping[str, Any]) -> Iterator[str]:
    function = {name: value for name, value in props.items() if name not in _APART}
    # The tool replaces the directory by a package, and `auto` by a project and a logstore that it makes.
    function["code"] = {"zipFile": ""}
    if function.get("logConfig") == "auto":
        function["logConfig"] = {"project": "", "logstore": ""}
    yield from _lost(function, models.CreateFunctionInput(), "")
    for index, trigger in enumerate(props.get("triggers", ())):
        place = f".triggers[{index}]"
        config = trigger.get("triggerConfig", {})
        yield from _lost({**trigger, "triggerConfig": "{}"}, models.CreateTriggerInput(), place)
        if model := _CONFIGS.get(trigger.get("triggerType", "")):
            yield from _lost(config, model(), f"{place}.triggerConfig")
        else:
            yield f"{place}.triggerType"
    called = dict(props.get("asyncInvokeConfig", {}))
    called.pop("qualifier", None)  # a parameter of the path
    yield from _lost(called, models.PutAsyncInvokeConfigInput(), ".asyncInvokeConfig")
    concurrency = props.get("concurrencyConfig", {})
    yield from _lost(concurrency, models.PutConcurrencyInput(), ".concurrencyConfig")


def _lost(sent: Mapping[str, Any], model: Any, place: str) -> Iterator[str]:  # noqa: ANN401 - the SDK's models carry no common type
    yield from _differences(sent, model.from_map(sent).to_map(), place)


def _differences(sent: object, known: object, place: str) -> Iterator[str]:
    """Yield the places where `known` lacks something of `sent`, or has another value."""
    match sent, known:
        case dict(), dict():
            for name, value in sent.items():
                if name in known:
                    yield from _differences(value, known[name], f"{place}.{name}")
                else:
                    yield f"{place}.{name}"
        case list(), list() if len(sent) == len(known):
            for index, (value, kept) in enumerate(zip(sent, known, strict=True)):
                yield from _differences(value, kept, f"{place}[{index}]")
        case _:
            if sent != known:
                yield place
