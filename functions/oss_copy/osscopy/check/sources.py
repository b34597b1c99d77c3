"""Sources: what is listed and may be read, and the objects that copies are tried with.

Knows how an object to try with is chosen; not where it is copied to. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence

from osscopy import plan
from osscopy.check.config import shown
from osscopy.check.inspection import Inspection
from osscopy.check.report import Finding, Report, ok, skipped
from osscopy.check.trials import PART, WHOLE, Sample
from osscopy.check.world import Need, QuestionFailed
from osscopy.model import Conditions, CopyRequest, Destination, ListedObject, Source
from osscopy.plan.keys import Pattern

PAGE = 1000  # objects of a source looked at
UNREADABLE = frozenset({"Archive", "ColdArchive", "DeepColdArchive"})
_PUT_ONE = "put an object of 101 KiB to 16 MiB (class Standard or IA) there; check again"


def inspect(inspection: Inspection, bucket: str, patterns: Sequence[Pattern]) -> list[Look]:
    """Report on the sources in `bucket` that the allow list names."""
    unless = inspection.reach("sourceBucket", bucket).unless
    return [Look(inspection, pattern, unless) for pattern in patterns]


class Look:
    """A look at a source. `sample`: an object to try with; `largest`: bytes of the largest one listed."""

    def __init__(self, inspection: Inspection, pattern: Pattern, unless: str | None) -> None:
        self._inspection = inspection
        self._world = inspection.world
        self._pattern = pattern
        self._subject = shown(pattern)
        self._pays = inspection.pays(pattern.bucket)
        self._listed: tuple[ListedObject, ...] = ()
        self.sample: Sample | None = None
        self.largest = 0
        if pattern.is_prefix:
            inspection.ask("source.list", self._subject, self._list, unless)
        if pattern.is_prefix and inspection.settings.options.allows("versions"):
            inspection.ask("source.versions", self._subject, self._versions, unless)
        inspection.ask("source.read", self._subject, self._read, unless)
        inspection.ask("source.acl", self._subject, self._acl, unless)

    def _list(self) -> Finding:
        """List what the pattern covers, which only jobs of many objects need."""
        bucket, key = self._pattern.bucket, self._pattern.key
        need = Need(f"oss:ListObjects on {bucket} (only jobs of many objects need it)", "skipped")
        page = self._world.ask(need, self._world.buckets.objects, bucket, key, PAGE, pays=self._pays)
        self._listed = page.objects
        self.largest = max((each.size for each in page.objects), default=0)
        return ok(f"{len(page.objects)}{' or more' if len(page.objects) == PAGE else ''} objects")

    def _versions(self) -> Finding:
        """List a version, which jobs with `asOf` need; they also look at the versioning of the bucket."""
        bucket, key = self._pattern.bucket, self._pattern.key
        need = Need(f"oss:ListObjectVersions on {bucket} (jobs with asOf need it)", "warning")
        page = self._world.ask(need, self._world.buckets.versions, bucket, key, 1, pays=self._pays)
        return ok("versions are listed" if page.versions else "there is no version")

    def _read(self) -> Finding:
        """Ask for HEAD and tags of an object, which is what copies are tried with from here on."""
        key = choose(self._listed) if self._pattern.is_prefix else self._pattern.key
        if key is None:
            return without_sample(self._inspection.report, self._subject)
        source = Source(self._pattern.bucket, key)
        request = self._request(source)
        store, where = self._world.store, f"on {self._subject}"
        try:
            head = self._world.ask(Need(f"oss:GetObject {where}"), store.head, request, source, Conditions())
        except QuestionFailed as error:
            if error.error.code != "NoSuchKey":
                raise
            return skipped(f"there is no {key}", _PUT_ONE)
        source = plan.pinned(source, plan.pin_of(head))
        if head.version_id is not None:
            need = Need(f"oss:GetObjectVersion {where}")
            self._world.ask(need, store.head, request, source, Conditions())
        need = Need(f"oss:GetObject{'Version' if head.version_id else ''}Tagging {where}")
        self._world.ask(need, store.tags, request, source)
        if head.size and head.storage_class not in UNREADABLE and head.kind not in {"Symlink", "Appendable"}:
            self.sample = Sample(source, head, self._pays)
        return ok(f"HEAD and tags of {key}")

    def _acl(self) -> Finding:
        if self.sample is None:
            return without_sample(self._inspection.report, self._subject)
        right = f"oss:GetObjectAcl on {self._subject} (only copies with `acl` as `copy` need it)"
        source = self.sample.source
        self._world.ask(Need(right, "warning"), self._world.store.acl, self._request(source), source)
        return ok("it may be read")

    def _request(self, source: Source) -> CopyRequest:
        return CopyRequest(source=source, destination=Destination(source.bucket), request_payer=self._pays)


def without_sample(report: Report, source: str | None = None) -> Finding:
    """Say why there is nothing to copy, of this source or of all."""
    for each in report.lines:
        if each.check == "source.list" and each.status != "ok" and source in {None, each.subject}:
            return skipped(f"{each.subject} is not listed", each.advice or "")
    return skipped("there is no object to try with", _PUT_ONE)


def choose(listed: Sequence[ListedObject]) -> str | None:
    """Return the key of an object to try with: the smallest that makes two parts, else the smallest."""
    able = [
        each
        for each in listed
        if each.size and each.storage_class not in UNREADABLE and each.kind != "Symlink"
    ]
    plain = [each for each in able if each.kind != "Appendable"]  # whether it has parts, sources disagree
    whole = [each for each in plain if PART < each.size <= WHOLE]
    return min(whole or plain or able, key=lambda each: (each.size, each.key)).key if able else None
