"""Pages of listings: what is read of them is what oss2 reads; what is no whole page is an error."""

from __future__ import annotations

from datetime import datetime, timezone
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings, strategies as st
from oss2 import models, xml_utils

from osscopy.aliyun.bodies import listings
from osscopy.aliyun.wire.session import Answer
from osscopy.model import ListedObject, ObjectPage, OssCopyError, Transient
from tests.unit.peer import DATE

CLASSES = ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive")
KINDS = ("Normal", "Multipart", "Appendable", "Symlink")
UNSPEAKABLE = [chr(n) for n in range(32) if chr(n) not in "\t\n\r"] + ["\ufffe", "\uffff"]  # in XML
ODD = (
    "\x01",
    "\r",
    "a\nb",
    "&#x1;",
    "&amp;",
    "%41",
    "%2F",
    "a%",
    "+",
    " ",
    "中文/文件",
    "🚀",
    "]]>",
    "<Key>",
    '"',
)


def page(body: bytes) -> ObjectPage:
    return listings.page(Answer(200, {"Date": DATE, "x-oss-request-id": "R"}, body))


def by_oss2(body: bytes) -> tuple[list[ListedObject], bool]:
    """Return what oss2 reads of the same bytes and a token, which it asks for; we go on by the last key."""
    answer = Answer(200, {"Date": DATE, "x-oss-request-id": "R"}, b"")
    end = b"</ListBucketResult>"
    with_token = body.replace(end, b"<NextContinuationToken>x</NextContinuationToken>" + end)
    found = xml_utils.parse_list_objects_v2(models.ListObjectsV2Result(answer), with_token)
    listed = [
        ListedObject(each.key, each.size, each.storage_class, each.type, each.last_modified, each.etag)
        for each in found.object_list
    ]
    return listed, found.is_truncated


keys = st.lists(st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"])), min_size=1).map(
    "".join
)
moments = st.integers(10**7, 10**10).map(lambda seconds: datetime.fromtimestamp(seconds, timezone.utc))


@st.composite
def objects(draw: st.DrawFn, *, is_encoded: bool) -> list[tuple[str, str]]:
    """The elements of one object as XML, in OSS's order or in another."""
    key = draw(keys.filter(bool))
    if is_encoded:
        key = quote(key, safe=draw(st.sampled_from(("", "/"))))
    else:
        key = "".join(each for each in key if each not in UNSPEAKABLE).replace("\r", "") or "k"
    quotation = draw(st.sampled_from(('"', "&quot;", "&#34;", "")))
    etag = draw(st.sampled_from(("5B3C1A2E053D763E1B002CC607C5A0FE", "A-5", "x_1")))
    elements = [
        ("Key", escape(key)),
        ("LastModified", f"{draw(moments):%Y-%m-%dT%H:%M:%S}.000Z"),
        ("ETag", f"{quotation}{etag}{quotation}"),
        ("Type", draw(st.sampled_from(KINDS))),
        ("Size", str(draw(st.integers(0, 1 << 50)))),
        ("StorageClass", draw(st.sampled_from(CLASSES))),
    ]
    if draw(st.booleans()):
        elements.insert(1, ("TransitionTime", draw(st.sampled_from(("", "2026-11-22T10:00:00.000Z")))))
    if draw(st.booleans()):
        elements.append(("RestoreInfo", draw(st.sampled_from(("", 'ongoing-request="true"', "x&amp;y")))))
    if draw(st.booleans()):
        name = draw(st.sampled_from(("", "1234", "Zo&#235;")))
        elements.append(("Owner", f"<ID>{name}</ID><DisplayName>{name}</DisplayName>"))
    return draw(st.permutations(elements)) if draw(st.integers(0, 4)) == 0 else elements


@st.composite
def pages(draw: st.DrawFn) -> bytes:
    is_encoded, gap = draw(st.integers(0, 3)) > 0, draw(st.sampled_from(("", "\n", "\n  ", "\r\n\t")))
    listed = draw(st.lists(objects(is_encoded=is_encoded), max_size=4))
    more = draw(st.booleans())
    head = [("Name", "b"), ("Prefix", draw(st.sampled_from(("", "a%2F", "中")))), ("StartAfter", "")]
    head += [("EncodingType", "url")] * is_encoded + [("IsTruncated", "true" if more else "false")]
    head += [("KeyCount", str(len(listed)))] * draw(st.booleans())
    head += [("NextContinuationToken", "CgJiYw--")] * more
    first = draw(st.booleans())  # else what a page says of itself comes last
    told = [gap + element(*each) for each in head]
    shown = [
        f"{gap}<Contents>{''.join(gap + element(*each) for each in one)}{gap}</Contents>" for one in listed
    ]
    declared = draw(st.sampled_from(("", '<?xml version="1.0" encoding="UTF-8"?>\n')))
    inside = "".join([*told, *shown] if first else [*shown, *told])
    return f"{declared}<ListBucketResult>{inside}{gap}</ListBucketResult>".encode()


