"""What a schedule is about: the objects, how narrow pages and entries are, and what may go wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

ALL_REQUESTS = ("lost", "never", "late", "busy", "stuck", "kill", "kill after", "kill late")
ALL_QUEUE = ("mislaid", "delayed", "twice")


@dataclass(frozen=True)
class Scenario:
    """`keys`: at the source; `large` ones are copied in parts; `there`: foreign objects at the destination.

    `copied`: already there; `more`: keys that may appear. `rate`: of faults, of which there are `faults` at
    most; `happens`: what the world does within `seconds`.
    """

    keys: tuple[str, ...]
    large: frozenset[str] = frozenset()
    there: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    overwrite: str = "ifDifferent"
    encryption: str = "bucket"
    page: int = 3
    most: int = 4
    workers: int = 3
    max_failures: int = 1000
    rate: float = 0.0
    faults: int = 0
    kinds: dict[str, tuple[str, ...]] = field(default_factory=dict)
    happens: tuple[str, ...] = ()
    seconds: float = 3.0


CALM: dict[str, tuple[str, ...]] = {"queue": ("twice",)}
ROUGH: dict[str, tuple[str, ...]] = {"request": ALL_REQUESTS, "queue": ALL_QUEUE}
TWINS: dict[str, tuple[str, ...]] = {
    "request": ("kill late", "late", "lost", "kill after"),
    "queue": ("twice", "delayed"),
}
EVENTS = ("put", "put", "delete", "foreign", "sweep", "sweep", "cancel")


def drawn(seed: int) -> Scenario:
    """Draw a scenario; some have no fault but doubled deliveries, so that work can be counted.

    Others have late effects of killed invocations above all: hops of one range that do not know each other.
    """
    chance = random.Random(seed ^ 0x5EED)
    kinds = chance.choice((CALM, ROUGH, ROUGH, TWINS))
    keys = _keys(chance)
    some = [key for key in keys if chance.random() < 0.3]
    events = 0 if kinds is CALM else chance.randint(0, 4)
    return Scenario(
        keys,
        large=frozenset(key for key in keys if chance.random() < 0.15),
        there=tuple(key for key in some if chance.random() < 0.3),
        copied=tuple(key for key in keys if key not in some and chance.random() < 0.3),
        more=("bbx", "cx", "zx"),
        overwrite=chance.choice(("ifDifferent", "ifDifferent", "always", "never", "ifNewer")),
        encryption=chance.choice(("bucket", "keep")),
        page=chance.randint(1, 4),
        most=chance.randint(1, 6),
        workers=chance.randint(1, 4),
        rate=0.3 if kinds is CALM else chance.choice((0.01, 0.03, 0.1)),
        faults=3 if kinds is CALM else chance.randint(0, 12),
        kinds=kinds,
        happens=tuple(chance.choice(EVENTS) for _ in range(events)),
        seconds=chance.choice((1.0, 3.0, 30.0, 200.0)),
    )


def _keys(chance: random.Random) -> tuple[str, ...]:
    names = ("".join(chance.choices("abc/", k=chance.randint(1, 4))) for _ in range(chance.randint(1, 16)))
    return tuple(sorted({f"{name}x" for name in names if not name.startswith("/")})) or ("x",)
