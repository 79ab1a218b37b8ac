"""The tables, as Markdown."""

import os
import platform
import subprocess
from collections import Counter
from fractions import Fraction
from importlib.metadata import version
from itertools import product

from contestants import GATEWAYS, KESSAI, NAMES
from costs import Costs, Counted, Measured
from crashes import SCENARIOS, Row, Rows


def print_costs(counted: Costs, bare: Measured, measured: dict[str, Measured], times: int) -> None:
    print_versions()
    print_row("", *NAMES)
    print_row("---", *("---:" for _ in NAMES))
    for place, what in enumerate(["authorization", "same key again"]):
        each = [counted[name][place] for name in NAMES]
        print_row(f"DynamoDB requests, {what}", *(requests(one) for one in each))
        print_row(f"write units, {what}", *(number(one.write_units) for one in each))
        print_row(f"read units, {what}", *(number(one.read_units) for one in each))
    if measured:
        print_measured(bare, [measured[name] for name in NAMES], measured[KESSAI], times)
    print()


def print_versions() -> None:
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    libraries = ", ".join(f"{name} {version(name)}" for name in ["aws-lambda-powertools", "boto3", "requests"])
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    print(f"{machine}; Python {platform.python_version()} with {libraries}; Node {node.removeprefix('v')}\n")


def print_measured(bare: Measured, each: list[Measured], kessai: Measured, times: int) -> None:
    print_row("start, until it asks for work", *(ms(one.started_in, kessai.started_in) for one in each))
    added = [one.median - bare.median for one in each]
    print_row("added to the gateway's median", *(ms(one, kessai.median - bare.median) for one in added))
    added = [one.p99 - bare.p99 for one in each]
    print_row("added to the gateway's p99", *(ms(one, kessai.p99 - bare.p99) for one in added))
    print_row("processor time each", *(ms(one.cpu_seconds, kessai.cpu_seconds) for one in each))
    print_row("peak resident memory", *(mebibytes(one.peak_mebibytes, kessai.peak_mebibytes) for one in each))
    print(f"\nA bare call to the gateway: {ms(bare.median)} median, {ms(bare.p99)} p99.")
    print(f"{times} requests each, one at a time, in turns.")


def print_crashes(rows: Rows, times: int) -> None:
    print_row(f"charged twice, of {times}", "gateway", *NAMES)
    print_row("---", "---", *("---:" for _ in NAMES))
    for scenario, gateway in product(SCENARIOS, GATEWAYS):
        twice = (rows[name, scenario, gateway].charged_twice for name in NAMES)
        print_row(scenario, gateway, *(str(count) for count in twice))
    print()
    print_row("what the caller heard", "gateway", *NAMES)
    print_row("---", "---", *("---" for _ in NAMES))
    for scenario, gateway in product(SCENARIOS, GATEWAYS):
        print_row(scenario, gateway, *(heard(rows[name, scenario, gateway]) for name in NAMES))


def print_row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |")


def requests(counted: Counted) -> str:
    kinds = ", ".join(f"{number(times)} {operation}" for operation, times in counted.requests.items())
    return f"{number(sum(counted.requests.values(), Fraction()))} ({kinds})"


def number(of: Fraction) -> str:
    return f"{float(of):.2f}".rstrip("0").rstrip(".")


def ms(seconds: float, base: float | None = None) -> str:
    ratio = "" if base is None else f" ({seconds / base:.1f} ×)"
    return f"{seconds * 1000:.2f} ms{ratio}"


def mebibytes(size: float, base: float) -> str:
    return f"{size:.0f} MiB ({size / base:.1f} ×)"


def heard(row: Row) -> str:
    is_open = any(said.endswith("202") for said in row.heard)
    return tally(row.heard) + (f"; after follow-up {tally(row.in_the_end)}" if is_open else "")


def tally(heard: Counter[str]) -> str:
    return ", ".join(f"{times} × {status}" for status, times in heard.most_common())
