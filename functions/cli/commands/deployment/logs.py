"""`logs`: what the function has printed, by `s logs`; of the local cloud, by its own account."""

from __future__ import annotations

from pathlib import Path

import click

from functions.cli import template as templates
from functions.cli.commands import session as shared
from functions.cli.commands.deployment.running import Call, read_account, run_tool
from functions.cli.commands.session import Session
from functions.cli.service import invocations, target
from functions.cli.template import environment


@click.command(context_settings={"ignore_unknown_options": True})
@shared.at_template
@shared.with_tool
@shared.as_json
@click.option("--job", metavar="JOB", help="Of the local cloud: only lines of this job's invocations.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def logs(
    session: Session, /, arguments: tuple[str, ...], job: str | None, tool: str | None, template: Path
) -> int:
    """Show the function's log; ARGUMENTS go to `s logs`, such as --tail."""
    found = target.find(template)
    if admin := found.environ.get("OSS_COPY_ADMIN"):
        told = list(invocations.lines(invocations.read(admin), job))
        session.screen.give(told)
        for line in told:
            session.screen.say(line)
        return 0
    account = read_account(template)
    deployment = templates.read(template, environment.read())
    words = [deployment.main_resource, "logs", *arguments, "-t", str(template)]
    return run_tool(Call(template, tool, session.screen.is_json), account, deployment, words).code
