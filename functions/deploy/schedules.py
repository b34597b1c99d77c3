"""When a timer trigger fires, as FC reads its expression.

Expressions (FC documentation, "time triggers"): `@every 5m`, or cron with six fields, seconds first, in UTC
unless `CRON_TZ=<zone>` stands before them. It waits for nothing and knows no trigger.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter

_EVERY = re.compile(r"@every (?P<number>\d+)(?P<unit>[smh])\Z")
_UNITS = {"s": 1, "m": 60, "h": 3600}


def check(expression: str) -> None:
    """ValueError if FC could not read this expression."""
    following(expression, datetime.now(timezone.utc))


def following(expression: str, moment: datetime) -> datetime:
    """The first time after `moment` at which the expression fires."""
    if match := _EVERY.match(expression):
        seconds = int(match["number"]) * _UNITS[match["unit"]]
        if not seconds:
            raise ValueError(f"`cronExpression` {expression!r} never waits")
        return moment + timedelta(seconds=seconds)
    zone, fields = _zone(expression)
    if len(fields.split()) != 6 or not croniter.is_valid(fields, second_at_beginning=True):
        raise ValueError(f"`cronExpression` {expression!r} is neither '@every 5m' nor six cron fields")
    times = croniter(fields, moment.astimezone(zone), second_at_beginning=True)
    found: datetime = times.get_next(datetime)
    return found.astimezone(timezone.utc)


def _zone(expression: str) -> tuple[ZoneInfo, str]:
    if not expression.startswith("CRON_TZ="):
        return ZoneInfo("UTC"), expression
    name, _, fields = expression.removeprefix("CRON_TZ=").partition(" ")
    try:
        return ZoneInfo(name), fields
    except (ZoneInfoNotFoundError, ValueError) as exc:
        raise ValueError(f"`cronExpression` {expression!r} names an unknown time zone") from exc
