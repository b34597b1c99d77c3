"""Headers and XML as OSS wants and gives them, from and to our values.

Knows the wire only: no SDK, no connection and no decision. What is called an answer here is oss2's: `status`,
`headers`, `request_id`, and `read()` for the body. Header values come latin-1 decoded, and go as bytes where
they may hold more than ASCII: a `str` would break the signature.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import datetime
from email.utils import mktime_tz, parsedate_tz
from typing import Any, Literal
from urllib.parse import quote, urlencode

from osscopy.aliyun.oss_errors import translate
from osscopy.model import (
    Attributes,
    ContentHeaders,
    CopyRequest,
    Encrypted,
    Head,
    ListedPart,
    PartPage,
    Pin,
    Source,
    Transient,
    Written,
)

# --- of a request ------------------------------------------------------------------------------------------


def named(headers: dict[str, str | None]) -> dict[str, Any]:
    return {name: value for name, value in headers.items() if value is not None}


def forbid(request: CopyRequest) -> str | None:
    return "true" if request.overwrite == "never" else None


def version(source: Source, pin: Pin | None = None) -> dict[str, str]:
    """A fresh dict each time: oss2 writes into it."""
    version = pin.version_id if pin is not None and pin.version_id else source.version_id
    return {"versionId": version} if version else {}


def pinned(request: CopyRequest, pin: Pin) -> dict[str, Any]:
    limit = str(request.traffic_limit) if request.traffic_limit else None
    # Not for a symlink: whether OSS compares its own ETag or its target's is not documented.
    return named(
        {
            "x-oss-copy-source-if-match": pin.etag if pin.link is None else None,
            "x-oss-traffic-limit": limit,
        }
    )


_CONTENT = {
    "content_type": "Content-Type",
    "cache_control": "Cache-Control",
    "content_disposition": "Content-Disposition",
    "content_encoding": "Content-Encoding",
    "content_language": "Content-Language",
    "expires": "Expires",
}


def attributes(attributes: Attributes) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if attributes.content is not None:
        for field, name in _CONTENT.items():
            value = getattr(attributes.content, field)
            if value is not None:
                headers[name] = _to_wire(value)
        for name, value in attributes.content.user.items():
            headers[f"x-oss-meta-{name}"] = _to_wire(value)  # as bytes: a str would break the V1 signature
    if attributes.tags:
        headers["x-oss-tagging"] = urlencode(attributes.tags, quote_via=quote, safe="")
    if attributes.storage_class:
        headers["x-oss-storage-class"] = attributes.storage_class
    if attributes.encryption is not None:
        headers |= named(
            {
                "x-oss-server-side-encryption": attributes.encryption.algorithm,
                "x-oss-server-side-encryption-key-id": attributes.encryption.key_id,
                "x-oss-server-side-data-encryption": attributes.encryption.data_encryption,
            }
        )
    return headers


def _to_wire(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


# --- of an answer ------------------------------------------------------------------------------------------


def _from_wire(value: str) -> str:
    """A header value as its writer meant it: requests decodes latin-1, OSS stores UTF-8 or any bytes."""
    return value.encode("latin-1").decode("utf-8", "surrogateescape")


def head(answer: Any) -> Head:  # noqa: ANN401 - oss2 carries no types
    """What HEAD shows; Transient if that cannot be read. What OSS does not say is unknown, not none."""
    answer.resp.read()
    headers = answer.headers
    content = {field: _from_wire(headers[name]) for field, name in _CONTENT.items() if name in headers}
    user = {
        name.lower().removeprefix("x-oss-meta-"): _from_wire(value)
        for name, value in headers.items()
        if name.lower().startswith("x-oss-meta-")
    }
    crc64 = headers.get("x-oss-hash-crc64ecma")
    return Head(
        size=_number(headers, "Content-Length"),
        etag=_etag(headers.get("ETag")),
        version_id=headers.get("x-oss-version-id"),
        last_modified=unix(headers.get("Last-Modified")),
        seen_at=unix(headers.get("Date")),
        crc64=None if crc64 is None else str(_number(headers, "x-oss-hash-crc64ecma")),
        storage_class=headers.get("x-oss-storage-class", ""),
        kind=headers.get("x-oss-object-type", ""),
        content=ContentHeaders(**content, user=user),
        tag_count=_number(headers, "x-oss-tagging-count") if "x-oss-tagging-count" in headers else None,
        encryption=_encryption(headers),
        restoration=_restoration(headers.get("x-oss-restore", "")),
    )


def link(answer: Any) -> Head:  # noqa: ANN401 - oss2 carries no types
    """A symlink itself; its class, headers and tags are not told."""
    answer.resp.read()
    headers = answer.headers
    if not answer.target_key:
        raise _unreadable("x-oss-symlink-target", None)
    return Head(
        size=0,
        etag=_etag(headers.get("ETag")),
        version_id=headers.get("x-oss-version-id"),
        last_modified=unix(headers.get("Last-Modified")),
        seen_at=unix(headers.get("Date")),
        crc64=None,
        storage_class="",
        kind="Symlink",
        content=ContentHeaders(),
        tag_count=None,
        link=answer.target_key,
    )


_NUMBER = re.compile(r"[0-9]{1,20}")
_ETAG = re.compile(r"[!-~]{1,200}")


def _unreadable(what: str, told: str | None) -> Transient:
    """An answer that says no number, date or text where there is one: another one may be whole."""
    text = f"OSS sent no {what}" if told is None else f"OSS sent {what} {told[:80]!r}"
    return Transient("BadAnswer", text, in_doubt=True)


def _number(told: Mapping[str, str], name: str) -> int:
    """A whole number; Transient if it is none or missing."""
    value = told.get(name)
    if value is None or not _NUMBER.fullmatch(value):
        raise _unreadable(name, value)
    return int(value)


def _etag(told: str | None) -> str:
    etag = (told or "").strip('"')
    if not _ETAG.fullmatch(etag):
        raise _unreadable("ETag", told)
    return etag


def _restoration(told: str) -> Literal["none", "ongoing", "done"]:
    """Whether an archived object can be read; what says neither tells of no restoration."""
    if 'ongoing-request="true"' in told:
        return "ongoing"
    return "done" if 'ongoing-request="false"' in told else "none"


def _encryption(headers: Mapping[str, str]) -> Encrypted | None:
    algorithm = headers.get("x-oss-server-side-encryption")
    if not algorithm:
        return None
    key_id = headers.get("x-oss-server-side-encryption-key-id")
    return Encrypted(algorithm, key_id or None, headers.get("x-oss-server-side-data-encryption") or None)


def unix(http_date: str | None) -> int:
    """A date as HTTP writes it, in Unix seconds; Transient if it is none."""
    try:
        parsed = parsedate_tz(http_date) if http_date else None
        if parsed is not None:
            return int(mktime_tz(parsed))
    except (ValueError, TypeError, IndexError, OverflowError):  # some texts are more than the parser can take
        pass
    raise _unreadable("the date", http_date)


def written(answer: Any, root: str) -> Written:  # noqa: ANN401 - oss2 carries no types
    tree = read(answer, root)
    etag = answer.headers.get("ETag") or next(
        (each.text for each in tree.iter() if _name(each) == "ETag"), ""
    )
    return Written((etag or "").strip('"'), answer.headers.get("x-oss-version-id"))


def parts(answer: Any) -> PartPage:  # noqa: ANN401 - oss2 carries no types
    """A page of ListParts; Transient if it cannot be read."""
    tree = _tree(answer, "ListPartsResult")
    told = ({_name(field): field.text or "" for field in each} for each in tree if _name(each) == "Part")
    parts = tuple(_part(part) for part in told)
    fields = {_name(field): field.text or "" for field in tree}
    more = fields.get("IsTruncated", "").lower() == "true"
    following = _number(fields, "NextPartNumberMarker") if more else None
    return PartPage(parts, following, unix(answer.headers.get("Date")))


def _part(told: Mapping[str, str]) -> ListedPart:
    modified = told.get("LastModified", "")
    try:
        moment = datetime.fromisoformat(modified.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        raise _unreadable("the date", modified) from None
    return ListedPart(
        _number(told, "PartNumber"),
        _etag(told.get("ETag")),
        _number(told, "Size"),
        _number(told, "HashCrc64ecma") if told.get("HashCrc64ecma") else None,
        int(moment),
    )


def tags(answer: Any) -> dict[str, str]:  # noqa: ANN401 - oss2 carries no types
    """The tags of an object; Transient if they cannot be read."""
    tree = _tree(answer, "Tagging")
    told = [
        {_name(field): field.text or "" for field in each} for each in tree.iter() if _name(each) == "Tag"
    ]
    return {tag.get("Key", ""): tag.get("Value", "") for tag in told}


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def read(answer: Any, root: str) -> ET.Element:  # noqa: ANN401 - oss2 carries no types
    return _tree(answer.resp, root)


def _tree(answer: Any, root: str) -> ET.Element:  # noqa: ANN401 - oss2 carries no types
    """Read the body, which frees the connection, and see that it is the `root` element and no error."""
    body = answer.read()
    try:
        tree = ET.fromstring(body)  # noqa: S314 - see the import
    except (ET.ParseError, ValueError, LookupError):  # the last two: of an encoding that nobody knows
        text = f"OSS answered {answer.status} with a body that is no XML"
        raise Transient("BadAnswer", text, request_id=answer.request_id, in_doubt=True) from None
    if tree.tag == "Error":
        code, message = tree.findtext("Code", "Unknown"), tree.findtext("Message", "")
        raise translate(answer.status, code, message, answer.request_id, {})
    if _name(tree) != root:
        text = f"OSS answered {answer.status} with <{tree.tag}>, not <{root}>"
        raise Transient("BadAnswer", text, request_id=answer.request_id, in_doubt=True)
    return tree
