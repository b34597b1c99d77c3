"""Questions about buckets as such: region, versioning, retention, lifecycle, and OSS's clock.

Knows which answers make further questions about a bucket pointless; not what is asked further.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from osscopy.check import answers
from osscopy.check.config import Deployment
from osscopy.check.findings import Finding, ok
from osscopy.check.report import Report
from osscopy.check.world import Need, World
from osscopy.model import BucketInfo, LifecycleRule, Line, Rule
from osscopy.settings import Settings


class Reached(msgspec.Struct, frozen=True):
    """A bucket, as far as it may be known. `unless`: why nothing more can be asked of it, None if it can."""

    info: BucketInfo | None
    unless: str | None


class Inspection:
    """One check's means: the deployment, the world, the report, and what it knows of buckets by now."""

    def __init__(self, deployment: Deployment, world: World, report: Report) -> None:
        self.deployment = deployment
        self.world = world
        self.report = report
        self.nonce = world.clock.nonce()
        self.rules: Sequence[Rule] | None = None  # None: unreadable
        self._infos: dict[str, BucketInfo] = {}
        self._refused: dict[str, Line] = {}  # by bucket, why nothing is known of it

    @property
    def settings(self) -> Settings:
        return self.deployment.settings

    def pays(self, bucket: str) -> bool:
        """Return whether rules say that the requester pays there: else OSS refuses the request."""
        return any(
            each.request_payer
            for each in self.rules or ()
            if bucket in {each.source.bucket, each.destination.bucket}
        )

    def reach(self, role: str, bucket: str) -> Reached:
        """Report what the bucket is, and return it."""
        check = f"{role}.reach"
        if bucket in self._refused:
            lines = self.report.add(replace(self._refused[bucket], check=check))
        else:
            lines = self.report.ask(check, bucket, lambda: self._about(role, bucket))
        info = self._infos.get(bucket)
        if info is not None:
            elsewhere = info.region != self.deployment.region
            return Reached(info, f"{bucket} is in {info.region}" if elsewhere else None)
        self._refused[bucket] = lines[0]
        if "RequestTimeTooSkewed" in lines[0].found and len(self._refused) == 1:
            self.report.add(replace(lines[0], check="clock", subject=None))
        # skipped: the role may not know what the bucket is, and yet may copy
        return Reached(None, None if lines[0].status == "skipped" else f"{bucket} cannot be reached")

    def _about(self, role: str, bucket: str) -> Iterator[Line]:
        if bucket not in self._infos:
            need = Need(f"oss:GetBucketInfo on {bucket}", "skipped")
            self._infos[bucket] = self.world.ask(need, self.world.buckets.info, bucket)
        info = self._infos[bucket]
        yield ok("it answers").line(f"{role}.reach", bucket)
        yield from self.clock(info.seen_at)
        yield answers.region(info, self.deployment.region).line(f"{role}.region", bucket)
        yield answers.versioning(role, info).line(f"{role}.versioning", bucket)

    def clock(self, theirs: int) -> Iterator[Line]:
        """Yield the line about the clock, by the first answer that shows OSS's."""
        if not self.report.has("clock"):
            yield answers.clock(theirs, self.world.clock.now()).line("clock")

    def retention(self, role: str, bucket: str) -> Finding:
        need = Need(f"oss:GetBucketWorm on {bucket}", "skipped")
        return answers.retention(role, self.world.ask(need, self.world.buckets.retention, bucket))

    def lifecycle(self, bucket: str) -> tuple[LifecycleRule, ...]:
        need = Need(f"oss:GetBucketLifecycle on {bucket}", "skipped")
        return self.world.ask(need, self.world.buckets.lifecycle, bucket)
