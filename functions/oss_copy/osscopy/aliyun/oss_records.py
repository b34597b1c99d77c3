"""The function's own small objects: the records of the journal, and the rules.

Knows that a refusal there is a wrong configuration, not a copy's failure; not what the objects say.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from osscopy.aliyun.bodies import listings
from osscopy.aliyun.oss_places import Place, on_bucket, on_object
from osscopy.aliyun.oss_transport import SMALL, Connection, Unless, translated
from osscopy.model import MIB, Conflict, Failed, Misconfigured, RecordPage, Source

MOST_RULES = MIB
_MOST = {
    "rest": 32 * MIB,
    "bulk": 32 * MIB,
}  # a list of copies, and the log of a range, by the first of their names


def read_text(connection: Connection, bucket: str, key: str) -> str:
    """Return a small text, such as the rules; Misconfigured if it cannot be read."""
    try:
        with translated(on_object("", Source(bucket, key), "GetObject")):
            answer = connection.bucket(bucket).small(key, MOST_RULES)
        body = answer.read()
        if (answer.headers.get("Content-Encoding") or "").lower() == "gzip":
            body = _unpacked(body, MOST_RULES)
        return body.decode()
    except (Failed, UnicodeDecodeError) as error:
        raise Misconfigured("UnreadableRules", f"COPY_RULES: oss://{bucket}/{key}: {error}") from error


def _unpacked(packed: bytes, most: int) -> bytes:
    """Return what gzip has packed, up to `most` bytes; Failed for more, and for what is not gzip."""
    unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        text = unpacking.decompress(packed, most + 1)
    except zlib.error as error:
        raise Failed("Damaged", f"it is not gzip, as its Content-Encoding says: {error}") from error
    if len(text) > most or not unpacking.eof:
        raise Failed("TooLarge", f"it has more than {most} bytes when it is unpacked, or is not all there")
    return text


def most_bytes(name: str) -> int:
    """Return the bytes of a record at most; those of single copies are small, as `plan` sees to."""
    return _MOST.get(name.partition("/")[0], SMALL)


class OssRecords:
    """The records of the journal, as small objects under `prefix` of the state bucket."""

    def __init__(self, connection: Connection, bucket: str, prefix: str) -> None:
        self._connection = connection
        self._name = bucket
        self._prefix = prefix

    def put_new(self, name: str, body: bytes) -> bool:
        key = self._prefix + name
        try:
            with _state(self._at(key, "PutObject")):
                version_id = self._connection.bucket(self._name).create(key, body)
        except Conflict:
            return False
        if version_id:
            # Under versioning OSS does not honour forbid-overwrite.
            raise Misconfigured(
                "VersionedStateBucket",
                "STATE_BUCKET is versioned, so that records could be overwritten: use one without versioning",
                field="STATE_BUCKET",
            )
        return True

    def put(self, name: str, body: bytes) -> None:
        key = self._prefix + name
        with _state(self._at(key, "PutObject")):
            self._connection.bucket(self._name).put_object(key, body).resp.read()

    def get(self, name: str) -> bytes | None:
        key = self._prefix + name
        with Unless("NoSuchKey"), _state(self._at(key, "GetObject")):
            return self._connection.bucket(self._name).read(key, most_bytes(name))
        return None

    def page(self, prefix: str, after: str, limit: int) -> RecordPage:
        prefix, after = self._prefix + prefix, self._prefix + after
        with _state(on_bucket(self._name, "oss:ListObjects")):
            bucket = self._connection.bucket(self._name)
            page = listings.page(bucket.listing(prefix, after, limit))
            entries = ((each.key.removeprefix(self._prefix), each.modified) for each in page.objects)
            return RecordPage(tuple(entries), page.seen_at)

    def delete(self, name: str) -> None:
        key = self._prefix + name
        with _state(self._at(key, "DeleteObject")):
            self._connection.bucket(self._name).remove(key)

    def _at(self, key: str, action: str) -> Place:
        return on_object("", Source(self._name, key), action)


@contextmanager
def _state(place: Place) -> Iterator[None]:
    """Turn a refusal of the state bucket into Misconfigured: it is not the copy's failure."""
    try:
        with translated(place):
            yield
    except Failed as error:
        if isinstance(error, Conflict) or error.code == "NoSuchKey":
            raise
        raise Misconfigured(
            error.code,
            f"STATE_BUCKET: {error.message}",
            field="STATE_BUCKET",
            request_id=error.request_id,
            status=error.status,
        ) from error
