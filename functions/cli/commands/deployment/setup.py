"""`setup`: shows what a deployment lacks before `s deploy`, and makes it with `--yes`.

Credentials come from ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and
ALIBABA_CLOUD_SECURITY_TOKEN. Nothing is ever deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import msgspec

from functions.cli import template as templates
from functions.cli.account import credentials
from functions.cli.account.buckets import Buckets
from functions.cli.account.credentials import Account
from functions.cli.account.roles import Roles
from functions.cli.account.setup_plan import plan
from functions.cli.commands import session as shared
from functions.cli.commands.deployment import judged
from functions.cli.commands.deployment.policy import with_parts
from functions.cli.commands.session import Session
from functions.cli.rights import reach
from functions.cli.template import environment


@click.command()
@shared.at_template
@shared.changing_vars
@with_parts
@click.option("--yes", is_flag=True, help="Make it; without, it is only shown.")
@click.option("--oss-endpoint", metavar="URL", help="Default: that of the region.")
@click.option("--ram-endpoint", metavar="URL", help="Default: https://ram.aliyuncs.com")
@shared.as_json
@click.pass_obj
def setup(
    session: Session, /, template: Path, var: tuple[tuple[str, str], ...], with_part: tuple[str, ...],
    yes: bool, oss_endpoint: str | None, ram_endpoint: str | None,
) -> None:  # fmt: skip
    """Show what the account lacks: state bucket, lifecycle rules, roles; with --yes make it."""
    screen, shell = session.screen, environment.read()
    to = reach.read(template, dict(var), shell)
    account = _account(template, shell, oss_endpoint, ram_endpoint)
    planned = plan(to, Buckets(account, to.region), Roles(account, to.region), list(with_part))
    screen.say(f"{to.function} in {to.region}, account {to.account}")
    for step in planned.steps:
        if yes:
            step.do()
        screen.say(f"  {'done' if yes else 'to do'}: {step.text}")
    notes = [*_mistakes(template, shell, var), *planned.notes]
    for note in notes:
        screen.say(f"  note: {note}")
    screen.say(_verdict(len(planned.steps), is_done=yes))
    screen.give({"done" if yes else "toDo": [each.text for each in planned.steps], "notes": notes})


def _account(path: Path, shell: Mapping[str, str], oss: str | None, ram: str | None) -> Account:
    account = credentials.read(templates.environment_of(path, shell))
    return msgspec.structs.replace(
        account, oss_endpoint=oss or account.oss_endpoint, ram_endpoint=ram or account.ram_endpoint
    )


def _mistakes(path: Path, shell: Mapping[str, str], var: Sequence[tuple[str, str]]) -> list[str]:
    """Return what `template` says of the template: setup goes by it all the same."""
    deployment = templates.read(path, shell, dict(var))
    return templates.rendered(path, deployment.places, judged.find_mistakes(deployment))


def _verdict(count: int, *, is_done: bool) -> str:
    if not count:
        return "nothing to do: all is there"
    return f"{count} done" if is_done else f"{count} to do, nothing done yet: `oss-copy setup --yes` does it"
