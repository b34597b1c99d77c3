"""The closed model of a function that can be deployed, spelt as the fc3 component spells `props`.

An unknown property is refused by name, where the real tools drop it in silence (the component only logs it at
debug level, and the deploy sends defaults). Ranges are those of the component's schema and of the FC
documentation. This room must not know YAML, nor a second function.
"""

from functions.cli.template.props.function import (
    ROLE as ROLE,
    TRIGGER_ROLE as TRIGGER_ROLE,
    AsyncInvokeConfig as AsyncInvokeConfig,
    ConcurrencyConfig as ConcurrencyConfig,
    Destination as Destination,
    Function as Function,
    account_of as account_of,
    check_environment as check_environment,
    says_nothing as says_nothing,
)
from functions.cli.template.props.triggers import (
    EventBridgeTrigger as EventBridgeTrigger,
    HttpTrigger as HttpTrigger,
    OssTrigger as OssTrigger,
    TimerTrigger as TimerTrigger,
    Trigger as Trigger,
)
