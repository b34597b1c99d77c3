"""Operations on buckets: making, finding and configuring them."""

from __future__ import annotations

import re
from collections import Counter
from xml.etree.ElementTree import Element

from . import metadata
from .errors import OssError
from .objects import remove
from .protocol import (
    Call,
    Response,
    Tree,
    check_bucket_name,
    check_key,
    document,
    encoder,
    iso,
    read_document,
)
from .state import Bucket, Store, check_version_id

BUCKET_ACLS = {"private", "public-read", "public-read-write"}
MOST_BUCKETS = 100
_REGION = re.compile(r"^(?:oss-)?([a-z]+-[a-z0-9-]+)$")


def _acl(call: Call, default: str) -> str:
    value = call.header(b"x-oss-acl")
    if value and value not in BUCKET_ACLS:
        raise OssError("InvalidArgument", "no such bucket access control exists", ArgumentName="x-oss-acl",
                       ArgumentValue=value)  # fmt: skip
    return value or default


def put_bucket(store: Store, call: Call) -> Response:
    """Idempotent for the owner; then only the ACL changes, if one is named."""
    check_bucket_name(call.bucket)
    bucket = store.buckets.get(call.bucket)
    acl = _acl(call, bucket.acl if bucket else "private")
    body = call.body.bytes()
    root = read_document(body) if body else None
    if root is not None and root.tag != "CreateBucketConfiguration":
        raise OssError("MalformedXML")
    if bucket is None:
        if len(store.buckets) >= MOST_BUCKETS * 10:  # the quota of 100 an account can have raised
            raise OssError("TooManyBuckets")
        bucket = store.create(call.bucket, call.region or None)
        bucket.encryption = metadata.asked_encryption(call)
        if root is not None:
            _configure(bucket, root)
    elif bucket.owner != store.accounts.account_id:
        raise OssError("BucketAlreadyExists", BucketName=call.bucket)
    bucket.acl = acl
    return Response(headers=((b"location", f"/{call.bucket}".encode()),))


def _configure(bucket: Bucket, root: Element) -> None:
    storage_class = root.findtext("StorageClass")
    if storage_class:
        if storage_class not in metadata.STORAGE_CLASSES:
            raise OssError("InvalidStorageClass", StorageClass=storage_class)
        bucket.storage_class = storage_class
    bucket.redundancy = root.findtext("DataRedundancyType") or "LRS"
    location = root.findtext("LocationConstraint")
    match = _REGION.match(location) if location else None
    if match:
        bucket.region = match[1]


