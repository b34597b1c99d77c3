"""A copy request and a rule: the contract with whoever asks for copies.

Knows no event format: what is taken is written in `events`, what is refused in `plan.validate`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from osscopy.model.values import Value

Acl: TypeAlias = Literal["default", "private", "public-read", "public-read-write"]


class Source(Value, frozen=True):
    """The object to copy; the current version unless `version_id` says otherwise."""

    bucket: str
    key: str
    version_id: str | None = None


class Destination(Value, frozen=True):
    """Where to. `key` may be a template (see `names.render`); by default it is the source's key."""

    bucket: str
    key: str = "{key}"


class Conditions(Value, frozen=True):
    """Conditions on the source: ETags, or dates as HTTP writes them (`Sun, 22 Nov 2026 10:00:00 GMT`)."""

    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_unmodified_since: str | None = None


class ContentHeaders(Value, frozen=True):
    """The headers a reader of the object gets with it, and its user metadata (without `x-oss-meta-`)."""

    content_type: str | None = None
    cache_control: str | None = None
    content_disposition: str | None = None
    content_encoding: str | None = None
    content_language: str | None = None
    expires: str | None = None
    user: dict[str, str] = msgspec.field(default_factory=dict)


class Encryption(Value, frozen=True):
    """Server-side encryption of the destination; `key_id` and `data_encryption` go with KMS."""

    algorithm: Literal["KMS", "AES256", "SM4"]
    key_id: str | None = None
    data_encryption: Literal["SM4"] | None = None


class Tuning(Value, frozen=True):
    """How to copy. `part_size` in bytes or as `"64MiB"`; absent means: chosen by plan."""

    part_size: int | str | None = None
    parallel: int | None = None
    lanes: int = 1
    method: Literal["auto", "simple", "multipart"] = "auto"


class Options(Value, frozen=True, kw_only=True):
    """How a copy is to be done and what the destination is to carry.

    `encryption`: `keep`: the source's, and where it has none, the destination bucket's; `bucket`: the latter.
    None is how earlier versions wrote `bucket` on record; a request that says null means the default.
    """

    overwrite: Literal["always", "never", "ifDifferent", "ifNewer"] = "always"
    conditions: Conditions = Conditions()
    metadata: Literal["copy"] | ContentHeaders = "copy"
    tags: Literal["copy", "none"] | dict[str, str] = "copy"
    acl: Literal["default", "copy", "private", "public-read", "public-read-write"] = "default"
    storage_class: Literal["keep", "Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"] = "keep"
    encryption: Literal["keep", "bucket"] | Encryption | None = "keep"
    archive: Literal["fail", "restore"] = "fail"
    symlinks: Literal["copy", "follow"] = "copy"
    traffic_limit: int = 0
    request_payer: bool = False
    tuning: Tuning = Tuning()


class CopyRequest(Options, frozen=True, kw_only=True):
    """One copy, as a direct event, an HTTP body or a timer payload describes it."""

    source: Source
    destination: Destination

    @property
    def is_onto_itself(self) -> bool:
        """Whether what is written takes the place of what was read, or of the current version of it.

        The source as it is afterwards is then what was written: no evidence of anything.
        """
        source, destination = self.source, self.destination
        return (source.bucket, source.key) == (destination.bucket, destination.key)


class RuleSource(Value, frozen=True):
    """What a rule watches: keys of `bucket` with this prefix and suffix."""

    bucket: str
    prefix: str = ""
    suffix: str = ""


class Rule(Options, frozen=True, kw_only=True):
    """What the OSS trigger copies where; the options are those of a copy request.

    `markers`: what becomes of folder markers, keys that end with a slash; None: what suits the template.
    """

    source: RuleSource
    destination: Destination
    markers: Literal["copy", "skip"] | None = None

    def covers(self, bucket: str, key: str) -> bool:
        """Whether an object is this rule's business."""
        watched = self.source
        return bucket == watched.bucket and key.startswith(watched.prefix) and key.endswith(watched.suffix)

    def request(self, key: str) -> CopyRequest:
        """The copy this rule makes of `key`; its destination key is still the template."""
        options = {name: getattr(self, name) for name in Options.__struct_fields__}
        return CopyRequest(source=Source(self.source.bucket, key), destination=self.destination, **options)
