"""Callers who ask at the same time."""

from collections import Counter
from collections.abc import Callable

from caller import Reply, at_once, without_answer
from telling import expect, say, until
from world import World

DUPLICATES = 200
AFTERWARDS = 20
REFUNDS = 24

# What the platform says itself when it has no room for one more: nobody of ours has heard the request.
TURNED_AWAY = {429, 500, 502, 503, 504}


class Crowd:
    """Callers who ask until one of our functions answers, as clients of a busy API do."""

    def __init__(self) -> None:
        self.turned_away = Counter[int | str]()

    def ask(self, ask: Callable[[], Reply]) -> Reply:
        return until("one of our functions answers", lambda: self._once(ask))

    def _once(self, ask: Callable[[], Reply]) -> Reply | None:
        reply = without_answer(ask)
        is_ours = reply is not None and (reply.status not in TURNED_AWAY or b"errorCode" in reply.body)
        if not is_ours:
            self.turned_away[reply.status if reply else "no answer"] += 1
        return reply if is_ours else None


def many_duplicates_have_one_effect(world: World) -> None:
    caller, sandbox, crowd = world.caller, world.sandbox, Crowd()
    mark = world.forwarder.counter.mark() if world.forwarder else 0

    def ask(_: int = 0) -> Reply:
        return crowd.ask(lambda: caller.authorize("look-up", "two-hundred", "77.01"))

    # Slow enough that many meet it under way.
    sandbox.script(fault="slow", **{"class": "look-up"}, kind="authorize", delayMs=10_000)
    replies = at_once(DUPLICATES, ask)
    say(f"{DUPLICATES} at once heard {dict(Counter(reply.status for reply in replies))}")
    say(f"the platform turned away {dict(crowd.turned_away)}, who asked again")
    expect({reply.status for reply in replies} - {201, 409}, set(), "other answers")

    last = until("it is answered", lambda: (reply := ask()) and reply.status == 201 and reply)
    bodies = {reply.body for reply in replies if reply.status == 201} | {last.body}
    expect(len(bodies), 1, "different bodies of 201")
    final = at_once(AFTERWARDS, ask)
    expect({(reply.status, reply.body) for reply in final}, {(201, last.body)}, "the answers afterwards")
    expect(len(sandbox.effects(amount=7701)), 1, "effects in the ledger")
    say(f"one effect in the ledger; {AFTERWARDS} more at once: 201 with the same {len(last.body)} bytes")
    if world.forwarder:
        calls = world.forwarder.counter.since(mark, "AuthorizeFunction")
        payments = [call for call in calls if call.table == world.stack.outputs["PaymentsTable"]]
        refused = sum(call.refused for call in payments)
        say(f"of the payments table: {len(payments) - refused} writes that happened, {refused} that were refused")
        expect({call.action for call in payments}, {"PutItem"}, "what was asked of the payments table")
        expect(len(payments) - refused, 2, "writes that happened")


def parallel_refunds_never_exceed_the_capture(world: World) -> None:
    caller, sandbox, crowd = world.caller, world.sandbox, Crowd()
    opened = caller.authorize("keyed", "refunded", "100").expect(201).id
    capture = caller.post(f"authorizations/{opened}/captures", {"amount": 100}).expect(201).id
    refunds = f"payments/{capture}/refunds"

    def refund(index: int) -> Reply:
        """Asks until it is told yes or no: who could not be served asks again, under the same key."""

        def look() -> Reply | None:
            reply = crowd.ask(lambda: caller.post(refunds, {"amount": 30}, f"refund-{index}"))
            return reply if reply.status in (201, 422) else None

        return until(f"refund {index} is answered", look)

    replies = at_once(REFUNDS, refund)
    say(f"{REFUNDS} refunds of 30 of 100: {dict(Counter(reply.status for reply in replies))}")
    given = [reply for reply in replies if reply.status == 201]
    moved = [effect["amount"] for reply in given for effect in sandbox.effects(reference=reply.id)]
    expect((len(given), moved), (3, [3000] * 3), "refunds, and cents that moved")
    rest = caller.get(f"payments/{capture}").expect(200).record
    expect((rest["totalRefundAmount"], rest["availableToRefundAmount"]), (90.0, 10.0), "what is left")
    caller.post(refunds, {"amount": 10.01}).expect(422)
    caller.post(refunds, {}).expect(201)
    say("three of them, 90 of 100; the last 10 by a refund without an amount")


CHECKS = [parallel_refunds_never_exceed_the_capture, many_duplicates_have_one_effect]
