//! The binaries that are deployed, started as Lambda starts them: an environment, a Runtime API, an event.

use std::collections::BTreeMap;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kessai_functions::local::embedded::{self, Embedded};
use kessai_functions::local::identity::{Addresses, Identity};
use kessai_functions::local::methods;
use kessai_functions::scheduler_tick::{Tick, Ticking};
use kessai_infra::dynamodb::DynamoDb;
use kessai_infra::system::{SystemClock, SystemEntropy};
use kessai_shared::event::EventName;
use kessai_shared::ids::{ItemKey, MerchantId, PaymentId, PaymentKey, Record};
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::payment::outbox::News;
use kessai_shared::ports::{Archive, Clock, Expected, Journal, Note, Pending, Queue, QueueFault, Store, StoreFault};
use kessai_shared::recurring::ids::{RecurringKey, SchedulerId};
use kessai_shared::reminder::{Delayed, OWED_LATE, Reminder};
use kessai_shared::seal::SealingKeys;
use kessai_shared::stored::Item;
use kessai_shared::stored::event::{Recorded, encode_recorded};
use kessai_shared::stored::payment::{DUE, KEY, OWED, VERSION};
use kessai_shared::time::Timestamp;
use serde_json::{Value, json};

use crate::harness::{STORED_METHOD, Sandbox, Scratch};
use crate::platform::{RuntimeApi, Services, sealing_keys};

/// Tables that are made by [`Account::indexed`].
const INDEXED: [(&str, &str); 3] =
    [("PAYMENTS_TABLE", "indexed"), ("VAULT_TABLE", "indexed-vault"), ("SCHEDULES_TABLE", "indexed-schedules")];

/// The data that functions find in the account.
struct Account {
    database: Embedded,
    identity: Identity,
    services: Services,
    _sandbox: (Sandbox, Scratch),
}

impl Account {
    async fn new() -> Self {
        let scratch = Scratch::new();
        let sandbox = Sandbox::start(&scratch.path().join("sandbox"));
        let database = embedded::start(None).await.unwrap_or_else(|error| panic!("{error:?}"));
        let identity = Identity::load(&scratch.path().join("none"));
        let keys = SealingKeys::parse(&sealing_keys()).expect("keys");
        let addresses = Addresses { server: "", sandbox: sandbox.url(), models: None };
        identity.register(&database.merchants, addresses, &keys).await.unwrap_or_else(|error| panic!("{error:?}"));
        methods::seed(&database.vault, identity.merchant, &keys, &SystemEntropy, SystemClock.now())
            .await
            .unwrap_or_else(|error| panic!("{error:?}"));
        Self { database, identity, services: Services::start(), _sandbox: (sandbox, scratch) }
    }

    /// A table as on AWS, in which what is due late is found.
    async fn indexed(&self, name: &str) -> DynamoDb {
        let table = kessai_infra::aws::Account::at(&self.database.url).table(name);
        table.create_indexed_table().await.expect("a table");
        table
    }

