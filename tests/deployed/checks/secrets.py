"""What must not rest anywhere: cards, tokens, keys."""

import base64
import json
from typing import Any

import parameters
from caller import CARD
from checks.common import all_items, log
from checks.notices import SECRET as NOTICE_SECRET
from checks.notices import with_secret
from checks.set_up import ask
from telling import expect, say
from world import World

# Known, and nowhere else: a card that approves, and a token that a merchant brings.
CANARY = "5512345678901231"
BROUGHT = "tok_canary_7d1f"

TABLES = ("PaymentsTable", "MerchantsTable", "VaultTable", "SchedulesTable", "EventsTable")


def nothing_secret_rests_or_is_logged(world: World) -> None:
    caller, sandbox = world.caller, world.sandbox
    kept = caller.tokenize("keyed", "canary", CANARY).expect(201).method
    opening = caller.opening("keyed", "31", CANARY)
    opening["paymentMethod"]["saveForFuture"] = True
    saved = caller.post("sales", opening, "canary-sale").expect(201).method
    brought = {"GatewayToken": BROUGHT, "PaymentGatewayId": caller.gateway("keyed"), "AccountId": "001000000000001"}
    ask(world, "POST", "/sobjects/SavedPaymentMethod", brought).expect(201)
    with_secret(world)
    hook = ask(world, "POST", "/set-up/webhook-endpoints", {"url": "https://shop.example/canary", "events": ["dispute.*"]})
    made = ask(world, "POST", "/set-up/api-keys", {"name": "Canary", "scopes": ["read"]})
    caller.with_key(made.expect(201).at("key")).get("payments/0aQ000000000001").expect(404)

    keys = parameters.read(world.cloud, parameters.VAULT_KEYS).split(",")
    secrets = [
        CANARY, CARD, BROUGHT, NOTICE_SECRET, *sandbox.tokens("keyed", kept), *sandbox.tokens("keyed", saved),
        caller.variables["KESSAI_API_KEY"], made.at("key"), hook.expect(201).at("secret"),
        parameters.read(world.cloud, parameters.FINGERPRINT_KEY), *(key.partition(":")[2] for key in keys),
    ]
    places = {table: rest(all_items(world, table)) for table in TABLES}
    places["the log"] = json.dumps(log(world)).encode()
    if world.cloud.process:
        places["the emulator's log"] = world.cloud.process.log.read_bytes()
    assert all(kept[:15].encode() in places[place] for place in ("VaultTable", "the log")), "it sees what is there"
    for place, held in places.items():
        found = [secret for secret in secrets for form in forms(secret) if form in held]
        expect(found, [], f"secrets in {place}")
    sizes = [f"{place} ({len(held)} B)" for place, held in places.items()]
    say(f"{len(secrets)} secrets, none of them in {', '.join(sizes)}")


def rest(held: Any) -> bytes:
    """Everything that is in it, one after the other."""
    match held:
        case dict():
            return b"\n".join(rest(name) + b"\n" + rest(value) for name, value in held.items())
        case list():
            return b"\n".join(map(rest, held))
        case bytes():
            return held
        case _:
            return str(held).encode()


def forms(secret: str) -> list[bytes]:
    """As it is, and as it would look when encoded."""
    raw = secret.encode()
    # Base 64 cuts into threes: whatever stands before, one of these is inside.
    cut = [raw[skip : skip + (len(raw) - skip) // 3 * 3] for skip in range(3)]
    return [raw, raw.hex().encode(), raw[::-1], *map(base64.b64encode, cut)]


CHECKS = [nothing_secret_rests_or_is_logged]
