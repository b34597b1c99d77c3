"""The events room."""

from __future__ import annotations

from osscopy.events.parser import (
    CREATED as CREATED,
)
from osscopy.events.parser import (
    CREATING as CREATING,
)
from osscopy.events.parser import (
    ELSEWHERE as ELSEWHERE,
)
from osscopy.events.parser import (
    FORMS as FORMS,
)
from osscopy.events.parser import (
    HEADER_NAME as HEADER_NAME,
)
from osscopy.events.parser import (
    HEADERS as HEADERS,
)
from osscopy.events.parser import (
    HTTP_DATE as HTTP_DATE,
)
from osscopy.events.parser import (
    JOB as JOB,
)
from osscopy.events.parser import (
    LINE as LINE,
)
from osscopy.events.parser import (
    LIST as LIST,
)
from osscopy.events.parser import (
    MAX_ASYNC_PAYLOAD as MAX_ASYNC_PAYLOAD,
)
from osscopy.events.parser import (
    MAX_LANES as MAX_LANES,
)
from osscopy.events.parser import (
    MAX_LINE as MAX_LINE,
)
from osscopy.events.parser import (
    MAX_PARALLEL as MAX_PARALLEL,
)
from osscopy.events.parser import (
    MAX_REQUESTS as MAX_REQUESTS,
)
from osscopy.events.parser import (
    MAX_TAG_KEY as MAX_TAG_KEY,
)
from osscopy.events.parser import (
    MAX_TAG_VALUE as MAX_TAG_VALUE,
)
from osscopy.events.parser import (
    MAX_TAGS as MAX_TAGS,
)
from osscopy.events.parser import (
    MAX_TRAFFIC as MAX_TRAFFIC,
)
from osscopy.events.parser import (
    META as META,
)
from osscopy.events.parser import (
    MIN_TRAFFIC as MIN_TRAFFIC,
)
from osscopy.events.parser import (
    PASSED as PASSED,
)
from osscopy.events.parser import (
    REPLICATED as REPLICATED,
)
from osscopy.events.parser import (
    USER_NAME as USER_NAME,
)
from osscopy.events.parser import (
    VERSION as VERSION,
)
from osscopy.events.parser import (
    VERSION_ID as VERSION_ID,
)
from osscopy.events.parser import (
    VISIBLE as VISIBLE,
)
from osscopy.events.parser import (
    WRITTEN as WRITTEN,
)
from osscopy.events.parser import (
    Arrival as Arrival,
)
from osscopy.events.parser import (
    Batch as Batch,
)
from osscopy.events.parser import (
    Event as Event,
)
from osscopy.events.parser import (
    HttpCall as HttpCall,
)
from osscopy.events.parser import (
    HttpContext as HttpContext,
)
from osscopy.events.parser import (
    HttpLine as HttpLine,
)
from osscopy.events.parser import (
    Items as Items,
)
from osscopy.events.parser import (
    PassedOver as PassedOver,
)
from osscopy.events.parser import (
    check_found as check_found,
)
from osscopy.events.parser import (
    check_request as check_request,
)
from osscopy.events.parser import (
    check_rule as check_rule,
)
from osscopy.events.parser import (
    decode as decode,
)
from osscopy.events.parser import (
    encode as encode,
)
from osscopy.events.parser import (
    given_up as given_up,
)
from osscopy.events.parser import (
    is_http as is_http,
)
from osscopy.events.parser import (
    job_id as job_id,
)
from osscopy.events.parser import (
    needs_rules as needs_rules,
)
from osscopy.events.parser import (
    parse as parse,
)
from osscopy.events.parser import (
    prepare as prepare,
)
from osscopy.events.parser import (
    read_request as read_request,
)
from osscopy.events.parser import (
    read_time as read_time,
)
from osscopy.events.parser import (
    skips_markers as skips_markers,
)
from osscopy.events.parser import (
    unmarked as unmarked,
)
