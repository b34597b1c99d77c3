"""The open uploads and records that nobody would finish if the function were removed now.

Only looks. Takes the places from the function's own settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import oss2
import oss2.exceptions

from functions.cli.account.credentials import Account
from functions.cli.account.sdk_errors import DEPLOYER, asking_oss
from functions.cli.template.props import Function
from osscopy import settings
from osscopy.settings import Settings

_LOOKING = "cannot look for leftovers in"
_NO_BUCKET = suppress(oss2.exceptions.NoSuchBucket)


def find_leftovers(account: Account, function: Function) -> list[str]:
    """Return a line for each, in the order of buckets and keys.

    Raise ServiceRefused for a place that cannot be looked at. A bucket that does not exist has no leftovers.
    """
    loaded = settings.load(function.environment_variables)
    return [*_records(account, function.region, loaded), *_uploads(account, function.region, loaded)]


def _records(account: Account, region: str, loaded: Settings) -> Iterator[str]:
    """Yield the jobs without a result: the record of a finished one stays until the sweep removes it."""
    bucket = account.bucket(region, loaded.state_bucket)
    prefix = f"{loaded.state_prefix}open/"
    jobs: list[str] = []
    with asking_oss(f"{_LOOKING} {loaded.state_bucket}", "oss:ListObjects", DEPLOYER), _NO_BUCKET:
        jobs = [each.key.removeprefix(prefix) for each in oss2.ObjectIteratorV2(bucket, prefix=prefix)]
    for job in jobs:
        result = f"{loaded.state_prefix}done/{job}"
        with asking_oss(f"{_LOOKING} {loaded.state_bucket}/{result}", "oss:GetObject", DEPLOYER):
            is_over = bucket.object_exists(result)
        if not is_over:
            yield f"copy on record as open: {job}"


def _uploads(account: Account, region: str, loaded: Settings) -> Iterator[str]:
    seen = set()
    for place in sorted(loaded.allowed_destinations, key=lambda each: (each.bucket, each.key)):
        bucket, found = account.bucket(region, place.bucket), []
        with asking_oss(f"{_LOOKING} {place.bucket}", "oss:ListMultipartUploads", DEPLOYER), _NO_BUCKET:
            found = list(oss2.MultipartUploadIterator(bucket, prefix=place.key))
        for upload in found:
            if upload.upload_id not in seen and place.matches(place.bucket, upload.key):
                seen.add(upload.upload_id)
                yield f"open upload (not necessarily of oss-copy): {place.bucket}/{upload.key}"
