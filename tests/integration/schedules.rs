//! Payment schedules are made, shown and changed: once under a key, by their own merchant, and what will not do is refused
//! by its name. Nothing is charged here.

mod limits;
mod permitted;
mod refusals;
mod told;

use kessai_shared::payment::IdempotencyKey;
use kessai_shared::ports::Expected;
use kessai_shared::recurring::calendar::{Date, Recurrence, Rhythm, TimeOfDay, Timetable, Unit, Zone};
use kessai_shared::recurring::scheduler::{Asked, Criteria, Filter, FilterOperation, Matches, Scheduler, Status};
use kessai_shared::stored::recurring::scheduler::StoredScheduler;
use serde_json::{Value, json};

use crate::harness::{Kessai, Reply, STORED_METHOD};
use crate::in_process::InProcess;
use crate::set_up::{Holder, refused, text, with};

const SCHEDULES: &str = "/commerce/payments/payment-schedules";
const ITEMS: &str = "/commerce/payments/payment-schedule-items";
const ACCOUNT: &str = "001000000000001";

/// A merchant who makes schedules.
struct Desk<'a> {
    merchant: Holder<'a>,
    gateway: String,
}

impl<'a> Desk<'a> {
    fn of(kessai: &'a Kessai) -> Self {
        let gateway = kessai.client.gateway("KEYED").to_owned();
        Self { merchant: Holder::developer(&kessai.client), gateway }
    }

    /// What every schedule says.
    fn common(&self) -> Value {
        json!({
            "defaultPaymentAccountId": ACCOUNT, "defaultPaymentMethodId": STORED_METHOD,
            "paymentGatewayId": self.gateway, "currencyIsoCode": "JPY",
        })
    }

    /// Three instalments, of which the last is a draft.
    fn instalments(&self) -> Value {
        let items = json!([
            { "requestedAmount": 1000, "targetPaymentProcessingDate": "2030-01-31", "paymentRunMatchingValue": "gold" },
            { "requestedAmount": "2000", "targetPaymentProcessingDate": "2030-02-28", "comments": "by the door" },
            { "requestedAmount": 500, "targetPaymentProcessingDate": "2030-03-31", "status": "Draft" },
        ]);
        with(with(self.common(), "items", items), "totalRequestedAmount", 4000)
    }

    /// Each 28th, after a trial.
    fn subscription(&self) -> Value {
        let recurrence = json!({
            "amount": 1200, "startDate": "2030-01-25", "trialDays": 3, "frequency": "Month", "onDay": 28,
            "endDate": "2031-12-31", "paymentRunMatchingValue": "flat",
        });
        with(with(self.common(), "recurrence", recurrence), "status", "Open")
    }

    fn made(&self, body: &Value) -> (String, Value) {
        let made = self.merchant.post(SCHEDULES, body).expect(201);
        (text(&made, "/paymentSchedule/id"), made.at("/paymentSchedule"))
    }

    fn shown(&self, id: &str) -> Value {
        self.merchant.get(&format!("{SCHEDULES}/{id}")).expect(200).at("/paymentSchedule")
    }

    fn change(&self, id: &str, change: &Value) -> Reply {
        self.merchant.patch(&format!("{SCHEDULES}/{id}"), change)
    }

    /// The id of an item by its place.
    fn item(&self, id: &str, place: usize) -> String {
        self.shown(id)["items"][place]["id"].as_str().expect("an id").to_owned()
    }
}

