"""Readings: sources disagree about OSS and FC here, and one of two answers counts.

`--reading NAME=a` or `=b` chooses one when the cloud starts, `"readings"` in `PUT /conditions` until these
are set again; without either, `a` counts. The servers ask for a name, not for who has chosen.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

Choice = Literal["a", "b"]
NOTES = "LOCAL_CLOUD_ASKED"  # a directory: each cloud notes there which readings were asked for, and when


class Reading(msgspec.Struct, frozen=True):
    """Two answers to one question; `a` is the default. A source is a client's suite, a page, or inference."""

    question: str
    a: str
    source_a: str
    b: str
    source_b: str


_CLIENTS = "suites of clients"
_PAGES = "documentation"
_INFERRED = "inferred"
READINGS: dict[str, Reading] = {
    "self-copy-metadata": Reading(
        "metadata that a copy of an object onto itself with COPY and other metadata does not name",
        "is gone",
        _CLIENTS,
        "is kept",
        _CLIENTS,
    ),
    "self-copy-acl": Reading(
        "the ACL of an object that is copied onto itself with REPLACE and without one",
        "is kept",
        _CLIENTS,
        "is default, as of every copy",
        _PAGES,
    ),
    "self-copy-encryption": Reading(
        "the encryption of an object that is copied onto itself without naming one",
        "is gone, as of every copy",
        _PAGES,
        "is kept",
        _INFERRED,
    ),
    "copy-storage-class": Reading(
        "the storage class of a copy that names none",
        "is the destination bucket's",
        _INFERRED,
        "is the source's",
        _INFERRED,
    ),
    "copy-limit": Reading(
        "the largest object that CopyObject moves",
        "has 5 GB, with another storage class 1 GB",
        _PAGES,
        "has 1 GB",
        "older documentation",
    ),
    "copy-crc64": Reading(
        "x-oss-hash-crc64ecma in the answer of CopyObject", "is there", _CLIENTS, "is missing", _PAGES
    ),
    "copied-part-crc64": Reading(
        "HashCrc64ecma in ListParts of parts that were copied",
        "is told",
        "inferred from parts that were uploaded",
        "is not told",
        _INFERRED,
    ),
    "appendable-part-copy": Reading(
        "an appendable object as the source of UploadPartCopy",
        "is taken",
        _PAGES,
        "is refused",
        "older documentation",
    ),
    "empty-object-acl": Reading(
        "an empty x-oss-object-acl", "means default", _CLIENTS, "is an InvalidArgument", _PAGES
    ),
    "append-acl": Reading(
        "x-oss-object-acl of a second append", "counts", _CLIENTS, "does not, as its metadata do not", _PAGES
    ),
    "complete-location": Reading(
        "Location of CompleteMultipartUpload", "is percent-encoded", _CLIENTS, "is not", _PAGES
    ),
    "no-parts-marker": Reading(
        "NextPartNumberMarker of a list without parts", "is empty", _CLIENTS, "is 0", _INFERRED
    ),
    "put-conditions": Reading(
        "PutObject with If-Match and the like", "fails", _CLIENTS, "succeeds: they are ignored", _PAGES
    ),
    "kms-key-id": Reading(
        "a KMS key id that cannot be one, with an object",
        "is refused",
        _CLIENTS,
        "is taken, as for buckets",
        _INFERRED,
    ),
    "restore-days": Reading(
        "a restoration for more days than its class allows", "is refused", _CLIENTS, "is taken", _INFERRED
    ),
    "client-side-size": Reading(
        "parts that do not make up client-side-encryption-data-size",
        "are not completed",
        _CLIENTS,
        "are completed",
        _INFERRED,
    ),
    "several-ranges": Reading(
        "of several ranges", "the first counts", _CLIENTS, "none counts: the whole object comes", _PAGES
    ),
    "foreign-token": Reading(
        "an ordinary access key with a token",
        "is refused as InvalidAccessKeyId",
        _CLIENTS,
        "is refused as InvalidSecurityToken",
        _PAGES,
    ),
    "url-missing-header": Reading(
        "a V4 URL that lists a header which is missing",
        "is refused with 400 InvalidArgument",
        _CLIENTS,
        "is refused with 403 SignatureDoesNotMatch",
        _PAGES,
    ),
    "lifecycle-overlap": Reading(
        "lifecycle rules whose prefixes overlap", "are refused", _CLIENTS, "are taken", _PAGES
    ),
    "event-key": Reading(
        "the key in the event of an OSS trigger",
        "stands as it is",
        "samples of events",
        "is URL-encoded",
        _INFERRED,
    ),
    "cloud-event": Reading(
        "bucket and object in an event through EventBridge",
        "stand under data",
        "samples of events",
        "stand under data.oss",
        _INFERRED,
    ),
    "task-id-twice": Reading(
        "the status of a task id that was used before",
        "is 409",
        "callers' reports",
        "is 400",
        "a page of FC's",
    ),
    "payload-too-large": Reading(
        "the status of an event that is too large",
        "is 413",
        "callers' reports",
        "is 400",
        "FC's page of error codes",
    ),
}


def check(chosen: Mapping[str, str]) -> None:
    """ValueError for a name that is none, or a choice other than a and b."""
    for name, choice in chosen.items():
        if name not in READINGS:
            raise ValueError(f"there is no reading {name!r}; there are {', '.join(READINGS)}")
        if choice not in {"a", "b"}:
            raise ValueError(f"reading {name!r} is a or b, not {choice!r}")


def parsed(words: Iterable[str]) -> dict[str, Choice]:
    """`NAME=a|b` of a command line; ValueError for anything else."""
    chosen = dict(word.partition("=")[::2] for word in words)
    check(chosen)
    return {name: "b" if choice == "b" else "a" for name, choice in chosen.items()}


class _Noting(frozenset[str]):
    """A set that notes for what it was asked, so that `make readings` need not run tests that never ask."""

    def __contains__(self, name: object) -> bool:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        with Path(os.environ[NOTES], f"{worker}-{os.getpid()}.asked").open("a", encoding="utf-8") as notes:
            notes.write(f"{time.time()} {name}\n")
        return super().__contains__(name)


def second(*layers: Mapping[str, str]) -> frozenset[str]:
    """The names of which `b` counts; a later layer goes before an earlier one."""
    chosen = {name: choice for layer in layers for name, choice in layer.items()}
    names = (name for name, choice in chosen.items() if choice == "b")
    return _Noting(names) if NOTES in os.environ else frozenset(names)


def markdown() -> str:
    """The table in READINGS.md."""
    lines = [
        f"| `{name}` | {each.question} | {each.a} ({each.source_a}) | {each.b} ({each.source_b}) |"
        for name, each in READINGS.items()
    ]
    return "\n".join(["| reading | question | `a`, the default | `b` |", "|---|---|---|---|", *lines, ""])
