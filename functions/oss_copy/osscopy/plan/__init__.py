"""Every decision of a copy, as pure functions from values to values.

This room must not know any I/O, clock or SDK: time, random numbers and what OSS said come in as arguments, so
that the same decisions run in the function, in tests and in a simulation.
"""

from __future__ import annotations

from osscopy.plan.evidence import (
    asked as asked,
    bind as bind,
    bound as bound,
    combined_crc64 as combined_crc64,
    differences as differences,
    is_same_version as is_same_version,
    multipart_etag as multipart_etag,
    pin_of as pin_of,
    pinned as pinned,
    verified_by as verified_by,
)
from osscopy.plan.keys import (
    BULK_JOB as BULK_JOB,
    COPY_JOB as COPY_JOB,
    JOB as JOB,
    LIST as LIST,
    first_task as first_task,
    job_id as job_id,
    task_id as task_id,
)
from osscopy.plan.lanes.batches import (
    View as View,
    has_own as has_own,
    numbers_of as numbers_of,
    own_parts as own_parts,
    parts_of_others as parts_of_others,
    ranges_of as ranges_of,
    seconds_until_silent as seconds_until_silent,
    view as view,
)
from osscopy.plan.lanes.division import DEFAULT_LANES as DEFAULT_LANES, Division as Division, divide as divide
from osscopy.plan.load.order import chains as chains
from osscopy.plan.load.pace import Answer as Answer, Pace as Pace
from osscopy.plan.load.tail import may_ask_again as may_ask_again, stands_out_after as stands_out_after
from osscopy.plan.marks.on_record import (
    check_continue as check_continue,
    check_copy as check_copy,
    check_list as check_list,
    check_record as check_record,
)
from osscopy.plan.marks.seal import ENVELOPE as ENVELOPE, Seal as Seal
from osscopy.plan.methods import (
    DEFAULT_THRESHOLD as DEFAULT_THRESHOLD,
    MAX_OBJECT as MAX_OBJECT,
    Method as Method,
    longest_copy as longest_copy,
    method as method,
    must_wait as must_wait,
    rate as rate,
)
from osscopy.plan.overwrite import (
    is_shown as is_shown,
    judge_overwrite as judge_overwrite,
    same_content as same_content,
)
from osscopy.plan.parts import (
    MAX_PART as MAX_PART,
    MAX_PARTS as MAX_PARTS,
    MIN_PART as MIN_PART,
    PAGE as PAGE,
    PART_RATE as PART_RATE,
    byte_size as byte_size,
    gaps as gaps,
    is_meant_for_parts as is_meant_for_parts,
    lane_numbers as lane_numbers,
    missing as missing,
    part_size as part_size,
    smallest_part as smallest_part,
    split as split,
)
from osscopy.plan.promises import (
    attributes as attributes,
    encryption as encryption,
    lacks_tag_count as lacks_tag_count,
    names_all as names_all,
    promised_content as promised_content,
    tags_digest as tags_digest,
)
from osscopy.plan.rules import check_rules as check_rules, skips_markers as skips_markers
from osscopy.plan.steps import (
    MAX_STALLS as MAX_STALLS,
    CopyObject as CopyObject,
    Finish as Finish,
    FirstStep as FirstStep,
    GiveUp as GiveUp,
    HandOver as HandOver,
    Parts as Parts,
    Progress as Progress,
    Restore as Restore,
    Step as Step,
    first_step as first_step,
    max_hops as max_hops,
    next_step as next_step,
)
from osscopy.plan.timing import (
    CLOCK_MARGIN as CLOCK_MARGIN,
    GENERATION as GENERATION,
    MAX_AGE as MAX_AGE,
    MAX_ATTEMPTS as MAX_ATTEMPTS,
    MAX_DROPS as MAX_DROPS,
    MAX_EVENT_AGE as MAX_EVENT_AGE,
    STANDSTILL as STANDSTILL,
    completion_time as completion_time,
    drop_delay as drop_delay,
    follow_delay as follow_delay,
    list_reserve as list_reserve,
    next_generation as next_generation,
    next_look as next_look,
    part_budget as part_budget,
    part_timeout as part_timeout,
    patience as patience,
    pause as pause,
    read_timeout as read_timeout,
    reserve as reserve,
    restore_delay as restore_delay,
    settle_time as settle_time,
    shallow_timeout as shallow_timeout,
)
from osscopy.plan.validate import (
    FORMS as FORMS,
    VERSION_ID as VERSION_ID,
    VISIBLE as VISIBLE,
    check_found as check_found,
    check_request as check_request,
    check_text as check_text,
    prepare as prepare,
)
