"""The product, put together for one invocation of a schedule. Nothing is judged here."""

from __future__ import annotations

from osscopy import events
from osscopy.jobs.bulk import standing, walk
from osscopy.jobs.bulk.pages import listing
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import Bulk, Refused
from tests.sim.bulk.scenario import Scenario
from tests.sim.bulk.world import SimCloud
from tests.unit import many


def asked(scenario: Scenario) -> Bulk:
    """The job of a scenario."""
    request = many.request(
        overwrite=scenario.overwrite,
        encryption=scenario.encryption,
        max_failures=scenario.max_failures,
    )
    return many.job_of(request)


def measure(scenario: Scenario) -> None:
    """Make pages and entries as narrow as the scenario wants them."""
    listing.PAGE = scenario.page
    walk.MOST_ROWS = scenario.most


def tools(cloud: SimCloud, timeout: float, scenario: Scenario) -> Tools:
    """The product's tools for an invocation that begins now."""
    return many.tools(cloud, timeout, scenario.workers)


carry_out, sweep = many.carry_out, many.sweep


def payload(command: Bulk) -> bytes:
    return events.encode(command)


def cancel(made: Tools, job: str) -> object:
    try:
        return standing.cancel(made.context, made.records, job)
    except Refused as error:
        return error
