"""The OpenAPI document is that of the types and checks of today."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given, strategies as st

from functions.cli import openapi
from osscopy import events, plan
from osscopy.model import Copy, CopyRequest, Refused
from tests.unit.test_events import ARRIVAL, asked

EVENTS = Path(__file__).parents[1] / "events"


def test_the_document_beside_the_product_is_up_to_date() -> None:
    assert openapi.TARGET.read_text(encoding="utf-8") == openapi.text(), "run `make openapi`"


def test_every_field_is_named_as_it_is_on_the_wire() -> None:
    for name in openapi.fields(openapi.document()):
        assert re.fullmatch(r"[a-z][A-Za-z0-9]*", name), name


@given(st.integers(0, 99_999), st.integers(0, 99_999), st.integers(0, 120_000))
def test_a_range_of_numbers_as_a_pattern_takes_these_and_no_others(one: int, two: int, number: int) -> None:
    least, most = min(one, two) + 1, max(one, two) + 1
    taken = re.fullmatch(openapi.between(least, most), str(number)) is not None
    assert taken == (least <= number <= most)


def validator() -> Any:
    document = openapi.document()
    schema = {"$ref": "#/components/schemas/CopyRequest", "components": document["components"]}
    return jsonschema_rs.Draft202012Validator(schema)


VALID = validator().is_valid


def is_taken(body: object) -> bool:
    try:
        return isinstance(events.read_request(json.dumps(body).encode(), "o", ARRIVAL.now, ARRIVAL), Copy)
    except Refused as error:
        return error.code == "NotAvailable"


def place(**changes: Any) -> dict[str, Any]:
    return {"bucket": "src-bucket", "key": "k", **changes}


@pytest.mark.parametrize(
    ("body", "good"),
    [
        (asked(), True),
        (json.loads((EVENTS / "direct.json").read_text()), True),
        (json.loads((EVENTS / "direct-every-option.json").read_text()), True),
        (asked(colour=1), False),
        (asked(source=place(bucket="ab")), False),
        (asked(source=place(bucket="a" * 63)), True),
        (asked(source=place(bucket="a" * 64)), False),
        (asked(source=place(bucket="a/b")), False),
        (asked(source=place(key="")), False),
        (asked(source=place(key=".")), False),
        (asked(source=place(key="a\0")), False),
        (asked(source=place(key="/k")), False),
        (asked(source=place(key="\\k")), False),
        (asked(source=place(key="k/\\")), True),
        (asked(source=place(key="oss://b/k")), False),
        (asked(source=place(key="Oss://b/k")), False),
        (asked(destination=place(bucket="dst-bucket", key="OSS://{name}")), False),
        (asked(destination=place(bucket="dst-bucket", key="a/oss://{name}")), True),
        (asked(destination=place(bucket="dst-bucket", key="/{name}")), False),
        (asked(destination=place(bucket="dst-bucket", key="\\")), False),
        (asked(destination=place(bucket="dst-bucket", key="a/\\{name}/{key}")), True),
        (asked(source=place(key="a\n")), True),
        (asked(source=place(key="x" * 1023)), True),
        (asked(source=place(key="x" * 1024)), False),
        (asked(source=place(versionId="x&uploads")), False),
        (asked(source=place(versionId=None)), True),
        (asked(source=place(versionId="CAEQ")), True),
        (asked(destination=place(bucket="dst-bucket", key="{nothing}")), False),
        (asked(destination=place(bucket="dst-bucket", key="{dir}{{{name}}}")), True),
        (asked(destination=place(bucket="dst-bucket", key="{date}")), False),
        (asked(destination=place(bucket="dst-bucket", key="{date:%Q}")), False),
        (asked(destination=place(bucket="dst-bucket", key="{date:report}")), False),
        (asked(destination=place(bucket="dst-bucket", key="{date@+08:00:%H:%M}")), True),
        (asked(destination=place(bucket="dst-bucket", key="{date@Asia/Shanghai:%H}")), True),
        (asked(destination=place(bucket="dst-bucket", key="}")), False),
        (asked(destination=place(bucket="dst-bucket", key="x" * 1024)), False),
        (asked(conditions={"ifMatch": "a b"}), True),
        (asked(conditions={"ifMatch": " a"}), False),
        (asked(conditions={"ifMatch": ""}), False),
        (asked(conditions={"ifModifiedSince": "Sun, 22 Nov 2026 10:00:00 GMT"}), True),
        (asked(conditions={"ifModifiedSince": "2026-11-22"}), False),
        (asked(metadata={"contentType": ""}), True),
        (asked(metadata={"contentType": "a\r\nb"}), False),
        (asked(metadata={"expires": "x" * 8192}), True),
        (asked(metadata={"expires": "x" * 8193}), False),
        (asked(metadata={"user": {"a-b": "备份"}}), True),
        (asked(metadata={"user": {"a b": ""}}), False),
        (asked(metadata={"user": {"a_b": ""}}), False),
        (asked(metadata={"user": {"X-Oss-Meta-a": ""}}), False),
        (asked(metadata={"user": {"x-oss-acl": ""}}), False),
        (asked(metadata={"user": {"Expires": ""}}), False),
        (asked(metadata={"user": {"expires-at": ""}}), True),
        (asked(metadata={"user": {"cache-Control": ""}}), False),
        (asked(metadata={"user": {"my-cache-control": ""}}), True),
        (asked(metadata={"user": {"a": "b "}}), False),
        (asked(metadata="drop"), False),
        (asked(tags={"a": ""}), True),
        (asked(tags={"": "a"}), False),
        (asked(tags={"k" * 129: ""}), False),
        (asked(tags={"k": "v" * 257}), False),
        (asked(tags={"k\t": ""}), False),
        (asked(tags={str(n): "" for n in range(11)}), False),
        (asked(encryption={"algorithm": "KMS", "keyId": "é"}), False),
        (asked(encryption={"algorithm": "KMS", "keyId": "k", "dataEncryption": "SM4"}), True),
        (asked(encryption={"algorithm": "KMS", "keyId": None}), True),
        (asked(encryption={"algorithm": "SM4", "keyId": "k"}), False),
        (asked(encryption={"algorithm": "AES256", "dataEncryption": "SM4"}), False),
        (asked(encryption={"algorithm": "AES256", "keyId": None}), True),
        (asked(trafficLimit=0), True),
        (asked(trafficLimit=1), False),
        (asked(trafficLimit=819_200), True),
        (asked(trafficLimit=838_860_801), False),
        (asked(tuning={"lanes": 0}), False),
        (asked(tuning={"lanes": 100, "parallel": 512}), True),
        (asked(tuning={"parallel": 513}), False),
        (asked(tuning={"partSize": plan.MIN_PART}), True),
        (asked(tuning={"partSize": plan.MIN_PART - 1}), False),
        *[(asked(tuning={"partSize": size}), True) for size in ("102400", "102400 B", "100KiB", "5 GiB")],
        *[(asked(tuning={"partSize": size}), True) for size in ("5120MiB", "5368709120", "5242880KiB")],
        *[
            (asked(tuning={"partSize": size}), False)
            for size in ("102399B", "99KiB", "6GiB", "5121MiB", "1TiB")
        ],
        *[
            (asked(tuning={"partSize": size}), False)
            for size in ("064MiB", "٦٤MiB", "64  MiB", "64mib", "", "-1")
        ],
        (asked(archive="restore"), True),
    ],
)
def test_the_schema_takes_what_the_parser_takes(body: object, good: bool) -> None:
    assert is_taken(body) is good
    assert VALID(body) is good


def test_every_request_field_has_a_schema() -> None:
    properties = openapi.document()["components"]["schemas"]["CopyRequest"]["properties"]
    assert set(properties) == {field.encode_name for field in msgspec.structs.fields(CopyRequest)}
