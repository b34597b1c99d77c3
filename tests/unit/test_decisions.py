"""More decisions as values: what is on record, symlinks, tags, task ids, times, and what may be forged."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from osscopy import plan
from osscopy.model import (
    MIB,
    ContentHeaders,
    Continue,
    Copy,
    CopyRequest,
    Destination,
    Encryption,
    ListedPart,
    Opened,
    Pin,
    Refused,
    Rule,
    RuleSource,
    Source,
    Tuning,
    Upload,
)
from osscopy.plan import keys, templates
from tests.unit.test_plan import head, request

MOMENT = datetime(2026, 11, 22, tzinfo=timezone.utc)
JOB = "c-" + "0" * 32


def opened(method: Any, pin: Pin) -> Opened:
    return Opened("n", JOB, request(), pin, "2026-11-22T10:00:00.000Z", method)


# --- what is on record -------------------------------------------------------------------------------------


def test_a_copy_goes_on_as_it_was_begun_unless_its_object_has_no_parts() -> None:
    small, empty = head(), head(size=0)
    begun = opened("multipart", plan.pin_of(small))
    assert plan.first_step(request(), small, begun, "simple") == plan.Parts()
    assert plan.first_step(request(), small, None, "simple") == plan.CopyObject(shallow=False)
    assert plan.first_step(
        request(), small, opened("simple", plan.pin_of(small)), "shallow"
    ) == plan.CopyObject(shallow=True)
    assert plan.first_step(request(), empty, begun, "simple") == plan.Parts(), "the job is of another version"
    of_empty = opened("multipart", plan.pin_of(empty))
    assert plan.first_step(request(), empty, of_empty, "simple") == plan.CopyObject(shallow=False)


def test_a_task_is_named_by_job_generation_lane_and_hop() -> None:
    upload = Upload("U", MIB, 4, 4, 0)
    task = Continue(JOB, request(), "t", plan.pin_of(head()), upload, generation=7, lane=2, hop=3)
    assert plan.task_id(task) == f"{JOB}-g7-l2-h3"
    assert plan.task_id(Copy(JOB, request(), "t", generation=5)) == f"{JOB}-g5-l1-h1"


def test_another_request_or_another_occurrence_is_another_job() -> None:
    one = plan.job_id(request(), "x")
    assert one == plan.job_id(request(), "x")
    assert len({one, plan.job_id(request(), "y"), plan.job_id(request(overwrite="never"), "x")}) == 3


def test_an_address_in_an_allow_list_is_told_how_it_is_written() -> None:
    with pytest.raises(Refused, match=r"write 'abc/in/\*'"):
        keys.Pattern.parse("oss://abc/in/*")


# --- symlinks ----------------------------------------------------------------------------------------------


def test_a_symlink_has_no_parts() -> None:
    linked = head(link="target", kind="Symlink", size=0)
    with pytest.raises(Refused) as caught:
        plan.method(request(tuning=Tuning(method="multipart")), linked, 200 * MIB, 600)
    assert caught.value.field == "tuning.method"
    assert plan.method(request(), linked, 200 * MIB, 600) == "simple"


def test_a_symlink_is_compared_by_its_target_alone() -> None:
    linked = head(link="target", size=0, crc64=None)
    pin = plan.bind(request(), linked)
    assert pin.promise is None
    assert plan.differences(pin, replace(linked, etag="B", size=7), 0, "A") == []
    assert plan.differences(pin, replace(linked, link="other"), 0, None) == [
        "symlink to 'other', not to 'target'"
    ]
    assert plan.differences(pin, head(size=0), 0, None) == ["symlink to None, not to 'target'"]
    assert plan.differences(plan.pin_of(head()), linked, 0, None) == ["symlink to 'target', not to None"]
    assert plan.same_content(linked, replace(linked, etag="B"))
    assert not plan.same_content(linked, replace(linked, link="other"))
    assert not plan.same_content(linked, head(size=0, crc64=None))


# --- evidence ----------------------------------------------------------------------------------------------


def test_the_crc64s_of_some_parts_prove_nothing() -> None:
    pin, upload = Pin(3 * MIB, "E", 0), Upload("U", MIB, 3, 1, 0)
    known = [ListedPart(n, "e", MIB, n) for n in (1, 2, 3)]
    assert plan.combined_crc64(pin, upload, known) is not None
    assert plan.combined_crc64(pin, upload, [*known[:2], replace(known[2], crc64=None)]) is None
    assert plan.combined_crc64(pin, upload, known[:2]) is None


def test_bytes_of_other_sizes_are_never_the_same() -> None:
    assert not plan.same_content(head(), head(size=99))


def test_what_a_copy_promises_of_tags_is_their_number() -> None:
    def promised(**options: Any) -> int | None:
        seen = head(tag_count=options.pop("count", 2))
        promise = plan.bind(request(**options), seen, {"a": "b"}).promise
        assert promise is not None
        return promise.tags

    assert promised() == 2, "as HEAD shows it"
    assert promised(count=None) == 1, "as many as were read"
    assert promised(tags="none") == 0
    assert promised(tags={"a": "1", "b": "2", "c": "3"}) == 3


def test_tags_are_left_out_where_none_are_wanted() -> None:
    for carried in (True, False):
        left = plan.attributes(request(tags="none"), head(), {"a": "b"}, "default", carried=carried)
        assert left.tags == {}


def test_tags_are_the_same_in_any_order() -> None:
    assert plan.tags_digest({"a": "1", "b": "2"}) == plan.tags_digest({"b": "2", "a": "1"})
    assert plan.tags_digest({"a": "1"}) != plan.tags_digest({"a": "2"})
    assert plan.tags_digest({}) is None


def test_what_oss_does_not_show_or_keep_is_no_difference() -> None:
    pin = plan.bind(request(), head(), {})
    assert plan.differences(pin, head(storage_class=""), 0, None) == []
    empty = head(content=ContentHeaders(content_type="text/plain", user={"colour": "blau", "x": ""}))
    assert plan.differences(pin, empty, 0, None) == []


# --- parts and times ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "parallel", "part"),
    [(64 * MIB, 32, 8), (32 * 20 * MIB, 32, 20), (32 * 200 * MIB, 32, 64), (10 * MIB, 2, 8)],
)
def test_parts_are_small_enough_for_all_threads_and_no_smaller(size: int, parallel: int, part: int) -> None:
    assert plan.part_size(size, Tuning(), parallel, seconds=600) == part * MIB


@pytest.mark.parametrize("timeout", [5.0, 60.0, 600.0, 86_400.0])
def test_time_is_kept_to_hand_over(timeout: float) -> None:
    assert 1.5 <= plan.reserve(timeout) <= 10
    assert plan.reserve(60) == 6


def test_a_shallow_copy_leaves_time_for_the_parts() -> None:
    assert [plan.shallow_timeout(each) for each in (600, 20, 0.5)] == [30, 10, 1]


# --- checks of what may be forged --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"source": Source("evil.host", "k")}, "source.bucket"),
        ({"source": Source("src", "..")}, "source.key"),
        ({"destination": Destination("evil.host", "k")}, "destination.bucket"),
        ({"destination": Destination("dst", "")}, "destination.key"),
        ({"source": Source("src", "k", "v&x=y")}, "source.versionId"),
        ({"encryption": Encryption("KMS", "k\r\nx: y")}, "encryption.keyId"),
        ({"metadata": ContentHeaders(user={"a\r\nx": "y"})}, "metadata.user.a\r\nx"),
        ({"metadata": ContentHeaders(user={"a": "y\r\nx: y"})}, "metadata.user.a"),
        ({"metadata": ContentHeaders(content_type="x" * 8193)}, "metadata.contentType"),
        ({"tags": {"": "v"}}, "tags"),
        ({"tags": {"k" * 129: "v"}}, "tags"),
        ({"tags": {"k": "v" * 257}}, "tags"),
    ],
)
def test_what_could_ask_for_something_else_is_refused_wherever_it_comes_from(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as caught:
        plan.check_request(replace(request(), **changes))
    assert caught.value.field == field


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": ContentHeaders(content_type="text/x")},
        {"tags": "none"},
        {"storage_class": "IA"},
        {"acl": "private"},
        {"encryption": "bucket"},
        {"source": Source("src", "a", "v1")},
    ],
)
def test_a_copy_onto_itself_that_changes_anything_is_taken(changes: dict[str, Any]) -> None:
    itself = CopyRequest(source=Source("src", "a"), destination=Destination("src", "a"))
    with pytest.raises(Refused, match="SelfCopy"):
        plan.check_request(itself)
    plan.check_request(replace(itself, **changes))


@pytest.mark.parametrize(
    ("source", "destination", "field"),
    [("oss://src/in/", "{name}", "[0].source.prefix"), ("in/", "oss://dst/{name}", "[0].destination.key")],
)
def test_a_rule_neither_watches_nor_makes_keys_that_are_addresses(
    source: str, destination: str, field: str
) -> None:
    rule = Rule(source=RuleSource("src", source), destination=Destination("dst", destination))
    with pytest.raises(Refused) as caught:
        plan.check_rules([rule])
    assert caught.value.field == field


def test_a_template_that_is_longer_than_a_key_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        templates.render("{name}" * 200, "k", MOMENT)
    assert caught.value.code == "InvalidKey"


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        ({}, False),
        ({"since": 1}, False),
        ({"keep": True}, True),
        ({"looks": 1}, True),
        ({"generation": 1}, True),
        ({"drops": 1}, True),
        ({"retried": True}, True),
    ],
)
def test_a_copy_may_be_on_record_if_anybody_has_had_it_before(fields: dict[str, Any], known: bool) -> None:
    assert Copy(JOB, request(), "t", **fields).may_be_on_record is known


def test_a_date_without_a_directive_is_refused() -> None:
    """Every object would get the same key."""
    for template in ("{date:year}", "{date@+08:00:day}"):
        with pytest.raises(Refused, match="has no directive"):
            templates.render(template, "k", MOMENT)


def test_a_copy_delivered_again_keeps_the_time_of_its_first_delivery() -> None:
    assert Copy(JOB, request(), "t", since=5).delivered_again().since == 5
    assert Copy(JOB, request(), "t").delivered_again().since == 0
    assert Copy(JOB, request(), "t").delivered_again().retried


def test_a_rule_watches_its_bucket_prefix_and_suffix_and_hands_on_its_options() -> None:
    rule = Rule(
        source=RuleSource("src", "in/", ".bin"),
        destination=Destination("dst"),
        storage_class="IA",
        tags="none",
    )
    assert rule.covers("src", "in/a.bin")
    assert not rule.covers("other", "in/a.bin")
    assert not rule.covers("src", "out/a.bin")
    assert not rule.covers("src", "in/a.txt")
    made = rule.request("in/a.bin")
    assert (made.source, made.destination) == (Source("src", "in/a.bin"), Destination("dst"))
    assert (made.storage_class, made.tags) == ("IA", "none")
