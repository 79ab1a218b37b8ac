"""A local server of Kessai's, and its models of gateways, as processes; verbs to use them with."""

import os
import tempfile
from pathlib import Path
from typing import Any

import tools

BINARY = Path(os.environ.get("KESSAI_LOCAL", tools.ROOT / "target/debug/kessai")).absolute()
LOGS = tools.HOME / "logs"


# As the catalog of models has them.
NAMES = ["payjp", "komoju", "adyen", "payeezy", "stripe"]


class Models:
    """The models alone, for any client. The notices of each go where `hooks` says, signed as `secrets` says, if it does."""

    def __init__(self, hooks: dict[str, list[str]], secrets: dict[str, str]) -> None:
        port = tools.free_port()
        self.url = f"http://127.0.0.1:{port}"
        log = LOGS / f"models-{port}.log"
        command = [BINARY, "gateways", "--port", port]
        for name, urls in hooks.items():
            for url in urls:
                command += ["--notify", f"{name}={url}"]
        for name, secret in secrets.items():
            command += ["--notify-secret", f"{name}={secret}"]
        tools.start(command, log)
        tools.until(f"the models; see {log}", lambda: tools.listens(port))
        lines = log.read_text().splitlines()
        self.secrets: dict[str, str] = {}
        name = ""
        for line in lines[1:]:
            if line and not line.startswith(" "):
                name = line
            elif line.startswith("  notices: "):
                self.secrets[name] = line.removeprefix("  notices: ")
        _, page = tools.ask("GET", self.url)
        self.described = {model["name"]: model for model in page["models"]}

    def base_url(self, adapter: str) -> str:
        [url] = [model["baseUrls"][adapter] for model in self.described.values() if adapter in model["baseUrls"]]
        return url

    def path(self, adapter: str) -> str:
        """Of its base URL."""
        return self.base_url(adapter).removeprefix(self.url)

    def told(self, name: str, hook: str) -> dict[str, Any]:
        """What a script must know to be a client of this model."""
        model = self.described[name]
        told = {"credential": model["credential"], "baseUrls": model["baseUrls"]}
        return told | {"hook": hook, "secret": self.secrets[name], "ledger": f"{self.url}/ledger?model={name}"}

    def ledger(self, name: str) -> list[dict[str, Any]]:
        _, ledger = tools.ask("GET", f"{self.url}/ledger?model={name}")
        return ledger["effects"]


class Kessai:
    """Over models, or whatever plays them, at this address."""

    def __init__(self, models_url: str, name: str) -> None:
        self.data = Path(tempfile.mkdtemp(prefix="kessai-gateways-"))
        command = [BINARY, "--port", 0, "--sandbox-port", 0, "--models-url", models_url, "--memory", "--data", self.data]
        tools.start(command, LOGS / f"kessai-{name}.log")
        file = self.data / "local.env"
        tools.until(f"Kessai; see {LOGS}", lambda: file.is_file() and "NOTICE_SECRET" in file.read_text())
        lines = (line.removeprefix("export ").partition("=") for line in file.read_text().splitlines())
        self.variables = {name: value for name, _, value in lines}
        self.url = self.variables["KESSAI_URL"]
        tools.until("Kessai's port", lambda: tools.listens(int(self.url.rsplit(":", 1)[1])))

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {self.variables['KESSAI_API_KEY']}"}
        if key:
            headers["idempotency-key"] = key
        return tools.ask(method, f"{self.url}/commerce/payments/{path}", body, headers)

    def gateway(self, adapter: str) -> str:
        return self.variables["KESSAI_GATEWAY_ID_" + adapter.upper().replace("-", "_")]

    def hook(self, adapter: str) -> str:
        """Where gateways of this adapter tell something."""
        headers = {"authorization": f"Bearer {self.variables['KESSAI_API_KEY']}"}
        _, everything = tools.ask("GET", f"{self.url}/set-up", headers=headers)
        [provider] = [one["id"] for one in everything["providers"] if one["adapter"] == adapter]
        return f"{self.url}/commerce/payments/notify?provider={provider}"

    def notice_secret(self, model: str) -> str:
        return self.variables["KESSAI_NOTICE_SECRET_" + model.upper().replace("-", "_")]

    def pass_time(self, duration: str) -> None:
        status, _ = tools.ask("POST", f"{self.url}/local/clock", {"advance": duration})
        assert status == 200
