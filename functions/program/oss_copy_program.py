"""The entry point of the installed program `oss-copy`: finds the tree that belongs to it, and starts it.

An installed program has the tree in a folder beside this module; in a checkout, to which an editable
installation refers, it is the root. Knows no command.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_INSTALLED = _HERE / "oss_copy_home"
HOME = _INSTALLED if (_INSTALLED / "functions").is_dir() else _HERE.parents[1]


def main() -> int:
    """Run the program and return its exit status."""
    sys.path[:0] = [str(HOME), str(HOME / "functions" / "oss_copy")]
    status: int = import_module("functions.cli.__main__").main()
    return status
