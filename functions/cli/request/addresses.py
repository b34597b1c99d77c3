"""Addresses of objects: `oss://bucket/key`, where the key is literal text.

Nothing in a key is a template, a wildcard or an escape: what stands there is the key, byte for byte. One
place gives characters a meaning, and only at the end of an address: a slash says "folder".
"""

from __future__ import annotations

import msgspec

from functions.cli.errors import Misused
from osscopy.model import Refused
from osscopy.plan import keys


class Address(msgspec.Struct, frozen=True):
    """A bucket and a key, a prefix, or nothing. `has_slash`: a slash stood behind the bucket."""

    bucket: str
    key: str
    has_slash: bool = True

    def __str__(self) -> str:
        return f"{keys.SCHEME}{self.bucket}/{self.key}"

    @property
    def is_folder(self) -> bool:
        """Tell whether it names what is under it: it ends with a slash."""
        return self.key.endswith("/") or (self.has_slash and not self.key)


def read(text: str) -> Address:
    """Return the address; raise Misused if it is none, or OSS has no such name."""
    if not text.startswith(keys.SCHEME):
        raise Misused(f"{text!r} is not of the form oss://bucket/key")
    bucket, slash, key = text[len(keys.SCHEME) :].partition("/")
    try:
        keys.check_bucket(bucket, "bucket")
        if key:
            keys.check_key(key, "key")
    except Refused as error:
        raise Misused(f"{text!r}: {error.message}") from error
    return Address(bucket, key, bool(slash))


def of_object(text: str, command: str, *, is_marker: bool = False) -> Address:
    """Return the address of one object; raise Misused for a prefix, which `command` says how to ask for."""
    address = read(text)
    if address.key and (is_marker or not address.is_folder):
        return address
    raise Misused(f"{text!r} names no object but what is under it: {command}")


def into(text: str, name: str) -> Address:
    """Return where an object of this name comes to lie: at this address, or in this folder."""
    address = read(text)
    if not address.is_folder:
        return address
    key = address.key + name.rstrip("/").rpartition("/")[2] + ("/" if name.endswith("/") else "")
    return read(f"{keys.SCHEME}{address.bucket}/{key}")


def literal(key: str, source: str) -> str:
    """Return the template that makes exactly this key of the key `source`.

    A template is no longer than a key: where doubled braces make it longer, the source's name stands for it.
    """
    text = _doubled(key)
    if len(text) <= keys.MAX_KEY_BYTES:
        return text
    name = source.rpartition("/")[2]
    return _doubled(key[: len(key) - len(name)]) + "{name}" if name and key.endswith(name) else text


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
