"""The errors of the deployer's tools, split by what the user should do next.

    DeployerError
    ├── Misused           call the command with other arguments
    ├── Unprepared        prepare this machine: credentials, the `s` tool, the layer
    ├── TemplateError     correct s.yaml or a `.env` file
    │   └── Mistaken      ... at the places that the message lists (template/mistake.py)
    ├── Refused           do what OSS, FC or RAM asks for: their answer is in the message
    ├── Unanswered        try again: no answer came
    ├── Unfinished        decide about what the message lists, then run the command again
    └── Failed            read the function's own answer: it ran, and reports a failure

A message tells the user what is wrong and what to do. This module must not know any of the tools.
"""

from __future__ import annotations


class DeployerError(Exception):
    """A command cannot do what it was asked for."""


class Misused(DeployerError):
    """An argument is missing or malformed."""


class Unprepared(DeployerError):
    """The machine lacks something that the command needs."""


class TemplateError(DeployerError, ValueError):
    """The template cannot be deployed as it is."""


class Refused(DeployerError):
    """A service has answered with an error, or with something that is not as it has to be."""


class Unanswered(DeployerError):
    """No answer came in time."""


class Unfinished(DeployerError):
    """The command has stopped on the way, or its result is not what the template says."""


class Failed(DeployerError):
    """The function has reported that it failed."""
