"""Serial rounds, counted from a log of requests: how often somebody waited for an answer before asking on.

Pure: it must know neither the product nor the cloud. Benches and flow tests count with it.

A request belongs to round 1 if none had ended when it began, else to the round after the last one of which a
request had ended by then. So the number of rounds is the length of the longest sequence of requests each of
which began after the one before had ended. Whatever the latency r of a request is, the whole cannot take less
than rounds times r. With n parts, k threads and W lanes, whose part copies take t each, a copy makes m rounds
before its first part and after its last, and at least ceil(n / (k*W)) rounds of parts in between: hence the
floor `T >= m*r + ceil(n / (k*W))*t`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import msgspec

PART = "UploadPartCopy"


class Request(Protocol):
    """Something with an operation's name that began and ended, in seconds of one clock."""

    @property
    def operation(self) -> str: ...

    @property
    def begin(self) -> float: ...

    @property
    def end(self) -> float: ...


R = TypeVar("R", bound=Request)


class Serial(msgspec.Struct, frozen=True):
    """How many rounds a copy in parts makes: before its first part, of parts, and after its last part."""

    before: int
    parts: int
    after: int

    @property
    def beside_parts(self) -> int:
        """The m of the floor."""
        return self.before + self.after


def rounds(requests: Iterable[R]) -> tuple[tuple[R, ...], ...]:
    """Sort requests into rounds, each in the order of begins; `len` of the result is the number of rounds."""
    by_begin = sorted(requests, key=lambda each: (each.begin, each.end))
    ended = sorted(range(len(by_begin)), key=lambda i: by_begin[i].end)
    found: list[list[R]] = []
    place = [0] * len(by_begin)  # the round of each request, from 0
    passed, highest = 0, -1  # how many of `ended` had ended by now, and the last round among these
    for index, request in enumerate(by_begin):
        while passed < len(ended) and _is_over(by_begin, ended[passed], index):
            highest = max(highest, place[ended[passed]])
            passed += 1
        place[index] = highest + 1
        if place[index] == len(found):
            found.append([])
        found[place[index]].append(request)
    return tuple(tuple(each) for each in found)


def _is_over(by_begin: Sequence[Request], other: int, index: int) -> bool:
    """Judge if `other` had ended when `index` began; one that takes no time had not ended before it began."""
    return other < index and by_begin[other].end <= by_begin[index].begin


def before_parts(requests: Sequence[R]) -> tuple[R, ...]:
    """Return what had ended when the first part began; everything if there is none."""
    first = min((each.begin for each in requests if each.operation == PART), default=float("inf"))
    return tuple(each for each in requests if each.end <= first)


def after_parts(requests: Sequence[R]) -> tuple[R, ...]:
    """Return what began when the last part had ended; nothing if there is none."""
    last = max((each.end for each in requests if each.operation == PART), default=float("inf"))
    return tuple(each for each in requests if each.begin >= last and each.operation != PART)


def serial(requests: Sequence[R]) -> Serial:
    """Count the rounds of a copy in parts; what is asked while parts are copied costs no round."""
    parts = [each for each in requests if each.operation == PART]
    return Serial(len(rounds(before_parts(requests))), len(rounds(parts)), len(rounds(after_parts(requests))))


def path(names: Iterable[Sequence[str]]) -> str:
    """Tell rounds by the names of their requests: `HeadObject ∥ GetObject done/ → 2 ListParts`."""
    return " → ".join(" ∥ ".join(_counted(each)) for each in names)


def _counted(names: Sequence[str]) -> list[str]:
    numbers = Counter(names)
    return [f"{number} {name}" if number > 1 else name for name, number in numbers.items()]


def floor(m: int, r: float, parts: int, in_flight: int, t: float) -> float:
    """Return the least seconds for a copy: `m*r + ceil(parts / in_flight)*t`, r and t in seconds."""
    return m * r + -(-parts // in_flight) * t
