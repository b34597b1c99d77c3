"""The closed model of a function that can be deployed, spelt as the fc3 component spells `props`.

An unknown property is refused by name, where the real tools drop it in silence (the component only logs it at
debug level, and the deploy sends defaults). Ranges are those of the component's schema and of the FC
documentation. This room must not know YAML, nor a second function.
"""

from functions.cli.template.props.function import ROLE as ROLE
from functions.cli.template.props.function import TRIGGER_ROLE as TRIGGER_ROLE
from functions.cli.template.props.function import AsyncInvokeConfig as AsyncInvokeConfig
from functions.cli.template.props.function import ConcurrencyConfig as ConcurrencyConfig
from functions.cli.template.props.function import Destination as Destination
from functions.cli.template.props.function import Function as Function
from functions.cli.template.props.function import account_of as account_of
from functions.cli.template.props.function import check_environment as check_environment
from functions.cli.template.props.function import says_nothing as says_nothing
from functions.cli.template.props.triggers import EventBridgeTrigger as EventBridgeTrigger
from functions.cli.template.props.triggers import HttpTrigger as HttpTrigger
from functions.cli.template.props.triggers import OssTrigger as OssTrigger
from functions.cli.template.props.triggers import TimerTrigger as TimerTrigger
from functions.cli.template.props.triggers import Trigger as Trigger
