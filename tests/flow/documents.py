"""The documents of users and contributors, and what they show: blocks, spans, tables, commands, links.

It reads Markdown as far as these documents use it. It knows nothing of what the examples mean.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from tests.cloud.client import ROOT

README, WORK = "README.md", "tests/README.md"
API, BULK, SYNC = "functions/API.md", "functions/BULK.md", "functions/SYNC.md"
OPERATING, SETTINGS, ERRORS = "functions/OPERATING.md", "functions/SETTINGS.md", "functions/ERRORS.md"
PROGRAM, COSTS, LOG = "functions/PROGRAM.md", "functions/COSTS.md", "functions/LOG.md"
GUARANTEES, DESIGN = "functions/GUARANTEES.md", "functions/DESIGN.md"
NOTIFY = "functions/NOTIFY.md"
CHECKS, ADDING = "tests/CHECKS.md", "tests/ADDING.md"
LOCAL, OPERATIONS = "tests/cloud/README.md", "tests/cloud/OPERATIONS.md"
READINGS, RIGHTS, HOST = "tests/cloud/READINGS.md", "tests/cloud/RIGHTS.md", "tests/cloud/fc/README.md"
FUNCTION = (API, BULK, SYNC, OPERATING, SETTINGS, ERRORS, PROGRAM, COSTS, LOG, NOTIFY, GUARANTEES, DESIGN)
ALL = (README, *FUNCTION, WORK, CHECKS, ADDING)
OF_CLOUD = (LOCAL, READINGS, RIGHTS, OPERATIONS, HOST)  # for users of the local cloud alone

_FENCED = re.compile(r"(?ms)^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$")
_SPAN = re.compile(r"`([^`]+)`")
_HEADING = re.compile(r"(?m)^(#+) (.+)$")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_PROGRAMS = ("make ", "python ", "oss-copy ")
_HERE = ".venv/bin/"  # where a checkout has the program
_ASSIGNMENT = re.compile(r"[A-Z][A-Z0-9]*=")
_EXPORT = re.compile(r"export ([A-Z][A-Z0-9_]*)=\S+")


class Block(NamedTuple):
    language: str
    text: str


class Table(NamedTuple):
    """Cells without the spaces around them."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Command(NamedTuple):
    """As a document has it, cut into words as a shell does; `target` is the first word after the program."""

    text: str
    words: tuple[str, ...]

    @property
    def target(self) -> str | None:
        """What `make` is to make; None: it is no `make`."""
        return self.words[1] if self.words[0] == "make" and len(self.words) > 1 else None

    @property
    def arguments(self) -> list[str] | None:
        """What `oss-copy` is given; None: it is another program."""
        return list(self.words[1:]) if self.words[0] == "oss-copy" else None

    @property
    def variables(self) -> dict[str, str]:
        """What is given to `make` besides."""
        return dict(word.split("=", 1) for word in self.words if _ASSIGNMENT.match(word))


def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def everything() -> str:
    """The text of all documents about the product."""
    return "\n\n".join(read(each) for each in ALL)


def about_cloud() -> str:
    """The text of all documents about the local cloud."""
    return "\n\n".join(read(each) for each in OF_CLOUD)


def section(document: str, title: str) -> str:
    """The text below a heading, up to the next one of its level or above; there must be one such heading."""
    text = read(document)
    headings = [each for each in _HEADING.finditer(text) if not _is_fenced(text, each.start())]
    (at,) = (index for index, each in enumerate(headings) if each[2] == title)
    ends = [each.start() for each in headings[at + 1 :] if len(each[1]) <= len(headings[at][1])]
    return text[headings[at].end() : ends[0] if ends else len(text)]


def _is_fenced(text: str, position: int) -> bool:
    return any(block.start() <= position < block.end() for block in _FENCED.finditer(text))


def blocks(text: str, language: str | None = None) -> list[Block]:
    """Fenced blocks, of one language if that is given."""
    found = [Block(each["language"], each["text"]) for each in _FENCED.finditer(text)]
    return [each for each in found if language in {None, each.language}]


