"""Reads s.yaml, resolves it, and judges it before anything is deployed.

This room asks no network and imports no SDK. It must not know whose credentials deploy, nor how `s` is run.
"""

from functions.cli.template.deployment import (
    LAYER as LAYER,
    ROOT as ROOT,
    TRIED as TRIED,
    Deployment as Deployment,
)
from functions.cli.template.mistake import Mistake as Mistake, Mistaken as Mistaken, rendered as rendered
from functions.cli.template.reading import environment_of as environment_of, load as load, read as read
