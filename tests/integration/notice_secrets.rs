//! What a provider's gateways sign their notices with is given, replaced and removed over the API, opens for that provider
//! alone, and is shown nowhere; and who only knows the provider finds the merchant.

use std::sync::Arc;
use std::time::Duration;

use kessai_functions::access::provider_of;
use kessai_functions::event::HttpAnswer;
use kessai_functions::local::identity::{Addresses, Identity};
use kessai_infra::system::SystemClock;
use kessai_shared::card::Secret;
use kessai_shared::ids::{MerchantId, ProviderId};
use kessai_shared::memory::Memory;
use kessai_shared::merchant::set_up::{Change, Who};
use kessai_shared::merchant::{Merchant, SealedSecret, SharedWith};
use kessai_shared::ports::{Clock, Store};
use kessai_shared::registry::Registry;
use kessai_shared::seal::SealingKeys;
use kessai_shared::stored::Item;
use kessai_shared::stored::merchant::{
    decode_merchant, decode_provider_pointer, encode_merchant, encode_provider_pointer, merchant_key, provider_key,
};
use serde_json::{Value, json};

use crate::harness::Scratch;
use crate::in_process::{InProcess, SEALING_KEY, Spent};

const FIRST: &str = "first-secret-9c41d7";
const SECOND: &str = "second-secret-0be52f";
const THIRD: &str = "third-secret-77a3c8";

/// A merchant over the functions in this process, with a provider.
struct Shop {
    world: InProcess,
    key: String,
    provider: String,
}

