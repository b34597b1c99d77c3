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
from osscopy.jobs.bulk.clearing import others
from osscopy.jobs.bulk.pages.former import with_former
from osscopy.jobs.bulk.pages.inventory import contents_of
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
    Encrypted,
    Failed,
    Head,
    Inventory,
    Mark,
    ObjectPage,
    Problem,
    Range,
    Refused,
    Source,
    Walk,
)
from osscopy.plan import bulk
from osscopy.plan.bulk import inventories


class AlreadyRunning(Refused):
    """A job between the same places is under way; `job` is its id."""

    def __init__(self, job: str) -> None:
        text = f"job {job} copies between the same places: wait until it has ended, or cancel it"
        super().__init__("AlreadyRunning", text, status=409)
        self.job = job


class _Seen(msgspec.Struct, frozen=True):
    """When a job begins, by OSS's clock, the version of its manifest, and when its inventory was begun."""

    began: int
    etag: str = ""
    size: int = 0
    covers: int = 0


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
        caller=asked.origin.told,
    )


def skipped(asked: Bulk, error: AlreadyRunning) -> BulkResult:
    """Return the result of a job whose places another one works on."""
    problem, caller = Problem.of(error), asked.origin.told
    return BulkResult(asked.job, "skipped", started_at=asked.started_at, error=problem, caller=caller)


def _begin(tools: Tools, asked: Bulk) -> BulkResult:
    known = standing(tools.context, tools.records, asked.job)
    if known is not None:
        if known.status == "running":  # whoever began it may have died before the first hop
            tools.submit(Walk(asked.job, Range()))
        return known
    request = bulk.defaults(with_former(tools, asked.request))
    place = report.place_of(request.report, tools.state, asked.job)
    context = tools.context
    premises = bulk.Premises(context.allow, tools.writes, tools.state, tools.workers, context.options)
    bulk.refuse_places(request, premises)
    others.refuse(tools, asked.job, request)
    seen = _look_at_list(tools, request) if bulk.is_listed(request) else _look(tools, request)
    number = 0 if bulk.only_looks(request) else _turn(tools, asked.job, request)
    entry = BulkJob(
        context.clock.nonce(),
        asked.job,
        request,
        asked.started_at,
        seen.began,
        min(request.max_workers or tools.workers, tools.workers),
        place,
        seen.etag,
        seen.size,
        settle=context.limits.settle,
        parent=asked.parent,
        covers=seen.covers,
        default=_default(tools, request),
        origin=asked.origin,
    )
    report.write_trial(tools, entry)
    if number:
        _take_turn(tools, asked.job, request, number)
    job = tools.of(asked.job).create_job(entry)
    tools.submit(Walk(job.job, Range()))
    caller = job.origin.told
    return BulkResult(job.job, "running", report=job.report, started_at=job.started_at, caller=caller)


def _default(tools: Tools, request: BulkRequest) -> Encrypted | None:
    """Return the encryption that the destination gives by default, where it decides what may be copied."""
    options, bucket = tools.context.options, request.destination.bucket
    if request.encryption != "bucket" or not options.must_compare(request, None):
        return None
    try:
        return tools.context.ask(tools.context.default_encryption, bucket)
    except Failed as error:
        if error.status != 403:
            raise
        return None  # each object is looked at


# --- what is refused ---------------------------------------------------------------------------------------


def _look_at_list(tools: Tools, request: BulkRequest) -> _Seen:
    """Return the manifest's version; Failed if it or the destination is not there, or if it is empty."""
    named, there, pays = request.source, request.destination, request.request_payer
    listed = named.manifest or named.inventory
    place = Source(listed.bucket, listed.key) if listed else Source("", "")
    read = CopyRequest(source=place, destination=Destination(there.bucket), request_payer=pays)
    try:
        head = tools.context.ask(tools.context.store.head, read, place, Conditions())
    except Failed as error:
        error.field = f"source.{'report' if named.report else 'inventory' if named.inventory else 'manifest'}"
        raise
    _first(tools, there.bucket, there.prefix or "", "destination", pays=pays)
    if named.inventory is not None and named.manifest is None:
        return _look_at_inventory(tools, request, named.inventory, head)
    if not head.size and not request.allow_empty:
        raise Failed("EmptySource", "the manifest is empty: `allowEmpty` takes that", field="source.manifest")
    return _Seen(head.seen_at, head.etag, head.size)


