"""What each does when a worker dies, or an answer is lost, after the gateway has acted and before the store hears.

The caller asks again with the same key: at once, and once more when every clock that anybody goes by has run out.
Each operation has an amount of its own, so that the gateway's ledger alone tells how often it was charged.
"""

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count, product
from typing import Any

from contestants import GATEWAYS, KESSAI, NAMES, Contestants
from worker import Worker

KILLED, LOST = "killed", "answer lost"
SCENARIOS = [KILLED, LOST]

# The function's timeout. Powertools frees a key that is in progress when it is over.
SECONDS = 6
# Kessai asks a gateway what it did no sooner than 20 s after that.
MARGIN = 20
FIRST_CENTS = 10_000
FINAL = ("201", "402")


@dataclass
class Operation:
    cell: "Cell"
    cents: int
    event: dict[str, Any]
    heard: list[str] = field(default_factory=list)

    @property
    def kind(self) -> tuple[str, str]:
        """Which worker it needs."""
        name, _, gateway = self.cell
        return name, gateway


@dataclass
class Row:
    """What came of one contestant's operations in one scenario through one class of gateway."""

    charged: list[int]
    """How often the gateway charged each of them."""
    heard: Counter[str]
    """What the caller heard, each time it asked."""
    in_the_end: Counter[str]
    """What it heard last: of Kessai, after follow-up."""

    @property
    def charged_twice(self) -> int:
        return sum(times > 1 for times in self.charged)


Cell = tuple[str, str, str]
"""Contestant, scenario and class of gateway."""
Rows = dict[Cell, Row]


def run(contestants: Contestants, times: int) -> Rows:
    cells = list(product(NAMES, SCENARIOS, GATEWAYS))
    amounts = count(FIRST_CENTS)
    operations = [prepare(contestants, cell, next(amounts)) for cell in cells for _ in range(times)]
    strike(contestants, operations)
    time.sleep(SECONDS + MARGIN + 1)
    ask_again(contestants, operations)
    heard = {operation.cents: " → ".join(operation.heard) for operation in operations}
    settle(contestants)
    ask_again(contestants, [operation for operation in operations if KESSAI in operation.cell])
    charged = Counter(effect["amount"] for effect in contestants.world.effects())
    rows = {}
    for cell in cells:
        own = [operation for operation in operations if operation.cell == cell]
        rows[cell] = Row(
            [charged[operation.cents] for operation in own],
            Counter(heard[operation.cents] for operation in own),
            Counter(operation.heard[-1] for operation in own),
        )
    return rows


def prepare(contestants: Contestants, cell: Cell, cents: int) -> Operation:
    name, _, gateway = cell
    return Operation(cell, cents, contestants.event(gateway, f"{name}-{cents}", cents))


def strike(contestants: Contestants, operations: list[Operation]) -> None:
    workers: dict[tuple[str, str], Worker] = {}
    for operation in operations:
        kind = operation.kind
        worker = workers.get(kind) or contestants.start(*kind, counted=False)
        if KILLED in operation.cell:
            operation.heard.append(kill_after_act(contestants, worker, operation))
            worker = contestants.start(*kind, counted=False)
        else:
            contestants.world.script("lost-answer", kind[1])
            operation.heard.append(worker.invoke(operation.event, SECONDS).status)
        operation.heard.append(worker.invoke(operation.event, SECONDS).status)
        workers[kind] = worker
    for worker in workers.values():
        worker.kill()


def kill_after_act(contestants: Contestants, worker: Worker, operation: Operation) -> str:
    """The gateway acts and keeps silent; when its ledger shows it, the worker dies."""
    contestants.world.script("silence", operation.kind[1])
    invocation = worker.submit(operation.event, SECONDS)
    acted = False
    while not acted:
        acted = any(effect["amount"] == operation.cents for effect in contestants.world.effects())
        if invocation.over.is_set():
            raise RuntimeError(f"{operation.kind} answered too soon: {invocation.status}")
    worker.kill()
    return invocation.status


def ask_again(contestants: Contestants, operations: list[Operation]) -> None:
    """Everything of which the caller has no final answer."""
    workers: dict[tuple[str, str], Worker] = {}
    for operation in operations:
        if operation.heard[-1] in FINAL:
            continue
        kind = operation.kind
        if kind not in workers:
            workers[kind] = contestants.start(*kind, counted=False)
        operation.heard.append(workers[kind].invoke(operation.event, SECONDS).status)
    for worker in workers.values():
        worker.kill()


def settle(contestants: Contestants) -> None:
    """Kessai's own follow-up looks at everything that is due."""
    world = contestants.world
    environment = {"AWS_ENDPOINT_URL": world.proxy.url}
    worker = contestants.start_kessai("follow-up", environment)
    items = world.ask_database("Scan", {"TableName": "payments"})["Items"]
    due = [(item["pk"]["S"], int(item["v"]["N"])) for item in items if "d" in item]
    for payment, version in due:
        body = json.dumps({"payment": payment, "version": version})
        worker.invoke({"Records": [{"messageId": "1", "body": body}]}, 25)
    worker.kill()
