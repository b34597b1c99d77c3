"""Who else invokes: objects, timers and HTTP, with the events that FC documents."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timezone
from typing import Any

import httpx
import msgspec
import pytest
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest

from functions.cli.template.props import schedules
from tests.cloud.accounts import Credentials
from tests.cloud.client import sign_acs3
from tests.cloud.events import ObjectEvent
from tests.cloud.fc.lab import DEADLINE, Lab

EVENT = ObjectEvent(
    name="ObjectCreated:PutObject",
    bucket="source",
    key="in/ä b.txt",
    size=5,
    delta_size=2,
    etag="5D41402ABC4B2A76B9719D911017C592",
    request_id="5C212BF34F8E2A4D5B6C7D8E",
    principal="acs:ram::1234567890123456:root",
    source_ip="127.0.0.1",
    time=1_700_000_000.25,
)
ECHO = "def handler(event, context): return event"


def _oss(
    prefix: str = "in/", suffix: str = "", events: tuple[str, ...] = ("oss:ObjectCreated:PutObject",)
) -> Any:
    return {
        "triggerName": "objects",
        "triggerType": "oss",
        "sourceArn": "acs:oss:cn-hangzhou:1234567890123456:source",
        "invocationRole": "acs:ram::1234567890123456:role/notify",
        "triggerConfig": {"events": events, "filter": {"key": {"prefix": prefix, "suffix": suffix}}},
    }


def _http(auth: str = "anonymous", methods: tuple[str, ...] = ("GET", "POST")) -> Any:
    config = {"authType": auth, "methods": methods}
    return {"triggerName": "web", "triggerType": "http", "triggerConfig": config}


def test_an_oss_trigger_sends_the_documented_record(lab: Lab) -> None:
    lab.deploy(ECHO, triggers=[_oss()])
    lab.call(lab.sources.notify, EVENT)
    (invocation,) = lab.settle()
    assert invocation.request.asynchronous
    assert json.loads(invocation.attempts[0].body) == {
        "events": [
            {
                "eventName": "ObjectCreated:PutObject",
                "eventSource": "acs:oss",
                "eventTime": "2023-11-14T22:13:20.250Z",
                "eventVersion": "1.0",
                "oss": {
                    "bucket": {
                        "arn": "acs:oss:cn-hangzhou:1234567890123456:source",
                        "name": "source",
                        "ownerIdentity": "1234567890123456",
                        "virtualBucket": "",
                    },
                    "object": {
                        "deltaSize": 2,
                        "eTag": "5D41402ABC4B2A76B9719D911017C592",
                        "key": "in/ä b.txt",
                        "size": 5,
                    },
                    "ossSchemaVersion": "1.0",
                    "ruleId": "objects",
                },
                "region": "cn-hangzhou",
                "requestParameters": {"sourceIPAddress": "127.0.0.1"},
                "responseElements": {"requestId": "5C212BF34F8E2A4D5B6C7D8E"},
                "userIdentity": {"principalId": "1234567890123456"},
            }
        ]
    }


@pytest.mark.parametrize(
    ("trigger", "change", "fires"),
    [
        (_oss(), {}, True),
        (_oss(), {"key": "other/a.txt"}, False),
        (_oss(), {"bucket": "elsewhere"}, False),
        (_oss(), {"name": "ObjectCreated:UploadPart"}, False),
        (_oss(suffix=".txt"), {}, True),
        (_oss(suffix=".jpg"), {}, False),
        (_oss(events=("oss:ObjectCreated:*",)), {"name": "ObjectCreated:UploadPart"}, True),
        (_oss(events=("oss:ObjectCreated:*",)), {"name": "ObjectRemoved:DeleteObject"}, False),
    ],
)
def test_an_oss_trigger_fires_for_its_bucket_events_prefix_and_suffix_only(
    lab: Lab, trigger: Any, change: dict[str, str], fires: bool
) -> None:
    lab.deploy(ECHO, triggers=[trigger])
    lab.call(lab.sources.notify, msgspec.structs.replace(EVENT, **change))
    assert len(lab.settle()) == fires


def test_a_deployment_whose_triggers_conflict_is_refused(lab: Lab) -> None:
    lab.deploy(ECHO, triggers=[_oss()])
    with pytest.raises(ValueError, match="overlapping prefix and suffix"):
        lab.deploy(ECHO, "other", triggers=[{**_oss("in/a/"), "triggerName": "more"}])


def test_records_that_come_together_can_be_sent_together(lab: Lab) -> None:
    lab.sources.batch_seconds = 0.05
    lab.deploy(ECHO, triggers=[_oss()])
    for key in ("in/1", "in/2"):
        lab.call(lab.sources.notify, msgspec.structs.replace(EVENT, key=key))
    lab.until(lambda: lab.invocations)
    (invocation,) = lab.settle()
    records = json.loads(invocation.request.event)["events"]
    assert [record["oss"]["object"]["key"] for record in records] == ["in/1", "in/2"]


def test_eventbridge_sends_a_cloud_event_that_its_pattern_selects(lab: Lab) -> None:
    pattern = {
        "source": ["acs.oss"],
        "type": ["oss:ObjectCreated:PutObject"],
        "subject": [{"prefix": "acs:oss:cn-hangzhou:1234567890123456:source/in/"}],
    }
    config = {
        "triggerEnable": True,
        "asyncInvocationType": True,
        "eventRuleFilterPattern": json.dumps(pattern),
        "eventSourceConfig": {"eventSourceType": "Default", "eventSourceParameters": {}},
        "eventSinkConfig": {"deliveryOption": {}},
        "runOptions": {},
    }
    lab.deploy(
        ECHO, triggers=[{"triggerName": "bridge", "triggerType": "eventbridge", "triggerConfig": config}]
    )
    lab.call(lab.sources.notify, EVENT)
    lab.call(lab.sources.notify, msgspec.structs.replace(EVENT, key="other"))
    (invocation,) = lab.settle()
    event = json.loads(invocation.request.event)
    assert (event["source"], event["type"]) == ("acs.oss", "oss:ObjectCreated:PutObject")
    assert event["data"]["object"]["key"] == EVENT.key


# --- timers ---


def _timer(cron: str, enable: bool = True) -> Any:
    config = {"cronExpression": cron, "enable": enable, "payload": '{"a": 1}'}
    return {"triggerName": "tick", "triggerType": "timer", "triggerConfig": config}


def test_a_timer_fires_by_itself(lab: Lab) -> None:
    lab.deploy(ECHO, triggers=[_timer("@every 1s")])
    lab.until(lambda: lab.invocations)
    event = json.loads(lab.invocations[0].request.event)
    assert (event["triggerName"], event["payload"]) == ("tick", '{"a": 1}')
    datetime.strptime(event["triggerTime"], "%Y-%m-%dT%H:%M:%S%z")


def test_a_timer_can_be_fired_even_when_it_is_off(lab: Lab) -> None:
    lab.deploy(ECHO, triggers=[_timer("0 0 4 * * *", enable=False)])
    lab.call(lab.sources.fire, "tick")
    lab.call(lab.sources.fire, "tick", "other")
    assert [json.loads(one.request.event)["payload"] for one in lab.settle()] == ['{"a": 1}', "other"]


@pytest.mark.parametrize(
    ("expression", "moment"),
    [
        ("@every 90m", "2026-01-01T13:30:00"),
        ("0 30 4 * * *", "2026-01-02T04:30:00"),
        ("15 0 12 * * *", "2026-01-01T12:00:15"),
        ("CRON_TZ=Asia/Shanghai 0 0 4 * * *", "2026-01-01T20:00:00"),
        ("0 0 2 ? * MON-FRI", "2026-01-02T02:00:00"),
        ("0 0 2 ? * 1", "2026-01-05T02:00:00"),  # a Monday
        ("0 0 2 ? * 7", "2026-01-04T02:00:00"),
        ("0 0 2 ? * 6-7", "2026-01-03T02:00:00"),
        ("0 0 2 ? * SAT-SUN", "2026-01-03T02:00:00"),
        ("0 */20 2,4-6 1/2 jan *", "2026-01-03T02:00:00"),
    ],
)
def test_cron_has_seconds_first_and_is_in_utc_unless_it_says_otherwise(expression: str, moment: str) -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
    assert schedules.following(expression, noon).isoformat() == moment + "+00:00"


@pytest.mark.parametrize(
    "expression",
    [
        "*/5 * * * *",
        "@every 0s",
        "@hourly",
        "CRON_TZ=Mars/X 0 0 4 * * *",
        "",
        "0 0 2 L * *",
        "0 0 2 15W * *",
        "0 0 2 ? * 5#2",
        "0 0 2 ? * 5L",
        "0 0 2 ? * 0",
        "0 0 2 ? * 8",
        "* 0 2 * * *",
        "*/5 0 2 * * *",
        "0,30 0 2 * * *",
        "60 0 2 * * *",
        "0 60 2 * * *",
        "0 0 24 * * *",
        "0 0 2 0 * *",
        "0 0 2 30 2 *",
        "0 0 2 * 13 *",
        "0 0 2 * * */0",
        "0 0 2 * * 1-2-3",
        "0 0 ? * * *",
        "0 0 2 * * * *",
    ],
)
def test_what_is_no_cron_expression_of_fc_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="cronExpression"):
        schedules.check(expression)


# --- HTTP ---


def test_an_http_request_becomes_the_documented_event(lab: Lab) -> None:
    lab.deploy(
        "def handler(event, context): return {'statusCode': 200, 'body': event.decode()}", triggers=[_http()]
    )
    answer = lab.web(
        "POST",
        "/copies/a%20b?x=1&x=2",
        content="grüße",
        headers={"content-type": "text/plain; charset=utf-8", "x-two": "1", "user-agent": "me"},
    )
    event = answer.json()
    context = event.pop("requestContext")
    headers = event.pop("headers")
    assert event == {
        "version": "v1",
        "rawPath": "/copies/a%20b",
        "body": "grüße",
        "isBase64Encoded": False,
        "queryParameters": {"x": "1,2"},
    }
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert context["accountId"] == "1234567890123456"
    assert context["requestId"] == answer.headers["x-fc-request-id"]
    assert context["http"] == {
        "method": "POST",
        "path": "/copies/a b",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "me",
    }


def test_a_path_with_a_line_break_reaches_the_function(lab: Lab) -> None:
    lab.deploy(
        "def handler(event, context): return {'statusCode': 200, 'body': event.decode()}", triggers=[_http()]
    )
    assert lab.web("POST", "/a%0Ab%0A").json()["rawPath"] == "/a%0Ab%0A"


@pytest.mark.parametrize(
    ("kind", "body"),
    [("application/octet-stream", b"text"), ("image/png", b"\x89PNG"), ("text/plain", b"\xff")],
)
def test_a_binary_body_travels_as_base64(lab: Lab, kind: str, body: bytes) -> None:
    lab.deploy(
        "def handler(event, context): return {'statusCode': 200, 'body': event.decode()}", triggers=[_http()]
    )
    event = lab.web("POST", content=body, headers={"content-type": kind}).json()
    assert event["isBase64Encoded"]
    assert base64.b64decode(event["body"]) == body


@pytest.mark.parametrize(
    ("returned", "status", "body"),
    [
        ("{'statusCode': 202, 'headers': {'Location': '/x'}, 'body': 'ok'}", 202, b"ok"),
        ("{'statusCode': 200, 'isBase64Encoded': True, 'body': 'AAE='}", 200, b"\x00\x01"),
        ("{'a': 1}", 200, b'{"a": 1}'),
        ("'plain'", 200, b"plain"),
        ("{'statusCode': 200, 'isBase64Encoded': True, 'body': '!'}", 502, None),
        ("{'statusCode': 200, 'headers': {'x': 'y' * 9000}}", 502, None),
    ],
)
def test_what_the_function_returns_becomes_the_response(
    lab: Lab, returned: str, status: int, body: bytes | None
) -> None:
    lab.deploy(f"def handler(event, context): return {returned}", triggers=[_http()])
    answer = lab.web("GET")
    assert answer.status_code == status
    assert answer.headers["content-disposition"] == "attachment"
    if body is not None:
        assert answer.content == body


def test_a_function_that_raises_is_a_502_with_the_error(lab: Lab) -> None:
    lab.deploy("def handler(event, context): raise OSError('no')", triggers=[_http()])
    answer = lab.web("GET")
    assert (answer.status_code, answer.headers["x-fc-error-type"]) == (502, "UnhandledInvocationError")
    assert answer.json()["errorMessage"] == "no"


def test_a_method_that_is_not_listed_is_405(lab: Lab) -> None:
    lab.deploy(ECHO, triggers=[_http()])
    assert lab.web("DELETE").status_code == 405
    assert not lab.invocations


def test_an_asynchronous_request_is_answered_202_before_it_runs(lab: Lab) -> None:
    lab.deploy(ECHO, triggers=[_http()])
    answer = lab.web("POST", headers={"x-fc-invocation-type": "Async"})
    assert answer.status_code == 202
    (invocation,) = lab.settle()
    assert invocation.request.request_id == answer.headers["x-fc-request-id"]


def _signed(lab: Lab, credentials: Credentials, query: str = "?a=1") -> httpx.Response:
    url = lab.sources.urls["fn"] + "/x" + query
    headers = {"content-type": "application/json"}
    headers |= sign_acs3("POST", url, headers, b"{}", credentials)
    return httpx.post(url, content=b"{}", headers=headers, timeout=DEADLINE)


def test_a_signed_trigger_lets_in_who_signs_and_nobody_else(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return {'statusCode': 200}", triggers=[_http("function")])
    owner = lab.accounts.owner
    assert _signed(lab, owner).status_code == 200
    assert _signed(lab, lab.accounts.issue("acs:ram::1:role/r")).status_code == 200
    assert lab.web("POST").status_code == 403
    assert lab.web("POST", headers={"authorization": "Bearer x"}).status_code == 403
    assert _signed(lab, Credentials(owner.access_key_id, "wrong", "")).status_code == 403
    assert _signed(lab, Credentials("unknown", "wrong", "")).status_code == 403
    assert len(lab.settle()) == 2


def test_who_may_not_come_in_learns_nothing_about_methods(lab: Lab) -> None:
    lab.deploy(ECHO, triggers=[_http("function")])
    assert lab.web("DELETE").status_code == 403


def test_jwt_is_not_done(lab: Lab) -> None:
    lab.deploy(ECHO, triggers=[_http("jwt")])
    assert lab.web("GET").status_code == 501


def test_a_url_that_is_closed_to_the_internet_lets_nobody_in(lab: Lab) -> None:
    trigger = _http()
    trigger["triggerConfig"]["disableURLInternet"] = True
    lab.deploy(ECHO, triggers=[trigger])
    assert lab.web("GET").status_code == 403


def test_an_asynchronous_request_can_be_a_task(lab: Lab) -> None:
    lab.deploy(ECHO, triggers=[_http()], asyncInvokeConfig={"asyncTask": True})
    headers = {"x-fc-invocation-type": "Async", "x-fc-async-task-id": "t"}
    assert [lab.web("POST", headers=headers).status_code for _ in range(2)] == [202, 409]
    assert len(lab.settle()) == 1


@pytest.mark.parametrize("payload", ["", hashlib.sha256(b"{}").hexdigest()])
def test_the_vendor_s_own_signer_is_let_in(lab: Lab, payload: str) -> None:
    lab.deploy("def handler(event, context): return {'statusCode': 200}", triggers=[_http("function")])
    request = DaraRequest()
    request.method, request.pathname, request.query = "POST", "/x", {"b": "ü", "a": "1 2"}
    request.headers = {
        "x-acs-date": Utils.get_timestamp(),
        "x-acs-signature-nonce": Utils.get_nonce(),
        "content-type": "application/json",
    }
    owner = lab.accounts.owner
    request.headers["authorization"] = Utils.get_authorization(
        request, "ACS3-HMAC-SHA256", payload, owner.access_key_id, owner.access_key_secret
    )
    answer = lab.web("POST", "/x", params=request.query, content=b"{}", headers=request.headers)
    assert answer.status_code == 200, answer.text
