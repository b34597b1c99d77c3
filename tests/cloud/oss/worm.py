"""Retention policies (WORM): InProgress for 24 hours, then Locked; what they protect cannot be changed."""

from __future__ import annotations

import secrets

from msgspec.structs import replace

from .errors import OssError
from .protocol import Call, Response, Tree, document, iso, read_document
from .state import Bucket, Store, Worm

_GRACE = 24 * 3600  # an InProgress policy that nobody locks lapses
_MOST_DAYS = 25550  # 70 years


def current(store: Store, bucket: Bucket) -> Worm | None:
    worm = bucket.worm
    if worm is not None and worm.state == "InProgress" and store.clock() > worm.created + _GRACE:
        bucket.worm = worm = None
    return worm


def _found(store: Store, call: Call) -> tuple[Bucket, Worm]:
    bucket = store.bucket(call.bucket)
    worm = current(store, bucket)
    if worm is None or call.params.get("wormId", worm.id) != worm.id:
        raise OssError("NoSuchWORMConfiguration", BucketName=call.bucket)
    return bucket, worm


def _days(call: Call, root: str) -> int:
    tree = read_document(call.body.bytes())
    days = tree.findtext("RetentionPeriodInDays") or ""
    if tree.tag != root or not days.isdecimal() or not 1 <= int(days) <= _MOST_DAYS:
        raise OssError("MalformedXML")
    return int(days)


def initiate(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    days = _days(call, "InitiateWormConfiguration")
    worm = current(store, bucket)
    if worm is not None and worm.state == "Locked":
        raise OssError("WORMConfigurationLocked", BucketName=call.bucket)
    bucket.worm = Worm(secrets.token_hex(16).upper(), "InProgress", days, store.clock())
    return Response(headers=((b"x-oss-worm-id", bucket.worm.id.encode()),))


def complete(store: Store, call: Call) -> Response:
    bucket, worm = _found(store, call)
    bucket.worm = replace(worm, state="Locked")
    return Response()


def extend(store: Store, call: Call) -> Response:
    """Only a locked policy, and only to more days."""
    bucket, worm = _found(store, call)
    days = _days(call, "ExtendWormConfiguration")
    if worm.state != "Locked" or days <= worm.days:
        raise OssError("InvalidWORMConfiguration", BucketName=call.bucket)
    bucket.worm = replace(worm, days=days)
    return Response()


def abort(store: Store, call: Call) -> Response:
    bucket, worm = _found(store, call)
    if worm.state == "Locked":
        raise OssError("WORMConfigurationLocked", BucketName=call.bucket)
    bucket.worm = None
    return Response(204)


def get(store: Store, call: Call) -> Response:
    _, worm = _found(store, call)
    fields: list[Tree] = [
        ("WormId", worm.id),
        ("State", worm.state),
        ("RetentionPeriodInDays", worm.days),
        ("CreationDate", iso(worm.created)),
    ]
    return Response(body=document("WormConfiguration", fields))
