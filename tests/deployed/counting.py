"""Counts what the functions ask of DynamoDB and SQS, on the way there.

The emulator does not say what a call would cost, so a forwarder between it and the functions works it out from
what passes: a write costs one unit for each KB begun of the larger of the items before and after, and a refused
write as much as one that happens.
"""

import json
import threading
from collections import Counter
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

# Bytes of a write unit.
UNIT = 1024

# The key that a function asks for to open its connection, before anybody calls it.
NOBODY = "-"

# What belongs to one connection and not to the request.
HOP = {"connection", "keep-alive", "host", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Call:
    """One call: which function, what, of which table, and what it cost in write units."""

    function: str
    action: str
    table: str
    units: int
    refused: bool


class Tally:
    """The calls so far."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.warm_ups = Counter[str]()
        self._lock = threading.Lock()

    def note(self, function: str, action: str, request: dict[str, Any], status: int, answer: bytes) -> None:
        table = request.get("TableName", "")
        if request.get("Key", {}).get("pk", {}).get("S") == NOBODY:
            with self._lock:
                self.warm_ups[function] += 1
            return
        units = 0
        if action == "PutItem":
            before = json.loads(answer or b"{}").get("Item", {}) if status != 200 else {}
            units = -(-max(size_of_item(request["Item"]), size_of_item(before)) // UNIT)
        with self._lock:
            self.calls.append(Call(function, action, table, units, status != 200))

    def mark(self) -> int:
        with self._lock:
            return len(self.calls)

    def since(self, mark: int, function: str) -> list[Call]:
        with self._lock:
            return [call for call in self.calls[mark:] if call.function == function]


class Forwarder:
    """Listens on loopback; a path `/{function}/…` says whose call it is."""

    def __init__(self, endpoint: str) -> None:
        self.counter = Tally()
        target = urlsplit(endpoint)
        handler = type("Bound", (Handler,), {"target": (target.hostname, target.port), "counter": self.counter})
        self.server = Server(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self) -> None:
        self.server.shutdown()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # Two hundred functions may start at once.
    request_queue_size = 512

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A function that is killed breaks its connections off."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body of an answer leave together, or acknowledgements hold each other up.
    wbufsize = -1
    disable_nagle_algorithm = True
    target: tuple[str, int]
    counter: Tally
    upstream: HTTPConnection | None = None

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        _, function, rest = (self.path + "/").split("/", 2)
        status, headers, answer = self._forward("/" + rest.rstrip("/"), body)
        action = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if self.headers.get("Content-Type", "").startswith("application/x-amz-json"):
            self.counter.note(function, action, json.loads(body or b"{}"), status, answer)
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _forward(self, path: str, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        for fresh in (self.upstream is None, True):
            if self.upstream is None or fresh:
                self.upstream = HTTPConnection(*self.target, timeout=60)
            try:
                self.upstream.request("POST", path, body, headers)
                answer = self.upstream.getresponse()
                return answer.status, answer.getheaders(), answer.read()
            except (HTTPException, OSError):
                # A connection that the emulator has closed meanwhile; what is idle carries no request.
                self.upstream.close()
                if fresh:
                    raise
        raise AssertionError("the second connection is a fresh one")

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def size_of_item(item: dict[str, Any]) -> int:
    """In bytes, as DynamoDB counts."""
    return sum(len(name.encode()) + size_of(value) for name, value in item.items())


def size_of(value: dict[str, Any]) -> int:
    (kind, held), = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "N":
            # Two digits a byte, and one more; a sign is another.
            return (len(held.lstrip("-").strip("0")) + 1) // 2 + 1 + held.startswith("-")
        case "B":
            return len(held) * 3 // 4
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + size_of(inner) for inner in held)
        case "M":
            return 3 + sum(1 + len(name.encode()) + size_of(inner) for name, inner in held.items())
    raise AssertionError(f"an attribute of kind {kind}")
