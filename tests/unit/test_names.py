"""Bucket and key rules, templates, allow lists."""

from __future__ import annotations

import sys
import zoneinfo
from datetime import datetime, timezone

import pytest
from hypothesis import given, strategies as st

from osscopy.model import Refused
from osscopy.plan import keys, templates

MOMENT = datetime(2026, 11, 22, 9, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("template", "key", "made"),
    [
        ("{key}", "a/b.tar.gz", "a/b.tar.gz"),
        ("copy/{name}", "a/b.tar.gz", "copy/b.tar.gz"),
        ("{dir}{stem}-1{ext}", "a/b.tar.gz", "a/b.tar-1.gz"),
        ("{stem}|{ext}|{dir}", ".profile", ".profile||"),
        ("{date:%Y/%m/%d}/{name}", "x/备份 1.bin", "2026/11/22/备份 1.bin"),
        ("{{{name}}}", "a", "{a}"),
        ("fixed", "{anything}", "fixed"),
        ("{key}", "{key}{", "{key}{"),
    ],
)
def test_templates_make_keys(template: str, key: str, made: str) -> None:
    assert templates.render(template, key, MOMENT) == made


@pytest.mark.parametrize(
    ("key", "readings"),
    [
        ("a", ("a",)),
        ("a b", ("a b",)),
        ("a+b", ("a+b", "a b")),
        ("a%20b", ("a%20b", "a b")),
        ("a%20b+c", ("a%20b+c", "a b+c", "a b c")),
        ("a%2Bb+c", ("a%2Bb+c", "a+b+c", "a+b c")),
        ("%ff+", ("%ff+",)),
        ("100%", ("100%",)),
        ("+%C3%A9", ("+%C3%A9", "+é", " é")),
    ],
)
def test_a_key_of_an_event_is_read_raw_unquoted_and_with_blanks(key: str, readings: tuple[str, ...]) -> None:
    assert keys.readings(key) == readings
    guesses = [each for each in readings if keys.is_guess(key, each)]
    assert guesses == [each for each in readings[1:] if "+" in key and each == readings[-1]]


PIECES = st.sampled_from(["{key}", "{dir}", "{name}", "{stem}", "{ext}", "{date:%Y}", "x", "/", "{{"])


@given(st.lists(PIECES, min_size=1, max_size=5).map("".join))
def test_a_template_keeps_folder_markers_apart_if_each_has_a_key_of_its_own(template: str) -> None:
    markers = ("a/", "b/", "a/b/", "a/b.c/")
    made = {templates.render(template, marker, MOMENT) for marker in markers}
    assert len(made) == (len(markers) if templates.keeps_markers_apart(template) else 1)


@pytest.mark.parametrize(
    ("template", "made"),
    [
        ("{date@+08:00:%Y-%m-%d %H:%M}", "2026-11-22 17:05"),
        ("{date@-11:30:%d %H:%M}", "21 21:35"),
        ("{date@Asia/Shanghai:%z}", "+0800"),
        ("{date@UTC:%j}", "326"),
        ("{date:%G-W%V-%u %a %b %% %f}", "2026-W47-7 Sun Nov % 000000"),
        ("{date:备份 %y}", "备份 26"),
    ],
)
def test_dates_are_in_utc_or_in_the_zone_that_is_named(template: str, made: str) -> None:
    assert templates.render(template, "k", MOMENT) == made


@pytest.mark.parametrize(
    "form", ["", "%", "%Q", "%n", "%t", "%-d", "%10000d", "%c", "%x", "%s", "%Z", "a\nb", "\0", "{x}", "%%%"]
)
def test_a_date_that_platforms_write_differently_or_as_no_text_is_refused(form: str) -> None:
    for zone in ("", "@+01:00"):
        with pytest.raises(Refused) as caught:
            templates.render(f"{{date{zone}:{form}}}", "k", MOMENT)
        assert caught.value.code == "InvalidTemplate"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "America", "posixrules/x", "Asia/shanghai_"])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(Refused) as caught:
        templates.render(f"{{date@{zone}:%Y}}", "k", MOMENT)
    assert caught.value.code == "UnknownTimeZone"


@pytest.mark.parametrize(
    "zone", ["+8", "+0800", "+15:00", "+08:60", "../x", "/etc/passwd", "a b", "", "a/b/c/d"]
)
def test_what_names_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(Refused):
        templates.render(f"{{date@{zone}:%Y}}", "k", MOMENT)


def test_a_runtime_without_a_time_zone_database_refuses_names_and_takes_offsets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == "tzdata"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "tzdata", None)
    zoneinfo.reset_tzpath(to=[])
    zoneinfo.ZoneInfo.clear_cache()
    try:
        assert templates.render("{date@+08:00:%H}", "k", MOMENT) == "17"
        with pytest.raises(Refused, match="such as"):
            templates.render("{date@Asia/Shanghai:%H}", "k", MOMENT)
    finally:
        zoneinfo.reset_tzpath()


