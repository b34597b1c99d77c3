"""The page on the user's machine: whom it answers, what it hands on, and that it tells no secret."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from functions.cli.errors import Misused, Status
from functions.cli.service.proxy import MOST_BODY, Proxy, serving
from functions.cli.service.target import Target
from tests.cli.conftest import GENUINE
from tests.cli.terminal import COPY_JOB, TOKEN, Function, Terminal, a_copy, raw
from tests.cloud.client import LocalCloud

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def page(body: str = "<p>page</p>", status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: text/html", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


@pytest.fixture
def function() -> Iterator[Function]:
    with Function().serving() as running:
        running.answer = lambda _method, _path, _body: page()
        yield running


@pytest.fixture
def proxy(function: Function) -> Iterator[Proxy]:
    token = {"authorization": f"Bearer {TOKEN}"}
    with httpx.Client(trust_env=False) as http, serving(function.url, lambda *_: token, http) as made:
        yield made


def ask(proxy: Proxy, method: str = "GET", path: str | None = None, **headers: str) -> httpx.Response:
    url = proxy.address if path is None else f"http://{proxy.host}{path}"
    given = {name.replace("_", "-"): text for name, text in headers.items()}
    content = b"{}" if method == "POST" else None
    return httpx.request(method, url, headers={**FORM, **given}, content=content, trust_env=False)


def test_the_page_is_handed_on_with_what_a_browser_has_to_know(function: Function, proxy: Proxy) -> None:
    told = (
        "Content-Security-Policy: default-src 'none'",
        "Set-Cookie: a=b",
        "Content-Disposition: attachment",
    )
    function.answer = lambda _method, _path, _body: page("<p>", "200 OK", *told)
    answer = ask(
        proxy, path=f"/{proxy.secret}/?job=c-1&x=%20", Accept_Language="zh", Cookie="own=1", Referer="r"
    )
    assert (answer.status_code, answer.text) == (200, "<p>")
    assert answer.headers["content-security-policy"] == "default-src 'none'"
    assert not answer.headers.keys() & {"set-cookie", "content-disposition"}
    assert function.asked == [("GET", "/?job=c-1&x=%20", {})]
    assert ask(proxy, "HEAD").text == ""


def test_a_form_is_handed_on_and_its_answer_stays_below_the_secret(function: Function, proxy: Proxy) -> None:
    function.answer = lambda _method, _path, _body: page("", "303 See Other", "Location: ./?job=c-1")
    answer = ask(proxy, "POST", Sec_Fetch_Site="same-origin", Origin="null")
    assert (answer.status_code, answer.headers["location"]) == (303, "./?job=c-1")
    assert function.asked == [("POST", "/", {})]


@pytest.mark.parametrize(
    "path", ["/", "/wrong/", "//", "/{secret}", "/{secret}/copies", "/{secret}x/", "/%2e/{secret}/"]
)
def test_who_lacks_the_secret_gets_nothing(function: Function, proxy: Proxy, path: str) -> None:
    answer = ask(proxy, path=path.format(secret=proxy.secret))
    assert (answer.status_code, function.asked) == (403, [])
    assert proxy.secret not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": "cross-site", "Origin": "{own}"},
    ],
)
def test_what_another_site_sends_is_refused(
    function: Function, proxy: Proxy, headers: dict[str, str]
) -> None:
    given = {name: text.format(own=f"http://{proxy.host}") for name, text in headers.items()}
    assert ask(proxy, "POST", **given).status_code == 403
    assert function.asked == []


def test_a_body_that_is_too_long_or_of_no_length_is_not_read(function: Function, proxy: Proxy) -> None:
    for header in (f"Content-Length: {MOST_BODY + 1}", "Content-Length: x", "Transfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", proxy.server_port)) as sock:
            sock.sendall(f"POST /{proxy.secret}/ HTTP/1.1\r\nHost: {proxy.host}\r\n{header}\r\n\r\n".encode())
            assert b" 413 " in sock.recv(1000)
    assert function.asked == []


def test_a_function_that_does_not_answer_or_wants_a_token_is_told_so(
    function: Function, proxy: Proxy
) -> None:
    function.answer = lambda _method, _path, _body: page("sign in", "401 Unauthorized")
    assert "API_TOKEN" in ask(proxy).text
    function.answer = lambda _method, _path, _body: b""
    answer = ask(proxy)
    assert (answer.status_code, "has not answered" in answer.text) == (502, True)


def test_a_port_that_is_taken_is_told(proxy: Proxy, function: Function) -> None:
    with (
        httpx.Client(trust_env=False) as http,
        pytest.raises(Misused, match="cannot be listened on"),
        serving(function.url, lambda *_: {}, http, proxy.server_port),
    ):
        pass


def test_the_command_prints_the_address_and_nothing_else(
    function: Function,
    terminal: Terminal,
    capfd: pytest.CaptureFixture[str],
) -> None:
    terminal.ask(function.url)
    terminal.is_interrupting = True
    said = terminal.types("ui")
    assert said.code == Status.DONE
    assert said.out.startswith("http://127.0.0.1:")
    assert len(said.out.splitlines()) == 1
    machine = terminal.types("ui", "--json")
    assert json.loads(machine.out)["page"].startswith("http://127.0.0.1:")
    assert TOKEN not in said.out + said.err + machine.err + capfd.readouterr().err


def test_a_timeline_is_written_as_a_file(function: Function, terminal: Terminal, tmp_path: Path) -> None:
    def answer(_method: str, path: str, _body: object) -> bytes:
        return page("<svg>") if path.startswith("/?timeline=") else raw(200, a_copy())

    function.answer = answer
    terminal.ask(function.url)
    file = tmp_path / "line.svg"
    assert terminal.types("report", COPY_JOB, "--timeline", str(file)).code == 0
    assert file.read_text() == "<svg>"
    assert function.asked[-1][1] == f"/?timeline={COPY_JOB}"
    function.answer = lambda _method, _path, _body: raw(200, a_copy())
    assert terminal.types("report", COPY_JOB, "--timeline", str(tmp_path / "no" / "x")).code == Status.USAGE
    assert sorted(each.name for each in tmp_path.iterdir() if each.is_file()) == ["line.svg"]


def test_a_function_that_wants_signatures_is_asked_in_the_name_of_its_account(cloud: LocalCloud) -> None:
    environ = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": cloud.owner.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": cloud.owner.access_key_secret,
    }
    with Target(environ, GENUINE).page(cloud.http_trigger) as made:
        answer = httpx.get(
            made.address + "?status=failed", headers={"Accept-Language": "zh"}, trust_env=False
        )
        assert (answer.status_code, "任务" in answer.text) == (200, True)
        cloud.oss_bucket("oss-copy-source").put_object("ui/<b>.bin", b"x")
        form = {
            "do": "start", "kind": "one", "key": "once", "overwrite": "always",
            "source": "oss://oss-copy-source/ui/<b>.bin", "destination": "oss://oss-copy-destination/ui/",
        }  # fmt: skip
        begun = httpx.post(
            made.address, data=form, headers={"Sec-Fetch-Site": "same-origin"}, trust_env=False
        )
        assert begun.status_code == 303, begun.text
        shown = httpx.get(f"{made.address}{begun.headers['location'][2:]}", trust_env=False)
        assert "Succeeded" in shown.text
        assert "oss://oss-copy-destination/ui/&lt;b&gt;.bin" in shown.text
        assert made.secret not in json.dumps(cloud.invocations())
