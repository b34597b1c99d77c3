"""What the OSS server tells the triggers: an object was written."""

from __future__ import annotations

import msgspec


class ObjectEvent(msgspec.Struct, frozen=True):
    """One change of one object, as an OSS notification describes it. `name` has no `oss:` prefix."""

    name: str  # "ObjectCreated:PutObject"
    bucket: str
    key: str
    size: int
    delta_size: int
    etag: str  # without quotes
    request_id: str
    principal: str
    source_ip: str
    time: float  # Unix seconds
