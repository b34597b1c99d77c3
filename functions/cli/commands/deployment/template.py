"""`template`: judges s.yaml by our rules, by the models of FC's SDK, and by the genuine `s` tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from functions.cli.commands import session as shared
from functions.cli.commands.deployment import judged
from functions.cli.commands.session import Session
from functions.cli.errors import TemplateError
from functions.cli.template import Deployment, environment
from functions.cli.tool import program


@click.command()
@shared.at_template
@shared.with_tool
@shared.as_json
@click.option(
    "--schema", type=click.Path(path_type=Path), metavar="FILE", help="The fc3 component's schema.json."
)
@click.pass_obj
def template(session: Session, /, template: Path, tool: str | None, schema: Path | None) -> None:
    """Judge s.yaml: all mistakes at once, each with its line."""
    given = {"AccountID": program.MADE_UP_ACCOUNT, **environment.read()}
    deployment = judged.read(session.screen, template, given)
    start = program.ready(tool)
    names = {"AccountID", "FC_REGION", *deployment.asked, *environment.mentioned(deployment.files)}
    variables = {name: given[name] for name in names & given.keys()}
    _compare_preview(start, template, variables, deployment)
    name, count = template.name, len(deployment.resources)
    session.screen.say(f"{name}: {count} resource(s) right; s preview resolves the same")
    is_verified = bool(schema and schema.is_file())
    if schema and is_verified:
        program.verify(start, template, schema, variables)
        session.screen.say(f"{name}: s verify passed")
    else:
        session.screen.say("s verify left out: the component's schema is not here (--schema names it)")
    session.screen.give({"template": str(template), "resources": count, "verified": is_verified})


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
