//! The functions of what recurs get along with what their policies in `template.yaml` let them do with its table.

use std::sync::Arc;
use std::time::Duration;

use kessai_shared::ids::MerchantId;
use kessai_shared::memory::Memory;
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::ports::{Agenda, Expected, Listed, Pending, Span, Store, StoreFault, Written};
use kessai_shared::recurring::calendar::Date;
use kessai_shared::recurring::ids::Cause;
use kessai_shared::recurring::retry::{Category, Decision};
use kessai_shared::recurring::run::{Lane, Run, Takes};
use kessai_shared::recurring::schedule::{Failure, Failures, Retry, State, Status};
use kessai_shared::recurring::scheduler::Criteria;
use kessai_shared::stored::Item;
use kessai_shared::stored::payment::KEY;
use kessai_shared::stored::recurring::lane::StoredLane;
use kessai_shared::stored::recurring::lists::List;
use kessai_shared::stored::recurring::run::StoredRun;
use serde_json::{Value, json};

use super::limits::{asked, charge, put, schedule};
use super::{ITEMS, SCHEDULES, method};
use crate::in_process::InProcess;

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// What one statement of a policy allows on the table, or on its indexes.
struct Allowed {
    actions: &'static str,
    /// What keys must be like; none: any.
    keys: Vec<&'static str>,
    indexes: Vec<&'static str>,
}

/// The statements about the table of schedules in the policies of a function.
fn policy(function: &str) -> Vec<Allowed> {
    let (_, rest) = TEMPLATE.split_once(&format!("\n  {function}Function:\n")).expect("the function");
    let (function, _) = rest.split_once("\n      Events:\n").expect("its routes");
    let about = function.split("Effect: Allow").filter(|statement| statement.contains("SchedulesTableArn"));
    about.map(Allowed::by).collect()
}

impl Allowed {
    fn by(statement: &'static str) -> Self {
        let line = |name: &str| statement.split_once(name).and_then(|(_, rest)| rest.lines().next());
        let keys = line("\"dynamodb:LeadingKeys\": [").and_then(|rest| rest.split_once(']'));
        let keys = keys.map(|(keys, _)| keys.split(", ").map(|key| key.trim_matches('"')).collect());
        let indexes = statement.split("SchedulesTableArn, index, ").skip(1);
        let indexes = indexes.filter_map(|rest| Some(rest.split_once(']')?.0)).collect();
        Self { actions: line("Action:").expect("actions"), keys: keys.unwrap_or_default(), indexes }
    }

    /// Whether what is done with the item of that key may be.
    fn lets(&self, action: &str, key: &str) -> bool {
        let (_, what) = key.split_once('/').expect("a merchant's");
        let is_like =
            |pattern: &&str| pattern.trim_matches('*').strip_prefix('/').is_some_and(|of| what.starts_with(of));
        let is_of = self.keys.is_empty() || self.keys.iter().any(is_like);
        self.indexes.is_empty() && is_of && self.actions.contains(&format!("dynamodb:{action}"))
    }
}

/// The table as one function sees it.
struct Guarded {
    table: Memory,
    policy: Vec<Allowed>,
}

impl Guarded {
    fn check(&self, action: &str, key: &str) -> Result<(), StoreFault> {
        let is_allowed = self.policy.iter().any(|allowed| allowed.lets(action, key));
        if is_allowed { Ok(()) } else { Err(StoreFault(format!("not allowed: {action} of {key}").into())) }
    }

    fn check_query(&self, list: &List) -> Result<(), StoreFault> {
        let index = list.index.name();
        let mut queries = self.policy.iter().filter(|allowed| allowed.actions.contains("dynamodb:Query"));
        let is_allowed = queries.any(|allowed| allowed.indexes.contains(&index));
        if is_allowed { Ok(()) } else { Err(StoreFault(format!("not allowed: Query of {index}").into())) }
    }
}

