"""Pages of ListObjectVersions, to our values. Knows the wire only.

Documented: keys ascend, and the versions of a key stand from the newest to the oldest, delete markers among
them. A page may end within the versions of a key; `NextKeyMarker` and `NextVersionIdMarker` say where. What
is no whole page is an answer that cannot be read, never a shorter page.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from osscopy.aliyun import oss_bodies
from osscopy.aliyun.bodies.listings import decoded, unix, wrong
from osscopy.aliyun.oss_headers import Answer, seen_at
from osscopy.model import ListedVersion, Mark, VersionPage

_ENTRIES = frozenset({"Version", "DeleteMarker"})
_SHAPES = {
    "Key": re.compile(r".+", re.DOTALL),
    "VersionId": re.compile(r"[!-~]{1,200}"),
    "IsLatest": re.compile(r"true|false"),
    "LastModified": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII),
}
_OF_BYTES = {
    "ETag": re.compile(r"[!-~]{1,200}"),
    "Type": re.compile(r"[!-~]{1,40}"),
    "Size": re.compile(r"[0-9]{1,20}"),
    "StorageClass": re.compile(r"[!-~]{1,40}"),
}


def page(answer: Answer) -> VersionPage:
    """Return a page that was asked for without a delimiter; Transient if that cannot be read whole."""
    tree = oss_bodies.parsed(answer, answer.read(), "ListVersionsResult")
    told = _told(tree)
    is_encoded = told.get("EncodingType") == "url"
    entries = (each for each in tree if oss_bodies.name(each) in _ENTRIES)
    found = tuple(_version(each, is_encoded=is_encoded) for each in entries)
    if told["IsTruncated"] == "false":
        return VersionPage(found, seen_at(answer))
    key, version_id = told.get("NextKeyMarker", ""), told.get("NextVersionIdMarker", "")
    return VersionPage(found, seen_at(answer), Mark(decoded(key) if is_encoded else key, version_id))


def _told(tree: ET.Element) -> dict[str, str]:
    """Return what a page says beside its versions; Transient unless that is said once."""
    told = [
        (oss_bodies.name(each), each.text or "") for each in tree if oss_bodies.name(each) not in _ENTRIES
    ]
    found = dict(told)
    if len(found) < len(told) or "CommonPrefixes" in found:
        raise wrong("something twice, or what nobody asked for")
    if found.get("IsTruncated") not in {"true", "false"}:
        raise wrong(f"versions, IsTruncated {found.get('IsTruncated')!r:.40}")
    return found


def _version(entry: ET.Element, *, is_encoded: bool) -> ListedVersion:
    is_marker = oss_bodies.name(entry) == "DeleteMarker"
    told = _fields(entry, _SHAPES if is_marker else _SHAPES | _OF_BYTES)
    key = decoded(told["Key"]) if is_encoded else told["Key"]
    size, etag = int(told.get("Size", 0)), told.get("ETag", "")
    return ListedVersion(
        key,
        size,
        told.get("StorageClass", ""),
        told.get("Type", ""),
        unix(told["LastModified"]),
        etag,
        told["VersionId"],
        told["IsLatest"] == "true",
        is_marker,
    )


def _fields(entry: ET.Element, shapes: dict[str, re.Pattern[str]]) -> dict[str, str]:
    """Return the fields of a version; Transient unless each is there once, and as it should be."""
    given = [(oss_bodies.name(each), each) for each in entry]
    found = {name: each.text or "" for name, each in given if name in shapes and not len(each)}
    if "ETag" in found:
        found["ETag"] = found["ETag"].strip('"')
    for name, shape in shapes.items():
        if not shape.fullmatch(found.get(name, "")) or [each for each, _ in given].count(name) != 1:
            raise wrong(f"{name} {found.get(name)!r:.80} of a version of {found.get('Key')!r:.80}")
    return found


def check_order(page: VersionPage, prefix: str, after: Mark) -> None:
    """Raise Transient for keys out of order or outside the prefix, and for a page that leads nowhere."""
    last = after.key
    for each in page.versions:
        is_behind = each.key < last or (each.key == after.key and not after.version_id)
        if not each.key.startswith(prefix) or is_behind:
            raise wrong(f"{each.key[:80]!r} after {last[:80]!r} under {prefix[:80]!r}")
        last = each.key
    if page.next is not None and (not page.versions or page.next.key < last or page.next == after):
        raise wrong(f"no more than {last[:80]!r}, and more to come after {page.next.key[:80]!r}")
