"""Reads the template for a command, and shows everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from functions.cli import template
from functions.cli.account import calls
from functions.cli.errors import TemplateError
from functions.cli.shown.screen import Screen
from functions.cli.template import Deployment, Mistake, Mistaken
from functions.cli.template.judging import mistakes
from osscopy.check.config import UNSIGNED


def find_mistakes(deployment: Deployment) -> list[Mistake]:
    """Return all mistakes and warnings: by our rules, and by the models of FC's SDK."""
    return [*mistakes.judge_deployment(deployment), *calls.find_lost_properties(deployment)]


def collect_mistakes(error: Mistaken) -> list[Mistake]:
    """Return the mistakes in what could not be read, and those in everything else."""
    rest = find_mistakes(error.repaired) if error.repaired else []
    return [*error.mistakes, *mistakes.unaffected(rest, error.mistakes)]


def read(screen: Screen, path: Path, given: Mapping[str, str], *, is_final: bool = False) -> Deployment:
    """Read the template and print warnings; raise TemplateError with all mistakes, each with its line.

    `is_final`: it is to be deployed now, so that placeholders are mistakes.
    """
    deployment: Deployment | None
    try:
        deployment = template.read(path, given)
        found, places = find_mistakes(deployment), deployment.places
    except Mistaken as error:
        found, places, deployment = collect_mistakes(error), error.places, error.repaired
    ours = mistakes.placeholders(deployment) if deployment else []
    wrong = [each for each in found if each.is_error] + (ours if is_final else [])
    errors = template.rendered(path, places, wrong)
    for line in template.rendered(path, places, [*found, *ours]):
        if line not in errors:
            screen.say(f"warning: {line}")
    if deployment and not deployment.main.environment_variables.get("STATE_KEY"):
        screen.say(f"note: {UNSIGNED} (SETTINGS.md, The key)")
    if wrong or deployment is None:
        raise TemplateError("\n       ".join(errors))
    return deployment
