"""The run: deploys, lets every check begin, and then lets each of them end.

A check is a function that takes the world. Where it would wait for a long time it yields, and the others begin
meanwhile; it goes on when all have begun. It fails by an assertion, and fails alone.
"""

import inspect
import signal
import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass, field

import world
from checks import CHECKS, Skipped
from telling import say, step
from world import World


@dataclass
class Tally:
    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def attempt(name: str, tally: Tally, work: Callable[[], bool]) -> bool:
    """Whether there is more to do. `work` says so; if it ends, the check has passed, if it fails, it has not."""
    try:
        if work():
            return True
        tally.passed.append(name)
        say("passed")
    except Skipped as why:
        tally.skipped.append(name)
        say(f"skipped: {why}")
    except Exception as fault:
        tally.failed.append(name)
        traceback.print_exc(limit=-3)
        say(f"FAILED: {fault}")
    return False


def run(world: World, words: list[str]) -> Tally:
    tally = Tally()
    waiting: list[tuple[str, Generator[None]]] = []
    for check in CHECKS:
        name = check.__name__.replace("_", " ")
        if words and not any(word in name for word in words):
            continue
        step(name)
        if inspect.isgeneratorfunction(check):
            begun = check(world)
            if attempt(name, tally, lambda: goes_on(begun)):
                waiting.append((name, begun))
                say("goes on later")
        else:
            attempt(name, tally, lambda: check(world) is not None)
    for name, begun in waiting:
        step(f"{name}: the end")
        while attempt(name, tally, lambda: goes_on(begun)):
            pass
    return tally


def goes_on(begun: Generator[None]) -> bool:
    try:
        next(begun)
        return True
    except StopIteration:
        return False


def main() -> int:
    # Whatever was started ends with the run, also where somebody else ends it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as ending:
        tally = run(world.start(ending), sys.argv[1:])
    step("summary")
    for name in tally.failed:
        print(f"failed: {name}")
    skipped = f", {len(tally.skipped)} skipped" if tally.skipped else ""
    print(f"{len(tally.passed)} passed, {len(tally.failed)} failed{skipped}", flush=True)
    return 1 if tally.failed or not tally.passed else 0


sys.exit(main())
