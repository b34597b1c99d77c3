"""Campaigns: schedules by seed, until one is wrong, which is made small."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias, TypeVar

from tests.sim.bulk import oracle
from tests.sim.bulk.scenario import Scenario, drawn
from tests.sim.bulk.scheduler import Schedule
from tests.sim.choices import Choices, Listed, Noted, Seeded

T = TypeVar("T")
Draw: TypeAlias = Callable[[int], Scenario]  # a scenario of a seed
TIDY = 200  # schedules after which what has gone is collected: more often takes a third of the time


@dataclass(frozen=True)
class Kept:
    """A schedule as a list of its choices, which no change of the drawing changes."""

    scenario: Scenario
    choices: Mapping[str, float]


@dataclass
class Tally:
    """What a campaign came to."""

    schedules: int = 0
    requests: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Take another campaign's counts in."""
        self.schedules += other.schedules
        self.requests += other.requests
        self.struck += other.struck
        self.outcomes += other.outcomes


def run(seed: int, *, trace: bool = False, draw: Draw = drawn) -> tuple[Schedule, list[str]]:
    """Run the schedule of a seed; return it with what is wrong."""
    return _run(draw(seed), Seeded(seed), trace=trace)


def play(kept: Kept, *, trace: bool = False) -> tuple[Schedule, list[str]]:
    """Run a schedule that was kept."""
    return _run(kept.scenario, Listed(kept.choices), trace=trace)


def _run(scenario: Scenario, choices: Choices, *, trace: bool = False) -> tuple[Schedule, list[str]]:
    schedule = Schedule(scenario, choices, [] if trace else None).run()
    return schedule, oracle.judge(schedule)


def search(
    seeds: Iterable[int], tally: Tally, seconds: float = 1e9, draw: Draw = drawn
) -> tuple[int, list[str]] | None:
    """Return the first seed whose schedule is wrong, and how; None if none is within so many seconds."""
    until = time.monotonic() + seconds
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        for seed in seeds:
            if time.monotonic() >= until:
                return None
            schedule, wrong = run(seed, draw=draw)
            tally.schedules += 1
            tally.requests += schedule.requests
            tally.struck += schedule.struck
            tally.outcomes[oracle.outcome(schedule)] += 1
            if wrong:
                return seed, wrong
            if tally.schedules % TIDY == 0:
                gc.collect()
    finally:
        gc.enable()
        gc.unfreeze()
    return None


def minimise(seed: int, draw: Draw = drawn) -> Kept:
    """Return the schedule of a seed with as few choices, and as few objects, as still break something."""
    noted = Noted(seed)
    _, wrong = _run(draw(seed), noted)
    kept = Kept(draw(seed), noted.drawn)
    if not wrong or not play(kept)[1]:  # what is rounded may be another schedule
        return kept
    while True:
        before = kept
        few = _fewest(tuple(kept.choices.items()), partial(_with_choices, kept))
        kept = replace(kept, choices=dict(few))
        for name in ("keys", "lines", "large", "there", "copied", "denied", "extra", "happens"):
            items = getattr(kept.scenario, name)
            kept = _with(kept, name, _fewest(items, partial(_with, kept, name)))
        if kept == before:
            return kept


def _with_choices(kept: Kept, some: tuple[tuple[str, float], ...]) -> Kept:
    return replace(kept, choices=dict(some))


def _with(kept: Kept, name: str, some: tuple[str, ...]) -> Kept:
    """Return the schedule with fewer items; what a key is comes with it."""
    scenario = replace(kept.scenario, **{name: some})  # type: ignore[arg-type]  # fields of texts
    if name == "keys":
        fewer = {
            each: _among(getattr(scenario, each), some) for each in ("large", "there", "copied", "denied")
        }
        scenario = replace(scenario, **fewer)  # type: ignore[arg-type]  # fields of texts
    return replace(kept, scenario=scenario)


def _among(some: tuple[str, ...], keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in some if each in keys)


def _fewest(items: tuple[T, ...], with_these: Callable[[tuple[T, ...]], Kept]) -> tuple[T, ...]:
    """Return as few of the items as still break something: first halves are left out, at last single ones."""
    size = max(1, len(items) // 2)
    while True:
        at = 0
        while at < len(items):
            fewer = items[:at] + items[at + size :]
            if len(fewer) < len(items) and play(with_these(fewer))[1]:
                items = fewer
            else:
                at += size
        if size == 1:
            return items
        size //= 2


def story(kept: Kept) -> str:
    """Return a schedule told, with what is wrong."""
    schedule, wrong = play(kept, trace=True)
    lines = [str(kept.scenario), f"choices: {dict(kept.choices)}", *(schedule.trace or ())]
    return "\n".join([*lines, *(f"VIOLATION: {each}" for each in wrong)])
