"""The entry points Function Compute calls: `index.handler` and, once an instance, `index.initialize`."""

from __future__ import annotations

import functools

from osscopy.aliyun.fc_context import Context
from osscopy.app import App

app = functools.cache(App)


def initialize(context: Context) -> None:  # noqa: ARG001 - FC passes it
    """Read the settings before the first event, so that a wrong one fails here and by name."""
    app()


def handler(event: bytes, context: Context) -> object:
    """Answer one event of any trigger."""
    return app().handle(event, context)
