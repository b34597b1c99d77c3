"""Requests to OSS as they go over the wire, and what is made of the answers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace
from oss2.exceptions import RequestError
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProtocolError, ReadTimeoutError

from osscopy.aliyun.oss import OssStore
from osscopy.aliyun.oss_records import OssRecords, read_text
from osscopy.aliyun.oss_transport import Connection, translated
from osscopy.model import (
    Attributes,
    Conditions,
    Conflict,
    ContentHeaders,
    CopyRequest,
    Encrypted,
    Failed,
    ListedPart,
    Misconfigured,
    OssCopyError,
    Part,
    Pin,
    Skipped,
    Source,
    SourceChanged,
    Transient,
    UploadGone,
)
from tests.unit.engine import DST, SRC, request
from tests.unit.peer import DATE, Peer, Told, running

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # oss2 drops answers that it has not read

PIN = Pin(1000, "E7", 0)
BARE = Attributes(None, None, "default", "", None)
HEAD = {"Content-Length": "5", "ETag": '"AB"', "Last-Modified": DATE}
COPIED = Told(body=b"<CopyObjectResult><ETag>&quot;AB&quot;</ETag></CopyObjectResult>")
COMPLETED = Told(body=b"<CompleteMultipartUploadResult><ETag>AB</ETag></CompleteMultipartUploadResult>")
SLOW = ReadTimeoutError(HTTPConnectionPool("h"), "/", "too late")
INITIATED = Told(
    body=b"<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Peer]:
    with running() as peer:
        yield peer


@pytest.fixture
def peer(server: Peer) -> Peer:
    server.tell(Told())
    return server


def connection(peer: Peer, token: str | None = None, seconds: float = 60.0, read: float = 30.0) -> Connection:
    key = ("id", "secret", token)
    return Connection(
        key, peer.url, "cn-x", threads=2, read_timeout=read, connect_timeout=5.0, seconds_left=lambda: seconds
    )


def store(peer: Peer, **options: Any) -> OssStore:
    return OssStore(connection(peer, **options))


def error(status: int, code: str, message: str = "no.") -> Told:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>R-1</RequestId></Error>"
    return Told(status, body.encode())


# --- what is asked -----------------------------------------------------------------------------------------


def copied(peer: Peer, asked: CopyRequest, pin: Pin = PIN, attributes: Attributes = BARE) -> dict[str, str]:
    """Return the headers of CopyObject."""
    peer.tell(COPIED)
    store(peer).copy(asked, pin, attributes)
    return peer.last.headers


@pytest.mark.parametrize(("policy", "sent"), [("never", "true"), ("always", None), ("ifNewer", None)])
def test_never_to_overwrite_is_said_with_every_request_that_writes(
    peer: Peer, policy: Any, sent: str | None
) -> None:
    asked = request(overwrite=policy)
    assert copied(peer, asked).get("x-oss-forbid-overwrite") == sent
    peer.tell(INITIATED)
    store(peer).initiate(asked, BARE)
    assert peer.last.headers.get("x-oss-forbid-overwrite") == sent
    peer.tell(COMPLETED)
    store(peer).complete(asked, "U", [ListedPart(1, "P1", 5)], "default")
    assert peer.last.headers.get("x-oss-forbid-overwrite") == sent


def test_every_copy_is_pinned_to_the_etag_and_version_that_were_seen(peer: Peer) -> None:
    headers = copied(peer, request())
    assert headers["x-oss-copy-source-if-match"] == "E7"
    assert headers["x-oss-copy-source"] == f"/{SRC}/a"
    headers = copied(peer, request(source=Source(SRC, "a", "named")), replace(PIN, version_id="v1"))
    assert headers["x-oss-copy-source"].endswith("?versionId=v1")
    assert "x-oss-copy-source-if-match" not in copied(peer, request(), replace(PIN, link="t"))


def test_what_oss_is_to_copy_itself_and_what_is_replaced_is_said(peer: Peer) -> None:
    headers = copied(peer, request())
    assert (headers["x-oss-metadata-directive"], headers["x-oss-tagging-directive"]) == ("COPY", "Copy")
    assert "x-oss-object-acl" not in headers
    carried = Attributes(
        ContentHeaders(content_type="text/x", user={"Colour": "blau é"}),
        {"a b": "c+d&e", "f": "ü"},
        "private",
        "IA",
        Encrypted("KMS", "key", "SM4"),
    )
    headers = copied(peer, request(traffic_limit=819_200), attributes=carried)
    assert (headers["x-oss-metadata-directive"], headers["x-oss-tagging-directive"]) == ("REPLACE", "Replace")
    assert headers["x-oss-tagging"] == "a%20b=c%2Bd%26e&f=%C3%BC", "a plus sign would stay one"
    assert headers["content-type"] == "text/x"
    assert headers["x-oss-meta-colour"].encode("latin-1").decode() == "blau é"
    assert headers["x-oss-object-acl"] == "private"
    assert headers["x-oss-storage-class"] == "IA"
    assert headers["x-oss-traffic-limit"] == "819200"
    assert headers["x-oss-server-side-encryption"] == "KMS"
    assert headers["x-oss-server-side-encryption-key-id"] == "key"
    assert headers["x-oss-server-side-data-encryption"] == "SM4"


def test_the_conditions_of_a_request_are_those_of_head(peer: Peer) -> None:
    conditions = Conditions('"E1"', '"E2"', DATE, "Mon, 23 Nov 2026 10:00:00 GMT")
    peer.tell(Told(headers=HEAD))
    store(peer).head(request(), Source(SRC, "a"), conditions)
    names = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")
    assert [peer.last.headers[each] for each in names] == [
        '"E1"',
        '"E2"',
        DATE,
        "Mon, 23 Nov 2026 10:00:00 GMT",
    ]
    store(peer).head(request(), Source(SRC, "a"), Conditions())
    assert not [each for each in names if each in peer.last.headers]


def test_one_version_is_asked_for_by_its_id(peer: Peer) -> None:
    version = Source(SRC, "a", "v9")
    peer.tell(Told(headers=HEAD))
    oss = store(peer)
    oss.head(request(), version, Conditions())
    assert peer.last.query == {"versionId": "v9"}
    oss.find(request(), version)
    assert peer.last.query == {"versionId": "v9"}
    peer.tell(Told(headers={**HEAD, "Content-Length": "0", "x-oss-symlink-target": "t"}))
    oss.link(request(), version)
    assert peer.last.query["versionId"] == "v9"
    peer.tell(Told(body=b"<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>"))
    assert oss.tags(request(), version) == {"k": "v"}
    assert peer.last.query == {"tagging": "", "versionId": "v9"}
    peer.tell(Told(202))
    oss.restore(request(), version)
    assert peer.last.query["versionId"] == "v9"
    acl = "<AccessControlList><Grant>private</Grant></AccessControlList>"
    peer.tell(Told(body=f"<AccessControlPolicy>{acl}</AccessControlPolicy>".encode()))
    assert oss.acl(request(), version) == "private"
    assert peer.last.query == {"acl": "", "versionId": "v9"}
    peer.tell(Told(204))
    oss.delete_version(request(), "v9")
    assert (peer.last.method, peer.last.query) == ("DELETE", {"versionId": "v9"})


def test_who_pays_says_so_with_every_request(peer: Peer) -> None:
    asked = request(request_payer=True)
    assert copied(peer, asked)["x-oss-request-payer"] == "requester"
    assert "x-oss-request-payer" not in copied(peer, request())


def test_an_upload_has_a_type_of_its_own_and_not_one_guessed_from_its_key(peer: Peer) -> None:
    peer.tell(INITIATED)
    named = request(destination=replace(request().destination, key="b.html"))
    assert store(peer).initiate(named, BARE) == "U"
    assert peer.last.headers["content-type"] == "application/octet-stream"


def test_an_acl_is_given_with_complete(peer: Peer) -> None:
    peer.tell(COMPLETED)
    for acl, sent in (("default", None), ("private", "private")):
        store(peer).complete(request(), "U", [ListedPart(1, "P1", 5)], acl)  # type: ignore[arg-type]  # two of them
        assert peer.last.headers.get("x-oss-object-acl") == sent


def test_parts_are_listed_after_a_marker(peer: Peer) -> None:
    peer.tell(Told(body=b"<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>"))
    for after, marker in ((0, ""), (17, "17")):
        store(peer).list_parts(request(), "U", after)
        assert peer.last.query["part-number-marker"] == marker
    assert peer.last.query["uploadId"] == "U"


def test_only_uploads_of_exactly_the_key_are_ours(peer: Peer) -> None:
    when = "<Initiated>2026-11-22T10:00:00.000Z</Initiated>"
    uploads = "".join(
        f"<Upload><Key>{key}</Key><UploadId>{name}</UploadId>{when}</Upload>"
        for key, name in (("b", "1"), ("b2", "2"), ("b/c", "3"))
    )
    form = "<EncodingType>url</EncodingType><NextKeyMarker/><NextUploadIdMarker/>"
    form += "<IsTruncated>false</IsTruncated>"
    body = f"<ListMultipartUploadsResult>{form}{uploads}</ListMultipartUploadsResult>"
    peer.tell(Told(body=body.encode()))
    assert [each.id for each in store(peer).uploads(request()).uploads] == ["1"]


def test_temporary_credentials_are_sent_with_their_token(peer: Peer) -> None:
    peer.tell(Told(headers=HEAD))
    store(peer, token="token").head(request(), Source(SRC, "a"), Conditions())
    assert peer.last.headers["x-oss-security-token"] == "token"
    assert peer.last.headers["authorization"].startswith("OSS4-HMAC-SHA256")


def test_no_proxy_of_the_environment_sees_what_is_signed(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    peer.tell(Told(headers=HEAD))
    assert store(peer).find(request(), Source(DST, "b")) is not None


# --- the range of a part -----------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [None, "bytes 0-999/1000", "bytes 100-199/999", "bytes 100-299/1000"])
def test_a_part_of_another_range_than_was_asked_for_is_no_part(peer: Peer, told: str | None) -> None:
    """Past the end of a source that has shrunk OSS copies all of it and answers 200."""
    part, body = Part(2, 100, 199), b"<CopyPartResult><ETag>P</ETag></CopyPartResult>"
    peer.tell(Told(body=body, headers={"Content-Range": "bytes 100-199/1000"}))
    store(peer).copy_part(request(), PIN, "U", part)
    assert peer.last.headers["x-oss-copy-source-range"] == "bytes=100-199"
    assert peer.last.headers["x-oss-copy-source-if-match"] == "E7"
    assert peer.last.query == {"uploadId": "U", "partNumber": "2"}
    peer.tell(Told(body=body, headers={"Content-Range": told} if told else {}))
    with pytest.raises(SourceChanged):
        store(peer).copy_part(request(), PIN, "U", part)


# --- what is answered --------------------------------------------------------------------------------------

ASKS: dict[str, Callable[[OssStore], object]] = {
    "head": lambda oss: oss.head(request(), Source(SRC, "a"), Conditions()),
    "copy": lambda oss: oss.copy(request(), PIN, BARE),
    "complete": lambda oss: oss.complete(request(), "U", [ListedPart(1, "P1", 5)], "default"),
    "part": lambda oss: oss.copy_part(request(), PIN, "U", Part(1, 0, 9)),
    "list": lambda oss: oss.list_parts(request(), "U", 0),
    "abort": lambda oss: oss.abort(request(), "U"),
    "restore": lambda oss: oss.restore(request(), Source(SRC, "a")),
    "tags": lambda oss: oss.tags(request(), Source(SRC, "a")),
}


@pytest.mark.parametrize(
    ("asks", "told", "kind"),
    [
        ("head", Told(304), Skipped),
        ("head", Told(412), Conflict),
        ("head", Told(404), Failed),
        ("copy", error(412, "PreconditionFailed"), SourceChanged),
        ("copy", error(404, "NoSuchKey"), SourceChanged),
        ("copy", error(404, "NoSuchVersion"), SourceChanged),
        ("part", error(412, "PreconditionFailed"), SourceChanged),
        ("copy", error(409, "FileAlreadyExists"), Conflict),
        ("complete", error(409, "FileAlreadyExists"), Conflict),
        ("complete", error(412, "PreconditionFailed"), Conflict),
        ("complete", error(403, "FileImmutable"), Conflict),
        ("complete", error(404, "NoSuchUpload"), UploadGone),
        ("list", error(404, "NoSuchUpload"), UploadGone),
        ("abort", error(404, "NoSuchUpload"), UploadGone),
        ("copy", error(403, "AccessDenied"), Failed),
        ("copy", error(200, "AccessDenied"), Failed),
        ("copy", error(200, "InternalError"), Transient),
        ("complete", error(200, "FileAlreadyExists"), Conflict),
        ("copy", error(403, "SecurityTokenExpired"), Transient),
        ("copy", error(403, "InvalidAccessKeyId"), Transient),
        ("copy", error(403, "RequestTimeTooSkewed"), Transient),
        ("copy", error(408, "Whatever"), Transient),
        ("copy", error(500, "InternalError"), Transient),
        ("copy", error(500, "Whatever"), Transient),
        ("copy", error(503, "ServiceUnavailable"), Transient),
        ("copy", error(429, "Whatever"), Transient),
        ("restore", error(409, "OperationNotSupported"), Conflict),
    ],
)
def test_an_answer_is_what_the_caller_should_do(
    peer: Peer, asks: str, told: Told, kind: type[OssCopyError]
) -> None:
    peer.tell(told)
    with pytest.raises(OssCopyError) as caught:
        ASKS[asks](store(peer))
    assert type(caught.value) is kind
    codes = {304: "NotModified", 404: "NoSuchKey", 412: "PreconditionFailed"}
    assert told.body or caught.value.code == codes[told.status], "HEAD has no body that could name it"


@pytest.mark.parametrize(
    ("raised", "code", "in_doubt", "outlasted"),
    [
        (RequestError(ConnectTimeoutError()), "NetworkError", False, False),
        (RequestError(NewConnectionError(HTTPConnection("h"), "refused")), "NetworkError", False, False),
        (RequestError(SLOW), "NetworkError", True, True),
        (RequestError(ProtocolError()), "NetworkError", True, False),
        (ProtocolError(), "NetworkError", True, False),
        (SLOW, "NetworkError", True, False),
        (ET.ParseError(), "BadAnswer", True, False),
        (KeyError("ETag"), "BadAnswer", True, False),
        (AttributeError("text"), "BadAnswer", True, False),
    ],
)
def test_what_oss2_raises_of_the_way_is_transient(
    raised: Exception, code: str, in_doubt: bool, outlasted: bool
) -> None:
    """A connection that was never made has asked for nothing."""
    with pytest.raises(Transient) as caught, translated():
        raise raised
    told = caught.value
    assert (told.code, told.in_doubt, told.outlasted) == (code, in_doubt, outlasted)


@pytest.mark.parametrize(
    ("told", "in_doubt", "throttled"),
    [
        (error(503, "TotalQpsLimitExceeded"), False, True),
        (error(503, "SlowDown"), False, True),
        (error(503, "ServiceUnavailable"), True, True),
        (error(200, "ServiceUnavailable"), True, True),
        (error(500, "InternalError"), True, False),
        (error(200, "InternalError"), True, False),
        (error(403, "SecurityTokenExpired"), False, False),
        (error(408, "RequestTimeout"), False, False),
        (Told(body=b"<html/>"), True, False),
        (Told(silent=True), True, False),
    ],
)
def test_what_may_have_taken_effect_is_in_doubt(
    peer: Peer, told: Told, in_doubt: bool, throttled: bool
) -> None:
    peer.tell(told)
    with pytest.raises(Transient) as caught:
        ASKS["copy"](store(peer))
    assert (caught.value.in_doubt, caught.value.throttled) == (in_doubt, throttled)
    assert len(peer.asked) == 1


def test_a_restoration_that_runs_already_is_as_good(peer: Peer) -> None:
    peer.tell(error(409, "RestoreAlreadyInProgress"))
    ASKS["restore"](store(peer))
    assert len(peer.asked) == 1


@pytest.mark.parametrize(
    ("code", "found"), [("NoSuchKey", None), ("NoSuchVersion", None), ("AccessDenied", 1)]
)
def test_a_destination_that_is_not_there_is_no_error(peer: Peer, code: str, found: int | None) -> None:
    peer.tell(Told(404 if found is None else 403, headers={"x-oss-err": ""}))
    place = Source(DST, "b", "v1" if code == "NoSuchVersion" else None)
    if found is None:
        assert store(peer).find(request(), place) is None
    else:
        with pytest.raises(Failed):
            store(peer).find(request(), place)


@pytest.mark.parametrize("code", ["NoSuchKey", "NotSymlink"])
def test_what_is_no_symlink_is_none(peer: Peer, code: str) -> None:
    peer.tell(error(404 if code == "NoSuchKey" else 400, code))
    assert store(peer).link(request(), Source(SRC, "a")) is None
    peer.tell(error(403, "AccessDenied"))
    with pytest.raises(Failed):
        store(peer).link(request(), Source(SRC, "a"))


def test_a_delete_marker_is_no_version(peer: Peer) -> None:
    peer.tell(Told(405))
    with pytest.raises(Failed) as caught:
        store(peer).head(request(), Source(SRC, "a", "v"), Conditions())
    assert caught.value.code == "NoSuchVersion"
    peer.tell(error(405, "MethodNotAllowed"))
    with pytest.raises(SourceChanged):
        store(peer).copy(request(), PIN, BARE)


def test_an_error_names_the_side_that_it_is_about(peer: Peer) -> None:
    for told, field in (
        (error(403, "InvalidObjectState"), "source.key"),
        (error(404, "NoSuchBucket"), "destination.bucket"),
        (error(409, "FileAlreadyExists"), "destination.key"),
    ):
        peer.tell(told)
        with pytest.raises(Failed) as caught:
            store(peer).copy(request(), PIN, BARE)
        assert caught.value.field == field
    named = f"<Error><Code>NoSuchBucket</Code><Message>no</Message><BucketName>{SRC}</BucketName></Error>"
    peer.tell(Told(404, named.encode()))
    with pytest.raises(Failed) as caught:
        store(peer).copy(request(), PIN, BARE)
    assert caught.value.field == "source.bucket"


def test_an_answer_that_does_not_come_in_time_is_said_so_and_a_connection_that_is_refused_leaves_no_doubt(
    peer: Peer,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        silent = Peer()
        silent.url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(Transient) as caught:
            store(silent, read=0.2).copy(request(), PIN, BARE)
        assert (caught.value.in_doubt, caught.value.outlasted) == (True, True)
    peer.tell(Told(silent=True))
    with pytest.raises(Transient) as caught:
        ASKS["copy"](store(peer))
    assert not caught.value.outlasted


def test_no_answer_is_waited_for_beyond_the_invocation(peer: Peer) -> None:
    short = connection(peer, seconds=7.77)
    assert short.bucket(DST).timeout == (5.0, 7.7)
    assert short.bucket(DST, 3.0).timeout == (5.0, 3.0)
    assert connection(peer, seconds=2.2).bucket(DST).timeout == (2.2, 2.2)
    assert connection(peer, seconds=-1).bucket(DST).timeout == (1.0, 1.0)
    assert connection(peer).bucket(DST).timeout == (5.0, 30.0)


# --- records -----------------------------------------------------------------------------------------------


def records(peer: Peer) -> OssRecords:
    return OssRecords(connection(peer), "state", "oss-copy/")


def test_a_record_is_created_only_where_there_is_none(peer: Peer) -> None:
    assert records(peer).put_new("open/j", b"{}")
    assert peer.last.path == "/state/oss-copy/open/j"
    assert peer.last.headers["x-oss-forbid-overwrite"] == "true"
    peer.tell(error(409, "FileAlreadyExists"))
    assert not records(peer).put_new("open/j", b"{}")


def test_a_bucket_that_would_overwrite_records_is_a_wrong_configuration(peer: Peer) -> None:
    peer.tell(Told(headers={"x-oss-version-id": "v1"}))
    with pytest.raises(Misconfigured, match="VersionedStateBucket"):
        records(peer).put_new("open/j", b"{}")


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (404, "NoSuchBucket")])
def test_a_refusal_of_the_state_bucket_is_a_wrong_configuration(peer: Peer, status: int, code: str) -> None:
    peer.tell(error(status, code))
    asks: tuple[Callable[[], object], ...] = (
        lambda: records(peer).put_new("open/j", b"{}"),
        lambda: records(peer).get("open/j"),
        lambda: records(peer).delete("open/j"),
        lambda: records(peer).page("open/", "", 10),
    )
    for ask in asks:
        with pytest.raises(Misconfigured) as caught:
            ask()
        assert (caught.value.field, caught.value.code) == ("STATE_BUCKET", code)
    peer.tell(error(503, "ServiceUnavailable"))
    for ask in asks:
        with pytest.raises(Transient):
            ask()


def test_a_record_that_is_not_there_is_none(peer: Peer) -> None:
    peer.tell(error(404, "NoSuchKey"))
    assert records(peer).get("open/j") is None


def test_records_are_listed_without_their_prefix(peer: Peer) -> None:
    form = "<Type>Normal</Type><Size>1</Size><StorageClass>Standard</StorageClass><ETag>E</ETag>"
    key = "<Key>oss-copy/open/j</Key><LastModified>2026-11-22T10:00:00.000Z</LastModified>"
    listed = f"<IsTruncated>false</IsTruncated><Contents>{key}{form}</Contents>"
    peer.tell(Told(body=f"<ListBucketResult>{listed}</ListBucketResult>".encode()))
    page = records(peer).page("open/", "open/i", 7)
    assert page.entries == (("open/j", 1795341600),)
    assert page.seen_at == 1795341600
    assert (peer.last.query["prefix"], peer.last.query["start-after"]) == (
        "oss-copy/open/",
        "oss-copy/open/i",
    )
    assert peer.last.query["max-keys"] == "7"


def test_rules_that_cannot_be_read_are_a_wrong_configuration(peer: Peer) -> None:
    peer.tell(Told(body=b"[]"))
    assert read_text(connection(peer), "state", "rules.json") == "[]"
    for told in (error(404, "NoSuchKey"), Told(body=b"\xff")):
        peer.tell(told)
        with pytest.raises(Misconfigured, match="COPY_RULES"):
            read_text(connection(peer), "state", "rules.json")
