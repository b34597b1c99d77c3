"""Reads s.yaml, resolves it, and judges it before anything is deployed.

This room asks no network and imports no SDK. It must not know whose credentials deploy, nor how `s` is run.
"""

from functions.cli.template.deployment import LAYER as LAYER
from functions.cli.template.deployment import ROOT as ROOT
from functions.cli.template.deployment import TRIED as TRIED
from functions.cli.template.deployment import Deployment as Deployment
from functions.cli.template.mistake import Mistake as Mistake
from functions.cli.template.mistake import Mistaken as Mistaken
from functions.cli.template.mistake import rendered as rendered
from functions.cli.template.reading import environment_of as environment_of
from functions.cli.template.reading import load as load
from functions.cli.template.reading import read as read
