"""The quick part of `make clients`: oss2, which is always there, goes through every scenario."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud.oss.running import Running

from .programs import oss2
from .scenarios import PUBLIC_HOST, SCENARIOS
from .table import Cell, Table, filled, shown, started

LACKED = {
    "post a form",
    "copy by the clients own parts",
    "seal what was appended",
}  # what oss2 has no call for


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    directory: Path = tmp_path_factory.mktemp("server")
    server = Running(directory, public_host=PUBLIC_HOST)
    server.start()
    with started([oss2()], server.url) as drivers:
        yield filled(server, drivers, SCENARIOS)
    server.stop()


def test_every_scenario_is_green_with_oss2(table: Table) -> None:
    assert len(table.rows) >= 40
    assert table.failures() == []
    assert {name for name, row in table.rows.items() if row["oss2"].state == "lacks"} == LACKED


def test_a_table_tells_reasons_below_it(table: Table) -> None:
    assert table.rows["post a form"] == {"oss2": Cell("lacks", "the client has no such call")}
    text = shown(table)
    assert "(1) the client has no copy in parts of its own" in text
    assert "(2) the client has no such call" in text
    assert f"{table.clients['oss2']}: {len(SCENARIOS) - len(LACKED)} of {len(SCENARIOS)} green" in text
