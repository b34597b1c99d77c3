"""`make bench`: run the measurements and write them to RESULTS.md.

`ARGS="NAME …"` runs some of them, `ARGS=--quick` fewer parts and repetitions; both only print.
"""

from __future__ import annotations

import argparse
import inspect
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

from tests.bench import copies, lanes, load, processes, server
from tests.bench.figures import Bench, Figure, table
from tests.bench.running import interpreter, warm_cloud

RESULTS = Path(__file__).with_name("RESULTS.md")
BENCHES = (
    Bench("floor", copies.floor),
    Bench("sequential", copies.sequential),
    Bench("copier", copies.copier),
    Bench("lanes", lanes.lanes),
    Bench("lists", load.lists),
    Bench("width", load.width),
    Bench("tail", load.tail),
    Bench("throttle", load.throttle),
    Bench("import", processes.imports),
    Bench("memory", processes.memory),
    Bench("server", server.server),
)
ABSENT = """\
- prefix copy (objects a second against bare oss2 in threads, target >= 0.90; memory for 10 to 10^9 keys)"""
ABOUT = """\
Written by `make bench`; do not edit. Every figure comes from the local cloud on this machine's loopback,
with the latency that is named injected by the OSS server. **Loopback measures requests, concurrency and
hand-over, not OSS bandwidth**: copied bytes cost nothing here. Compare ratios, which were measured in one
run against the same server; seconds say more about the machine. Medians, with the range in brackets."""


def main() -> int:
    """Run what is asked for; the whole set is written down."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of {', '.join(each.name for each in BENCHES)}; default: all",
    )
    parser.add_argument("--quick", action="store_true", help="fewer parts and repetitions")
    options = parser.parse_args()
    unknown = set(options.names) - {each.name for each in BENCHES}
    if unknown:
        parser.error(f"no such bench: {', '.join(sorted(unknown))}")
    sections = []
    for bench in BENCHES:
        if options.names and bench.name not in options.names:
            continue
        print(f"{bench.name} ...", file=sys.stderr, flush=True)  # noqa: T201 - a program that speaks to its user
        figures = bench.measure(options.quick)
        sections.append(_section(bench, figures))
        print(sections[-1], flush=True)  # noqa: T201 - a program that speaks to its user
    if not options.names and not options.quick:
        RESULTS.write_text(_page(sections), encoding="utf-8")
    return 0


def _section(bench: Bench, figures: list[Figure]) -> str:
    text = inspect.cleandoc(bench.measure.__doc__ or "")
    return f"## {bench.name}\n\n{text}\n\n{table(figures)}\n"


def _page(sections: list[str]) -> str:
    with warm_cloud(30) as cloud:
        instance = interpreter(cloud)
    packages = ", ".join(f"{name} {version(name)}" for name in ("oss2", "uvicorn", "httptools", "uvloop"))
    machine = [
        f"- {_processor()}, {os.cpu_count()} cores for server, function and client; {platform.system()}",
        f"- load average at the end of the run: {os.getloadavg()[0]:.1f}",
        f"- Python {platform.python_version()}; instances run {instance}",
        f"- {packages}; the peer: alibabacloud-oss-v2 1.4.1",
        f"- {time.strftime('%Y-%m-%d', time.gmtime())}; one bench: `make bench ARGS=NAME`",
    ]
    head = f"# Measurements\n\n{ABOUT}\n\n" + "\n".join(machine) + "\n"
    absent = f"## Not there yet\n\n{ABSENT}\n"
    return "\n".join([head, *sections, absent])


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


if __name__ == "__main__":
    sys.exit(main())
