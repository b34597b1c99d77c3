"""Listings: objects (V1, V2) and versions, with prefix, delimiter, markers and encoding."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

import msgspec

from .errors import OssError
from .keyspace import Kept, records
from .metadata import restore_text
from .protocol import Call, Markup, Response, Tree, document, encoder, escaped, iso
from .state import Bucket, Store
from .versions import Record, Version, version_of

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


def _entries(
    bucket: Bucket, prefix: str, after: str, delimiter: str, shown: Callable[[Kept], tuple[Record, ...]]
) -> Iterator[tuple[str, str, Version]]:
    """What is `shown` of the keys with `prefix` behind `after`, in order.

    Of keys with a common prefix only the first of which anything is shown comes: the others are passed by
    without a look, and all of them by a marker that is that prefix.
    """
    start: str | None = _behind(prefix, after, delimiter)
    while start is not None:
        begin, start = start, None
        for key, stored in bucket.objects.walk(begin):
            if not key.startswith(prefix):
                return
            found = shown(stored)
            for record in found:
                yield key, record.id, version_of(key, record)
            cut = key.find(delimiter, len(prefix)) if delimiter and found else -1
            if cut >= 0:
                start = past(key[: cut + len(delimiter)])
                break


def _behind(prefix: str, after: str, delimiter: str) -> str | None:
    """Where to begin; a marker that is a common prefix passes all that is under it."""
    if not after:
        return prefix
    inside = after.startswith(prefix) and len(after) > len(prefix)
    start = past(after) if delimiter and inside and after.endswith(delimiter) else after + "\0"
    return None if start is None else max(prefix, start)


def past(prefix: str) -> str | None:
    """The first text behind all that begin with `prefix`; None if none is."""
    head = prefix.rstrip(chr(sys.maxunicode))
    return head[:-1] + chr(ord(head[-1]) + 1) if head else None


def _current(stored: Kept) -> tuple[Record, ...]:
    newest = records(stored)[-1]
    return () if newest.like.marker else (newest,)


def _newest_first(stored: Kept) -> tuple[Record, ...]:
    return records(stored)[::-1]


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
    page = paged(_entries(bucket, prefix, marker, delimiter, _current), prefix, delimiter, most)
    fields: list[Tree | Markup] = [
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
        _element("Contents", store, bucket, version, encode(version.key), owner=True)
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
    page = paged(_entries(bucket, prefix, after, delimiter, _current), prefix, delimiter, most)
    owner = params.get("fetch-owner") == "true"
    fields: list[Tree | Markup] = [
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
        _element("Contents", store, bucket, version, encode(version.key), owner=owner)
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
    fields: list[Tree | Markup] = [
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
    for version, latest in page.items:
        shown = _fields(store, bucket, version, encode(version.key), owner=True)
        name = "DeleteMarker" if version.marker else "Version"
        head = f"<VersionId>{version.id}</VersionId><IsLatest>{_bool(latest)}</IsLatest>"
        fields.append(Markup(f"<{name}>{head}{shown}</{name}>"))
    fields += [("CommonPrefixes", [("Prefix", encode(common))]) for common in page.prefixes]
    return Response(body=document("ListVersionsResult", fields))


def _versions(
    bucket: Bucket, prefix: str, delimiter: str, key_marker: str, id_marker: str
) -> Iterator[tuple[str, str, tuple[Version, bool]]]:
    """Versions behind the markers, each with whether it is the latest of its key."""
    if id_marker:
        seen = False
        for version in reversed(bucket.objects.get(key_marker)):
            if seen:
                yield key_marker, version.id, (version, False)
            seen = seen or version.id == id_marker
    before = None
    for key, version_id, version in _entries(bucket, prefix, key_marker, delimiter, _newest_first):
        yield key, version_id, (version, key != before)
        before = key


def _element(name: str, store: Store, bucket: Bucket, version: Version, key: str, *, owner: bool) -> Markup:
    """What a listing shows of a version under its key as it is written: text, since there are a thousand."""
    return Markup(f"<{name}>{_fields(store, bucket, version, key, owner=owner)}</{name}>")


def _fields(store: Store, bucket: Bucket, version: Version, key: str, *, owner: bool) -> str:
    text = f"<Key>{escaped(key)}</Key><LastModified>{iso(version.modified)}</LastModified>"
    if not version.marker:
        text += (
            f'<ETag>"{version.etag}"</ETag><Type>{version.kind}</Type><Size>{version.content.size}</Size>'
            f"<StorageClass>{version.storage_class}</StorageClass>"
        )
        restoration = restore_text(version, store.clock())
        if restoration:
            text += f"<RestoreInfo>{escaped(restoration)}</RestoreInfo>"
    if owner:
        text += f"<Owner><ID>{bucket.owner}</ID><DisplayName>{bucket.owner}</DisplayName></Owner>"
    return text


def _bool(value: bool) -> str:
    return "true" if value else "false"
