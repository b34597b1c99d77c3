"""Publishes the layer of the function's dependencies through FC's SDK, once for each content.

FC shows only a CRC64 of a version, and other content with the same CRC64 is easily made. So the SHA-256 is
written into the description, and a version counts as ours only if both are right. Whoever may publish this
layer can still write what they like: only deployers have that right (`oss-copy policy --deployer`).

This module takes a built archive and must not know how it was built. The `s` tool could publish too, but only
with its component at hand, and it cannot tell whether the newest version has the same content.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import msgspec
from alibabacloud_fc20230330 import models
from alibabacloud_fc20230330.client import Client
from darabonba.runtime import RuntimeOptions
from fastcrc import crc64

from functions.cli.account.sdk_errors import asking_fc, body_of, found_in_fc
from functions.cli.errors import ServiceRefused
from functions.cli.template import LAYER

UPLOAD_MILLISECONDS = 600_000  # for 25 MB of Base64 through a slow line


class Published(msgspec.Struct, frozen=True):
    """A version of the layer, and whether it is new."""

    arn: str
    version: int
    new: bool


def publish(client: Client, archive: Path, runtime: str) -> Published:
    """Return the version that holds this archive: the newest one if its checksums match, else a new one.

    Raise ServiceRefused if FC takes none, or if it has published something else than it was given.
    """
    content = archive.read_bytes()
    checksum = str(crc64.xz(content))  # ECMA-182, which FC computes too
    description = f"Dependencies of oss-copy, SHA-256 {hashlib.sha256(content).hexdigest()}"

    def is_ours(version: models.Layer) -> bool:
        return bool(version.code_checksum == checksum and version.description == description)

    with asking_fc(f"layer {LAYER}"):
        newest = _newest(client)
        if newest and is_ours(newest) and runtime in (newest.compatible_runtime or ()):
            return Published(newest.layer_version_arn, newest.version, new=False)
        made = _create(
            client,
            models.CreateLayerVersionInput(
                code=models.InputCodeLocation(zip_file=base64.b64encode(content).decode(), checksum=checksum),
                compatible_runtime=[runtime],
                description=description,
            ),
        )
    if not is_ours(made):
        raise ServiceRefused(f"layer {LAYER}: FC has published something else than it was given")
    return Published(made.layer_version_arn, made.version, new=True)


def _create(client: Client, given: models.CreateLayerVersionInput) -> models.Layer:
    options = RuntimeOptions(connect_timeout=10_000, read_timeout=UPLOAD_MILLISECONDS, autoretry=False)
    request = models.CreateLayerVersionRequest(body=given)
    made: models.Layer = body_of(client.create_layer_version_with_options, LAYER, request, {}, options)
    return made


def _newest(client: Client) -> models.Layer | None:
    """Return the layer's newest version, None if there is none. FC does not say in which order it lists."""
    found: list[models.Layer] = []
    start: str | None = None
    while True:
        asked = models.ListLayerVersionsRequest(limit=100, start_version=start)
        page = found_in_fc(client.list_layer_versions, LAYER, asked)
        if page is None:
            return None
        found += page.layers or []
        if not page.next_version:
            return max(found, key=lambda each: int(each.version), default=None)
        start = str(page.next_version)
