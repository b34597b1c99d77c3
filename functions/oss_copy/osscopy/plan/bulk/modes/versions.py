"""Which versions a job copies that is not about the current ones, and what does not go with it.

Knows listed versions and requests; asks nothing. With `asOf` a key has at most one row: its newest version
that is not newer than that time. Where that is a delete marker there was no object then, and no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from osscopy.model import BulkRequest, Failed, ListedVersion, Refused
from osscopy.plan.bulk.filters import moment

KEPT = {"Enabled", "Suspended"}  # states of a bucket that has, or may have, older versions
NOTE = (
    "the copies have dates and version ids of their own; of versions that were deleted for good, or had "
    "expired, no listing tells: the copy of such a key is the version before it"
)


def unfit(request: BulkRequest) -> Iterator[tuple[bool, str, str]]:
    """Yield what does not go with `asOf`: whether it holds, the field, and what to do."""
    asks = request.as_of is not None
    text = "only versions under a prefix are listed: name source.prefix, or leave it out"
    yield asks and request.source.prefix is None, "asOf", text
    text = "it goes with current versions alone: leave `delete` or `asOf` out"
    yield asks and request.delete, "delete", text
    text = "a check compares current versions: leave `mode` or `asOf` out"
    yield asks and request.mode == "check", "mode", text
    text = "a link leads to what its target is now: leave `symlinks` at `copy`"
    yield asks and request.symlinks == "follow", "symlinks", text


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
        text = f"{bucket} never had versioning: how its objects were before cannot be told; leave `asOf` out"
        raise Failed("VersioningRequired", text, field="asOf")


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
