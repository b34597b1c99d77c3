"""Messages that jobs have ended: who is told by the settings, texts, forms, signatures, answers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from osscopy import settings
from osscopy.model import BulkResult, Misconfigured, Objects, Problem, ReportPlace, Result, Seen
from osscopy.plan.telling import news, receivers, texts
from osscopy.plan.telling.receivers import Receiver

DING = "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef"
FEISHU = "https://open.feishu.cn/open-apis/bot/v2/hook/5e3d587e-d78e-4a07"
WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=633a31f6-7f9c-4bc4"
PLAIN = "https://hooks.example.com/oss-copy"
SECRET = "SECdeadbeef0123"
SENDER = news.Sender("oss-copy", "cn-hangzhou")
FAILED = Result(
    "c-" + "0" * 32,
    "failed",
    Seen("src", "a/b.bin"),
    Seen("dst", "b.bin"),
    error=Problem("AccessDenied", "no right to read", request_id="5C3D9175B6FC201293AD"),
)
ONE = SENDER.of_one(FAILED)


def told_by(**variables: str) -> Any:
    return settings.load({"STATE_BUCKET": "state", **variables}).telling


def body_of(receiver: Receiver, message: news.News = ONE, now: float = 1_800_000_000.5) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(receivers.post_of(receiver, message, now).body)
    return found


# --- settings ----------------------------------------------------------------------------------------------


def test_nobody_is_told_unless_a_setting_names_somebody() -> None:
    assert told_by() is None
    assert told_by(NOTIFY_ON="all", NOTIFY_FORM="wecom", NOTIFY_URL=" ") is None


@pytest.mark.parametrize(
    ("url", "form"), [(DING, "dingtalk"), (FEISHU, "feishu"), (WECOM, "wecom"), (PLAIN, "json")]
)
def test_the_form_of_messages_is_known_by_the_host(url: str, form: str) -> None:
    assert told_by(NOTIFY_URL=url).receiver == Receiver(url, form)  # type: ignore[arg-type]  # from a list
    assert told_by(NOTIFY_URL=url, NOTIFY_FORM="feishu").receiver.form == "feishu"


def test_a_function_and_a_receiver_may_both_be_told() -> None:
    told = told_by(NOTIFY_FUNCTION="on-call", NOTIFY_URL=DING, NOTIFY_SECRET=SECRET, NOTIFY_ON="all")
    assert (told.function, told.receiver, told.on) == ("on-call", Receiver(DING, "dingtalk", SECRET), "all")


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/a",
        "ftp://hooks.example.com/a",
        "hooks.example.com/a",
        "https:///a",
        "https://user:word@hooks.example.com/a",
        "https://hooks.example.com/a#b",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\u00e9",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com:0/",
        "https://[::1/a",
        "https://100.100.100.200/latest/meta-data",
        "https://127.0.0.1/a",
        "https://127.1/a",
        "https://0x7f.0x1/a",
        "https://2130706433/a",
        "https://[::1]/a",
        "https://[fd00::1]:8443/a",
        "https://10.0.0.1./a",
        "https://localhost/a",
        "https://a.localhost/a",
        "https://metadata.internal/a",
        "http://127.0.0.1:9000/a",
    ],
)
def test_a_url_that_is_not_told_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        told_by(NOTIFY_URL=f"{url}?key=s3cret")
    assert caught.value.field == "NOTIFY_URL"
    assert "s3cret" not in str(caught.value)
    assert "https" in str(caught.value) or "host" in str(caught.value)


def test_on_the_local_cloud_alone_the_receiver_may_be_there_too() -> None:
    url = "http://127.0.0.1:9000/told"
    assert told_by(NOTIFY_URL=url, OSS_ENDPOINT="http://127.0.0.1:8000").receiver.url == url
    for endpoint in ("https://oss-cn-hangzhou-internal.aliyuncs.com", "http://127.0.0.1.example.com:80"):
        with pytest.raises(Misconfigured, match="NOTIFY_URL"):
            told_by(NOTIFY_URL=url, OSS_ENDPOINT=endpoint)
    with pytest.raises(Misconfigured, match="NOTIFY_URL"):
        told_by(NOTIFY_URL="http://10.0.0.1:9000/told", OSS_ENDPOINT="http://127.0.0.1:8000")


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("NOTIFY_SECRET", {"NOTIFY_SECRET": SECRET}),
        ("NOTIFY_SECRET", {"NOTIFY_SECRET": SECRET, "NOTIFY_FUNCTION": "on-call"}),
        ("NOTIFY_SECRET", {"NOTIFY_SECRET": SECRET, "NOTIFY_URL": WECOM}),
        ("NOTIFY_SECRET", {"NOTIFY_SECRET": "short", "NOTIFY_URL": DING}),
        ("NOTIFY_SECRET", {"NOTIFY_SECRET": "\u00e9" * 8, "NOTIFY_URL": DING}),
        ("NOTIFY_FORM", {"NOTIFY_FORM": "slack", "NOTIFY_URL": PLAIN}),
        ("NOTIFY_ON", {"NOTIFY_ON": "always", "NOTIFY_URL": PLAIN}),
        ("NOTIFY_FUNCTION", {"NOTIFY_FUNCTION": "acs:fc:cn-hangzhou:1:functions/other"}),
        ("NOTIFY_FUNCTION", {"NOTIFY_FUNCTION": "me", "FC_FUNCTION_NAME": "me"}),
        ("NOTIFY_FUNCTION", {"NOTIFY_FUNCTION": "me", "INVOKE_FUNCTION": "me"}),
    ],
)
def test_a_wrong_setting_of_who_is_told_is_named_without_its_secret(name: str, more: dict[str, str]) -> None:
    with pytest.raises(Misconfigured) as caught:
        told_by(**more)
    assert caught.value.field == name
    assert SECRET not in str(caught.value)


def test_a_receiver_is_shown_without_what_proves_the_right_to_write_to_it() -> None:
    for url in (DING, FEISHU, WECOM, PLAIN):
        told = told_by(NOTIFY_URL=url).receiver
        assert repr(told) == f"Receiver({told.form} at https://{urlsplit(url).hostname})"
        shown = told.hide(f"POST {url}: {urlsplit(url).path}?{urlsplit(url).query} is wrong")
        for secret in ("0123456789abcdef", "5e3d587e-d78e-4a07", "633a31f6"):
            assert secret not in shown
    assert Receiver(DING, "dingtalk", SECRET).hide(f"sign of {SECRET}") == "sign of ***"


# --- which outcomes ----------------------------------------------------------------------------------------

CHILD = f"c-{'0' * 32}-{'1' * 32}"


@pytest.mark.parametrize(
    ("on", "job", "status", "by_rule", "is_told"),
    [
        ("failed", "c-1", "failed", False, True),
        ("failed", "b-1", "failed", False, True),
        ("failed", "c-1", "failed", True, True),
        ("failed", "c-1", "succeeded", False, False),
        ("failed", "b-1", "cancelled", False, False),
        ("failed", CHILD, "failed", False, False),
        ("all", "c-1", "succeeded", False, True),
        ("all", "c-1", "skipped", False, True),
        ("all", "b-1", "cancelled", False, True),
        ("all", "c-1", "succeeded", True, False),
        ("all", "c-1", "failed", True, True),
        ("all", CHILD, "failed", False, False),
    ],
)
def test_failures_are_told_and_other_ends_if_that_is_asked_for(
    on: news.On, job: str, status: str, by_rule: bool, is_told: bool
) -> None:
    assert news.is_told(on, job, status, by_rule=by_rule) == is_told


def test_a_window_is_told_of_once_it_is_over() -> None:
    assert news.window_of(59.9) == (1, 6)
    assert news.window_of(60.0) == (2, 35)
    assert news.task_of(2) == "tell-2"


# --- texts -------------------------------------------------------------------------------------------------


def test_the_text_of_a_failed_copy_says_what_from_where_and_why() -> None:
    assert texts.text_of(ONE).splitlines() == [
        "oss-copy: oss-copy in cn-hangzhou",
        f"failed: job c-{'0' * 32}",
        "from oss://src/a/b.bin",
        "to oss://dst/b.bin",
        "AccessDenied: no right to read",
        "request id 5C3D9175B6FC201293AD",
    ]


def test_the_text_of_a_job_of_many_objects_has_its_counts_and_its_report() -> None:
    done = BulkResult("b-1", "failed", Objects(10, 7, 1, 2), report=ReportPlace("reports", "nightly/b-1/"))
    assert texts.text_of(SENDER.of_one(done)).splitlines()[2:] == [
        "objects: 10, copied 7, skipped 1, failed 2, missing 0, deleted 0",
        "report: oss://reports/nightly/b-1/",
    ]


def test_a_job_without_a_report_is_told_all_the_same() -> None:
    done = BulkResult("b-1", "succeeded", Objects(10, 10))
    assert texts.text_of(SENDER.of_one(done)).splitlines()[1:] == [
        "succeeded: job b-1",
        "objects: 10, copied 10, skipped 0, failed 0, missing 0, deleted 0",
    ]


def test_several_jobs_are_told_by_their_number_and_the_first_of_them() -> None:
    ended = [FAILED] * 12 + [Result("c-2", "succeeded")]
    message = SENDER.of_many(ended)
    assert (message.ended, message.failed, len(message.jobs)) == (13, 12, 13)
    lines = texts.text_of(message).splitlines()
    assert lines[1:3] == ["13 jobs have ended", "failed: 12"]
    assert lines[-1] == "and 3 more: GET /copies?status=failed"
    assert len(SENDER.of_many([FAILED] * 1000).jobs) == news.NAMED


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("a b/\u62a5\u8868.csv", "a b/\u62a5\u8868.csv"),
        ('<at user_id="all">x</at>', "%3Cat user%5Fid=%22all%22%3Ex%3C/at%3E".replace("%5F", "_")),
        ("<@all>", "%3C%40all%3E"),
        ("[x](http://evil.example/)", "%5Bx%5D(http%3A//evil.example/)"),
        ("**b** `c` # d", "%2A%2Ab%2A%2A %60c%60 %23 d"),
        ("a\nfailed: 0\r\t", "a%0Afailed%3A 0%0D%09"),
        ("\u202egpj\u200b", "%E2%80%AEgpj%E2%80%8B"),
        ("%41", "%2541"),
        ("\ud800", "%3F"),
    ],
)
def test_keys_are_no_markup_no_mention_and_no_line_of_their_own(key: str, shown: str) -> None:
    assert texts.plain(key) == shown
    result = Result("c-1", "failed", Seen("src", key), error=Problem(key, key, request_id=key))
    text = texts.text_of(SENDER.of_one(result))
    assert f"from oss://src/{shown}" in text
    assert len(text.splitlines()) == 6
    assert not set("<>@\u202e\u200b") & set(text)


def test_a_text_is_never_longer_than_a_robot_takes() -> None:
    for letter in "a\u62a5\n":
        long = letter * 5000
        result = Result("c-1", "failed", Seen(long, long), Seen(long, long), error=Problem(long, long))
        text = texts.text_of(SENDER.of_one(result))
        assert 1700 < len(text.encode()) <= texts.MOST


# --- forms -------------------------------------------------------------------------------------------------


def test_dingtalk_s_signature_is_in_the_query() -> None:
    """As its page says: HMAC-SHA256 of timestamp, newline, secret under the secret; base64, URL-encoded."""
    asked = receivers.post_of(Receiver(DING, "dingtalk", SECRET), ONE, 1_800_000_000.5)
    query = parse_qs(urlsplit(asked.url).query)
    digest = hmac.new(SECRET.encode(), b"1800000000500\n" + SECRET.encode(), hashlib.sha256).digest()
    assert query == {
        "access_token": ["0123456789abcdef"],
        "timestamp": ["1800000000500"],
        "sign": [base64.b64encode(digest).decode()],
    }
    assert not set("+/=") & set(asked.url.rpartition("sign=")[2])
    assert json.loads(asked.body) == {"msgtype": "text", "text": {"content": texts.text_of(ONE)}}
    assert receivers.post_of(Receiver(DING, "dingtalk"), ONE, 1.0).url == DING


def test_feishu_s_signature_is_in_the_body() -> None:
    """As its page says: HMAC-SHA256 of nothing under the key timestamp, newline, secret; base64."""
    body = body_of(Receiver(FEISHU, "feishu", SECRET))
    digest = hmac.new(b"1800000000\n" + SECRET.encode(), b"", hashlib.sha256).digest()
    assert body == {
        "timestamp": "1800000000",
        "sign": base64.b64encode(digest).decode(),
        "msg_type": "text",
        "content": {"text": texts.text_of(ONE)},
    }
    assert body_of(Receiver(FEISHU, "feishu")).keys() == {"msg_type", "content"}


def test_wecom_gets_a_text() -> None:
    asked = receivers.post_of(Receiver(WECOM, "wecom"), ONE, 1.0)
    assert asked.url == WECOM
    assert json.loads(asked.body) == {"msgtype": "text", "text": {"content": texts.text_of(ONE)}}


def test_others_get_the_result_as_json_signed_in_headers() -> None:
    asked = receivers.post_of(Receiver(PLAIN, "json", SECRET), ONE, 1_800_000_000.5)
    body = json.loads(asked.body)
    assert body.keys() == {"event", "function", "region", "result"}
    assert (body["event"], body["result"]["job"]) == ("jobEnded", FAILED.job)
    assert body["result"]["error"]["code"] == "AccessDenied"
    signed = hmac.new(SECRET.encode(), b"1800000000." + asked.body, hashlib.sha256).hexdigest()
    assert asked.headers["X-Oss-Copy-Signature"] == signed
    assert asked.headers["X-Oss-Copy-Timestamp"] == "1800000000"
    assert receivers.post_of(Receiver(PLAIN), ONE, 1.0).headers.keys() == {"Content-Type"}
    many = body_of(Receiver(PLAIN), SENDER.of_many([FAILED, FAILED]))
    assert many == {
        "event": "jobsEnded",
        "function": "oss-copy",
        "region": "cn-hangzhou",
        "ended": 2,
        "failed": 2,
        "jobs": [FAILED.job] * 2,
    }


def test_a_result_that_fc_would_not_take_is_told_shortly() -> None:
    errors = {f"Code{number}": number for number in range(20_000)}
    payload = receivers.payload_of(SENDER.of_one(BulkResult("b-1", "failed", errors=errors)))
    assert len(payload) < 4000
    assert json.loads(payload)["result"] == {"job": "b-1", "status": "failed", "error": None}


@pytest.mark.parametrize(
    ("form", "status", "body", "why"),
    [
        ("json", 204, b"", None),
        ("json", 302, b"", "HTTP 302"),
        ("json", 500, b"{}", "HTTP 500"),
        ("dingtalk", 200, b'{"errcode":0,"errmsg":"ok"}', None),
        ("dingtalk", 200, b'{"errcode":310000,"errmsg":"sign not match"}', '310000: "sign not match"'),
        ("feishu", 200, b'{"code":0,"msg":"success","data":{}}', None),
        ("feishu", 200, b'{"StatusCode":0,"StatusMessage":"success"}', None),
        ("feishu", 200, b'{"code":19021,"msg":"sign match fail"}', '19021: "sign match fail"'),
        ("wecom", 200, b'{"errcode":45009}', "45009: "),
        ("wecom", 200, b"<html>", "an answer that is no JSON"),
        ("wecom", 200, b"[1]", "an answer that is no JSON"),
        ("wecom", 200, b"{}", "an answer without a code"),
    ],
)
def test_an_answer_says_whether_a_message_was_taken(
    form: receivers.Form, status: int, body: bytes, why: str | None
) -> None:
    assert receivers.judge(Receiver(PLAIN, form), status, body) == why


def test_what_a_robot_says_of_its_own_address_is_not_repeated() -> None:
    body = json.dumps({"errcode": 1, "errmsg": f"invalid webhook url {WECOM}"}).encode()
    assert "633a31f6" not in (receivers.judge(Receiver(WECOM, "wecom"), 200, body) or "")
