"""`policy`: writes `functions/oss_copy/ram-policy.json`, or prints the policy of a deployer."""

from __future__ import annotations

import json
from pathlib import Path

import click

from functions.cli import rights
from functions.cli.commands import session as shared
from functions.cli.commands.session import F, Session
from functions.cli.errors import Misused
from functions.cli.rights import OPTIONAL, reach
from functions.cli.template import ROOT, environment

DOCUMENT = ROOT / "functions/oss_copy/ram-policy.json"


def with_parts(function: F) -> F:
    """Add `--with`."""
    about = "; ".join(f"{name}: {purpose}" for name, purpose in OPTIONAL.items())
    return click.option(
        "--with", "with_part", multiple=True, type=click.Choice(list(OPTIONAL)), metavar="PART", help=about
    )(function)


@click.command()
@shared.at_template
@shared.changing_vars
@with_parts
@click.option("--setup", "is_setup", is_flag=True, help="Print what `setup` needs, once, instead.")
@click.option("--deployer", "is_deployer", is_flag=True, help="Print what every deployment needs instead.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=DOCUMENT,
    show_default=False,
    metavar="FILE",
    help="Where the policies of the functions' roles are written.",
)
@shared.as_json
@click.pass_obj
def policy(
    session: Session, /, template: Path, var: tuple[tuple[str, str], ...], with_part: tuple[str, ...],
    is_setup: bool, is_deployer: bool, output: Path,
) -> None:  # fmt: skip
    """Write what the functions' roles may do, from s.yaml; or print what a deployer may."""
    if is_setup and is_deployer:
        raise Misused("--setup and --deployer contradict each other: give one of them")
    to = reach.read(template, dict(var), environment.read())
    if is_setup or is_deployer:
        document = rights.document(rights.setup_grants(to) if is_setup else rights.deployer_grants(to))
        session.screen.give(document)
        return session.screen.say(json.dumps(document, indent=2))
    try:
        output.write_text(rights.rendered(to, list(with_part)), encoding="utf-8")
    except OSError as error:
        raise Misused(f"{str(output)!r} cannot be written: {error.strerror}") from error
    session.screen.give({"file": str(output), "role": to.role, "roles": list(to.roles)})
    several = "s" * (len(to.roles) > 1)
    told = f"what role{several} {', '.join(to.roles)} may do, in account {to.account}, region {to.region}"
    return session.screen.say(f"{output}: {told}")
