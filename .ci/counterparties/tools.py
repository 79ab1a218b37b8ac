"""What the counterparties are: pinned packages in an environment of their own, and processes that end with this one."""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Callable

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "target/ci-tools/gateways"
SPECS = ROOT.parent / "shared/specs"

PYTHON = ["payjpv2==1.3.0", "Adyen==16.0.0", "localstripe==1.15.10", "setuptools==80.9.0"]
NODE = {
    "@adyen/api-library": "32.1.0",
    "@stoplight/prism-cli": "5.14.2",
    "stripe": "23.1.0",
    "stripe-stateful-mock": "0.0.16",
}

# Longer than anything here takes to start on a busy machine.
PATIENCE_S = 90


def install() -> None:
    """Nothing where the same is there."""
    stamp = HOME / "stamp"
    wanted = json.dumps([sys.version, PYTHON, NODE])
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print("installing", ", ".join([*PYTHON, *(f"{name}@{version}" for name, version in NODE.items())]), flush=True)
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    subprocess.run([sys.executable, "-m", "venv", HOME / "venv"], check=True)
    pip = [HOME / "venv/bin/pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *PYTHON], check=True)
    (HOME / "package.json").write_text(json.dumps({"private": True, "dependencies": NODE}))
    # No package here needs a script of its own to be installed.
    npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    subprocess.run(npm, cwd=HOME, check=True, stdout=subprocess.DEVNULL)
    stamp.write_text(wanted)


def python(script: str, **told: Any) -> None:
    """Runs a script beside this file with the official libraries, and what it is told."""
    _run([HOME / "venv/bin/python", script], told)


def node(script: str, **told: Any) -> None:
    _run(["node", script], told)


def _run(command: list[Any], told: dict[str, Any]) -> None:
    command[-1] = Path(__file__).parent / command[-1]
    environment = {**os.environ, "TOLD": json.dumps(told), "NODE_MODULES": str(HOME / "node_modules")}
    sys.stdout.flush()
    if subprocess.run(command, env=environment).returncode != 0:
        sys.exit(f"{command[-1].name}: not as expected")


def start(command: list[Any], log: Path, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    out = log.open("wb")
    process = subprocess.Popen(
        [str(word) for word in command], stdout=out, stderr=out, env={**os.environ, **(environment or {})}
    )
    # Whatever goes wrong here, nothing of it stays behind.
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()


def until(what: str, look: Callable[[], Any]) -> Any:
    """Whatever is seen first that is not nothing."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if seen := look():
            return seen
        time.sleep(0.1)
    sys.exit(f"never seen: {what}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ask(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text.decode(errors="replace")
