"""What must hold of the deployed system. What takes long begins early, and what waits longest ends last."""

from checks.common import Skipped
from checks.costs import CHECKS as COSTS
from checks.events import CHECKS as EVENTS
from checks.faults import CHECKS as FAULTS
from checks.flows import CHECKS as FLOWS
from checks.keys import CHECKS as KEYS
from checks.methods import CHECKS as METHODS
from checks.notices import CHECKS as NOTICES
from checks.queues import CHECKS as QUEUES
from checks.races import CHECKS as RACES
from checks.schedules import CHECKS as SCHEDULES
from checks.secrets import CHECKS as SECRETS
from checks.set_up import CHECKS as SET_UP
from checks.store import CHECKS as STORE
from checks.ticks import CHECKS as TICKS

# What starts the functions anew comes first, so that nothing is under way; what looks at all that rests comes late.
# What is told to nobody is tried again and again, and comes after all that count reminders.
CHECKS = [
    *KEYS, *FLOWS, *METHODS, *NOTICES, *SCHEDULES, *FAULTS, *SET_UP, *TICKS, *QUEUES, *COSTS, *RACES, *SECRETS, *STORE,
    *EVENTS,
]

__all__ = ["CHECKS", "Skipped"]
