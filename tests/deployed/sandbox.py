"""The sandbox gateways: a process of the binary `kessai`, their script of faults and their ledger."""

import json
import os
import re
import subprocess
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tools
from processes import Process
from telling import say, until

CLASSES = ("keyed", "look-up", "timeout-reversal", "none")


def binary() -> Path:
    """The binary `kessai`, built if need be."""
    if named := os.environ.get("KESSAI_LOCAL"):
        return Path(named).resolve()
    subprocess.run(["cargo", "build", "--quiet", "--bin", "kessai"], cwd=tools.ROOT, check=True)
    return tools.ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug/kessai"


class Sandbox:
    def __init__(self) -> None:
        self.process: Process | None = None
        self.url = os.environ.get("KESSAI_SANDBOX_URL", "").rstrip("/")

    def start(self, local: Path) -> None:
        if not self.url:
            command = [local, "sandbox", "--port", "0"]
            self.process = Process(command, tools.SCRATCH / "sandbox.log", tools.environment(), tools.SCRATCH)
            self.url = until("the sandbox greets", self._greeting)
        say(f"sandbox gateways: {self.url}")

    def _greeting(self) -> str | None:
        assert self.process is not None
        self.process.assert_alive()
        said = re.search(r"Sandbox gateways at (\S+)", self.process.log.read_text())
        return said and said[1]

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port, self.url
        return port

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def script(self, **fault: Any) -> None:
        """What the next requests meet."""
        self.ask("POST", "/faults", {"next": [fault]})

    def has_heard(self) -> bool:
        """Whether everything that was scripted has met its request."""
        return self.ask("GET", "/faults")["pending"] == 0

    def tokens(self, kind: str, method: str) -> list[str]:
        """What a gateway that can be asked gave out for a stored method."""
        operations = self.ask("GET", f"/{kind}/operations?reference={method}")["operations"]
        return [operation["token"] for operation in operations if "token" in operation]

    def effects(self, **wanted: Any) -> list[dict[str, Any]]:
        """The money that moved and was not moved back, of those effects that look like this."""
        effects = [effect for effect in self.ask("GET", "/ledger")["effects"] if not effect["voided"]]
        return [effect for effect in effects if all(effect.get(name) == value for name, value in wanted.items())]

    def end(self) -> None:
        if self.process:
            self.process.end()
