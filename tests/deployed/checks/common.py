"""What several checks have in common."""

from typing import Any

from world import World

Item = dict[str, Any]


class Skipped(Exception):
    """A check that cannot be made here, and why."""


def items(world: World) -> list[Item]:
    """Every payment of the merchant as it rests."""
    # A key begins with the merchant, in the shorter form of its id.
    merchant = world.caller.variables["KESSAI_MERCHANT_ID"][:15]
    pages = world.cloud.client("dynamodb").get_paginator("scan").paginate(
        TableName=world.stack.outputs["PaymentsTable"], ConsistentRead=True
    )
    return [item for page in pages for item in page["Items"] if item["pk"]["S"].startswith(f"{merchant}/")]


def first(item: Item) -> Item:
    """The operation that opened a payment."""
    return item["o"]["L"][0]["M"]


def item_of(world: World, key: str) -> Item:
    """The payment that was opened under an idempotency key."""
    found = [item for item in items(world) if first(item)["y"]["S"] == key]
    assert len(found) == 1, f"{len(found)} payments under the key {key}"
    return found[0]


def messages(world: World, *, delayed: bool = False) -> int:
    """Reminders in the queue: those to be handled now or being handled, and those held back where asked for."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    names += ["ApproximateNumberOfMessagesDelayed"] * delayed
    queue = world.stack.outputs["FollowUpQueueUrl"]
    counts = world.cloud.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(count) for count in counts.values())
