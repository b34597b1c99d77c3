"""`assumptions`: what the product relies on and nobody has seen on an account, asked there."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from functions.cli import template as templates
from functions.cli.commands import session as shared
from functions.cli.commands.session import Session
from functions.cli.errors import Misused, Status
from functions.cli.service import assumed, target
from functions.cli.texts import plain

WHAT_IT_DOES = """\
In {source} and {destination}, under {prefix}:
puts some 25 objects of at most 200 KiB, one of them of class IA, copies them, begins
some ten uploads, and deletes all of it again. These are about 120 requests, and of IA
30 days of 64 KiB, its least charge. Nothing else in the buckets is touched.{function}
It does so with --yes."""
AND_FUNCTION = "\nIt sends {name} four events, which it refuses or which are too large, and none that copies."


@click.command()
@shared.in_region
@shared.as_json
@click.option("--source", metavar="BUCKET", required=True, help="A scratch bucket.")
@click.option("--destination", metavar="BUCKET", required=True, help="Another one of the same region.")
@click.option("--function", "asks_function", is_flag=True, help="Ask the function of s.yaml, too.")
@click.option("--yes", is_flag=True, help="Do it; without it, the command says what it would do.")
@click.pass_obj
def assumptions(
    session: Session,
    /,
    source: str,
    destination: str,
    asks_function: bool,
    yes: bool,
    region: str | None,
    template: Path,
) -> Status:
    """Try on two scratch buckets what the product relies on, and report what OSS and FC do.

    The report names no key, account or bucket, so that it can be sent in as it is.
    """
    found = target.find(template, region)
    if source == destination:
        raise Misused("--destination is another bucket than --source")
    function = templates.read(template, found.environ).main.function_name if asks_function else None
    if not yes:
        said = AND_FUNCTION.format(name=plain(function)) if function else ""
        session.screen.say(
            WHAT_IT_DOES.format(
                source=plain(source), destination=plain(destination), prefix=assumed.PREFIX, function=said
            )
        )
        return Status.DONE
    answers = []
    for each in assumed.ask(found, source, destination, with_function=asks_function):
        answers.append(each)
        session.screen.say(f"{each.name}: {plain(each.answer)}\n    {each.question}")
    session.screen.give(msgspec.to_builtins(answers))
    failed = [each.name for each in answers if each.failed]
    if failed:
        session.screen.note(f"{len(failed)} of {len(answers)} could not be asked: {', '.join(failed)}")
    return Status.PARTLY if failed else Status.DONE