def test_a_date_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        templates.render("{date@-14:00:%Y}", "k", datetime(1, 1, 1, tzinfo=timezone.utc))
    assert caught.value.code == "InvalidTime"


@pytest.mark.parametrize(
    "template", ["{nothing}", "{key!r}", "{key:>9}", "{", "}", "{0}", "{}", "{date}", "{key.x}"]
)
def test_a_template_with_an_unknown_placeholder_is_refused(template: str) -> None:
    with pytest.raises(Refused) as caught:
        templates.render(template, "k", MOMENT)
    assert caught.value.field == "destination.key"


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{key!r}", "{key} takes no conversion: leave out !r"),
        ("{date!s:%Y}", "{date} takes no conversion: leave out !s"),
        ("{key:10}", "{key} takes no format: leave out :10"),
        ("{date:%Q}", "no directive '%Q'; it knows %% %A"),
        ("{date@+08:00:%Y%}", "no directive '%'; it knows"),
        ("{date:%\n}", r"no directive '%\n'"),
        ("{date}", "without braces; this one is {date}"),
        ("{date@+8:%H}", "{date@+08:00:FORMAT}"),
        ("{dates:%Y}", "unknown placeholder {dates}; known are {key}"),
    ],
)
def test_what_is_wrong_with_a_placeholder_is_said(template: str, told: str) -> None:
    with pytest.raises(Refused) as caught:
        templates.render(template, "k", MOMENT)
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("template", "prefix"),
    [("{key}", "in/"), ("out/{key}", "out/in/"), ("out/{name}", "out/"), ("{dir}x", ""), ("a{{b", "a{b")],
)
def test_the_fixed_prefix_is_what_all_made_keys_share(template: str, prefix: str) -> None:
    assert templates.fixed_prefix(template, "in/") == prefix


@given(st.text(min_size=1, max_size=40))
def test_every_key_a_template_makes_starts_with_its_fixed_prefix(rest: str) -> None:
    for template in ("{key}", "z/{key}", "z/{name}{ext}", "{{{stem}"):
        made = templates.render(template, "in/" + rest, MOMENT)
        assert made.startswith(templates.fixed_prefix(template, "in/"))


@pytest.mark.parametrize(
    "key", ["", "x" * 1024, "é" * 512, "a\0b", ".", "..", "\ud800", "/lead", "/", "\\lead"]
)
def test_impossible_keys_are_refused(key: str) -> None:
    with pytest.raises(Refused) as caught:
        keys.check_key(key, "source.key")
    assert caught.value.field == "source.key"


@pytest.mark.parametrize("key", ["x" * 1023, "a/../b", "%2e%2E", " +&?#", "备份", "a\\", "trail/", "😀"])
def test_odd_keys_are_taken_as_they_are(key: str) -> None:
    keys.check_key(key, "source.key")


@pytest.mark.parametrize(
    "bucket", ["", "ab", "A" * 5, "a.b.c", "-ab", "ab-", "a/b", "a" * 64, "evil.host:80"]
)
def test_what_is_no_bucket_name_is_refused(bucket: str) -> None:
    with pytest.raises(Refused):
        keys.check_bucket(bucket, "source.bucket")


@pytest.mark.parametrize(
    ("pattern", "bucket", "key", "allowed"),
    [
        ("abc/*", "abc", "anything", True),
        ("abc/*", "abcd", "anything", False),
        ("abc/in/*", "abc", "in/x", True),
        ("abc/in/*", "abc", "in", False),
        ("abc/in/*", "abc", "out/../in/x", False),
        ("abc/in/*", "abc", "IN/x", False),
        ("abc/in/*", "abc", "%69n/x", False),
        ("abc/é*", "abc", "e\u0301x", False),
        ("abc/one", "abc", "one", True),
        ("abc/one", "abc", "one2", False),
    ],
)
def test_allow_lists_compare_exact_strings(pattern: str, bucket: str, key: str, *, allowed: bool) -> None:
    assert keys.Pattern.parse(pattern).matches(bucket, key) is allowed


@pytest.mark.parametrize("pattern", ["abc", "abc/", "*/x", "abc/a*b*", "/x"])
def test_a_pattern_that_says_nothing_clear_is_refused(pattern: str) -> None:
    with pytest.raises(Refused):
        keys.Pattern.parse(pattern)


def test_a_date_without_a_directive_is_refused_with_what_to_write() -> None:
    with pytest.raises(Refused, match=r"\{date:Y\} has no directive: write .*%Y/%m/%d") as caught:
        templates.render("{date:Y}/{name}", "a", MOMENT)
    assert (caught.value.code, caught.value.field) == ("InvalidTemplate", "destination.key")
