"""A map in order: as a dictionary, whatever comes and goes."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from . import sorted_map
from .sorted_map import SortedMap

KEYS = st.text(st.sampled_from("ab/\uffff\U0001f600"), max_size=3)


@pytest.fixture(autouse=True)
def _short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorted_map, "MOST", 4)


@given(st.lists(st.tuples(st.booleans(), KEYS, st.integers())), KEYS)
def test_it_holds_what_a_dictionary_holds_in_the_order_of_bytes(
    steps: list[tuple[bool, str, int]], start: str
) -> None:
    held, plain = SortedMap[int](), dict[str, int]()
    for adds, key, value in steps:
        if adds:
            held.put(key, value)
            plain[key] = value
        else:
            held.discard(key)
            plain.pop(key, None)
        assert held.get(key) == plain.get(key)
        assert len(held) == len(plain)
    ordered = sorted(plain.items(), key=lambda item: item[0].encode())
    assert list(held.walk("")) == ordered
    assert list(held.walk(start)) == [item for item in ordered if item[0].encode() >= start.encode()]
    assert all(held.get(key) == value for key, value in plain.items())
