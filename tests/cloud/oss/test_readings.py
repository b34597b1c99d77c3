"""Each reading makes a difference, and the one that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import oss2
import pytest

from tests.cloud import readings
from tests.cloud.__main__ import main
from tests.cloud.conditions import Conditions, Weather
from tests.cloud.events import ObjectEvent
from tests.cloud.fc import errors, objects
from tests.cloud.oss.running import Running
from tests.cloud.readings import READINGS, Choice
from tests.conformance.test_clients import ask, text_of, upload

GB = 1024**3
REPLACE = {"x-oss-metadata-directive": "REPLACE"}
KMS = {"x-oss-server-side-encryption": "KMS", "x-oss-server-side-encryption-key-id": "not a key"}
Probe = Callable[[Running], object]


def _code(action: Callable[..., object], *arguments: object, **options: object) -> object:
    """Return how the server refuses; None if it does not."""
    try:
        action(*arguments, **options)
    except oss2.exceptions.ServerError as error:
        return error.status, error.code
    return None


def self_copy_metadata(oss: Running) -> object:
    bucket = oss.bucket()
    bucket.put_object("k", b"x", headers={"x-oss-meta-a": "1"})
    bucket.copy_object("src", "k", "k", headers={"x-oss-meta-b": "2"})
    return bucket.head_object("k").headers.get("x-oss-meta-a")


def self_copy_acl(oss: Running) -> object:
    bucket = oss.bucket()
    bucket.put_object("k", b"x", headers={"x-oss-object-acl": "public-read"})
    bucket.copy_object("src", "k", "k", headers=REPLACE)
    return bucket.get_object_acl("k").acl


def self_copy_encryption(oss: Running) -> object:
    bucket = oss.bucket()
    bucket.put_object("k", b"x", headers={"x-oss-server-side-encryption": "AES256"})
    bucket.copy_object("src", "k", "k", headers=REPLACE)
    return bucket.head_object("k").headers.get("x-oss-server-side-encryption")


def copy_storage_class(oss: Running) -> object:
    bucket = oss.bucket()
    bucket.put_object("k", b"x", headers={"x-oss-storage-class": "IA"})
    bucket.copy_object("src", "k", "copy")
    return bucket.head_object("copy").headers["x-oss-storage-class"]


def copy_limit(oss: Running) -> object:
    oss.bucket("src")
    oss.do(lambda: oss.server.seed("src", "k", 2 * GB, 1))
    return _code(oss.bucket("dst").copy_object, "src", "k", "k")


def copy_crc64(oss: Running) -> object:
    bucket = oss.bucket()
    bucket.put_object("k", b"x")
    return "x-oss-hash-crc64ecma" in bucket.copy_object("src", "k", "copy").headers


def copied_part_crc64(oss: Running) -> object:
    bucket = oss.bucket()
    bucket.put_object("k", b"x")
    made = upload(bucket, "up")
    bucket.upload_part_copy("src", "k", None, "up", made, 1)
    bucket.upload_part("up", made, 2, b"y")
    listed = ET.fromstring(ask(bucket, "GET", "up", {"uploadId": made}).content)  # noqa: S314 - our own server's
    return [part.find("HashCrc64ecma") is not None for part in listed.findall("Part")]


def appendable_part_copy(oss: Running) -> object:
    bucket = oss.bucket()
    bucket.append_object("k", 0, b"x")
    return _code(bucket.upload_part_copy, "src", "k", None, "up", upload(bucket, "up"), 1)


def empty_object_acl(oss: Running) -> object:
    return _code(oss.bucket().put_object, "k", b"x", headers={"x-oss-object-acl": ""})


def append_acl(oss: Running) -> object:
    bucket = oss.bucket()
    bucket.append_object("k", 0, b"x")
    bucket.append_object("k", 1, b"y", headers={"x-oss-object-acl": "private"})
    return bucket.get_object_acl("k").acl


def complete_location(oss: Running) -> object:
    bucket = oss.bucket()
    made = upload(bucket, "a b")
    part = oss2.models.PartInfo(1, bucket.upload_part("a b", made, 1, b"x").etag)
    answer = bucket.complete_multipart_upload("a b", made, [part]).resp.read()
    return str(ET.fromstring(answer).findtext("Location")).rpartition("/")[2]  # noqa: S314 - our own server's


def no_parts_marker(oss: Running) -> object:
    bucket = oss.bucket()
    return text_of(ask(bucket, "GET", "k", {"uploadId": upload(bucket, "k")}), "NextPartNumberMarker")


def put_conditions(oss: Running) -> object:
    return _code(oss.bucket().put_object, "k", b"x", headers={"If-Match": "x"})


def kms_key_id(oss: Running) -> object:
    return _code(oss.bucket().put_object, "k", b"x", headers=KMS)


def restore_days(oss: Running) -> object:
    bucket = oss.bucket()
    bucket.put_object("k", b"x", headers={"x-oss-storage-class": "Archive"})
    body = b"<RestoreRequest><Days>8</Days></RestoreRequest>"
    return ask(bucket, "POST", "k", {"restore": ""}, body=body).status_code


def client_side_size(oss: Running) -> object:
    bucket = oss.bucket()
    size = {"x-oss-meta-client-side-encryption-data-size": "2"}
    made = bucket.init_multipart_upload("k", headers=size).upload_id
    part = oss2.models.PartInfo(1, bucket.upload_part("k", made, 1, b"x").etag)
    return _code(bucket.complete_multipart_upload, "k", made, [part])


def several_ranges(oss: Running) -> object:
    bucket = oss.bucket()
    bucket.put_object("k", b"0123")
    return httpx.get(bucket.sign_url("GET", "k", 60), headers={"range": "bytes=1-1,3-3"}).content


def foreign_token(oss: Running) -> object:
    owner = oss.accounts.owner
    auth = oss2.StsAuth(owner.access_key_id, owner.access_key_secret, "foreign", auth_version="v4")
    oss.bucket()
    return _code(oss2.Bucket(auth, oss.url, "src", region="cn-hangzhou").head_object, "k")


def url_missing_header(oss: Running) -> object:
    url = oss.bucket().sign_url("GET", "k", 60, headers={"x-a": "1"}, additional_headers=["x-a"])
    return httpx.get(url).status_code


def lifecycle_overlap(oss: Running) -> object:
    rules = "".join(
        f"<Rule><ID>{prefix}</ID><Prefix>{prefix}</Prefix><Status>Enabled</Status>"
        "<Expiration><Days>9</Days></Expiration></Rule>"
        for prefix in ("a/", "a/b/")
    )
    document = f"<LifecycleConfiguration>{rules}</LifecycleConfiguration>"
    return _code(oss.bucket().put_bucket_lifecycle, document)


OF_OSS: dict[str, tuple[Probe, object, object]] = {
    "self-copy-metadata": (self_copy_metadata, None, "1"),
    "self-copy-acl": (self_copy_acl, "public-read", "default"),
    "self-copy-encryption": (self_copy_encryption, None, "AES256"),
    "copy-storage-class": (copy_storage_class, "Standard", "IA"),
    "copy-limit": (copy_limit, None, (400, "EntityTooLarge")),
    "copy-crc64": (copy_crc64, True, False),
    "copied-part-crc64": (copied_part_crc64, [True, True], [False, True]),
    "appendable-part-copy": (appendable_part_copy, None, (400, "OperationNotSupported")),
    "empty-object-acl": (empty_object_acl, None, (400, "InvalidArgument")),
    "append-acl": (append_acl, "private", "default"),
    "complete-location": (complete_location, "a%20b", "a b"),
    "no-parts-marker": (no_parts_marker, "", "0"),
    "put-conditions": (put_conditions, (501, "NotImplemented"), None),
    "kms-key-id": (kms_key_id, (400, "InvalidArgument"), None),
    "restore-days": (restore_days, 400, 202),
    "client-side-size": (client_side_size, (400, "InvalidArgument"), None),
    "several-ranges": (several_ranges, b"1", b"0123"),
    "foreign-token": (foreign_token, (403, "InvalidAccessKeyId"), (403, "InvalidSecurityToken")),
    "url-missing-header": (url_missing_header, 400, 403),
    "lifecycle-overlap": (lifecycle_overlap, (400, "InvalidArgument"), None),
}
OF_FC = {"event-key", "cloud-event", "task-id-twice", "payload-too-large"}


@pytest.mark.parametrize("name", OF_OSS)
def test_a_reading_of_oss_makes_its_difference(oss: Running, name: str) -> None:
    probe, first, other = OF_OSS[name]
    found = []
    for choice in ("a", "b", None):
        oss.do(oss.server.store.buckets.clear)
        chosen: dict[str, Choice] = {} if choice is None else {name: choice}
        oss.conditions(Conditions(readings=chosen))
        found.append(probe(oss))
    assert found == [first, other, first]


@pytest.mark.parametrize("name", OF_OSS)
def test_a_cloud_notes_which_reading_it_is_asked_for(
    oss: Running, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(readings.NOTES, str(tmp_path))
    oss.conditions(Conditions())
    OF_OSS[name][0](oss)
    noted = [line.split()[1] for path in tmp_path.iterdir() for line in path.read_text().splitlines()]
    assert name in noted


def test_there_is_a_test_of_every_reading() -> None:
    assert {*OF_OSS, *OF_FC} == set(READINGS)


EVENT = ObjectEvent(
    name="ObjectCreated:PutObject",
    bucket="b",
    key="a b",
    size=1,
    delta_size=1,
    etag="E",
    time=0.0,
    request_id="r",
    source_ip="127.0.0.1",
    principal="p",
)


def test_the_status_of_a_refusal_by_fc_may_be_read_otherwise() -> None:
    twice, large = errors.already_submitted("t"), errors.too_large(1)
    assert (twice.status_as(frozenset()), large.status_as(frozenset())) == (409, 413)
    assert twice.status_as(frozenset({"task-id-twice"})) == 400
    assert large.status_as(frozenset({"payload-too-large"})) == 400


@pytest.mark.parametrize("nested", [False, True])
def test_bucket_and_object_of_a_cloud_event_may_stand_one_deeper(nested: bool) -> None:
    data: Any = objects.cloud_event(EVENT, "cn-hangzhou", "1", nested=nested)["data"]
    assert (data["oss"] if nested else data)["object"]["key"] == "a b"
    assert ("oss" in data) == nested


# -- how one is chosen ---------------------------------------------------------------------------------------


def test_conditions_go_before_the_command_line() -> None:
    weather = Weather({"copy-crc64": "b", "copy-limit": "b"})
    assert weather.readings == {"copy-crc64", "copy-limit"}
    weather.set(Conditions(readings={"copy-crc64": "a", "append-acl": "b"}))
    assert weather.readings == {"copy-limit", "append-acl"}
    weather.set(Conditions())
    assert weather.readings == {"copy-crc64", "copy-limit"}


def test_what_is_no_reading_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert readings.parsed(["copy-limit=b", "append-acl=a"]) == {"copy-limit": "b", "append-acl": "a"}
    for word in ("copy-limit=c", "copy-limit", "other=a"):
        with pytest.raises(ValueError, match="reading"):
            readings.parsed([word])
        with pytest.raises(SystemExit) as caught:
            main(["--reading", word])
        assert caught.value.code == 2
        assert "--reading:" in capsys.readouterr().err


def test_the_document_has_the_table_of_readings() -> None:
    text = (Path(__file__).parents[1] / "READINGS.md").read_text()
    assert readings.markdown() in text, readings.markdown()
