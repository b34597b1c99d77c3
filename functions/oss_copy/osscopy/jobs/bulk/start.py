"""The start of a job of many objects: what is refused, whose turn it is, `job`, and the first hop.

Knows the order: settings, one look at each place and at the turn, a trial of the report's place, `turn/`,
`job`, the walk of the root. Whatever is refused is refused before anything is written.
"""

from __future__ import annotations

import msgspec

from osscopy import plan
from osscopy.copying import results
from osscopy.copying.invocation.questions import Question
from osscopy.jobs.bulk import report
from osscopy.jobs.bulk.standing import standing
from osscopy.jobs.bulk.tools import Tools
from osscopy.jobs.records import create, read
from osscopy.model import (
    Bulk,
    BulkJob,
    BulkRequest,
    BulkResult,
    Claim,
    Conditions,
    CopyRequest,
    Destination,
    Failed,
    Manifest,
    ObjectPage,
    Problem,
    Range,
    Refused,
    Source,
    Walk,
)
from osscopy.plan import bulk

ANY = "\U0010ffff"  # a key below a prefix that no pattern for one key names


class AlreadyRunning(Refused):
    """A job between the same places is under way; `job` is its id."""

    def __init__(self, job: str) -> None:
        text = f"job {job} copies between the same places: wait until it has ended, or cancel it"
        super().__init__("AlreadyRunning", text, status=409)
        self.job = job


class _Seen(msgspec.Struct, frozen=True):
    """When a job begins, by OSS's clock, and the version of its manifest."""

    began: int
    etag: str = ""
    size: int = 0


def begin(tools: Tools, asked: Bulk) -> BulkResult:
    """Begin a job, or return how it stands if it was begun before. A final refusal is returned as failed.

    Raises AlreadyRunning, and Transient.
    """
    try:
        return _logged(tools, _begin(tools, asked))
    except AlreadyRunning:
        raise
    except (Refused, Failed) as error:
        return _logged(tools, refused(asked, error, tools.context.now()))


def refused(asked: Bulk, error: Refused | Failed, now: float) -> BulkResult:
    """Return the result of a job that was not begun."""
    return BulkResult(
        asked.job,
        "failed",
        started_at=asked.started_at,
        finished_at=results.iso(now),
        error=Problem.of(error),
    )


def skipped(asked: Bulk, error: AlreadyRunning) -> BulkResult:
    """Return the result of a job whose places another one works on."""
    return BulkResult(asked.job, "skipped", started_at=asked.started_at, error=Problem.of(error))


def _begin(tools: Tools, asked: Bulk) -> BulkResult:
    known = standing(tools.context, tools.records, asked.job)
    if known is not None and known.status != "running":
        return known
    request = bulk.defaults(asked.request)
    place = report.place_of(request.report, tools.state, asked.job)
    _check_allowed(tools, request)
    seen = _look_at_manifest(tools, request) if request.source.manifest else _look(tools, request)
    number = _turn(tools, asked)
    entry = BulkJob(
        tools.context.clock.nonce(),
        asked.job,
        request,
        asked.started_at,
        seen.began,
        min(request.max_workers or tools.workers, tools.workers),
        place,
        seen.etag,
        seen.size,
        settle=tools.context.limits.settle,
        parent=asked.parent,
    )
    report.write_trial(tools, entry)
    if number:
        _take_turn(tools, asked, number)
    job = tools.of(asked.job).create_job(entry)
    tools.submit(Walk(job.job, Range()))
    return known or BulkResult(job.job, "running", report=job.report, started_at=job.started_at)


# --- what is refused ---------------------------------------------------------------------------------------


def _check_allowed(tools: Tools, request: BulkRequest) -> None:
    """Refuse places that the settings do not allow as a whole, and those of records and report."""
    source, there, workers = request.source, request.destination, tools.workers
    if (request.max_workers or 1) > workers:
        text = f"{workers} at most: RESERVED_CONCURRENCY - 2, since cancel and sweep have to run, too"
        raise Refused("InvalidField", text, field="maxWorkers")
    manifest = source.manifest
    if source.prefix is not None:
        _allow(tools, Source(source.bucket or "", source.prefix + ANY), _sample(there.bucket, there.prefix))
    if manifest is not None and not _is_report(tools, manifest):
        _allow(tools, Source(manifest.bucket, manifest.key), _sample(there.bucket, there.prefix))
    places = [
        ("source.prefix", source.bucket, source.prefix),
        ("destination.prefix", there.bucket, there.prefix),
    ]
    kept = [tools.state] + ([request.report] if request.report else [])
    for field, bucket, prefix in places:
        for each in kept:
            if bucket == each.bucket and prefix is not None and each.prefix.startswith(prefix):
                what = "the function's records are" if each is tools.state else "the report is"
                raise Refused("NotAllowed", f"{what} under this prefix", field=field, status=403)


