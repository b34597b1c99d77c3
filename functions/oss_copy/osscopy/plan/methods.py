"""The method of a copy: one CopyObject or parts. Knows no part and no step.

Limits are OSS's unless a comment says ours.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from osscopy.model import GIB, MIB, TIB, CopyRequest, Head, Opened, Refused
from osscopy.plan.evidence import is_same_version
from osscopy.plan.parts import PART_RATE
from osscopy.plan.promises import encryption
from osscopy.plan.timing import read_timeout, reserve

MAX_OBJECT = 488 * TIB // 10  # 48.8 TB as documented, a little less than MAX_PARTS * MAX_PART

# Ours. The official copier (oss SDK v2) leaves CopyObject at this size: 2 GB were seen to outlast 60 s.
DEFAULT_THRESHOLD = 200 * MIB

Method: TypeAlias = Literal["simple", "shallow", "multipart"]


def method(request: CopyRequest, source: Head, threshold: int, timeout: float) -> Method:
    """Choose CopyObject up to `threshold` bytes and for a shallow copy, parts above.

    The threshold is at most what CopyObject takes (5 GB, or 1 GB if the storage class changes) and what an
    invocation of `timeout` seconds can wait for. A traffic limit lowers it, so that CopyObject takes no
    longer than without one. An empty object has no parts.
    """
    tuning = request.tuning
    if source.link is not None and tuning.method == "multipart":
        text = "a symlink has no parts; with `symlinks` as `follow`, what it points to is copied"
        raise Refused("InvalidTuning", text, field="tuning.method")
    if source.size > MAX_OBJECT:
        raise Refused(
            "EntityTooLarge",
            f"the source has {source.size} bytes; OSS holds {MAX_OBJECT} (48.8 TB) in 10,000 parts of 5 GiB",
            field="source",
        )
    if source.size == 0 or tuning.method == "simple":
        return "simple"
    if tuning.method == "multipart":
        return "multipart"
    changed = request.storage_class not in {"keep", source.storage_class}
    quick = int(min(threshold, longest_copy(timeout)) * rate(request) / PART_RATE)
    if source.size <= min(quick, GIB if changed else 5 * GIB):
        return "simple"
    return "shallow" if is_shallow(request, source) else "multipart"


def method_on_record(opened: Opened, source: Head, chosen: Method) -> Method:
    """Return `chosen`, unless an earlier delivery has begun in parts and the object still has any."""
    if opened.method == "simple" or (source.size == 0 and is_same_version(opened.pin, source)):
        return chosen
    return "multipart"


def longest_copy(timeout: float) -> int:
    """Return the bytes of the longest CopyObject that an invocation of `timeout` seconds can wait for."""
    return int(min(read_timeout(timeout), max(1.0, timeout - 2 * reserve(timeout))) * PART_RATE)


def rate(request: CopyRequest) -> float:
    """Return the bytes a second that one request of this copy is trusted to copy."""
    return min(PART_RATE, request.traffic_limit / 8) if request.traffic_limit else PART_RATE


def is_shallow(request: CopyRequest, source: Head) -> bool:
    """Return whether OSS can copy without moving bytes: same bucket, storage class and encryption.

    Not with an overwrite policy: a shallow copy that takes effect after its time-out would be in the way of
    the copy in parts that follows it.
    """
    return (
        request.overwrite == "always"
        and request.source.bucket == request.destination.bucket
        and request.storage_class in {"keep", source.storage_class}
        and (request.encryption == "keep" or encryption(request, source) == source.encryption)
        # an appendable one becomes a Normal object: unknown whether without moving bytes
        and source.kind in {"Normal", "Multipart", "Symlink"}
    )


def must_wait(request: CopyRequest, source: Head) -> bool:
    """Return whether the source is archived and has to be restored first."""
    archived = source.storage_class in {"Archive", "ColdArchive", "DeepColdArchive"}
    return request.archive == "restore" and archived and source.restoration != "done"
