"""The plan room."""

from __future__ import annotations

from osscopy.plan.first_step import CopyObject as CopyObject
from osscopy.plan.first_step import FirstStep as FirstStep
from osscopy.plan.first_step import Parts as Parts
from osscopy.plan.first_step import Restore as Restore
from osscopy.plan.first_step import first_step as first_step
from osscopy.plan.methods import (
    CLOCK_MARGIN as CLOCK_MARGIN,
)
from osscopy.plan.methods import (
    DEFAULT_THRESHOLD as DEFAULT_THRESHOLD,
)
from osscopy.plan.methods import (
    DIGEST as DIGEST,
)
from osscopy.plan.methods import (
    GENERATION as GENERATION,
)
from osscopy.plan.methods import (
    MAX_AGE as MAX_AGE,
)
from osscopy.plan.methods import (
    MAX_ATTEMPTS as MAX_ATTEMPTS,
)
from osscopy.plan.methods import (
    MAX_DROPS as MAX_DROPS,
)
from osscopy.plan.methods import (
    MAX_EVENT_AGE as MAX_EVENT_AGE,
)
from osscopy.plan.methods import (
    MAX_FOLLOWS as MAX_FOLLOWS,
)
from osscopy.plan.methods import (
    MAX_OBJECT as MAX_OBJECT,
)
from osscopy.plan.methods import (
    MAX_PART as MAX_PART,
)
from osscopy.plan.methods import (
    MAX_PARTS as MAX_PARTS,
)
from osscopy.plan.methods import (
    MAX_STALLS as MAX_STALLS,
)
from osscopy.plan.methods import (
    MIN_PART as MIN_PART,
)
from osscopy.plan.methods import (
    PART_RATE as PART_RATE,
)
from osscopy.plan.methods import (
    SMALLEST_PART as SMALLEST_PART,
)
from osscopy.plan.methods import (
    STANDSTILL as STANDSTILL,
)
from osscopy.plan.methods import (
    USUAL_PART as USUAL_PART,
)
from osscopy.plan.methods import (
    Finish as Finish,
)
from osscopy.plan.methods import (
    GiveUp as GiveUp,
)
from osscopy.plan.methods import (
    HandOver as HandOver,
)
from osscopy.plan.methods import (
    Method as Method,
)
from osscopy.plan.methods import (
    Progress as Progress,
)
from osscopy.plan.methods import (
    Step as Step,
)
from osscopy.plan.methods import (
    asked as asked,
)
from osscopy.plan.methods import (
    attributes as attributes,
)
from osscopy.plan.methods import (
    bind as bind,
)
from osscopy.plan.methods import (
    bound as bound,
)
from osscopy.plan.methods import (
    byte_size as byte_size,
)
from osscopy.plan.methods import (
    combined_crc64 as combined_crc64,
)
from osscopy.plan.methods import (
    completion_time as completion_time,
)
from osscopy.plan.methods import (
    differences as differences,
)
from osscopy.plan.methods import (
    digests as digests,
)
from osscopy.plan.methods import (
    drop_delay as drop_delay,
)
from osscopy.plan.methods import (
    encryption as encryption,
)
from osscopy.plan.methods import (
    follow_delay as follow_delay,
)
from osscopy.plan.methods import (
    gaps as gaps,
)
from osscopy.plan.methods import (
    is_same_version as is_same_version,
)
from osscopy.plan.methods import (
    is_shallow as is_shallow,
)
from osscopy.plan.methods import (
    is_shown as is_shown,
)
from osscopy.plan.methods import (
    judge_overwrite as judge_overwrite,
)
from osscopy.plan.methods import (
    lacks_tag_count as lacks_tag_count,
)
from osscopy.plan.methods import (
    lane_numbers as lane_numbers,
)
from osscopy.plan.methods import (
    list_reserve as list_reserve,
)
from osscopy.plan.methods import (
    longest_copy as longest_copy,
)
from osscopy.plan.methods import (
    max_hops as max_hops,
)
from osscopy.plan.methods import (
    method as method,
)
from osscopy.plan.methods import (
    method_on_record as method_on_record,
)
from osscopy.plan.methods import (
    missing as missing,
)
from osscopy.plan.methods import (
    multipart_etag as multipart_etag,
)
from osscopy.plan.methods import (
    must_wait as must_wait,
)
from osscopy.plan.methods import (
    names_all as names_all,
)
from osscopy.plan.methods import (
    next_generation as next_generation,
)
from osscopy.plan.methods import (
    next_look as next_look,
)
from osscopy.plan.methods import (
    next_step as next_step,
)
from osscopy.plan.methods import (
    part as part,
)
from osscopy.plan.methods import (
    part_budget as part_budget,
)
from osscopy.plan.methods import (
    part_size as part_size,
)
from osscopy.plan.methods import (
    part_timeout as part_timeout,
)
from osscopy.plan.methods import (
    patience as patience,
)
from osscopy.plan.methods import (
    pause as pause,
)
from osscopy.plan.methods import (
    pin as pin,
)
from osscopy.plan.methods import (
    pinned as pinned,
)
from osscopy.plan.methods import (
    promised_content as promised_content,
)
from osscopy.plan.methods import (
    rate as rate,
)
from osscopy.plan.methods import (
    read_timeout as read_timeout,
)
from osscopy.plan.methods import (
    reserve as reserve,
)
from osscopy.plan.methods import (
    restore_delay as restore_delay,
)
from osscopy.plan.methods import (
    same_content as same_content,
)
from osscopy.plan.methods import (
    settle_time as settle_time,
)
from osscopy.plan.methods import (
    shallow_timeout as shallow_timeout,
)
from osscopy.plan.methods import (
    smallest_part as smallest_part,
)
from osscopy.plan.methods import (
    split as split,
)
from osscopy.plan.methods import (
    tags_digest as tags_digest,
)
from osscopy.plan.methods import (
    verified_by as verified_by,
)
