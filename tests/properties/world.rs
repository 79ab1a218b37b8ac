//! The functions in this process, over a store in memory, and a gateway that says what it is told to.
//! Its clock stands still and its chance counts.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use kessai_functions::FUNCTIONS;
use kessai_functions::door::{App, Function, answer};
use kessai_functions::event::{HttpAnswer, HttpEvent};
use kessai_functions::notice::{Taken, take};
use kessai_functions::sandbox::{SIGNATURE_HEADER, envelope, ping};
use kessai_shared::card::Secret;
use kessai_shared::fingerprint::FingerprintKey;
use kessai_shared::gateways::Notice;
use kessai_shared::ids::{ApiKeyId, GatewayId, MethodId, Ordinal, PaymentId, ProviderId, Record};
use kessai_shared::memory::{Memory, MemoryArchive};
use kessai_shared::merchant::{
    ApiKey, DeveloperName, Gateway, ListedKey, Merchant, Provider, Scope, SealedSecret, SharedWith,
};
use kessai_shared::method::Method;
use kessai_shared::ports::{
    Clock, Entropy, Expected, Http, HttpFault, HttpRequest, HttpResponse, Journal, Note, Pending, Store,
};
use kessai_shared::seal::SealingKeys;
use kessai_shared::shell::Shell;
use kessai_shared::stored::Item;
use kessai_shared::stored::merchant::{Pointer, encode_merchant, encode_pointer, encode_provider_pointer};
use kessai_shared::stored::method::StoredMethod;
use kessai_shared::time::Timestamp;
use serde_json::Value;

use crate::fixtures::{START, gateway, key, merchant};

/// The samples of `events/`, in the order of [`FUNCTIONS`].
pub const SAMPLES: [&str; 14] = [
    include_str!("../../events/authorize.json"),
    include_str!("../../events/capture.json"),
    include_str!("../../events/reverse.json"),
    include_str!("../../events/sale.json"),
    include_str!("../../events/post-auth.json"),
    include_str!("../../events/refund.json"),
    include_str!("../../events/tokenize.json"),
    include_str!("../../events/retrieve.json"),
    include_str!("../../events/events.json"),
    include_str!("../../events/set-up.json"),
    include_str!("../../events/retry-rules.json"),
    include_str!("../../events/schedulers.json"),
    include_str!("../../events/schedules.json"),
    include_str!("../../events/notify-webhook.json"),
];

/// The place of `notify-webhook` among them.
pub const NOTIFY: usize = 13;

/// What the samples call by name.
const API_KEY: &str = "kessai_0000000000000000000000000000000000000000000000000000000000000000";
pub const GATEWAY: &str = "0b0000000000001";
pub const PROVIDER: &str = "0cJ000000000001";

/// What the provider's gateways sign their notices with.
pub const NOTICE_SECRET: &str = "whsec_properties";

pub struct World {
    app: App,
    set_up: Merchant,
    payments: Arc<Memory>,
    merchants: Arc<Memory>,
    vault: Arc<Memory>,
    schedules: Arc<Memory>,
}

