"""The OpenAPI document from the types that parse; `make openapi` writes it.

It is a file beside the product, which serves it. The shapes are msgspec's; the checks of `events` and
`plan.keys` are added here from the same patterns and limits, as far as JSON Schema can express them. A schema
counts characters where a key's limit is in bytes. It knows neither the time zones of a runtime nor what a
template makes of a key, which keys may end with a slash, or that a copy of an object onto itself changes
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from osscopy import plan
from osscopy.model import GIB, KIB, MIB, BulkRequest, BulkResult, CopyRequest, Problem, Result, Status
from osscopy.plan import keys, templates, validate
from osscopy.plan.bulk import filters, requests as bulk_requests
from osscopy.web import requests

TARGET = Path(__file__).parents[1] / "oss_copy" / "osscopy" / "web" / "openapi.json"

Schema = dict[str, Any]


class Failure(msgspec.Struct):
    """The answer instead of a result."""

    error: Problem


class Page(msgspec.Struct):
    """Copies, and jobs of many objects, in the order of their ids; `next` is the one to go on after."""

    copies: tuple[Result, ...]
    next: str | None


class Again(msgspec.Struct, forbid_unknown_fields=True):
    """Which objects of a job of many to ask for again."""

    only: Literal["all", "failed"] = "all"


class Health(msgspec.Struct):
    """The function runs and its settings are right."""

    status: str


# --- shapes ------------------------------------------------------------------------------------------------


def whole(pattern: str) -> str:
    """Return a pattern that matches only the whole text: those of JSON Schema match anywhere."""
    return f"^(?:{pattern})$"


def between(least: int, most: int) -> str:
    """Return a pattern of the decimal numbers from `least` to `most`, without leading zeros."""
    return "|".join(
        _same_length(str(max(least, 10 ** (digits - 1))), str(min(most, 10**digits - 1)))
        for digits in range(len(str(least)), len(str(most)) + 1)
    )


def _same_length(low: str, high: str) -> str:
    if not low:
        return ""
    rest = len(low) - 1
    if low[0] == high[0]:
        return low[0] + _group(_same_length(low[1:], high[1:]))
    if low[1:] == "0" * rest and high[1:] == "9" * rest:
        return f"[{low[0]}-{high[0]}]" + (f"[0-9]{{{rest}}}" if rest else "")
    first, last = int(low[0]), int(high[0])
    parts = [low[0] + _group(_same_length(low[1:], "9" * rest))]
    if last - first > 1:
        parts.append(_same_length(str(first + 1) + "0" * rest, str(last - 1) + "9" * rest))
    return "|".join([*parts, high[0] + _group(_same_length("0" * rest, high[1:]))])


def _group(pattern: str) -> str:
    return f"(?:{pattern})" if "|" in pattern else pattern


_IN_A_DATE = templates.FORMAT.removesuffix("+")
_FORMAT = rf"[^%{{}}\x00-\x1f\x7f]*%[{templates.DIRECTIVES}]{_IN_A_DATE}*"  # one directive at least
_ZONED = rf"\{{date(?:@(?:{templates.OFFSET}|{templates.ZONE}))?:{_FORMAT}\}}"
_PIECE = rf"\{{\{{|\}}\}}|\{{(?:{'|'.join(templates.PARTS)})\}}|{_ZONED}"
TEMPLATE = rf"(?:[^{{}}\x00/\\]|{_PIECE})(?:[^{{}}\x00]|{_PIECE})*"
SIZES = "|".join(
    f"(?:{between(-(-plan.MIN_PART // unit), plan.MAX_PART // unit)}) ?{name}"
    for name, unit in {"B?": 1, "KiB": KIB, "MiB": MIB, "GiB": GIB}.items()
)


def _any_case(text: str) -> str:
    return "".join(f"[{each.upper()}{each}]" if each.isalpha() else each for each in text)


_NO_USER_NAME = "|".join(
    [f"^{_any_case(validate.HEADERS)}", *(f"^{_any_case(name)}$" for name in sorted(validate.ELSEWHERE))]
)
_BUCKET = {"pattern": whole(keys.BUCKET)}
_KEY = {
    "minLength": 1,
    "maxLength": keys.MAX_KEY_BYTES,
    "not": {"anyOf": [{"enum": [".", ".."]}, {"pattern": f"^{_any_case(keys.SCHEME)}"}]},
}
_LINE = {"pattern": whole(validate.LINE), "maxLength": validate.MAX_LINE}
_VISIBLE = {"pattern": whole(validate.VISIBLE), "maxLength": validate.MAX_LINE}
_DATE = {"pattern": whole(validate.HTTP_DATE)}
_TIME = {"string": {"pattern": whole(filters.MOMENT)}}

# By type and field: what is checked besides the type. "string" and the like name one of several alternatives.
BOUNDS: dict[str, dict[str, Schema]] = {
    "Source": {
        "bucket": _BUCKET,
        "key": {
            **_KEY,
            "pattern": r"^[^\x00/\\][^\x00]*$",
            "description": f"At most {keys.MAX_KEY_BYTES} bytes of UTF-8.",
        },
        "versionId": {"string": {"pattern": whole(validate.VERSION_ID)}},
    },
    "Destination": {
        "bucket": _BUCKET,
        "key": {
            **_KEY,
            "pattern": whole(TEMPLATE),
            "description": "A key, or a template of {key} {dir} {name} {stem} {ext} {date:%Y/%m/%d} "
            "{date@Asia/Shanghai:%Y/%m/%d} {date@+08:00:%Y/%m/%d}; {{ and }} for braces. "
            f"What it makes has at most {keys.MAX_KEY_BYTES} bytes of UTF-8.",
        },
    },
    "Conditions": {
        "ifMatch": {"string": _VISIBLE},
        "ifNoneMatch": {"string": _VISIBLE},
        "ifModifiedSince": {"string": _DATE},
        "ifUnmodifiedSince": {"string": _DATE},
    },
    "ContentHeaders": {
        "contentType": {"string": _LINE},
        "cacheControl": {"string": _LINE},
        "contentDisposition": {"string": _LINE},
        "contentEncoding": {"string": _LINE},
        "contentLanguage": {"string": _LINE},
        "expires": {"string": _LINE},
        "user": {
            "propertyNames": {"pattern": whole(validate.USER_NAME), "not": {"pattern": _NO_USER_NAME}},
            "additionalProperties": {"type": "string", **_LINE},
            "description": "Names without x-oss-meta-; names of headers, and such that differ in case alone, "
            "are refused.",
        },
    },
    "Encryption": {"keyId": {"string": _VISIBLE}},
    "Tuning": {
        "partSize": {
            "integer": {"minimum": plan.MIN_PART, "maximum": plan.MAX_PART},
            "string": {"pattern": whole(SIZES)},
        },
        "parallel": {"integer": {"minimum": 1, "maximum": validate.MAX_PARALLEL}},
        "lanes": {"integer": {"minimum": 1, "maximum": validate.MAX_LANES}},
    },
    "CopyRequest": {
        "tags": {
            "object": {
                "maxProperties": validate.MAX_TAGS,
                "propertyNames": {
                    "minLength": 1,
                    "maxLength": validate.MAX_TAG_KEY,
                    "pattern": whole(r"[^\x00-\x1f\x7f]*"),
                },
                "additionalProperties": {
                    "type": "string",
                    "maxLength": validate.MAX_TAG_VALUE,
                    "pattern": whole(r"[^\x00-\x1f\x7f]*"),
                },
            }
        },
        "trafficLimit": {
            "anyOf": [{"const": 0}, {"minimum": validate.MIN_TRAFFIC, "maximum": validate.MAX_TRAFFIC}],
            "description": "bit/s; 0: none.",
        },
        "archive": {
            "description": "restore: an archived source is restored, and copied once it is readable."
        },
        "symlinks": {"description": "copy: a symlink itself; follow: what it points to, in its own bucket."},
    },
    "BulkSource": {"bucket": {"string": _BUCKET}},
    "BulkDestination": {
        "bucket": _BUCKET,
        "prefix": {"string": {"maxLength": keys.MAX_KEY_BYTES}, "description": "In place of the source's."},
        "key": {"string": {"pattern": whole(TEMPLATE)}, "description": "A template instead."},
    },
    "Manifest": {"bucket": _BUCKET},
    "Former": {"job": {"pattern": whole(plan.BULK_JOB)}},
    "ReportPlace": {"bucket": _BUCKET},
    "Filters": {"modifiedAfter": _TIME, "modifiedBefore": _TIME},
    "BulkRequest": {
        "asOf": _TIME,
        "maxFailures": {"minimum": 0, "maximum": bulk_requests.MAX_FAILURES},
        "maxRate": {"minimum": 0, "maximum": bulk_requests.MAX_RATE},
        "maxWorkers": {"integer": {"minimum": 1, "maximum": bulk_requests.MAX_WORKERS}},
    },
    "BulkResult": {"job": {"string": {"pattern": whole(plan.BULK_JOB)}}},
    "Result": {"job": {"string": {"pattern": whole(plan.COPY_JOB)}}},
    "Status": {"job": {"string": {"pattern": whole(plan.COPY_JOB)}}},
}
_TEXTS = {
    "Source": "The object to copy; its current version unless `versionId` says otherwise.",
    "Destination": "Where to; by default under the source's key.",
    "Encryption": "Server-side encryption of the destination; `keyId` and `dataEncryption` go with KMS.",
    "Tuning": 'How to copy. `partSize` in bytes or as "64MiB"; what is absent is chosen for the object.',
}


SOMETIMES = {"phase", "nextLookAt"}  # of a copy that waits


def schemas() -> dict[str, Schema]:
    """Return the components: request types as they parse, answers with the fields they always have."""
    answers = (Result, Status, BulkResult, Page, Failure, Health)
    requested = (CopyRequest, BulkRequest, Again)
    _, components = msgspec.json.schema_components(
        (*requested, *answers), ref_template="#/components/schemas/{name}"
    )
    _, asked = msgspec.json.schema_components(requested)
    for name, schema in components.items():
        for field, bounds in BOUNDS.get(name, {}).items():
            _refine(schema["properties"][field], bounds)
        if name in _TEXTS:
            schema["description"] = _TEXTS[name]
        if name not in asked:
            schema["required"] = [field for field in schema["properties"] if field not in SOMETIMES]
            schema.pop("additionalProperties", None)
            for field in schema["properties"].values():
                field.pop("default", None)
    components["Page"]["properties"]["copies"]["items"] = _any("Result", "BulkResult")
    components["BulkRequest"]["properties"]["tags"] |= components["CopyRequest"]["properties"]["tags"]
    for field, word in (("delete", "delete"), ("asOf", "versions"), ("versions", "versions")):
        text = f"It needs `{word}` in ALLOWED_OPTIONS."
        components["BulkRequest"]["properties"][field]["description"] = text
    components["BulkRequest"]["properties"]["filters"].pop("default", None)
    components["Filters"]["properties"]["exclude"]["default"] = []  # as JSON has it
    components["Encryption"] |= {
        "if": {"properties": {"algorithm": {"const": "KMS"}}},
        "else": {"properties": {"keyId": {"type": "null"}, "dataEncryption": {"type": "null"}}},
    }
    return components


def _refine(schema: Schema, bounds: Schema) -> None:
    alternatives = {each.get("type"): each for each in schema.get("anyOf", [])}
    for name, value in bounds.items():
        if name in {"string", "integer", "object"}:
            alternatives[name].update(value)
        else:
            schema[name] = value


# --- routes ------------------------------------------------------------------------------------------------

_WHY = {
    400: "the body is not JSON",
    401: "the bearer token is missing or wrong",
    403: "not allowed by the function's settings, or no permission in OSS",
    404: "source, bucket or job is not there (NoSuchJob)",
    405: "the route does not know this method",
    409: "the destination exists or is immutable, the source changed, or the job still runs",
    412: "a condition of the request does not hold",
    413: f"the body has more than {requests.MAX_BODY} bytes",
    415: "the body is no application/json, or has a Content-Encoding",
    422: "a field, named in the answer, is wrong",
    500: "the copy was made and is not proved, or a setting is wrong",
    501: "asked for something that is not available yet",
    503: "for the moment; Retry-After says when to ask again",
}
_ALWAYS = (401, 403, 405, 500, 503)


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _any(*names: str) -> Schema:
    return {"anyOf": [_ref(name) for name in names]}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _responses(good: dict[int, tuple[str, Schema]], *bad: int) -> Schema:
    found: Schema = {
        str(status): {"description": text, "content": _json(schema)}
        for status, (text, schema) in good.items()
    }
    for status in sorted({*_ALWAYS, *bad}):
        found[str(status)] = {"description": _WHY[status], "content": _json(_ref("Failure"))}
    if "202" in found:
        found["202"]["headers"] = {
            "Location": {
                "description": "The path of the copy.",
                "required": True,
                "schema": {"type": "string", "pattern": f"^/copies/{plan.JOB}$"},
            }
        }
    for code, (_, schema) in good.items():
        if schema in (_RESULT, _ref("Result")):
            found[str(code)]["links"] = {
                name: {"operationId": name, "parameters": {"job": "$response.body#/job"}}
                for name in ("look", "cancel", "resubmit")
            }
    found["503"]["headers"] = {
        "Retry-After": {"description": "Seconds.", "required": True, "schema": {"type": "string"}}
    }
    return found


_RESULT = _any("Result", "BulkResult")
_BEGUN = {
    200: ("The copy has ended.", _RESULT),
    202: ("The copy, or the job of many, goes on in the background.", _RESULT),
}
_BEGUN_BAD = (400, 404, 409, 412, 413, 415, 422, 501)
_KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A request that is repeated under one key is one copy.",
    "schema": {"type": "string", "pattern": r"\S"},
}
_JOB = {
    "name": "job",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": whole(plan.JOB)},
}


def _query(name: str, schema: Schema, text: str) -> Schema:
    return {"name": name, "in": "query", "description": text, "schema": schema}


_LISTING = [
    _query("status", {"enum": list(requests.STATUSES)}, "Only these."),
    _query("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}, "Copies in a page."),
    _query("after", {"type": "string", "pattern": f"^(?:{plan.JOB})?$"}, "The `next` of the page before."),
]


def _operation(name: str, summary: str, responses: Schema, **more: object) -> Schema:
    return {"operationId": name, "summary": summary, **more, "responses": responses}


def paths() -> Schema:
    """Return every path with its operations."""
    begun, key = _responses(_BEGUN, *_BEGUN_BAD), [_KEY_HEADER]
    body = {"required": True, "content": _json(_any("CopyRequest", "BulkRequest"))}
    stands = _responses({200: ("As it stands.", _any("Status", "BulkResult"))}, 404)
    only = {"required": False, "content": _json(_ref("Again"))}
    ended = (
        {
            200: ("As it ended.", _RESULT),
            202: ("It will be ended, by its next hop or the sweep.", _RESULT),
        },
        404,
    )
    page = _responses({200: ("A page of them.", _ref("Page"))}, 422)
    listed = "Copies on record, in the order of their jobs"
    look = "How a copy stands; one that was answered 200 may be unknown"
    again = "Ask for the same copy again, as a new job"
    copy = "Copy an object, or all under a prefix"
    return {
        "/copies": {
            "post": _operation("copy", copy, begun, parameters=key, requestBody=body),
            "get": _operation("list", listed, page, parameters=_LISTING),
        },
        "/copies/{job}": {
            "parameters": [_JOB],
            "get": _operation("look", look, stands),
            "delete": _operation("cancel", "End a copy and abort its upload", _responses(*ended)),
        },
        "/copies/{job}/resubmit": {
            "parameters": [_JOB],
            "post": _operation("resubmit", again, begun, parameters=key, requestBody=only),
        },
        "/healthz": {
            "get": _operation(
                "health", "Whether the function runs", _responses({200: ("It does.", _ref("Health"))})
            )
        },
        "/openapi.json": {
            "get": _operation(
                "document", "This document", _responses({200: ("OpenAPI 3.1.", {"type": "object"})})
            )
        },
    }


def document() -> Schema:
    """Return the whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "oss-copy",
            "version": "1",
            "description": "Copies Alibaba Cloud OSS objects without a byte passing through.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths(),
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "API_TOKEN, where it is set. With authType function the request is "
                    "signed with ACS3-HMAC-SHA256, and the token is sent as X-OSS-Copy-Token.",
                }
            },
        },
    }


def text() -> str:
    """Return the content of `openapi.json`."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def fields(schema: object) -> Iterator[str]:
    """Yield all property names anywhere below `schema`."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for value in schema.values():
            yield from fields(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from fields(value)


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
