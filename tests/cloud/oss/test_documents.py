"""Documents are what xml.etree would have made of them, keys in them what `quote` would."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from hypothesis import given, strategies as st

from .protocol import Markup, document, encoder

NAMES = st.sampled_from(["Key", "Owner", "Contents"])
TEXTS = st.text(st.sampled_from("a&<>\"' \u4e2d/+"), max_size=5)
TREES: Any = st.recursive(
    st.tuples(NAMES, TEXTS | st.integers(0, 9)),
    lambda inner: st.tuples(NAMES, st.lists(inner, max_size=3)),
    max_leaves=8,
)


def element(tree: Any) -> ET.Element:
    name, value = tree
    made = ET.Element(name)
    if isinstance(value, list):
        made.extend(element(child) for child in value)
    else:
        made.text = str(value)
    return made


@given(st.lists(TREES, max_size=3))
def test_a_document_is_written_as_by_etree(children: list[Any]) -> None:
    text = ET.tostring(element(("Root", children)), "unicode")
    assert document("Root", children).decode() == f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'


def test_a_piece_that_is_written_already_stands_as_it_is() -> None:
    assert document("Root", [("A", "<"), Markup("<B>&amp;</B>")]).endswith(
        b"<Root><A>&lt;</A><B>&amp;</B></Root>"
    )


@given(st.text(st.sampled_from("aZ0-._~/ +%&\u4e2d\n"), max_size=8))
def test_keys_are_percent_encoded_as_a_whole(key: str) -> None:
    assert encoder("url")[1](key) == quote(key, safe="")
