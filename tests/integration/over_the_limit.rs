//! What a gateway does not take within a second is not sent there: the caller hears when to ask again, and is charged once
//! when there is room. By a clock that stands still until it is moved, at the model of PAY.JP with its limit of live mode.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kessai_functions::event::HttpAnswer;
use kessai_functions::follow_up::look_at;
use kessai_functions::models::catalog::line;
use kessai_functions::models::{Options, Receivers, serve};
use kessai_functions::sandbox::method_id;
use kessai_shared::card::Secret;
use kessai_shared::gateways::{Credential, payjp};
use kessai_shared::ids::GatewayId;
use kessai_shared::merchant::{Gateway, GatewayMode, SharedWith};
use kessai_shared::ports::{Clock, HttpRequest, Method, Pending, Store};
use kessai_shared::stored::merchant::{decode_merchant, encode_merchant, merchant_key};
use kessai_shared::time::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::CARD;
use crate::in_process::InProcess;
use crate::runs::{keys_of_lane, lane_of, run_key};

/// What PAY.JP takes in a second of live mode.
const MOST: usize = 14;

/// Sales that are wanted at the same instant.
const SALES: usize = 20;

/// How far the clock goes on before those that were refused are asked for again.
const STEP: Duration = Duration::from_millis(100);

/// A clock that stands still until it is moved.
struct Hands(AtomicI64);

impl Hands {
    fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).expect("a short while"), Ordering::AcqRel);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Acquire))
    }

    fn sleep(&self, duration: Duration) -> Pending<'_, ()> {
        self.advance(duration);
        Box::pin(async {})
    }
}

/// A merchant with an account of live mode at the model.
struct Shop {
    world: InProcess,
    clock: Arc<Hands>,
    models_url: String,
    gateway: GatewayId,
}

