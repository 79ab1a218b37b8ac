//! Who may come in, how often, and what that costs: the door in this process, over a store that counts and a clock that
//! is moved.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use kessai_functions::door::{App, Function, answer};
use kessai_functions::event::{HttpAnswer, HttpEvent};
use kessai_functions::{retrieve, set_up};
use kessai_infra::directory::Cached;
use kessai_infra::http::HttpClient;
use kessai_infra::system::SystemEntropy;
use kessai_infra::watch::{Log, Watch};
use kessai_shared::ids::{ApiKeyId, EndpointId, GatewayId, MerchantId, ProviderId};
use kessai_shared::memory::{Memory, Meter};
use kessai_shared::merchant::{ApiKey, ListedKey, Merchant, Scope};
use kessai_shared::ports::{Clock, Directory, Expected, Pending, Store, StoreFault, Written};
use kessai_shared::seal::{Place, SealingKeys};
use kessai_shared::shell::Shell;
use kessai_shared::stored::Item;
use kessai_shared::stored::merchant::{
    Pointer, decode_merchant, encode_api_key, encode_merchant, encode_pointer, merchant_key,
};
use kessai_shared::time::Timestamp;
use serde_json::Value;

const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// A clock that stands still until it is moved.
#[derive(Default)]
struct Hands(AtomicI64);

impl Hands {
    fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(START.as_millis() + self.0.load(Ordering::SeqCst))
    }

    fn sleep(&self, _: Duration) -> Pending<'_, ()> {
        Box::pin(async {})
    }
}

/// A table of merchants that counts, and that can be broken for writes.
#[derive(Clone, Default)]
struct Table {
    memory: Arc<Memory>,
    is_broken: Arc<AtomicBool>,
}

impl Store for Table {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        self.memory.read(key)
    }

    fn write(&self, item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        match self.is_broken.load(Ordering::SeqCst) {
            true => Box::pin(async { Err(StoreFault("down".into())) }),
            false => self.memory.write(item, expected),
        }
    }
}

impl Directory for Table {
    fn find<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        self.memory.find(key)
    }
}

fn merchant_id() -> MerchantId {
    MerchantId::from_random([1; 16])
}

fn key_id(seed: u8) -> ApiKeyId {
    ApiKeyId::from_random([seed; 16])
}

fn api_key(seed: u8) -> ApiKey {
    ApiKey::from_random([seed; 16], [0; 16])
}

fn listed(seed: u8) -> ListedKey {
    ListedKey {
        name: format!("key {seed}"),
        hash: api_key(seed).hash(),
        scopes: Scope::ALL.into(),
        created_at: START,
        expires_at: None,
        revoked_at: None,
        requests_per_second: None,
        made: None,
    }
}

struct Door {
    table: Table,
    clock: Arc<Hands>,
    app: App,
}

impl Door {
    /// To a merchant with these keys, each with a pointer of its own.
    async fn to(keys: impl IntoIterator<Item = (u8, ListedKey)>) -> Self {
        let table = Table::default();
        let mut merchant = Merchant::new(merchant_id(), "Shop");
        for (seed, key) in keys {
            let pointer = encode_pointer(&key.hash, Pointer { merchant: merchant.id, key: Some(key_id(seed)) });
            table.write(pointer, Expected::Absent).await.expect("memory");
            merchant.api_keys.insert(key_id(seed), key);
        }
        table.write(encode_merchant(&merchant), Expected::Absent).await.expect("memory");
        let clock = Arc::new(Hands::default());
        let app = Self::process(&table, &clock);
        Self { table, clock, app }
    }

    /// One process among many.
    fn process(table: &Table, clock: &Arc<Hands>) -> App {
        let log = Log { function: "test", stage: None, clock: clock.clone(), out: Arc::new(|_: &str| {}) };
        let shell = Shell {
            store: Arc::new(Memory::default()),
            http: Arc::new(HttpClient::new().expect("a client")),
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            journal: Watch::new(&log, String::new(), None),
            fingerprint_key: None,
            vault: None,
            sealing_keys: SealingKeys::parse(&format!("a:{}", "07".repeat(32))).map(Arc::new),
            limiter: None,
        };
        App {
            shell,
            directory: Arc::new(Cached::new(table.clone(), clock.clone())),
            merchants: Arc::new(table.clone()),
            rates: Arc::default(),
            archive: None,
            schedules: None,
            tells_bus: false,
            takes_loopback: false,
        }
    }

