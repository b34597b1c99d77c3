"""The way to OSS: what is sent, what a lost connection leaves in doubt, who is believed; over TLS too."""

from __future__ import annotations

import gc
import gzip
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import certifi
import oss2
import pytest
import requests
from hypothesis import given, strategies as st

from osscopy.aliyun import oss_transport
from osscopy.aliyun.oss_transport import Bucket, Connection, translated
from osscopy.aliyun.wire import session
from osscopy.model import Failed, Transient
from tests.unit.sockets import Authority, Server, answer, reset, says, serving

HERE = "127.0.0.1"
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest, trusting: Authority) -> Iterator[Server]:
    with serving(trusting.server(HERE) if request.param == "https" else None) as running:
        yield running


def bucket(server: Server, read: float = 20.0, connect: float = 5.0, url: str = "") -> Bucket:
    connection = Connection(
        ("id", "secret", "token"),
        url or server.url,
        "cn-x",
        threads=2,
        read_timeout=read,
        connect_timeout=connect,
        seconds_left=lambda: 600.0,
    )
    return connection.bucket("a-bucket")


def lost(asked: Bucket, key: str = "a") -> tuple[bool, bool]:
    """Ask for an object: whether the request may have taken effect, and if its answer came too late."""
    with pytest.raises(Transient) as caught, translated():
        asked.read(key)
    assert caught.value.code == "NetworkError"
    return caught.value.in_doubt, caught.value.outlasted


# --- what is sent ------------------------------------------------------------------------------------------


@given(KEYS.filter(lambda key: key not in {".", ".."}), st.dictionaries(st.text("aä-", min_size=1), KEYS))
def test_any_key_and_parameter_is_addressed_as_requests_addressed_it(
    key: str, params: dict[str, str]
) -> None:
    for endpoint in ("https://oss-cn-x.aliyuncs.com", "http://127.0.0.1:80"):
        url = oss2.Bucket(None, endpoint, "a-bucket")._make_url("a-bucket", key)  # noqa: SLF001 - oss2's own way
        for given_params in (params, {**params, "acl": ""}):
            prepared = requests.Request("GET", url, params=given_params).prepare()
            origin, target = session.address(url, given_params)
            assert target == prepared.path_url
            assert prepared.url is not None
            assert prepared.url.startswith(f"{origin}/")


@pytest.mark.parametrize("key", [".", "..", "a/../b", "./a", "%2e%2E", "a%2fb", "é ~+&=?#%", "//", "\x01"])
def test_the_key_that_is_signed_is_the_key_that_is_sent(server: Server, key: str) -> None:
    """A key of dots was a step upwards to requests, which asked for something that was not signed."""
    bucket(server).read(key)
    line = server.requests[0].split(b"\r\n")[0].decode()
    assert line == f"GET /a-bucket/{quote(key, safe='')} HTTP/1.1"


def test_the_length_of_a_body_is_said_and_that_of_none_where_there_could_be_one(server: Server) -> None:
    asked = bucket(server)
    for ask, length, body in (
        (lambda: asked.put_object("k", "ü"), b"2", "ü".encode()),
        (lambda: asked.put_object("k", b"\x00\xff"), b"2", b"\x00\xff"),
        (lambda: asked.put_object("k", b""), b"0", b""),
        (lambda: asked.copy_object("x", "y", "k"), b"0", b""),
        (lambda: asked.delete_object("k"), b"0", b""),
        (lambda: asked.init_multipart_upload("k"), b"0", b""),
        (lambda: asked.get_object("k"), None, b""),
        (lambda: asked.head_object("k"), None, b""),
    ):
        server.acts = [says(answer(200, b"<R><UploadId>U</UploadId></R>" * (length == b"0")))]
        if length is None:
            server.acts = [says(answer(200, ETag="E"))]
        ask()  # type: ignore[no-untyped-call]  # oss2 carries no types
        head, _, sent = server.requests[-1].partition(b"\r\n\r\n")
        lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        assert (lines.get(b"Content-Length"), sent) == (length, body)
        assert b"Transfer-Encoding" not in lines
        assert lines[b"User-Agent"] == oss2.http.USER_AGENT.encode()
        assert lines[b"Accept-Encoding"] == b"identity", "it is OSS's to say how an object is encoded"
        assert server.connections == 1


def test_bytes_of_a_header_go_and_come_as_they_are(server: Server) -> None:
    server.acts = [says(answer(200, ETag="E", x_oss_meta_a="ü"))]
    got = bucket(server).put_object("k", b"", headers={"x-oss-meta-b": "größe".encode()})
    assert "x-oss-meta-b: größe".encode() in server.requests[0]
    assert got.headers["X-Oss-Meta-A"].encode("latin-1").decode() == "ü"


# --- what is answered --------------------------------------------------------------------------------------


