"""The log of an OSS server's requests: what was asked, when it came, and when it was answered.

It must not know what a request means.
"""

from __future__ import annotations

from collections import deque
from itertools import islice

import msgspec

KEPT = 200_000  # requests: a copy of 10,000 parts makes some more than that


class Logged(msgspec.Struct, frozen=True, gc=False):
    """One request. `begin` (its head has arrived) and `end` (its answer is on the way) in Unix seconds.

    `status` is 0 where the connection was closed without an answer; `operation` is "" where nothing could be
    made of the request; `part` is a part's number, 0 elsewhere.
    """

    operation: str
    begin: float
    end: float
    bucket: str = ""
    key: str = ""
    status: int = 200
    part: int = 0
    access_key_id: str = ""

    def named(self, prefix: str) -> str:
        """The operation, and of a key under `prefix` its first folder there: `GetObject done/`."""
        if not self.key.startswith(prefix):
            return self.operation
        return f"{self.operation} {self.key.removeprefix(prefix).partition('/')[0]}/"


class RequestLog:
    """The newest KEPT requests, in the order of their ends."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept: deque[Logged] = deque(maxlen=kept)
        self.made = 0  # ever

    def add(self, request: Logged) -> None:
        self._kept.append(request)
        self.made += 1

    def since(self, number: int) -> list[Logged]:
        """Return all but the first `number` that were ever logged; ValueError if some of these are gone."""
        gone = self.made - len(self._kept)
        if number < gone:
            raise ValueError(f"the first {gone} requests are no longer in the log")
        return list(islice(self._kept, number - gone, None))
