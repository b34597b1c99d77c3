"""The RAM policies that a deployment needs, derived from its template: least power.

This room must not know a client: `account` creates roles and policies.
"""

from functions.cli.rights.arns import TRIGGER_POLICY as TRIGGER_POLICY
from functions.cli.rights.grants import (
    OPTIONAL as OPTIONAL,
    Grant as Grant,
    deployer_grants as deployer_grants,
    function_grants as function_grants,
    role_grants as role_grants,
    setup_grants as setup_grants,
)
from functions.cli.rights.policy import document as document, rendered as rendered, trust as trust
from functions.cli.rights.reach import Reach as Reach
