"""The records of copies as they were first written, though they may be forgotten by now.

Read by nobody in the simulation: no request is made for them. Shares no code with the product.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from osscopy.model import Done, Entered, Opened
from tests.sim.world import World

R = TypeVar("R", bound=msgspec.Struct)


def opened(world: World, job: str) -> Opened | None:
    """`open/` of this job."""
    return _read(world, f"open/{job}", Opened)


def entered(world: World, job: str) -> Entered | None:
    """`up/` of this job."""
    return _read(world, f"up/{job}", Entered)


def done(world: World, job: str) -> Done | None:
    """`done/` of this job."""
    return _read(world, f"done/{job}", Done)


def _read(world: World, name: str, kind: type[R]) -> R | None:
    found = world.ever.get(name)
    return None if found is None else msgspec.json.decode(found[1], type=kind)
