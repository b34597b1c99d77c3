"""`deploy`: judges s.yaml, publishes the layer, runs `s deploy`, and compares FC with s.yaml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from functions.cli import template as templates
from functions.cli.account import layer, review
from functions.cli.account.credentials import Account
from functions.cli.account.differences import OnlyInFc
from functions.cli.commands import session as shared
from functions.cli.commands.deployment import judged
from functions.cli.commands.deployment.running import Call, read_account, run_tool
from functions.cli.commands.session import Session
from functions.cli.errors import TemplateError, Unfinished, Unprepared
from functions.cli.shown.screen import Screen
from functions.cli.template import LAYER, ROOT, Deployment, environment
from functions.cli.tool import program


@click.command(context_settings={"ignore_unknown_options": True})
@shared.at_template
@shared.with_tool
@shared.as_json
@click.option("--prune", is_flag=True, help="Take away what FC has and s.yaml no longer says.")
@click.option(
    "--layers",
    type=click.Path(path_type=Path),
    default=ROOT / "layers",
    show_default=False,
    metavar="DIR",
    help="Where layers are built.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def deploy(
    session: Session,
    /,
    arguments: tuple[str, ...],
    template: Path,
    tool: str | None,
    prune: bool,
    layers: Path,
) -> int:
    """Deploy s.yaml: judge it, build and publish the layer as needed, run `s deploy`, compare FC with it.

    ARGUMENTS go to `s deploy`.
    """
    screen, account = session.screen, read_account(template)
    deployment = judged.read(screen, template, environment.read(), is_final=True)
    program.ready(tool)  # raises before anything is published if there is no tool
    variables: dict[str, str] = {}
    if any(f":layers/{LAYER}/" in arn for arn in deployment.main.layers):
        published = _publish(screen, account, deployment, layers)
        variables["OSS_COPY_LAYER_VERSION"] = str(published.version)
        deployment = templates.read(template, {**environment.read(), **variables})
        if any(published.arn not in each.layers for each in deployment.functions):
            raise TemplateError(f"layers: the template does not name {published.arn}, which was published")
    words = ["deploy", "-y", "-t", str(template), *arguments]
    if code := run_tool(Call(template, tool, screen.is_json), account, deployment, words, variables).code:
        return code
    _review(screen, account, deployment, is_pruned=prune)
    screen.give({"functions": [each.function_name for each in deployment.functions]})
    return 0


def _publish(screen: Screen, account: Account, deployment: Deployment, layers: Path) -> layer.Published:
    function = deployment.main
    version = function.runtime.removeprefix("python")
    archive, lock = layers / f"sdk-{version}.zip", layers / "sdk" / "requirements.txt"
    if not archive.is_file() or archive.stat().st_mtime < lock.stat().st_mtime:
        build = [sys.executable, str(layers / "sdk" / "build.py"), "--python", version]
        if subprocess.run(build, check=False).returncode:
            raise Unprepared("the layer could not be built")
    client = account.fc(function.region, deployment.account)
    published = layer.publish(client, archive, function.runtime)
    screen.say(f"layer {published.arn}: {'published' if published.new else 'holds the same already'}")
    return published


def _review(screen: Screen, account: Account, deployment: Deployment, *, is_pruned: bool) -> None:
    """Compare FC with the template and set right what can be; raise Unfinished if something still differs."""
    client = account.fc(deployment.main.region, deployment.account)
    found = review.compare(client, deployment)
    if found:
        review.mend(client, deployment, found, screen.say)
        if is_pruned:
            review.prune(client, found, screen.say)
        found = review.compare(client, deployment)
    if found:
        has_extra = any(isinstance(each, OnlyInFc) for each in found)
        advice = "\n       `oss-copy deploy --prune` takes away what s.yaml does not say" if has_extra else ""
        lines = "\n       ".join(map(str, found))
        raise Unfinished(f"deployed, but FC has something else than s.yaml:\n       {lines}{advice}")
    screen.say("FC has what s.yaml says")
