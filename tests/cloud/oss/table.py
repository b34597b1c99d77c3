"""The table of operations in tests/cloud/README.md, made from the table the server works by.

`python -m tests.cloud.oss.table` writes it; a test checks that it is up to date.
"""

from __future__ import annotations

from pathlib import Path

from .operations import COPY_OBJECT, LIST_OBJECTS_V2, TABLE, UPLOAD_PART_COPY, not_implemented

README = Path(__file__).parent.parent / "README.md"
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
KNOWN = dict.fromkeys(_BY_OSS2.split(), "oss2's tests") | {
    "HeadBucket": "other clients; its RAM action is a guess",
    "PutBucketRequestPayment": "documentation",
    "GetBucketRequestPayment": "documentation",
    "PostObject": "documentation",
}


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
    lines = [f"| {name} | `{request}` | {state} | {KNOWN.get(name, '')} |" for name, request, state in rows()]
    return "\n".join(["| operation | request | | known by |", "|---|---|---|---|", *lines, ""])


def renewed(text: str) -> str:
    """`text` with the table between its marks as it should be."""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    return before + begin + "\n" + markdown() + "\n" + end + after


if __name__ == "__main__":
    README.write_text(renewed(README.read_text()))
