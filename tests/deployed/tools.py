"""The tools, in virtual environments under target/: made once, and anew when what they hold changes.

There are two, because the emulator and the SAM CLI ask for different versions of one library.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "target/ci-tools/deployed"
TOOLS = HOME / "tools"
EMULATOR = HOME / "emulator"
# What a run leaves behind: builds and logs.
SCRATCH = ROOT / "target/deployed"

WANTED = {
    TOOLS: ["aws-sam-cli==1.170.*", "cargo-lambda==1.9.2", "ziglang==0.17.1"],
    EMULATOR: ["ministack[full]==1.5.33"],
}


def install() -> None:
    """Makes what is missing."""
    for place, packages in WANTED.items():
        stamp = place / "stamp"
        wanted = hashlib.sha256("\n".join([sys.version, *packages]).encode()).hexdigest()
        if stamp.is_file() and stamp.read_text() == wanted:
            continue
        print(f"installing {', '.join(packages)}", flush=True)
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        pip = [place / "bin/pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *packages], check=True)
        stamp.write_text(wanted)


def environment(**more: str) -> dict[str, str]:
    """This process's environment, in which the tools are found first."""
    path = f"{TOOLS / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "SAM_CLI_TELEMETRY": "0", **more}


if __name__ == "__main__":
    install()
