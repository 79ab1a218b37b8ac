//! What is bounded: active schedulers of a merchant, what filters hold, how far ahead a run charges. And what bounds a run:
//! what the merchant's gateways take.

use std::collections::BTreeMap;

use kessai_shared::ids::GatewayId;
use kessai_shared::merchant::{Gateway, GatewayMode, Merchant};
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::ports::Expected;
use kessai_shared::recurring::calendar::{Date, Zone};
use kessai_shared::recurring::ids::Cause;
use kessai_shared::recurring::run::{Run, Takes};
use kessai_shared::recurring::scheduler::Criteria;
use kessai_shared::stored::merchant::{decode_merchant, encode_merchant};
use kessai_shared::stored::recurring::run::StoredRun;
use serde_json::{Value, json};

use super::{RUNS, SCHEDULERS, filtered, made, printed, shown, to_come};
use crate::harness::Kessai;
use crate::in_process::InProcess;
use crate::set_up::{Holder, refused, text, with};

#[test]
fn a_merchant_has_as_many_active_schedulers_as_whoever_asks_for_a_schedule_can_be_told_of() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    // What starts nothing does not count.
    let paused = made(&developer, &with(to_come(), "status", "Inactive"));
    made(&developer, &printed());
    let ids: Vec<_> = (0..100)
        .map(|number| {
            let made = developer.send("POST", SCHEDULERS, Some(&format!("number {number}")), &to_come()).expect(201);
            text(&made, "/billingBatchScheduler/id")
        })
        .collect();
    let says = "status: at most 100 schedulers may be Active";
    refused(&developer.post(SCHEDULERS, &to_come()), 422, "LIMIT_EXCEEDED", says);
    let active = json!({ "status": "Active" });
    let turn = |id: &str, status: &Value| developer.patch(&format!("{SCHEDULERS}/{id}"), status);
    refused(&turn(&paused, &active), 422, "LIMIT_EXCEEDED", says);
    assert_eq!(shown(&developer, &paused)["status"], "Inactive");

    let again = developer.send("POST", SCHEDULERS, Some("number 7"), &to_come()).expect(201);
    assert!(again.replayed(), "what was made is answered as it was");
    assert_eq!(text(&again, "/billingBatchScheduler/id"), ids[7]);
    turn(&ids[7], &active).expect(200);
    made(&developer, &with(to_come(), "status", "Draft"));
    made(&developer, &printed());
    turn(&ids[0], &json!({ "status": "Inactive" })).expect(200);
    turn(&paused, &active).expect(200);
    refused(&turn(&ids[0], &active), 422, "LIMIT_EXCEEDED", says);
}

/// So many filters of so many characters each.
fn filters(count: usize, of: &str) -> Value {
    let filter = |sequence: usize| {
        let mut filter = filtered("value", of)["filterCriteria"][1].take();
        filter["criteriaSequence"] = json!(sequence);
        filter["operation"] = json!("InList");
        filter
    };
    (1..=count).map(filter).collect()
}

#[test]
fn all_filters_together_hold_eight_thousand_bytes() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let list = format!("{},{}", "x".repeat(39), "y".repeat(40));
    assert_eq!(list.len(), 80);
    made(&developer, &with(to_come(), "filterCriteria", filters(100, &list)));
    let says = "filterCriteria: must not have more than 8000 bytes in all their values together";
    for many in [filters(100, &format!("{list},z")), filters(100, &"\u{3042}".repeat(27))] {
        let body = with(to_come(), "filterCriteria", many.clone());
        refused(&developer.post(SCHEDULERS, &body), 400, "INVALID_API_INPUT", says);
        refused(&developer.post(RUNS, &json!({ "filterCriteria": many })), 400, "INVALID_API_INPUT", says);
    }
}

#[tokio::test]
async fn a_run_is_for_a_day_that_is_at_most_a_month_ahead_where_its_zone_is() {
    let world = InProcess::new().await;
    let authorization = format!("Bearer {}", world.api_key.reveal());
    let headers = [("authorization", authorization.as_str())];
    let start = async |days: i64, zone: &str| {
        let today = || Zone::parse(zone).expect("a zone").date(world.now());
        loop {
            let begun = today();
            let body = json!({ "runDate": begun.plus_days(days).expect("a day").to_string(), "timezone": zone });
            let (answer, _) = world.request("POST", RUNS, &headers, &body).await;
            // Unless midnight has come between.
            if today() == begun {
                return (answer.status_code, answer.body);
            }
        }
    };
    // One is a day behind the other.
    for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        for days in [-10_000, 0, 1, 31] {
            let (status, body) = start(days, zone).await;
            assert_eq!(status, 201, "{days} days ahead in {zone}: {body}");
        }
        for days in [32, 3_650] {
            let (status, body) = start(days, zone).await;
            let is_named =
                body.contains("INVALID_API_INPUT") && body.contains("runDate: must be at most 31 days ahead, by 2");
            assert!(status == 400 && is_named, "{days} days ahead in {zone}: {body}");
        }
    }
}

#[tokio::test]
async fn a_run_says_how_many_requests_its_gateways_take() {
    let world = InProcess::new().await;
    let takes = Takes::ReadyOn(Date::parse("2026-01-01").expect("a day"));
    let cause = IdempotencyKey::parse("one").expect("a key");
    let now = world.now();
    let run = Run::new(world.merchant, Cause::Asked(&cause), takes, Criteria::default(), now).started(1, now);
    let agenda = world.app.schedules.as_deref().expect("schedules");
    agenda.write(StoredRun::following(None, run.clone()).to_item(), Expected::Absent).await.expect("a write");
    let authorization = format!("Bearer {}", world.api_key.reveal());
    let path = format!("{RUNS}/{}", run.id.id());
    let rate = async || {
        let (answer, _) = world.request("GET", &path, &[("authorization", authorization.as_str())], &Value::Null).await;
        let run = serde_json::from_str::<Value>(&answer.body).expect("JSON");
        run["paymentBatchRun"].get("requestsPerSecond").cloned()
    };
    assert_eq!(rate().await, None, "none of the sandbox has a limit");

    let set_up = async |gateways: BTreeMap<GatewayId, Gateway>| {
        let key = encode_merchant(&Merchant::new(world.merchant, "")).text("pk").map(str::to_owned);
        let item = world.merchants.items().into_iter().find(|item| item.text("pk") == key.as_deref());
        let mut merchant = decode_merchant(item.expect("the merchant")).expect("a merchant");
        merchant.gateways.extend(gateways);
        world.merchants.put(encode_merchant(&merchant));
    };
    let id = GatewayId::from_random([0x71; 16]);
    let limited = Gateway { is_active: false, ..Gateway::at("payjp", "https://api.pay.jp") };
    let of = |gateway: &Gateway| BTreeMap::from([(id, gateway.clone())]);
    set_up(of(&limited)).await;
    assert_eq!(rate().await, None, "nothing goes through what is not active");
    let limited = Gateway { is_active: true, ..limited };
    set_up(of(&limited)).await;
    assert_eq!(rate().await, Some(json!(14)));
    set_up(of(&Gateway { mode: GatewayMode::Test, ..limited })).await;
    assert_eq!(rate().await, None);
}
