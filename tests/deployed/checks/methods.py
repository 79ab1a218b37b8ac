"""Cards are kept by their gateway, pay, are listed and are given up; and a token is made once, whoever dies on the way."""

import os
import signal
from collections.abc import Generator
from threading import Thread

from caller import CARD, Reply, without_answer
from checks.common import Item, Skipped, method_item, methods
from telling import expect, say, until
from world import World

OTHER_CARD = "5555555555554444"

# Whose methods are listed: nobody else keeps any for this account.
BUYER = "001000000000002"


def a_card_is_kept_pays_is_listed_and_is_given_up(world: World) -> None:
    caller, sandbox = world.caller, world.sandbox
    first = caller.tokenize("keyed", "kept", account=BUYER).expect(201)
    again = caller.tokenize("keyed", "kept", account=BUYER).expect(201)
    expect((again.body, again.is_replayed, first.is_replayed), (first.body, True, False), "the replay")
    expect(len(sandbox.tokens("keyed", first.method)), 1, "tokens at the gateway")
    caller.tokenize("keyed", "kept", OTHER_CARD, BUYER).expect(422)
    pay = lambda key: caller.post("sales", paid_with(world, "keyed", first.method, "15"), key)  # noqa: E731
    paid = pay("kept-pays").expect(201)
    expect(len(sandbox.effects(reference=paid.id)), 1, "effects")

    kept = [first.method, *(caller.tokenize("keyed", f"kept-{index}", account=BUYER).method for index in "ab")]
    seen, token = [], ""
    while token is not None:
        page = caller.get(f"payment-methods?accountId={BUYER}&pageSize=2&pageToken={token}").expect(200)
        seen += [method["id"] for method in page.at("paymentMethods")]
        token = page.at("nextPageToken")
    expect(sorted(seen), sorted(kept), "the account's methods, page by page")

    path = f"payment-methods/{first.method}"
    change = lambda body: caller.send("PATCH", f"/commerce/payments/{path}", body)  # noqa: E731
    expect(change({"nickName": "Mine"}).expect(200).at("paymentMethod", "nickName"), "Mine", "its name")
    expect(change({"status": "Canceled"}).expect(200).at("paymentMethod", "status"), "Canceled", "its status")
    expect("t" in method_item(world, first.method), False, "a token of what is canceled")
    refused = pay("canceled-pays").expect(422)
    expect(caller.get(path).expect(200).at("paymentMethod", "status"), "Canceled", "what is read")
    expect(pay("kept-pays").expect(201).body, paid.body, "what was paid before")
    say(f"one token; listed page by page; canceled it does not pay: {refused.at(0, 'message')}")


def paid_with(world: World, kind: str, method: str, amount: str) -> Item:
    return {**world.caller.opening(kind, amount), "paymentMethod": {"id": method}}


def a_card_that_is_saved_with_its_payment_pays_again(world: World) -> None:
    caller = world.caller
    opening = caller.opening("look-up", "18", CARD)
    opening["paymentMethod"]["saveForFuture"] = True
    first = caller.post("authorizations", opening, "saved").expect(201)
    expect(caller.post("authorizations", opening, "saved").expect(201).body, first.body, "the replay")
    expect(len(world.sandbox.tokens("look-up", first.method)), 1, "tokens at the gateway")
    again = caller.post("sales", paid_with(world, "look-up", first.method, "19")).expect(201)
    effects = [len(world.sandbox.effects(reference=reply.id)) for reply in (first, again)]
    expect(effects, [1, 1], "effects")
    say("saved once, paid twice")


def a_token_is_made_once_though_its_function_was_killed(world: World) -> Generator[None]:
    if not world.cloud.is_ours:
        raise Skipped("the functions' processes are not ours to kill")
    caller, sandbox = world.caller, world.sandbox
    # The gateway keeps the card at once and answers late: the function waits for it.
    sandbox.script(fault="slow", **{"class": "keyed"}, kind="tokenize", delayMs=14_000)
    heard: list[Reply | None] = []
    ask = lambda: caller.tokenize("keyed", "killed-token")  # noqa: E731
    thread = Thread(target=lambda: heard.append(without_answer(ask)))
    thread.start()
    until("the gateway has acted", sandbox.has_heard)
    doomed = world.calling_the_sandbox("TokenizeFunction")
    assert doomed, "no process of the function waits for the sandbox"
    for pid in doomed:
        os.kill(pid, signal.SIGKILL)
    thread.join()
    told = f"{heard[0].status} {heard[0].body[:80]!r}" if heard[0] else "nothing"
    say(f"killed process {', '.join(map(str, doomed))} while it waited for the gateway; the caller heard {told}")
    assert heard[0] is None or heard[0].status >= 500, told
    again = ask().expect(409)
    say(f"asked again: 409, Retry-After {again.headers['retry-after']}")
    [left] = [item for item in methods(world) if item["m"]["M"]["y"]["S"] == "killed-token"]
    expect(("t" in left, "ac" in left), (False, False), "a token, and an account that lists it")
    yield

    def kept() -> Reply | None:
        reply = ask()
        expect(reply.status in (201, 202, 409), True, f"{reply.status} {reply.body!r}")
        return reply if reply.status == 201 else None

    reply = until("the margin is over, and the card is kept", kept)
    expect(len(sandbox.tokens("keyed", reply.method)), 1, "tokens at the gateway")
    paid = caller.post("sales", paid_with(world, "keyed", reply.method, "21")).expect(201)
    expect(len(sandbox.effects(reference=paid.id)), 1, "effects")
    say("after the margin whoever asked again had it kept: one token, and it pays")


CHECKS = [
    a_card_is_kept_pays_is_listed_and_is_given_up,
    a_card_that_is_saved_with_its_payment_pays_again,
    a_token_is_made_once_though_its_function_was_killed,
]
