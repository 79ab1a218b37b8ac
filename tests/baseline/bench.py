"""Prints the tables, or, where the run is short, only sees whether the counts are what Kessai promises."""

import argparse
import sys
import tempfile
from pathlib import Path

import costs
import crashes
from contestants import KESSAI, NAMES, Built, Contestants
from costs import Costs, Measured
from crashes import Rows
from report import print_costs, print_crashes
from world import World


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--local", type=Path, required=True)
    parser.add_argument("--functions", type=Path, required=True)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--crashes", type=int, required=True)
    parser.add_argument("--counts-only", action="store_true")
    arguments = parser.parse_args()
    built = Built(arguments.functions, arguments.local, Path(sys.executable), arguments.bundle)
    with tempfile.TemporaryDirectory() as scratch:
        counted, bare, measured = look_at_costs(built, Path(scratch) / "costs", arguments)
        with World(built.local, Path(scratch) / "crashes") as world:
            rows = crashes.run(Contestants(built, world), arguments.crashes)
    print_costs(counted, bare, measured, arguments.requests)
    print_crashes(rows, arguments.crashes)
    check(counted, rows)


def look_at_costs(
    built: Built, scratch: Path, arguments: argparse.Namespace
) -> tuple[Costs, Measured, dict[str, Measured]]:
    with World(built.local, scratch) as world:
        contestants = Contestants(built, world)
        counted = {name: costs.count(contestants, name, min(arguments.requests, 100)) for name in NAMES}
        if arguments.counts_only:
            return counted, Measured(), {}
        return counted, *costs.measure(contestants, arguments.requests)


def check(counted: Costs, rows: Rows) -> None:
    """Counts only: how long things take is this machine's affair."""
    authorization, again = counted[KESSAI]
    assert authorization.write_units == 2 and authorization.requests == {"PutItem": 2}, authorization
    assert again.write_units == 1 and again.requests == {"PutItem": 1}, again
    for (name, scenario, gateway), row in rows.items():
        assert min(row.charged) >= 1, f"what the gateway did is not in its ledger: {name}, {scenario}, {gateway}"
        if name == KESSAI:
            assert row.charged_twice == 0, f"{scenario}, {gateway}: {row.charged}"
            # A gateway that can tell nothing leaves it open.
            assert gateway == "none" or set(row.in_the_end) == {"201"}, row.in_the_end


main()
