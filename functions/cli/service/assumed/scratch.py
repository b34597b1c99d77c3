"""Two buckets to try things in, under a prefix of its own; and how all of it is taken away again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import oss2

from functions.cli.account.sdk_errors import DEPLOYER, asking_oss
from functions.cli.service.assumed import PREFIX

PART = 100 << 10  # bytes: the smallest part that OSS takes


class Scratch:
    """Where probes put objects. Both buckets are of one region; nothing else in them is touched."""

    def __init__(self, source: oss2.Bucket, destination: oss2.Bucket) -> None:
        self.source = source
        self.destination = destination
        self.prefix = f"{PREFIX}{secrets.token_hex(8)}/"

    def key(self, name: str) -> str:
        """Return the key of an object of this run."""
        return f"{self.prefix}{name}"

    def clean(self) -> int:
        """Delete what the run has made, all versions, and abort its uploads; return how many there were."""
        return sum(map(self._clean, (self.source, self.destination)))

    def _clean(self, bucket: oss2.Bucket) -> int:
        count = 0
        for upload in oss2.MultipartUploadIterator(bucket, prefix=self.prefix):
            if not upload.is_prefix():
                bucket.abort_multipart_upload(upload.key, upload.upload_id)
                count += 1
        while True:
            page = bucket.list_object_versions(prefix=self.prefix)
            found = [*page.versions, *page.delete_marker]
            for each in found:
                bucket.delete_object(each.key, params={"versionId": each.versionid} if each.versionid else {})
            count += len(found)
            if not page.is_truncated or not found:
                return count


@contextmanager
def opened(source: oss2.Bucket, destination: oss2.Bucket) -> Iterator[Scratch]:
    """Give a place to try things in; whatever happens, it is cleaned.

    Raise ServiceRefused or NoAnswer if the buckets cannot be listed, or if something may be left in them.
    """
    scratch = Scratch(source, destination)
    try:
        for bucket in (source, destination):
            with asking_oss(f"oss://{bucket.bucket_name}", "oss:ListObjectVersions", DEPLOYER):
                bucket.list_object_versions(prefix=PREFIX, max_keys=1)
        try:
            yield scratch
        finally:
            with asking_oss(f"cleaning {scratch.prefix}", "oss:DeleteObject", DEPLOYER):
                scratch.clean()
    finally:
        for bucket in (source, destination):
            bucket.session.session.close()
