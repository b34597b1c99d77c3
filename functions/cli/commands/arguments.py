"""The arguments that `policy` and `setup` share."""

from __future__ import annotations

import argparse
from pathlib import Path

from functions.cli.rights import OPTIONAL
from functions.cli.template import ROOT


def add(parser: argparse.ArgumentParser) -> None:
    """Add `--template`, `--var` and `--with`."""
    parser.add_argument("--template", type=Path, default=ROOT / "s.yaml", metavar="FILE")
    parser.add_argument(
        "--var",
        type=_pair,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="in place of a var of the template, as often as needed",
    )
    parts = "; ".join(f"{name}: {purpose}" for name, purpose in OPTIONAL.items())
    parser.add_argument(
        "--with", dest="with_part", action="append", default=[], choices=list(OPTIONAL), help=parts
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value
