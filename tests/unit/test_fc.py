"""What FC tells of an invocation, read with care: it is text, or a number, or nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from osscopy.aliyun.fc_context import read_context
from osscopy.model import Misconfigured

KEY = ("id", "secret", None)


def context(**told: object) -> Any:
    function = SimpleNamespace(name="f", timeout=told.get("timeout", 60), memory=told.get("memory", 512))
    return SimpleNamespace(
        request_id="R", region="cn-x", account_id="1", function=function, retry_count=told.get("retries", 0)
    )


@pytest.mark.parametrize("told", ["60", 60, 60.0])
def test_a_timeout_is_a_number_or_text(told: object) -> None:
    assert read_context(context(timeout=told), KEY).timeout == 60


@pytest.mark.parametrize("told", ["", "soon", None, "nan", "inf", "-1"])
def test_a_timeout_that_is_none_names_the_setting(told: object) -> None:
    with pytest.raises(Misconfigured, match="timeout"):
        read_context(context(timeout=told), KEY)


@pytest.mark.parametrize(
    ("told", "count"), [("2", 2), (3, 3), (None, 0), ("many", 0), ("-1", 0), ("\u00b2", 0), ("\u0663", 0)]
)
def test_a_count_that_is_none_is_not_told(told: object, count: int) -> None:
    seen = read_context(context(memory=told, retries=told), KEY)
    assert (seen.memory, seen.retries) == (count, count)


def test_credentials_are_those_of_the_context_or_else_of_the_environment() -> None:
    given = context()
    given.credentials = SimpleNamespace(access_key_id="a", access_key_secret="b", security_token="c")
    assert read_context(given, KEY).access_key == ("a", "b", "c")
    given.credentials = SimpleNamespace(access_key_id="", access_key_secret="", security_token="")
    assert read_context(given, KEY).access_key == KEY
    with pytest.raises(Misconfigured, match="role"):
        read_context(given, None)
