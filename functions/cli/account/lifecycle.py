"""Lifecycle rules as OSS keeps them: which wanted rules are missing, and the document with them added.

Pure: XML in, XML out. PutBucketLifecycle replaces everything, so existing rules are kept as they are, with
everything in them that is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

import msgspec


class Wanted(msgspec.Struct, frozen=True):
    """A rule that expires objects under `prefix`, or aborts uploads there, after so many days."""

    id: str
    prefix: str
    action: Literal["Expiration", "AbortMultipartUpload"]
    days: int

    def __str__(self) -> str:
        done = "expire objects" if self.action == "Expiration" else "abort unfinished uploads"
        return f"{done} under {self.prefix or '(everything)'} after {self.days} days"


def missing(document: bytes | None, wanted: Sequence[Wanted]) -> tuple[Wanted, ...]:
    """Return those that no rule in the document does, whatever its days are."""
    rules = _rules(document)
    return tuple(each for each in wanted if not any(_covers(rule, each) for rule in rules))


def merged(document: bytes | None, added: Sequence[Wanted]) -> bytes:
    """Return the document with these rules added; OSS names a rule whose id is taken."""
    root = ET.fromstring(document) if document else Element("LifecycleConfiguration")  # noqa: S314 - OSS's own answer
    taken = {_text(rule, "ID") for rule in _rules(document)}
    for each in added:
        rule = SubElement(root, "Rule")
        if each.id not in taken:
            SubElement(rule, "ID").text = each.id
        SubElement(rule, "Prefix").text = each.prefix
        SubElement(rule, "Status").text = "Enabled"
        SubElement(SubElement(rule, each.action), "Days").text = str(each.days)
    return ET.tostring(root)


def overlaps(document: bytes | None, added: Sequence[Wanted]) -> bool:
    """Tell whether an added rule and an existing one do the same to some object."""
    return any(
        _child(rule, each.action) is not None and _meet(_text(rule, "Prefix"), each.prefix)
        for rule in _rules(document)
        for each in added
    )


def expiring(document: bytes | None, prefix: str) -> tuple[str, ...]:
    """Return the ids of rules that delete anything under `prefix`."""
    return tuple(
        _text(rule, "ID") or "(without id)"
        for rule in _rules(document)
        if _applies(rule) and _child(rule, "Expiration") is not None and _meet(_text(rule, "Prefix"), prefix)
    )


def aborts_after(document: bytes | None, prefix: str) -> int | None:
    """Return the fewest days after which a rule aborts uploads under `prefix`; None if none does."""
    found = [
        int(days)
        for rule in _rules(document)
        if _applies(rule) and _meet(_text(rule, "Prefix"), prefix)
        if (action := _child(rule, "AbortMultipartUpload")) is not None
        and (days := _text(action, "Days")).isdecimal()
    ]
    return min(found, default=None)


def _covers(rule: Element, wanted: Wanted) -> bool:
    action = _child(rule, wanted.action)
    goes_on = action is not None and _text(action, "Days").isdecimal()  # a date is over some day
    return goes_on and _applies(rule) and wanted.prefix.startswith(_text(rule, "Prefix"))


def _applies(rule: Element) -> bool:
    """Tell whether a rule is enabled and for everything under its prefix. Our objects have no tags."""
    limits = any(_child(rule, name) is not None for name in ("Tag", "Filter"))
    return _text(rule, "Status") == "Enabled" and not limits


def _meet(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _rules(document: bytes | None) -> list[Element]:
    if not document:
        return []
    root = ET.fromstring(document)  # noqa: S314 - OSS's own answer
    return [each for each in root if _name(each) == "Rule"]


def _children(element: Element, name: str) -> Iterator[Element]:
    return (each for each in element if _name(each) == name)


def _child(element: Element, name: str) -> Element | None:
    return next(_children(element, name), None)


def _text(element: Element, name: str) -> str:
    found = _child(element, name)
    return (found.text or "").strip() if found is not None else ""


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]
