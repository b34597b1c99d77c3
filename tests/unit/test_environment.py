"""`.env` files are read as the `s` tool reads them; tests/cli/test_tool.py asks the tool itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.cli.template import environment


def extended(folder: Path, given: dict[str, str], *texts: str) -> dict[str, str]:
    files = []
    for number, text in enumerate(texts):
        files.append(folder / f"{number}.env")
        files[-1].write_text(text, encoding="utf-8")
    return environment.extended(given, [*files, folder / "absent"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("X=1", "1"),
        ("export X=1 # comment", "1"),
        ("X: 1", "1"),
        (" X =  1  ", "1"),
        ("X='a # b'", "a # b"),
        ('X="a\\nb"', "a\nb"),
        ("X='a\\nb'", "a\\nb"),
        ("X=`it's`", "it's"),
        ("X=$Y-${Y}-${Z:-none}", "y-y-none"),
        ("X=\\$Y", "$Y"),
        ("X=1\r\nA=2", "1"),
        ("X=1\nX=2", "2"),
        ("X=", ""),
    ],
)
def test_a_line_sets_a_variable(tmp_path: Path, text: str, value: str) -> None:
    assert extended(tmp_path, {"Y": "y"}, text)["X"] == value


def test_the_shell_comes_first_and_then_the_first_file(tmp_path: Path) -> None:
    found = extended(tmp_path, {"A": "shell", "E": ""}, "A=1\nB=1\nE=1", "A=2\nB=2\nC=2")
    assert found == {"A": "shell", "B": "1", "C": "2", "E": ""}


def test_references_that_never_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the references in A go round"):
        extended(tmp_path, {}, "A=$B\nB=x$A")


def test_what_a_file_mentions_is_what_it_sets_or_refers_to(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=$B ${C:-c}\n", encoding="utf-8")
    assert environment.mentioned([path, tmp_path / "absent"]) == {"A", "B", "C"}


def test_variables_of_fc_itself_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FC_REGION", "cn-beijing")
    monkeypatch.setenv("FC_FUNCTION_NAME", "cloud-shell")
    monkeypatch.setenv("FC_CLIENT_CUSTOM_ENDPOINT", "http://127.0.0.1:1")
    found = environment.read()
    assert found["FC_REGION"] == ""
    assert "FC_FUNCTION_NAME" not in found
    assert found["FC_CLIENT_CUSTOM_ENDPOINT"] == "http://127.0.0.1:1"
