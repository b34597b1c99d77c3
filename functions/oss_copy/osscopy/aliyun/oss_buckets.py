"""Buckets themselves, and small objects in them: what the check asks of OSS beyond a copy.

Knows oss2's calls; not what an answer means for copies.
"""

from __future__ import annotations

from osscopy.aliyun import oss_bodies, oss_headers
from osscopy.aliyun.bodies import listings, versions
from osscopy.aliyun.oss_places import on_bucket
from osscopy.aliyun.oss_transport import Connection, Unless, translated
from osscopy.model import (
    BucketInfo,
    Encrypted,
    LifecycleRule,
    Mark,
    ObjectPage,
    Retention,
    UploadPage,
    VersionPage,
)

PAGE = 1000  # uploads a listing; OSS gives no more


class OssBuckets:
    """The port `Buckets` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._bucket = connection.bucket

    def info(self, bucket: str) -> BucketInfo:
        with translated():
            answer = self._bucket(bucket).get_bucket_info()
            region = answer.location.removeprefix("oss-")
            return BucketInfo(region, answer.versioning_status, oss_headers.seen_at(answer))

    def retention(self, bucket: str) -> Retention | None:
        with Unless("NoSuchWORMConfiguration"), translated():
            answer = self._bucket(bucket).get_bucket_worm()
            return Retention(answer.state, answer.retention_period_days)
        return None

    def lifecycle(self, bucket: str) -> tuple[LifecycleRule, ...]:
        with Unless("NoSuchLifecycle"), translated():
            rules = self._bucket(bucket).get_bucket_lifecycle().rules
            return tuple(oss_bodies.lifecycle_rule(rule) for rule in rules if rule.status == "Enabled")
        return ()

    def encryption(self, bucket: str) -> Encrypted | None:
        with (
            Unless("NoSuchServerSideEncryptionRule"),
            translated(on_bucket(bucket, "oss:GetBucketEncryption", "destination")),
        ):
            return oss_headers.default(self._bucket(bucket).get_bucket_encryption())
        return None

    def objects(self, bucket: str, prefix: str, limit: int, *, pays: bool = False) -> ObjectPage:
        with translated():
            return listings.page(self._bucket(bucket, pays=pays).listing(prefix, "", limit))

    def versions(self, bucket: str, prefix: str, limit: int, *, pays: bool = False) -> VersionPage:
        with translated():
            return versions.page(self._bucket(bucket, pays=pays).versions(prefix, Mark(), limit))

    def uploads(self, bucket: str, prefix: str) -> UploadPage:
        with translated():
            answer = self._bucket(bucket).list_multipart_uploads(prefix=prefix, max_uploads=PAGE)
            return oss_bodies.uploads(answer)

    def put_new(self, bucket: str, key: str, body: bytes) -> str | None:
        with translated():
            return self._bucket(bucket).create(key, body)

    def get(self, bucket: str, key: str) -> bytes:
        with translated():
            return self._bucket(bucket).read(key)

    def delete(self, bucket: str, key: str, version_id: str | None = None) -> None:
        with translated():
            self._bucket(bucket).remove(key, version_id)
