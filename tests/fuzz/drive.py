"""schemathesis drives the OpenAPI document against the HTTP trigger: `python -m tests.fuzz.drive`.

The function is behind an `anonymous` trigger with a bearer token, on a local cloud of its own.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from functions.cli import openapi
from osscopy.model import MIB
from osscopy.plan.allowed.options import WORDS
from tests.cloud.client import ROOT, LocalCloud

CONFIG = Path(__file__).with_name("schemathesis.toml")
TOKEN = "0123456789abcdef-of-the-tests"
SOURCE = "oss-copy-source"


class Driven(NamedTuple):
    """What came of a run."""

    cases: int
    is_clean: bool  # no failure and no error
    report: str
    told: list[str]  # results and logs of the invocations


def drive(examples: int, seed: int | None = None, *, systematic: bool = True) -> Driven:
    """Send up to `examples` drawn requests an operation; if `systematic`, each limit of each field too."""
    environment = {"MULTIPART_THRESHOLD": "2MiB", "API_TOKEN": TOKEN, "ALLOWED_OPTIONS": ",".join(WORDS)}
    with LocalCloud(variables={"timeout": 30, "httpAuthType": "anonymous"}, environment=environment) as cloud:
        for key in ("small.bin", "备份/ü +%2F.bin"):
            cloud.oss_bucket(SOURCE).put_object(key, b"x")
        cloud.seed(SOURCE, "big.bin", 20 * MIB)
        program = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIG), "run"]
        options = ["--url", cloud.http_trigger, "--max-examples", str(examples), "--no-color"]
        options += ["--request-timeout", "30"]  # seconds; the function takes 10 of them for its answer
        options += ["--seed", str(seed)] if seed is not None else []
        options += [] if systematic else ["--phases", "examples,fuzzing"]
        ran = subprocess.run(
            [*program, *options, str(openapi.TARGET)],
            cwd=ROOT,
            env={**os.environ, "API_TOKEN": TOKEN, "PYTHONWARNINGS": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        told = [f"{one['result']} {one['logs']} {one['error']}" for one in cloud.invocations()]
    report = ran.stdout + ran.stderr
    found = re.search(r"(\d+) generated", report)
    return Driven(int(found[1]) if found else 0, ran.returncode == 0, report, told)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--examples", type=int, default=300, help="an operation")
    options.add_argument("--at-least", type=int, default=2000, help="cases in all")
    options.add_argument("--seed", type=int)
    asked = options.parse_args()
    driven = drive(asked.examples, asked.seed)
    sys.stdout.write(driven.report)
    sys.stdout.write(f"{driven.cases} cases\n")
    return 0 if driven.is_clean and driven.cases >= asked.at_least else 1


if __name__ == "__main__":
    sys.exit(main())
