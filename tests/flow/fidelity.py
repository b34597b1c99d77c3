"""Generated copies for the fidelity matrix: what an object carries, what is asked for, and how it is copied.

`case(seed)` is pure: the same seed is the same case. What it makes is a source object, a request and what the
reader of the destination must see, worked out here from the contract and not from the product.
"""

from __future__ import annotations

import random
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from osscopy.model import KIB

Way = Literal["simple", "shallow", "one hop", "many hops"]
WAYS: tuple[Way, ...] = ("simple", "shallow", "one hop", "many hops")
PART = 128 * KIB
SIZES: dict[Way, tuple[int, ...]] = {
    "simple": (0, 1, PART, PART + 1, 2048 * KIB),
    "shallow": (0, 1, PART, 2048 * KIB),
    "one hop": (1, PART, PART + 1, 2 * PART - 7, 3 * PART + 5, 2048 * KIB + 1),
    "many hops": (40 * PART - 77,),
}
HEADERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "contentType": ("Content-Type", ("text/plain", "text/html; charset=utf-8", "application/x-ü")),
    "contentEncoding": ("Content-Encoding", ("gzip", "identity")),
    "contentDisposition": (
        "Content-Disposition",
        ('attachment; filename="a.txt"', 'attachment; filename="größe 备份.txt"'),
    ),
    "contentLanguage": ("Content-Language", ("de", "en, zh-CN")),
    "cacheControl": ("Cache-Control", ("no-cache", "max-age=60, public")),
    "expires": ("Expires", ("Sun, 22 Nov 2026 10:00:00 GMT", "0")),
}
USER = {"plain": "1", "farbe": "grün", "path": "备份/文件 +&=%", "long": "x" * 500}
# what encrypted the bytes before they were uploaded: without these they cannot be read
SEALED = {
    "client-side-encryption-key": "bm90IGEga2V5",
    "client-side-encryption-start": "bm9yIGEgc3RhcnQ=",
    "client-side-encryption-cek-alg": "AES/CTR/NoPadding",
}
TAGS = {"team": "a b/c+d=e", "größe": "1", "k:1": "x.y_z-", "empty": "", "a+b": "c d"}


class Case(msgspec.Struct, frozen=True):
    """One copy: the headers to put the source with, the options asked for, what the destination must show."""

    way: Way
    size: int
    put: dict[str, bytes]
    source_acl: str
    options: dict[str, Any]
    headers: dict[str, bytes]
    tags: dict[str, str]
    acl: str
    onto_itself: bool


