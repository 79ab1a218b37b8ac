"""What is due later than a queue can wait: marked where it rests, and found by the tick."""

import json
import time
from collections.abc import Callable, Generator

from checks.common import Item, first, item_of, messages
from telling import expect, say, until
from world import World

# A schedule of one minute has come by then, if it comes: its second time counts, too, where the first came too early.
SCHEDULED = 150.0

# How far into the past what is due is moved.
OVERDUE_MS = 60_000

# Too far for a tick to see, near enough for a sweep.
AHEAD_MS = 600_000


def what_is_due_late_is_woken_by_the_tick_and_by_a_sweep(world: World) -> Generator[None]:
    ticked, swept = lose(world, "late-ticked"), lose(world, "late-swept")
    yield

    # When they were opened they asked for a look in case they were never finished. That must not be what wakes them:
    # the relay must have come so far in the stream, and the queue must be done with what it passed on.
    world.sandbox.script(fault="lost-answer", **{"class": "keyed"}, kind="authorize")
    world.caller.settled(f"authorizations/{world.caller.authorize('keyed', 'sentinel', '50').expect(202).id}")
    until("the queue holds nothing back", lambda: messages(world, delayed=True) == 0)
    expect([status(world, id) for id in (ticked, swept)], ["Pending", "Pending"], "both")
    move(world, item_of(world, "late-ticked"), -OVERDUE_MS)
    say("the queue is empty; moved one into the past, so that its hold has ended")

    def woken() -> bool:
        return status(world, ticked) != "Pending"

    if in_its_time(woken):
        say("the schedule called the tick, which woke it")
    else:
        say("the schedule did not call the tick within its time")
        invoke(world, {})
        until("the tick wakes it", woken)
    expect(status(world, ticked), "Canceled", "late-ticked")
    expect("lt" in item_of(world, "late-ticked"), False, "its mark")

    until("the queue holds nothing back", lambda: messages(world, delayed=True) == 0)
    move(world, item_of(world, "late-swept"), AHEAD_MS)
    expect(invoke(world, {})["reminders"], 0, "what a tick sees of what is due in ten minutes")
    expect(invoke(world, {"sweep": True})["reminders"], 1, "what a sweep sees of it")
    until("the queue holds its reminder back", lambda: messages(world, delayed=True) == 1)


def lose(world: World, key: str) -> str:
    """An authorization of which nobody can find out what became: it waits for the end of its hold."""
    world.sandbox.script(fault="lost-answer", **{"class": "none"}, kind="authorize")
    id = world.caller.authorize("none", key, "50").expect(202).id
    until(f"{key}: somebody looked, and it waits", lambda: "lt" in item_of(world, key))
    item = item_of(world, key)
    days = (int(item["d"]["N"]) / 1000 - time.time()) / 86_400
    say(f"{key}: lost at a gateway that cannot be asked, due in {days:.1f} days")
    return id


def move(world: World, item: Item, due_in_ms: int) -> None:
    """Makes a payment older: every time in it is moved back by as much, so that it is due then."""
    back = int(item["d"]["N"]) - int(time.time() * 1000) - due_in_ms
    state = first(item)["s"]["M"]
    for place, name in ((item, "d"), (item, "x"), (first(item), "t"), (state, "dl"), (state, "du")):
        place[name] = {"N": str(int(place[name]["N"]) - back)}
    world.cloud.client("dynamodb").put_item(
        TableName=world.stack.outputs["PaymentsTable"], Item=item,
        ConditionExpression="v = :v", ExpressionAttributeValues={":v": item["v"]},
    )


def status(world: World, id: str) -> str:
    return world.caller.get(f"authorizations/{id}").expect(200).record["status"]


def invoke(world: World, event: object) -> dict[str, int]:
    functions = world.cloud.client("lambda")
    answer = functions.invoke(FunctionName=world.stack.outputs["SchedulerTickFunction"], Payload=json.dumps(event))
    said = answer["Payload"].read().decode()
    expect(answer.get("FunctionError"), None, f"an error of the tick, which said {said}")
    say(f"called the tick with {json.dumps(event)}: {said}")
    return json.loads(said)


def in_its_time(look: Callable[[], bool]) -> bool:
    """Whether the schedule has called the tick within its time."""
    try:
        return until("the schedule calls the tick", look, SCHEDULED)
    except AssertionError:
        return False


CHECKS = [what_is_due_late_is_woken_by_the_tick_and_by_a_sweep]
