"""The buckets of an account as setup sees and makes them, through oss2.

Knows requests and errors of OSS; which bucket is to be how is none of its business.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import oss2

ADVICE = "grant yourself what `make policy ARGS=--setup` prints"
AccessKey = tuple[str, str, str | None]  # id, secret, security token


class Obstacle(Exception):
    """Setup cannot go on; says what to do about it."""


class Bucket(msgspec.Struct, frozen=True):
    region: str
    acl: str
    versioning: str  # Enabled, Suspended, or empty
    owner: str  # an account's id


class Buckets:
    def __init__(self, access_key: AccessKey, endpoint: str, region: str) -> None:
        identity, secret, token = access_key
        if token:
            self._auth = oss2.StsAuth(identity, secret, token, auth_version=oss2.AUTH_VERSION_4)
        else:
            self._auth = oss2.AuthV4(identity, secret)
        self._endpoint = endpoint
        self._region = region

    def look(self, name: str) -> Bucket | None:
        """How the bucket is; None if there is none."""
        with _told(name, "oss:GetBucketInfo"):
            try:
                info = self._bucket(name).get_bucket_info()
            except oss2.exceptions.NoSuchBucket:
                return None
            return Bucket(
                region=info.location.removeprefix("oss-"),
                acl=info.acl.grant,
                versioning=info.versioning_status or "",
                owner=info.owner.id,
            )

    def make(self, name: str) -> None:
        """A bucket as OSS makes it by default: private, without versioning."""
        with _told(name, "oss:PutBucket"):
            self._bucket(name).create_bucket()

    def rules(self, name: str) -> bytes | None:
        """The lifecycle rules as they are; None if there are none."""
        with _told(name, "oss:GetBucketLifecycle"):
            try:
                # not `get_bucket_lifecycle`, which drops what it does not know
                answer = self._bucket(name)._do("GET", name, "", params={oss2.Bucket.LIFECYCLE: ""})  # noqa: SLF001 - there is no public way to it
                body: bytes = answer.read()
            except oss2.exceptions.NoSuchLifecycle:
                return None
            return body

    def put_rules(self, name: str, document: bytes, *, overlapping: bool) -> None:
        """Replace all lifecycle rules."""
        headers = {"x-oss-allow-same-action-overlap": "true"} if overlapping else {}
        with _told(name, "oss:PutBucketLifecycle"):
            self._bucket(name).put_bucket_lifecycle(document, headers)

    def _bucket(self, name: str) -> Any:  # noqa: ANN401 - oss2 carries no types
        return oss2.Bucket(self._auth, self._endpoint, name, region=self._region)


@contextmanager
def _told(bucket: str, action: str) -> Iterator[None]:
    """`action` is what RAM is asked for: OSS does not say it when it refuses."""
    try:
        yield
    except oss2.exceptions.RequestError as error:
        raise Obstacle(f"bucket {bucket}: OSS cannot be reached: {error.exception}") from error
    except oss2.exceptions.OssError as error:
        text = f"bucket {bucket}: OSS answered {error.status} {error.code}: {error.message}"
        advice = f"; it takes {action}: {ADVICE}" if error.status == 403 else ""
        raise Obstacle(f"{text} (request id {error.request_id}){advice}") from error
