"""`make template`: judges s.yaml by our rules, by the models of FC's SDK, and by the genuine `s` tool."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from functions.cli.commands import judged
from functions.cli.errors import TemplateError
from functions.cli.template import Deployment, environment
from functions.cli.tool import program


def check(options: argparse.Namespace) -> int:
    """Judge the template by our rules, by the models of FC's SDK, and by the genuine tool."""
    given = {"AccountID": program.MADE_UP_ACCOUNT, **environment.read()}
    deployment = judged.read(options.template, given)
    start = program.command(options.tool)
    names = {"AccountID", "FC_REGION", *deployment.asked, *environment.mentioned(deployment.files)}
    variables = {name: given[name] for name in names & given.keys()}
    _compare_preview(start, options.template, variables, deployment)
    name, count = options.template.name, len(deployment.resources)
    print(f"{name}: {count} resource(s) right; s preview resolves the same")
    if options.schema and options.schema.is_file():
        program.verify(start, options.template, options.schema, variables)
        print(f"{name}: s verify passed")
    else:
        print("s verify left out: the component's schema is not here (FC3_SCHEMA names it)")
    return 0


def _compare_preview(
    start: Sequence[str], path: Path, variables: Mapping[str, str], deployment: Deployment
) -> None:
    """Raise TemplateError if the tool resolves a property otherwise than we do."""
    shown: Any = program.preview(start, path, variables)
    for name, props in deployment.props.items():
        seen = shown["resources"][name]["props"]
        differing = sorted(key for key in {*props, *seen} if props.get(key) != seen.get(key))
        if differing:
            text = f"s resolves {', '.join(differing)} otherwise than we do"
            raise TemplateError(f"resources.{name}.props: {text}")
