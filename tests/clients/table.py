"""The table: every scenario by every client, and what one client writes read by two others."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Literal

import msgspec

from tests.cloud.client import LocalCloud
from tests.cloud.oss.running import Running

from .driving import BrokenError, Driver, LacksError, Program, RefusedError
from .fc_scenarios import FC_SCENARIOS, FcScenario, FcScene
from .scenarios import SCENARIOS, Left, Scenario, Scene, same, told

READER = "oss2"  # reads what every other client leaves
State = Literal["green", "lacks", "failed"]


class Cell(msgspec.Struct, frozen=True):
    """The outcome of a scenario with a client; `text` says why it is not green."""

    state: State
    text: str = ""


class Table(msgspec.Struct, frozen=True):
    clients: dict[str, str]  # name: version
    rows: dict[str, dict[str, Cell]]  # by scenario and client

    def failures(self) -> list[str]:
        return [
            f"{scenario} / {client}:\n{cell.text}"
            for scenario, row in self.rows.items()
            for client, cell in row.items()
            if cell.state == "failed"
        ]

    def green(self, client: str) -> int:
        """Count the scenarios that are green with this client."""
        return sum(row[client].state == "green" for row in self.rows.values() if client in row)


@contextmanager
def started(programs: Sequence[Program], proxy: str = "") -> Iterator[dict[str, Driver]]:
    """A driver of each program. What resolves no names under `.localhost` reaches them through `proxy`."""
    environment = {"http_proxy": proxy, "no_proxy": "127.0.0.1"} if proxy else {}
    with ExitStack() as stack:
        yield {each.name: stack.enter_context(Driver(each, environment)) for each in programs}


def filled(server: Running, drivers: Mapping[str, Driver], chosen: Mapping[str, Scenario]) -> Table:
    """Run everything."""
    rows: dict[str, dict[str, Cell]] = {}
    for number, (name, scenario) in enumerate(chosen.items()):
        row = rows[name] = {}
        for client in drivers:
            scene = scene_of(server, drivers, client, name)
            row[client] = played(scene, scenario, witnesses(drivers, client, number))
            scene.clear()
    return Table({name: driver.version for name, driver in drivers.items()}, rows)


def fc_filled(cloud: LocalCloud, drivers: Mapping[str, Driver], words: str) -> Table:
    """Every scenario of FC by every client of FC; the first client makes the functions for the others."""
    helper = next(iter(drivers.values()))
    rows: dict[str, dict[str, Cell]] = {}
    for name, scenario in FC_SCENARIOS.items():
        if words in name:
            rows[name] = {
                client: _cell(partial(_play_fc, scenario, cloud, driver, helper, _slug(f"{name} {client}")))
                for client, driver in drivers.items()
            }
    return Table({name: driver.version for name, driver in drivers.items()}, rows)


def _play_fc(scenario: FcScenario, cloud: LocalCloud, driver: Driver, helper: Driver, name: str) -> None:
    scenario(FcScene(cloud, driver, helper, name))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:60].strip("-")


def scene_of(server: Running, drivers: Mapping[str, Driver], client: str, name: str) -> Scene:
    """The stage of a scenario: buckets named after it and the client, and a helper that is another client."""
    helper = next(each for each in drivers if each != client) if len(drivers) > 1 else client
    return Scene(server, drivers[client], drivers[helper], _slug(f"{name} {client}"))


def witnesses(drivers: Mapping[str, Driver], client: str, number: int) -> list[Driver]:
    """Two others that read what `client` leaves: oss2, and one after the other of the rest."""
    others = [name for name in drivers if name not in {client, READER}]
    first = [drivers[READER]] if client != READER and READER in drivers else []
    rest = (
        [drivers[others[(number + step) % len(others)]] for step in range(2 - len(first))] if others else []
    )
    return [*first, *rest]


def played(scene: Scene, scenario: Scenario, readers: Sequence[Driver]) -> Cell:
    """Play it, then let the readers look."""
    cell = _cell(partial(scenario, scene))
    if cell.state != "green":
        return cell
    for reader in readers:
        for left in scene.left:
            try:
                scene.connect(reader)
                _look(reader, left)
            except (AssertionError, RefusedError, BrokenError):
                text = f"read by {reader.program.name}: {traceback.format_exc(limit=-2)}"
                return Cell("failed", text)
    return Cell("green")


def _cell(play: Callable[[], None]) -> Cell:
    try:
        play()
    except LacksError as reason:
        return Cell("lacks", str(reason))
    except (AssertionError, LookupError, RefusedError, BrokenError):
        return Cell("failed", traceback.format_exc(limit=-3))
    return Cell("green")


def _look(reader: Driver, left: Left) -> None:
    found = reader("get", key=left.key)
    same(found["body"], left.body)
    told(
        found,
        type=left.content_type or found["type"],
        metadata=found["metadata"] if left.metadata is None else left.metadata,
    )


def shown(table: Table) -> str:
    """The table as text, the reasons below it."""
    reasons: dict[str, str] = {}
    wide = max(map(len, table.rows))
    names = list(table.clients)
    lines = [f"{'':{wide}}  " + "  ".join(names)]
    for scenario, row in table.rows.items():
        marks = []
        for name in names:
            cell = row.get(name)
            mark = "" if cell is None else "ok" if cell.state == "green" else "FAIL"
            if cell is not None and cell.state == "lacks":
                mark = reasons.setdefault(cell.text, f"({len(reasons) + 1})")
            marks.append(f"{mark:^{len(name)}}")
        lines.append(f"{scenario:{wide}}  " + "  ".join(marks).rstrip())
    lines += ["", *(f"{mark:>5} {reason}" for reason, mark in reasons.items()), ""]
    lines += [
        f"{version}: {table.green(name)} of {len(table.rows)} green"
        for name, version in table.clients.items()
    ]
    return "\n".join(lines)


def chosen(words: str) -> dict[str, Scenario]:
    """The scenarios whose names hold these words."""
    return {name: each for name, each in SCENARIOS.items() if words in name}
