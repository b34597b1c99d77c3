"""What a schedule is about: the objects, how narrow pages and entries are, and what may go wrong."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

ALL_REQUESTS = ("lost", "never", "late", "busy", "stuck", "kill", "kill after", "kill late")
ALL_QUEUE = ("mislaid", "delayed", "twice", "much later")
SIZES = (1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 9, 12)  # keys of a source, or lines


@dataclass(frozen=True)
class Scenario:
    """`keys`: at the source; `large` ones are copied in parts; `there`: foreign objects at the destination.

    `copied`: already there; `denied`: CopyObject is refused; `more`: keys that may appear. `form`, `lines`:
    of a manifest; without a form the source is a prefix; a line without a key is a bad one. `changes`:
    invocations differ in page size, time and workers. `threads`: what is asked at once has an order of its
    own. `rate`: of faults, of which there are `faults` at most; `aim`: how the names begin of requests that
    they strike; `chases`: an object changes while its copy has no answer; `happens`: what the world does
    within `seconds`. `delete`: what the source lacks, `extra` at first; `filtered`: names below `t/` and
    large objects are not taken.
    """

    keys: tuple[str, ...]
    large: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    more: tuple[str, ...] = ("bbx", "cx", "zx")
    form: str = ""
    lines: tuple[str, ...] = ()
    overwrite: str = "ifDifferent"
    encryption: str = "bucket"
    page: int = 3
    most: int = 4
    workers: int = 3
    max_failures: int = 1000
    changes: bool = False
    threads: bool = True
    rate: float = 0.0
    aim: str = ""
    chases: bool = False
    faults: int = 0
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    happens: tuple[str, ...] = ()
    seconds: float = 3.0
    delete: bool = False
    extra: tuple[str, ...] = ()
    max_delete: int = 100
    filtered: bool = False
    allow_empty: bool = False


FILTERED = "t/"  # how names begin that filters do not take
CALM: Mapping[str, tuple[str, ...]] = {"queue": ("twice",)}
ROUGH: Mapping[str, tuple[str, ...]] = {"request": ALL_REQUESTS, "queue": ALL_QUEUE}
TWINS: Mapping[str, tuple[str, ...]] = {
    "request": ("kill late", "late", "lost", "kill after"),
    "queue": ("twice", "delayed", "much later"),
}
EVENTS = ("put", "put", "put", "delete", "foreign", "sweep", "sweep", "cancel")
AIMS = ("", "put bulk", "put bulk", "copy")
FORMS = ("csv", "raw", "json", "gzip", "inventory")


def drawn(seed: int) -> Scenario:
    """Draw a scenario; some have no fault but doubled deliveries, so that work can be counted.

    Others have late effects of killed invocations above all: hops of one range that do not know each other.
    """
    chance = random.Random(seed ^ 0x5EED)
    one_of = chance.choice
    kinds = one_of((CALM, ROUGH, ROUGH, TWINS, TWINS))
    keys = _keys(chance)
    some = [key for key in keys if chance.random() < 0.3]
    events = 0 if kinds is CALM else one_of((0, 0, 1, 2, 3))
    form = one_of(("", "", "", *FORMS))
    fails = chance.random() < 0.1
    aim = one_of(AIMS) if kinds is TWINS else ""
    return Scenario(
        keys,
        large=_some(chance, keys, one_of((0.0, 0.0, 0.3))),
        there=tuple(key for key in some if chance.random() < 0.3),
        copied=tuple(key for key in keys if key not in some and chance.random() < 0.3),
        denied=_some(chance, keys, 0.5 * fails),
        form=form,
        lines=_lines(chance, keys) if form else (),
        overwrite=one_of(("ifDifferent", "ifDifferent", "always", "never", "ifNewer")),
        encryption=one_of(("bucket", "bucket", "keep")),
        page=chance.randint(1, 4),
        most=chance.randint(1, 6),
        workers=chance.randint(1, 4),
        max_failures=chance.randint(0, 2) if fails else 1000,
        changes=chance.random() < (0.6 if aim else 0.3),
        threads=chance.random() < 0.4,
        rate=0.3 if kinds is CALM or aim else one_of((0.01, 0.03, 0.1)),
        aim=aim,
        chases=aim == "copy",
        faults=3 if kinds is CALM else one_of((1, 2, 3, 5, 8, 12)),
        kinds=kinds,
        happens=tuple(one_of(EVENTS) for _ in range(events)),
        seconds=one_of((1.0, 3.0, 30.0, 200.0)),
    )


def is_taken(scenario: Scenario, name: str) -> bool:
    """Whether a name of the destination is in question at all."""
    return name != "" and not (scenario.filtered and name.startswith(FILTERED))


def is_copied(scenario: Scenario, name: str) -> bool:
    """Whether filters take an object of the source."""
    return not scenario.filtered or (is_taken(scenario, name) and name not in scenario.large)


def _keys(chance: random.Random) -> tuple[str, ...]:
    names = ("".join(chance.choices("abc/", k=chance.randint(1, 4))) for _ in range(chance.choice(SIZES)))
    return tuple(sorted({f"{name}x" for name in names if not name.startswith("/")})) or ("x",)


def _lines(chance: random.Random, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Draw the lines of a manifest: keys, some of them twice, some that are not there, and bad lines."""
    odd = [chance.choice((*keys, "none", "")) for _ in range(chance.choice((0, 0, 1, 2)))]
    lines = [*keys, *odd]
    chance.shuffle(lines)
    return tuple(lines)


def _some(chance: random.Random, keys: tuple[str, ...], share: float) -> tuple[str, ...]:
    return tuple(key for key in keys if chance.random() < share)


def read(text: Mapping[str, Any]) -> Scenario:
    """Read a scenario that was kept as JSON; what is not known any more is an error."""
    known = {each.name for each in fields(Scenario)}
    assert set(text) <= known, set(text) - known
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in text.items()}
    return Scenario(**plain | {"kinds": {where: tuple(kinds) for where, kinds in text["kinds"].items()}})
