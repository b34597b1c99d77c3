"""The object or bucket that a request is about, and the rights that the request takes.

Knows requests, and which actions of RAM each operation takes; not how anything is asked.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from osscopy.aliyun.oss_errors import cause_of, unfinished
from osscopy.model import Attributes, CopyRequest, OssCopyError, Pin, Source


class Place(Struct, frozen=True):
    """The object, or bucket if `key` is empty, that a request is about.

    `side`: source or destination of the copy; empty if it is of neither. `rights`: what the role needs for
    the request, as `right` writes it; of several, OSS does not say which is missing.
    """

    side: str
    bucket: str
    key: str = ""
    rights: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        return f"oss://{self.bucket}/{self.key}" if self.key else f"oss://{self.bucket}"


KMS_KEY = " on the KMS key"


def right(action: str, bucket: str, key: str = "") -> str:
    """Return an action of RAM on an object, or on a bucket, as text."""
    return f"{action} on {Place('', bucket, key).address}"


def on_bucket(bucket: str, action: str, side: str = "") -> Place:
    """Return a bucket with the action on it."""
    return Place(side, bucket, rights=(right(action, bucket),))


def on_object(side: str, place: Source, action: str) -> Place:
    """Return an object with the action on it; a version that is named takes the action for versions, too."""
    actions = [action, action.replace("Object", "ObjectVersion", 1)][: 2 if place.version_id else 1]
    rights = (right(f"oss:{each}", place.bucket, place.key) for each in actions)
    return Place(side, place.bucket, place.key, tuple(rights))


def on_symlink(request: CopyRequest, place: Source) -> Place:
    """Return a symlink: that of the destination, or one that leads to the source."""
    target = request.destination
    is_destination = (place.bucket, place.key) == (target.bucket, target.key)
    return on_object("destination" if is_destination else "source", place, "GetObject")


def on_destination(request: CopyRequest, *actions: str) -> Place:
    """Return the destination with the actions on it."""
    bucket, key = request.destination.bucket, request.destination.key
    rights = (right(each, bucket, key) if each.startswith("oss:") else each + KMS_KEY for each in actions)
    return Place("destination", bucket, key, tuple(rights))


def written(request: CopyRequest, attributes: Attributes | None) -> Place:
    """Return the destination with the actions that writing it with these attributes takes."""
    actions = ["oss:PutObject"]
    if attributes is not None:
        actions += ["oss:PutObjectTagging"] * (attributes.tags != {})
        actions += ["oss:PutObjectAcl"] * (attributes.acl != "default")
        if attributes.encryption is not None and attributes.encryption.algorithm == "KMS":
            actions += ["kms:GenerateDataKey and kms:Decrypt"]
    return on_destination(request, *actions)


def copied(request: CopyRequest, pin: Pin, attributes: Attributes | None) -> Place:
    """Return the destination, with the rights to write it and to read the source and tags that OSS copies."""
    source = replace(request.source, version_id=pin.version_id or request.source.version_id)
    there = written(request, attributes)
    here = on_object("source", source, "GetObject").rights
    if attributes is not None and attributes.tags is None:
        here += on_object("source", source, "GetObjectTagging").rights
    return replace(there, rights=(*there.rights, *here))


# --- in an error --------------------------------------------------------------------------------------------

_OF_BUCKET = frozenset({"NoSuchBucket", "OtherRegion", "RequesterPays", "AccessDenied"})
_OF_KEY = frozenset(
    {
        "NoSuchKey",
        "NoSuchVersion",
        "FileImmutable",
        "FileAlreadyExists",
        "PreconditionFailed",
        "SourceChanged",
        "InvalidObjectState",
        "EntityTooLarge",
        "SymlinkTargetNotExist",
        "InvalidTargetType",
        "OperationNotSupported",
        "InvalidObjectName",
    }
)


def located(error: OssCopyError, place: Place) -> OssCopyError:
    """Name the place and a missing right in the error's message, and the side in its `field`.

    The field names no side where the missing right may be one on the source or one on the destination.
    """
    cause = cause_of(error.code, error.message)
    error.message = f"{unfinished(error.message)} ({_where(cause, place)})"
    error.args = (f"{error.code}: {error.message}",)
    part = "bucket" if cause in _OF_BUCKET else "key" if cause in _OF_KEY else ""
    elsewhere = [each for each in place.rights if not each.endswith((f" on {place.address}", KMS_KEY))]
    if place.side and part and not (cause == "AccessDenied" and elsewhere):
        error.field = f"{place.side}.{part}"
    return error


def _where(cause: str, place: Place) -> str:
    if cause == "NoSuchBucket":
        return Place("", place.bucket).address
    if cause != "AccessDenied" or not place.rights:
        return place.address
    return f"missing{' is one of' * (len(place.rights) > 1)}: {'; '.join(place.rights)}"