def spans(text: str) -> list[str]:
    """The code in running text and in tables, each once, on one line."""
    return list(dict.fromkeys(" ".join(each.split()) for each in _SPAN.findall(_FENCED.sub("", text))))


def tables(text: str) -> list[Table]:
    """All tables in their order."""
    return [Table(head, tuple(rows)) for head, *rows in _tables(_FENCED.sub("", text))]


def _tables(text: str) -> Iterator[list[tuple[str, ...]]]:
    lines: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            lines.append(line)
        elif lines:
            del lines[1]  # the rule below the head
            yield [tuple(cell.strip() for cell in each[1:-1].split("|")) for each in lines]
            lines = []


def table(text: str, *head: str) -> list[tuple[str, ...]]:
    """The rows of the one table with this head."""
    (found,) = (each for each in tables(text) if each.head == head)
    return list(found.rows)


def pairs(text: str, *head: str) -> dict[str, str]:
    """The one table of two columns with this head: what its second column says of the first."""
    cells = table(text, *head)
    return {each[0]: each[1] for each in cells}


def rows(text: str) -> list[tuple[str, ...]]:
    """The cells of all tables' rows, heads left out."""
    return [row for each in tables(text) for row in each.rows]


def _typed(text: str) -> list[str]:
    """The lines of `sh` blocks, without comments; a command each."""
    lines = [line for block in blocks(text, "sh") for line in block.text.splitlines()]
    typed = (line.partition("#")[0].strip().removeprefix(_HERE) for line in lines)
    return [each for each in typed if each]


def commands(text: str) -> list[Command]:
    """Everything that starts a program: lines of `sh` blocks and spans, each once."""
    found = dict.fromkeys(each for each in _typed(text) + spans(text) if _is_command(each))
    return [Command(each, tuple(shlex.split(each))) for each in found]


def exports(text: str) -> list[str]:
    """The variables that lines of `sh` blocks set."""
    return [found[1] for each in _typed(text) if (found := _EXPORT.fullmatch(each))]


def unknown_lines(text: str) -> list[str]:
    """The lines of `sh` blocks that are neither a command nor set a variable."""
    return [each for each in _typed(text) if not _is_command(each) and not _EXPORT.fullmatch(each)]


def _is_command(text: str) -> bool:
    return text == "make" or text.startswith(_PROGRAMS)


def options(text: str) -> list[str]:
    """What may be added to a command, shown apart from it: `--yes`, `--with check`, `ARGS=--kill`."""
    noted = re.findall(r"(?m)#.*?\b([A-Z]+=\S+)", "".join(each.text for each in blocks(text, "sh")))
    shown = [each for each in spans(text) if _ASSIGNMENT.match(each) or each.startswith("--")]
    return list(dict.fromkeys([*noted, *shown]))


def json_spans(text: str) -> list[str]:
    """Spans that show JSON, or a part of it."""
    return [each for each in spans(text) if each.startswith(("{", "[", '"')) and '"' in each]


def links(text: str) -> list[str]:
    """The targets of links: an address, a path from the document's folder, `#anchor`, or `path#anchor`."""
    return _LINK.findall(_FENCED.sub("", text))


def linked(document: str) -> set[str]:
    """The Markdown documents of this tree to which a document has links."""
    paths = (link.partition("#")[0] for link in links(read(document)) if "://" not in link)
    found = (((ROOT / document).parent / each).resolve() for each in paths if each)
    return {str(each.relative_to(ROOT)) for each in found if each.suffix == ".md"}


def anchors(text: str) -> list[str]:
    """The anchors of the headings, as GitHub makes them: small letters, hyphens for spaces, numbered."""
    found: list[str] = []
    for _, title in _HEADING.findall(_FENCED.sub("", text)):
        plain = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        times = sum(re.fullmatch(rf"{re.escape(plain)}(-\d+)?", each) is not None for each in found)
        found.append(f"{plain}-{times}" if times else plain)
    return found
