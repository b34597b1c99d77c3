"""The conformance tests are worth something: every bug put into the server on purpose is caught by one."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import oss2
import pytest

from tests.cloud.oss.running import Running

from . import mutations, test_clients, test_copies, test_multipart, test_signatures, test_versions

_MODULES = (test_clients, test_copies, test_multipart, test_signatures, test_versions)


def conformance_tests(modules: Iterable[ModuleType]) -> Iterator[partial[None]]:
    """Every conformance test of these modules, with each value of its parameters."""
    for module in modules:
        for name, function in vars(module).items():
            if name.startswith("test_"):
                marks = [mark for mark in getattr(function, "pytestmark", ()) if mark.name == "parametrize"]
                for chosen in product(*(_values(*mark.args) for mark in marks)):
                    yield partial(
                        function, **{name: value for each in chosen for name, value in each.items()}
                    )


def _values(names: str | tuple[str, ...], values: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for value in values:
        yield {names: value} if isinstance(names, str) else dict(zip(names, value, strict=True))


def _name(mutation: mutations.Mutation) -> str:
    return mutation.__name__


@pytest.mark.parametrize("mutation", mutations.FOUND_BY, ids=_name)
def test_a_protocol_bug_is_found_by_its_test(mutation: mutations.Mutation, tmp_path: Path) -> None:
    name = f"test_{mutations.FOUND_BY[mutation]}"
    tests = [each for each in conformance_tests(_MODULES) if each.func.__name__ == name]
    assert tests, f"there is no {name}"
    _catch(mutation, tests, tmp_path)


def _catch(mutation: mutations.Mutation, tests: Iterable[partial[None]], tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        mutation(patch)
        for number, test in enumerate(tests):
            directory = tmp_path / str(number)
            directory.mkdir()
            if not passes(test, directory):
                return
    pytest.fail(f"no conformance test notices that {mutation.__name__}")


def passes(test: partial[None], directory: Path) -> bool:
    running = Running(directory)
    running.start()
    with pytest.MonkeyPatch.context() as patch:
        try:
            test(
                running,
                **({"monkeypatch": patch} if "monkeypatch" in inspect.signature(test).parameters else {}),
            )
        except (AssertionError, LookupError, ET.ParseError, pytest.fail.Exception, oss2.exceptions.OssError):
            return False
        finally:
            running.stop()
    return True
