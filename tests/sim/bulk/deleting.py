"""Scenarios of jobs that delete: superfluous objects, listings that lie, a world that writes meanwhile."""

from __future__ import annotations

import random

from tests.sim.bulk.scenario import AIMS, CALM, ROUGH, TWINS, Scenario

LISTINGS = ("short", "short", "disordered", "cut", "empty")
EVENTS = (
    *("comes back", "comes back", "written again", "written again", "other bytes", "vanishes"),
    *("delete", "put", "sweep", "cancel", "emptied"),
)
AT_ONCE = {"request": ("kill late", "late", "lost", "kill", "kill after"), "queue": ("twice", "delayed")}
NAMES = ("k1", "k2", "k3", "bb", "t/1", "t/2", "z/1", "z/2", "zz")


def deleting(seed: int) -> Scenario:
    """Draw a scenario of a job that deletes."""
    chance = random.Random(seed ^ 0xDE1E7E)
    one_of = chance.choice
    kinds = dict(one_of((CALM, ROUGH, TWINS, AT_ONCE, AT_ONCE)))
    if chance.random() < 0.4:
        kinds["listing"] = LISTINGS if chance.random() < 0.5 else LISTINGS[:3]
    keys = tuple(sorted(key for key in ("ax", "bx", "cx", "dx", "t/x", "zx") if chance.random() < 0.6)) or (
        "ax",
    )
    large = tuple(key for key in keys if chance.random() < one_of((0.0, 0.0, 0.4)))
    extra = tuple(sorted(chance.sample(NAMES, chance.randint(0, 7))))
    fails = chance.random() < 0.1
    return Scenario(
        keys,
        large=large,
        copied=tuple(key for key in keys if chance.random() < 0.5),
        denied=tuple(key for key in (*keys, *extra) if fails and chance.random() < 0.3),
        more=("cxx",),
        page=chance.randint(1, 4),
        most=chance.randint(1, 4),
        workers=chance.randint(1, 3),
        changes=chance.random() < 0.2,
        threads=chance.random() < 0.4,
        rate=one_of((0.02, 0.05, 0.1, 0.3)),
        aim=one_of(("", "", "remove", "remove", "put bulk", *AIMS[:1])),
        faults=one_of((0, 1, 2, 3, 5, 8)),
        kinds=kinds,
        happens=tuple(one_of(EVENTS) for _ in range(one_of((0, 0, 1, 2, 3, 5)))),
        seconds=one_of((1.0, 2.0, 3.0, 30.0, 200.0)),
        delete=True,
        extra=extra,
        max_delete=one_of((100, 100, 100, len(extra), 1, 0)),
        filtered=chance.random() < 0.5,
        allow_empty=chance.random() < 0.2,
    )