def case(seed: int) -> Case:
    """The case of `seed`; ways take turns, so that every 20 cases hold each way with each treatment."""
    chance = random.Random(seed)
    way = WAYS[seed % 4]
    treatment = ("copy", "replace", "none", "copy", "replace")[seed // 4 % 5]
    had, user, tags = _headers(chance), _some(chance, USER), _some(chance, TAGS)
    if seed % 3 == 0:
        user |= SEALED
    # a shallow copy leaves the class as it is
    source_class = chance.choice(("Standard", "IA"))
    source_acl = chance.choice(("default", "private", "public-read", "public-read-write"))
    options: dict[str, Any] = {"tuning": {"method": "multipart" if "hop" in way else "simple"}}
    if "hop" in way:
        options["tuning"]["partSize"] = PART
    options["metadata"], headers = _metadata(chance, treatment, had, user)
    options["tags"], wanted_tags = _tagging(chance, treatment, tags)
    options["acl"] = chance.choice(("default", "copy", "private", "public-read"))
    stored = source_class
    if way != "shallow":
        options["storageClass"] = chance.choice(("keep", "Standard", "IA", "Archive"))
        stored = source_class if options["storageClass"] == "keep" else options["storageClass"]
        encryption = chance.choice((None, None, *ENCRYPTIONS))
        if encryption is not None:
            options["encryption"] = encryption
            headers |= _encrypted(encryption)
    itself = treatment == "replace" and chance.random() < 0.4
    keeps = itself and options["acl"] == "default"  # an object that is changed in place keeps its own
    had_encryption = ENCRYPTIONS[seed % 7] if seed % 7 < len(ENCRYPTIONS) else None
    if "encryption" not in options and had_encryption is not None:
        if seed % 5 == 4:
            options["encryption"] = "bucket"  # which has none of its own
        else:
            headers |= _encrypted(had_encryption)
    headers["x-oss-storage-class"] = stored.encode()
    return Case(
        way,
        chance.choice(SIZES[way]),
        {
            **_wire(had),
            **{f"x-oss-meta-{name}": value.encode() for name, value in user.items()},
            "x-oss-tagging": _query(tags).encode(),
            "x-oss-storage-class": source_class.encode(),
            "x-oss-object-acl": source_acl.encode(),
            **_encrypted(had_encryption or {}),
        },
        source_acl,
        options,
        headers,
        wanted_tags,
        source_acl if options["acl"] == "copy" or keeps else options["acl"],
        itself,
    )


ENCRYPTIONS: tuple[dict[str, str], ...] = (
    {"algorithm": "AES256"},
    {"algorithm": "SM4"},
    {"algorithm": "KMS"},  # by the key that OSS takes by itself
    {"algorithm": "KMS", "keyId": "9468da86-3509-4f8d-a61e-6eab1eac372a"},
    {"algorithm": "KMS", "keyId": "9468da86-3509-4f8d-a61e-6eab1eac372a", "dataEncryption": "SM4"},
)


def _encrypted(asked: dict[str, str]) -> dict[str, bytes]:
    names = {"algorithm": "", "keyId": "-key-id"}
    shown = {f"x-oss-server-side-encryption{names[f]}": asked[f].encode() for f in names if f in asked}
    if "dataEncryption" in asked:
        shown["x-oss-server-side-data-encryption"] = asked["dataEncryption"].encode()
    return shown


def _some(chance: random.Random, of: dict[str, str]) -> dict[str, str]:
    return {name: of[name] for name in sorted(of) if chance.random() < 0.6}


def _headers(chance: random.Random) -> dict[str, str]:
    """Content headers by their names in a request; an object always has a type."""
    return {
        field: chance.choice(values)
        for field, (_, values) in HEADERS.items()
        if field == "contentType" or chance.random() < 0.6
    }


def _metadata(
    chance: random.Random, treatment: str, had: dict[str, str], user: dict[str, str]
) -> tuple[object, dict[str, bytes]]:
    """What to ask for, and the headers it makes; a replacement without a type keeps the source's."""
    if treatment == "copy":
        return "copy", _shown(had, user)
    sealed = {name: user[name] for name in SEALED if name in user}
    if treatment == "none":
        return {}, _shown({"contentType": had["contentType"]}, sealed)
    chosen, named = _headers(chance), _some(chance, USER)
    if sealed and chance.random() < 0.5:
        named["client-side-encryption-key"] = "bmV3bHkgd3JhcHBlZA=="
    if chance.random() < 0.3:
        del chosen["contentType"]
    return {**chosen, "user": named}, _shown({"contentType": had["contentType"], **chosen}, sealed | named)


def _tagging(chance: random.Random, treatment: str, had: dict[str, str]) -> tuple[object, dict[str, str]]:
    if treatment == "copy":
        return "copy", had
    if treatment == "none":
        return "none", {}
    chosen = _some(chance, TAGS)
    return chosen, chosen


def _wire(content: dict[str, str]) -> dict[str, bytes]:
    return {HEADERS[field][0]: value.encode() for field, value in content.items()}


def _shown(content: dict[str, str], user: dict[str, str]) -> dict[str, bytes]:
    return _wire(content) | {f"x-oss-meta-{name}": value.encode() for name, value in user.items()}


def _query(tags: dict[str, str]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in tags.items())