    async fn change(&self, change: impl FnOnce(&mut Merchant)) {
        let item = self.table.memory.read(&merchant_key(&merchant_id())).await.expect("memory").expect("a merchant");
        let mut merchant = decode_merchant(item).expect("a merchant");
        let version = merchant.version;
        change(&mut merchant);
        merchant.version += 1;
        let written = self.table.memory.write(encode_merchant(&merchant), Expected::Version(version)).await;
        assert_eq!(written.expect("memory"), Written::Done);
    }

    async fn ask_of(&self, app: &App, function: &Function, key: &ApiKey, route: &str, id: (&str, &str)) -> HttpAnswer {
        let event = HttpEvent {
            route_key: route.to_owned(),
            headers: BTreeMap::from([("authorization".to_owned(), format!("Bearer {}", key.reveal()))]),
            path_parameters: BTreeMap::from([(id.0.to_owned(), id.1.to_owned())]),
            body: Some("{}".to_owned().into()),
            ..HttpEvent::default()
        };
        answer(app, function, &event, self.clock.now().plus(Duration::from_secs(25))).await
    }

    /// Reads a payment that is not there: 404 where it may.
    async fn knock_at(&self, app: &App, key: &ApiKey) -> HttpAnswer {
        self.ask_of(app, &retrieve::FUNCTION, key, "", ("paymentId", "0aQ000000000001")).await
    }

    async fn knock(&self, key: &ApiKey) -> u16 {
        self.knock_at(&self.app, key).await.status_code
    }

    /// What a request of the set-up function answers, and what it asked of the store.
    async fn set_up(&self, route: &str, id: (&str, &str)) -> (u16, String, Meter) {
        let before = self.table.memory.meter();
        let answer = self.ask_of(&self.app, &set_up::FUNCTION, &api_key(1), route, id).await;
        (answer.status_code, answer.body, spent(before, self.table.memory.meter()))
    }
}

fn spent(before: Meter, after: Meter) -> Meter {
    Meter {
        reads: after.reads - before.reads,
        writes: after.writes - before.writes,
        write_units: after.write_units - before.write_units,
    }
}

#[tokio::test]
async fn a_key_without_a_limit_costs_two_reads_a_minute_and_no_write() {
    let door = Door::to([(1, listed(1))]).await;
    let before = door.table.memory.meter();
    for _ in 0..100 {
        assert_eq!(door.knock(&api_key(1)).await, 404);
    }
    assert_eq!(spent(before, door.table.memory.meter()), Meter { reads: 2, writes: 0, write_units: 0 });
}

#[tokio::test]
async fn whatever_is_wrong_with_a_key_it_looks_the_same() {
    let revoked = ListedKey { revoked_at: Some(START), ..listed(2) };
    let ended = ListedKey { expires_at: Some(START), ..listed(3) };
    let door = Door::to([(1, listed(1)), (2, revoked), (3, ended)]).await;
    // It leads to the merchant, which does not list it.
    let forgotten = encode_pointer(&api_key(4).hash(), Pointer { merchant: merchant_id(), key: Some(key_id(4)) });
    // It leads to a merchant that is gone.
    let orphan = encode_api_key(&api_key(5).hash(), &MerchantId::from_random([9; 16]));
    for item in [forgotten, orphan] {
        door.table.write(item, Expected::Absent).await.expect("memory");
    }
    let unknown = door.knock_at(&door.app, &api_key(99)).await;
    assert_eq!(unknown.status_code, 401);
    for seed in [2, 3, 4, 5] {
        assert_eq!(door.knock_at(&door.app, &api_key(seed)).await, unknown, "key {seed}");
    }
    let malformed = ApiKey::parse("kessai_").expect("a text");
    assert_eq!(door.knock_at(&door.app, &malformed).await, unknown);
    assert_eq!(door.knock(&api_key(1)).await, 404);
}

