"""The runtime of an instance whose coverage is measured: what ran is saved before the process can end.

An instance ends by SIGKILL, and coverage saves at a regular exit. It knows the runtime, and not the host.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from coverage import Coverage

MEASURED = "COVERAGE_PROCESS_CONFIG"  # coverage's own: a process that finds it measures itself


def main() -> None:
    """Run the runtime as it is, and save after every invocation, before its report."""
    del os.environ[MEASURED]  # the function does not see it
    measured = Coverage.current()
    assert measured is not None, "coverage has not begun: is its .pth file missing in site-packages?"
    spec = spec_from_file_location("bootstrap", Path(__file__).with_name("bootstrap.py"))
    assert spec is not None
    assert spec.loader is not None
    runtime = module_from_spec(spec)
    spec.loader.exec_module(runtime)
    run = runtime.__dict__["_run"]  # the runtime is a program, and has no public names

    def run_and_save(shape: str, headers: Mapping[str, str], event: bytes) -> object:
        report = run(shape, headers, event)
        measured.save()
        return report

    runtime.__dict__["_run"] = run_and_save
    runtime.main()


if __name__ == "__main__":
    sys.path[0] = ""  # not this directory, whose modules have the names of others
    main()
