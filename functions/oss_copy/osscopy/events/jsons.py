"""JSON to values, with refusals that say what is wrong and where. Knows no format."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

import msgspec

from osscopy.model import Refused
from osscopy.plan import keys

# Of messages of msgspec.
_AT = r"(.*?)(?: - at `(?:key in )?\$\.?(.*)`)?"
_FIELD = r"(?:unknown|required) field `([^`]*)`"


def unmarked(text: bytes) -> bytes:
    """Return `text` without the byte order mark that some editors write before UTF-8."""
    return text.removeprefix(b"\xef\xbb\xbf")


def is_list(text: bytes) -> bool:
    """Return whether `text` is a list, if it is JSON."""
    return text.lstrip()[:1] == b"["


def is_object(text: bytes) -> bool:
    """Return whether `text` is an object, if it is JSON."""
    return text.lstrip()[:1] == b"{"


def decode(data: bytes, kind: Any, at: str) -> Any:  # noqa: ANN401 - msgspec takes any type and returns it
    """Return `data` as `kind`; Refused names the field, below `at` if that is given."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        found = re.fullmatch(_AT, str(error), re.DOTALL)
        text, path = (found[1], found[2]) if found else (str(error), "")
        named = re.search(_FIELD, text)
        field = ".".join(filter(None, (at, path, named and named[1])))
        code = "UnknownField" if "unknown field" in text else "MissingField" if named else "InvalidField"
        raise Refused(code, _explain(text, data, kind, path), field=field or None) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("InvalidJson", f"not JSON: {str(error)[:200]}", field=at or None) from None


def decode_fields(data: bytes, at: str) -> dict[str, msgspec.Raw]:
    """Return the fields of a JSON object, their values not read yet."""
    fields: dict[str, msgspec.Raw] = decode(data, dict[str, msgspec.Raw], at)
    return fields


def read_time(text: str, field: str) -> datetime:
    """Read a moment as RFC 3339 writes it; one without a time zone is UTC."""
    try:
        moment = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        raise Refused("InvalidTime", f"{text[:40]!r} is no RFC 3339 time", field=field) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _explain(text: str, data: bytes, kind: Any, path: str) -> str:  # noqa: ANN401 - as for `decode`
    """Add to msgspec's `text` the values that are known, or how an address is written as an object."""
    is_unknown = text.startswith("Invalid enum value")
    if not is_unknown and "got `str`" not in text:
        return text[:300]
    from osscopy.events import choices  # noqa: PLC0415 - start-up time that only a refusal needs

    if is_unknown:
        return f"{text[:200]}; known are {', '.join(choices.at(kind, path))}"
    given = choices.given(data, path) if path else None
    if not isinstance(given, str) or not keys.is_address(given):
        return text[:300]
    fields = choices.fields(kind, path)
    if fields[:2] in (["bucket", "key"], ["bucket", "prefix"]):
        parts = zip(fields, keys.split_address(given), strict=False)
        form = msgspec.json.encode({name: value for name, value in parts if value}).decode()
        return f"an object is taken here, no address: write {form[:1200]}"
    return text[:300]
