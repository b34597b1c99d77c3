"""Computes when a timer trigger fires, as FC reads its expression.

Expressions (FC documentation, "time triggers"): `@every 5m`, or cron with six fields, seconds first, in UTC
unless `CRON_TZ=<zone>` stands before them. This module waits for nothing and knows no trigger.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterBadDateError, croniter

_NAMES = {
    4: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    5: ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"],
}
# Field, lowest and highest number: no special character in seconds, weekdays from Monday (1) to Sunday (7).
_FIELDS = (
    ("seconds", 0, 59),
    ("minutes", 0, 59),
    ("hours", 0, 23),
    ("days", 1, 31),
    ("months", 1, 12),
    ("weekdays", 1, 7),
)
_EVERY = re.compile(r"@every (?P<number>\d+)(?P<unit>[smh])\Z")
_UNITS = {"s": 1, "m": 60, "h": 3600}


def check(expression: str) -> None:
    """Raise ValueError if FC cannot read this expression."""
    following(expression, datetime.now(timezone.utc))


def following(expression: str, moment: datetime) -> datetime:
    """Return the first time after `moment` at which it fires; raise ValueError as `check` does."""
    if match := _EVERY.match(expression):
        seconds = int(match["number"]) * _UNITS[match["unit"]]
        if not seconds:
            raise ValueError(f"`cronExpression` {expression!r} does not wait at all")
        return moment + timedelta(seconds=seconds)
    zone, fields = _zone(expression)
    if len(fields.split()) != 6:
        raise ValueError(f"`cronExpression` {expression!r} is neither '@every 5m' nor six cron fields")
    for index, text in enumerate(fields.split()):
        if wrong := _wrong(index, text):
            raise ValueError(f"`cronExpression` {expression!r}: {wrong}")
    if not croniter.is_valid(fields, second_at_beginning=True):
        raise ValueError(f"`cronExpression` {expression!r} is no cron expression")
    times = croniter(fields, moment.astimezone(zone), second_at_beginning=True)
    try:
        found: datetime = times.get_next(datetime)
    except CroniterBadDateError as exc:
        raise ValueError(f"`cronExpression` {expression!r} never fires") from exc
    return found.astimezone(timezone.utc)


def _wrong(index: int, text: str) -> str | None:
    """Say why FC cannot read a field: it knows `*` `,` `-` `/` and, for days, `?`, but no `L` `W` `#`."""
    name, least, most = _FIELDS[index]
    if index == 0:
        right = text.isdecimal() and least <= int(text) <= most
        return None if right else f"{name} are one number from {least} to {most}, not {text!r}"
    if text == "?" and name in {"days", "weekdays"}:
        return None
    for part in text.split(","):
        span, slash, step = part.partition("/")
        ends = [] if span == "*" else span.split("-")
        known = len(ends) <= 2 and all(_is_one(index, each) for each in ends)
        if not known or (slash and not (step.isdecimal() and int(step))):
            return f"{name} are {least} to {most} with * , - and / only, not {text!r}"
    return None


def _is_one(index: int, text: str) -> bool:
    _, least, most = _FIELDS[index]
    return text.upper() in _NAMES.get(index, ()) or (text.isdecimal() and least <= int(text) <= most)


def _zone(expression: str) -> tuple[ZoneInfo, str]:
    if not expression.startswith("CRON_TZ="):
        return ZoneInfo("UTC"), expression
    name, _, fields = expression.removeprefix("CRON_TZ=").partition(" ")
    try:
        return ZoneInfo(name), fields
    except (ZoneInfoNotFoundError, ValueError) as exc:
        raise ValueError(f"`cronExpression` {expression!r} names an unknown time zone") from exc
