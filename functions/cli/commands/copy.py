"""`make copy`: asks the HTTP trigger for one copy and shows it until it is done."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from functions.cli import template
from functions.cli.account import api
from functions.cli.account.credentials import Account
from functions.cli.commands.running import read_account
from functions.cli.errors import TemplateError
from functions.cli.template import environment
from functions.cli.template.props import HttpTrigger

USAGE = """\
usage: make copy SRC=oss://BUCKET/KEY DST=oss://BUCKET[/KEY] [URL=https://...]

Without a key in DST the copy gets the key of SRC. For example:

  make copy SRC=oss://my-source/reports/2026.pdf DST=oss://my-destination"""


def copy(options: argparse.Namespace) -> int:
    """Ask the HTTP trigger for a copy and show it until it is done."""
    if not options.source or not options.destination:
        print(USAGE, file=sys.stderr)
        return 2
    account = read_account(options.template)
    (bucket, key), (to_bucket, to_key) = api.read_url(options.source), api.read_url(options.destination)
    destination = {"bucket": to_bucket, **({"key": to_key} if to_key else {})}
    request = {"source": {"bucket": bucket, "key": key}, "destination": destination}
    url = options.url or _trigger_url(account, options.template)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(binary_units=True),
               TransferSpeedColumn(), TimeRemainingColumn())  # fmt: skip
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    with httpx.Client() as http, Progress(*columns, console=console) as progress:
        bar = progress.add_task(key, total=None)
        for result in api.Api(url, account, http).follow(request, options.pause):
            done = result["bytesDone"] if result["status"] == "running" else result["source"]["size"]
            progress.update(bar, total=result["source"]["size"], completed=done or 0)
    target = result["destination"]
    print(
        f"{result['status']}: oss://{target['bucket']}/{target['key']}, {target['size']} bytes, "
        f"verified by {result['verified']}, job {result['job']}"
    )
    return 0


def _trigger_url(account: Account, path: Path) -> str:
    deployment = template.read(path, environment.read())
    function = deployment.main
    for trigger in function.triggers:
        if isinstance(trigger, HttpTrigger):
            client = account.fc(function.region, deployment.account)
            return api.find_trigger(client, function.function_name, trigger.trigger_name)
    raise TemplateError(f"{path.name} has no HTTP trigger: give URL=...")
