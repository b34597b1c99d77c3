"""The commands of the deployer's tools: `install`, `check`, `deploy`, `remove`, `logs`, `invoke` and `copy`.

`make` gives them their arguments: `make tool` runs `install`, `make template` runs `check`, and the others
have the same name there. `commands.policy`, `commands.setup` and `openapi` are programs of their own.

Exits with 1 and a message on standard error if a command cannot do what it was asked for.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path

from functions.cli.commands.check import check
from functions.cli.commands.copy import copy
from functions.cli.commands.deploy import deploy
from functions.cli.commands.invoke import invoke, logs
from functions.cli.commands.remove import remove
from functions.cli.errors import DeployerError
from functions.cli.template import ROOT
from functions.cli.tool import program

Command = Callable[[argparse.Namespace], int]


def main() -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args()
    run: Command = options.run
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # our lines and those of `s` stay in order
    try:
        return run(options)
    except DeployerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def install(options: argparse.Namespace) -> int:  # noqa: ARG001 - as all commands
    """Install the `s` tool."""
    program.install()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m functions.cli", description=__doc__)
    parser.add_argument("--template", type=lambda text: Path(text).resolve(), default=ROOT / "s.yaml")
    parser.add_argument("--layers", type=Path, default=ROOT / "layers", help="where they are built")
    parser.add_argument("--tool", help="the program to run as `s` (default: the installed one)")
    commands = parser.add_subparsers(required=True)

    def add(run: Command) -> argparse.ArgumentParser:
        command = commands.add_parser(run.__name__, help=run.__doc__)
        command.set_defaults(run=run)
        return command

    add(install)
    add(check).add_argument("--schema", type=Path, help="the fc3 component's schema.json")
    removing = add(remove)
    removing.add_argument("--confirm", action="store_true", help="even if something is left behind")
    invoking = add(invoke)
    invoking.add_argument("event", help="the event, or @file")
    deploying = add(deploy)
    deploying.add_argument("--prune", action="store_true", help="delete what s.yaml no longer has")
    for command in (deploying, removing, add(logs), invoking):
        command.add_argument("arguments", nargs="*", help="passed on to s")
    _add_copy(add(copy))
    return parser


def _add_copy(command: argparse.ArgumentParser) -> None:
    command.add_argument("source", nargs="?", help="oss://bucket/key")
    command.add_argument("destination", nargs="?", help="oss://bucket/key, or oss://bucket for the same key")
    command.add_argument("--url", help="of the HTTP trigger (default: FC is asked)")
    command.add_argument("--pause", type=float, default=1.0, help="seconds between two looks (1)")


if __name__ == "__main__":
    sys.exit(main())
