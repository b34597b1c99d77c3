"""Bytes to commands: what is read, and what is refused by name before anything is asked of OSS."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from osscopy import events, plan
from osscopy.model import (
    Bulk,
    Check,
    Command,
    ContentHeaders,
    Continue,
    Copy,
    CopyRequest,
    Destination,
    Dropped,
    Encrypted,
    Encryption,
    Former,
    Head,
    Overview,
    Pin,
    Ping,
    Promise,
    Range,
    Refused,
    Rest,
    Rule,
    RuleSource,
    Settle,
    Source,
    Sweep,
    Tell,
    Tuning,
    Upload,
    Walk,
)

ARRIVAL = events.Arrival("req-1", datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc))
RULES = (Rule(source=RuleSource("src-bucket", "in/"), destination=Destination("dst-bucket", "out/{name}")),)
JOB = "c-" + "0" * 32
AT = "2026-11-22T10:00:00.000Z"
PAYLOADS = Path(__file__).parents[1] / "events"


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def parse(event: object) -> events.Batch:
    data = event if isinstance(event, bytes) else json.dumps(event).encode()
    parsed = events.parse(data, ARRIVAL, RULES)
    assert isinstance(parsed, events.Batch)
    return parsed


def only_copy(event: object) -> Copy:
    (item,) = parse(event).items
    assert isinstance(item, Copy)
    return item


def refusal(event: object) -> Refused:
    try:
        (item,) = parse(event).items
    except Refused as error:
        return error
    assert isinstance(item, Refused)
    return item


def asked(**changes: Any) -> dict[str, Any]:
    return {
        "source": {"bucket": "src-bucket", "key": "in/a.bin"},
        "destination": {"bucket": "dst-bucket"},
        **changes,
    }


def test_a_direct_request_becomes_a_copy_whose_key_defaults_to_the_sources() -> None:
    copy = only_copy(payload("direct"))
    assert copy.request.destination == Destination("dst-bucket", "x/b.bin")
    assert copy.request.tuning == Tuning(part_size="64MiB", parallel=32, lanes=4)
    assert only_copy(asked()).request.destination.key == "in/a.bin"


def test_a_list_of_requests_is_a_batch_in_which_a_bad_one_stops_no_other() -> None:
    batch = parse([asked(), {"source": 1}, asked()])
    assert batch.many
    assert [type(item) for item in batch.items] == [Copy, Refused, Copy]
    jobs = {item.job for item in batch.items if isinstance(item, Copy)}
    assert len(jobs) == 2, "equal requests of one list are two jobs"


def test_an_oss_event_is_matched_with_the_rules_record_by_record() -> None:
    batch = parse(payload("oss-trigger"))
    keys = [item.request.destination.key for item in batch.items if isinstance(item, Copy)]
    assert batch.many
    assert keys == ["out/a b+c.bin", "out/备份.bin"]  # the third record lies outside the rule's prefix


def test_an_encoded_key_brings_its_unquoted_reading_along() -> None:
    first, second = (item for item in parse(payload("oss-trigger-encoded")).items if isinstance(item, Copy))
    assert first.request.source.key == "in/a%20b.bin"
    assert [each.source.key for each in first.alternatives] == ["in/a b.bin"]
    assert first.event_etag == "5EB63BBBE01EEED093CB22BB8F5ACDC3"
    assert second.alternatives == ()


def test_events_of_parts_and_removals_make_no_copy() -> None:
    record = json.loads(payload("oss-trigger"))["events"][0]
    for name in ("ObjectCreated:UploadPart", "ObjectCreated:UploadPartCopy", "ObjectRemoved:DeleteObject"):
        assert parse({"events": [{**record, "eventName": name}]}).items == ()


def test_every_created_object_makes_a_copy_and_nothing_else_does() -> None:
    keys = [
        item.request.source.key
        for item in parse(payload("oss-trigger-every-operation")).items
        if isinstance(item, Copy)
    ]
    assert keys == [
        "in/PutObject.bin",
        "in/PostObject.bin",
        "in/CopyObject.bin",
        "in/CompleteMultipartUpload.bin",
        "in/AppendObject.bin",
        "in/PutSymlink.bin",
        "in/ObjectCreated.bin",
        "in/replica-ObjectModified.bin",
    ]
    assert parse(payload("oss-trigger-every-operation")).passed == ()


def renamed(name: str) -> list[dict[str, Any]]:
    """Events of this name, by each way they come in."""
    cloud_event, data = json.loads(payload("eventbridge")), json.loads(payload("eventbridge-raw"))
    record = created("in/a.bin")["events"][0]
    return [
        {"events": [{**record, "eventName": name}]},
        {**cloud_event, "type": f"oss:{name}"},
        {**data, "eventName": name},
        {**data, "eventName": f"oss:{name}"},
    ]


@pytest.mark.parametrize("name", ["ObjectReplication:ObjectCreated", "ObjectReplication:ObjectModified"])
def test_what_is_replicated_is_copied_like_any_other_creation(name: str) -> None:
    for event in renamed(name):
        assert isinstance(only_copy(event), Copy)


@pytest.mark.parametrize(
    "name", ["ObjectCreated:Teleport", "ObjectReplication:MetaChanged", "ObjectCreated:*"]
)
def test_a_creating_event_that_nobody_knows_is_told_of(name: str) -> None:
    for event in renamed(name):
        batch = parse(event)
        assert batch.items == ()
        assert batch.passed == (events.PassedOver("event", name),)


@pytest.mark.parametrize(
    "name",
    [
        "ObjectCreated:UploadPart",
        "ObjectCreated:InitiateMultipartUpload",
        "ObjectRemoved:DeleteObject",
        "ObjectReplication:ObjectRemoved",
        "ObjectModified:UpdateObjectMeta",
    ],
)
def test_an_event_that_creates_no_object_is_passed_over_without_a_word(name: str) -> None:
    for event in renamed(name):
        assert parse(event) == events.Batch((), many=True)


def test_odd_keys_are_read_raw_first_and_unquoted_only_if_that_is_another_key() -> None:
    rules = (Rule(source=RuleSource("src-bucket", "in/"), destination=Destination("dst-bucket")),)
    batch = events.parse(payload("oss-trigger-odd-keys"), ARRIVAL, rules)
    assert isinstance(batch, events.Batch)
    copies = [item for item in batch.items if isinstance(item, Copy)]
    sent = [
        record["oss"]["object"]["key"] for record in json.loads(payload("oss-trigger-odd-keys"))["events"]
    ]
    assert [copy.request.source.key for copy in copies] == sent
    others = {copy.request.source.key: copy.alternatives for copy in copies if copy.alternatives}
    assert {raw: [each.source.key for each in also] for raw, also in others.items()} == {
        "in/a%2Fb.bin": ["in/a/b.bin"],
        "in/%2e%2e/x": ["in/../x"],
        "in/plus+plus.bin": ["in/plus plus.bin"],
    }
    for copy in copies:
        assert copy.request.destination.key == copy.request.source.key


def created(key: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(payload("oss-trigger"))
    event["events"] = event["events"][:1]
    event["events"][0]["oss"]["object"]["key"] = key
    return event


@pytest.mark.parametrize(
    ("key", "raw", "unquoted"),
    [
        ("in/" + "%E5%A4%87" * 300, None, "in/" + "备" * 300),  # too long for a raw key
        ("in/a%00b", "in/a%00b", None),  # no key unquoted
        ("in/100%ff", "in/100%ff", None),  # no UTF-8 unquoted
        ("i%6e/a", None, "in/a"),  # outside the rule if taken raw
    ],
)
def test_a_reading_no_copy_can_be_made_of_does_not_stop_the_other(
    key: str, raw: str | None, unquoted: str | None
) -> None:
    copy = only_copy(created(key))
    assert copy.request.source.key == (raw or unquoted)
    assert copy.alternatives == ()


@pytest.mark.parametrize(
    ("template", "markers", "made"),
    [
        ("{key}", None, "in/a/b/"),
        ("{dir}{name}", None, "in/a/b/"),
        ("{key}", "copy", "in/a/b/"),
        ("{key}", "skip", None),
        ("{name}", None, None),
        ("flat/{name}", None, None),
        ("flat/{stem}{ext}", "skip", None),
        ("fixed", None, None),
    ],
)
def test_a_folder_marker_under_a_rule_is_copied_where_it_has_a_key_of_its_own_and_else_passed_over(
    template: str, markers: Literal["copy", "skip"] | None, made: str | None
) -> None:
    there = Destination("dst-bucket", template)
    rules = (Rule(source=RuleSource("src-bucket", "in/"), destination=there, markers=markers),)
    cloud_event = json.loads(payload("eventbridge"))
    cloud_event["data"]["object"]["key"] = "in/a/b/"
    for event in (created("in/a/b/"), cloud_event):
        batch = events.parse(json.dumps(event).encode(), ARRIVAL, rules)
        assert isinstance(batch, events.Batch)
        keys = [item.request.destination.key for item in batch.items if isinstance(item, Copy)]
        assert keys == ([made] if made else [])
        assert len(batch.items) == len(keys), "it is no failure"
        assert batch.passed == (() if made else (events.PassedOver("marker", "in/a/b/"),))
    other = events.parse(json.dumps(created("out/a/")).encode(), ARRIVAL, rules)
    assert isinstance(other, events.Batch)
    assert other.passed == (), "it is not the rule's business"


def test_the_data_of_an_eventbridge_event_alone_is_read_in_either_layout() -> None:
    flat = json.loads(payload("eventbridge-raw"))
    nested = {name: value for name, value in flat.items() if name not in {"bucket", "object"}}
    nested["oss"] = {name: flat[name] for name in ("bucket", "object")}
    copy = only_copy(flat)
    assert copy.request.destination.key == "out/a b+c.bin"
    assert copy.event_etag == "5EB63BBBE01EEED093CB22BB8F5ACDC3"
    assert only_copy(nested) == copy
    assert parse([flat, nested]).items == (copy, copy)
    assert events.needs_rules(payload("eventbridge-raw"))


def test_raw_data_is_the_job_of_its_write() -> None:
    """Delivered again, also by an OSS trigger, it is the same; a write of the same bytes is another one."""
    flat = json.loads(payload("eventbridge-raw"))
    by_trigger = {"events": [{**flat, "oss": {"bucket": flat["bucket"], "object": flat["object"]}}]}
    first = only_copy(flat)
    later = events.parse(json.dumps(flat).encode(), events.Arrival("req-9", ARRIVAL.now), RULES)
    assert isinstance(later, events.Batch)
    assert later.items == (first,)
    assert only_copy(by_trigger).job == first.job
    again = {**flat, "responseElements": {"requestId": "6738C1A2B3C4D5E6F7A8F0FF"}}
    bare = {name: value for name, value in flat.items() if name != "responseElements"}
    bare_later = {**bare, "eventTime": "2026-11-22T09:30:00.001Z"}
    other = {**flat, "object": {**flat["object"], "eTag": "0" * 32}}
    jobs = [only_copy(each).job for each in (flat, again, bare, bare_later, other)]
    assert len(set(jobs)) == len(jobs)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"eventName": None}, "InvalidField", "eventName"),
        ({"eventTime": "yesterday"}, "InvalidTime", "eventTime"),
        ({"eventSource": "acs:fnf"}, "UnknownSource", "eventSource"),
        ({"object": {"size": 1}}, "MissingField", "object.key"),
    ],
)
def test_raw_data_that_cannot_be_used_is_refused_by_name(
    changes: dict[str, Any], code: str, field: str
) -> None:
    refused = refusal({**json.loads(payload("eventbridge-raw")), **changes})
    assert (refused.code, refused.field) == (code, field)


def test_raw_data_without_the_name_of_its_event_is_refused_and_not_taken_for_a_request() -> None:
    flat = json.loads(payload("eventbridge-raw"))
    for name in ("oss", "bucket"):
        event = {"oss": {"bucket": flat["bucket"], "object": flat["object"]}} if name == "oss" else dict(flat)
        event.pop("eventName", None)
        refused = refusal(event)
        assert (refused.code, refused.field) == ("MissingField", "eventName")


def test_a_bad_record_stops_no_other_and_is_named() -> None:
    first, second, third = parse(payload("oss-trigger-bad-record")).items
    assert isinstance(first, Copy)
    assert isinstance(third, Copy)
    assert isinstance(second, Refused)
    assert second.field == "events[1].oss.object.key"


def test_a_rule_that_makes_no_key_stops_no_other_rule() -> None:
    long = Destination("dst-bucket", "x" * 1000 + "{key}")
    rules = (Rule(source=RuleSource("src-bucket"), destination=long), *RULES)
    batch = events.parse(json.dumps(created("in/" + "y" * 40)).encode(), ARRIVAL, rules)
    assert isinstance(batch, events.Batch)
    assert [type(item) for item in batch.items] == [Refused, Copy]


@pytest.mark.parametrize(
    ("name", "key"), [("eventbridge", "out/a b+c.bin"), ("eventbridge-nested", "out/备份.bin")]
)
def test_an_eventbridge_event_goes_by_the_rules_in_either_layout(name: str, key: str) -> None:
    copy = only_copy(payload(name))
    assert parse(payload(name)).many
    assert copy.request.destination.key == key
    assert copy.event_etag == "5EB63BBBE01EEED093CB22BB8F5ACDC3"


def test_a_batch_of_eventbridge_is_read_event_by_event() -> None:
    first, second = (item for item in parse(payload("eventbridge-batch")).items if isinstance(item, Copy))
    assert first.request.source.key == "in/one.bin"
    assert second.request.source.key == "in/two%20.bin"
    assert [each.source.key for each in second.alternatives] == ["in/two .bin"]
    assert len(parse(payload("eventbridge-batch")).items) == 2  # outside the prefix; a part


def test_an_eventbridge_event_is_known_by_its_id() -> None:
    event = json.loads(payload("eventbridge"))
    again = {**event, "aliyunpublishtime": "2026-11-22T09:31:00.000Z"}
    assert only_copy(event).job == only_copy(again).job
    assert only_copy(event).job != only_copy({**event, "id": "another"}).job


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"source": "acs.ecs"}, "UnknownSource", "source"),
        ({"source": None}, "InvalidField", "source"),
        ({"data": None}, "InvalidField", "data"),
        ({"data": {"oss": 1}}, "InvalidField", "data.oss"),
        ({"data": {"bucket": {"name": "b"}}}, "MissingField", "data.object"),
        ({"time": "yesterday"}, "InvalidTime", "time"),
    ],
)
def test_a_broken_cloud_event_is_refused_by_name(change: dict[str, Any], code: str, field: str) -> None:
    event = {**json.loads(payload("eventbridge")), **change}
    (item,) = parse(event).items
    assert isinstance(item, Refused)
    assert (item.code, item.field) == (code, field)
    good, bad = parse([json.loads(payload("eventbridge")), event]).items
    assert isinstance(good, Copy)
    assert isinstance(bad, Refused)
    assert bad.field == f"[1].{field}"


def test_cloud_events_of_other_types_make_no_copy() -> None:
    event = json.loads(payload("eventbridge"))
    for kind in (
        "oss:ObjectCreated:UploadPart",
        "oss:ObjectRemoved:AbortMultipartUpload",
        "oss:ActionTrail:ApiCall",
    ):
        assert parse({**event, "type": kind, "data": "anything"}).items == ()


def test_the_destinations_date_is_utc_unless_the_template_names_a_zone() -> None:
    assert only_copy(payload("timer-time-zone")).request.destination.key == "backup/2026/11/23/a.bin"
    event = {**json.loads(payload("timer")), "triggerTime": "2026-11-23T02:00:00+08:00"}
    assert only_copy(event).request.destination.key == "backup/2026/11/22/a.bin"


def test_a_timer_takes_a_list_of_requests() -> None:
    batch = parse(payload("timer-list"))
    assert batch.many
    assert [type(item) for item in batch.items] == [Copy, Copy]


def test_every_option_reaches_the_request() -> None:
    request = only_copy(payload("direct-every-option")).request
    default = CopyRequest(source=request.source, destination=request.destination)
    unchanged = {
        name for name in request.__struct_fields__ if getattr(request, name) == getattr(default, name)
    }
    assert unchanged == {"source", "destination", "archive", "symlinks"}
    assert request.destination.key == "in/a-20261122T180000.bin"


@pytest.mark.parametrize("name", sorted(path.stem for path in PAYLOADS.glob("*.json")))
def test_every_sample_is_understood(name: str) -> None:
    parsed = events.parse(payload(name), ARRIVAL, RULES)
    if isinstance(parsed, events.Batch):
        assert any(isinstance(item, (Copy, Continue)) for item in parsed.items)


def http(name: str) -> events.HttpCall:
    call = events.parse(payload(name), ARRIVAL, RULES)
    assert isinstance(call, events.HttpCall)
    return call


def test_a_header_is_found_whatever_its_case() -> None:
    call = http("http")
    assert call.header("content-type") == call.header("CONTENT-TYPE") == "application/json"
    assert call.header("authorization") is None
    twice = msgspec.structs.replace(call, headers={"Authorization": "Bearer a", "authorization": "Bearer b"})
    assert twice.header("authorization") == "Bearer a, Bearer b"


def test_repeated_query_parameters_are_all_there() -> None:
    call = http("http-list")
    assert call.query("status") == ("running", "failed")
    assert call.query("limit") == ("50",)
    assert call.query("after") == ()
    assert http("http-encoded-path").query("status") == ("running,failed",)


def test_an_encoded_slash_is_no_border_of_a_path() -> None:
    assert http("http-encoded-path").segments == ("copies", "c-0123456789abcdef0123456789abcdef/备")
    assert http("http").segments == ("copies",)


def test_a_timer_payload_is_a_request_and_dates_come_from_the_trigger() -> None:
    copy = only_copy(payload("timer"))
    assert copy.request.destination.key == "backup/2026/11/22/a.bin"


@pytest.mark.parametrize("name", ["direct", "direct-list", "timer", "oss-trigger", "eventbridge", "http"])
def test_a_byte_order_mark_before_an_event_changes_nothing(name: str) -> None:
    marked = events.parse(b"\xef\xbb\xbf" + payload(name), ARRIVAL, RULES)
    assert repr(marked) == repr(events.parse(payload(name), ARRIVAL, RULES))  # refusals are equal to none


def test_a_byte_order_mark_before_the_payload_of_a_timer_changes_nothing() -> None:
    timer = json.loads(payload("timer"))
    assert parse({**timer, "payload": "\ufeff" + timer["payload"]}) == parse(timer)


def test_an_http_event_is_left_to_the_routes() -> None:
    call = events.parse(payload("http"), ARRIVAL, RULES)
    assert isinstance(call, events.HttpCall)
    assert call.request_context.http.method == "POST"
    assert call.raw_path == "/copies"


def test_a_redelivered_event_is_the_same_job_and_another_one_is_not() -> None:
    later = events.Arrival("req-2", ARRIVAL.now)

    def jobs(event: bytes, arrival: events.Arrival) -> list[str]:
        parsed = events.parse(event, arrival, RULES)
        assert isinstance(parsed, events.Batch)
        return [item.job for item in parsed.items if isinstance(item, Copy)]

    for name in ("oss-trigger", "timer"):
        assert jobs(payload(name), ARRIVAL) == jobs(payload(name), later)
    assert jobs(payload("direct"), ARRIVAL) != jobs(payload("direct"), later)


@pytest.mark.parametrize(
    ("event", "code", "field"),
    [
        (b"", "InvalidJson", None),
        (b"{", "InvalidJson", None),
        (b"\xff\xfe", "InvalidJson", None),
        (b"null", "InvalidField", None),
        (b'"text"', "InvalidField", None),
        (b"[" * 5000, "InvalidJson", None),
        (b'{"source":' + b"[" * 5000, "InvalidJson", None),
        ({}, "MissingField", "source"),
        (asked(colour="red"), "UnknownField", "colour"),
        (asked(source={"bucket": "src-bucket"}), "MissingField", "source.key"),
        (asked(source={"key": "k"}), "MissingField", "source.bucket"),
        (
            asked(source={"bucket": "src-bucket", "key": "k", "endpoint": "x"}),
            "UnknownField",
            "source.endpoint",
        ),
        (asked(source={"bucket": 5, "key": "k"}), "InvalidField", "source.bucket"),
        (asked(source={"bucket": "Evil.Host", "key": "k"}), "InvalidBucketName", "source.bucket"),
        (asked(destination={"bucket": "a/b"}), "InvalidBucketName", "destination.bucket"),
        (asked(source={"bucket": "src-bucket", "key": ""}), "InvalidKey", "source.key"),
        (asked(source={"bucket": "src-bucket", "key": "/k"}), "InvalidKey", "source.key"),
        (asked(destination={"bucket": "dst-bucket", "key": "/{name}"}), "InvalidKey", "destination.key"),
        (asked(destination={"bucket": "dst-bucket", "key": "\\{name}"}), "InvalidKey", "destination.key"),
        (asked(destination={"bucket": "dst-bucket", "key": "x" * 1024}), "InvalidKey", "destination.key"),
        (asked(destination={"bucket": "dst-bucket", "key": "{oops}"}), "InvalidTemplate", "destination.key"),
        (asked(destination={"bucket": "src-bucket"}), "SelfCopy", "destination"),
        (asked(destination={"bucket": "dst-bucket", "key": "backup/"}), "InvalidKey", "destination.key"),
        (asked(destination={"bucket": "dst-bucket", "key": "{dir}"}), "InvalidKey", "destination.key"),
        (asked(source={"bucket": "oss://b", "key": "k"}), "InvalidBucketName", "source.bucket"),
        (asked(source={"bucket": "src-bucket", "key": "oss://b/k"}), "InvalidKey", "source.key"),
        (asked(source={"bucket": "src-bucket", "key": "OSS://b/k"}), "InvalidKey", "source.key"),
        (asked(destination={"bucket": "oss://b/k"}), "InvalidBucketName", "destination.bucket"),
        (asked(destination={"bucket": "dst-bucket", "key": "oss://b/k"}), "InvalidKey", "destination.key"),
        (asked(source="oss://b/k"), "InvalidField", "source"),
        (asked(destination="oss://b/k"), "InvalidField", "destination"),
        (asked(source="b/k"), "InvalidField", "source"),
        (
            asked(source={"manifest": {"bucket": "b"}}),
            "MissingField",
            "source.manifest.key",
        ),
        (asked(source={"inventory": {"bucket": "b"}}), "MissingField", "source.inventory.key"),
        (
            asked(source={"bucket": "b-b", "inventory": {"bucket": "b-b", "key": "k"}}),
            "InvalidField",
            "source.bucket",
        ),
        (asked(source={"prefix": "p", "inventory": {"bucket": "b-b", "key": "k"}}), "InvalidField", "source"),
        (
            asked(source={"inventory": {"bucket": "b", "key": "k"}}),
            "InvalidBucketName",
            "source.inventory.bucket",
        ),
        (asked(source={"inventory": {"bucket": "b-b", "key": "/k"}}), "InvalidKey", "source.inventory.key"),
        (asked(source={"report": {"job": "b-1"}}), "InvalidField", "source.report.job"),
        (asked(source={"report": {"job": "b-1", "status": "all"}}), "InvalidField", "source.report.status"),
        (
            asked(source={"bucket": "b", "prefix": ""}, filters={"storageClasses": ["standard"]}),
            "InvalidField",
            "filters.storageClasses[0]",
        ),
        (asked(source={"prefix": "in/"}), "MissingField", "source.bucket"),
        (
            asked(source={"bucket": "src-bucket", "prefix": "in/"}, delete=True),
            "InvalidField",
            "destination.prefix",
        ),
        (asked(source={"bucket": "src-bucket", "prefix": "in/"}, x=1), "UnknownField", "x"),
        ({"action": "dance"}, "InvalidField", "action"),
        ({"action": "sweep", "after": 1}, "UnknownField", "after"),
        (asked(metadata={"contentType": "a\r\nb"}), "InvalidHeader", "metadata.contentType"),
        (asked(metadata={"user": {"a": "\0"}}), "InvalidHeader", "metadata.user.a"),
        (asked(metadata={"user": {"a b": "c"}}), "InvalidMetadata", "metadata.user.a b"),
        (asked(metadata={"user": {"a:\r\nx": "c"}}), "InvalidMetadata", "metadata.user.a:\r\nx"),
        (asked(metadata={"user": {"": "c"}}), "InvalidMetadata", "metadata.user."),
        (asked(metadata={"user": {"x" * 201: "c"}}), "InvalidMetadata", "metadata.user." + "x" * 40),
        (asked(metadata={"user": {"a": " b"}}), "InvalidHeader", "metadata.user.a"),
        (asked(metadata={"user": {"a": "1", "A": "2"}}), "InvalidMetadata", "metadata.user"),
        (asked(metadata={"expires": "x" * 8193}), "InvalidHeader", "metadata.expires"),
        (
            asked(metadata={"user": {"a": "x" * 4000, "b": "é" * 2100}}),
            "InvalidMetadata",
            "metadata.user",
        ),
        (asked(conditions={"ifMatch": "x\n"}), "InvalidHeader", "conditions.ifMatch"),
        (asked(conditions={"ifMatch": "备份"}), "InvalidHeader", "conditions.ifMatch"),
        (asked(conditions={"ifNoneMatch": ""}), "InvalidHeader", "conditions.ifNoneMatch"),
        (asked(conditions={"ifModifiedSince": "2026-11-22"}), "InvalidHeader", "conditions.ifModifiedSince"),
        (asked(encryption={"algorithm": "KMS", "keyId": "é"}), "InvalidHeader", "encryption.keyId"),
        (asked(encryption={"algorithm": "AES256", "keyId": "k"}), "InvalidEncryption", "encryption.keyId"),
        (
            asked(encryption={"algorithm": "SM4", "dataEncryption": "SM4"}),
            "InvalidEncryption",
            "encryption.dataEncryption",
        ),
        (
            asked(source={"bucket": "src-bucket", "key": "k", "versionId": "x&uploads"}),
            "InvalidVersionId",
            "source.versionId",
        ),
        (
            asked(source={"bucket": "src-bucket", "key": "k", "versionId": ""}),
            "InvalidVersionId",
            "source.versionId",
        ),
        (asked(tags={f"t{n}": "" for n in range(11)}), "InvalidTag", "tags"),
        (asked(tags={"a\n": "b"}), "InvalidTag", "tags"),
        (asked(trafficLimit=1), "InvalidTrafficLimit", "trafficLimit"),
        (asked(tuning={"partSize": "1KiB"}), "InvalidPartSize", "tuning.partSize"),
        (asked(tuning={"partSize": "lots"}), "InvalidSize", "tuning.partSize"),
        (asked(tuning={"parallel": 0}), "InvalidTuning", "tuning.parallel"),
        (asked(tuning={"lanes": 1000}), "InvalidTuning", "tuning.lanes"),
        (asked(overwrite="perhaps"), "InvalidField", "overwrite"),
        ({"continuation": {"version": 4, "command": {}}}, "UnsupportedVersion", "continuation.version"),
        ({"continuation": {"version": 1}}, "MissingField", "continuation.command"),
    ],
)
def test_bad_input_is_refused_by_name(event: object, code: str, field: str | None) -> None:
    refused = refusal(event)
    assert (refused.code, refused.field) == (code, field)
    assert not refused.retryable


@pytest.mark.parametrize("name", ["my_key", "a.b", "ü", "a~b"])
def test_a_name_of_user_metadata_that_oss_does_not_take_is_refused_by_its_field(name: str) -> None:
    refused = refusal(asked(metadata={"user": {"good-1": "1", name: "v"}}))
    assert (refused.code, refused.field) == ("InvalidMetadata", f"metadata.user.{name}")
    assert "letters, digits and - only" in refused.message


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("x-oss-meta-author", "write 'author'"),
        ("X-Oss-Meta-Author", "write 'Author'"),
        ("Cache-Control", "the field metadata.cacheControl"),
        ("content-type", "the field metadata.contentType"),
        ("Content-Disposition", "the field metadata.contentDisposition"),
        ("Content-Encoding", "the field metadata.contentEncoding"),
        ("Content-Language", "the field metadata.contentLanguage"),
        ("Expires", "the field metadata.expires"),
        ("x-oss-object-acl", "the field acl"),
        ("x-oss-storage-class", "the field storageClass"),
        ("x-oss-tagging", "the field tags"),
        ("x-oss-server-side-encryption", "the field encryption"),
        ("x-oss-callback", "no user metadata"),
    ],
)
def test_a_header_among_user_metadata_is_refused_with_the_right_place(name: str, told: str) -> None:
    refused = refusal(asked(metadata={"user": {name: "v"}}))
    assert (refused.code, refused.field) == ("InvalidMetadata", f"metadata.user.{name}")
    assert refused.message.endswith(told)


def test_what_was_begun_under_looser_rules_is_finished() -> None:
    """It is refused when it is asked for, never at a hop: nobody would end its upload."""
    metadata = ContentHeaders(user={"x-oss-meta-author": "v", "Cache-Control": "v"})
    request = CopyRequest(
        source=Source("src", "oss://a"), destination=Destination("dst", "b/"), metadata=metadata
    )
    command = Copy(JOB, request, "2026-11-22T10:00:00.000Z")
    assert parse(events.encode(command)).items == (command,)


@pytest.mark.parametrize(
    ("source", "key", "made"),
    [
        ("in/a/", "{key}", "in/a/"),
        ("in/a/", "{name}x/", "x/"),
        ("in/a/", "b", "b"),
        ("in/a", "{key}", "in/a"),
    ],
)
def test_a_folder_marker_is_copied_like_any_object_and_may_stay_one(source: str, key: str, made: str) -> None:
    event = asked(
        source={"bucket": "src-bucket", "key": source}, destination={"bucket": "dst-bucket", "key": key}
    )
    assert only_copy(event).request.destination.key == made


def test_an_object_that_is_named_like_an_address_is_copied_by_its_rule() -> None:
    rules = (Rule(source=RuleSource("src-bucket"), destination=Destination("dst-bucket")),)
    batch = events.parse(json.dumps(created("oss://b/k")).encode(), ARRIVAL, rules)
    assert isinstance(batch, events.Batch)
    (copy,) = batch.items
    assert isinstance(copy, Copy)
    assert copy.request.destination.key == "oss://b/k"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"source": "oss://b/k/l"}, 'write {"bucket":"b","key":"k/l"}'),
        ({"destination": "oss://b/k"}, 'write {"bucket":"b","key":"k"}'),
        ({"destination": "oss://b"}, 'write {"bucket":"b"}'),
        ({"source": {"bucket": "oss://b/k", "key": "x"}}, "write 'b' as the bucket, and 'k' as the key"),
        ({"source": {"bucket": "b", "key": "oss://b/k"}}, "write 'k' as the key, and 'b' as the bucket"),
    ],
)
def test_an_address_is_told_how_it_is_written(changes: dict[str, Any], told: str) -> None:
    assert refusal(asked(**changes)).message.endswith(told)


@pytest.mark.parametrize("version", [None, "null"])
def test_a_copy_onto_itself_in_a_bucket_without_versions_changes_nothing(version: str | None) -> None:
    place = {"bucket": "src-bucket", "key": "in/a.bin"}
    source = Source(**place, version_id="null")
    request = CopyRequest(source=source, destination=Destination(**place))
    shown = Head(1, "E", version, 0, 0, None, "Standard", "Normal", ContentHeaders(), 0)
    try:
        plan.check_found(request, shown)
    except Refused as error:
        assert version is None
        assert (error.code, error.field) == ("SelfCopy", "source.versionId")
    else:
        assert version == "null", "an older version may be made the newest again"
    changed = msgspec.structs.replace(request, storage_class="IA")
    plan.check_found(changed, msgspec.structs.replace(shown, version_id=None))


@pytest.mark.parametrize(
    ("event", "known"),
    [
        (asked(overwrite="foo"), "always, ifDifferent, ifNewer, never"),
        (asked(acl="foo"), "copy, default, private, public-read, public-read-write"),
        (asked(storageClass="foo"), "Archive, ColdArchive, DeepColdArchive, IA, Standard, keep"),
        (asked(tuning={"method": "foo"}), "auto, multipart, simple"),
        (asked(encryption={"algorithm": "foo"}), "AES256, KMS, SM4"),
        (asked(metadata="foo"), "copy"),
        ({"action": "foo"}, "check, reconcile, sweep"),
    ],
)
def test_a_value_that_is_none_of_those_that_are_known_is_told_them(event: object, known: str) -> None:
    assert refusal(event).message == f"Invalid enum value 'foo'; known are {known}"


def test_a_copy_to_begin_is_read_whichever_version_of_the_function_submitted_it() -> None:
    """It may be on no record yet, so that no sweep would find it."""
    event = json.loads(payload("continuation-start"))
    (known,) = parse(event).items
    event["continuation"]["version"] = events.VERSION + 1
    event["continuation"]["command"]["invented"] = 1
    assert parse(event).items == (known,)
    event["continuation"]["command"]["request"]["invented"] = 1
    with pytest.raises(Refused, match="this function reads version"):
        parse(event)


@pytest.mark.parametrize("version", [1, 2])
def test_a_copy_to_begin_that_was_queued_with_one_other_reading_or_none_is_read(version: int) -> None:
    event = json.loads(payload("continuation-start-readings"))
    event["continuation"]["version"] = version
    command = event["continuation"]["command"]
    now = only_copy(event)
    assert [each.source.key for each in now.alternatives] == ["in/a b.bin"]
    command["alternative"] = command.pop("alternatives")[0]
    assert only_copy(event) == now
    command["alternative"] = None
    assert only_copy(event) == msgspec.structs.replace(now, alternatives=())


def test_a_copy_to_begin_without_other_readings_can_be_read_by_older_code() -> None:
    """It knows no `alternatives`: what is as it always is goes without being named.

    It reads a copy of a later version without the fields that it does not know, as `origin` is.
    """
    copy = only_copy(asked())
    continuation = json.loads(events.encode(copy))["continuation"]
    assert continuation["command"].keys() == {"step", "job", "request", "startedAt", "origin"}
    assert continuation["version"] > 2


@pytest.mark.parametrize("name", ["continuation-start", "continuation"])
def test_what_an_earlier_version_submitted_means_what_it_meant(name: str) -> None:
    """An encryption of null was left to the destination bucket; by now it is the source's by default."""
    event = json.loads(payload(name))
    assert event["continuation"]["version"] == 1
    (task,) = parse(event).items
    assert isinstance(task, Copy | Continue)
    assert task.request.encryption is None
    (again,) = parse(events.encode(task)).items
    assert again == task
    assert json.loads(events.encode(task))["continuation"]["version"] == events.VERSION == 3


