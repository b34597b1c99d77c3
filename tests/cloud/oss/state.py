"""What the OSS server holds: buckets, versions of objects, uploads and their parts.

It keeps versioning, retention and listings true; it must not know HTTP, signatures or XML.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from tests.cloud.accounts import Accounts
from tests.cloud.events import ObjectEvent

from .errors import OssError
from .extents import Content, Writer
from .keyspace import Objects
from .versions import ARCHIVED, NULL, Encryption, Tags, Version

READABLE = {"public-read", "public-read-write"}
_WRITABLE = ("write", "public-read-write")


class Part(msgspec.Struct, frozen=True):
    number: int
    content: Content
    etag: str
    modified: float
    copied: bool = False


class Upload(msgspec.Struct, frozen=True):
    """A multipart upload: what Initiate said, and the parts so far."""

    id: str
    key: str
    initiated: float
    blank: Version  # what the object will be, without content
    forbid_overwrite: bool = False
    sequential: bool = False
    parts: dict[int, Part] = {}


class Worm(msgspec.Struct, frozen=True):
    """A retention policy: InProgress for 24 hours, then or on request Locked."""

    id: str
    state: str
    days: int
    created: float


class Bucket:
    """A bucket and everything in it. Versions of a key are ordered from old to new."""

    def __init__(
        self,
        name: str,
        region: str,
        owner: str,
        created: float,
        draw: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        """`draw` gives the hexadecimal digits of so many random bytes: what ids are made of."""
        self.name = name
        self.region = region
        self.owner = owner
        self.created = created
        self._draw = draw
        self.acl = "private"
        self.granted = False  # a policy of the bucket lets everybody do everything
        self.payer = "BucketOwner"  # or Requester: who belongs to another account says that it pays
        self.storage_class = "Standard"
        self.redundancy = "LRS"
        self.versioning = ""  # "", "Enabled", "Suspended"
        self.worm: Worm | None = None
        self.encryption: Encryption | None = None
        self.tags: Tags = ()
        self.settings: dict[str, bytes] = {}  # documents kept as they came, by subresource
        self.objects = Objects()
        self.uploads: dict[str, Upload] = {}

    def lets(self, access: str, key: str) -> bool:
        """Whether a stranger has `access` ("read", "write", "owner"): the object's ACL counts, or the
        bucket's if it is `default`; a policy of the bucket goes before both.
        """
        version = self.current(key) if key else None
        acl = self.acl if version is None or version.acl == "default" else version.acl
        return self.granted or (access == "read" and acl in READABLE) or (access, acl) == _WRITABLE

    def charge(self, *, pays: bool) -> None:
        """Refuse a request of another account that does not say that it pays where the requester does."""
        if self.payer == "Requester" and not pays:
            raise OssError("AccessDenied", "Access denied for requester pay bucket.", ec="0003-00000703")

    def current(self, key: str) -> Version | None:
        """The newest version, be it a delete marker."""
        return self.objects.newest(key)

    def find(self, key: str, version_id: str | None = None) -> Version:
        """The version asked for; errors as GetObject gives them."""
        check_version_id(version_id)
        if version_id is None:
            version = self.current(key)
            if version is None:
                raise OssError("NoSuchKey", Key=key)
            if version.marker:
                marks = ((b"x-oss-delete-marker", b"true"), (b"x-oss-version-id", version.id.encode()))
                raise OssError("NoSuchKey", headers=marks, Key=key)
            return version
        for version in self.objects.get(key):
            if version.id == version_id:
                if version.marker:
                    marks = ((b"x-oss-delete-marker", b"true"), (b"x-oss-version-id", version.id.encode()))
                    raise OssError("MethodNotAllowed", headers=marks, ResourceType="DeleteMarker")
                return version
        raise OssError("NoSuchVersion", Key=key, VersionId=version_id)

    def put(self, version: Version) -> Version:
        """Make `version` the newest, with an id as the bucket's versioning says."""
        versions = self.objects.get(version.key)
        if self.versioning == "Enabled":
            version = msgspec.structs.replace(version, id=new_version_id(self._draw))
        else:
            versions = [other for other in versions if other.id != NULL]
        self.objects.put(version.key, [*versions, version])
        return version

    def replace(self, old: Version, new: Version) -> None:
        """Put `new` in the place of `old`: a change that makes no version."""
        versions = self.objects.get(old.key)
        versions[[each.id for each in versions].index(old.id)] = new
        self.objects.put(old.key, versions)

    def remove(self, key: str, version_id: str) -> Version | None:
        """Take one version away for good."""
        versions = self.objects.get(key)
        for index, version in enumerate(versions):
            if version.id == version_id:
                del versions[index]
                self.objects.put(key, versions)
                return version
        return None

    def delete(self, key: str, now: float) -> Version | None:
        """Delete without naming a version; the delete marker that this leaves, if it leaves one."""
        if not self.versioning:
            self.remove(key, NULL)
            return None
        return self.put(Version(key=key, modified=now, marker=True))

    def check_mutable(self, key: str, now: float, version_id: str | None = None) -> None:
        """Refuse to overwrite or delete what the retention policy protects.

        With versioning a new version changes nothing, so only deletions by version id are refused.
        """
        if self.worm is None or (self.versioning == "Enabled" and version_id is None):
            return
        for version in self.objects.get(key):
            protected = version_id in (None, version.id) and not version.marker
            if protected and now < version.modified + self.worm.days * 86400:
                raise OssError("FileImmutable", BucketName=self.name, Key=key)


