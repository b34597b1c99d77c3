"""CopyObject and UploadPartCopy: one source, its conditions, its limits, and the traps that go with them."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote_plus

import msgspec
from msgspec.structs import replace

from . import metadata, preconditions
from .errors import OssError
from .objects import blank, version_headers
from .protocol import Call, Response, check_key, document, etag_header, iso, pays
from .state import Bucket, Metadata, Pairs, Part, Store, Version
from .telling import tell
from .uploads import check_part_number, find_upload

GB = 1024**3
SHALLOW_LIMIT = 5 * GB  # across buckets, storage class and encryption unchanged (CopyObject docs)
DEEP_LIMIT = 1 * GB  # with another storage class
PART_LIMIT = 5 * GB
_PREFIX = "x-oss-copy-source-"
_CLIENT_SIDE = b"x-oss-meta-client-side-encryption-"


class Source(msgspec.Struct, frozen=True):
    bucket: Bucket
    version: Version


def source_name(call: Call) -> tuple[str, str, str | None]:
    """Bucket, key and version id of `x-oss-copy-source`. Its `+` is a space: Go's SDK sends it so."""
    value = call.header(b"x-oss-copy-source") or ""
    path, named, version_id = value.partition("?versionId=")
    bucket, slash, key = unquote_plus(path.removeprefix("/")).partition("/")
    if not (bucket and slash and key):
        raise OssError(
            "InvalidArgument",
            "Copy Source must mention the source bucket and key: /sourcebucket/sourcekey.",
            ArgumentName="x-oss-copy-source",
            ArgumentValue=value,
        )
    return bucket, key, version_id if named else None


def find_source(store: Store, call: Call, destination: Bucket) -> Source:
    """The source as it is now, after every reason to refuse it."""
    name, key, version_id = source_name(call)
    bucket = store.bucket(name)
    if store.is_stranger(call.principal, bucket):
        if not bucket.lets("read", key):
            raise OssError("AccessDenied", "You have no right to access this object because of bucket acl.")
        bucket.charge(pays=bool(call.principal) and pays(call.headers))
    if bucket.region != destination.region:
        raise OssError(
            "AccessDenied",
            "Target object does not reside in the same data center as source object.",
            ec="0003-00001201",
        )
    version = bucket.find(key, version_id)
    preconditions.check(call, version, _PREFIX)
    if not store.available(version):
        raise OssError("InvalidObjectState", ObjectName=key)
    return Source(bucket, version)


def cost(store: Store, call: Call) -> int:
    """How many bytes a copy will move, as far as can be told beforehand; 0 if it will be refused.

    A copy inside a bucket that changes neither storage class nor encryption is shallow: nothing moves.
    """
    try:
        name, key, version_id = source_name(call)
        source = Source(store.bucket(name), store.bucket(name).find(key, version_id))
        bucket = store.bucket(call.bucket)
        if call.operation == "CopyObject" and _is_shallow(bucket, source, blank(store, bucket, call)):
            return 0
    except OssError:
        return 0
    size = source.version.content.size
    stretch = preconditions.read_range(call.header(b"x-oss-copy-source-range"), size)
    return stretch[1] - stretch[0] if stretch else size


def _is_shallow(bucket: Bucket, source: Source, wanted: Version) -> bool:
    same = source.version.storage_class == wanted.storage_class
    return same and source.version.encryption == wanted.encryption and source.bucket is bucket


def copy_object(store: Store, call: Call) -> Response:
    check_key(call.key)
    bucket = store.bucket(call.bucket)
    source = find_source(store, call, bucket)
    preconditions.check_overwrite(call, bucket, call.key)
    bucket.check_mutable(call.key, store.clock())
    old = bucket.current(call.key)
    version = _copied(store, bucket, call, source)
    _check_size(call, bucket, source, version)
    if version.kind == "Symlink":
        content, etag = version.content, version.etag
        version = replace(version, target=version.target + "-corrupt" * call.corrupt)
    else:
        content = call.stored(source.version.content)
        etag = source.version.etag if content is source.version.content else content.etag()
    version = bucket.put(replace(version, content=content, etag=etag))
    store.bytes_copied += content.size
    tell(store, call, "ObjectCreated:CopyObject", version, old)
    told = "copy-crc64" not in call.readings
    headers = [
        (b"etag", etag_header(etag)),
        *([(b"x-oss-hash-crc64ecma", str(content.checksum).encode())] if told else []),
        *version_headers(bucket, version),
        *_source_version(source),
        *metadata.encryption_headers(version.encryption),
    ]
    body = document("CopyObjectResult", [("ETag", f'"{etag}"'), ("LastModified", iso(version.modified))])
    return Response(headers=tuple(headers), body=body)