/// These members of it.
fn members<const N: usize>(of: &Value, names: [&str; N]) -> Value {
    names.into_iter().map(|name| (name.to_owned(), of[name].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn instalments_are_made_with_all_their_sums() {
    let kessai = Kessai::in_memory();
    let desk = Desk::of(&kessai);
    let body = with(with(desk.instalments(), "referenceEntityId", "801A"), "comments", "three parts");
    let made = desk.merchant.post("/services/data/v67.0/commerce/payments/payment-schedules", &body).expect(201);
    let id = text(&made, "/paymentSchedule/id");
    assert!(id.starts_with("5PS") && id.len() == 18, "{id}");
    let mut schedule = made.at("/paymentSchedule");
    assert_eq!(desk.shown(&id), schedule);
    let items = schedule.as_object_mut().expect("members").remove("items").expect("items");
    let expected = json!({
        "id": id, "status": "Draft", "createdDate": schedule["createdDate"], "currencyIsoCode": "JPY",
        "defaultPaymentAccountId": ACCOUNT, "defaultPaymentMethodId": desk.shown(&id)["defaultPaymentMethodId"],
        "paymentGatewayId": schedule["paymentGatewayId"], "referenceEntityId": "801A", "comments": "three parts",
        "isPastDue": false, "itemCount": 3, "nextRunTime": null,
        "totalRequestedAmount": 4000.0, "totalPaymentScheduleItemAmount": 3500.0, "availableRequestedAmount": 500.0,
        "totalProcessedAmount": 0.0, "totalCanceledAmount": 0.0, "totalAppliedAmount": 0.0, "remainingAmountToBeProcessed": 3500.0,
    });
    assert_eq!(schedule, expected);
    let first = json!({
        "id": items[0]["id"], "paymentScheduleId": id, "status": "Ready for Processing", "currencyIsoCode": "JPY",
        "requestedAmount": 1000.0, "processedAmount": 0.0, "appliedAmount": 0.0, "paymentAccountId": ACCOUNT,
        "targetPaymentProcessingDate": "2030-01-31",
        "paymentMethodId": schedule["defaultPaymentMethodId"], "paymentRunMatchingValue": "gold",
        "paymentRetryCount": 0, "paymentSource": "Payment Run", "isPastDue": false, "isRetriableAsSameRequest": false,
        "nextRunTime": null,
    });
    assert_eq!(items[0], first);
    assert_eq!((&items[1]["comments"], &items[2]["status"]), (&json!("by the door"), &json!("Draft")));
    let item = text(&Reply { text: items.to_string(), ..made.clone() }, "/0/id");
    assert!(item.starts_with("5SI"), "{item}");
    assert_eq!(desk.merchant.get(&format!("{ITEMS}/{item}")).expect(200).at("/paymentScheduleItem"), items[0]);
}

#[test]
fn what_recurs_says_its_next_days() {
    let kessai = Kessai::in_memory();
    let desk = Desk::of(&kessai);
    let (id, made) = desk.made(&desk.subscription());
    let expected = json!({
        "amount": 1200.0, "description": "monthly on day 28 from 2030-01-28 until 2031-12-31", "startDate": "2030-01-28",
        "endDate": "2031-12-31", "every": 1, "frequency": "Month", "onDay": "28", "paymentRunMatchingValue": "flat",
        "nextDates": ["2030-01-28", "2030-02-28", "2030-03-28"],
    });
    assert_eq!(made["recurrence"], expected);
    assert_eq!(members(&made, ["status", "itemCount"]), json!({ "status": "Open", "itemCount": 1 }));
    assert_eq!(made["items"][0]["targetPaymentProcessingDate"], "2030-01-28");

    desk.change(&id, &json!({ "skip": "2030-02-28", "recurrence": { "amount": "1300" } })).expect(200);
    desk.change(&id, &json!({ "skip": "2030-02-28" })).expect(200);
    let recurrence = desk.shown(&id)["recurrence"].clone();
    let expected = json!({
        "amount": 1300.0, "nextDates": ["2030-01-28", "2030-03-28", "2030-04-28"], "skippedDates": ["2030-02-28"],
    });
    assert_eq!(members(&recurrence, ["amount", "nextDates", "skippedDates"]), expected);
    assert_eq!(desk.shown(&id)["items"][0]["requestedAmount"], 1300.0);

    let rows = [
        (json!({ "frequency": "Week" }), "weekly on Monday from 2030-01-28 until 2031-12-31"),
        (json!({ "frequency": "Day", "every": 10 }), "every 10 days from 2030-01-28 until 2031-12-31"),
        (
            json!({ "frequency": "month", "onDay": "L-1" }),
            "monthly on the day before the last from 2030-01-28 until 2031-12-31",
        ),
        (
            json!({ "frequency": "Year", "occurrences": 2 }),
            "yearly on day 28 from 2030-01-28 until 2031-12-31, 2 times",
        ),
    ];
    for (said, expected) in rows {
        let mut body = desk.subscription();
        let recurrence = body["recurrence"].as_object_mut().expect("members");
        recurrence.remove("onDay");
        recurrence.extend(said.as_object().expect("members").clone());
        assert_eq!(desk.made(&body).1["recurrence"]["description"], expected);
    }
}

#[test]
fn what_is_made_under_an_idempotency_key_is_made_once() {
    let kessai = Kessai::in_memory();
    let desk = Desk::of(&kessai);
    for body in [desk.instalments(), desk.subscription()] {
        let name = body.get("items").map_or("recurs", |_| "items");
        let first = desk.merchant.send("POST", SCHEDULES, Some(name), &body).expect(201);
        let again = desk.merchant.send("POST", SCHEDULES, Some(name), &body).expect(201);
        assert_eq!((&again.text, first.replayed(), again.replayed()), (&first.text, false, true));
        // However it is written.
        let alike = with(with(body.clone(), "comments", Value::Null), "paymentGatewayId", &desk.gateway[..15]);
        assert_eq!(desk.merchant.send("POST", SCHEDULES, Some(name), &alike).expect(201).text, first.text);
        let other = desk.merchant.send("POST", SCHEDULES, Some(name), &with(body.clone(), "comments", "other"));
        refused(&other, 422, "IDEMPOTENCY_KEY_REUSED", "used before");
        assert_ne!(desk.made(&body).0, desk.made(&body).0, "without a key each is another");
        // It is told as it stands by then.
        let id = text(&first, "/paymentSchedule/id");
        desk.change(&id, &json!({ "status": "Canceled" })).expect(200);
        let again = desk.merchant.send("POST", SCHEDULES, Some(name), &body).expect(201);
        assert_eq!(again.at("/paymentSchedule"), desk.shown(&id));
    }
}

#[test]
fn an_item_is_added_once_made_ready_and_canceled() {
    let kessai = Kessai::in_memory();
    let desk = Desk::of(&kessai);
    let (id, _) = desk.made(&desk.instalments());
    let path = format!("{SCHEDULES}/{id}/payment-schedule-items");
    let item = json!({ "requestedAmount": 500, "targetPaymentProcessingDate": "2030-04-30", "status": "Draft" });
    let first = desk.merchant.send("POST", &path, Some("more"), &item).expect(201);
    let again = desk.merchant.send("POST", &path, Some("more"), &item).expect(201);
    assert_eq!((&again.text, first.replayed(), again.replayed()), (&first.text, false, true));
    let other = desk.merchant.send("POST", &path, Some("more"), &with(item.clone(), "requestedAmount", 1));
    refused(&other, 422, "IDEMPOTENCY_KEY_REUSED", "idempotencyKey");
    assert_eq!(desk.shown(&id)["itemCount"], 4);
    refused(&desk.merchant.post(&path, &item), 422, "AMOUNT_EXCEEDS_BALANCE", "requestedAmount: exceeds what is");

    let added = format!("{ITEMS}/{}", text(&first, "/paymentScheduleItem/id"));
    let status = |reply: &Reply| text(reply, "/paymentScheduleItem/status");
    for next in ["Ready for Processing", "Ready for Processing", "Canceled", "Canceled"] {
        assert_eq!(status(&desk.merchant.patch(&added, &json!({ "status": next })).expect(200)), next);
    }
    let late = desk.merchant.patch(&added, &json!({ "status": "Ready for Processing" }));
    refused(&late, 422, "INVALID_STATUS", "status: the item is Canceled");
    let schedule = desk.shown(&id);
    let sums = ["totalCanceledAmount", "totalPaymentScheduleItemAmount", "remainingAmountToBeProcessed"];
    let expected = json!({
        "totalCanceledAmount": 500.0, "totalPaymentScheduleItemAmount": 3500.0, "remainingAmountToBeProcessed": 4000.0,
    });
    assert_eq!(members(&schedule, sums), expected);
    for (body, says) in [
        (json!({ "status": "Processed" }), "status: must be one of Ready for Processing, Canceled"),
        (json!({ "requestedAmount": 1, "status": "Canceled" }), "requestedAmount: is not a member"),
    ] {
        refused(&desk.merchant.patch(&added, &body), 400, "INVALID_API_INPUT", says);
    }
    refused(&desk.merchant.patch(&added, &json!({})), 400, "REQUIRED_FIELD_MISSING", "status");
}

#[test]
fn a_schedule_is_opened_held_resumed_and_canceled() {
    let kessai = Kessai::in_memory();
    let desk = Desk::of(&kessai);
    let (id, _) = desk.made(&desk.instalments());
    let turn = |next: &str| desk.change(&id, &json!({ "status": next }));
    refused(&turn("On Hold"), 422, "INVALID_STATUS", "status: the schedule is Draft");
    for next in ["Open", "Open", "On Hold", "On Hold", "Open", "Canceled", "Canceled"] {
        let schedule = turn(next).expect(200).at("/paymentSchedule");
        assert_eq!(schedule["status"], next);
        assert_eq!(schedule["onHoldSince"].is_string(), next == "On Hold", "{schedule}");
    }
    for (change, code) in [
        (json!({ "status": "Open" }), "INVALID_STATUS"),
        (json!({ "status": "On Hold" }), "INVALID_STATUS"),
        (json!({ "defaultPaymentMethodId": STORED_METHOD }), "INVALID_STATUS"),
        (json!({ "skip": "2030-02-28" }), "INVALID_STATUS"),
    ] {
        refused(&desk.change(&id, &change), 422, code, "");
    }
    let (id, _) = desk.made(&desk.subscription());
    let all = json!({ "defaultPaymentMethodId": method("9001"), "recurrence": { "amount": 1 }, "status": "On Hold" });
    let changed = desk.change(&id, &all).expect(200).at("/paymentSchedule");
    assert_eq!((&changed["status"], &changed["recurrence"]["amount"]), (&json!("On Hold"), &json!(1.0)));
    assert!(changed["defaultPaymentMethodId"].as_str().is_some_and(|id| id.starts_with(&method("9001"))));
    // All of it, or nothing.
    refused(
        &desk.change(&id, &json!({ "recurrence": { "amount": 2 }, "skip": "2030-01-29" })),
        422,
        "INVALID_STATUS",
        "",
    );
    assert_eq!(desk.shown(&id), changed);
    for (body, says) in [
        (json!({}), "status, defaultPaymentMethodId, recurrence or skip: is required"),
        (json!({ "recurrence": {} }), "recurrence.amount: is required"),
    ] {
        refused(&desk.change(&id, &body), 400, "REQUIRED_FIELD_MISSING", says);
    }
    for (body, says) in [
        (json!({ "status": "Completed" }), "status: must be one of Open, On Hold, Canceled"),
        (json!({ "recurrence": { "amount": 1, "every": 2 } }), "recurrence.every: is not a member"),
        (json!({ "skip": "tomorrow" }), "skip: must be a date"),
        (json!({ "comments": "x" }), "comments: is not a member"),
    ] {
        refused(&desk.change(&id, &body), 400, "INVALID_API_INPUT", says);
    }
}

/// The stored method of the sandbox that has this code.
fn method(code: &str) -> String {
    format!("03O{:012}", code.parse::<u32>().expect("a number"))
}

#[test]
fn the_schedules_of_an_account_are_listed_the_newest_first() {
    let kessai = Kessai::in_memory();
    let desk = Desk::of(&kessai);
    let made: Vec<_> = (0..3)
        .map(|_| {
            kessai.client.advance("PT1S");
            desk.made(&desk.subscription()).0
        })
        .collect();
    desk.made(&with(desk.subscription(), "defaultPaymentAccountId", "another"));
    let page = |query: &str| desk.merchant.get(&format!("{SCHEDULES}?accountId={ACCOUNT}{query}")).expect(200);
    let ids = |reply: &Reply| {
        let all = reply.at("/paymentSchedules").as_array().expect("a list").clone();
        all.iter().map(|schedule| schedule["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    let newest: Vec<_> = made.into_iter().rev().collect();
    assert_eq!(ids(&page("")), newest);
    let first = page("&pageSize=2");
    assert_eq!(ids(&first), newest[..2]);
    let rest = page(&format!("&pageSize=2&pageToken={}", text(&first, "/nextPageToken")));
    assert_eq!((ids(&rest), rest.at("/nextPageToken")), (newest[2..].to_vec(), Value::Null));
    let mut shown = desk.shown(&newest[0]);
    shown.as_object_mut().expect("members").remove("items");
    assert_eq!(first.at("/paymentSchedules/0"), shown, "as it is shown, but for its items");
}

#[tokio::test]
async fn who_waits_for_a_run_is_told_when_it_comes() {
    let world = InProcess::new().await;
    let authorization = format!("Bearer {}", world.api_key.reveal());
    let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
    let ask = async |method: &str, path: &str, body: Value| {
        let (answer, _) = world.request(method, path, &headers, &body).await;
        assert!((200..300).contains(&answer.status_code), "{path}: {}", answer.body);
        serde_json::from_str::<Value>(&answer.body).expect("JSON")
    };
    let token =
        json!({ "GatewayToken": method("0"), "AccountId": ACCOUNT, "PaymentGatewayId": world.gateway.to_string() });
    let own = ask("POST", "/sobjects/SavedPaymentMethod", token).await["id"].clone();
    let item = |date: &str, value: &str| json!({ "requestedAmount": 10, "targetPaymentProcessingDate": date, "paymentRunMatchingValue": value });
    let body = json!({
        "defaultPaymentMethodId": own, "currencyIsoCode": "USD", "status": "Open",
        "items": [item("2090-02-28", "gold"), item("2090-03-31", "silver")],
    });
    let made = ask("POST", SCHEDULES, body).await["paymentSchedule"].clone();
    let path = format!("{SCHEDULES}/{}", made["id"].as_str().expect("an id"));
    assert_eq!((&made["nextRunTime"], &made["items"][0]["nextRunTime"]), (&Value::Null, &Value::Null));

    let scheduler = |name: &str, zone: &str, value: Option<&str>| {
        let key = IdempotencyKey::parse(name).expect("a key");
        let dates = Recurrence::new(Rhythm::each(Unit::Days), Date::parse("2026-01-01").expect("a date"), None, None);
        let filter = |value: &str| Filter { operation: FilterOperation::Equals, value: value.to_owned(), sequence: 1 };
        let asked = Asked {
            key,
            hash: [0; 16],
            name: name.to_owned(),
            comments: None,
            timetable: Timetable {
                dates: dates.expect("dates"),
                at: TimeOfDay::parse("02:05").expect("a time"),
                zone: Zone::parse(zone).expect("a zone"),
            },
            criteria: Criteria { matches: Matches::Any, filters: value.map(filter).into_iter().collect() },
            status: Status::Active,
        };
        Scheduler::new(world.merchant, asked, world.now())
    };
    let put = async |scheduler: Scheduler| {
        let item = StoredScheduler::following(None, scheduler).to_item();
        let agenda = world.app.schedules.as_ref().expect("schedules");
        agenda.write(item, Expected::Absent).await.expect("memory");
    };
    put(scheduler("gold", "Asia/Tokyo", Some("gold"))).await;
    let shown = ask("GET", &path, Value::Null).await["paymentSchedule"].clone();
    // By then it is the 28th in Tokyo.
    assert_eq!(shown["nextRunTime"], "2090-02-27T17:05:00.000Z");
    assert_eq!(shown["items"][0]["nextRunTime"], shown["nextRunTime"]);
    assert_eq!(shown["items"][1]["nextRunTime"], Value::Null, "nobody takes it");
    put(scheduler("all", "UTC", None)).await;
    let shown = ask("GET", &path, Value::Null).await["paymentSchedule"].clone();
    assert_eq!(shown["items"][1]["nextRunTime"], "2090-03-31T02:05:00.000Z");
    assert_eq!(shown["nextRunTime"], "2090-02-27T17:05:00.000Z", "the earliest of both");

    let held = ask("PATCH", &path, json!({ "status": "On Hold" })).await["paymentSchedule"].clone();
    assert_eq!((&held["nextRunTime"], &held["items"][0]["nextRunTime"]), (&Value::Null, &Value::Null));
    let today = Zone::parse("Asia/Tokyo").expect("a zone").date(world.now());
    assert_eq!(held["onHoldSince"], today.to_string(), "as it is where its scheduler is");
}
