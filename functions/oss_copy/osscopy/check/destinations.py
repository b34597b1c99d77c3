"""Destinations: what their buckets do with copies and lost uploads, and which trials are made there.

Knows where an object may be written on trial; not how a trial is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from osscopy.check import answers, trials
from osscopy.check.config import shown
from osscopy.check.inspection import Inspection, Reached
from osscopy.check.report import Finding, ok, skipped
from osscopy.check.sources import without_sample
from osscopy.check.trials import Kinds, Sample, Trial, TrialKey, clear
from osscopy.check.world import Need, QuestionFailed
from osscopy.model import Encrypted, Encryption
from osscopy.plan.keys import Pattern

_UPLOADS: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("destination.write", "oss:PutObject", "an upload was opened and aborted", {}),
    ("destination.tags", "oss:PutObjectTagging", "an upload with tags was opened", trials.TAGS),
)
_OPENED = ("destination.list", "destination.read", *(check for check, *_ in _UPLOADS))
_COPIES = ("copy.multipart", "copy.simple")
_ACL = "destination.acl"  # tried where copies may have one
_REMAINS = "destination.remains"
_SHARED = skipped(
    "the key may be somebody's object, and CopyObject could write it",
    "nothing is to be done: what uploads need is what CopyObject needs, but for `acl`",
)


class Destinations:
    """The destinations that are allowed. `samples`: what there is to copy."""

    def __init__(self, inspection: Inspection, samples: Sequence[Sample]) -> None:
        self._inspection = inspection
        self._ask = inspection.ask
        self._samples = samples
        allows_acl = inspection.settings.options.allows("public-acl")  # else no role writes ACLs
        self._copies = (*_COPIES, _ACL) if allows_acl else _COPIES

    def inspect(self, bucket: str, patterns: Sequence[Pattern]) -> None:
        """Report on `bucket`, and on copies to the places in it that the allow list names."""
        role = "destinationBucket"
        reached = self._inspection.reach(role, bucket)
        if not patterns:  # a rule names it, and nothing allows it
            return
        unless, prefixes = reached.unless, [each.key for each in patterns]
        retention = self._inspection.retention(role, bucket, unless)
        self._ask(
            f"{role}.lifecycle",
            bucket,
            lambda: answers.destination_lifecycle(prefixes, self._inspection.lifecycle(bucket)),
            unless,
        )
        for pattern in patterns:
            if unless is None:
                self._try(pattern, self._why_no_object(pattern, reached, retention != "ok"))
            else:
                self._inspection.report.skip(unless, shown(pattern), *_OPENED, *self._copies, _REMAINS)

    def _why_no_object(self, pattern: Pattern, reached: Reached, has_retention: bool) -> str | None:
        """Return why no object is to be written on trial, None if nothing speaks against it."""
        if reached.info is None or reached.info.versioning is not None:
            return "the bucket has versions, or may have"
        if has_retention:
            return "a retention policy keeps what is written, or may"
        rules = self._inspection.rules
        if rules is None:
            return "the rules are unknown, and one may watch it"
        key = f"{pattern.key}{trials.RESERVED}"
        if self._inspection.settings.may_hold_records(pattern.bucket, key, ""):
            return "the function's records are there"
        watched = (each.source for each in rules)
        if any(each.bucket == pattern.bucket and key.startswith(each.prefix) for each in watched):
            return "a rule watches it"
        return None

    def _try(self, pattern: Pattern, why_not: str | None) -> None:
        subject, inspection = shown(pattern), self._inspection
        pays = inspection.pays(pattern.bucket)
        key = TrialKey(inspection.world, pattern, inspection.nonce, pays=pays)
        trial = Trial(inspection.world, key, why_not)
        if pattern.is_prefix:
            self._ask("destination.list", subject, lambda: self._list(pattern, pays=pays))
        tried = self._ask("destination.read", subject, trial.read)
        for check, right, found, tags in _UPLOADS:
            step = partial(trial.open, right, found, replace(trials.PLAIN, tags=tags))
            tried += self._ask(check, subject, step)
        sample = self._sample_for(pattern)
        if any(each.status != "ok" for each in tried):
            inspection.report.skip("the trials before did not succeed", subject, *self._copies)
        elif sample is None:
            for check in self._copies:
                inspection.report.add(without_sample(inspection.report).line(check, subject))
        else:
            self._copy(trial, subject, sample)
        for encryption in self._encryptions(pattern.bucket):
            attributes = replace(trials.PLAIN, encryption=Encrypted.of(encryption))
            text = f"an upload with {encryption.algorithm} was opened"
            step = partial(trial.open, "oss:PutObject", text, attributes)
            self._ask("destination.encryption", subject, step)
        if key.is_touched:
            self._ask(_REMAINS, subject, lambda: self._remains(trial, pattern))

    def _list(self, pattern: Pattern, *, pays: bool) -> Finding:
        """List the first object of a place, as jobs of many objects do to compare; no other copy needs it."""
        need = Need(f"oss:ListObjects on {pattern.bucket} (only jobs of many objects need it)", "skipped")
        world = self._inspection.world
        world.ask(need, world.buckets.objects, pattern.bucket, pattern.key, 1, pays=pays)
        return ok("jobs of many objects can compare what is there")

    def _copy(self, trial: Trial, subject: str, sample: Sample) -> None:
        is_shared = trial.key.is_shared
        self._ask("destination.trial", subject, trial.delete)
        self._ask("copy.multipart", subject, lambda: trial.multipart(sample))
        self._ask("copy.simple", subject, lambda: _SHARED if is_shared else trial.simple(sample))
        if _ACL in self._copies:
            self._ask(_ACL, subject, lambda: _SHARED if is_shared else trial.acl(sample))

    def _encryptions(self, bucket: str) -> list[Encryption]:
        """Return what rules encrypt with there."""
        rules = self._inspection.rules or ()
        asked = (each.encryption for each in rules if each.destination.bucket == bucket)
        return [*dict.fromkeys(each for each in asked if isinstance(each, Encryption))]

    def _sample_for(self, pattern: Pattern) -> Sample | None:
        """Return an object that a rule might copy there, or else any."""
        rules = self._inspection.rules or ()
        feeding = {each.source.bucket for each in rules if each.destination.bucket == pattern.bucket}
        fitting = [each for each in self._samples if each.source.bucket in feeding]
        return next(iter([*fitting, *self._samples]), None)

    def _remains(self, trial: Trial, pattern: Pattern) -> Finding:
        left, ended = trial.key.left, 0
        if pattern.is_prefix:
            prefix = f"{pattern.key}{trials.RESERVED}"
            kinds: Kinds = "both" if trial.why_not is None else "uploads"
            world, nonce = self._inspection.world, self._inspection.nonce
            try:
                left, ended = clear(world, pattern.bucket, prefix, nonce, kinds)
            except QuestionFailed:
                if not left:
                    raise
        return answers.left(left, ended)
