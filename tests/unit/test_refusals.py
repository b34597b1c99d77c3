"""What is made of OSS's refusals: one sentence, the side, the address and the right that is missing."""

from __future__ import annotations

import re

import pytest

from osscopy.aliyun.oss_errors import ADVICE, advised, translate
from osscopy.aliyun.oss_places import KMS_KEY, Place, located, on_object, right
from osscopy.model import Failed, Source

DESTINATION = Place("destination", "dst", "out/k", (right("oss:PutObject", "dst", "out/k"),))
GLUED = re.compile(r"[.,;:][.,;:]|\. ?[:;,]| [.,;:]")


@pytest.mark.parametrize("message", ["It is so", "It is so.", "It is so. ", "It is so:", "It is so...", ""])
@pytest.mark.parametrize("code", [*sorted(set(ADVICE) - {"OtherRegion", "RequesterPays"}), "NobodyKnowsIt"])
def test_a_message_and_its_advice_are_one_sentence(code: str, message: str) -> None:
    error = translate(403, code, message, "R", {})
    told = located(translate(403, code, message, "R", {}), DESTINATION).message
    for text in (error.message, told):
        advice = ADVICE.get(code, "")
        assert advice in text
        assert text == message or not GLUED.search(text.replace(advice, "advice")), text
    if code in ADVICE and message:
        assert error.message == f"It is so: {ADVICE[code]}"
    assert "oss://dst" in told


@pytest.mark.parametrize(
    ("message", "advice", "text"),
    [
        ("No.", "ask", "No: ask"),
        ("No", "ask", "No: ask"),
        ("", "ask", "ask"),
        ("No.", "", "No."),
        ("Really?", "ask", "Really?: ask"),
    ],
)
def test_a_message_is_joined_with_an_advice_however_it_ends(message: str, advice: str, text: str) -> None:
    assert advised(message, advice) == text


@pytest.mark.parametrize(
    ("code", "message", "field", "told"),
    [
        ("NoSuchBucket", "x.", "destination.bucket", "(oss://dst)"),
        ("NoSuchKey", "x.", "destination.key", "(oss://dst/out/k)"),
        ("FileImmutable", "x.", "destination.key", "(oss://dst/out/k)"),
        ("AccessDenied", "x.", "destination.bucket", "(missing: oss:PutObject on oss://dst/out/k)"),
        (
            "AccessDenied",
            "Target object does not reside in the same data center as source object.",
            "destination.bucket",
            "(oss://dst/out/k)",
        ),
        ("InvalidArgument", "x.", None, "(oss://dst/out/k)"),
        ("SignatureDoesNotMatch", "x.", None, "(oss://dst/out/k)"),
    ],
)
def test_an_error_names_side_and_address(code: str, message: str, field: str | None, told: str) -> None:
    error = located(translate(403, code, message, "R", {}), DESTINATION)
    assert (error.field, error.request_id, error.status) == (field, "R", 403)
    assert error.message.endswith(told)
    assert str(error) == f"{code}: {error.message}"


def test_rights_that_cannot_be_told_apart_are_all_named_and_no_side_is_blamed() -> None:
    rights = (*DESTINATION.rights, right("oss:GetObject", "src", "in/k"))
    error = located(Failed("AccessDenied", "No."), Place("destination", "dst", "out/k", rights))
    wanted = "(missing is one of: oss:PutObject on oss://dst/out/k; oss:GetObject on oss://src/in/k)"
    assert (error.field, error.message) == (None, f"No {wanted}")


def test_a_right_on_a_kms_key_may_be_missing_for_the_destination() -> None:
    rights = (*DESTINATION.rights, f"kms:Decrypt{KMS_KEY}")
    error = located(Failed("AccessDenied", "No."), Place("destination", "dst", "out/k", rights))
    assert error.field == "destination.bucket"


def test_a_place_of_neither_side_blames_no_field_of_the_request() -> None:
    error = located(
        Failed("AccessDenied", "No."), Place("", "state", "x", (right("oss:GetObject", "state", "x"),))
    )
    assert (error.field, error.message) == (None, "No (missing: oss:GetObject on oss://state/x)")


def test_a_version_takes_the_right_for_versions_too() -> None:
    rights = on_object("source", Source("src", "k", "v"), "GetObject").rights
    assert rights == ("oss:GetObject on oss://src/k", "oss:GetObjectVersion on oss://src/k")
    assert on_object("source", Source("src", "k"), "GetObject").rights == rights[:1]
