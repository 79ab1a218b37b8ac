//! What happens to schedules is told, in the shape in which they are shown.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ACCOUNT, Desk, members, method};
use crate::harness::{Kessai, until};
use crate::set_up::{refused, text, with};

const RUNS: &str = "/commerce/payments/payment-batch-runs";

impl Desk<'_> {
    /// Events are kept from now on.
    fn keep_events(&self) {
        self.merchant.patch("/set-up/merchant", &json!({ "keepEvents": true })).expect(204);
    }

    /// What was told of a schedule, once there is so much of it; the first first.
    fn told(&self, id: &str, count: usize) -> Vec<Value> {
        let look = || {
            let events =
                self.merchant.get("/commerce/payments/events?type=schedule.*&pageSize=50").expect(200).at("/events");
            let mut events = events.as_array().expect("a list").clone();
            events.retain(|event| event["data"]["paymentSchedule"]["id"] == id);
            events.reverse();
            Some(events).filter(|events| events.len() >= count)
        };
        until(look).unwrap_or_else(|| panic!("not {count} events of {id}"))
    }

    /// Starts a run of all that is meant for that day or an earlier one, and waits for its end; its id.
    fn run(&self, day: &str) -> String {
        let id = text(&self.merchant.post(RUNS, &json!({ "runDate": day })).expect(201), "/paymentBatchRun/id");
        self.merchant.client.advance("PT2M");
        let path = format!("{RUNS}/{id}");
        let end = || Some(self.merchant.get(&path)).filter(|run| run.at("/paymentBatchRun/completionTime").is_string());
        until(end).expect("the run ends");
        id
    }
}

/// As events show it: when runs come, and how often the rules have something tried, is not a matter of the schedule.
fn untimed(mut schedule: Value) -> Value {
    schedule.as_object_mut().expect("members").remove("nextRunTime");
    for item in schedule["items"].as_array_mut().expect("items") {
        for member in ["nextRunTime", "maximumRetryCount"] {
            item.as_object_mut().expect("members").remove(member);
        }
    }
    schedule
}

/// What was told, by type: what happened at the same time is in no order.
fn types(events: &[Value]) -> BTreeMap<&str, &Value> {
    let by_type: BTreeMap<_, _> = events.iter().map(|event| (event["type"].as_str().expect("a type"), event)).collect();
    assert_eq!(by_type.len(), events.len(), "each once: {events:?}");
    by_type
}

/// Asserts that these were told of, and no others; their data, in that order.
fn check_told<const N: usize>(events: &[Value], expected: [&str; N]) -> [Value; N] {
    let by_type = types(events);
    let mut sorted = expected;
    sorted.sort_unstable();
    assert_eq!(by_type.keys().copied().collect::<Vec<_>>(), sorted);
    expected.map(|name| by_type[name]["data"].clone())
}

#[test]
fn what_happens_to_schedules_is_told() {
    let kessai = Kessai::in_memory();
    let desk = Desk::of(&kessai);
    desk.keep_events();
    let (id, _) = desk.made(&desk.subscription());
    let events = desk.told(&id, 1);
    assert_eq!((events.len(), &events[0]["type"]), (1, &json!("schedule.created")));
    assert_eq!(events[0]["data"], json!({ "paymentSchedule": untimed(desk.shown(&id)) }));
    desk.change(&id, &json!({ "status": "Canceled" })).expect(200);
    let events = desk.told(&id, 2);
    assert_eq!(events[1]["type"], "schedule.canceled");
    assert_eq!(events[1]["data"]["paymentSchedule"], untimed(desk.shown(&id)));

    let event = events[1]["id"].as_str().expect("an id");
    let again = format!("/commerce/payments/events/{event}/redeliver");
    let nobody = "no webhook endpoint that is active wants schedule.canceled";
    refused(&desk.merchant.post(&again, &json!({})), 422, "INVALID_STATUS", nobody);
    let hook = json!({ "url": "https://shop.example/hooks", "events": ["schedule.*"] });
    desk.merchant.post("/set-up/webhook-endpoints", &hook).expect(201);
    assert_eq!(desk.merchant.post(&again, &json!({})).expect(202).at("/data"), events[1]["data"]);
}