def test_a_small_object_that_is_kept_packed_is_not_unpacked(server: Server) -> None:
    asked, packed = bucket(server), gzip.compress(b"0" * 1_000_000)
    server.acts = [says(answer(200, packed, Content_Encoding="gzip"))]
    with pytest.raises(Failed, match="UnreadableRecord: it has Content-Encoding gzip"):
        asked.read("k")
    assert asked.get_object("k").read() == packed
    server.acts = [says(answer(200, length=9, Content_Encoding="gzip", ETag="E"))]
    assert asked.head_object("k").status == 200
    assert server.connections == 1


def test_of_an_object_that_is_larger_than_expected_nothing_is_kept(server: Server) -> None:
    asked = bucket(server)
    server.acts = [says(answer(200, b"x" * 10)), says(answer(200, b"x" * 50_000)), says(answer(200, b"x"))]
    assert asked.read("k", 10) == b"x" * 10
    with pytest.raises(Failed, match="more than 10 bytes"):
        asked.read("k", 10)
    assert asked.read("k", 10) == b"x"
    assert server.connections == 2, "the connection of the large one was closed, and no other"


def test_pieces_of_unknown_length_are_one_body(server: Server) -> None:
    head = b"HTTP/1.1 200 -\r\nx-oss-request-id: R\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = head + b"2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n"
    server.acts = [says(pieces)]
    asked = bucket(server)
    assert (asked.read("k"), asked.read("k"), server.connections) == (b"[1]", b"[1]", 1)


def test_an_answer_may_have_hundreds_of_headers(server: Server) -> None:
    many: dict[str, Any] = {f"x-oss-meta-{n}": "v" for n in range(900)}
    server.acts = [says(answer(200, **many))]
    assert bucket(server).get_object("k").headers["x-oss-meta-899"] == "v"


def test_a_body_is_read_by_pieces_or_all_at_once() -> None:
    read = session.Answer(200, {}, b"x" * 8193)
    assert [len(piece) for piece in read] == [8192, 1]
    read = session.Answer(200, {"x-oss-request-id": "R"}, b"abc")
    assert (read.request_id, read.read(2), read.read(), read.read()) == ("R", b"ab", b"c", b"")


# --- connections -------------------------------------------------------------------------------------------

ENDED = {
    "with a body": answer(200, b"body"),
    "without one": answer(204),
    "an error": answer(404, b"<Error><Code>NoSuchKey</Code></Error>"),
    "an error without a word": answer(500),
    "a long error": answer(403, b"x" * 9000),
    "nothing new": answer(304),
}


@pytest.mark.parametrize("told", ENDED.values(), ids=ENDED)
def test_one_connection_serves_one_request_after_another_whatever_is_answered(
    server: Server, told: bytes
) -> None:
    asked = bucket(server)
    server.acts = [says(told)]
    for _ in range(3):
        for ask in (asked.get_object, asked.head_object, asked.delete_object):
            if told.startswith(b"HTTP/1.1 2"):
                ask("k")
            else:
                with pytest.raises(oss2.exceptions.ServerError):
                    ask("k")
    assert (server.connections, len(server.requests)) == (1, 9)


