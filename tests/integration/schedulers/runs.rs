//! What runs come to: each time has one, also a time that nobody saw come; and what they count.

use std::collections::BTreeMap;

use kessai_shared::ports::Expected;
use kessai_shared::recurring::calendar::{Date, Recurrence, Rhythm, Unit};
use kessai_shared::recurring::ids::{Cause, RunId};
use kessai_shared::recurring::run::{Counts, Lane, Run, Takes};
use kessai_shared::recurring::scheduler::Criteria;
use kessai_shared::stored::recurring::lane::StoredLane;
use kessai_shared::stored::recurring::run::StoredRun;
use serde_json::{Value, json};

use super::{RUNS, daily, ended, made, shown, to_come, until};
use crate::harness::{Kessai, STORED_METHOD, Sandbox, Scratch};
use crate::in_process::InProcess;
use crate::set_up::{Holder, refused, text, with};

const SCHEDULES: &str = "/commerce/payments/payment-schedules";

/// An open schedule that charges these.
fn schedule(holder: &Holder<'_>, items: Value) -> String {
    let body = json!({
        "defaultPaymentAccountId": "001000000000001", "defaultPaymentMethodId": STORED_METHOD,
        "paymentGatewayId": holder.client.gateway("KEYED"), "currencyIsoCode": "USD", "status": "Open", "items": items,
    });
    text(&holder.post(SCHEDULES, &body).expect(201), "/paymentSchedule/id")
}

fn item(amount: &str, day: &str, value: &str) -> Value {
    json!({ "requestedAmount": amount, "targetPaymentProcessingDate": day, "paymentRunMatchingValue": value })
}

fn items(holder: &Holder<'_>, schedule: &str) -> Vec<Value> {
    let shown = holder.get(&format!("{SCHEDULES}/{schedule}")).expect(200);
    shown.at("/paymentSchedule/items").as_array().expect("items").clone()
}

#[test]
fn each_time_of_a_scheduler_has_its_run() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let (busy, idle) = (made(&developer, &daily()), made(&developer, &with(daily(), "status", "Inactive")));
    kessai.client.advance("P3D");
    let of = |scheduler: &str| {
        let page = developer.get(&format!("{RUNS}?billingBatchSchedulerId={scheduler}")).expect(200);
        page.at("/paymentBatchRuns").as_array().cloned().unwrap_or_default()
    };
    let runs = until("three runs", || Some(of(&busy)).filter(|runs| runs.len() >= 3));
    for started in &runs {
        let id = started["id"].as_str().expect("an id");
        let run = ended(&developer, id);
        assert_eq!((&run["status"], &run["billingBatchSchedulerId"]), (&json!("Completed"), &json!(busy)));
    }
    let mut days: Vec<_> = runs.iter().map(|run| run["runDate"].as_str().expect("a day").to_owned()).collect();
    days.sort();
    days.dedup();
    assert_eq!(days.len(), runs.len(), "a day has one run");
    assert_eq!(of(&idle), Vec::<Value>::new());
    assert_eq!(shown(&developer, &busy)["lastRunDate"], json!(days.last()));
}

