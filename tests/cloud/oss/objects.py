"""Operations on one object: put, get, head, delete, append, ACL, tagging, symlinks, restore."""

from __future__ import annotations

import base64
import gzip
from urllib.parse import quote, unquote

from msgspec.structs import replace

from . import metadata, preconditions
from .errors import OssError
from .extents import EMPTY, join
from .protocol import (
    Body,
    Call,
    Response,
    check_key,
    document,
    etag_header,
    header_value,
    http_date,
    read_document,
)
from .state import Bucket, Store, check_version_id
from .telling import tell
from .versions import ARCHIVED, NULL, Version

LARGEST_PUT = 5 * 1024**3
_LONGEST_RESTORED = {"Archive": (7, "0016-00000708")}  # days, and the EC of more (OSS's pages on these ECs)
_COLD_RESTORED = (365, "0016-00000704")
_MOST_COMPRESSED = 64 * 1024**2  # no limit of OSS: it spares our memory
_RESPONSE_HEADERS = {
    f"response-{name.decode()}": name for name in metadata.CONTENT_HEADERS
}  # ?response-content-type=… of a signed GET
_COMPRESSIBLE = {  # OSS documentation, GetObject: Accept-Encoding
    b"text/cache-manifest", b"text/xml", b"text/plain", b"text/css", b"application/javascript",
    b"application/x-javascript", b"application/rss+xml", b"application/json", b"text/json", b"text/html",
}  # fmt: skip


def check_md5(call: Call) -> None:
    given = call.header(b"content-md5")
    if given and base64.b64encode(call.body.md5).decode() != given:
        raise OssError("InvalidDigest", ContentMD5=given)


def version_headers(bucket: Bucket, version: Version) -> list[tuple[bytes, bytes]]:
    return [(b"x-oss-version-id", version.id.encode())] if bucket.versioning else []


def blank(store: Store, bucket: Bucket, call: Call) -> Version:
    """The version that the headers of a request describe, without content."""
    return Version(
        key=call.key,
        modified=store.clock(),
        metadata=metadata.metadata(call.headers),
        tags=metadata.tags_header(call),
        acl=metadata.acl(call),
        storage_class=metadata.storage_class(call, bucket.storage_class),
        encryption=metadata.encryption(call, bucket.encryption),
    )


def put_object(store: Store, call: Call) -> Response:
    check_key(call.key)
    bucket = store.bucket(call.bucket)
    check_md5(call)
    preconditions.refuse_on_write(call)
    preconditions.check_overwrite(call, bucket, call.key)
    bucket.check_mutable(call.key, store.clock())
    if call.body.content.size > LARGEST_PUT:
        raise OssError("EntityTooLarge", MaxSizeAllowed=LARGEST_PUT, ProposedSize=call.body.content.size)
    content = call.stored(call.body.content)
    etag = call.body.md5.hex().upper() if content is call.body.content else content.etag()
    return written(store, bucket, call, replace(blank(store, bucket, call), content=content, etag=etag))


def written(store: Store, bucket: Bucket, call: Call, version: Version, event: str = "") -> Response:
    """Make `version` the current one, tell it, and answer as PutObject does."""
    old = bucket.current(version.key)
    version = bucket.put(version)
    tell(store, call, event or f"ObjectCreated:{call.operation}", version, old)
    headers = [
        (b"etag", etag_header(version.etag)),
        (b"x-oss-hash-crc64ecma", str(version.content.checksum).encode()),
        (b"content-md5", base64.b64encode(bytes.fromhex(version.etag)) if len(version.etag) == 32 else b""),
        *version_headers(bucket, version),
        *metadata.encryption_headers(version.encryption),
    ]
    return Response(headers=tuple(headers))


