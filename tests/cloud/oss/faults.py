"""What a fault makes of a request; `conditions.Fault` says what each kind means."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from tests.cloud.conditions import Fault

from .errors import QOS_DELAY, OssError
from .protocol import Response

LATE = 2.0  # seconds by which a "delay" comes late


async def strike(
    fault: Fault,
    effect: Callable[[], Response],
    *,
    count: Callable[[OssError], None],
    kill: Callable[[], None],
    gone: Callable[[], Awaitable[None]],
) -> Response | None:
    """Carry out `effect` as the fault has it; None when the connection is to be closed without an answer.

    `count` takes errors that nobody hears, `kill` kills who asked, `gone` waits for client or server to go.
    """

    def unheard() -> None:
        try:
            effect()
        except OssError as error:
            count(error)

    if fault.error is not None:
        delay = ((b"x-oss-qos-delay-time", b"100"),) if fault.error in QOS_DELAY else ()
        raise OssError(fault.error, headers=delay)
    match fault.answer:
        case "reset":
            return None
        case "stall":
            await gone()
            return None
        case "lost":
            unheard()
            return None
        case "kill":
            kill()
            unheard()
            return None
        case "duplicate":
            # the second one is a copy of the request that the network delivers later: nobody hears its answer
            response = effect()
            unheard()
            return response
        case "delay":
            await asyncio.sleep(LATE)
        case "bare":
            return _without_crc64(effect())
    return effect()


def _without_crc64(response: Response) -> Response:
    """As of a service, or an object, that has no CRC64."""
    headers = tuple(item for item in response.headers if item[0] != b"x-oss-hash-crc64ecma")
    body = re.sub(rb"<HashCrc64ecma>[0-9]*</HashCrc64ecma>", b"", bytes(response.body or b""))
    return replace(response, headers=headers, body=body)
