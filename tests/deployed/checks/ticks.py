"""What is due later than a queue can wait: marked where it rests, and found by the tick."""

import json
import time
from collections.abc import Generator

from checks.common import Item, first, item_of, messages
from telling import expect, say, until
from world import World

# Payments are marked with one of so many shards, and a tick reads one of them.
SHARDS = 4

# Payments opened at most until each shard has one: they are spread by their hashes.
ENOUGH = 64

# A schedule of one minute has come by then, if it comes: its second time counts, too, where the first came too early.
SCHEDULED = 150.0

# How far into the past what is due is moved.
OVERDUE_MS = 60_000


def what_is_due_late_is_woken_by_the_tick_and_by_a_sweep(world: World) -> Generator[None]:
    lost = lose_one_for_each_shard(world)
    yield

    # When they were opened they asked for a look in case they were never finished. That must not be what wakes them:
    # the relay must have come so far in the stream, and the queue must be done with what it passed on.
    world.sandbox.script(fault="lost-answer", **{"class": "keyed"}, kind="authorize")
    world.caller.settled(f"authorizations/{world.caller.authorize('keyed', 'sentinel', '50').expect(202).id}")
    until("the queue holds nothing back", lambda: messages(world, delayed=True) == 0)
    for key, id in lost.items():
        expect(status(world, id), "Pending", key)
        make_due(world, item_of(world, key))
    say("the queue is empty; moved them all into the past, so that their holds have ended")

    def woken() -> list[str]:
        return sorted(key for key, id in lost.items() if status(world, id) != "Pending")

    if by_schedule := in_its_time(woken):
        say(f"the schedule called the tick, which woke {by_schedule}")
        expect(len(by_schedule), 1, "payments in the shard that a tick reads")
    else:
        say("the schedule did not call the tick within its time")
        invoke(world, {})
    left = sorted(set(lost) - set(woken()))
    invoke(world, {"sweep": True})
    until("the sweep wakes all that is due", lambda: len(woken()) == len(lost))
    say(f"the sweep woke the rest: {left}")
    for key, id in lost.items():
        expect(status(world, id), "Canceled", key)
        expect("lt" in item_of(world, key), False, f"{key}: its mark")


def lose_one_for_each_shard(world: World) -> dict[str, str]:
    """Authorizations of which nobody can find out what became: they wait for the end of their holds."""
    lost: dict[str, str] = {}
    shards: set[str] = set()
    for place in range(ENOUGH):
        if len(shards) == SHARDS:
            break
        key = f"late-{place}"
        world.sandbox.script(fault="lost-answer", **{"class": "none"}, kind="authorize")
        id = world.caller.authorize("none", key, "50").expect(202).id
        item = item_of(world, key)
        shard = item["lt"]["N"]
        if shard in shards:
            continue
        shards.add(shard)
        lost[key] = id
    expect(len(shards), SHARDS, "shards with a payment")
    days = (int(item["d"]["N"]) / 1000 - time.time()) / 86_400
    say(f"{place} authorizations lost at a gateway that cannot be asked, due in {days:.1f} days")
    say(f"one of each of the {SHARDS} shards is kept in view")
    return lost


def make_due(world: World, item: Item) -> None:
    """Makes a payment older: every time in it is moved back by as much."""
    back = int(item["d"]["N"]) - int(time.time() * 1000) + OVERDUE_MS
    state = first(item)["s"]["M"]
    for place, name in ((item, "d"), (item, "x"), (first(item), "t"), (state, "dl"), (state, "du")):
        place[name] = {"N": str(int(place[name]["N"]) - back)}
    world.cloud.client("dynamodb").put_item(
        TableName=world.stack.outputs["PaymentsTable"], Item=item,
        ConditionExpression="v = :v", ExpressionAttributeValues={":v": item["v"]},
    )


def status(world: World, id: str) -> str:
    return world.caller.get(f"authorizations/{id}").expect(200).record["status"]


def invoke(world: World, event: object) -> None:
    functions = world.cloud.client("lambda")
    answer = functions.invoke(FunctionName=world.stack.outputs["SchedulerTickFunction"], Payload=json.dumps(event))
    said = answer["Payload"].read().decode()
    expect(answer.get("FunctionError"), None, f"an error of the tick, which said {said}")
    say(f"called the tick with {json.dumps(event)}: {said}")


def in_its_time(look) -> list[str]:
    """What the schedule has woken within its time; nothing if it has not come."""
    try:
        return until("the schedule calls the tick", look, SCHEDULED)
    except AssertionError:
        return []


CHECKS = [what_is_due_late_is_woken_by_the_tick_and_by_a_sweep]
