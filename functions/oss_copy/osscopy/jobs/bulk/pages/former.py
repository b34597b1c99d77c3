"""What failed of a former job, or what its dry run has shown, as the manifest of a new one.

Knows `done/` and the files of a report; writes nothing.
"""

from __future__ import annotations

from msgspec.structs import replace

from osscopy.jobs.bulk.tools import Tools
from osscopy.model import (
    BulkDestination,
    BulkDone,
    BulkRequest,
    Failed,
    Former,
    Manifest,
    Objects,
    Refused,
    ReportPlace,
)
from osscopy.plan import bulk


def with_former(tools: Tools, asked: BulkRequest) -> BulkRequest:
    """Return a request whose source is a former job's report with the list that this is.

    Keys are mapped as that job did, unless the destination says otherwise. Refused while the former job runs,
    or if it has no record; Failed if nothing of it failed, or if its report could not be written.
    """
    former = asked.source.report
    if former is None:
        return asked
    done = _done(tools, former)
    counts, place = done.result.objects, done.result.report or ReportPlace("")
    if done.result.error is not None and done.result.error.code == "ReportFailed":
        raise Failed(
            "ReportFailed", f"the report of {former.job} could not be written", field="source.report"
        )
    if done.request.versions == "all":
        text = "versions have an order, which a list does not keep: ask for the same again"
        raise Refused("InvalidField", text, field="source.report")
    if former.status == "wouldCopy":
        _refuse_unshown(asked, done)
    if not _listed(former, counts) and not asked.allow_empty:
        what = "would be copied" if former.status == "wouldCopy" else "failed or was missing"
        text = f"no object of {former.job} {what}: `allowEmpty` takes that"
        raise Failed("EmptySource", text, field="source.report")
    listed = Manifest(place.bucket, f"{place.prefix}{bulk.LISTS[former.status]}")
    source = replace(done.request.source, manifest=listed, inventory=None, report=former)
    request = replace(asked, source=source, destination=_destination(asked, done.request))
    bulk.refuse_mixed(request)
    return request


def _listed(former: Former, counts: Objects) -> int:
    return (
        counts.would_copy
        if former.status == "wouldCopy"
        else counts.failed + counts.missing + counts.different
    )


def _refuse_unshown(asked: BulkRequest, done: BulkDone) -> None:
    """Refuse to do what a dry run has not shown: it was none, it lists too much, or it went elsewhere."""
    was, there = done.request, asked.destination
    if not was.dry_run:
        text = "this job was no dry run: only a dry run has rows of this status"
        raise Refused("InvalidField", text, field="source.report.status")
    if done.result.objects.would_copy > bulk.LISTED:
        text = f"more than {bulk.LISTED} objects: ask for a dry run of a part of them"
        raise Refused("InvalidField", text, field="source.report")
    shown = was.destination
    if there != shown and there != BulkDestination(bucket=shown.bucket):
        text = f"the dry run has shown copies to {shown.bucket}: name that, and leave `prefix` and `key` out"
        raise Refused("InvalidField", text, field="destination")


def _done(tools: Tools, former: Former) -> BulkDone:
    records = tools.of(former.job)
    done = records.done()
    if done is not None:
        return done
    if records.job() is not None:
        text = f"{former.job} has not ended: cancel it first"
        raise Refused("StillRunning", text, field="source.report", status=409)
    raise Refused("NoSuchJob", f"there is no record of {former.job}", field="source.report.job", status=404)


def _destination(asked: BulkRequest, was: BulkRequest) -> BulkDestination:
    there = asked.destination
    if there.prefix is not None or there.key is not None:
        return there
    return replace(was.destination, bucket=there.bucket)