impl Store for Guarded {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(async move {
            self.check("GetItem", key)?;
            self.table.read(key).await
        })
    }

    fn write(&self, item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        Box::pin(async move {
            self.check("PutItem", item.text(KEY).expect("a key"))?;
            self.table.write(item, expected).await
        })
    }
}

impl Agenda for Guarded {
    fn listed<'a>(
        &'a self,
        list: &'a List,
        until: Option<&'a str>,
        after: Option<&'a str>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Listed>, bool), StoreFault>> {
        Box::pin(async move {
            self.check_query(list)?;
            self.table.listed(list, until, after, limit).await
        })
    }

    fn of<'a>(
        &'a self,
        list: &'a List,
        span: Span<'a>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        Box::pin(async move {
            self.check_query(list)?;
            let (items, more) = self.table.of(list, span, limit).await?;
            // An index has keys alone: each item is read by its own.
            for item in &items {
                self.check("GetItem", item.text(KEY).expect("a key"))?;
            }
            Ok((items, more))
        })
    }
}

/// A world in which the function of that name may do what its policies say.
async fn world_of(function: &str) -> (InProcess, Arc<Guarded>) {
    let mut world = InProcess::new().await;
    let guarded = Arc::new(Guarded { table: Memory::default(), policy: policy(function) });
    world.app.schedules = Some(guarded.clone());
    (world, guarded)
}

/// On each day there is.
fn daily() -> Value {
    json!({
        "schedulerName": "Daily", "startDate": "2020-01-01", "preferredTime": "02:05", "frequencyCadence": "Daily",
        "status": "Active",
    })
}

fn run_of(merchant: MerchantId, world: &InProcess) -> Run {
    let (now, key) = (world.now(), IdempotencyKey::parse("one").expect("a key"));
    let takes = Takes::ReadyOn(Date::parse("2026-01-01").expect("a day"));
    Run::new(merchant, Cause::Asked(&key), takes, Criteria::default(), now).started(0b10, now)
}

#[tokio::test]
async fn schedules_are_made_shown_and_changed_with_what_their_function_may_do() {
    let (mut world, guarded) = world_of("Schedules").await;
    // What starts runs is made by another function.
    let others = Arc::new(Guarded { table: Memory::default(), policy: policy("Schedulers") });
    world.app.schedules = Some(others.clone());
    assert_eq!(asked(&world, "POST", "/commerce/payments/payment-schedulers", daily()).await.0, 201);
    for item in others.table.items() {
        guarded.table.put(item);
    }
    world.app.schedules = Some(guarded.clone());

    let mut held = schedule(&world, world.gateway, vec![charge(1, "tried"), charge(2, "waits")]);
    let now = world.now();
    let retry = Retry { at: now.plus(Duration::from_secs(86_400)), with_other_method: false };
    let last = Failure {
        category: Category::CardLimit,
        decision: Decision::Retriable,
        decline: None,
        code: None,
        message: None,
    };
    held.items[0].state = State::Failed { at: now, retry: Some(retry) };
    held.items[0].failures = Some(Failures { count: 1, first_at: now, recent: Vec::new(), last });
    held.status = Status::OnHold { since: Date::parse("2026-01-01").expect("a day") };
    put(&world, &held).await;
    let path = format!("{SCHEDULES}/{}", held.id.id());
    let next_run = |answer: &Value| answer["paymentSchedule"]["nextRunTime"].clone();
    let (status, shown) = asked(&world, "GET", &path, Value::Null).await;
    assert_eq!((status, next_run(&shown)), (200, Value::Null), "{shown}");
    let (status, resumed) = asked(&world, "PATCH", &path, json!({ "status": "Open" })).await;
    assert!(status == 200 && next_run(&resumed).is_string(), "{resumed}");
    let runs = guarded.table.items().into_iter().filter(|item| item.text(KEY).is_some_and(|key| key.contains("/5PR")));
    assert_eq!(runs.count(), 1, "the run that tries again is there");

    let token =
        json!({ "GatewayToken": method("0"), "AccountId": "Carol", "PaymentGatewayId": world.gateway.to_string() });
    let (_, own) = asked(&world, "POST", "/sobjects/SavedPaymentMethod", token).await;
    let item = json!({ "requestedAmount": 10, "targetPaymentProcessingDate": "2090-02-28" });
    let body = json!({
        "defaultPaymentMethodId": own["id"], "currencyIsoCode": "USD", "status": "Open", "items": [item],
    });
    let (status, made) = asked(&world, "POST", SCHEDULES, body).await;
    assert!(status == 201 && next_run(&made).is_string(), "{made}");
    let (status, listed) = asked(&world, "GET", &format!("{SCHEDULES}?accountId=Carol"), Value::Null).await;
    assert!(status == 200 && listed["paymentSchedules"][0]["nextRunTime"].is_string(), "{listed}");
    let (status, added) = asked(&world, "POST", &format!("{path}/payment-schedule-items"), item).await;
    assert!(status == 201 && added["paymentScheduleItem"]["nextRunTime"].is_string(), "{added}");
    let item = format!("{ITEMS}/{}", added["paymentScheduleItem"]["id"].as_str().expect("an id"));
    for (verb, body) in [("GET", Value::Null), ("PATCH", json!({ "status": "Canceled" }))] {
        let (status, answer) = asked(&world, verb, &item, body).await;
        assert_eq!(status, 200, "{answer}");
    }
}

