"""`make bench`: run the measurements and write them to RESULTS.md, measured/, results.json and plots/.

`ARGS="NAME …"` runs some of them and only prints; with `--write` their figures take the place of their
earlier ones. `ARGS=--quick` runs fewer parts and repetitions, and never writes. `ARGS=--render` makes
the pages and the plots anew from the figures that are kept.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

import msgspec

from tests.bench import (
    copier,
    copies,
    flood,
    lanes,
    listing,
    load,
    many,
    page,
    plots,
    processes,
    results,
    serial,
    server,
    terabyte,
    transport,
    widths,
)
from tests.bench.figures import Bench
from tests.bench.results import Origin, Section
from tests.bench.running import interpreter, warm_cloud

HERE = Path(__file__).parent
PLOTS = HERE / "plots"
BENCHES = (
    Bench("serial", serial.serial),
    Bench("floor", copies.floor),
    Bench("sequential", copies.sequential),
    Bench("copier", copier.copier),
    Bench("parts", copier.parts),
    Bench("threads", widths.threads),
    Bench("lanes", lanes.lanes),
    Bench("terabyte", terabyte.terabyte),
    Bench("transport", transport.transport),
    Bench("lists", load.lists),
    Bench("tail", load.tail),
    Bench("throttle", load.throttle),
    Bench("import", processes.imports),
    Bench("memory", processes.memory),
    Bench("server", server.server),
    Bench("listing", listing.listing),
    Bench("many", many.many),
    Bench("flood", flood.flood),
)
NAMES = [each.name for each in BENCHES]


def main() -> int:
    """Run what is asked for; the whole set is written down, and what is to be written."""
    options = _options()
    if options.render:
        _write(results.renew([], NAMES))
        return 0
    sections = []
    for bench in BENCHES:
        if options.names and bench.name not in options.names:
            continue
        print(f"{bench.name} ...", file=sys.stderr, flush=True)  # noqa: T201 - a program that speaks to its user
        sections.append(_section(bench, options.quick))
        print(page.section(sections[-1]), flush=True)  # noqa: T201 - a program that speaks to its user
    if options.write or not (options.names or options.quick):
        _write(results.renew(sections, NAMES))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument("--quick", action="store_true", help="fewer parts and repetitions")
    parser.add_argument("--write", action="store_true", help="keep the figures of the named ones")
    parser.add_argument("--render", action="store_true", help="measure nothing, write the documents anew")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no such bench: {', '.join(sorted(unknown))}")
    if options.quick and options.write:
        parser.error("quick figures are not kept")
    return options


def _section(bench: Bench, quick: bool) -> Section:
    measured = tuple(bench.measure(quick))
    about = inspect.cleandoc(bench.measure.__doc__ or "")
    return Section(bench.name, about, _origin(), measured)


def _origin() -> Origin:
    packages = ", ".join(f"{name} {version(name)}" for name in ("oss2", "uvicorn", "httptools", "uvloop"))
    load = os.getloadavg()[0]
    return Origin(
        date=time.strftime("%Y-%m-%d", time.gmtime()),
        machine=f"{_processor()}, {os.cpu_count()} cores for everything; {platform.system()}",
        load=round(load, 1),
        python=f"Python {platform.python_version()}",
        instances=_instances(),
        packages=f"{packages}; the peer: alibabacloud-oss-v2 1.4.1",
    )


@cache
def _instances() -> str:
    with warm_cloud(30) as cloud:
        return interpreter(cloud)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def _write(sections: Sequence[Section]) -> None:
    """The pages and the plots; RuntimeError if the plots cannot be drawn."""
    drawings = plots.drawings([point for each in sections for point in each.points])
    order = {"folder": str(PLOTS), "drawings": msgspec.to_builtins(drawings)}
    command = [str(copier.PEERS), str(HERE / "draw.py")]
    done = subprocess.run(command, input=json.dumps(order), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the plots could not be drawn:\n{done.stderr}")
    written = page.pages(sections)
    (HERE / page.FOLDER).mkdir(exist_ok=True)
    for path, text in written.items():
        (HERE / path).write_text(text, encoding="utf-8")
    for each in (HERE / page.FOLDER).glob("*.md"):
        if f"{page.FOLDER}/{each.name}" not in written:
            each.unlink()


if __name__ == "__main__":
    sys.exit(main())
