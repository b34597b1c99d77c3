"""`invoke` and `check`: an event for the function, byte for byte, and its answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from functions.cli import template as templates
from functions.cli.commands import session as shared
from functions.cli.commands.session import Session
from functions.cli.errors import Misused, NoAnswer, ReportedFailure
from functions.cli.service import functions, target, verdicts
from functions.cli.service.answers import Known, decode
from functions.cli.service.functions import Invoked

CHECK = b'{"action": "check"}'


class _Line(Known, frozen=True):
    check: str
    status: str
    found: str
    advice: str | None = None
    subject: str | None = None


class _Checked(Known, frozen=True):
    status: str
    lines: tuple[_Line, ...]


@click.command()
@shared.at_template
@shared.as_json
@click.option("--async", "is_async", is_flag=True, help="Queue it: the log has the answer.")
@click.argument("event")
@click.pass_obj
def invoke(session: Session, /, event: str, is_async: bool, template: Path) -> None:
    """Invoke the function with EVENT, a JSON text, or with what is in a file: @FILE."""
    done = _invoke(template, _read(event), is_async=is_async)
    if is_async:
        session.screen.give({"requestId": done.request_id})
        return session.screen.say(f"queued: request {done.request_id}")
    told = _json(done)
    session.screen.give(told)
    session.screen.say(json.dumps(told, indent=2))
    if failure := verdicts.failure(told):
        raise ReportedFailure(failure)
    return None


@click.command()
@shared.at_template
@shared.as_json
@click.option("--all", "is_all", is_flag=True, help="Lines that are right, too.")
@click.pass_obj
def check(session: Session, /, is_all: bool, template: Path) -> None:
    """Ask the deployed function what is wrong with its deployment."""
    done = _invoke(template, CHECK, is_async=False)
    told = _json(done)
    session.screen.give(told)
    report: _Checked = decode(done.body, _Checked, "check")
    lines = [each for each in report.lines if is_all or each.status in {"failed", "warning"}]
    for each in lines:
        subject = f" {each.subject}" if each.subject else ""
        session.screen.say(
            f"{each.status}: {each.check}{subject}: {each.found}", _STYLES.get(each.status, "")
        )
        if each.advice:
            session.screen.say(f"    {each.advice}")
    if report.status == "failed":
        raise ReportedFailure("the deployment is not right: the lines above say what to do")
    session.screen.say(f"{report.status}: {len(report.lines)} questions asked")


_STYLES = {"failed": "red", "warning": "yellow", "ok": "green"}


def _read(event: str) -> bytes:
    if not event.startswith("@"):
        return event.encode(errors="surrogateescape")
    try:
        return Path(event[1:]).read_bytes()
    except OSError as error:
        raise Misused(f"{event[1:]!r} cannot be read: {error.strerror}") from error


def _invoke(path: Path, event: bytes, *, is_async: bool) -> Invoked:
    try:
        msgspec.json.decode(event)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Misused(f"the event is no JSON: {error}") from error
    found = target.find(path)
    account = found.account()
    deployment = templates.read(path, found.environ)
    function = deployment.main
    client = account.fc(function.region, deployment.account)
    done = functions.invoke(client, function.function_name, event, is_async=is_async)
    if done.error_type:
        raise ReportedFailure(
            f"the function raised ({done.error_type}): {done.body[:1000].decode(errors='replace')}"
        )
    return done


def _json(done: Invoked) -> Any:  # noqa: ANN401 - what JSON can be
    try:
        return msgspec.json.decode(done.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NoAnswer(f"the answer cannot be read: {error} [request {done.request_id}]") from error