#[tokio::test]
async fn a_key_of_an_earlier_version_may_do_everything_but_set_up() {
    let door = Door::to([(1, listed(1))]).await;
    let unlisted = encode_api_key(&api_key(7).hash(), &merchant_id());
    door.table.write(unlisted, Expected::Absent).await.expect("memory");
    for function in kessai_functions::FUNCTIONS {
        let answer = door.ask_of(&door.app, function, &api_key(7), "GET /set-up", ("paymentId", "x")).await;
        assert_eq!(
            answer.status_code == 403,
            ["set-up", "retry-rules"].contains(&function.name),
            "{}: {}",
            function.name,
            answer.body
        );
        assert_ne!(answer.status_code, 401);
    }
    // Listed, it is a key like any other.
    door.change(|merchant| {
        merchant.api_keys.insert(key_id(7), ListedKey { revoked_at: Some(START), ..listed(7) });
    })
    .await;
    door.clock.advance(60_000);
    assert_eq!(door.knock(&api_key(7)).await, 401);
}

#[tokio::test]
async fn a_key_that_is_made_works_at_once_and_one_that_is_revoked_for_a_minute_more() {
    let door = Door::to([(1, listed(1))]).await;
    assert_eq!(door.knock(&api_key(1)).await, 404);
    let pointer = Pointer { merchant: merchant_id(), key: Some(key_id(2)) };
    door.table.write(encode_pointer(&api_key(2).hash(), pointer), Expected::Absent).await.expect("memory");
    assert_eq!(door.knock(&api_key(2)).await, 401, "what nobody lists opens nothing");
    door.change(|merchant| {
        merchant.api_keys.insert(key_id(2), listed(2));
        merchant.api_keys.insert(key_id(1), ListedKey { revoked_at: Some(START), ..listed(1) });
    })
    .await;
    assert_eq!(door.knock(&api_key(2)).await, 404);
    door.clock.advance(59_999);
    assert_eq!(door.knock(&api_key(1)).await, 404);
    assert_eq!(door.set_up("GET /set-up", ("", "")).await.0, 401, "but nobody sets up with it");
    door.clock.advance(1);
    assert_eq!(door.knock(&api_key(1)).await, 401);
}

#[tokio::test]
async fn a_key_with_a_limit_hears_when_to_come_again_and_nothing_else_is_done() {
    let limited = ListedKey { requests_per_second: Some(20), ..listed(1) };
    let door = Door::to([(1, limited)]).await;
    let mut writes = Vec::new();
    for request in 0..20 {
        let before = door.table.memory.meter();
        assert_eq!(door.knock(&api_key(1)).await, 404, "request {request}");
        writes.push(spent(before, door.table.memory.meter()).writes);
    }
    assert_eq!(writes, [[1, 0]; 10].concat(), "a portion is a tenth of a second's worth: two");
    let (payments, before) = (door.app.shell.store.clone(), door.table.memory.meter());
    let turned_away = door.knock_at(&door.app, &api_key(1)).await;
    assert_eq!(turned_away.status_code, 429);
    assert_eq!(turned_away.headers.get("retry-after").map(String::as_str), Some("1"));
    let body: Value = serde_json::from_str(&turned_away.body).expect("JSON");
    assert_eq!(body[0]["errorCode"], "REQUEST_LIMIT_EXCEEDED");
    assert_eq!(door.table.memory.meter(), before, "what is known to be empty is not asked for");
    drop(payments);
    door.clock.advance(50);
    assert_eq!([door.knock(&api_key(1)).await, door.knock(&api_key(1)).await], [404, 429]);
    door.clock.advance(3_600_000);
    let mut admitted = 0;
    while door.knock(&api_key(1)).await == 404 {
        admitted += 1;
    }
    assert_eq!(admitted, 20, "never more than a second's worth at once");
}

#[tokio::test]
async fn processes_share_a_limit_and_a_portion_that_is_not_spent_in_time_is_lost() {
    let limited = ListedKey { requests_per_second: Some(20), ..listed(1) };
    let door = Door::to([(1, limited)]).await;
    let other = Door::process(&door.table, &door.clock);
    let mut admitted = 0;
    for _ in 0..40 {
        for app in [&door.app, &other] {
            admitted += u32::from(door.knock_at(app, &api_key(1)).await.status_code == 404);
        }
    }
    assert_eq!(admitted, 20);
    door.clock.advance(1_000);
    assert_eq!(door.knock(&api_key(1)).await, 404, "one of a portion of two");
    door.clock.advance(2_000);
    let before = door.table.memory.meter();
    assert_eq!(door.knock(&api_key(1)).await, 404);
    assert_eq!(spent(before, door.table.memory.meter()).writes, 1, "the rest of the portion is too old");
}

