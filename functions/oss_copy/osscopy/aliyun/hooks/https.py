"""One POST to a receiver: a few seconds, no redirect, no repetition, no proxy of the environment.

Knows HTTP; not what is sent, nor what the answer means. The URL is a secret, and so is no part of an error.
"""

from __future__ import annotations

import logging
import time

import certifi
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from osscopy.aliyun.wire.session import trusting
from osscopy.model import Transient

SECONDS = 3.0  # for connecting and the answer together
MOST = 4096  # bytes of an answer that are read

logging.getLogger("urllib3").setLevel(logging.ERROR)  # its warnings show the URL


def post(url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    """Return status and the beginning of the answer's body; Transient if there is none in time.

    A redirect is an answer like others: it is not followed, since the settings do not name where it leads.
    """
    secure = trusting(certifi.where()) if url.startswith("https:") else None
    until = time.monotonic() + SECONDS
    with PoolManager(num_pools=1, maxsize=1, ssl_context=secure) as pools:
        try:
            given = pools.urlopen(
                "POST",
                url,
                body=body,
                headers=headers,
                retries=Retry(False),
                redirect=False,
                timeout=Timeout(total=SECONDS),
                preload_content=False,
            )
            answer = b""
            while len(answer) < MOST and time.monotonic() < until:
                if not (piece := given.read1(MOST, decode_content=False)):
                    break
                answer += piece
        except HTTPError as error:  # its text may show the URL
            raise Transient("NotReached", f"no answer: {type(error).__name__}", in_doubt=True) from None
        given.close()  # nobody reads the rest
        return given.status, answer
