"""The tables of operations in tests/cloud/OPERATIONS.md, made from the table the server works by.

`python -m tests.cloud.oss.table` writes them; a test checks that they are up to date.
"""

from __future__ import annotations

from pathlib import Path

from tests.clients import exchanges

from .operations import COPY_OBJECT, LIST_OBJECTS_V2, TABLE, UPLOAD_PART_COPY, not_implemented

DOCUMENT = Path(__file__).parent.parent / "OPERATIONS.md"
_BEGIN, _END = "<!-- operations: begin -->\n", "<!-- operations: end -->\n"


# What oss2's own tests ask of the server, as counted while they ran.
_BY_OSS2 = """
    ListBuckets PutBucket DeleteBucket GetBucketInfo GetBucketLocation GetBucketStat PutBucketAcl
    GetBucketAcl PutBucketVersioning GetBucketVersioning PutBucketEncryption GetBucketEncryption
    DeleteBucketEncryption PutBucketTags GetBucketTags DeleteBucketTags InitiateBucketWorm
    CompleteBucketWorm ExtendBucketWorm AbortBucketWorm GetBucketWorm PutBucketLifecycle
    GetBucketLifecycle DeleteBucketLifecycle ListLiveChannel ListObjects ListObjectsV2
    ListObjectVersions ListMultipartUploads DeleteMultipleObjects PutObject GetObject HeadObject
    DeleteObject GetObjectMeta AppendObject RestoreObject PutSymlink GetSymlink PutObjectACL
    GetObjectACL PutObjectTagging GetObjectTagging DeleteObjectTagging CopyObject
    InitiateMultipartUpload UploadPart UploadPartCopy CompleteMultipartUpload AbortMultipartUpload
    ListParts
"""
# What other suites assert, of which it is not recorded whose they are.
_BY_OTHERS = ("HeadBucket",)
# What of an operation nobody has said: a guess.
GUESSES = {
    "HeadBucket": "its RAM action",
    "CopyObject": "the class of a copy that names none",
    "PutObject": "the codes for conditions of a read and for a KMS key id that cannot be one",
    "CompleteMultipartUpload": "the code where parts are not what a client has encrypted",
    "GetObjectMeta": "the length in the answer to a GET",
}


def by_clients() -> dict[str, list[str]]:
    """The clients that ask for each operation: those whose exchanges are recorded, and oss2's own tests."""
    found: dict[str, list[str]] = {}
    for name, recorded in exchanges.read().items():
        asked = {each.operation for one in recorded.sequences for each in one.exchanges if not each.by_helper}
        for operation in asked - {""}:
            found.setdefault(operation, []).append(name)
    for operation in _BY_OSS2.split():
        found.setdefault(operation, []).append("oss2's tests")
    for operation in _BY_OTHERS:
        found.setdefault(operation, []).append("suites of others")
    return found


def known(operation: str, clients: dict[str, list[str]], *, done: bool) -> str:
    """Say how an operation is known, by clients or the documentation alone, and what of it is a guess."""
    if operation in clients:
        how = f"client: {', '.join(clients[operation])}"
    else:
        how = "documentation" if done else "documentation: the name alone"
    return f"{how}; guess: {GUESSES[operation]}" if operation in GUESSES else how


def rows() -> list[tuple[str, str, str]]:
    """(operation, request, supported or 501) in the order of the server's table, what is done first."""
    requests: dict[str, list[str]] = {}
    done = {}
    for (level, method, subresource), operation in TABLE.items():
        path = {"service": "/", "bucket": "/bucket", "object": "/bucket/key"}[level]
        requests.setdefault(operation.name, []).append(
            f"{method} {path}{'?' + subresource if subresource else ''}"
        )
        done[operation.name] = operation.handler is not not_implemented
    for operation, of, how in (
        (COPY_OBJECT, "PutObject", "x-oss-copy-source"),
        (UPLOAD_PART_COPY, "UploadPart", "x-oss-copy-source"),
        (LIST_OBJECTS_V2, "ListObjects", "list-type=2"),
    ):
        requests[operation.name] = [f"{requests[of][0]} with {how}"]
        done[operation.name] = True
    ordered = sorted(requests, key=lambda name: not done[name])
    return [(name, ", ".join(requests[name]), "supported" if done[name] else "501") for name in ordered]


def markdown() -> str:
    """Return two tables: what is done, and what is answered 501, with the clients that ask for it."""
    clients = by_clients()
    done = [
        f"| {name} | `{request}` | {known(name, clients, done=True)} |"
        for name, request, state in rows()
        if state == "supported"
    ]
    absent = [
        f"| {name} | `{request}` | {', '.join(clients.get(name, []))} |".replace("  ", " ")
        for name, request, state in rows()
        if state != "supported"
    ]
    supported = ["| supported | request | known by |", "|---|---|---|", *done, ""]
    others = ["| answered 501 | request | asked by |", "|---|---|---|", *absent, ""]
    return "\n".join([*supported, *others])


def renewed(text: str) -> str:
    """`text` with the tables between its marks as they should be."""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    return before + begin + "\n" + markdown() + "\n" + end + after


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text()))
