"""The three that are asked to authorize, and how each is started and asked."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxy import FINGERPRINT_KEY, VAULT_KEYS
from worker import Worker
from world import World

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SAMPLE: dict[str, Any] = json.loads((ROOT / "events/authorize.json").read_text())

KESSAI, PYTHON, TYPESCRIPT = "Kessai", "Python", "TypeScript"
NAMES = [KESSAI, PYTHON, TYPESCRIPT]

GATEWAYS = ["keyed", "look-up", "none"]


@dataclass
class Built:
    """Where what is started lies."""

    functions: Path
    local: Path
    python: Path
    bundle: Path


@dataclass
class Contestants:
    built: Built
    world: World

    def __post_init__(self) -> None:
        self.tables = {
            name: {
                "IDEMPOTENCY_TABLE": self.world.make_table(f"{name}-idempotency"),
                "PAYMENTS_TABLE": self.world.make_table(f"{name}-payments"),
            }
            for name in (PYTHON, TYPESCRIPT)
        }

    def start(self, name: str, gateway: str, *, counted: bool) -> Worker:
        """`counted`: the way to the database leads through the proxy."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_ENDPOINT_URL": self.world.proxy.url,
            "AWS_ENDPOINT_URL_DYNAMODB": self.world.proxy.url if counted else self.world.database,
            "GATEWAY_URL": f"{self.world.sandbox}/{gateway}",
        }
        match name:
            case "Python":
                command = [str(self.built.python), "-m", "awslambdaric", "handler.handler"]
                return self._worker(command, environment | self.tables[name] | {"PYTHONPATH": str(HERE / "python")})
            case "TypeScript":
                command = ["node", str(HERE / "typescript/runtime.mjs"), str(self.built.bundle)]
                return self._worker(command, environment | self.tables[name])
            case _:
                return self.start_kessai("authorize", environment)

    def start_kessai(self, function: str, environment: dict[str, str]) -> Worker:
        own = {
            "PAYMENTS_TABLE": "payments",
            "MERCHANTS_TABLE": "merchants",
            "VAULT_TABLE": "vault",
            "FINGERPRINT_KEY": FINGERPRINT_KEY,
            "FINGERPRINT_KEY_PARAMETER": "/kessai/bench/fingerprint-key",
            "VAULT_KEYS_PARAMETER": VAULT_KEYS,
            "EVENTS_TABLE": "events",
            "SCHEDULES_TABLE": "schedules",
            "FOLLOW_UP_QUEUE_URL": f"{self.world.proxy.url}/000000000000/follow-up",
            "DELIVER_EVENT_FUNCTION": "deliver-event",
            "KESSAI_STAGE": "bench",
        }
        return self._worker([str(self.built.functions / function)], environment | own)

    def _worker(self, command: list[str], environment: dict[str, str]) -> Worker:
        return Worker(command, environment, self.world.scratch / "functions.log")

    def event(self, gateway: str, key: str, cents: int = 5000) -> dict[str, Any]:
        """The sample event of `authorize`, under a key, through the gateway of a class."""
        local = self.world.local
        headers = SAMPLE["headers"] | {
            "authorization": f"Bearer {local['KESSAI_API_KEY']}",
            "idempotency-key": key,
        }
        body = json.loads(SAMPLE["body"]) | {
            "amount": cents / 100,
            "paymentGatewayId": local["KESSAI_GATEWAY_ID_" + gateway.upper().replace("-", "_")],
        }
        return SAMPLE | {"headers": headers, "body": json.dumps(body)}