#[tokio::test]
async fn schedulers_and_runs_are_made_shown_and_changed_with_what_their_function_may_do() {
    const SCHEDULERS: &str = "/commerce/payments/payment-schedulers";
    const RUNS: &str = "/commerce/payments/payment-batch-runs";
    let (world, guarded) = world_of("Schedulers").await;
    let (status, made) = asked(&world, "POST", SCHEDULERS, daily()).await;
    assert_eq!(status, 201, "{made}");
    let scheduler = format!("{SCHEDULERS}/{}", made["billingBatchScheduler"]["id"].as_str().expect("an id"));
    let run = run_of(world.merchant, &world);
    let lane = Lane::new(world.merchant, run.id, 1, 7, world.now());
    guarded.table.put(StoredRun::following(None, run.clone()).to_item());
    guarded.table.put(StoredLane::following(None, lane).to_item());
    let run = format!("{RUNS}/{}", run.id.id());
    for (verb, path, body, expected) in [
        ("GET", scheduler.as_str(), Value::Null, 200),
        ("GET", SCHEDULERS, Value::Null, 200),
        ("PATCH", &scheduler, json!({ "status": "Inactive" }), 200),
        ("PATCH", &scheduler, json!({ "status": "Active" }), 200),
        ("POST", RUNS, json!({}), 201),
        ("GET", RUNS, Value::Null, 200),
        ("GET", &run, Value::Null, 200),
        ("PATCH", &run, json!({ "status": "Stopped" }), 200),
    ] {
        let (status, answer) = asked(&world, verb, path, body).await;
        assert_eq!(status, expected, "{verb} {path}: {answer}");
    }
    let (_, shown) = asked(&world, "GET", &run, Value::Null).await;
    assert_eq!(shown["paymentBatchRun"]["listedSchedules"], 7, "its lanes are read");
}

#[test]
fn a_policy_is_read_as_it_is_meant() {
    let policy = policy("Schedules");
    let lets = |action: &str, key: &str| policy.iter().any(|allowed| allowed.lets(action, key));
    for (action, what, expected) in [
        ("GetItem", "5PS000000000001", true),
        ("PutItem", "5PS000000000001", true),
        ("PutItem", "5PR000000000001", true),
        ("GetItem", "5PR000000000001", true),
        ("GetItem", "5BS000000000001", true),
        ("PutItem", "5BS000000000001", false),
        ("DeleteItem", "5PS000000000001", false),
    ] {
        assert_eq!(lets(action, &format!("00D000000000001/{what}")), expected, "{action} {what}");
    }
}
