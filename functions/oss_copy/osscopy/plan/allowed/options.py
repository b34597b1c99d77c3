"""The options that a deployment allows: what a request names, and what a copy of this source would do.

Judges values; asks nothing. The act counts, not the word in the request: `acl: copy` of a private object and
`storageClass: keep` of a cold one take no power that a plain copy has not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias, get_args

import msgspec

from osscopy.model import Acl, BulkRequest, Encrypted, Encryption, Failed, Head, Refused
from osscopy.model.request import Options
from osscopy.plan.methods import MAX_OBJECT

Word: TypeAlias = Literal[
    "public-acl", "colder-class", "restore", "requester-pays", "weaker-encryption", "delete", "versions"
]
WORDS: tuple[Word, ...] = get_args(Word)
CODE = "NotAllowed"
COLDER = ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive")  # each than the one before
STRONGEST = 2
_BUCKET = ("bucket", None)  # null on record


class AllowedOptions(msgspec.Struct, frozen=True):
    """The words of ALLOWED_OPTIONS, and MAX_OBJECT_SIZE in bytes; by default no word and any size."""

    words: frozenset[Word] = frozenset()
    largest: int = MAX_OBJECT

    def allows(self, word: Word) -> bool:
        """Return whether the word is allowed."""
        return word in self.words

    def need(self, word: Word, what: str, field: str) -> None:
        """Refuse `what` the request's `field` asks for, unless its word is allowed."""
        if word not in self.words:
            raise Refused(CODE, _lack(word, what), field=field, status=403)

    def judge_request(self, request: Options) -> None:
        """Refuse what a request asks for whatever its source is like."""
        if is_public(request.acl):
            self.need("public-acl", f"`acl` is {request.acl}", "acl")
        if request.request_payer:
            self.need("requester-pays", "the function's account would pay for requests", "requestPayer")
        if isinstance(request, BulkRequest) and request.delete and not request.dry_run:
            self.need("delete", "objects would be deleted", "delete")
        if isinstance(request, BulkRequest) and (request.as_of is not None or request.versions == "all"):
            field = "asOf" if request.versions == "current" else "versions"
            self.need("versions", "versions that are not the current ones would be copied", field)

    def perhaps(self, request: Options) -> Iterator[tuple[str, Word]]:
        """Yield the fields of a request that need a word if its source is such, with the word that lacks."""
        weaker = _made(request, None, None) < STRONGEST
        asked: tuple[tuple[bool, str, Word], ...] = (
            (request.acl == "copy", "acl", "public-acl"),
            (_cold(request.storage_class) > 0, "storageClass", "colder-class"),
            (request.archive == "restore", "archive", "restore"),
            (weaker, "encryption", "weaker-encryption"),
        )
        return ((field, word) for is_asked, field, word in asked if is_asked and word not in self.words)

    def judge_source(self, request: Options, head: Head, *, restores: bool) -> None:
        """Raise Failed for a copy of what `head` shows; `restores`: it has to be restored first."""
        if (why := self.why_not(request, head.size, head.storage_class)) is not None:
            raise failed(why)
        if restores and head.restoration == "none" and "restore" not in self.words:
            raise failed(_lack("restore", "the source is archived"), "archive")

    def why_not(self, request: Options, size: int, storage_class: str) -> str | None:
        """Return why an object of this size and class is not to be copied, None if nothing is against it."""
        if size > self.largest:
            return f"the source has {size} bytes: MAX_OBJECT_SIZE allows {self.largest}"
        asked = request.storage_class
        if asked != "keep" and _cold(asked) > _cold(storage_class) and "colder-class" not in self.words:
            return _lack("colder-class", f"{asked} is colder than the source's {storage_class or 'class'}")
        return None

    def judge_acl(self, request: Options, acl: Acl) -> None:
        """Raise Failed if the source's ACL is to be copied, and is public."""
        if request.acl == "copy" and is_public(acl) and "public-acl" not in self.words:
            raise failed(_lack("public-acl", f"the source's ACL is {acl}"), "acl")

    def must_compare(self, request: Options, default: Encrypted | None) -> bool:
        """Return whether a copy may be encrypted more weakly than its source; `default`: of its bucket."""
        return "weaker-encryption" not in self.words and _made(request, None, default) < STRONGEST

    def asks_default(self, request: Options, source: Encrypted | None) -> bool:
        """Return whether the bucket's default decides if a copy of such a source is to be made."""
        return "weaker-encryption" not in self.words and request.encryption in _BUCKET and source is not None

    def judge_encryption(self, request: Options, source: Encrypted | None, default: Encrypted | None) -> None:
        """Raise Failed if the copy would be encrypted more weakly than its `source`."""
        if self.must_compare(request, default) and strength(source) > _made(request, source, default):
            named = "no encryption" if source is None else source.algorithm
            raise failed(_lack("weaker-encryption", f"the source has {named}, the copy less"), "encryption")


NO_OPTION, ANY_OPTION = AllowedOptions(), AllowedOptions(frozenset(WORDS))


def is_public(acl: str) -> bool:
    """Return whether everybody may read what has this ACL."""
    return acl.startswith("public")


def strength(encrypted: Encrypted | None) -> int:
    """Return how strong an encryption is: KMS needs a right to its key, too; others need none."""
    if encrypted is None:
        return 0
    return STRONGEST if encrypted.algorithm == "KMS" else 1


def failed(why: str, field: str | None = None) -> Failed:
    """Return the refusal of a copy that was looked at: it is on record, to be resubmitted."""
    return Failed(CODE, why, field=field or "source", status=403)


def _made(request: Options, source: Encrypted | None, default: Encrypted | None) -> int:
    match request.encryption:
        case "keep":
            return STRONGEST if source is None else strength(source)
        case Encryption() as named:
            return strength(Encrypted.of(named))
        case _:
            return strength(default)


def _lack(word: Word, what: str) -> str:
    return f"{what}: ALLOWED_OPTIONS lacks {word}"


def _cold(storage_class: str) -> int:
    return COLDER.index(storage_class) if storage_class in COLDER else 0
