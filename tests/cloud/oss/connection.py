"""One TCP connection: uvicorn's HTTP protocol, which can also be counted, and closed without an answer.

It must not know what a request asks for.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Connection(HttpToolsProtocol):
    """Known to the application as `scope["state"]["connection"]`."""

    opened: Callable[[], None]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own signature is wider
        super().connection_made(transport)
        # ali-oss's streams send Content-Length beside `Transfer-Encoding: chunked`, which OSS takes
        self.parser.set_dangerous_leniencies(lenient_chunked_length=True)
        self.access_key_ids: set[str] = set()  # whose signed requests came this way
        self.signed_by = ""  # the access key id of the request that is being served
        self.closed = asyncio.Event()
        self.app_state = {"connection": self}
        self.opened()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.closed.set()

    def hang_up(self) -> None:
        """Close without an answer."""
        if self.cycle is not None:
            self.cycle.disconnected = True  # or uvicorn would answer 500 for us
        self.transport.close()
