"""Somebody who calls the deployer's commands: each a program of its own, on the local cloud."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

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
            "PYTHONDONTWRITEBYTECODE": "1",
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
        name, *rest = arguments
        command = [sys.executable, "-m", "functions.cli", name, "--template", str(template)]
        command += ["--layers", str(self.layers)] if name == "deploy" else []
        command += ["--tool", str(self.tool)] if self.tool and name in TOOLED else []
        return subprocess.run(
            [*command, *rest],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    def notes(self) -> list[dict[str, Any]]:
        """How `s` was called so far."""
        if not self._notes.exists():
            return []
        return [json.loads(line) for line in self._notes.read_text(encoding="utf-8").splitlines()]
