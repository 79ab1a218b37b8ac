"""A gateway tells, unasked, how something came out. The checks play the gateway: nothing leads from it to the API here."""

import hashlib
import hmac
import json
import time
from datetime import datetime, timezone
from typing import Any

from caller import CARD, Reply
from checks.set_up import ask
from telling import expect, say
from world import World

# The only class that cannot be asked: what it accepted is pending until it tells.
KIND = "none"
# Accepts, and says later that it approved; an amount of this code in its last digits.
ACCEPTED = "90.18"

SECRET = "notice-canary-3f9a1c"
FORGED = "Not a valid notification request"

# Older than this no notice may be.
TOLERANCE_S = 300


def a_notice_settles_what_a_gateway_accepted(world: World) -> None:
    provider = with_secret(world)
    reply = world.caller.post("sales", world.caller.opening(KIND, ACCEPTED, CARD), "notice").expect(201)
    expect(reply.record["status"], "Pending", "what the gateway accepted")
    item = {
        "event": "operation", "id": "N1", "reference": reply.id, "status": "approved", "code": "00",
        "message": "Approved", "date": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }
    body = enveloped(item)
    now = int(time.time())
    good = signature(body, now)
    flipped = body.replace(b'"approved"', b'"declined"')
    for what, sent, signed in (
        ("unsigned", body, None), ("by another secret", body, signature(body, now, "another")),
        ("changed", flipped, good), ("stale", body, signature(body, now - TOLERANCE_S - 60)),
    ):
        refused = tell(world, provider, sent, signed)
        expect((refused.status, refused.body.decode()), (403, FORGED), f"a notice that is {what}")
    expect(status(world, reply.id), "Pending", "after four that are not genuine")

    for what in ("the notice", "its duplicate"):
        taken = tell(world, provider, body, good)
        expect((taken.status, taken.body), (200, b"[accepted]"), what)
        expect(status(world, reply.id), "Processed", what)
    ping = enveloped({"event": "ping"})
    ignored = tell(world, provider, ping, signature(ping, now))
    expect((ignored.status, ignored.body), (200, b"[accepted] but not processed"), "what tells nothing")
    tell(world, "0cJ000000000001", body, good).expect(404)
    say("four that are not genuine: 403, and nothing changes; the genuine one: Processed, and so for its duplicate")


def with_secret(world: World) -> str:
    """The provider of the class, told what its gateways sign with."""
    providers = ask(world, "GET", "/set-up").expect(200).at("providers")
    (provider,) = [known["id"] for known in providers if known["adapter"] == f"sandbox-{KIND}"]
    ask(world, "POST", f"/set-up/providers/{provider}/notification-secret", {"secret": SECRET}).expect(204)
    shown = ask(world, "GET", "/set-up").expect(200)
    assert SECRET.encode() not in shown.body, "the secret is shown"
    return provider


def enveloped(item: dict[str, Any]) -> bytes:
    sent = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return json.dumps({"sent": sent, "notices": [item]}).encode()


def signature(body: bytes, at: int, secret: str = SECRET) -> str:
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def tell(world: World, provider: str, body: bytes, signed: str | None) -> Reply:
    """As the gateway does it: no API key, and any path that the API has for it."""
    path = f"/commerce/payments/notify?provider={provider}"
    return world.caller.send("POST", path, body, authorization=None, x_sandbox_signature=signed)


def status(world: World, payment: str) -> str:
    return world.caller.get(f"payments/{payment}").expect(200).record["status"]


CHECKS = [a_notice_settles_what_a_gateway_accepted]
