"""The conformance tests are worth something: every bug put into the server on purpose is caught by one."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import oss2
import pytest

from tests.cloud.oss.running import Running

from . import mutations, test_copies, test_multipart, test_signatures, test_versions

_MODULES = (test_copies, test_multipart, test_signatures, test_versions)


def conformance_tests() -> Iterator[partial[None]]:
    """Every conformance test of our own, with each value of its parameter."""
    for module in _MODULES:
        for name, function in vars(module).items():
            if name.startswith("test_"):
                marks = [mark for mark in getattr(function, "pytestmark", ()) if mark.name == "parametrize"]
                if not marks:
                    yield partial(function)
                for mark in marks:
                    parameter, values = mark.args
                    yield from (partial(function, **{parameter: value}) for value in values)


@pytest.mark.parametrize("mutation", mutations.ALL, ids=lambda mutation: mutation.__name__)
def test_a_protocol_bug_is_caught(mutation: mutations.Mutation, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        mutation(patch)
        for number, test in enumerate(conformance_tests()):
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
        except (AssertionError, LookupError, pytest.fail.Exception, oss2.exceptions.OssError):
            return False
        finally:
            running.stop()
    return True
