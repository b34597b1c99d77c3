"""`python -m tests.layers`: how long a fresh process takes to import the handler, with and without byte code.

Takes the archives that `make layer` has built. Each figure is the median of fresh processes under the
runtime's own interpreter, with nothing but the layer and the code on its path, and without writing byte code.
Files are in the page cache: FC's first read of a layer comes on top.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import zipfile
from pathlib import Path

from layers.sdk import build
from tests.cloud.client import ROOT

SCRIPT = """
import sys, time
sys.path[:0] = sys.argv[1:]
begun = time.perf_counter()
import index
print(time.perf_counter() - begun)
"""


def main() -> int:
    """Measure what is built; 1 if nothing is."""
    parser = argparse.ArgumentParser(prog="python -m tests.layers", description=__doc__)
    parser.add_argument("--processes", type=int, default=21, help="for each figure (21)")
    processes = parser.parse_args().processes
    measured = 0
    for version in sorted(build.GLIBC):
        archive, python = ROOT / f"layers/sdk-{version}.zip", build.find_interpreter(version)
        if archive.is_file() and python is not None:
            measured += 1
            print(f"{archive.name}: {archive.stat().st_size:,} bytes")
            for name, seconds in measure(archive, python, processes).items():
                median, fastest = (round(each * 1000) for each in (statistics.median(seconds), min(seconds)))
                print(f"  {name}: {median} ms (fastest {fastest})")
    return 0 if measured else 1


def measure(archive: Path, python: str, processes: int) -> dict[str, list[float]]:
    """Seconds of each import; with and without by turns, so that both see the same machine."""
    with tempfile.TemporaryDirectory() as directory:
        places = {name: Path(directory) / name for name in ("with byte code", "without byte code")}
        for place in places.values():
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(place)  # our own archive
        for cache in places["without byte code"].rglob("__pycache__"):
            shutil.rmtree(cache)
        code = Path(directory) / "code"
        shutil.copytree(ROOT / "functions/oss_copy", code, ignore=shutil.ignore_patterns("__pycache__"))
        seconds: dict[str, list[float]] = {name: [] for name in places}
        for _ in range(processes):
            for name, place in places.items():
                seconds[name].append(time_import(python, code, place / "python"))
        return seconds


def time_import(python: str, code: Path, packages: Path) -> float:
    """Seconds of `import index` in a fresh process."""
    command = [python, "-I", "-S", "-B", "-W", "ignore", "-c", SCRIPT, str(code), str(packages)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    raise SystemExit(main())
