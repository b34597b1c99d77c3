"""How a question of the check is asked, so that it always ends in a line; and what is asked of any bucket.

Knows which answers make further questions about a bucket pointless; not what is asked further. A question
that breaks stops no other, and one that the time is too short for is a line as well.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from osscopy.check import answers
from osscopy.check.config import Deployment
from osscopy.check.report import LATE, Finding, Report, failed, ok
from osscopy.check.world import Need, OutOfTime, QuestionFailed, World
from osscopy.model import BucketInfo, Grade, LifecycleRule, Line, OssCopyError, Rule
from osscopy.model.ports import Log
from osscopy.settings import Settings

Question: TypeAlias = Callable[[], Finding | Line | Iterable[Line]]


class Reached(msgspec.Struct, frozen=True):
    """A bucket, as far as it may be known. `unless`: why nothing more can be asked of it, None if it can."""

    info: BucketInfo | None
    unless: str | None


class Inspection:
    """One check: the deployment, the world, the report, and the buckets that it knows by now."""

    def __init__(self, deployment: Deployment, world: World, log: Log) -> None:
        self.deployment = deployment
        self.world = world
        self.report = Report(log)
        self._log = log
        self.nonce = world.clock.nonce()
        self.rules: Sequence[Rule] | None = None  # None: unreadable
        self._infos: dict[str, BucketInfo] = {}
        self._refused: dict[str, Line] = {}  # by bucket, why nothing is known of it

    @property
    def settings(self) -> Settings:
        return self.deployment.settings

    def pays(self, bucket: str) -> bool:
        """Return whether rules say that the requester pays there: else OSS refuses the request."""
        paying = (each for each in self.rules or () if each.request_payer)
        return any(bucket in {each.source.bucket, each.destination.bucket} for each in paying)

    def ask(
        self, check: str, subject: str | None, question: Question, unless: str | None = None
    ) -> list[Line]:
        """Report the answer, and return its lines; the question is skipped if `unless` says why."""
        if unless is not None:
            return self.report.skip(unless, subject, check)
        return self.report.add(*self._answer(check, subject, question))

    def _answer(self, check: str, subject: str | None, question: Question) -> list[Line]:
        try:
            found = question()
            if not isinstance(found, Finding):
                return [found] if isinstance(found, Line) else [*found]
        except OutOfTime:
            found = Finding("skipped", LATE, "raise the function's timeout; check again")
        except QuestionFailed as error:
            found = answers.refusal(error.need.right, error.error, error.need.lack)
        except OssCopyError as error:
            found = answers.refusal("the right to it", error, "failed")
        except Exception as error:  # noqa: BLE001 - one broken line must not stop the others; it is reported
            self._log("checkBroken", check=check, subject=subject, trace=traceback.format_exc()[-4000:])
            text = f"the check itself failed here: {type(error).__name__}: {error}"[:600]
            found = failed(text, "report it, with the function's log")
        return [found.line(check, subject)]

    def reach(self, role: str, bucket: str) -> Reached:
        """Report what the bucket is, and return it."""
        check = f"{role}.reach"
        if bucket in self._refused:
            lines = self.report.add(replace(self._refused[bucket], check=check))
        else:
            lines = self.ask(check, bucket, lambda: self._about(role, bucket))
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
        if not any(each.check == "clock" for each in self.report.lines):
            yield answers.clock(theirs, self.world.clock.now()).line("clock")

    def retention(self, role: str, bucket: str, unless: str | None) -> Grade:
        """Report on the retention policy, and return how bad it is."""

        def judge() -> Finding:
            need = Need(f"oss:GetBucketWorm on {bucket}", "skipped")
            return answers.retention(role, self.world.ask(need, self.world.buckets.retention, bucket))

        return self.ask(f"{role}.retention", bucket, judge, unless)[0].status

    def lifecycle(self, bucket: str) -> tuple[LifecycleRule, ...]:
        need = Need(f"oss:GetBucketLifecycle on {bucket}", "skipped")
        return self.world.ask(need, self.world.buckets.lifecycle, bucket)