impl Shop {
    async fn open() -> Self {
        let world = InProcess::new().await;
        let key = world.api_key.reveal().to_owned();
        let mut shop = Self { world, key, provider: String::new() };
        shop.provider = shop.made_provider("Shop").await;
        shop
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> (HttpAnswer, Spent) {
        self.ask_with(&self.key, method, path, body).await
    }

    async fn ask_with(&self, key: &str, method: &str, path: &str, body: &Value) -> (HttpAnswer, Spent) {
        let authorization = format!("Bearer {key}");
        let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
        self.world.request(method, path, &headers, body).await
    }

    async fn made_provider(&self, name: &str) -> String {
        let body = json!({ "DeveloperName": name, "MasterLabel": name, "Adapter": "sandbox-keyed" });
        let (answer, _) = self.ask("POST", "/tooling/sobjects/PaymentGatewayProvider", &body).await;
        let made: Value = serde_json::from_str(&answer.body).expect("JSON");
        made["id"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
    }

    fn path(&self) -> String {
        format!("/set-up/providers/{}/notification-secret", self.provider)
    }

    /// Nothing is said of a secret that is set.
    async fn set(&self, secret: &str, overlap: &str) {
        let (answer, _) = self.ask("POST", &self.path(), &json!({ "secret": secret, "overlap": overlap })).await;
        assert_eq!((answer.status_code, answer.body.as_str()), (204, ""));
    }

    async fn shown(&self) -> Value {
        let (answer, _) = self.ask("GET", "/set-up", &Value::Null).await;
        let shown: Value = serde_json::from_str(&answer.body).expect("JSON");
        let providers = shown["providers"].as_array().cloned().unwrap_or_default();
        providers.into_iter().find(|provider| provider["id"] == self.provider.as_str()).expect("the provider")
    }

    /// What the trail says of its secrets, the newest first.
    async fn told(&self) -> Vec<String> {
        let (answer, _) = self.ask("GET", "/set-up/audit-trail", &Value::Null).await;
        let trail: Value = serde_json::from_str(&answer.body).expect("JSON");
        let is_of_it = |entry: &&Value| entry["action"].as_str().is_some_and(|action| action.contains("secret"));
        let entries = trail["changes"].as_array().into_iter().flatten().filter(is_of_it);
        entries.map(|entry| format!("{} {}", entry["action"], entry["subjectId"]).replace('"', "")).collect()
    }

    fn id(&self) -> ProviderId {
        ProviderId::parse(&self.provider).expect("an id")
    }

    async fn merchant(&self) -> Merchant {
        self.stored(&merchant_key(&self.world.merchant)).await.map(decode_merchant).expect("there").expect("readable")
    }

    async fn stored(&self, key: &str) -> Option<Item> {
        self.world.merchants.read(key).await.expect("memory")
    }

    /// What a notice may be signed with now.
    async fn counting(&self) -> Vec<String> {
        let app = self.world.invocation();
        let found = provider_of(&app, self.id(), self.world.deadline()).await.expect("no fault");
        let (merchant, id) = found.expect("the provider leads to its merchant");
        let (keys, now) = (app.shell.sealing_keys.as_ref().expect("keys"), app.shell.clock.now());
        let opened = merchant.providers[&id].opened_notice_secrets(&merchant.id, id, keys, now).expect("they open");
        opened.iter().map(|secret| secret.reveal().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_notice_secret_is_set_replaced_with_an_overlap_and_removed() {
    let shop = Shop::open().await;
    assert_eq!(shop.counting().await, [""; 0]);
    assert_eq!(shop.shown().await["notificationSecrets"], json!([]));
    let expected = format!("/commerce/payments/notify?provider={}", shop.provider);
    assert_eq!(shop.shown().await["notificationUrl"], json!(expected));

    shop.set(FIRST, "PT1H").await;
    assert_eq!(shop.counting().await, [FIRST]);
    shop.set(SECOND, "PT1H").await;
    assert_eq!(shop.counting().await, [SECOND, FIRST]);
    let shown = shop.shown().await;
    let dates = |place: usize| {
        let shown = &shown["notificationSecrets"][place];
        (shown["createdAt"].is_string(), shown["expiresAt"].is_string(), shown.as_object().expect("an object").len())
    };
    assert_eq!((dates(0), dates(1)), ((true, false, 1), (true, true, 2)), "{shown}");
    // Whoever heard nothing sets it again: that changes nothing.
    shop.set(SECOND, "PT0S").await;
    assert_eq!(shop.counting().await, [SECOND, FIRST]);
    shop.world.advance(Duration::from_secs(60 * 60)).await;
    assert_eq!(shop.counting().await, [SECOND]);
    assert_eq!(shop.shown().await["notificationSecrets"].as_array().map(Vec::len), Some(1));
    shop.set(THIRD, "PT0S").await;
    assert_eq!(shop.counting().await, [THIRD]);

    for _ in 0..2 {
        let (answer, _) = shop.ask("DELETE", &shop.path(), &Value::Null).await;
        assert_eq!((answer.status_code, answer.body.as_str()), (204, ""));
        assert_eq!(shop.counting().await, [""; 0]);
    }
    let set = format!("provider.notification-secret-set {}", shop.provider);
    let removed = format!("provider.notification-secret-removed {}", shop.provider);
    assert_eq!(shop.told().await, [removed.as_str(), &set, &set, &set]);
}

#[tokio::test]
async fn a_notice_secret_is_shown_nowhere_and_rests_sealed_for_its_provider_alone() {
    let mut shop = Shop::open().await;
    let other = shop.made_provider("Other").await;
    shop.set(FIRST, "P1D").await;
    shop.set(SECOND, "P1D").await;
    let mut seen = shop.world.lines();
    for path in ["/set-up", "/set-up/audit-trail"] {
        seen.push(shop.ask("GET", path, &Value::Null).await.0.body);
    }
    seen.push(format!("{:?}", shop.merchant().await));
    seen.push(format!("{:?}", shop.stored(&merchant_key(&shop.world.merchant)).await));
    for text in &seen {
        assert!(![FIRST, SECOND].iter().any(|secret| text.contains(secret)), "{text}");
    }
    // Put in another provider's place it does not open.
    let mut moved = shop.merchant().await;
    let secrets = moved.providers[&shop.id()].notice_secrets.clone();
    shop.provider = other;
    moved.providers.get_mut(&shop.id()).expect("the other").notice_secrets = secrets;
    let (keys, now) = (shop.world.app.shell.sealing_keys.as_ref().expect("keys"), shop.world.app.shell.clock.now());
    assert!(moved.providers[&shop.id()].opened_notice_secrets(&moved.id, shop.id(), keys, now).is_err());
}

#[tokio::test]
async fn a_notice_secret_that_will_not_do_is_refused_by_name() {
    let shop = Shop::open().await;
    let rows = [
        (json!({}), "REQUIRED_FIELD_MISSING", "secret"),
        (json!({ "secret": "" }), "REQUIRED_FIELD_MISSING", "secret"),
        (json!({ "secret": null }), "REQUIRED_FIELD_MISSING", "secret"),
        (json!({ "secret": 7 }), "INVALID_API_INPUT", "secret: must be a string"),
        (json!({ "secret": "a b" }), "INVALID_API_INPUT", "secret: must be visible"),
        (json!({ "secret": "ä" }), "INVALID_API_INPUT", "secret: must be visible"),
        (json!({ "secret": "a\n" }), "INVALID_API_INPUT", "secret: must be visible"),
        (json!({ "secret": "a".repeat(256) }), "INVALID_API_INPUT", "secret: must not be longer than 255"),
        (json!({ "secret": "a", "overlap": "P31D" }), "INVALID_API_INPUT", "overlap: must not be longer than P30D"),
        (json!({ "secret": "a", "overlap": "soon" }), "INVALID_API_INPUT", "overlap: must be an ISO 8601"),
        (json!({ "secret": "a", "Secret": "b" }), "INVALID_API_INPUT", "Secret: is not a member"),
        (json!({ "secret": "a", "idempotencyKey": "\u{7}" }), "INVALID_API_INPUT", "idempotencyKey"),
    ];
    for (body, code, says) in rows {
        let (answer, spent) = shop.ask("POST", &shop.path(), &body).await;
        assert_eq!(answer.status_code, 400, "{body}: {}", answer.body);
        assert!(answer.body.contains(code) && answer.body.contains(says), "{body}: {}", answer.body);
        assert_eq!(spent.merchants.writes, 0, "{body}");
    }
    assert_eq!(shop.counting().await, [""; 0]);
    shop.set(&"~".repeat(255), "P30D").await;
    assert_eq!(shop.counting().await, ["~".repeat(255)]);
}

#[tokio::test]
async fn another_merchant_sets_and_removes_no_notice_secret() {
    let shop = Shop::open().await;
    shop.set(FIRST, "PT1H").await;
    let (made, _) = shop.ask("POST", "/set-up/merchants", &json!({ "name": "Other" })).await;
    let made: Value = serde_json::from_str(&made.body).expect("JSON");
    let other = made["apiKey"]["key"].as_str().expect("a key");
    let unknown = format!("/set-up/providers/{}/notification-secret", ProviderId::from_random([9; 16]));
    for (method, body) in [("POST", json!({ "secret": SECOND })), ("DELETE", Value::Null)] {
        let (theirs, spent) = shop.ask_with(other, method, &shop.path(), &body).await;
        assert_eq!((theirs.status_code, spent.merchants.writes), (404, 0), "{}", theirs.body);
        assert_eq!((theirs, spent), shop.ask_with(other, method, &unknown, &body).await);
    }
    assert_eq!(shop.counting().await, [FIRST]);
}

#[tokio::test]
async fn a_secret_whose_key_is_lost_is_a_fault_until_it_is_set_anew() {
    let shop = Shop::open().await;
    shop.set(FIRST, "PT0S").await;
    let mut merchant = shop.merchant().await;
    let lost = SealingKeys::parse(&format!("lost:{}", "5".repeat(64))).expect("keys");
    let secret = Secret::new(FIRST.to_owned());
    let sealed = SharedWith::Provider(shop.id()).seal(&merchant.id, &lost, &secret, [1; 16]).expect("sealed");
    merchant.providers.get_mut(&shop.id()).expect("it").notice_secrets[0].sealed = sealed;
    shop.world.merchants.put(encode_merchant(&merchant));
    let app = shop.world.invocation();
    let keys = app.shell.sealing_keys.as_ref().expect("keys");
    let provider = &merchant.providers[&shop.id()];
    assert!(provider.opened_notice_secrets(&merchant.id, shop.id(), keys, app.shell.clock.now()).is_err());
    shop.set(FIRST, "P1D").await;
    assert_eq!(shop.counting().await, [FIRST]);
}

#[tokio::test]
async fn a_secret_that_is_set_again_is_sealed_under_the_newest_key() {
    let mut shop = Shop::open().await;
    shop.set(FIRST, "PT0S").await;
    let key_of = async |shop: &Shop| {
        let merchant = shop.merchant().await;
        merchant.providers[&shop.id()].notice_secrets[0].sealed.key.as_str().to_owned()
    };
    assert_eq!(key_of(&shop).await, "k1");
    let newer = format!("k2:{},k1:{SEALING_KEY}", "6".repeat(64));
    shop.world.app.shell.sealing_keys = SealingKeys::parse(&newer).map(Arc::new);
    shop.set(FIRST, "PT0S").await;
    assert_eq!(key_of(&shop).await, "k2");
    assert_eq!(shop.counting().await, [FIRST]);
}

#[tokio::test]
async fn a_provider_leads_to_its_merchant_if_that_has_it_and_nowhere_else() {
    let shop = Shop::open().await;
    let app = shop.world.invocation();
    let find = async |id| {
        let found = provider_of(&app, id, shop.world.deadline()).await.expect("no fault");
        found.map(|(merchant, found)| (merchant.id, found))
    };
    assert_eq!(find(shop.id()).await, Some((shop.world.merchant, shop.id())));
    // Left behind by whoever died before the merchant had it.
    let [unknown, left, nobodys] = [7, 8, 9].map(|seed| ProviderId::from_random([seed; 16]));
    shop.world.merchants.put(encode_provider_pointer(&left, &shop.world.merchant));
    shop.world.merchants.put(encode_provider_pointer(&nobodys, &MerchantId::from_random([9; 16])));
    for id in [unknown, left, nobodys] {
        assert_eq!(find(id).await, None);
    }
}

/// It was made by a version that wrote no pointers.
#[tokio::test]
async fn a_provider_that_leads_nowhere_leads_to_its_merchant_once_it_has_a_secret() {
    let shop = Shop::open().await;
    let older = ProviderId::from_random([7; 16]);
    let mut merchant = shop.merchant().await;
    merchant.providers.insert(older, merchant.providers[&shop.id()].clone());
    shop.world.merchants.put(encode_merchant(&merchant));
    let shop = Shop { provider: older.to_string(), ..shop };
    assert_eq!(shop.stored(&provider_key(&older)).await, None);
    shop.set(FIRST, "PT1H").await;
    assert_eq!(shop.counting().await, [FIRST]);
    // What leads elsewhere is never overwritten.
    let other = MerchantId::from_random([9; 16]);
    let (clock, deadline) = (&*shop.world.app.shell.clock, shop.world.deadline());
    let registry = Registry { store: &*shop.world.merchants, clock, deadline };
    assert!(registry.point_provider(older, other).await.is_err());
    assert_eq!(shop.counting().await, [FIRST]);
}

#[tokio::test]
async fn the_development_merchants_classes_have_a_secret_each_and_one_that_somebody_set_stays() {
    let scratch = Scratch::new();
    let (file, store) = (scratch.path().join("local.env"), Memory::default());
    let keys = |digit: &str| SealingKeys::parse(&format!("k{digit}:{}", digit.repeat(64))).expect("keys");
    let counting = async |identity: &Identity, keys: &SealingKeys| {
        let now = SystemClock.now();
        let registry = Registry { store: &store, clock: &SystemClock, deadline: now };
        let merchant = registry.merchant(&identity.merchant).await.expect("memory").expect("a merchant");
        let known = identity.notices().expect("notices").into_iter().map(|notices| {
            let opened =
                merchant.providers[&notices.provider].opened_notice_secrets(&merchant.id, notices.provider, keys, now);
            opened.map(|opened| opened.iter().any(|secret| secret.is_same(notices.secret)))
        });
        (merchant.version, known.collect::<Result<Vec<_>, _>>().ok())
    };
    let started = async |keys: &SealingKeys| {
        let identity = Identity::load(&file);
        let addresses = Addresses { server: "http://127.0.0.1:2", sandbox: "http://127.0.0.1:1", models: None };
        identity.register(&store, addresses, keys).await.expect("it is registered");
        identity.save(&file, addresses).expect("it is saved");
        identity
    };
    let identity = started(&keys("1")).await;
    let classes: Vec<_> = identity.notices().expect("notices").iter().map(|notices| notices.class).collect();
    assert_eq!(classes, ["keyed", "look-up", "timeout-reversal", "none"]);
    for notices in identity.notices().expect("notices") {
        let pointer = store.read(&provider_key(&notices.provider)).await.expect("memory");
        assert_eq!(pointer.map(decode_provider_pointer), Some(Ok(identity.merchant)), "{}", notices.class);
    }
    assert_eq!(counting(&identity, &keys("1")).await, (1, Some(vec![true; 4])));
    assert_eq!(counting(&started(&keys("1")).await, &keys("1")).await, (1, Some(vec![true; 4])), "it is kept");
    assert_eq!(counting(&started(&keys("2")).await, &keys("2")).await, (2, Some(vec![true; 4])), "the key was lost");

    let provider = identity.notices().expect("notices")[0].provider;
    let sealed =
        SharedWith::Provider(provider).seal(&identity.merchant, &keys("2"), &Secret::new(FIRST.to_owned()), [1; 16]);
    let secret = SealedSecret { sealed: sealed.expect("sealed"), created_at: None, until: None, made: None };
    let change = Change::SetNoticeSecret { provider, secret, overlap: Duration::ZERO };
    let registry = Registry { store: &store, clock: &SystemClock, deadline: SystemClock.now() };
    let merchant = registry.merchant(&identity.merchant).await.expect("memory").expect("a merchant");
    let decide = |merchant: &Merchant, now| merchant.after(&change, now, Who::CommandLine);
    registry.change(merchant, decide).await.expect("it is set");
    let identity = started(&keys("2")).await;
    assert_eq!(counting(&identity, &keys("2")).await, (3, Some(vec![false, true, true, true])), "it is theirs");
}
