"""A template that has been read: its functions, and what else the commands need to know of it.

Holds values only. It must not know how YAML is written or how references are resolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from functions.cli.template.places import Places
from functions.cli.template.props import Function, HttpTrigger, account_of

ROOT = Path(__file__).resolve().parents[3]
LAYER = "oss-copy-sdk"  # the name of the layer with the function's dependencies
TRIED = "0.1.22"  # the version of the fc3 component that all this was tried with


class Deployment(msgspec.Struct, frozen=True):
    """The resources of a template in their order, and the values of its vars."""

    resources: Mapping[str, Function]
    props: Mapping[str, Mapping[str, Any]]  # as written, references resolved, with all environment variables
    vars: Mapping[str, object]
    root: Path  # code and layers are relative to it
    places: Places
    versions: Mapping[str, str | None] = {}  # of each resource's component; None: the newest there is
    asked: frozenset[str] = frozenset()  # the variables that `${env(…)}` names
    files: tuple[Path, ...] = ()  # the `.env` files, in the order in which they are read

    @property
    def functions(self) -> tuple[Function, ...]:
        return tuple(self.resources.values())

    @property
    def main_resource(self) -> str:
        """The resource that copies: the first that does not submit its work to another function."""
        own = (n for n, each in self.resources.items() if "INVOKE_FUNCTION" not in each.environment_variables)
        return next(own, next(iter(self.resources)))

    @property
    def main(self) -> Function:
        """The function that copies."""
        return self.resources[self.main_resource]

    @property
    def web(self) -> tuple[Function, HttpTrigger] | None:
        """The function that HTTP requests come to, the one that copies or another; and its trigger."""
        found = [
            (function, trigger)
            for function in (self.main, *self.functions)
            for trigger in function.triggers
            if isinstance(trigger, HttpTrigger)
        ]
        return found[0] if found else None

    @property
    def account(self) -> str:
        """The id of the account to deploy to: that of the function's role."""
        return account_of(self.main.role)

    @property
    def buckets(self) -> tuple[str, ...]:
        """The bucket of every var whose name ends in Bucket, each once."""
        names = (str(value) for name, value in self.vars.items() if name.endswith("Bucket") and value)
        return tuple(dict.fromkeys(names))
