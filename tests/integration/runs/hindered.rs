//! What a run meets that hinders it: it charges nothing that nobody wants any more, tries nothing again that may have
//! happened, and one schedule holds up no other.

use std::time::Duration;

use kessai_shared::ids::ItemKey;
use kessai_shared::payment::{Interaction, Log};
use kessai_shared::recurring::calendar::Date;
use kessai_shared::recurring::ids::{Cause, RecurringKey, RunId, ScheduleId};
use kessai_shared::recurring::run::Takes;
use kessai_shared::recurring::schedule::Tried;
use kessai_shared::recurring::schedule::step::{Charge, Event, step};
use kessai_shared::recurring::scheduler::Criteria;
use kessai_shared::stored::payment::{KEY, Stored};
use kessai_shared::stored::recurring::schedule::StoredSchedule;
use serde_json::{Value, json};

use super::{DAY, RUNS, SCHEDULES, Shop, item, keys_of_lane};
use crate::set_up::with;

const SETS: &str = "/sobjects/PaymentRetryRuleSet";

/// Of the sandbox: it is too busy, and does nothing.
const BUSY: &str = "too-many-requests";
const NO_MONEY: &str = "insufficient-funds";

/// What comes of so many sales.
fn meet(shop: &Shop, fault: &str, times: u32) {
    let next = json!({ "next": [{ "fault": fault, "class": "keyed", "kind": "sale", "times": times }] });
    ureq::post(&format!("{}/faults", shop.world.sandbox_url()))
        .content_type("application/json")
        .send(next.to_string())
        .expect("the sandbox answers");
}

async fn retries_each_day(shop: &Shop) {
    let rules = json!({
        "Name": "Patient", "Status": "Active", "IsDefaultRuleSet": true, "DefaultRetryIntervalType": "Fixed",
        "DefaultIntervalValue": "1", "DefaultIntervalUnit": "Days", "DefaultMaximumRetryCount": 2,
    });
    shop.ask("POST", SETS, None, &rules).await;
}

/// A schedule whose item has failed, and is to be tried again.
async fn fails_once(shop: &Shop) -> Value {
    retries_each_day(shop).await;
    let schedule = shop.schedule("order", &json!({})).await;
    meet(shop, NO_MONEY, 1);
    let run = shop.start().await;
    shop.ended(&run).await;
    assert!(shop.first_item(&schedule).await["nextPaymentRetryTime"].is_string());
    schedule
}

/// Whatever is due within that time is looked at when it is, and again later where nothing could be done for it.
async fn passes(shop: &Shop, time: Duration) {
    let end = shop.world.now().plus(time);
    for _ in 0..1_000 {
        let first = shop.due().first().map_or(end, |(at, _)| (*at).min(end));
        shop.world.advance(first.since(shop.world.now())).await;
        let now = shop.world.now();
        if now >= end {
            return;
        }
        let before = shop.world.schedules.items();
        for (_, item) in shop.due().into_iter().filter(|(at, _)| *at <= now) {
            shop.look(item).await;
        }
        if shop.world.schedules.items() == before {
            shop.world.advance(Duration::from_secs(60)).await;
        }
    }
    panic!("it goes round in circles")
}

impl Shop {
    async fn first_item(&self, schedule: &Value) -> Value {
        self.shown(schedule).await["items"][0].clone()
    }
}

#[tokio::test]
async fn what_was_not_sent_when_its_owner_canceled_or_paused_is_not_sent_later() {
    for (change, status, then) in [("Canceled", "Canceled", 0), ("On Hold", "Ready for Processing", 1)] {
        let shop = Shop::open().await;
        let schedule = shop.schedule("order", &json!({})).await;
        meet(&shop, BUSY, 3);
        let run = shop.start().await;
        passes(&shop, Duration::from_secs(90)).await;
        assert_eq!(shop.first_item(&schedule).await["status"], "Processing");
        let path = format!("{SCHEDULES}/{}", schedule["id"].as_str().expect("an id"));
        shop.ask("PATCH", &path, None, &json!({ "status": change })).await;
        let ended = shop.ended(&run).await;
        assert_eq!((shop.first_item(&schedule).await["status"].clone(), shop.charges().len()), (json!(status), 0));
        let counts = ["totalProcessedScheduleItems", "totalFailedScheduleItems", "pendingScheduleItems"];
        assert_eq!(counts.map(|member| ended[member].clone()), [0, 0, 0].map(Value::from), "it was not begun");
        if then == 1 {
            shop.ask("PATCH", &path, None, &json!({ "status": "Open" })).await;
            let next = shop.start().await;
            shop.ended(&next).await;
            assert_eq!(shop.first_item(&schedule).await["status"], "Processed");
        }
        assert_eq!(shop.charges().len(), then);
    }
}

