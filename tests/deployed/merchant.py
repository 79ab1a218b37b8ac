"""The first merchant, made as whoever deploys makes one: by the command `kessai merchant first`."""

import subprocess
from pathlib import Path

from cloud import Cloud
from sandbox import CLASSES, Sandbox
from stack import Stack
from telling import say


def make(cloud: Cloud, stack: Stack, sandbox: Sandbox, local: Path) -> dict[str, str]:
    """Its API key and the ids of its gateways, under the names of `local.env`."""
    gateways = [f"--gateway=sandbox-{kind}={sandbox.url}/{kind}" for kind in CLASSES]
    command = [local, "merchant", "first", "--name", "Test", "--table", stack.outputs["MerchantsTable"], *gateways]
    done = subprocess.run(command, env=cloud.environment(), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{command}\n{done.stdout}\n{done.stderr}")
    lines = (line.removeprefix("export ") for line in done.stdout.splitlines() if line.startswith("export "))
    variables = dict(line.split("=", 1) for line in lines)
    say(f"merchant {variables.get('KESSAI_MERCHANT_ID')}, gateways for {', '.join(CLASSES)}")
    return variables
