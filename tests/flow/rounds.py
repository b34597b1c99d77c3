"""The critical path of an invocation in rounds, from the request log of the local cloud.

A request is serial to another one if it was begun after the other was answered. The longest chain of such
requests is the critical path; what overlaps with one of them goes with it in a round. The latency that is
injected has to be much longer than what the machine needs between two requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tests.cloud.client import LocalCloud
from tests.flow.conftest import DESTINATION, SOURCE, STATE

Logged = dict[str, Any]
Round = tuple[str, ...]
LATENCY_MS = 400
ABOUT = {"HeadObject", "GetObject", "GetObjectTagging", "PutObject", "ListObjectsV2"}  # several things


def invocations(cloud: LocalCloud, do: Callable[[], object]) -> list[list[Logged]]:
    """Do something, and return the requests of each invocation that came of it, in the order they began."""
    cloud.wait_idle()
    before = max((each["end"] for each in cloud.request_log()), default=0.0)
    cloud.conditions(latency_ms=LATENCY_MS)
    try:
        do()
        cloud.wait_idle()
    finally:
        cloud.conditions()
    own = [each for each in cloud.request_log() if each["begin"] > before]
    owner = cloud.owner.access_key_id
    by_key: dict[str, list[Logged]] = {}
    for each in sorted(own, key=lambda each: each["begin"]):
        if each["access_key"] != owner:
            by_key.setdefault(each["access_key"], []).append(each)
    return list(by_key.values())


def rounds(requests: Iterable[Logged]) -> list[Round]:
    """Return the longest chain of serial requests, each with the names of those that went with it.

    A request goes with the first of the chain that it overlaps with.
    """
    ends: list[float] = []
    for each in sorted(requests, key=lambda each: each["end"]):
        if not ends or each["begin"] > ends[-1]:
            ends.append(each["end"])
    names: list[list[str]] = [[] for _ in ends]
    for each in sorted(requests, key=lambda each: each["begin"]):
        place = next(n for n, end in enumerate(ends) if each["begin"] <= end)
        names[place].append(name(each))
    return [tuple(sorted(each)) for each in names]


def name(logged: Logged) -> str:
    """Name a request by its operation and what it is about: `HeadObject source`, `PutObject open`."""
    record = logged["key"].removeprefix("oss-copy/").partition("/")[0]
    about = {SOURCE: "source", DESTINATION: "destination", STATE: record or "records"}[logged["bucket"]]
    operation = logged["operation"]
    return f"{operation} {about}" if operation in ABOUT else str(operation)


def told(title: str, path: Iterable[Round]) -> str:
    """Return a critical path as text: a line for each round, what goes together in it, and how often."""
    lines = [f"{title}:"]
    for number, each in enumerate(path, 1):
        counted = {what: each.count(what) for what in each}
        said = (f"{what} x{times}" if times > 1 else what for what, times in counted.items())
        lines.append(f"  {number}. {' || '.join(said)}")
    return "\n".join(lines)


def before_parts(path: list[Round]) -> int:
    """Return the number of rounds before the first one with a part."""
    return next(n for n, each in enumerate(path) if "UploadPartCopy" in each)


def after_parts(path: list[Round]) -> int:
    """Return the number of rounds after the last one with a part."""
    return next(n for n, each in enumerate(reversed(path)) if "UploadPartCopy" in each)
