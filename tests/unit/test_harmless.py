"""What others chose is shown harmlessly: in the log, in the rows of a report, on the page."""

from __future__ import annotations

import csv
import json

import pytest

from osscopy.aliyun.hooks.lines import line_of
from osscopy.model import CopyRequest, Destination, Source
from osscopy.plan import bulk
from osscopy.plan.bulk.rows import COLUMNS, csv_rows
from osscopy.web.page.markup import join, name

EVIL = (
    "a\x1b[2Jb",
    "a\x9b31mb",
    "a\u202egnp.exe",
    "\u2066a\u2069",
    "a\u2028b",
    "a\u200fb",
    "a\rb\n",
    "a\x7fb",
)
HIDDEN = {character for text in EVIL for character in text} - set("ab[2J31mgnp.exe")


@pytest.mark.parametrize("text", EVIL)
def test_no_terminal_is_moved_by_a_key(text: str) -> None:
    line = line_of("result", {"key": text, "nothing": None})
    assert HIDDEN.isdisjoint(line)
    assert json.loads(line) == {"event": "result", "key": text}
    assert HIDDEN.isdisjoint(join(text) + name(text)) or text == "a\rb\n"  # a line's end on a page is a blank


@pytest.mark.parametrize("text", EVIL)
def test_no_cell_of_a_report_holds_what_is_not_shown(text: str) -> None:
    request = CopyRequest(source=Source("b\x9b", text, text), destination=Destination("dst", text))
    line = csv_rows([bulk.row(request, "failed", "Code", text)]).decode()
    assert HIDDEN.isdisjoint(line.removesuffix("\r\n"))
    (cells,) = csv.reader([line])
    assert len(cells) == len(COLUMNS)
