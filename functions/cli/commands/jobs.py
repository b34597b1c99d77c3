"""`ls`, `status`, `watch`, `cancel` and `resubmit`: jobs that are on record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import click

from functions.cli.commands import session as shared
from functions.cli.commands.following import PAUSE, facts, follow, follow_all, tell
from functions.cli.commands.session import Session
from functions.cli.service import answers, target
from functions.cli.service.answers import Answer, Copy
from functions.cli.service.api import Api
from functions.cli.shown import figures
from functions.cli.texts import command, plain

PAGE = 100  # jobs of one answer at most
STATES = ("running", "succeeded", "skipped", "failed", "cancelled")


@click.command()
@click.option("--status", type=click.Choice(STATES), help="Only jobs of this status.")
@click.option("--limit", type=click.IntRange(1), default=50, help="At most so many.", show_default=True)
@click.option("--after", metavar="JOB", help="Go on after this job.")
@click.option("--recursive", "-r", is_flag=True, help="Of objects: those in folders, too.")
@shared.in_region
@click.option("--url", metavar="URL", help="The HTTP trigger, as in `cp`.")
@shared.as_json
@click.argument("address", required=False)
@click.pass_obj
def ls(
    session: Session, /, address: str | None, status: str | None, limit: int, after: str | None,
    recursive: bool, region: str | None, url: str | None, template: Path,
) -> None:  # fmt: skip
    """List jobs on record; with oss://BUCKET/PREFIX, the objects there."""
    found = target.find(template, region)
    if address is not None:
        from functions.cli.commands.objects import show  # noqa: PLC0415 - an SDK that jobs do not need

        return show(session, found, address, limit, is_deep=recursive)
    with found.api(url, session.sleep) as api:
        listed = list(islice(_jobs(api, status, limit, after), limit + 1))
    shown = listed[:limit]
    session.screen.give([each.told for each in shown])
    _list(session, shown)
    if len(listed) > limit:
        session.screen.note(f"there are more: {command('oss-copy', 'ls', '--after', str(shown[-1].job.job))}")
    if not shown:
        session.screen.note("no job is on record: a small copy that succeeds leaves none")
    return None


def _jobs(api: Api, status: str | None, limit: int, after: str | None) -> Iterator[Answer]:
    """Yield jobs page after page; a page may be short and still have a next one."""
    while True:
        page = api.page(status, min(limit + 1, PAGE), after)
        yield from page.answers
        if page.next is None:
            return
        after = page.next


def _list(session: Session, shown: Sequence[Answer]) -> None:
    """Print jobs: in a pipe one line each, in a terminal two, since ids and keys are long."""
    if not session.screen.is_terminal:
        return session.screen.table(("job", "status", "progress", "started", "what"), map(_row, shown))
    for each in shown:
        *known, what = map(str, _row(each))
        session.screen.say("  ".join(known))
        session.screen.say(f"    {plain(what)}", "dim")
    return None


def _row(answer: Answer) -> tuple[object, ...]:
    job, standing = answer.job, figures.standing(answer.job)
    share = "" if standing.share is None else f"{standing.share:.0%}"
    progress = share if isinstance(job, Copy) else figures.number(job.objects.total, "object")
    return job.job, job.status, progress, (job.started_at or "")[:16], figures.name(job)


@click.command()
@shared.at_url
@shared.as_json
@click.argument("job")
@click.pass_obj
def status(session: Session, /, job: str, url: str | None, template: Path) -> None:
    """Show how a job stands."""
    with target.find(template).api(url, session.sleep) as api:
        answer = api.look(job)
    session.screen.give(answer.told)
    session.screen.facts(facts(answer.job))


@click.command()
@shared.at_url
@shared.as_json
@click.option("--pause", type=click.FloatRange(0.05), default=PAUSE, help="Seconds between two looks.")
@click.argument("jobs", nargs=-1, metavar="[JOB]...")
@click.pass_obj
def watch(session: Session, /, jobs: tuple[str, ...], pause: float, url: str | None, template: Path) -> None:
    """Show jobs until they end; without JOB, all that run now."""
    with target.find(template).api(url, session.sleep) as api:
        begun = [api.look(each) for each in jobs] or list(islice(_jobs(api, "running", PAGE, None), PAGE))
        if not begun:
            session.screen.note("no job runs")
        ended = follow_all(session, api, begun, pause=pause, url=url)
    if len(ended) == 1:
        return tell(session, ended[0])
    session.screen.give([each.told for each in ended])
    _list(session, ended)
    for each in ended:
        answers.raise_failure(each.job)
    return None


@click.command()
@shared.at_url
@shared.as_json
@click.argument("job")
@click.pass_obj
def cancel(session: Session, /, job: str, url: str | None, template: Path) -> None:
    """End a job: its upload is aborted, and what it would have written is not."""
    with target.find(template).api(url, session.sleep) as api:
        answer = api.cancel(job)
    session.screen.give(answer.told)
    if answer.is_running:
        session.screen.say(f"running: job {job} ends within moments; `oss-copy status {job}` tells")
    else:
        session.screen.say(f"{answer.job.status}: job {job}")


@click.command()
@shared.at_url
@shared.as_json
@click.option("--failed", is_flag=True, help="Of a job of many: what failed or was missing alone.")
@click.option("--detach", is_flag=True, help="Do not wait for the new job.")
@click.option("--pause", type=click.FloatRange(0.05), default=PAUSE, help="Seconds between two looks.")
@click.option("--idempotency-key", metavar="KEY", help="The same key is the same job, however often.")
@click.argument("job")
@click.pass_obj
def resubmit(
    session: Session, /, job: str, failed: bool, detach: bool, pause: float, idempotency_key: str | None,
    url: str | None, template: Path,
) -> None:  # fmt: skip
    """Ask for the same again, as a new job, and show it until it is done."""
    with target.find(template).api(url, session.sleep) as api:
        begun = api.resubmit(job, idempotency_key or shared.new_key(), is_failed_only=failed)
        last = begun if detach else follow(session, api, begun, pause=pause, url=url)
    tell(session, last)