/// The server is down while the clock passes three times of a scheduler.
#[test]
fn times_that_nobody_saw_come_have_their_runs_when_somebody_is_there_again() {
    let scratch = Scratch::new();
    let sandbox = Sandbox::start(&scratch.path().join("sandbox"));
    let mut kessai = Kessai::on_file(&scratch.path().join("kessai"), &sandbox);
    // Twelve hours from now, so that neither the first nor the last of them is near.
    let now = text(&kessai.client.control("GET", "KESSAI_URL", "/local/clock", &Value::Null), "/now");
    let hour = (now[11..13].parse::<u32>().expect("an hour") + 12) % 24;
    let (scheduler, days, charged) = {
        let developer = Holder::developer(&kessai.client);
        let scheduler = made(&developer, &with(daily(), "preferredTime", format!("{hour:02}:00")));
        let next = shown(&developer, &scheduler);
        let first =
            text(&developer.get(&format!("{}/{scheduler}", super::SCHEDULERS)), "/billingBatchScheduler/nextRunDate");
        assert_eq!((&next["status"], next.get("lastRunDate")), (&json!("Active"), None));
        let first = Date::parse(&first).expect("a day");
        let dates = Recurrence::new(Rhythm::each(Unit::Days), first, None, Some(4)).expect("dates");
        let days: Vec<_> = dates.dates_from(0).map(|date| date.to_string()).collect();
        let charged: Vec<_> = days.iter().map(|day| schedule(&developer, json!([item("10", day, "flat")]))).collect();
        (scheduler, days, charged)
    };
    let clock = std::path::Path::new(kessai.data()).join("clock");
    kessai.kill();
    assert!(!clock.exists(), "it was never moved");
    std::fs::write(&clock, (3 * 24 * 60 * 60 * 1000).to_string()).expect("it is moved");
    kessai.restart();

    let developer = Holder::developer(&kessai.client);
    let of = || {
        let page = developer.get(&format!("{RUNS}?billingBatchSchedulerId={scheduler}")).expect(200);
        page.at("/paymentBatchRuns").as_array().cloned().unwrap_or_default()
    };
    let runs = until("three runs", || Some(of()).filter(|runs| runs.len() >= 3));
    kessai.client.advance("PT2M");
    let (mut by_id, mut processed) = (BTreeMap::new(), 0);
    for started in &runs {
        let run = ended(&developer, started["id"].as_str().expect("an id"));
        assert_eq!(run["status"], "Completed", "{run}");
        by_id.insert(text_of(&run, "id"), text_of(&run, "runDate"));
        processed += run["totalProcessedScheduleItems"].as_u64().expect("a number");
    }
    let mut ran: Vec<_> = by_id.values().cloned().collect();
    ran.sort();
    assert_eq!((of().len(), processed, ran.as_slice()), (3, 3, &days[..3]));
    let scheduler = shown(&developer, &scheduler);
    assert_eq!((&scheduler["lastRunDate"], &scheduler["nextRunDate"]), (&json!(days[2]), &json!(days[3])));
    // What was meant for those days was charged by the run of the day, or of a later one that was there by then.
    for (schedule, day) in charged.iter().zip(&days[..3]) {
        let item = &items(&developer, schedule)[0];
        assert_eq!(item["status"], "Processed", "{day}");
        assert!(by_id[&text_of(item, "paymentBatchRunId")] >= *day, "{day}");
        assert_eq!(kessai.client.effects_of(&text_of(item, "paymentId")), 1, "{day}");
    }
    assert_eq!(items(&developer, &charged[3])[0]["status"], "Ready for Processing");
    assert_eq!(kessai.client.ledger().len(), 3);
}

fn text_of(thing: &Value, member: &str) -> String {
    thing[member].as_str().unwrap_or_else(|| panic!("no {member} in {thing}")).to_owned()
}

#[test]
fn a_run_now_charges_what_is_ready_and_fits_and_counts_that_alone() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    // Of these the filters of the criteria take all but the first of each schedule.
    let one = schedule(
        &developer,
        json!([item("10", "2020-01-01", "1"), item("20", "2020-01-01", "gold"), item("30", "2020-01-02", "gold")]),
    );
    let other = schedule(&developer, json!([item("40", "2019-12-31", "2"), item("50.01", "2019-12-31", "4")]));
    let declined = schedule(&developer, json!([item("90.01", "2019-01-01", "5")]));
    let untouched = schedule(&developer, json!([item("60", "2019-01-01", "3")]));

    let filters = to_come()["filterCriteria"].take();
    let body = json!({ "runDate": "2020-01-01", "criteriaMatchType": "Match None", "filterCriteria": filters });
    let reply = developer.post(RUNS, &body).expect(201);
    let id = text(&reply, "/paymentBatchRun/id");
    assert!(id.starts_with("5PR") && id.len() == 18, "{id}");
    let said = ["/runDate", "/criteriaMatchType", "/filterCriteria", "/isPaymentRetry"]
        .map(|member| reply.at(&format!("/paymentBatchRun{member}")));
    assert_eq!(said, [json!("2020-01-01"), json!("MatchNone"), filters, json!(false)]);
    kessai.client.advance("PT2M");
    let run = ended(&developer, &id);
    assert_eq!(run["status"], "Completed");
    let counts = [
        ("listedSchedules", 4),
        ("seenSchedules", 4),
        ("totalFilteredScheduleItems", 3),
        ("totalProcessedScheduleItems", 2),
        ("totalFailedScheduleItems", 1),
        ("pendingScheduleItems", 0),
        ("totalScheduleItemsApplied", 0),
        ("totalScheduleItemsApplyFailed", 0),
    ];
    for (member, count) in counts {
        assert_eq!(run[member], count, "{member}");
    }
    let statuses = |schedule: &str| -> Vec<String> {
        items(&developer, schedule).iter().map(|item| text_of(item, "status")).collect()
    };
    let (ready, processed) = ("Ready for Processing", "Processed");
    assert_eq!(statuses(&one), [ready, processed, ready], "what does not fit is left, and what is meant for later");
    assert_eq!(statuses(&other), [ready, processed]);
    assert_eq!((statuses(&declined), statuses(&untouched)), (vec!["Failed".to_owned()], vec![ready.to_owned()]));
    let mut charged: Vec<_> = kessai.client.ledger().iter().map(|effect| effect["amount"].as_u64()).collect();
    charged.sort();
    assert_eq!(charged, [Some(2000), Some(5001)]);
    for charged in [&items(&developer, &one)[1], &items(&developer, &other)[1]] {
        assert_eq!(charged["paymentBatchRunId"], json!(id));
        assert_eq!(kessai.client.effects_of(&text_of(charged, "paymentId")), 1);
    }

    let stopped = developer.patch(&format!("{RUNS}/{id}"), &json!({ "status": "Stopped" }));
    refused(&stopped, 422, "INVALID_STATUS", "status: a run that is Completed");
    let other = developer.patch(&format!("{RUNS}/{id}"), &json!({ "status": "Completed" }));
    refused(&other, 400, "INVALID_API_INPUT", "status: must be one of Stopped");
    refused(&developer.patch(&format!("{RUNS}/{id}"), &json!({})), 400, "REQUIRED_FIELD_MISSING", "status");
}

