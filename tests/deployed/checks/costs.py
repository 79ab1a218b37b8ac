"""What operations cost, counted on the way from the functions to the database."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from caller import ACCOUNT, CARD, Reply
from checks.common import Skipped
from counting import Call
from telling import expect, say
from world import World


@dataclass(frozen=True)
class Budget:
    """Of the payments table and of the vault: write units and reads. Of queues: calls."""

    units: int
    reads: int
    vault_units: int = 0
    vault_reads: int = 0
    queue: int = 0

    def __str__(self) -> str:
        said = f"{self.units} write units, {self.reads} reads, {self.queue} queue calls"
        vault = self.vault_units or self.vault_reads
        return f"{said}; of the vault {self.vault_units}, {self.vault_reads}" if vault else said


def operations_cost_what_was_promised(world: World) -> None:
    if world.forwarder is None:
        raise Skipped("nobody can stand between the functions and their database")
    caller = world.caller
    opening, stored = caller.opening("keyed", "50", CARD), caller.opening("keyed", "50")
    # The first call of a function reads its set-up; what it costs later is what counts.
    warm = caller.authorize("keyed", "cost-warm", "50").expect(201).id
    caller.post(f"authorizations/{warm}/captures", {"amount": 1}).expect(201)

    def spends(what: str, function: str, budget: Budget, path: str, body: Any, key: str | None = None) -> Reply:
        return count(world, what, function, budget, lambda: caller.post(path, body, key).expect(201))

    opens, authorizing = Budget(2, 0), "AuthorizeFunction"
    authorization = spends("an authorization", authorizing, opens, "authorizations", opening, "cost").id
    spends("its duplicate", authorizing, Budget(1, 0), "authorizations", opening, "cost")
    acts = Budget(2, 1)
    captures = f"authorizations/{authorization}/captures"
    capture = spends("a capture", "CaptureFunction", acts, captures, {"amount": 30}, "cost-c").id
    spends("its duplicate", "CaptureFunction", Budget(0, 1), captures, {"amount": 30}, "cost-c")
    spends("a refund", "RefundFunction", acts, f"payments/{capture}/refunds", {"amount": 10})
    spends("a reversal", "ReverseFunction", acts, f"authorizations/{authorization}/reversals", {"amount": 20})
    spends("a sale", "SaleFunction", opens, "sales", opening)
    spends("by a stored method", authorizing, Budget(2, 0, vault_reads=1), "authorizations", stored, "cost-s")
    spends("its duplicate", authorizing, Budget(1, 0, vault_reads=1), "authorizations", stored, "cost-s")
    spends("a sale by it", "SaleFunction", Budget(2, 0, vault_reads=1), "sales", stored)

    keeps, reads = Budget(0, 0, vault_units=2), Budget(0, 0, vault_reads=1)
    tokenize = lambda: caller.tokenize("keyed", "cost-t").expect(201)  # noqa: E731
    method = count(world, "a tokenization", "TokenizeFunction", keeps, tokenize).method
    count(world, "its duplicate", "TokenizeFunction", Budget(0, 0, vault_units=1), tokenize)
    saved = {**opening, "paymentMethod": {**opening["paymentMethod"], "saveForFuture": True}}
    spends("a sale that is saved", "SaleFunction", Budget(2, 0, vault_units=2, vault_reads=1), "sales", saved)
    looks = [(f"payment-methods/{method}", "a look at a method"), (f"payment-methods?accountId={ACCOUNT}", "a list of them")]
    for path, what in looks:
        count(world, what, "RetrieveFunction", reads, lambda: caller.get(path).expect(200))


def count(world: World, what: str, function: str, budget: Budget, ask: Callable[[], Reply]) -> Reply:
    assert world.forwarder is not None
    mark = world.forwarder.counter.mark()
    reply = ask()
    calls = world.forwarder.counter.since(mark, function)
    payments = [call for call in calls if call.table == world.stack.outputs["PaymentsTable"]]
    vault = [call for call in calls if call.table == world.stack.outputs["VaultTable"]]
    spent = Budget(*costs(payments), *costs(vault), queue=sum(not call.table for call in calls))
    actions = [call.action for call in calls]
    say(f"{what}: {spent}, {', '.join(actions)}")
    expect(spent, budget, what)
    expect(set(actions) <= {"GetItem", "PutItem", "Query"}, True, f"{what}: what was called is {actions}")
    return reply


def costs(calls: list[Call]) -> tuple[int, int]:
    """Write units and reads."""
    return sum(call.units for call in calls), sum(call.action in ("GetItem", "Query") for call in calls)


CHECKS = [operations_cost_what_was_promised]
