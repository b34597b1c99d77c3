"""The errors of the deployer's tools, split by what the user should do next.

    DeployerError
    ├── Misused           call the command with other arguments
    ├── Unprepared        prepare this machine: credentials, the `s` tool, the layer
    ├── TemplateError     correct s.yaml or a `.env` file
    │   └── Mistaken      ... at the places that the message lists (template/mistake.py)
    ├── ServiceRefused    do what OSS, FC or RAM asks for: their answer is in the message
    ├── NoAnswer          check the network and the endpoint, then run the command again
    ├── Unfinished        decide about what the message lists, then run the command again
    └── ReportedFailure   read the function's own answer: it reports that it failed

None of them is an error of the product (`osscopy.model`), where `Refused` and `Failed` are about a copy. A
message tells the user what is wrong and what to do. This module must not know any of the tools.
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


class ServiceRefused(DeployerError):
    """OSS, FC or RAM has answered with an error, or with something that setup and deploy must not change."""


class NoAnswer(DeployerError):
    """No answer came in time, or none that can be read."""


class Unfinished(DeployerError):
    """The command has stopped on the way, or its result is not what the template says."""


class ReportedFailure(DeployerError):
    """The function has reported that a copy, a check or a sweep failed."""
