"""Campaigns: schedules by seed, until one is wrong."""

from __future__ import annotations

import time
from collections.abc import Iterable

from tests.sim.bulk import oracle
from tests.sim.bulk.scenario import drawn
from tests.sim.bulk.scheduler import Schedule


def run(seed: int, *, trace: bool = False) -> tuple[Schedule, list[str]]:
    """Run the schedule of a seed; return it with what is wrong."""
    schedule = Schedule(drawn(seed), seed, [] if trace else None).run()
    return schedule, oracle.judge(schedule)


def first_wrong(seeds: Iterable[int], seconds: float = 1e9) -> tuple[int, list[str]] | None:
    """Return the first seed whose schedule is wrong, and how; None if none is within so many seconds."""
    until = time.monotonic() + seconds
    for seed in seeds:
        if time.monotonic() >= until:
            return None
        _, wrong = run(seed)
        if wrong:
            return seed, wrong
    return None
