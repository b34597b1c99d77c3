"""`make remove`: shows what would be left behind, runs `s remove`, and asks FC whether it is gone."""

from __future__ import annotations

import argparse

from functions.cli import template
from functions.cli.account import leftovers, review
from functions.cli.commands.running import read_account, run_tool
from functions.cli.errors import Unfinished
from functions.cli.template import environment

SHOWN = 20  # leftovers at most


def remove(options: argparse.Namespace) -> int:
    """List what would be left behind, run `s remove`, and ask FC whether it is gone."""
    account = read_account(options.template)
    deployment = template.read(options.template, environment.read())
    found = leftovers.find_leftovers(account, deployment.main)
    for line in found[:SHOWN]:
        print(line)
    if len(found) > SHOWN:
        print(f"... and {len(found) - SHOWN} more")
    if found and not options.confirm:
        text = f"{len(found)} would never be ended without the function"
        raise Unfinished(f"{text}; wait, cancel them, or say CONFIRM=1")
    arguments = ["remove", "-y", "-t", str(options.template), *options.arguments]
    code = run_tool(options, account, deployment, arguments).code
    client = account.fc(deployment.main.region, deployment.account)
    if still := review.remaining(client, deployment):
        raise Unfinished("not removed, whatever s says:\n       " + "\n       ".join(still))
    if code == 0:
        print("removed; left in the account: the buckets, the layer, the roles")
    return code
