"""The checks of a request for many objects, its defaults, and the copies that are made of it.

Asks nothing of OSS: a request refused here has had no effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from osscopy.model import (
    BulkDestination,
    BulkRequest,
    CopyRequest,
    Destination,
    Origin,
    Problem,
    Refused,
    Row,
    Source,
)
from osscopy.model.request import Options
from osscopy.plan.bulk.filters import MAX_GLOB, MAX_GLOBS, Filter
from osscopy.plan.bulk.modes import deletion, versions
from osscopy.plan.keys import BULK_JOB, check_bucket, check_key, check_no_address
from osscopy.plan.templates import render
from osscopy.plan.validate import check_request, check_text

MAX_WORKERS = 100
MAX_FAILURES = 10**9
MAX_RATE = 100_000  # requests a second
NOBODY = Origin()
_SAMPLE = "object"
_SLASHES = "exactly one of the two prefixes ends in a slash: end both, or none, with one"


def refuse_wrong(request: BulkRequest, moment: datetime) -> None:
    """Refuse what could not be done, naming the first wrong field."""
    for is_wrong, error in objections(request):
        if is_wrong:
            raise error
    Filter(request.filters)
    deletion.most(request.max_delete, 0)
    versions.refuse_wrong(request, moment)
    _check_places(request)
    maker = Maker(request, moment)
    prefix = request.source.prefix or ""
    sample = maker.copy(request.source.bucket or "bucket", f"{prefix}{_SAMPLE}", None)
    if isinstance(sample, Problem):
        raise Refused(sample.code, sample.message, field=sample.field)
    check_request(sample)


def refuse_mixed(request: BulkRequest) -> None:
    """Refuse prefixes of which exactly one ends in a slash: some are known only when the source is."""
    if _mixes_slashes(request):
        raise _invalid("destination.prefix", _SLASHES)


def objections(request: BulkRequest) -> Iterator[tuple[bool, Refused]]:
    """Yield each thing that may be wrong, with its refusal, in the order in which they are told."""
    yield from _unfit(request)
    filters = request.filters
    globs = [*(filters.include or ()), *filters.exclude]
    is_long = any(len(each) > MAX_GLOB for each in globs)
    yield filters.include == (), _filter("an empty list takes nothing: leave it out")
    yield filters.storage_classes == (), _classes("an empty list takes nothing: leave it out")
    yield from _blind(request)
    yield len(globs) > MAX_GLOBS, _filter(f"{MAX_GLOBS} globs at most, with excludes")
    yield is_long, _filter(f"a glob has {MAX_GLOB} characters at most")


def _blind(request: BulkRequest) -> Iterator[tuple[bool, Refused]]:
    """Yield the filters of what the lines of a manifest do not tell."""
    filters = request.filters
    text = "a manifest does not tell it: leave it out, or name an inventory that does; globs are taken"
    for field, given in (
        ("minSize", filters.min_size),
        ("maxSize", filters.max_size),
        ("modifiedAfter", filters.modified_after),
        ("modifiedBefore", filters.modified_before),
        ("storageClasses", filters.storage_classes),
    ):
        is_blind = request.source.manifest is not None and given is not None
        yield is_blind, Refused("InvalidFilter", text, field=f"filters.{field}")


def _unfit(request: BulkRequest) -> Iterator[tuple[bool, Refused]]:
    """Yield what does not fit together."""
    source, there, workers = request.source, request.destination, request.max_workers
    lists = (source.manifest, source.inventory, source.report)
    named = [each for each in (source.prefix, *lists) if each is not None]
    is_twice = there.prefix is not None and there.key is not None
    is_wide = workers is not None and not 1 <= workers <= MAX_WORKERS
    yield (
        len(named) != 1,
        _invalid("source", "name a prefix, a manifest, an inventory, or a report: one of them"),
    )
    yield source.prefix is not None and source.bucket is None, _missing("source.bucket")
    names_own = source.report is not None or source.inventory is not None
    text = "a report and an inventory name their own buckets"
    yield names_own and source.bucket is not None, _invalid("source.bucket", text)
    yield is_twice, _invalid("destination.key", "either `prefix` or `key`, not both")
    yield not 0 <= request.max_failures <= MAX_FAILURES, _invalid("maxFailures", f"0 to {MAX_FAILURES}")
    yield not 0 <= request.max_rate <= MAX_RATE, _invalid("maxRate", f"0 to {MAX_RATE}; 0: none")
    yield is_wide, _invalid("maxWorkers", f"1 to {MAX_WORKERS}")
    yield from _unfit_check(request)
    for unfit in (deletion.unfit, versions.unfit):
        yield from ((is_wrong, _invalid(field, text)) for is_wrong, field, text in unfit(request))
    text = "one prefix begins the other in one bucket: the job would copy its own output"
    yield _feeds_itself(request), _invalid("destination.prefix", text)
    yield _mixes_slashes(request), _invalid("destination.prefix", _SLASHES)


def _unfit_check(request: BulkRequest) -> Iterator[tuple[bool, Refused]]:
    """Yield what does not fit a check, which compares two prefixes and copies nothing."""
    is_check = request.mode == "check"
    yield is_check and request.dry_run, _invalid("dryRun", "a check copies nothing: leave it out")
    is_other = request.overwrite != "ifDifferent"
    yield is_check and is_other, _invalid("overwrite", "a check compares, and overwrites nothing")
    yield is_check and request.source.prefix is None, _invalid("source", "a check compares two prefixes")
    is_made = request.destination.key is not None
    yield is_check and is_made, _invalid("destination.key", "a check compares two prefixes")


def is_listed(request: BulkRequest) -> bool:
    """Return whether the objects are those that a list names, so that they may be gone."""
    return request.source.manifest is not None or request.source.inventory is not None


def only_looks(request: BulkRequest) -> bool:
    """Return whether a job writes no object."""
    return request.dry_run or request.mode == "check"


def defaults(request: BulkRequest) -> BulkRequest:
    """Return the request with `destination.prefix`, unless there is a template, and with its encryption."""
    there, prefix = request.destination, request.source.prefix or ""
    chosen = prefix if there.prefix is None and there.key is None else there.prefix
    encryption = "keep" if request.encryption is None else request.encryption
    destination = BulkDestination(bucket=there.bucket, prefix=chosen, key=there.key)
    return replace(request, destination=destination, encryption=encryption)


def is_pinned(request: BulkRequest) -> bool:
    """Return whether each object is copied only if it still is what a dry run has shown."""
    return request.source.report is not None and request.source.report.status == "wouldCopy"


class Maker:
    """Makes the copies of a request. `moment`: of the dates in a template; `origin`: who asked for them."""

    def __init__(self, request: BulkRequest, moment: datetime, origin: Origin = NOBODY) -> None:
        self.origin = origin
        self._request = request
        self._moment = moment
        self._prefix = request.source.prefix or ""
        self._bucket = request.destination.bucket
        self._is_pinned = is_pinned(request)
        options: dict[str, Any] = {name: getattr(request, name) for name in Options.__struct_fields__}
        options["archive"] = "restore" if request.archive == "restore" else "fail"
        if versions.is_all(request):  # what the destination shows now is the version before
            options["overwrite"] = "always"
        # one of which all others are made: options are many, and so are copies
        self._first = CopyRequest(source=Source("", ""), destination=Destination("", ""), **options)

    def name(self, key: str) -> str:
        """Return the key below the prefix, which filters match."""
        return key.removeprefix(self._prefix)

    def destination(self, key: str) -> str:
        """Return the destination key; Refused if a template makes none."""
        there = self._request.destination
        if there.key is not None:
            return render(there.key, key, self._moment)
        return (there.prefix or "") + self.name(key)

    def copy(self, bucket: str, key: str, version_id: str | None, known: str = "") -> CopyRequest | Problem:
        """Return the copy of one object, or the reason why there is none; `known`: its destination's key."""
        try:
            there = known or self.destination(key)
            check_bucket(bucket, "source.bucket")
            check_key(key, "source.key")
            if there == "" and key.endswith("/"):
                raise Refused("NoName", "a folder marker without a name below the prefix")
            check_key(there, "destination.key")
            _check_hdfs(there)
        except Refused as error:
            return Problem.of(error)
        source, destination = Source(bucket, key, version_id), Destination(self._bucket, there)
        if (bucket, key) == (self._bucket, there):
            return Problem("SelfCopy", "the object would be copied onto itself")
        return replace(self._first, source=source, destination=destination)

    def of_row(self, row: Row) -> CopyRequest:
        """Return the copy that a row stands for, which was made when the row was."""
        source = Source(row.bucket, row.key, row.version_id or None)
        there = Destination(self._bucket, row.destination_key)
        made = replace(self._first, source=source, destination=there)
        if self._is_pinned and row.etag:
            return replace(made, conditions=replace(made.conditions, if_match=row.etag))
        return made


