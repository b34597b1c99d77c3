"""Secrets in what `s` prints, by the lines of the genuine fc3 component."""

from __future__ import annotations

import pytest

from functions.cli.tool import masking

TOKEN = "s3cret-of-some-length"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("    API_TOKEN:            s3cret-of-some-length\n", "    API_TOKEN:            ***\n"),
        (
            "environmentVariables.API_TOKEN: the-old-one => s3cret-of-some-length\n",
            "environmentVariables.API_TOKEN: *** => ***\n",
        ),
        ("    API_TOKEN: 'it''s old'\n", "    API_TOKEN: ***\n"),
        ('{"API_TOKEN":"the \\"old\\" one","A":"1"}', '{"API_TOKEN":***,"A":"1"}'),
        ("seen in passing: s3cret-of-some-length.", "seen in passing: ***."),
        ("    STATE_BUCKET: records\n", "    STATE_BUCKET: records\n"),
    ],
)
def test_a_secret_is_masked_wherever_it_stands_and_whatever_stands_behind_its_name(
    line: str, shown: str
) -> None:
    assert masking.of({"API_TOKEN"}, {TOKEN})(line) == shown


def test_without_secrets_nothing_is_changed() -> None:
    assert masking.of((), ())("a: b, API_TOKEN: c") == "a: b, API_TOKEN: c"


def test_a_value_of_a_few_characters_is_not_looked_for() -> None:
    assert masking.of(["API_TOKEN"], ["on"])("one, on: API_TOKEN: on") == "one, on: API_TOKEN: ***"
