"""What the destination must carry besides its bytes, and the promise of it that travels with a copy.

Knows no request to OSS: names of headers belong to `aliyun`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from osscopy.model import Acl, Attributes, ContentHeaders, CopyRequest, Encrypted, Encryption, Head


def names_all(request: CopyRequest, source: Head) -> bool:
    """Whether CopyObject has to name every header and tag, although they are to be copied.

    Sources disagree whether OSS keeps what is not named where an object is copied onto itself. Of a symlink
    nothing is known that could be named.
    """
    return request.is_onto_itself and source.link is None


def encryption(request: CopyRequest, source: Head) -> Encrypted | None:
    """How the destination is to be encrypted; None leaves it to its bucket.

    OSS copies no encryption by itself. It takes no name for the data encryption that KMS has by default.
    """
    match request.encryption:
        case "keep" if source.encryption is not None and source.encryption.data_encryption == "AES256":
            return msgspec.structs.replace(source.encryption, data_encryption=None)
        case "keep":
            return source.encryption
        case Encryption() as asked:
            return Encrypted.of(asked)
        case _:  # `bucket`, or null on record
            return None


def attributes(
    request: CopyRequest, source: Head, tags: Mapping[str, str] | None, acl: Acl, *, carried: bool
) -> Attributes:
    """What the destination must carry. `carried`: all is named, since OSS copies nothing itself.

    That is so of parts, and of an object that is copied onto itself (`names_all`).
    """
    content = promised_content(request, source) if carried or request.metadata != "copy" else None
    match request.tags:
        case "copy":
            wanted = dict(tags or {}) if carried else None
        case "none":
            wanted = {}
        case chosen:
            wanted = chosen
    return Attributes(
        content=content,
        tags=wanted,
        acl=acl,
        storage_class=source.storage_class if request.storage_class == "keep" else request.storage_class,
        encryption=encryption(request, source),
    )


# Of the source's user metadata: what its bytes were encrypted with before they were uploaded.
_SEALED = "client-side-encryption-"


def promised_content(request: CopyRequest, source: Head) -> ContentHeaders:
    """The headers and user metadata of the destination.

    OSS's REPLACE keeps the source's type unless another is named, and what a client needs to decrypt the
    bytes: so do we, whichever way we copy.
    """
    if request.metadata == "copy":
        return source.content
    asked, had = request.metadata, source.content
    named = {name.lower() for name in asked.user}
    sealed = {name: had.user[name] for name in had.user if name.lower().startswith(_SEALED)}
    kept = {name: value for name, value in sealed.items() if name.lower() not in named}
    return msgspec.structs.replace(
        asked, content_type=asked.content_type or had.content_type, user=kept | asked.user
    )


def tags_digest(tags: Mapping[str, str]) -> str | None:
    """A digest of tags in any order; None of none."""
    return _digest(sorted(tags.items())) if tags else None


DIGEST = 8  # hex digits of each field's digest
FIELDS = tuple(name for name in ContentHeaders.__struct_fields__)


def digests(content: ContentHeaders) -> str:
    """One digest a field, so that a difference can be named. OSS keeps neither empty values nor case."""
    values = msgspec.structs.asdict(content)
    values["user"] = sorted((name.lower(), value) for name, value in content.user.items() if value)
    return "".join(_digest(values[name] or None) for name in FIELDS)


def _digest(value: object) -> str:
    # repr, because values may hold bytes that are no UTF-8, as surrogates
    return hashlib.sha256(repr(value).encode("utf-8", "surrogateescape")).hexdigest()[:DIGEST]
