"""Conditions of the cloud: what each fault does to effect and answer, and what is counted."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import oss2
import pytest
import requests

from tests.cloud.conditions import Conditions, Fault

from .running import Running, refused


def test_an_error_is_answered_in_place_of_the_effect(oss: Running) -> None:
    bucket = oss.bucket()
    oss.fail(
        Fault("PutObject", error="TotalQpsLimitExceeded", limit=1),
        Fault("PutObject", error="ServiceUnavailable"),
    )
    with pytest.raises(oss2.exceptions.ServerError) as caught:
        bucket.put_object("k", b"x")
    assert (caught.value.status, caught.value.code) == (503, "TotalQpsLimitExceeded")
    assert int(caught.value.headers["x-oss-qos-delay-time"]) > 0
    assert refused(lambda: bucket.put_object("k", b"x")) == (503, "ServiceUnavailable")
    assert not bucket.object_exists("k")


def test_more_requests_than_oss_takes_in_a_second_are_refused(oss: Running) -> None:
    bucket = oss.bucket()
    oss.conditions(Conditions(requests_s=0.001))  # one at once, and the next one in a quarter of an hour
    bucket.put_object("k", b"x")
    with pytest.raises(oss2.exceptions.ServerError) as caught:
        bucket.put_object("k2", b"x")
    assert (caught.value.status, caught.value.code) == (503, "TotalQpsLimitExceeded")
    assert int(caught.value.headers["x-oss-qos-delay-time"]) > 0
    oss.conditions(Conditions())
    assert not bucket.object_exists("k2")
    with pytest.raises(ValueError, match="requests_s"):
        Conditions(requests_s=-1)


def test_a_fault_is_kept_to_a_bucket(oss: Running) -> None:
    oss.fail(Fault("PutObject", error="ServiceUnavailable", bucket=oss.bucket().bucket_name + "-other"))
    oss.bucket().put_object("k", b"x")
    oss.fail(Fault("PutObject", error="ServiceUnavailable", bucket=oss.bucket().bucket_name))
    assert refused(lambda: oss.bucket().put_object("k", b"x")) == (503, "ServiceUnavailable")
    with pytest.raises(ValueError, match="bucket"):
        Fault("invocation", answer="kill", bucket="b")


@pytest.mark.parametrize("answer", ["lost", "reset"])
def test_a_connection_closes_without_an_answer_with_or_without_effect(oss: Running, answer: str) -> None:
    bucket = oss.bucket()
    oss.fail(Fault("PutObject", answer=answer, limit=1))  # type: ignore[arg-type]  # parametrized with its literals
    with pytest.raises(oss2.exceptions.RequestError):
        bucket.put_object("k", b"x")
    assert bucket.object_exists("k") == (answer == "lost")


def test_a_stall_lasts_until_the_client_gives_up(oss: Running) -> None:
    bucket = oss.bucket()
    bucket.timeout = 0.5
    oss.fail(Fault("PutObject", answer="stall", limit=1))
    with pytest.raises(oss2.exceptions.RequestError):
        bucket.put_object("k", b"x")
    assert not bucket.object_exists("k")


def test_a_stalled_request_does_not_keep_the_server_from_stopping(oss: Running) -> None:
    bucket = oss.bucket()
    oss.fail(Fault("PutObject", answer="stall"))
    arrived = len(oss.do(oss.server.requests)["operations"])

    def put() -> None:
        with pytest.raises(oss2.exceptions.RequestError):
            bucket.put_object("k", b"x")

    thread = threading.Thread(target=put)
    thread.start()
    deadline = time.monotonic() + 10
    while len(oss.do(oss.server.requests)["operations"]) == arrived:
        assert time.monotonic() < deadline, "the request never arrived"
    oss.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_a_duplicate_happens_twice_and_is_answered_once(oss: Running) -> None:
    bucket = oss.bucket()
    bucket.put_bucket_versioning(oss2.models.BucketVersioningConfig("Enabled"))
    oss.fail(Fault("PutObject", answer="duplicate"), Fault("CompleteMultipartUpload", answer="duplicate"))
    bucket.put_object("k", b"x")
    assert len(bucket.list_object_versions().versions) == 2
    upload = bucket.init_multipart_upload("big").upload_id
    part = bucket.upload_part("big", upload, 1, b"x")
    bucket.complete_multipart_upload("big", upload, [oss2.models.PartInfo(1, part.etag)])
    assert oss.do(oss.server.requests)["errors"] == {"NoSuchUpload": 1}


def test_a_late_effect_happens_though_the_client_is_gone(oss: Running) -> None:
    bucket = oss.bucket()
    bucket.timeout = 0.3
    oss.fail(Fault("PutObject", answer="delay"))
    with pytest.raises(oss2.exceptions.RequestError):
        bucket.put_object("k", b"x")
    bucket.timeout = 60
    assert not bucket.object_exists("k")
    deadline = time.monotonic() + 10
    while not bucket.object_exists("k"):
        assert time.monotonic() < deadline, "the late effect never came"


def test_an_effect_comes_after_the_latency_even_if_the_client_left(oss: Running) -> None:
    bucket = oss.bucket()
    bucket.timeout = 0.1
    oss.fail(latency_ms=500)
    with pytest.raises(oss2.exceptions.RequestError):
        bucket.put_object("k", b"x")
    oss.fail()
    bucket.timeout = 60
    deadline = time.monotonic() + 10
    while not bucket.object_exists("k"):
        assert time.monotonic() < deadline, "the effect never came"


def test_kill_names_the_access_key_that_asked(oss: Running) -> None:
    bucket = oss.bucket()
    oss.fail(Fault("PutObject", answer="kill", limit=1))
    with pytest.raises(oss2.exceptions.RequestError):
        bucket.put_object("k", b"x")
    assert oss.killed == [oss.accounts.owner.access_key_id]


def test_corrupt_stores_other_bytes_than_asked_for(oss: Running) -> None:
    bucket = oss.bucket()
    oss.do(lambda: oss.server.seed("src", "k", 10_000_000, 3))
    upload = bucket.init_multipart_upload("big").upload_id
    good = bucket.upload_part_copy("src", "k", (0, 999_999), "big", upload, 1).etag
    oss.fail(Fault("*", answer="corrupt"))
    bad = bucket.upload_part_copy("src", "k", (0, 999_999), "big", upload, 1).etag
    bucket.copy_object("src", "k", "k2")
    oss.fail()
    assert good != bad
    first, second = bucket.head_object("k"), bucket.head_object("k2")
    assert first.content_length == second.content_length
    assert first.server_crc != second.server_crc
    crc = oss2.utils.Crc64()
    crc.update(bucket.get_object("k2").read())
    assert crc.crc == second.server_crc


def test_a_fault_can_be_kept_to_a_key(oss: Running) -> None:
    bucket = oss.bucket()
    oss.fail(Fault("PutObject", error="InternalError", key="bad/"))
    bucket.put_object("good/k", b"x")
    assert refused(lambda: bucket.put_object("bad/k", b"x")) == (500, "InternalError")


def test_latency_and_bandwidth_are_per_request_so_that_requests_overlap(oss: Running) -> None:
    bucket = oss.bucket()
    oss.do(lambda: oss.server.seed("src", "k", 100_000_000, 3))
    upload = bucket.init_multipart_upload("big").upload_id
    oss.fail(latency_ms=100, bandwidth_mb_s=10)

    def copy(number: int) -> None:
        bucket.upload_part_copy("src", "k", (0, 9_999_999), "big", upload, number)

    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(copy, range(1, 9)))
    # 100 ms + 10 MB at 10 MB/s, all at once: one after the other they would take eight times as long
    assert 1.1 <= time.monotonic() - started < 8 * 1.1


def test_a_shallow_copy_moves_nothing_and_takes_no_bandwidth(oss: Running) -> None:
    bucket, other = oss.bucket(), oss.bucket("other")
    oss.do(lambda: oss.server.seed("src", "k", 10_000_000, 3))
    oss.fail(bandwidth_mb_s=4)
    started = time.monotonic()
    bucket.copy_object("src", "k", "k2")
    shallow = time.monotonic() - started
    other.copy_object("src", "k", "k2")
    assert shallow < 2.4 <= time.monotonic() - started - shallow


def test_a_traffic_limit_takes_its_time(oss: Running) -> None:
    bucket = oss.bucket()
    started = time.monotonic()
    bucket.put_object("k", bytes(100 * 1024), headers={"x-oss-traffic-limit": "819200"})
    assert time.monotonic() - started >= 0.9
    wrong = {"x-oss-traffic-limit": "1"}
    assert refused(lambda: bucket.put_object("k", b"x", headers=wrong)) == (400, "InvalidArgument")


def test_requests_connections_and_events_are_counted(oss: Running) -> None:
    bucket = oss.bucket()
    for number in range(3):
        bucket.put_object(f"k{number}", b"xy").resp.read()
    refused(lambda: bucket.get_object("nope"))
    temporary = oss.accounts.issue("acs:ram::1:role/copier")
    auth = oss2.StsAuth(temporary.access_key_id, temporary.access_key_secret, temporary.security_token)
    for _ in range(2):
        oss2.Bucket(auth, oss.url, "src").get_object("k0").read()
    counts = oss.do(oss.server.requests)
    assert counts["operations"] == {"PutObject": 3, "GetObject": 3}
    assert counts["errors"] == {"NoSuchKey": 1}
    assert counts["connections_by_access_key"] == {
        oss.accounts.owner.access_key_id: 1,
        temporary.access_key_id: 2,
    }
    assert counts["connections"] == 3
    assert [(event.name, event.key, event.size, event.delta_size) for event in oss.events] == [
        ("ObjectCreated:PutObject", f"k{number}", 2, 2) for number in range(3)
    ]


def test_every_write_is_told_under_its_own_name(oss: Running) -> None:
    bucket = oss.bucket()
    oss.do(lambda: oss.server.seed("src", "k", 200_000, 3))
    bucket.copy_object("src", "k", "k2")
    upload = bucket.init_multipart_upload("big").upload_id
    parts = [
        bucket.upload_part("big", upload, 1, bytes(102400)),
        bucket.upload_part_copy("src", "k", None, "big", upload, 2),
    ]
    infos = [oss2.models.PartInfo(number, part.etag) for number, part in enumerate(parts, 1)]
    bucket.complete_multipart_upload("big", upload, infos)
    bucket.append_object("log", 0, b"x")
    bucket.put_symlink("k", "link")
    bucket.delete_object("link")
    bucket.batch_delete_objects(["log"])
    bucket.abort_multipart_upload("x", bucket.init_multipart_upload("x").upload_id)
    assert [event.name.partition(":")[2] for event in oss.events] == [
        "PutObject", "CopyObject", "InitiateMultipartUpload", "UploadPart", "UploadPartCopy",
        "CompleteMultipartUpload", "AppendObject", "PutSymlink", "DeleteObject", "DeleteMultipleObjects",
        "InitiateMultipartUpload", "AbortMultipartUpload",
    ]  # fmt: skip
    assert {event.name.partition(":")[0] for event in oss.events} == {"ObjectCreated", "ObjectRemoved"}


_BODIES = {
    "error-in-body": "<Code>InternalError</Code>",
    "wrong-root": "<Surprise>",
    "truncated": "<CopyObject",
    "empty": "",
}


@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize("answer", _BODIES)
def test_a_body_that_cannot_be_read_comes_with_200_with_or_without_effect(
    oss: Running, answer: str, effect: bool
) -> None:
    bucket = oss.bucket()
    bucket.put_object("k", b"x")
    error = "InternalError" if answer == "error-in-body" else None
    oss.fail(Fault("CopyObject", error=error, answer=answer, effect=effect))  # type: ignore[arg-type]  # parametrized with its literals
    copied = bucket.copy_object("src", "k", "k2")
    text = copied.resp.read().decode()
    assert copied.status == 200
    assert _BODIES[answer] in text if effect or answer != "truncated" else text.startswith("<?xml")
    assert "</CopyObjectResult>" not in text
    assert bucket.object_exists("k2") == effect


@pytest.mark.parametrize("effect", [True, False])
def test_an_answer_breaks_off_in_the_midst_of_its_body(oss: Running, effect: bool) -> None:
    bucket = oss.bucket()
    bucket.put_object("k", b"x")
    oss.fail(Fault("CopyObject", answer="broken-off", effect=effect))
    with pytest.raises(requests.exceptions.RequestException, match=r"IncompleteRead|Connection broken"):
        bucket.copy_object("src", "k", "k2").resp.read()
    assert bucket.object_exists("k2") == effect


def test_the_effect_of_an_answer_is_as_the_kind_has_it_unless_said() -> None:
    assert Fault("CopyObject", answer="empty").happens
    assert not Fault("CopyObject", answer="error-in-body", error="InternalError").happens
    assert not Fault("CopyObject", error="InternalError").happens


@pytest.mark.parametrize("code", ["InternalError", "ServiceUnavailable"])
def test_an_error_comes_after_the_effect_if_that_is_said(oss: Running, code: str) -> None:
    bucket = oss.bucket()
    oss.fail(
        Fault("PutObject", error=code, effect=True), Fault("CompleteMultipartUpload", error=code, effect=True)
    )
    assert refused(lambda: bucket.put_object("k", b"x"))[1] == code
    assert bucket.object_exists("k")
    upload = bucket.init_multipart_upload("big").upload_id
    part = oss2.models.PartInfo(1, bucket.upload_part("big", upload, 1, b"x").etag)
    for _ in range(2):  # the second one finds no upload any more, which nobody hears
        assert refused(lambda: bucket.complete_multipart_upload("big", upload, [part]))[1] == code
    assert bucket.object_exists("big")


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ({"answer": "error-in-body"}, "needs an `error`"),
        ({"answer": "lost", "error": "InternalError"}, "either `error` or `answer`"),
        ({"answer": "lost", "effect": True}, "does not go with"),
        ({"operation": "*", "answer": "empty"}, "is for one of"),
        ({"operation": "HeadObject", "answer": "empty"}, "is for one of"),
        ({"operation": "invocation", "error": "InternalError", "effect": True}, "one OSS operation"),
    ],
)
def test_a_fault_that_means_nothing_is_refused(fault: dict[str, object], named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named):
        msgspec.convert({"operation": "CopyObject", **fault}, Fault)
