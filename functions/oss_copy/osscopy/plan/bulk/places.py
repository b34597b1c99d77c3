"""The places of a job of many objects that the settings of a function refuse.

Asks and writes nothing. Knows settings as values: a deployer's tool refuses a timer's request the same way.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from osscopy.model import BulkRequest, CopyRequest, Destination, Manifest, Refused, ReportPlace, Rule, Source
from osscopy.plan.allowed.options import AllowedOptions

ANY = "\U0010ffff"  # a key below a prefix that no pattern for one key names
REPORTS = "reports/"  # where reports are among the records
FAILED = "failed.csv.gz"  # of a report
LISTS = {
    "failed": FAILED,
    "wouldCopy": "would-copy.csv.gz",
    "superfluous": "superfluous.csv.gz",
}  # rows that a later job may take as its source
DOUBT = "doubt.csv"  # the objects that were copied from an older source, as a later comparison found


class Premises(msgspec.Struct, frozen=True):
    """The settings that a job has to fit: `allow` raises Refused; `state`: where the records are.

    `writes` raises Refused for a bucket and a key that nothing may be written to, naming the field.
    `options`: those that are allowed.
    """

    allow: Callable[[CopyRequest], None]
    writes: Callable[[str, str, str], None]
    state: ReportPlace
    workers: int
    options: AllowedOptions


def refuse_places(request: BulkRequest, premises: Premises) -> None:
    """Refuse too many walkers, options and places that are not allowed as a whole, and places of records.

    The destination has its prefix (`defaults`).
    """
    workers = premises.workers
    if (request.max_workers or 1) > workers:
        text = f"{workers} at most: RESERVED_CONCURRENCY - 2, since cancel and sweep have to run, too"
        raise Refused("InvalidField", text, field="maxWorkers")
    premises.options.judge_request(request)
    _refuse_not_allowed(request, premises)
    _refuse_records(request, premises.state)
    if request.report is not None and not _is_kept_for_reports(request.report, premises.state):
        premises.writes(request.report.bucket, request.report.prefix + ANY, "report")


def _refuse_not_allowed(request: BulkRequest, premises: Premises) -> None:
    source, there = request.source, request.destination
    named, made = source.manifest, Destination(there.bucket, (there.prefix or "") + ANY)
    places: list[Source] = []
    if source.prefix is not None:
        places.append(Source(source.bucket or "", source.prefix + ANY))
    if named is not None and source.report is None and not _is_report(named, premises.state):
        places.append(Source(named.bucket, named.key))
    if source.inventory is not None:
        places.append(Source(source.inventory.bucket, source.inventory.key))
    for place in places:
        premises.allow(CopyRequest(source=place, destination=made))
    premises.writes(made.bucket, made.key, "destination")


def _refuse_records(request: BulkRequest, state: ReportPlace) -> None:
    """Refuse a prefix that holds records or the report, and a report that would lie among other records."""
    source, there, report = request.source, request.destination, request.report
    places = [
        ("source.prefix", source.bucket, source.prefix),
        ("destination.prefix", there.bucket, there.prefix),
    ]
    kept = [(state, "the function's records are")] + ([(report, "the report is")] if report else [])
    for field, bucket, prefix in places:
        for each, what in kept:
            if bucket == each.bucket and prefix is not None and each.prefix.startswith(prefix):
                raise Refused("NotAllowed", f"{what} under this prefix", field=field, status=403)
    if report is not None and _lies_among_records(report, state):
        text = "the function's records are there: choose another prefix, or leave `report` out"
        raise Refused("NotAllowed", text, field="report.prefix", status=403)


def _lies_among_records(report: ReportPlace, state: ReportPlace) -> bool:
    """Return whether files of a report would be taken for records: only `reports/` is kept for them."""
    is_there = report.bucket == state.bucket and report.prefix.startswith(state.prefix)
    return is_there and not _is_kept_for_reports(report, state)


def _is_kept_for_reports(report: ReportPlace, state: ReportPlace) -> bool:
    return report.bucket == state.bucket and report.prefix.startswith(state.prefix + REPORTS)


def _is_report(manifest: Manifest, state: ReportPlace) -> bool:
    """Return whether a manifest is a list of a former job, in its report among the records."""
    is_there = manifest.bucket == state.bucket and manifest.key.startswith(state.prefix + REPORTS)
    names = (*LISTS.values(), DOUBT)
    return is_there and any(manifest.key.endswith(f"/{each}") for each in names)


# --- who else writes there ---------------------------------------------------------------------------------


def written(request: BulkRequest) -> ReportPlace:
    """Return the bucket and the prefix that a job writes under, with its defaults."""
    there = request.destination
    return ReportPlace(there.bucket, there.prefix or "" if there.key is None else _literal(there.key))


def written_by(rule: Rule) -> ReportPlace:
    """Return the bucket and the prefix that a rule writes under."""
    key, watched = rule.destination.key, rule.source.prefix
    prefix = watched if not key or key.startswith("{key}") else _literal(key)
    return ReportPlace(rule.destination.bucket, prefix)


def meets(one: ReportPlace, other: ReportPlace) -> bool:
    """Return whether one place is under, above, or at the other."""
    nested = one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix)
    return one.bucket == other.bucket and nested


def _literal(template: str) -> str:
    """Return how all keys begin that a template makes."""
    return template.partition("{")[0]
