"""The buckets of an account as setup sees and creates them. Must not know how a bucket has to be."""

from __future__ import annotations

import msgspec
import oss2

from functions.cli.account.credentials import Account
from functions.cli.account.sdk_errors import SETUP, asking_oss


class Bucket(msgspec.Struct, frozen=True):
    """A bucket as it is now."""

    region: str
    acl: str
    versioning: str  # Enabled, Suspended, or empty
    owner: str  # an account's id


class Buckets:
    """The buckets of one region."""

    def __init__(self, account: Account, region: str) -> None:
        self._account = account
        self._region = region

    def look(self, name: str) -> Bucket | None:
        """Return the bucket; None if there is none."""
        with asking_oss(f"bucket {name}", "oss:GetBucketInfo", SETUP):
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
        """Create a bucket as OSS does by default: private, without versioning."""
        with asking_oss(f"bucket {name}", "oss:PutBucket", SETUP):
            self._bucket(name).create_bucket()

    def rules(self, name: str) -> bytes | None:
        """Return the document of the lifecycle rules; None if there are none."""
        with asking_oss(f"bucket {name}", "oss:GetBucketLifecycle", SETUP):
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
        with asking_oss(f"bucket {name}", "oss:PutBucketLifecycle", SETUP):
            self._bucket(name).put_bucket_lifecycle(document, headers)

    def _bucket(self, name: str) -> oss2.Bucket:
        return self._account.bucket(self._region, name)
