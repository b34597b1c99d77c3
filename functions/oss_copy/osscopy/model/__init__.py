"""The model room."""

from __future__ import annotations

from osscopy.model.objects import (
    GIB as GIB,
)
from osscopy.model.objects import (
    KIB as KIB,
)
from osscopy.model.objects import (
    MIB as MIB,
)
from osscopy.model.objects import (
    TIB as TIB,
)
from osscopy.model.objects import (
    Acl as Acl,
)
from osscopy.model.objects import (
    Action as Action,
)
from osscopy.model.objects import (
    Attributes as Attributes,
)
from osscopy.model.objects import (
    BucketInfo as BucketInfo,
)
from osscopy.model.objects import (
    Cancelled as Cancelled,
)
from osscopy.model.objects import (
    Check as Check,
)
from osscopy.model.objects import (
    Checked as Checked,
)
from osscopy.model.objects import (
    Claimed as Claimed,
)
from osscopy.model.objects import (
    Command as Command,
)
from osscopy.model.objects import (
    Conditions as Conditions,
)
from osscopy.model.objects import (
    Conflict as Conflict,
)
from osscopy.model.objects import (
    ContentHeaders as ContentHeaders,
)
from osscopy.model.objects import (
    Continue as Continue,
)
from osscopy.model.objects import (
    Copy as Copy,
)
from osscopy.model.objects import (
    CopyRequest as CopyRequest,
)
from osscopy.model.objects import (
    Destination as Destination,
)
from osscopy.model.objects import (
    Done as Done,
)
from osscopy.model.objects import (
    Doubt as Doubt,
)
from osscopy.model.objects import (
    Dropped as Dropped,
)
from osscopy.model.objects import (
    Encrypted as Encrypted,
)
from osscopy.model.objects import (
    Encryption as Encryption,
)
from osscopy.model.objects import (
    Entered as Entered,
)
from osscopy.model.objects import (
    Failed as Failed,
)
from osscopy.model.objects import (
    Generation as Generation,
)
from osscopy.model.objects import (
    Grade as Grade,
)
from osscopy.model.objects import (
    Head as Head,
)
from osscopy.model.objects import (
    LifecycleRule as LifecycleRule,
)
from osscopy.model.objects import (
    Line as Line,
)
from osscopy.model.objects import (
    ListedObject as ListedObject,
)
from osscopy.model.objects import (
    ListedPart as ListedPart,
)
from osscopy.model.objects import (
    Misconfigured as Misconfigured,
)
from osscopy.model.objects import (
    ObjectPage as ObjectPage,
)
from osscopy.model.objects import (
    Opened as Opened,
)
from osscopy.model.objects import (
    OpenUpload as OpenUpload,
)
from osscopy.model.objects import (
    Options as Options,
)
from osscopy.model.objects import (
    OssCopyError as OssCopyError,
)
from osscopy.model.objects import (
    Part as Part,
)
from osscopy.model.objects import (
    PartPage as PartPage,
)
from osscopy.model.objects import (
    Pin as Pin,
)
from osscopy.model.objects import (
    Ping as Ping,
)
from osscopy.model.objects import (
    Problem as Problem,
)
from osscopy.model.objects import (
    Promise as Promise,
)
from osscopy.model.objects import (
    RecordPage as RecordPage,
)
from osscopy.model.objects import (
    Refused as Refused,
)
from osscopy.model.objects import (
    Rest as Rest,
)
from osscopy.model.objects import (
    Result as Result,
)
from osscopy.model.objects import (
    Retention as Retention,
)
from osscopy.model.objects import (
    Rule as Rule,
)
from osscopy.model.objects import (
    RuleSource as RuleSource,
)
from osscopy.model.objects import (
    Seen as Seen,
)
from osscopy.model.objects import (
    Skipped as Skipped,
)
from osscopy.model.objects import (
    Source as Source,
)
from osscopy.model.objects import (
    SourceChanged as SourceChanged,
)
from osscopy.model.objects import (
    Status as Status,
)
from osscopy.model.objects import (
    Sweep as Sweep,
)
from osscopy.model.objects import (
    Swept as Swept,
)
from osscopy.model.objects import (
    Transient as Transient,
)
from osscopy.model.objects import (
    Trigger as Trigger,
)
from osscopy.model.objects import (
    Tuning as Tuning,
)
from osscopy.model.objects import (
    Upload as Upload,
)
from osscopy.model.objects import (
    UploadGone as UploadGone,
)
from osscopy.model.objects import (
    UploadPage as UploadPage,
)
from osscopy.model.objects import (
    Value as Value,
)
from osscopy.model.objects import (
    Waiting as Waiting,
)
from osscopy.model.objects import (
    Written as Written,
)
