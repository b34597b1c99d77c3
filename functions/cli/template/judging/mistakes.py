"""Collects the mistakes of a deployment: of each function, and between them. Knows no line of a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from functions.cli.template.deployment import TRIED, Deployment
from functions.cli.template.judging import destinations, functions, submitting, variables
from functions.cli.template.mistake import Mistake
from functions.cli.template.props import ROLE

# The values that s.yaml comes with. Nobody can mean them: names of buckets are unique among all accounts.
PLACEHOLDERS = frozenset({"1234567890123456", "oss-copy-source", "oss-copy-destination", "oss-copy-state"})


def judge_deployment(deployment: Deployment) -> list[Mistake]:
    """Return all mistakes and warnings; empty if there are none."""
    return [
        *_of_functions(deployment),
        *variables.together(deployment),
        *destinations.judge_destinations(deployment),
        *submitting.judge_submitting(deployment),
        *_account(deployment),
        *_code(deployment),
        *_told(deployment),
        *_versions(deployment),
    ]


def placeholders(deployment: Deployment) -> list[Mistake]:
    """Return a warning for each value that s.yaml comes with and nobody has changed."""
    return [
        Mistake(f"vars.{name}", f"{value} is what s.yaml comes with: put in your own", is_error=False)
        for name, value in deployment.vars.items()
        if str(value) in PLACEHOLDERS
    ]


def unaffected(found: Iterable[Mistake], unread: Sequence[Mistake]) -> list[Mistake]:
    """Leave out of `found` what may only be there because of the properties in `unread`.

    A property that could not be read is missing from the deployment that was judged.
    """
    gone = [path for each in unread for path in _without(each)]
    lacks_triggers = any(".triggers" in path for path in gone)
    return [
        each
        for each in found
        if not any(_is_related(each.path, path) for path in gone)
        and not (lacks_triggers and each.lacks_trigger)
    ]


def _without(mistake: Mistake) -> Iterator[str]:
    """Yield the paths that a mistake leaves unjudged: its own, and that of the name that was meant."""
    yield mistake.path
    if mistake.meant:
        yield f"{mistake.path.rpartition('.')[0]}.{mistake.meant}"


def _is_related(one: str, other: str) -> bool:
    a, b = (re.findall(r"[^.\[\]]+", each) for each in (one, other))
    shorter = min(len(a), len(b))
    return a[:shorter] == b[:shorter]


def _of_functions(deployment: Deployment) -> Iterator[Mistake]:
    for name, function in deployment.resources.items():
        is_main = function is deployment.main
        for each in (
            *functions.judge_function(function),
            *variables.judge_variables(function, is_main=is_main),
        ):
            yield msgspec.structs.replace(each, path=f"resources.{name}.props.{each.path}")


def _account(deployment: Deployment) -> Iterator[Mistake]:
    """Judge the account's id: it has 16 digits and is text, since the tool rounds a number above 2^53."""
    for name, value in deployment.vars.items():
        if isinstance(value, int) and value >= 10**11:
            yield Mistake(f"vars.{name}", f'a number is rounded by `s`: put it in quotes, {name}: "{value}"')
    account = deployment.account
    named = [name for name, value in deployment.vars.items() if str(value) == account]
    path = f"vars.{named[0]}" if named else f"resources.{deployment.main_resource}.props.role"
    if ROLE.fullmatch(deployment.main.role) and len(account) != 16:
        text = f"{account} is no account's id: it has 16 digits, not {len(account)}"
        yield Mistake(path, text, is_error=not 12 <= len(account) <= 20)


def _code(deployment: Deployment) -> Iterator[Mistake]:
    """Judge the code's folder: all of it is uploaded, and another one may hold anything of this machine."""
    root = deployment.root.resolve()
    for name, function in deployment.resources.items():
        if not (root / function.code_path).resolve().is_relative_to(root):
            text = f"{function.code_path} lies outside the template's folder"
            yield Mistake(f"resources.{name}.props.code", text)


def _told(deployment: Deployment) -> Iterator[Mistake]:
    """Judge who is told that jobs have ended: no function of this deployment, which would tell itself."""
    own = {
        each.function_name for each in deployment.functions if "STATE_BUCKET" in each.environment_variables
    }
    for name, function in deployment.resources.items():
        place, given = f"resources.{name}.props", function.environment_variables
        if (told := given.get("NOTIFY_FUNCTION")) in own:
            text = f"{told} is a function of this deployment, and takes no such message: name one of your own"
            yield Mistake(f"{place}.environmentVariables.NOTIFY_FUNCTION", text)
        if given.get("NOTIFY_URL") and not function.internet_access:
            text = "NOTIFY_URL is told over the internet: without it only a host of your VPC can be reached"
            yield Mistake(f"{place}.internetAccess", text, is_error=False)


def _versions(deployment: Deployment) -> Iterator[Mistake]:
    for name, version in deployment.versions.items():
        if version != TRIED:
            text = f"{version} was not tried" if version else "names no version: `s` runs whatever is newest"
            place = f"resources.{name}.component"
            yield Mistake(place, f"{text}; fc3@{TRIED} was tried", is_error=False)
