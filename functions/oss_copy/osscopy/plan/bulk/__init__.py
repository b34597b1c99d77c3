"""The decisions about many objects: filters, ranges and their cuts, acts, totals and rows.

Pure functions as in the rest of `plan`; must not know how a listing, a log or a report is read or written.
"""

from __future__ import annotations

from osscopy.plan.bulk.decisions import (
    OTHER as OTHER,
    Act as Act,
    Chain as Chain,
    Compare as Compare,
    CompareLinks as CompareLinks,
    CompareTags as CompareTags,
    CopyNow as CopyNow,
    End as End,
    Look as Look,
    Policy as Policy,
    is_other as is_other,
    policy_of as policy_of,
    recheck as recheck,
)
from osscopy.plan.bulk.doubt import (
    MARK as MARK,
    as_asked as as_asked,
    before as before,
    follow_up as follow_up,
    is_stale as is_stale,
    listed as listed,
    notes_in_doubt as notes_in_doubt,
)
from osscopy.plan.bulk.figures.advice import advice as advice, advice_on as advice_on
from osscopy.plan.bulk.figures.progress import Pace as Pace, pace as pace, together as together
from osscopy.plan.bulk.figures.summary import (
    cost_of as cost_of,
    not_covered as not_covered,
    slowest as slowest,
    spent as spent,
    summary as summary,
)
from osscopy.plan.bulk.filters import Filter as Filter, moment as moment
from osscopy.plan.bulk.keys import (
    CHILD as CHILD,
    bulk_id as bulk_id,
    child_id as child_id,
    is_bulk as is_bulk,
    is_child as is_child,
    pair_id as pair_id,
    parent_of as parent_of,
)
from osscopy.plan.bulk.manifests import (
    Form as Form,
    Named as Named,
    form_of as form_of,
    lines as lines,
    texts as texts,
)
from osscopy.plan.bulk.modes.acts import decide as decide, decide_compared as decide_compared
from osscopy.plan.bulk.modes.check import judge_tags as judge_tags, judge_targets as judge_targets
from osscopy.plan.bulk.modes.deletion import (
    CANCELLED as CANCELLED,
    Spot as Spot,
    deleted as deleted,
    judge as judge,
    kept as kept,
    may_go as may_go,
    verdict as verdict,
)
from osscopy.plan.bulk.modes.dry import LISTED as LISTED, foreseen as foreseen, would as would
from osscopy.plan.bulk.modes.reconcile import sync_of as sync_of
from osscopy.plan.bulk.modes.versions import (
    MARKED as MARKED,
    MOST as MOST,
    History as History,
    Step as Step,
    alike as alike,
    by_keys as by_keys,
    current as current,
    is_all as is_all,
    known as known,
    newest_first as newest_first,
    refuse_unkeeping as refuse_unkeeping,
    refuse_unkept as refuse_unkept,
)
from osscopy.plan.bulk.places import (
    ANY as ANY,
    DOUBT as DOUBT,
    FAILED as FAILED,
    LISTS as LISTS,
    REPORTS as REPORTS,
    Premises as Premises,
    meets as meets,
    refuse_places as refuse_places,
    written as written,
    written_by as written_by,
)
from osscopy.plan.bulk.ranges import (
    CLEAR as CLEAR,
    LAST as LAST,
    MAX_DEPTH as MAX_DEPTH,
    MOST_PIECES as MOST_PIECES,
    ROOT as ROOT,
    child_range as child_range,
    index_of as index_of,
    number_of as number_of,
    parent_id as parent_id,
    pieces as pieces,
    pieces_wanted as pieces_wanted,
    position as position,
    range_id as range_id,
    share as share,
)
from osscopy.plan.bulk.requests import (
    Maker as Maker,
    defaults as defaults,
    is_listed as is_listed,
    is_pinned as is_pinned,
    objections as objections,
    only_looks as only_looks,
    refuse_mixed as refuse_mixed,
    refuse_wrong as refuse_wrong,
)
from osscopy.plan.bulk.rows import (
    HEADER as HEADER,
    csv_rows as csv_rows,
    row as row,
    row_of as row_of,
    status_of as status_of,
)
from osscopy.plan.bulk.totals import (
    Outcome as Outcome,
    added as added,
    joined as joined,
    objects as objects,
    open_ranges as open_ranges,
    outcome as outcome,
    settle_delay as settle_delay,
    summed as summed,
    with_chains as with_chains,
)
from osscopy.plan.bulk.width import Sample as Sample, Search as Search
