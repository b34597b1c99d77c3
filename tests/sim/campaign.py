"""Schedules from seeds: run, check, make a failing one small, and say what happened."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from tests.sim import faults, invariants
from tests.sim.choices import Choices, Listed, Noted, Seeded
from tests.sim.faults import Fault
from tests.sim.scenario import Scenario, Schedule, draw
from tests.sim.scheduler import Simulation

T = TypeVar("T")


@dataclass
class Tally:
    """What a campaign came to."""

    schedules: int = 0
    requests: int = 0
    invocations: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    gaps: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Take another campaign's counts in."""
        self.schedules += other.schedules
        self.requests += other.requests
        self.invocations += other.invocations
        self.struck += other.struck
        self.gaps += other.gaps
        self.outcomes += other.outcomes


def drawn(seed: int) -> Schedule:
    """The schedule of a seed."""
    chance = random.Random(seed)
    scenario = draw(chance)
    aim = faults.Aim(
        20 + 2 * -(-scenario.size // 100_000),
        scenario.late,
        small=scenario.is_small,
        by_rule=scenario.by_rule,
        link=bool(scenario.link),
        archived=bool(scenario.restore),
        tail=scenario.tail * scenario.part_seconds,
    )
    return Schedule(scenario, faults.draw(chance, aim), seed)


def run(
    scenario: Scenario, struck: tuple[Fault, ...] = (), choices: Mapping[str, float] | None = None
) -> Simulation:
    """One schedule whose choices are listed, checked."""
    return play(Schedule(scenario, struck, choices=choices or {}))


def play(schedule: Schedule, *, trace: bool = False) -> Simulation:
    """One schedule, checked."""
    choices = Listed(schedule.choices) if schedule.seed is None else Seeded(schedule.seed)
    return _played(schedule, choices, trace=trace)


def _played(schedule: Schedule, choices: Choices, *, trace: bool = False) -> Simulation:
    simulation = Simulation(schedule.scenario, schedule.faults, choices, [] if trace else None).run()
    invariants.check(simulation)
    return simulation


def listed(schedule: Schedule) -> Schedule:
    """The schedule of a seed as a list of its choices, which no change of the drawing changes."""
    if schedule.seed is None:
        return schedule
    noted = Noted(schedule.seed)
    _played(schedule, noted)
    return replace(schedule, seed=None, choices=noted.drawn)


def minimise(schedule: Schedule) -> Schedule:
    """As few faults and choices as still break something."""
    schedule = listed(schedule)
    if not play(schedule).violations:
        return schedule
    even = replace(schedule, choices={})
    if play(even).violations:
        schedule = even
    while True:  # with fewer choices, fewer faults may do
        before = schedule
        schedule = replace(before, faults=_fewest(before.faults, partial(_with_faults, before)))
        few = _fewest(tuple(schedule.choices.items()), partial(_with_choices, schedule))
        schedule = replace(schedule, choices=dict(few))
        if schedule == before:
            return schedule


def _with_faults(schedule: Schedule, some: tuple[Fault, ...]) -> Schedule:
    return replace(schedule, faults=some)


def _with_choices(schedule: Schedule, some: tuple[tuple[str, float], ...]) -> Schedule:
    return replace(schedule, choices=dict(some))


def _fewest(items: tuple[T, ...], with_these: Callable[[tuple[T, ...]], Schedule]) -> tuple[T, ...]:
    """As few of the items as still break something: first halves are left out, at last single ones."""
    size = max(1, len(items) // 2)
    while True:
        at = 0
        while at < len(items):
            fewer = items[:at] + items[at + size :]
            if len(fewer) < len(items) and play(with_these(fewer)).violations:
                items = fewer
            else:
                at += size
        if size == 1:
            return items
        size //= 2


def story(schedule: Schedule) -> str:
    """A failing schedule, made small and told; it is kept by its scenario, faults and choices."""
    if play(schedule).violations:
        schedule = minimise(schedule)
    simulation = play(schedule, trace=True)
    lines = [str(schedule.scenario), *(f"fault: {fault!r}" for fault in schedule.faults)]
    lines += [f"choices: {schedule.choices}", *(simulation.trace or ())]
    lines += [f"VIOLATION: {violation}" for violation in simulation.violations]
    lines += [f"gap: {name} x{count}" for name, count in simulation.gaps.items()]
    return "\n".join(lines)


def search(seeds: range, tally: Tally) -> int | None:
    """The first seed that breaks something."""
    for seed in seeds:
        simulation = play(drawn(seed))
        tally.schedules += 1
        tally.requests += simulation.requests[""]
        tally.invocations += len(simulation.processes)
        tally.struck.update(fault.kind for fault in simulation.faults)
        tally.gaps.update(simulation.gaps.keys())
        statuses = {answer.status for each in simulation.processes for answer in each.answers} - {"running"}
        tally.outcomes.update([min(statuses, default="none")])
        if simulation.violations:
            return seed
    return None
