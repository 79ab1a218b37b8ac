//! The functions in this process, over stores that count, and over sandbox gateways.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use data_encoding::BASE64;
use kessai_functions::door::{App, Function, answer};
use kessai_functions::event::{HttpAnswer, HttpEvent};
use kessai_functions::lambda::watched;
use kessai_functions::local::clock::MovableClock;
use kessai_functions::local::identity::{everything, provider_id, providers};
use kessai_functions::local::routes::{Route, find, routes};
use kessai_functions::rates::GatewayRates;
use kessai_infra::http::HttpClient;
use kessai_infra::system::SystemEntropy;
use kessai_infra::watch::{Log, Watch};
use kessai_shared::card::Secret;
use kessai_shared::fingerprint::FingerprintKey;
use kessai_shared::ids::{ApiKeyId, GatewayId, MerchantId, ProviderId};
use kessai_shared::memory::{Memory, MemoryArchive, Meter};
use kessai_shared::merchant::{ApiKey, Gateway, Merchant, SealedSecret, SharedWith};
use kessai_shared::ports::Clock;
use kessai_shared::seal::SealingKeys;
use kessai_shared::shell::Shell;
use kessai_shared::stored::merchant::{Pointer, encode_merchant, encode_pointer, encode_provider_pointer};
use kessai_shared::time::Timestamp;
use kessai_shared::trace::TraceId;
use serde_json::{Value, json};

use crate::harness::{CARD, CLASSES, Sandbox, Scratch};

/// Of every request.
pub const TRACE: &str = "1-67891233-abcdef012345678912345678";

/// The keys that seal and those of fingerprints, in hexadecimal digits.
pub const SEALING_KEY: &str = "9d1c8e52f07ab36418c5d2e96f03b7a4580e21d97c4fb8633ea5109cd7f26b41";
pub const FINGERPRINT_KEY: [u8; 32] = *b"\x91\xe2\x37\x08\xbc\x5a\xf1\x6d\xd4\x29\x8e\xc3\x70\x1b\xa6\x5f\
    \x92\xe8\x04\xbd\x63\xfa\x17\xc9\x3e\xb5\x48\xd0\x86\x2c\xf7\x1a";

/// What the gateways of each provider sign their notices with.
pub const NOTICE_SECRET: &str = "notice_canary_4e1b70c96d";

/// The functions over stores that count, in this process.
pub struct InProcess {
    pub app: App,
    pub payments: Arc<Memory>,
    pub vault: Arc<Memory>,
    pub merchants: Arc<Memory>,
    pub schedules: Arc<Memory>,
    pub archive: Arc<MemoryArchive>,
    pub merchant: MerchantId,
    pub api_key: ApiKey,
    pub gateway: GatewayId,
    /// By the class of the sandbox behind them.
    pub gateways: BTreeMap<&'static str, GatewayId>,
    pub log: Log,
    lines: Arc<Mutex<Vec<String>>>,
    clock: Arc<MovableClock>,
    routes: Vec<Route>,
    sandbox: (Sandbox, Scratch),
}

/// What was asked of the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub payments: Meter,
    pub vault: Meter,
    pub merchants: Meter,
    pub schedules: Meter,
}

impl Spent {
    pub fn since(self, before: Self) -> Self {
        Self {
            payments: difference(self.payments, before.payments),
            vault: difference(self.vault, before.vault),
            merchants: difference(self.merchants, before.merchants),
            schedules: difference(self.schedules, before.schedules),
        }
    }
}

fn difference(after: Meter, before: Meter) -> Meter {
    Meter {
        reads: after.reads - before.reads,
        writes: after.writes - before.writes,
        write_units: after.write_units - before.write_units,
    }
}

/// The path of a class at the sandbox.
fn path(class: &str) -> String {
    class.to_lowercase().replace('_', "-")
}

/// The provider of the gateways of a class.
pub fn provider_of(merchant: &MerchantId, class: &str) -> ProviderId {
    provider_id(merchant, &format!("sandbox-{}", path(class))).unwrap_or_else(|error| panic!("{error:?}"))
}

fn sealed(merchant: &MerchantId, provider: ProviderId, keys: &SealingKeys) -> SealedSecret {
    let secret = Secret::new(NOTICE_SECRET.to_owned());
    let sealed = SharedWith::Provider(provider).seal(merchant, keys, &secret, [8; 16]).expect("it is sealed");
    SealedSecret { sealed, created_at: None, until: None, made: None }
}

/// Keeps to what gateways take, where they document that.
fn limiter(merchants: &Arc<Memory>) -> GatewayRates {
    GatewayRates { rates: Arc::default(), store: merchants.clone() }
}