#[test]
fn what_runs_come_to_is_told_with_the_item_that_it_is_about() {
    let kessai = Kessai::in_memory();
    let desk = Desk::of(&kessai);
    desk.keep_events();
    // What fails is tried again once, a day later.
    let rules = json!({
        "Name": "Once", "Status": "Active", "IsDefaultRuleSet": true, "DefaultRetryIntervalType": "Fixed",
        "DefaultIntervalValue": "1", "DefaultIntervalUnit": "Days", "DefaultMaximumRetryCount": 1,
    });
    desk.merchant.post("/sobjects/PaymentRetryRuleSet", &rules).expect(201);
    let items = json!([{ "requestedAmount": 1000, "targetPaymentProcessingDate": "2020-01-31" }]);
    let body = with(with(desk.common(), "items", items), "status", "Open");
    let (id, _) = desk.made(&body);
    kessai.client.script(json!([{ "fault": "insufficient-funds", "class": "keyed", "kind": "sale" }]));
    let run = desk.run("2020-01-31");

    let events = desk.told(&id, 2);
    let [_, data] = check_told(&events, ["schedule.created", "schedule.failed"]);
    let schedule = untimed(desk.shown(&id));
    let failed = json!({
        "id": desk.item(&id, 0), "paymentScheduleId": id, "status": "Failed", "currencyIsoCode": "JPY",
        "requestedAmount": 1000.0, "processedAmount": 0.0, "appliedAmount": 0.0, "paymentAccountId": ACCOUNT,
        "targetPaymentProcessingDate": "2020-01-31",
        "paymentMethodId": schedule["defaultPaymentMethodId"], "paymentRetryCount": 0, "paymentSource": "Payment Run",
        "isPastDue": false, "isRetriableAsSameRequest": true, "paymentBatchRunId": run,
        "paymentGatewayErrorCategory": "CardLimit", "paymentGatewayErrorCode": "51",
        "paymentGatewayRespStatus": "Decline", "paymentProcessingMessage": "Insufficient Funds",
        "paymentId": schedule["items"][0]["paymentId"],
        "nextPaymentRetryTime": schedule["items"][0]["nextPaymentRetryTime"],
    });
    assert!(failed["paymentId"].is_string() && failed["nextPaymentRetryTime"].is_string(), "{failed}");
    assert_eq!(data, json!({ "paymentSchedule": schedule, "paymentScheduleItem": failed }));
    assert_eq!(members(&schedule, ["status", "isPastDue"]), json!({ "status": "Open", "isPastDue": false }));

    kessai.client.advance("P1DT1H");
    let events = desk.told(&id, 4);
    let names = ["schedule.created", "schedule.failed", "schedule.processed", "schedule.completed"];
    let [_, _, processed, completed] = check_told(&events, names);
    let schedule = untimed(desk.shown(&id));
    let charged = schedule["items"][0].clone();
    let shown = members(&charged, ["status", "processedAmount", "paymentRetryCount", "paymentSource"]);
    let expected = json!({
        "status": "Processed", "processedAmount": 1000.0, "paymentRetryCount": 1, "paymentSource": "Payment Run",
    });
    assert_eq!(shown, expected);
    assert_eq!(kessai.client.effects_of(charged["paymentId"].as_str().expect("a payment")), 1);
    assert_eq!(processed, json!({ "paymentSchedule": schedule, "paymentScheduleItem": charged }));
    assert_eq!(completed, json!({ "paymentSchedule": schedule }), "that is about no item");
    assert_eq!(members(&schedule, ["status", "isPastDue"]), json!({ "status": "Completed", "isPastDue": false }));
    // Told of when it was so, and one by one as in the list.
    let times: Vec<_> = events.iter().map(|event| event["timestamp"].as_str().expect("a time")).collect();
    assert!(times.is_sorted() && times[1] < times[2], "{times:?}");
    for event in &events {
        let id = event["id"].as_str().expect("an id");
        assert_eq!(desk.merchant.get(&format!("/commerce/payments/events/{id}")).expect(200).json(), *event);
    }

    // Of one that never has the money.
    let (id, _) = desk.made(&with(body, "defaultPaymentMethodId", method("9003")));
    desk.run("2020-01-31");
    check_told(&desk.told(&id, 2), ["schedule.created", "schedule.failed"]);
    kessai.client.advance("P1DT1H");
    let events = desk.told(&id, 4);
    // Nothing of it is left to do.
    let names = ["schedule.created", "schedule.failed", "schedule.past_due", "schedule.completed"];
    let [_, _, past_due, completed] = check_told(&events, names);
    let schedule = untimed(desk.shown(&id));
    let late = schedule["items"][0].clone();
    let shown = members(&late, ["status", "isPastDue", "paymentRetryCount", "nextPaymentRetryTime"]);
    let expected =
        json!({ "status": "Failed", "isPastDue": true, "paymentRetryCount": 1, "nextPaymentRetryTime": null });
    assert_eq!(shown, expected);
    assert_eq!(past_due, json!({ "paymentSchedule": schedule, "paymentScheduleItem": late }));
    assert_eq!(completed, json!({ "paymentSchedule": schedule }));
    assert_eq!(members(&schedule, ["status", "isPastDue"]), json!({ "status": "Completed", "isPastDue": true }));
}
