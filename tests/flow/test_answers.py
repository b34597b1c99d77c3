"""Answers that say too little or the wrong thing: 200 over an error, a body that is none, 5xx afterwards.

Each may come with the effect or without. Whichever it was, the copy ends exact or as an honest failure, and
no upload stays open.
"""

from __future__ import annotations

from typing import Any

import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    SOURCE,
    crc64,
    exists,
    final_result,
    in_parts,
    open_uploads,
    request_of,
    until,
    versions,
)

Fault = dict[str, object]
OPERATIONS = ["CopyObject", "UploadPartCopy", "CompleteMultipartUpload"]
BODIES = ["wrong-root", "truncated", "broken-off", "empty"]
FAULTS: dict[str, Fault] = {
    **{
        f"{answer}, {'done' if effect else 'not done'}": {"answer": answer, "effect": effect}
        for answer in BODIES
        for effect in (True, False)
    },
    **{
        f"{code} in the body, {'done' if effect else 'not done'}": {
            "answer": "error-in-body",
            "error": code,
            "effect": effect,
        }
        for code in ("InternalError", "ServiceUnavailable")
        for effect in (True, False)
    },
    **{
        f"{code} after it": {"error": code, "effect": True}
        for code in ("InternalError", "ServiceUnavailable")
    },
}

FEWER = [
    "empty, done",
    "empty, not done",
    "InternalError in the body, not done",
    "ServiceUnavailable after it",
]


def ask(cloud: LocalCloud, asked: dict[str, Any]) -> dict[str, Any]:
    """The final result of an invocation, or of the chain that it began."""
    result: dict[str, Any] = cloud.invoke(asked)
    return final_result(cloud, result["job"]) if result["status"] == "running" else result


def asked_for(key: str, operation: str, **options: Any) -> dict[str, Any]:
    return request_of(key, **options) if operation == "CopyObject" else in_parts(key, **options)


@pytest.mark.parametrize("overwrite", ["always", "never"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_one_such_answer_ends_in_an_exact_copy(
    cloud: LocalCloud, source: Any, destination: Any, key: str, operation: str, fault: str, overwrite: str
) -> None:
    cloud.seed(SOURCE, key, MIB if operation == "CopyObject" else 3 * MIB, seed=2)
    cloud.conditions([{"operation": operation, "key": key, "limit": 1, **FAULTS[fault]}])
    result = ask(cloud, asked_for(key, operation, overwrite=overwrite))
    assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
    assert cloud.struck() == 1
    assert crc64(destination, key) == crc64(source, key)
    assert open_uploads(destination, key) == []


@pytest.mark.parametrize("operation", ["CopyObject", "UploadPartCopy"])
@pytest.mark.parametrize("code", ["PreconditionFailed", "NoSuchKey"])
def test_a_source_that_changed_is_told_in_the_body_as_by_the_status(
    cloud: LocalCloud, destination: Any, key: str, operation: str, code: str
) -> None:
    cloud.seed(SOURCE, key, MIB if operation == "CopyObject" else 3 * MIB, seed=2)
    cloud.conditions([{"operation": operation, "key": key, "answer": "error-in-body", "error": code}])
    result = ask(cloud, asked_for(key, operation))
    assert (result["status"], result["error"]["code"]) == ("failed", "SourceChanged"), result
    assert not exists(destination, key)
    assert open_uploads(destination, key) == []


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("code", ["AccessDenied", "FileImmutable"])
def test_a_refusal_in_the_body_ends_the_copy_as_by_the_status(
    cloud: LocalCloud, destination: Any, key: str, operation: str, code: str
) -> None:
    cloud.seed(SOURCE, key, MIB if operation == "CopyObject" else 3 * MIB, seed=2)
    cloud.conditions([{"operation": operation, "key": key, "answer": "error-in-body", "error": code}])
    result = ask(cloud, asked_for(key, operation))
    assert (result["status"], result["error"]["code"]) == ("failed", code), result
    assert not exists(destination, key)
    assert open_uploads(destination, key) == []


@pytest.mark.parametrize("fault", FEWER)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_such_answers_without_end_are_never_called_a_success_unless_it_is_one(
    cloud: LocalCloud, source: Any, destination: Any, key: str, operation: str, fault: str
) -> None:
    """Asynchronously: whoever gives up says so, and what is called succeeded is exact. Later all is well."""
    cloud.seed(SOURCE, key, MIB if operation == "CopyObject" else 3 * MIB, seed=2)
    cloud.conditions([{"operation": operation, "key": key, **FAULTS[fault]}])
    cloud.invoke_async(asked_for(key, operation))
    # what was written is found by a look, and what was completed there is nothing to complete again of
    found = operation == OPERATIONS[0] and FAULTS[fault].get("effect")
    once = found or (operation == OPERATIONS[2] and fault == "empty, done")
    until(lambda: cloud.struck() >= (1 if once else 3))
    cloud.conditions()
    cloud.wait_idle()
    assert crc64(destination, key) == crc64(source, key)
    assert open_uploads(destination, key) == []


@pytest.mark.parametrize("fault", FEWER)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_under_such_answers_a_version_is_written_and_told_of(
    cloud: LocalCloud, source: Any, versioned: Any, key: str, operation: str, fault: str
) -> None:
    cloud.seed(SOURCE, key, MIB if operation == "CopyObject" else 3 * MIB, seed=2)
    cloud.conditions([{"operation": operation, "key": key, "limit": 1, **FAULTS[fault]}])
    asked = asked_for(key, operation) | {"destination": {"bucket": versioned.bucket_name}}
    result = ask(cloud, asked)
    assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
    assert result["destination"]["versionId"] in versions(versioned, key)
    assert crc64(versioned, key) == crc64(source, key)
    assert open_uploads(versioned, key) == []


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    "operation", ["GetObjectTagging", "GetObjectACL", "InitiateMultipartUpload", "ListParts"]
)
def test_such_an_answer_to_a_question_is_asked_again(
    cloud: LocalCloud, source: Any, destination: Any, key: str, operation: str, fault: str
) -> None:
    """What cannot be read says nothing: it is not that there are no tags, parts or uploads."""
    source.put_object(
        key, bytes(3 * MIB), headers={"x-oss-tagging": "a=b", "x-oss-object-acl": "public-read"}
    )
    cloud.conditions([{"operation": operation, "key": key, "limit": 1, **FAULTS[fault]}])
    result = ask(cloud, in_parts(key, acl="copy"))
    assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
    assert crc64(destination, key) == crc64(source, key)
    assert destination.get_object_tagging(key).tag_set.tagging_rule == {"a": "b"}
    assert destination.get_object_acl(key).acl == "public-read"
    # an upload that was opened without a word is the sweep's to end
    assert open_uploads(destination, key) == [] or operation == "InitiateMultipartUpload"


@pytest.mark.parametrize("code", ["InternalError", "ServiceUnavailable"])
def test_a_record_that_was_written_before_the_error_is_ours(
    cloud: LocalCloud, source: Any, destination: Any, key: str, code: str
) -> None:
    """Records are created once: the second attempt finds the first one's."""
    cloud.seed(SOURCE, key, 3 * MIB, seed=2)
    cloud.conditions(
        [{"operation": "PutObject", "key": "oss-copy/", "error": code, "effect": True, "limit": 2}]
    )
    result = ask(cloud, in_parts(key))
    assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
    assert cloud.struck() == 2
    assert crc64(destination, key) == crc64(source, key)
    assert open_uploads(destination, key) == []
