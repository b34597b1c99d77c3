"""The copies of a chaos campaign, the weather they are made in, and what becomes of each.

`campaign(count, seed)` and `storm(seed)` are pure: the same seed asks for the same in the same weather.
What strikes which request is decided by the cloud, and by how its processes happen to run.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from tests.flow.conftest import answers

KB, GB = 1000, 1000**3
SMALLEST, LARGEST = KB, 20 * GB
Way = Literal["direct", "http", "upload"]
Twist = Literal["none", "missing", "occupied", "overwritten", "cancelled"]
# Of ten copies six are plain, and each of the others meets something that it must survive or report.
TWISTS: dict[Way, tuple[Twist, ...]] = {
    "direct": ("none", "none", "none", "none", "missing", "occupied", "overwritten"),
    "http": ("none", "none", "none", "none", "overwritten", "cancelled"),
    "upload": ("none", "none", "none", "overwritten"),
}
WATCHED = "incoming/"


class Planned(msgspec.Struct, frozen=True):
    """One copy: how it is asked for, of how many bytes, and what happens to its source or destination.

    `lanes`: those that its request asks for; None: as many as its size suggests.
    """

    number: int
    size: int
    way: Way
    twist: Twist
    lanes: int | None = None

    @property
    def key(self) -> str:
        prefix = WATCHED if self.way == "upload" else "chaos/"
        return f"{prefix}{self.number:03}-{self.twist}-{self.size}.bin"


def campaign(count: int, seed: int) -> list[Planned]:
    """`count` copies in any order, their sizes spread evenly over the powers of ten."""
    chance = random.Random(seed)
    ways: tuple[Way, ...] = ("direct", "http", "upload")
    planned = []
    for number in range(count):
        place = number / max(1, count - 1)
        size = round(math.exp(math.log(SMALLEST) + place * math.log(LARGEST / SMALLEST)))
        way = ways[number % 3]
        twist, lanes = chance.choice(TWISTS[way]), chance.choice((None, 1, 2, 3, 4))
        planned.append(Planned(number, size, way, twist, None if way == "upload" else lanes))
    chance.shuffle(planned)
    return planned


def storm(seed: int) -> dict[str, Any]:
    """One request in five fails, and one invocation in ten. Percentages of all requests to OSS and FC."""
    requests: dict[str, float] = {
        "error InternalError": 3.0,
        "error ServiceUnavailable": 3.0,
        "error TotalQpsLimitExceeded": 2.0,
        "lost": 4.0,
        "reset": 4.0,
        "duplicate": 2.0,
        "delay": 1.0,
        "stall": 0.4,
        "kill": 0.6,
    }
    invocations = {"kill": 4.0, "drop": 2.0, "duplicate": 2.0, "delay": 2.0}
    return {
        "faults": [*_faults("invocation", invocations), *_misread(), *_faults("*", requests)],
        "seed": seed,
        "latency_ms": 3.0,
        "bandwidth_mb_s": 400.0,
    }


def faults_of(weather: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Return the faults of percentages by operation."""
    return [fault for operation, percentages in weather.items() for fault in _faults(operation, percentages)]


def _faults(operation: str, percentages: Mapping[str, float]) -> Iterable[dict[str, Any]]:
    """Faults that strike so many per cent of all, the first listed winning: later ones meet what is left."""
    left = 100.0
    for name, percentage in percentages.items():
        kind, _, code = name.rpartition(" ")
        yield {"operation": operation, "probability": percentage / left, kind or "answer": code}
        left -= percentage


def _misread() -> Iterable[dict[str, Any]]:
    """Of the requests that write, one in twenty is answered with what cannot be read, or 5xx, done or not."""
    bodies = [{"answer": answer} for answer in ("wrong-root", "truncated", "broken-off", "empty")]
    errors = [{"answer": "error-in-body", "error": code} for code in ("InternalError", "ServiceUnavailable")]
    answers = [{**each, "effect": effect} for each in (*bodies, *errors) for effect in (True, False)]
    answers.append({"error": "InternalError", "effect": True})
    for operation in ("CopyObject", "UploadPartCopy", "CompleteMultipartUpload"):
        for each in answers:
            yield {"operation": operation, "probability": 0.05 / len(answers), **each}


def told(invocations: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """All results of copies that invocations have answered, HTTP included, by destination key."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in answers(invocations):
        if each.get("job") and each.get("destination"):
            found.setdefault(each["destination"]["key"], []).append(each)
    return found
