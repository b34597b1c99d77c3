"""`cp` and `sync`: ask for one copy or for many, and show the job until it ends."""

from __future__ import annotations

import sys
from typing import Any

import click

from functions.cli.commands import session as shared
from functions.cli.commands.following import PAUSE, follow, tell
from functions.cli.commands.session import F, Session
from functions.cli.errors import Interrupted, Misused, ReportedFailure, Status
from functions.cli.request import body, flags
from functions.cli.request.flags import Flag, Json
from functions.cli.service import answers, target
from functions.cli.service.answers import Answer, Many
from functions.cli.shown import figures
from functions.cli.texts import word


def _option(flag: Flag) -> click.Option:
    kind: Any = (
        click.Choice(flag.choices) if flag.choices else {"number": int, "pairs": shared.Pair()}.get(flag.kind)
    )
    return click.Option(
        [flag.name, flag.parameter], type=kind, is_flag=flag.kind == "switch",
        multiple=flag.kind in {"texts", "pairs"}, default=None, help=flag.about,
        metavar="NAME=VALUE" if flag.kind == "pairs" else None,
    )  # fmt: skip


def _asking(function: F) -> F:
    """Add the arguments of both commands."""
    for add in (
        click.option("--idempotency-key", metavar="KEY", help="The same key is the same job, however often."),
        click.option("--pause", type=click.FloatRange(0.05), default=PAUSE, metavar="SECONDS",
                     help="Between two looks at a running job."),
        click.option("--detach", is_flag=True, help="Do not wait: print the job, and how to watch it."),
        click.option("--key-template", metavar="TEMPLATE", help="Destination key as {date:%Y}/{name}."),
        shared.at_url,
        shared.as_json,
        click.argument("destination"),
        click.argument("source"),
    ):  # fmt: skip
        function = add(function)
    return function


@click.command(params=[_option(each) for each in (*flags.ONE, *flags.OPTIONS)])
@_asking
@click.option("--marker", is_flag=True, help="The source is the empty object whose name ends with a slash.")
@click.pass_obj
def cp(session: Session, /, source: str, destination: str, **given: Any) -> None:  # noqa: ANN401 - click's form
    """Copy one object, and show it until it is done.

    Addresses are oss://BUCKET/KEY, and keys are literal text. A destination that ends with a slash takes the
    copy under the source's name, a bare oss://BUCKET under its whole key.
    """
    _ask(session, body.one(source, destination, given), given)


@click.command(params=[_option(each) for each in (*flags.MANY, *flags.OPTIONS)])
@_asking
@click.option(
    "--manifest", is_flag=True, help="SOURCE is a list of objects: CSV or JSON lines, or gzip of it."
)
@click.option("--encoding", type=click.Choice(["url", "form", "none"]), help="Of the keys in a manifest.")
@click.option("--inventory", is_flag=True, help="SOURCE is the manifest.json of an OSS inventory.")
@click.option("--of-job", metavar="JOB", help="Take what failed in this job; SOURCE is then not looked at.")
@click.option("--report", metavar="oss://BUCKET/PREFIX", help="Where the report is written.")
@click.option("--yes", is_flag=True, help="Delete without a question, as much as --max-delete allows.")
@click.pass_obj
def sync(session: Session, /, source: str, destination: str, **given: Any) -> None:  # noqa: ANN401 - click's form
    """Copy what is under a prefix, and show the job until it is done.

    SOURCE is oss://BUCKET/PREFIX/, and DESTINATION takes the prefix's place. What the destination has already
    is skipped. Nothing is deleted unless --delete says so: a dry run counts first, and you are asked.
    """
    request = body.many(source, destination, given)
    if request.get("delete") and not request.get("dryRun") and not given["yes"]:
        request = _confirmed(session, request, given)
    _ask(session, request, given)


def _confirmed(session: Session, request: Json, given: dict[str, Any]) -> Json:
    """Return the request once somebody has seen how many objects it would delete; Interrupted for a no.

    Without --max-delete, no more than these are allowed to go.
    """
    if not sys.stdin.isatty():
        raise Misused("--delete asks first, and nobody is there: say --yes, and how many with --max-delete")
    with target.find(given["template"]).api(given["url"], session.sleep) as api:
        begun = api.begin({**request, "dryRun": True}, shared.new_key())
        last = follow(session, api, begun, pause=given["pause"], url=given["url"])
    answers.raise_failure(last.job)
    if not isinstance(last.job, answers.Many):
        return request
    counts = last.job.objects
    more, gone = figures.number(counts.would_copy, "object"), figures.number(counts.would_delete, "object")
    session.screen.note(f"would copy {more} and delete {gone} (job {last.job.job})")
    if counts.would_delete and not click.confirm(f"Delete {gone} at the destination?", err=True):
        raise Interrupted("nothing was copied or deleted")
    return {"maxDelete": counts.would_delete, **request}


@click.command(params=[_option(each) for each in flags.MANY if each.name not in flags.WRITES])
@_asking
@click.option(
    "--manifest", is_flag=True, help="SOURCE is a list of objects: CSV or JSON lines, or gzip of it."
)
@click.option("--encoding", type=click.Choice(["url", "form", "none"]), help="Of the keys in a manifest.")
@click.pass_obj
def diff(session: Session, /, source: str, destination: str, **given: Any) -> None:  # noqa: ANN401 - click's form
    """Tell how DESTINATION differs from SOURCE, and copy nothing.

    Ends with 0 where nothing differs, and with 6 where something does: `oss-copy report JOB` names it.
    """
    last = _followed(session, body.many(source, destination, {**given, "mode": "check"}), given)
    if isinstance(last.job, Many) and last.job.status == "succeeded":
        return _tell_differences(session, last, last.job)
    return tell(session, last)


def _tell_differences(session: Session, answer: Answer, job: Many) -> None:
    """Print what a check has found; raise ReportedFailure where anything differs."""
    counts = job.objects
    found = {"different": counts.different, "missing": counts.missing, "superfluous": counts.superfluous}
    told = ", ".join(f"{count:,} {name}" for name, count in found.items() if count)
    if told:
        session.screen.give(answer.told)
        raise ReportedFailure(f"they differ: {told}; `oss-copy report {job.job}` names them", Status.PARTLY)
    session.screen.give(answer.told)
    session.screen.say(f"the same: {figures.number(counts.same, 'object')}, job {job.job}")


def _ask(session: Session, request: Json, given: dict[str, Any]) -> None:
    tell(session, _followed(session, request, given))


def _followed(session: Session, request: Json, given: dict[str, Any]) -> Answer:
    """Ask for a job, and return its last answer: the first one with --detach."""
    url, key = given["url"], given["idempotency_key"] or shared.new_key()
    with target.find(given["template"]).api(url, session.sleep) as api:
        try:
            begun = api.begin(request, key)
        except KeyboardInterrupt:
            raise Interrupted(
                "stopped: the request may have been taken. The same command joins its job with\n"
                f"  --idempotency-key {word(key)}"
            ) from None
        return begun if given["detach"] else follow(session, api, begun, pause=given["pause"], url=url)
