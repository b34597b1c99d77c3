"""The values of a copy, the errors it can end with, and the ports to the world.

Every value is frozen; field names are snake_case here and camelCase on the wire. This room must not know
any I/O, SDK, environment or event format, nor decide anything.
"""

from __future__ import annotations

from osscopy.model.buckets import (
    BucketInfo as BucketInfo,
    LifecycleRule as LifecycleRule,
    ListedObject as ListedObject,
    ListedVersion as ListedVersion,
    Mark as Mark,
    ObjectPage as ObjectPage,
    Passed as Passed,
    RecordPage as RecordPage,
    Retention as Retention,
    VersionPage as VersionPage,
)
from osscopy.model.bulk import (
    Ahead as Ahead,
    Bulk as Bulk,
    BulkDone as BulkDone,
    BulkJob as BulkJob,
    BulkResult as BulkResult,
    Bytes as Bytes,
    Claim as Claim,
    Clear as Clear,
    Closing as Closing,
    Cost as Cost,
    Ended as Ended,
    Entry as Entry,
    Intended as Intended,
    Item as Item,
    Noted as Noted,
    Objects as Objects,
    Overview as Overview,
    Prices as Prices,
    Range as Range,
    Ranges as Ranges,
    ReportFile as ReportFile,
    Requests as Requests,
    Row as Row,
    RowStatus as RowStatus,
    Settle as Settle,
    Slow as Slow,
    Stop as Stop,
    Summary as Summary,
    Taken as Taken,
    Totals as Totals,
    Verdict as Verdict,
    Walk as Walk,
    Would as Would,
)
from osscopy.model.bulk_request import (
    BulkDestination as BulkDestination,
    BulkRequest as BulkRequest,
    BulkSource as BulkSource,
    Filters as Filters,
    Former as Former,
    Inventory as Inventory,
    Manifest as Manifest,
    ReportPlace as ReportPlace,
)
from osscopy.model.commands import (
    Action as Action,
    Check as Check,
    Command as Command,
    Continue as Continue,
    Copy as Copy,
    Dropped as Dropped,
    Ping as Ping,
    Remove as Remove,
    Rest as Rest,
    Sweep as Sweep,
    Tell as Tell,
)
from osscopy.model.errors import (
    Conflict as Conflict,
    Failed as Failed,
    Misconfigured as Misconfigured,
    OssCopyError as OssCopyError,
    Refused as Refused,
    Skipped as Skipped,
    SourceChanged as SourceChanged,
    Transient as Transient,
    UploadGone as UploadGone,
    kind_of as kind_of,
)
from osscopy.model.objects import (
    Encrypted as Encrypted,
    Head as Head,
    ListedPart as ListedPart,
    OpenUpload as OpenUpload,
    Part as Part,
    PartPage as PartPage,
    Shown as Shown,
    UploadPage as UploadPage,
    Written as Written,
)
from osscopy.model.pins import Attributes as Attributes, Pin as Pin, Promise as Promise, Upload as Upload
from osscopy.model.records import (
    Cancelled as Cancelled,
    Claimed as Claimed,
    Done as Done,
    Entered as Entered,
    Generation as Generation,
    Opened as Opened,
    Waiting as Waiting,
)
from osscopy.model.request import (
    Acl as Acl,
    Conditions as Conditions,
    ContentHeaders as ContentHeaders,
    CopyRequest as CopyRequest,
    Destination as Destination,
    Encryption as Encryption,
    Origin as Origin,
    Rule as Rule,
    RuleSource as RuleSource,
    Source as Source,
    Tuning as Tuning,
    Within as Within,
)
from osscopy.model.results import (
    AsyncTask as AsyncTask,
    Checked as Checked,
    Doubt as Doubt,
    Grade as Grade,
    Line as Line,
    Problem as Problem,
    Result as Result,
    Seen as Seen,
    Status as Status,
    Swept as Swept,
    ToldCounts as ToldCounts,
    Trigger as Trigger,
)
from osscopy.model.values import GIB as GIB, HIDDEN as HIDDEN, KIB as KIB, MIB as MIB, TIB as TIB
