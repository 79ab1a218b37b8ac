"""What an authorization costs: requests and units, counted; time, processor time and memory, measured."""

import json
import statistics
import time
from dataclasses import dataclass, field
from fractions import Fraction

from contestants import NAMES, Contestants
from http1 import Connection, Message
from worker import Worker

SECONDS = 25
WARM_UP = 20
CHUNK = 50
STARTS = 9
GATEWAY = "keyed"


@dataclass
class Counted:
    """Of one authorization."""

    requests: dict[str, Fraction]
    write_units: Fraction
    read_units: Fraction


Costs = dict[str, tuple[Counted, Counted]]
"""Of each: an authorization, and the same key again."""


def count(contestants: Contestants, name: str, times: int) -> tuple[Counted, Counted]:
    """An authorization, and the same one asked for again."""
    worker = contestants.start(name, GATEWAY, counted=True)
    # The first one also reads what is remembered afterwards.
    _authorize(contestants, worker, f"{name}-first")
    counted = []
    for _ in range(2):
        contestants.world.proxy.reset()
        for index in range(times):
            _authorize(contestants, worker, f"{name}-count-{index}")
        counted.append(_tally(contestants, times))
    worker.kill()
    return counted[0], counted[1]


def _tally(contestants: Contestants, times: int) -> Counted:
    proxy = contestants.world.proxy
    requests = {operation: Fraction(number, times) for operation, number in sorted(proxy.requests.items())}
    units = {kind: Fraction(number) / times for kind, number in proxy.units.items()}
    return Counted(requests, units.get("write", Fraction()), units.get("read", Fraction()))


def _authorize(contestants: Contestants, worker: Worker, key: str) -> float:
    invocation = worker.invoke(contestants.event(GATEWAY, key), SECONDS)
    if invocation.status != "201":
        raise RuntimeError(f"{key}: {invocation.status} {invocation.answer} {invocation.error}")
    return invocation.took


@dataclass
class Measured:
    took: list[float] = field(default_factory=list)
    started_in: float = 0.0
    cpu_seconds: float = 0.0
    peak_mebibytes: float = 0.0

    @property
    def median(self) -> float:
        return statistics.median(self.took)

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.took, n=100)[98]


def measure(contestants: Contestants, times: int) -> tuple[Measured, dict[str, Measured]]:
    """Bare calls to the gateway, and each of the three; in turns, so that a noisy minute strikes all of them."""
    bare, measured = Measured(), {name: Measured(started_in=_start(contestants, name)) for name in NAMES}
    workers = {name: contestants.start(name, GATEWAY, counted=False) for name in NAMES}
    for name, worker in workers.items():
        for index in range(WARM_UP):
            _authorize(contestants, worker, f"{name}-warm-up-{index}")
        measured[name].cpu_seconds = worker.cpu_seconds()
    for start in range(0, times, CHUNK):
        chunk = range(start, min(start + CHUNK, times))
        bare.took += _call_gateway(contestants.world.sandbox, chunk)
        for name, worker in workers.items():
            measured[name].took += [_authorize(contestants, worker, f"{name}-{index}") for index in chunk]
    for name, worker in workers.items():
        measured[name].cpu_seconds = (worker.cpu_seconds() - measured[name].cpu_seconds) / times
        measured[name].peak_mebibytes = worker.peak_mebibytes()
        worker.kill()
    return bare, measured


def _start(contestants: Contestants, name: str) -> float:
    """How long it takes until it asks for work: of several times the median."""
    times = []
    for _ in range(STARTS):
        worker = contestants.start(name, GATEWAY, counted=False)
        times.append(worker.started_in)
        worker.kill()
    return statistics.median(times)


def _call_gateway(sandbox: str, chunk: range) -> list[float]:
    gateway = Connection.to(sandbox)
    card = {"number": "4242424242424242", "expiryMonth": 12, "expiryYear": 2030, "cvc": "123"}
    times = []
    # One more than is measured: the first opens the connection.
    for index in [-chunk.start - 1, *chunk]:
        key = f"bare-{index}"
        body = {"reference": key, "amount": 5000, "currency": "USD", "card": card}
        headers = {"host": "sandbox", "content-type": "application/json", "idempotency-key": key}
        request = Message(f"POST /{GATEWAY}/authorizations HTTP/1.1", headers, json.dumps(body).encode())
        started_at = time.perf_counter()
        response = gateway.ask(request)
        times.append(time.perf_counter() - started_at)
        if response.status != 200:
            raise RuntimeError(f"the gateway: {response.status}")
    gateway.close()
    return times[1:]