class Store:
    """All buckets, and the telling of what happened to them."""

    def __init__(
        self,
        accounts: Accounts,
        region: str,
        data: Path | None,
        notify: Callable[[ObjectEvent], None] | None = None,
        clock: Callable[[], float] = time.time,
        draw: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        self.accounts = accounts
        self.region = region
        self.data = data
        self.notify = notify
        self.clock = clock
        self.draw = draw
        self.buckets: dict[str, Bucket] = {}
        self.bytes_copied = 0
        self.in_flight: Counter[str] = Counter()  # requests that are writing parts now, by upload id
        self.restore_seconds = 3.0
        self.address = "127.0.0.1"

    def writer(self) -> Writer:
        """What takes a body; one that goes to a file in the directory lasts until the server has stopped."""
        return Writer(self.data, lasts=self.data is not None)

    def create(self, name: str, region: str | None = None, owner: str | None = None) -> Bucket:
        """A new bucket; `owner` is the id of another account for a bucket that is foreign here."""
        owner = owner or self.accounts.account_id
        bucket = Bucket(name, region or self.region, owner, self.clock(), self.draw)
        self.buckets[name] = bucket
        return bucket

    def bucket(self, name: str) -> Bucket:
        bucket = self.buckets.get(name)
        if bucket is None:
            raise OssError("NoSuchBucket", BucketName=name)
        return bucket

    def is_stranger(self, principal: str, bucket: Bucket) -> bool:
        """Whether an ACL decides: nobody in particular asks (""), or another account owns the bucket."""
        return not principal or bucket.owner != self.accounts.account_id

    def available(self, version: Version) -> bool:
        """Whether the bytes can be read: not archived, or restored."""
        if version.storage_class not in ARCHIVED:
            return True
        return version.restore is not None and version.restore[0] <= self.clock() < version.restore[1]


def new_version_id(draw: Callable[[int], str]) -> str:
    return "CAEQ" + draw(30)


def check_version_id(version_id: str | None) -> None:
    """What cannot be a version id is an invalid argument; what could be one is looked for."""
    if (
        version_id is not None
        and version_id != NULL
        and not (len(version_id) == 64 and version_id.startswith("CAE"))
    ):
        raise OssError("InvalidArgument", "Invalid version id specified.", ArgumentName="versionId",
                       ArgumentValue=version_id)  # fmt: skip


def new_upload_id(draw: Callable[[int], str]) -> str:
    return draw(16).upper()
