"""Schedules from seeds: run, check, make a failing one small, and say what happened."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from tests.sim import faults, invariants
from tests.sim.faults import Fault
from tests.sim.scheduler import Scenario, Simulation


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


def drawn(seed: int) -> tuple[Scenario, tuple[Fault, ...]]:
    """The scenario and the faults of a seed."""
    chance = random.Random(seed)
    scenario = Scenario.draw(seed, chance)
    length = 14 + 2 * -(-scenario.size // 100_000)
    struck = faults.draw(chance, length, scenario.late, small=scenario.is_small, by_rule=scenario.by_rule)
    return scenario, struck


def run(scenario: Scenario, struck: tuple[Fault, ...], *, trace: bool = False) -> Simulation:
    """One schedule, checked."""
    simulation = Simulation(scenario, struck, [] if trace else None).run()
    invariants.check(simulation)
    return simulation


def minimise(scenario: Scenario, struck: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """As few of the faults as still break something."""
    again = True
    while again:
        again = False
        for n in range(len(struck)):
            fewer = struck[:n] + struck[n + 1 :]
            if run(scenario, fewer).violations:
                struck, again = fewer, True
                break
    return struck


def story(seed: int) -> str:
    """A failing seed, made small and told."""
    scenario, struck = drawn(seed)
    if run(scenario, struck).violations:
        struck = minimise(scenario, struck)
    simulation = run(scenario, struck, trace=True)
    lines = [f"seed {seed}: {scenario}", *(f"fault: {fault}" for fault in struck), *(simulation.trace or ())]
    lines += [f"VIOLATION: {violation}" for violation in simulation.violations]
    lines += [f"gap: {name} x{count}" for name, count in simulation.gaps.items()]
    return "\n".join(lines)


def search(seeds: range, tally: Tally) -> int | None:
    """The first seed that breaks something."""
    for seed in seeds:
        simulation = run(*drawn(seed))
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
