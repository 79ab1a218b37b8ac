"""Messages that nobody can handle, of the queue and in calls for which nobody waits."""

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
    name = "FollowUpQueueUrl"
    sqs, queue = world.cloud.client("sqs"), world.stack.outputs[name]
    neighbour = reminder_of(world, "neighbour")
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


def a_call_with_a_poison_message_is_made_again_and_ends_as_a_dead_letter(world: World) -> None:
    world.caller.authorize("keyed", "neighbour-called", "10").expect(201)
    bodies = [POISON, reminder_of(world, "neighbour-called")]
    event = {"Records": [{"messageId": str(place), "body": body} for place, body in enumerate(bodies)]}
    name = world.stack.functions["DeliverEventFunction"]
    answer = world.cloud.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event))
    expect(answer["StatusCode"], 202, "the answer to a call for which nobody waits")
    say("called deliver-event with one poison message and one reminder; nobody waits for it")
    # On AWS the second and third attempt come after one and two minutes more.
    (letter,) = until("there is a dead letter", lambda: dead_letters(world), patience=300.0)
    told = json.loads(letter)
    expect(told["requestContext"]["condition"], "RetriesExhausted", "why it died")
    expect(told["requestContext"]["approximateInvokeCount"], 3, "how often it was called")
    expect(told["requestPayload"], event, "the event of the call")
    say("the call was made three times, and what came of it lies with the dead letters; it is thrown away")


def reminder_of(world: World, key: str) -> str:
    return json.dumps({"payment": item_of(world, key)["pk"]["S"], "version": 1})


def dead_letters(world: World) -> list[str]:
    """Takes out what lies there."""
    sqs, dead = world.cloud.client("sqs"), world.stack.outputs["ReminderDeadLettersUrl"]
    got = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
    for letter in got:
        sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"])
    return [letter["Body"] for letter in got]


CHECKS = [
    a_poison_message_ends_as_a_dead_letter_and_its_neighbours_are_handled,
    a_call_with_a_poison_message_is_made_again_and_ends_as_a_dead_letter,
]
