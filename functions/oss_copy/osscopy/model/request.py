"""A copy request and a rule: the contract with those who ask for copies.

Knows no event format (`events` reads them) and no limits (`plan.validate` checks them).
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from osscopy.model.values import Value

Acl: TypeAlias = Literal["default", "private", "public-read", "public-read-write"]


class Source(Value, frozen=True):
    """The object to copy; the current version unless `version_id` says otherwise."""

    bucket: str
    key: str
    version_id: str | None = None


class Destination(Value, frozen=True):
    """The place to copy to. `key` may be a template (see `plan.templates`); by default the source's key."""

    bucket: str
    key: str = "{key}"


class Conditions(Value, frozen=True):
    """Conditions on the source: ETags, or dates as HTTP writes them (`Sun, 22 Nov 2026 10:00:00 GMT`)."""

    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_unmodified_since: str | None = None


class ContentHeaders(Value, frozen=True):
    """The headers that come with an object when it is read, and its user metadata (without `x-oss-meta-`)."""

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
    """Settings of one copy. `part_size` in bytes or as `"64MiB"`; `plan` chooses what is absent.

    `lanes`: chains of invocations that copy the object at once.
    """

    part_size: int | str | None = None
    parallel: int | None = None
    lanes: int | None = None
    method: Literal["auto", "simple", "multipart"] = "auto"


class Options(Value, frozen=True, kw_only=True):
    """The options of a copy: conditions, the attributes of the destination, and the method.

    `encryption`: `keep`: the source's, or the destination bucket's if it has none; `bucket`: the bucket's.
    Earlier versions wrote None on record for `bucket`; null in a request means the default.
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
        """Tell whether the copy takes the place of its source, or of the source's current version.

        The source then shows what was written, which proves nothing.
        """
        source, destination = self.source, self.destination
        return (source.bucket, source.key) == (destination.bucket, destination.key)


class RuleSource(Value, frozen=True):
    """The keys of `bucket` that a rule watches: those with this prefix and suffix."""

    bucket: str
    prefix: str = ""
    suffix: str = ""


class Within(Value, frozen=True, omit_defaults=True):
    """Keys of `bucket` that may be copied: with this prefix and suffix, or one `key` alone."""

    bucket: str
    prefix: str = ""
    suffix: str = ""
    key: str | None = None

    def holds(self, bucket: str, key: str) -> bool:
        """Return whether this object is one of them."""
        near = key.startswith(self.prefix) and key.endswith(self.suffix)
        return bucket == self.bucket and near and self.key in {None, key}


class Origin(Value, frozen=True, omit_defaults=True):
    """Who asked for a copy, and the sources he may have copied; `within` empty: all that are allowed.

    `caller`: `oss`, `eventbridge`, `timer:NAME`, `direct`, `http`, or `token:NAME`.
    """

    caller: Annotated[str, msgspec.Meta(max_length=160)] = ""
    within: tuple[Within, ...] = ()

    @property
    def told(self) -> str | msgspec.UnsetType:
        """The caller, left out of a result where nobody knows it."""
        return self.caller or msgspec.UNSET

    def allows(self, bucket: str, key: str) -> bool:
        """Return whether this object may be copied for him, directly or by a symlink that leads there."""
        return not self.within or any(each.holds(bucket, key) for each in self.within)


class Rule(Options, frozen=True, kw_only=True):
    """A rule of the OSS trigger: keys to copy, and where to; the options are those of a copy request.

    `markers`: copy or skip folder markers, keys that end with a slash; None: as the template allows.
    `deletes`: keep the copy of an object that is deleted, or delete it, too.
    """

    source: RuleSource
    destination: Destination
    markers: Literal["copy", "skip"] | None = None
    deletes: Literal["keep", "follow"] = "keep"

    @property
    def within(self) -> Within:
        """The sources that its copies may have, symlinks followed: what it watches."""
        return Within(self.source.bucket, self.source.prefix, self.source.suffix)

    def covers(self, bucket: str, key: str) -> bool:
        """Return whether the rule watches this object."""
        watched = self.source
        return bucket == watched.bucket and key.startswith(watched.prefix) and key.endswith(watched.suffix)

    def request(self, key: str) -> CopyRequest:
        """Return the copy that this rule makes of `key`; its destination key is still the template."""
        options = {name: getattr(self, name) for name in Options.__struct_fields__}
        return CopyRequest(source=Source(self.source.bucket, key), destination=self.destination, **options)
