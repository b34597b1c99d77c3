"""Headers as OSS wants and gives them, from and to our values.

Knows the wire only: no SDK, no connection and no decision. An answer is oss2's, with `headers` and `resp`.
Header values come latin-1 decoded, and go as bytes where they may hold more than ASCII: a `str` would break
the signature.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz
from typing import Any, Literal, TypeAlias
from urllib.parse import quote, urlencode

from msgspec.structs import asdict

from osscopy.model import (
    Attributes,
    Conditions,
    ContentHeaders,
    CopyRequest,
    Encrypted,
    Head,
    Pin,
    Source,
    Transient,
)

Answer: TypeAlias = Any  # oss2 carries no types


def _named(headers: Mapping[str, str | None]) -> dict[str, Any]:
    return {name: value for name, value in headers.items() if value is not None}


def _header(field: str) -> str:
    """Return the header of a field: `if_none_match` is `If-None-Match`."""
    return field.replace("_", "-").title()


def conditions(conditions: Conditions) -> dict[str, Any]:
    return _named({_header(field): value for field, value in asdict(conditions).items()})


def forbid(request: CopyRequest) -> dict[str, Any]:
    return {"x-oss-forbid-overwrite": "true"} if request.overwrite == "never" else {}


def version(source: Source, pin: Pin | None = None) -> dict[str, str]:
    """Return a fresh dict each time: oss2 writes into it."""
    version = pin.version_id if pin is not None and pin.version_id else source.version_id
    return {"versionId": version} if version else {}


def pinned(request: CopyRequest, pin: Pin) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if pin.link is None:  # whether OSS compares a symlink's own ETag or its target's is not documented
        headers["x-oss-copy-source-if-match"] = pin.etag
    if request.traffic_limit:
        headers["x-oss-traffic-limit"] = str(request.traffic_limit)
    return headers


def copied(request: CopyRequest, pin: Pin, carried: Attributes) -> dict[str, Any]:
    """Return the headers of CopyObject."""
    headers = pinned(request, pin) | attributes(carried) | forbid(request)
    headers["x-oss-metadata-directive"] = "COPY" if carried.content is None else "REPLACE"
    headers["x-oss-tagging-directive"] = "Copy" if carried.tags is None else "Replace"
    if carried.acl != "default":
        headers["x-oss-object-acl"] = carried.acl
    return headers


_CONTENT = {field: _header(field) for field in ContentHeaders.__struct_fields__ if field != "user"}


def attributes(attributes: Attributes) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if attributes.content is not None:
        content = {name: getattr(attributes.content, field) for field, name in _CONTENT.items()}
        headers |= {name: _to_wire(value) for name, value in content.items() if value is not None}
        for name, value in attributes.content.user.items():
            headers[f"x-oss-meta-{name}"] = _to_wire(value)  # as bytes: a str would break the V1 signature
    if attributes.tags:
        headers["x-oss-tagging"] = urlencode(attributes.tags, quote_via=quote, safe="")
    if attributes.storage_class:
        headers["x-oss-storage-class"] = attributes.storage_class
    if attributes.encryption is not None:
        headers |= _named(
            {
                "x-oss-server-side-encryption": attributes.encryption.algorithm,
                "x-oss-server-side-encryption-key-id": attributes.encryption.key_id,
                "x-oss-server-side-data-encryption": attributes.encryption.data_encryption,
            }
        )
    return headers


def _to_wire(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


def _from_wire(value: str) -> str:
    """Return a header value as its writer meant it: HTTP's client decodes latin-1, OSS stores any bytes."""
    return value.encode("latin-1").decode("utf-8", "surrogateescape")


