"""Templates of destination keys, such as `{dir}{date:%Y/%m/%d}/{name}`. Knows nothing of objects."""

from __future__ import annotations

import re
import string
from datetime import datetime, timedelta, timezone, tzinfo

from osscopy.model import Refused
from osscopy.plan.keys import MAX_KEY_BYTES

# Directives of strftime that every C library renders alike; the others differ by platform or locale.
DIRECTIVES = "%ABGHIMSUVWYabdfjmpuwyz"
OFFSET = r"[+-](?:0[0-9]|1[0-4]):[0-5][0-9]"
PARTS = ("key", "dir", "name", "stem", "ext")  # of the source's key: placeholders without a format
ZONE = r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9][A-Za-z0-9_+-]{0,31}){0,2}"
FORMAT = rf"(?:%[{DIRECTIVES}]|[^%{{}}\x00-\x1f\x7f])+"
_DATE = rf"date(?:@(?:({OFFSET})|({ZONE})))?:({FORMAT})"


def render(template: str, key: str, moment: datetime) -> str:
    """Return the destination key for source `key`; `moment` is the time that `{date:%Y/%m/%d}` shows, in UTC.

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
        date = re.fullmatch(_DATE, f"{placeholder}:{form}")
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
    """Tell what is wrong with a placeholder: its conversion, its format, a directive in it, or its name."""
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
    """Write the directives of `form` one by one, so that no C library sees the text between them."""
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
    """Return whether `template` makes a different key of each folder marker: `{name}` of `a/b/` is empty."""
    return any(placeholder in {"key", "dir"} for _, placeholder, _, _ in _pieces(template))


def names_one_source(template: str) -> bool:
    """Return whether a key has one source, whenever it was made: it has all of that, and no date."""
    named = {(placeholder or "").partition("@")[0] for _, placeholder, _, _ in _pieces(template)}
    return "key" in named and "date" not in named


def prefix_before_key(template: str) -> str | None:
    """Return what `template` puts before the source's key; None if it does anything else."""
    pieces = _pieces(template)
    if [placeholder for _, placeholder, _, _ in pieces if placeholder is not None] != ["key"]:
        return None
    before = "".join(literal for literal, _, _, _ in pieces)
    return before if pieces[-1][1] == "key" else None


def fixed_prefix(template: str, source_prefix: str) -> str:
    """Return the prefix of all keys that `template` makes of sources under `source_prefix`."""
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
