"""Bodies of OSS's answers, to our values; and the one body that is sent, that of Complete.

Knows the wire only: no SDK, no connection and no decision. An answer here is oss2's: unread, with `status`,
`headers`, `request_id` and `read()`, or read by oss2 itself.
"""

from __future__ import annotations

import functools
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from datetime import datetime

from osscopy.aliyun.oss_errors import translate
from osscopy.aliyun.oss_headers import Answer, etag, number, seen_at, unreadable
from osscopy.model import (
    LifecycleRule,
    ListedPart,
    OpenUpload,
    PartPage,
    Transient,
    UploadPage,
    Written,
)


def complete(parts: Sequence[ListedPart]) -> bytes:
    """Return the body of Complete, as oss2 makes it, ten times as fast."""
    ordered = sorted(parts, key=lambda part: part.number)
    listed = (
        f'<Part><PartNumber>{part.number}</PartNumber><ETag>"{_text(part.etag)}"</ETag></Part>'
        for part in ordered
    )
    return f"<CompleteMultipartUpload>{''.join(listed)}</CompleteMultipartUpload>".encode()


def _text(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def written(answer: Answer, root: str) -> Written:
    tree = read(answer.resp, root)
    given = answer.headers.get("ETag") or next(
        (each.text for each in tree.iter() if name(each) == "ETag"), ""
    )
    return Written((given or "").strip('"'), answer.headers.get("x-oss-version-id"))


def parts(answer: Answer) -> PartPage:
    """Return a page of ListParts; Transient if it cannot be read."""
    tree = read(answer, "ListPartsResult")
    parts = tuple(_part(fields(each)) for each in tree if name(each) == "Part")
    told = fields(tree)
    more = told.get("IsTruncated", "").lower() == "true"
    return PartPage(parts, number(told, "NextPartNumberMarker") if more else None, seen_at(answer))


def _part(given: Mapping[str, str]) -> ListedPart:
    return ListedPart(
        number(given, "PartNumber"),
        etag(given.get("ETag")),
        number(given, "Size"),
        number(given, "HashCrc64ecma") if given.get("HashCrc64ecma") else None,
        _moment(given.get("LastModified", "")),
    )


@functools.lru_cache(100)  # parts are many to a second
def _moment(modified: str) -> int:
    try:
        return int(datetime.fromisoformat(modified.replace("Z", "+00:00")).timestamp())
    except (ValueError, OverflowError):
        raise unreadable("the date", modified) from None


def tags(answer: Answer) -> dict[str, str]:
    """Return the tags of an object; Transient if they cannot be read."""
    given = [fields(each) for each in read(answer, "Tagging").iter() if name(each) == "Tag"]
    return {tag.get("Key", ""): tag.get("Value", "") for tag in given}


def read(answer: Answer, root: str) -> ET.Element:
    """Read the body, which frees the connection, and see that it is the `root` element and no error."""
    return parsed(answer, answer.read(), root)


def parsed(answer: Answer, body: bytes, root: str) -> ET.Element:
    """Parse a body that was read, and see that it is the `root` element and no error."""
    try:
        tree = ET.fromstring(body)  # noqa: S314 - it comes from OSS
    except (ET.ParseError, ValueError, LookupError):  # the last two: of an encoding that nobody knows
        raise _unexpected(answer, "a body that is no XML") from None
    if tree.tag == "Error":
        code, message = tree.findtext("Code", "Unknown"), tree.findtext("Message", "")
        raise translate(answer.status, code, message, answer.request_id, {})
    if name(tree) != root:
        raise _unexpected(answer, f"<{tree.tag}>, not <{root}>")
    return tree


def _unexpected(answer: Answer, what: str) -> Transient:
    text = f"OSS answered {answer.status} with {what}"
    return Transient("BadAnswer", text, request_id=answer.request_id, in_doubt=True)


def fields(element: ET.Element) -> dict[str, str]:
    """Return the texts of an element's children by their names."""
    return {_local(each.tag): each.text or "" for each in element}


def name(element: ET.Element) -> str:
    """Return the name of an element without its namespace."""
    return _local(element.tag)


@functools.lru_cache(100)  # there are few names, each many times
def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def uploads(answer: Answer) -> UploadPage:
    found = (OpenUpload(each.upload_id, each.key, each.initiation_date) for each in answer.upload_list)
    return UploadPage(tuple(found), seen_at(answer))


def lifecycle_rule(rule: Answer) -> LifecycleRule:
    expiry, abort = rule.expiration, rule.abort_multipart_upload
    # one that only removes delete markers expires nothing
    expires = expiry is not None and (expiry.days or expiry.date or expiry.created_before_date)
    return LifecycleRule(
        rule.id,
        rule.prefix,
        rule.tagging is not None,
        (expiry.days or 0) if expires else None,
        None if abort is None else abort.days or 0,
    )
