"""Where the instances of a function live: which interpreter, which code, which layers.

It starts nothing; it looks at what is installed and built on this machine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec


class Home(msgspec.Struct, frozen=True):
    """Where the instances of one function live: interpreter, code and layers on disk, and who they are."""

    python: str
    code: Path
    layers: tuple[Path, ...]  # directories for sys.path
    account_id: str
    service: str  # empty on FC 3.0
    runtime_api: str  # host:port of the runtime API
    bare: bool = False  # of the interpreter's own packages: the layers are all there is
    can_fork: bool = False  # the host's packages stand for the layer's, and may be imported before
    environment: Mapping[str, str] = {}  # what the function finds unless it sets it itself


def interpreter(runtime: str, layers: tuple[Path, ...]) -> tuple[str, tuple[Path, ...]]:
    """The Python to run, and the layers to put on its path.

    The runtime's own version if it is installed and a layer was built for it; otherwise the host's, which has
    the same libraries in its site-packages and so needs no layer.
    """
    version = runtime.removeprefix("python")
    tag = f"cpython-{version.replace('.', '')}-"
    built = tuple(layer for layer in layers if any(tag in path.name for path in layer.rglob("*.so")))
    if built and f"{sys.version_info.major}.{sys.version_info.minor}" == version:
        return sys.executable, built
    if built and (python := installed(version)):
        return python, built
    return sys.executable, ()


def published(runtime: str, layers: tuple[Path, ...]) -> tuple[str, tuple[Path, ...], bool]:
    """The Python to run for published layers, those to put on its path, and whether they are all there is.

    The runtime's own version if it is installed: it has exactly these layers. Otherwise, and without any, the
    host's with its packages, which stand for what the runtime and the layers bring.
    """
    version = runtime.removeprefix("python")
    host = f"{sys.version_info.major}.{sys.version_info.minor}" == version
    if layers and (python := sys.executable if host else installed(version)):
        return python, layers, True
    return sys.executable, (), False


def installed(version: str) -> str | None:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places = [*sorted(pyenv.glob(f"{version}.*/bin"), reverse=True), Path("/usr/local/bin"), Path("/usr/bin")]
    return next((str(p / f"python{version}") for p in places if (p / f"python{version}").exists()), None)


def packages(layers: tuple[Path, ...], runtime: str) -> tuple[Path, ...]:
    """The directories of these layers that FC puts on sys.path, as they would lie below /opt."""
    places = (place for layer in layers for place in (layer / f"lib/{runtime}/site-packages", layer))
    return tuple(place for place in places if place.is_dir())
