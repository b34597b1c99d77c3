"""The product, put together for one invocation of a schedule. Nothing is judged here."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator
from typing import Any

from osscopy import events
from osscopy.jobs.bulk import standing, walk
from osscopy.jobs.bulk.pages import listing, manifest
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import Bulk, BulkDestination, BulkSource, Manifest, Refused
from tests.sim.bulk.scenario import Scenario
from tests.sim.bulk.world import SimCloud, lists
from tests.unit import many
from tests.unit.engine import DST, SRC

MANIFEST = "list"


def asked(scenario: Scenario, cloud: SimCloud) -> Bulk:
    """The job of a scenario; its manifest is put there."""
    places: dict[str, Any] = {}
    if scenario.form:
        lists(cloud, MANIFEST, text_of(scenario))
        listed = Manifest(SRC, MANIFEST, "none" if scenario.form == "raw" else "url")
        # with a prefix, as where a job repeats what failed of another one
        places = {
            "source": BulkSource(bucket=SRC, prefix="in/", manifest=listed),
            "destination": BulkDestination(bucket=DST, prefix="out/"),
        }
    request = many.request(
        overwrite=scenario.overwrite,
        encryption=scenario.encryption,
        max_failures=scenario.max_failures,
        **places,
    )
    return many.job_of(request)


def text_of(scenario: Scenario) -> bytes:
    """The manifest of a scenario."""
    form = _json if scenario.form == "json" else _csv
    text = "".join(f"{form(line)}\n" for line in scenario.lines).encode()
    return gzip.compress(text, mtime=0) if scenario.form == "gzip" else text


def _csv(key: str) -> str:
    return f"{SRC},in/{key}" if key else SRC


def _json(key: str) -> str:
    return f'{{"bucket": "{SRC}", "key": "in/{key}"}}' if key else '{"key": 7}'


def measure(page: int, most: int) -> None:
    """Make pages and entries so narrow from now on, for every invocation."""
    listing.PAGE = manifest.PAGE = page
    walk.MOST_ROWS = most


@contextlib.contextmanager
def measured(page: int, most: int) -> Iterator[None]:
    """Begin with pages and entries so narrow; afterwards they are as wide as ever."""
    before = listing.PAGE, manifest.PAGE, walk.MOST_ROWS
    measure(page, most)
    try:
        yield
    finally:
        listing.PAGE, manifest.PAGE, walk.MOST_ROWS = before


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
