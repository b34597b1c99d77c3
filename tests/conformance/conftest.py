"""The server that every test here talks to."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud.oss.running import Running


def pytest_itemcollected(item: pytest.Item) -> None:
    """oss2 drops answers it has not read, sockets and all (facts.md §2); that is not the server's fault."""
    item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


@pytest.fixture
def oss(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    running.start()
    yield running
    running.stop()
    gc.collect()  # while ResourceWarnings are ignored
