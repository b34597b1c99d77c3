"""The numbers to reach, a row for each, in the order of the design. Knows nothing of how they are measured.

A row that is missed keeps its reason in `REASONS`; one that no bench has measured says so in RESULTS.md.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Goal(msgspec.Struct, frozen=True):
    """A row: `limit` in `unit` is the most (`<=`) or the least (`>=`) that is allowed."""

    id: str
    row: str
    sign: Literal["<=", ">="]
    limit: float
    unit: str = ""

    @property
    def target(self) -> str:
        """The number as text: `>= 0.87x`, `<= 96 MB`."""
        return f"{self.sign} {self.limit:g}{self.unit}"

    def is_reached(self, value: float) -> bool:
        """Judge a value as measured, not as rounded for the page."""
        return value <= self.limit if self.sign == "<=" else value >= self.limit

    def shown(self, value: float) -> str:
        """A value as the page shows it."""
        return f"{value:{'.2f' if self.unit == 'x' else '.3g'}}{self.unit}"


GOALS = (
    Goal("before-parts", "serial requests of a copy in parts, directly: before the first part", "<=", 4),
    Goal("after-parts", "the same, after the last part", "<=", 4),
    Goal("before-parts-http", "behind HTTP: before the first part of the invocation that goes on", "<=", 3),
    Goal("before-parts-hop", "of each further hop: before its first part", "<=", 1),
    Goal("small", "serial requests of a small copy, directly", "<=", 3),
    Goal("small-trigger", "the same, by trigger", "<=", 3),
    Goal("copier-1000-100", "Copier's time / ours, 32 threads, 1,000 parts, 100 ms", ">=", 0.87, "x"),
    Goal("copier-3200-100", "the same, 3,200 parts, 100 ms", ">=", 0.95, "x"),
    Goal("copier-1000-50", "the same, 1,000 parts, 50 ms", ">=", 1.0, "x"),
    Goal("copier-bandwidth", "the same, 224 parts of 0.5 s by bandwidth, 20 ms", ">=", 0.95, "x"),
    Goal("copier-shipped", "Copier's time / ours, both as shipped, 1,000 parts, 50 ms", ">=", 15, "x"),
    Goal("cpu", "CPU of a part copy, whole process, against oss2's Session in the same run", "<=", 0.67, "x"),
    Goal("floor", "one large object, one hop, against the floor", "<=", 1.05, "x"),
    Goal("hand-over", "a hand-over: time without a part in flight, warm instance, 100 ms", "<=", 0.3, " s"),
    Goal("lanes", "8 lanes against 1, parts of 0.7 s by bandwidth, 50 ms", ">=", 7.4, "x"),
    Goal("width", "one instance, 256 threads against 32, parts of 0.7 s, >= 1,792 parts", ">=", 7, "x"),
    Goal("list", "a list of 1,000 small copies in one event, against bare oss2, 32 threads", ">=", 1.0, "x"),
    Goal("tail", "one part in a thousand stalls for 5 s, 10,000 parts, against no stalls", "<=", 1.05, "x"),
    Goal("tail-twice", "the same: parts that were asked for twice", "<=", 0.5, " %"),
    Goal("throttled", "throttled to X requests a second: goodput / X", ">=", 0.95, "x"),
    Goal("refused", "the same: requests that were refused", "<=", 2, " %"),
    Goal("import", "import of the handler against bare `import oss2`", "<=", 0.85, "x"),
    Goal("connections", "connections that a hop opens, beside one for each thread", "<=", 2),
    Goal("memory", "peak memory, object of 1 GB or 48.8 TB, 32 threads", "<=", 96, " MB"),
    Goal("memory-flat", "peak memory, 48.8 TB against 10 GB, 10,000 parts each: difference", "<=", 5, " %"),
    Goal("memory-keys", "peak memory, 10 or 10^8 keys", "<=", 96, " MB"),
    Goal("many-requests", "a job of N small objects, all requests / (1.01 N + 50)", "<=", 1.0, "x"),
    Goal("many-again-copies", "the same job again: copies", "<=", 0),
    Goal("many-again-requests", "the same: requests / (2 N/1,000 + 3 N/10,000 + 3 a range)", "<=", 1.0, "x"),
    Goal("many-peer", "one walker against bare oss2, 32 threads that send CopyObject alone", ">=", 1.3, "x"),
    Goal("many-keys", "listings compared, keys a second on one core", ">=", 150_000, " /s"),
    Goal("many-walkers", "4 walkers against 1, where latency decides", ">=", 3.8, "x"),
    Goal("many-skew", "1,000:1 skew, 8 walkers, against even", "<=", 1.15, "x"),
    Goal("many-memory", "peak memory, a job of 10^6 keys", "<=", 96, " MB"),
    Goal("many-flat", "the same: growth from 10^5 keys", "<=", 5, " %"),
    Goal("flood-chain", "a chained copy beside 30 connections without a token, against none", "<=", 1.2, "x"),
    Goal("flood-copies", "100 copies by the trigger beside the same", "<=", 1.2, "x"),
)
BY_ID = {each.id: each for each in GOALS}
# Why a row is missed, where the bench that measures it cannot know: written by whoever looked into it.
REASONS: dict[str, str] = {
    "lanes": "server, FC and eight instances share two cores",
    "throttled": "the whole copy counts, with its first requests and its last; the pace is found from below",
    "many-keys": "all of an invocation is counted: signatures, the log, and the files of the report as well",
    "many-walkers": "server, FC and four instances share two cores, on which other work ran",
    "flood-copies": "flood, servers and all instances share two cores, on which other work ran",
    "many-flat": "the rows of one file of the report, 4 MiB, are put together in memory",
}
