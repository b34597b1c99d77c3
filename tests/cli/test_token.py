"""`oss-copy token`: what it prints is what the function takes."""

from __future__ import annotations

import json

import pytest

from osscopy import settings
from osscopy.plan.allowed import tokens
from tests.cli.terminal import Terminal

SCOPE = ("--source", "src/in/*", "--destination", "dst/*", "--verb", "GET", "--option", "restore", "--own")


@pytest.mark.parametrize("scope", [(), (*SCOPE, "--days", "3"), ("--no-options",)])
def test_the_entry_is_what_the_function_knows_the_token_by(
    terminal: Terminal, scope: tuple[str, ...]
) -> None:
    said = terminal.types("token", "nightly", *scope, "--json")
    assert said.code == 0, said.err
    made = json.loads(said.out)
    environment = {"STATE_BUCKET": "state", "API_TOKENS": json.dumps([made["entry"]])}
    (caller,) = settings.load(environment).callers
    assert tokens.known(made["token"], [caller], 0.0) == caller
    assert made["token"] not in json.dumps(made["entry"])
    assert caller.own == ("--own" in scope)
    assert (caller.words == frozenset()) == ("--no-options" in scope)
    assert (caller.until is not None) == ("--days" in scope)


def test_a_token_is_shown_once_and_never_the_same(terminal: Terminal) -> None:
    one, other = (terminal.types("token", "nightly").out.splitlines() for _ in range(2))
    assert len(one) == 4
    assert one[1] != other[1]


@pytest.mark.parametrize("words", [("a b",), ("n", "--source", "bucket"), ("n", "--source", "Bad/*")])
def test_a_wrong_scope_is_refused(terminal: Terminal, words: tuple[str, ...]) -> None:
    said = terminal.types("token", *words)
    assert (said.code, said.out) == (2, "")
