"""Judges where FC reports asynchronous invocations: the function is there, and no report comes back for ever.

Knows functions and their names; must not know their settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from functions.cli.template.deployment import Deployment
from functions.cli.template.mistake import Mistake
from functions.cli.template.props import Destination, Function


def judge_destinations(deployment: Deployment) -> Iterator[Mistake]:
    """Yield every mistake about a destination that is a function."""
    known = {function.function_name: function for function in deployment.functions}
    for name, function in deployment.resources.items():
        config = function.async_invoke_config.destination_config
        for side, each in (("onSuccess", config.on_success), ("onFailure", config.on_failure)):
            if each is None or each.function_name is None:
                continue
            place = f"resources.{name}.props.asyncInvokeConfig.destinationConfig.{side}.destination"
            for text in (
                *_elsewhere(each, function, deployment.account),
                *_wrong_function(each.function_name, function, side, known),
            ):
                yield Mistake(place, text)


def _elsewhere(given: Destination, function: Function, own_account: str) -> Iterator[str]:
    _, _, region, account, _ = given.destination.split(":", 4)
    if region != function.region:
        yield f"not in the region {function.region}"
    if account != own_account:
        yield "not of the account of `role`: it would learn of every copy that fails"


def _wrong_function(name: str, function: Function, side: str, known: Mapping[str, Function]) -> Iterator[str]:
    if name == function.function_name:
        yield "a function that cannot start would be invoked about its own failure, again and again"
    elif name not in known:
        yield f"no resource deploys the function {name}"
    elif side == "onSuccess":
        yield f"{name} would take what succeeded for given up, and ask again"
    elif _comes_back(function, known):
        yield f"{name} tells of its failures in turn: of one, both would hear for ever"


def _comes_back(function: Function, known: Mapping[str, Function]) -> bool:
    """Tell whether a report of this function's failure comes back to it by way of others."""
    seen: list[str] = []
    at: Function | None = function
    while at is not None:
        reported = at.async_invoke_config.destination_config.on_failure
        name = reported.function_name if reported else None
        if name is None or name in seen:
            return False
        if name == function.function_name:
            return True
        seen.append(name)
        at = known.get(name)
    return False
