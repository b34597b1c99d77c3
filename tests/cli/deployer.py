"""Somebody who calls the deployer's commands, in this process; tests of the documents call programs."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from functions.cli.__main__ import main
from functions.cli.account.credentials import TOOL_KEY
from tests.cloud.accounts import Credentials
from tests.cloud.client import ROOT, LocalCloud
from tests.cloud.fc import standin

NOTING = f"""\
#!{sys.executable}
import json, os, sys
names = ("AccountID", "AccessKeyID", "AccessKeySecret", "SecurityToken", "OSS_COPY_LAYER_VERSION", "PATH")
noted = {{"arguments": sys.argv[1:], **{{name: os.environ.get(name) for name in names}}}}
noted["key"] = json.loads(os.environ.get("{TOOL_KEY}", "null"))
noted["FC"] = {{name: value for name, value in os.environ.items() if name.startswith("FC_")}}
with open(os.environ["NOTES"], "a") as notes:
    print(json.dumps(noted), file=notes)
if os.environ.get("ACTING"):
    sys.path.insert(0, "{ROOT}")
    from tests.cloud.fc import standin
    sys.exit(standin.main(sys.argv[1:]))
print(os.environ.get("SAYING", ""))
sys.exit(int(os.environ.get("EXIT_CODE", "0")))
"""


TOOLED = {"template", "deploy", "remove", "logs"}


@contextmanager
def captured() -> Iterator[list[str]]:
    """Yield an empty list; in the end it holds what was written to standard output and to standard error."""
    texts: list[str] = []
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as error:
        sys.stdout.flush()
        sys.stderr.flush()
        kept = [os.dup(1), os.dup(2)]
        try:
            os.dup2(out.fileno(), 1)
            os.dup2(error.fileno(), 2)
            with redirect_stdout(out), redirect_stderr(error):
                yield texts
        finally:
            for number, descriptor in enumerate(kept, 1):
                os.dup2(descriptor, number)
                os.close(descriptor)
        for file in (out, error):
            file.flush()
            file.seek(0)
            texts.append(file.read())


class Deployer:
    """Who calls the commands: with an account, a template, built layers, and an `s`."""

    def __init__(self, folder: Path, cloud: LocalCloud) -> None:
        self.layers = folder / "layers"
        (self.layers / "sdk").mkdir(parents=True)
        (self.layers / "sdk" / "requirements.txt").touch()
        self.build(b"one")
        self.tool: Path | None = folder / "s"
        self.tool.write_text(NOTING, encoding="utf-8")
        self.tool.chmod(0o755)
        self._notes = folder / "notes"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "functions/oss_copy"),
            "ALIBABA_CLOUD_ACCESS_KEY_ID": cloud.owner.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": cloud.owner.access_key_secret,
            "FC_CLIENT_CUSTOM_ENDPOINT": cloud.fc,
            "OSS_ENDPOINT": cloud.oss,
            "NOTES": str(self._notes),
        }

    def be(self, who: Credentials) -> None:
        """Deploy with these credentials."""
        self.environment |= {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": who.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": who.access_key_secret,
            "ALIBABA_CLOUD_SECURITY_TOKEN": who.security_token or "",
        }

    def act(self) -> Deployer:
        """From now on `s` deploys, invokes and removes for real."""
        self.environment["ACTING"] = "1"
        return self

    def preload(self, home: Path, more: str) -> None:
        """Take the genuine tool, under a home where it finds the stand-in, and this after it."""
        standin.preload(home, Path(sys.executable), ROOT)
        for index in home.rglob("index.js"):
            index.write_text(index.read_text(encoding="utf-8") + more, encoding="utf-8")
        self.environment |= {"HOME": str(home), "NODE_ENV": "test"}
        self.tool = None

    def build(self, content: bytes) -> None:
        """A layer as `make layer` leaves it; it need not be one to be published."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(zipfile.ZipInfo("python/x.py"), content)
        (self.layers / "sdk-3.12.zip").write_bytes(packed.getvalue())

    def run(self, *arguments: str, template: Path = ROOT / "s.yaml") -> subprocess.CompletedProcess[str]:
        """Run a command in this process, as the program does; what it starts is a program of its own."""
        name, *rest = arguments
        command = [name, "--template", str(template)]
        command += ["--layers", str(self.layers)] if name == "deploy" else []
        command += ["--tool", str(self.tool)] if self.tool and name in TOOLED else []
        command += rest
        with pytest.MonkeyPatch.context() as patch, captured() as texts:
            patch.chdir(ROOT)
            for variable in [*os.environ]:
                patch.delenv(variable)
            for variable, text in self.environment.items():
                patch.setenv(variable, text)
            code = main(command)
        return subprocess.CompletedProcess(command, code, *texts)

    def notes(self) -> list[dict[str, Any]]:
        """How `s` was called so far."""
        if not self._notes.exists():
            return []
        return [json.loads(line) for line in self._notes.read_text(encoding="utf-8").splitlines()]
