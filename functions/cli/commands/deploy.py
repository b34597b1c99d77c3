"""`make deploy`: judges s.yaml, publishes the layer, runs `s deploy`, and compares FC with s.yaml."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from functions.cli import template
from functions.cli.account import layer, review
from functions.cli.account.credentials import Account
from functions.cli.account.differences import OnlyInFc
from functions.cli.commands import judged
from functions.cli.commands.running import read_account, run_tool
from functions.cli.errors import TemplateError, Unfinished, Unprepared
from functions.cli.template import LAYER, Deployment, environment
from functions.cli.tool import program


def deploy(options: argparse.Namespace) -> int:
    """Check, build and publish the layer as needed, run `s deploy`, then compare FC with s.yaml."""
    account = read_account(options.template)
    deployment = judged.read(options.template, environment.read(), is_final=True)
    program.command(options.tool)  # raises before anything is published if there is no tool
    variables: dict[str, str] = {}
    if any(f":layers/{LAYER}/" in arn for arn in deployment.main.layers):
        published = _publish(account, deployment, options.layers)
        variables["OSS_COPY_LAYER_VERSION"] = str(published.version)
        deployment = template.read(options.template, {**environment.read(), **variables})
        if any(published.arn not in each.layers for each in deployment.functions):
            raise TemplateError(f"layers: the template does not name {published.arn}, which was published")
    arguments = ["deploy", "-y", "-t", str(options.template), *options.arguments]
    if code := run_tool(options, account, deployment, arguments, variables).code:
        return code
    _review(account, deployment, is_pruned=options.prune)
    return 0


def _publish(account: Account, deployment: Deployment, layers: Path) -> layer.Published:
    function = deployment.main
    version = function.runtime.removeprefix("python")
    archive, lock = layers / f"sdk-{version}.zip", layers / "sdk" / "requirements.txt"
    if not archive.is_file() or archive.stat().st_mtime < lock.stat().st_mtime:
        build = [sys.executable, str(layers / "sdk" / "build.py"), "--python", version]
        if subprocess.run(build, check=False).returncode:
            raise Unprepared("the layer could not be built")
    client = account.fc(function.region, deployment.account)
    published = layer.publish(client, archive, function.runtime)
    print(f"layer {published.arn}: {'published' if published.new else 'holds the same already'}")
    return published


def _review(account: Account, deployment: Deployment, *, is_pruned: bool) -> None:
    """Compare FC with the template and set right what can be; raise Unfinished if something still differs."""
    client = account.fc(deployment.main.region, deployment.account)
    found = review.compare(client, deployment)
    if found:
        review.mend(client, deployment, found, print)
        if is_pruned:
            review.prune(client, found, print)
        found = review.compare(client, deployment)
    if found:
        has_extra = any(isinstance(each, OnlyInFc) for each in found)
        advice = "\n       `make deploy PRUNE=1` takes away what s.yaml does not say" if has_extra else ""
        lines = "\n       ".join(map(str, found))
        raise Unfinished(f"deployed, but FC has something else than s.yaml:\n       {lines}{advice}")
    print("FC has what s.yaml says")