impl World {
    /// `gateway_says` is a status and a body, in which `@` stands for the reference of what was asked.
    pub fn new(gateway_says: (u16, &'static str)) -> Self {
        let (payments, merchants) = (Arc::new(Memory::default()), Arc::new(Memory::default()));
        let id = GatewayId::parse(GATEWAY).expect("a gateway id");
        let keys = SealingKeys::parse(&format!("k1:{}", "09".repeat(32))).expect("keys");
        let provider_id = ProviderId::parse(PROVIDER).expect("a provider id");
        let sandbox = Gateway { provider: Some(provider_id), ..gateway("sandbox-keyed", "http://sandbox.test/keyed") };
        let gateways = BTreeMap::from([(id, sandbox)]);
        let api_key = ApiKey::parse(API_KEY).expect("an API key");
        let key_id = ApiKeyId::from_random([3; 16]);
        let listed = ListedKey {
            name: "Test".to_owned(),
            hash: api_key.hash(),
            scopes: Scope::ALL.into(),
            created_at: START,
            expires_at: None,
            revoked_at: None,
            requests_per_second: None,
            made: None,
        };
        let set_up = Merchant {
            gateways,
            providers: [(provider_id, provider(provider_id, &keys))].into(),
            api_keys: [(key_id, listed)].into(),
            ..Merchant::new(merchant(), "Test")
        };
        let pointer = Pointer { merchant: merchant(), key: Some(key_id) };
        let pointers = [encode_pointer(&api_key.hash(), pointer), encode_provider_pointer(&provider_id, &merchant())];
        for item in pointers.into_iter().chain([encode_merchant(&set_up)]) {
            at_once(merchants.write(item, Expected::Absent)).expect("memory does not fail");
        }
        let vault = Arc::new(Memory::default());
        vault.put(method(&keys));
        let schedules = Arc::new(Memory::default());
        let shell = Shell {
            store: payments.clone(),
            http: Arc::new(Canned(gateway_says)),
            clock: Arc::new(Still),
            entropy: Arc::new(Counter(AtomicU64::new(1))),
            journal: Arc::new(Mute),
            fingerprint_key: Some(Arc::new(FingerprintKey::new([5; 32]))),
            vault: Some(vault.clone()),
            sealing_keys: Some(Arc::new(keys)),
            limiter: None,
        };
        let app = App {
            shell,
            directory: merchants.clone(),
            merchants: merchants.clone(),
            rates: Arc::default(),
            archive: Some(Arc::new(MemoryArchive::default())),
            schedules: Some(schedules.clone()),
            tells_bus: false,
            takes_loopback: false,
        };
        Self { app, set_up, payments, merchants, vault, schedules }
    }

    pub fn ask(&self, function: &Function, event: &HttpEvent) -> HttpAnswer {
        at_once(answer(&self.app, function, event, START.plus(Duration::from_secs(25))))
    }

    /// A gateway of this provider's tells this, found genuine.
    pub fn tell(&self, provider: ProviderId, notice: Notice) -> Taken {
        let taken = take(&self.app, &self.set_up, provider, notice, START.plus(Duration::from_secs(25)));
        at_once(taken).expect("nothing hinders it")
    }

    /// Asks what the sample of this function asks.
    pub fn ask_sample(&self, function: usize) -> HttpAnswer {
        self.ask(FUNCTIONS[function], &sample(function))
    }

    /// Items written of what merchants have set up.
    pub fn set_up_writes(&self) -> u64 {
        self.merchants.meter().writes
    }

    pub fn items(&self) -> Vec<Item> {
        self.payments.items()
    }

    /// Everything that rests of payments, methods and what recurs.
    pub fn rests(&self) -> [Vec<Item>; 3] {
        [self.payments.items(), self.vault.items(), self.schedules.items()]
    }
}

fn provider(id: ProviderId, keys: &SealingKeys) -> Provider {
    let secret = Secret::new(NOTICE_SECRET.to_owned());
    let sealed = SharedWith::Provider(id).seal(&merchant(), keys, &secret, [7; 16]).expect("sealed");
    Provider {
        developer_name: DeveloperName::parse("Sandbox").expect("a name"),
        master_label: "Sandbox".to_owned(),
        idempotency_supported: true,
        adapter: "sandbox-keyed".to_owned(),
        comments: None,
        notice_secrets: vec![SealedSecret { sealed, created_at: None, until: None, made: None }],
        made: None,
    }
}

/// The stored method that the samples pay with.
fn method(keys: &SealingKeys) -> Item {
    let id = MethodId::parse("03O000000000000").expect("a method id");
    let mut method = Method::of_token(merchant(), id, key("method"), START);
    let token = Secret::new("tok_1".to_owned());
    method.token = Some(method.at_its_place(|place| keys.seal(place, &token, [7; 16])).expect("sealed"));
    StoredMethod::following(None, method).to_item()
}

/// The sample of a function, about what the samples of `authorize` and `sale` open.
pub fn sample(function: usize) -> HttpEvent {
    let mut event: HttpEvent = serde_json::from_str(SAMPLES[function]).expect("an event");
    let id =
        |record: Record, name| record.id(PaymentId::opened_by(&merchant(), &key(name)), Ordinal::FIRST).to_string();
    for (parameter, value) in &mut event.path_parameters {
        match parameter.as_str() {
            "authorizationId" => *value = id(Record::Authorization, "order-801-authorize"),
            "paymentId" => *value = id(Record::Payment, "order-801-sale"),
            // It leads to nothing, and to no fault either.
            "version" | "eventId" => {}
            other => panic!("{other} is no parameter of a sample"),
        }
    }
    if function == NOTIFY {
        let told = envelope([&ping()], &[NOTICE_SECRET], START.as_millis());
        event.headers.insert(SIGNATURE_HEADER.to_owned(), told.signature);
        event.body = Some(told.body.into());
    }
    event
}

struct Canned((u16, &'static str));

impl Http for Canned {
    fn send<'a>(&'a self, request: HttpRequest, _: Duration) -> Pending<'a, Result<HttpResponse, HttpFault>> {
        let (status, body) = self.0;
        let asked = serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
        let body = body.replace('@', asked["reference"].as_str().unwrap_or_default());
        Box::pin(async move { Ok(HttpResponse { status, body: body.into_bytes() }) })
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        START
    }

    fn sleep(&self, _: Duration) -> Pending<'_, ()> {
        Box::pin(async {})
    }
}

struct Counter(AtomicU64);

impl Entropy for Counter {
    fn bytes(&self) -> [u8; 16] {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed)).to_be_bytes()
    }
}

struct Mute;

impl Journal for Mute {
    fn note(&self, _: &Note<'_>) {}
}

/// What comes of a future in a world in which nothing has to be waited for.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("something waits"),
    }
}
