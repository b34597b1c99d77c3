"""The stand-in of the fc3 component takes credentials as `s` does, and packs what the component packs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cloud.fc import standin
from tests.cloud.fc.packages import pack_code

KEY = "default_serverless_devs_key"
THREE = {"AccountID": "1", "AccessKeyID": "of-three", "AccessKeySecret": "s"}
ONE = json.dumps({**THREE, "AccessKeyID": "of-one", "SecurityToken": "t"})


def test_three_variables_come_first_and_no_token_is_taken_with_them() -> None:
    environ = {**THREE, "SecurityToken": "t", KEY: ONE}
    assert standin.credential_of(["-a", KEY], environ) == THREE


@pytest.mark.parametrize("missing", THREE)
def test_one_variable_that_is_named_brings_a_token(missing: str) -> None:
    environ = {name: value for name, value in THREE.items() if name != missing} | {KEY: ONE}
    assert standin.credential_of(["-y", "-a", KEY], environ) == json.loads(ONE)


@pytest.mark.parametrize("arguments", [[], ["-a", "default"], ["-a", "other_serverless_devs_key"]])
def test_without_either_it_is_unable(arguments: list[str]) -> None:
    with pytest.raises(standin.Unable, match="no credentials"):
        standin.credential_of(arguments, {"AccountID": "1", KEY: ONE})


def test_it_packs_all_but_what_fcignore_names(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/x.py", "a/x.log", "x.log"):
        (tmp_path / name).write_bytes(b"x")
    everything = pack_code(tmp_path)
    (tmp_path / ".fcignore").write_text("*.log\n")
    assert b"x.log" in everything
    assert b"x.log" not in pack_code(tmp_path)
