"""`make pictures`: the two pictures of README, the demo's timeline and a screenshot of the page.

The demo kills an instance on the way; the page shows a large object that eight lanes copy. Chromium comes
from Debian (`apt-get install chromium`).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.cloud.client import ROOT
from tests.tours.page import MIB, SOURCE, Tour, chromium, touring

FOLDER = ROOT / "functions" / "pictures"
OBJECT = "backups/2026-11-30.tar"


def timeline() -> Path:
    """Run the demo, and return where it has drawn its chain; CalledProcessError if it fails."""
    command = [sys.executable, "-m", "tests.tours.demo", "--kill"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = re.search(r"The chain over time: (\S+\.svg)", said)
    if found is None:
        raise RuntimeError(f"the demo names no picture:\n{said}")
    return Path(found[1])


def screenshot(tour: Tour) -> None:
    """Shoot the page while it shows a copy in eight lanes."""
    tour.cloud.seed(SOURCE, OBJECT, 4096 * MIB, seed=1)
    tour.cloud.conditions(bandwidth_mb_s=1.5, latency_ms=300)
    job = tour.begin(OBJECT, lanes=8)
    time.sleep(15)
    tour.look("page", f"?job={job}")
    tour.api("DELETE", f"/copies/{job}")
    tour.cloud.conditions()
    tour.cloud.wait_idle()


def main() -> int:
    """Make both; return the exit status."""
    program = chromium()
    if program is None:
        return 1
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made, touring(program, Path(made)) as tour:
        screenshot(tour)
        shutil.copy(Path(made) / "page.png", FOLDER)
        wrong = tour.wrong
    shutil.move(timeline(), FOLDER / "timeline.svg")
    print("\n".join([f"pictures: {FOLDER.relative_to(ROOT)}", *wrong]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
