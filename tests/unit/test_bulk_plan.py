"""The decisions about many objects, as values."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from osscopy.model import (
    Ahead,
    BulkDestination,
    BulkJob,
    BulkResult,
    BulkSource,
    Conditions,
    CopyRequest,
    Encryption,
    Ended,
    Filters,
    Former,
    Head,
    Item,
    Manifest,
    Prices,
    Problem,
    Range,
    Refused,
    ReportFile,
    ReportPlace,
    Result,
    Row,
    Shown,
    Slow,
    Summary,
    Totals,
    Tuning,
)
from osscopy.model.request import ContentHeaders
from osscopy.plan import bulk
from osscopy.plan.allowed.options import ANY_OPTION
from osscopy.plan.bulk import Chain, Compare, CopyNow, End, Look, Policy
from osscopy.plan.bulk.rows import csv_rows, encoded
from osscopy.plan.bulk.width import middle
from tests.unit.engine import DST, SRC, request as copy_request
from tests.unit.many import Jobs, job_of, request

JOB = "b-" + "0" * 32
NOW = datetime(2027, 1, 15, tzinfo=timezone.utc)

# --- filters -----------------------------------------------------------------------------------------------

GLOBS = {
    "*.txt": {"a.txt": True, "b/a.txt": False, "a.TXT": False, ".txt": True},
    "**.txt": {"a.txt": True, "b/a.txt": True},
    "**/x": {"x": True, "a/x": True, "a/b/x": True, "ax": False},
    "a/**": {"a/b": True, "a/b/c": True, "a": False},
    "a/**/b": {"a/b": True, "a/x/y/b": True, "a/xb": False},
    "x**/y": {"x/y": True, "xa/b/y": True, "y": False},
    "a?c": {"abc": True, "a/c": False, "ac": False},
    "[ab]*": {"ax": True, "bx": True, "cx": False},
    "[!a]x": {"bx": True, "ax": False, "/x": False},
    "[^a]x": {"bx": True, "ax": False},
    "[a-c]": {"b": True, "d": False},
    "[a\\-c]": {"-": True, "b": False},
    "{a,bc}d": {"ad": True, "bcd": True, "bd": False},
    "a,b": {"a,b": True},
    "{a/**/,}b": {"b": True, "a/x/b": True},
    "\\*": {"*": True, "a": False},
    "tmp/": {"tmp/": True, "tmp/a": False},
    "ä": {"ä": True, "a\u0308": False},
    "": {"": True, "a": False},
    "a\nb": {"a\nb": True},
}


@pytest.mark.parametrize("pattern", GLOBS)
def test_a_glob_means_what_rclone_means(pattern: str) -> None:
    ready = bulk.Filter(Filters(include=(pattern,)))
    assert {name: ready.takes_name(name) for name in GLOBS[pattern]} == GLOBS[pattern]


def test_what_is_excluded_is_not_taken_even_if_it_is_included() -> None:
    both = bulk.Filter(Filters(include=("**/*.txt",), exclude=("tmp/**",)))
    assert both.takes_name("a/b.txt")
    assert not both.takes_name("tmp/b.txt")
    assert not both.takes_name("a/b.bin")
    assert bulk.Filter(Filters(exclude=("a",))).takes_name("b")


def test_sizes_times_and_classes_have_closed_and_open_ends() -> None:
    ready = bulk.Filter(
        Filters(
            min_size="1KiB",
            max_size=2048,
            modified_after="1970-01-01T00:00:10Z",
            modified_before="1970-01-01T08:00:20+08:00",
            storage_classes=("IA",),
        )
    )
    assert ready.takes("a", 1024, 10, "IA")
    assert ready.takes("a", 2048, 19, "IA")
    for size, modified, kind in (
        (1023, 10, "IA"),
        (2049, 10, "IA"),
        (1024, 9, "IA"),
        (1024, 20, "IA"),
        (1024, 10, "x"),
    ):
        assert not ready.takes("a", size, modified, kind)


@pytest.mark.parametrize(
    ("given_", "field"),
    [
        (Filters(include=("[a",)), "filters.include"),
        (Filters(include=("[]",)), "filters.include"),
        (Filters(exclude=("{a",)), "filters.exclude"),
        (Filters(exclude=("a}",)), "filters.exclude"),
        (Filters(include=("a\\",)), "filters.include"),
        (Filters(include=("[b-a]",)), "filters.include"),
        (Filters(min_size="1 kB"), "filters.minSize"),
        (Filters(max_size=-1), "filters.maxSize"),
        (Filters(modified_after="2026-01-01"), "filters.modifiedAfter"),
        (Filters(modified_before="2026-01-01T00:00:00"), "filters.modifiedBefore"),
        (Filters(modified_before="2026-13-01T00:00:00Z"), "filters.modifiedBefore"),
    ],
)
def test_a_wrong_filter_is_refused_by_name(given_: Filters, field: str) -> None:
    with pytest.raises(Refused) as refusal:
        bulk.Filter(given_)
    assert (refusal.value.code, refusal.value.field) == ("InvalidFilter", field)


# --- requests ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"delete": True, "max_delete": -1}, "InvalidField", "maxDelete"),
        ({"max_delete": "10%"}, "InvalidField", "maxDelete"),
        *(
            ({"delete": True, "dry_run": True, **changes}, "InvalidField", field)
            for changes, field in (
                ({"max_delete": -1}, "maxDelete"),
                ({"max_delete": "10"}, "maxDelete"),
                ({"max_delete": "100.5%"}, "maxDelete"),
                ({"max_delete": "-1%"}, "maxDelete"),
                ({"source": BulkSource(manifest=Manifest("mmm", "k"))}, "delete"),
                ({"source": BulkSource(report=Former("b-" + "0" * 32))}, "delete"),
                ({"destination": BulkDestination(bucket=DST, key="{name}")}, "destination.key"),
                ({"destination": BulkDestination(bucket=DST)}, "destination.prefix"),
                ({"destination": BulkDestination(bucket=DST, prefix="out")}, "destination.prefix"),
                ({"source": BulkSource(bucket=SRC, prefix="in")}, "source.prefix"),
            )
        ),
        ({"delete": True, "mode": "check", "dry_run": True}, "InvalidField", "dryRun"),
        ({"mode": "check", "dry_run": True}, "InvalidField", "dryRun"),
        ({"mode": "check", "overwrite": "never"}, "InvalidField", "overwrite"),
        ({"mode": "check", "source": BulkSource(manifest=Manifest("mmm", "k"))}, "InvalidField", "source"),
        (
            {"mode": "check", "destination": BulkDestination(bucket=DST, key="{name}")},
            "InvalidField",
            "destination.key",
        ),
        ({"max_rate": -1}, "InvalidField", "maxRate"),
        ({"source": BulkSource(bucket=SRC)}, "InvalidField", "source"),
        (
            {"source": BulkSource(bucket=SRC, prefix="", manifest=Manifest("mmm", "k"))},
            "InvalidField",
            "source",
        ),
        ({"source": BulkSource(prefix="a/")}, "MissingField", "source.bucket"),
        (
            {"destination": BulkDestination(bucket=DST, prefix="", key="{key}")},
            "InvalidField",
            "destination.key",
        ),
        ({"max_failures": -1}, "InvalidField", "maxFailures"),
        ({"max_workers": 0}, "InvalidField", "maxWorkers"),
        ({"max_workers": 101}, "InvalidField", "maxWorkers"),
        ({"filters": Filters(include=())}, "InvalidFilter", "filters.include"),
        ({"filters": Filters(exclude=("a",) * 101)}, "InvalidFilter", "filters.include"),
        ({"filters": Filters(exclude=("a" * 1025,))}, "InvalidFilter", "filters.include"),
        ({"destination": BulkDestination(bucket=SRC, prefix="in/x/")}, "InvalidField", "destination.prefix"),
        ({"destination": BulkDestination(bucket=SRC, prefix="")}, "InvalidField", "destination.prefix"),
        ({"destination": BulkDestination(bucket=SRC)}, "InvalidField", "destination.prefix"),
        ({"destination": BulkDestination(bucket=SRC, key="x/{name}")}, "InvalidField", "destination.prefix"),
        ({"destination": BulkDestination(bucket=DST, prefix="out")}, "InvalidField", "destination.prefix"),
        (
            {"destination": BulkDestination(bucket="B", prefix="out/")},
            "InvalidBucketName",
            "destination.bucket",
        ),
        ({"source": BulkSource(bucket="B", prefix="in/")}, "InvalidBucketName", "source.bucket"),
        ({"source": BulkSource(manifest=Manifest("B", "k"))}, "InvalidBucketName", "source.manifest.bucket"),
        ({"report": ReportPlace("B")}, "InvalidBucketName", "report.bucket"),
        ({"report": ReportPlace("bbb", "/x")}, "InvalidKey", "report.prefix"),
        ({"source": BulkSource(report=Former("b-1"))}, "InvalidField", "source.report.job"),
        ({"source": BulkSource(bucket=SRC, report=Former(JOB))}, "InvalidField", "source.bucket"),
        ({"source": BulkSource(bucket=SRC, prefix="", report=Former(JOB))}, "InvalidField", "source"),
        ({"filters": Filters(storage_classes=())}, "InvalidFilter", "filters.storageClasses"),
        *(
            ({"source": BulkSource(manifest=Manifest("mmm", "k")), "filters": given}, "InvalidFilter", field)
            for given, field in (
                (Filters(min_size=0), "filters.minSize"),
                (Filters(max_size="1KiB"), "filters.maxSize"),
                (Filters(modified_after="2026-01-01T00:00:00Z"), "filters.modifiedAfter"),
                (Filters(modified_before="2026-01-01T00:00:00Z"), "filters.modifiedBefore"),
                (Filters(storage_classes=("IA",)), "filters.storageClasses"),
            )
        ),
        ({"filters": Filters(min_size=2, max_size=1)}, "InvalidFilter", "filters.maxSize"),
        (
            {
                "filters": Filters(
                    modified_after="2026-01-01T00:00:00Z", modified_before="2026-01-01T00:00:00Z"
                )
            },
            "InvalidFilter",
            "filters.modifiedBefore",
        ),
        ({"source": BulkSource(bucket=SRC, prefix="oss://a/")}, "InvalidKey", "source.prefix"),
        ({"source": BulkSource(bucket=SRC, prefix="/a/")}, "InvalidKey", "source.prefix"),
        (
            {"destination": BulkDestination(bucket=DST, prefix="a" * 1020 + "/")},
            "InvalidKey",
            "destination.key",
        ),
        ({"destination": BulkDestination(bucket=DST, key="{nope}")}, "InvalidTemplate", "destination.key"),
        ({"destination": BulkDestination(bucket=DST, prefix=".dlsdata/")}, "NotAllowed", "destination.key"),
        ({"tags": {"": "x"}}, "InvalidTag", "tags"),
        ({"traffic_limit": 1}, "InvalidTrafficLimit", "trafficLimit"),
        ({"filters": Filters(min_size="x")}, "InvalidFilter", "filters.minSize"),
    ],
)
def test_a_wrong_request_is_refused_by_name(changes: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Refused) as refusal:
        bulk.refuse_wrong(request(**changes), NOW)
    assert (refusal.value.code, refusal.value.field) == (code, field)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"destination": BulkDestination(bucket=SRC, prefix="other/")},
        {"destination": BulkDestination(bucket=DST)},
        {"destination": BulkDestination(bucket=DST, prefix="")},
        {
            "source": BulkSource(bucket=SRC, prefix=""),
            "destination": BulkDestination(bucket=DST, prefix="x/"),
        },
        {"destination": BulkDestination(bucket=DST, key="{date:%Y}/{key}")},
        {"source": BulkSource(manifest=Manifest("mmm", "k")), "destination": BulkDestination(bucket=DST)},
        {"compare": "metadata", "max_rate": 5},
        {"source": BulkSource(report=Former(JOB)), "destination": BulkDestination(bucket=DST)},
    ],
)
def test_a_right_request_is_taken(changes: dict[str, Any]) -> None:
    bulk.refuse_wrong(request(**changes), NOW)


def test_a_report_may_lie_among_the_reports_of_the_records_but_among_no_other_ones() -> None:
    def refuse(report: ReportPlace) -> None:
        premises = bulk.Premises(lambda _: None, lambda *_: None, ReportPlace("state", "s/"), 1, ANY_OPTION)
        bulk.refuse_places(bulk.defaults(request(report=report)), premises)

    refuse(ReportPlace("state", "s/reports/mine/"))
    refuse(ReportPlace("state", "t/"))
    refuse(ReportPlace("other", "s/"))
    with pytest.raises(Refused) as refusal:
        refuse(ReportPlace("state", "s/done/"))
    assert (refusal.value.code, refusal.value.field) == ("NotAllowed", "report.prefix")


def test_defaults_are_said_in_the_request() -> None:
    asked = request(destination=BulkDestination(bucket=DST), encryption=None)
    assert bulk.defaults(asked).destination.prefix == "in/"
    assert bulk.defaults(asked).encryption == "keep"
    assert bulk.defaults(request(destination=BulkDestination(bucket=DST, key="a"))).destination.prefix is None


@pytest.mark.parametrize(
    ("key", "made"),
    [
        ("in/a", "out/a"),
        ("in/", "out/"),
        ("in/ü /b", "out/ü /b"),
        ("in/" + "a" * 1030, "InvalidKey"),
    ],
)
def test_a_copy_is_made_of_a_key(key: str, made: str) -> None:
    copy = bulk.Maker(request(), NOW).copy(SRC, key, None)
    assert (copy.code if isinstance(copy, Problem) else copy.destination.key) == made


@pytest.mark.parametrize(
    ("prefix", "key", "code"),
    [
        ("", "in/", "NoName"),
        ("", "in//a", "InvalidKey"),
        ("", "in/..", "InvalidKey"),
        ("", "in/.dlsdata/a", "NotAllowed"),
    ],
)
def test_a_key_that_makes_no_copy_has_its_reason(prefix: str, key: str, code: str) -> None:
    made = bulk.Maker(request(destination=BulkDestination(bucket=DST, prefix=prefix)), NOW).copy(
        SRC, key, None
    )
    assert isinstance(made, Problem)
    assert made.code == code


def test_an_object_is_not_copied_onto_itself() -> None:
    asked = request(source=BulkSource(manifest=Manifest("mmm", "k")), destination=BulkDestination(bucket=DST))
    made = bulk.Maker(bulk.defaults(asked), NOW).copy(DST, "a", None)
    assert isinstance(made, Problem)
    assert made.code == "SelfCopy"


def test_a_row_makes_the_copy_again_that_it_was_made_of() -> None:
    makes = bulk.Maker(request(archive="skip"), NOW)
    copy = makes.copy(SRC, "in/a", "v1")
    assert isinstance(copy, CopyRequest)
    assert copy.archive == "fail"
    assert makes.of_row(bulk.row(copy, "started")) == copy


# --- decisions ---------------------------------------------------------------------------------------------

USUAL = Policy("ifDifferent", "fail", 1000, 5000, plain=True, looks=False, may_encrypt=False, maps=False)
ASKED = copy_request()


def shown(size: int = 10, etag: str = "E", modified: int = 500, **more: Any) -> Shown:
    return Shown(size, etag, modified, more.get("storage_class", "Standard"), more.get("kind", "Normal"))


def head(crc64: str | None, modified: int = 500, etag: str = "E-2") -> Shown:
    seen = Head(10, etag, None, modified, 0, crc64, "Standard", "Normal", ContentHeaders(), 0)
    return Shown.of(seen)


def described(modified: int, kind: str = "text/plain", tags: int | None = None) -> Shown:
    content = ContentHeaders(content_type=kind)
    return Shown.of(Head(10, "E", None, modified, 0, "1", "Standard", "Normal", content, tags))


HEADERS = replace(USUAL, headers=True)
ENDS = {
    "it is not there": (USUAL, shown(), None, "copy"),
    "alike": (USUAL, shown(), shown(), "skipped NotDifferent"),
    "alike, by an attempt of ours": (USUAL, shown(), shown(modified=1000), "copied"),
    "another size": (USUAL, shown(), shown(size=11), "copy"),
    "another plain ETag": (USUAL, shown(), shown(etag="F"), "copy"),
    "another ETag, perhaps encrypted": (
        replace(USUAL, may_encrypt=True),
        shown(),
        shown(etag="F"),
        "compare",
    ),
    "an ETag of parts": (USUAL, shown(), shown(etag="F-2"), "compare"),
    "the same ETag of parts": (USUAL, shown(etag="F-2"), shown(etag="F-2"), "skipped NotDifferent"),
    "the same ETag of parts, newer": (USUAL, shown(etag="F-2", modified=501), shown(etag="F-2"), "compare"),
    "large": (USUAL, shown(size=5001), None, "chain"),
    "at the threshold": (USUAL, shown(size=5000), None, "copy"),
    "a symlink": (USUAL, shown(kind="Symlink"), None, "chain"),
    "options that take more": (replace(USUAL, plain=False), shown(), None, "chain"),
    "encryption is kept": (replace(USUAL, looks=True), shown(), None, "look"),
    "archived": (USUAL, shown(storage_class="Archive"), None, "copy"),
    "archived, skipped": (
        replace(USUAL, archive="skip"),
        shown(storage_class="Archive"),
        None,
        "skipped Archived",
    ),
    "archived, skipped, alike": (
        replace(USUAL, archive="skip"),
        shown(storage_class="Archive"),
        shown(),
        "skipped NotDifferent",
    ),
    "archived, restored": (
        replace(USUAL, archive="restore"),
        shown(storage_class="ColdArchive"),
        None,
        "chain",
    ),
    "always": (replace(USUAL, overwrite="always"), shown(), shown(), "copy"),
    "never": (replace(USUAL, overwrite="never"), shown(), shown(etag="F"), "skipped FileAlreadyExists"),
    "never, ours": (replace(USUAL, overwrite="never"), shown(), shown(modified=1000), "copied"),
    "never, new": (replace(USUAL, overwrite="never"), shown(), None, "copy"),
    "never, a symlink": (
        replace(USUAL, overwrite="never"),
        shown(kind="Symlink"),
        shown(etag="F"),
        "skipped FileAlreadyExists",
    ),
    "not newer": (replace(USUAL, overwrite="ifNewer"), shown(), shown(etag="F"), "skipped NotNewer"),
    "newer": (replace(USUAL, overwrite="ifNewer"), shown(modified=501), shown(etag="F"), "copy"),
    "not newer, ours": (replace(USUAL, overwrite="ifNewer"), shown(), shown(modified=1000), "copied"),
    "another source wrote it": (
        replace(USUAL, overwrite="always", maps=True),
        shown(),
        shown(etag="F", modified=1000),
        "failed Collision",
    ),
    "it wrote it itself": (
        replace(USUAL, overwrite="always", maps=True),
        shown(),
        shown(modified=1000),
        "copied",
    ),
    "it was there before": (replace(USUAL, overwrite="always", maps=True), shown(), shown(etag="F"), "copy"),
    "alike, newer": (USUAL, shown(modified=501), shown(), "skipped NotDifferent"),
    "alike, newer, headers count": (HEADERS, shown(modified=501), shown(), "compare"),
    "alike, older, headers count": (HEADERS, shown(), shown(), "skipped NotDifferent"),
    "alike, newer, the same headers": (HEADERS, described(501), described(500), "skipped NotDifferent"),
    "alike, newer, other headers": (HEADERS, described(501, "text/html"), described(500), "copy"),
    "alike, newer, other tags": (HEADERS, described(501, tags=1), described(500), "copy"),
    "gone": (USUAL, None, None, "missing NoSuchKey"),
}


def told(act: object) -> str:
    match act:
        case End(status=status, code=code):
            return f"{status} {code}".strip()
        case CopyNow():
            return "copy"
        case Look():
            return "look"
        case Compare():
            return "compare"
        case Chain():
            return "chain"
    raise AssertionError(act)


@pytest.mark.parametrize("name", ENDS)
def test_what_is_done_with_an_object(name: str) -> None:
    policy, source, there, expected = ENDS[name]
    assert told(bulk.decide(policy, Item(ASKED, source, there))) == expected


def test_an_object_that_makes_no_copy_has_a_row() -> None:
    for code, status in (("NoName", "skipped"), ("InvalidKey", "failed")):
        act = bulk.decide(USUAL, Item(ASKED, shown(), None, Problem(code, "why")))
        assert told(act) == f"{status} {code}"


@pytest.mark.parametrize(
    ("source", "there", "expected"),
    [
        (head("7"), head("7", etag="X"), "skipped NotDifferent"),
        (head("7"), head("7", modified=1000), "copied"),
        (head("7"), head("8"), "copy"),
        (head(None), head("8"), "skipped NotCompared"),
        (head(None, modified=501), head("8"), "copy"),
        (head("7"), None, "copy"),
        (None, head("7"), "missing NoSuchKey"),
        (replace(head("7"), size=11), head("7"), "copy"),
    ],
)
def test_what_is_done_after_a_head_of_either_side(
    source: Shown | None, there: Shown | None, expected: str
) -> None:
    assert told(bulk.decide_compared(USUAL, Item(ASKED, source, there))) == expected


@pytest.mark.parametrize(
    ("policy", "kind", "expected"),
    [
        (HEADERS, "text/plain", "skipped NotDifferent"),
        (HEADERS, "text/html", "copy"),
        (USUAL, "text/html", "skipped NotDifferent"),
    ],
)
def test_equal_bytes_with_other_headers_are_copied_where_that_is_asked_for(
    policy: Policy, kind: str, expected: str
) -> None:
    item = Item(ASKED, described(501, kind), described(500))
    assert told(bulk.decide_compared(policy, item)) == expected


def test_headers_count_only_where_they_are_copied() -> None:
    def headers(**asked: Any) -> bool:
        job = BulkJob("n", "b-1", bulk.defaults(request(**asked)), "", 0, 1, ReportPlace("b"))
        return bulk.policy_of(job, 5000, ANY_OPTION).headers

    assert not headers()
    assert headers(compare="metadata")
    assert not headers(compare="metadata", metadata=ContentHeaders())


def test_a_copy_without_an_answer_is_known_by_its_bytes_and_its_date() -> None:
    assert bulk.recheck(USUAL, shown(), shown(modified=1000))
    assert not bulk.recheck(USUAL, shown(), shown())
    assert not bulk.recheck(USUAL, shown(), shown(etag="F", modified=1000))
    assert not bulk.recheck(USUAL, shown(), None)


@pytest.mark.parametrize(
    ("changes", "plain", "looks", "may_encrypt"),
    [
        ({}, True, False, True),
        ({"encryption": "keep"}, True, True, True),
        ({"encryption": Encryption("AES256")}, True, False, False),
        ({"encryption": Encryption("KMS")}, True, False, True),
        ({"verify": "full"}, False, False, True),
        ({"metadata": ContentHeaders()}, False, False, True),
        ({"tags": "none"}, False, False, True),
        ({"acl": "private"}, False, False, True),
        ({"conditions": Conditions(if_match="x")}, False, False, True),
        ({"tuning": Tuning(method="multipart")}, False, False, True),
    ],
)
def test_a_request_says_what_one_copyobject_does(
    changes: dict[str, Any], plain: bool, looks: bool, may_encrypt: bool
) -> None:
    jobs = Jobs()
    jobs.put("a")
    jobs.begin(request(**changes))
    job = jobs.tools().of(job_of(request(**changes)).job).job()
    assert job is not None
    policy = bulk.policy_of(job, 5, ANY_OPTION)
    assert (policy.plain, policy.looks, policy.may_encrypt) == (plain, looks, may_encrypt)


# --- ranges ------------------------------------------------------------------------------------------------

KEYS = st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), min_size=1, max_size=6) | st.text(
    "ab/", min_size=1, max_size=6
)


@settings(max_examples=500, deadline=None, database=None)
@given(KEYS, KEYS)
def test_a_cut_lies_between_its_ends(one: str, other: str) -> None:
    low, high = sorted({one, other, one + "b"})[:2]
    at = middle.cut(low, high)
    assert at is None or low < at < high
    assert at is None or low.encode() < at.encode() < high.encode()


@pytest.mark.parametrize(
    ("low", "high", "at"),
    [
        ("a/0001", "a/0999", "a/04"),
        ("a", "b", "a\x7f"),
        ("az", "b", "a|"),
        ("a\x7e", "b", None),
        ("a", "a\x01", None),
        ("a\U0010ffff", "b", "a\U0010ffff\x7f"),
        ("中", "国", "劕"),
        ("\ud7fe", "\ue002", "\ue000"),
        ("x/", "x/\U0010ffff", "x/?"),
    ],
)
def test_where_a_range_is_cut(low: str, high: str, at: str | None) -> None:
    found = middle.cut(low, high)
    assert found == at if at is not None else found is None or low < found < high


@pytest.mark.parametrize(
    ("free", "open_ranges", "expected"),
    [(10, 1, 10), (10, 3, 3), (2, 3, 1), (0, 1, 0), (-5, 2, 0), (4, 0, 4)],
)
def test_open_ranges_share_what_is_free(free: int, open_ranges: int, expected: int) -> None:
    assert bulk.share(free, open_ranges) == expected


def test_a_range_is_cut_into_pieces_that_leave_nothing_out() -> None:
    assert bulk.pieces(Range((1,), "a", "z"), "c", ("m", "p")) == (
        Range((1, 0), "c", "m"),
        Range((1, 1), "m", "p"),
        Range((1, 2), "p", "z"),
    )


def test_ranges_have_ids_of_their_own() -> None:
    paths = [(), (0,), (1,), (0, 0), (0, 1), (1, 0)]
    assert len({bulk.range_id(path) for path in paths}) == len(paths)
    assert bulk.parent_id((0, 1)) == bulk.range_id((0,))
    assert (bulk.parent_id(()), bulk.index_of(()), bulk.index_of((0, 1))) == (bulk.ROOT, 0, 1)


@pytest.mark.parametrize(
    ("open_ranges", "workers", "chance", "expected"),
    [
        (1, 1, 0.0, 1),
        (1, 4, 0.99, 4),
        (2, 8, 0.99, 4),
        (3, 4, 0.33, 2),
        (3, 4, 0.34, 1),
        (4, 4, 0.0, 1),
        (5, 4, 0.0, 1),
        (1, 1000, 0.99, bulk.MOST_PIECES),
    ],
)
def test_a_range_is_cut_into_as_many_pieces_as_workers_are_free(
    open_ranges: int, workers: int, chance: float, expected: int
) -> None:
    assert bulk.pieces_wanted(Range(), open_ranges, workers, chance) == expected


def test_a_deep_range_is_not_split() -> None:
    assert bulk.pieces_wanted(Range((0,) * 48), 1, 4, 0.0) == 1


def test_open_ranges_are_counted_from_what_has_ended() -> None:
    assert bulk.open_ranges(()) == 1
    assert bulk.open_ranges(("r/of-2",)) == 2
    assert bulk.open_ranges(("r/of-2", "r/0")) == 1
    assert bulk.open_ranges(("r/of-2", "r/0", "r/1", "copy/0")) == 0
    assert bulk.open_ranges(("r/of-2", "r/0", "s/of-2")) == 2


@pytest.mark.parametrize(
    ("totals", "ended_chains", "ahead", "age", "expected"),
    [
        (Totals(), 0, Ahead(9), 10, (0.0, None, True)),
        (Totals(copied=10), 0, Ahead(30), 10, (1.0, 30, False)),
        (Totals(copied=10), 0, Ahead(30, more=True), 10, (1.0, 30, True)),
        (Totals(copied=5, skipped=5), 0, Ahead(), 0, (10.0, 0, False)),
        (Totals(copied=3), 0, Ahead(1), 10, (0.3, 4, False)),
        (Totals(copied=10, started=4), 0, Ahead(), 10, (1.0, 0, True)),
        (Totals(copied=10, started=4), 1, Ahead(), 22, (0.5, 66, False)),
        (Totals(copied=10, started=4), 4, Ahead(), 28, (0.5, 0, False)),
        (Totals(started=4), 1, Ahead(30), 10, (0.1, 300, False)),
    ],
)
def test_the_seconds_left_follow_from_what_is_known(
    totals: Totals, ended_chains: int, ahead: Ahead, age: float, expected: tuple[float, int | None, bool]
) -> None:
    found = bulk.pace(totals, ended_chains, ahead, age)
    assert (found.rate, found.left, found.is_at_least) == expected


def test_what_is_ahead_of_ranges_adds_up() -> None:
    assert bulk.together(()) == Ahead()
    assert bulk.together((Ahead(1), Ahead(2, more=True))) == Ahead(3, more=True)


# --- totals and rows ---------------------------------------------------------------------------------------


def rows_(*statuses: str) -> list[Row]:
    return [replace(bulk.row(ASKED, "copied"), status=each, bytes=10, error_code=each) for each in statuses]


def test_totals_add_up() -> None:
    totals = bulk.added(
        Totals(), rows_("copied", "copied", "skipped", "failed", "missing", "started"), 3, doubt=True
    )
    assert (totals.rows, totals.excluded, totals.bytes, totals.bytes_done, totals.doubts) == (6, 3, 60, 20, 1)
    assert totals.errors == {"failed": 1, "missing": 1}
    assert bulk.summed((totals, totals)).rows == 12
    ended = bulk.with_chains(totals, rows_("copied"))
    assert (ended.started, ended.copied, ended.bytes, ended.bytes_done) == (0, 3, 60, 30)
    assert bulk.objects(ended).total == 6
    assert bulk.objects(totals).total == 5


def test_the_end_of_a_split_range_is_that_of_all_below_it() -> None:
    file = ReportFile("k", 1, 2, "m")
    own = Ended(Totals(copied=1), (file,))
    slow = (Slow("r", 1, 2.0),)
    below = (
        Ended(Totals(copied=2), (file,), 3, slowest=slow),
        Ended(Totals(), (), 1, "cancelled", report_lost=True),
    )
    joined = bulk.joined(own, below)
    assert (joined.totals.copied, len(joined.files), joined.ranges) == (3, 2, 4)
    assert (joined.stopped, joined.report_lost, joined.slowest) == ("cancelled", True, slow)


@pytest.mark.parametrize(
    ("changes", "totals", "stopped", "problem", "expected"),
    [
        ({}, Totals(copied=1), None, None, "succeeded None"),
        ({}, Totals(excluded=1), None, None, "succeeded None"),
        ({}, Totals(), None, None, "failed EmptySource"),
        ({"allow_empty": True}, Totals(), None, None, "succeeded None"),
        ({}, Totals(failed=1), None, None, "failed ObjectsFailed"),
        ({}, Totals(missing=1), None, None, "succeeded None"),
        (
            {"source": BulkSource(manifest=Manifest("m", "k"))},
            Totals(missing=1),
            None,
            None,
            "failed ObjectsFailed",
        ),
        (
            {"source": BulkSource(manifest=Manifest("m", "k")), "allow_missing": True},
            Totals(missing=1),
            None,
            None,
            "succeeded None",
        ),
        ({}, Totals(copied=1), "cancelled", None, "cancelled None"),
        ({}, Totals(copied=1), "NoSuchBucket", None, "failed Stopped"),
        ({}, Totals(copied=1), "x", Problem("TooManyFailures", "why"), "failed TooManyFailures"),
        ({}, Totals(copied=1), None, Problem("TooManyFailures", "why"), "failed TooManyFailures"),
    ],
)
def test_how_a_job_has_ended(
    changes: dict[str, Any], totals: Totals, stopped: str | None, problem: Problem | None, expected: str
) -> None:
    status, why = bulk.outcome(request(**changes), totals, stopped, problem)
    assert f"{status} {why.code if why else None}" == expected


def chain(method: str, parts: int = 0, hops: int = 1, lanes: int = 1, seconds: int = 0) -> Result:
    ended = f"2027-01-15T08:00:{seconds:02}.000Z"
    return Result(
        "c-1",
        "succeeded",
        method=method,  # type: ignore[arg-type]  # of two texts
        parts=parts,
        hops=hops,
        lanes=lanes,
        started_at="2027-01-15T08:00:00.000Z",
        finished_at=ended if seconds else None,
    )


WALKED = Totals(put=1000, get=20, milliseconds=30_000, hops=2)
ENDED = BulkResult("b-1", "failed", errors={"Collision": 2, "Odd": 1})


def summed_up(prices: Prices | None = None, *chains: Result, **changes: Any) -> Summary:
    return bulk.summary(request(**changes), ENDED, WALKED, chains, (), prices)


def test_a_summary_counts_what_walkers_sent_and_reckons_chains() -> None:
    found = summed_up(None, chain("simple", seconds=1), chain("multipart", 100, 3, 2, 10), chain("simple"))
    assert (found.chain_requests.put, found.chain_requests.get) == (2 + 106 + 4, 4 + 5 + 4)
    assert (found.requests.put, found.requests.get) == (1112, 33)
    assert (found.seconds, found.invocations) == (30 + 1 + 20, 2 + 1 + 3 + 1)
    assert (found.job, found.status, found.errors) == ("b-1", "failed", ENDED.errors)


def test_a_summary_tells_a_cost_by_the_user_s_prices_alone() -> None:
    free = summed_up()
    assert free.cost is None
    assert [each for each in free.notes if "PRICES" in each]
    dear = summed_up(Prices("CNY", 0.001, 0.01, 0.1, 0.5))
    assert dear.cost is not None
    assert (dear.cost.currency, dear.cost.requests, dear.cost.function) == ("CNY", 1.2, 4.0)
    assert dear.cost.total == 5.2
    assert not [each for each in dear.notes if "PRICES" in each]


def test_a_summary_says_what_to_do_and_what_would_save_requests() -> None:
    found = summed_up()
    assert found.advice.keys() == ENDED.errors.keys()
    assert "template" in found.advice["Collision"]
    assert "failed.csv.gz" in found.advice["Odd"]
    assert not [each for each in found.notes if "HEAD" in each]
    assert [each for each in summed_up(encryption="keep").notes if "HEAD" in each]


def test_the_slowest_ranges_are_few_and_in_order() -> None:
    ranges = [Slow(f"r{number}", 1, number % 7) for number in range(20)]
    assert [(each.range, each.seconds) for each in bulk.slowest(ranges)] == [
        ("r13", 6),
        ("r6", 6),
        ("r12", 5),
        ("r19", 5),
        ("r5", 5),
    ]


ODD = [chr(each) for each in range(1, 128)] + [
    "=1+1",
    "+1",
    "-1",
    "@a",
    "a\r\nb",
    'a"b',
    "a,b",
    "中文",
    "a b",
    "%41",
    "é",
]


def test_odd_keys_are_read_back_from_a_report() -> None:
    keys = [f"in/{each}" for each in ODD] + [each for each in ODD if each not in {"/", "\\"}]
    made = [
        replace(bulk.row(ASKED, "failed", message=f"=x\n{key}"), key=key, destination_key=key) for key in keys
    ]
    text = (bulk.HEADER + bulk.csv_rows(made)).decode()
    table = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [unquote(row["key"]) for row in table] == keys
    assert len(text.splitlines()) == len(keys) + 1
    for line in csv.reader(io.StringIO(text)):
        assert not [cell for cell in line if cell[:1] in {"=", "+", "-", "@", "\t", "\r"}]
    assert encoded("-a b+c") == "%2Da%20b%2Bc"


def test_the_lines_of_what_failed_are_known() -> None:
    lines = bulk.csv_rows(rows_("copied", "failed", "missing", "skipped")).splitlines(keepends=True)
    assert [bulk.status_of(line) for line in lines] == ["copied", "failed", "missing", "skipped"]


def test_a_chain_that_has_ended_has_a_row() -> None:
    for status, code, expected in (
        ("succeeded", None, "copied "),
        ("skipped", "NotDifferent", "skipped NotDifferent"),
        ("failed", "NoSuchKey", "missing NoSuchKey"),
        ("failed", "AccessDenied", "failed AccessDenied"),
        ("cancelled", None, "failed cancelled"),
    ):
        error = Problem(code, "why") if code else None
        row = bulk.row_of(Result("c-1", status, error=error), ASKED)  # type: ignore[arg-type]  # one of the statuses
        assert f"{row.status} {row.error_code}" == expected


def test_looks_at_chains_come_less_and_less_often() -> None:
    assert [bulk.settle_delay(hop) for hop in (1, 2, 5, 100)] == [30, 60, 300, 300]


# --- ids ---------------------------------------------------------------------------------------------------


def test_ids_tell_which_kind_of_job_it_is() -> None:
    job = bulk.bulk_id(request(), "one")
    child = bulk.child_id(ASKED, job, "r/1/2")
    assert bulk.is_bulk(job)
    assert not bulk.is_child(job)
    assert bulk.is_child(child)
    assert not bulk.is_bulk(child)
    assert bulk.parent_of(child) == job
    assert child != bulk.child_id(ASKED, job, "r/1/3")
    assert job != bulk.bulk_id(request(), "two")
    assert bulk.pair_id(request()) == bulk.pair_id(request(overwrite="always"))
    assert bulk.pair_id(request()) != bulk.pair_id(
        request(destination=BulkDestination(bucket=DST, prefix="x/"))
    )


# --- manifests ---------------------------------------------------------------------------------------------


def named(text: bytes, encoding: Any = "url", *, is_last: bool = True) -> list[tuple[str, ...]]:
    form = bulk.form_of(text, encoding)
    lines = bulk.lines(form, text[form.skips :], form.skips, is_last=is_last)
    return [
        (each.problem.code,) if each.problem else (each.bucket, each.key, each.version_id or "")
        for each in lines
    ]


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        (b"b,k\n", "url", [("b", "k", "")]),
        (b"b,k", "url", [("b", "k", "")]),
        (b"b,k,v1\r\nb,l\r\n", "url", [("b", "k", "v1"), ("b", "l", "")]),
        (b"\xef\xbb\xbfb,k\n\n \nb,k\n", "url", [("b", "k", ""), ("b", "k", "")]),
        (b"Key,x,BUCKET,versionId\nk,1,b,v\n", "url", [("b", "k", "v")]),
        (b"key\nk\n", "url", [("", "k", "")]),
        (b"b,a%20b+c\n", "url", [("b", "a b+c", "")]),
        (b"b,a%20b+c\n", "form", [("b", "a b c", "")]),
        (b"b,a%20b+c\n", "none", [("b", "a%20b+c", "")]),
        (b'b,"a\nb"\n"b",c\n', "none", [("b", "a\nb", ""), ("b", "c", "")]),
        (b'b,"a\nb,c\n', "none", [("BadLine",), ("b", "c", "")]),
        (b'b,"a\nb,c\n', "url", [("BadLine",), ("b", "c", "")]),
        (b"onlyone\nb,k\n", "url", [("BadLine",), ("b", "k", "")]),
        (b"b,%ff\n", "url", [("BadLine",)]),
        (b"b,\xff\n", "url", [("BadLine",)]),
        (b"b," + b"a" * 20_000 + b"\nb,k\n", "url", [("BadLine",), ("b", "k", "")]),
        (
            b'{"bucket":"b","key":"a%20"}\n{"key":"l","versionId":"v","x":1}\n',
            "url",
            [("b", "a%20", ""), ("", "l", "v")],
        ),
        (b'{"bucket":"b"}\n{"key":"l"}', "url", [("BadLine",), ("", "l", "")]),
        (b'{"key":"' + b"a" * 20_000 + b'"}\n', "url", [("BadLine",)]),
    ],
)
def test_a_manifest_is_read_line_by_line(text: bytes, encoding: str, expected: list[tuple[str, ...]]) -> None:
    assert named(text, encoding) == expected


def test_a_line_that_is_not_there_yet_is_left_for_later() -> None:
    assert named(b"b,k\nb,l", is_last=False) == [("b", "k", "")]
    assert named(b'b,k\nb,"l\n', "none", is_last=False) == [("b", "k", "")]


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(st.sampled_from([b"b,k", b"b,a%20b,v", b"", b"bad", b"b,k\r"]), max_size=8), st.data())
def test_lines_are_the_same_wherever_the_text_is_cut(lines: list[bytes], data: st.DataObject) -> None:
    text = b"b,first\n" + b"\n".join(lines)
    form = bulk.form_of(text, "url")
    whole = list(bulk.lines(form, text, 0, is_last=True))
    cut = data.draw(st.integers(0, len(text)))
    first = list(bulk.lines(form, text[:cut], 0, is_last=False))
    at = first[-1].end if first else 0
    assert [*first, *bulk.lines(form, text[at:], at, is_last=True)] == whole


@given(
    st.lists(st.text(st.sampled_from("a,;=+-@'\"\r\n\t \x00\x7f\u2028é")), min_size=6, max_size=6),
    st.integers(0, 600),
)
def test_a_row_is_written_as_csv_writes_it(texts: list[str], number: int) -> None:
    bucket, key, version, message, etag, moment = texts
    written = Row(bucket, key, version, key, "failed", "X", number, message, number, etag, "", "", moment)
    line = csv_rows([written]).decode()
    (fields,) = csv.reader(io.StringIO(line, newline=""), strict=True)
    out = io.StringIO(newline="")
    csv.writer(out).writerow(fields)
    assert line == out.getvalue()
    assert (unquote(fields[1]), fields[12]) == (key, moment)
    assert [each for each in fields[:12] if each[:1] in tuple("=+-@\t\r")] == []


def test_a_job_that_follows_up_takes_all_on_its_list() -> None:
    """The globs of its parent match keys below a prefix, those of a list whole keys."""
    asked = request(filters=Filters(include=("*.txt",), min_size=1))
    assert bulk.follow_up(asked, Manifest("mmm", "k")).filters == Filters()
