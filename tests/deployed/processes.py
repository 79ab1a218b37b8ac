"""Processes that the run starts, and the only ones it ends."""

import os
import re
import signal
import socket
import subprocess
from pathlib import Path

# Time to end in peace.
GRACE = 10


class Process:
    """A process in a group of its own, whose output goes to a file."""

    def __init__(self, command: list[str | Path], log: Path, environment: dict[str, str], place: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        with log.open("wb") as out:
            self.child = subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env=environment, cwd=place, start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.child.pid

    def assert_alive(self) -> None:
        if self.child.poll() is not None:
            raise AssertionError(f"it ended with {self.child.returncode}; its log: {self.log}\n{self.tail()}")

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]

    def end(self) -> None:
        """Ends it, and then what is left of its group: what it started itself."""
        self.child.terminate()
        try:
            self.child.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def descendants(pid: int) -> list[int]:
    """Everything that a process started, and that they started."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The name in brackets may hold anything; the parent comes after it.
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        children.setdefault(parent, []).append(int(entry.name))
    found, left = [], [pid]
    while left:
        below = children.get(left.pop(), [])
        found += below
        left += below
    return found


def variable(pid: int, name: str) -> str | None:
    """A variable of a process's environment."""
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    start = f"{name}=".encode()
    return next((entry[len(start):].decode() for entry in entries if entry.startswith(start)), None)


def speaks_to(pid: int, port: int) -> bool:
    """Whether it has a connection to a port of this machine."""
    try:
        links = [os.readlink(file) for file in Path(f"/proc/{pid}/fd").iterdir()]
        rows = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    except OSError:
        return False
    sockets = {match[1] for link in links if (match := re.fullmatch(r"socket:\[(\d+)\]", link))}
    # local address, remote address, state (1: established), …, inode
    columns = [row.split() for row in rows]
    return any(c[2].endswith(f":{port:04X}") and c[3] == "01" and c[9] in sockets for c in columns)
