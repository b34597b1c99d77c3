"""`remove`: shows what would be left behind, runs `s remove`, and asks FC whether it is gone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from functions.cli import template as templates
from functions.cli.account import leftovers, review
from functions.cli.commands import session as shared
from functions.cli.commands.deployment.running import Call, read_account, run_tool
from functions.cli.commands.session import Session
from functions.cli.errors import Unfinished
from functions.cli.shown.screen import Screen
from functions.cli.template import LAYER, Deployment, environment
from functions.cli.template.props import OssTrigger
from functions.cli.texts import word

SHOWN = 20  # leftovers at most


@click.command(context_settings={"ignore_unknown_options": True})
@shared.at_template
@shared.with_tool
@shared.as_json
@click.option(
    "--confirm", is_flag=True, help="Even if copies or uploads are open, which nobody would end then."
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def remove(
    session: Session, /, arguments: tuple[str, ...], template: Path, tool: str | None, confirm: bool
) -> int:
    """Remove the functions, and tell what stays; ARGUMENTS go to `s remove`."""
    screen, account = session.screen, read_account(template)
    deployment = templates.read(template, environment.read())
    found = leftovers.find_leftovers(account, deployment.main)
    _list(screen, found)
    if found and not confirm:
        text = f"{len(found)} would never be ended without the function"
        raise Unfinished(f"{text}; wait, `oss-copy cancel` them, or say --confirm")
    words = ["remove", "-y", "-t", str(template), *arguments]
    code = run_tool(Call(template, tool, screen.is_json), account, deployment, words).code
    client = account.fc(deployment.main.region, deployment.account)
    if still := review.remaining(client, deployment):
        raise Unfinished("not removed, whatever s says:\n       " + "\n       ".join(still))
    if code == 0:
        screen.say("removed. Left in the account, with the commands of Alibaba Cloud's CLI that delete it:")
        stays = list(map(list, what_stays(deployment)))
        for what, how in stays:
            screen.say(f"  {what}\n    {how}")
        screen.give({"removed": [each.function_name for each in deployment.functions], "left": stays})
    return code


def _list(screen: Screen, found: Sequence[str]) -> None:
    for line in found[:SHOWN]:
        screen.say(line)
    if len(found) > SHOWN:
        screen.say(f"... and {len(found) - SHOWN} more")


def what_stays(deployment: Deployment) -> list[tuple[str, str]]:
    """Return what a removal leaves in the account, and how each would be deleted."""
    main = deployment.main
    region = main.region
    state = main.environment_variables.get("STATE_BUCKET", "")
    place = word(f"oss://{state}/{main.environment_variables.get('STATE_PREFIX', 'oss-copy/')}")
    left = [("records of copies, in the state bucket", f"aliyun oss rm {place} -r --region {region}")]
    for arn in main.layers:
        if f":layers/{LAYER}/" in arn:
            version = arn.rpartition("/")[2]
            how = f"aliyun fc DeleteLayerVersion --layerName {LAYER} --version {version} --region {region}"
            left.append((f"the layer {LAYER}, version {version} and perhaps older ones", how))
    for role in dict.fromkeys(each.role.rpartition("/")[2] for each in deployment.functions):
        named = f"--PolicyName {word(role)} --RoleName {word(role)}"
        detach = f"aliyun ram DetachPolicyFromRole --PolicyType Custom {named}"
        how = f"{detach} && aliyun ram DeleteRole --RoleName {word(role)}"
        left.append((f"the role {role} and its policy", how))
    if any(isinstance(each, OssTrigger) for each in main.triggers):
        left.append(("the role of OSS triggers, which other functions may use", "leave it"))
    return [*left, ("the buckets, with everything that was copied", "they are yours: leave them")]
