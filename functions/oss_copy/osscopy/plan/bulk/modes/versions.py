"""Which versions a job copies that is not about the current ones, and what does not go with it.

Knows listed versions and requests; asks nothing. With `asOf` a key has at most one row: its newest version
that is not newer than that time. Where that is a delete marker there was no object then, and no row.

With `versions` as `all` each version and each delete marker of a key has one row, and what was written last
at the source is written last at the destination:
1. The destination keeps versions, or nothing is begun.
2. The newest versions of the destination that equal the oldest of the source, as many as there are, are those
   that a former run, or a hop that died, has made (`known`). What comes after them is copied, oldest first,
   one request after another. So a run copies what has come since the last one, and nothing twice.
3. A version that fails ends its key: what is newer fails, too (`OlderVersionFailed`), else a hole would stand
   in the order. A version that is gone when it is copied is missing, and its key goes on.
4. A version that takes a chain of its own is the last of its key in its entry; the walk of the range waits
   for it, since what is newer has to come after it.
5. A delete marker is a DeleteObject without a version, which hides and removes nothing: its row is `copied`,
   with the code `DeleteMarker`.
6. A request that had no answer is repeated after a look at the newest version. If it takes effect after that
   look, the version stands there twice: OSS knows no condition that would forbid it, and `NOTE_ALL` says so.
   Of two equal large versions that follow each other, a chain that is delivered again may take the first for
   its own; the next run copies the second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

import msgspec

from osscopy.model import BulkRequest, Conditions, Failed, Filters, Item, ListedVersion, Refused, Shown
from osscopy.plan.bulk.decisions import likeness
from osscopy.plan.bulk.filters import moment

KEPT = {"Enabled", "Suspended"}  # states of a bucket that has, or may have, older versions
NOTE = (
    "the copies have dates and version ids of their own; of versions that were deleted for good, or had "
    "expired, no listing tells: the copy of such a key is the version before it"
)
NOTE_ALL = (
    "the copies have dates and version ids of their own; a request that had no answer, and took effect after "
    "it was looked for, may have left a version twice"
)
MARKED = "DeleteMarker"  # the code in the row of a delete marker that was made
MOST = 10_000  # versions of a key
_USUAL = Conditions()


class History(msgspec.Struct, frozen=True):
    """The versions of a key, the oldest first, and as many of the newest of its destination, oldest first.

    `has_failed`: one could not be copied, so that no newer one is to be.
    """

    versions: tuple[ListedVersion, ...] = ()
    there: tuple[ListedVersion, ...] = ()
    has_failed: bool = False


class Step(Item, frozen=True):
    """A version to copy: that of its key's history which has this index."""

    history: History = History()
    index: int = 0

    @property
    def listed(self) -> ListedVersion:
        return self.history.versions[self.index]


def is_all(request: BulkRequest) -> bool:
    """Return whether each version of a key is copied."""
    return request.versions == "all"


def unfit(request: BulkRequest) -> Iterator[tuple[bool, str, str]]:
    """Yield what does not go with `asOf` and `versions`: whether it holds, the field, and what to do."""
    has_time, takes_all = request.as_of is not None, is_all(request)
    asks = has_time or takes_all
    field = "asOf" if has_time else "versions"
    yield has_time and takes_all, "asOf", "a time has one version of each key: leave `asOf` or `versions` out"
    text = "only versions under a prefix are listed: name source.prefix, or leave it out"
    yield asks and request.source.prefix is None, field, text
    text = f"it goes with current versions alone: leave `delete` or `{field}` out"
    yield asks and request.delete, "delete", text
    text = f"a check compares current versions: leave `mode` or `{field}` out"
    yield asks and request.mode == "check", "mode", text
    text = "a link leads to what its target is now: leave `symlinks` at `copy`"
    yield asks and request.symlinks == "follow", "symlinks", text
    if takes_all:
        yield from _unfit_all(request)


