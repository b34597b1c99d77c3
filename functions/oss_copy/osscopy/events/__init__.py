"""Events to commands: one module a trigger, and `parser`, which knows which of them reads an event.

`oss`, `eventbridge`, `timer`, `http` and `direct` read the events that others send; `continuation` writes and
reads those that the function sends to itself; `dropped` reads those that FC gave up. This room must not know
what a command does, nor ask anything of OSS or FC: an event that is refused here has had no effect.
"""

from __future__ import annotations

from osscopy.events.batch import Arrival as Arrival, Batch as Batch, PassedOver as PassedOver
from osscopy.events.continuation import VERSION as VERSION, encode as encode
from osscopy.events.direct import read_request as read_request
from osscopy.events.http import (
    HttpCall as HttpCall,
    HttpContext as HttpContext,
    HttpLine as HttpLine,
    is_http as is_http,
)
from osscopy.events.jsons import decode as decode, read_time as read_time, unmarked as unmarked
from osscopy.events.oss import CREATED as CREATED, REMOVED as REMOVED
from osscopy.events.parser import (
    Event as Event,
    Work as Work,
    given_up as given_up,
    needs_rules as needs_rules,
    parse as parse,
)
