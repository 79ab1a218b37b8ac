"""What the run says, and how it waits."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Far longer than anything takes that works: who waits in vain has found a defect.
PATIENCE = 180.0
PAUSE = 0.25

STARTED = time.monotonic()


def step(text: str) -> None:
    """A new part of the run."""
    print(f"\n== {text} ({time.monotonic() - STARTED:.0f} s)", flush=True)


def say(text: str) -> None:
    """Something that was seen."""
    print(f"   {text}", flush=True)


def until(what: str, look: Callable[[], T], patience: float = PATIENCE) -> T:
    """Looks until it sees something, and gives it back."""
    end = time.monotonic() + patience
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience:.0f} s in vain: {what}")
        time.sleep(PAUSE)


def expect(seen: object, wanted: object, what: str) -> None:
    """Fails with both where they differ."""
    if seen != wanted:
        raise AssertionError(f"{what}: {seen!r} instead of {wanted!r}")