def _unfit_all(request: BulkRequest) -> Iterator[tuple[bool, str, str]]:
    """Yield what does not go with all versions of a key: its order is kept by one request a version."""
    filters, whole = (
        request.filters,
        Filters(include=request.filters.include, exclude=request.filters.exclude),
    )
    text = "several keys would have their versions under one name"
    yield request.destination.key is not None, "destination.key", text
    text = "versions are compared in their order: leave it out"
    yield request.overwrite != "ifDifferent", "overwrite", text
    yield request.compare != "listing", "compare", text
    yield filters != whole, "filters", "`include` and `exclude` take whole keys; others would leave holes"
    yield request.archive == "restore", "archive", "newer versions would wait for days: `fail` or `skip`"
    text = "each version is copied as it is, by one request where that will do: leave it out"
    yield request.verify != "answer", "verify", text
    yield request.metadata != "copy", "metadata", text
    yield request.tags != "copy", "tags", text
    yield request.acl != "default", "acl", text
    yield request.conditions != _USUAL, "conditions", text
    yield request.tuning.method == "multipart", "tuning.method", text


def refuse_wrong(request: BulkRequest, now: datetime) -> None:
    """Refuse an `asOf` that is no time, or that has not come yet: more could be written until then."""
    if request.as_of is None:
        return
    try:
        at = moment(request.as_of)
    except (ValueError, OverflowError) as error:
        raise Refused("InvalidField", str(error), field="asOf") from None
    if at > now.timestamp():
        raise Refused("InvalidField", "it is later than now: leave it out for current versions", field="asOf")


def refuse_unkept(bucket: str, versioning: str | None) -> None:
    """Raise Failed for a source that never had versions: nobody could tell how it was."""
    if versioning not in KEPT:
        text = f"{bucket} never had versioning: no listing tells how its objects were before"
        raise Failed("VersioningRequired", text, field="source.bucket")


def refuse_unkeeping(bucket: str, versioning: str | None) -> None:
    """Raise Failed for a destination that would keep but the last version that is written."""
    if versioning != "Enabled":
        text = f"{bucket} does not keep versions: switch its versioning on"
        raise Failed("VersioningRequired", text, field="destination.bucket")


def by_keys(versions: Iterable[ListedVersion]) -> Iterator[tuple[str, tuple[ListedVersion, ...]]]:
    """Yield each key with its versions on a page."""
    for key, found in groupby(versions, key=lambda each: each.key):
        yield key, tuple(found)


def newest_first(versions: Sequence[ListedVersion]) -> list[ListedVersion]:
    """Return versions of one key by age.

    OSS lists them so, but its own examples show a delete marker before the latest version of the same second.
    """
    return sorted(versions, key=lambda each: (not each.is_latest, -each.modified))


def current(versions: Sequence[ListedVersion], at: int) -> ListedVersion | None:
    """Return the one of a key's versions that was current at a time (Unix seconds), if any was."""
    return next((each for each in newest_first(versions) if each.modified <= at), None)


# --- all of them -------------------------------------------------------------------------------------------


def alike(one: ListedVersion, other: ListedVersion, *, may_encrypt: bool) -> bool | None:
    """Return whether a version is a copy of another; None where only a CRC64 can tell."""
    if one.is_marker or other.is_marker:
        return one.is_marker and other.is_marker
    if (one.kind == "Symlink") != (other.kind == "Symlink"):
        return False
    found = likeness(_shown(one), _shown(other), may_encrypt=may_encrypt)
    return None if found == "unknown" else found == "alike"


def known(history: History, is_copy: Callable[[ListedVersion, ListedVersion], bool]) -> int:
    """Return how many of the oldest versions are the newest ones of the destination, in their order."""
    versions, there = history.versions, history.there
    for count in range(min(len(versions), len(there)), 0, -1):
        if all(map(is_copy, versions[:count], there[len(there) - count :])):
            return count
    return 0


def _shown(listed: ListedVersion) -> Shown:
    return Shown(listed.size, listed.etag, listed.modified, listed.storage_class, listed.kind)
