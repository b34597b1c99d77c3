"""Lifecycle rules: checked and kept; of their actions only AbortMultipartUpload is carried out, on request.

Checks: PutBucketLifecycle docs, and what Alibaba's SDK tests assert of wrong rules.
"""

from __future__ import annotations

import calendar
import re
import time
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from .errors import OssError
from .protocol import Call, Response, read_document
from .state import Bucket, Store, Upload

_TAG_TEXT = re.compile(r"^[\w\s+\-=.:/]*$")
_MOST_RULES = 1000
_ORDER = ("IA", "Archive", "ColdArchive", "DeepColdArchive")  # each no sooner than the one before
_SETTING = "lifecycle"
_ACTIONS = (
    "Expiration",
    "Transition",
    "AbortMultipartUpload",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransition",
)


def put(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    root = read_document(call.body.bytes())
    rules = root.findall("Rule")
    if root.tag != "LifecycleConfiguration" or not 0 < len(rules) <= _MOST_RULES:
        raise OssError("MalformedXML")
    for rule in rules:
        _check(rule)
    allowed = (call.header(b"x-oss-allow-same-action-overlap") or "").lower() == "true"
    if not allowed and "lifecycle-overlap" not in call.readings:
        _check_overlap(rules)
    for element in root.iter("ExpiredObjectDeleteMarker"):
        element.text = (element.text or "").lower()
    bucket.settings[_SETTING] = ET.tostring(root)
    return Response()


def get(store: Store, call: Call) -> Response:
    body = store.bucket(call.bucket).settings.get(_SETTING)
    if body is None:
        raise OssError("NoSuchLifecycle", BucketName=call.bucket)
    return Response(body=body)


def delete(store: Store, call: Call) -> Response:
    store.bucket(call.bucket).settings.pop(_SETTING, None)
    return Response(204)


def _check(rule: Element) -> None:
    if rule.findtext("Status") not in {"Enabled", "Disabled"}:
        raise OssError("MalformedXML")
    actions = [child for child in rule if child.tag.endswith(("Expiration", "Transition", "Upload"))]
    days = [child.text or "" for action in actions for child in action if child.tag.endswith("Days")]
    if not actions or not all(text.isdecimal() for text in days):
        raise OssError("MalformedXML")
    ways = {
        child.tag
        for action in actions
        for child in action
        if child.tag in {"Days", "Date", "CreatedBeforeDate"}
    }
    transitions = rule.findall("Transition")
    if transitions and "Days" in ways and len(ways) > 1:
        raise OssError("InvalidRequest", "Days and dates cannot be mixed in one rule.")
    for tag in rule.findall("Tag"):
        if not all(_TAG_TEXT.match(tag.findtext(name) or "") for name in ("Key", "Value")):
            raise OssError("InvalidTag", "The TagKey or TagValue you have provided is invalid.")
    _check_order(transitions, "Days", rule.findtext("Expiration/Days"))
    noncurrent = rule.findall("NoncurrentVersionTransition")
    _check_order(noncurrent, "NoncurrentDays", rule.findtext("NoncurrentVersionExpiration/NoncurrentDays"))


def _check_order(transitions: list[Element], name: str, expiry: str | None) -> None:
    """Colder classes later than warmer ones, all before the object expires."""
    days: dict[str, int] = {}
    for transition in transitions:
        storage_class = transition.findtext("StorageClass") or ""
        if storage_class not in _ORDER:
            raise OssError(
                "InvalidArgument", "Invalid StorageClass in Transition.", ArgumentName="StorageClass"
            )
        text = transition.findtext(name)
        if text is not None:
            if not text.isdecimal():
                raise OssError("MalformedXML")
            days[storage_class] = int(text)
    ordered = [days[storage_class] for storage_class in _ORDER if storage_class in days]
    if ordered != sorted(set(ordered)) or (expiry is not None and ordered and ordered[-1] >= int(expiry)):
        raise OssError(
            "InvalidArgument", "The days of transitions and expiration do not rise.", ArgumentName="Days"
        )


def _check_overlap(rules: list[Element]) -> None:
    """Two rules for the same tags whose prefixes overlap must not have an action in common."""
    for index, rule in enumerate(rules):
        prefix = rule.findtext("Prefix") or ""
        for other in rules[:index]:
            other_prefix = other.findtext("Prefix") or ""
            if not (prefix.startswith(other_prefix) or other_prefix.startswith(prefix)):
                continue
            if _tags(rule) != _tags(other):
                continue
            for action in _ACTIONS:
                if rule.find(action) is not None and other.find(action) is not None:
                    raise OssError("InvalidArgument", f"Overlap for same action type {action}")


def _tags(rule: Element) -> set[tuple[str | None, str | None]]:
    return {(tag.findtext("Key"), tag.findtext("Value")) for tag in rule.findall("Tag")}


def abort_uploads(bucket: Bucket, now: float) -> list[Upload]:
    """Abort what AbortMultipartUpload rules call for at the time `now`; the uploads aborted."""
    body = bucket.settings.get(_SETTING)
    rules = read_document(body).findall("Rule") if body else []
    due = [upload for upload in bucket.uploads.values() if any(_due(rule, upload, now) for rule in rules)]
    for upload in due:
        del bucket.uploads[upload.id]
    return due


def _due(rule: Element, upload: Upload, now: float) -> bool:
    action = rule.find("AbortMultipartUpload")
    enabled = rule.findtext("Status") == "Enabled"
    if action is None or not enabled or not upload.key.startswith(rule.findtext("Prefix") or ""):
        return False
    days, date = action.findtext("Days"), action.findtext("CreatedBeforeDate")
    if days is not None:
        return now >= upload.initiated + int(days) * 86400
    return date is not None and upload.initiated < calendar.timegm(time.strptime(date[:10], "%Y-%m-%d"))
