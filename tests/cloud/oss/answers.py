"""Answers on the wire: the headers every answer has, errors as XML, objects streamed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .errors import OssError, in_header
from .protocol import Response, http_date

if TYPE_CHECKING:
    from uvicorn._types import ASGISendCallable

_XML = (b"content-type", b"application/xml")


def refusal(error: OssError, request_id: str, host: str, operation: str, method: str) -> Response:
    """An error as OSS tells it; HEAD has no body, so the XML stands in a header, and 304 has neither."""
    ec = error.ec_in(operation)
    if error.status == 304:
        return Response(304, (*error.headers, (b"x-oss-ec", ec.encode())))
    body = error.document(request_id, host, ec)
    headers = (*error.headers, (b"x-oss-ec", ec.encode()), _XML)
    if method == "HEAD":
        return Response(error.status, (*headers, (b"x-oss-err", in_header(body))))
    return Response(error.status, headers, body)


async def send_answer(
    response: Response, request_id: str, seconds: float, method: str, send: ASGISendCallable, *, close: bool
) -> None:
    """`seconds` is how long the request took; `close` ends the connection with it."""
    headers = [
        (b"server", b"AliyunOSS"),
        (b"date", http_date(time.time())),
        (b"x-oss-request-id", request_id.encode()),
        (b"x-oss-server-time", str(int(seconds * 1000)).encode()),
        *response.headers,
    ]
    names = {name for name, _ in response.headers}
    if response.status != 304 and b"content-length" not in names and b"transfer-encoding" not in names:
        length = response.stop - response.start if response.content is not None else len(response.body)
        headers.append((b"content-length", str(length).encode()))
    if response.body and b"content-type" not in names:
        headers.append(_XML)
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if response.content is not None and method != "HEAD":
        for chunk in response.content.chunks(response.start, response.stop):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": response.body, "more_body": response.broken_off})
