"""`make policy`: writes `functions/oss_copy/ram-policy.json`, or prints the policy of a deployer."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from functions.cli import rights
from functions.cli.commands import arguments
from functions.cli.errors import DeployerError
from functions.cli.rights import reach
from functions.cli.template import ROOT, environment

DOCUMENT = ROOT / "functions/oss_copy/ram-policy.json"


def main(given: Sequence[str] | None = None) -> int:
    """Return 0 if the policy was written or printed, 2 if the template cannot be read."""
    options = _parser().parse_args(given)
    try:
        to = reach.read(options.template, dict(options.var), environment.read())
    except DeployerError as error:
        print(f"policy: {error}", file=sys.stderr)
        return 2
    if options.setup or options.deployer:
        grants = rights.setup_grants(to) if options.setup else rights.deployer_grants(to)
        print(json.dumps(rights.document(grants), indent=2))
        return 0
    options.output.write_text(rights.rendered(to, options.with_part), encoding="utf-8")
    print(f"{options.output}: what role {to.role} may do, in account {to.account}, region {to.region}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m functions.cli.commands.policy", description=__doc__)
    arguments.add(parser)
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--setup", action="store_true", help="print what `make setup` needs, once, instead")
    other.add_argument("--deployer", action="store_true", help="print what every deploy needs instead")
    parser.add_argument("--output", type=Path, default=DOCUMENT, metavar="FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
