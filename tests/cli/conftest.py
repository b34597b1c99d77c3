"""The template of the repository, and the same with something changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.cli import template
from functions.cli.template import Deployment
from tests.cli.deployer import Deployer
from tests.cli.terminal import Terminal
from tests.cloud.client import LocalCloud

ROOT = Path(__file__).parents[2]
GENUINE = ROOT / "s.yaml"


# What a deployer puts in place of the template's own account and buckets.
ACCOUNT = "1000000000000001"
OWN = (
    ('accountId: "1234567890123456"', f'accountId: "{ACCOUNT}"'),
    ("sourceBucket: oss-copy-source", "sourceBucket: my-source"),
    ("destinationBucket: oss-copy-destination", "destinationBucket: my-destination"),
    ("stateBucket: oss-copy-state", "stateBucket: my-state"),
)


def changed(folder: Path, *changes: tuple[str, str]) -> Path:
    """A copy of s.yaml in which each text has become another one, its first occurrence; it must be there."""
    text = GENUINE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, f"s.yaml has no {old!r} that could be changed"
        text = text.replace(old, new, 1)
    path = folder / "s.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def load(path: Path, **environment: str) -> Deployment:
    return template.load(
        path,
        new_vars={},
        extra_variables={},
        s_config={"AccountID": "1234567890123456"},
        shell=environment,
    )


@pytest.fixture
def deployment() -> Deployment:
    return load(GENUINE)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A template in which a deployer has changed what is to be changed."""
    folder = tmp_path / "own"
    folder.mkdir()
    return changed(folder, *OWN)


@pytest.fixture(scope="session")
def shared_cloud() -> Iterator[LocalCloud]:
    variables = {"timeout": 5, "accountId": ACCOUNT}
    with LocalCloud(variables=variables, environment={"MULTIPART_THRESHOLD": "2MiB"}) as cloud:
        yield cloud


@pytest.fixture
def cloud(shared_cloud: LocalCloud) -> Iterator[LocalCloud]:
    yield shared_cloud
    shared_cloud.conditions()
    shared_cloud.wait_idle()


@pytest.fixture(scope="module")
def shared_account() -> Iterator[LocalCloud]:
    """An account with the buckets that a deployer names, and perhaps what another test has deployed."""
    buckets, place = ["my-source", "my-other-source", "my-destination", "my-state"], ["--account", ACCOUNT]
    with LocalCloud(template=None, buckets=buckets, arguments=place) as cloud:
        yield cloud


@pytest.fixture
def acting(tmp_path: Path, shared_account: LocalCloud) -> Deployer:
    """Whose `s` deploys for real."""
    return Deployer(tmp_path, shared_account).act()


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Terminal:
    """Somebody whose shell says nothing of any account."""
    return Terminal(tmp_path, monkeypatch, capfd)


@pytest.fixture
def deployer(tmp_path: Path, cloud: LocalCloud) -> Deployer:
    return Deployer(tmp_path, cloud)
