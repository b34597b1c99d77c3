"""`cost`: what copies would cost, from a dry run or from sizes alone, by the user's prices."""

from __future__ import annotations

import math
from pathlib import Path

import click
import msgspec

from functions.cli.commands import session as shared
from functions.cli.commands.following import PAUSE, follow
from functions.cli.commands.session import Session
from functions.cli.errors import Misused, ReportedFailure
from functions.cli.request import body
from functions.cli.service import answers, target
from functions.cli.service.answers import Many
from functions.cli.template import environment
from osscopy import plan
from osscopy.model import Cost, Prices, Refused, Requests, Tuning
from osscopy.plan import bulk

THREADS = 256  # of an instance, as s.yaml has it
SECONDS = 60.0  # that a part may take


class Told(msgspec.Struct, frozen=True):
    """Requests by class, and their cost; None without prices."""

    objects: int
    requests: Requests
    cost: Cost | None


@click.command()
@shared.at_url
@shared.as_json
@click.option("--size", metavar="SIZE", help="Of each object, such as 50GiB: nothing is asked then.")
@click.option("--objects", type=click.IntRange(1), default=1, show_default=True, help="So many of --size.")
@click.option(
    "--prices", metavar="JSON", help="As the setting PRICES; default: PRICES, or the function's own."
)
@click.argument("source", required=False)
@click.argument("destination", required=False)
@click.pass_obj
def cost(
    session: Session, /, source: str | None, destination: str | None, size: str | None, objects: int,
    prices: str | None, url: str | None, template: Path,
) -> None:  # fmt: skip
    """Tell what it would cost to copy what is under SOURCE, by a dry run; or so many objects of --size.

    Requests alone: FC's seconds depend on how fast OSS copies, as COSTS.md says.
    """
    own = _prices(prices or environment.read().get("PRICES"))
    if size is not None:
        if source is not None:
            raise Misused("--size asks nothing: leave SOURCE and DESTINATION out")
        told = _of_size(size, objects, own)
    elif source is None or destination is None:
        raise Misused("give SOURCE and DESTINATION, or --size")
    else:
        told = _of_dry_run(session, source, destination, own, url, template)
    session.screen.give(msgspec.to_builtins(told))
    session.screen.facts(
        [
            ("objects", f"{told.objects:,}"),
            ("PUT requests", f"{told.requests.put:,}"),
            ("GET requests", f"{told.requests.get:,}"),
            (
                "cost",
                f"{told.cost.total:g} {told.cost.currency}" if told.cost else "no prices: --prices, PRICES",
            ),
        ]
    )


def _prices(text: str | None) -> Prices | None:
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=Prices)
    except msgspec.MsgspecError as error:
        example = '{"currency": "CNY", "put": 0.000001, "get": 0.000001}'
        raise Misused(f"prices are JSON such as {example}: {error}") from error


def _cost(prices: Prices | None, asked: Requests) -> Cost | None:
    return None if prices is None else bulk.cost_of(prices, asked.put, asked.get, 0.0, 0)


def _of_size(text: str, objects: int, prices: Prices | None) -> Told:
    """Return the requests of copies asked for one by one, as COSTS.md counts them."""
    try:
        size = plan.byte_size(int(text) if text.isdecimal() else text, field="--size")
    except Refused as error:
        raise Misused(f"--size: {error.message}") from error
    if size < plan.DEFAULT_THRESHOLD:
        one = Requests(1, 2)
    else:
        parts = plan.divide(size, Tuning(), THREADS, SECONDS).parts
        one = Requests(parts + 6, 4 + math.ceil(parts / plan.PAGE))
    asked = Requests(one.put * objects, one.get * objects)
    return Told(objects, asked, _cost(prices, asked))


def _of_dry_run(
    session: Session, source: str, destination: str, prices: Prices | None, url: str | None, template: Path
) -> Told:
    request = body.many(source, destination, {"dry_run": True})
    with target.find(template).api(url, session.sleep) as api:
        last = follow(session, api, api.begin(request, shared.new_key()), pause=PAUSE, url=url)
    job = last.job
    answers.raise_failure(job)
    if not isinstance(job, Many) or job.would is None:
        raise ReportedFailure(f"job {job.job} does not tell what its copies would take")
    asked = Requests(job.would.requests.put, job.would.requests.get)
    found = job.would.cost
    own = None if found is None else Cost(found.total, found.currency, found.total, 0.0)
    return Told(job.objects.would_copy, asked, _cost(prices, asked) or own)
