"""Lifecycle rules as XML: what is missing, what is added, and that nothing that was there is lost."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from functions.cli.account import lifecycle
from functions.cli.account.lifecycle import Wanted

DONE = Wanted("oss-copy-done", "oss-copy/done/", "Expiration", 30)
UPLOADS = Wanted("oss-copy-uploads", "", "AbortMultipartUpload", 10)


def document(*rules: str) -> bytes:
    return f"<LifecycleConfiguration>{''.join(rules)}</LifecycleConfiguration>".encode()


def rule(
    prefix: str,
    *,
    status: str = "Enabled",
    action: str = "Expiration",
    more: str = "",
    days: str = "<Days>7</Days>",
) -> str:
    return (
        f"<Rule><ID>theirs</ID><Prefix>{prefix}</Prefix><Status>{status}</Status>"
        f"<{action}>{days}</{action}>{more}</Rule>"
    )


@pytest.mark.parametrize(
    ("there", "covered"),
    [
        (rule("oss-copy/done/"), True),
        (rule("oss-copy/"), True),
        (rule(""), True),
        (rule("oss-copy/done/2026"), False),
        (rule("other/"), False),
        (rule("oss-copy/done/", status="Disabled"), False),
        (rule("oss-copy/done/", action="AbortMultipartUpload"), False),
        (rule("oss-copy/done/", more="<Tag><Key>a</Key><Value>b</Value></Tag>"), False),
        (rule("oss-copy/", more="<Filter><Not><Prefix>oss-copy/done/</Prefix></Not></Filter>"), False),
        (
            rule("oss-copy/done/", days="<CreatedBeforeDate>2026-01-01T00:00:00.000Z</CreatedBeforeDate>"),
            False,
        ),
    ],
)
def test_a_rule_covers_what_it_does_for_everything_under_its_prefix(there: str, covered: bool) -> None:
    assert lifecycle.missing(document(there), [DONE]) == (() if covered else (DONE,))


@pytest.mark.parametrize("none", [None, b"", document()])
def test_without_rules_all_are_missing(none: bytes | None) -> None:
    assert lifecycle.missing(none, [DONE, UPLOADS]) == (DONE, UPLOADS)


def test_what_is_there_is_carried_over_with_what_is_not_known_of_it() -> None:
    theirs = rule("logs/", more="<Transition><Days>3</Days><Novelty>x</Novelty></Transition>")
    merged = lifecycle.merged(document(theirs), [DONE, UPLOADS])
    first, *ours = ET.fromstring(merged)  # noqa: S314 - made here
    assert ET.tostring(first).decode() == theirs
    assert [each.findtext("ID") for each in ours] == ["oss-copy-done", "oss-copy-uploads"]
    assert lifecycle.missing(merged, [DONE, UPLOADS]) == ()


def test_answers_with_a_namespace_are_understood() -> None:
    there = document(rule("oss-copy/")).replace(
        b"<LifecycleConfiguration>", b'<LifecycleConfiguration xmlns="urn:x">'
    )
    assert lifecycle.missing(there, [DONE]) == ()


def test_an_id_that_is_taken_is_left_to_oss() -> None:
    taken = rule("elsewhere/").replace("theirs", DONE.id)
    _, ours = ET.fromstring(lifecycle.merged(document(taken), [DONE]))  # noqa: S314 - made here
    assert ours.find("ID") is None


@pytest.mark.parametrize(
    ("there", "meets"),
    [
        (rule("tmp/", action="AbortMultipartUpload"), True),
        (rule("tmp/"), False),
    ],
)
def test_rules_that_do_the_same_to_one_object_are_noticed(there: str, meets: bool) -> None:
    assert lifecycle.overlaps(document(there), [UPLOADS]) is meets


@pytest.mark.parametrize("prefix", ["", "oss-copy/", "oss-copy/open/", "oss-copy/open/c-1", "oss-c"])
def test_a_rule_that_deletes_what_must_stay_is_named(prefix: str) -> None:
    assert lifecycle.expiring(document(rule(prefix)), "oss-copy/open/") == ("theirs",)


@pytest.mark.parametrize(
    "there", [rule("oss-copy/done/"), rule("", status="Disabled"), rule("", action="AbortMultipartUpload")]
)
def test_a_rule_that_deletes_nothing_of_it_is_not(there: str) -> None:
    assert lifecycle.expiring(document(there), "oss-copy/open/") == ()


def test_the_shortest_time_until_uploads_are_aborted_is_told() -> None:
    rules = [
        rule("", action="AbortMultipartUpload"),
        rule("a/", action="AbortMultipartUpload", days="<Days>3</Days>"),
    ]
    assert lifecycle.aborts_after(document(*rules), "a/b/") == 3
    assert lifecycle.aborts_after(document(*rules), "c/") == 7
    assert lifecycle.aborts_after(None, "c/") is None
