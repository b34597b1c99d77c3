"""Listings, manifests and reports: the port `Objects` on a connection.

Knows oss2's connection, not its listings: it makes an object of each key, and takes ten times as long. A
listing that is out of order, or lies elsewhere, is an answer that cannot be read.
"""

from __future__ import annotations

from osscopy.aliyun.bodies import listings, versions
from osscopy.aliyun.oss_places import on_bucket, on_object
from osscopy.aliyun.oss_transport import Connection, translated
from osscopy.model import Mark, ObjectPage, Requests, Source, VersionPage


class OssObjects:
    """OSS for many objects, one request a method."""

    def __init__(self, connection: Connection) -> None:
        self._bucket = connection.bucket
        self._counted = connection.counted

    def page(self, bucket: str, prefix: str, after: str, limit: int, *, pays: bool = False) -> ObjectPage:
        with translated(on_bucket(bucket, "oss:ListObjects")):
            found = listings.page(self._bucket(bucket, pays=pays).listing(prefix, after, limit))
            listings.check_order(found, prefix, after)
            return found

    def versions(
        self, bucket: str, prefix: str, after: Mark, limit: int, *, pays: bool = False
    ) -> VersionPage:
        with translated(on_bucket(bucket, "oss:ListObjectVersions")):
            found = versions.page(self._bucket(bucket, pays=pays).versions(prefix, after, limit))
            versions.check_order(found, prefix, after)
            return found

    def versioning(self, bucket: str) -> str | None:
        with translated(on_bucket(bucket, "oss:GetBucketVersioning")):
            status: str | None = self._bucket(bucket).get_bucket_versioning().status
            return status

    def read(self, bucket: str, key: str, first: int, last: int, etag: str = "") -> bytes:
        headers = {"If-Match": etag} if etag else None
        with translated(on_object("source", Source(bucket, key), "GetObject")):
            body: bytes = self._bucket(bucket).get_object(key, (first, last), headers).read()
            return body

    def write(self, bucket: str, key: str, body: bytes) -> None:
        kind = "application/json" if key.endswith(".json") else "application/gzip"
        with translated(on_object("report", Source(bucket, key), "PutObject")):
            self._bucket(bucket).put_object(key, body, {"Content-Type": kind}).resp.read()

    def remove(self, bucket: str, key: str, *, pays: bool = False) -> None:
        with translated(on_object("destination", Source(bucket, key), "DeleteObject")):
            self._bucket(bucket, pays=pays).remove(key)

    def answered(self) -> Requests:
        return Requests(self._counted.put, self._counted.get)
