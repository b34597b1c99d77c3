"""Bucket names, keys and ids of jobs: all about names, nothing about objects.

OSS normalises no key: `a/../b`, `%2e` and upper case are names like any other, so all comparisons here are of
the exact string.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
from urllib.parse import unquote, unquote_to_bytes

import msgspec

from osscopy.model import Command, Continue, CopyRequest, Refused, Rest

MAX_KEY_BYTES = 1023
SCHEME = "oss://"
# Patterns of the whole text, without anchors; the OpenAPI document is made of the same ones.
BUCKET = r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"
COPY_JOB = r"c-[0-9a-f]{32}(?:-[0-9a-f]{32})?"  # the second number: of the job of many it belongs to
BULK_JOB = r"b-[0-9a-f]{32}"
JOB = rf"(?:{COPY_JOB}|{BULK_JOB})"
LIST = r"l-[0-9a-f]{32}"


@functools.lru_cache(1000)  # jobs of many objects have few buckets; what is refused is not kept
def check_bucket(name: str, field: str) -> None:
    """Refuse a name that OSS takes for no bucket; host names and paths are refused with it."""
    if is_address(name):
        bucket, key = split_address(name)
        rest = f", and {key!r} as the key" if key else ""
        text = f"{name[:80]!r} is an address: write {bucket[:80]!r} as the bucket{rest}"
        raise Refused("InvalidBucketName", text[:300], field=field)
    if not re.fullmatch(BUCKET, name):
        raise Refused(
            "InvalidBucketName",
            f"{name[:80]!r} is no bucket name: 3 to 63 lower-case letters, digits and hyphens",
            field=field,
        )


def is_address(text: str) -> bool:
    """Return whether `text` is an object as command line tools write it: `oss://bucket/key`."""
    return text[: len(SCHEME)].lower() == SCHEME


def split_address(text: str) -> tuple[str, str]:
    """Return the bucket and the key of an address; each may be empty."""
    bucket, _, key = text[len(SCHEME) :].partition("/")
    return bucket, key


def check_no_address(key: str, field: str) -> None:
    """Refuse a key that is written as an address; only a rule copies objects with such names."""
    if is_address(key):
        bucket, rest = split_address(key)
        text = (
            f"{key[:80]!r} is an address: write {rest[:80]!r} as the key, and {bucket[:80]!r} as the bucket"
        )
        raise Refused("InvalidKey", text, field=field)


def check_key(key: str, field: str) -> None:
    """Refuse a key that OSS cannot hold, and `.` and `..`, which HTTP clients remove from a path."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise Refused("InvalidKey", "the key is not valid Unicode", field=field) from None
    if not 1 <= size <= MAX_KEY_BYTES:
        raise Refused(
            "InvalidKey", f"a key has 1 to {MAX_KEY_BYTES} bytes of UTF-8, this one {size}", field=field
        )
    if key[0] in "/\\":
        raise Refused("InvalidKey", f"OSS takes no key that begins with {key[0]}", field=field)
    if key in {".", ".."}:
        raise Refused("InvalidKey", f"{key!r} cannot be addressed over HTTP", field=field)
    if "\0" in key:
        raise Refused("InvalidKey", "the key contains a NUL character", field=field)


def readings(key: str) -> tuple[str, ...]:
    """Return the keys that the text of an event may stand for, the likeliest first, each once.

    OSS does not document whether keys come raw or URL-encoded: the text itself, unquoted, and unquoted with
    `+` for a blank. A text that is no UTF-8 when it is unquoted was not quoted.
    """
    found = [key]
    for text in (key, key.replace("+", " ")):
        with contextlib.suppress(UnicodeError):
            found.append(unquote_to_bytes(text).decode())
    return tuple(dict.fromkeys(found))


def is_guess(key: str, reading: str) -> bool:
    """Return whether a reading of `key` takes `+` for a blank: only the object's ETag proves that."""
    return reading not in {key, unquote(key)}


def job_id(request: CopyRequest, occurrence: str) -> str:
    """Return `c-` and a hash of the request and its occurrence: an event delivered again is the same job.

    The first of its 32 hex digits are a hash of the destination alone (`job_group`).
    """
    canonical = msgspec.json.encode([request, occurrence], order="sorted")
    group = job_group(request)
    return group + hashlib.sha256(canonical).hexdigest()[: 34 - len(group)]


def job_group(request: CopyRequest) -> str:
    """Return how the ids of all jobs with this destination begin, so that one listing finds them."""
    destination = f"{request.destination.bucket}/{request.destination.key}"
    return "c-" + hashlib.sha256(destination.encode()).hexdigest()[:12]


def first_task(job: str) -> str:
    """Return the name of the invocation that begins a copy."""
    return f"{job}-g0-l1-h1"


def task_id(task: Command | Rest) -> str:
    """Return the name of an invocation for FC, which takes each name once."""
    if isinstance(task, Rest):
        return f"{task.list}-g{task.generation}" + f"-d{task.drops}" * bool(task.drops)
    lane, hop = (task.lane, task.hop) if isinstance(task, Continue) else (1, 1)
    return f"{task.job}-g{task.generation}-l{lane}-h{hop}"


class Pattern(msgspec.Struct, frozen=True):
    """One entry of an allow list: a bucket and a key, or a key prefix (`bucket/prefix*`)."""

    bucket: str
    key: str
    is_prefix: bool

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read `bucket/key` or `bucket/prefix*`; a bare bucket is refused, since it names no key."""
        if is_address(text):
            raise Refused("InvalidPattern", f"{text!r} is an address: write {text[len(SCHEME) :]!r}")
        bucket, slash, key = text.partition("/")
        check_bucket(bucket, "bucket")
        if not slash or not key or "*" in key[:-1]:
            raise Refused("InvalidPattern", f"{text!r} is not of the form bucket/prefix* or bucket/key")
        return cls(bucket, key.removesuffix("*"), key.endswith("*"))

    def matches(self, bucket: str, key: str) -> bool:
        """Return whether the entry allows this object."""
        return bucket == self.bucket and (key.startswith(self.key) if self.is_prefix else key == self.key)
