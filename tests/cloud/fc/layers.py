"""Published layers: versions counted from 1, unpacked as they would lie below /opt.

It knows no functions. Error codes: those that Alibaba's own Terraform provider looks for on this API.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec

from tests.cloud.fc import errors
from tests.cloud.fc.packages import Location, Package

MOST_RUNTIMES = 20  # that a layer may name
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}\Z")
_ARN = re.compile(
    r"acs:fc:(?P<region>[^:]+):(?P<account>[^:]+):layers/(?P<name>[^/]+)/versions/(?P<version>\d+)\Z"
)


class CreateLayerVersion(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """The body of the request, as `CreateLayerVersionInput` spells it."""

    code: Location
    compatible_runtime: Annotated[tuple[str, ...], msgspec.Meta(max_length=MOST_RUNTIMES)] = ()
    description: str = ""
    license: str = ""


class Layer(msgspec.Struct, frozen=True):
    """One version of a layer."""

    name: str
    version: int
    arn: str
    package: Package
    asked: CreateLayerVersion
    created: float

    def view(self) -> dict[str, object]:
        """What the API answers: `Layer` of API 2023-03-30."""
        return {
            "layerName": self.name,
            "version": self.version,
            "layerVersionArn": self.arn,
            "acl": "0",
            "codeSize": self.package.size,
            "codeChecksum": self.package.checksum,
            "compatibleRuntime": list(self.asked.compatible_runtime),
            "createTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.created)),
            "description": self.asked.description,
            "license": self.asked.license,
        }


class Layers:
    """The layers of one account in one region. A version's number is never given out again."""

    def __init__(self, region: str, account_id: str) -> None:
        self._region = region
        self._account_id = account_id
        self._versions: dict[str, dict[int, Layer]] = {}
        self._counts: dict[str, int] = {}

    def publish(self, name: str, asked: CreateLayerVersion, package: Package) -> Layer:
        """The next version of this layer."""
        version = self._counts.get(name, 0) + 1
        self._counts[name] = version
        arn = f"acs:fc:{self._region}:{self._account_id}:layers/{name}/versions/{version}"
        layer = Layer(name, version, arn, package, asked, time.time())
        self._versions.setdefault(name, {})[version] = layer
        return layer

    def version(self, name: str, version: str) -> Layer:
        """FcError 404 LayerNotFound or LayerVersionNotFound."""
        versions = self._versions.get(name)
        if not versions:
            raise errors.FcError(404, "LayerNotFound", f"layer '{name}' does not exist")
        if not version.isdecimal() or int(version) not in versions:
            raise errors.FcError(
                404, "LayerVersionNotFound", f"version '{version}' of layer '{name}' does not exist"
            )
        return versions[int(version)]

    def versions(self, name: str, start: int, limit: int) -> tuple[list[Layer], int | None]:
        """Versions from `start` on, at most `limit`, and the number to go on with."""
        if not self._versions.get(name):
            raise errors.FcError(404, "LayerNotFound", f"layer '{name}' does not exist")
        found = [layer for number, layer in sorted(self._versions[name].items()) if number >= start]
        return found[:limit], found[limit].version if len(found) > limit else None

    def delete(self, name: str, version: str) -> None:
        """Functions that have it keep it, as they do on FC."""
        del self._versions[name][self.version(name, version).version]

    def resolve(self, arns: Sequence[str], runtime: str, known: Iterable[Layer] = ()) -> tuple[Layer, ...]:
        """The layers that these ARNs name; FcError if one is not here or not made for `runtime`.

        `known` are those a function has already: they may have been deleted meanwhile.
        """
        kept = {layer.arn: layer for layer in known}
        return tuple(self._resolve(arn, runtime, kept.get(arn)) for arn in arns)

    def _resolve(self, arn: str, runtime: str, kept: Layer | None) -> Layer:
        match = _ARN.match(arn)
        if match is None or (match["region"], match["account"]) != (self._region, self._account_id):
            raise errors.invalid_argument(
                f"layer '{arn}' is not acs:fc:{self._region}:{self._account_id}:layers/<name>/versions/<n>"
            )
        layer = kept or self.version(match["name"], match["version"])
        runtimes = layer.asked.compatible_runtime
        if runtimes and runtime not in runtimes:
            raise errors.invalid_argument(f"layer '{arn}' is made for {', '.join(runtimes)}, not {runtime}")
        return layer


def check_name(name: str) -> None:
    """FcError InvalidArgument if FC would not take this name for a layer."""
    if not _NAME.match(name):
        raise errors.invalid_argument(f"layer name '{name}' is not letters, digits, '_' and '-', at most 64")
