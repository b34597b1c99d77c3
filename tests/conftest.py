"""Which tests begin first, where programs that tests start find the function, and how examples are drawn."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

FUNCTION = Path(__file__).parents[1] / "functions/oss_copy"
# The longest tests, longest first. Each process begins with some of them, so that none runs last, alone.
LONG = (
    "tests/flow/test_chaos.py::test_copies_come_through_a_storm",
    "tests/flow/test_document_commands.py::test_a_deployment_is_set_up_used_and_removed_by_these_commands",
    "tests/sim/test_sim.py::test_no_schedule_breaks_an_invariant",
    "tests/flow/test_openapi.py::test_every_request_made_of_the_document_is_answered_as_the_document_says",
    "tests/flow/test_faults.py::test_a_copy_no_part_of_which_gets_done_gives_up_and_leaves_nothing",
    "tests/flow/test_sweep.py::test_a_lost_link_is_found_and_everything_is_forgotten_in_the_end",
)


def pytest_configure() -> None:
    """Let programs that tests start import the function, as `make` does; `pytest` alone works then."""
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(FUNCTION), *filter(None, places)])
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each of hundreds would compile what it imports
    # a shell that starts the tests in the background lets them, and what they start, ignore Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # no test depends on speed: not on that of one drawn example either
    settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("any machine")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long tests where each process of pytest-xdist's `worksteal` begins: it gets a row of the list."""
    long = sorted((each for each in items if _place(each) < len(LONG)), key=_place)
    rest = [each for each in items if _place(each) == len(LONG)]
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items.clear()
    total = len(long) + len(rest)
    for process in range(processes):
        mine = long[process::processes]
        row = (total - len(items)) // (processes - process)
        others = max(0, row - len(mine))
        items += [*mine, *rest[:others]]
        del rest[:others]


def _place(item: pytest.Item) -> int:
    name = item.nodeid.partition("[")[0]
    return LONG.index(name) if name in LONG else len(LONG)
