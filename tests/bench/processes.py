"""What the function costs as a process: time to import, memory of an invocation."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile

from tests.bench.figures import Figure, reach, spread
from tests.bench.running import THREADS, copy, warm_cloud
from tests.cloud.client import ROOT

GIB = 1 << 30
LARGEST = int(48.8 * (1 << 40))  # bytes: what OSS documents as 48.8 TB
WIDE = 256  # threads

_Object = tuple[str, int, int | None]  # its name, bytes, bytes of a part (None: as oss-copy chooses)
SMALL: _Object = ("1 GB", GIB, None)
MANY: _Object = ("10 GB in parts of 1 MiB", 10_000 << 20, 1 << 20)
FINE: _Object = ("1 GB in parts of 1 MiB", GIB, 1 << 20)
HUGE: _Object = ("48.8 TB", LARGEST, None)


def imports(quick: bool) -> list[Figure]:
    """`import index` against bare `import oss2`, each in fresh processes, in turn, timed inside the process.

    The handler leaves out of oss2 what is for encryption and for files, and has its own code and the other
    packages to import. Both find their byte code cached (in a directory of the bench's own, written by a
    first run of each), as in an instance whose layer has been compiled. The interpreter's own start is in
    neither figure.
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
        reach("import", "import of the handler / import of oss2, time", wall),
        reach("import", "the same, CPU time (which neighbours on the machine disturb less)", busy),
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

    Each is the first large copy of a fresh instance; the largest object has nearly 10,000 parts of nearly
    5 GiB, all listed and completed by one invocation, the one of 10 GB as many of 1 MiB. With 256 threads
    MAX_PARALLEL is set and the request asks for as many; every request takes 50 ms then, and 1 GB has 1,024
    parts, so that they are all at work. The function's timeout is 3600 s. Interpreter and SDKs are in the
    figure.
    """
    figures = []
    peaks: dict[tuple[str, int], float] = {}
    for (name, size, part_size), threads in _rows(quick):
        with warm_cloud(3600, threads) as cloud:
            if threads > THREADS:
                cloud.conditions(latency_ms=50)
            run = copy(cloud, "large.bin", size, part_size, parallel=threads, lanes=1)
        peaks[name, threads] = peak = max(run.peaks)
        done = f"{run.result['parts']:,} parts, {run.result['hops']} hop"
        what = f"peak memory, {name}, {threads} threads ({done})"
        if threads == THREADS:
            figures.append(reach("memory", what, peak, f"{peak:.1f} MB"))
        else:
            figures.append(Figure(what, f"{peak:.1f} MB"))
    if not quick:
        small, large = peaks[MANY[0], THREADS], peaks[HUGE[0], THREADS]
        what = f"difference of {HUGE[0]} and {MANY[0]}"
        figures.append(reach("memory-flat", what, abs(large / small - 1) * 100))
    return figures


def _rows(quick: bool) -> list[tuple[_Object, int]]:
    if quick:
        return [(SMALL, THREADS)]
    return [(each, THREADS) for each in (SMALL, MANY, HUGE)] + [(each, WIDE) for each in (FINE, HUGE)]
