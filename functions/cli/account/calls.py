"""What a deploy sends for each resource, as far as the models of FC's own SDK know it.

The `s` tool sends CreateFunction, CreateTrigger, PutAsyncInvokeConfig and PutConcurrencyConfig. A model drops
what it does not know, so a property that is gone after a round trip through it would never reach FC. It sends
nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from alibabacloud_fc20230330 import models

# What the tool does not send with CreateFunction: the calls below, and what only says where to deploy.
_APART = frozenset({"region", "triggers", "asyncInvokeConfig", "concurrencyConfig"})
_CONFIGS: Mapping[str, Callable[[], Any]] = {
    "oss": models.OSSTriggerConfig,
    "timer": models.TimerTriggerConfig,
    "http": models.HTTPTriggerConfig,
    "eventbridge": models.EventBridgeTriggerConfig,
}


def unknown(props: Mapping[str, Any]) -> list[str]:
    """The places in one resource's props, references resolved, that would not reach FC."""
    return [place.lstrip(".") for place in _unknown(props)]


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
    """Where `known` lacks something of `sent`, or has it otherwise."""
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
