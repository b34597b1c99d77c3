"""The weather of the local cloud: latency, bandwidth and faults, set through the admin API and seeded.

It decides whether a fault strikes; what the fault does is the business of the server it strikes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from typing import Literal

import msgspec

from tests.cloud.readings import Choice, check, second

Answer = Literal[
    "lost", "reset", "stall", "duplicate", "delay", "kill", "corrupt", "forget", "bare", "drop",
    "error-in-body", "wrong-root", "truncated", "broken-off", "empty",
]  # fmt: skip
TELL = {  # by a document
    "CompleteMultipartUpload",
    "CopyObject",
    "DeleteMultipleObjects",
    "GetBucketInfo",
    "GetObjectACL",
    "GetObjectTagging",
    "InitiateMultipartUpload",
    "ListMultipartUploads",
    "ListObjectVersions",
    "ListObjects",
    "ListObjectsV2",
    "ListParts",
    "UploadPartCopy",
}
DOCUMENTS = {"error-in-body", "wrong-root", "truncated", "broken-off", "empty"}


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Strikes `operation` (an OSS operation's name, "invocation", or "*") with `probability`.

    Either `error` (an OSS or FC error code answered in place of the effect; of OSS with `effect` true after
    it) or `answer`:
    lost      the effect happens, the connection closes without an answer
    reset     the connection closes, no effect
    stall     neither effect nor answer until the client gives up
    duplicate the effect happens twice
    delay     the effect happens late, the answer with it
    kill      the process of the instance that asked is killed (for "invocation": while it runs)
    corrupt   other bytes are stored than asked for; ListParts tells wrong CRC64s
    forget    answered as if it had happened, and undone (UploadPartCopy)
    bare      the answer tells no CRC64, in headers or in the body
    drop      accepted and never delivered (asynchronous invocations)
    The next are of OSS operations that answer with a document, each after the effect, or with `effect` false
    in its place:
    error-in-body  status 200, and the body is the error `error`: OSS sends 200 early and fails later. Here
                   `effect` is false unless said otherwise
    wrong-root     another document than the operation's
    truncated      the document ends halfway; the answer as such is whole
    broken-off     the connection closes halfway through the body
    empty          no body
    `skip` lets that many matching requests pass first; `limit` ends the fault after so many strikes.
    `key`, if given, restricts it to object keys (for "invocation": function names) that start with it;
    `bucket` to the requests to this bucket.
    """

    operation: str
    probability: float = 1.0
    error: str | None = None
    answer: Answer | None = None
    effect: bool | None = None
    skip: int = 0
    limit: int | None = None
    key: str | None = None
    bucket: str | None = None

    def __post_init__(self) -> None:
        if self.answer == "error-in-body":
            if self.error is None:
                raise ValueError('`answer` "error-in-body" needs an `error`')
        elif (self.error is None) == (self.answer is None):
            raise ValueError("a fault has either `error` or `answer`")
        if self.operation in {"*", "invocation"} and self.effect is not None:
            raise ValueError("`effect` is for one OSS operation")
        if self.answer in DOCUMENTS and self.operation not in TELL:
            raise ValueError(f"`answer` {self.answer!r} is for one of {', '.join(sorted(TELL))}")
        if self.operation == "invocation" and self.bucket is not None:
            raise ValueError("`bucket` is for OSS operations")
        if self.effect is not None and self.error is None and self.answer not in DOCUMENTS:
            raise ValueError(f"`effect` does not go with `answer` {self.answer!r}")
        if not 0 <= self.probability <= 1:
            raise ValueError("`probability` is between 0 and 1")
        if self.skip < 0:
            raise ValueError("`skip` is not negative")
        if self.limit is not None and self.limit < 0:
            raise ValueError("`limit` is not negative")

    @property
    def happens(self) -> bool:
        """Whether the request takes effect, of a fault with an `error` or an answer about the body."""
        return self.error is None if self.effect is None else self.effect


class Conditions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `PUT /conditions` sets. Bandwidth is per request, of copied bytes; 0 means unlimited.

    `requests_s`: the requests to OSS that it takes in a second, a tenth of them at once; others are answered
    503 TotalQpsLimitExceeded with `x-oss-qos-delay-time`. 0 means unlimited.
    `readings` are those of `readings.py`, before what the command line has chosen.
    """

    latency_ms: float = 0.0
    bandwidth_mb_s: float = 0.0
    requests_s: float = 0.0
    seed: int = 0
    faults: tuple[Fault, ...] = ()
    readings: dict[str, Choice] = {}

    def __post_init__(self) -> None:
        if not 0 <= self.latency_ms <= 3_600_000:
            raise ValueError("`latency_ms` is between 0 and 3600000, an hour")
        if self.bandwidth_mb_s < 0:
            raise ValueError("`bandwidth_mb_s` is not negative")
        if self.requests_s < 0:
            raise ValueError("`requests_s` is not negative")
        check(self.readings)


class Weather:
    """The conditions in force and what is left of their faults."""

    def __init__(self, readings: Mapping[str, Choice] | None = None) -> None:
        """`readings` count where the conditions choose none."""
        self._chosen = readings or {}
        self.set(Conditions())

    def set(self, conditions: Conditions) -> None:
        """Replace what was set before; counters and random numbers start anew."""
        self.conditions = conditions
        self.readings = second(self._chosen, conditions.readings)  # those of which `b` counts
        self._random = random.Random(conditions.seed)
        self._seen = [0] * len(conditions.faults)
        self._struck = [0] * len(conditions.faults)
        self._left, self._left_at = self._burst, time.monotonic()

    @property
    def _burst(self) -> float:
        """How many requests are taken at once."""
        return max(1.0, self.conditions.requests_s / 10)

    def throttle(self) -> Fault | None:
        """The refusal of a request that is one too many, None if it is taken."""
        if not self.conditions.requests_s:
            return None
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._left_at) * self.conditions.requests_s)
        self._left_at = now
        if self._left < 1:
            return Fault("*", error="TotalQpsLimitExceeded")
        self._left -= 1
        return None

    @property
    def struck(self) -> list[int]:
        """How often each fault has struck."""
        return list(self._struck)

    def strike(self, operation: str, key: str = "", bucket: str | None = None) -> Fault | None:
        """The fault that strikes this request, if any; the first listed wins."""
        for index, fault in enumerate(self.conditions.faults):
            if fault.operation not in {operation, "*"} or not key.startswith(fault.key or ""):
                continue
            if fault.bucket not in {None, bucket}:
                continue
            self._seen[index] += 1
            if self._seen[index] <= fault.skip or self._struck[index] == fault.limit:
                continue
            if self._random.random() < fault.probability:
                self._struck[index] += 1
                return fault
        return None

    def seconds(self, copied_bytes: int = 0) -> float:
        """How long a request takes that copies so many bytes."""
        bandwidth = self.conditions.bandwidth_mb_s * 1_000_000
        return self.conditions.latency_ms / 1000 + (copied_bytes / bandwidth if bandwidth else 0.0)
