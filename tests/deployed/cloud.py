"""Where the stack is deployed to: an emulator of our own, another one, or an account."""

import os
import platform
import shutil
from functools import cache
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

import tools
from processes import Process, free_port
from telling import say, until

REGION = "us-east-1"

# Processes of functions at once. The emulator has two processors to start them on; beyond this it says 429.
CONCURRENCY = 32
ACCOUNT = "aws"


class Cloud:
    """AWS, or what stands in for it."""

    def __init__(self) -> None:
        named = os.environ.get("KESSAI_AWS_ENDPOINT", "")
        self.process: Process | None = None
        self.endpoint: str | None = None if named == ACCOUNT else named.rstrip("/") or f"http://127.0.0.1:{free_port()}"
        self._starts = not named

    def start(self) -> None:
        if self._starts:
            self._start_emulator()
        say(f"endpoint: {self.endpoint or 'the account of the environment'}")

    @property
    def is_ours(self) -> bool:
        """Whether its processes may be killed."""
        return self.process is not None

    @property
    def is_emulated(self) -> bool:
        return self.endpoint is not None

    @property
    def architecture(self) -> str:
        here = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
        return os.environ.get("KESSAI_ARCHITECTURE", here if self.is_emulated else "arm64")

    def _start_emulator(self) -> None:
        port = str(urlsplit(self.endpoint).port)
        # Functions inherit all of it: they are to find the emulator, and nothing else of this machine.
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        place = tools.SCRATCH / "emulator"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        environment = {
            **inherited, **stand_in_credentials(), "AWS_ENDPOINT_URL": str(self.endpoint), "GATEWAY_PORT": port,
            "IOT_MTLS_ENABLED": "0", "TMPDIR": str(place), "LAMBDA_ACCOUNT_CONCURRENCY": str(CONCURRENCY),
        }
        self.process = Process([tools.EMULATOR / "bin/ministack"], tools.SCRATCH / "emulator.log", environment, place)
        say(f"MiniStack is process {self.process.pid}, its log {self.process.log}")
        until("the emulator answers", self._answers)

    def _answers(self) -> bool:
        assert self.process is not None
        self.process.assert_alive()
        try:
            return bool(self.client("sts").get_caller_identity())
        except Exception:  # not yet
            return False

    def environment(self) -> dict[str, str]:
        """What a command needs to speak to it."""
        if not self.endpoint:
            return tools.environment()
        return tools.environment(AWS_ENDPOINT_URL=self.endpoint, **stand_in_credentials())

    @cache
    def client(self, service: str):
        """A client of the SDK."""
        config = Config(retries={"max_attempts": 3}, read_timeout=120)
        if not self.endpoint:
            return boto3.client(service, config=config)
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=REGION, config=config,
            aws_access_key_id="test", aws_secret_access_key="test",
        )

    def api_address(self, api_id: str, url: str) -> tuple[str, str]:
        """Where to connect to, and the name to ask for there."""
        if not self.endpoint:
            return url, urlsplit(url).netloc
        return self.endpoint, f"{api_id}.execute-api.localhost:{urlsplit(self.endpoint).port}"

    def end(self) -> None:
        if self.process:
            self.process.end()


def stand_in_credentials() -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
    }
