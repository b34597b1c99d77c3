"""Multipart uploads: Initiate, UploadPart, ListParts, Complete, Abort, ListMultipartUploads."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import quote
from xml.sax.saxutils import escape

from msgspec.structs import replace

from . import metadata, preconditions
from .errors import OssError
from .extents import Content, join
from .listing import Page, named, paged
from .objects import blank, check_md5, version_headers
from .protocol import Call, Response, Tree, check_key, document, encoder, etag_header, iso, read_document
from .state import Bucket, Part, Store, Upload, Version, new_upload_id
from .telling import tell
from .uploads import MOST_PARTS, check_part_number, find_upload

SMALLEST_PART = 100 * 1024  # all but the last; noticed at Complete only
LARGEST_PART = 5 * 1024**3
_CLIENT_SIDE_SIZE = b"x-oss-meta-client-side-encryption-data-size"
LARGEST_OBJECT = int(48.8 * 1024**4)


def initiate(store: Store, call: Call) -> Response:
    check_key(call.key)
    bucket = store.bucket(call.bucket)
    encoding, encode = encoder(call.params.get("encoding-type"))
    preconditions.check_overwrite(call, bucket, call.key)
    upload = Upload(
        id=new_upload_id(store.draw),
        key=call.key,
        initiated=store.clock(),
        blank=replace(blank(store, bucket, call), kind="Multipart", acl="default"),
        forbid_overwrite=(call.header(b"x-oss-forbid-overwrite") or "").lower() == "true",
        sequential="sequential" in call.params,
    )
    bucket.uploads[upload.id] = upload
    tell(store, call, "ObjectCreated:InitiateMultipartUpload", upload.blank)
    fields: list[Tree] = [("Bucket", bucket.name), ("Key", encode(call.key)), ("UploadId", upload.id)]
    headers = metadata.encryption_headers(upload.blank.encryption)
    return Response(headers=tuple(headers), body=document("InitiateMultipartUploadResult", encoding + fields))


def upload_part(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    number = check_part_number(call)
    upload = find_upload(bucket, call)
    check_md5(call)
    _refuse_encryption(call)
    if upload.sequential and number not in {len(upload.parts), len(upload.parts) + 1}:
        raise OssError("PartNotSequential", PartNumber=number)
    if call.body.content.size > LARGEST_PART:
        raise OssError("EntityTooLarge", MaxSizeAllowed=LARGEST_PART, ProposedSize=call.body.content.size)
    content = call.stored(call.body.content)
    etag = call.body.md5.hex().upper() if content is call.body.content else content.etag()
    part = Part(number, content, etag, store.clock())
    old = upload.parts.get(number)
    upload.parts[number] = part
    before = replace(upload.blank, content=old.content) if old else None
    tell(store, call, "ObjectCreated:UploadPart", replace(upload.blank, content=content, etag=etag), before)
    headers = [
        (b"etag", etag_header(etag)),
        (b"x-oss-hash-crc64ecma", str(content.checksum).encode()),
        (b"content-md5", base64.b64encode(bytes.fromhex(etag))),
        *metadata.encryption_headers(upload.blank.encryption),
    ]
    return Response(headers=tuple(headers))


def _refuse_encryption(call: Call) -> None:
    if call.header(b"x-oss-server-side-encryption") is not None:
        raise OssError("InvalidArgument", "Encryption goes with InitiateMultipartUpload.", ec="0042-00000105")


def list_parts(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    upload = find_upload(bucket, call)
    most = call.number("max-parts", 1000, 1, 1000)
    after = call.number("part-number-marker", 0, 0, MOST_PARTS)
    encoding, encode = encoder(call.params.get("encoding-type"))
    numbers = sorted(number for number in upload.parts if number > after)
    shown = [upload.parts[number] for number in numbers[:most]]
    none = "0" if not shown and "no-parts-marker" in call.readings else ""
    silent = any(part.copied for part in shown) and "copied-part-crc64" in call.readings
    fields: list[Tree] = [
        *encoding,
        ("Bucket", bucket.name),
        ("Key", encode(call.key)),
        ("UploadId", upload.id),
        ("StorageClass", upload.blank.storage_class),
        ("PartNumberMarker", after),
        ("NextPartNumberMarker", shown[-1].number if shown else none),
        ("MaxParts", most),
        ("IsTruncated", "true" if len(numbers) > most else "false"),
    ]
    lines = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields)
    parts = "".join(
        _part_element(part, 1 if call.corrupt else 0, silent=silent and part.copied) for part in shown
    )
    # as text: 1,000 parts as an element tree cost 10 ms
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<ListPartsResult>{lines}{parts}</ListPartsResult>'
    return Response(body=body.encode())


def _part_element(part: Part, wrong: int, *, silent: bool) -> str:
    crc64 = "" if silent else f"<HashCrc64ecma>{part.content.checksum ^ wrong}</HashCrc64ecma>"
    return (
        f"<Part><PartNumber>{part.number}</PartNumber><LastModified>{iso(part.modified)}</LastModified>"
        f'<ETag>"{part.etag}"</ETag>{crc64}'
        f"<Size>{part.content.size}</Size></Part>"
    )


def complete(store: Store, call: Call) -> Response:
    """Not idempotent: the upload is gone afterwards, and a second Complete gets NoSuchUpload."""
    bucket = store.bucket(call.bucket)
    encoding, encode = encoder(call.params.get("encoding-type"))
    upload = find_upload(bucket, call)
    _refuse_encryption(call)
    parts = _chosen(call, upload)
    preconditions.check_overwrite(call, bucket, call.key, forbidden=upload.forbid_overwrite)
    bucket.check_mutable(call.key, store.clock())
    version = _assembled(store, call, upload, parts)
    old = bucket.current(call.key)
    version = bucket.put(version)
    del bucket.uploads[upload.id]
    tell(store, call, "ObjectCreated:CompleteMultipartUpload", version, old)
    headers = [
        (b"etag", etag_header(version.etag)),
        (b"x-oss-hash-crc64ecma", str(version.content.checksum).encode()),
        *version_headers(bucket, version),
        *metadata.encryption_headers(version.encryption),
    ]
    location = call.key if "complete-location" in call.readings else quote(call.key, safe="")
    fields: list[Tree] = [
        ("Location", f"http://{store.address}/{bucket.name}/{location}"),
        ("Bucket", bucket.name),
        ("Key", encode(call.key)),
        ("ETag", f'"{version.etag}"'),
    ]
    return Response(headers=tuple(headers), body=document("CompleteMultipartUploadResult", encoding + fields))


def _chosen(call: Call, upload: Upload) -> list[Part]:
    """The parts to put together. `x-oss-complete-all` takes what is there: it cannot see a gap."""
    body = call.body.bytes()
    if (call.header(b"x-oss-complete-all") or "").lower() == "yes":
        if body.strip():
            message = "Should not speficy both complete all header and http body."
            raise OssError("InvalidArgument", message, ec="0042-00000216")
        parts = [upload.parts[number] for number in sorted(upload.parts)]
        if not parts:
            raise OssError("InvalidPart")
    else:
        parts = _listed(body, upload)
    for part in parts[:-1]:
        if part.content.size < SMALLEST_PART:
            raise OssError(
                "EntityTooSmall",
                ETag=part.etag,
                MinSizeAllowed=SMALLEST_PART,
                ProposedSize=part.content.size,
                PartNumber=part.number,
            )
    return parts


def _listed(body: bytes, upload: Upload) -> list[Part]:
    """The parts that a document names; it may name none, which makes an empty object."""
    root = read_document(body)
    elements = root.findall("Part")
    if root.tag != "CompleteMultipartUpload" or len(elements) > MOST_PARTS:
        raise OssError("MalformedXML")
    parts = []
    before = 0
    for element in elements:
        number, etag = (
            element.findtext("PartNumber") or "",
            (element.findtext("ETag") or "").strip().strip('"'),
        )
        if not number.strip().isdecimal():
            raise OssError("MalformedXML")
        part = upload.parts.get(int(number))
        if part is None or etag.upper() != part.etag:
            raise OssError("InvalidPart", PartNumber=int(number), ETag=etag)
        if part.number <= before:
            raise OssError("InvalidPartOrder", PartNumber=part.number)
        before = part.number
        parts.append(part)
    return parts


def _assembled(store: Store, call: Call, upload: Upload, parts: list[Part]) -> Version:
    content = join(part.content for part in parts)
    told = dict(upload.blank.metadata.user).get(_CLIENT_SIDE_SIZE)
    differs = told is not None and told != str(content.size).encode()
    if differs and "client-side-size" not in call.readings:
        # clients assert that it fails; the code is a guess
        raise OssError("InvalidArgument", "The size is not that of client-side-encryption-data-size.")
    if content.size > LARGEST_OBJECT:
        raise OssError("EntityTooLarge", MaxSizeAllowed=LARGEST_OBJECT, ProposedSize=content.size)
    etags = "".join(part.etag for part in parts).encode()
    etag = f"{hashlib.md5(etags, usedforsecurity=False).hexdigest().upper()}-{len(parts)}"
    return replace(
        upload.blank,
        modified=store.clock(),
        content=content,
        etag=etag,
        acl=metadata.acl(call, upload.blank.acl),
        sealed_md5=_sealed(upload, content),
    )


def _sealed(upload: Upload, content: Content) -> bytes:
    """Content-MD5, which only an upload in order (`?sequential`) has."""
    return base64.b64encode(bytes.fromhex(content.etag())) if upload.sequential else b""


def abort(store: Store, call: Call) -> Response:
    """Parts that are being written while it is aborted survive, and the upload with them: abort again
    (AbortMultipartUpload docs).
    """
    bucket = store.bucket(call.bucket)
    upload = find_upload(bucket, call)
    if store.in_flight[upload.id]:
        upload.parts.clear()
    else:
        del bucket.uploads[upload.id]
    tell(store, call, "ObjectRemoved:AbortMultipartUpload", upload.blank)
    return Response(204)


def list_uploads(store: Store, call: Call) -> Response:
    """By key, then upload id. NextKeyMarker is there even when nothing follows (as SDK tests assert)."""
    bucket = store.bucket(call.bucket)
    params = call.params
    most = call.number("max-uploads", 1000, 1, 1000)
    encoding, encode = encoder(params.get("encoding-type"))
    key_marker, id_marker = named(params, "key-marker"), params.get("upload-id-marker", "")
    prefix, delimiter = named(params, "prefix"), named(params, "delimiter")
    page = _uploads_page(bucket, params, most)
    last_key, last_id = page.last or ("", "")
    fields: list[Tree] = [
        *encoding,
        ("Bucket", bucket.name),
        ("KeyMarker", encode(key_marker)),
        ("UploadIdMarker", id_marker),
        ("NextKeyMarker", encode(last_key)),
        ("NextUploadIdMarker", last_id),
        ("Delimiter", encode(delimiter)),
        ("Prefix", encode(prefix)),
        ("MaxUploads", most),
        ("IsTruncated", "true" if page.truncated else "false"),
    ]
    fields += [("Upload", _upload_fields(upload, encode(upload.key))) for upload in page.items]
    fields += [("CommonPrefixes", [("Prefix", encode(common))]) for common in page.prefixes]
    return Response(body=document("ListMultipartUploadsResult", fields))


def _upload_fields(upload: Upload, key: str) -> list[Tree]:
    return [
        ("Key", key),
        ("UploadId", upload.id),
        ("StorageClass", upload.blank.storage_class),
        ("Initiated", iso(upload.initiated)),
    ]


def _uploads_page(bucket: Bucket, params: dict[str, str], most: int) -> Page[Upload]:
    key_marker, id_marker = named(params, "key-marker"), params.get("upload-id-marker", "")
    prefix, delimiter = params.get("prefix", ""), named(params, "delimiter")

    def follows(upload: Upload) -> bool:
        if (
            delimiter
            and key_marker.endswith(delimiter)
            and upload.key.startswith(key_marker)
            and not id_marker
        ):
            return not key_marker.startswith(prefix) or key_marker == prefix
        return upload.key > key_marker or (
            bool(id_marker) and (upload.key, upload.id) > (key_marker, id_marker)
        )

    uploads = sorted(bucket.uploads.values(), key=lambda upload: (upload.key, upload.id))
    entries = ((upload.key, upload.id, upload) for upload in uploads if follows(upload))
    return paged(entries, prefix, delimiter, most)