    fn environment(&self, runtime: &str) -> BTreeMap<String, String> {
        let variables = [
            ("AWS_LAMBDA_RUNTIME_API", runtime),
            ("AWS_LAMBDA_FUNCTION_NAME", "test"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "test"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "test"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.database.url),
            ("PAYMENTS_TABLE", "payments"),
            ("MERCHANTS_TABLE", "merchants"),
            ("VAULT_TABLE", "vault"),
            ("SCHEDULES_TABLE", "schedules"),
            ("EVENTS_TABLE", "events"),
            ("AWS_ENDPOINT_URL", &self.services.url()),
            ("FINGERPRINT_KEY_PARAMETER", "/kessai/test/fingerprint-key"),
            ("VAULT_KEYS_PARAMETER", "/kessai/test/vault-keys"),
            ("FOLLOW_UP_QUEUE_URL", "http://queue/follow-up"),
            ("DELIVER_EVENT_FUNCTION", "deliver-event"),
            ("KESSAI_STAGE", "test"),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// That the authorization was asked for, as it is recorded.
    async fn happened(&self, authorization: &str) -> String {
        let (payment, operation) = Record::Authorization.locate(authorization).expect("an authorization");
        let recorded = Recorded {
            id: format!("evt_{}", "1".repeat(31)),
            item: PaymentKey { merchant: self.identity.merchant, payment }.into(),
            operation,
            news: News::Created,
            at: SystemClock.now(),
            version: 1,
            name: EventName::AuthorizationCreated,
            deliveries: Vec::new(),
        };
        self.database.events.keep(encode_recorded(&recorded)).await.expect("kept");
        recorded.id
    }

    /// The sample event of a function, by this merchant, with these members in its body.
    fn event(&self, function: &str, id: Option<(&str, &str)>, members: &Value) -> Value {
        let path = format!("{}/../events/{function}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("a sample event");
        let mut event: Value = serde_json::from_str(&text).expect("JSON");
        event["headers"]["authorization"] = json!(format!("Bearer {}", self.identity.api_key.reveal()));
        if let Some(text) = event["body"].as_str() {
            let mut body: Value = serde_json::from_str(text).expect("JSON");
            for (name, value) in members.as_object().into_iter().flatten() {
                body[name] = value.clone();
            }
            event["body"] = json!(body.to_string());
        }
        if let Some((name, id)) = id {
            event["pathParameters"] = json!({ name: id });
        }
        event
    }
}

struct Function(Child);

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(binary: &str, environment: BTreeMap<String, String>) -> Function {
    Function(Command::new(binary).env_clear().envs(environment).spawn().expect("the function starts"))
}

/// Starts the binary as Lambda does, for one event.
fn invoke(account: &Account, binary: &str, event: &Value) -> Value {
    let runtime = RuntimeApi::new();
    let _function = start(binary, account.environment(&runtime.address()));
    runtime.invoke(event)
}

/// The same for a request.
fn request(account: &Account, binary: &str, event: &Value) -> (u64, Value) {
    let answer = invoke(account, binary, event);
    let body = answer["body"].as_str().expect("a body");
    (answer["statusCode"].as_u64().expect("a status"), serde_json::from_str(body).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_deployed_function_serves_its_event() {
    let account = Account::new().await;
    let gateway = json!({ "paymentGatewayId": account.identity.gateways["KEYED"].to_string() });
    let check = |binary: &str, event: Value, status: u64| {
        let (answered, body) = request(&account, binary, &event);
        assert_eq!(answered, status, "{binary}: {body}");
        body
    };
    let authorized = check(env!("CARGO_BIN_EXE_authorize"), account.event("authorize", None, &gateway), 201);
    let authorization = authorized["paymentAuthorization"]["id"].as_str().expect("an id");
    let to = Some(("authorizationId", authorization));
    let captured = check(env!("CARGO_BIN_EXE_capture"), account.event("capture", to, &json!({})), 201);
    check(env!("CARGO_BIN_EXE_reverse"), account.event("reverse", to, &json!({})), 201);
    let payment = captured["payment"]["id"].as_str().expect("an id");
    check(env!("CARGO_BIN_EXE_refund"), account.event("refund", Some(("paymentId", payment)), &json!({})), 201);
    check(env!("CARGO_BIN_EXE_sale"), account.event("sale", None, &gateway), 201);
    // The sample names a client-side authorization that is not there.
    check(env!("CARGO_BIN_EXE_post-auth"), account.event("post-auth", None, &gateway), 402);
    let read = check(env!("CARGO_BIN_EXE_retrieve"), account.event("retrieve", to, &json!({})), 200);
    assert_eq!(read["operations"].as_array().map(Vec::len), Some(4));
    assert_eq!(read["paymentAuthorization"]["balance"], json!(0.0));
    let event = account.happened(authorization).await;
    let shown =
        check(env!("CARGO_BIN_EXE_events"), account.event("events", Some(("eventId", &event)), &json!({})), 200);
    assert_eq!((&shown["type"], &shown["data"]), (&json!("authorization.created"), &read));
    let provider = check(env!("CARGO_BIN_EXE_set-up"), account.event("set-up", None, &json!({})), 201);
    assert_eq!(provider["success"], json!(true));
    let rules = check(env!("CARGO_BIN_EXE_retry-rules"), account.event("retry-rules", None, &json!({})), 201);
    assert_eq!(rules["success"], json!(true));
    let scheduler = check(env!("CARGO_BIN_EXE_schedulers"), account.event("schedulers", None, &json!({})), 201);
    assert!(scheduler["billingBatchScheduler"]["id"].as_str().is_some_and(|id| id.starts_with("5BS")));
    let method = json!({ "defaultPaymentMethodId": STORED_METHOD, "paymentGatewayId": gateway["paymentGatewayId"] });
    let schedule = check(env!("CARGO_BIN_EXE_schedules"), account.event("schedules", None, &method), 201);
    assert_eq!(schedule["paymentSchedule"]["status"], json!("Open"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_holds_something_else_stops_the_start_and_is_named_without_its_value() {
    let account = Account::new().await;
    let mut environment = account.environment("127.0.0.1:9");
    environment.insert("VAULT_KEYS_PARAMETER".to_owned(), "/kessai/test/fingerprint-key".to_owned());
    let mut command = Command::new(env!("CARGO_BIN_EXE_set-up"));
    let output = command.env_clear().envs(environment).stdin(Stdio::null()).output().expect("it starts");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("the parameter /kessai/test/fingerprint-key must hold id:64"), "{said}");
    assert!(!said.contains("0707"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_without_its_environment_says_what_is_missing() {
    let account = Account::new().await;
    let names = [
        "PAYMENTS_TABLE",
        "MERCHANTS_TABLE",
        "VAULT_TABLE",
        "FINGERPRINT_KEY_PARAMETER",
        "VAULT_KEYS_PARAMETER",
        "KESSAI_STAGE",
        "AWS_REGION",
    ];
    for missing in names {
        let mut environment = account.environment("127.0.0.1:9");
        environment.remove(missing);
        let mut command = Command::new(env!("CARGO_BIN_EXE_authorize"));
        let Output { status, stderr, .. } =
            command.env_clear().envs(environment).stdin(Stdio::null()).output().expect("it starts");
        assert!(!status.success());
        let said = String::from_utf8_lossy(&stderr).into_owned();
        assert!(said.contains(missing), "{said} names {missing}");
    }
}

/// What the stream shows of an item.
fn shown(number: &str, item: &Item) -> Value {
    let number_of = |name| item.number(name).map(|value| json!({ "N": value.to_string() }));
    let image = json!({
        "pk": { "S": item.text(KEY) }, "v": number_of(VERSION), "d": number_of(DUE), "ed": number_of(OWED),
        "le": number_of(OWED_LATE), "o": { "L": [] },
    });
    let image: serde_json::Map<_, _> = image
        .as_object()
        .expect("a map")
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    json!({ "eventName": "MODIFY", "dynamodb": { "SequenceNumber": number, "NewImage": image } })
}

fn message(id: &str, body: &str) -> Value {
    json!({ "messageId": id, "body": body, "attributes": { "AWSTraceHeader": "Root=1-67891233-abcdef012345678912345678" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_gateway_left_open_is_reminded_of_and_looked_at() {
    let account = Account::new().await;
    let members = json!({ "paymentGatewayId": account.identity.gateways["LOOK_UP"].to_string(), "amount": 90.13 });
    let (status, body) = request(&account, env!("CARGO_BIN_EXE_sale"), &account.event("sale", None, &members));
    assert_eq!(status, 202, "{body}");
    let (payment, _) = Record::Payment.locate(body["payment"]["id"].as_str().expect("an id")).expect("an id of ours");
    let key = PaymentKey { merchant: account.identity.merchant, payment };
    let open = account.database.payments.read(&key.to_string()).await.expect("a read").expect("the payment");

    let first = open.clone().with(VERSION, 1);
    let poison =
        json!({ "eventName": "MODIFY", "dynamodb": { "SequenceNumber": "2", "NewImage": { "pk": { "S": "x" } } } });
    let batch = json!({ "Records": [shown("1", &first), poison, shown("3", &open)] });
    let relayed = invoke(&account, env!("CARGO_BIN_EXE_relay"), &batch);
    assert_eq!(relayed, json!({ "batchItemFailures": [] }), "what cannot be read holds nobody up");
    let sent = account.services.sent();
    let [reminder] = sent.as_slice() else { panic!("one payment, one reminder: {sent:?}") };
    let text = reminder["MessageBody"].as_str().expect("a body");
    assert_eq!(Reminder::parse(text).and_then(|reminder| reminder.item.payment()), Some(key));
    assert!(reminder["DelaySeconds"].as_i64().is_some_and(|delay| (1..=60).contains(&delay)), "{reminder}");

    // It is not due yet, so the reminder comes again, but not that of a version which a newer one has its own for;
    // what nobody can read is reported, and alone.
    let old = Reminder { item: key.into(), version: 1 }.message();
    let batch = json!({ "Records": [message("a", text), message("b", "{}"), message("c", &old)] });
    let looked = invoke(&account, env!("CARGO_BIN_EXE_follow-up"), &batch);
    assert_eq!(looked, json!({ "batchItemFailures": [{ "itemIdentifier": "b" }] }));
    let again = account.services.sent();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0]["MessageBody"].as_str(), Some(text));
    let trace = &again[0]["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"];
    assert_eq!(trace, "Root=1-67891233-abcdef012345678912345678");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_is_looked_at_and_a_call_fails_in_which_there_is_what_nobody_can_read() {
    let account = Account::new().await;
    let merchant = account.identity.merchant;
    let payment = PaymentId::opened_by(&merchant, &IdempotencyKey::parse("order 1").expect("a key"));
    let nothing_owed = Reminder { item: PaymentKey { merchant, payment }.into(), version: 1 }.message();
    let batch = json!({ "Records": [message("a", &nothing_owed)] });
    assert_eq!(invoke(&account, env!("CARGO_BIN_EXE_deliver-event"), &batch), Value::Null);
    // Nobody would read in an answer which failed.
    let batch = json!({ "Records": [message("a", &nothing_owed), message("b", "{}")] });
    let runtime = RuntimeApi::new();
    let _function = start(env!("CARGO_BIN_EXE_deliver-event"), account.environment(&runtime.address()));
    runtime.invoke_in_vain(&batch);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_merchants_are_owed_is_told_at_once_or_when_a_tick_finds_it() {
    let account = Account::new().await;
    let payments = account.indexed("indexed").await;
    account.indexed("indexed-vault").await;
    account.indexed("indexed-schedules").await;
    let now = SystemClock.now();
    // An hour ago whatever is due now was marked.
    let an_hour_ago: Arc<dyn Clock> = Arc::new(Standing(Timestamp::from_millis(now.as_millis() - 3_600_000)));
    let long_ago = payments.clone().with_clock(an_hour_ago);
    let rows = [
        ("now", &payments, now.as_millis()),
        ("in an hour", &payments, now.as_millis() + 3_600_000),
        ("in vain, and due", &long_ago, now.as_millis() - 1000),
        ("in vain, and not yet due", &long_ago, now.as_millis() + 60_000),
    ];
    let mut images = Vec::new();
    for (name, table, due) in rows {
        let item = Item::new().with(KEY, key_of(name).to_string()).with(VERSION, 1).with(OWED, due);
        table.write(item, Expected::Absent).await.expect("a write");
        let written = table.read(&key_of(name).to_string()).await.expect("a read").expect("the item");
        images.push(shown(name, &written));
    }
    let told = |calls: Vec<(String, Value)>| -> Vec<ItemKey> {
        let message = |record: &Value| Reminder::parse(record["body"].as_str().expect("a body")).expect("a reminder");
        let records = calls.iter().flat_map(|(path, event)| {
            assert_eq!(path, "/2015-03-31/functions/deliver-event/invocations");
            event["Records"].as_array().expect("records")
        });
        records.map(|record| message(record).item).collect()
    };
    let batch = json!({ "Records": images });
    invoke(&account, env!("CARGO_BIN_EXE_relay"), &batch);
    assert_eq!(told(account.services.called()), [ItemKey::from(key_of("now"))]);
    let runtime = RuntimeApi::new();
    let mut environment = account.environment(&runtime.address());
    environment.extend(INDEXED.map(|(name, table)| (name.to_owned(), table.to_owned())));
    let _function = start(env!("CARGO_BIN_EXE_scheduler-tick"), environment);
    assert_eq!(runtime.invoke(&json!({})), json!({ "reminders": 1 }));
    assert_eq!(told(account.services.called()), [ItemKey::from(key_of("in vain, and due"))]);
    assert!(account.services.sent().is_empty(), "no queue has anything to do with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_reminds_of_what_is_due_late_and_a_sweep_of_everything() {
    let account = Account::new().await;
    let payments = account.indexed("indexed").await;
    // Of the others the same is asked.
    account.indexed("indexed-vault").await;
    let schedules = account.indexed("indexed-schedules").await;
    let now = SystemClock.now();
    // Written an hour ago, what is due now was due late; written now, it was not.
    let an_hour_ago: Arc<dyn Clock> = Arc::new(Standing(Timestamp::from_millis(now.as_millis() - 3_600_000)));
    let long_ago = payments.clone().with_clock(an_hour_ago);
    let in_minutes = |minutes: u64| now.plus(Duration::from_secs(60 * minutes)).as_millis();
    let rows = [
        ("late and near", &long_ago, in_minutes(1)),
        ("late and far", &long_ago, in_minutes(10)),
        ("late and overdue", &long_ago, now.as_millis() - 1000),
        ("overdue and not marked", &payments, now.as_millis() - 1000),
        ("far", &payments, i64::MAX),
    ];
    for (name, table, due) in rows {
        table.write(item(name, due), Expected::Absent).await.expect("a write");
    }
    let tick = |event: &Value| {
        let runtime = RuntimeApi::new();
        let mut environment = account.environment(&runtime.address());
        environment.extend(INDEXED.map(|(name, table)| (name.to_owned(), table.to_owned())));
        let _function = start(env!("CARGO_BIN_EXE_scheduler-tick"), environment);
        let ticked = runtime.invoke(event);
        let mut reminded: Vec<_> = account.services.sent().iter().map(item_of).collect();
        reminded.sort();
        (ticked, reminded)
    };
    // A scheduler near its next run, and one far from it.
    let schedulers = ["a", "b"].map(|key| {
        let key = IdempotencyKey::parse(key).expect("a key");
        let id = RecurringKey::Scheduler(SchedulerId::made_under(&account.identity.merchant, &key));
        ItemKey::Recurring(account.identity.merchant, id)
    });
    let long_ago = schedules.with_clock(Arc::new(Standing(Timestamp::from_millis(now.as_millis() - 3_600_000))));
    for (scheduler, due) in schedulers.into_iter().zip([in_minutes(1), in_minutes(600)]) {
        let item = Item::new().with(KEY, scheduler.to_string()).with(VERSION, 1).with(DUE, due);
        long_ago.write(item, Expected::Absent).await.expect("a write");
    }
    let keys = |names: &[&str]| {
        let payments = names.iter().map(|name| ItemKey::from(key_of(name)));
        let mut keys: Vec<_> = payments.chain([schedulers[0]]).collect();
        keys.sort();
        keys
    };
    let schedule = std::fs::read_to_string(format!("{}/../events/scheduler-tick.json", env!("CARGO_MANIFEST_DIR")));
    let schedule: Value = serde_json::from_str(&schedule.expect("a sample event")).expect("JSON");
    let (ticked, reminded) = tick(&schedule);
    assert_eq!(ticked, json!({ "reminders": 3 }), "what is not marked is the relay's affair");
    assert_eq!(reminded, keys(&["late and near", "late and overdue"]));
    let (ticked, reminded) = tick(&json!({ "sweep": true }));
    assert_eq!(ticked, json!({ "reminders": 5 }));
    assert_eq!(reminded, keys(&["late and near", "late and far", "late and overdue", "overdue and not marked"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_stops_before_its_deadline_and_goes_on_where_it_was() {
    let account = Account::new().await;
    let [payments, vault, schedules] =
        [&account.database.payments, &account.database.vault, &account.database.schedules];
    let now = SystemClock.now();
    // Three pages of 1 MB.
    let padding = "x".repeat(300 * 1024);
    for place in 0..10 {
        let payment = item(&place.to_string(), now.as_millis()).with("padding", &padding);
        payments.write(payment, Expected::Absent).await.expect("a write");
    }
    let key = IdempotencyKey::parse("scheduler").expect("a key");
    let merchant = account.identity.merchant;
    let scheduler = RecurringKey::Scheduler(SchedulerId::made_under(&merchant, &key));
    let scheduler = Item::new().with(KEY, ItemKey::Recurring(merchant, scheduler).to_string()).with(VERSION, 1);
    schedules.write(scheduler.with(DUE, now.as_millis()), Expected::Absent).await.expect("a write");
    let (queue, journal) = (Kept::default(), Kept::default());
    let mut tick: Tick = serde_json::from_value(json!({ "sweep": true })).expect("a tick");
    let mut ticks = 0;
    loop {
        // There is no time for more than a page.
        let clock = &SystemClock;
        let ticking =
            Ticking { payments, vault, schedules, queue: &queue, journal: &journal, now, deadline: now, clock };
        let Ok(ticked) = ticking.tick(tick).await else { panic!("a tick fails") };
        ticks += 1;
        let Some(after) = ticked.after else { break };
        tick = serde_json::from_value(json!({ "sweep": true, "after": after })).expect("a tick");
    }
    let mut reminded: Vec<_> =
        queue.0.lock().expect("what was sent").iter().map(|delayed| delayed.reminder.item).collect();
    reminded.sort();
    reminded.dedup();
    assert_eq!(reminded.len(), 11, "the last is what recurs");
    assert!(ticks >= 3, "{ticks} ticks");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_is_told_to_end_finishes_and_answers_first() {
    let account = Account::new().await;
    // The sandbox takes three seconds to answer.
    let members = json!({ "paymentGatewayId": account.identity.gateways["KEYED"].to_string(), "amount": 90.11 });
    let name = IdempotencyKey::parse("order-801-sale").expect("the key of the sample");
    let merchant = account.identity.merchant;
    let key = PaymentKey { merchant, payment: PaymentId::opened_by(&merchant, &name) }.to_string();
    let runtime = RuntimeApi::new();
    let mut function = start(env!("CARGO_BIN_EXE_sale"), account.environment(&runtime.address()));
    let pid = function.0.id().to_string();
    let answer = runtime.invoke_and(&account.event("sale", None, &members), || {
        // Once its intent rests, it is at work.
        while block_on(account.database.payments.read(&key)).is_none() {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
    });
    assert_eq!(answer["statusCode"], 201, "{answer}");
    let status = function.0.wait().expect("it ends");
    assert!(status.success(), "{status}");
}

fn block_on<T>(work: impl Future<Output = Result<T, StoreFault>>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work)).expect("the store answers")
}

fn key_of(name: &str) -> PaymentKey {
    let merchant = MerchantId::from_random([1; 16]);
    let key = IdempotencyKey::parse(name).expect("a key");
    PaymentKey { merchant, payment: PaymentId::opened_by(&merchant, &key) }
}

fn item(name: &str, due: i64) -> Item {
    Item::new().with(KEY, key_of(name).to_string()).with(VERSION, 1).with(DUE, due)
}

fn item_of(sent: &Value) -> ItemKey {
    Reminder::parse(sent["MessageBody"].as_str().expect("a body")).expect("a reminder").item
}

/// A clock that stands.
struct Standing(Timestamp);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn sleep(&self, _: Duration) -> Pending<'_, ()> {
        Box::pin(async {})
    }
}

/// A queue that keeps what it is sent, and a journal that expects nothing bad.
#[derive(Default)]
struct Kept(Mutex<Vec<Delayed>>);

impl Queue for Kept {
    fn send<'a>(&'a self, reminders: &'a [Delayed]) -> Pending<'a, Result<(), QueueFault>> {
        self.0.lock().expect("what was sent").extend(reminders);
        Box::pin(async { Ok(()) })
    }
}

impl Journal for Kept {
    fn note(&self, note: &Note<'_>) {
        assert!(matches!(note, Note::Ticked { .. }), "{note:?}");
    }
}

/// What whoever sends messages cannot be without: the service in the name of the call.
const QUEUE_CLIENT: &[u8] = b"AmazonSQS";

#[test]
fn only_the_functions_that_send_reminders_link_a_client_of_the_queue() {
    let answering = [
        env!("CARGO_BIN_EXE_authorize"),
        env!("CARGO_BIN_EXE_capture"),
        env!("CARGO_BIN_EXE_reverse"),
        env!("CARGO_BIN_EXE_sale"),
        env!("CARGO_BIN_EXE_post-auth"),
        env!("CARGO_BIN_EXE_refund"),
        env!("CARGO_BIN_EXE_retrieve"),
        env!("CARGO_BIN_EXE_events"),
        env!("CARGO_BIN_EXE_retry-rules"),
        env!("CARGO_BIN_EXE_schedulers"),
        env!("CARGO_BIN_EXE_schedules"),
        env!("CARGO_BIN_EXE_deliver-event"),
    ];
    let working = [env!("CARGO_BIN_EXE_relay"), env!("CARGO_BIN_EXE_follow-up"), env!("CARGO_BIN_EXE_scheduler-tick")];
    let links = |binary: &&str| {
        let bytes = std::fs::read(binary).expect("a binary");
        bytes.windows(QUEUE_CLIENT.len()).any(|window| window == QUEUE_CLIENT)
    };
    assert_eq!(answering.iter().filter(|binary| links(binary)).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert_eq!(working.iter().filter(|binary| links(binary)).count(), working.len());
}
