"""Judges functions that submit to another one (`INVOKE_FUNCTION`): it is there, and it copies.

Knows functions and their names; must not know what they submit.
"""

from __future__ import annotations

from collections.abc import Iterator

from functions.cli.template.deployment import Deployment
from functions.cli.template.mistake import Mistake
from functions.cli.template.props import Function, HttpTrigger

NAME = "INVOKE_FUNCTION"


def judge_submitting(deployment: Deployment) -> Iterator[Mistake]:
    """Yield every mistake about whom a function invokes, and how much of it HTTP may take."""
    known = {function.function_name: function for function in deployment.functions}
    for name, function in deployment.resources.items():
        if (asked := function.environment_variables.get(NAME)) is None:
            continue
        place = f"resources.{name}.props"
        copier = known.get(asked)
        if copier is None:
            yield Mistake(f"{place}.environmentVariables.{NAME}", f"no resource deploys the function {asked}")
        elif NAME in copier.environment_variables:
            text = (
                f"{asked} copies nothing itself: what comes to it would be passed on for ever, or not at all"
            )
            yield Mistake(f"{place}.environmentVariables.{NAME}", text)
        elif _is_web(function) and (count := _least(function)) >= _least(copier):
            text = f"{count} instances could take all those of {asked}: chains and sweeps would wait for HTTP"
            yield Mistake(f"{place}.concurrencyConfig.reservedConcurrency", text, is_error=False)


def _is_web(function: Function) -> bool:
    return any(isinstance(each, HttpTrigger) for each in function.triggers)


def _least(function: Function) -> int:
    """Return how many instances a function may have; without a limit those of an account."""
    return function.concurrency_config.reserved_concurrency if function.concurrency_config else 100
