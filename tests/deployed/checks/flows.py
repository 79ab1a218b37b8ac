"""Every operation as a caller meets it, through the API and the functions behind it."""

from caller import ACCOUNT, CARD, Reply
from telling import expect, say
from world import World


def every_operation_works_and_can_be_read(world: World) -> None:
    caller, sandbox = world.caller, world.sandbox
    authorization = caller.post("authorizations", caller.opening("keyed", "100", CARD), "flow-a").expect(201).id
    captures = f"authorizations/{authorization}/captures"
    capture = caller.post(captures, {"amount": 60}).expect(201).id
    reversal = caller.post(f"authorizations/{authorization}/reversals", {"amount": 40}).expect(201).id
    refund = caller.post(f"payments/{capture}/refunds", {"amount": 10, "reason": "duplicate"}).expect(201).id
    sale = caller.post("sales", caller.opening("look-up", "12.5")).expect(201).id
    registered = register(world).expect(201).id

    read = caller.get(f"authorizations/{authorization}").expect(200)
    kinds = [operation["type"] for operation in read.at("operations")]
    expect(kinds, ["Authorization", "Capture", "AuthorizationReversal", "ReferencedRefund"], "its history")
    paths = [
        f"payments/{capture}", f"{captures}/{capture}", f"authorizations/{authorization}/reversals/{reversal}",
        f"refunds/{refund}", f"payments/{capture}/refunds/{refund}", f"payments/{sale}", f"authorizations/{registered}",
    ]
    for path in paths:
        expect(caller.get(path).expect(200).record["status"], "Processed", path)
    for id in (authorization, capture, reversal, refund, sale, registered):
        expect(len(sandbox.effects(reference=id)), 1, f"effects of {id}")
    say(f"six operations, {len(paths) + 1} reads, one effect each in the ledger")


def register(world: World) -> Reply:
    """A post-authorization of what a browser obtained."""
    card = {"number": CARD, "expiryMonth": 12, "expiryYear": 2030}
    browser = {"amount": 7500, "currency": "EUR", "card": card}
    obtained = world.sandbox.ask("POST", "/keyed/client-authorizations", browser)
    method = {"accountId": ACCOUNT, "gatewayToken": "tok_1", "name": "iDEAL", "email": "a@example.org"}
    return world.caller.post("postAuths", {
        "accountId": ACCOUNT, "amount": 75, "currencyIsoCode": "EUR",
        "paymentGatewayId": world.caller.gateway("keyed"), "effectiveDate": "2026-08-01T00:00:00.000Z",
        "paymentMethod": {"alternativePaymentMethod": method, "saveForFuture": False},
        "additionalData": {"reference": obtained["id"]},
    })


def every_path_is_served_under_a_version_too(world: World) -> None:
    caller = world.caller
    prefix = "/services/data/v67.0/commerce/payments"
    body = caller.opening("keyed", "20")
    opened = caller.send("POST", f"{prefix}/authorizations", body, idempotency_key="versioned").expect(201)
    caller.send("POST", f"{prefix}/authorizations/{opened.id}/captures", {"amount": 5}).expect(201)
    caller.send("GET", f"{prefix}/authorizations/{opened.id}").expect(200)
    caller.send("GET", f"/services/data/x/commerce/payments/authorizations/{opened.id}").expect(404)
    say("the same records, with and without it")


def the_same_key_is_answered_with_the_same_bytes(world: World) -> None:
    caller = world.caller
    first = caller.authorize("keyed", "replay", "30").expect(201)
    again = caller.authorize("keyed", "replay", "30").expect(201)
    expect((again.body, again.is_replayed, first.is_replayed), (first.body, True, False), "the replay")
    captures = f"authorizations/{first.id}/captures"
    captured = caller.post(captures, {"amount": 5}, "replayed-capture").expect(201)
    expect(caller.post(captures, {"amount": 5}, "replayed-capture").expect(201).body, captured.body, "its replay")
    other = caller.authorize("keyed", "replay", "31").expect(422)
    assert "amount" in other.at(0, "message"), other.body
    expect(len(world.sandbox.effects(reference=first.id)), 1, "effects")
    expect(len(world.sandbox.effects(reference=captured.id)), 1, "effects of the capture")
    say(f"{len(first.body)} bytes twice; another amount: {other.at(0, 'message')}")


def what_cannot_be_is_refused(world: World) -> None:
    caller = world.caller
    body = caller.opening("keyed", "40")
    path = "/commerce/payments/authorizations"
    for strange in (None, "Bearer x", f"Bearer kessai_{'0' * 64}"):
        refused = caller.send("POST", path, body, authorization=strange).expect(401)
        expect(refused.at(0, "errorCode"), "INVALID_SESSION_ID", f"with the header {strange}")
    caller.send("POST", path, b"{").expect(400)
    unknown = caller.post("authorizations", {**body, "amuont": 1}).expect(400)
    assert "amuont" in unknown.at(0, "message"), unknown.body
    declined = caller.authorize("keyed", "declined", "90.01").expect(402)
    expect(declined.at("gatewayResponse", "salesforceResultCode"), "Decline", "the result code")
    caller.get("authorizations/0Xc000000000001").expect(404)
    caller.post("authorizations/0Xc000000000001/captures", {"amount": 1}).expect(404)
    opened = caller.authorize("keyed", "over", "40").expect(201).id
    over = caller.post(f"authorizations/{opened}/captures", {"amount": 40.01}).expect(422)
    expect(caller.send("GET", "/commerce/payments/nothing").status, 404, "a route that is not there")
    say(f"401, 400, 402, 404, 422: {over.at(0, 'message')}")


CHECKS = [
    every_operation_works_and_can_be_read,
    every_path_is_served_under_a_version_too,
    the_same_key_is_answered_with_the_same_bytes,
    what_cannot_be_is_refused,
]
