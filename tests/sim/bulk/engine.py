"""The product, put together for one invocation of a schedule. Nothing is judged here."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from osscopy import events
from osscopy.jobs.bulk import standing, walk
from osscopy.jobs.bulk.clearing import clear
from osscopy.jobs.bulk.pages import both, inventory, listing, manifest, width
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import Bulk, BulkDestination, BulkSource, Filters, Inventory, Manifest, Refused
from tests.sim.bulk.scenario import FILTERED, Scenario
from tests.sim.bulk.world import SimCloud, lists
from tests.unit import many
from tests.unit.engine import DST, LARGE, SRC

MANIFEST = "list"


def asked(scenario: Scenario, cloud: SimCloud) -> Bulk:
    """The job of a scenario; its manifest is put there."""
    places: dict[str, Any] = {}
    if scenario.form:
        # with a prefix, as where a job repeats what failed of another one
        places = {
            "source": replace(_listed(scenario, cloud), bucket=SRC, prefix="in/"),
            "destination": BulkDestination(bucket=DST, prefix="out/"),
        }
    if scenario.filtered:
        places["filters"] = Filters(exclude=(f"{FILTERED}**",), max_size=LARGE - 1)
    request = many.request(
        overwrite=scenario.overwrite,
        encryption=scenario.encryption,
        max_failures=scenario.max_failures,
        delete=scenario.delete,
        max_delete=scenario.max_delete if scenario.delete else 0,
        allow_empty=scenario.allow_empty,
        **places,
    )
    return many.job_of(request)


def _listed(scenario: Scenario, cloud: SimCloud) -> BulkSource:
    """Put the list of a scenario there, and return the source that it is."""
    if scenario.form == "inventory":
        return _inventory(scenario, cloud)
    lists(cloud, MANIFEST, text_of(scenario))
    return BulkSource(manifest=Manifest(SRC, MANIFEST, "none" if scenario.form == "raw" else "url"))


def _inventory(scenario: Scenario, cloud: SimCloud) -> BulkSource:
    """Put an inventory there, of files with two rows; every other object shows what a listing does."""
    columns = "Bucket, Key, IsLatest, Size, ETag, StorageClass, LastModifiedDate, ObjectType"
    files = []
    for at in range(0, len(scenario.lines), 2):
        rows = "".join(_row(cloud, line, shows=at % 4 == 0) for line in scenario.lines[at : at + 2])
        body = gzip.compress(rows.encode(), mtime=0)
        lists(cloud, f"{MANIFEST}-{at}", body)
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        files.append({"key": f"{MANIFEST}-{at}", "size": len(body), "MD5checksum": md5})
    told = {"fileFormat": "CSV", "fileSchema": columns, "creationTimestamp": "1", "files": files}
    lists(cloud, MANIFEST, json.dumps(told).encode())
    return BulkSource(inventory=Inventory(SRC, MANIFEST))


def _row(cloud: SimCloud, key: str, *, shows: bool) -> str:
    stored = cloud.objects.get((SRC, f"in/{key}"))
    head = stored.head if stored else None
    etag, size = (head.etag, head.size) if head and shows else ("", 0)
    values = [SRC, f"in%2F{key}", "true", str(size), etag, "Standard", "1970-01-01T00:00:01.000Z", "Normal"]
    return '"' + '","'.join(values if key else values[:1]) + '"\n'


def text_of(scenario: Scenario) -> bytes:
    """The manifest of a scenario."""
    form = _json if scenario.form == "json" else _csv
    text = "".join(f"{form(line)}\n" for line in scenario.lines).encode()
    return gzip.compress(text, mtime=0) if scenario.form == "gzip" else text


def _csv(key: str) -> str:
    return f"{SRC},in/{key}" if key else SRC


def _json(key: str) -> str:
    return f'{{"bucket": "{SRC}", "key": "in/{key}"}}' if key else '{"key": 7}'


MEASURES = (
    *((module, "PAGE") for module in (listing, manifest, inventory)),
    *((module, "LEAST") for module in (listing, manifest)),
    (width, "SOON"),
    (both, "PAGE"),
    (walk, "MOST_ROWS"),
    (clear, "BATCH"),
)


def measure(page: int, most: int) -> None:
    """Make pages and entries so narrow from now on, for every invocation; split wherever a key is left."""
    listing.PAGE = manifest.PAGE = inventory.PAGE = both.PAGE = page
    listing.LEAST = manifest.LEAST = 0
    width.SOON, walk.MOST_ROWS, clear.BATCH = 0.0, most, most


@contextlib.contextmanager
def measured(page: int, most: int) -> Iterator[None]:
    """Begin with pages and entries so narrow; afterwards they are as wide as ever."""
    before = [getattr(module, name) for module, name in MEASURES]
    measure(page, most)
    try:
        yield
    finally:
        for (module, name), kept in zip(MEASURES, before, strict=True):
            setattr(module, name, kept)


def tools(cloud: SimCloud, timeout: float, configured: float, workers: int) -> Tools:
    """The product's tools for an invocation that begins now."""
    return many.tools(cloud, timeout, workers, configured=configured)


carry_out, sweep = many.carry_out, many.sweep


def payload(command: Bulk) -> bytes:
    return events.encode(command)


def cancel(made: Tools, job: str) -> object:
    try:
        return standing.cancel(made.context, made.records, job)
    except Refused as error:
        return error
