"""The lists of planted faults, and how one is planted.

A fault is a text of the product and what stands in its place. The text occurs exactly once in its file, so
that a fault that the product has left behind fails loudly, and is mended or taken from the list.
"""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

import yaml

ROOT = Path(__file__).parents[2]
LISTS = Path(__file__).parent
PRODUCT = "functions/oss_copy/osscopy"


class Stale(Exception):
    """A fault that cannot be planted any more."""


@dataclass(frozen=True)
class Fault:
    """`text` of `file` becomes `into`. `what` is wrong then, and `why` that matters.

    `tests`: ids of tests of which one must fail. `survives`: the reason why none can, else empty.
    """

    file: str
    what: str
    why: str
    text: str
    into: str
    tests: tuple[str, ...]
    survives: str = ""

    @property
    def name(self) -> str:
        return f"{self.file}: {self.what}"

    @property
    def path(self) -> str:
        """The file, from the root of the tree."""
        return f"{PRODUCT}/{self.file}"

    def lines(self, root: Path = ROOT) -> range:
        """Return the lines of the file that the fault changes."""
        before, _, _ = self._source(root).partition(self.text)
        first = before.count("\n") + 1
        return range(first, first + self.text.count("\n") + 1)

    def planted(self, root: Path = ROOT) -> str:
        """Return the file's text with the fault in it; Stale if that is no other program."""
        source = self._source(root)
        wrong = source.replace(self.text, self.into)
        try:
            with warnings.catch_warnings():  # a comparison of literals, say
                warnings.simplefilter("ignore", SyntaxWarning)
                code = compile(wrong, self.path, "exec")
        except SyntaxError as error:
            raise Stale(f"{self.name}: {error}") from error
        if code == _compiled(source, self.path):
            raise Stale(f"{self.name}: changes nothing")
        return wrong

    def _source(self, root: Path) -> str:
        source = (root / self.path).read_text(encoding="utf-8")
        if (count := source.count(self.text)) != 1:
            raise Stale(f"{self.name}: the text to change is there {count} times: {self.text!r}")
        return source


@functools.cache
def _compiled(source: str, path: str) -> CodeType:
    return compile(source, path, "exec")


@functools.cache
def load() -> tuple[Fault, ...]:
    """Return all planted faults."""
    return tuple(fault for path in sorted(LISTS.glob("*.yaml")) for fault in _read(path))


def _read(path: Path) -> list[Fault]:
    files = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return [
        Fault(
            file,
            each["what"],
            each["why"],
            each["text"],
            each["into"],
            tuple(each["tests"]),
            each.get("survives", ""),
        )
        for file, faults in files.items()
        for each in faults
    ]
