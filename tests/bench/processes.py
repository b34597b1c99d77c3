"""What the function costs as a process: time to import, memory of an invocation."""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
import tempfile

from tests.bench.figures import Figure, ratio, spread
from tests.bench.running import copy, warm_cloud
from tests.cloud.client import ROOT

THREADS = (32, 256)
GIB = 1 << 30
LARGEST = int(48.8 * (1 << 40))  # bytes: what OSS documents as 48.8 TB


def imports(quick: bool) -> list[Figure]:
    """`import index` against bare `import oss2`, each in fresh processes, in turn, timed inside the process.

    Both find their byte code cached (in a directory of the bench's own, written by a first run of each), as
    in an instance whose layer has been compiled. The interpreter's own start is in neither figure.
    """
    repeats = 5 if quick else 31
    modules = ("index", "oss2")
    with tempfile.TemporaryDirectory() as cache:
        environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
        environment |= {"PYTHONPATH": str(ROOT / "functions/oss_copy"), "PYTHONPYCACHEPREFIX": cache}
        for module in modules:
            _import(module, environment)
        times: dict[str, list[_Cost]] = {module: [] for module in modules}
        for _ in range(repeats):
            for module in modules:
                times[module].append(_import(module, environment))
        later = [_import("index, fc2", environment) for _ in range(3)]
    wall, busy = (
        statistics.median(cost[i] for cost in times["index"])
        / statistics.median(cost[i] for cost in times["oss2"])
        for i in (0, 1)
    )
    return [
        ratio("import of the handler / import of oss2, time", wall, "<= 1.10", wall <= 1.10),
        ratio("the same, CPU time (which neighbours on the machine disturb less)", busy, "", True),
        *(
            Figure(f"import {module}", spread([cost[0] for cost in times[module]], "ms"))
            for module in modules
        ),
        Figure(
            "import index and fc2, which the first hand-over imports",
            spread([cost[0] for cost in later], "ms"),
        ),
    ]


_Cost = tuple[float, float]  # milliseconds: time, CPU time


def _import(module: str, environment: dict[str, str]) -> _Cost:
    code = (
        "import time; begun, busy = time.perf_counter(), time.process_time(); "
        f"import {module}; print(time.perf_counter() - begun, time.process_time() - busy)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=environment, capture_output=True, check=True
    )
    wall, busy = (float(figure) * 1000 for figure in done.stdout.split())
    return wall, busy


def memory(quick: bool) -> list[Figure]:
    """Peak resident memory of an invocation (VmHWM, reset by the host before each), for 1 GB and for 48.8 TB.

    Each is the first large copy of a fresh instance, with the part sizes that oss-copy itself chooses; the
    largest object has 10,000 parts of nearly 5 GiB, all listed and completed by the one invocation. The
    function's timeout is 3600 s; a request takes 20 ms. Interpreter and SDKs are in the figure.
    """
    sizes: dict[str, tuple[int, int | None]] = {"1 GB": (GIB, None)}
    if not quick:
        sizes |= {"10 GB in parts of 1 MiB": (10_000 << 20, 1 << 20), "48.8 TB": (LARGEST, None)}
    peaks: list[float] = []
    figures: list[Figure] = []
    for threads, (name, (size, part_size)) in itertools.product(THREADS, sizes.items()):
        with warm_cloud(3600, threads) as cloud:
            cloud.conditions(latency_ms=20)  # so that as many requests are in flight
            run = copy(cloud, "large.bin", size, part_size)
        peaks.append(max(run.peaks))
        state = f"{run.result['parts']} parts, {run.result['hops']} hop, {run.seconds:.0f} s"
        what = f"{threads} threads, {name} ({state})"
        figures.append(Figure(f"peak memory, {what}", f"{peaks[-1]:.1f} MB", "<= 96 MB", peaks[-1] <= 96))
    if not quick:
        first, last = peaks[0], peaks[len(sizes) - 1]
        flat = last <= first * 1.1
        reason = (
            "by the number of parts, of which OSS takes 10,000 at most (lists, XML of Complete), not by bytes"
        )
        grown = f"{last - first:.1f} MB"
        figures.append(
            Figure("growth from 1 GB to 48.8 TB", grown, "flat (10 %)", flat, "" if flat else reason)
        )
    return figures
