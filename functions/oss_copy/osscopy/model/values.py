"""The form that all values share, bounds of their fields, and units of bytes. Knows no value.

Bounds hold for what is read, from continuations and records: what is beyond them no invocation has written,
and the arithmetic of later steps relies on that.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40

# In a set of a regular expression: controls above ASCII's, and what changes how other characters are shown.
HIDDEN = r"\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]  # bytes, parts
Tally: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=999_999)]  # hops, looks; seconds of T_late
Unix: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]  # seconds, up to the year 9999
# A time of this century that exists, as ISO 8601 writes it.
Moment: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^20(?:[0-9]{2}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
        r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|(?:[02468][048]|[13579][26])-02-29)"
        r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{3}(?:[0-9]{3})?)?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])(?![\s\S])"
    ),
]


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A frozen value with camelCase names on the wire that refuses unknown fields."""
