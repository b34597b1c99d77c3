"""What would be left behind if the function were removed now: uploads and records that are open.

It only looks. It knows the places from the function's own settings.
"""

from __future__ import annotations

from collections.abc import Iterator

import oss2
import oss2.exceptions

from functions.deploy.account import Account, Refusal
from functions.deploy.props import Function
from osscopy import settings
from osscopy.settings import Settings


def find(account: Account, function: Function) -> list[str]:
    """A line for each, in the order of buckets and keys. Refusal if one of the places cannot be looked at."""
    loaded = settings.load(function.environment_variables)
    try:
        return [*_records(account, function.region, loaded), *_uploads(account, function.region, loaded)]
    except oss2.exceptions.RequestError as error:
        raise Refusal(f"OSS cannot be reached: {error.exception}") from error
    except oss2.exceptions.ServerError as error:
        raise Refusal(f"cannot look for what is left: {error.code}: {error.message}") from error


def _records(account: Account, region: str, loaded: Settings) -> Iterator[str]:
    """Jobs without a result: the record of one that is over stays until the sweep forgets it."""
    bucket = account.bucket(region, loaded.state_bucket)
    prefix = f"{loaded.state_prefix}open/"
    try:
        for entry in oss2.ObjectIteratorV2(bucket, prefix=prefix):
            job = entry.key.removeprefix(prefix)
            if not bucket.object_exists(f"{loaded.state_prefix}done/{job}"):
                yield f"copy on record as open: {job}"
    except oss2.exceptions.NoSuchBucket:
        return


def _uploads(account: Account, region: str, loaded: Settings) -> Iterator[str]:
    seen = set()
    for place in sorted(loaded.allowed_destinations, key=lambda each: (each.bucket, each.key)):
        bucket = account.bucket(region, place.bucket)
        try:
            for upload in oss2.MultipartUploadIterator(bucket, prefix=place.key):
                if upload.upload_id not in seen and place.matches(place.bucket, upload.key):
                    seen.add(upload.upload_id)
                    yield f"open upload (not necessarily of oss-copy): {place.bucket}/{upload.key}"
        except oss2.exceptions.NoSuchBucket:
            continue
