"""The genuine `s` tool: it takes what we take, refuses what we refuse, and understands our command lines.

Left out where it is not installed; `make check` installs it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from functions.deploy import tool
from functions.deploy.account import Refusal
from functions.deploy.template import Deployment
from tests.deploy.conftest import GENUINE, changed
from tests.deploy.deployer import Deployer

# A component that notes how it is called.
NOTING = """
const { appendFileSync } = require("fs");
class Noting {}
for (const command of ["deploy", "remove", "logs", "invoke"])
  Noting.prototype[command] = async ({ args, props, resource }) => {
    const note = { command, args, resource: resource.name, layers: props.layers };
    appendFileSync(process.env.NOTES, JSON.stringify(note) + "\\n");
  };
module.exports = Noting;
module.exports.default = Noting;
"""


@pytest.fixture
def start() -> Sequence[str]:
    try:
        return tool.command(None)
    except Refusal:
        pytest.skip("the `s` tool is not installed (make tool)")


def test_it_resolves_the_template_as_we_do(start: Sequence[str], deployment: Deployment) -> None:
    shown: Any = tool.preview(start, GENUINE)
    assert {name: each["props"] for name, each in shown["resources"].items()} == deployment.props


def test_an_edition_that_it_only_shrugs_at_counts_as_refused(start: Sequence[str], tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text("{}", encoding="utf-8")
    tool.verify(start, GENUINE, schema)
    template = changed(tmp_path, ("edition: 3.0.0", "edition: 1.0.0"))
    with pytest.raises(Refusal, match="Not support template"):
        tool.verify(start, template, schema)
    with pytest.raises(Refusal, match="preview failed"):
        tool.preview(start, template)


def test_what_the_component_s_schema_refuses_is_refused(start: Sequence[str], tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps({"properties": {"diskSize": {"enum": [10240]}}}), encoding="utf-8")
    with pytest.raises(Refusal, match="diskSize must be equal to one of the allowed values: 10240"):
        tool.verify(start, GENUINE, schema)


def test_it_hands_our_command_lines_to_the_component(
    start: Sequence[str],  # noqa: ARG001 - skips
    deployer: Deployer,
    tmp_path: Path,
) -> None:
    deployer.preload(tmp_path / "home", NOTING)
    event = '{"action": "sweep"}'
    deployed = deployer.run("deploy")
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    for command in (["remove"], ["logs", "--", "--tail"], ["invoke", event]):
        done = deployer.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    template, both = ["-t", str(GENUINE)], ["oss_copy", "oss_copy_dropped"]
    noted = [(note["command"], note["resource"], note["args"]) for note in deployer.notes()]
    assert sorted(noted) == sorted(
        [
            *(("deploy", resource, ["-y", *template]) for resource in both),
            *(("remove", resource, ["-y", *template]) for resource in both),
            ("logs", "oss_copy", ["--tail", *template]),
            ("invoke", "oss_copy", ["--event", event, *template]),
        ]
    )
    (layer,) = deployer.notes()[0]["layers"]
    assert f"layer {layer}: " in deployed.stdout
