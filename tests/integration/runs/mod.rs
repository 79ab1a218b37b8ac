//! Payment runs, with the functions in this process: whatever is due is looked at, in the order and as often as a test
//! wants, and the sandbox's ledger says what was charged.

mod hindered;
mod other_methods;
pub mod side_by_side;
mod stopped;

use std::collections::BTreeSet;
use std::time::Duration;

use kessai_functions::follow_up::look_at;
use kessai_functions::sandbox::method_id;
use kessai_shared::ids::ItemKey;
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::recurring::ids::{RecurringKey, RunId, ScheduleId};
use kessai_shared::reminder::{Errand, Image};
use kessai_shared::time::Timestamp;
use serde_json::{Value, json};

use crate::in_process::InProcess;

pub const SCHEDULES: &str = "/commerce/payments/payment-schedules";
pub const SCHEDULERS: &str = "/commerce/payments/payment-schedulers";
pub const RUNS: &str = "/commerce/payments/payment-batch-runs";

/// A merchant whose payers pay again and again.
pub struct Shop {
    pub world: InProcess,
    /// A stored method that approves.
    pub method: String,
}

impl Shop {
    pub async fn open() -> Self {
        let mut shop = Self { world: InProcess::new().await, method: String::new() };
        shop.method = shop.keep("001000000000001", 0, json!({})).await;
        shop
    }

