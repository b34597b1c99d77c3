"""Filters of objects: globs of keys as rclone writes them, sizes, times and storage classes.

Knows no listing: an object's key below the prefix, size, time and class come in as arguments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime

from osscopy.model import KIB, TIB, Filters, Refused

MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)"  # whole seconds, with an offset
MAX_GLOBS, MAX_GLOB = 100, 1024
_TOKEN = re.compile(r"\*\*/|\*+|\[(?:\\.|[^\]\\])+\]|\\.|.", re.DOTALL)
_MEMBER = re.compile(r"(?:\\(.)|([^\\]))(?:-(?:\\(.)|([^\\\]])))?", re.DOTALL)
_SIZE = re.compile(r"([0-9]{1,15}) ?(B|KiB|MiB|GiB|TiB)?")
_UNITS = {"": 1, "B": 1, "KiB": KIB, "MiB": KIB**2, "GiB": KIB**3, "TiB": TIB}


class Filter:
    """The filters of a request, made ready; Refused names the field that is wrong."""

    def __init__(self, given: Filters) -> None:
        self._takes_all = given.include is None
        self._include = _globs(given.include or (), "filters.include")
        self._exclude = _globs(given.exclude, "filters.exclude")
        self._least = _read(_size, given.min_size, "filters.minSize", 0)
        self._most = _read(_size, given.max_size, "filters.maxSize", 1 << 62)
        self._after = _read(moment, given.modified_after, "filters.modifiedAfter", 0)
        self._before = _read(moment, given.modified_before, "filters.modifiedBefore", 1 << 62)
        self._classes = given.storage_classes
        self._refuse_none()

    def _refuse_none(self) -> None:
        """Refuse bounds between which there is nothing."""
        if self._least > self._most:
            raise Refused(
                "InvalidFilter", "it is less than minSize: nothing is taken", field="filters.maxSize"
            )
        if self._after >= self._before:
            text = "it is not after modifiedAfter: nothing is taken"
            raise Refused("InvalidFilter", text, field="filters.modifiedBefore")

    def takes(self, name: str, size: int, modified: int, storage_class: str) -> bool:
        """Return whether an object is taken; `name` is its key below the prefix, `modified` Unix seconds."""
        return (
            self._least <= size <= self._most
            and self._after <= modified < self._before
            and (self._classes is None or storage_class in self._classes)
            and self.takes_name(name)
        )

    def takes_name(self, name: str) -> bool:
        """Return whether an include matches, or none is given, and no exclude does."""
        is_taken = self._takes_all or any(each.match(name) for each in self._include)
        return is_taken and not (self._exclude and any(each.match(name) for each in self._exclude))


def _globs(patterns: Iterable[str], field: str) -> tuple[re.Pattern[str], ...]:
    return tuple(_glob(pattern, field) for pattern in patterns)


def _glob(pattern: str, field: str) -> re.Pattern[str]:
    """Return a glob as a regular expression of the whole name."""
    try:
        return re.compile(f"(?:{_translated(pattern)})\\Z", re.DOTALL)
    except (ValueError, re.error) as error:
        text = f"{pattern[:80]!r} is no glob: {error}; a backslash before a character means that one"
        raise Refused("InvalidFilter", text, field=field) from None


def _translated(pattern: str) -> str:
    out: list[str] = []
    depth, before = 0, "/"
    for token in _TOKEN.findall(pattern):
        depth += {"{": 1, "}": -1}.get(token, 0)
        out.append(_piece(token, depth, starts=before in {"/", "{", ","}))
        before = token[-1]
    return "".join(out)


def _piece(token: str, depth: int, *, starts: bool) -> str:
    """Return one token's expression. `starts`: it begins a name; `depth`: of braces, this one counted."""
    match token[0], token:
        case _, "**/":
            return "(?:.*/)?" if starts else ".*/"
        case _, "*":
            return "[^/]*"
        case "*", _:
            return ".*"
        case _, "?":
            return "[^/]"
        case _, "{":
            return "(?:"
        case _, "}":
            return ")"
        case _, ",":
            return "|" if depth else ","
        case "[", _:
            return _class(token)
        case "\\", _:
            return re.escape(token[1:] or _no_escape())
    return re.escape(token)


def _no_escape() -> str:
    raise ValueError("it ends with a backslash")


def _class(token: str) -> str:
    """Return a class of characters, none of which is a slash."""
    body = token[1:-1] or _no_class()
    negated = body[0] in "!^"
    members = "".join(
        re.escape(one or first) + (f"-{re.escape(other or last)}" if other or last else "")
        for one, first, other, last in _MEMBER.findall(body[negated:])
    )
    return f"(?!/)[{'^' * negated}{members}]"


def _no_class() -> str:
    raise ValueError("[ has no ]")


def _read(parse: Callable[[str], int], given: int | str | None, field: str, default: int) -> int:
    """Return a size or a time; `default` where none is given."""
    try:
        return default if given is None else parse(str(given))
    except (ValueError, OverflowError) as error:
        raise Refused("InvalidFilter", str(error), field=field) from None


def _size(text: str) -> int:
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no size; write 1048576 or 1MiB")
    return int(found[1]) * _UNITS[found[2] or ""]


def moment(text: str) -> int:
    """Return a time in Unix seconds; ValueError if it is none."""
    if not re.fullmatch(MOMENT, text):
        raise ValueError(f"{text[:40]!r} is no time; write 2026-01-01T00:00:00Z, or +08:00 for Z")
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())
