"""Stands before DynamoDB and counts: requests, and the units that the database says each of them took.

A write whose condition does not hold takes a unit, too: the items here are smaller than 1 KB. What else of AWS a
function asks when it starts or follows up is answered here: a parameter, and messages to a queue that leads nowhere.
"""

import hashlib
import json
from collections import Counter
from typing import Any

from http1 import Connection, Message, Server

FINGERPRINT_KEY = "07" * 32
# The parameter that holds the keys of the vault; nothing is sealed here.
VAULT_KEYS = "/kessai/bench/vault-keys"
COUNTED = {"PutItem", "UpdateItem", "DeleteItem", "GetItem"}


class Proxy:
    def __init__(self, database: str) -> None:
        self.database = database
        self.requests: Counter[str] = Counter()
        self.units: Counter[str] = Counter()
        self.server = Server(self._talk)
        self.url = f"http://{self.server.address}"

    def reset(self) -> None:
        self.requests.clear()
        self.units.clear()

    def _talk(self, client: Connection) -> None:
        database = Connection.to(self.database)
        while request := client.read():
            service, _, operation = request.headers.get("x-amz-target", ".").partition(".")
            if service.startswith("DynamoDB"):
                client.write(self._forward(database, operation, request))
            else:
                client.write(_answer(operation, json.loads(request.body or b"{}")))

    def _forward(self, database: Connection, operation: str, request: Message) -> Message:
        if operation in COUNTED:
            # The signature no longer fits then; the embedded database does not look at it.
            request.body = json.dumps({**json.loads(request.body), "ReturnConsumedCapacity": "TOTAL"}).encode()
        response = database.ask(request)
        if operation in COUNTED:
            self._count(operation, response)
        return response

    def _count(self, operation: str, response: Message) -> None:
        self.requests[operation] += 1
        capacity = json.loads(response.body).get("ConsumedCapacity", {})
        kind = "read" if operation == "GetItem" else "write"
        self.units[kind] += capacity.get("CapacityUnits", 1)


def _answer(operation: str, asked: dict[str, Any]) -> Message:
    """SSM and SQS, as far as they are asked."""
    body: dict[str, Any] = {}
    match operation:
        case "GetParameters":
            body = {"Parameters": [_parameter(name) for name in asked["Names"]], "InvalidParameters": []}
        case "SendMessageBatch":
            body = {"Successful": [_sent(entry) for entry in asked["Entries"]], "Failed": []}
    headers = {"content-type": "application/x-amz-json-1.1"}
    return Message("HTTP/1.1 200 OK", headers, json.dumps(body).encode())


def _parameter(name: str) -> dict[str, Any]:
    value = f"k1:{FINGERPRINT_KEY}" if name == VAULT_KEYS else FINGERPRINT_KEY
    return {"Name": name, "Type": "SecureString", "Value": value}


def _sent(entry: dict[str, Any]) -> dict[str, Any]:
    digest = hashlib.md5(entry["MessageBody"].encode()).hexdigest()
    return {"Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": digest}
