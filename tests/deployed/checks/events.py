"""Merchants are told of events; and whatever the table says, nothing is told to this machine.

Deployed functions reach nobody here, which is as it must be. That a merchant hears is for the tests of the local
server, where its own address may be reached.
"""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from socket import create_server
from typing import Any

import parameters
from checks.common import Item, Skipped, all_items, merchant
from checks.set_up import ask
from telling import expect, say, until
from world import World

EVENT = "payment.succeeded"
# Of the public internet as far as its name says.
ADDRESS = "https://hooks.example/kessai"

REFUSED = "refused: nothing is delivered to this address"


def events_are_listed_with_what_came_of_telling_them(world: World) -> Generator[None]:
    # What fails is tried again, and the tick reminds of it. So this begins when the others have ended.
    yield
    if not world.cloud.is_emulated:
        raise Skipped("it changes the merchant's item")
    caller = world.caller
    hook = {"url": ADDRESS, "events": [EVENT]}
    endpoint = ask(world, "POST", "/set-up/webhook-endpoints", hook).expect(201).at("id")
    with listener() as (port, heard):
        # Set-up would refuse it. Who delivers must not rely on that: a name may lead here, too.
        point_at(world, f"https://127.0.0.1:{port}/")
        # Functions remember merchants for a minute.
        parameters.start_anew(world.cloud, world.stack)
        sale = caller.post("sales", caller.opening("keyed", "5"), "told").expect(201).id

        def failed(least: int) -> dict[str, Any] | None:
            told = [delivery for delivery in deliveries(world, sale) if delivery["attempts"] >= least]
            return told[0] if told else None

        delivery = until("a delivery was tried", lambda: failed(1))
        wanted = (endpoint, "Failed", REFUSED)
        expect((delivery["endpointId"], delivery["status"], delivery.get("message")), wanted, "the delivery")
        event = event_of(world, sale)
        expect((event["type"], event["data"]["payment"]["id"]), (EVENT, sale), "the event")
        undelivered = caller.get(f"events?undelivered=true&type={EVENT}").expect(200).at("events")
        expect([event["id"] for event in undelivered], [event["id"]], "what was not delivered")
        say(f"{event['id']}: {event['type']}, {delivery['message']}")

        caller.post(f"events/{event['id']}/redeliver", None).expect(202)
        tried = delivery["attempts"]
        until("it is tried again", lambda: failed(tried + 1))
        caller.get("events/evt_0197a5f6c005d1c0f3a9b7e24680acd").expect(404)
        expect(heard, [], "connections to this machine")
    health = f"health/{merchant(world)}/{endpoint[:15]}"
    fares = [item for item in all_items(world, "MerchantsTable") if item["pk"]["S"] == health]
    expect(["failing_since" in item for item in fares], [True], "how the endpoint fares")
    ask(world, "DELETE", f"/set-up/webhook-endpoints/{endpoint}").expect(204)
    say("told again on request, refused again; nobody connected to this machine")


@contextmanager
def listener() -> Generator[tuple[int, list[str]]]:
    """A port of this machine, and who connected to it."""
    heard: list[str] = []
    with create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            try:
                while True:
                    connection, address = server.accept()
                    heard.append(str(address))
                    connection.close()
            except OSError:
                return

        threading.Thread(target=listen, daemon=True).start()
        yield server.getsockname()[1], heard


def event_of(world: World, payment: str) -> dict[str, Any]:
    """The one event that its endpoint wants of a payment."""
    events = world.caller.get("events").expect(200).at("events")
    (event,) = [event for event in events if event["data"]["payment"]["id"] == payment]
    return world.caller.get(f"events/{event['id']}").expect(200).json()


def deliveries(world: World, payment: str) -> list[dict[str, Any]]:
    events = world.caller.get("events").expect(200).at("events")
    of_payment = [event for event in events if event.get("data", {}).get("payment", {}).get("id") == payment]
    return [delivery for event in of_payment for delivery in event["deliveries"]]


def point_at(world: World, url: str) -> None:
    """Writes another address into the merchant's item."""
    table = world.stack.outputs["MerchantsTable"]
    known = [item for item in all_items(world, "MerchantsTable") if ADDRESS in json.dumps(item, default=str)]
    (item,) = [item for item in known if not item["pk"]["S"].startswith("audit/")]
    world.cloud.client("dynamodb").put_item(
        TableName=table, Item=replaced(item, url),
        ConditionExpression="v = :v", ExpressionAttributeValues={":v": item["v"]},
    )


def replaced(value: Any, url: str) -> Item | Any:
    match value:
        case dict():
            return {name: replaced(inner, url) for name, inner in value.items()}
        case list():
            return [replaced(inner, url) for inner in value]
        case _:
            return url if value == ADDRESS else value


CHECKS = [events_are_listed_with_what_came_of_telling_them]
