"""The template of the repository, and the same with something changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.deploy import template
from functions.deploy.template import Deployment

ROOT = Path(__file__).parents[2]
GENUINE = ROOT / "s.yaml"


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
        variables={},
        environment={},
        config={"AccountID": "1234567890123456"},
        process_environment=environment,
    )


@pytest.fixture
def deployment() -> Deployment:
    return load(GENUINE)
