"""Listings: objects (V1, V2) and versions, with prefix, delimiter, markers and encoding."""

from __future__ import annotations

import base64
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

import msgspec

from .errors import OssError
from .metadata import restore_text
from .protocol import Call, Response, Tree, document, encoder, iso
from .state import Bucket, Store, Version

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """What one answer of a listing carries; `last` is (key or prefix, id) of its last entry."""

    items: list[T]
    prefixes: list[str]
    truncated: bool
    last: tuple[str, str] | None


def named(params: dict[str, str], name: str) -> str:
    """A prefix, delimiter or marker: at most 1,024 bytes."""
    value = params.get(name, "")
    if len(value.encode()) > 1024:
        raise OssError("InvalidArgument", f"The {name} is too long.", ArgumentName=name, ArgumentValue=value)
    return value


def paged(entries: Iterable[tuple[str, str, T]], prefix: str, delimiter: str, most: int) -> Page[T]:
    """At most `most` entries and prefixes of (key, id, item) in order; a common prefix counts as one."""
    items: list[T] = []
    prefixes: list[str] = []
    last = None
    for key, item_id, item in entries:
        if not key.startswith(prefix):
            continue
        cut = key.find(delimiter, len(prefix)) if delimiter else -1
        common = key[: cut + len(delimiter)] if cut >= 0 else None
        if common is not None and prefixes and prefixes[-1] == common:
            continue
        if len(items) + len(prefixes) == most:
            return Page(items, prefixes, truncated=True, last=last)
        if common is None:
            items.append(item)
            last = (key, item_id)
        else:
            prefixes.append(common)
            last = (common, "")
    return Page(items, prefixes, truncated=False, last=last)


def _keys(bucket: Bucket, prefix: str, after: str, delimiter: str) -> Iterator[str]:
    """Keys with `prefix` behind `after`; a marker that is a common prefix passes all that is under it."""
    start = max(bisect_left(bucket.keys, prefix), bisect_right(bucket.keys, after) if after else 0)
    rolled_up = (
        delimiter and after.endswith(delimiter) and after.startswith(prefix) and len(after) > len(prefix)
    )
    for index in range(start, len(bucket.keys)):
        key = bucket.keys[index]
        if not key.startswith(prefix):
            return
        if not (rolled_up and key.startswith(after)):
            yield key


def _objects(bucket: Bucket, prefix: str, after: str, delimiter: str) -> Iterator[tuple[str, str, Version]]:
    for key in _keys(bucket, prefix, after, delimiter):
        version = bucket.objects[key][-1]
        if not version.marker:
            yield key, version.id, version


