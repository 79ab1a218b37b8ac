"""What several checks have in common."""

import json
from typing import Any

from stack import STAGE
from world import World

Item = dict[str, Any]


class Skipped(Exception):
    """A check that cannot be made here, and why."""


def all_items(world: World, table: str) -> list[Item]:
    """Everything in one of the tables."""
    pages = world.cloud.client("dynamodb").get_paginator("scan").paginate(
        TableName=world.stack.outputs[table], ConsistentRead=True
    )
    return [item for page in pages for item in page["Items"]]


def items(world: World) -> list[Item]:
    """Every payment of the merchant as it rests."""
    return of_merchant(world, "PaymentsTable")


def methods(world: World) -> list[Item]:
    """Every stored method of the merchant as it rests."""
    return of_merchant(world, "VaultTable")


def of_merchant(world: World, table: str) -> list[Item]:
    begins = f"{merchant(world)}/"
    return [item for item in all_items(world, table) if item["pk"]["S"].startswith(begins)]


def merchant(world: World) -> str:
    """What a key begins with: the merchant, in the shorter form of its id."""
    return world.caller.variables["KESSAI_MERCHANT_ID"][:15]


def method_item(world: World, method: str) -> Item:
    """A stored method as it rests."""
    key = {"pk": {"S": f"{merchant(world)}/{method[:15]}"}}
    vault = world.stack.outputs["VaultTable"]
    return world.cloud.client("dynamodb").get_item(TableName=vault, Key=key, ConsistentRead=True)["Item"]


def log(world: World) -> list[dict[str, Any]]:
    """The lines that functions have written."""
    group = f"/kessai/{STAGE}/functions"
    pages = world.cloud.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    said = [event["message"] for page in pages for event in page["events"]]
    return [json.loads(line) for line in said if line.startswith("{")]


def first(item: Item) -> Item:
    """The operation that opened a payment."""
    return item["o"]["L"][0]["M"]


def item_of(world: World, key: str) -> Item:
    """The payment that was opened under an idempotency key."""
    found = [item for item in items(world) if first(item)["y"]["S"] == key]
    assert len(found) == 1, f"{len(found)} payments under the key {key}"
    return found[0]


def messages(world: World, queue: str = "FollowUpQueueUrl", *, delayed: bool = False) -> int:
    """Reminders in a queue: those to be handled now or being handled, and those held back where asked for."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    names += ["ApproximateNumberOfMessagesDelayed"] * delayed
    url = world.stack.outputs[queue]
    counts = world.cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(count) for count in counts.values())