def _is_report(tools: Tools, manifest: Manifest) -> bool:
    """Return whether a manifest is a list of a former job, in its report among the records."""
    reports = report.place_of(None, tools.state, "").prefix.rstrip("/")
    is_there = manifest.bucket == tools.state.bucket and manifest.key.startswith(f"{reports}/")
    return is_there and manifest.key.endswith((f"/{report.FAILED}", f"/{report.DOUBT}"))


def _sample(bucket: str, prefix: str | None) -> Destination:
    return Destination(bucket, (prefix or "") + ANY)


def _allow(tools: Tools, source: Source, there: Destination) -> None:
    tools.context.allow(CopyRequest(source=source, destination=there))


def _look_at_manifest(tools: Tools, request: BulkRequest) -> _Seen:
    """Return the manifest's version; Failed if it or the destination is not there, or if it is empty."""
    manifest, there, pays = request.source.manifest, request.destination, request.request_payer
    place = Source(manifest.bucket, manifest.key) if manifest else Source("", "")
    read = CopyRequest(source=place, destination=_sample(there.bucket, there.prefix), request_payer=pays)
    try:
        head = tools.context.ask(tools.context.store.head, read, place, Conditions())
    except Failed as error:
        error.field = "source.manifest"
        raise
    _first(tools, there.bucket, there.prefix or "", "destination", pays=pays)
    if not head.size and not request.allow_empty:
        raise Failed("EmptySource", "the manifest is empty: `allowEmpty` takes that", field="source.manifest")
    return _Seen(head.seen_at, head.etag, head.size)


def _look(tools: Tools, request: BulkRequest) -> _Seen:
    """Return the time by OSS's clock; Failed if a place is not there, or if there is nothing to copy."""
    source, there, pays = request.source, request.destination, request.request_payer
    listed = Question(lambda: _first(tools, source.bucket or "", source.prefix or "", "source", pays=pays))
    other = Question(lambda: _first(tools, there.bucket, there.prefix or "", "destination", pays=pays))
    tools.context.together(listed, other)
    page, _ = listed.get(), other.get()
    if not page.objects and not request.allow_empty:
        text = f"there is no object under oss://{source.bucket}/{source.prefix}: `allowEmpty` takes that"
        raise Failed("EmptySource", text, field="source.prefix")
    return _Seen(page.seen_at)


def _first(tools: Tools, bucket: str, prefix: str, side: str, *, pays: bool) -> ObjectPage:
    """Return the first object of a place; Failed, naming the side, if it cannot be listed."""
    try:
        return tools.context.ask(tools.objects.page, bucket, prefix, "", 1, pays=pays)
    except Failed as error:
        error.field = f"{side}.bucket"
        raise


# --- turns -------------------------------------------------------------------------------------------------


def _turn(tools: Tools, asked: Bulk) -> int:
    """Return the number of the turn to take, 0 if it is taken; AlreadyRunning while another job has it."""
    context, records = tools.context, tools.records
    page = context.ask(records.page, _turns(asked), "", 1)
    for name, written in page.entries:
        newest = context.ask(read, records, name, Claim)
        if newest is not None and newest.job == asked.job:
            return 0
        if newest is not None and _runs(tools, newest.job, page.seen_at - written):
            raise AlreadyRunning(newest.job)
        return bulk.LAST - int(name.removeprefix(_turns(asked))) + 1
    return 1


def _take_turn(tools: Tools, asked: Bulk, number: int) -> None:
    """Create a turn; AlreadyRunning if another job has just done so."""
    mine = Claim(tools.context.clock.nonce(), asked.job)
    there = tools.context.ask(create, tools.records, f"{_turns(asked)}{bulk.LAST - number:012}", mine)
    if there.job != asked.job:
        raise AlreadyRunning(there.job)


def _turns(asked: Bulk) -> str:
    return f"turn/{bulk.pair_id(bulk.defaults(asked.request))}/"


def _runs(tools: Tools, job: str, age: int) -> bool:
    """Return whether a job runs; one that never got a `job` is over after T_late."""
    records = tools.of(job)
    if records.done() is not None:
        return False
    return records.job() is not None or age < plan.settle_time(tools.context.limits.configured)


def _logged(tools: Tools, result: BulkResult) -> BulkResult:
    tools.context.log("result", job=result.job, status=result.status, error=result.error)
    return result
