"""What operations cost, counted on the way from the functions to the database."""

from collections.abc import Callable
from dataclasses import dataclass

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

    authorized = count(world, "an authorization", "AuthorizeFunction", Budget(2, 0), lambda: caller.post("authorizations", opening, "cost"))
    count(world, "its duplicate", "AuthorizeFunction", Budget(1, 0), lambda: caller.post("authorizations", opening, "cost"))
    captures = f"authorizations/{authorized.id}/captures"
    captured = count(world, "a capture", "CaptureFunction", Budget(2, 1), lambda: caller.post(captures, {"amount": 30}, "cost-c"))
    count(world, "its duplicate", "CaptureFunction", Budget(0, 1), lambda: caller.post(captures, {"amount": 30}, "cost-c"))
    refunds = f"payments/{captured.id}/refunds"
    count(world, "a refund", "RefundFunction", Budget(2, 1), lambda: caller.post(refunds, {"amount": 10}))
    count(world, "a reversal", "ReverseFunction", Budget(2, 1), lambda: caller.post(f"authorizations/{authorized.id}/reversals", {"amount": 20}))
    count(world, "a sale", "SaleFunction", Budget(2, 0), lambda: caller.post("sales", opening))


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
