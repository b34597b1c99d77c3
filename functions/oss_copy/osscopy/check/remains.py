"""Objects and uploads that checks have left, this one or an earlier one that was interrupted.

Knows whose they are by their keys and age; not how they came to be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal, TypeAlias

import msgspec

from osscopy.check.world import Unanswered, World
from osscopy.model import CopyRequest, Destination, Source

Kinds: TypeAlias = Literal["uploads", "objects", "both"]

PAGE = 100  # remains looked at
OLD = 900  # seconds: no check that still runs wrote this


class _Remain(msgspec.Struct, frozen=True):
    name: str
    key: str
    age: int  # seconds
    remove: Callable[[], None]


def clear(world: World, bucket: str, prefix: str, nonce: str, kinds: Kinds) -> tuple[list[str], int]:
    """Take away all that this check left under `prefix`, and what one left that must be over by now.

    Return the names of what stays, and how much of earlier checks went.
    """
    left: list[str] = []
    ended = 0
    for each in _remains(world, bucket, prefix, kinds):
        is_ours = nonce in each.key
        if not is_ours and each.age < OLD:
            continue
        try:
            world.ask_at_last("the right to take it away", each.remove)
        except Unanswered as error:
            if error.error.code != "NoSuchUpload":
                left.append(each.name)
                continue
        ended += not is_ours
    return left, ended


def _remains(world: World, bucket: str, prefix: str, kinds: Kinds) -> Iterator[_Remain]:
    buckets = world.buckets
    if kinds != "objects":
        uploads = world.ask_at_last(f"oss:ListMultipartUploads on {bucket}", buckets.uploads, bucket, prefix)
        for upload in uploads.uploads:
            key, age = upload.key, uploads.seen_at - upload.initiated
            request = CopyRequest(source=Source(bucket, key), destination=Destination(bucket, key))
            remove = partial(world.store.abort, request, upload.id)
            yield _Remain(f"upload {upload.id} of {bucket}/{key}", key, age, remove)
    if kinds != "uploads":
        objects = world.ask_at_last(f"oss:ListObjects on {bucket}", buckets.objects, bucket, prefix, PAGE)
        for each in objects.objects:
            age, remove = objects.seen_at - each.modified, partial(buckets.delete, bucket, each.key)
            yield _Remain(f"{bucket}/{each.key}", each.key, age, remove)