    /// Asks what is answered.
    pub async fn ask(&self, method: &str, path: &str, key: Option<&str>, body: &Value) -> Value {
        let bearer = format!("Bearer {}", self.world.api_key.reveal());
        let mut headers = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let (answer, _) = self.world.request(method, path, &headers, body).await;
        assert!((200..300).contains(&answer.status_code), "{method} {path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    pub async fn get(&self, path: &str) -> Value {
        self.ask("GET", path, None, &Value::Null).await
    }

    /// Keeps the sandbox's method with this code for an account.
    pub async fn keep(&self, account: &str, code: u16, members: Value) -> String {
        let mut body = json!({
            "GatewayToken": method_id(code), "AccountId": account, "PaymentGatewayId": self.world.gateway.to_string(),
        });
        let also = members.as_object().expect("members").clone();
        body.as_object_mut().expect("members").extend(also);
        let kept = self.ask("POST", "/sobjects/SavedPaymentMethod", None, &body).await;
        kept["id"].as_str().unwrap_or_else(|| panic!("no method in {kept}")).to_owned()
    }

    /// Makes an open schedule under this key, with these members.
    pub async fn schedule(&self, key: &str, members: &Value) -> Value {
        let mut body = json!({
            "defaultPaymentMethodId": self.method, "paymentGatewayId": self.world.gateway.to_string(),
            "currencyIsoCode": "USD", "status": "Open", "items": [item("10", "2020-01-01")],
        });
        body.as_object_mut().expect("members").extend(members.as_object().expect("members").clone());
        self.ask("POST", SCHEDULES, Some(key), &body).await["paymentSchedule"].clone()
    }

    pub async fn shown(&self, schedule: &Value) -> Value {
        let id = schedule["id"].as_str().expect("an id");
        self.get(&format!("{SCHEDULES}/{id}")).await["paymentSchedule"].clone()
    }

    /// Starts a run of everything that is meant for today or an earlier day.
    pub async fn start(&self) -> String {
        let run = self.ask("POST", RUNS, None, &json!({})).await;
        run["paymentBatchRun"]["id"].as_str().expect("an id").to_owned()
    }

    pub async fn run(&self, id: &str) -> Value {
        self.get(&format!("{RUNS}/{id}")).await["paymentBatchRun"].clone()
    }

    /// Makes a scheduler that starts a run each day, and lets time pass until its next one: half a day, so that it was
    /// due late whatever the time is. Its id, and the day of that run.
    pub async fn scheduler_when_it_is_due(&self) -> (String, String) {
        let now = self.world.now().to_string();
        let hour = (now[11..13].parse::<u32>().expect("an hour") + 12) % 24;
        let body = json!({
            "schedulerName": "Daily", "status": "Active", "startDate": "2020-01-01",
            "preferredTime": format!("{hour:02}:00"), "frequencyCadence": "Daily",
        });
        let made = self.ask("POST", SCHEDULERS, None, &body).await;
        let id = made["billingBatchScheduler"]["id"].as_str().expect("an id");
        let shown = self.get(&format!("{SCHEDULERS}/{id}")).await["billingBatchScheduler"].clone();
        let next = shown["nextRunTime"].as_str().and_then(Timestamp::parse).expect("a time");
        self.world.advance(next.since(self.world.now())).await;
        (id.to_owned(), shown["nextRunDate"].as_str().expect("a day").to_owned())
    }

    /// When something is due, and what; the earliest first.
    pub fn due(&self) -> Vec<(Timestamp, ItemKey)> {
        let due = |item| {
            let image = Image::of(&item).expect("an item of ours");
            Some((image.due(Errand::FollowUp)?.at, image.reminder.item))
        };
        let mut due: Vec<_> = self.world.schedules.items().into_iter().filter_map(due).collect();
        due.sort();
        due
    }

    /// Looks as a function does, with as much time as any may have: however slow the machine is, it suffices.
    pub async fn look(&self, item: ItemKey) {
        let deadline = self.world.now().plus(Duration::from_secs(15 * 60));
        let looked = look_at(&self.world.invocation(), item, deadline).await;
        looked.unwrap_or_else(|refusal| panic!("{item}: {refusal}"));
    }

    /// Looks at whatever is due, and lets time pass until the next thing is, until a run has ended; how it has.
    pub async fn ended(&self, id: &str) -> Value {
        for _ in 0..1_000 {
            let shown = self.run(id).await;
            if shown["completionTime"].is_string() {
                return shown;
            }
            let (at, item) = *self.due().first().expect("somebody must look");
            self.world.advance(at.since(self.world.now())).await;
            self.look(item).await;
        }
        panic!("{id} does not end")
    }

    /// Every charge in the sandbox's ledger.
    pub fn charges(&self) -> Vec<Value> {
        let url = format!("{}/ledger", self.world.sandbox_url());
        let mut answer = ureq::get(&url).call().expect("the sandbox answers");
        let text = answer.body_mut().read_to_string().expect("a body");
        let ledger: Value = serde_json::from_str(&text).expect("JSON");
        ledger["effects"].as_array().expect("effects").clone()
    }

    /// Each of these schedules has its one item processed, by a payment that is in the ledger, which has no other.
    pub async fn check_each_was_charged_once(&self, schedules: &[Value]) {
        let mut payments = BTreeSet::new();
        for schedule in schedules {
            let shown = self.shown(schedule).await;
            assert_eq!((&shown["status"], &shown["items"][0]["status"]), (&json!("Completed"), &json!("Processed")));
            payments.insert(shown["items"][0]["paymentId"].as_str().expect("a payment").to_owned());
        }
        let mut charged: Vec<_> =
            self.charges().iter().map(|charge| charge["reference"].as_str().expect("a payment").to_owned()).collect();
        charged.sort();
        assert_eq!(charged, payments.into_iter().collect::<Vec<_>>());
        assert_eq!(charged.len(), schedules.len());
    }
}

pub fn item(amount: &str, target: &str) -> Value {
    json!({ "requestedAmount": amount, "targetPaymentProcessingDate": target })
}

/// So many keys whose schedules are on the list of this lane.
pub fn keys_of_lane(world: &InProcess, lane: u8, count: usize) -> Vec<String> {
    let is_there = |key: &String| {
        let key = IdempotencyKey::parse(key).expect("a key");
        ScheduleId::made_under(&world.merchant, &key).lane() == lane
    };
    (0..).map(|number| format!("order {number}")).filter(is_there).take(count).collect()
}

/// What a lane of a run is known by.
pub fn lane_of(world: &InProcess, run: &str, lane: u8) -> ItemKey {
    let run = RunId::parse(run).expect("a run");
    ItemKey::Recurring(world.merchant, RecurringKey::Lane(run, lane))
}

pub fn run_key(world: &InProcess, run: &str) -> ItemKey {
    ItemKey::Recurring(world.merchant, RecurringKey::Run(RunId::parse(run).expect("a run")))
}

pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);
