"""The program `oss-copy`: its commands, and what becomes of an error.

A command is a module of `commands`, which is loaded when it is asked for: the SDKs take a second, which most
commands do not need. Every error that a user can cause ends as one message on standard error, and an exit
status that tells the cause (`errors.Status`).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

import click

from functions.cli.commands.completion import VARIABLE
from functions.cli.commands.session import Session
from functions.cli.errors import DeployerError, Status
from functions.cli.shown import screen
from functions.cli.template import environment
from functions.cli.texts import plain

NAME = "oss-copy"


class Entry(NamedTuple):
    """Where a command is, and what it does."""

    module: str
    about: str


SECTIONS: Mapping[str, Mapping[str, Entry]] = {
    "The local cloud": {
        "local": Entry("local", "start an OSS server and an FC host on this machine"),
        "put": Entry("objects", "put a file into a bucket"),
        "get": Entry("objects", "get an object into a file"),
    },
    "Copies": {
        "cp": Entry("copying", "copy one object"),
        "sync": Entry("copying", "copy what is under a prefix, or on a list"),
        "diff": Entry("copying", "tell how two prefixes differ, and copy nothing"),
        "cost": Entry("figures.costs", "tell what copies would cost, by your prices"),
        "ls": Entry("jobs", "list jobs; or objects, at an address"),
        "status": Entry("jobs", "show how a job stands"),
        "watch": Entry("jobs", "show jobs until they end"),
        "cancel": Entry("jobs", "end a job"),
        "resubmit": Entry("jobs", "ask for the same again, or for what failed"),
        "report": Entry("figures.report", "show what became of each object of a job"),
        "ui": Entry("ui", "show jobs as a page in your browser"),
    },
    "The function": {
        "invoke": Entry("calling", "send an event, and print the answer"),
        "check": Entry("calling", "ask it what is wrong with its deployment"),
        "logs": Entry("deployment.logs", "show its log"),
        "assumptions": Entry("assumptions", "try on two scratch buckets what it relies on"),
    },
    "Deployment": {
        "template": Entry("deployment.template", "judge s.yaml"),
        "token": Entry("token", "make a token of the API, with a name and a scope"),
        "policy": Entry("deployment.policy", "write the RAM policies that are needed"),
        "setup": Entry("deployment.setup", "show what the account lacks, and make it"),
        "deploy": Entry("deployment.deploy", "deploy s.yaml, and compare FC with it"),
        "remove": Entry("deployment.remove", "remove the functions, and tell what stays"),
    },
    "Your shell": {"completion": Entry("completion", "print what completes commands and options")},
}
ENTRIES = {name: entry for section in SECTIONS.values() for name, entry in section.items()}


class Program(click.Group):
    """The commands, loaded one by one, and listed by what they are about."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's form
        return list(ENTRIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if (entry := ENTRIES.get(cmd_name)) is None:
            return None
        found: click.Command = getattr(import_module(f"functions.cli.commands.{entry.module}"), cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        for title, entries in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry.about) for name, entry in entries.items()])


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name=NAME)
def program() -> None:
    """Copy objects of Alibaba Cloud OSS by the function oss-copy, of an account or of a local cloud."""


def main(arguments: Sequence[str] | None = None, sleep: Callable[[float], None] = time.sleep) -> int:
    """Run one command and return its exit status."""
    screen.prepare()
    try:
        return _run(arguments, Session(sleep))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still in the buffer
        return Status.CLOSED


def _run(arguments: Sequence[str] | None, session: Session) -> int:
    try:
        code = _invoke(list(sys.argv[1:] if arguments is None else arguments), session)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        message = plain(error.format_message()).rstrip(".")
        return _end(session, f"{message}{_usage(error)}", "Misused", Status.USAGE)
    except DeployerError as error:
        return _end(session, str(error), type(error).__name__, error.status)
    except (KeyboardInterrupt, click.Abort):
        return _end(session, "stopped", "Interrupted", Status.INTERRUPTED)
    return code if isinstance(code, int) else Status.DONE


def _invoke(arguments: list[str], session: Session) -> object:
    """Run the command; for a shell that completes one, print what may follow."""
    if VARIABLE in environment.read():
        program.main(arguments, prog_name=NAME, complete_var=VARIABLE)
    with program.make_context(NAME, arguments, obj=session) as context:
        return program.invoke(context)


def _end(session: Session, message: str, name: str, status: Status) -> int:
    session.screen.give({"error": {"code": name, "message": message, "exit": int(status)}})
    session.screen.note(f"error: {message}" if status is not Status.INTERRUPTED else message)
    return status


def _usage(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"; `{context.command_path} --help` shows how" if context else ""


if __name__ == "__main__":
    sys.exit(main())
