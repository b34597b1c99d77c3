"""What README.md tells its reader to type and to send: fenced blocks, code spans, rows of tables, commands.

It reads Markdown as far as that README uses it, and knows nothing of what it finds.
"""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

from tests.cloud.client import ROOT

_FENCED = re.compile(r"(?ms)^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$")
_SPAN = re.compile(r"`([^`]+)`")
_PROGRAMS = ("make ", "python ")
_ASSIGNMENT = re.compile(r"[A-Z][A-Z0-9]*=")


class Block(NamedTuple):
    language: str
    text: str


class Command(NamedTuple):
    """As README has it, cut into words as a shell would; `target` is the first word that is no program."""

    text: str
    words: tuple[str, ...]

    @property
    def target(self) -> str | None:
        """What `make` is to make; None: it is no `make`."""
        return self.words[1] if self.words[0] == "make" else None

    @property
    def variables(self) -> dict[str, str]:
        """What is given to `make` besides."""
        return dict(word.split("=", 1) for word in self.words if _ASSIGNMENT.match(word))


def read() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text below a heading of the second level; it must be there."""
    (found,) = re.findall(rf"(?ms)^## {re.escape(title)}\n(.*?)(?=^## |\Z)", read())
    return str(found)


def blocks(text: str) -> list[Block]:
    return [Block(found["language"], found["text"]) for found in _FENCED.finditer(text)]


def spans(text: str) -> list[str]:
    """The code in running text and in tables, each once, on one line."""
    return list(dict.fromkeys(" ".join(each.split()) for each in _SPAN.findall(_FENCED.sub("", text))))


def rows(text: str) -> list[tuple[str, ...]]:
    """The cells of all tables' rows, heads left out."""
    lines = [line for line in _FENCED.sub("", text).splitlines() if line.startswith("|")]
    rules = {index for index, line in enumerate(lines) if set(line) <= set("|-")}
    heads = {index - 1 for index in rules}
    body = [line for index, line in enumerate(lines) if index not in rules | heads]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in body]


def commands(text: str) -> list[Command]:
    """Everything that starts a program: lines of `sh` blocks and spans, each once."""
    typed = [line for block in blocks(text) if block.language == "sh" for line in block.text.splitlines()]
    plain = [line.partition("#")[0].strip() for line in typed] + spans(text)
    found = dict.fromkeys(each for each in plain if each.startswith(_PROGRAMS))
    return [Command(each, tuple(shlex.split(each))) for each in found]


def options(text: str) -> list[str]:
    """What may be added to a command, shown apart from it: `CONFIRM=1`, `--with check`, `ARGS=--kill`."""
    noted = re.findall(r"(?m)#.*?\b([A-Z]+=\S+)", "".join(each.text for each in blocks(text)))
    shown = [each for each in spans(text) if _ASSIGNMENT.match(each) or each.startswith("--")]
    return list(dict.fromkeys([*noted, *shown]))


def json_spans(text: str) -> list[str]:
    """Spans that show JSON, or a part of it."""
    return [each for each in spans(text) if each.startswith(("{", "[", '"')) and '"' in each]
