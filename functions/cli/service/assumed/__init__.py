"""What the product relies on and nobody has seen on an account: the list, and how OSS and FC are asked.

`facts` is the list, `scratch` two buckets to try things in, `probes` the questions to OSS, `function` those
to FC, `survey` asks all of them. Knows no command.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from functions.cli.service.target import Target

if TYPE_CHECKING:
    from functions.cli.service.assumed.survey import Answer

PREFIX = "oss-copy-assumptions/"


def ask(target: Target, source: str, destination: str, *, with_function: bool) -> Iterator[Answer]:
    """Yield the answers as they come; the scratch buckets are clean afterwards."""
    # The SDKs take a second, which a command that only says what it would do spares.
    from functions.cli.service import objects  # noqa: PLC0415 - as said
    from functions.cli.service.assumed import function, scratch, survey  # noqa: PLC0415 - as said

    deployed = function.find(target) if with_function else None
    with scratch.opened(objects.bucket(target, source), objects.bucket(target, destination)) as place:
        yield from survey.survey(place, deployed)
