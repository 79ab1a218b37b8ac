//! What Kessai adds to what must be done anyway, measured beside that in the same run.
//!
//! `cargo bench --bench authorize` prints two things: the time of an authorization through handler, core and a store in
//! memory, in one thread that waits for nothing, so that it is processor time but for what else runs on
//! the machine; and the authorizations a second of the local server. Beside each stands a baseline
//! of the same sizes: two bare conditional writes and one bare HTTP call. The ratios are what to compare;
//! the absolute figures are this machine's.

#![expect(
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::panic,
    reason = "a bench stands outside the program: it ends where the world fails, and prints ratios"
)]

#[path = "../integration/harness.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod harness;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use harness::{Kessai, Sandbox, Scratch};
use kessai_functions::authorize;
use kessai_functions::door::{App, answer};
use kessai_functions::event::HttpEvent;
use kessai_infra::dynamodb::DynamoDb;
use kessai_infra::system::{SystemClock, SystemEntropy};
use kessai_infra::watch::{Log, Watch, standard_error};
use kessai_shared::fingerprint::FingerprintKey;
use kessai_shared::ids::{GatewayId, MerchantId};
use kessai_shared::memory::Memory;
use kessai_shared::merchant::{ApiKey, Gateway, Merchant};
use kessai_shared::ports::{Clock, Expected, Http, HttpFault, HttpRequest, HttpResponse, Pending, Store, Written};
use kessai_shared::shell::Shell;
use kessai_shared::stored::Item;
use kessai_shared::stored::merchant::{encode_api_key, encode_merchant};
use kessai_shared::stored::payment::{KEY, VERSION};
use serde_json::json;

/// Rounds of each measurement; the best counts, the others had company.
const ROUNDS: usize = 5;
const AUTHORIZATIONS_IN_PROCESS: usize = 5_000;
const CALLERS: usize = 8;
const AUTHORIZATIONS_OVER_HTTP: usize = 4_000;
const AUTHORIZATIONS_ON_FILE: usize = 1_000;

fn main() {
    in_process();
    println!();
    over_http("in memory", Kessai::in_memory(), AUTHORIZATIONS_OVER_HTTP, None);
    let scratch = Scratch::new();
    let sandbox = Sandbox::start(&scratch.path().join("sandbox"));
    let kessai = Kessai::on_file(&scratch.path().join("kessai"), &sandbox);
    over_http("on file", kessai, AUTHORIZATIONS_ON_FILE, Some(&scratch));
}

/// A gateway that answers at once.
struct Canned;

const CANNED: &str = r#"{"id":"1000000001","reference":"@","status":"approved","code":"00","message":"Transaction Normal","authorizationCode":"SF000001","date":"2026-08-01T00:00:01.000Z"}"#;

impl Http for Canned {
    fn send<'a>(&'a self, request: HttpRequest, _: Duration) -> Pending<'a, Result<HttpResponse, HttpFault>> {
        let body = String::from_utf8_lossy(&request.body);
        let reference = body.split(r#""reference":""#).nth(1).and_then(|rest| rest.split('"').next());
        let answer = CANNED.replace('@', reference.unwrap_or_default());
        Box::pin(async { Ok(HttpResponse { status: 200, body: answer.into_bytes() }) })
    }
}

fn in_process() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let typical = typical_item().await;
        println!(
            "authorize in process, {AUTHORIZATIONS_IN_PROCESS} times, best of {ROUNDS}; one item is {} bytes",
            typical.size_bytes()
        );
        let mut best = [Duration::MAX; 2];
        for _ in 0..ROUNDS {
            best[0] = best[0].min(bare_in_process(&typical).await);
            best[1] = best[1].min(authorize_in_process().await);
        }
        let each = best.map(|best| best / u32::try_from(AUTHORIZATIONS_IN_PROCESS).expect("small"));
        println!("  two bare conditional writes and a bare call {:>8.1?} each", each[0]);
        println!(
            "  an authorization through handler and core   {:>8.1?} each, {:.1} times that",
            each[1],
            ratio(each[1], each[0])
        );
    });
}

fn ratio(time: Duration, baseline: Duration) -> f64 {
    time.as_secs_f64() / baseline.as_secs_f64()
}

async fn bare_in_process(typical: &Item) -> Duration {
    let store = Memory::default();
    let started = Instant::now();
    for index in 0..AUTHORIZATIONS_IN_PROCESS {
        let item = typical.clone().with(KEY, index.to_string()).with(VERSION, 1);
        store.write(item.clone(), Expected::Absent).await.expect("memory does not fail");
        let request = HttpRequest {
            method: kessai_shared::ports::Method::Post,
            url: String::new(),
            headers: Vec::new(),
            body: Default::default(),
        };
        black_box(Canned.send(request, Duration::ZERO).await.expect("canned"));
        store.write(item.with(VERSION, 2), Expected::Version(1)).await.expect("memory does not fail");
    }
    started.elapsed()
}

struct InProcess {
    app: App,
    payments: Arc<Memory>,
    event: HttpEvent,
}

