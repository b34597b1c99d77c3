"""The critical path of an invocation in rounds, with names, from the request log of the local cloud.

What a round is: tests/cloud/rounds.py. The latency that is injected has to be much longer than what the
machine needs between two requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.cloud import rounds
from tests.cloud.client import LocalCloud
from tests.cloud.request_log import Logged
from tests.flow.conftest import DESTINATION, SOURCE, STATE

Round = tuple[str, ...]
LATENCY_MS = 400
ABOUT = {"HeadObject", "GetObject", "GetObjectTagging", "PutObject", "ListObjectsV2"}  # several things


def invocations(cloud: LocalCloud, do: Callable[[], object]) -> list[list[Logged]]:
    """Do something, and return the requests of each invocation that came of it, in the order they began."""
    cloud.wait_idle()
    before = cloud.requests()["logged"]
    cloud.conditions(latency_ms=LATENCY_MS)
    try:
        do()
        cloud.wait_idle()
    finally:
        cloud.conditions()
    by_key: dict[str, list[Logged]] = {}
    for each in sorted(cloud.log(before), key=lambda each: each.begin):
        if each.access_key_id != cloud.owner.access_key_id:
            by_key.setdefault(each.access_key_id, []).append(each)
    return list(by_key.values())


def path(requests: Iterable[Logged]) -> list[Round]:
    """Return the rounds of one invocation, each as the names of its requests."""
    return [tuple(sorted(map(name, each))) for each in rounds.rounds(requests)]


def name(logged: Logged) -> str:
    """Name a request by its operation and what it is about: `HeadObject source`, `PutObject open`."""
    record = logged.key.removeprefix("oss-copy/").partition("/")[0]
    about = {SOURCE: "source", DESTINATION: "destination", STATE: record or "records"}[logged.bucket]
    return f"{logged.operation} {about}" if logged.operation in ABOUT else logged.operation


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
