"""The ways in which somebody is told: another function of the account, and a receiver by HTTPS.

Knows what each way is sent; not when, nor how a request is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeAlias

from osscopy.model import Failed, Transient
from osscopy.model.ports import Clock, Invoker
from osscopy.plan.telling import receivers
from osscopy.plan.telling.choice import Telling
from osscopy.plan.telling.news import JobEnded, News

Post: TypeAlias = Callable[[str, dict[str, str], bytes], tuple[int, bytes]]


class FunctionWay:
    """Another function, invoked asynchronously; in task mode FC drops a message that comes twice."""

    name = "function"

    def __init__(self, invoker: Invoker) -> None:
        self._invoker = invoker

    def send(self, message: News) -> None:
        payload = receivers.payload_of(message)
        if isinstance(message, JobEnded):
            task = f"told-{message.result.job}"
        else:
            task = f"told-{hashlib.sha256(payload).hexdigest()[:32]}"
        self._invoker.submit(task, payload, 0)


class UrlWay:
    """A receiver by HTTPS. `post` sends URL, headers and body, and returns status and body of the answer."""

    name = "url"

    def __init__(
        self,
        receiver: receivers.Receiver,
        post: Post,
        clock: Clock,
    ) -> None:
        self._receiver = receiver
        self._post = post
        self._clock = clock

    def send(self, message: News) -> None:
        asked = receivers.post_of(self._receiver, message, self._clock.now())
        status, body = self._post(asked.url, asked.headers, asked.body)
        why = receivers.judge(self._receiver, status, body)
        if why is None:
            return
        if status >= 500:
            raise Transient("NotTaken", why)
        raise Failed("NotTaken", why)


def of(telling: Telling, invoker: Invoker, post: Post, clock: Clock) -> tuple[FunctionWay | UrlWay, ...]:
    """Return the ways that the settings name; `invoker` is that of the function that is told."""
    functions = (FunctionWay(invoker),) if telling.function else ()
    return (*functions, *((UrlWay(telling.receiver, post, clock),) if telling.receiver else ()))
