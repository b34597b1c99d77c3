"""What the admin API is asked to make in OSS, checked: objects, buckets of others, inventories."""

from __future__ import annotations

from typing import Literal

import msgspec

from tests.cloud.oss.errors import OssError
from tests.cloud.oss.inventory import FIELDS
from tests.cloud.oss.multipart import LARGEST_OBJECT
from tests.cloud.oss.names import SHAPES
from tests.cloud.oss.protocol import check_bucket_name, check_key

MOST_OBJECTS = 100_000_000  # of one batch
LONGEST_PREFIX = 512  # bytes: what a shape adds fits behind it
_MOST_SEED = 1 << 63


class Seed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An object to make; ValueError names the field that no object of OSS can have."""

    bucket: str
    key: str
    size: int
    seed: int = 0

    def __post_init__(self) -> None:
        _check_key(self.key)
        _check_size(self.size)
        _check_seed(self.seed)


def _check_key(key: str) -> None:
    try:
        check_key(key)
    except OssError as error:
        text = "`key` has 1 to 1023 bytes of UTF-8, and begins neither with a slash nor with a backslash"
        raise ValueError(text) from error


def _check_size(size: int) -> None:
    if not 0 <= size <= LARGEST_OBJECT:
        raise ValueError(f"`size` is {size}, an object has 0 to {LARGEST_OBJECT} bytes")


def _check_seed(seed: int) -> None:
    if not 0 <= seed < _MOST_SEED:
        raise ValueError(f"`seed` is {seed}, it must be 0 or more, and below 2^63")


class Many(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Objects to make that cost nothing: `size` is that of all, or the smallest and the largest."""

    bucket: str
    count: int
    size: int | tuple[int, int]
    prefix: str = ""
    shape: str = "flat"
    seed: int = 0
    events: bool = False  # whether triggers hear of each

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST_OBJECTS:
            raise ValueError(f"`count` is {self.count}, it must be 1 to {MOST_OBJECTS}")
        for size in self.sizes:
            _check_size(size)
        if self.sizes[0] > self.sizes[1]:
            raise ValueError("`size` names the smallest first")
        if len(self.prefix.encode()) > LONGEST_PREFIX:
            raise ValueError(f"`prefix` has at most {LONGEST_PREFIX} bytes")
        if self.shape not in SHAPES:
            raise ValueError(f"`shape` is {self.shape!r}, there are {', '.join(SHAPES)}")
        _check_seed(self.seed)

    @property
    def sizes(self) -> tuple[int, int]:
        return (self.size, self.size) if isinstance(self.size, int) else self.size


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bucket: str
    prefix: str = ""


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An inventory to write. `fields` stand behind those that are always there, in this order."""

    bucket: str
    destination: Place
    prefix: str = ""
    fields: tuple[str, ...] = ("Size", "LastModifiedDate", "ETag", "StorageClass")
    versions: Literal["current", "all"] = "current"
    id: str = "inventory"
    rows: int = 1_000_000  # in one file at most

    def __post_init__(self) -> None:
        for field in self.fields:
            if field not in FIELDS:
                raise ValueError(f"`fields` has {field!r}, there are {', '.join(FIELDS)}")
        if self.rows < 1:
            raise ValueError(f"`rows` is {self.rows}, a file has at least one")


class Foreign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bucket of another account, with an object to read, so that access across accounts can be tried."""

    bucket: str
    key: str
    owner: str = "6543210987654321"
    acl: Literal["private", "public-read", "public-read-write"] = "private"
    payer: Literal["BucketOwner", "Requester"] = "BucketOwner"
    granted: bool = False  # a policy of the bucket lets this account do everything with it

    def __post_init__(self) -> None:
        _check_key(self.key)
        try:
            check_bucket_name(self.bucket)
        except OssError as error:
            raise ValueError("`bucket` has 3 to 63 lower-case letters, digits and hyphens") from error
