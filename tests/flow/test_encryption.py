"""What a copy is encrypted with: by default as its source, and never less without a word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import oss2.models
import pytest

from tests.cloud.client import LocalCloud
from tests.flow.conftest import DESTINATION, SOURCE, exists, in_parts, open_uploads, request_of

ROLE = "oss-copy"
KEY = "9468da86-3509-4f8d-a61e-6eab1eac372a"
SSE = "x-oss-server-side-encryption"
KMS = {SSE: "KMS", f"{SSE}-key-id": KEY, "x-oss-server-side-data-encryption": "SM4"}
SHOWN = {"algorithm": "KMS", "keyId": KEY, "dataEncryption": "SM4"}
WAYS = ["simple", "multipart"]


def told(bucket: Any, key: str) -> dict[str, str]:
    """The headers about encryption that HEAD shows."""
    headers = bucket.head_object(key).headers
    return {name.lower(): headers[name] for name in headers if "encryption" in name.lower()}


def made(key: str, method: str, **options: Any) -> dict[str, Any]:
    return request_of(key, tuning={"method": method}, **options)


@pytest.fixture
def encrypts(destination: Any) -> Iterator[None]:
    """The destination bucket encrypts by default."""
    rule = oss2.models.ServerSideEncryptionRule()
    rule.sse_algorithm = "AES256"
    destination.put_bucket_encryption(rule)
    yield
    destination.delete_bucket_encryption()


@pytest.mark.parametrize("method", WAYS)
@pytest.mark.parametrize("asked", [{}, {"encryption": "keep"}, {"encryption": None}], ids=str)
def test_by_default_a_copy_is_encrypted_as_its_source(
    cloud: LocalCloud, source: Any, destination: Any, key: str, method: str, asked: dict[str, Any]
) -> None:
    source.put_object(key, b"content", KMS)
    result = cloud.invoke(made(key, method, **asked))
    assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
    assert told(destination, key) == KMS
    assert (result["source"]["encryption"], result["destination"]["encryption"]) == (SHOWN, SHOWN)


@pytest.mark.usefixtures("encrypts")
@pytest.mark.parametrize("method", WAYS)
def test_a_source_without_encryption_leaves_it_to_the_destination_bucket(
    cloud: LocalCloud, source: Any, destination: Any, key: str, method: str
) -> None:
    source.put_object(key, b"content")
    result = cloud.invoke(made(key, method))
    assert result["status"] == "succeeded", result
    assert told(destination, key) == {SSE: "AES256"}
    assert result["source"]["encryption"] is None
    assert result["destination"]["encryption"]["algorithm"] == "AES256"


@pytest.mark.usefixtures("encrypts")
@pytest.mark.parametrize("method", WAYS)
def test_bucket_leaves_it_to_the_destination_bucket_whatever_the_source_has(
    cloud: LocalCloud, source: Any, destination: Any, key: str, method: str
) -> None:
    source.put_object(key, b"content", KMS)
    assert cloud.invoke(made(key, method, encryption="bucket"))["status"] == "succeeded"
    assert told(destination, key) == {SSE: "AES256"}


@pytest.mark.parametrize("method", WAYS)
@pytest.mark.parametrize(
    "change", [{"storageClass": "IA"}, {"tags": {"a": "b"}}, {"metadata": {"user": {"a": "b"}}}], ids=str
)
def test_a_change_in_place_keeps_the_encryption_of_the_object(
    cloud: LocalCloud, source: Any, key: str, method: str, change: dict[str, Any]
) -> None:
    source.put_object(key, b"content", KMS)
    result = cloud.invoke(made(key, method, **change) | {"destination": {"bucket": SOURCE}})
    assert result["status"] == "succeeded", result
    assert told(source, key) == KMS


def test_inside_a_bucket_an_encryption_that_is_kept_moves_no_bytes(
    cloud: LocalCloud, source: Any, key: str
) -> None:
    """It is larger than the threshold, and copied at once."""
    source.put_object(key, bytes(3 << 20), {SSE: "AES256"})
    there = {"destination": {"bucket": SOURCE, "key": f"{key}.copy"}}
    assert cloud.invoke(request_of(key) | there)["method"] == "simple"
    assert cloud.invoke(request_of(key, encryption="bucket") | there)["method"] == "multipart"
    assert told(source, f"{key}.copy") == {}


@pytest.fixture
def no_kms(cloud: LocalCloud) -> Iterator[Callable[..., None]]:
    """Let the function's role do everything but use these actions of KMS."""

    def refuse(*actions: str) -> None:
        everything = {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}
        denied = {"Effect": "Deny", "Action": list(actions), "Resource": ["*"]}
        cloud.set_policy(ROLE, {"Version": "1", "Statement": [everything, denied]})

    yield refuse
    cloud.set_policy(ROLE, None)


@pytest.mark.parametrize("method", WAYS)
def test_a_role_that_may_not_use_the_key_is_refused_by_the_right_that_is_missing(
    cloud: LocalCloud,
    source: Any,
    destination: Any,
    no_kms: Callable[..., None],
    key: str,
    method: str,
) -> None:
    source.put_object(key, b"content", KMS)
    no_kms("kms:GenerateDataKey")
    result = cloud.invoke(made(key, method))
    assert (result["status"], result["error"]["code"]) == ("failed", "AccessDenied"), result
    assert "kms:GenerateDataKey and kms:Decrypt" in result["error"]["message"]
    assert not exists(destination, key)
    assert open_uploads(destination, key) == []
    assert cloud.invoke(made(key, method, encryption="bucket"))["status"] == "succeeded"
    no_kms("kms:Decrypt")
    result = cloud.invoke(made(key, method, encryption="bucket"))
    assert "kms:Decrypt" in result["error"]["message"], result


def test_a_copy_of_several_hops_keeps_it_too(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    source.put_object(key, bytes(6 << 20), KMS)
    answer = cloud.http("POST", "/copies", json_body=in_parts(key))
    assert answer.status_code == 202, answer.text
    cloud.wait_idle()
    shown = cloud.http("GET", f"/copies/{answer.json()['job']}").json()
    assert shown["status"] == "succeeded", shown
    assert shown["destination"]["encryption"] == SHOWN
    assert told(destination, key) == KMS
    assert shown["destination"]["bucket"] == DESTINATION
