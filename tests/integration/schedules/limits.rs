//! What a schedule may hold, and what is said of it when not everything can be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kessai_functions::door::answer;
use kessai_shared::ids::{GatewayId, MethodId};
use kessai_shared::memory::Memory;
use kessai_shared::money::Currency;
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::ports::{Agenda, Expected, Listed, Pending, Span, Store, StoreFault, Written};
use kessai_shared::recurring::calendar::Date;
use kessai_shared::recurring::retry::{Category, Decision};
use kessai_shared::recurring::schedule::making::{Asked, AskedItem, Charges};
use kessai_shared::recurring::schedule::{Failure, Failures, Retry, Schedule, State};
use kessai_shared::stored::Item;
use kessai_shared::stored::recurring::lists::List;
use kessai_shared::stored::recurring::schedule::{MAX_SIZE, StoredSchedule};
use serde_json::{Value, json};

use super::{Desk, ITEMS, SCHEDULES, method};
use crate::harness::Kessai;
use crate::in_process::InProcess;
use crate::set_up::{refused, with};

/// A table of which nobody can say for a while what starts runs.
#[derive(Default)]
struct Unlisted {
    table: Memory,
    is_down: AtomicBool,
}

impl Store for Unlisted {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        self.table.read(key)
    }

    fn write(&self, item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        self.table.write(item, expected)
    }
}

impl Agenda for Unlisted {
    fn listed<'a>(
        &'a self,
        list: &'a List,
        until: Option<&'a str>,
        after: Option<&'a str>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Listed>, bool), StoreFault>> {
        self.table.listed(list, until, after, limit)
    }

    fn of<'a>(
        &'a self,
        list: &'a List,
        span: Span<'a>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        match self.is_down.load(Ordering::Relaxed) && list.name.starts_with("active/") {
            true => Box::pin(async { Err(StoreFault("the list is down".into())) }),
            false => self.table.of(list, span, limit),
        }
    }
}

/// The status and the body of an answer for which nobody waits: what fails is not tried again.
pub(super) async fn asked(world: &InProcess, verb: &str, path: &str, body: Value) -> (u16, Value) {
    let event = world.event(body.to_string().as_bytes());
    let (function, event) = world.routed(verb, path, event).expect("a route");
    let answer = answer(&world.invocation(), function, &event, world.now()).await;
    (answer.status_code, serde_json::from_str(&answer.body).expect("JSON"))
}

pub(super) fn charge(number: u16, comments: &str) -> AskedItem {
    AskedItem {
        amount: 1_000 + i64::from(number),
        target: Date::parse("2030-01-31").expect("a date"),
        method: None,
        matching_value: None,
        comments: Some(comments.to_owned()),
        is_draft: false,
        made: None,
    }
}

/// A schedule of the merchant's, whose method nobody needs.
pub(super) fn schedule(world: &InProcess, gateway: GatewayId, items: Vec<AskedItem>) -> Schedule {
    let asked = Asked {
        merchant: world.merchant,
        key: IdempotencyKey::parse("one").expect("a key"),
        hash: [0; 16],
        is_draft: false,
        account: None,
        gateway,
        method: MethodId::parse(&method("0")).expect("a method"),
        currency: Currency::parse("JPY").expect("a currency"),
        total_requested: None,
        reference: None,
        comments: None,
        charges: Charges::Items(items),
    };
    Schedule::make(asked, world.now()).expect("a schedule")
}

pub(super) async fn put(world: &InProcess, schedule: &Schedule) -> usize {
    let item = StoredSchedule::following(None, schedule.clone()).to_item();
    let size = item.size_bytes();
    let agenda = world.app.schedules.as_deref().expect("schedules");
    agenda.write(item, Expected::Absent).await.expect("memory");
    size
}

