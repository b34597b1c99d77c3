"""The genuine `s` tool: it takes what we take, refuses what we refuse, and understands our command lines.

Left out where it is not installed; `make check` installs it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from functions.cli.account.credentials import TOOL_KEY
from functions.cli.errors import TemplateError, Unprepared
from functions.cli.template import Deployment, read
from functions.cli.tool import program as tool
from tests.cli.conftest import GENUINE, changed
from tests.cli.deployer import Deployer
from tests.cloud.client import LocalCloud

# What makes the stand-in note how it is called.
NOTING = """
const { appendFileSync } = require("fs");
for (const command of ["deploy", "remove", "logs"]) {
  const act = StandIn.prototype[command];
  StandIn.prototype[command] = async (inputs) => {
    const { args, props, resource } = inputs;
    const note = { command, args, resource: resource.name, layers: props.layers };
    appendFileSync(process.env.NOTES, JSON.stringify(note) + "\\n");
    await act(inputs);
  };
}
"""


@pytest.fixture
def start() -> Sequence[str]:
    try:
        return tool.command(None)
    except Unprepared:
        pytest.skip("the `s` tool is not installed (make tool)")


def test_it_resolves_the_template_as_we_do(start: Sequence[str], deployment: Deployment) -> None:
    shown: Any = tool.preview(start, GENUINE)
    assert {name: each["props"] for name, each in shown["resources"].items()} == deployment.props


ENVIRONMENT = """\
# comment
A=first
export B=exported # trailing
C='single $A \\n'
D="double\\nline ${A}"
E=
F=ref-$A-${P:-fallback}-${NOPE:-default}-${P}
G=`back "tick"`
H=h\\$A
I: colon
P=not the shell's
 S =  spaced  \r
UNI=ü#x
MANY='one
two'
A=again
bad line
"""
NAMES = ("A", "B", "C", "D", "E", "F", "G", "H", "I", "P", "Q", "R", "S", "UNI", "MANY", "bad", "FC_REGION")


def test_it_reads_variables_and_env_files_as_we_do(start: Sequence[str], tmp_path: Path) -> None:
    lines = "".join(f"        {name}: \"<${{env('{name}', 'default of {name}')}}>\"\n" for name in NAMES)
    lines = lines.replace("        FC_REGION: ", "        REGION: ")
    template = changed(tmp_path, ("        LOG_LEVEL: INFO\n", lines))
    (tmp_path / ".env").write_text(ENVIRONMENT, encoding="utf-8", newline="")
    given = {"P": "the shell's $A", "Q": "", "R": "of the shell $A", "AccountID": "42", "FC_REGION": ""}
    shown: Any = tool.preview(start, template, given)
    ours = read(template, given)
    spelt: Any = ours.props["oss_copy"]
    assert shown["resources"]["oss_copy"]["props"] == spelt
    told = spelt["environmentVariables"]
    assert told["P"] == "<the shell's again>", "values of the shell are expanded where a file names them"
    assert (told["Q"], told["R"]) == ("<default of Q>", "<of the shell $A>")
    assert told["REGION"] == "<default of FC_REGION>"
    assert {*NAMES} == ours.asked - {"OSS_COPY_LAYER_VERSION"}


def test_a_variable_that_is_nowhere_or_empty_stops_it_as_it_stops_us(
    start: Sequence[str], tmp_path: Path
) -> None:
    template = changed(tmp_path, ("LOG_LEVEL: INFO", "LOG_LEVEL: ${env('NOWHERE')}"))
    for given in ({}, {"NOWHERE": ""}):
        with pytest.raises(TemplateError, match=r"env\('NOWHERE'\) not found"):
            tool.preview(start, template, given)
        with pytest.raises(TemplateError, match=r"LOG_LEVEL: environment variable NOWHERE is not set"):
            read(template, given)


def test_an_edition_that_it_only_shrugs_at_counts_as_refused(start: Sequence[str], tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text("{}", encoding="utf-8")
    tool.verify(start, GENUINE, schema)
    template = changed(tmp_path, ("edition: 3.0.0", "edition: 1.0.0"))
    with pytest.raises(TemplateError, match="Not support template"):
        tool.verify(start, template, schema)
    with pytest.raises(TemplateError, match="preview failed"):
        tool.preview(start, template)


def test_what_the_component_s_schema_refuses_is_refused(start: Sequence[str], tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps({"properties": {"diskSize": {"enum": [10240]}}}), encoding="utf-8")
    with pytest.raises(TemplateError, match="diskSize must be equal to one of the allowed values: 10240"):
        tool.verify(start, GENUINE, schema)


def test_it_hands_our_command_lines_and_temporary_credentials_to_the_component(
    start: Sequence[str],  # noqa: ARG001 - skips
    acting: Deployer,
    shared_account: LocalCloud,
    tmp_path: Path,
    own: Path,
) -> None:
    acting.preload(tmp_path / "home", NOTING)
    acting.be(shared_account.assume("deployer"))
    acting.environment |= {"AccountID": "none", "AccessKeyID": "none", "AccessKeySecret": "none"}
    deployed = acting.run("deploy", template=own)
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    for command in (["logs", "--tail"], ["remove", "--confirm"]):
        done = acting.run(*command, template=own)
        assert done.returncode == 0, done.stdout + done.stderr
    further = ["-t", str(own), "-a", TOOL_KEY]
    every = ["oss_copy_dropped", "oss_copy", "oss_copy_http"]
    noted = [(note["command"], note["resource"], note["args"]) for note in acting.notes()]
    assert noted[:4] == [
        *(("deploy", resource, ["-y", *further]) for resource in every),
        ("logs", "oss_copy", ["--tail", *further]),
    ]
    assert sorted(noted[4:]) == sorted(("remove", resource, ["-y", *further]) for resource in every)
    (layer,) = acting.notes()[0]["layers"]
    assert f"layer {layer}: " in deployed.stdout
