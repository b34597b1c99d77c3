r"""The forms of messages that receivers want, their signatures, and what their answers mean.

Knows DingTalk's, Feishu's and WeCom's robots, and a plain form for all others; not how a request is sent.
All of it is documented (D), and nothing of it was tried with an account:

- DingTalk, https://open.dingtalk.com/document/orgapp/customize-robot-security-settings: `timestamp` (ms) and
  `sign` in the query; `sign` is the HMAC-SHA256 of "timestamp\nsecret" under the secret, in base64. 20
  messages a minute, else nothing is taken for 10 minutes. The answer is 200 with `errcode`.
- Feishu, https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot: `timestamp` (s) and `sign` in the
  body; `sign` is the HMAC-SHA256 of nothing under the key "timestamp\nsecret", in base64. The answer is 200
  with `code`, older ones with `StatusCode`.
- WeCom, https://developer.work.weixin.qq.com/document/path/91770: the key in the URL is all; a text of 2,048
  bytes at most, 20 messages a minute. The answer is 200 with `errcode`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec

from osscopy.plan.telling.news import JobEnded, News
from osscopy.plan.telling.texts import text_of

Form: TypeAlias = Literal["json", "dingtalk", "feishu", "wecom"]
FORMS: tuple[Form, ...] = ("json", "dingtalk", "feishu", "wecom")
HOSTS: dict[str, Form] = {
    "oapi.dingtalk.com": "dingtalk",
    "open.feishu.cn": "feishu",
    "open.larksuite.com": "feishu",
    "qyapi.weixin.qq.com": "wecom",
}
MOST = 120_000  # bytes of a message: FC takes 128 KB
SHORTEST = 6  # characters of a part of a path that is taken for a secret
_CODES = ("errcode", "code", "StatusCode")  # of an answer; 0: the message was taken
_WORDS = ("errmsg", "msg", "StatusMessage")


class Receiver(msgspec.Struct, frozen=True):
    """Who is told by HTTPS. The URL's path and query, and `secret`, are secrets: no line shows them."""

    url: str
    form: Form = "json"
    secret: str | None = None

    def __repr__(self) -> str:
        return f"Receiver({self.shown})"

    @property
    def shown(self) -> str:
        """The receiver as it may be shown: without what proves the right to write to it."""
        parts = urlsplit(self.url)
        return f"{self.form} at {parts.scheme}://{parts.netloc}"

    def hide(self, text: str) -> str:
        """Return a text without the secrets of this receiver."""
        parts = urlsplit(self.url)
        values = [value for _, value in parse_qsl(parts.query)]
        values += [each for each in parts.path.split("/") if len(each) >= SHORTEST]
        for secret in filter(None, (self.url, parts.query, *values, self.secret)):
            text = text.replace(secret, "***")
        return text


class Post(msgspec.Struct, frozen=True):
    """A request to a receiver: POST of a JSON body."""

    url: str
    headers: dict[str, str]
    body: bytes


def post_of(receiver: Receiver, news: News, now: float) -> Post:
    """Return the request that tells `receiver`; `now`: Unix seconds, for its signature."""
    secret, text = receiver.secret, text_of(news)
    url, headers = receiver.url, {"Content-Type": "application/json; charset=utf-8"}
    match receiver.form:
        case "dingtalk":
            body = _encoded({"msgtype": "text", "text": {"content": text}})
            if secret is not None:
                stamp = str(int(now * 1000))
                sign = _base64(_mac(secret, f"{stamp}\n{secret}".encode()))
                url += f"{'&' if '?' in url else '?'}timestamp={stamp}&sign={quote(sign, safe='')}"
        case "feishu":
            stamp = str(int(now))
            signed = {} if secret is None else {"timestamp": stamp, "sign": _feishu(stamp, secret)}
            body = _encoded({**signed, "msg_type": "text", "content": {"text": text}})
        case "wecom":
            body = _encoded({"msgtype": "text", "text": {"content": text}})
        case "json":
            body = payload_of(news)
            if secret is not None:
                stamp = str(int(now))
                headers["X-Oss-Copy-Timestamp"] = stamp
                headers["X-Oss-Copy-Signature"] = _mac(secret, f"{stamp}.".encode() + body).hex()
    return Post(url, headers, body)


def payload_of(news: News) -> bytes:
    """Return a message as JSON; of a result that is too long for FC, no more than its text."""
    body = msgspec.json.encode(news)
    if len(body) <= MOST or not isinstance(news, JobEnded):
        return body
    result = news.result
    short = {"job": result.job, "status": result.status, "error": result.error}
    about = {"event": "jobEnded", "function": news.function, "region": news.region}
    return _encoded({**about, "result": short, "text": text_of(news)})


def judge(receiver: Receiver, status: int, body: bytes) -> str | None:
    """Return the reason why a message was not taken, None if it was."""
    if not 200 <= status < 300:
        return f"HTTP {status}"
    if receiver.form == "json":
        return None
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        codes = [msgspec.json.decode(bytes(fields[each])) for each in _CODES if each in fields]
    except msgspec.MsgspecError:
        return "an answer that is no JSON"
    if not codes:
        return "an answer without a code"
    if not any(codes):
        return None
    said = next((bytes(fields[each]).decode(errors="replace") for each in _WORDS if each in fields), "")
    return receiver.hide(f"{codes[0]}: {said}")[:300]


def _feishu(stamp: str, secret: str) -> str:
    return _base64(_mac(f"{stamp}\n{secret}", b""))


def _mac(key: str, message: bytes) -> bytes:
    return hmac.new(key.encode(), message, hashlib.sha256).digest()


def _base64(given: bytes) -> str:
    return base64.b64encode(given).decode()


def _encoded(body: dict[str, object]) -> bytes:
    return msgspec.json.encode(body)
