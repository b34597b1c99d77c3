"""Callers of the API: tokens with a name and a scope, and what a caller may ask for.

Knows no header and no environment. A token itself is nowhere: its SHA-256 is what the settings hold, which is
enough since it is random (`oss-copy token` makes one).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

from osscopy.model import CopyRequest, Origin, Refused, Within
from osscopy.model.request import Options
from osscopy.model.values import Moment, Value
from osscopy.plan.allowed.options import WORDS, AllowedOptions, Word
from osscopy.plan.keys import Pattern

Verb: TypeAlias = Literal["GET", "POST", "DELETE"]
VERBS: tuple[Verb, ...] = ("GET", "POST", "DELETE")
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
MOST = 20  # tokens; the environment of a function has 4 KB


class Token(Value, frozen=True):
    """An entry of API_TOKENS. What is absent is not narrowed; `until`: it counts no longer.

    `sha256`: of the token, in hex. `jobs`: those that it may see and end.
    """

    name: Annotated[str, msgspec.Meta(pattern=f"^{NAME}$")]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    sources: tuple[str, ...] | None = None
    destinations: tuple[str, ...] | None = None
    verbs: tuple[Verb, ...] = VERBS
    options: tuple[Word, ...] = WORDS
    jobs: Literal["own", "all"] = "all"
    until: Moment | None = None


class Caller(msgspec.Struct, frozen=True):
    """Whoever asks over HTTP, and his scope. `until`: Unix seconds; `own`: sees his own jobs alone."""

    name: str
    digest: str = ""
    sources: tuple[Pattern, ...] | None = None
    destinations: tuple[Pattern, ...] | None = None
    verbs: frozenset[str] = frozenset(VERBS)
    words: frozenset[Word] = frozenset(WORDS)
    own: bool = False
    until: float | None = None

    @property
    def origin(self) -> Origin:
        """Return what travels with his copies."""
        return Origin(self.name, tuple(map(_within, self.sources or ())))

    def allow(self, request: CopyRequest) -> None:
        """Refuse a copy from or to where this caller may not copy."""
        place, sources = request.source, self.sources
        if sources is not None and not any(each.matches(place.bucket, place.key) for each in sources):
            text = f"{self.name} has no such source in its scope: oss://{place.bucket}/{place.key}"
            raise Refused("NotAllowed", text, field="source", status=403)
        self.allow_writing(request.destination.bucket, request.destination.key, "destination")

    def allow_writing(self, bucket: str, key: str, field: str) -> None:
        """Refuse a place that this caller may not have written."""
        if self.destinations is not None and not any(each.matches(bucket, key) for each in self.destinations):
            text = f"{self.name} has no such destination in its scope: oss://{bucket}/{key}"
            raise Refused("NotAllowed", text, field=field, status=403)

    def judge(self, request: Options, allowed: AllowedOptions) -> None:
        """Refuse options that the function may use, and this caller not: by their words.

        What a copy does is known later, in an invocation that knows the function's options alone.
        """
        lacking = AllowedOptions(frozenset(WORDS) - (allowed.words - self.words))
        lacking.judge_request(request)
        for field, word in lacking.perhaps(request):
            text = f"{self.name} may not ask for it: its options lack {word}"
            raise Refused("NotAllowed", text, field=field, status=403)


def read(entries: Sequence[Token]) -> tuple[Caller, ...]:
    """Return the callers that entries of API_TOKENS stand for; ValueError names what is wrong with one."""
    if len(entries) > MOST:
        raise ValueError(f"{len(entries)} tokens; {MOST} are taken")
    found = tuple(_caller(each) for each in entries)
    names = [each.name for each in found]
    for name in names:
        if names.count(name) > 2:
            raise ValueError(f"{name}: two tokens of one name at most, while it is changed")
    if len({each.digest for each in found}) < len(found):
        raise ValueError("one sha256 twice")
    return found


def known(given: str, callers: Sequence[Caller], now: float) -> Caller | None:
    """Return the caller whose token was given, None if there is none; all are compared, in the same time."""
    digest, found = hashlib.sha256(given.encode(errors="replace")).hexdigest(), None
    for each in callers:
        if hmac.compare_digest(digest, each.digest) and (each.until is None or now < each.until):
            found = each
    return found


def _caller(entry: Token) -> Caller:
    until = None if entry.until is None else datetime.fromisoformat(entry.until.replace("Z", "+00:00"))
    return Caller(
        f"token:{entry.name}",
        entry.sha256,
        _patterns(entry.sources),
        _patterns(entry.destinations),
        frozenset(entry.verbs),
        frozenset(entry.options),
        entry.jobs == "own",
        None if until is None else until.timestamp(),
    )


def _patterns(given: Sequence[str] | None) -> tuple[Pattern, ...] | None:
    """Return the places of a scope; an empty list names none, and is refused: it would be no narrow scope."""
    if given is None:
        return None
    if not given:
        raise ValueError("an empty list names no place: leave it out, or name some")
    return tuple(map(Pattern.parse, given))


def _within(pattern: Pattern) -> Within:
    if pattern.is_prefix:
        return Within(pattern.bucket, pattern.key)
    return Within(pattern.bucket, key=pattern.key)
