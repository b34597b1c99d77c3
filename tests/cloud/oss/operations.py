"""The table of operations: what a method and a subresource mean, and who carries it out.

An entry without a handler is answered 501 with the operation's name; the table in
tests/cloud/OPERATIONS.md is made from this one. It must not know how requests arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, cast

import msgspec

from . import buckets, copies, forms, lifecycle, listing, multipart, objects, worm
from .errors import OssError
from .protocol import Call, Request, Response
from .state import Store

Handler = Callable[[Store, Call], Response]
Level = Literal["service", "bucket", "object"]
Entry = tuple[Level, str, str]


def not_implemented(_: Store, call: Call) -> Response:
    """Nothing is silently accepted."""
    raise OssError("NotImplemented", f"{call.operation} is not implemented.", Operation=call.operation)


class Operation(msgspec.Struct, frozen=True):
    """`access`: what an anonymous caller needs, an ACL that lets read or write; a "form" is signed inside."""

    name: str
    handler: Handler = not_implemented
    access: Literal["read", "write", "owner", "form"] = "owner"


def _read(name: str, handler: Handler) -> Operation:
    return Operation(name, handler, "read")


def _write(name: str, handler: Handler) -> Operation:
    return Operation(name, handler, "write")


# (level, method, subresource); "" is the request without one.
TABLE: dict[Entry, Operation] = {
    ("service", "GET", ""): Operation("ListBuckets", buckets.list_buckets),
    ("service", "GET", "regionList"): Operation("ListBuckets", buckets.list_buckets),
    ("bucket", "PUT", ""): Operation("PutBucket", buckets.put_bucket),
    ("bucket", "GET", ""): _read("ListObjects", listing.list_objects),
    ("bucket", "HEAD", ""): _read("HeadBucket", buckets.head_bucket),
    ("bucket", "DELETE", ""): Operation("DeleteBucket", buckets.delete_bucket),
    ("bucket", "GET", "versions"): _read("ListObjectVersions", listing.list_versions),
    ("bucket", "GET", "uploads"): Operation("ListMultipartUploads", multipart.list_uploads),
    ("bucket", "GET", "bucketInfo"): Operation("GetBucketInfo", buckets.get_bucket_info),
    ("bucket", "GET", "location"): Operation("GetBucketLocation", buckets.get_location),
    ("bucket", "GET", "stat"): Operation("GetBucketStat", buckets.get_stat),
    ("bucket", "PUT", "acl"): Operation("PutBucketAcl", buckets.put_bucket_acl),
    ("bucket", "GET", "acl"): Operation("GetBucketAcl", buckets.get_bucket_acl),
    ("bucket", "PUT", "requestPayment"): Operation("PutBucketRequestPayment", buckets.put_request_payment),
    ("bucket", "GET", "requestPayment"): Operation("GetBucketRequestPayment", buckets.get_request_payment),
    ("bucket", "PUT", "versioning"): Operation("PutBucketVersioning", buckets.put_versioning),
    ("bucket", "GET", "versioning"): Operation("GetBucketVersioning", buckets.get_versioning),
    ("bucket", "PUT", "encryption"): Operation("PutBucketEncryption", buckets.put_encryption),
    ("bucket", "GET", "encryption"): Operation("GetBucketEncryption", buckets.get_encryption),
    ("bucket", "DELETE", "encryption"): Operation("DeleteBucketEncryption", buckets.delete_encryption),
    ("bucket", "PUT", "tagging"): Operation("PutBucketTags", buckets.put_bucket_tagging),
    ("bucket", "GET", "tagging"): Operation("GetBucketTags", buckets.get_bucket_tagging),
    ("bucket", "DELETE", "tagging"): Operation("DeleteBucketTags", buckets.delete_bucket_tagging),
    ("bucket", "POST", "worm"): Operation("InitiateBucketWorm", worm.initiate),
    ("bucket", "POST", "wormId"): Operation("CompleteBucketWorm", worm.complete),
    ("bucket", "POST", "wormExtend"): Operation("ExtendBucketWorm", worm.extend),
    ("bucket", "DELETE", "worm"): Operation("AbortBucketWorm", worm.abort),
    ("bucket", "GET", "worm"): Operation("GetBucketWorm", worm.get),
    ("bucket", "PUT", "lifecycle"): Operation("PutBucketLifecycle", lifecycle.put),
    ("bucket", "GET", "lifecycle"): Operation("GetBucketLifecycle", lifecycle.get),
    ("bucket", "DELETE", "lifecycle"): Operation("DeleteBucketLifecycle", lifecycle.delete),
    ("bucket", "GET", "live"): Operation("ListLiveChannel", buckets.list_live_channels),
    ("bucket", "POST", "delete"): _write("DeleteMultipleObjects", buckets.delete_multiple),
    ("bucket", "POST", ""): Operation("PostObject", forms.post_object, "form"),
    ("object", "PUT", ""): _write("PutObject", objects.put_object),
    ("object", "GET", ""): _read("GetObject", objects.get_object),
    ("object", "HEAD", ""): _read("HeadObject", objects.head_object),
    ("object", "DELETE", ""): _write("DeleteObject", objects.delete_object),
    # oss2 carries parameters of one call over to the next: its tests delete with `?symlink&versionId=…`
    ("object", "DELETE", "symlink"): _write("DeleteObject", objects.delete_object),
    ("object", "HEAD", "objectMeta"): _read("GetObjectMeta", objects.get_object_meta),
    ("object", "GET", "objectMeta"): _read("GetObjectMeta", objects.get_object_meta_by_get),
    ("object", "POST", "append"): _write("AppendObject", objects.append_object),
    ("object", "POST", "restore"): _write("RestoreObject", objects.restore_object),
    ("object", "PUT", "symlink"): _write("PutSymlink", objects.put_symlink),
    ("object", "GET", "symlink"): _read("GetSymlink", objects.get_symlink),
    ("object", "PUT", "acl"): Operation("PutObjectACL", objects.put_object_acl),
    ("object", "GET", "acl"): Operation("GetObjectACL", objects.get_object_acl),
    ("object", "PUT", "tagging"): Operation("PutObjectTagging", objects.put_object_tagging),
    ("object", "GET", "tagging"): Operation("GetObjectTagging", objects.get_object_tagging),
    ("object", "DELETE", "tagging"): Operation("DeleteObjectTagging", objects.delete_object_tagging),
    ("object", "POST", "uploads"): _write("InitiateMultipartUpload", multipart.initiate),
    ("object", "PUT", "partNumber"): _write("UploadPart", multipart.upload_part),
    ("object", "POST", "uploadId"): _write("CompleteMultipartUpload", multipart.complete),
    ("object", "DELETE", "uploadId"): _write("AbortMultipartUpload", multipart.abort),
    ("object", "GET", "uploadId"): _write("ListParts", multipart.list_parts),
}

# What OSS also does: answered 501 with the operation's name.
_OTHERS = """
    service GET regions:DescribeRegions publicAccessBlock:GetPublicAccessBlock
        accessPoint:ListAccessPoints resourcePool:ListResourcePools resourcePoolInfo:GetResourcePoolInfo
        requesterQosInfo:GetRequesterQoSInfo qosInfo:GetUserQoSInfo qosRequester:ListUserQoSRequesters
    service PUT publicAccessBlock:PutPublicAccessBlock
    service DELETE publicAccessBlock:DeletePublicAccessBlock
    service POST x-oss-write-get-object-response:WriteGetObjectResponse
    bucket PUT website:PutBucketWebsite cors:PutBucketCors referer:PutBucketReferer logging:PutBucketLogging
        policy:PutBucketPolicy inventory:PutBucketInventory
        qos:SetBucketStorageCapacity qosInfo:PutBucketQoSInfo requesterQosInfo:PutBucketRequesterQoSInfo
        transferAcceleration:PutBucketTransferAcceleration accessmonitor:PutBucketAccessMonitor
        resourceGroup:PutBucketResourceGroup style:PutStyle httpsConfig:PutBucketHttpsConfig
        bucketArchiveDirectRead:PutBucketArchiveDirectRead accessPoint:CreateAccessPoint
        accessPointPolicy:PutAccessPointPolicy publicAccessBlock:PutBucketPublicAccessBlock
        notification:PutBucketEventNotification rtc:PutBucketRTC
    bucket GET website:GetBucketWebsite cors:GetBucketCors referer:GetBucketReferer logging:GetBucketLogging
        policy:GetBucketPolicy policyStatus:GetBucketPolicyStatus
        inventory:GetBucketInventory qos:GetBucketStorageCapacity qosInfo:GetBucketQoSInfo
        requesterQosInfo:GetBucketRequesterQoSInfo qosRequester:ListBucketRequesterQoSInfos
        transferAcceleration:GetBucketTransferAcceleration accessmonitor:GetBucketAccessMonitor
        resourceGroup:GetBucketResourceGroup style:GetStyle httpsConfig:GetBucketHttpsConfig
        bucketArchiveDirectRead:GetBucketArchiveDirectRead accessPoint:GetAccessPoint
        accessPointPolicy:GetAccessPointPolicy publicAccessBlock:GetBucketPublicAccessBlock
        replication:GetBucketReplication replicationLocation:GetBucketReplicationLocation
        replicationProgress:GetBucketReplicationProgress cname:ListCname metaQuery:GetMetaQueryStatus
        redundancyTransition:ListBucketDataRedundancyTransition group:GetBucketGroup vod:GetVodPlaylist
        asyncFetch:GetAsyncFetchTask notification:GetBucketEventNotification
    bucket POST asyncFetch:PutAsyncFetchTask cname:PutCname metaQuery:DoMetaQuery
        replication:PutBucketReplication
        redundancyTransition:CreateBucketDataRedundancyTransition comp:CreateCnameToken rtc:PutBucketRTC
    bucket DELETE website:DeleteBucketWebsite cors:DeleteBucketCors logging:DeleteBucketLogging
        policy:DeleteBucketPolicy inventory:DeleteBucketInventory qosInfo:DeleteBucketQoSInfo
        requesterQosInfo:DeleteBucketRequesterQoSInfo style:DeleteStyle accessPoint:DeleteAccessPoint
        accessPointPolicy:DeleteAccessPointPolicy publicAccessBlock:DeleteBucketPublicAccessBlock
        redundancyTransition:DeleteBucketDataRedundancyTransition notification:DeleteBucketEventNotification
    object PUT live:PutLiveChannel
    object GET live:GetLiveChannelInfo vod:GetVodPlaylist x-oss-process:ProcessImage
    object POST x-oss-process:ProcessObject x-oss-async-process:AsyncProcessObject vod:PostVodPlaylist
        asyncFetch:PutAsyncFetchTask cleanRestoredObject:CleanRestoredObject seal:SealAppendObject
    object DELETE live:DeleteLiveChannel
