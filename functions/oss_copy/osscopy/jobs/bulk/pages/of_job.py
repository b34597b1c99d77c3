"""The pages of a job: keys under a prefix, now or at a time, lines of a manifest, or rows of an inventory."""

from __future__ import annotations

from osscopy.jobs.bulk.pages.both import BothPages
from osscopy.jobs.bulk.pages.inventory import InventoryPages
from osscopy.jobs.bulk.pages.listing import Pages, PrefixPages
from osscopy.jobs.bulk.pages.manifest import ManifestPages
from osscopy.jobs.bulk.pages.versions import AllPages, AsOfPages
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import BulkJob, Passed, Range
from osscopy.plan import bulk


def pages_of(tools: Tools, job: BulkJob, whole: Range, passed: Passed | None = None) -> Pages:
    """Return the pages of a range of a job; `passed`: as of an entry."""
    manifest, inventory = job.request.source.manifest, job.request.source.inventory
    if job.request.mode == "check" or job.request.delete:
        return BothPages(tools, job, whole)
    if inventory is not None:
        return InventoryPages(tools, job, whole, inventory)
    if manifest is None and job.request.as_of is not None:
        return AsOfPages(tools, job, whole, job.request.as_of)
    if manifest is None and bulk.is_all(job.request):
        return AllPages(tools, job, whole, passed)
    if manifest is None:
        return PrefixPages(tools, job, whole)
    return ManifestPages(tools, job, whole, manifest)
