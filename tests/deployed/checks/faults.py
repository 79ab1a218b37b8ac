"""Gateways that lose answers, and functions that are killed: what is left open settles without anybody asking."""

import os
import signal
from collections.abc import Generator
from threading import Thread

from caller import CARD, Reply, without_answer
from checks.common import Skipped
from telling import expect, say, until
from world import World

# By class: how it is paid, what a lost answer ends as, how the replay answers, and what the gateway keeps of it.
ENDINGS = [
    ("keyed", None, "Processed", 201, 1),
    ("keyed", CARD, "Processed", 201, 1),
    ("look-up", None, "Processed", 201, 1),
    ("timeout-reversal", None, "Canceled", 402, 0),
]


def lost_answers_settle_through_stream_relay_queue_and_follow_up(world: World) -> Generator[None]:
    caller, sandbox = world.caller, world.sandbox
    lost = []
    for kind, card, *ending in ENDINGS:
        key = f"lost-{kind}-{'card' if card else 'stored'}"
        sandbox.script(fault="lost-answer", **{"class": kind}, kind="authorize")
        reply = caller.authorize(kind, key, "50", card).expect(202)
        expect(reply.record["status"], "Pending", key)
        expect(len(sandbox.effects(reference=reply.id)), 1, f"{key}: effects")
        say(f"{key}: 202, {reply.at('gatewayResponse', 'salesforceResultCode')}, and the gateway did act")
        lost.append((key, kind, card, reply.id, *ending))
    yield
    for key, kind, card, id, status, code, effects in lost:
        settled = caller.settled(f"authorizations/{id}")
        expect(settled.record["status"], status, key)
        replay = caller.authorize(kind, key, "50", card).expect(code)
        expect(replay.is_replayed, True, f"{key}: its replay")
        expect(len(sandbox.effects(reference=id)), effects, f"{key}: effects")
        say(f"{key}: {status}; the key answers {code}; effects: {effects}")


def a_function_killed_under_way_is_made_good(world: World) -> Generator[None]:
    if not world.cloud.is_ours:
        raise Skipped("the functions' processes are not ours to kill")
    caller, sandbox = world.caller, world.sandbox
    amount, cents = "66.01", 6601
    # The gateway acts at once and answers late: the function waits for it.
    sandbox.script(fault="slow", **{"class": "look-up"}, kind="authorize", delayMs=14_000)
    heard: list[Reply | None] = []
    ask = lambda: caller.authorize("look-up", "killed", amount)  # noqa: E731
    thread = Thread(target=lambda: heard.append(without_answer(ask)))
    thread.start()
    until("the gateway has acted", lambda: sandbox.effects(amount=cents))
    doomed = world.calling_the_sandbox("AuthorizeFunction")
    assert doomed, "no process of the function waits for the sandbox"
    for pid in doomed:
        os.kill(pid, signal.SIGKILL)
    thread.join()
    told = f"{heard[0].status} {heard[0].body[:80]!r}" if heard[0] else "nothing"
    say(f"killed process {', '.join(map(str, doomed))} while it waited for the gateway; the caller heard {told}")
    assert heard[0] is None or heard[0].status >= 500, told
    again = ask().expect(409)
    assert "retry-after" in again.headers, again.headers
    say(f"asked again: 409, Retry-After {again.headers['retry-after']}")
    yield

    def settled() -> Reply | None:
        reply = ask()
        expect(reply.status in (201, 202, 409), True, f"{reply.status} {reply.body!r}")
        return reply if reply.status == 201 else None

    last = until("follow-up has found out", settled)
    expect(last.is_replayed, True, "the answer is a replay")
    expect(len(sandbox.effects(reference=last.id)), 1, "effects")
    expect(len(sandbox.effects(amount=cents)), 1, "effects of that amount")
    say("follow-up found out: 201, one effect")


CHECKS = [lost_answers_settle_through_stream_relay_queue_and_follow_up, a_function_killed_under_way_is_made_good]
