"""Listings, manifests and reports: the port `Objects` on a connection.

Knows oss2's connection and the XML of a listing, which it reads by itself: oss2 makes an object of each key,
and decodes it twice. A listing that is out of order, or lies elsewhere, is an answer that cannot be read.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import datetime, timezone
from urllib.parse import unquote

from osscopy.aliyun import oss_bodies, oss_headers
from osscopy.aliyun.oss_places import on_bucket, on_object
from osscopy.aliyun.oss_transport import Connection, translated
from osscopy.model import ListedObject, ObjectPage, Requests, Source, Transient

_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"


class OssObjects:
    """OSS for many objects, one request a method."""

    def __init__(self, connection: Connection) -> None:
        self._bucket = connection.bucket
        self._counted = connection.counted

    def page(self, bucket: str, prefix: str, after: str, limit: int, *, pays: bool = False) -> ObjectPage:
        params = {"list-type": "2", "encoding-type": "url", "max-keys": str(limit)}
        params |= {name: value for name, value in {"prefix": prefix, "start-after": after}.items() if value}
        with translated(on_bucket(bucket, "oss:ListObjects")):
            answer = self._bucket(bucket, pays=pays).fetch("", params)
            found = listing(oss_bodies.read(answer, "ListBucketResult"), oss_headers.seen_at(answer))
        check_order(found, prefix, after)
        return found

    def read(self, bucket: str, key: str, first: int, last: int, etag: str = "") -> bytes:
        headers = {"If-Match": etag} if etag else None
        with translated(on_object("source", Source(bucket, key), "GetObject")):
            body: bytes = self._bucket(bucket).get_object(key, (first, last), headers).read()
            return body

    def write(self, bucket: str, key: str, body: bytes) -> None:
        kind = "application/json" if key.endswith(".json") else "application/gzip"
        with translated(on_object("report", Source(bucket, key), "PutObject")):
            self._bucket(bucket).put_object(key, body, {"Content-Type": kind}).resp.read()

    def answered(self) -> Requests:
        return Requests(self._counted.put, self._counted.get)


def listing(tree: ET.Element, seen_at: int) -> ObjectPage:
    """Return a page of a listing in `tree`, whose keys are URL-encoded."""
    space = tree.tag.rpartition("}")[0] + "}" * tree.tag.startswith("{")
    found = tuple(
        _object({each.tag: each.text or "" for each in one}, space) for one in tree.iter(f"{space}Contents")
    )
    more = (tree.findtext(f"{space}IsTruncated") or "").lower() == "true"
    return ObjectPage(found, seen_at, more)


def _object(given: Mapping[str, str], space: str) -> ListedObject:
    return ListedObject(
        unquote(given[f"{space}Key"]),
        int(given[f"{space}Size"]),
        given[f"{space}StorageClass"],
        given.get(f"{space}Type", ""),
        _unix(given[f"{space}LastModified"]),
        given[f"{space}ETag"].strip('"'),
    )


def _unix(moment: str) -> int:
    """Return a date as listings write it in Unix seconds."""
    return int(datetime.strptime(moment, _MOMENT).replace(tzinfo=timezone.utc).timestamp())


def check_order(page: ObjectPage, prefix: str, after: str) -> None:
    """Raise Transient for keys out of order or outside the prefix, and for a page that leads nowhere."""
    last = after
    for each in page.objects:
        if not each.key.startswith(prefix) or (each.key <= last and last):
            raise _wrong(f"{each.key[:80]!r} after {last[:80]!r} under {prefix[:80]!r}")
        last = each.key
    if page.more and not page.objects:
        raise _wrong("a page without keys, and more to come")


def _wrong(what: str) -> Transient:
    return Transient("BadListing", f"OSS listed {what}")