@pytest.mark.parametrize(
    ("asked_for", "meant"),
    [
        ({}, "keep"),
        ({"encryption": None}, "keep"),
        ({"encryption": "keep"}, "keep"),
        ({"encryption": "bucket"}, "bucket"),
        ({"encryption": {"algorithm": "AES256"}}, Encryption("AES256")),
    ],
)
def test_an_encryption_that_is_not_named_is_the_sources(asked_for: dict[str, Any], meant: object) -> None:
    (copy,) = parse(asked(**asked_for)).items
    assert isinstance(copy, Copy)
    assert copy.request.encryption == meant


def test_onto_itself_an_object_may_be_encrypted_as_its_bucket_is() -> None:
    there = {"destination": {"bucket": "src-bucket"}}
    assert refusal(asked(**there, encryption="keep")).code == "SelfCopy"
    assert isinstance(parse(asked(**there, encryption="bucket")).items[0], Copy)


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=60)
KEYS = NAMES.filter(lambda name: name[0] not in "/\\" and name not in {".", ".."})
BUCKETS = st.from_regex(r"[a-z0-9][a-z0-9-]{1,20}[a-z0-9]", fullmatch=True)
REQUESTS = st.builds(
    lambda source, destination, **options: CopyRequest(source=source, destination=destination, **options),
    source=st.builds(Source, BUCKETS.map(lambda b: "s" + b), KEYS, st.none() | st.just("v1")),
    destination=st.builds(Destination, BUCKETS.map(lambda b: "d" + b), KEYS),
    overwrite=st.sampled_from(["always", "never", "ifDifferent", "ifNewer"]),
    tags=st.just("copy") | st.dictionaries(NAMES, NAMES, max_size=5),
    storage_class=st.sampled_from(["keep", "IA"]),
).filter(lambda r: r.source.key not in {".", ".."} and r.destination.key not in {".", ".."})
UPLOADS = st.tuples(st.integers(1, 1 << 40), st.integers(100 * 1024, 5 << 30)).filter(
    lambda sizes: -(-sizes[0] // sizes[1]) <= 10_000
)
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(Copy, st.just(JOB), REQUESTS, st.just("2026-11-22T10:00:00.000Z")),
    st.builds(
        lambda request, sizes, hop: Continue(
            JOB,
            request,
            "2026-11-22T10:00:00.000Z",
            Pin(sizes[0], "E", 5, None, "77"),
            Upload("U", sizes[1], -(-sizes[0] // sizes[1]), 1, 9),
            0,
            1,
            hop,
        ),
        REQUESTS,
        UPLOADS,
        st.integers(1, 1000),
    ),
)


@given(COMMANDS)
def test_a_self_invocation_is_read_back_as_it_was_written(command: Command) -> None:
    batch = events.parse(events.encode(command), ARRIVAL, RULES)
    assert isinstance(batch, events.Batch)
    assert batch.items == (command,)


@given(COMMANDS)
def test_a_continuation_can_come_in_by_no_other_trigger(command: Command) -> None:
    text = events.encode(command).decode()
    timer = {"triggerTime": "2026-11-22T10:00:00Z", "triggerName": "t", "payload": text}
    try:
        items = parse(timer).items
    except Refused:
        return
    assert all(isinstance(item, Refused) for item in items)


def test_a_continuation_stays_small_for_the_largest_object() -> None:
    source = Source("s" * 63, "k" * 200)
    request = CopyRequest(source=source, destination=Destination("d" * 63, "k" * 200))
    upload = Upload("U" * 32, 5 << 30, 10_000, 1, 1_800_000_000)
    promise = Promise("0" * 56, 10, "DeepColdArchive", Encrypted("KMS", "k" * 36, "SM4"))
    pin = Pin(10_000 * (5 << 30), "E" * 40, 1_800_000_000, "v" * 40, str((1 << 64) - 1), "0" * 8, promise)
    pin = msgspec.structs.replace(pin, encryption=promise.encryption)
    task = Continue("c-" + "0" * 32, request, "2026-11-22T10:00:00.000Z", pin, upload, 0, 1, 30_004, 2)
    assert len(events.encode(task)) < 2048


def test_numbers_no_hop_of_ours_writes_are_refused() -> None:
    request = CopyRequest(source=Source("src", "a"), destination=Destination("dst", "b"))
    good = Continue(JOB, request, AT, Pin(100, "E", 0), Upload("U", 1 << 20, 1, 1, 0), 0, 1, 1)
    assert parse(events.encode(good)).items == (good,)
    for changes in (
        {"job": "../open/x"},
        {"pin": Pin(100, "E\r\nx: y", 0)},
        {"pin": Pin(100, "E", 0, "v?a=b")},
        {"hop": 0},
        {"stalls": -1},
        {"lane": 2},
    ):
        with pytest.raises(Refused, match=r"InvalidContinuation|InvalidField"):
            events.parse(events.encode(msgspec.structs.replace(good, **changes)), ARRIVAL, RULES)
    for upload in (
        Upload("U\n", 1 << 20, 1, 1, 0),
        Upload("U", 0, 1, 1, 0),
        Upload("U", 1 << 20, 5, 1, 0),
        Upload("U", 1 << 20, 1, 0, 0),
        Upload("U", 1 << 20, 1, 7, 0),
    ):
        bad = msgspec.structs.replace(good, upload=upload)
        with pytest.raises(Refused):
            events.parse(events.encode(bad), ARRIVAL, RULES)


def test_the_other_reading_of_a_start_is_checked_too() -> None:
    request = CopyRequest(source=Source("src", "a"), destination=Destination("dst", "b"))
    other = msgspec.structs.replace(request, source=Source("evil/host", "a"))
    with pytest.raises(Refused, match="InvalidBucketName"):
        events.parse(events.encode(Copy(JOB, request, AT, (request, other))), ARRIVAL, RULES)


# --- what FC gives up --------------------------------------------------------------------------------------


def given_up(payload: str) -> bytes:
    context = {"requestId": "1-5f6c", "condition": "RetriesExhausted", "approximateInvokeCount": 4}
    return json.dumps(
        {"requestContext": context, "requestPayload": payload, "responsePayload": "{}"}
    ).encode()


def test_an_event_that_fc_gave_up_makes_the_same_jobs_again() -> None:
    payload = json.dumps(asked())
    first = events.parse(payload.encode(), events.Arrival("1-5f6c", ARRIVAL.now), ())
    found = events.parse(given_up(payload), ARRIVAL, ())
    assert isinstance(first, events.Batch)
    assert isinstance(found, Dropped)
    assert found.commands == first.items
    assert (found.condition, found.request_id) == ("RetriesExhausted", "1-5f6c")


def test_news_of_news_that_was_given_up_is_nothing_to_go_on_with() -> None:
    found = events.parse(given_up(given_up(json.dumps(asked())).decode()), ARRIVAL, ())
    assert isinstance(found, Dropped)
    assert found.commands == ()


@pytest.mark.parametrize("payload", ['{"action": "sweep"}', "no JSON"])
def test_what_is_no_copy_is_not_picked_up(payload: str) -> None:
    found = events.parse(given_up(payload), ARRIVAL, ())
    assert isinstance(found, Dropped)
    assert found.commands == ()


@pytest.mark.parametrize(("action", "kind"), [("sweep", Sweep), ("check", Check)])
def test_an_action_comes_alone_by_a_direct_event_or_a_timer(action: str, kind: type) -> None:
    event = json.dumps({"action": action})
    timer = {"triggerTime": "2026-11-22T10:00:00Z", "triggerName": "t", "payload": event}
    assert isinstance(events.parse(event.encode(), ARRIVAL, ()), kind)
    assert isinstance(events.parse(json.dumps(timer).encode(), ARRIVAL, ()), kind)
    batch = events.parse(f"[{event}]".encode(), ARRIVAL, ())
    assert isinstance(batch, events.Batch)
    (refused,) = batch.items
    assert isinstance(refused, Refused)
    assert refused.field == "action"


def test_a_page_of_a_sweep_comes_back_as_it_was_submitted() -> None:
    sweep = Sweep("c-0123456789abcdef0123456789abcdef")
    assert events.parse(events.encode(sweep), ARRIVAL, ()) == sweep


@pytest.mark.parametrize("name", ["timer", "oss-trigger", "eventbridge"])
def test_an_event_whose_outcome_may_have_been_forgotten_is_refused(name: str) -> None:
    """Records of outcomes expire; until then a redelivered event is found to be over."""
    event = payload(name)
    parsed = events.parse(event, ARRIVAL, RULES)
    assert isinstance(parsed, events.Batch)
    assert not [item for item in parsed.items if isinstance(item, Refused)]
    late = events.Arrival("req-2", ARRIVAL.now + timedelta(days=9))
    try:
        refused = events.parse(event, late, RULES)
        assert isinstance(refused, events.Batch)
        (error, *_) = refused.items
    except Refused as raised:
        error = raised
    assert isinstance(error, Refused)
    assert error.code == "EventTooOld"
    assert (error.field or "").lower().endswith("time")


def test_an_invocation_that_does_nothing_comes_back_as_it_was_submitted_and_is_not_picked_up() -> None:
    payload = events.encode(Ping())
    assert events.parse(payload, ARRIVAL, ()) == Ping()
    dropped = events.parse(given_up(payload.decode()), ARRIVAL, ())
    assert isinstance(dropped, Dropped)
    assert dropped.commands == ()


# --- lists that are handed over ----------------------------------------------------------------------------


def test_the_rest_of_a_list_is_named_and_not_carried() -> None:
    rest = events.parse(payload("continuation-rest"), ARRIVAL, RULES)
    assert isinstance(rest, Rest)
    assert rest == Rest("l-0123456789abcdef0123456789abcdef")
    assert len(events.encode(Rest(rest.list, 10**8, 3))) < 200


@pytest.mark.parametrize("name", ["", "l-", "../open/c-0", "l-0123456789ABCDEF0123456789abcdef"])
def test_a_list_is_named_as_our_own_are(name: str) -> None:
    refused = refusal({"continuation": {"version": 2, "command": {"step": "rest", "list": name}}})
    assert (refused.code, refused.field) == ("InvalidContinuation", "continuation.command.list")


def test_what_fc_gives_up_of_a_list_is_the_list() -> None:
    news = {"requestContext": {"requestId": "r"}, "requestPayload": payload("continuation-rest").decode()}
    dropped = events.parse(json.dumps(news).encode(), ARRIVAL, RULES)
    assert isinstance(dropped, Dropped)
    assert dropped.commands == (Rest("l-0123456789abcdef0123456789abcdef"),)


@pytest.mark.parametrize("trigger", ["oss-trigger", "timer-list"])
def test_an_event_with_a_date_tells_since_when_its_copies_may_have_been_made(trigger: str) -> None:
    for item in parse(json.loads(payload(trigger))).items:
        assert isinstance(item, Copy)
        assert item.since is not None
        assert item.since <= ARRIVAL.now.timestamp()


def test_a_direct_request_is_the_first_of_its_kind() -> None:
    assert only_copy(asked()).since is None


@pytest.mark.parametrize(
    "entry",
    [{"source": 1}, {"specversion": "1.0", "type": "oss:ObjectCreated:PutObject"}],
    ids=["direct", "eventbridge"],
)
def test_more_than_a_thousand_at_once_are_refused_and_a_thousand_are_read(entry: dict[str, Any]) -> None:
    assert refusal([entry] * 1001).code == "TooManyRequests"
    assert len(parse([entry] * 1000).items) == 1000


def test_a_payload_of_a_timer_that_is_no_unicode_is_refused() -> None:
    event = json.loads(payload("timer-list")) | {"payload": "\ud800"}
    error = refusal(json.dumps(event).encode())
    assert (error.code, error.field) == ("InvalidJson", None)


@pytest.mark.parametrize(("field", "address"), [("storageClass", "oss://b/k"), ("tags", "oss://b/k")])
def test_an_address_where_no_object_is_taken_is_not_explained_as_one(field: str, address: str) -> None:
    assert "no address" not in str(refusal(asked(**{field: address})))


def test_a_request_for_a_prefix_is_a_job_of_many_objects() -> None:
    body = asked(source={"bucket": "src-bucket", "prefix": "in/"})
    (first,), (again,) = parse(body).items, parse(body).items
    assert isinstance(first, Bulk)
    assert first == again
    assert re.fullmatch(plan.BULK_JOB, first.job)
    assert first.request.source.prefix == "in/"
    report = asked(source={"report": {"job": first.job, "status": "failed"}})
    (repeated,) = parse(report).items
    assert isinstance(repeated, Bulk)
    assert repeated.request.source.report == Former(first.job)
    listed = parse([asked(), body])
    assert [type(item) for item in listed.items] == [Copy, Bulk]


@pytest.mark.parametrize(
    "command",
    [
        Walk("b-" + "0" * 32, Range((0, 1), "a", None), 3, 4),
        Settle("b-" + "0" * 32, 1, 2),
        Overview("b-" + "0" * 32),
    ],
)
def test_hops_of_a_job_of_many_objects_come_back_as_they_were_sent(command: Walk | Settle | Overview) -> None:
    assert events.parse(events.encode(command), ARRIVAL, ()) == command
    with pytest.raises(Refused):
        events.parse(events.encode(replace(command, job="c-" + "0" * 32)), ARRIVAL, ())


def test_a_look_at_what_is_to_be_told_comes_back_as_it_was_sent_and_is_asked_for_by_nobody_else() -> None:
    assert events.parse(events.encode(Tell()), ARRIVAL, ()) == Tell()
    with pytest.raises(Refused):
        parse({"action": "tell"})


def test_a_job_of_many_objects_that_was_given_up_is_known_as_such() -> None:
    (asked_for,) = parse(asked(source={"bucket": "src-bucket", "prefix": "in/"})).items
    assert isinstance(asked_for, Bulk)
    (again,) = parse(events.encode(asked_for)).items
    assert again == asked_for
    failure = {"condition": "x", "requestId": "r"}
    message = {"requestContext": failure, "requestPayload": events.encode(asked_for).decode()}
    dropped = events.parse(json.dumps(message).encode(), ARRIVAL, ())
    assert isinstance(dropped, Dropped)
    assert dropped.commands == (asked_for,)
