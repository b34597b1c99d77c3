"""Pages of versions: what is read of them is what oss2 reads; what is no whole page is an error."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, strategies as st
from oss2 import models, xml_utils

from osscopy.aliyun.bodies import versions
from osscopy.aliyun.wire.session import Answer
from osscopy.model import ListedVersion, Mark, Transient, VersionPage
from tests.unit.peer import DATE
from tests.unit.test_listings import CLASSES, KINDS, keys as texts

keys = texts.filter(bool)
Fields = tuple[tuple[str, str], ...]
MARKER: Fields = (
    ("Key", "k"),
    ("VersionId", "CAEQ"),
    ("IsLatest", "false"),
    ("LastModified", "2026-11-22T10:00:00.000Z"),
)
VERSION: Fields = (
    *MARKER,
    ("ETag", '"AB"'),
    ("Type", "Normal"),
    ("Size", "7"),
    ("StorageClass", "Standard"),
)


def page(body: bytes) -> VersionPage:
    return versions.page(Answer(200, {"Date": DATE, "x-oss-request-id": "R"}, body))


def entry(fields: Fields, *changed: tuple[str, str], name: str = "Version", without: str = "") -> str:
    known = {**dict(fields), **dict(changed)}
    inner = "".join(f"<{each}>{text}</{each}>" for each, text in known.items() if each != without)
    return f"<{name}>{inner}<Owner><ID>1</ID><DisplayName>1</DisplayName></Owner></{name}>"


def told(*entries: str, head: str = "<IsTruncated>false</IsTruncated>") -> bytes:
    marks = "<Prefix></Prefix><KeyMarker/><VersionIdMarker/><MaxKeys>9</MaxKeys><Delimiter/>"
    body = f"<Name>b</Name>{marks}{head}<EncodingType>url</EncodingType>{''.join(entries)}"
    return f'<?xml version="1.0" encoding="UTF-8"?><ListVersionsResult>{body}</ListVersionsResult>'.encode()


def by_oss2(body: bytes) -> tuple[list[Any], list[Any], Any]:
    """Return the versions, the delete markers and the mark that oss2 reads of the same bytes."""
    answer = Answer(200, {"Date": DATE, "x-oss-request-id": "R"}, b"")
    found = xml_utils.parse_list_object_versions(models.ListObjectVersionsResult(answer), body)
    shown = [
        (each.key, each.size, each.storage_class, each.type, each.last_modified, each.etag, each.versionid)
        for each in found.versions
    ]
    markers = [(each.key, each.last_modified, each.versionid) for each in found.delete_marker]
    return shown, markers, (found.next_key_marker, found.next_versionid_marker)


@st.composite
def pages(draw: st.DrawFn) -> bytes:
    found = []
    for key in draw(st.lists(keys, max_size=4)):
        moment = datetime.fromtimestamp(draw(st.integers(10**7, 10**10)), timezone.utc)
        changed = [
            ("Key", quote(key, safe=draw(st.sampled_from(["", "/"])))),
            ("VersionId", draw(st.sampled_from(["null", "CAEQMxiBgICAof2D0BYiIDJh"]))),
            ("IsLatest", draw(st.sampled_from(["true", "false"]))),
            ("LastModified", moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")),
        ]
        more = [("Type", draw(st.sampled_from(KINDS))), ("StorageClass", draw(st.sampled_from(CLASSES)))]
        is_marker = draw(st.booleans())
        found.append(
            entry(MARKER, *changed, name="DeleteMarker") if is_marker else entry(VERSION, *changed, *more)
        )
    marked = quote(draw(keys))
    mark = f"<NextKeyMarker>{marked}</NextKeyMarker><NextVersionIdMarker>v</NextVersionIdMarker>"
    if draw(st.booleans()):
        return told(*found, head=f"<IsTruncated>true</IsTruncated>{mark}")
    return told(*found)


@given(body=pages())
def test_a_page_is_read_as_oss2_reads_it(body: bytes) -> None:
    found = page(body)
    shown = [
        (each.key, each.size, each.storage_class, each.kind, each.modified, each.etag, each.version_id)
        for each in found.versions
        if not each.is_marker
    ]
    markers = [(each.key, each.modified, each.version_id) for each in found.versions if each.is_marker]
    mark = (found.next.key, found.next.version_id) if found.next else (None, None)
    if found.next is None:
        assert by_oss2(body)[:2] == (shown, markers)
    else:
        assert by_oss2(body) == (shown, markers, mark)


def test_versions_and_delete_markers_stay_in_their_order() -> None:
    order = [("1", "Version"), ("2", "DeleteMarker"), ("3", "Version")]
    entries = [
        entry(VERSION if name == "Version" else MARKER, ("VersionId", each), name=name)
        for each, name in order
    ]
    found = page(told(*entries)).versions
    assert [(each.version_id, each.is_marker) for each in found] == [("1", False), ("2", True), ("3", False)]


BAD_PAGES = {
    "no IsTruncated": told(entry(VERSION), head=""),
    "another IsTruncated": told(entry(VERSION), head="<IsTruncated>maybe</IsTruncated>"),
    "two of them": told(head="<IsTruncated>true</IsTruncated><IsTruncated>false</IsTruncated>"),
    "prefixes": told("<CommonPrefixes><Prefix>a%2F</Prefix></CommonPrefixes>"),
    "an escape that is none": told(entry(VERSION, ("Key", "a%2"))),
    "a key twice": told(entry(VERSION).replace("<Key>k</Key>", "<Key>k</Key><Key>l</Key>")),
    "a size that is none": told(entry(VERSION, ("Size", "-1"))),
    "another IsLatest": told(entry(VERSION, ("IsLatest", "maybe"))),
    "another root": told(entry(VERSION)).replace(b"ListVersionsResult", b"ListBucketResult"),
    "half a page": told(entry(VERSION), entry(VERSION))[:-40],
    **{f"no {name}": told(entry(VERSION, without=name)) for name, _ in VERSION},
    **{
        f"a marker without {name}": told(entry(MARKER, name="DeleteMarker", without=name))
        for name, _ in MARKER
    },
}


@pytest.mark.parametrize("name", BAD_PAGES)
def test_what_is_no_whole_page_is_an_error(name: str) -> None:
    with pytest.raises(Transient):
        page(BAD_PAGES[name])


@pytest.mark.parametrize(
    ("keys", "after", "mark"),
    [
        (("p/b", "p/a"), Mark(), None),
        (("q/a",), Mark(), None),
        (("p/a",), Mark("p/a"), None),
        (("p/a",), Mark("p/b", "v"), None),
        ((), Mark(), Mark("p/a", "v")),
        (("p/b",), Mark(), Mark("p/a", "v")),
        (("p/a",), Mark("p/a", "v"), Mark("p/a", "v")),
    ],
    ids=["descending", "elsewhere", "again", "before", "endless", "backwards", "in a circle"],
)
def test_a_page_that_is_out_of_order_or_leads_nowhere_is_an_error(
    keys: tuple[str, ...], after: Mark, mark: Mark | None
) -> None:
    found = tuple(ListedVersion(key, 1, "Standard", "Normal", 1, "AB", "w") for key in keys)
    with pytest.raises(Transient):
        versions.check_order(VersionPage(found, 0, mark), "p/", after)


def test_more_versions_of_the_marked_key_are_in_order() -> None:
    found = tuple(ListedVersion("p/a", 1, "Standard", "Normal", 1, "AB", each) for each in "xy")
    versions.check_order(VersionPage(found, 0, Mark("p/a", "y")), "p/", Mark("p/a", "w"))