#[test]
fn a_run_of_a_day_for_which_nothing_is_meant_ends_at_once() {
    let kessai = Kessai::in_memory();
    let developer = Holder::developer(&kessai.client);
    let later = schedule(&developer, json!([item("10", "2020-01-02", "1")]));
    let run = text(&developer.post(RUNS, &json!({ "runDate": "2020-01-01" })).expect(201), "/paymentBatchRun/id");
    let run = ended(&developer, &run);
    let counts = ["listedSchedules", "seenSchedules", "totalFilteredScheduleItems", "totalProcessedScheduleItems"];
    assert_eq!(
        (&run["status"], counts.map(|member| run[member].clone())),
        (&json!("Completed"), [0; 4].map(Value::from))
    );
    assert_eq!(items(&developer, &later)[0]["status"], "Ready for Processing");
    assert!(kessai.client.ledger().is_empty());
}

#[tokio::test]
async fn a_run_that_works_shows_what_its_lanes_have_come_to_by_now() {
    let world = InProcess::new().await;
    let (now, cause) = (world.now(), kessai_shared::payment::IdempotencyKey::parse("one").expect("a key"));
    let takes = Takes::ReadyOn(Date::parse("2026-01-01").expect("a day"));
    let run = Run::new(world.merchant, Cause::Asked(&cause), takes, Criteria::default(), now).started(0b101, now);
    let agenda = world.app.schedules.as_deref().expect("schedules");
    let lanes = [(0, 3, 1), (2, 4, 2)].map(|(lane, seen, processed)| {
        let counts = Counts { listed: 10, seen, processed, failed: 1, pending: 1 };
        Lane { counts, ..Lane::new(world.merchant, run.id, lane, 10, now) }
    });
    for lane in lanes {
        agenda.write(StoredLane::following(None, lane).to_item(), Expected::Absent).await.expect("a write");
    }
    agenda.write(StoredRun::following(None, run.clone()).to_item(), Expected::Absent).await.expect("a write");
    let authorization = format!("Bearer {}", world.api_key.reveal());
    let ask = async |method: &str, body: &Value| {
        let (path, headers) = (format!("{RUNS}/{}", run.id.id()), [("authorization", authorization.as_str())]);
        let (answer, _) = world.request(method, &path, &headers, body).await;
        (answer.status_code, serde_json::from_str::<Value>(&answer.body).expect("JSON"))
    };
    let (status, shown) = ask("GET", &Value::Null).await;
    let shown = &shown["paymentBatchRun"];
    assert_eq!((status, &shown["status"]), (200, &json!("Started")));
    let counts = [
        ("listedSchedules", 20),
        ("seenSchedules", 7),
        ("totalFilteredScheduleItems", 7),
        ("totalProcessedScheduleItems", 3),
        ("totalFailedScheduleItems", 2),
        ("pendingScheduleItems", 2),
    ];
    for (member, count) in counts {
        assert_eq!(shown[member], count, "{member}");
    }
    assert!(shown["expectedEndTime"].is_string() && shown.get("completionTime").is_none(), "{shown}");

    for _ in 0..2 {
        assert_eq!(ask("PATCH", &json!({ "status": "Stopped" })).await, (200, json!({ "status": "Stopped" })));
    }
    let (_, shown) = ask("GET", &Value::Null).await;
    assert_eq!(shown["paymentBatchRun"]["seenSchedules"], 7, "what it has begun still counts");
    assert_eq!(RunId::parse(shown["paymentBatchRun"]["id"].as_str().expect("an id")), Some(run.id));
}