#[tokio::test]
async fn what_a_killed_worker_has_not_sent_is_sent_once_and_never_after_its_owner_canceled() {
    for (is_canceled, status, charges) in [(false, "Processed", 1), (true, "Canceled", 0)] {
        let shop = Shop::open().await;
        let schedule = shop.schedule("order", &json!({})).await;
        // It was written that the item is being charged, and then its worker was killed: there is no payment.
        let [item] = &shop.world.schedules.items()[..] else { panic!("one schedule") };
        let stored = StoredSchedule::from_item(item.clone()).expect("a schedule");
        let now = shop.world.now();
        let charge = Charge {
            tried: Tried { run: RunId::of(&shop.world.merchant, Cause::Retries(now)), page: 1 },
            is_open: false,
            takes: Takes::ReadyOn(Date::parse("2020-01-01").expect("a day")),
            criteria: &Criteria::default(),
            claim: shop.world.app.shell.claim(shop.world.deadline()),
            other_method: None,
        };
        let begun = step(&stored.schedule, Event::Charge(charge), now).expect("it is open").schedule;
        shop.world.schedules.put(StoredSchedule::following(Some(&stored), begun).to_item());
        assert_eq!(shop.first_item(&schedule).await["status"], "Processing");
        if is_canceled {
            let path = format!("{SCHEDULES}/{}", schedule["id"].as_str().expect("an id"));
            shop.ask("PATCH", &path, None, &json!({ "status": "Canceled" })).await;
        }
        passes(&shop, Duration::from_secs(60 * 60)).await;
        assert_eq!(shop.first_item(&schedule).await["status"], status);
        assert_eq!(shop.charges().len(), charges);
    }
}

#[tokio::test]
async fn a_gateway_that_is_not_to_be_reached_is_tried_for_an_hour_and_then_by_the_rules() {
    let shop = Shop::open().await;
    retries_each_day(&shop).await;
    let schedule = shop.schedule("order", &json!({})).await;
    meet(&shop, BUSY, 1_000);
    let run = shop.start().await;
    passes(&shop, Duration::from_secs(50 * 60)).await;
    assert_eq!(shop.first_item(&schedule).await["status"], "Processing");
    assert_eq!(shop.ended(&run).await["totalFailedScheduleItems"], 1);
    let failed = shop.first_item(&schedule).await;
    let why = [&failed["status"], &failed["paymentGatewayErrorCategory"], &failed["isRetriableAsSameRequest"]];
    assert_eq!(why, [&json!("Failed"), &json!("GatewayConnection"), &json!(true)]);
    let url = format!("{}/faults", shop.world.sandbox_url());
    ureq::delete(&url).call().expect("the sandbox answers");
    passes(&shop, DAY + Duration::from_secs(60 * 60)).await;
    assert_eq!(shop.first_item(&schedule).await["status"], "Processed");
    assert_eq!(shop.charges().len(), 1);
}

#[tokio::test]
async fn what_a_gateway_tells_of_as_charged_after_all_is_not_tried_again() {
    let shop = Shop::open().await;
    let schedule = fails_once(&shop).await;
    // Its gateway says by a notice that it was charged: the payment keeps its verdict, and what disagrees.
    let [item] = &shop.world.payments.items()[..] else { panic!("one payment") };
    let mut stored = Stored::from_item(item.clone()).expect("a payment");
    let first = stored.payment.operations.first_mut().expect("an operation");
    first.contradictions.push(Log { interaction: Interaction::Success, ..first.logs[0].clone() });
    shop.world.payments.put(stored.to_item());
    passes(&shop, 3 * DAY).await;
    let item = shop.first_item(&schedule).await;
    assert_eq!((&item["status"], &item["isPastDue"]), (&json!("Failed"), &json!(true)));
    assert_eq!(item["nextPaymentRetryTime"], Value::Null);
    assert!(item["paymentProcessingMessage"].as_str().expect("why").contains("both that this was charged"));
    assert!(shop.charges().is_empty(), "nothing is charged twice, for all that anybody knows");
}

