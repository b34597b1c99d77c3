"""`make logs` and `make invoke`: run `s logs` and `s invoke` for the function that copies."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from functions.cli import template
from functions.cli.commands.running import read_account, run_tool
from functions.cli.errors import Misused, ReportedFailure
from functions.cli.template import environment
from functions.cli.tool import answers
from functions.cli.tool.program import Run


def logs(options: argparse.Namespace) -> int:
    """Run `s logs` for the function that copies."""
    return _run(options, ["logs"]).code


def invoke(options: argparse.Namespace) -> int:
    """Run `s invoke` for the function that copies, with an event or with the file that `@` names."""
    event = options.event
    if not event:
        raise Misused('give EVENT=\'{"action": "sweep"}\' or EVENT=@file')
    given = ["--event", event]
    if event.startswith("@"):
        path = Path(event[1:]).resolve()
        if not path.is_file():
            raise Misused(f"there is no file {event[1:]}")
        given = ["--event-file", str(path)]
    done = _run(options, ["invoke", *given])
    if done.code == 0 and (failure := answers.failure(done.output)):
        raise ReportedFailure(failure)
    return done.code


def _run(options: argparse.Namespace, arguments: Sequence[str]) -> Run:
    """Run the tool for the function that copies alone."""
    account = read_account(options.template)
    deployment = template.read(options.template, environment.read())
    call = [deployment.main_resource, *arguments, *options.arguments, "-t", str(options.template)]
    return run_tool(options, account, deployment, call)
