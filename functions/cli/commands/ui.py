"""`ui`: the page of the function on the user's machine, signed in the user's name."""

from __future__ import annotations

from pathlib import Path

import click

from functions.cli.commands import session as shared
from functions.cli.commands.session import Session
from functions.cli.service import target


@click.command()
@shared.at_url
@shared.as_json
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: any free port.")
@click.pass_obj
def ui(session: Session, /, port: int, url: str | None, template: Path) -> None:
    """Show jobs as a page in your browser, until Ctrl-C.

    Its address holds a secret that is made anew each time: whoever has it asks in your name.
    """
    try:
        with target.find(template).page(url, port) as page:
            session.screen.give({"page": page.address})
            session.screen.say(page.address)
            session.screen.note("open this address in your browser; Ctrl-C ends it")
            while True:
                session.sleep(60)
    except KeyboardInterrupt:
        session.screen.note("the page has ended")
