"""The request for many objects, as a user writes it. Knows no job and no record (`model.bulk`)."""

from __future__ import annotations

from typing import Literal

from osscopy.model.request import Options
from osscopy.model.values import Value


class Manifest(Value, frozen=True):
    """A list of objects: CSV or JSON lines, plain or as gzip. `encoding` is that of the keys in CSV."""

    bucket: str
    key: str
    encoding: Literal["url", "form", "none"] = "url"


class Inventory(Value, frozen=True):
    """The `manifest.json` of an inventory that OSS has made."""

    bucket: str
    key: str


class Former(Value, frozen=True):
    """The rows of a former job that have this status; `wouldCopy`: of a dry run."""

    job: str
    status: Literal["failed", "wouldCopy"] = "failed"


class BulkSource(Value, frozen=True, kw_only=True):
    """The objects to copy: all under a prefix ("": the whole bucket), or those that a list names."""

    bucket: str | None = None
    prefix: str | None = None
    manifest: Manifest | None = None
    inventory: Inventory | None = None
    report: Former | None = None


class BulkDestination(Value, frozen=True, kw_only=True):
    """Where to: `prefix` takes the place of the source's; `key` is a template instead."""

    bucket: str
    prefix: str | None = None
    key: str | None = None


class Filters(Value, frozen=True, kw_only=True):
    """Filters of keys, sizes, times and classes; globs as rclone writes them, of the key below the prefix."""

    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    min_size: int | str | None = None
    max_size: int | str | None = None
    modified_after: str | None = None
    modified_before: str | None = None
    storage_classes: (
        tuple[Literal["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"], ...] | None
    ) = None


class ReportPlace(Value, frozen=True):
    """The bucket and the prefix of a report."""

    bucket: str
    prefix: str = ""


class BulkRequest(Options, frozen=True, kw_only=True):
    """A request for many objects, with the options of a copy.

    `max_failures`: the job stops when more objects have failed. `report`: by default among the records.
    `as_of`: the time of which the current versions are copied, with an offset; `versions`: `all` of each key.
    """

    source: BulkSource
    destination: BulkDestination
    overwrite: Literal["always", "never", "ifDifferent", "ifNewer"] = "ifDifferent"
    archive: Literal["fail", "restore", "skip"] = "fail"  # type: ignore[assignment]  # one more than a copy has
    filters: Filters = Filters()
    verify: Literal["answer", "full"] = "answer"
    max_workers: int | None = None
    max_failures: int = 1000
    allow_empty: bool = False
    allow_missing: bool = False
    report: ReportPlace | None = None
    delete: bool = False
    max_delete: int | str = 0
    dry_run: bool = False
    mode: Literal["copy", "check"] = "copy"
    compare: Literal["listing", "metadata"] = "listing"
    max_rate: int = 0
    as_of: str | None = None
    versions: Literal["current", "all"] = "current"
