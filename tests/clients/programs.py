"""The clients, each with its environment: oss2 in that of the tests, the others in their own."""

from __future__ import annotations

import sys

from .driving import ROOT, Program
from .node import MODULES, node

_MAIN = ROOT / "requirements-dev.txt"  # oss2 is one of the function's own dependencies: it is always there
_V1 = ("v1",)


def _python(environment: str, module: str, *arguments: str) -> tuple[str, ...]:
    python = str(ROOT / ".venvs" / environment / "bin" / "python") if environment else sys.executable
    return (python, "-m", f"tests.clients.drivers.{module}", *arguments)


def programs() -> list[Program]:
    """Every client; one that is not installed is among them."""
    others, v2 = (ROOT / ".venvs" / name / ".ready" for name in ("clients", "clients-v2"))
    return [
        oss2(),
        Program("oss-v2", _python("clients-v2", "v2_client"), v2),
        Program("oss-v2 async", _python("clients-v2", "v2_client", "async"), v2),
        Program("aiooss2", _python("clients", "oss2_client", "aiooss2"), others, signs=_V1),
        Program("ossfs", _python("clients", "ossfs_client"), others, signs=_V1),
        Program("ossfs aio", _python("clients", "ossfs_client", "aio"), others, signs=_V1),
        Program("opendal", _python("clients", "opendal_client"), others, signs=_V1, style="virtual"),
        Program(
            "ali-oss",
            (node() or "node", str(ROOT / "tests/clients/drivers/ali_oss_client.js")),
            MODULES / ".ready",
            environment={"NODE_PATH": str(MODULES)},
        ),
    ]


def fc_programs() -> list[Program]:
    """The clients of FC; those for Python are the function's own dependencies."""
    script = str(ROOT / "tests/clients/drivers/fc_client.js")
    path = {"NODE_PATH": str(MODULES)}
    return [
        Program("fc3", _python("", "fc_client", "fc3"), _MAIN),
        Program("fc2", _python("", "fc_client", "fc2"), _MAIN),
        Program("fc3 node", (node() or "node", script, "fc3"), MODULES / ".ready", environment=path),
        Program("fc2 node", (node() or "node", script, "fc2"), MODULES / ".ready", environment=path),
    ]


def oss2() -> Program:
    """The client that needs no environment of its own."""
    return Program("oss2", _python("", "oss2_client"), _MAIN)