def seen(bucket: Bucket, call: Call) -> tuple[Version, Version]:
    """The version a read means, and the one whose bytes it gives: the target of a symlink."""
    version = bucket.find(call.key, call.params.get("versionId"))
    if version.kind != "Symlink":
        return version, version
    target = bucket.current(version.target)
    if target is None or target.marker:
        raise OssError("SymlinkTargetNotExist", Key=call.key)
    if target.kind == "Symlink":
        raise OssError("InvalidTargetType", Key=call.key)
    return version, target


def shown(version: Version, target: Version) -> Version:
    """A symlink shows its own metadata with its target's bytes, and the later Last-Modified of the two."""
    if version is target:
        return version
    modified = max(version.modified, target.modified)
    return replace(version, content=target.content, etag=target.etag, modified=modified)


def get_object(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    version, target = seen(bucket, call)
    preconditions.check(call, target)
    if not store.available(target):
        raise OssError("InvalidObjectState", ObjectName=call.key)
    view = shown(version, target)
    headers = [*metadata.object_headers(view, store.clock()), *version_headers(bucket, version)]
    overrides = {
        name: header_value(call.params[param])
        for param, name in _RESPONSE_HEADERS.items()
        if param in call.params
    }
    content_type = overrides.pop(b"content-type", view.metadata.content_type())
    headers = [item for item in headers if item[0] not in overrides] + [*overrides.items()]
    headers += [(b"content-type", content_type), (b"accept-ranges", b"bytes")]
    size = view.content.size
    standard = call.header(b"x-oss-range-behavior") == "standard"
    stretch = preconditions.read_range(preconditions.asked_range(call), size, standard=standard)
    if stretch is None:
        encoded = b"content-encoding" in dict(headers)
        if not encoded and _compressed(call, content_type, size):
            packed = gzip.compress(Body(view.content).bytes(), 1)
            headers += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
            return Response(200, (*headers, (b"transfer-encoding", b"chunked")), packed)
        return Response(200, tuple(headers), content=view.content, start=0, stop=size)
    start, stop = stretch
    headers.append((b"content-range", f"bytes {start}-{stop - 1}/{size}".encode()))
    return Response(206, tuple(headers), content=view.content, start=start, stop=stop)


def _compressed(call: Call, content_type: bytes, size: int) -> bool:
    """Texts of 1 KB and more are sent with gzip, chunked, to who accepts it (GetObject docs)."""
    accepted = call.header(b"accept-encoding") or ""
    wanted = "gzip" in accepted and "identity" not in accepted
    return wanted and 1024 <= size <= _MOST_COMPRESSED and content_type in _COMPRESSIBLE


def head_object(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    version, target = seen(bucket, call)
    preconditions.check(call, target)
    view = shown(version, target)
    headers = [
        *metadata.object_headers(view, store.clock()),
        *version_headers(bucket, version),
        (b"content-type", view.metadata.content_type()),
        (b"accept-ranges", b"bytes"),
        (b"content-length", str(view.content.size).encode()),
    ]
    return Response(headers=tuple(headers))


def get_object_meta(store: Store, call: Call) -> Response:
    """ETag, size and Last-Modified only; of a symlink itself, not of its target."""
    bucket = store.bucket(call.bucket)
    version = bucket.find(call.key, call.params.get("versionId"))
    headers = [
        (b"etag", etag_header(version.etag)),
        (b"last-modified", http_date(version.modified)),
        (b"content-length", str(version.content.size).encode()),
        (b"x-oss-hash-crc64ecma", str(version.content.checksum).encode()),
        *version_headers(bucket, version),
    ]
    return Response(headers=tuple(headers))


def get_object_meta_by_get(store: Store, call: Call) -> Response:
    """The same without the object's length: a GET would wait for so many bytes."""
    response = get_object_meta(store, call)
    return replace(response, headers=tuple(each for each in response.headers if each[0] != b"content-length"))


def delete_object(store: Store, call: Call) -> Response:
    """204 whether the object was there or not; under versioning a delete marker is left."""
    check_key(call.key)
    check_version_id(call.params.get("versionId"))
    bucket = store.bucket(call.bucket)
    headers = remove(store, bucket, call, call.key, call.params.get("versionId"))
    return Response(204, tuple(headers))


def remove(
    store: Store, bucket: Bucket, call: Call, key: str, version_id: str | None
) -> list[tuple[bytes, bytes]]:
    """Delete `key` or one version of it; the headers that say what happened."""
    bucket.check_mutable(key, store.clock(), version_id)
    old = bucket.current(key)
    if version_id is None:
        marker = bucket.delete(key, store.clock())
        if marker is not None:
            tell(store, call, "ObjectRemoved:DeleteMarkerCreated", marker, old)
            return [(b"x-oss-delete-marker", b"true"), (b"x-oss-version-id", marker.id.encode())]
        if old is not None:
            tell(store, call, f"ObjectRemoved:{call.operation}", replace(old, content=EMPTY), old)
        return []
    gone = bucket.remove(key, version_id)
    if gone is not None:
        tell(store, call, f"ObjectRemoved:{call.operation}", replace(gone, content=EMPTY), gone)
    headers = [(b"x-oss-version-id", version_id.encode())] if bucket.versioning or version_id != NULL else []
    if gone is not None and gone.marker:
        headers.append((b"x-oss-delete-marker", b"true"))
    return headers


def append_object(store: Store, call: Call) -> Response:
    check_key(call.key)
    bucket = store.bucket(call.bucket)
    check_md5(call)
    bucket.check_mutable(call.key, store.clock())
    position = call.number("position", 0, 0, LARGEST_PUT)
    old = bucket.current(call.key)
    if old is not None and old.marker:
        old = None
    if old is not None and old.kind != "Appendable":
        raise OssError("ObjectNotAppendable")
    size = old.content.size if old is not None else 0
    if position != size:
        position_header = ((b"x-oss-next-append-position", str(size).encode()),)
        raise OssError("PositionNotEqualToLength", headers=position_header)
    content = call.stored(call.body.content)
    if old is None:
        version = replace(blank(store, bucket, call), kind="Appendable", content=content)
    else:
        acl = old.acl if "append-acl" in call.readings else metadata.acl(call, old.acl)
        version = replace(old, modified=store.clock(), content=join((old.content, content)), acl=acl)
    version = replace(version, etag=version.content.etag())
    if old is None:
        version = bucket.put(version)
    else:
        bucket.replace(old, version)
    tell(store, call, "ObjectCreated:AppendObject", version, old)
    headers = [
        (b"etag", etag_header(version.etag)),
        (b"x-oss-next-append-position", str(version.content.size).encode()),
        (b"x-oss-hash-crc64ecma", str(version.content.checksum).encode()),
        *version_headers(bucket, version),
        *metadata.encryption_headers(version.encryption),
    ]
    return Response(headers=tuple(headers))


def put_symlink(store: Store, call: Call) -> Response:
    check_key(call.key)
    bucket = store.bucket(call.bucket)
    target = unquote(call.header(b"x-oss-symlink-target") or "")
    if not target:
        raise OssError(
            "InvalidArgument", "The symlink target is missing.", ArgumentName="x-oss-symlink-target"
        )
    preconditions.check_overwrite(call, bucket, call.key)
    bucket.check_mutable(call.key, store.clock())
    version = replace(blank(store, bucket, call), kind="Symlink", target=target, etag=EMPTY.etag())
    return written(store, bucket, call, version)


def get_symlink(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    version = bucket.find(call.key, call.params.get("versionId"))
    if version.kind != "Symlink":
        raise OssError("NotSymlink", Key=call.key)
    headers = [
        (b"x-oss-symlink-target", quote(version.target, safe="").encode()),
        (b"etag", etag_header(version.etag)),
        (b"last-modified", http_date(version.modified)),
        (b"content-type", version.metadata.content_type()),
        *(item for item in version.metadata.content if item[0] != b"content-type"),
        *version.metadata.user,
        *version_headers(bucket, version),
    ]
    return Response(headers=tuple(headers))


def _changed(store: Store, call: Call) -> tuple[Bucket, Version]:
    bucket = store.bucket(call.bucket)
    return bucket, bucket.find(call.key, call.params.get("versionId"))


def put_object_acl(store: Store, call: Call) -> Response:
    bucket, version = _changed(store, call)
    if call.header(b"x-oss-object-acl") is None:
        raise OssError(
            "InvalidArgument", "no such object access control exists", ArgumentName="x-oss-object-acl"
        )
    bucket.replace(version, replace(version, acl=metadata.acl(call)))
    return Response(headers=tuple(version_headers(bucket, version)))


def get_object_acl(store: Store, call: Call) -> Response:
    bucket, version = _changed(store, call)
    owner = [("ID", bucket.owner), ("DisplayName", bucket.owner)]
    body = document(
        "AccessControlPolicy", [("Owner", owner), ("AccessControlList", [("Grant", version.acl)])]
    )
    return Response(headers=tuple(version_headers(bucket, version)), body=body)


def put_object_tagging(store: Store, call: Call) -> Response:
    bucket, version = _changed(store, call)
    tags = metadata.check_tags(metadata.tags_document(read_document(call.body.bytes())))
    bucket.replace(version, replace(version, tags=tags))
    return Response(headers=tuple(version_headers(bucket, version)))


def get_object_tagging(store: Store, call: Call) -> Response:
    bucket, version = _changed(store, call)
    tags = [("Tag", [("Key", key), ("Value", value)]) for key, value in version.tags]
    return Response(
        headers=tuple(version_headers(bucket, version)), body=document("Tagging", [("TagSet", tags)])
    )


def delete_object_tagging(store: Store, call: Call) -> Response:
    bucket, version = _changed(store, call)
    bucket.replace(version, replace(version, tags=()))
    return Response(204, headers=tuple(version_headers(bucket, version)))


def restore_object(store: Store, call: Call) -> Response:
    """202 while it is under way, 200 when the bytes are there already (then the days count anew)."""
    bucket, version = _changed(store, call)
    days, tier = _restore_wish(call, version)
    if version.storage_class not in ARCHIVED:
        raise OssError("OperationNotSupported", Resource=call.key)
    now = store.clock()
    headers = version_headers(bucket, version)
    if tier:
        headers.append((b"x-oss-object-restore-priority", tier.encode()))
    if version.restore is not None and now < version.restore[0]:
        raise OssError("RestoreAlreadyInProgress", Key=call.key)
    if store.available(version):
        bucket.replace(version, replace(version, restore=(now, now + days * 86400)))
        return Response(200, tuple(headers))
    done = now + store.restore_seconds
    bucket.replace(version, replace(version, restore=(done, done + days * 86400)))
    return Response(202, tuple(headers))


def _restore_wish(call: Call, version: Version) -> tuple[int, str]:
    """Days and tier of a RestoreRequest; a tier goes with cold archives only (RestoreObject docs)."""
    if not call.body.content.size:
        return 1, "Standard" if version.storage_class == "ColdArchive" else ""
    root = read_document(call.body.bytes())
    tier = root.findtext("JobParameters/Tier")
    days = root.findtext("Days") or "1"
    if root.tag != "RestoreRequest" or not days.isdecimal() or int(days) < 1:
        raise OssError("MalformedXML")
    longest, ec = _LONGEST_RESTORED.get(version.storage_class, _COLD_RESTORED)
    if int(days) > longest and "restore-days" not in call.readings:
        raise OssError("MalformedXML", ec=ec)
    if tier is not None and version.storage_class == "Archive":
        raise OssError("MalformedXML")
    if tier is not None and tier not in {"Expedited", "Standard", "Bulk"}:
        raise OssError(
            "InvalidArgument", "The restore tier is invalid.", ArgumentName="Tier", ArgumentValue=tier
        )
    return int(days), tier or ("Standard" if version.storage_class == "ColdArchive" else "")
