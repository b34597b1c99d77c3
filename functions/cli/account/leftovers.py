"""What would be left behind if the function were removed now: uploads and records that are open.

It only looks. It knows the places from the function's own settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import oss2
import oss2.exceptions

from functions.cli.account.credentials import Account, Refusal
from functions.cli.template.props import Function
from osscopy import settings
from osscopy.settings import Settings

ADVICE = "grant yourself what `make policy ARGS=--deployer` prints"


def find(account: Account, function: Function) -> list[str]:
    """A line for each, in the order of buckets and keys. Refusal if one of the places cannot be looked at."""
    loaded = settings.load(function.environment_variables)
    return [*_records(account, function.region, loaded), *_uploads(account, function.region, loaded)]


def _records(account: Account, region: str, loaded: Settings) -> Iterator[str]:
    """Jobs without a result: the record of one that is over stays until the sweep forgets it."""
    bucket = account.bucket(region, loaded.state_bucket)
    prefix = f"{loaded.state_prefix}open/"
    jobs: list[str] = []
    with _told("oss:ListObjects", loaded.state_bucket):
        jobs = [each.key.removeprefix(prefix) for each in oss2.ObjectIteratorV2(bucket, prefix=prefix)]
    for job in jobs:
        result = f"{loaded.state_prefix}done/{job}"
        with _told("oss:GetObject", f"{loaded.state_bucket}/{result}"):
            over = bucket.object_exists(result)
        if not over:
            yield f"copy on record as open: {job}"


def _uploads(account: Account, region: str, loaded: Settings) -> Iterator[str]:
    seen = set()
    for place in sorted(loaded.allowed_destinations, key=lambda each: (each.bucket, each.key)):
        bucket, found = account.bucket(region, place.bucket), []
        with _told("oss:ListMultipartUploads", place.bucket):
            found = list(oss2.MultipartUploadIterator(bucket, prefix=place.key))
        for upload in found:
            if upload.upload_id not in seen and place.matches(place.bucket, upload.key):
                seen.add(upload.upload_id)
                yield f"open upload (not necessarily of oss-copy): {place.bucket}/{upload.key}"


@contextmanager
def _told(action: str, place: str) -> Iterator[None]:
    """Nothing is left in a bucket that is not there; Refusal for everything else that OSS refuses."""
    try:
        yield
    except oss2.exceptions.NoSuchBucket:
        return
    except oss2.exceptions.RequestError as error:
        raise Refusal(f"OSS cannot be reached: {error.exception}") from error
    except oss2.exceptions.ServerError as error:
        said = " ".join(filter(None, (str(error.status), error.code, error.message)))  # HEAD has no body
        advice = f"; it takes {action}: {ADVICE}" if error.status == 403 else ""
        raise Refusal(
            f"cannot look for what is left in {place}: OSS answered {said.rstrip('.')}{advice}"
        ) from error
