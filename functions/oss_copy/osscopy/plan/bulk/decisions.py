"""What to do with one object, from a listing of the source and one of the destination.

Knows no request to OSS. An object whose listing does not tell enough is looked at (`Look`, `Compare`), or
left to the engine of a single copy (`Chain`).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from osscopy.model import BulkJob, BulkRequest, Conditions, Encryption, Item, Problem, RowStatus, Shown
from osscopy.plan.allowed.options import ANY_OPTION, CODE, AllowedOptions

ARCHIVED = frozenset({"Archive", "ColdArchive", "DeepColdArchive"})
_USUAL = Conditions()
_PASSED = {"NoName", "NotLatest", "DeleteMarker"}  # no copy is to be made of these, and that is no failure


class End(msgspec.Struct, frozen=True):
    """Nothing is to be copied: the row of this object has `status`, with the reason as its code."""

    status: RowStatus
    code: str
    message: str = ""


class CopyNow(msgspec.Struct, frozen=True):
    """One CopyObject, pinned to what the listing shows."""


class Look(msgspec.Struct, frozen=True):
    """A HEAD of the source for its encryption, then one CopyObject."""


class Compare(msgspec.Struct, frozen=True):
    """A HEAD of either side: only a CRC64 can tell whether they are alike."""


class CompareTags(msgspec.Struct, frozen=True):
    """The tags of either side: a check finds all else alike."""


class CompareLinks(msgspec.Struct, frozen=True):
    """The targets of two symlinks."""


class Chain(msgspec.Struct, frozen=True):
    """The engine of a single copy, in an invocation of its own."""


OTHER = End("failed", "SourceChanged", "the source is another version than the dry run has shown")
Act: TypeAlias = End | CopyNow | Look | Compare | CompareTags | CompareLinks | Chain
Mode: TypeAlias = Literal["copy", "dry", "check"]


class Policy(msgspec.Struct, frozen=True):
    """The parts of a request that decide about an object.

    `began`: when the job did (Unix seconds). `plain`: one CopyObject that changes nothing does all that was
    asked for. `looks`: encryption is kept, which no listing shows. `may_encrypt`: ETags of equal objects
    may differ. `maps`: several sources may have one destination. `headers`: what changed in headers alone is
    copied, too. `mode`: `dry` tells what would be copied. `follows`: symlinks.
    `deletes`: what the source lacks is planned to be deleted. `options`: those that may be `asked` for.
    """

    overwrite: str
    archive: str
    began: int
    threshold: int
    plain: bool
    looks: bool
    may_encrypt: bool
    maps: bool
    headers: bool = False
    mode: Mode = "copy"
    follows: bool = False
    deletes: bool = False
    asked: BulkRequest | None = None
    options: AllowedOptions = ANY_OPTION

    @property
    def copies(self) -> bool:
        """Return whether anything is copied."""
        return self.mode == "copy"


def policy_of(job: BulkJob, threshold: int, options: AllowedOptions) -> Policy:
    """Return the policy of a job; `threshold`: bytes above which an object is copied in parts."""
    asked = job.request
    encryption = asked.encryption
    return Policy(
        overwrite=asked.overwrite,
        archive=asked.archive,
        began=job.began,
        threshold=threshold,
        plain=_is_plain(asked),
        looks=encryption == "keep" or options.must_compare(asked, job.default),
        may_encrypt=not isinstance(encryption, Encryption) or encryption.algorithm == "KMS",
        maps=asked.destination.key is not None,
        headers=asked.compare == "metadata" and asked.metadata == "copy",
        mode="dry" if asked.dry_run else asked.mode,
        follows=asked.symlinks == "follow",
        deletes=asked.delete,
        asked=asked,
        options=options,
    )


def _is_plain(asked: BulkRequest) -> bool:
    return (
        asked.verify == "answer"
        and asked.metadata == "copy"
        and asked.tags == "copy"
        and asked.acl == "default"
        and asked.conditions == _USUAL
        and asked.tuning.method in {"auto", "simple"}
    )


def decide(policy: Policy, item: Item) -> Act:
    """Return what to do with an object; where nothing may be copied, what would be done."""
    return _told(policy, _decided(policy, item))


def _told(policy: Policy, act: Act) -> Act:
    """Return the row in place of a copy where none is to be made."""
    is_copy = isinstance(act, CopyNow | Look | Chain)
    return End("wouldCopy", "") if is_copy and not policy.copies else act


def _decided(policy: Policy, item: Item) -> Act:
    """Return what the run does with an object. Archived ones are compared first."""
    problem, source, there = item.problem, item.source, item.destination
    match problem, source:
        case Problem(code=code, message=message), _:
            return End("skipped" if code in _PASSED else "failed", code, message)
        case None, None:
            return End("missing", "NoSuchKey", "there is no such object")
        case None, Shown() if is_other(item):
            return OTHER
        case None, Shown(kind="Symlink"):
            return _kept(policy, source, there) or Chain()
        case None, Shown():
            return _kept(policy, source, there) or _compared(policy, source, there) or _way(policy, source)
    raise AssertionError(item)


def is_other(item: Item) -> bool:
    """Return whether the source is another version than the one that is to be copied."""
    return bool(item.pinned) and item.source is not None and item.source.etag != item.pinned


def decide_compared(policy: Policy, item: Item) -> Act:
    """Return what to do after a HEAD of either side; where no CRC64 is told, a newer source is copied."""
    return _told(policy, _decided_compared(policy, item))


def _decided_compared(policy: Policy, item: Item) -> Act:
    source, there = item.source, item.destination
    if source is None or there is None or is_other(item):
        return _decided(policy, item)
    match source.crc64, there.crc64:
        case str(one), str(other) if source.size == there.size and one == other:
            return (
                _way(policy, source) if _has_other_headers(policy, source, there) else _alike(policy, there)
            )
        case str(), str():
            return _way(policy, source)
    is_newer = source.modified > there.modified
    return _way(policy, source) if is_newer else End("skipped", "NotCompared", "OSS tells no CRC64 of either")


def recheck(policy: Policy, source: Shown, there: Shown | None) -> bool:
    """Return whether the destination shows what a copy that had no answer would have made."""
    return (
        there is not None
        and there.modified >= policy.began
        and likeness(source, there, may_encrypt=policy.may_encrypt) == "alike"
    )


def _kept(policy: Policy, source: Shown, there: Shown | None) -> End | None:
    """Return the row of an object that the overwrite policy keeps whatever it holds; None: go on."""
    if there is None:
        return None
    is_ours = there.modified >= policy.began and likeness(source, there, may_encrypt=False) == "alike"
    match policy.overwrite:
        case "never":
            return _made() if is_ours else End("skipped", "FileAlreadyExists", "the destination exists")
        case "ifNewer" if source.modified <= there.modified:
            return _made() if is_ours else End("skipped", "NotNewer", "the destination is not older")
    return None


def _compared(policy: Policy, source: Shown, there: Shown | None) -> Act | None:
    """Return what a comparison says; None: it is to be copied."""
    if there is None:
        return None
    if policy.overwrite == "ifDifferent":
        match likeness(source, there, may_encrypt=policy.may_encrypt):
            case "alike" if policy.headers and source.modified > there.modified:
                return _by_headers(policy, source, there)
            case "alike":
                return _alike(policy, there)
            case "unknown":
                return Compare()
    if policy.maps and there.modified >= policy.began:
        return _collision(policy, source, there)
    return None


def _by_headers(policy: Policy, source: Shown, there: Shown) -> Act | None:
    """Return what headers say of equal bytes, the source of which is newer; None: it is to be copied."""
    if source.head is None or there.head is None:
        return Compare()
    return None if _has_other_headers(policy, source, there) else _alike(policy, there)


def _has_other_headers(policy: Policy, source: Shown, there: Shown) -> bool:
    """Return whether content headers, user metadata or the number of tags differ, where that is asked for."""
    if not policy.headers or source.head is None or there.head is None:
        return False
    one, other = source.head, there.head
    return one.content != other.content or (one.tag_count or 0) != (other.tag_count or 0)


def _collision(policy: Policy, source: Shown, there: Shown) -> End:
    """Return the row of a key that was written since the job began, by another source or by itself."""
    if recheck(policy, source, there):
        return _made()
    return End("failed", "Collision", "another source has this destination, too")


def _alike(policy: Policy, there: Shown) -> End:
    return _made() if there.modified >= policy.began else End("skipped", "NotDifferent", "the same bytes")


def _made() -> End:
    """Return the row of a copy that an attempt has made that died before it could tell."""
    return End("copied", "", "")


def likeness(source: Shown, there: Shown, *, may_encrypt: bool) -> Literal["alike", "unknown", "different"]:
    """Compare size and ETag: a plain one is the MD5 of the bytes, others say nothing unless equal."""
    is_plain = "-" not in source.etag and "-" not in there.etag
    if source.size != there.size:
        return "different"
    if source.etag == there.etag:
        return "alike" if is_plain or source.modified <= there.modified else "unknown"
    return "different" if is_plain and not may_encrypt else "unknown"


def _way(policy: Policy, source: Shown) -> Act:
    """Return how an object is copied that is to be."""
    if policy.asked and (why := policy.options.why_not(policy.asked, source.size, source.storage_class)):
        return End("failed", CODE, why)
    if source.storage_class in ARCHIVED and policy.archive == "skip":
        return End("skipped", "Archived", "the source is archived")
    if source.storage_class in ARCHIVED and policy.archive == "fail" and not policy.copies:
        return _archived(source)
    needs_restore = source.storage_class in ARCHIVED and policy.archive == "restore"
    if needs_restore or not policy.plain or source.size > policy.threshold or source.kind == "Symlink":
        return Chain()
    return Look() if policy.looks else CopyNow()


def _archived(source: Shown) -> Act:
    """Return what a dry run says of an archived object: only HEAD tells whether it is restored."""
    if source.head is None:
        return Compare()
    if source.head.restoration == "done":
        return CopyNow()
    return End("failed", "InvalidObjectState", "the source is archived, and not restored")
