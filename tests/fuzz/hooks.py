"""What schemathesis is told beyond the OpenAPI document; the tool loads this file by its path.

Some requests are right by the schema and wrong all the same: these are left out. Of the others every second
one is pointed at an object that exists, so that copies are made.
"""

from __future__ import annotations

import json
import re
import zlib
import zoneinfo
from typing import Any, TypeAlias

import schemathesis

SOURCE, DESTINATION = "oss-copy-source", "oss-copy-destination"
KEYS = ("small.bin", "big.bin", "备份/ü +%2F.bin")
LIMIT = 1023  # bytes of a key
BODY = 90_000  # characters of a body; the function takes 96 KiB

Case: TypeAlias = schemathesis.Case[Any]

_SLASHED_DATE = re.compile(r"\{date[^{}]*:[/\\]")
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: Case) -> bool:  # noqa: ARG001 - the caller's signature
    body = _right_by_schema(case)
    return body is None or not _says_more_than_a_schema_can(body)


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Case, kwargs: dict[str, Any]) -> None:  # noqa: ARG001 - the caller's signature
    body = _right_by_schema(case)
    number = zlib.crc32(json.dumps(body).encode())
    if body is not None and (key := case.headers.get("Idempotency-Key")):
        case.headers["Idempotency-Key"] = f"{key}-{number}"  # one key for two requests is refused
    if body is not None and number % 2:
        body["source"] = {"bucket": SOURCE, "key": KEYS[number // 2 % len(KEYS)]}
        body["destination"] = {"bucket": DESTINATION, "key": f"made/{number % 7}"}
        for field in ("conditions", "tags"):  # OSS itself has an opinion on these
            body.pop(field, None)


@schemathesis.check
def right_requests_are_taken(
    context: schemathesis.CheckContext,  # noqa: ARG001 - the caller's signature
    response: schemathesis.Response,
    case: Case,
) -> None:
    """As the tool's own check for this, but what OSS refuses (with its request id) is no fault of the API."""
    is_meant = case.meta is not None and case.meta.generation.mode.is_positive
    if is_meant and response.status_code in {400, 412, 413, 415, 422}:
        error = response.json()["error"]
        assert error["requestId"], f"right by the schema, yet refused: {error}"


def _right_by_schema(case: Case) -> dict[str, Any] | None:
    """The body of a request to copy that is meant to be taken."""
    is_meant = case.meta is not None and case.meta.generation.mode.is_positive
    body: Any = case.body
    return body if is_meant and isinstance(body, dict) and "source" in body else None


def _says_more_than_a_schema_can(body: dict[str, Any]) -> bool:
    source, destination = body["source"], body["destination"]
    if "key" not in source:  # a job of many objects: what fits together there no schema says
        return True
    template = destination.get("key", "{key}")
    metadata = body.get("metadata")
    user = metadata.get("user", {}) if isinstance(metadata, dict) else {}
    return (
        source["bucket"] == destination["bucket"]  # perhaps a copy onto itself
        or len(source["key"].encode()) > LIMIT
        or _makes_no_sure_key(template, source["key"])
        or len({name.lower() for name in user}) < len(user)
        or len(json.dumps(body)) > BODY
        or isinstance(body.get("trafficLimit"), float)  # 819200.0 is an integer to JSON Schema
        or any(isinstance(value, float) for value in body.get("tuning", {}).values())
    )


def _makes_no_sure_key(template: str, key: str) -> bool:
    """Whether the key may come out too long, empty or with a slash in front, or hangs on an unknown zone."""
    found = [match[1] for match in _PLACEHOLDER.finditer(template)]
    names = [name for name in found if name]
    zones = [name[5:].partition(":")[0] for name in names if name.startswith("date@")]
    text = _PLACEHOLDER.sub("", template)
    slashed = text[:1] in {"/", "\\"} or "\\" in key or bool(_SLASHED_DATE.search(template))
    known = zoneinfo.available_timezones()
    return (
        any(zone[:1] not in "+-" and zone not in known for zone in zones)
        or len(template.encode()) + len(names) * max(60, len(key.encode())) > LIMIT
        or (bool(names) and not text.strip("."))
        or (template.startswith("{") and slashed)
        or (template.endswith(("/", "{dir}", "{key}", "{name}", "{stem}", "{ext}")) and "/" in template + key)
    )
