//! The functions in this process, over stores that count, and over sandbox gateways.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use kessai_functions::door::{App, Function, answer};
use kessai_functions::event::{HttpAnswer, HttpEvent};
use kessai_functions::lambda::watched;
use kessai_infra::http::HttpClient;
use kessai_infra::system::{SystemClock, SystemEntropy};
use kessai_infra::watch::{Log, Watch};
use kessai_shared::fingerprint::FingerprintKey;
use kessai_shared::ids::{GatewayId, MerchantId};
use kessai_shared::memory::{Memory, Meter};
use kessai_shared::merchant::{ApiKey, Gateway, Merchant};
use kessai_shared::ports::{Clock, Expected, Store};
use kessai_shared::seal::SealingKeys;
use kessai_shared::shell::Shell;
use kessai_shared::stored::merchant::{encode_api_key, encode_merchant};
use kessai_shared::trace::TraceId;
use serde_json::{Value, json};

use crate::harness::{CARD, Sandbox, Scratch};

/// Of every request.
pub const TRACE: &str = "1-67891233-abcdef012345678912345678";

/// The functions over stores that count, in this process.
pub struct InProcess {
    app: App,
    pub payments: Arc<Memory>,
    pub vault: Arc<Memory>,
    api_key: ApiKey,
    pub gateway: GatewayId,
    log: Log,
    lines: Arc<Mutex<Vec<String>>>,
    _sandbox: (Sandbox, Scratch),
}

impl InProcess {
    pub async fn new() -> Self {
        let scratch = Scratch::new();
        let sandbox = Sandbox::start(scratch.path());
        let [payments, vault, merchants] = [(); 3].map(|()| Arc::new(Memory::default()));
        let (merchant, gateway) = (MerchantId::from_random([1; 16]), GatewayId::from_random([2; 16]));
        let api_key = ApiKey::from_random([3; 16], [4; 16]);
        let sandboxed = Gateway::at("sandbox-keyed", format!("{}/keyed", sandbox.url()));
        let gateways = BTreeMap::from([(gateway, sandboxed)]);
        let set_up = Merchant { gateways, ..Merchant::new(merchant, "Test") };
        for item in [encode_api_key(&api_key.hash(), &merchant), encode_merchant(&set_up)] {
            merchants.write(item, Expected::Absent).await.expect("memory does not fail");
        }
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let printed = Arc::clone(&lines);
        let out = move |line: &str| printed.lock().expect("the lines").push(line.to_owned());
        let log =
            Log { function: "test", stage: Some("test".to_owned()), clock: Arc::new(SystemClock), out: Arc::new(out) };
        let shell = Shell {
            store: payments.clone(),
            http: Arc::new(HttpClient::new().expect("a client")),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            journal: Watch::new(&log, String::new(), None),
            fingerprint_key: Some(Arc::new(FingerprintKey::new([5; 32]))),
            vault: Some(vault.clone()),
            sealing_keys: SealingKeys::parse(&format!("k1:{}", "09".repeat(32))).map(Arc::new),
        };
        let app = App { shell, directory: merchants.clone(), merchants, rates: Arc::default(), takes_loopback: true };
        Self { app, payments, vault, api_key, gateway, log, lines, _sandbox: (sandbox, scratch) }
    }

    /// Asks, and counts what that cost.
    pub async fn ask(
        &self,
        function: &Function,
        id: Option<(&str, &str)>,
        key: &str,
        body: Value,
    ) -> (HttpAnswer, Meter) {
        let mut event = self.event(body.to_string().as_bytes());
        event.headers.insert("idempotency-key".to_owned(), key.to_owned());
        event.path_parameters.extend(id.map(|(name, id)| (name.to_owned(), id.to_owned())));
        self.send(function, &event).await
    }

    /// A request with this body, as bytes: they arrive in base 64.
    pub fn event(&self, body: &[u8]) -> HttpEvent {
        HttpEvent {
            headers: BTreeMap::from([
                ("authorization".to_owned(), format!("Bearer {}", self.api_key.reveal())),
                ("content-type".to_owned(), "application/json".to_owned()),
            ]),
            body: Some(BASE64.encode(body).into()),
            is_base64_encoded: true,
            ..HttpEvent::default()
        }
    }

    pub async fn send(&self, function: &Function, event: &HttpEvent) -> (HttpAnswer, Meter) {
        let before = self.payments.meter();
        let deadline = SystemClock.now().plus(std::time::Duration::from_secs(25));
        let watch = Watch::new(&self.log, "request".to_owned(), TraceId::parse(TRACE));
        let answer = answer(&watched(&self.app, &watch), function, event, deadline).await;
        let after = self.payments.meter();
        let spent = Meter {
            reads: after.reads - before.reads,
            writes: after.writes - before.writes,
            write_units: after.write_units - before.write_units,
        };
        (answer, spent)
    }

    /// What was logged since somebody last looked.
    pub fn lines(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().expect("the lines"))
    }

    pub fn opening(&self) -> Value {
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
