"""Telling that jobs have ended: at least once, after the outcome, whatever is killed, lost or doubled."""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import pytest

from osscopy.copying import outcome
from osscopy.copying.invocation.context import Context
from osscopy.jobs.telling.outbox import TellingOutbox
from osscopy.jobs.telling.teller import Look
from tests.sim import campaign, faults
from tests.sim.faults import Fault
from tests.sim.scenario import Schedule
from tests.sim.scheduler import Simulation

SECONDS = float(os.environ.get("SIM_SECONDS", "60")) / 6
LEAST = 400  # schedules, on a slow machine too: few of them meet what the last assertions ask for
WITHIN = 3000  # schedules in which a deliberate bug is found
REQUESTS = ("put tell", "put done", "list tell", "get done", "get told", "put told", "delete tell", "submit")
SENDS = ("send url", "send function")
KINDS = (faults.LOST, faults.NEVER, faults.LATE, faults.SLOW, faults.HELD, faults.THROTTLED)
KILLS = (faults.KILL, faults.KILL_AFTER, faults.KILL_LATE, faults.EXPIRED)


def drawn(seed: int) -> Schedule:
    """The schedule of a seed in which somebody is told, and in which telling meets faults of its own."""
    schedule, chance = campaign.drawn(seed), random.Random(-seed)
    scenario = replace(schedule.scenario, notify="failed" if seed % 3 == 0 else "all")
    more = []
    for _ in range(min(6, int(chance.expovariate(0.5)))):
        kind = chance.choice((*KINDS, *KILLS, *KILLS, faults.SWEEP, faults.AGAIN, *faults.ON_SUBMIT))
        asked = "submit" if kind in faults.ON_SUBMIT else chance.choice((*REQUESTS, *SENDS))
        seconds = chance.choice((0.1, 3.0, 100.0)) * chance.random()
        more.append(Fault(kind, asked, 1 + int(chance.random() ** 2 * 4), seconds, choice=chance.random()))
    return replace(schedule, scenario=scenario, faults=(*schedule.faults, *more))


def search(until: Callable[[int], bool]) -> tuple[Schedule | None, list[Simulation]]:
    """The first schedule that breaks something, and the runs."""
    runs, seed = [], 0
    while until(seed):
        seed += 1
        runs.append(campaign.play(drawn(seed)))
        if runs[-1].violations:
            return drawn(seed), runs
    return None, runs


def test_no_schedule_leaves_an_outcome_untold(record_property: Callable[[str, object], None]) -> None:
    begun = time.monotonic()
    found, runs = search(lambda seed: seed < LEAST or time.monotonic() - begun < SECONDS)
    assert found is None, campaign.story(found)
    told = sum(bool(each.told) for each in runs)
    record_property("told", f"{told} of {len(runs)} schedules")
    assert told > len(runs) / 3
    assert any(len(each.told) > 2 * len(each.jobs) for each in runs), "none is told twice: no fault met it"
    assert any("failed" in {a.status for _, a in each.answers(each.job)} and each.told for each in runs)


def _instead(owner: Any, name: str, wrong: Callable[..., Any]) -> AbstractContextManager[None]:
    @contextlib.contextmanager
    def block() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, name, wrong)
            yield

    return block()


def _after() -> AbstractContextManager[None]:
    """What is to be told is put on record after the outcome."""

    def close(context: Context, copy: Any, result: Any, hops: int | None = None) -> Any:
        box, context.outbox = context.outbox, None
        found = right(context, copy, result, hops)
        context.outbox = box
        with outcome.put_out(context, copy.job, result.status, by_rule=copy.follows is not None):
            return found

    right = outcome.close
    return _instead(outcome, "close", close)


def _too_early() -> AbstractContextManager[None]:
    """The record that somebody was told comes before the message."""
    right = Look._is_taken  # noqa: SLF001 - it breaks the product from inside

    def taken(self: Look, way: Any, message: Any) -> bool:
        for job in message.jobs if hasattr(message, "jobs") else (message.result.job,):
            self._context.ask(self._records.put_new, f"told/{way.name}/{job}", b"{}")
        return right(self, way, message)

    return _instead(Look, "_is_taken", taken)


def _no_sweep() -> AbstractContextManager[None]:
    return _instead(TellingOutbox, "is_empty", lambda _: True)


def _one_way() -> AbstractContextManager[None]:
    """What is told in one way counts as told in all."""
    right = Look._put_told  # noqa: SLF001 - it breaks the product from inside

    def put(self: Look, way: str, due: Any) -> None:
        right(self, way, due)
        due.told.update(each.name for each in self._ways)

    return _instead(Look, "_put_told", put)


def _unseen() -> AbstractContextManager[None]:
    """`tell/` is deleted though the outcome is not on record yet, or nobody took the message."""
    return _instead(Look, "_is_over", lambda *_: True)


def _never_told() -> AbstractContextManager[None]:
    return _instead(Look, "_ways_told", lambda *_: {"function", "url"})


BUGS = {
    "what is to be told is on record after the outcome": _after,
    "the record comes before the message": _too_early,
    "the sweep does not look": _no_sweep,
    "one way told is all ways told": _one_way,
    "what has no outcome yet is forgotten": _unseen,
    "one job's record silences all others": _never_told,
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_deliberate_bug_of_telling_is_found(bug: str) -> None:
    with BUGS[bug]():
        found, _ = search(lambda seed: seed < WITHIN)
    assert found is not None, f"{WITHIN} schedules did not find that {bug}"
