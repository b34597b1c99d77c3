"""The state bucket: what keeps records, or loses them, and the age of those of open copies.

Knows how a record is written on trial and taken away again; not what answers mean.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from osscopy import plan
from osscopy.check import answers
from osscopy.check.inspection import Inspection, Reached
from osscopy.check.report import Finding, failed, ok
from osscopy.check.trials import clear
from osscopy.check.world import Need, QuestionFailed, Unless, World
from osscopy.jobs.journal import RecordJournal
from osscopy.model import Grade, Line

PAGE = 1000  # records of open copies looked at


def inspect(inspection: Inspection, journal: RecordJournal) -> None:
    """Report on the state bucket."""
    role, bucket = "stateBucket", inspection.settings.state_bucket
    place = f"{inspection.settings.state_prefix}check/"
    ask, world, nonce = inspection.ask, inspection.world, inspection.nonce
    reached = inspection.reach(role, bucket)
    retention = inspection.retention(role, bucket, reached.unless)
    ask(f"{role}.lifecycle", bucket, lambda: _lifecycle(inspection, bucket), reached.unless)
    blocked = reached.unless or _why_no_record(inspection, bucket, reached, retention)
    ask(f"{role}.records", bucket, lambda: _try(world, bucket, f"{place}{nonce}", place), blocked)
    ask(
        f"{role}.remains",
        bucket,
        lambda: answers.left(*clear(world, bucket, place, nonce, "objects")),
        reached.unless,
    )
    ask("sweep", None, lambda: _sweep(inspection, journal), reached.unless)


def _why_no_record(inspection: Inspection, bucket: str, reached: Reached, retention: Grade) -> str | None:
    """Return why no record is written on trial: it could not be deleted without a trace."""
    if reached.info is not None and reached.info.versioning is not None:
        return f"{bucket} has versions"
    if retention == "failed":
        return f"{bucket} may keep what is written"
    if inspection.rules is None:
        return "the rules are unknown, and one may watch it"
    return None


def _lifecycle(inspection: Inspection, bucket: str) -> list[Line]:
    settings, given = inspection.settings, inspection.lifecycle(bucket)
    tells = settings.telling is not None
    found = answers.state_lifecycle(settings.state_prefix, given, tells=tells)
    return [each.line("stateBucket.lifecycle", bucket) for each in found]


def _try(world: World, bucket: str, key: str, place: str) -> Finding:
    """Create, refuse to create again, read, list and delete a record."""
    buckets, where = world.buckets, f"on {bucket}/{place}*"
    version: str | None = None
    try:
        with Unless("FileAlreadyExists"):
            version = world.ask(Need(f"oss:PutObject {where}"), buckets.put_new, bucket, key, b"{}")
        if version is not None:
            text = "records have versions, so that they could be overwritten"
            return failed(text, "use a bucket without versioning")
        with Unless("FileAlreadyExists"):
            world.ask(Need(f"oss:PutObject {where}"), buckets.put_new, bucket, key, b"{}")
            text = "OSS let a record be overwritten despite x-oss-forbid-overwrite"
            return failed(text, "use a bucket without versioning")
        world.ask(Need(f"oss:GetObject {where}"), buckets.get, bucket, key)
        page = world.ask(Need(f"oss:ListObjects on {bucket}"), buckets.objects, bucket, key, 1)
        if [each.key for each in page.objects] != [key]:
            return failed("a record that was just written is not listed", "report it")
        world.ask(Need(f"oss:DeleteObject {where}"), buckets.delete, bucket, key)
    finally:
        with contextlib.suppress(QuestionFailed):  # `clear` names what is left
            world.ask_at_last(f"oss:DeleteObject {where}", buckets.delete, bucket, key, version)
    return ok("created, not overwritten, read, listed, deleted")


def _sweep(inspection: Inspection, journal: RecordJournal) -> Iterator[Line]:
    """Look at the oldest of the first page of open copies, by the time its record was written."""
    need = Need(f"oss:ListObjects, oss:GetObject on {inspection.settings.state_bucket}")
    page = inspection.world.ask(need, journal.page, "open", "", PAGE)
    yield from inspection.clock(page.seen_at)
    age, closed = 0, None
    if page.entries:
        job, written = min(page.entries, key=lambda entry: entry[1])
        closed = inspection.world.ask(need, journal.written, "done", job)
        age = page.seen_at - (written if closed is None else closed[0])
    timeout = inspection.deployment.timeout
    wait = plan.settle_time(timeout) + plan.patience(timeout) + 3600  # s.yaml sweeps every 15 minutes
    count = len(page.entries)
    yield answers.sweep(count, age, closed is not None, wait, count == PAGE).line("sweep")
