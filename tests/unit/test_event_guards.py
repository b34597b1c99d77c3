"""What an event may not do: too much, too large, too old, twice, or in the place of another."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from osscopy import events, plan
from osscopy.model import (
    Bulk,
    BulkDestination,
    BulkRequest,
    BulkSource,
    ContentHeaders,
    Continue,
    Copy,
    CopyRequest,
    Destination,
    Dropped,
    Overview,
    Pin,
    Range,
    Refused,
    Rule,
    RuleSource,
    Settle,
    Source,
    Upload,
    Walk,
)

SAMPLES = Path(__file__).parents[1] / "events"
ARRIVAL = events.Arrival("req-1", datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc))
JOB = "c-" + "0" * 32
AT = "2026-11-22T10:00:00.000Z"
ASKED = CopyRequest(source=Source("src-bucket", "a"), destination=Destination("dst-bucket", "b"))
BULK = BulkRequest(
    source=BulkSource(bucket="src-bucket", prefix="a/"), destination=BulkDestination(bucket="dst-bucket")
)
BODY = {"source": {"bucket": "src-bucket", "key": "a"}, "destination": {"bucket": "dst-bucket", "key": "b"}}


def parse(event: object, *rules: Rule) -> Any:
    return events.parse(json.dumps(event).encode(), ARRIVAL, rules)


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def task(**changes: Any) -> Continue:
    upload = Upload("U", plan.MIN_PART, 2, 1, 0)
    usual = Continue(JOB, ASKED, AT, Pin(2 * plan.MIN_PART, "E", 0), upload, generation=0, lane=1, hop=1)
    return replace(usual, **changes)


FORGED = (
    task(request=replace(ASKED, source=Source("evil.host", "a"))),
    Copy(JOB, replace(ASKED, source=Source("evil.host", "a")), AT),
    Copy(JOB, replace(ASKED, destination=Destination("src-bucket", "..")), AT),
    task(excused=-1),
    Walk("b-../x", Range()),
    Settle("c-" + "0" * 32),
    Overview("c-" + "0" * 32),
    Bulk("b-" + "0" * 32, BulkRequest(source=BulkSource(), destination=BulkDestination(bucket="d")), AT),
    Bulk("b-" + "0" * 32, BULK, "x"),
    task(
        pin=Pin(10_001 * plan.MIN_PART, "E", 0),
        upload=Upload("U", plan.MIN_PART, 10_001, 1, 0),
    ),
)


@pytest.mark.parametrize("command", FORGED)
def test_a_continuation_that_no_hop_writes_is_refused(command: Copy | Continue) -> None:
    with pytest.raises(Refused):
        events.parse(events.encode(command), ARRIVAL, ())
    assert events.parse(events.encode(task()), ARRIVAL, ()) == events.Batch((task(),), many=False)


def test_a_continuation_that_fc_would_not_take_is_refused_before_it_is_sent() -> None:
    large = replace(ASKED, metadata=ContentHeaders(user={"a": "x" * 131_000}))
    with pytest.raises(Refused) as caught:
        events.encode(Copy(JOB, large, AT))
    assert caught.value.code == "RequestTooLarge"


def test_an_event_asks_for_so_many_copies_and_no_more() -> None:
    assert len(parse([BODY] * 1000).items) == 1000
    with pytest.raises(Refused) as caught:
        parse([BODY] * 1001)
    assert caught.value.code == "TooManyRequests"
    with pytest.raises(Refused) as caught:
        parse([sample("eventbridge")] * 1001)
    assert caught.value.code == "TooManyRequests"


def test_an_action_in_a_list_is_told_where_it_belongs() -> None:
    (item,) = parse([{"action": "sweep"}]).items
    assert isinstance(item, Refused)
    assert "comes alone" in item.message


def given_up(event: object) -> dict[str, Any]:
    context = {"condition": "RetriesExhausted", "requestId": "req-9"}
    return {"requestContext": context, "requestPayload": json.dumps(event)}


def test_what_was_refused_of_an_event_that_fc_gave_up_is_not_gone_on_with() -> None:
    found = parse(given_up([BODY, {"source": 5}]))
    assert isinstance(found, Dropped)
    assert [type(each) for each in found.commands] == [Copy]


def test_an_event_that_fc_gave_up_is_no_http_call_and_any_other_is_not_given_up() -> None:
    dropped, http = (json.dumps(each).encode() for each in (given_up(BODY), sample("http")))
    assert (events.is_http(dropped), events.is_http(http)) == (False, True)
    assert events.given_up(dropped, ARRIVAL) == json.dumps(BODY).encode()
    assert events.given_up(b'{"events": []}', ARRIVAL) is None


def test_an_event_that_fc_gave_up_and_that_is_too_old_is_not_tried_again() -> None:
    event = sample("oss-trigger")
    assert events.given_up(json.dumps(given_up(event)).encode(), ARRIVAL) is not None
    for record in event["events"]:
        record["eventTime"] = "2026-11-01T00:00:00Z"
    assert events.given_up(json.dumps(given_up(event)).encode(), ARRIVAL) is None


def test_an_http_call_needs_no_rules_whatever_its_body_says() -> None:
    call = {**sample("http"), "body": '{"events": "specversion"}'}
    assert not events.needs_rules(json.dumps(call).encode())
    for name in ("oss-trigger", "eventbridge", "eventbridge-raw"):
        assert events.needs_rules(json.dumps(sample(name)).encode())


@pytest.mark.parametrize("where", ["headers", "queryParameters"])
def test_what_a_caller_writes_makes_his_call_no_other_event(where: str) -> None:
    call = {**sample("http"), where: {"requestPayload": "x"}}
    assert events.is_http(json.dumps(call).encode())


def test_a_time_without_a_zone_is_utc() -> None:
    moment = ARRIVAL.read_recent("2026-11-22T09:00:00", "time")
    assert moment == datetime(2026, 11, 22, 9, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(("policy", "follows"), [("never", None), ("always", 0), ("ifNewer", 0)])
def test_a_rule_s_copies_follow_their_source_unless_they_never_overwrite(
    policy: Any, follows: int | None
) -> None:
    event = sample("oss-trigger")
    bucket = event["events"][0]["oss"]["bucket"]["name"]
    rule = Rule(source=RuleSource(bucket), destination=Destination("dst-bucket"), overwrite=policy)
    copies = [each for each in parse(event, rule).items if isinstance(each, Copy)]
    assert {each.follows for each in copies} == {follows}


def test_each_time_of_a_timer_makes_jobs_of_its_own() -> None:
    event = {**sample("timer"), "payload": json.dumps(BODY)}
    later = {**event, "triggerTime": "2026-11-22T09:59:00Z"}
    jobs = [parse(each).items[0].job for each in (event, event, later)]
    assert jobs[0] == jobs[1] != jobs[2]
    set_to = datetime(2026, 11, 22, 9, 59, tzinfo=timezone.utc)
    assert parse(later).items[0].since == set_to.timestamp() - plan.CLOCK_MARGIN


def test_a_timer_s_payload_that_is_no_unicode_is_refused() -> None:
    event = {**sample("timer"), "payload": "\ud800"}
    with pytest.raises(Refused) as caught:
        parse(event)
    assert caught.value.code == "InvalidJson"


def test_rules_make_so_many_copies_of_one_event_and_no_more() -> None:
    event = sample("oss-trigger")
    bucket = event["events"][0]["oss"]["bucket"]["name"]
    rules = [
        Rule(source=RuleSource(bucket), destination=Destination("dst", f"{n}/{{key}}")) for n in range(30)
    ]
    for records, wanted in ((33, 990), (34, None)):
        many = json.dumps({"events": event["events"][:1] * records}).encode()
        if wanted:
            found = events.parse(many, ARRIVAL, rules)
            assert isinstance(found, events.Batch)
            assert len(found.items) == wanted
            continue
        with pytest.raises(Refused) as caught:
            events.parse(many, ARRIVAL, rules)
        assert caught.value.code == "TooManyRequests"