#[tokio::test]
async fn one_schedule_that_cannot_be_read_holds_up_no_other() {
    let shop = Shop::open().await;
    let keys = keys_of_lane(&shop.world, 7, 3);
    let mut schedules = Vec::new();
    for key in &keys {
        schedules.push(shop.schedule(key, &json!({})).await);
    }
    let id = ScheduleId::parse(schedules[0]["id"].as_str().expect("an id")).expect("a schedule's id");
    let key = ItemKey::Recurring(shop.world.merchant, RecurringKey::Schedule(id)).to_string();
    let items = shop.world.schedules.items();
    let bad = items.into_iter().find(|item| item.text(KEY) == Some(&key)).expect("it is stored");
    shop.world.schedules.put(bad.with("i", "strange"));
    let run = shop.start().await;
    let ended = shop.ended(&run).await;
    assert_eq!((&ended["status"], &ended["totalProcessedScheduleItems"]), (&json!("Completed"), &json!(2)));
    let is_noted = |line: &String| line.contains(id.id().as_str()) && line.contains("what is stored cannot be read");
    assert!(shop.world.lines().iter().any(is_noted), "a person should hear of it");
    shop.check_each_was_charged_once(&schedules[1..]).await;
}

#[tokio::test]
async fn a_retry_is_made_although_somebody_stopped_its_run() {
    let shop = Shop::open().await;
    let schedule = fails_once(&shop).await;
    let runs = shop.get(RUNS).await;
    let listed = runs["paymentBatchRuns"].as_array().expect("a list").clone();
    let retry = listed.into_iter().find(|run| run["isPaymentRetry"] == true).expect("the run that tries again");
    let path = format!("{RUNS}/{}", retry["id"].as_str().expect("an id"));
    shop.ask("PATCH", &path, None, &json!({ "status": "Stopped" })).await;
    passes(&shop, DAY + Duration::from_secs(20 * 60)).await;
    assert_eq!(shop.first_item(&schedule).await["status"], "Failed", "its run was stopped");
    passes(&shop, Duration::from_secs(2 * 60 * 60)).await;
    assert_eq!(shop.first_item(&schedule).await["status"], "Processed", "another came");
    assert_eq!(shop.charges().len(), 1);
}

/// Starts a run of what matches this value.
async fn start_of(shop: &Shop, value: &str) -> String {
    let filter = json!({
        "objectName": "PaymentScheduleItem", "fieldName": "PaymentRunMatchingValue", "operation": "Equals",
        "value": value, "criteriaSequence": 1,
    });
    let asked = json!({ "criteriaMatchType": "MatchAny", "filterCriteria": [filter] });
    let run = shop.ask("POST", RUNS, None, &asked).await;
    run["paymentBatchRun"]["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_run_comes_back_for_what_another_run_held_up_and_not_once_it_is_stopped() {
    for (is_stopped, status, left) in [(false, "Completed", "Processed"), (true, "Stopped", "Ready for Processing")] {
        let shop = Shop::open().await;
        let of = |value| with(item("10", "2020-01-01"), "paymentRunMatchingValue", value);
        let items = ["gold", "silver"].map(of);
        let schedule = shop.schedule("order", &json!({ "items": items })).await;
        // For some minutes the gateway does not take what the first run charges.
        meet(&shop, BUSY, 8);
        let first = start_of(&shop, "gold").await;
        passes(&shop, Duration::from_secs(20)).await;
        let second = start_of(&shop, "silver").await;
        passes(&shop, Duration::from_secs(20)).await;
        let shown = shop.run(&second).await;
        assert_eq!(("Started", counts(&shown)), (shown["status"].as_str().expect("a status"), [1, 1, 0]));
        assert_eq!(shop.first_item(&schedule).await["status"], "Processing");
        if is_stopped {
            shop.ask("PATCH", &format!("{RUNS}/{second}"), None, &json!({ "status": "Stopped" })).await;
        }
        let ended = [shop.ended(&first).await, shop.ended(&second).await];
        let charged = if is_stopped { 1 } else { 2 };
        assert_eq!(
            ended.map(|run| (run["status"].clone(), counts(&run))),
            [(json!("Completed"), [1, 1, 1]), (json!(status), [1, 1, charged - 1])]
        );
        let items = shop.shown(&schedule).await["items"].clone();
        assert_eq!([&items[0]["status"], &items[1]["status"]], ["Processed", left]);
        assert_eq!(shop.charges().len() as u64, charged);
    }
}

fn counts(run: &Value) -> [u64; 3] {
    ["listedSchedules", "seenSchedules", "totalProcessedScheduleItems"]
        .map(|member| run[member].as_u64().expect("a number"))
}
