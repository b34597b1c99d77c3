"""oss2, without what no copy needs until somebody asks for it.

`import oss2` imports its client-side encryption too, with Crypto and the SDKs of KMS: half of its time. Here
these are left out and come with their first use, so that `oss2` is whole for whoever else imports it. That is
known of one version of oss2; any other is imported as usual. Knows imports, and nothing of what oss2 does.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

KNOWN = "2.19.1"
# Modules of oss2 that are for encryption and for files, and the names that oss2 takes from them.
_LATER: Mapping[str, Sequence[str]] = {
    "crypto": ("LocalRsaProvider", "AliKMSProvider", "RsaProvider", "EncryptionMaterials"),
    "crypto_bucket": ("CryptoBucket",),
    "resumable": (
        "resumable_upload",
        "resumable_download",
        "ResumableStore",
        "ResumableDownloadStore",
        "determine_part_size",
        "make_upload_store",
        "make_download_store",
    ),
    "task_queue": (),  # of resumable
}
# Modules of others that the rest of oss2 imports and asks for something in encryption alone.
_OF_OTHERS = ("Crypto.Cipher.AES", "Crypto.Random", "Crypto.Util.Counter")


class _Later(ModuleType):
    """A module that is imported as soon as something is asked of it."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever it has
        return getattr(importlib.import_module(self.__name__), name)


def load() -> Any:  # noqa: ANN401 - oss2 carries no types
    """Return oss2: what is imported already, or else only what copies need of it, if that is known to do."""
    if "oss2" not in sys.modules:
        before = set(sys.modules)
        try:
            if _version() == KNOWN:
                _load()
        except Exception:  # noqa: BLE001 - whatever it is, the usual way is still there
            for name in set(sys.modules) - before:
                if name.partition(".")[0] == "oss2":
                    del sys.modules[name]
    return importlib.import_module("oss2")


def _version() -> str:
    """Return the version that oss2 says first of all; another text if it says something else.

    OSError where there is no such file, as in an archive.
    """
    found = PathFinder.find_spec("oss2")
    with Path((found and found.origin) or "").open(encoding="utf-8") as text:
        return text.readline().removeprefix("__version__ = '").removesuffix("'\n")


def _load() -> None:
    own = {f"oss2.{module}": dict.fromkeys(names) for module, names in _LATER.items()}
    with _standing_in(own | _packages()):
        oss2 = importlib.import_module("oss2")
    homes = {name: module for module, names in _LATER.items() for name in names}
    for name in homes:
        delattr(oss2, name)
    names = [name for name in vars(oss2) if not name.startswith("_")]

    def later(name: str) -> Any:  # noqa: ANN401 - whatever it has
        if name in homes:
            return getattr(importlib.import_module(f"oss2.{homes[name]}"), name)
        if name in _LATER:
            return importlib.import_module(f"oss2.{name}")
        raise AttributeError(f"module 'oss2' has no attribute {name!r}")

    every = [*names, *homes, *_LATER]
    # `__all__` is for `from oss2 import *`, which asks for no names that are not there yet
    vars(oss2).update(__getattr__=later, __all__=every, __dir__=lambda: sorted({*vars(oss2), *every}))


def _packages() -> dict[str, dict[str, Any]]:
    """Return the packages of `_OF_OTHERS` with their modules; none of a package that is imported already."""
    found: dict[str, dict[str, Any]] = {}
    for name in _OF_OTHERS:
        package, _, module = name.rpartition(".")
        top = name.partition(".")[0]
        if top not in sys.modules:
            found.setdefault(top, {})
            found.setdefault(package, {})[module] = _Later(name)
    return found


@contextmanager
def _standing_in(modules: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Let modules with these names stand in for the real ones, as long as the block lasts."""
    made = {name: ModuleType(name) for name in modules}
    for name, module in made.items():
        vars(module).update(modules[name])
    sys.modules.update(made)
    try:
        yield
    finally:
        for name in made:
            del sys.modules[name]


oss2 = load()
