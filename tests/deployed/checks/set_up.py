"""A merchant sets itself up over HTTP, as far as it goes where no gateway listens that may be set up."""

from collections.abc import Generator
from typing import Any

from caller import Reply, at_once
from checks.common import Skipped, all_items
from telling import expect, say, until
from world import World

# A payment that is not there: 404 for whoever may read.
NOTHING = "payments/0aQ000000000001"

LIMITED_CALLERS = 4


def a_merchant_sets_itself_up_and_the_trail_tells(world: World) -> Generator[None]:
    caller = world.caller
    before = version(world)
    provider = {"Adapter": "sandbox-keyed", "DeveloperName": f"Shop_{before}", "MasterLabel": "Shop"}
    path = "/tooling/sobjects/PaymentGatewayProvider"
    make = lambda: ask(world, "POST", path, provider, f"provider-{before}")  # noqa: E731
    made = make().expect(201)
    expect(make().expect(201).body, made.body, "the same creation again")
    gateway = {"PaymentGatewayName": "Shop", "PaymentGatewayProviderId": made.at("id"), "Status": "Inactive"}
    at = lambda url: ask(world, "POST", "/sobjects/PaymentGateway", {**gateway, "BaseUrl": url})  # noqa: E731
    inside = at(f"{world.sandbox.url}/keyed").expect(400)
    gateway_id = at("https://gateway.example/keyed").expect(201).at("id")

    old = ask(world, "POST", "/set-up/api-keys", {"name": "Till", "scopes": ["read"]}).expect(201)
    expect(old.headers.get("cache-control"), "no-store", "who may keep what is shown once")
    till, key_id = caller.with_key(old.at("key")), old.at("id")
    till.get(NOTHING).expect(404)
    till.post("sales", caller.opening("keyed", "1")).expect(403)
    rolled = ask(world, "POST", f"/set-up/api-keys/{key_id}/roll", {"overlap": "PT1H"}).expect(201)
    new = caller.with_key(rolled.at("key"))
    expect([till.get(NOTHING).status, new.get(NOTHING).status], [404, 404], "the old key beside the new one")
    ask(world, "DELETE", f"/set-up/api-keys/{key_id}").expect(204)
    # Of what nothing here leads to: nobody is at that address.
    hook = {"url": "https://shop.example/hooks", "events": ["dispute.*"]}
    hook_id = ask(world, "POST", "/set-up/webhook-endpoints", hook).expect(201).at("id")

    changes = ask(world, "GET", "/set-up/audit-trail?limit=5").expect(200).at("changes")
    expect([(change["action"], change["subjectId"]) for change in changes], [
        ("webhook-endpoint.created", hook_id), ("api-key.revoked", key_id), ("api-key.rolled", key_id),
        ("api-key.created", key_id), ("gateway.created", gateway_id),
    ], "the trail")
    expect(version(world) - before, 6, "changes")
    say(f"six changes, each in the trail; a gateway on this machine is refused: {inside.at(0, 'message')}")
    yield

    # Whatever functions remember of a merchant is a minute old at most.
    until("the revoked key opens nothing", lambda: till.get(NOTHING).status == 401)
    new.get(NOTHING).expect(404)
    sale = {**caller.opening("keyed", "1"), "paymentGatewayId": gateway_id}
    refused = until("the gateway is known", lambda: (reply := caller.post("sales", sale)).status == 422 and reply)
    say(f"a minute later: 401 under the revoked key; at the gateway {refused.at(0, 'message')}")


def a_limited_key_hears_when_to_come_again(world: World) -> None:
    key = {"name": "Slow", "scopes": ["read"], "requestsPerSecond": 1}
    made = ask(world, "POST", "/set-up/api-keys", key).expect(201)
    slow = world.caller.with_key(made.at("key"))
    answers: list[Reply] = []

    def turned_away() -> list[Reply]:
        answers.extend(at_once(LIMITED_CALLERS, lambda _: slow.get(NOTHING)))
        return [reply for reply in answers if reply.status == 429]

    # Of those that ask at once one is let through, or a few where they get in each other's way.
    first = until("one of them is turned away", turned_away)[0]
    expect(first.at(0, "errorCode"), "REQUEST_LIMIT_EXCEEDED", first.body)
    assert "retry-after" in first.headers, first.headers
    expect({reply.status for reply in answers}, {404, 429}, "answers")
    until("it is let in again", lambda: slow.get(NOTHING).status == 404)
    buckets = [item["pk"]["S"] for item in all_items(world, "MerchantsTable") if item["pk"]["S"].startswith("rate/")]
    expect(f"rate/{made.at('id')[:15]}" in buckets, True, f"its bucket, among {buckets}")
    if world.forwarder is None:
        raise Skipped("nobody can stand between the functions and their database")
    mark = world.forwarder.counter.mark()
    world.caller.get(NOTHING).expect(404)
    calls = world.forwarder.counter.since(mark, "RetrieveFunction")
    expect([call for call in calls if call.action == "PutItem"], [], "what a key without a limit writes")
    say(f"429 with Retry-After {first.headers['retry-after']}, then let in again; a key without a limit writes nothing")


def ask(world: World, method: str, path: str, body: Any = None, key: str | None = None) -> Reply:
    return world.caller.send(method, path, body, idempotency_key=key)


def version(world: World) -> int:
    return ask(world, "GET", "/set-up").expect(200).at("merchant", "version")


CHECKS = [a_merchant_sets_itself_up_and_the_trail_tells, a_limited_key_hears_when_to_come_again]