#[tokio::test]
async fn whoever_cannot_be_told_when_runs_come_is_answered_all_the_same() {
    let mut world = InProcess::new().await;
    let table = Arc::new(Unlisted::default());
    world.app.schedules = Some(table.clone());
    let token =
        json!({ "GatewayToken": method("0"), "AccountId": "Carol", "PaymentGatewayId": world.gateway.to_string() });
    let headers = [("authorization", &*format!("Bearer {}", world.api_key.reveal()))];
    let (kept, _) = world.request("POST", "/sobjects/SavedPaymentMethod", &headers, &token).await;
    let own = serde_json::from_str::<Value>(&kept.body).expect("JSON")["id"].clone();
    let item = json!({ "requestedAmount": 10, "targetPaymentProcessingDate": "2090-02-28" });
    let body = json!({
        "defaultPaymentMethodId": own, "currencyIsoCode": "USD", "status": "Open", "items": [item], "idempotencyKey": "a",
    });

    table.is_down.store(true, Ordering::Relaxed);
    let (status, made) = asked(&world, "POST", SCHEDULES, body.clone()).await;
    assert_eq!((status, made["paymentSchedule"].get("nextRunTime")), (201, None), "it is made: {made}");
    assert_eq!(made["paymentSchedule"]["items"][0].get("nextRunTime"), None);
    let path = format!("{SCHEDULES}/{}", made["paymentSchedule"]["id"].as_str().expect("an id"));
    let added = asked(&world, "POST", &format!("{path}/payment-schedule-items"), item).await;
    assert_eq!(added.0, 201, "{}", added.1);
    let added = format!("{ITEMS}/{}", added.1["paymentScheduleItem"]["id"].as_str().expect("an id"));
    for (verb, path, body) in [
        ("POST", SCHEDULES, body),
        ("GET", path.as_str(), Value::Null),
        ("GET", &format!("{SCHEDULES}?accountId=Carol"), Value::Null),
        ("PATCH", added.as_str(), json!({ "status": "Canceled" })),
        ("PATCH", path.as_str(), json!({ "defaultPaymentMethodId": own })),
    ] {
        let (status, answer) = asked(&world, verb, path, body).await;
        assert!(matches!(status, 200 | 201), "{verb} {path}: {answer}");
    }

    // Which day it is, is a matter of the schedulers: nothing is done before that is known.
    let (status, answer) = asked(&world, "PATCH", &path, json!({ "status": "On Hold" })).await;
    assert_eq!((status, &answer[0]["errorCode"]), (503, &json!("SERVICE_UNAVAILABLE")), "{answer}");
    assert!(answer[0]["message"].as_str().is_some_and(|says| says.starts_with("the store failed")), "{answer}");
    table.is_down.store(false, Ordering::Relaxed);
    let (_, shown) = asked(&world, "GET", &path, Value::Null).await;
    let shown = &shown["paymentSchedule"];
    assert_eq!((&shown["status"], shown.get("nextRunTime")), (&json!("Open"), Some(&Value::Null)));
    let (status, held) = asked(&world, "PATCH", &path, json!({ "status": "On Hold" })).await;
    assert_eq!((status, &held["paymentSchedule"]["status"]), (200, &json!("On Hold")));
}

#[test]
fn a_schedule_that_is_full_of_comments_takes_no_more() {
    let kessai = Kessai::in_memory();
    let desk = Desk::of(&kessai);
    let long = "\u{3042}".repeat(1000);
    let item = json!({ "requestedAmount": 1, "targetPaymentProcessingDate": "2030-01-31", "comments": long });
    let body = with(desk.common(), "items", vec![item.clone(); 40]);
    let (id, _) = desk.made(&body);
    let path = format!("{SCHEDULES}/{id}/payment-schedule-items");
    let full = (40..100).find_map(|_| Some(desk.merchant.post(&path, &item)).filter(|reply| reply.status != 201));
    let says = "items: with their comments the schedule may have at most 192 KB";
    refused(&full.expect("it is full before there are 100"), 422, "SCHEDULE_FULL", says);
    let count = desk.shown(&id)["itemCount"].as_u64().expect("a count");
    assert!((60..66).contains(&count), "{count} items of 3 KB each");
    let short = json!({ "requestedAmount": 1, "targetPaymentProcessingDate": "2030-01-31" });
    desk.merchant.post(&path, &short).expect(201);
}