"""


def _not_implemented() -> Iterator[tuple[Entry, Operation]]:
    level: Level = "service"
    method = ""
    for word in _OTHERS.split():
        subresource, colon, name = word.partition(":")
        if colon:
            yield (level, method, subresource), Operation(name)
        elif word in {"service", "bucket", "object"}:
            level = cast("Level", word)
        else:
            method = word


TABLE.update(_not_implemented())
TABLE["bucket", "OPTIONS", ""] = Operation("OptionObject")
TABLE["object", "OPTIONS", ""] = Operation("OptionObject")

# Headers and parameters that ask an operation for something that is not done here.
_REFUSED_HEADERS = {b"x-oss-callback": "callbacks"}
_REFUSED_PARAMS = {
    "callback": "callbacks",
    "x-oss-process": "image processing",
    "x-oss-access-point-name": "access points",
}

LIST_OBJECTS_V2 = _read("ListObjectsV2", listing.list_objects_v2)
COPY_OBJECT = _write("CopyObject", copies.copy_object)
UPLOAD_PART_COPY = _write("UploadPartCopy", copies.upload_part_copy)

_SUBRESOURCES = {
    level: {sub for owner, _, sub in TABLE if owner == level and sub}
    for level in ("service", "bucket", "object")
}


def refuse_extras(request: Request) -> None:
    """Nothing is silently accepted: what would change an operation and is not done here is a 501."""
    for name, what in _REFUSED_PARAMS.items():
        if name in request.params:
            raise OssError("NotImplemented", f"Not implemented: {what}.", Argument=name)
    for header, what in _REFUSED_HEADERS.items():
        if header in request.headers:
            raise OssError("NotImplemented", f"Not implemented: {what}.", Argument=header.decode())


def resolve(request: Request) -> Operation:
    """The operation a request means."""
    level: Level = "object" if request.key else "bucket" if request.bucket else "service"
    known = _SUBRESOURCES[level]
    found = ""
    for name in request.params:
        if name in known:
            operation = TABLE.get((level, request.method, name))
            if operation is not None:
                return _variant(operation, request)
            found = name
    operation = TABLE.get((level, request.method, found)) if not found else None
    if operation is None:
        raise OssError("MethodNotAllowed", Method=request.method, ResourceType=found or level)
    return _variant(operation, request)


def _variant(operation: Operation, request: Request) -> Operation:
    """What a header or a value makes of it."""
    if b"x-oss-copy-source" in request.headers:
        if operation.name == "UploadPart":
            return UPLOAD_PART_COPY
        if operation.name == "PutObject":
            return COPY_OBJECT
    if operation.name == "CompleteBucketWorm" and "wormExtend" in request.params:
        return TABLE["bucket", "POST", "wormExtend"]
    if operation.name == "ListObjects" and request.params.get("list-type") == "2":
        return LIST_OBJECTS_V2
    return operation
