"""Bucket and key rules, destination templates and allow lists: all about names, nothing about objects.

OSS normalises no key: `a/../b`, `%2e` and upper case are names like any other, so all comparisons here are of
the exact string.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import string
from datetime import datetime, timedelta, timezone, tzinfo
from urllib.parse import unquote, unquote_to_bytes

import msgspec

from osscopy.model import CopyRequest, Refused

MAX_KEY_BYTES = 1023
SCHEME = "oss://"
BUCKET = r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"  # a pattern without anchors, of the whole text

# Directives of strftime that every C library renders alike; the others differ by platform or locale.
DIRECTIVES = "%ABGHIMSUVWYabdfjmpuwyz"
OFFSET = r"[+-](?:0[0-9]|1[0-4]):[0-5][0-9]"
PARTS = ("key", "dir", "name", "stem", "ext")  # of the source's key: placeholders without a format
ZONE = r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9][A-Za-z0-9_+-]{0,31}){0,2}"
FORMAT = rf"(?:%[{DIRECTIVES}]|[^%{{}}\x00-\x1f\x7f])+"
_DATE = re.compile(rf"date(?:@(?:({OFFSET})|({ZONE})))?:({FORMAT})")


def check_bucket(name: str, field: str) -> None:
    """Refuse what OSS would not accept as a bucket name (it also keeps host names and paths out)."""
    if is_address(name):
        bucket, key = split_address(name)
        rest = f", and {key!r} as the key" if key else ""
        text = f"{name[:80]!r} is an address: write {bucket[:80]!r} as the bucket{rest}"
        raise Refused("InvalidBucketName", text[:300], field=field)
    if not re.fullmatch(BUCKET, name):
        raise Refused(
            "InvalidBucketName",
            f"{name[:80]!r} is no bucket name: 3 to 63 lower-case letters, digits and hyphens",
            field=field,
        )


def is_address(text: str) -> bool:
    """Whether `text` is written as command line tools write an object: `oss://bucket/key`."""
    return text[: len(SCHEME)].lower() == SCHEME


def split_address(text: str) -> tuple[str, str]:
    """Bucket and key of an address; each may be empty."""
    bucket, _, key = text[len(SCHEME) :].partition("/")
    return bucket, key


def check_no_address(key: str, field: str) -> None:
    """Refuse a key that somebody has written as an address; objects that are named so come by rules only."""
    if is_address(key):
        bucket, rest = split_address(key)
        text = (
            f"{key[:80]!r} is an address: write {rest[:80]!r} as the key, and {bucket[:80]!r} as the bucket"
        )
        raise Refused("InvalidKey", text, field=field)


def check_key(key: str, field: str) -> None:
    """Refuse keys OSS cannot hold, and `.` and `..`, which HTTP clients fold away as path segments."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise Refused("InvalidKey", "the key is not valid Unicode", field=field) from None
    if not 1 <= size <= MAX_KEY_BYTES:
        raise Refused(
            "InvalidKey", f"a key has 1 to {MAX_KEY_BYTES} bytes of UTF-8, this one {size}", field=field
        )
    if key[0] in "/\\":
        raise Refused("InvalidKey", f"OSS takes no key that begins with {key[0]}", field=field)
    if key in {".", ".."}:
        raise Refused("InvalidKey", f"{key!r} cannot be addressed over HTTP", field=field)
    if "\0" in key:
        raise Refused("InvalidKey", "the key contains a NUL character", field=field)


def readings(key: str) -> tuple[str, ...]:
    """The keys that the text of an event may stand for, the likeliest first, each once.

    Whether keys come raw or URL-encoded is not documented: as it stands, unquoted, and unquoted with `+` for
    a blank. What is no UTF-8 when it is unquoted was not quoted.
    """
    found = [key]
    for text in (key, key.replace("+", " ")):
        with contextlib.suppress(UnicodeError):
            found.append(unquote_to_bytes(text).decode())
    return tuple(dict.fromkeys(found))


def is_guess(key: str, reading: str) -> bool:
    """Whether a reading of `key` takes `+` for a blank: only the object's ETag can tell that it is meant."""
    return reading not in {key, unquote(key)}


def render(template: str, key: str, moment: datetime) -> str:
    """The destination key for source `key`; `moment` feeds `{date:%Y/%m/%d}`, which is in UTC.

    Placeholders: `{key}`, `{dir}` (with its trailing slash, or empty), `{name}`, `{stem}`, `{ext}` (with its
    dot, or empty), `{date:FORMAT}`, and dates elsewhere: `{date@Asia/Shanghai:FORMAT}` or
    `{date@+08:00:FORMAT}`. Names of zones need a time zone database in the runtime's image, which FC does not
    promise; offsets always work. `{{` and `}}` stand for braces.
    """
    if len(template) > MAX_KEY_BYTES:
        raise Refused(
            "InvalidKey", f"a key or template has at most {MAX_KEY_BYTES} characters", field="destination.key"
        )
    slash = key.rfind("/") + 1
    name = key[slash:]
    dot = name.rfind(".")
    cut = dot if dot > 0 else len(name)
    known = dict(zip(PARTS, (key, key[:slash], name, name[:cut], name[cut:]), strict=True))
    out: list[str] = []
    for literal, placeholder, form, conversion in _pieces(template):
        out.append(literal)
        if placeholder is None:
            continue
        date = _DATE.fullmatch(f"{placeholder}:{form}")
        if date and not conversion and "%" not in date[3]:
            shown = f"{{{placeholder}:{date[3][:40]}}}"
            text = f"{shown} has no directive: write the year, month and day as %Y/%m/%d"
            raise Refused("InvalidTemplate", text, field="destination.key")
        if date and not conversion:
            out.append(_write_date(date[3], moment, _zone(date[1], date[2])))
        elif placeholder in known and not form and not conversion:
            out.append(known[placeholder])
        else:
            text = _objection(placeholder, form or "", conversion)
            raise Refused("InvalidTemplate", text, field="destination.key")
    return "".join(out)


