"""What a fault makes of a request; `conditions.Fault` says what each kind means."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from tests.cloud.conditions import DOCUMENTS, Fault

from .errors import QOS_DELAY, OssError
from .protocol import Response

_SOME = b'<?xml version="1.0" encoding="UTF-8"?>\n<Result><ETag>"0"</ETag></Result>'
_OTHER = b'<?xml version="1.0" encoding="UTF-8"?>\n<Surprise><ETag>"0"</ETag></Surprise>'
LATE = 2.0  # seconds by which a "delay" comes late


async def strike(
    fault: Fault,
    effect: Callable[[], Response],
    *,
    tell: Callable[[OssError], bytes],
    count: Callable[[OssError], None],
    kill: Callable[[], None],
    gone: Callable[[], Awaitable[None]],
) -> Response | None:
    """Carry out `effect` as the fault has it; None when the connection is to be closed without an answer.

    `tell` gives the document of an error, `count` takes errors that nobody hears, `kill` kills who asked,
    `gone` waits for client or server to go.
    """

    def unheard() -> None:
        try:
            effect()
        except OssError as error:
            count(error)

    if fault.error is not None or fault.answer in DOCUMENTS:
        return _told(fault, effect, unheard, tell)
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


def _told(
    fault: Fault,
    effect: Callable[[], Response],
    unheard: Callable[[], None],
    tell: Callable[[OssError], bytes],
) -> Response:
    """An error, or status 200 and a body that cannot be read as the operation's; none stays none."""
    if fault.error is not None:
        if fault.happens:
            unheard()
        delay = ((b"x-oss-qos-delay-time", b"100"),) if fault.error in QOS_DELAY else ()
        error = OssError(fault.error, headers=delay)
        if fault.answer is None:
            raise error
        return Response(body=tell(error))
    response = effect() if fault.happens else Response(body=_SOME)
    body = bytes(response.body)
    match fault.answer:
        case "wrong-root" if body:
            return replace(response, body=_OTHER)
        case "truncated":
            return replace(response, body=body[: len(body) // 2])
        case "broken-off" if body:
            length = (b"content-length", str(len(body)).encode())
            headers = (*response.headers, length)
            return replace(response, headers=headers, body=body[: len(body) // 2], broken_off=True)
        case "empty":
            return replace(response, body=b"")
        case _:
            return response


def _without_crc64(response: Response) -> Response:
    """As of a service, or an object, that has no CRC64."""
    headers = tuple(item for item in response.headers if item[0] != b"x-oss-hash-crc64ecma")
    body = re.sub(rb"<HashCrc64ecma>[0-9]*</HashCrc64ecma>", b"", bytes(response.body or b""))
    return replace(response, headers=headers, body=body)
