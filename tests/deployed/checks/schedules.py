"""What recurs: a scheduler starts a run, which charges what is due; a run now does, too; what fails is tried again."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

from caller import Reply
from telling import expect, say, until
from world import World

# Who pays what recurs. Nobody else keeps any method for this account.
PAYER = "001000000000003"

# So far ahead is the scheduler's time, so that it is there before that comes.
AHEAD = timedelta(seconds=45)

LONG_AGO = "2026-01-31"

# Longer than the minutes until a retry, and what queues take.
RETRIED = 300.0


def what_is_due_is_charged_by_runs_and_tried_again(world: World) -> Generator[None]:
    caller = world.caller
    first, other = (caller.tokenize("keyed", f"recurs-{place}", account=PAYER).expect(201).method for place in "ab")
    retry_by_another_method(world)

    # A run now charges two of three items, by their matching value.
    items = [item("10", "now"), item("20", "now"), item("30", "later")]
    schedule = made(world, "recurs-now", first, items)
    again = made(world, "recurs-now", first, items)
    expect(again["id"], schedule["id"], "the schedule that was made under the same key")
    run = caller.post("payment-batch-runs", criteria("now"), "recurs-run").expect(201).at("paymentBatchRun", "id")
    ended = until("the run ends", lambda: completed(world, run))
    expect([ended["totalProcessedScheduleItems"], ended["totalFailedScheduleItems"]], [2, 0], "what the run came to")
    expect(charged(world, schedule["id"]), [10.0, 20.0], "what was charged")
    say("a run charged two of three items once each, by their matching value")

    # A scheduler does the rest at its time.
    at = datetime.now(UTC) + AHEAD
    scheduler = {
        "schedulerName": "Deployed", "startDate": f"{at:%Y-%m-%d}", "preferredTime": f"{at:%H:%M:%S}.000",
        "frequencyCadence": "Once", "status": "Active", "criteriaMatchType": "MatchAny", **criteria("later"),
    }
    made_scheduler = caller.post("payment-schedulers", scheduler).expect(201)
    scheduler_id = made_scheduler.at("billingBatchScheduler", "id")
    shown = caller.get(f"payment-schedules/{schedule['id']}").expect(200).at("paymentSchedule")
    expect(shown["nextRunTime"], f"{at:%Y-%m-%dT%H:%M:%S}.000Z", "when the next run takes it")
    yield

    # What fails softly is tried again a minute later, at last with another method of the same account: by now all
    # functions know the rules.
    world.sandbox.script(fault="insufficient-funds", **{"class": "keyed"}, kind="sale")
    failing = made(world, "recurs-fails", first, [item("40", "fails")])
    run = caller.post("payment-batch-runs", criteria("fails")).expect(201).at("paymentBatchRun", "id")
    ended = until("the run ends", lambda: completed(world, run))
    expect([ended["totalProcessedScheduleItems"], ended["totalFailedScheduleItems"]], [0, 1], "what the run came to")
    [failed] = items_of(world, failing["id"])
    expect((failed["status"], failed["paymentGatewayErrorCategory"]), ("Failed", "CardLimit"), "the item")
    say(f"another failed ({failed['paymentProcessingMessage']}), and is tried again at {failed['nextPaymentRetryTime']}")
    until("the scheduler's run charges the rest", lambda: charged(world, schedule["id"]) == [10.0, 20.0, 30.0], RETRIED)
    runs = caller.get(f"payment-batch-runs?billingBatchSchedulerId={scheduler_id}").expect(200).at("paymentBatchRuns")
    expect(len(runs), 1, "runs of the scheduler")
    path = f"payment-schedulers/{scheduler_id}"
    expect(caller.get(path).expect(200).at("billingBatchScheduler", "status"), "Completed", "a scheduler of one time")
    until("what failed is charged", lambda: charged(world, failing["id"]) == [40.0], RETRIED)
    [retried] = items_of(world, failing["id"])
    expect(retried["paymentRetryCount"], 1, "retries")
    expect(retried["paymentMethodId"][:15], other[:15], "the method of the last retry")
    effects = [len(world.sandbox.effects(reference=id)) for id in paid_by(world, schedule["id"], failing["id"])]
    expect(effects, [1, 1, 1, 1], "effects of each item")
    say("the scheduler had one run, which charged the rest; what failed was charged with another method; all of it once")


def retry_by_another_method(world: World) -> None:
    """One retry, a minute after the failure, with another method of the account."""
    rules = {
        "Name": "Deployed", "Status": "Active", "IsDefaultRuleSet": True, "CanUseAltrnPaymentMethod": True,
        "DefaultRetryIntervalType": "Fixed", "DefaultIntervalValue": "1", "DefaultIntervalUnit": "Minutes",
        "DefaultMaximumRetryCount": 1,
    }
    world.caller.send("POST", "/sobjects/PaymentRetryRuleSet", rules, idempotency_key="recurs-rules").expect(201)


def item(amount: str, value: str) -> dict[str, Any]:
    return {"requestedAmount": amount, "targetPaymentProcessingDate": LONG_AGO, "paymentRunMatchingValue": value}


def criteria(value: str) -> dict[str, Any]:
    by_value = {"objectName": "PaymentScheduleItem", "fieldName": "PaymentRunMatchingValue", "operation": "Equals"}
    return {"criteriaMatchType": "MatchAny", "filterCriteria": [{**by_value, "value": value, "criteriaSequence": 1}]}


def made(world: World, key: str, method: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    body = {
        "defaultPaymentAccountId": PAYER, "defaultPaymentMethodId": method, "currencyIsoCode": "USD", "status": "Open",
        "paymentGatewayId": world.caller.gateway("keyed"), "items": items,
    }
    return world.caller.post("payment-schedules", body, key).expect(201).at("paymentSchedule")


def completed(world: World, run: str) -> dict[str, Any] | None:
    reply: Reply = world.caller.get(f"payment-batch-runs/{run}").expect(200)
    return reply.at("paymentBatchRun") if reply.at("paymentBatchRun", "status") == "Completed" else None


def items_of(world: World, schedule: str) -> list[dict[str, Any]]:
    return world.caller.get(f"payment-schedules/{schedule}").expect(200).at("paymentSchedule", "items")


def charged(world: World, schedule: str) -> list[float]:
    """What was charged of it, by its own words."""
    return sorted(item["processedAmount"] for item in items_of(world, schedule) if item["status"] == "Processed")


def paid_by(world: World, *schedules: str) -> list[str]:
    return [item["paymentId"] for schedule in schedules for item in items_of(world, schedule)]


CHECKS = [what_is_due_is_charged_by_runs_and_tried_again]
