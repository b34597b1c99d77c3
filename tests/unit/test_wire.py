"""Answers of OSS to values: what can be read is read as it is, what cannot is a typed error."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, strategies as st
from oss2.models import ListPartsResult, PartInfo
from oss2.xml_utils import parse_list_parts, to_complete_upload_request
from requests.structures import CaseInsensitiveDict

from osscopy.aliyun import oss_bodies, oss_errors, oss_headers
from osscopy.model import Encrypted, ListedPart, OssCopyError, Transient, Written

DATE = "Sun, 22 Nov 2026 10:00:00 GMT"
PART = {
    "PartNumber": "1",
    "ETag": '"AB"',
    "Size": "5",
    "HashCrc64ecma": "7",
    "LastModified": "2026-11-22T10:00:00.000Z",
}


@dataclass
class Answer:
    """What oss2 hands over: headers, and a body that is read once."""

    headers: Any
    body: bytes = b""
    status: int = 200
    request_id: str = "R"
    target_key: str = "target"
    resp: Any = field(init=False)

    def __post_init__(self) -> None:
        self.resp = self

    def read(self) -> bytes:
        return io.BytesIO(self.body).read()


def headers(**changes: str | None) -> Any:
    usual = {"Content-Length": "5", "ETag": '"AB"', "Last-Modified": DATE, "Date": DATE}
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    return CaseInsensitiveDict({name: v for name, v in {**usual, **named}.items() if v is not None})


def listing(fields: dict[str, str], rest: str = "") -> Answer:
    told = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return Answer(headers(), f"<ListPartsResult><Part>{told}</Part>{rest}</ListPartsResult>".encode())


@pytest.mark.parametrize("read", [oss_headers.head, oss_headers.link])
@pytest.mark.parametrize(
    "changes",
    [
        {"ETag": None},
        {"ETag": '""'},
        {"ETag": "a b"},
        {"Last_Modified": None},
        {"Last_Modified": "yesterday"},
        {"Last_Modified": "Sun, 22 Nov 99999999999 10:00:00 GMT"},
        {"Date": None},
        {"Date": "0"},
    ],
)
def test_an_etag_or_a_date_that_cannot_be_read_is_a_typed_error(
    read: Any, changes: dict[str, str | None]
) -> None:
    with pytest.raises(Transient) as told:
        read(Answer(headers(**changes)))
    assert told.value.code == "BadAnswer"


@pytest.mark.parametrize(
    "changes",
    [
        {"Content_Length": None},
        {"Content_Length": "five"},
        {"Content_Length": "-5"},
        {"Content_Length": "5, 5"},
        {"x_oss_tagging_count": "many"},
        {"x_oss_hash_crc64ecma": "0x7"},
    ],
)
def test_a_number_of_head_that_is_none_is_a_typed_error(changes: dict[str, str | None]) -> None:
    with pytest.raises(Transient) as told:
        oss_headers.head(Answer(headers(**changes)))
    assert told.value.code == "BadAnswer"


@pytest.mark.parametrize(
    ("shown", "encryption"),
    [
        ({}, None),
        ({"x_oss_server_side_encryption": "FUTURE"}, Encrypted("FUTURE")),
        (
            {
                "x_oss_server_side_encryption": "KMS",
                "x_oss_server_side_encryption_key_id": "k",
                "x_oss_server_side_data_encryption": "AES256",
            },
            Encrypted("KMS", "k", "AES256"),
        ),
    ],
)
def test_encryption_is_shown_as_text_whatever_oss_has_by_now(
    shown: dict[str, str], encryption: Encrypted | None
) -> None:
    assert oss_headers.head(Answer(headers(**shown))).encryption == encryption


def test_what_head_does_not_show_is_unknown_and_not_none() -> None:
    seen = oss_headers.head(Answer(headers()))
    assert (seen.tag_count, seen.crc64, seen.version_id) == (None, None, None)
    shown = oss_headers.head(Answer(headers(x_oss_tagging_count="0", x_oss_hash_crc64ecma="7")))
    assert (shown.tag_count, shown.crc64) == (0, "7")


def test_a_rule_that_removes_delete_markers_expires_nothing() -> None:
    def read(expiration: Any, days: int | None = None) -> tuple[int | None, int | None]:
        abort = None if days is None else SimpleNamespace(days=days)
        rule = SimpleNamespace(
            id="r", prefix="p", tagging=None, expiration=expiration, abort_multipart_upload=abort
        )
        found = oss_bodies.lifecycle_rule(rule)
        return found.expires, found.aborts

    def expiry(**given: Any) -> Any:
        return SimpleNamespace(**{"days": None, "date": None, "created_before_date": None, **given})

    assert read(None) == (None, None)
    assert read(expiry()) == (None, None)
    assert read(expiry(days=3), 5) == (3, 5)
    assert read(expiry(date="2026-11-22")) == (0, None)


@pytest.mark.parametrize(
    ("told", "restoration"),
    [
        (None, "none"),
        ('ongoing-request="true"', "ongoing"),
        ('ongoing-request="false", expiry-date="Sun, 22 Nov 2026 10:00:00 GMT"', "done"),
        ("what?", "none"),
    ],
)
def test_a_restoration_that_nobody_tells_of_is_none(told: str | None, restoration: str) -> None:
    assert oss_headers.head(Answer(headers(x_oss_restore=told))).restoration == restoration


def test_a_symlink_without_a_target_is_a_typed_error() -> None:
    answer = Answer(headers())
    answer.target_key = ""
    with pytest.raises(Transient, match="x-oss-symlink-target"):
        oss_headers.link(answer)


@pytest.mark.parametrize("name", [each for each in PART if each != "HashCrc64ecma"])
@pytest.mark.parametrize("value", [None, "", "?\u00fc"])
def test_a_listed_part_that_cannot_be_read_is_a_typed_error(name: str, value: str | None) -> None:
    broken = {each: PART[each] for each in PART if each != name} | (
        {name: value} if value is not None else {}
    )
    with pytest.raises(Transient) as told:
        oss_bodies.parts(listing({each: text for each, text in broken.items() if text is not None}))
    assert told.value.code == "BadAnswer"


def test_a_part_whose_crc64_is_not_shown_is_one_without() -> None:
    bare = {name: value for name, value in PART.items() if name != "HashCrc64ecma"}
    assert [each.crc64 for each in oss_bodies.parts(listing(bare)).parts] == [None]
    assert [each.crc64 for each in oss_bodies.parts(listing(PART)).parts] == [7]


def test_a_page_that_goes_on_nowhere_is_a_typed_error() -> None:
    with pytest.raises(Transient, match="NextPartNumberMarker"):
        oss_bodies.parts(listing(PART, "<IsTruncated>true</IsTruncated>"))
    assert oss_bodies.parts(listing(PART)).next is None


@pytest.mark.parametrize(
    "body", [b"", b"<", b"<?xml version='1.0' encoding='utf-77'?><ListPartsResult/>", b"<html/>"]
)
def test_a_body_that_cannot_be_read_leaves_what_was_asked_in_doubt(body: bytes) -> None:
    with pytest.raises(Transient) as told:
        oss_bodies.parts(Answer(headers(), body))
    assert (told.value.code, told.value.in_doubt) == ("BadAnswer", True)


def test_what_was_written_is_known_by_its_etag_in_headers_or_body_or_not_at_all() -> None:
    bare = headers(ETag=None)
    named = b'<CopyObjectResult><ETag>"AB"</ETag></CopyObjectResult>'
    assert oss_bodies.written(Answer(headers(), b"<CopyObjectResult/>"), "CopyObjectResult") == Written(
        "AB", None
    )
    assert oss_bodies.written(Answer(bare, named), "CopyObjectResult") == Written("AB", None)
    assert oss_bodies.written(Answer(bare, b"<CopyObjectResult/>"), "CopyObjectResult") == Written("", None)


NUMBERS = st.integers(1, 10_000)


@given(
    st.dictionaries(NUMBERS, st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1), min_size=1)
)
def test_the_body_of_complete_is_the_one_that_oss2_makes(drawn: dict[int, str]) -> None:
    listed = [ListedPart(number, etag, 5, None, 0) for number, etag in drawn.items()]
    wanted = [PartInfo(number, etag) for number, etag in sorted(drawn.items())]
    assert oss_bodies.complete(listed) == to_complete_upload_request(wanted)


@given(st.dictionaries(NUMBERS, st.integers(0, 4 << 30), max_size=9), st.booleans())
def test_a_page_of_parts_is_read_as_oss2_reads_it(drawn: dict[int, int], more: bool) -> None:
    parts = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{moment:032X}&quot;</ETag><Size>{number}</Size>"
        f"<LastModified>{datetime.fromtimestamp(moment, timezone.utc):%Y-%m-%dT%H:%M:%S}.000Z</LastModified>"
        "</Part>"
        for number, moment in drawn.items()
    )
    rest = f"<IsTruncated>{str(more).lower()}</IsTruncated><NextPartNumberMarker>9</NextPartNumberMarker>"
    body = f"<ListPartsResult>{rest}{parts}</ListPartsResult>".encode()
    page, theirs = oss_bodies.parts(Answer(headers(), body)), ListPartsResult(Answer(headers()))
    parse_list_parts(theirs, body)
    assert [(each.number, each.etag, each.size, each.modified) for each in page.parts] == [
        (each.part_number, each.etag, each.size, each.last_modified) for each in theirs.parts
    ]
    assert page.next == (int(theirs.next_marker) if theirs.is_truncated else None)


@pytest.mark.parametrize(
    ("told", "pause"),
    [("1500", 1.5), ("0.5", 0.0005), ("99999999", 30.0), ("soon", 0.0), ("nan", 0.0), ("-1", 0.0)],
)
def test_the_pause_that_oss_asks_for_is_a_number_or_none(told: str, pause: float) -> None:
    error = oss_errors.translate(
        503, "TotalQpsLimitExceeded", "slow down", "R", {"x-oss-qos-delay-time": told}
    )
    assert isinstance(error, Transient)
    assert (error.pause, error.throttled) == (pause, True)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "Content-Length",
                "ETag",
                "Date",
                "Last-Modified",
                "x-oss-restore",
                "x-oss-tagging-count",
                "x-oss-hash-crc64ecma",
                "x-oss-server-side-encryption",
                "x-oss-object-type",
                "x-oss-server-side-data-encryption",
                "x-oss-storage-class",
                "x-oss-meta-a",
                "Content-Type",
            ]
        ),
        st.text(st.characters(max_codepoint=255)),
    )
)
def test_no_header_of_an_answer_makes_the_function_crash(drawn: dict[str, str]) -> None:
    for read in (oss_headers.head, oss_headers.link):
        try:
            read(Answer(CaseInsensitiveDict({**headers(), **drawn})))
        except OssCopyError as error:
            assert error.code == "BadAnswer"