def _look_at_inventory(tools: Tools, request: BulkRequest, inventory: Inventory, head: Head) -> _Seen:
    """Return what the manifest of an inventory tells; Refused where its files may not be read."""
    contents = contents_of(tools, inventory, head.etag, head.size)
    inventories.refuse_blind(contents, request.filters)
    there = Destination(request.destination.bucket, f"{request.destination.prefix or ''}{bulk.ANY}")
    for each in contents.files:
        tools.context.allow(CopyRequest(source=Source(inventory.bucket, each.key), destination=there))
    if not contents.files and not request.allow_empty:
        text = "the inventory has no files: `allowEmpty` takes that"
        raise Failed("EmptySource", text, field="source.inventory")
    return _Seen(head.seen_at, head.etag, head.size, contents.began)


def _look(tools: Tools, request: BulkRequest) -> _Seen:
    """Return the time by OSS's clock; Failed if a place is not there, or if there is nothing to copy."""
    source, there, pays = request.source, request.destination, request.request_payer
    is_past = request.as_of is not None or request.versions == "all"
    first = _first_version if is_past else _first
    listed = Question(lambda: first(tools, source.bucket or "", source.prefix or "", "source", pays=pays))
    other = Question(lambda: _first(tools, there.bucket, there.prefix or "", "destination", pays=pays))
    tools.context.together(listed, other)
    page, _ = listed.get(), other.get()
    if request.versions == "all":
        bulk.refuse_unkeeping(there.bucket, tools.context.ask(tools.objects.versioning, there.bucket))
    if not page.objects and not request.allow_empty:
        text = f"there is no object under oss://{source.bucket}/{source.prefix}: `allowEmpty` takes that"
        raise Failed("EmptySource", text, field="source.prefix")
    return _Seen(page.seen_at)


def _first_version(tools: Tools, bucket: str, prefix: str, side: str, *, pays: bool) -> ObjectPage:
    """Return the first version of a place; Failed if its bucket never had versions, or cannot be listed."""
    ask, objects = tools.context.ask, tools.objects
    try:
        bulk.refuse_unkept(bucket, ask(objects.versioning, bucket))
        page = ask(objects.versions, bucket, prefix, Mark(), 1, pays=pays)
    except Failed as error:
        error.field = error.field or f"{side}.bucket"
        raise
    return ObjectPage(page.versions, page.seen_at)


def _first(tools: Tools, bucket: str, prefix: str, side: str, *, pays: bool) -> ObjectPage:
    """Return the first object of a place; Failed, naming the side, if it cannot be listed."""
    try:
        return tools.context.ask(tools.objects.page, bucket, prefix, "", 1, pays=pays)
    except Failed as error:
        error.field = f"{side}.bucket"
        raise


# --- turns -------------------------------------------------------------------------------------------------


def _turn(tools: Tools, job: str, request: BulkRequest) -> int:
    """Return the number of the turn to take, 0 if it is taken; AlreadyRunning while another job has it."""
    context, records = tools.context, tools.records
    page = context.ask(records.page, _turns(request), "", 1)
    for name, written in page.entries:
        newest = context.ask(read, records, name, Claim)
        if newest is not None and newest.job == job:
            return 0
        if newest is not None and _runs(tools, newest.job, page.seen_at - written):
            raise AlreadyRunning(newest.job)
        return bulk.LAST - int(name.removeprefix(_turns(request))) + 1
    return 1


def _take_turn(tools: Tools, job: str, request: BulkRequest, number: int) -> None:
    """Create a turn; AlreadyRunning if another job has just done so."""
    mine = Claim(tools.context.clock.nonce(), job)
    there = tools.context.ask(create, tools.records, f"{_turns(request)}{bulk.LAST - number:012}", mine)
    if there.job != job:
        raise AlreadyRunning(there.job)


def _turns(request: BulkRequest) -> str:
    return f"turn/{bulk.pair_id(request)}/"


def _runs(tools: Tools, job: str, age: int) -> bool:
    """Return whether a job runs; one that never got a `job` is over after T_late."""
    records = tools.of(job)
    if records.done() is not None:
        return False
    return records.job() is not None or age < plan.settle_time(tools.context.limits.configured)


def _logged(tools: Tools, result: BulkResult) -> BulkResult:
    context, told = tools.context, None if result.caller is msgspec.UNSET else result.caller
    context.log("result", job=result.job, status=result.status, error=result.error, caller=told)
    return result
