"""The layer of the function's dependencies in an account: published through FC's SDK, once for each content.

FC tells of a version its CRC64 alone, for which other content is easily made; so its SHA-256 is put into the
description, and a version counts as ours only if both are right. Whoever may publish this layer can still
write what they like: that right is the deployer's alone (`make policy ARGS=--deployer`).

It takes a built archive and knows nothing of how it was built. The `s` tool could publish too, but only with
its component at hand, and it cannot tell whether the newest version holds the same.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import msgspec
from alibabacloud_fc20230330 import models
from alibabacloud_fc20230330.client import Client
from darabonba.exceptions import DaraException
from darabonba.runtime import RuntimeOptions
from fastcrc import crc64

from functions.cli.account.credentials import Refusal

NAME = "oss-copy-sdk"
UPLOAD_MILLISECONDS = 600_000  # for 25 MB of Base64 through a thin line


class Published(msgspec.Struct, frozen=True):
    """A version of the layer, and whether it is new."""

    arn: str
    version: int
    new: bool


def publish(client: Client, archive: Path, runtime: str) -> Published:
    """The version that holds this archive: the newest one if its checksums say so, else a new one.

    Refusal with FC's words if it takes none, or if what it says it took is something else.
    """
    content = archive.read_bytes()
    checksum = str(crc64.xz(content))  # ECMA-182, which FC computes too
    description = f"Dependencies of oss-copy, SHA-256 {hashlib.sha256(content).hexdigest()}"

    def holds(version: models.Layer) -> bool:
        return bool(version.code_checksum == checksum and version.description == description)

    try:
        newest = _newest(client)
        if newest and holds(newest) and runtime in (newest.compatible_runtime or ()):
            return Published(newest.layer_version_arn, newest.version, new=False)
        made = client.create_layer_version_with_options(
            NAME,
            models.CreateLayerVersionRequest(
                body=models.CreateLayerVersionInput(
                    code=models.InputCodeLocation(
                        zip_file=base64.b64encode(content).decode(), checksum=checksum
                    ),
                    compatible_runtime=[runtime],
                    description=description,
                )
            ),
            {},
            RuntimeOptions(connect_timeout=10_000, read_timeout=UPLOAD_MILLISECONDS, autoretry=False),
        ).body
    except DaraException as error:
        raise Refusal(f"layer {NAME}: {error.code}: {error.message}") from error
    if not holds(made):
        raise Refusal(f"layer {NAME}: FC has published something else than it was given")
    return Published(made.layer_version_arn, made.version, new=True)


def _newest(client: Client) -> models.Layer | None:
    """The layer's newest version; None if there is none yet. FC does not say in which order it lists."""
    found: list[models.Layer] = []
    start: str | None = None
    while True:
        try:
            page = client.list_layer_versions(
                NAME, models.ListLayerVersionsRequest(limit=100, start_version=start)
            ).body
        except DaraException as error:
            if getattr(error, "status_code", None) == 404:
                return None
            raise
        found += page.layers or []
        if not page.next_version:
            return max(found, key=lambda each: int(each.version), default=None)
        start = str(page.next_version)
