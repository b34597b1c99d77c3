"""The overwrite policy: may a copy replace the destination? Knows no method of copying."""

from __future__ import annotations

from osscopy.model import Conflict, CopyRequest, Head, Skipped
from osscopy.plan.evidence import bind, differences


def judge_overwrite(
    request: CopyRequest,
    source: Head,
    destination: Head | None,
    follows: int | None = None,
    *,
    same_tags: bool = True,
) -> None:
    """Raise Conflict or Skipped if the overwrite policy says so; `destination` None: nothing is there.

    A destination with the source's bytes is skipped only if it also shows all that was asked for. Dates have
    whole seconds: within one, a rule (`follows`) copies what differs, since nobody asks again.
    """
    if destination is None:
        return
    same = same_content(source, destination)
    lacks = same and not (same_tags and is_shown(request, source, destination))
    match request.overwrite:
        case "never":
            raise Conflict(
                "FileAlreadyExists", "the destination exists and `overwrite` is `never`", status=409
            )
        case "ifNewer" if not lacks and (
            source.last_modified < destination.last_modified
            or (source.last_modified == destination.last_modified and (follows is None or same))
        ):
            raise Skipped("NotNewer", "the destination is not older than the source")
        case "ifDifferent" if same and not lacks:
            raise Skipped("NotDifferent", "the destination has the same bytes, and all that was asked for")


def is_shown(request: CopyRequest, source: Head, destination: Head) -> bool:
    """Return whether the destination holds the source's bytes and shows all that a copy promises.

    A value that is not shown counts as kept, so that nothing is copied again and again for it.
    """
    return same_content(source, destination) and not differences(bind(request, source), destination, 0, None)


def same_content(one: Head, other: Head) -> bool:
    """Return whether two objects surely hold the same bytes: unknown checksums never count as equal."""
    if one.link is not None or other.link is not None:
        return one.link == other.link
    if one.size != other.size:
        return False
    if one.crc64 is not None and other.crc64 is not None:
        return one.crc64 == other.crc64
    return "-" not in one.etag and one.etag == other.etag  # a plain ETag is the MD5 of the bytes
