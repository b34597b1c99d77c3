"""`make test-all`: the suite on every interpreter of 3.10, 3.11 and 3.12 that is installed, pyenv's included.

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.10", "3.11", "3.12")


def find(version: str) -> str | None:
    """An interpreter that really runs as `version`: a pyenv shim may stand for one that is not active."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), *map(str, sorted(pyenv.glob(f"{version}.*/bin/python3")))]
    for candidate in filter(None, candidates):
        script = "import sys; print('%d.%d' % sys.version_info[:2])"
        told = subprocess.run([candidate, "-c", script], capture_output=True, text=True, check=False)
        if told.stdout.strip() == version:
            return candidate
    return None


def main() -> int:
    """Run them one after another; 1 if any fails or none is there."""
    outcomes: dict[str, str] = {}
    for version in VERSIONS:
        python = find(version)
        if python is None:
            outcomes[version] = "not installed"
            continue
        print(f"=== Python {version}", flush=True)  # noqa: T201 - a program that speaks to its user
        command = [
            "make",
            "test",
            f"PYTHON={python}",
            f"VENV=.venvs/{version}",
            f"ARGS={' '.join(sys.argv[1:])}",
        ]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        outcomes[version] = "passed" if code == 0 else f"FAILED ({code})"
    for version, outcome in outcomes.items():
        print(f"Python {version}: {outcome}")  # noqa: T201 - a program that speaks to its user
    ran = [outcome for outcome in outcomes.values() if outcome != "not installed"]
    return 0 if ran and all(outcome == "passed" for outcome in ran) else 1


if __name__ == "__main__":
    sys.exit(main())
