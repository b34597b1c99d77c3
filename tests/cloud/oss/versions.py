"""A version of an object, and how it is kept: what a million objects have in common is kept once."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from msgspec.structs import replace

from .extents import EMPTY, Content

NULL = "null"  # the version id of what was written without versioning
ARCHIVED = {"Archive", "ColdArchive", "DeepColdArchive"}

Pairs = tuple[tuple[bytes, bytes], ...]
Tags = tuple[tuple[str, str], ...]


class Metadata(msgspec.Struct, frozen=True):
    """Headers that are stored with an object and given back as they came."""

    content: Pairs = ()  # content-type, cache-control, …
    user: Pairs = ()  # x-oss-meta-*

    def content_type(self) -> bytes:
        return dict(self.content).get(b"content-type", b"application/octet-stream")


class Encryption(msgspec.Struct, frozen=True):
    """Server-side encryption as it is shown; nothing is encrypted here."""

    algorithm: str
    key_id: str = ""
    data: str = ""


class Version(msgspec.Struct, frozen=True, gc=False):
    """One version of an object, a symlink, or a delete marker."""

    key: str
    modified: float
    content: Content = EMPTY
    etag: str = ""
    kind: str = "Normal"  # Normal, Multipart, Appendable, Symlink
    metadata: Metadata = Metadata()
    tags: Tags = ()
    acl: str = "default"
    storage_class: str = "Standard"
    encryption: Encryption | None = None
    target: str = ""  # of a symlink
    marker: bool = False  # a delete marker
    sealed_md5: bytes = b""  # Content-MD5 of what was uploaded in order (`?sequential`)
    restore: tuple[float, float] | None = None  # when a restoration is done, when the restored copy expires
    id: str = NULL


class Record(msgspec.Struct, frozen=True, gc=False):
    """A version as it is kept: what is its own, and `like`, which many share."""

    modified: float
    content: Content
    etag: str
    id: str
    like: Version  # without key, content and all that stands above


def kept(version: Version) -> Record:
    """What to keep of `version` beside its key."""
    like = _shared(replace(version, key="", modified=0.0, content=EMPTY, etag="", id=NULL))
    return Record(version.modified, version.content, version.etag, version.id, like)


@lru_cache(maxsize=4096)
def _shared(like: Version) -> Version:
    return like


def version_of(key: str, record: Record) -> Version:
    """The version that was kept under `key`."""
    return replace(
        record.like,
        key=key,
        modified=record.modified,
        content=record.content,
        etag=record.etag,
        id=record.id,
    )
