"""Objects, parts and uploads as OSS shows them. Knows no header and no XML (`aliyun` reads those)."""

from __future__ import annotations

from typing import Literal

import msgspec

from osscopy.model.request import ContentHeaders, Encryption
from osscopy.model.values import Value


class Encrypted(Value, frozen=True):
    """Server-side encryption as OSS shows it and takes it: text, since OSS adds algorithms.

    `key_id` and `data_encryption` None: not shown, or left to OSS.
    """

    algorithm: str
    key_id: str | None = None
    data_encryption: str | None = None

    @classmethod
    def of(cls, asked: Encryption) -> Encrypted:
        """Return the encryption that a request asks for."""
        return cls(asked.algorithm, asked.key_id, asked.data_encryption)


class Head(msgspec.Struct, frozen=True):
    """An object as HEAD shows it. Times are Unix seconds of the server's clock.

    `link`: the key it points to, where the object is a symlink itself; it has no bytes then.
    `via`: the key of the symlink that was followed to it.
    """

    size: int
    etag: str
    version_id: str | None
    last_modified: int
    seen_at: int  # the Date of the answer
    crc64: str | None  # unsigned decimal; None: OSS did not say
    storage_class: str
    kind: str  # Normal | Multipart | Appendable | Symlink; empty: OSS did not say
    content: ContentHeaders
    tag_count: int | None  # None: not shown, since there are none or we may not know
    encryption: Encrypted | None = None
    restoration: Literal["none", "ongoing", "done"] = "none"  # of an archived object
    link: str | None = None
    via: str | None = None


class Part(msgspec.Struct, frozen=True):
    """A piece of the source: `first` and `last` are inclusive byte offsets, as OSS ranges are."""

    number: int
    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1


class ListedPart(msgspec.Struct, frozen=True):
    """A part as ListParts shows it; `crc64` is None where OSS does not say. `modified`: Unix seconds."""

    number: int
    etag: str
    size: int
    crc64: int | None = None
    modified: int = 0


class PartPage(msgspec.Struct, frozen=True):
    """A page of ListParts; `next`: the marker of the next one, None at the end. `seen_at`: its Date."""

    parts: tuple[ListedPart, ...]
    next: int | None
    seen_at: int


class OpenUpload(msgspec.Struct, frozen=True):
    """An upload as ListMultipartUploads shows it. `initiated`: Unix seconds."""

    id: str
    key: str
    initiated: int


class UploadPage(msgspec.Struct, frozen=True):
    """Open uploads; `seen_at`: the Date of the answer."""

    uploads: tuple[OpenUpload, ...]
    seen_at: int


class Written(msgspec.Struct, frozen=True):
    """OSS's answer to a write; `version_id` only where the bucket has versions. The ETag may be empty."""

    etag: str
    version_id: str | None


class Shown(msgspec.Struct, frozen=True):
    """An object as a listing shows it, or HEAD, which tells more."""

    size: int
    etag: str
    modified: int
    storage_class: str
    kind: str
    head: Head | None = None

    @classmethod
    def of(cls, head: Head) -> Shown:
        return cls(head.size, head.etag, head.last_modified, head.storage_class, head.kind, head)

    @property
    def crc64(self) -> str | None:
        return self.head.crc64 if self.head else None
