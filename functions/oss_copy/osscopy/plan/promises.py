"""Headers, tags and encryption of the destination, and the promise of them that travels with a copy.

Knows no request to OSS: names of headers belong to `aliyun`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from osscopy.model import Acl, Attributes, ContentHeaders, CopyRequest, Encrypted, Encryption, Head, Promise

DIGEST = 8  # hex digits of each field's digest
_FIELDS = ContentHeaders.__struct_fields__

# Of the source's user metadata: what its bytes were encrypted with before they were uploaded.
_SEALED = "client-side-encryption-"


def names_all(request: CopyRequest, source: Head) -> bool:
    """Return whether CopyObject has to name every header and tag, although they are to be copied.

    It has to where an object is copied onto itself: sources disagree whether OSS keeps what is not named. Of
    a symlink nothing is known that could be named.
    """
    return request.is_onto_itself and source.link is None


def encryption(request: CopyRequest, source: Head) -> Encrypted | None:
    """Return the encryption of the destination; None leaves it to its bucket.

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
    """Return what the destination must carry. `carried`: all is named, since OSS copies nothing itself.

    That is so for parts, and for an object that is copied onto itself (`names_all`).
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
        storage_class=_storage_class(request, source),
        encryption=encryption(request, source),
    )


def promised_content(request: CopyRequest, source: Head) -> ContentHeaders:
    """Return the headers and user metadata of the destination.

    OSS's REPLACE keeps the source's type unless another is named, and what a client needs to decrypt the
    bytes. Every method of copying does the same here.
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


def promise_of(request: CopyRequest, head: Head, tags: Mapping[str, str] | None = None) -> Promise:
    """Return what a copy of the object that `head` saw must show; `tags` as for `evidence.bind`.

    Their number is that of HEAD, if it shows one: if the other look differs, the source was changed between
    the two.
    """
    match request.tags:
        case "copy":
            count = len(tags) if head.tag_count is None and tags is not None else head.tag_count
        case "none":
            count = 0
        case chosen:
            count = len(chosen)
    content = digests(promised_content(request, head))
    return Promise(content, count, _storage_class(request, head), encryption(request, head))


def _storage_class(request: CopyRequest, source: Head) -> str:
    return source.storage_class if request.storage_class == "keep" else request.storage_class


def lacks_tag_count(promise: Promise | None, seen: Head) -> bool:
    """Return whether tags are promised and `seen` does not show their number: they have to be read."""
    return promise is not None and bool(promise.tags) and seen.tag_count is None


def unkept(promise: Promise, seen: Head) -> list[str]:
    """Return what `seen` shows otherwise than promised.

    A value that OSS does not show is no difference (see `lacks_tag_count`), nor is an encryption that nobody
    asked for.
    """
    shown = digests(seen.content)
    found = [
        f"{'user metadata' if name == 'user' else name.replace('_', ' ')} differs"
        for at, name in enumerate(_FIELDS)
        if shown[at * DIGEST : (at + 1) * DIGEST] != promise.content[at * DIGEST : (at + 1) * DIGEST]
    ]
    if None not in {seen.tag_count, promise.tags} and seen.tag_count != promise.tags:
        found.append(f"{seen.tag_count} tags, not {promise.tags}")
    if promise.storage_class and seen.storage_class not in {"", promise.storage_class}:
        found.append(f"storage class {seen.storage_class}, not {promise.storage_class}")
    if (asked := promise.encryption) is not None:
        has, fields = seen.encryption, ("algorithm", "key_id", "data_encryption")
        if has is None or any(getattr(asked, f) not in {None, getattr(has, f)} for f in fields):
            found.append(f"encryption {_shown(has)}, not {_shown(asked)} as promised")
    return found


def _shown(encryption: Encrypted | None) -> str:
    if encryption is None:
        return "none"
    return " ".join(filter(None, (encryption.algorithm, encryption.data_encryption, encryption.key_id)))


def tags_digest(tags: Mapping[str, str]) -> str | None:
    """Return a digest of tags in any order; None if there are none."""
    return _digest(sorted(tags.items())) if tags else None


def digests(content: ContentHeaders) -> str:
    """Return one digest a field, so that a difference has a name. OSS keeps neither empty values nor case."""
    values = msgspec.structs.asdict(content)
    values["user"] = sorted((name.lower(), value) for name, value in content.user.items() if value)
    return "".join(_digest(values[name] or None) for name in _FIELDS)


def _digest(value: object) -> str:
    # repr, because values may hold bytes that are no UTF-8, as surrogates
    return hashlib.sha256(repr(value).encode("utf-8", "surrogateescape")).hexdigest()[:DIGEST]
