"""`make clients`: every scenario with every client against the local cloud, printed as tables.

Fails if a cell is neither green nor has a reason, if a client is not installed, or if one does fewer
scenarios than it is known to do.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.cloud.client import LocalCloud
from tests.cloud.oss.running import Running

from .driving import Program, found
from .programs import fc_programs, programs
from .scenarios import PUBLIC_HOST
from .table import Table, chosen, fc_filled, filled, shown, started

# How many scenarios are green with each client; more are welcome, fewer are a failure.
LEAST = {
    "oss2": 79,
    "oss-v2": 80,
    "oss-v2 async": 74,
    "aiooss2": 56,
    "ossfs": 35,
    "ossfs aio": 35,
    "opendal": 34,
    "ali-oss": 79,
    "fc3": 11,
    "fc2": 8,
    "fc3 node": 11,
    "fc2 node": 8,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--client", action="append", help="only these clients; the first other one helps")
    parser.add_argument("--scenario", default="", help="only scenarios whose names hold this")
    arguments = parser.parse_args()
    complaints: list[str] = []

    def wanted(every: Sequence[Program]) -> list[Program]:
        asked = [each for each in every if not arguments.client or each.name in arguments.client]
        installed = found(asked)
        complaints.extend(f"{each.name} is not installed" for each in asked if each not in installed)
        return installed

    tables = []
    if oss := wanted(programs()):
        tables.append(_of_oss(oss, arguments.scenario))
    if fc := wanted(fc_programs()):
        tables.append(_of_fc(fc, arguments.scenario))
    for table in (each for each in tables if each.rows):
        print(shown(table), end="\n\n")
        complaints += table.failures()
        complaints += [] if arguments.scenario else _fewer(table)
    print(*complaints, sep="\n")
    return 1 if complaints else 0


def _of_oss(clients: Sequence[Program], words: str) -> Table:
    with tempfile.TemporaryDirectory() as directory:
        server = Running(Path(directory), public_host=PUBLIC_HOST)
        server.start()
        try:
            with started(clients, server.url) as drivers:
                return filled(server, drivers, chosen(words))
        finally:
            server.stop()


def _of_fc(clients: Sequence[Program], words: str) -> Table:
    with LocalCloud(template=None) as cloud, started(clients) as drivers:
        return fc_filled(cloud, drivers, words)


def _fewer(table: Table) -> list[str]:
    return [
        f"{name} does {table.green(name)} scenarios, at least {LEAST[name]} are expected"
        for name in table.clients
        if table.green(name) < LEAST[name]
    ]


if __name__ == "__main__":
    sys.exit(main())
