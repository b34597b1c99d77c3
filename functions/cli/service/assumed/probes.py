"""The probes of OSS: each tries one thing in the scratch buckets and returns OSS's answer as a short text.

A probe puts at most 300 KiB. An answer says what OSS did, never what was expected.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

import oss2
from oss2 import exceptions

from functions.cli.service.assumed.scratch import PART, Scratch

Probe = Callable[[Scratch], str]
_ETAG = '"0123456789ABCDEF0123456789ABCDEF"'
_CRC, _TAGS, _CLASS = "x-oss-hash-crc64ecma", "x-oss-tagging-count", "x-oss-storage-class"
_ENCRYPTION = "x-oss-server-side-encryption"


def head_tag_count(scratch: Scratch) -> str:
    """Put an object with a tag, and look for their number."""
    key = scratch.key("tagged")
    scratch.source.put_object(key, b"x", headers={"x-oss-tagging": "a=b"})
    return _yes(_TAGS in scratch.source.head_object(key).headers)


def copy_crc64(scratch: Scratch) -> str:
    """Copy an object by CopyObject, and look for the CRC64 in the answer."""
    key = _put(scratch, "copied")
    answer = scratch.destination.copy_object(scratch.source.bucket_name, key, key)
    return _yes(_CRC in answer.headers)


def copied_part_crc64(scratch: Scratch) -> str:
    """Copy a part, and look for its CRC64 in ListParts."""
    key = _put(scratch, "part")
    upload = _initiate(scratch, key)
    _copy_part(scratch, key, upload)
    # oss2 does not read the CRC64 of parts, and has no public way to a request of one's own
    answer = scratch.destination._do(  # noqa: SLF001 - as said
        "GET", scratch.destination.bucket_name, key, params={"uploadId": upload}
    )
    return "told" if b"<HashCrc64ecma>" in answer.read() else "not told"


def multipart_crc64(scratch: Scratch) -> str:
    """Copy an object in two parts, and look for the CRC64 of the whole."""
    key, _ = _in_parts(scratch, "whole")
    shown = scratch.destination.head_object(key).headers.get(_CRC)
    wanted = scratch.source.head_object(key).headers.get(_CRC)
    return "not told" if shown is None else "the source's" if shown == wanted else "another one"


def multipart_etag(scratch: Scratch) -> str:
    """Copy an object in two parts, and compare its ETag with the MD5 of theirs, one after the other."""
    key, etags = _in_parts(scratch, "etag")
    joined = hashlib.md5("".join(etags).encode(), usedforsecurity=False).hexdigest().upper()
    return _yes(scratch.destination.head_object(key).etag == f"{joined}-{len(etags)}")


def part_range_past_end(scratch: Scratch) -> str:
    """Copy a part whose range ends behind the source."""
    key = _put(scratch, "short")
    upload = _initiate(scratch, key)
    try:
        _copy_part(scratch, key, upload, size=10 * PART)
    except exceptions.ServerError as error:
        return _refused(error)
    (part,) = scratch.destination.list_parts(key, upload).parts
    return f"copies {part.size} of {PART} bytes"


def part_copy_conditions(scratch: Scratch) -> str:
    """Copy a part of a source that has another ETag than the request says."""
    key = _put(scratch, "pinned")
    upload = _initiate(scratch, key)
    headers = {"x-oss-copy-source-if-match": _ETAG}
    try:
        _copy_part(scratch, key, upload, headers=headers)
    except exceptions.ServerError as error:
        return _refused(error)
    return "copied"


def second_complete(scratch: Scratch) -> str:
    """Complete an upload twice."""
    key = _put(scratch, "twice")
    upload = _initiate(scratch, key)
    parts = [oss2.models.PartInfo(1, _copy_part(scratch, key, upload))]
    scratch.destination.complete_multipart_upload(key, upload, parts)
    try:
        scratch.destination.complete_multipart_upload(key, upload, parts)
    except exceptions.ServerError as error:
        return _refused(error)
    return "succeeds"


def forbid_overwrite(scratch: Scratch) -> str:
    """Copy onto an object that is there, and forbid it."""
    key = _put(scratch, "there")
    scratch.destination.put_object(key, b"there")
    headers = {"x-oss-forbid-overwrite": "true"}
    try:
        scratch.destination.copy_object(scratch.source.bucket_name, key, key, headers=headers)
    except exceptions.ServerError as error:
        return _refused(error)
    return "overwritten"


def self_copy_metadata(scratch: Scratch) -> str:
    """Copy an object onto itself with COPY and another metadata, and look for the first one."""
    key = scratch.key("self-metadata")
    scratch.source.put_object(key, b"x", headers={"x-oss-meta-one": "1"})
    _onto_itself(scratch, key, {"x-oss-metadata-directive": "COPY", "x-oss-meta-two": "2"})
    return "kept" if "x-oss-meta-one" in scratch.source.head_object(key).headers else "gone"


def self_copy_acl(scratch: Scratch) -> str:
    """Copy an object with an ACL onto itself with REPLACE and without one."""
    key = scratch.key("self-acl")
    scratch.source.put_object(key, b"x", headers={"x-oss-object-acl": "private"})
    _onto_itself(scratch, key, {"x-oss-metadata-directive": "REPLACE"})
    return "kept" if scratch.source.get_object_acl(key).acl == "private" else "default"


def self_copy_encryption(scratch: Scratch) -> str:
    """Copy an encrypted object onto itself without naming the encryption."""
    key = scratch.key("self-encryption")
    scratch.source.put_object(key, b"x", headers={_ENCRYPTION: "AES256"})
    _onto_itself(scratch, key, {"x-oss-metadata-directive": "REPLACE"})
    return "kept" if _ENCRYPTION in scratch.source.head_object(key).headers else "gone"


def copy_storage_class(scratch: Scratch) -> str:
    """Copy an object of class IA without naming a class."""
    key = scratch.key("class")
    scratch.source.put_object(key, b"x", headers={_CLASS: "IA"})
    scratch.destination.copy_object(scratch.source.bucket_name, key, key)
    shown = scratch.destination.head_object(key).headers.get(_CLASS, "Standard")
    return "the source's" if shown == "IA" else "the bucket's"


def appendable_part_copy(scratch: Scratch) -> str:
    """Copy a part of an appendable object."""
    key = scratch.key("appendable")
    scratch.source.append_object(key, 0, b"x" * PART)
    upload = _initiate(scratch, key)
    try:
        _copy_part(scratch, key, upload)
    except exceptions.ServerError as error:
        return _refused(error)
    return "copied"


def list_order(scratch: Scratch) -> str:
    """List keys of one to four bytes a character, after the first of them."""
    names = ["a", "é", "中", "\U00020000"]
    keys = [scratch.key(f"order/{name}") for name in names]
    for key in reversed(keys):
        scratch.source.put_object(key, b"")
    page = scratch.source.list_objects_v2(prefix=scratch.key("order/"), start_after=keys[0])
    return _yes([each.key for each in page.object_list] == keys[1:])


PROBES: Mapping[str, Probe] = MappingProxyType(
    {
        probe.__name__.replace("_", "-"): probe
        for probe in (
            head_tag_count,
            copy_crc64,
            copied_part_crc64,
            multipart_crc64,
            multipart_etag,
            part_range_past_end,
            part_copy_conditions,
            second_complete,
            forbid_overwrite,
            self_copy_metadata,
            self_copy_acl,
            self_copy_encryption,
            copy_storage_class,
            appendable_part_copy,
            list_order,
        )
    }
)


def _put(scratch: Scratch, name: str) -> str:
    """Put an object of one part at the source, and return its key."""
    key = scratch.key(name)
    scratch.source.put_object(key, b"x" * PART)
    return key


def _initiate(scratch: Scratch, key: str) -> str:
    """Begin an upload at the destination; what is left of it is aborted in the end."""
    return str(scratch.destination.init_multipart_upload(key).upload_id)


def _copy_part(
    scratch: Scratch,
    key: str,
    upload: str,
    number: int = 1,
    size: int = PART,
    headers: Mapping[str, str] | None = None,
) -> str:
    """Copy a part of the source, and return its ETag."""
    first = (number - 1) * PART
    answer = scratch.destination.upload_part_copy(
        scratch.source.bucket_name, key, (first, first + size - 1), key, upload, number, headers=headers
    )
    answer.resp.read()  # oss2 does not, and the connection would be lost
    return str(answer.etag)


def _in_parts(scratch: Scratch, name: str) -> tuple[str, list[str]]:
    """Copy an object of two parts; return its key and the ETags of the parts."""
    key = scratch.key(name)
    scratch.source.put_object(key, b"x" * (2 * PART))
    upload = _initiate(scratch, key)
    parts = [oss2.models.PartInfo(number, _copy_part(scratch, key, upload, number)) for number in (1, 2)]
    scratch.destination.complete_multipart_upload(key, upload, parts)
    return key, [part.etag for part in parts]


def _onto_itself(scratch: Scratch, key: str, headers: dict[str, str]) -> None:
    scratch.source.copy_object(scratch.source.bucket_name, key, key, headers=headers)


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def _refused(error: exceptions.ServerError) -> str:
    return f"refused: {error.status} {error.code}".rstrip()
