"""What must hold of the deployed system. What takes long begins early, and what waits longest ends last."""

from checks.common import Skipped
from checks.costs import CHECKS as COSTS
from checks.faults import CHECKS as FAULTS
from checks.flows import CHECKS as FLOWS
from checks.queues import CHECKS as QUEUES
from checks.races import CHECKS as RACES
from checks.store import CHECKS as STORE
from checks.ticks import CHECKS as TICKS

CHECKS = [*FLOWS, *FAULTS, *TICKS, *QUEUES, *COSTS, *RACES, *STORE]

__all__ = ["CHECKS", "Skipped"]
