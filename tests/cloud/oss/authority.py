"""Which RAM actions a request needs, on which resources, and the refusal if they are not allowed.

The actions are those of OSS's documentation ("OSS authorization syntax and elements", and "Permissions" of
each operation): a request that names a version needs the action for versions as well, one that moves tags
those for tags. It must not know how a policy is evaluated, nor how an operation is carried out.

Where the documentation is silent the strict reading counts, so that a policy that suffices here suffices
there: an ACL that comes with a write needs PutObjectAcl; whatever is stored with KMS, because the request or
the bucket's default says so, needs both KMS actions, and reading its bytes needs kms:Decrypt, also to copy.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from . import copies, metadata
from .errors import OssError
from .protocol import Call, Response, read_document
from .state import Store
from .versions import Encryption, Version

_BUCKET_ACTIONS = {  # where the action is not named as the operation
    "HeadBucket": "GetBucketInfo",  # a guess
    "ListObjectsV2": "ListObjects",
    "PutBucketTags": "PutBucketTagging",
    "GetBucketTags": "GetBucketTagging",
    "DeleteBucketTags": "DeleteBucketTagging",
}
_READS = {"GetObject", "HeadObject", "GetObjectMeta", "GetSymlink"}
_WRITES = {
    "PutObject",
    "PostObject",
    "AppendObject",
    "PutSymlink",
    "InitiateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "CopyObject",
    "UploadPartCopy",
}
_COPIES = {"CopyObject", "UploadPartCopy"}
_MAKES_OBJECTS = {"PutObject", "PostObject", "AppendObject", "InitiateMultipartUpload", "CopyObject"}
_MAKES_PARTS = {"UploadPart", "UploadPartCopy"}  # encrypted as Initiate said
_ENCRYPTS = ("kms:GenerateDataKey", "kms:Decrypt")
_PLAIN = {"AbortMultipartUpload", "ListParts"}  # of an upload: no version, and the action is named so
_OF_VERSIONS = {  # operation: (action, action for a named version)
    "RestoreObject": ("RestoreObject", "RestoreObjectVersion"),
    "PutObjectACL": ("PutObjectAcl", "PutObjectVersionAcl"),
    "GetObjectACL": ("GetObjectAcl", "GetObjectVersionAcl"),
    "PutObjectTagging": ("PutObjectTagging", "PutObjectVersionTagging"),
    "GetObjectTagging": ("GetObjectTagging", "GetObjectVersionTagging"),
    "DeleteObjectTagging": ("DeleteObjectTagging", "DeleteObjectVersionTagging"),
}
_SHOWS_TAGS = {"GetObject", "HeadObject"}
_TAG_COUNT = b"x-oss-tagging-count"
_ECS = {  # as OSS documents them, each on a page of its own
    "oss:GetObjectAcl": "0003-00000007",
    "oss:PutObjectTagging": "0003-00000905",
}


class Need(msgspec.Struct, frozen=True):
    action: str
    resource: str
    of_bucket: bool = False


def check(store: Store, call: Call) -> None:
    """AccessDenied if a policy of whoever asks leaves out an action that this request needs."""
    policy = store.accounts.policies.of(call.principal)
    if policy is None:
        return
    for need in needs(store, call):
        if not policy.allows(need.action, need.resource):
            raise _refusal(need)


def veil(store: Store, call: Call, response: Response) -> Response:
    """The answer without the number of tags, which only who may read tags is shown (HeadObject docs)."""
    if call.operation not in _SHOWS_TAGS or _may_read_tags(store, call):
        return response
    return msgspec.structs.replace(
        response, headers=tuple(item for item in response.headers if item[0] != _TAG_COUNT)
    )


def needs(store: Store, call: Call) -> Iterator[Need]:
    """Every action that the request needs."""
    name = call.operation
    if not call.key and name != "PostObject":
        yield from _of_bucket(store, call)
        return
    at = _object(store, call.bucket, call.key)
    version = "versionId" in call.params
    if name in _READS:
        yield from _with_version(at, "GetObject", "GetObjectVersion", version)
        if name == "GetObject":
            yield from _decryption(store, call.bucket, call.key, call.params.get("versionId"))
    elif name == "DeleteObject":
        yield Need("oss:DeleteObjectVersion" if version else "oss:DeleteObject", at)
    elif name in _OF_VERSIONS:
        yield from _with_version(at, *_OF_VERSIONS[name], version)
    elif name in _WRITES:
        if name in _COPIES:
            yield from _of_source(store, call, at)
        yield from _of_write(store, call, at)
    elif name in _PLAIN:
        yield Need(f"oss:{name}", at)
    else:
        raise OssError("NotImplemented", f"No RAM action is known for {name}.", Operation=name)


def _of_bucket(store: Store, call: Call) -> Iterator[Need]:
    if not call.bucket:
        account = store.accounts.account_id
        yield Need(f"oss:{call.operation}", f"acs:oss:oss-{store.region}:{account}:*", of_bucket=True)
    elif call.operation == "DeleteMultipleObjects":
        for item in read_document(call.body.bytes()).findall("Object"):
            action = "oss:DeleteObjectVersion" if item.findtext("VersionId") else "oss:DeleteObject"
            yield Need(action, _object(store, call.bucket, item.findtext("Key") or ""))
    else:
        at = _bucket(store, call.bucket)
        name = _BUCKET_ACTIONS.get(call.operation, call.operation)
        yield Need(f"oss:{name}", at, of_bucket=True)
        if call.operation == "PutBucket" and call.header(b"x-oss-acl") is not None:
            yield Need("oss:PutBucketAcl", at, of_bucket=True)


def _of_source(store: Store, call: Call, destination: str) -> Iterator[Need]:
    """Reading the source, and its tags if they come along; these are then written to the destination."""
    bucket, key, version_id = copies.source_name(call)
    at, version = _object(store, bucket, key), version_id is not None
    yield from _with_version(at, "GetObject", "GetObjectVersion", version)
    yield from _decryption(store, bucket, key, version_id)
    if call.operation == "CopyObject" and not _retagged(call) and _has_tags(store, bucket, key, version_id):
        yield from _with_version(at, "GetObjectTagging", "GetObjectVersionTagging", version)
        yield Need("oss:PutObjectTagging", destination)


def _of_write(store: Store, call: Call, at: str) -> Iterator[Need]:
    yield Need("oss:PutObject", at)
    if call.header(b"x-oss-tagging") and (call.operation != "CopyObject" or _retagged(call)):
        yield Need("oss:PutObjectTagging", at)
    if call.header(b"x-oss-object-acl") is not None:
        yield Need("oss:PutObjectAcl", at)
    yield from _of_key(store, _stored_encryption(store, call), *_ENCRYPTS)


def _stored_encryption(store: Store, call: Call) -> Encryption | None:
    """How OSS will store what this request brings; the operation itself refuses what makes no sense."""
    bucket = store.buckets.get(call.bucket)
    if bucket is None:
        return None
    if call.operation in _MAKES_PARTS:
        upload = bucket.uploads.get(call.params.get("uploadId", ""))
        return upload.blank.encryption if upload else None
    if call.operation not in _MAKES_OBJECTS:
        return None
    try:
        return metadata.encryption(call, bucket.encryption)
    except OssError:
        return None


def _decryption(store: Store, bucket: str, key: str, version_id: str | None) -> Iterator[Need]:
    version = _found(store, bucket, key, version_id)
    return _of_key(store, version.encryption if version else None, "kms:Decrypt")


def _of_key(store: Store, encryption: Encryption | None, *actions: str) -> Iterator[Need]:
    if encryption is not None and encryption.algorithm == "KMS":
        key = f"acs:kms:{store.region}:{store.accounts.account_id}:key/{encryption.key_id}"
        yield from (Need(action, key) for action in actions)


def _retagged(call: Call) -> bool:
    return (call.header(b"x-oss-tagging-directive") or "").lower() == "replace"


def _has_tags(store: Store, bucket: str, key: str, version_id: str | None) -> bool:
    version = _found(store, bucket, key, version_id)
    return version is not None and bool(version.tags)


def _found(store: Store, bucket: str, key: str, version_id: str | None) -> Version | None:
    """None for what is missing: the operation says so."""
    try:
        return store.bucket(bucket).find(key, version_id)
    except OssError:
        return None


def _may_read_tags(store: Store, call: Call) -> bool:
    """Whether a policy of whoever asks lets it; an ACL lets no stranger read tags, a bucket's policy may."""
    bucket = store.bucket(call.bucket)
    if store.is_stranger(call.principal, bucket) and not bucket.granted:
        return False
    policy = store.accounts.policies.of(call.principal)
    at = _object(store, call.bucket, call.key)
    reads = _with_version(at, "GetObjectTagging", "GetObjectVersionTagging", "versionId" in call.params)
    return policy is None or all(policy.allows(need.action, need.resource) for need in reads)


def _with_version(at: str, action: str, of_version: str, version: bool) -> Iterator[Need]:
    yield Need(f"oss:{action}", at)
    if version:
        yield Need(f"oss:{of_version}", at)


def _bucket(store: Store, name: str) -> str:
    bucket = store.buckets.get(name)
    region, owner = (bucket.region, bucket.owner) if bucket else (store.region, store.accounts.account_id)
    return f"acs:oss:oss-{region}:{owner}:{name}"


def _object(store: Store, bucket: str, key: str) -> str:
    return f"{_bucket(store, bucket)}/{key}"


def _refusal(need: Need) -> OssError:
    if need.action.startswith("kms:"):
        return OssError("AccessDenied", "This request is forbidden by kms", ec="0003-00000801")
    if need.of_bucket:
        return OssError("AccessDenied", "The bucket you access does not belong to you.")
    ec = _ECS.get(need.action)
    return OssError("AccessDenied", "You have no right to access this object.", ec=ec)
