"""Telling what happened to objects to whoever listens: the triggers."""

from __future__ import annotations

from tests.cloud.events import ObjectEvent

from .protocol import Call
from .state import Store
from .versions import Version


def tell(store: Store, call: Call, name: str, version: Version, old: Version | None = None) -> None:
    """Event `name` of `version`; `delta_size` is against what the key held before."""
    if store.notify is None:
        return
    size = version.content.size
    store.notify(
        ObjectEvent(
            name=name,
            bucket=call.bucket,
            key=version.key,
            size=size,
            delta_size=size - (old.content.size if old is not None else 0),
            etag=version.etag,
            request_id=call.request_id,
            principal=call.principal,
            source_ip=call.source_ip,
            time=store.clock(),
        )
    )