async fn set_up() -> InProcess {
    let (payments, merchants) = (Arc::new(Memory::default()), Arc::new(Memory::default()));
    let (merchant, gateway) = (MerchantId::from_random([1; 16]), GatewayId::from_random([2; 16]));
    let api_key = ApiKey::from_random([3; 16], [4; 16]);
    let gateways = BTreeMap::from([(gateway, Gateway::at("sandbox-keyed", "http://127.0.0.1:9"))]);
    let set_up = Merchant { gateways, ..Merchant::new(merchant, "Bench") };
    for item in [encode_api_key(&api_key.hash(), &merchant), encode_merchant(&set_up)] {
        merchants.write(item, Expected::Absent).await.expect("memory does not fail");
    }
    let body = json!({
        "accountId": "001000000000001", "amount": 50, "currencyIsoCode": "USD", "paymentGatewayId": gateway.to_string(),
        "paymentMethod": { "cardPaymentMethod": { "cardNumber": harness::CARD, "expiryMonth": 12, "expiryYear": 2030, "cvv": "123" } },
        "email": "carol@example.org", "ipAddress": "202.95.77.70", "comments": "order 801",
    });
    let headers =
        [("authorization", format!("Bearer {}", api_key.reveal())), ("content-type", "application/json".to_owned())];
    let event = HttpEvent {
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        body: Some(body.to_string().into()),
        ..HttpEvent::default()
    };
    // Nobody collects metrics: only what is wrong gets a line.
    let log = Log { function: "bench", stage: None, clock: Arc::new(SystemClock), out: standard_error() };
    let shell = Shell {
        store: payments.clone(),
        http: Arc::new(Canned),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        journal: Watch::new(&log, String::new(), None),
        fingerprint_key: Some(Arc::new(FingerprintKey::new([5; 32]))),
        vault: None,
        sealing_keys: None,
        limiter: None,
    };
    let app = App {
        shell,
        directory: merchants.clone(),
        merchants,
        rates: Arc::default(),
        archive: None,
        schedules: None,
        tells_bus: false,
        takes_loopback: true,
    };
    InProcess { app, payments, event }
}

async fn authorize_once(set_up: &InProcess) {
    let deadline = SystemClock.now().plus(Duration::from_secs(25));
    let answer = answer(&set_up.app, &authorize::FUNCTION, &set_up.event, deadline).await;
    assert_eq!(answer.status_code, 201, "{}", answer.body);
}

async fn authorize_in_process() -> Duration {
    let set_up = set_up().await;
    let started = Instant::now();
    for _ in 0..AUTHORIZATIONS_IN_PROCESS {
        authorize_once(&set_up).await;
    }
    started.elapsed()
}

/// What an authorization of the bench leaves in the store.
async fn typical_item() -> Item {
    let set_up = set_up().await;
    authorize_once(&set_up).await;
    set_up.payments.items().remove(0)
}

fn over_http(kind: &str, kessai: Kessai, count: usize, scratch: Option<&Scratch>) {
    println!("local server {kind}, {count} authorizations by {CALLERS} callers, best of {ROUNDS}");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let typical = runtime.block_on(typical_item());
    let file = scratch.map(|scratch| scratch.path().join("baseline.db"));
    let database = runtime
        .block_on(kessai_functions::local::embedded::start(file.as_deref()))
        .unwrap_or_else(|error| panic!("{error:?}"));
    let mut best = [Duration::MAX; 2];
    for round in 0..ROUNDS {
        best[0] = best[0].min(shared_out(count, |index| {
            bare_over_http(&runtime, &kessai, &database.payments, &typical, round, index);
        }));
        best[1] = best[1].min(shared_out(count, |index| {
            let client = &kessai.client;
            client.authorize("KEYED", &format!("bench-{round}-{index}"), "50").expect(201);
        }));
    }
    let rates = best.map(|best| count as f64 / best.as_secs_f64());
    println!("  two bare conditional writes and a bare call {:>8.0}/s", rates[0]);
    println!(
        "  authorizations through the local server     {:>8.0}/s, {:.2} times that",
        rates[1],
        rates[1] / rates[0]
    );
}

/// What nobody can do without: two conditional writes to the same kind of database and one call to the
/// same gateway.
fn bare_over_http(
    runtime: &tokio::runtime::Runtime,
    kessai: &Kessai,
    payments: &DynamoDb,
    typical: &Item,
    round: usize,
    index: usize,
) {
    let key = format!("bare-{round}-{index}");
    let item = typical.clone().with(KEY, key.clone()).with(VERSION, 1);
    let write = |item: Item, expected| {
        let written = runtime.block_on(payments.write(item.clone(), expected)).expect("a database");
        assert_eq!(written, Written::Done);
    };
    write(item.clone(), Expected::Absent);
    let body = json!({ "reference": key, "amount": 5000, "currency": "USD", "method": harness::STORED_METHOD });
    kessai.client.control("POST", "SANDBOX_URL", "/keyed/authorizations", &body);
    write(item.with(VERSION, 2), Expected::Version(1));
}

/// How long `count` pieces of work take, shared out among the callers.
fn shared_out(count: usize, work: impl Fn(usize) + Sync) -> Duration {
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        break;
                    }
                    work(index);
                }
            });
        }
    });
    started.elapsed()
}
