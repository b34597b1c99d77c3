"""`token`: makes a token of the API, and the entry of API_TOKENS that the function knows it by.

The token is printed once and kept nowhere: the entry holds its SHA-256.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta, timezone

import click
import msgspec

from functions.cli.commands import session as shared
from functions.cli.commands.session import Session
from functions.cli.errors import Misused
from osscopy.model import Refused
from osscopy.plan.allowed import tokens
from osscopy.plan.allowed.options import WORDS
from osscopy.plan.allowed.tokens import VERBS, Token

BYTES = 32  # of chance in a token


class _Written(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry without what is as it is by default: the environment of a function is short."""

    name: str
    sha256: str
    sources: tuple[str, ...] | None = None
    destinations: tuple[str, ...] | None = None
    verbs: tuple[str, ...] = VERBS
    options: tuple[str, ...] = WORDS
    jobs: str = "all"
    until: str | None = None


@click.command()
@click.argument("name")
@click.option("--source", multiple=True, metavar="PLACE", help="BUCKET/PREFIX*: copies from there alone.")
@click.option("--destination", multiple=True, metavar="PLACE", help="The same of where to.")
@click.option("--verb", multiple=True, type=click.Choice(VERBS), help="This method alone.")
@click.option(
    "--option", multiple=True, type=click.Choice(WORDS), metavar="WORD", help="This word of ALLOWED_OPTIONS."
)
@click.option("--no-options", is_flag=True, help="None of ALLOWED_OPTIONS.")
@click.option("--own", is_flag=True, help="Sees, ends and repeats its own jobs alone.")
@click.option("--days", type=click.IntRange(1, 3650), help="Counts so many days.")
@shared.as_json
@click.pass_obj
def token(
    session: Session, /, name: str, source: tuple[str, ...], destination: tuple[str, ...],
    verb: tuple[str, ...], option: tuple[str, ...], no_options: bool, own: bool, days: int | None,
) -> None:  # fmt: skip
    """Make a token called NAME, and its entry for API_TOKENS. It is shown once."""
    made = secrets.token_urlsafe(BYTES)
    until = None if days is None else datetime.now(timezone.utc) + timedelta(days=days)
    entry = _Written(
        name,
        hashlib.sha256(made.encode()).hexdigest(),
        source or None,
        destination or None,
        verb or VERBS,
        () if no_options else option or WORDS,
        "own" if own else "all",
        None if until is None else until.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    written = msgspec.json.encode(entry).decode()
    try:
        tokens.read([msgspec.json.decode(written, type=Token)])
    except (msgspec.ValidationError, Refused, ValueError) as error:
        raise Misused(str(error)) from error
    session.screen.give({"token": made, "entry": msgspec.json.decode(written)})
    session.screen.say(f"token (give it to {name}; it is shown once):\n{made}")
    session.screen.say(f"entry (add it to the list in API_TOKENS, then deploy):\n{written}")