impl Shop {
    async fn open() -> Self {
        let mut world = InProcess::new().await;
        let clock = Arc::new(Hands(AtomicI64::new(world.now().as_millis())));
        world.app.shell.clock = clock.clone();
        let model = line("payjp").expect("a model");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let models_url = format!("http://{}", listener.local_addr().expect("an address"));
        let models = vec![model.at(&models_url, &model.secret(&"0".repeat(64)))];
        let options = Options { models, receivers: Receivers::new(), clock: clock.clone() };
        tokio::spawn(serve(listener, options, pending()));

        let gateway = GatewayId::from_random([0x51; 16]);
        let member = |(name, text): &(&str, &str)| ((*name).to_owned(), Secret::new((*text).to_owned()));
        let members: BTreeMap<_, _> = model.credential.iter().map(member).collect();
        let credential = Credential::of(members, payjp::PAYJP.credential).expect("a credential");
        let keys = world.app.shell.sealing_keys.as_ref().expect("keys");
        let sealed = SharedWith::Gateway(gateway).seal(&world.merchant, keys, &credential.to_secret(), [7; 16]);
        let account = Gateway {
            sealed_credential: Some(sealed.expect("it is sealed")),
            // The model goes by the key, which is one of test mode so that it takes card numbers.
            mode: GatewayMode::Live,
            ..Gateway::at("payjp", format!("{models_url}/payjp"))
        };
        let stored = world.merchants.read(&merchant_key(&world.merchant)).await.expect("memory");
        let mut merchant = decode_merchant(stored.expect("the merchant")).expect("readable");
        merchant.gateways.insert(gateway, account);
        world.merchants.put(encode_merchant(&merchant));
        Self { world, clock, models_url, gateway }
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> HttpAnswer {
        let authorization = format!("Bearer {}", self.world.api_key.reveal());
        let headers =
            [("content-type", "application/json"), ("authorization", authorization.as_str()), ("idempotency-key", key)];
        self.world.request("POST", &format!("/commerce/payments/{path}"), &headers, body).await.0
    }

    /// What is paid with. It takes two requests, and a second later they do not count any more.
    async fn method(&self) -> Value {
        let card = json!({
            "cardNumber": CARD, "cardType": "Visa", "cardCategory": "CreditCard", "expiryMonth": 5, "expiryYear": 2030,
            "accountId": "001000000000001", "cardHolderName": "Carol Smith", "cardHolderFirstName": "Carol",
            "cardHolderLastName": "Smith", "cvv": "123",
        });
        let kept = json!({
            "cardPaymentMethod": card, "paymentGatewayId": self.gateway.to_string(), "email": "carol@example.com",
        });
        let made = self.post("payment-methods", "card", &kept).await;
        assert_eq!(made.status_code, 201, "{}", made.body);
        self.clock.advance(Duration::from_secs(1));
        json!({ "id": read(&made)["paymentMethod"]["id"] })
    }

    async fn sale(&self, key: &str, method: &Value) -> HttpAnswer {
        let body = json!({
            "accountId": "001000000000001", "amount": 1_000, "currencyIsoCode": "JPY",
            "paymentGatewayId": self.gateway.to_string(), "paymentMethod": method,
        });
        self.post("sales", key, &body).await
    }

    /// The names of ours under which the model has charged something.
    async fn charged(&self) -> Vec<String> {
        let url = format!("{}/ledger?model=payjp", self.models_url);
        let request = HttpRequest { method: Method::Get, url, headers: Vec::new(), body: Vec::new().into() };
        let ledger = self.world.app.shell.http.send(request, Duration::from_secs(60)).await.expect("the ledger");
        let ledger: Value = serde_json::from_slice(&ledger.body).expect("JSON");
        let effects = ledger["effects"].as_array().expect("effects").iter();
        effects.map(|effect| effect["reference"].as_str().expect("a name").to_owned()).collect()
    }
}

/// A lane, and how many it charges: twice as many as the gateway takes at the same instant, and as go side by side.
const LANE: u8 = 7;
const ITEMS: usize = 10;

impl Shop {
    /// Makes schedules under these keys, which are charged through this gateway, and has their lane charge them; how far
    /// that moved the clock, and the run as it stands then.
    async fn charge_by_one_lane(&self, keys: &[String], gateway: GatewayId, method: &Value) -> (Duration, Value) {
        let body = json!({
            "defaultPaymentAccountId": "001000000000001", "defaultPaymentMethodId": method["id"], "status": "Open",
            "paymentGatewayId": gateway.to_string(), "currencyIsoCode": "JPY",
            "items": [{ "requestedAmount": 1_000, "targetPaymentProcessingDate": "2020-01-01" }],
        });
        for key in keys {
            let made = self.post("payment-schedules", key, &body).await;
            assert_eq!(made.status_code, 201, "{}", made.body);
        }
        let started = read(&self.post("payment-batch-runs", &keys[0], &json!({})).await);
        let run = started["paymentBatchRun"]["id"].as_str().expect("an id");
        let mut elapsed = Duration::ZERO;
        for item in [run_key(&self.world, run), lane_of(&self.world, run, LANE)] {
            let before = self.clock.now();
            let deadline = before.plus(Duration::from_secs(25));
            look_at(&self.world.invocation(), item, deadline).await.unwrap_or_else(|refusal| panic!("{refusal}"));
            elapsed = self.clock.now().since(before);
        }
        let authorization = format!("Bearer {}", self.world.api_key.reveal());
        let path = format!("/commerce/payments/payment-batch-runs/{run}");
        let (shown, _) = self.world.request("GET", &path, &[("authorization", &authorization)], &Value::Null).await;
        (elapsed, read(&shown)["paymentBatchRun"].clone())
    }
}

fn read(answer: &HttpAnswer) -> Value {
    serde_json::from_str(&answer.body).expect("JSON")
}

#[tokio::test]
async fn what_is_over_a_gateways_limit_is_charged_once_when_the_same_key_comes_again() {
    let shop = Shop::open().await;
    let method = shop.method().await;
    let start = shop.clock.now();
    let wanted: Vec<String> = (0..SALES).map(|number| format!("order {number}")).collect();
    let (mut waiting, mut records, mut instants) = (wanted.clone(), BTreeSet::new(), Vec::new());
    while !waiting.is_empty() {
        let elapsed = shop.clock.now().since(start);
        assert!(elapsed < Duration::from_secs(5), "it never ends: {waiting:?}");
        let mut refused = Vec::new();
        for key in waiting {
            let answer = shop.sale(&key, &method).await;
            if answer.status_code == 201 {
                records.insert(read(&answer)["payment"]["id"].as_str().expect("an id").to_owned());
                instants.push(elapsed);
                continue;
            }
            assert_eq!(answer.status_code, 503, "{key}: {}", answer.body);
            assert_eq!(read(&answer)[0]["errorCode"], "GATEWAY_UNREACHABLE", "{key}");
            let wait_seconds: u64 = answer.headers["retry-after"].parse().expect("whole seconds");
            assert!(wait_seconds >= 1, "{key}: by then there is room");
            refused.push(key);
        }
        let charged = shop.charged().await;
        assert_eq!(charged.len(), instants.len(), "nothing is charged of what was refused");
        assert_eq!(charged.into_iter().collect::<BTreeSet<_>>(), records, "and nothing twice");
        waiting = refused;
        shop.clock.advance(STEP);
    }
    let in_second =
        |from: Duration| instants.iter().filter(|at| (from..from + Duration::from_secs(1)).contains(*at)).count();
    let busiest = instants.iter().map(|from| in_second(*from)).max().expect("some were charged");
    assert!((2..=MOST).contains(&busiest), "{busiest} in a second");
    assert!(in_second(Duration::ZERO) < SALES, "more was wanted than is taken");

    // However full the second is: who asks for the answer asks nothing of the gateway.
    for key in &wanted {
        let answer = shop.sale(key, &method).await;
        assert_eq!((answer.status_code, answer.headers["idempotent-replayed"].as_str()), (201, "true"), "{key}");
    }
    assert_eq!(shop.charged().await.len(), SALES);
}

#[tokio::test]
async fn a_run_waits_for_its_turns_at_a_gateway_with_a_limit_and_for_nothing_at_another() {
    let shop = Shop::open().await;
    let keys = keys_of_lane(&shop.world, LANE, 2 * ITEMS);
    let (limited, other) = keys.split_at(ITEMS);
    let method = shop.method().await;
    let (elapsed, run) = shop.charge_by_one_lane(limited, shop.gateway, &method).await;
    let counts = |run: &Value| {
        ["totalProcessedScheduleItems", "pendingScheduleItems", "totalFailedScheduleItems"]
            .map(|member| run[member].clone())
    };
    assert_eq!(counts(&run), [ITEMS, 0, 0].map(Value::from), "none is refused");
    assert_eq!(shop.charged().await.len(), ITEMS);
    // The only lane has all the turns there are.
    let apart = Duration::from_millis(1_000_u64.div_ceil(MOST as u64));
    assert_eq!(elapsed, apart * u32::try_from(ITEMS - 1).expect("few"));

    let at_the_sandbox = json!({
        "GatewayToken": method_id(0), "AccountId": "001000000000001",
        "PaymentGatewayId": shop.world.gateway.to_string(),
    });
    let authorization = format!("Bearer {}", shop.world.api_key.reveal());
    let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
    let (kept, _) = shop.world.request("POST", "/sobjects/SavedPaymentMethod", &headers, &at_the_sandbox).await;
    let (elapsed, run) = shop.charge_by_one_lane(other, shop.world.gateway, &read(&kept)).await;
    assert_eq!((counts(&run), elapsed), ([ITEMS, 0, 0].map(Value::from), Duration::ZERO));
}