def _check_hdfs(key: str) -> None:
    if key.startswith(deletion.HDFS):
        text = f"OSS-HDFS keeps its data under {deletion.HDFS}"
        raise Refused("NotAllowed", text, field="destination.key")


def _check_places(request: BulkRequest) -> None:
    """Refuse names that are no buckets, and prefixes and keys that OSS or HTTP cannot take."""
    source, there = request.source, request.destination
    manifest, inventory, report = source.manifest, source.inventory, request.report
    if source.report is not None:
        check_text(BULK_JOB, source.report.job, "InvalidField", "source.report.job")
    buckets = {
        "source.bucket": source.bucket,
        "source.manifest.bucket": manifest.bucket if manifest else None,
        "source.inventory.bucket": inventory.bucket if inventory else None,
        "destination.bucket": there.bucket,
        "report.bucket": report.bucket if report else None,
    }
    prefixes = {
        "source.prefix": source.prefix,
        "source.manifest.key": manifest.key if manifest else None,
        "source.inventory.key": inventory.key if inventory else None,
        "destination.prefix": there.prefix,
        "report.prefix": report.prefix if report else None,
    }
    for field, name in buckets.items():
        check_bucket("bucket" if name is None else name, field)
    for field, prefix in prefixes.items():
        check_no_address(prefix or "", field)
        check_key((prefix or "") + "x" * (not prefix), field)


def _feeds_itself(request: BulkRequest) -> bool:
    """Return whether one prefix begins the other in one bucket."""
    source, there = request.source, defaults(request).destination
    if source.prefix is None or source.bucket != there.bucket:
        return False
    written = there.prefix if there.prefix is not None else ""
    return written.startswith(source.prefix) or source.prefix.startswith(written)


def _mixes_slashes(request: BulkRequest) -> bool:
    """Return whether exactly one of two prefixes that are not empty ends in a slash."""
    prefixes = [request.source.prefix, defaults(request).destination.prefix]
    ends = [each.endswith("/") for each in prefixes if each]
    return request.source.prefix is not None and len(ends) == 2 and ends[0] != ends[1]


def _missing(field: str) -> Refused:
    return Refused("MissingField", f"Object missing required field `{field.rpartition('.')[2]}`", field=field)


def _invalid(field: str, text: str) -> Refused:
    return Refused("InvalidField", text, field=field)


def _classes(text: str) -> Refused:
    return Refused("InvalidFilter", text, field="filters.storageClasses")


def _filter(text: str) -> Refused:
    return Refused("InvalidFilter", text, field="filters.include")