def head(answer: Answer) -> Head:
    """Return what HEAD shows; Transient if it cannot be read. What OSS does not say is unknown, not none."""
    answer.resp.read()
    headers = answer.headers
    content = {field: _from_wire(headers[name]) for field, name in _CONTENT.items() if name in headers}
    user = {
        name.lower().removeprefix("x-oss-meta-"): _from_wire(headers[name])
        for name in headers
        if name.lower().startswith("x-oss-meta-")
    }
    crc64, tags = "x-oss-hash-crc64ecma", "x-oss-tagging-count"
    return _object(
        answer,
        size=number(headers, "Content-Length"),
        crc64=str(number(headers, crc64)) if crc64 in headers else None,
        storage_class=headers.get("x-oss-storage-class", ""),
        kind=headers.get("x-oss-object-type", ""),
        content=ContentHeaders(**content, user=user),
        tag_count=number(headers, tags) if tags in headers else None,
        encryption=_encryption(headers),
        restoration=_restoration(headers.get("x-oss-restore", "")),
    )


def link(answer: Answer) -> Head:
    """Return a symlink itself; OSS does not show its class, headers and tags."""
    answer.resp.read()
    if not answer.target_key:
        raise unreadable("x-oss-symlink-target", None)
    nothing = {"crc64": None, "storage_class": "", "content": ContentHeaders(), "tag_count": None}
    return _object(answer, size=0, kind="Symlink", link=answer.target_key, **nothing)


def _object(answer: Answer, **shown: Any) -> Head:  # noqa: ANN401 - the fields of Head
    """Return what is shown of an object, with what every answer about one shows."""
    return Head(
        etag=etag(answer.headers.get("ETag")),
        version_id=answer.headers.get("x-oss-version-id"),
        last_modified=unix(answer.headers.get("Last-Modified")),
        seen_at=seen_at(answer),
        **shown,
    )


_NUMBER = re.compile(r"[0-9]{1,20}")
_ETAG = re.compile(r"[!-~]{1,200}")


def unreadable(what: str, given: str | None) -> Transient:
    """Return the error of an answer that lacks a number, date or text: another answer may be whole."""
    text = f"OSS sent no {what}" if given is None else f"OSS sent {what} {given[:80]!r}"
    return Transient("BadAnswer", text, in_doubt=True)


def number(given: Mapping[str, str], name: str) -> int:
    """Return a whole number; Transient if it is none or missing."""
    value = given.get(name)
    if value is None or not _NUMBER.fullmatch(value):
        raise unreadable(name, value)
    return int(value)


def etag(given: str | None) -> str:
    text = (given or "").strip('"')
    if not _ETAG.fullmatch(text):
        raise unreadable("ETag", given)
    return text


def _restoration(given: str) -> Literal["none", "ongoing", "done"]:
    """Tell if an archived object can be read; a header that says neither means no restoration."""
    if 'ongoing-request="true"' in given:
        return "ongoing"
    return "done" if 'ongoing-request="false"' in given else "none"


def _encryption(headers: Mapping[str, str]) -> Encrypted | None:
    algorithm = headers.get("x-oss-server-side-encryption")
    if not algorithm:
        return None
    key_id = headers.get("x-oss-server-side-encryption-key-id")
    return Encrypted(algorithm, key_id or None, headers.get("x-oss-server-side-data-encryption") or None)


def default(rule: Answer) -> Encrypted | None:
    """Return the encryption that a bucket gives by default."""
    if rule.sse_algorithm in {None, "", "None"}:
        return None
    return Encrypted(rule.sse_algorithm, rule.kms_master_keyid or None, rule.kms_data_encryption or None)


def seen_at(answer: Answer) -> int:
    return unix(answer.headers.get("Date"))


def unix(http_date: str | None) -> int:
    """Return a date as HTTP writes it in Unix seconds; Transient if it is none."""
    try:
        parsed = parsedate_tz(http_date) if http_date else None
        if parsed is not None:
            return int(mktime_tz(parsed))
    except (ValueError, TypeError, IndexError, OverflowError):  # some texts are more than the parser can take
        pass
    raise unreadable("the date", http_date)