def _objection(placeholder: str, form: str, conversion: str | None) -> str:
    """What is wrong with a placeholder: its conversion, its format, a directive in it, or its name."""
    shown, is_date = f"{{{placeholder[:60]}}}", placeholder.partition("@")[0] == "date"
    if conversion and (is_date or placeholder in PARTS):
        return f"{shown} takes no conversion: leave out !{conversion[:20]}"
    if placeholder in PARTS:
        return f"{shown} takes no format: leave out :{form[:20]}"
    if is_date:
        for directive in re.findall(r"%(.?)", form, re.DOTALL):
            if not directive or directive not in DIRECTIVES:
                known = " ".join(f"%{letter}" for letter in DIRECTIVES)
                return f"a date knows no directive {'%' + directive!r}; it knows {known}"
        return (
            "a date is written {date:FORMAT}, {date@+08:00:FORMAT} or {date@Asia/Shanghai:FORMAT}, where "
            f"FORMAT is text with directives such as %Y/%m/%d, without braces; this one is {shown}"
        )
    return (
        f"unknown placeholder {shown}; known are {{key}} {{dir}} {{name}} {{stem}} {{ext}} "
        "{date:%Y/%m/%d} {date@+08:00:%Y/%m/%d}; write {{ and }} for braces"
    )


def _zone(offset: str | None, name: str | None) -> tzinfo:
    if offset is not None:
        hours, minutes = int(offset[1:3]), int(offset[4:])
        east = timedelta(hours=hours, minutes=minutes)
        return timezone(-east if offset[0] == "-" else east)
    if name is None:
        return timezone.utc
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - costs start-up time that few templates need

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not there; not a zone's file; a folder of zones
        raise Refused(
            "UnknownTimeZone",
            f"this runtime knows no time zone {name[:60]!r}; an offset such as +08:00 always works",
            field="destination.key",
        ) from None


def _write_date(form: str, moment: datetime, zone: tzinfo) -> str:
    """`form` with its directives written one by one, so that no C library sees the text between them."""
    try:
        local = moment.astimezone(zone)
    except OverflowError:
        raise Refused(
            "InvalidTime", "the date lies outside the years 1 to 9999", field="destination.key"
        ) from None

    def write(directive: re.Match[str]) -> str:
        match directive[1]:
            case "Y":
                return f"{local.year:04}"
            case "G":
                return f"{local.isocalendar()[0]:04}"
            case letter:
                return local.strftime(f"%{letter}")

    return re.sub(r"%(.)", write, form)


def keeps_markers_apart(template: str) -> bool:
    """Whether `template` makes a key of its own of each folder marker: `{name}` of `a/b/` is empty."""
    return any(placeholder in {"key", "dir"} for _, placeholder, _, _ in _pieces(template))


def fixed_prefix(template: str, source_prefix: str) -> str:
    """What every key made by `template` starts with, for sources under `source_prefix`."""
    out = ""
    for literal, placeholder, _form, _conversion in _pieces(template):
        out += literal
        if placeholder == "key":
            return out + source_prefix
        if placeholder is not None:
            return out
    return out


def _pieces(template: str) -> list[tuple[str, str | None, str | None, str | None]]:
    try:
        return list(string.Formatter().parse(template))
    except ValueError as error:
        raise Refused(
            "InvalidTemplate", f"{error}; write {{{{ and }}}} for braces", field="destination.key"
        ) from None


def job_group(request: CopyRequest) -> str:
    """How the ids of all jobs with this destination begin, so that one listing finds them."""
    destination = f"{request.destination.bucket}/{request.destination.key}"
    return "c-" + hashlib.sha256(destination.encode()).hexdigest()[:12]


class Pattern(msgspec.Struct, frozen=True):
    """One entry of an allow list: a bucket and a key, or a key prefix (`bucket/prefix*`)."""

    bucket: str
    key: str
    is_prefix: bool

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read `bucket/key` or `bucket/prefix*`; a bare bucket is refused, since it says nothing of keys."""
        if is_address(text):
            raise Refused("InvalidPattern", f"{text!r} is an address: write {text[len(SCHEME) :]!r}")
        bucket, slash, key = text.partition("/")
        check_bucket(bucket, "bucket")
        if not slash or not key or "*" in key[:-1]:
            raise Refused("InvalidPattern", f"{text!r} is not of the form bucket/prefix* or bucket/key")
        return cls(bucket, key.removesuffix("*"), key.endswith("*"))

    def matches(self, bucket: str, key: str) -> bool:
        return bucket == self.bucket and (key.startswith(self.key) if self.is_prefix else key == self.key)
