"""What travels beside an object's bytes: headers, user metadata, tags, ACL, storage class, encryption.

From request headers into values and back. It must not know where objects are kept.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from .errors import OssError
from .protocol import Call, Headers, etag_header, http_date, text
from .state import ARCHIVED, Encryption, Metadata, Tags, Version

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

CONTENT_HEADERS = (
    b"content-type",
    b"cache-control",
    b"content-disposition",
    b"content-encoding",
    b"content-language",
    b"expires",
)
STORAGE_CLASSES = {"Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"}
OBJECT_ACLS = {"default", "private", "public-read", "public-read-write"}
ALGORITHMS = {"AES256", "KMS", "SM4"}
MOST_TAGS = 10
_USER = b"x-oss-meta-"
_USER_NAME = re.compile(rb"x-oss-meta-[a-z0-9-]+")  # as OSS writes it: upper-case letters come lower-case
_USER_LIMIT = 8 * 1024
_TAG_TEXT = re.compile(r"^[\w\s+\-=.:/]*$")
_KEY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|key-[a-z0-9-]+|alias/.+|acs:kms:.+")
_DEFAULT_KEY_ID = "9468da86-3509-4f8d-a61e-6eab1eac0001"  # the key KMS makes for OSS when none is named


def metadata(headers: Headers) -> Metadata:
    """Content headers and `x-oss-meta-*`; the latter up to 8 KB in all, with names of letters, digits and `-`
    (OSS's pages on EC 0011-00000002 and 0011-00000004).
    """
    content = tuple((name, headers[name]) for name in CONTENT_HEADERS if headers.get(name))
    user = tuple(item for item in headers.items() if item[0].startswith(_USER))
    if user and sum(len(name) + len(value) for name, value in user) > _USER_LIMIT:
        raise OssError("InvalidArgument", "The size of user meta data exceeds 8 KB.", ec="0011-00000002")
    for name, _ in user:
        if not _USER_NAME.fullmatch(name):
            message = "The key of user meta data contains invalid characters."
            raise OssError("InvalidArgument", message, ec="0011-00000004", ArgumentName=text(name))
    return Metadata(content, user)


def tags_header(call: Call) -> Tags:
    """`x-oss-tagging`: URL-encoded `k=v&k2=v2`."""
    value = call.header(b"x-oss-tagging")
    if not value:
        return ()
    pairs = (pair.partition("=") for pair in value.split("&"))
    return check_tags([(unquote_plus(key), unquote_plus(text)) for key, _, text in pairs])


def tags_document(root: Element) -> list[tuple[str, str]]:
    """`<Tagging><TagSet><Tag><Key/><Value/>`, not checked."""
    if root.tag != "Tagging" or root.find("TagSet") is None:
        raise OssError("MalformedXML")
    return [(tag.findtext("Key") or "", tag.findtext("Value") or "") for tag in root.iter("Tag")]


def check_tags(pairs: list[tuple[str, str]]) -> Tags:
    """At most 10 tags, keys distinct and of 1-128 characters, values of at most 256 ("Object tagging")."""
    if len(pairs) > MOST_TAGS:
        raise OssError("InvalidTag", f"Object tags cannot be greater than {MOST_TAGS}.", ec="0037-00000002")
    for key, value in pairs:
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise OssError("InvalidTag", "The TagKey or TagValue you have provided is too long or empty.")
        if not _TAG_TEXT.match(key) or not _TAG_TEXT.match(value):
            raise OssError("InvalidTag", "The TagKey or TagValue you have provided is invalid.")
    if len({key for key, _ in pairs}) != len(pairs):
        raise OssError("InvalidTag", "Cannot provide multiple Tags with the same key.", ec="0037-00000003")
    return tuple(pairs)


def acl(call: Call, default: str = "default") -> str:
    """`x-oss-object-acl`; an empty one is `default`."""
    value = call.header(b"x-oss-object-acl")
    if value is None:
        return default
    if not value and "empty-object-acl" not in call.readings:
        return "default"
    if value not in OBJECT_ACLS:
        message = "no such object access control exists"
        raise OssError("InvalidArgument", message, ArgumentName="x-oss-object-acl", ArgumentValue=value)
    return value


def storage_class(call: Call, default: str) -> str:
    """`x-oss-storage-class`, case-insensitive."""
    value = call.header(b"x-oss-storage-class")
    if value is None:
        return default
    for name in STORAGE_CLASSES:
        if name.lower() == value.lower():
            return name
    raise OssError("InvalidStorageClass", StorageClass=value)


def encryption(call: Call, default: Encryption | None) -> Encryption | None:
    """`x-oss-server-side-encryption` and what belongs to it.

    A key id that cannot be one fails here, as clients assert; with which code is a guess. Buckets take any.
    """
    asked = asked_encryption(call)
    odd = asked is not None and asked.key_id and not _KEY_ID.fullmatch(asked.key_id)
    if odd and asked and "kms-key-id" not in call.readings:
        raise OssError("InvalidArgument", "The KMS key id is invalid.", ArgumentValue=asked.key_id)
    encryption = asked or default
    if encryption is not None and encryption.algorithm == "KMS" and not encryption.key_id:
        return Encryption("KMS", _DEFAULT_KEY_ID, encryption.data)
    return encryption


def asked_encryption(call: Call) -> Encryption | None:
    algorithm = call.header(b"x-oss-server-side-encryption")
    if algorithm is None:
        return None
    return make_encryption(
        algorithm,
        call.header(b"x-oss-server-side-encryption-key-id") or "",
        call.header(b"x-oss-server-side-data-encryption") or "",
    )


def make_encryption(algorithm: str, key_id: str, data: str) -> Encryption:
    """A key id goes with KMS only; data encryption without KMS is ignored (both from SDK tests)."""
    if algorithm not in ALGORITHMS or (data and data not in {"SM4", "AES256"}):
        raise OssError("InvalidEncryptionAlgorithmError", ServerSideEncryption=algorithm)
    if algorithm == "KMS":
        return Encryption(algorithm, key_id, data)
    if key_id:
        raise OssError("InvalidArgument", "A KMS key goes with the KMS algorithm only.", ec="0016-00000302")
    return Encryption(algorithm)


def encryption_headers(encryption: Encryption | None) -> list[tuple[bytes, bytes]]:
    if encryption is None:
        return []
    headers = [(b"x-oss-server-side-encryption", encryption.algorithm.encode())]
    if encryption.key_id:
        headers.append((b"x-oss-server-side-encryption-key-id", encryption.key_id.encode()))
    if encryption.data:
        headers.append((b"x-oss-server-side-data-encryption", encryption.data.encode()))
    return headers


def object_headers(version: Version, now: float | None = None) -> list[tuple[bytes, bytes]]:
    """What GET and HEAD show of an object, but for its length and type."""
    headers = [
        (b"etag", etag_header(version.etag)),
        (b"last-modified", http_date(version.modified)),
        (b"x-oss-object-type", version.kind.encode()),
        (b"x-oss-storage-class", version.storage_class.encode()),
        (b"x-oss-hash-crc64ecma", str(version.content.checksum).encode()),
        *((name, value) for name, value in version.metadata.content if name != b"content-type"),
        *version.metadata.user,
        *encryption_headers(version.encryption),
    ]
    if version.kind == "Appendable":
        headers.append((b"x-oss-next-append-position", str(version.content.size).encode()))
    if version.tags:
        headers.append((b"x-oss-tagging-count", str(len(version.tags)).encode()))
    if version.sealed_md5:
        headers.append((b"content-md5", version.sealed_md5))
    restoration = restore_text(version, time.time() if now is None else now)
    if restoration:
        headers.append((b"x-oss-restore", restoration.encode()))
    return headers


def restore_text(version: Version, now: float) -> str:
    """`x-oss-restore`: whether a restoration runs, or until when the restored copy stays."""
    if version.storage_class not in ARCHIVED or version.restore is None:
        return ""
    done, expires = version.restore
    if now < done:
        return 'ongoing-request="true"'
    if now < expires:
        return f'ongoing-request="false", expiry-date="{http_date(expires).decode()}"'
    return ""