def list_objects(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    params = call.params
    most = call.number("max-keys", 100, 1, 1000)
    encoding, encode = encoder(params.get("encoding-type"))
    prefix, marker, delimiter = (
        named(params, "prefix"),
        named(params, "marker"),
        named(params, "delimiter"),
    )
    page = paged(_objects(bucket, prefix, marker, delimiter), prefix, delimiter, most)
    fields: list[Tree] = [
        *encoding,
        ("Name", bucket.name),
        ("Prefix", encode(prefix)),
        ("Marker", encode(marker)),
        ("MaxKeys", most),
        ("Delimiter", encode(delimiter)),
        ("IsTruncated", _bool(page.truncated)),
    ]
    if page.truncated and page.last:
        fields.append(("NextMarker", encode(page.last[0])))
    fields += [
        ("Contents", _fields(store, bucket, version, encode(version.key), owner=True))
        for version in page.items
    ]
    fields += [("CommonPrefixes", [("Prefix", encode(common))]) for common in page.prefixes]
    return Response(body=document("ListBucketResult", fields))


def list_objects_v2(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    params = call.params
    most = call.number("max-keys", 100, 1, 1000)
    encoding, encode = encoder(params.get("encoding-type"))
    prefix, delimiter, token = (
        named(params, "prefix"),
        named(params, "delimiter"),
        params.get("continuation-token", ""),
    )
    after = _read_token(token) if token else named(params, "start-after")
    page = paged(_objects(bucket, prefix, after, delimiter), prefix, delimiter, most)
    owner = params.get("fetch-owner") == "true"
    fields: list[Tree] = [
        *encoding,
        ("Name", bucket.name),
        ("Prefix", encode(prefix)),
        ("StartAfter", encode(named(params, "start-after"))),
        ("MaxKeys", most),
        ("Delimiter", encode(delimiter)),
        ("IsTruncated", _bool(page.truncated)),
        ("KeyCount", len(page.items) + len(page.prefixes)),
    ]
    if token:
        fields.append(("ContinuationToken", token))
    if page.truncated and page.last:
        fields.append(("NextContinuationToken", base64.b64encode(page.last[0].encode()).decode()))
    fields += [
        ("Contents", _fields(store, bucket, version, encode(version.key), owner=owner))
        for version in page.items
    ]
    fields += [("CommonPrefixes", [("Prefix", encode(common))]) for common in page.prefixes]
    return Response(body=document("ListBucketResult", fields))


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode()
    except ValueError:
        raise OssError(
            "InvalidArgument",
            "The continuation token provided is incorrect.",
            ArgumentName="continuation-token",
            ArgumentValue=token,
        ) from None


def list_versions(store: Store, call: Call) -> Response:
    """Every version and delete marker, by key, new to old."""
    bucket = store.bucket(call.bucket)
    params = call.params
    most = call.number("max-keys", 100, 1, 1000)
    encoding, encode = encoder(params.get("encoding-type"))
    prefix, delimiter = named(params, "prefix"), named(params, "delimiter")
    key_marker, id_marker = named(params, "key-marker"), named(params, "version-id-marker")
    if id_marker and not key_marker:
        raise OssError("InvalidArgument", "A version-id marker cannot be specified without a key marker.",
                       ArgumentName="version-id-marker", ArgumentValue=id_marker)  # fmt: skip
    page = paged(_versions(bucket, prefix, delimiter, key_marker, id_marker), prefix, delimiter, most)
    fields: list[Tree] = [
        *encoding,
        ("Name", bucket.name),
        ("Prefix", encode(prefix)),
        ("KeyMarker", encode(key_marker)),
        ("VersionIdMarker", id_marker),
        ("MaxKeys", most),
        ("Delimiter", encode(delimiter)),
        ("IsTruncated", _bool(page.truncated)),
    ]
    if page.truncated and page.last:
        fields += [("NextKeyMarker", encode(page.last[0])), ("NextVersionIdMarker", page.last[1])]
    for version in page.items:
        latest: list[Tree] = [
            ("VersionId", version.id),
            ("IsLatest", _bool(bucket.current(version.key) is version)),
        ]
        shown = _fields(store, bucket, version, encode(version.key), owner=True)
        fields.append(("DeleteMarker" if version.marker else "Version", latest + shown))
    fields += [("CommonPrefixes", [("Prefix", encode(common))]) for common in page.prefixes]
    return Response(body=document("ListVersionsResult", fields))


def _versions(
    bucket: Bucket, prefix: str, delimiter: str, key_marker: str, id_marker: str
) -> Iterator[tuple[str, str, Version]]:
    if id_marker:
        seen = False
        for version in reversed(bucket.objects.get(key_marker, [])):
            if seen:
                yield key_marker, version.id, version
            seen = seen or version.id == id_marker
    for key in _keys(bucket, prefix, key_marker, delimiter):
        for version in reversed(bucket.objects[key]):
            yield key, version.id, version


def _fields(store: Store, bucket: Bucket, version: Version, key: str, *, owner: bool) -> list[Tree]:
    fields: list[Tree] = [("Key", key), ("LastModified", iso(version.modified))]
    if not version.marker:
        fields += [
            ("ETag", f'"{version.etag}"'),
            ("Type", version.kind),
            ("Size", version.content.size),
            ("StorageClass", version.storage_class),
        ]
        restoration = restore_text(version, store.clock())
        if restoration:
            fields.append(("RestoreInfo", restoration))
    if owner:
        fields.append(("Owner", [("ID", bucket.owner), ("DisplayName", bucket.owner)]))
    return fields


def _bool(value: bool) -> str:
    return "true" if value else "false"
