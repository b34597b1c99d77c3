"""HTTP for oss2: urllib3's connections, without what requests does around them.

Knows how a request that oss2 has signed is sent, and what oss2 asks of an answer; nothing of OSS, and not
what an error means.
"""

from __future__ import annotations

import functools
import io
import ssl
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import TypeAlias
from urllib.parse import urlencode

import certifi
import msgspec
from urllib3 import PoolManager, Retry, Timeout
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_ import create_urllib3_context

from osscopy.aliyun.wire.sdk import oss2

Seconds: TypeAlias = tuple[float, float]  # to connect; to wait for each piece of the answer

_ONCE = Retry(False)  # errors as they are, and no second request
_CHUNK = 8192  # bytes


class Request(msgspec.Struct):
    """A request as oss2 signs it: it writes into `headers`. `url` without query; `data` is the body.

    `most`: bytes of the answer's body; of a longer one nothing is kept.
    """

    method: str
    url: str
    params: Mapping[str, str]
    headers: MutableMapping[str, str | bytes]
    data: bytes | None
    region: str
    product: str = "oss"
    cloudbox_id: str | None = None
    most: int | None = None


class Answer:
    """An answer as oss2 reads it: `status`, `headers`, `request_id`, and the body, which is here already.

    The body is as it was sent, whatever Content-Encoding says: nothing is unpacked that nobody has asked for.
    `is_whole`: it is not longer than was asked for.
    """

    def __init__(
        self, status: int, headers: Mapping[str, str], body: bytes, *, is_whole: bool = True
    ) -> None:
        self.is_whole = is_whole
        self.status = status
        self.headers = headers
        self.request_id = headers.get("x-oss-request-id", "")
        self.response = io.BytesIO(body)  # oss2 closes it under this name

    def read(self, amt: int | None = None) -> bytes:
        """Return the next `amt` bytes of the body, all that is left by default."""
        return self.response.read(amt)

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(_CHUNK), b"")


class Session:
    """The session of `oss2.Bucket`, shared by threads: it keeps `kept` connections to a host, at most.

    It neither repeats nor follows a redirect, since a signature is for one address, and asks the environment
    for nothing: a proxy or `.netrc` has no say in what the platform signs and where that goes.
    """

    def __init__(self, kept: int) -> None:
        self._pool = _pools(kept)

    def do_request(self, req: Request, timeout: Seconds) -> Answer:
        """Return the answer, whatever its status.

        `RequestError` of oss2 if none has begun, with urllib3's error as `exception`; urllib3's HTTPError if
        it has broken off.
        """
        origin, target = address(req.url, req.params)
        connect, wait = timeout
        try:
            given = self._pool(origin).urlopen(
                req.method,
                target,
                body=req.data or None,
                headers=_framed(req),
                retries=_ONCE,
                redirect=False,
                assert_same_host=False,
                timeout=Timeout(connect=connect, read=wait),
                preload_content=False,
            )
        except HTTPError as error:
            raise oss2.exceptions.RequestError(error) from error
        if req.most is not None:
            body = given.read(req.most + 1, decode_content=False)
            if len(body) > req.most:
                given.close()  # and the connection with it: nobody reads the rest
                return Answer(given.status, given.headers, b"", is_whole=False)
        else:
            body = b""
        body += given.read(decode_content=False)  # all of it: only then is the connection free for the next
        return Answer(given.status, given.headers, body)


def _pools(kept: int) -> Callable[[str], HTTPConnectionPool]:
    """Return what finds the connections to a `scheme://host`; they are closed as soon as nobody has it."""
    manager = PoolManager(num_pools=kept, maxsize=kept)

    @functools.lru_cache(kept)
    def pool(origin: str) -> HTTPConnectionPool:
        secure = {"ssl_context": trusting(certifi.where())} if origin.startswith("https:") else None
        return manager.connection_from_url(origin, secure)

    return pool


def address(url: str, params: Mapping[str, str]) -> tuple[str, str]:
    """Return where to connect, as `scheme://host`, and what to ask for there; `url` is quoted already."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    return f"{scheme}://{host}", f"/{path}?{urlencode(params)}" if params else f"/{path}"


def _framed(req: Request) -> Mapping[str, str]:
    """Return the headers with the length of the body: that of none is said too where there could be one."""
    headers = dict(req.headers)
    if req.data or req.method not in {"GET", "HEAD"}:
        headers["Content-Length"] = str(len(req.data or b""))
    return headers  # type: ignore[return-value]  # urllib3 sends bytes as they are


@functools.cache
def trusting(authorities: str) -> ssl.SSLContext:
    """Return how servers are verified: by name, and by an authority of this PEM file. Reading it is slow."""
    context = create_urllib3_context()
    context.load_verify_locations(authorities)
    return context
