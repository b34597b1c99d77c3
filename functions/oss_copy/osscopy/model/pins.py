"""The version of the source that a copy is bound to, and what the destination must carry.

Knows no decision: `plan` makes these values.
"""

from __future__ import annotations

import msgspec

from osscopy.model.objects import Encrypted
from osscopy.model.request import Acl, ContentHeaders
from osscopy.model.values import Count, Tally, Unix, Value


class Promise(Value, frozen=True):
    """The attributes that the destination has to show, small enough to travel with every hop.

    `content`: a digest of each content header and of the user metadata. `tags`: their number; None: the
    source did not show it, and OSS copies them itself.
    """

    content: str
    tags: Tally | None
    storage_class: str  # empty: OSS did not say the source's
    encryption: Encrypted | None = None


class Pin(Value, frozen=True):
    """The version of the source that a copy is bound to, and the promise of its copy.

    `tags`: a digest of the source's tags if they are copied apart from the bytes, None if there are none.
    `link`: the target of a symlink that is copied as a symlink.
    `via`: the key of the symlink that was followed to the source, which must still point there.
    `encryption`: how the source was encrypted, for the result.
    """

    size: Count
    etag: str
    last_modified: Unix
    version_id: str | None = None
    crc64: str | None = None
    tags: str | None = None
    promise: Promise | None = None
    link: str | None = None
    via: str | None = None
    encryption: Encrypted | None = None


class Attributes(msgspec.Struct, frozen=True):
    """Everything the destination must carry besides its bytes.

    `content` and `tags` are None where OSS copies them itself (CopyObject's COPY directives).
    """

    content: ContentHeaders | None
    tags: dict[str, str] | None
    acl: Acl
    storage_class: str
    encryption: Encrypted | None


class Upload(Value, frozen=True):
    """A multipart upload of a copy: its boundaries never change. `opened_at`: OSS's clock, Unix seconds."""

    id: str
    part_size: Count
    parts: Tally
    lanes: Tally
    opened_at: Unix
