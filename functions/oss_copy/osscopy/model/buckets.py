"""Buckets, their rules and their listings as OSS shows them; the check and the journal need them."""

from __future__ import annotations

import msgspec

from osscopy.model.values import Unix, Value


class RecordPage(msgspec.Struct, frozen=True):
    """Names of records and when they were written (Unix seconds), in order; `seen_at`: the answer's Date."""

    entries: tuple[tuple[str, int], ...]
    seen_at: int


class BucketInfo(msgspec.Struct, frozen=True):
    """A bucket as GetBucketInfo shows it. `seen_at`: the Date of the answer."""

    region: str
    versioning: str | None  # Enabled | Suspended; None: never switched on
    seen_at: int


class Retention(msgspec.Struct, frozen=True):
    """A retention policy (WORM) of a bucket: nothing can be overwritten or deleted for so many days."""

    state: str  # InProgress | Locked
    days: int


class LifecycleRule(msgspec.Struct, frozen=True):
    """An enabled lifecycle rule. Days are those after the last change; 0: by date, that is for all before it.

    `tagged`: it is for objects with certain tags only.
    """

    id: str
    prefix: str
    tagged: bool
    expires: int | None
    aborts: int | None  # of uploads


class ListedObject(msgspec.Struct, frozen=True):
    """An object as ListObjects shows it; `modified`: Unix seconds. `version_id` where a version is meant."""

    key: str
    size: int
    storage_class: str
    kind: str
    modified: int
    etag: str = ""
    version_id: str | None = None


class ListedVersion(ListedObject, frozen=True):
    """A version as ListObjectVersions shows it; a delete marker has neither bytes nor an ETag."""

    is_latest: bool = False
    is_marker: bool = False


class Mark(msgspec.Struct, frozen=True):
    """Where a page of versions begins: after this version of the key, or after all of them."""

    key: str = ""
    version_id: str = ""


class Passed(Value, frozen=True):
    """The newest version of a key that has a row, while newer ones have none yet.

    `has_failed`: its chain could not copy it.
    """

    key: str
    version_id: str
    modified: Unix
    has_failed: bool = False


class VersionPage(msgspec.Struct, frozen=True):
    """A page of versions by keys, the newest of each key first; `next`: where what follows begins."""

    versions: tuple[ListedVersion, ...]
    seen_at: int
    next: Mark | None = None


class ObjectPage(msgspec.Struct, frozen=True):
    """A page of a listing; `more`: others follow. `seen_at`: the Date of the answer."""

    objects: tuple[ListedObject, ...]
    seen_at: int
    more: bool = False