#[tokio::test]
async fn to_be_available_matters_more_than_a_limit() {
    let limited = ListedKey { requests_per_second: Some(1), ..listed(1) };
    let door = Door::to([(1, limited)]).await;
    door.table.is_broken.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        assert_eq!(door.knock(&api_key(1)).await, 404);
    }
    door.table.is_broken.store(false, Ordering::SeqCst);
    assert_eq!([door.knock(&api_key(1)).await, door.knock(&api_key(1)).await], [404, 429]);
}

#[tokio::test]
async fn a_secret_rests_as_its_hash_or_sealed_for_its_endpoint_alone() {
    let door = Door::to([(1, listed(1))]).await;
    let made = async |route: &str, body: &str| {
        let event = HttpEvent {
            route_key: route.to_owned(),
            headers: BTreeMap::from([("authorization".to_owned(), format!("Bearer {}", api_key(1).reveal()))]),
            body: Some(body.to_owned().into()),
            ..HttpEvent::default()
        };
        let answer = answer(&door.app, &set_up::FUNCTION, &event, START.plus(Duration::from_secs(25))).await;
        serde_json::from_str::<Value>(&answer.body).expect("JSON")
    };
    let key = made("POST /set-up/api-keys", r#"{"name":"Till","scopes":["read"]}"#).await;
    let hook = made("POST /set-up/webhook-endpoints", r#"{"url":"https://shop.example","events":["*"]}"#).await;
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (key, secret, id) = (text(&key["key"]), text(&hook["secret"]), text(&hook["id"]));
    let items = format!("{:?}", door.table.memory.items());
    assert!(!items.contains(&key) && !items.contains(&secret), "{items}");
    let item = door.table.read(&merchant_key(&merchant_id())).await.expect("memory").expect("a merchant");
    let merchant = decode_merchant(item).expect("a merchant");
    let id = EndpointId::parse(&id).expect("an id");
    let keys = door.app.shell.sealing_keys.as_ref().expect("keys");
    let sealed = merchant.endpoints[&id].secrets[0].sealed.clone();
    let open = |merchant: &str, endpoint: &str| {
        let parts = ["webhook-secret", merchant, endpoint];
        keys.open(Place(&parts), &sealed).map(|secret| secret.reveal().to_owned())
    };
    assert_eq!(open(merchant_id().as_str(), id.as_str()), Ok(secret));
    assert!(open(merchant_id().as_str(), "9we000000000001").is_err());
    assert!(open("00D000000000001", id.as_str()).is_err());
}

#[tokio::test]
async fn what_is_another_merchants_and_what_is_nowhere_are_answered_alike_and_at_the_same_cost() {
    let door = Door::to([(1, listed(1))]).await;
    let random = [8; 16];
    let mut other = Merchant::new(MerchantId::from_random([2; 16]), "Other");
    other.api_keys.insert(key_id(8), listed(8));
    door.table.write(encode_merchant(&other), Expected::Absent).await.expect("memory");
    let rows = [
        (
            "PATCH /tooling/sobjects/PaymentGatewayProvider/{providerId}",
            "providerId",
            ProviderId::from_random(random).to_string(),
        ),
        ("PATCH /sobjects/PaymentGateway/{gatewayId}", "gatewayId", GatewayId::from_random(random).to_string()),
        ("DELETE /set-up/api-keys/{apiKeyId}", "apiKeyId", key_id(8).to_string()),
        ("POST /set-up/api-keys/{apiKeyId}/roll", "apiKeyId", key_id(8).to_string()),
        ("PATCH /set-up/webhook-endpoints/{endpointId}", "endpointId", EndpointId::from_random(random).to_string()),
    ];
    for (route, parameter, id) in rows {
        let of_another = door.set_up(route, (parameter, &id)).await;
        assert_eq!((of_another.0, of_another.2), (404, Meter { reads: 2, writes: 0, write_units: 0 }), "{route}");
        let nowhere = format!("{}000000000000", &id[..3]);
        for unknown in [nowhere.as_str(), "", "nonsense"] {
            assert_eq!(door.set_up(route, (parameter, unknown)).await, of_another, "{route} {unknown:?}");
        }
    }
}
