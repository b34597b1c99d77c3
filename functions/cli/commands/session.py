"""What every command has: a screen, and the arguments that many of them share."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from functions.cli.shown.screen import Screen
from functions.cli.template import ROOT

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]


class Session:
    """One run of the program. `sleep` is passed in, so that a test need not wait."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self.screen = Screen()
        self.sleep = sleep


def new_key() -> str:
    """Return an Idempotency-Key that nobody has used."""
    return str(uuid.uuid4())


def own_template() -> Path:
    """Return the s.yaml of the current folder, else the one that the program belongs to."""
    here = Path("s.yaml")
    return (here if here.is_file() else ROOT / "s.yaml").resolve()


def _be_json(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        context.find_object(Session).screen.is_json = True  # type: ignore[union-attr]  # main gives one


def as_json(function: F) -> F:
    """Add `--json`."""
    return click.option(
        "--json", is_flag=True, expose_value=False, is_eager=True, callback=_be_json,
        help="One value as one line of JSON.",
    )(function)  # fmt: skip


def at_template(function: F) -> F:
    """Add `--template`, which comes as an absolute path."""
    return click.option(
        "--template", type=click.Path(path_type=Path, dir_okay=False, resolve_path=True), metavar="FILE",
        default=own_template, show_default="s.yaml", help="The template of the deployment.",
    )(function)  # fmt: skip


def at_url(function: F) -> F:
    """Add `--url` and `--template`."""
    option = click.option(
        "--url", metavar="URL", help="The HTTP trigger; default: OSS_COPY_URL, a local cloud, s.yaml and FC."
    )
    return option(at_template(function))


def in_region(function: F) -> F:
    """Add `--region` and `--template`."""
    option = click.option(
        "--region", metavar="REGION", help="Of the bucket; default: OSS_COPY_REGION, s.yaml."
    )
    return option(at_template(function))


def with_tool(function: F) -> F:
    """Add `--tool`."""
    return click.option(
        "--tool", metavar="PROGRAM", help="Run this as `s`; default: the pinned one, installed when needed."
    )(function)


class Pair(click.ParamType[tuple[str, str]]):
    """NAME=VALUE."""

    name = "pair"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's form
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not equals or not name:
            self.fail(f"{value!r} is not NAME=VALUE", param, ctx)
        return name, text


def changing_vars(function: F) -> F:
    """Add `--var`."""
    return click.option(
        "--var", "var", type=Pair(), multiple=True, metavar="NAME=VALUE",
        help="In place of a var of the template, as often as needed.",
    )(function)  # fmt: skip
