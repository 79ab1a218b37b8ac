"""A function's process behind a Runtime API of its own: starts it, hands it events, kills it."""

import atexit
import json
import os
import queue
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from http1 import Connection, Message, Server

START_SECONDS = 60


@dataclass
class Invocation:
    event: dict[str, Any]
    seconds: float
    handed_at: float = 0.0
    answered_at: float = 0.0
    answer: Any = None
    """What the function returned; none where it failed."""
    error: Any = None
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def status(self) -> str:
        """What API Gateway would tell the caller."""
        if isinstance(self.answer, dict):
            return str(self.answer.get("statusCode", 200))
        return "500" if self.error else "killed"

    @property
    def took(self) -> float:
        return self.answered_at - self.handed_at


class Worker:
    """One process, one invocation at a time."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.command = " ".join(command)
        self.asked = threading.Event()
        self.invocations: queue.SimpleQueue[Invocation] = queue.SimpleQueue()
        self.current: Invocation | None = None
        self.server = Server(self._talk)
        runtime = {
            "AWS_LAMBDA_RUNTIME_API": self.server.address,
            "AWS_LAMBDA_FUNCTION_NAME": "authorize",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_LOG_GROUP_NAME": "bench",
            "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
        }
        started_at = time.perf_counter()
        with log.open("ab") as output:
            self.process = subprocess.Popen(command, env=runtime | environment, stdout=output, stderr=output)
        atexit.register(self.process.kill)
        if not self.asked.wait(START_SECONDS):
            self.kill()
            raise TimeoutError(f"{self.command} does not ask for work: {log.read_text()[-500:]}")
        self.started_in = time.perf_counter() - started_at

    def submit(self, event: dict[str, Any], seconds: float) -> Invocation:
        """Hands it an event and does not wait. It has so many seconds, as Lambda would tell it."""
        invocation = Invocation(event, seconds)
        self.invocations.put(invocation)
        return invocation

    def invoke(self, event: dict[str, Any], seconds: float) -> Invocation:
        invocation = self.submit(event, seconds)
        if not invocation.over.wait(seconds + 1):
            raise TimeoutError(f"{self.command} did not answer within {seconds} s")
        return invocation

    def kill(self) -> None:
        """As `kill -9` does. Nobody asks it anything afterwards."""
        self.process.kill()
        self.process.wait()
        self.server.close()

    def cpu_seconds(self) -> float:
        """User and system time, of threads that ended, too."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        user, system = int(fields[11]), int(fields[12])
        return (user + system) / os.sysconf("SC_CLK_TCK")

    def peak_mebibytes(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def _talk(self, connection: Connection) -> None:
        while request := connection.read():
            arrived_at = time.perf_counter()
            if request.path.endswith("/invocation/next"):
                self.asked.set()
                self._hand_out(connection, self.invocations.get())
                continue
            if self.current and request.path.endswith(("/response", "/error")):
                told = json.loads(request.body)
                if request.path.endswith("/response"):
                    self.current.answer = told
                else:
                    self.current.error = told
                self.current.answered_at = arrived_at
                self.current.over.set()
            connection.write(Message("HTTP/1.1 202 Accepted"))

    def _hand_out(self, connection: Connection, invocation: Invocation) -> None:
        self.current = invocation
        headers = {
            "content-type": "application/json",
            "lambda-runtime-aws-request-id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "lambda-runtime-deadline-ms": str(int((time.time() + invocation.seconds) * 1000)),
            "lambda-runtime-invoked-function-arn": "arn:aws:lambda:eu-central-1:123456789012:function:authorize",
        }
        message = Message("HTTP/1.1 200 OK", headers, json.dumps(invocation.event).encode())
        invocation.handed_at = time.perf_counter()
        connection.write(message)
