//! What an operation costs, counted: writes, reads and write units of the payments table.

use std::collections::BTreeMap;
use std::sync::Arc;

use kessai_functions::door::{App, Function, answer};
use kessai_functions::event::{HttpAnswer, HttpEvent};
use kessai_functions::{authorize, capture, refund, sale};
use kessai_infra::http::HttpClient;
use kessai_infra::system::{SystemClock, SystemEntropy};
use kessai_shared::fingerprint::FingerprintKey;
use kessai_shared::ids::{GatewayId, MerchantId};
use kessai_shared::memory::{Memory, Meter};
use kessai_shared::merchant::{AUTHORIZATION_LIFETIME, ApiKey, Gateway, Merchant};
use kessai_shared::payment::BalanceCheck;
use kessai_shared::ports::{Clock, Expected, Store};
use kessai_shared::shell::Shell;
use kessai_shared::stored::merchant::{encode_api_key, encode_merchant};
use serde_json::{Value, json};

use crate::harness::{CARD, Sandbox, Scratch};

/// The functions over stores that count, in this process.
struct Bench {
    app: App,
    payments: Arc<Memory>,
    api_key: ApiKey,
    gateway: GatewayId,
    _sandbox: (Sandbox, Scratch),
}

impl Bench {
    async fn new() -> Self {
        let scratch = Scratch::new();
        let sandbox = Sandbox::start(scratch.path());
        let (payments, merchants) = (Arc::new(Memory::default()), Memory::default());
        let (merchant, gateway) = (MerchantId::from_random([1; 16]), GatewayId::from_random([2; 16]));
        let api_key = ApiKey::from_random([3; 16], [4; 16]);
        let set_up = Merchant {
            id: merchant,
            name: "Test".to_owned(),
            default_currency: None,
            gateways: BTreeMap::from([(
                gateway,
                Gateway {
                    name: "Sandbox".to_owned(),
                    adapter: "sandbox-keyed".to_owned(),
                    base_url: format!("{}/keyed", sandbox.url()),
                    balance_check: BalanceCheck::Strict,
                    authorization_lifetime: AUTHORIZATION_LIFETIME,
                },
            )]),
        };
        for item in [encode_api_key(&api_key.hash(), &merchant), encode_merchant(&set_up)] {
            merchants.write(&item, Expected::Absent).await.expect("memory does not fail");
        }
        let shell = Shell {
            store: payments.clone(),
            http: Arc::new(HttpClient::new().expect("a client")),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            fingerprint_key: Arc::new(FingerprintKey::new([5; 32])),
        };
        let app = App { shell, directory: Arc::new(merchants) };
        Self { app, payments, api_key, gateway, _sandbox: (sandbox, scratch) }
    }

    /// Asks, and counts what that cost.
    async fn ask(&self, function: &Function, id: Option<(&str, &str)>, key: &str, body: Value) -> (HttpAnswer, Meter) {
        let before = self.payments.meter();
        let event = HttpEvent {
            headers: BTreeMap::from([
                ("authorization".to_owned(), format!("Bearer {}", self.api_key.reveal())),
                ("content-type".to_owned(), "application/json".to_owned()),
                ("idempotency-key".to_owned(), key.to_owned()),
            ]),
            path_parameters: id.into_iter().map(|(name, id)| (name.to_owned(), id.to_owned())).collect(),
            body: Some(body.to_string().into()),
            ..HttpEvent::default()
        };
        let deadline = SystemClock.now().plus(std::time::Duration::from_secs(25));
        let answer = answer(&self.app, function, &event, deadline).await;
        let after = self.payments.meter();
        let spent = Meter {
            reads: after.reads - before.reads,
            writes: after.writes - before.writes,
            write_units: after.write_units - before.write_units,
        };
        (answer, spent)
    }

    fn opening(&self) -> Value {
        json!({
            "accountId": "001000000000001AAA", "amount": 5000, "currencyIsoCode": "USD",
            "effectiveDate": "2026-08-01T00:00:00.000Z", "comments": "Authorize order 801",
            "paymentGatewayId": self.gateway.to_string(),
            "paymentGroup": { "createPaymentGroup": true, "sourceObjectId": "801000000000001AAA", "currencyIsoCode": "USD" },
            "paymentMethod": { "cardPaymentMethod": {
                "cardHolderName": "Carol Smith", "cardNumber": CARD, "cardType": "Visa", "cardCategory": "CreditCard",
                "expiryMonth": 5, "expiryYear": 2030, "cvv": "000",
            } },
            "ipAddress": "202.95.77.70", "email": "test@example.org", "phone": "100-456-67",
            "additionalData": { "key1": "value1" },
        })
    }
}

fn id(answer: &HttpAnswer, record: &str) -> String {
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    body[record]["id"].as_str().unwrap_or_else(|| panic!("no {record} in {}", answer.body)).to_owned()
}

#[tokio::test]
async fn an_operation_costs_two_writes_and_a_duplicate_at_most_one() {
    let bench = Bench::new().await;
    let (authorized, spent) = bench.ask(&authorize::FUNCTION, None, "a", bench.opening()).await;
    assert_eq!(authorized.status_code, 201, "{}", authorized.body);
    assert_eq!(spent, Meter { reads: 0, writes: 2, write_units: 2 }, "an authorization of a typical request");

    let (again, spent) = bench.ask(&authorize::FUNCTION, None, "a", bench.opening()).await;
    assert_eq!(again.body, authorized.body);
    assert_eq!(spent, Meter { reads: 0, writes: 1, write_units: 1 }, "its duplicate");

    let (_, spent) = bench.ask(&sale::FUNCTION, None, "s", bench.opening()).await;
    assert_eq!(spent, Meter { reads: 0, writes: 2, write_units: 2 }, "a sale");

    let authorization = id(&authorized, "paymentAuthorization");
    let to = Some(("authorizationId", authorization.as_str()));
    let (captured, spent) = bench.ask(&capture::FUNCTION, to, "c", json!({ "amount": 100 })).await;
    assert_eq!(spent, Meter { reads: 1, writes: 2, write_units: 2 }, "a capture: {}", captured.body);

    let (_, spent) = bench.ask(&capture::FUNCTION, to, "c", json!({ "amount": 100 })).await;
    assert_eq!(spent, Meter { reads: 1, writes: 0, write_units: 0 }, "its duplicate");
    let (_, spent) = bench.ask(&capture::FUNCTION, to, "d", json!({ "amount": 5000 })).await;
    assert_eq!(spent, Meter { reads: 1, writes: 0, write_units: 0 }, "a refused capture");

    let payment = id(&captured, "payment");
    let to = Some(("paymentId", payment.as_str()));
    let (refunded, spent) = bench.ask(&refund::FUNCTION, to, "r", json!({})).await;
    assert_eq!(refunded.status_code, 201, "{}", refunded.body);
    assert_eq!(spent, Meter { reads: 1, writes: 2, write_units: 2 }, "a refund");
}
