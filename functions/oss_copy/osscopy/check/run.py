"""The check: which questions are asked of the deployment, in which order, and in which time.

Knows the settings and the ports; what answers mean is `findings`, what settings mean is `suspicions`, and
trials that write are `probes`. A finding is a line, never an exception; a line that breaks stops no other; a
question that the time is too short for is a line as well.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Literal, TypeAlias

from msgspec.structs import replace

from osscopy import plan
from osscopy.check import answers, config, trials, triggers
from osscopy.check.config import Deployment, line, shown
from osscopy.check.trials import OutOfTime, Sample, Trial, Unanswered, World
from osscopy.jobs.journal import RecordJournal
from osscopy.model import (
    BucketInfo,
    Checked,
    Conditions,
    CopyRequest,
    Destination,
    Encryption,
    Failed,
    Line,
    ListedObject,
    Misconfigured,
    OssCopyError,
    Rule,
    Source,
)
from osscopy.model.ports import Log, Platform
from osscopy.plan.keys import Pattern
from osscopy.settings import RulesObject

LONGEST = 300.0  # seconds of a check, however long the function may run
PAGE = 1000  # objects of a source looked at
LOGGED = 20  # lines that go into the log, where a timer's check is read
LATE = "not looked at: the time of this invocation is too short"
UNREADABLE = frozenset({"Archive", "ColdArchive", "DeepColdArchive"})

Step: TypeAlias = tuple[str, str | None, Callable[[], Line | Iterable[Line]]]


def seconds_for_answer(timeout: float) -> float:
    """How long one answer is waited for, so that some time is left after it."""
    return max(0.5, min(10.0, timeout / 16))


def until(begun: float, timeout: float) -> float:
    """When to ask nothing more (monotonic). The last question, and then up to five that take things away

    (abort, find, delete, list, remove), may each wait in vain.
    """
    return begun + min(timeout, LONGEST) - 1.0 - 6 * seconds_for_answer(timeout)


class Checkup:
    """One look at the deployment. `read_rules` reads the rules anew, from wherever they are."""

    def __init__(
        self,
        deployment: Deployment,
        world: World,
        journal: RecordJournal,
        platform: Platform,
        read_rules: Callable[[], Sequence[Rule]],
        log: Log,
    ) -> None:
        self._deployment = deployment
        self._settings = deployment.settings
        self._world = world
        self._journal = journal
        self._platform = platform
        self._read_rules = read_rules
        self._log = log
        self._nonce = world.clock.nonce()
        self._lines: list[Line] = []
        self._infos: dict[str, BucketInfo] = {}
        self._refused: dict[str, Line] = {}  # by bucket, why nothing is known of it
        self._rules: Sequence[Rule] | None = None  # None: unreadable
        self._samples: list[Sample] = []
        self._largest = 0

    def run(self) -> Checked:
        """Everything, from what needs no question to what needs the answers before."""
        self._walk(self._about_settings())
        self._state()
        allowed = [*self._settings.allowed_sources]
        for bucket in _buckets(allowed, [rule.source.bucket for rule in self._rules or ()]):
            self._source(bucket, [each for each in allowed if each.bucket == bucket])
        deployment = self._deployment
        self._walk([("settings.timeout", None, lambda: config.timeout(deployment, self._largest))])
        allowed = [*self._settings.allowed_destinations]
        for bucket in _buckets(allowed, [rule.destination.bucket for rule in self._rules or ()]):
            self._destination(bucket, [each for each in allowed if each.bucket == bucket])
        self._walk([("function.invoke", None, self._invoke), ("triggers", None, self._triggers)])
        return self._report()

    def _report(self) -> Checked:
        late = sum(each.found == LATE for each in self._lines)
        if late:
            text = f"{late} questions were not asked, for want of time"
            advice = "raise the function's timeout to 60 s or more, or look at why answers are slow"
            self._lines.append(line("time", "warning", text, advice))
        counts = Counter(each.status for each in self._lines)
        status: Literal["ok", "warning", "failed"]
        status = "failed" if counts["failed"] else "warning" if counts["warning"] else "ok"
        notable = [each for each in self._lines if each.status in {"failed", "warning"}]
        notable.sort(key=lambda each: each.status)
        self._log("checked", status=status, counts=dict(counts), lines=notable[:LOGGED])
        return Checked(status, tuple(self._lines))

    # --- one line after the other ----------------------------------------------------------------------

    def _walk(self, steps: Iterable[Step], unless: str | None = None) -> None:
        """The lines of each step; all skipped if `unless` says why."""
        for check, subject, step in steps:
            if unless is not None:
                self._lines.append(answers.skipped(check, subject, unless, "mend that first; check again"))
            else:
                self._lines += self._look(check, subject, step)

    def _look(self, check: str, subject: str | None, step: Callable[[], Line | Iterable[Line]]) -> list[Line]:
        try:
            found = step()
            return [found] if isinstance(found, Line) else list(found)
        except OutOfTime:
            return [line(check, "skipped", LATE, "raise the function's timeout; check again", subject)]
        except Unanswered as error:
            return [answers.refusal(check, subject, error.needs, error.error, error.denied)]
        except OssCopyError as error:
            return [answers.refusal(check, subject, "the right to it", error, "failed")]
        except Exception as error:  # noqa: BLE001 - one broken line must not stop the others; it is told
            self._log("checkBroken", check=check, subject=subject, trace=traceback.format_exc()[-4000:])
            return [answers.broken(check, subject, error)]

    # --- settings --------------------------------------------------------------------------------------

    def _about_settings(self) -> Iterator[Step]:
        deployment = self._deployment
        yield "settings.allowLists", None, lambda: config.allow_lists(deployment)
        yield "settings.httpAuth", None, lambda: config.http(deployment)
        yield "settings.maxParallel", None, lambda: config.memory(deployment)
        yield "settings.endpoints", None, lambda: config.endpoints(deployment)
        yield "settings.rules", None, self._about_rules

    def _about_rules(self) -> list[Line]:
        where = self._settings.rules
        if not isinstance(where, RulesObject):
            self._rules = where
            return config.rules(self._deployment, where)
        name = f"oss://{where.bucket}/{where.key}"
        try:
            self._rules = self._world.ask(f"oss:GetObject on {where.bucket}/{where.key}", self._read_rules)
        except Unanswered as error:
            if not isinstance(error.error, Misconfigured):
                raise
            advice = f"put a JSON list of rules at {name}, and grant the role oss:GetObject on it"
            text = f"no event of the OSS trigger can be served: {error.error.message}"
            return [line("settings.rules", "failed", text[:600], advice, name)]
        return config.rules(self._deployment, self._rules)

    # --- buckets ---------------------------------------------------------------------------------------

    def _reach(self, role: str, bucket: str) -> tuple[BucketInfo | None, str | None]:
        """What the bucket is, if it may be known, and why nothing more can be asked of it, if so."""
        check = f"{role}.reach"
        if bucket in self._refused:
            lines = [replace(self._refused[bucket], check=check)]
        else:
            lines = self._look(check, bucket, lambda: self._about_bucket(role, bucket))
        self._lines += lines
        info = self._infos.get(bucket)
        if info is None:
            self._refused[bucket] = lines[0]
            if "RequestTimeTooSkewed" in lines[0].found and len(self._refused) == 1:
                self._lines.append(replace(lines[0], check="clock", subject=None))
            # skipped: the role may not know what the bucket is, and yet may copy
            return None, None if lines[0].status == "skipped" else f"{bucket} cannot be reached"
        own = self._deployment.region
        return info, None if info.region == own else f"{bucket} is in {info.region}"

    def _about_bucket(self, role: str, bucket: str) -> Iterator[Line]:
        own = self._deployment.region
        if bucket not in self._infos:
            ask = self._world.buckets.info
            needs = f"oss:GetBucketInfo on {bucket}"
            self._infos[bucket] = self._world.ask(needs, lambda: ask(bucket), "skipped")
        info = self._infos[bucket]
        yield line(f"{role}.reach", "ok", "it answers", subject=bucket)
        yield from self._clock(info.seen_at)
        yield answers.region(role, bucket, info, own)
        yield answers.versioning(role, bucket, info)

    def _clock(self, theirs: int) -> Iterator[Line]:
        """The clock, by the first answer that tells OSS's."""
        if not any(each.check == "clock" for each in self._lines):
            yield answers.clock(theirs, self._world.clock.now())

    def _retention(self, role: str, bucket: str) -> Line:
        ask = self._world.buckets.retention
        policy = self._world.ask(f"oss:GetBucketWorm on {bucket}", lambda: ask(bucket), "skipped")
        return answers.retention(role, bucket, policy)

    # --- the state bucket ------------------------------------------------------------------------------

    def _state(self) -> None:
        bucket, prefix = self._settings.state_bucket, self._settings.state_prefix
        info, unless = self._reach("stateBucket", bucket)
        self._walk(
            [
                ("stateBucket.retention", bucket, lambda: self._retention("stateBucket", bucket)),
                ("stateBucket.lifecycle", bucket, lambda: self._state_lifecycle(bucket, prefix)),
            ],
            unless,
        )
        blocked = unless or self._why_no_record(bucket, info)
        place = f"{prefix}check/"
        self._walk(
            [
                (
                    "stateBucket.records",
                    bucket,
                    lambda: trials.try_records(self._world, bucket, place, self._nonce),
                )
            ],
            blocked,
        )
        self._walk(
            [
                ("stateBucket.remains", bucket, lambda: self._remains_of_records(bucket, place)),
                ("sweep", None, self._sweep),
            ],
            unless,
        )

    def _why_no_record(self, bucket: str, info: BucketInfo | None) -> str | None:
        """Why no record is written on trial: it could not be deleted without a trace."""
        if info is not None and info.versioning is not None:
            return f"{bucket} has versions"
        if any(each.check == "stateBucket.retention" and each.status == "failed" for each in self._lines):
            return f"{bucket} may keep what is written"
        if self._rules is None:
            return "the rules are unknown, and one may watch it"
        return None

    def _state_lifecycle(self, bucket: str, prefix: str) -> Iterator[Line]:
        ask = self._world.buckets.lifecycle
        rules = self._world.ask(f"oss:GetBucketLifecycle on {bucket}", lambda: ask(bucket), "skipped")
        return answers.state_lifecycle(bucket, prefix, rules)

    def _remains_of_records(self, bucket: str, place: str) -> Line:
        left, ended = trials.clear(self._world, bucket, place, self._nonce, "objects")
        return answers.left("stateBucket.remains", bucket, left, ended)

    def _sweep(self) -> Iterator[Line]:
        """The oldest of the first page of open copies, by the time its record was written."""
        needs = f"oss:ListObjects, oss:GetObject on {self._settings.state_bucket}"
        page = self._world.ask(needs, lambda: self._journal.page("open", "", PAGE))
        yield from self._clock(page.seen_at)
        timeout = self._deployment.timeout
        wait = plan.settle_time(timeout) + plan.patience(timeout) + 3600  # s.yaml sweeps every 15 minutes
        if not page.entries:
            yield answers.sweep(0, 0, False, wait, False)
            return
        job, written = min(page.entries, key=lambda entry: entry[1])
        closed = self._world.ask(needs, lambda: self._journal.written("done", job))
        age = page.seen_at - (written if closed is None else closed[0])
        more = len(page.entries) == PAGE
        yield answers.sweep(len(page.entries), age, closed is not None, wait, more)

    # --- sources ---------------------------------------------------------------------------------------

    def _source(self, bucket: str, patterns: Sequence[Pattern]) -> None:
        _, unless = self._reach("sourceBucket", bucket)
        for pattern in patterns:
            self._walk(self._about_source(pattern), unless)

    def _about_source(self, pattern: Pattern) -> Iterator[Step]:
        subject = shown(pattern)
        listed: list[ListedObject] = []
        seen: list[Sample] = []
        if pattern.is_prefix:
            yield "source.list", subject, lambda: self._list(pattern, listed)
        yield "source.read", subject, lambda: self._read(pattern, listed, seen)
        yield "source.acl", subject, lambda: self._read_acl(subject, seen)

    def _list(self, pattern: Pattern, listed: list[ListedObject]) -> Line:
        """No copy needs this."""
        ask, bucket, pays = self._world.buckets.objects, pattern.bucket, self._pays(pattern.bucket)
        page = self._world.ask(
            f"oss:ListObjects on {bucket}", lambda: ask(bucket, pattern.key, PAGE, pays=pays), "skipped"
        )
        listed += page.objects
        self._largest = max([self._largest, *(each.size for each in listed)])
        text = f"{len(listed)}{' or more' if len(listed) == PAGE else ''} objects"
        return line("source.list", "ok", text, subject=shown(pattern))

    def _read(self, pattern: Pattern, listed: Sequence[ListedObject], seen: list[Sample]) -> Line:
        """HEAD and tags of an object, which is what copies are tried with from here on."""
        subject = shown(pattern)
        key = choose(listed) if pattern.is_prefix else pattern.key
        if key is None:
            return self._without_sample("source.read", subject, subject)
        source, pays = Source(pattern.bucket, key), self._pays(pattern.bucket)
        request = CopyRequest(source=source, destination=Destination(pattern.bucket), request_payer=pays)
        store, where = self._world.store, f"on {subject}"
        try:
            head = self._world.ask(
                f"oss:GetObject {where}", lambda: store.head(request, source, Conditions())
            )
        except Unanswered as error:
            if error.error.code != "NoSuchKey":
                raise
            return answers.skipped("source.read", subject, f"there is no {key}", _PUT_ONE)
        source = plan.pinned(source, plan.pin_of(head))
        if head.version_id is not None:
            needs = f"oss:GetObjectVersion {where}"
            self._world.ask(needs, lambda: store.head(request, source, Conditions()))
        needs = f"oss:GetObject{'Version' if head.version_id else ''}Tagging {where}"
        self._world.ask(needs, lambda: store.tags(request, source))
        if head.size and head.storage_class not in UNREADABLE and head.kind not in {"Symlink", "Appendable"}:
            seen.append(Sample(source, head, pays))
            self._samples += seen
        return line("source.read", "ok", f"HEAD and tags of {key}", subject=subject)

    def _read_acl(self, subject: str, seen: Sequence[Sample]) -> Line:
        if not seen:
            return self._without_sample("source.acl", subject, subject)
        source, store = seen[0].source, self._world.store
        request = CopyRequest(
            source=source, destination=Destination(source.bucket), request_payer=seen[0].pays
        )
        needs = f"oss:GetObjectAcl on {subject} (only copies with `acl` as `copy` need it)"
        self._world.ask(needs, lambda: store.acl(request, source), "warning")
        return line("source.acl", "ok", "it may be read", subject=subject)

    def _pays(self, bucket: str) -> bool:
        """Whether rules say that the requester pays there: a request that does not say so is refused."""
        return any(
            each.request_payer
            for each in self._rules or ()
            if bucket in {each.source.bucket, each.destination.bucket}
        )

    def _without_sample(self, check: str, subject: str, source: str | None = None) -> Line:
        """Why there is nothing to copy, of this source or of all."""
        for each in self._lines:
            if each.check == "source.list" and each.status != "ok" and source in {None, each.subject}:
                return answers.skipped(check, subject, f"{each.subject} is not listed", each.advice or "")
        return answers.skipped(check, subject, _NOTHING, _PUT_ONE)

    # --- destinations ----------------------------------------------------------------------------------

    def _destination(self, bucket: str, patterns: Sequence[Pattern]) -> None:
        info, unless = self._reach("destinationBucket", bucket)
        if not patterns:  # a rule names it, and nothing allows it
            return
        prefixes = [each.key for each in patterns]
        before = len(self._lines)
        self._walk(
            [
                ("destinationBucket.retention", bucket, lambda: self._retention("destinationBucket", bucket)),
                ("destinationBucket.lifecycle", bucket, lambda: self._lifecycle(bucket, prefixes)),
            ],
            unless,
        )
        has_retention = self._lines[before].status != "ok"
        for pattern in patterns:
            self._try(pattern, self._why_no_object(pattern, info, has_retention), unless)

    def _lifecycle(self, bucket: str, prefixes: Sequence[str]) -> Line:
        ask = self._world.buckets.lifecycle
        rules = self._world.ask(f"oss:GetBucketLifecycle on {bucket}", lambda: ask(bucket), "skipped")
        return answers.destination_lifecycle(bucket, prefixes, rules)

    def _why_no_object(self, pattern: Pattern, info: BucketInfo | None, has_retention: bool) -> str | None:
        """Why no object is to be written on trial, None if nothing speaks against it."""
        if info is None or info.versioning is not None:
            return "the bucket has versions, or may have"
        if has_retention:
            return "a retention policy keeps what is written, or may"
        if self._rules is None:
            return "the rules are unknown, and one may watch it"
        key = f"{pattern.key}{trials.RESERVED}"
        if self._settings.may_hold_records(pattern.bucket, key, ""):
            return "the function's records are there"
        if any(
            rule.source.bucket == pattern.bucket and key.startswith(rule.source.prefix)
            for rule in self._rules
        ):
            return "a rule watches it"
        return None

    def _try(self, pattern: Pattern, why_not: str | None, unless: str | None) -> None:
        subject = shown(pattern)
        if unless is not None:
            self._walk([(check, subject, _never) for check in (*_UPLOADS, *_COPIES, _REMAINS)], unless)
            return
        trial = Trial(self._world, pattern, self._nonce, why_not, pays=self._pays(pattern.bucket))
        sample = self._sample_for(pattern)
        self._walk(
            [
                (check, subject, step)
                for check, step in zip(_UPLOADS, (trial.read, trial.write, trial.tag), strict=True)
            ]
        )
        if any(each.status != "ok" for each in self._lines[-3:]):
            self._walk([(check, subject, _never) for check in _COPIES], "the trials before did not succeed")
        elif sample is None:
            self._lines += [self._without_sample(check, subject) for check in _COPIES]
        else:
            self._copy(trial, subject, sample)
        for encryption in self._encryptions(pattern.bucket):
            self._walk([("destination.encryption", subject, partial(trial.encrypt, encryption))])
        if trial.begun:
            self._walk([(_REMAINS, subject, lambda: self._remains(trial, pattern))])

    def _copy(self, trial: Trial, subject: str, sample: Sample) -> None:
        self._walk(
            [
                ("destination.trial", subject, trial.delete),
                ("copy.multipart", subject, lambda: trial.multipart(sample)),
            ]
        )
        whole: list[Step] = [
            ("copy.simple", subject, lambda: trial.simple(sample)),
            ("destination.acl", subject, lambda: trial.acl(sample)),
        ]
        if trial.is_shared:
            advice = "nothing is to be done: what uploads need is what CopyObject needs, but for `acl`"
            self._lines += [answers.skipped(check, subject, _SHARED, advice) for check, _, _ in whole]
        else:
            self._walk(whole)

    def _encryptions(self, bucket: str) -> list[Encryption]:
        """What rules encrypt with there."""
        asked = (each.encryption for each in self._rules or () if each.destination.bucket == bucket)
        return [*dict.fromkeys(each for each in asked if isinstance(each, Encryption))]

    def _sample_for(self, pattern: Pattern) -> Sample | None:
        """An object that a rule might copy there, or else any."""
        feeding = {
            each.source.bucket for each in self._rules or () if each.destination.bucket == pattern.bucket
        }
        fitting = [each for each in self._samples if each.source.bucket in feeding]
        return next(iter([*fitting, *self._samples]), None)

    def _remains(self, trial: Trial, pattern: Pattern) -> Line:
        left, ended = trial.left, 0
        if pattern.is_prefix:
            prefix = f"{pattern.key}{trials.RESERVED}"
            kinds: trials.Kinds = "both" if trial.why_not is None else "uploads"
            try:
                left, ended = trials.clear(self._world, pattern.bucket, prefix, self._nonce, kinds)
            except Unanswered:
                if not left:
                    raise
        return answers.left(_REMAINS, shown(pattern), left, ended)

    # --- FC --------------------------------------------------------------------------------------------

    def _invoke(self) -> Line:
        return trials.try_invocations(self._world, self._platform, self._nonce)

    def _triggers(self) -> list[Line]:
        """No copy needs them told, so that no answer is no finding."""
        try:
            told = self._world.ask("fc:ListTriggers", self._platform.triggers, once=True)
        except Unanswered as error:
            advice = (
                "grant the function's role fc:ListTriggers on the function itself, or compare its triggers "
                "(events, prefix) with COPY_RULES in FC's console"
            )
            return [answers.skipped("triggers", None, error.error.message[:300], advice)]
        return triggers.lines(self._settings, self._rules, told)


_NOTHING = "there is no object to try with"
_PUT_ONE = "put an object of 101 KiB to 16 MiB (class Standard or IA) there; check again"
_UPLOADS = ("destination.read", "destination.write", "destination.tags")
_SHARED = "the key may be somebody's object, and CopyObject could write it"
_COPIES = ("copy.multipart", "copy.simple", "destination.acl")
_REMAINS = "destination.remains"


def _never() -> Line:
    raise Failed("Unreachable", "this step is always skipped")


def choose(listed: Sequence[ListedObject]) -> str | None:
    """The key of an object to try with: the smallest that makes two parts, else the smallest of all."""
    able = [
        each
        for each in listed
        if each.size and each.storage_class not in UNREADABLE and each.kind != "Symlink"
    ]
    plain = [each for each in able if each.kind != "Appendable"]  # whether it has parts, sources disagree
    whole = [each for each in plain if trials.PART < each.size <= trials.WHOLE]
    return min(whole or plain or able, key=lambda each: (each.size, each.key)).key if able else None


def _buckets(patterns: Sequence[Pattern], more: Sequence[str]) -> list[str]:
    """The buckets named, each once, in order."""
    return [*dict.fromkeys([*(each.bucket for each in patterns), *more])]
