"""Messages that nobody can handle."""

import json

from checks.common import item_of, messages
from telling import expect, say, until
from world import World

POISON = '{"payment":"poison"}'
NEIGHBOURS = 9

# Instead of the minutes that the template gives a function: what failed comes again at once.
VISIBILITY = "1"


def a_poison_message_ends_as_a_dead_letter_and_its_neighbours_are_handled(world: World) -> None:
    world.caller.authorize("keyed", "neighbour", "10").expect(201)
    for queue in ("FollowUpQueueUrl", "DeliveryQueueUrl"):
        poison(world, queue)


def poison(world: World, name: str) -> None:
    sqs, queue = world.cloud.client("sqs"), world.stack.outputs[name]
    neighbour = json.dumps({"payment": item_of(world, "neighbour")["pk"]["S"], "version": 1})
    names = ["VisibilityTimeout", "RedrivePolicy"]
    before = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    times = json.loads(before["RedrivePolicy"])["maxReceiveCount"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": VISIBILITY})
    try:
        bodies = [POISON, *[neighbour] * NEIGHBOURS]
        entries = [{"Id": str(place), "MessageBody": body} for place, body in enumerate(bodies)]
        expect(sqs.send_message_batch(QueueUrl=queue, Entries=entries).get("Failed", []), [], "what was not sent")
        say(f"{name}: one poison message and {NEIGHBOURS} reminders, sent as one batch; each may be received {times} times")
        letters = until("there is a dead letter", lambda: dead_letters(world))
        until("the queue is empty", lambda: messages(world, name) == 0)
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": before["VisibilityTimeout"]})
    # A reminder that was not handled would have died with it: they were all received as often.
    letters += dead_letters(world)
    expect(letters, [POISON], "the dead letters")
    say("the poison message alone died; nothing is left in the queue; the dead letter is thrown away")


def dead_letters(world: World) -> list[str]:
    """Takes out what lies there."""
    sqs, dead = world.cloud.client("sqs"), world.stack.outputs["ReminderDeadLettersUrl"]
    got = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
    for letter in got:
        sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"])
    return [letter["Body"] for letter in got]


CHECKS = [a_poison_message_ends_as_a_dead_letter_and_its_neighbours_are_handled]
