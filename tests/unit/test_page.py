"""The page: texts of others stay text, sessions, forms, languages, and how large it is."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import re
from datetime import datetime, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from osscopy import events
from osscopy.jobs.pictures.copies import Picture
from osscopy.jobs.pictures.many import Picture as ManyPicture, Piece
from osscopy.jobs.pictures.timelines import Bar, Mark, Timeline
from osscopy.jobs.queries import Page
from osscopy.model import (
    BulkDestination,
    BulkResult,
    BulkSource,
    Cost,
    Manifest,
    Objects,
    Prices,
    Problem,
    Ranges,
    Refused,
    ReportPlace,
    Requests,
    Result,
    Seen,
    Slow,
    Status,
    Transient,
    Would,
)
from osscopy.plan import bulk
from osscopy.settings import Settings, load
from osscopy.web.page import asks, document, session
from osscopy.web.page.markup import Html, name, tag
from osscopy.web.page.shown import figures, lists, many, one, pieces, reports, strips, timelines
from osscopy.web.page.words import Words, chinese, language
from tests.unit.many import request
from tests.unit.test_web import JOB, MANY, SAMPLE, StubJobs, StubMany

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "functions/oss_copy/osscopy/web/page"
TOKEN = "a token of the function"
NOW = 1_800_000_000.0
MOST = 40 * 1024  # bytes of a page
EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title><script>1</script>",
    "{name}",
    "\u202eevil",
    "\x00\x1b[31m",
    "\ud800",
    "&lt;script&gt;",
    "javascript:alert(1)",
]


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, element: str) -> list[dict[str, str | None]]:
        return [given for each, given in self.found if each == element]


def copy(key: str = "key", status: Any = "running", **changes: Any) -> Status:
    usual: dict[str, Any] = {
        "source": Seen("src", key, size=1000),
        "destination": Seen("dst", key),
        "method": "multipart",
        "parts": 10,
        "parts_done": 5,
        "bytes_done": 500,
        "started_at": "2027-01-15T07:59:00.000Z",
        "rate": 10,
        "eta_seconds": 50,
    }
    return Status(JOB, status, **(usual | changes))


def drawn(lanes: int = 2) -> Picture:
    bars = tuple(Bar(lane, NOW - 60, NOW, "1", True) for lane in range(lanes))
    marks = (Mark(NOW - 30, "resumed", ""), Mark(NOW - 20, "problem", "3", 0))
    line = Timeline(
        NOW - 60, NOW, tuple(str(lane + 1) for lane in range(lanes)), bars, marks, ((0, NOW - 5),)
    )
    return Picture(tuple((lane * 5 + 1, lane * 5 + 5) for lane in range(lanes)), frozenset({1, 2, 6}), line)


def many_of(status: Any = "failed", **changes: Any) -> BulkResult:
    usual: dict[str, Any] = {
        "objects": Objects(100, succeeded=90, failed=10),
        "errors": {"AccessDenied": 9, "Odd<b>": 1},
        "report": ReportPlace("reports", "r/"),
        "ranges": Ranges(1, 3),
        "started_at": "2027-01-15T07:59:00.000Z",
        "finished_at": None if status == "running" else "2027-01-15T08:00:00.000Z",
    }
    return BulkResult(MANY, status, **(usual | changes))


def ranges() -> ManyPicture:
    cells = (Piece(False, 10), Piece(False, 5, 1), Piece(False, 5, 0, True), Piece(True))
    return ManyPicture(3.0, Requests(10, 20), 5.0, 2, cells, (Slow("a" * 20, 10, 5.0, "key<b>"),))


PRICES = Prices("CNY", 0.01, 0.01, 0.1, 0.1)


def everything(words: Words, key: str = "key") -> dict[str, list[Html]]:
    """Every view, with all it can show."""
    problem = Problem("AccessDenied", key, "R-1", field=key)
    would = Would(Requests(1, 2), Cost(1.0, "CNY", 1.0, 0.0))
    ended = copy(key, "failed", error=problem, finished_at="2027-01-15T08:00:00.000Z", verified="crc64")
    slow = copy(key, error=Problem("TotalQpsLimitExceeded", "slow down"), phase="restoring")
    rows = [{"status": "failed", "key": key, "message": key, "errorCode": "AccessDenied"}]
    counts = Objects(9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
    asked = request(source=BulkSource(bucket="src", prefix=key), destination=BulkDestination(bucket="dst"))
    listed = request(source=BulkSource(manifest=Manifest("src", key)))
    busy = many_of("running", rate=5.0, eta_seconds=9, eta_at_least=True)
    shown = many_of("succeeded", would=would, objects=counts, error=problem)
    states = [copy(key, each) for each in ("running", "succeeded", "skipped", "failed", "cancelled")]
    page = Page((*states, many_of(), many_of("running")), MANY)
    return {
        "list": lists.view(words, page, "failed", JOB, NOW),
        "no list": lists.view(words, Page((), None), None, "", NOW),
        "nothing": lists.view(words, Page((), None), "failed", "", NOW),
        "running": one.view(words, slow, drawn(), PRICES, NOW),
        "ended": one.view(words, ended, drawn(), None, NOW),
        "many": many.view(words, many_of(objects=counts, excluded=1, chains=1), ranges(), None, PRICES, NOW),
        "many running": many.view(words, busy, ranges(), asked, None, NOW),
        "dry run": many.view(words, shown, None, listed, PRICES, NOW),
        "report": reports.view(words, many_of(), rows),
        "empty report": reports.view(words, many_of(), []),
        "no report": reports.view(words, many_of("running"), None),
        "new": asks.new(words, "k", {"kind": "one", "source": key, "overwrite": key}, problem),
        "new many": asks.new(words, "k", {"kind": "many", "source": key, "include": key}),
        "sign in": asks.sign_in(words, problem),
    }  # fmt: skip


# --- what others wrote -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", EVIL)
def test_nothing_that_others_wrote_is_an_element_or_an_attribute(key: str) -> None:
    words = Words("en")
    for view, plain in everything(words).items():
        shown = Elements(document.document(words, "t", everything(words, key)[view]))
        usual = Elements(document.document(words, "t", plain))
        assert [each for each, _ in shown.found] == [each for each, _ in usual.found], view
        names = [sorted(given) for _, given in shown.found]
        assert names == [sorted(given) for _, given in usual.found], view
        json.dumps(shown.text).encode()


def test_no_style_and_no_handler_stands_in_an_element() -> None:
    words = Words("en")
    for view, plain in everything(words, "k").items():
        page = Elements(document.document(words, "t", plain, seconds=3, session=True))
        for element, given in page.found:
            assert not [each for each in given if each == "style" or each.startswith("on")], (view, element)
            for place in (given.get("href"), given.get("action"), given.get("src")):
                assert place is None or place.startswith(("./", "#", "data:,")) or place == "", (view, place)


def test_a_text_is_escaped_once_and_shows_what_nobody_can_see() -> None:
    assert tag("p", '<b> & "', title='"<') == '<p title="&quot;&lt;">&lt;b&gt; &amp; &quot;</p>'
    assert name("a\x1bb\nc\ud800\u202ed\xa0") == "<bdi>a\\x1bb\nc\\ud800\\u202ed\xa0</bdi>"
    assert tag("input", disabled=True, value=None) == "<input disabled>"


# --- the document ------------------------------------------------------------------------------------------


def test_the_policy_names_style_and_script_and_lets_nothing_else_in() -> None:
    text = document.document(Words("en"), "t")
    response = document.answer(200, text)
    policy = response["headers"]["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
    for element in ("style", "script"):
        (inside,) = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy
    for part in ("base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "connect-src 'self'"):
        assert part in policy
    headers = response["headers"]
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert "://" not in text.replace("oss://", "").replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("spoken", ["en", "zh"])
def test_no_page_is_larger_than_forty_kilobytes(spoken: Any) -> None:
    words, long = Words(spoken), "/".join(["a long name of a folder"] * 44)
    jobs = tuple(copy(long, error=Problem("AccessDenied", "x" * 300)) for _ in range(lists.SHOWN))
    page = document.document(words, "t", lists.view(words, Page(jobs, JOB), None, "", NOW), seconds=5)
    assert len(page.encode()) <= MOST
    lanes = Picture(
        tuple((lane * 100 + 1, lane * 100 + 100) for lane in range(100)),
        frozenset(range(1, 10_001, 2)),
        drawn(100).timeline,
    )
    assert (
        len(document.document(words, "t", one.view(words, copy(long), lanes, PRICES, NOW)).encode()) <= MOST
    )
    cells = tuple(Piece(number % 2 == 0, 10) for number in range(120))
    picture = ManyPicture(
        0.0, Requests(1, 1), 1.0, 1, cells, tuple(Slow("a" * 20, 1, 1.0, long) for _ in range(5))
    )
    assert (
        len(document.document(words, "t", many.view(words, many_of(), picture, None, PRICES, NOW)).encode())
        <= MOST
    )


def test_every_field_has_a_label_and_every_picture_a_text() -> None:
    words = Words("en")
    for view, plain in everything(words).items():
        page = Elements(document.document(words, "t", plain))
        labels = {given.get("for") for given in page.of("label")}
        for given in [*page.of("input"), *page.of("select")]:
            hidden = given.get("type") in {"hidden", "checkbox"}
            assert hidden or given.get("id") in labels, (view, given)
        for given in [*page.of("svg"), *page.of("progress")]:
            assert given.get("aria-label") or given.get("aria-hidden"), view


# --- words -------------------------------------------------------------------------------------------------


def test_every_text_of_the_page_is_there_in_chinese() -> None:
    class Asked(Words):
        def __call__(self, text: str, **values: object) -> str:
            asked.add(text)
            return super().__call__(text, **values)

    asked: set[str] = set()
    words = Asked("zh")
    for view in everything(words).values():
        document.document(words, "t", view, seconds=3, session=True)
    for path in PAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in {
                "words",
                "_words",
            }:
                asked |= (
                    {
                        each.value
                        for each in ast.walk(node.args[0])
                        if isinstance(each, ast.Constant) and isinstance(each.value, str)
                    }
                    if node.args
                    else set()
                )
    asked |= {*bulk.advice(["AccessDenied", "Odd"]).values(), *pieces.STATES.values()}
    asked -= {"running", "simple", "multipart", "crc64", "size", "link"}  # keys of tables
    assert sorted(asked - chinese().keys()) == []
    for english, told in chinese().items():
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", told)), english
    assert not [each for each in bulk.advice(CODES).values() if each not in chinese()]


CODES = [
    "AccessDenied",
    "BadLine",
    "Collision",
    "FileImmutable",
    "InvalidKey",
    "InvalidObjectState",
    "NotAllowed",
    "NoSuchKey",
    "NoSuchVersion",
    "OutcomeUnknown",
    "PreconditionFailed",
    "SelfCopy",
    "SourceChanged",
    "SourceChanging",
    "VerificationFailed",
    "cancelled",
]


@pytest.mark.parametrize(
    ("accepted", "spoken"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("de, zh;q=0.3", "zh"),
        ("en;q=0.1, zh-TW;q=0.2", "zh"),
        ("zh;q=0", "en"),
        ("zh;q=nonsense", "en"),
        ("fr", "en"),
    ],
)
def test_the_language_is_what_a_browser_asks_for(accepted: str, spoken: str) -> None:
    assert language(accepted) == spoken


# --- figures and pictures ----------------------------------------------------------------------------------


def test_figures_are_short() -> None:
    assert [figures.size(each) for each in (None, 0, 1023, 1536, 3 << 40)] == [
        "-",
        "0 B",
        "1023 B",
        "1.5 KiB",
        "3.0 TiB",
    ]
    assert [figures.span(each) for each in (0, 0.25, 59.9, 61, 3661)] == [
        "0:00",
        "0.2 s",
        "0:59",
        "1:01",
        "1:01:01",
    ]
    assert [figures.share(*each) for each in ((1, 0), (1, None), (1, 3), (9, 3))] == [None, None, 33, 100]
    assert figures.number(12345.5) == "12,345.5"


def test_a_strip_tells_in_words_what_it_shows() -> None:
    cells = strips.shares(frozenset(range(1, 51)), [(1, 100), (101, 200)])
    assert len(cells) == strips.CELLS
    shown, _ = strips.strip(Words("en"), cells, "Parts")
    assert 'aria-label="Parts. Done: 25 %, Not begun: 75 %"' in shown
    assert shown.count("<rect") == 1
    whole, _ = strips.strip(Words("en"), [], "Nothing")
    assert "<rect" not in whole


def test_a_timeline_stands_alone_or_in_the_page() -> None:
    line = drawn().timeline
    alone = timelines.drawing(Words("en"), line, "Lane", alone=True)
    assert alone.startswith("<svg viewBox")
    assert 'xmlns="http://www.w3.org/2000/svg"' in alone
    assert "<style>" in alone
    within = timelines.drawing(Words("en"), line, "Lane")
    assert "<style>" not in within
    assert within.count("<rect") == 2 + 1 + 1
    assert within.count("<path") == 1


# --- sessions ----------------------------------------------------------------------------------------------


SETTINGS = Settings("state", http_auth="anonymous", api_token=TOKEN)
HOST = "copies.example.com"


def call(
    method: str = "GET",
    query: dict[str, str] | None = None,
    form: dict[str, str] | None = None,
    /,
    **headers: str,
) -> events.HttpCall:
    event = {
        **SAMPLE,
        "rawPath": "/",
        "queryParameters": query or {},
        "body": urlencode(form or {}),
        "isBase64Encoded": False,
    }
    event["headers"] = {"Host": HOST, **{each.replace("_", "-"): value for each, value in headers.items()}}
    if form is not None:
        event["headers"].setdefault("Content-Type", "application/x-www-form-urlencoded")
    event["requestContext"] = {**SAMPLE["requestContext"], "http": {"method": method, "path": "/"}}
    parsed = events.parse(
        json.dumps(event).encode(), events.Arrival("r", datetime.fromtimestamp(NOW, timezone.utc)), ()
    )
    assert isinstance(parsed, events.HttpCall)
    return parsed


def held(now: float = NOW, token: str = TOKEN, host: str = HOST) -> str:
    made = session.sign_in(
        call("POST", None, {}, Sec_Fetch_Site="same-origin", Host=host), SETTINGS, token, now
    )
    return made.partition(";")[0]


def test_a_session_admits_its_browser_and_tells_nothing_of_the_token() -> None:
    made = session.sign_in(call("POST", None, {}, Origin=f"https://{HOST}"), SETTINGS, TOKEN, NOW)
    assert "HttpOnly" in made
    assert "SameSite=Lax" in made
    assert "; Secure" in made
    assert TOKEN not in made
    assert session.admit(call(Cookie=f"a=b; {held()}; c=d"), SETTINGS, NOW)
    assert "; Secure" not in session.sign_in(
        call("POST", None, {}, Host="127.0.0.1:8", Origin="http://127.0.0.1:8"), SETTINGS, TOKEN, NOW
    )
    assert session.sign_out(call()).startswith("oss-copy=; ")


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "oss-copy=",
        "oss-copy=9.9",
        "oss-copy=1800000000.x",
        "oss-copy=\u0661.x",
        "oss-copy=99999999999999.x",
        f"oss-copy={TOKEN}",
        "other=1",
    ],
)
def test_no_other_cookie_is_a_session(cookie: str) -> None:
    with pytest.raises(Refused) as refusal:
        session.admit(call(Cookie=cookie), SETTINGS, NOW)
    assert refusal.value.code == "Unauthorized"


def test_a_session_ends_and_is_nothing_under_another_token() -> None:
    cookie = held()
    assert session.admit(call(Cookie=cookie), SETTINGS, NOW + session.SECONDS - 1)
    others = [
        (SETTINGS, NOW + session.SECONDS),
        (SETTINGS, NOW - 3600),
        (Settings("s", http_auth="anonymous", api_token="another token that is long"), NOW),
    ]
    for settings, now in others:
        with pytest.raises(Refused):
            session.admit(call(Cookie=cookie), settings, now)
    for token in ("", "a token", TOKEN + "x", "\ud800"):
        with pytest.raises(Refused):
            held(token=token)


def test_a_narrow_token_opens_no_page() -> None:
    narrow = [{"name": "narrow", "sha256": hashlib.sha256(TOKEN.encode()).hexdigest(), "jobs": "own"}]
    environment = {"STATE_BUCKET": "state", "API_TOKEN": "x" * 16, "API_TOKENS": json.dumps(narrow)}
    seen: list[Any] = []
    status, body, _ = ask(call(Authorization=f"Bearer {TOKEN}"), seen, settings=load(environment))
    assert (status, seen) == (403, [])
    assert "token:narrow" in body


def test_who_sends_the_token_needs_no_session() -> None:
    assert not session.admit(call(Authorization=f"Bearer {TOKEN}"), SETTINGS, NOW)
    assert not session.admit(call(), Settings("state"), NOW)  # FC has checked a signature


@pytest.mark.parametrize(
    ("method", "headers", "is_admitted"),
    [
        ("GET", {}, True),
        ("GET", {"Sec_Fetch_Site": "none"}, True),
        ("GET", {"Sec_Fetch_Site": "cross-site"}, True),  # a link elsewhere leads here, and changes nothing
        ("POST", {"Sec_Fetch_Site": "same-origin"}, True),
        ("POST", {"Origin": f"https://{HOST}"}, True),
        ("POST", {"Origin": "null", "Sec_Fetch_Site": "same-origin"}, True),  # as no-referrer has it
        ("POST", {}, False),
        ("POST", {"Sec_Fetch_Site": "cross-site"}, False),
        ("POST", {"Sec_Fetch_Site": "same-site"}, False),
        ("POST", {"Sec_Fetch_Site": "none"}, False),
        ("POST", {"Origin": "https://evil.example"}, False),
        ("POST", {"Origin": f"https://{HOST}.evil.example"}, False),
        ("POST", {"Origin": "null"}, False),
        ("POST", {"Origin": "null", "Host": ""}, False),
    ],
)
def test_what_another_site_lets_a_browser_send_is_refused(
    method: str, headers: dict[str, str], is_admitted: bool
) -> None:
    asked = call(method, None, {} if method == "POST" else None, Cookie=held(), **headers)
    if is_admitted:
        assert session.admit(asked, SETTINGS, NOW)
        return
    with pytest.raises(Refused) as refusal:
        session.admit(asked, SETTINGS, NOW)
    assert refusal.value.code == "Forbidden"
    with pytest.raises(Refused):  # nor can it let a browser sign in
        session.sign_in(call("POST", None, {}, **headers), SETTINGS, TOKEN, NOW)


# --- answers -----------------------------------------------------------------------------------------------


class Shown(StubMany):
    """Jobs of many objects for the page."""

    def picture(self, job: str) -> Any:
        from osscopy.jobs.pictures.many import Seen as Standing  # noqa: PLC0415 - beside a name of its own

        return Standing(self._answer("picture", job), request(), None)

    def timeline(self, result: BulkResult) -> Timeline:
        self._answer("timeline", result.job)
        return drawn().timeline

    def failed_rows(self, job: BulkResult) -> Any:
        self._answer("rows", job.job)
        return []

    def carry_out(self, job: str, occurrence: str, arrival: events.Arrival) -> BulkResult:
        return self._answer("carry out", job, occurrence, arrival)


def ask(
    asked: events.HttpCall, seen: list[Any] | None = None, result: Any = None, settings: Settings = SETTINGS
) -> tuple[int, str, dict[str, str]]:
    from osscopy.web import routes  # noqa: PLC0415 - as a call comes

    jobs = StubJobs(result, [] if seen is None else seen)
    arrival = events.Arrival("r", datetime.fromtimestamp(NOW, timezone.utc))
    shown = Shown(result, jobs.seen)
    answer = routes.answer(asked, settings, arrival, lambda caller: routes.Work(caller, jobs, jobs, shown))
    return answer["statusCode"], answer["body"], answer["headers"]


def own(form: dict[str, str], **headers: str) -> events.HttpCall:
    return call("POST", None, form, Cookie=held(), Sec_Fetch_Site="same-origin", **headers)


def test_who_has_not_signed_in_sees_a_form_and_nothing_else() -> None:
    seen: list[Any] = []
    status, body, headers = ask(call(Accept_Language="zh"), seen)
    assert (status, headers["WWW-Authenticate"], seen) == (401, "Bearer", [])
    assert '<html lang="zh">' in body
    assert Elements(body).of("input")[0]["type"] == "password"
    assert ask(call(), settings=Settings("state", http_auth="anonymous"))[0] == 403
    assert (
        ask(call("POST", None, {"do": "sign-in", "token": "wrong"}, Sec_Fetch_Site="same-origin"))[0] == 401
    )


def test_signing_in_and_out_leads_back_to_the_page() -> None:
    status, _, headers = ask(
        call("POST", None, {"do": "sign-in", "token": TOKEN}, Sec_Fetch_Site="same-origin")
    )
    assert (status, headers["Location"]) == (303, "./")
    assert headers["Set-Cookie"].startswith("oss-copy=18")
    status, _, headers = ask(own({"do": "sign-out"}))
    assert (status, headers["Set-Cookie"].partition(";")[0]) == (303, "oss-copy=")


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ({}, ("page", None, lists.SHOWN, "")),
        ({"status": "failed", "after": JOB}, ("page", "failed", lists.SHOWN, JOB)),
        ({"job": JOB}, ("look", JOB)),
        ({"job": MANY}, ("picture", MANY)),
        ({"report": MANY}, ("picture", MANY)),
    ],
)
def test_a_view_is_what_its_address_says(query: dict[str, str], asked: tuple[Any, ...]) -> None:
    seen: list[Any] = []
    status, body, _ = ask(call("GET", query, Cookie=held()), seen)
    assert (status, seen[0]) == (200, asked)
    assert "Sign out" in body
    assert "Sign out" not in ask(call("GET", query, Authorization=f"Bearer {TOKEN}"))[1]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"job": "x"}, 404),
        ({"status": "odd"}, 422),
        ({"odd": "1"}, 422),
        ({"report": "c-1"}, 404),
        ({"after": "<b>"}, 422),
    ],
)
def test_an_address_that_means_nothing_is_told_so(query: dict[str, str], status: int) -> None:
    answered, body, headers = ask(call("GET", query, Cookie=held()))
    assert answered == status
    assert headers["Content-Type"].startswith("text/html")
    assert "<b>" not in body


def test_a_timeline_is_a_picture_that_loads_and_runs_nothing() -> None:
    status, body, headers = ask(call("GET", {"timeline": MANY}, Cookie=held()))
    assert (status, headers["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
    policy = headers["Content-Security-Policy"]
    assert re.fullmatch(r"default-src 'none'; style-src 'sha256-[\w+/=]+'", policy)
    assert body.startswith("<svg ")
    assert "<script" not in body
    assert ask(call("GET", {"timeline": MANY}))[0] == 401


def test_a_program_that_takes_a_picture_alone_gets_its_errors_as_json() -> None:
    status, body, _ = ask(call("GET", {"timeline": "odd"}, Cookie=held(), Accept="image/svg+xml"))
    assert (status, json.loads(body)["error"]["code"]) == (404, "NoSuchJob")
    assert ask(call("GET", {"timeline": "odd"}, Cookie=held(), Accept="image/avif,*/*;q=0.8"))[1].startswith(
        "<!doc"
    )


def test_an_error_is_a_page() -> None:
    assert ask(call(Cookie=held()), result=Transient("ServiceUnavailable", "busy"))[0] == 503
    assert ask(call("PUT", Cookie=held(), Sec_Fetch_Site="same-origin"))[0] == 405
    assert (
        ask(call("POST", None, {}, Cookie=held(), Sec_Fetch_Site="same-origin", Content_Type="text/plain"))[0]
        == 415
    )
    assert ask(own({"do": "odd"}))[0] == 422
    assert ask(own({str(number): "" for number in range(50)}))[0] == 422


ONE = {
    "do": "start",
    "kind": "one",
    "key": "k",
    "source": "oss://src/a/{b}.bin",
    "destination": "oss://dst/x/",
}
ALL = {"do": "start", "kind": "many", "key": "k", "source": "oss://src/a/", "destination": "oss://dst/"}


def test_a_form_starts_a_copy_whose_addresses_are_literal() -> None:
    seen: list[Any] = []
    status, _, headers = ask(own(ONE), seen)
    assert (status, headers["Location"]) == (303, f"./?job={JOB}")
    (what, begun, key) = seen[0]
    assert (what, key) == ("start", "page:k")
    assert (begun.request.source.key, begun.request.destination.key) == ("a/{b}.bin", "x/{b}.bin")
    again: list[Any] = []
    ask(own(ONE), again)
    assert again[0][1].job == begun.job


def test_a_form_starts_a_dry_run_or_a_sync() -> None:
    asked = json.loads(asks.wanted({**ALL, "dryRun": "1", "include": "*.a  *.b", "exclude": ""}))
    assert asked["dryRun"] is True
    assert asked["filters"] == {"include": ["*.a", "*.b"]}
    assert asked["source"] == {"bucket": "src", "prefix": "a/"}
    assert asked["destination"] == {"bucket": "dst", "prefix": ""}
    assert json.loads(asks.wanted(ALL))["dryRun"] is False
    status, _, headers = ask(own(ALL))
    assert (status, headers["Location"]) == (303, f"./?job={MANY}")
    bare = json.loads(asks.wanted({**ONE, "destination": "oss://dst"}))
    assert bare["destination"] == {"bucket": "dst"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"source": "src/a"}, "source"),
        ({"destination": "oss://"}, "destination"),
        ({"overwrite": "odd"}, "overwrite"),
    ],
)
def test_a_form_that_cannot_be_served_comes_back_as_it_was_filled(change: dict[str, str], told: str) -> None:
    seen: list[Any] = []
    status, body, _ = ask(own({**ONE, **change}), seen)
    assert (status, seen) == (422, [])
    page = Elements(body)
    assert f"Field: {told}" in page.text
    assert {given.get("value") for given in page.of("input")} >= {change.get("source", ONE["source"])}


def test_a_copy_that_fails_at_once_is_told_beside_its_form() -> None:
    failed = Result(JOB, "failed", error=Problem("NoSuchKey", "there is none"))
    status, body, _ = ask(own(ONE), result=failed)
    assert (status, "NoSuchKey" in body) == (404, True)


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        ({"do": "cancel", "job": JOB}, ("cancel", JOB)),
        ({"do": "cancel", "job": MANY}, ("cancel", MANY)),
        ({"do": "resubmit", "job": JOB}, ("resubmit", JOB)),
        ({"do": "resubmit", "job": MANY}, ("resubmit", MANY, "all")),
        ({"do": "resubmit", "job": MANY, "only": "failed"}, ("resubmit", MANY, "failed")),
        ({"do": "carry-out", "job": MANY}, ("carry out", MANY)),
    ],
)
def test_a_button_asks_about_its_job(form: dict[str, str], asked: tuple[Any, ...]) -> None:
    seen: list[Any] = []
    status, _, headers = ask(own(form), seen)
    assert (status, seen[0][: len(asked)]) == (303, asked)
    assert headers["Location"].startswith("./?job=")
    assert ask(own({**form, "job": "../x"}))[0] == 404
