"""What tests of the engine share."""

from __future__ import annotations

import pytest

from tests.unit.engine import Engine


@pytest.fixture
def engine() -> Engine:
    return Engine()
