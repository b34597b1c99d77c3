"""Secrets in what `s` prints, by the lines of the genuine fc3 component."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.cli import template
from functions.cli.template import ROOT
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


def test_the_address_of_a_robot_and_its_secret_are_masked_though_no_command_was_given_them(
    tmp_path: Path,
) -> None:
    url = "https://oapi.dingtalk.com/robot/send?access_token=t0ken-of-the-robot"
    named = {"NOTIFY_URL": url, "NOTIFY_SECRET": "SEC-of-the-robot"}
    text = (ROOT / "s.yaml").read_text(encoding="utf-8")
    lines = "".join(f"        {name}: {value}\n" for name, value in named.items())
    path = tmp_path / "s.yaml"
    path.write_text(text.replace("        LOG_LEVEL: INFO\n", lines), encoding="utf-8")
    masked = masking.mask((), template.read(path, {}, {}))
    shown = masked(f"NOTIFY_URL: {url}, NOTIFY_SECRET: SEC-of-the-robot")
    assert masked(f"seen in passing: {url}.") == "seen in passing: ***."
    assert shown == "NOTIFY_URL: ***, NOTIFY_SECRET: ***"


def test_without_secrets_nothing_is_changed() -> None:
    assert masking.of((), ())("a: b, API_TOKEN: c") == "a: b, API_TOKEN: c"


def test_a_value_of_a_few_characters_is_not_looked_for() -> None:
    assert masking.of(["API_TOKEN"], ["on"])("one, on: API_TOKEN: on") == "one, on: API_TOKEN: ***"
