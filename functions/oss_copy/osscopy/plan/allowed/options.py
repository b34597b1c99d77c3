"""The options that a deployment allows: what a request names, and what a copy of this source would do.

Judges values; asks nothing. The act counts, not the word in the request: `acl: copy` of a private object and
`storageClass: keep` of a cold one take no power that a plain copy has not.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import msgspec

from osscopy.model import Refused
from osscopy.plan.methods import MAX_OBJECT

Word: TypeAlias = Literal[
    "public-acl", "colder-class", "restore", "requester-pays", "weaker-encryption", "delete", "versions"
]
WORDS: tuple[Word, ...] = get_args(Word)


class AllowedOptions(msgspec.Struct, frozen=True):
    """The words of ALLOWED_OPTIONS, and MAX_OBJECT_SIZE in bytes; by default no word and any size."""

    words: frozenset[Word] = frozenset()
    largest: int = MAX_OBJECT

    def need(self, word: Word, what: str, field: str) -> None:
        """Refuse `what` the request's `field` asks for, unless its word is allowed."""
        if word not in self.words:
            raise Refused("NotAllowed", f"{what}: ALLOWED_OPTIONS lacks {word}", field=field, status=403)


NO_OPTION, ANY_OPTION = AllowedOptions(), AllowedOptions(frozenset(WORDS))
