"""The keys of the vault: replaced while everything goes on, and lost."""

from typing import Any

import parameters
from checks.common import log, method_item
from checks.methods import paid_with
from parameters import VAULT_KEYS, change_vault_keys, new_key
from telling import expect, say, until
from world import World

# As many as are left behind where the stack is not thrown away: each run brings one.
MOST_KEYS = 4


def a_new_key_takes_the_place_of_the_old_one(world: World) -> None:
    caller, cloud, stack = world.caller, world.cloud, world.stack
    old = parameters.read(cloud, VAULT_KEYS)
    new = new_key()
    method, late = (caller.tokenize("keyed", f"rotated-{name}").expect(201).method for name in ("a", "b"))
    first, next_id = sealed_under(world, method), new.partition(":")[0]
    change_vault_keys(cloud, stack, f"{old},{new}")
    expect(pay(world, method, "rotated-1"), 201, "a payment when the new key opens")
    expect(sealed_under(world, method), first, "and it seals nothing")
    change_vault_keys(cloud, stack, f"{new},{old}")
    expect(sealed_under(world, caller.tokenize("keyed", "rotated-c").expect(201).method), next_id, "what is kept now")
    expect(sealed_under(world, method), first, "what was kept before")
    expect(pay(world, method, "rotated-2"), 201, "a payment when the new key seals")
    expect((sealed_under(world, method), sealed_under(world, late)), (next_id, first), "what was paid with, and what was not")
    before = method_item(world, method)["v"]
    expect(pay(world, method, "rotated-3"), 201, "a payment under the new key")
    expect(method_item(world, method)["v"], before, "its version: it is sealed anew once")
    change_vault_keys(cloud, stack, new)
    expect(pay(world, method, "rotated-4"), 201, "a payment without the old key")
    change_vault_keys(cloud, stack, f"{new},{old}")
    expect(pay(world, late, "rotated-5"), 201, "a payment with the one that was left")
    say(f"from {first} to {next_id}: what is paid with is sealed anew, and needs the old key no more")


def under_a_lost_key_nothing_is_charged_and_the_rest_goes_on(world: World) -> None:
    caller, cloud, stack = world.caller, world.cloud, world.stack
    known = parameters.read(cloud, VAULT_KEYS)
    method = caller.tokenize("keyed", "lost-key").expect(201).method
    change_vault_keys(cloud, stack, new_key())
    try:
        refused = caller.post("sales", paid_with(world, "keyed", method, "23.45"), "lost-key-sale").expect(500)
        expect(world.sandbox.effects(amount=2345), [], "effects")
        line = until("the log says so", lambda: faults(world, "sale"))[0]
        say(f"500 {refused.at(0, 'message')!r}; in the log: {line['note']}, {line['cause']!r}, Faults {line['Faults']}")
        expect(caller.get(f"payment-methods/{method}").expect(200).at("paymentMethod", "status"), "Active", "it")
        fresh = caller.tokenize("keyed", "another-key").expect(201).method
        expect(pay(world, fresh, "another-key-sale"), 201, "a payment by what is kept now")
    finally:
        change_vault_keys(cloud, stack, ",".join(known.split(",")[:MOST_KEYS]))
    expect(pay(world, method, "lost-key-sale", "23.45"), 201, "the same request when the key is back")
    expect(len(world.sandbox.effects(amount=2345)), 1, "effects")
    say("shown as before; the same request pays when the key is back")


def pay(world: World, method: str, key: str, amount: str = "22") -> int:
    return world.caller.post("sales", paid_with(world, "keyed", method, amount), key).status


def sealed_under(world: World, method: str) -> str:
    return method_item(world, method)["t"]["M"]["k"]["S"]


def faults(world: World, function: str) -> list[dict[str, Any]]:
    return [line for line in log(world) if line.get("function") == function and line.get("Faults")]


CHECKS = [a_new_key_takes_the_place_of_the_old_one, under_a_lost_key_nothing_is_charged_and_the_rest_goes_on]
