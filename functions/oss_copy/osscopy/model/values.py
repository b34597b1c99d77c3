"""The form that all values share, and units of bytes. Knows no value."""

from __future__ import annotations

import msgspec

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A frozen value with camelCase names on the wire that refuses unknown fields."""
