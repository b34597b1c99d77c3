"""One ASGI application on one loopback port, inside a loop that others share.

It knows nothing of what is served. uvicorn is made for one server per process: here several live in one loop,
none of them takes the process's signals, and an application can close a connection without an answer.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ABORT = "connection.abort"  # scope["extensions"][ABORT]() closes the connection at once


class _Protocol(HttpToolsProtocol):
    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {ABORT: self.transport.abort}
        self.scope["extensions"] = extensions


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals belong to whoever runs the loop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class Listener:
    """Serves `app` on 127.0.0.1 from `start` to `stop`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.url = ""
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, port: int = 0) -> str:
        """Listen on `port` (0: any free one) and return the URL."""
        listening = socket.create_server(("127.0.0.1", port), backlog=1024)
        config = uvicorn.Config(
            self._app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=120,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]))
        ready = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait({self._task, ready}, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            ready.cancel()
            self._task.result()
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        return self.url

    async def stop(self) -> None:
        """Close the port and the connections; requests in progress get a moment to end."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        with suppress(asyncio.CancelledError):
            await self._task
        self._server = self._task = None


async def hang_up(scope: MutableMapping[str, Any]) -> None:
    """Close the connection of this request now; whatever is answered afterwards goes nowhere."""
    scope["extensions"][ABORT]()
    await asyncio.sleep(0.01)  # the transport reports the loss in one of the next turns of the loop
