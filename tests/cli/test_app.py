"""The template package of Serverless Devs: `s init` makes a project of it that can be deployed.

Left out where the `s` tool is not installed; `make check` installs it.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from functions.cli.errors import Unprepared
from functions.cli.tool import program as tool
from layers.app import build
from tests.cli.conftest import ACCOUNT
from tests.cloud.client import ROOT
from tests.tours.rehearsal import Rehearsal, read, start

ANSWERS = {
    "region": "cn-beijing",
    "accountId": ACCOUNT,
    "functionName": "my-copy",
    "sourceBucket": "my-source",
    "destinationBucket": "my-destination",
    "stateBucket": "my-state",
    "watchedPrefix": "in/",
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build.build(tmp_path_factory.mktemp("app") / "app")


@pytest.fixture
def project(archive: Path, tmp_path: Path) -> Path:
    """What `s init` makes of the package with these answers; it deletes the archive that it is given."""
    try:
        command: Sequence[str] = tool.command(None)
    except Unprepared:
        pytest.skip("the `s` tool is not installed (make tool)")
    given, made = shutil.copy(archive, tmp_path), tmp_path / "made"
    asked = ["init", "--uri", str(given), "-d", str(made), "-y", "--parameters", json.dumps(ANSWERS)]
    done = tool.run_offline(command, asked)
    assert done.code == 0, done.output
    return made


def test_the_package_asks_for_vars_of_s_yaml_with_their_defaults_and_is_of_this_version() -> None:
    variables = yaml.safe_load((ROOT / "s.yaml").read_text("utf-8"))["vars"]
    asked = build.published()["Parameters"]["properties"]
    assert {name: each["default"] for name, each in asked.items()} == {
        name: variables[name] for name in asked
    }
    assert set(asked) == set(ANSWERS)
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert version
    assert build.published()["Version"] == version[1]


def test_the_same_tree_makes_the_same_package_to_the_byte(archive: Path, tmp_path: Path) -> None:
    assert build.build(tmp_path / "app").read_bytes() == archive.read_bytes()


def test_a_parameter_that_is_no_var_is_refused() -> None:
    with pytest.raises(SystemExit, match="no such entry"):
        build.with_answers("vars:\n  region: a\n", ["bucket"])


def test_a_project_is_the_tree_with_the_answers_and_its_deployment_copies(project: Path) -> None:
    template = project / "s.yaml"
    variables = yaml.safe_load(template.read_text("utf-8"))["vars"]
    assert {name: variables[name] for name in ANSWERS} == ANSWERS
    assert template.read_text("utf-8").count("# change") == (ROOT / "s.yaml").read_text("utf-8").count(
        "# change"
    )
    missing = [each for each in (*build.MORE, ".ci/s/package-lock.json") if not (project / each).is_file()]
    assert missing == []
    with start(template) as cloud:
        rehearsal = Rehearsal(cloud, read(template))
        assert rehearsal.deploy(read(template))
        assert rehearsal.copy_by_upload()