def element(name: str, text: str) -> str:
    return f"<{name}>{text}</{name}>"


@settings(max_examples=150, deadline=None)
@given(pages())
def test_a_page_is_read_as_oss2_reads_it(body: bytes) -> None:
    found = page(body)
    assert (list(found.objects), found.more) == by_oss2(body)


@settings(max_examples=300, deadline=None)
@given(pages(), st.data())
def test_a_damaged_page_is_an_error_or_what_oss2_reads(body: bytes, data: st.DataObject) -> None:
    """Bytes are lost, doubled or changed somewhere: never does a key go missing without a word."""
    begin = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(begin, min(len(body), begin + data.draw(st.sampled_from((1, 8, 400))))))
    instead = data.draw(
        st.sampled_from((b"", b"<", b"&", b"%", b"%f", b"x", b"1", b"\r", b"\xff", body[begin:end] * 2))
    )
    damaged = body[:begin] + instead + body[end:]
    try:
        found = page(damaged)
    except OssCopyError:
        return
    assert (list(found.objects), found.more) == by_oss2(damaged)


USUAL = [
    ("Key", "k"),
    ("LastModified", "2026-11-22T10:00:00.000Z"),
    ("ETag", '"AB"'),
    ("Type", "Normal"),
    ("Size", "5"),
    ("StorageClass", "Standard"),
]


def told(
    *elements: str, head: str = "<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
) -> bytes:
    return f"<ListBucketResult>{head}{''.join(elements)}</ListBucketResult>".encode()


def contents(*changed: tuple[str, str], without: str = "") -> str:
    fields = (dict(USUAL) | dict(changed)).items()
    return element("Contents", "".join(element(*each) for each in fields if each[0] != without))


def test_the_page_that_is_damaged_below_can_be_read() -> None:
    (found,) = page(told(contents())).objects
    assert found == ListedObject("k", 5, "Standard", "Normal", 1795341600, "AB")


BAD_PAGES = {
    "no IsTruncated": told(contents(), head=""),
    "another IsTruncated": told(contents(), head="<IsTruncated>maybe</IsTruncated>"),
    "two of them": told(contents(), head="<IsTruncated>true</IsTruncated><IsTruncated>false</IsTruncated>"),
    "fewer keys than it says": told(contents(), head="<IsTruncated>true</IsTruncated><KeyCount>2</KeyCount>"),
    "prefixes": told("<CommonPrefixes><Prefix>a%2F</Prefix></CommonPrefixes>"),
    "an escape that is none": told(contents(("Key", "a%2"))),
    "a key that is not UTF-8": told(contents(("Key", "a%ff"))),
    "a key with elements": told(contents(("Key", "a<b/>c"))),
    "a character that XML has not": told(contents(("Key", "a&#x1;"))),
    "a key twice": told(contents().replace("<Key>k</Key>", "<Key>k</Key><Key>l</Key>")),
    "a day that is none": told(contents(("LastModified", "2026-02-30T10:00:00.000Z"))),
    "an hour that is none": told(contents(("LastModified", "2026-02-20T25:00:00.000Z"))),
    "another form of a date": told(contents(("LastModified", "22 Nov 2026"))),
    "a size that is none": told(contents(("Size", "-1"))),
    "another root": told(contents()).replace(b"ListBucketResult", b"ListPartsResult"),
    "half a page": told(contents(), contents())[:-40],
    "nothing": b"",
    **{f"no {name}": told(contents(without=name)) for name, _ in USUAL},
    **{f"empty {name}": told(contents((name, ""))) for name, _ in USUAL},
}


@pytest.mark.parametrize("name", BAD_PAGES)
@pytest.mark.parametrize("behind", [False, True], ids=["first", "behind a good one"])
def test_what_is_no_whole_page_is_an_error(name: str, behind: bool) -> None:
    body = BAD_PAGES[name]
    if behind and b"KeyCount" not in body:
        body = body.replace(b"<Contents>", contents(("Key", "j")).encode() + b"<Contents>", 1)
    with pytest.raises(Transient):
        page(body)


@pytest.mark.parametrize(
    ("keys", "prefix", "after", "more"),
    [
        (("p/b", "p/a"), "p/", "", False),
        (("p/a", "p/a"), "p/", "", False),
        (("p/a",), "p/", "p/a", False),
        (("q/a",), "p/", "", False),
        (("p/a", "p0"), "p/", "", False),
        ((), "p/", "", True),
        (("\U0001f680", "\uffee"), "", "", False),
    ],
    ids=["descending", "doubled", "again", "elsewhere", "behind the prefix", "endless", "UTF-16's order"],
)
def test_keys_that_do_not_ascend_or_lie_elsewhere_are_an_error(
    keys: tuple[str, ...], prefix: str, after: str, more: bool
) -> None:
    found = tuple(ListedObject(key, 1, "Standard", "Normal", 1, "AB") for key in keys)
    with pytest.raises(Transient):
        listings.check_order(ObjectPage(found, 0, more), prefix, after)
