"""What operations cost, counted on the way from the functions to the database."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from caller import Reply
from checks.common import Skipped
from telling import expect, say
from world import World


@dataclass(frozen=True)
class Budget:
    """Of the payments table: write units and reads. Of queues: calls."""

    units: int
    reads: int
    queue: int = 0


def operations_cost_what_was_promised(world: World) -> None:
    if world.forwarder is None:
        raise Skipped("nobody can stand between the functions and their database")
    caller = world.caller
    opening = caller.opening("keyed", "50")
    # The first call of a function reads its set-up; what it costs later is what counts.
    warm = caller.authorize("keyed", "cost-warm", "50").expect(201).id
    caller.post(f"authorizations/{warm}/captures", {"amount": 1}).expect(201)

    def spends(what: str, function: str, units: int, reads: int, path: str, body: Any, key: str | None = None) -> str:
        return count(world, what, function, Budget(units, reads), lambda: caller.post(path, body, key)).id

    authorization = spends("an authorization", "AuthorizeFunction", 2, 0, "authorizations", opening, "cost")
    spends("its duplicate", "AuthorizeFunction", 1, 0, "authorizations", opening, "cost")
    captures = f"authorizations/{authorization}/captures"
    capture = spends("a capture", "CaptureFunction", 2, 1, captures, {"amount": 30}, "cost-c")
    spends("its duplicate", "CaptureFunction", 0, 1, captures, {"amount": 30}, "cost-c")
    spends("a refund", "RefundFunction", 2, 1, f"payments/{capture}/refunds", {"amount": 10})
    spends("a reversal", "ReverseFunction", 2, 1, f"authorizations/{authorization}/reversals", {"amount": 20})
    spends("a sale", "SaleFunction", 2, 0, "sales", opening)


def count(world: World, what: str, function: str, budget: Budget, ask: Callable[[], Reply]) -> Reply:
    assert world.forwarder is not None
    mark = world.forwarder.counter.mark()
    reply = ask().expect(201)
    calls = world.forwarder.counter.since(mark, function)
    payments = [call for call in calls if call.table == world.stack.outputs["PaymentsTable"]]
    spent = Budget(
        units=sum(call.units for call in payments),
        reads=sum(call.action == "GetItem" for call in payments),
        queue=sum(not call.table for call in calls),
    )
    actions = [call.action for call in calls]
    say(f"{what}: {spent.units} write units, {spent.reads} reads, {spent.queue} queue calls ({', '.join(actions)})")
    expect(spent, budget, what)
    expect(set(actions) <= {"GetItem", "PutItem"}, True, f"{what}: what was called is {actions}")
    return reply


CHECKS = [operations_cost_what_was_promised]