impl InProcess {
    pub async fn new() -> Self {
        let scratch = Scratch::new();
        let sandbox = Sandbox::start(scratch.path());
        let [payments, vault, merchants, schedules] = [(); 4].map(|()| Arc::new(Memory::default()));
        let (merchant, api_key) = (MerchantId::from_random([1; 16]), ApiKey::from_random([0x3d; 16], [0x4b; 16]));
        let clock = Arc::new(MovableClock::open(None).expect("a clock"));
        let gateways: BTreeMap<_, _> = (2..).zip(CLASSES).map(|(n, c)| (c, GatewayId::from_random([n; 16]))).collect();
        let mut set_up = Merchant::new(merchant, "Test");
        let sealing_keys = SealingKeys::parse(&format!("k1:{SEALING_KEY}")).expect("keys");
        for (id, mut provider) in providers(&merchant).unwrap_or_else(|error| panic!("{error:?}")) {
            provider.notice_secrets.push(sealed(&merchant, id, &sealing_keys));
            set_up.providers.insert(id, provider);
            merchants.put(encode_provider_pointer(&id, &merchant));
        }
        for (class, id) in &gateways {
            let path = path(class);
            let gateway = Gateway {
                provider: Some(provider_of(&merchant, class)),
                ..Gateway::at(format!("sandbox-{path}"), format!("{}/{path}", sandbox.url()))
            };
            set_up.gateways.insert(*id, gateway);
        }
        let key_id = ApiKeyId::from_random([6; 16]);
        set_up.api_keys.insert(key_id, everything(&api_key, "Test", clock.now()));
        merchants.put(encode_pointer(&api_key.hash(), Pointer { merchant, key: Some(key_id) }));
        merchants.put(encode_merchant(&set_up));
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let (printed, archive) = (Arc::clone(&lines), Arc::new(MemoryArchive::default()));
        let out = move |line: &str| printed.lock().expect("the lines").push(line.to_owned());
        let log = Log { function: "test", stage: Some("test".to_owned()), clock: clock.clone(), out: Arc::new(out) };
        let shell = Shell {
            store: payments.clone(),
            http: Arc::new(HttpClient::new().expect("a client")),
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            journal: Watch::new(&log, String::new(), None),
            fingerprint_key: Some(Arc::new(FingerprintKey::new(FINGERPRINT_KEY))),
            vault: Some(vault.clone()),
            sealing_keys: Some(Arc::new(sealing_keys)),
            limiter: Some(Arc::new(limiter(&merchants))),
        };
        let app = App {
            shell,
            directory: merchants.clone(),
            merchants: merchants.clone(),
            rates: Arc::default(),
            archive: Some(archive.clone()),
            schedules: Some(schedules.clone()),
            tells_bus: false,
            takes_loopback: true,
        };
        let (gateway, routes) = (gateways["KEYED"], routes().unwrap_or_else(|error| panic!("{error:?}")));
        Self {
            app,
            payments,
            vault,
            merchants,
            schedules,
            archive,
            merchant,
            api_key,
            gateway,
            gateways,
            log,
            lines,
            clock,
            routes,
            sandbox: (sandbox, scratch),
        }
    }

    pub fn sandbox_url(&self) -> &str {
        self.sandbox.0.url()
    }

    /// Moves the clock forward.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by).await.expect("nothing rests");
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// As much time as a function has.
    pub fn deadline(&self) -> Timestamp {
        self.clock.now().plus(Duration::from_secs(25))
    }

    pub fn spent(&self) -> Spent {
        Spent {
            payments: self.payments.meter(),
            vault: self.vault.meter(),
            merchants: self.merchants.meter(),
            schedules: self.schedules.meter(),
        }
    }

    /// The function that a request goes to, and the request as it gets there; none where no route leads anywhere.
    pub fn routed(&self, method: &str, path: &str, mut event: HttpEvent) -> Option<(&'static Function, HttpEvent)> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (route, parameters) = find(&self.routes, method, path)?;
        event.route_key = format!("{method} {}", route.path);
        event.path_parameters = parameters;
        path.clone_into(&mut event.raw_path);
        query.clone_into(&mut event.raw_query_string);
        path.clone_into(&mut event.request_context.http.path);
        Some((route.function, event))
    }

    /// Asks whatever the path leads to, with these headers alone, and counts what that cost.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> (HttpAnswer, Spent) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut event = self.event(body.as_bytes());
        event.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (function, event) = self.routed(method, path, event).unwrap_or_else(|| panic!("no route: {method} {path}"));
        let before = self.spent();
        let (answer, _) = self.send(function, &event).await;
        (answer, self.spent().since(before))
    }

    /// The same functions for one invocation.
    pub fn invocation(&self) -> App {
        watched(&self.app, &Watch::new(&self.log, "request".to_owned(), TraceId::parse(TRACE)))
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
        let answer = answer(&self.invocation(), function, event, self.deadline()).await;
        (answer, difference(self.payments.meter(), before))
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
