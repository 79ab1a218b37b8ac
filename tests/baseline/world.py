"""What the three are put into: the embedded database behind the counting proxy, and the sandbox gateways."""

import atexit
import json
import subprocess
from pathlib import Path
from typing import Any

from http1 import Connection, Message
from proxy import Proxy

LISTENS = "0A"


class World:
    """A local server, for its database and the merchant that it sets up, and a sandbox of its own."""

    def __init__(self, binary: Path, scratch: Path) -> None:
        scratch.mkdir(parents=True)
        self.scratch = scratch
        self.sandbox_process, greeting = _start([binary, "sandbox", "--port", "0"])
        self.sandbox = greeting.removeprefix("Sandbox gateways at ")
        serve = ["--port", "0", "--no-models", "--memory", "--quiet", "--sandbox-url", self.sandbox, "--data", scratch / "kessai"]
        self.local_process, _ = _start([binary, *serve])
        self.local = _variables(scratch / "kessai" / "local.env")
        own = int(self.local["KESSAI_URL"].rsplit(":", 1)[1])
        [database] = _listening_ports(self.local_process.pid) - {own}
        self.database = f"http://127.0.0.1:{database}"
        self.proxy = Proxy(self.database)

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *error: object) -> None:
        for process in (self.local_process, self.sandbox_process):
            process.kill()
            process.wait()

    def ask_database(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        credential = "AWS4-HMAC-SHA256 Credential=bench/20260801/eu-central-1/dynamodb/aws4_request"
        headers = {
            "host": "dynamodb",
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"DynamoDB_20120810.{operation}",
            "x-amz-date": "20260801T000000Z",
            "authorization": f"{credential}, SignedHeaders=host, Signature=0",
        }
        return _ask(self.database, Message("POST / HTTP/1.1", headers, json.dumps(body).encode()))

    def make_table(self, name: str) -> str:
        self.ask_database(
            "CreateTable",
            {
                "TableName": name,
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            },
        )
        return name

    def script(self, fault: str, gateway: str) -> None:
        """What the next request to the gateway of this class meets."""
        body = json.dumps({"next": [{"fault": fault, "class": gateway}]}).encode()
        headers = {"host": "sandbox", "content-type": "application/json"}
        _ask(self.sandbox, Message("POST /faults HTTP/1.1", headers, body))

    def effects(self) -> list[dict[str, Any]]:
        """The money that moved, in order."""
        ledger = _ask(self.sandbox, Message("GET /ledger HTTP/1.1", {"host": "sandbox"}))
        return [effect for effect in ledger["effects"] if not effect["voided"]]


def _start(command: list[Any]) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    # Whatever goes wrong here, nothing of it stays behind.
    atexit.register(process.kill)
    assert process.stdout
    return process, process.stdout.readline().strip()


def _variables(file: Path) -> dict[str, str]:
    lines = (line.removeprefix("export ").partition("=") for line in file.read_text().splitlines())
    return {name: value for name, _, value in lines}


def _listening_ports(pid: int) -> set[int]:
    """The local server does not say where its database listens."""
    links = (link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir())
    sockets = {name.removeprefix("socket:[").removesuffix("]") for name in links if name.startswith("socket:")}
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].split(":")[1], 16) for row in rows if row[3] == LISTENS and row[9] in sockets}


def _ask(url: str, request: Message) -> dict[str, Any]:
    connection = Connection.to(url)
    response = connection.ask(request)
    connection.close()
    if response.status != 200:
        raise RuntimeError(f"{request.start}: {response.status} {response.body.decode()}")
    body: dict[str, Any] = json.loads(response.body)
    return body
