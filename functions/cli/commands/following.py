"""Follows jobs to their end, for every command that waits for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from functions.cli.commands.session import Session
from functions.cli.errors import Interrupted
from functions.cli.service import answers
from functions.cli.service.answers import Answer, Copy, Job, Many
from functions.cli.service.api import Api
from functions.cli.shown import figures
from functions.cli.shown.bars import Bars
from functions.cli.texts import command, plain

PAUSE = 1.0  # seconds between two looks


def follow(session: Session, api: Api, answer: Answer, *, pause: float, url: str | None) -> Answer:
    """Show the job until it ends, and return its last answer; Ctrl-C leaves the job alone."""
    (last,) = follow_all(session, api, [answer], pause=pause, url=url)
    return last


def follow_all(
    session: Session, api: Api, begun: Sequence[Answer], *, pause: float, url: str | None
) -> list[Answer]:
    """Show these jobs until all of them have ended, and return their last answers."""
    current = list(begun)
    open_jobs = [str(each.job.job) for each in begun]
    with left_alone(open_jobs, url), Bars(session.screen).shown() as bars:
        for each in current:
            bars.update(each.job)
        while any(each.is_running for each in current):
            session.sleep(pause)
            for index, each in enumerate(current):
                if each.is_running:
                    current[index] = api.look(str(each.job.job))
                    bars.update(current[index].job)
            open_jobs[:] = [str(each.job.job) for each in current if each.is_running]
    return current


@contextmanager
def left_alone(jobs: list[str], url: str | None) -> Iterator[None]:
    """Turn Ctrl-C into a message that says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        more = ["--url", url] if url else []
        goes = "goes on by itself" if len(jobs) == 1 else "go on by themselves"
        lines = [f"stopped watching: {figures.number(len(jobs), 'job')} {goes}"]
        lines.append(f"  {command('oss-copy', 'watch', *jobs, *more)}")
        if len(jobs) == 1:
            lines.append(f"  {command('oss-copy', 'cancel', *jobs, *more)}   # ends it")
        raise Interrupted("\n".join(lines)) from None


def tell(session: Session, answer: Answer) -> None:
    """Print what became of a job; raise ReportedFailure if it has failed or was cancelled."""
    session.screen.give(answer.told)
    job = answer.job
    answers.raise_failure(job)
    session.screen.say(_many_told(job) if isinstance(job, Many) else _told(job))


def _told(job: Copy) -> str:
    target = job.destination or job.source
    place = plain(str(target))
    if job.status == "running":
        return f"running: {place}, job {job.job}"
    if job.status == "skipped":
        why = f": {job.error}" if job.error else ""
        return f"skipped: {place}, nothing was copied{why}"
    length = target.size if target else None
    return f"{job.status}: {place}, {length} bytes, verified by {job.verified}, job {job.job}"


def _many_told(job: Many) -> str:
    why = f": {job.error}" if job.error else ""
    return f"{job.status}: {figures.standing(job)}, job {job.job}{why}"


def facts(job: Job) -> list[tuple[str, object]]:
    """Return what `status` shows of a job."""
    own = _facts_of_many(job) if isinstance(job, Many) else _facts_of_one(job)
    return [
        ("job", job.job),
        ("status", job.status),
        *own,
        ("progress", figures.standing(job)),
        ("started", job.started_at),
        ("finished", job.finished_at),
        ("error", job.error),
    ]


def _facts_of_one(job: Copy) -> list[tuple[str, object]]:
    return [
        ("source", job.source),
        ("destination", job.destination),
        ("method", job.method),
        ("verified by", job.verified),
        ("invocations", job.hops),
    ]


def _facts_of_many(job: Many) -> list[tuple[str, object]]:
    counts = job.objects
    told = [f"{counts.succeeded} copied", f"{counts.skipped} skipped", f"{counts.failed} failed"]
    return [
        ("objects", f"{counts.total} in all: {', '.join(told)}, {counts.missing} missing"),
        ("filtered out", job.excluded or None),
        ("large copies", job.chains or None),
        ("errors", ", ".join(f"{code} {count}" for code, count in job.errors.items())),
        ("report", f"oss://{job.report.bucket}/{job.report.prefix}" if job.report else None),
    ]
