"""`local`: the local cloud, with samples in it and everything said that is needed to try it."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from functions.cli import template as templates
from functions.cli.commands import session as shared
from functions.cli.commands.session import Session
from functions.cli.errors import Unfinished, Unprepared
from functions.cli.rights import reach
from functions.cli.service import local as notes, samples
from functions.cli.service.local import Local
from functions.cli.service.samples import Sample
from functions.cli.service.target import Target
from functions.cli.shown.screen import Screen
from functions.cli.template import ROOT, environment
from functions.cli.template.props import OssTrigger
from functions.cli.texts import command, plain, word

PROGRAM = "oss-copy"


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where buckets and objects are saved when it stops, for the next time; default: nowhere.",
)
@click.option("--oss-port", type=int, default=0, help="Default: any free port.")
@click.option("--fc-port", type=int, default=0, help="Default: any free port.")
@click.option("--ui-port", type=int, default=0, help="Of the page; default: any free port.")
@shared.at_template
@shared.changing_vars
@click.option(
    "--env", type=shared.Pair(), multiple=True, metavar="NAME=VALUE", help="A setting of the function."
)
@click.option("--latency-ms", type=float, default=0.0, help="What OSS takes for a request.")
@click.option("--bandwidth-mb-s", type=float, default=0.0, help="At which a request of OSS copies.")
@shared.as_json
@click.argument(
    "files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path, dir_okay=False, exists=True)
)
@click.pass_obj
def local(session: Session, /, files: tuple[Path, ...], **given: Any) -> None:  # noqa: ANN401 - click's form
    """Start a local cloud: an OSS server and an FC host on this machine, with s.yaml deployed.

    FILEs are put into its source bucket. With --json it prints one line for programs, and nothing else.
    """
    token = None if session.screen.is_json else _token()
    with _running(_arguments(given, token)) as (process, line):
        ready = msgspec.json.decode(line, type=dict[str, Any])
        samples.slow_down(ready["admin"], given["latency_ms"], given["bandwidth_mb_s"])
        if token is None:
            print(line, end="", flush=True)
            return _wait(process)
        source, running = _deployed(given, ready, token)
        environ = {**environment.read(), **running.variables}
        there = samples.fill(Target(environ, given["template"], running), source, files)
        found = Target(environ, given["template"], running)
        with _noted(running), found.page(running.http_trigger, given["ui_port"]) as page:
            _show(session.screen, running, source, there, page.address, given["data"])
            _wait(process)
    return session.screen.note("the local cloud has stopped")


def _deployed(given: dict[str, Any], ready: dict[str, Any], token: str) -> tuple[str, Local]:
    """Return a bucket to copy from, and the cloud with what the template says of it."""
    shell = {"AccountID": ready["account_id"], "API_TOKEN": token, **environment.read()}
    path, new = given["template"], dict(given["var"])
    to = reach.read(path, new, shell)
    triggers = templates.read(path, shell, new).main.triggers
    watched = [f"oss://{each.bucket}/{each.trigger_config.filter.key.prefix}"
               for each in triggers if isinstance(each, OssTrigger)]  # fmt: skip
    running = Local(
        pid=os.getpid(),
        api_token=token,
        destination=to.destinations[0].bucket,
        watched="".join(watched[:1]),
        **ready,
    )
    return to.sources[0].bucket, running


def _token() -> str:
    return environment.read().get("API_TOKEN") or secrets.token_urlsafe(18)


def _arguments(given: dict[str, Any], token: str | None) -> list[str]:
    words = ["--template", str(given["template"]), "--until-eof"]
    words += ["--oss-port", str(given["oss_port"]), "--fc-port", str(given["fc_port"])]
    words += ["--data", str(given["data"].resolve())] if given["data"] else []
    told = {"httpAuthType": "anonymous"} if token else {}
    for name, text in {**told, **dict(given["var"])}.items():
        words += ["--var", f"{name}={text}"]
    for name, text in {**({"API_TOKEN": token} if token else {}), **dict(given["env"])}.items():
        words += ["--env", f"{name}={text}"]
    return words


@contextlib.contextmanager
def _running(arguments: list[str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the local cloud and yield it with its line; stop it in the end, whatever happens."""
    found = os.pathsep.join([str(ROOT), str(ROOT / "functions" / "oss_copy")])
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cloud", *arguments], cwd=ROOT, text=True, start_new_session=True,
        env={**environment.read(), "PYTHONPATH": found}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise Unprepared("the local cloud did not start: the lines above say why")
        yield process, line
    finally:
        signal.signal(signal.SIGTERM, previous)
        process.terminate()
        process.wait(15)
        for pipe in filter(None, (process.stdin, process.stdout)):
            pipe.close()


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _wait(process: subprocess.Popen[str]) -> None:
    """Wait until the user stops it; raise Unfinished if it ends by itself."""
    try:
        code = process.wait()
    except KeyboardInterrupt:
        return
    raise Unfinished(f"the local cloud has ended by itself, with {code}")


@contextlib.contextmanager
def _noted(running: Local) -> Iterator[None]:
    """Leave the note by which the other commands find this cloud, until the end of the block."""
    path = notes.place(environment.read())
    notes.write(path, running)
    try:
        yield
    finally:
        notes.forget(path, running.pid)


def _show(
    screen: Screen, running: Local, source: str, there: Sequence[Sample], page: str, data: Path | None
) -> None:
    end = f"its buckets are saved in {plain(str(data))}" if data else "what is in it is gone"
    screen.say(f"The local cloud runs on this machine. Ctrl-C stops it, and {end}.\n", "bold")
    screen.facts(
        [
            ("OSS", running.oss),
            ("FC", running.fc),
            ("function", running.function),
            ("HTTP trigger", running.http_trigger),
            ("token", running.api_token),
            ("page", page),
        ]
    )
    screen.say("\nThere is something to copy:\n", "bold")
    screen.facts([(f"  {plain(str(each.address))}", each.about) for each in there])
    screen.say("\nTry in another terminal, where the program finds this cloud by itself:\n", "bold")
    for line in tries(running, source, there):
        screen.say(f"  {line}")
    screen.say("\nFor other clients:\n", "bold")
    for name, value in running.variables.items():
        screen.say(f"  export {name}={word(value)}")


def tries(running: Local, source: str, there: Sequence[Sample]) -> list[str]:
    """Return three lines to try: a copy, a copy of many, a file of one's own."""
    first, folder = there[0].address, there[-1].address
    to = f"oss://{running.destination}/"
    return [
        command(PROGRAM, "cp", str(first), to),
        command(PROGRAM, "sync", str(folder), f"{to}photos/"),
        command(PROGRAM, "put", "README.md", running.watched or f"oss://{source}/"),
    ]
