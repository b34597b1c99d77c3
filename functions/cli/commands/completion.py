"""`completion`: the lines by which a shell completes commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

VARIABLE = "_OSS_COPY_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes a shell complete `oss-copy`: eval "$(oss-copy completion bash)"."""
    program = click.get_current_context().find_root().command
    if found := get_completion_class(shell):
        print(found(program, {}, "oss-copy", VARIABLE).source())