def test_no_more_connections_are_kept_than_threads_and_questions_need(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oss_transport, "QUESTIONS", 4)
    asked, met = bucket(server), threading.Barrier(6)

    def together(connection: socket.socket, request: bytes) -> bool:
        met.wait(20)
        return says()(connection, request)

    for expected in (6, 8):  # four of six are kept
        server.acts = [together]
        threads = [threading.Thread(target=asked.read, args=("k",)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert server.connections == expected


def test_connections_are_closed_with_the_invocation_that_made_them(server: Server) -> None:
    """Not when garbage is next collected: an instance lives on, and OSS counts connections."""
    asked = bucket(server)
    asked.read("k")
    gc.disable()
    try:
        del asked
        deadline = time.monotonic() + 20
        while server.open and time.monotonic() < deadline:
            time.sleep(0.001)
        assert not server.open
    finally:
        gc.enable()


def test_a_connection_that_was_closed_meanwhile_is_made_anew(server: Server) -> None:
    asked = bucket(server)
    server.acts = [says(closes=True)]
    for _ in range(3):
        asked.read("k")
        deadline = time.monotonic() + 20
        while server.open and time.monotonic() < deadline:
            time.sleep(0.001)
    assert server.connections == 3


def test_a_connection_that_breaks_as_it_is_used_again_leaves_a_doubt(server: Server) -> None:
    """OSS may have closed it as the request came, or have done what was asked."""
    asked = bucket(server)
    server.acts = [says(), reset]
    asked.read("k")
    assert lost(asked) == (True, False)
    assert (server.connections, len(server.requests)) == (1, 2), "nothing is sent twice"


@pytest.mark.parametrize(
    ("act", "outlasted"),
    [
        (reset, False),
        (says(answer(200, b"some", length=9), closes=True), False),
        (says(answer(403, b"<Error>", length=9), closes=True), False),
        (says(b"what?\r\n\r\n", closes=True), False),
        (says(answer(200, Content_Length="5, 6"), closes=True), False),
    ],
    ids=["reset", "in the body", "in the body of an error", "no HTTP", "two lengths"],
)
def test_an_answer_that_breaks_off_leaves_a_doubt(server: Server, act: Any, outlasted: bool) -> None:
    server.acts = [act]
    assert lost(bucket(server)) == (True, outlasted)
    assert len(server.requests) == 1, "nothing is sent twice"


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nServer: Al", b"HTTP/1.1 204 No\r\n\r\n"]
)
def test_a_success_without_a_request_id_leaves_a_doubt(server: Server, head: bytes) -> None:
    """The headers broke off, which http.client does not tell, or somebody else has answered."""
    server.acts = [says(head, closes=True)]
    with pytest.raises(Transient) as caught, translated():
        bucket(server).create("a", b"{}")
    assert (caught.value.code, caught.value.in_doubt) == ("BadAnswer", True)


def test_an_answer_that_stalls_is_given_up_in_time_and_only_before_it_begins_is_it_outlasted(
    server: Server,
) -> None:
    begun = time.monotonic()
    server.acts = [server.stall]
    assert lost(bucket(server, read=0.3)) == (True, True)
    half = says(answer(200, b"some", length=9))
    server.acts = [lambda *asked: half(*asked) and server.stall()]
    assert lost(bucket(server, read=0.3)) == (True, False)
    assert time.monotonic() - begun < 10
    assert len(server.requests) == 2


def test_connecting_has_a_time_of_its_own(trusting: Authority) -> None:
    """A connection that was not made has asked for nothing; one that says nothing was made."""
    with socket.create_server((HERE, 0), backlog=0) as full:
        port = full.getsockname()[1]
        with socket.create_connection((HERE, port)), serving() as other:
            begun = time.monotonic()
            assert lost(bucket(other, connect=0.3, url=f"http://{HERE}:{port}")) == (False, False)
            assert time.monotonic() - begun < 10
    with serving(trusting.server(HERE)) as server:
        server.deaf, begun = True, time.monotonic()
        assert lost(bucket(server, connect=0.3))[0]
        assert time.monotonic() - begun < 10


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_who_cannot_be_reached_was_asked_for_nothing(scheme: str) -> None:
    with serving() as server:
        pass
    url = f"{scheme}://{HERE}:{server.port}"
    assert lost(bucket(server, url=url)) == (False, False)
    assert lost(bucket(server, url=f"{scheme}://nowhere.invalid")) == (False, False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(server: Server, status: int) -> None:
    """A signature is for one address, and a token is for OSS alone."""
    with serving() as elsewhere:
        server.acts = [says(answer(status, Location=f"{elsewhere.url}/x"))]
        with pytest.raises(Failed) as caught, translated():
            bucket(server).read("k")
        assert caught.value.code == f"HTTP{status}"
        assert (len(server.requests), elsewhere.requests) == (1, [])


@pytest.mark.parametrize("status", [413, 429, 503])
def test_whoever_is_told_to_wait_is_told_so_and_nothing_is_sent_again(server: Server, status: int) -> None:
    server.acts = [says(answer(status, Retry_After="0"))]
    with pytest.raises(oss2.exceptions.ServerError):
        bucket(server).read("k")
    assert len(server.requests) == 1


# --- whom is believed --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["*.oss.localhost", "a-bucket.oss.localhost"])
def test_a_server_is_believed_that_an_authority_knows_by_the_name_of_the_bucket(
    trusting: Authority, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo  # not every libc knows names under .localhost
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, *rest, **more: resolve(HERE, *rest, **more))
    with serving(trusting.server(name)) as server:
        assert bucket(server, url=f"https://oss.localhost:{server.port}").read("k") == b""


@pytest.mark.parametrize("names", [["elsewhere.test"], ["127.0.0.2"], ["*.0.0.1"]])
def test_a_server_of_another_name_is_told_nothing(trusting: Authority, names: list[str]) -> None:
    with serving(trusting.server(*names)) as server:
        lost(bucket(server))
        assert server.requests == []


@pytest.mark.usefixtures("trusting")
def test_a_server_of_an_unknown_authority_is_told_nothing(tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "another")
    with serving(stranger.server(HERE)) as server:
        lost(bucket(server))
        assert server.requests == []


def test_the_environment_makes_nobody_believed(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor did it before: requests was told to trust no environment."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(authority.trusted))
    with serving(authority.server(HERE)) as server:
        lost(bucket(server))
        assert server.requests == []


@pytest.mark.usefixtures("trusting")
def test_a_server_without_tls_is_told_nothing_where_tls_is_asked_for() -> None:
    with serving() as server:
        lost(bucket(server, url=server.url.replace("http:", "https:"), connect=0.5, read=0.5))
        assert not any(b"OSS4-HMAC" in each for each in server.requests)


def test_the_authorities_are_read_once() -> None:
    assert session.trusting(certifi.where()) is session.trusting(certifi.where())
    assert session.trusting(certifi.where()).check_hostname
