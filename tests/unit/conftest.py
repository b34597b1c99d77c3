"""What tests of the engine share, and those that speak TLS."""

from __future__ import annotations

import certifi
import pytest

from tests.unit.engine import Engine
from tests.unit.sockets import Authority


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def trusting(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The function trusts the authorities of certifi alone: this one stands for them."""
    monkeypatch.setattr(certifi, "where", lambda: str(authority.trusted))
    return authority