def delete_bucket(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    if bucket.objects:
        raise OssError("BucketNotEmpty", BucketName=call.bucket)
    if bucket.uploads:
        message = "The bucket has Multipart Uploads."
        raise OssError("BucketNotEmpty", message, BucketName=call.bucket)
    del store.buckets[call.bucket]
    return Response(204)


def list_buckets(store: Store, call: Call) -> Response:
    params = call.params
    most = call.number("max-keys", 100, 1, 1000)
    prefix, marker = params.get("prefix", ""), params.get("marker", "")
    own = [bucket for bucket in store.buckets.values() if bucket.owner == store.accounts.account_id]
    if "tag-key" in params:
        wanted = (params["tag-key"], params.get("tag-value", ""))
        own = [bucket for bucket in own if wanted in bucket.tags]
    names = sorted(bucket.name for bucket in own if bucket.name.startswith(prefix) and bucket.name > marker)
    shown = [store.buckets[name] for name in names[:most]]
    fields: list[Tree] = []
    if prefix or marker or "max-keys" in params:
        fields += [("Prefix", prefix), ("Marker", marker), ("MaxKeys", most)]
    fields.append(("IsTruncated", "true" if len(names) > most else "false"))
    if len(names) > most:
        fields.append(("NextMarker", shown[-1].name))
    fields.append(("Owner", _owner(store.accounts.account_id)))
    tagging = "tagging" in params
    fields.append(("Buckets", [("Bucket", _listed(store, bucket, tagging=tagging)) for bucket in shown]))
    return Response(body=document("ListAllMyBucketsResult", fields))


def _owner(account: str) -> list[Tree]:
    return [("ID", account), ("DisplayName", account)]


def _summary(store: Store, bucket: Bucket) -> list[Tree]:
    return [
        ("Location", f"oss-{bucket.region}"),
        ("Name", bucket.name),
        ("CreationDate", iso(bucket.created)),
        ("ExtranetEndpoint", store.address),
        ("IntranetEndpoint", store.address),
        ("StorageClass", bucket.storage_class),
        ("Region", bucket.region),
        ("ResourceGroupId", "rg-default"),
    ]


def _listed(store: Store, bucket: Bucket, *, tagging: bool) -> list[Tree]:
    """A bucket in the list of buckets, with its tags where they are asked for: `?tagging`."""
    tags: list[Tree] = [("Tag", [("Key", key), ("Value", value)]) for key, value in bucket.tags]
    shown: list[Tree] = [("Tagging", [("TagSet", tags)])] if tagging and tags else []
    return _summary(store, bucket) + shown


def get_bucket_info(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    rule: list[Tree] = [("SSEAlgorithm", bucket.encryption.algorithm if bucket.encryption else "None")]
    if bucket.encryption and bucket.encryption.key_id:
        rule.append(("KMSMasterKeyID", bucket.encryption.key_id))
    if bucket.encryption and bucket.encryption.data:
        rule.append(("KMSDataEncryption", bucket.encryption.data))
    fields = [
        *_summary(store, bucket),
        ("DataRedundancyType", bucket.redundancy),
        ("AccessMonitor", "Disabled"),
        ("Comment", ""),
        ("BlockPublicAccess", "false"),
        ("Owner", _owner(bucket.owner)),
        ("AccessControlList", [("Grant", bucket.acl)]),
        ("ServerSideEncryptionRule", rule),
        ("BucketPolicy", [("LogBucket", ""), ("LogPrefix", "")]),
    ]
    if bucket.versioning:
        fields.append(("Versioning", bucket.versioning))
    return Response(body=document("BucketInfo", [("Bucket", fields)]))


def get_location(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    return Response(body=document("LocationConstraint", f"oss-{bucket.region}"))


def get_stat(store: Store, call: Call) -> Response:
    """What the bucket holds now; the real figures lag by up to an hour."""
    bucket = store.bucket(call.bucket)
    sizes, counts = Counter[str](), Counter[str]()  # by storage class
    markers, latest = 0, 0.0
    for record, count in bucket.objects.counted():
        if count:
            latest = max(latest, record.modified)
        if record.like.marker:
            markers += count
        else:
            sizes[record.like.storage_class] += record.content.size * count
            counts[record.like.storage_class] += count
    fields: list[Tree] = [
        ("Storage", sizes.total()),
        ("ObjectCount", counts.total()),
        ("MultipartUploadCount", len(bucket.uploads)),
        ("LiveChannelCount", 0),
        ("LastModifiedTime", int(latest)),
    ]
    for storage_class in ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"):
        name = storage_class if storage_class != "IA" else "InfrequentAccess"
        fields.append((f"{name}Storage", sizes[storage_class]))
        if storage_class != "Standard":
            fields.append((f"{name}RealStorage", sizes[storage_class]))
        fields.append((f"{name}ObjectCount", counts[storage_class]))
    fields.append(("MultipartPartCount", sum(len(upload.parts) for upload in bucket.uploads.values())))
    fields.append(("DeleteMarkerCount", markers))
    return Response(body=document("BucketStat", fields))


def put_request_payment(store: Store, call: Call) -> Response:
    payer = read_document(call.body.bytes()).findtext("Payer")
    if payer not in {"BucketOwner", "Requester"}:
        raise OssError("MalformedXML")
    store.bucket(call.bucket).payer = payer
    return Response()


def get_request_payment(store: Store, call: Call) -> Response:
    fields: list[Tree] = [("Payer", store.bucket(call.bucket).payer)]
    return Response(body=document("RequestPaymentConfiguration", fields))


def put_bucket_acl(store: Store, call: Call) -> Response:
    """On a bucket that does not exist it is PutBucket (PutBucketAcl docs); without an ACL nothing changes."""
    if call.bucket not in store.buckets:
        return put_bucket(store, call)
    bucket = store.bucket(call.bucket)
    bucket.acl = _acl(call, bucket.acl)
    return Response(headers=((b"location", f"/{call.bucket}".encode()),))


def head_bucket(store: Store, call: Call) -> Response:
    """Whether it is there; in which region, some clients read of a header."""
    bucket = store.bucket(call.bucket)
    return Response(headers=((b"x-oss-bucket-region", bucket.region.encode()),))


def get_bucket_acl(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    fields: list[Tree] = [("Owner", _owner(bucket.owner)), ("AccessControlList", [("Grant", bucket.acl)])]
    return Response(body=document("AccessControlPolicy", fields))


def put_versioning(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    root = read_document(call.body.bytes())
    status = root.findtext("Status")
    if root.tag != "VersioningConfiguration" or status not in {"Enabled", "Suspended"}:
        raise OssError("MalformedXML")
    bucket.versioning = status
    return Response()


def get_versioning(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    fields: list[Tree] = [("Status", bucket.versioning)] if bucket.versioning else []
    return Response(body=document("VersioningConfiguration", fields))


def put_encryption(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    rule = read_document(call.body.bytes()).find("ApplyServerSideEncryptionByDefault")
    if rule is None:
        raise OssError("MalformedXML")
    bucket.encryption = metadata.make_encryption(
        rule.findtext("SSEAlgorithm") or "",
        rule.findtext("KMSMasterKeyID") or "",
        rule.findtext("KMSDataEncryption") or "",
    )
    return Response()


def get_encryption(store: Store, call: Call) -> Response:
    encryption = store.bucket(call.bucket).encryption
    if encryption is None:
        raise OssError("NoSuchServerSideEncryptionRule", BucketName=call.bucket)
    rule: list[Tree] = [("SSEAlgorithm", encryption.algorithm)]
    if encryption.key_id:
        rule.append(("KMSMasterKeyID", encryption.key_id))
    if encryption.data:
        rule.append(("KMSDataEncryption", encryption.data))
    default: list[Tree] = [("ApplyServerSideEncryptionByDefault", rule)]
    return Response(body=document("ServerSideEncryptionRule", default))


def delete_encryption(store: Store, call: Call) -> Response:
    store.bucket(call.bucket).encryption = None
    return Response(204)


def put_bucket_tagging(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    tags = metadata.tags_document(read_document(call.body.bytes()))
    if not 0 < len(tags) <= 20 or len(dict(tags)) != len(tags):
        raise OssError("InvalidTag", BucketName=call.bucket)
    bucket.tags = tuple(tags)
    return Response()


def get_bucket_tagging(store: Store, call: Call) -> Response:
    tags: list[Tree] = [
        ("Tag", [("Key", key), ("Value", value)]) for key, value in store.bucket(call.bucket).tags
    ]
    return Response(body=document("Tagging", [("TagSet", tags)]))


def delete_bucket_tagging(store: Store, call: Call) -> Response:
    """All tags, or those named in `?tagging=k1,k2`."""
    bucket = store.bucket(call.bucket)
    named = call.params.get("tagging", "")
    bucket.tags = tuple(tag for tag in bucket.tags if named and tag[0] not in named.split(","))
    return Response(204)


def list_live_channels(store: Store, call: Call) -> Response:
    """Live channels cannot be made here, so there are none."""
    store.bucket(call.bucket)
    fields: list[Tree] = [
        ("Prefix", ""),
        ("Marker", ""),
        ("MaxKeys", 100),
        ("IsTruncated", "false"),
        ("NextMarker", ""),
    ]
    return Response(body=document("ListLiveChannelResult", fields))


def delete_multiple(store: Store, call: Call) -> Response:
    """Up to 1,000 keys; one that the retention policy protects fails the whole request."""
    bucket = store.bucket(call.bucket)
    encoding, encode = encoder(call.params.get("encoding-type") or call.header(b"encoding-type"))
    root = read_document(call.body.bytes())
    wishes = [
        (item.findtext("Key") or "", item.findtext("VersionId") or None) for item in root.findall("Object")
    ]
    if root.tag != "Delete" or not 0 < len(wishes) <= 1000:
        raise OssError("MalformedXML")
    for key, version_id in wishes:
        check_key(key)
        check_version_id(version_id)
        bucket.check_mutable(key, store.clock(), version_id)
    fields = list(encoding)
    for key, version_id in wishes:
        done = dict(remove(store, bucket, call, key, version_id))
        deleted: list[Tree] = [("Key", encode(key))]
        if version_id:
            deleted.append(("VersionId", version_id))
        if b"x-oss-delete-marker" in done:
            deleted.append(("DeleteMarker", "true"))
            deleted.append(("DeleteMarkerVersionId", done[b"x-oss-version-id"].decode()))
        fields.append(("Deleted", deleted))
    if root.findtext("Quiet") == "true":
        return Response()
    return Response(body=document("DeleteResult", fields))