def _copied(store: Store, bucket: Bucket, call: Call, source: Source) -> Version:
    """The destination's description: the source's or the request's, as the directives say.

    Not copied: ACL and encryption; an object copied onto itself with REPLACE keeps its ACL. The storage class
    is the destination bucket's unless the request names one (undocumented, the cautious guess). An object
    copied onto itself takes the metadata that is supplied, whatever the directive; REPLACE without a
    Content-Type keeps the source's type (both seen on the wire). The readings say where sources disagree.
    """
    asked = blank(store, bucket, call)
    old = source.version
    itself = source.bucket is bucket and old.key == call.key and not bucket.versioning
    directive = _directive(call, b"x-oss-metadata-directive")
    if directive == "replace":
        described = _replaced(old.metadata, asked.metadata)
    elif itself and asked.metadata != Metadata():
        merge = _merged if "self-copy-metadata" in call.readings else _replaced
        described = merge(old.metadata, asked.metadata)
    else:
        described = old.metadata
    kept_acl = itself and directive == "replace" and call.header(b"x-oss-object-acl") is None
    kept_acl = kept_acl and old.acl != asked.acl and "self-copy-acl" not in call.readings
    asked = _kept(call, asked, old, itself=itself)
    retag = _directive(call, b"x-oss-tagging-directive") == "replace"
    kind = "Symlink" if old.kind == "Symlink" else "Normal"
    return replace(
        asked,
        metadata=described,
        acl=old.acl if kept_acl else asked.acl,
        tags=asked.tags if retag else old.tags,
        kind=kind,
        target=old.target,
        etag=old.etag,
    )


def _kept(call: Call, asked: Version, old: Version, *, itself: bool) -> Version:
    """Return what is asked for, with the source's class and encryption as far as the readings keep them."""
    unclassed = call.header(b"x-oss-storage-class") is None and asked.storage_class != old.storage_class
    if unclassed and "copy-storage-class" in call.readings:
        asked = replace(asked, storage_class=old.storage_class)
    unnamed = call.header(b"x-oss-server-side-encryption") is None
    if itself and unnamed and "self-copy-encryption" in call.readings:
        asked = replace(asked, encryption=old.encryption)
    return asked


def _replaced(old: Metadata, asked: Metadata) -> Metadata:
    """What is asked for, with the type of before, and what decrypts an object that a client has encrypted, if
    these are not named (asserted by SDK v2's tests).
    """
    return Metadata(
        _joined(asked.content, [each for each in old.content if each[0] == b"content-type"]),
        _joined(asked.user, [each for each in old.user if each[0].startswith(_CLIENT_SIDE)]),
    )


def _merged(old: Metadata, asked: Metadata) -> Metadata:
    """What is asked for, and of before what is not named."""
    return Metadata(_joined(asked.content, old.content), _joined(asked.user, old.user))


def _joined(asked: Pairs, kept: Iterable[tuple[bytes, bytes]]) -> Pairs:
    named = dict(asked)
    return (*asked, *(each for each in kept if each[0] not in named))


def _directive(call: Call, name: bytes) -> str:
    value = (call.header(name) or "copy").lower()
    if value not in {"copy", "replace"}:
        raise OssError(
            "InvalidArgument",
            "The directive is COPY or REPLACE.",
            ArgumentName=name.decode(),
            ArgumentValue=value,
        )
    return value


def _check_size(call: Call, bucket: Bucket, source: Source, version: Version) -> None:
    """Inside a bucket nothing moves, so any size goes; otherwise 5 GB, or 1 GB if the class changes."""
    size = source.version.content.size
    if _is_shallow(bucket, source, version):
        return
    same_class = source.version.storage_class == version.storage_class
    limit = SHALLOW_LIMIT if same_class and "copy-limit" not in call.readings else DEEP_LIMIT
    if size > limit:
        raise OssError("EntityTooLarge", MaxSizeAllowed=limit, ProposedSize=size)


def _source_version(source: Source) -> list[tuple[bytes, bytes]]:
    if not source.bucket.versioning:
        return []
    return [(b"x-oss-copy-source-version-id", source.version.id.encode())]


def upload_part_copy(store: Store, call: Call) -> Response:
    """Copy a range into a part. A range that reaches past the end copies the WHOLE object and answers 200
    without Content-Range (asserted by Alibaba's SDK tests).
    """
    bucket = store.bucket(call.bucket)
    number = check_part_number(call)
    upload = find_upload(bucket, call)
    source = find_source(store, call, bucket)
    appendable = source.version.kind == "Appendable" and "appendable-part-copy" in call.readings
    if source.version.kind == "Symlink" or appendable:
        raise OssError("OperationNotSupported", Resource=source.version.key)
    whole = source.version.content
    stretch = preconditions.read_range(call.header(b"x-oss-copy-source-range"), whole.size)
    content = whole if stretch is None else whole.cut(*stretch)
    if content.size > PART_LIMIT:
        raise OssError("EntityTooLarge", MaxSizeAllowed=PART_LIMIT, ProposedSize=content.size)
    content = call.stored(content)
    part = Part(number, content, content.etag(), store.clock(), copied=True)
    old = upload.parts.get(number)
    if not call.forget:
        upload.parts[number] = part
    store.bytes_copied += content.size
    if store.notify is not None:
        before = replace(upload.blank, content=old.content) if old else None
        tell(
            store,
            call,
            "ObjectCreated:UploadPartCopy",
            replace(upload.blank, content=content, etag=part.etag),
            before,
        )
    headers = [
        (b"etag", etag_header(part.etag)),
        (b"x-oss-hash-crc64ecma", str(content.checksum).encode()),
        *_source_version(source),
        *metadata.encryption_headers(upload.blank.encryption),
    ]
    if stretch is not None:
        headers.append((b"content-range", f"bytes {stretch[0]}-{stretch[1] - 1}/{whole.size}".encode()))
    return Response(headers=tuple(headers), body=_part_result(part))


def _part_result(part: Part) -> bytes:
    # as text: an element tree costs as much as the rest of the operation
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<CopyPartResult>'
        f'<LastModified>{iso(part.modified)}</LastModified><ETag>"{part.etag}"</ETag></CopyPartResult>'
    ).encode()
