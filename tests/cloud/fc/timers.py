"""What the timer trigger says when it fires."""

from __future__ import annotations

import json
from datetime import datetime, timezone


def timer_event(trigger_name: str, payload: str, moment: datetime) -> bytes:
    """What the function gets; `payload` is text, whatever it contains."""
    return json.dumps(
        {
            "triggerTime": f"{moment.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
            "triggerName": trigger_name,
            "payload": payload,
        },
        ensure_ascii=False,
    ).encode()