#[tokio::test]
async fn what_runs_have_made_too_large_can_still_be_ended() {
    let world = InProcess::new().await;
    let items = (1..=100).map(|number| charge(number, &"\u{3042}".repeat(1000))).collect();
    let schedule = schedule(&world, world.gateway, items);
    assert!(put(&world, &schedule).await > MAX_SIZE);
    let path = format!("{SCHEDULES}/{}", schedule.id.id());
    let more = json!({ "requestedAmount": 1, "targetPaymentProcessingDate": "2030-01-31" });
    let (_, shown) = asked(&world, "GET", &path, Value::Null).await;
    let item = format!("{ITEMS}/{}", shown["paymentSchedule"]["items"][0]["id"].as_str().expect("an id"));
    assert_eq!(asked(&world, "PATCH", &item, json!({ "status": "Canceled" })).await.0, 200, "there is room for one");
    let (status, answer) = asked(&world, "POST", &format!("{path}/payment-schedule-items"), more).await;
    assert_eq!((status, &answer[0]["errorCode"]), (422, &json!("SCHEDULE_FULL")), "{answer}");
    for status in ["On Hold", "Open", "Canceled"] {
        assert_eq!(asked(&world, "PATCH", &path, json!({ "status": status })).await.0, 200, "{status}");
    }
}

#[tokio::test]
async fn what_is_tried_again_says_how_often_by_the_rules_of_its_merchant() {
    let world = InProcess::new().await;
    let mut schedule = schedule(&world, world.gateway, vec![charge(1, "tried"), charge(2, "given up")]);
    let now = world.now();
    let last = Failure {
        category: Category::CardLimit,
        decision: Decision::Retriable,
        decline: None,
        code: Some("51".to_owned()),
        message: None,
    };
    let retry = Retry { at: now.plus(Duration::from_secs(60)), with_other_method: false };
    for (item, retry) in schedule.items.iter_mut().zip([Some(retry), None]) {
        item.attempts = 1;
        item.failures = Some(Failures { count: 1, first_at: now, recent: Vec::new(), last: last.clone() });
        item.state = State::Failed { at: now, retry };
    }
    put(&world, &schedule).await;
    let path = format!("{SCHEDULES}/{}", schedule.id.id());
    let most = async || {
        let (_, shown) = asked(&world, "GET", &path, Value::Null).await;
        [0, 1].map(|place| shown["paymentSchedule"]["items"][place].get("maximumRetryCount").cloned())
    };
    assert_eq!(most().await, [None, None], "no rules are set up");

    let terms = json!({
        "Name": "Patient", "IsDefaultRuleSet": true, "Status": "Active",
        "DefaultRetryIntervalType": "Fixed", "DefaultIntervalValue": "6", "DefaultIntervalUnit": "Hours",
        "DefaultMaximumRetryCount": 3,
    });
    let (status, set) = asked(&world, "POST", "/sobjects/PaymentRetryRuleSet", terms).await;
    assert_eq!(status, 201, "{set}");
    assert_eq!(most().await, [Some(json!(3)), None], "what is not tried again has none");
    let rule = json!({
        "PaymentRetryRuleSetId": set["id"], "PaymentGatewayErrorCategory": "CardLimit",
        "PaymentGatewayErrorCode": "51", "RetryIntervalType": "Staggered", "IntervalValue": "1,3,5,7,9",
        "IntervalUnit": "Days",
    });
    let (status, made) = asked(&world, "POST", "/sobjects/PaymentRetryRule", rule).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(most().await, [Some(json!(5)), None], "the rule for its code counts");
}
