//! What Kessai is known by at a gateway is given and replaced over the API, opens for that gateway alone, is sent there with
//! everything and is shown nowhere; and whether it works can be asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kessai_functions::event::HttpAnswer;
use kessai_shared::card::Secret;
use kessai_shared::gateways::Credential;
use kessai_shared::gateways::sandbox::KEYED;
use kessai_shared::ids::GatewayId;
use kessai_shared::merchant::{Gateway, GatewayMode, Merchant, SharedWith};
use kessai_shared::payment::{Operation, Payment};
use kessai_shared::ports::{Http, HttpFault, HttpRequest, HttpResponse, Pending, Store};
use kessai_shared::seal::SealingKeys;
use kessai_shared::stored::merchant::{decode_merchant, encode_merchant, merchant_key};
use kessai_shared::stored::payment::Stored;
use serde_json::{Value, json};

use crate::in_process::{InProcess, SEALING_KEY, Spent};

const FIRST: &str = "first-credential-51c07e";
const SECOND: &str = "second-credential-a83b19";

/// Passes on what is sent, and remembers by what we were known.
struct Spy {
    to: Arc<dyn Http>,
    heard: Mutex<Vec<String>>,
    /// Answers this itself instead.
    answer: Mutex<Option<(u16, String)>>,
}

impl Http for Spy {
    fn send<'a>(&'a self, request: HttpRequest, timeout: Duration) -> Pending<'a, Result<HttpResponse, HttpFault>> {
        let known_by = request.headers.iter().find(|(name, _)| *name == "authorization");
        let known_by = known_by.map(|(_, value)| value.clone()).unwrap_or_default();
        self.heard.lock().expect("the spy").push(known_by);
        match self.answer.lock().expect("the spy").clone() {
            Some((status, body)) => Box::pin(async move { Ok(HttpResponse { status, body: body.into_bytes() }) }),
            None => self.to.send(request, timeout),
        }
    }
}

impl Spy {
    /// What was heard since it was last asked.
    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.lock().expect("the spy"))
    }
}

struct Shop {
    world: InProcess,
    spy: Arc<Spy>,
    gateway: GatewayId,
}

impl Shop {
    async fn open() -> Self {
        let mut world = InProcess::new().await;
        let to = world.app.shell.http.clone();
        let spy = Arc::new(Spy { to, heard: Mutex::default(), answer: Mutex::default() });
        world.app.shell.http = spy.clone();
        let gateway = world.gateway;
        Self { world, spy, gateway }
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> (HttpAnswer, Spent) {
        self.ask_with(self.world.api_key.reveal(), method, path, body).await
    }

    async fn ask_with(&self, key: &str, method: &str, path: &str, body: &Value) -> (HttpAnswer, Spent) {
        let authorization = format!("Bearer {key}");
        let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
        self.world.request(method, path, &headers, body).await
    }

    fn path(&self, what: &str) -> String {
        format!("/sobjects/PaymentGateway/{}/{what}", self.gateway)
    }

    /// Nothing is said of a credential that is set.
    async fn set(&self, credential: Value) -> Spent {
        let (answer, spent) = self.ask("POST", &self.path("credential"), &json!({ "Credential": credential })).await;
        assert_eq!((answer.status_code, answer.body.as_str()), (204, ""));
        spent
    }

    /// The same account by another name.
    async fn roll(&self, credential: Value) -> Spent {
        let body = json!({ "Credential": credential, "sameAccount": true });
        let (answer, spent) = self.ask("POST", &self.path("credential"), &body).await;
        assert_eq!(answer.status_code, 204, "{}", answer.body);
        spent
    }

    /// A sale that is lost on its way, and what it was known by there.
    async fn lose_sale(&self) -> Vec<String> {
        *self.spy.answer.lock().expect("the spy") = Some((500, "{}".to_owned()));
        assert_eq!(self.sale("a").await, 202);
        *self.spy.answer.lock().expect("the spy") = None;
        self.spy.heard()
    }

    /// Everybody looks, when every request has arrived and what was set up is known everywhere; how the sale stands then.
    async fn look(&self) -> Operation {
        self.world.advance(Duration::from_secs(120)).await;
        let key = self.payment().key();
        let app = self.world.invocation();
        kessai_functions::follow_up::look(&app, key, self.world.deadline()).await.expect("a look");
        self.payment().operations.remove(0)
    }

    fn payment(&self) -> Payment {
        let item = self.world.payments.items().pop().expect("a payment");
        Stored::from_item(item).expect("readable").payment
    }

    async fn check(&self) -> Value {
        let (answer, spent) = self.ask("POST", &self.path("check"), &Value::Null).await;
        assert_eq!((answer.status_code, spent.merchants.writes), (200, 0), "{}", answer.body);
        serde_json::from_str(&answer.body).expect("JSON")
    }

    async fn sale(&self, name: &str) -> u16 {
        let mut body = self.world.opening();
        body["paymentGatewayId"] = json!(self.gateway.to_string());
        body["idempotencyKey"] = json!(name);
        self.ask("POST", "/commerce/payments/sales", &body).await.0.status_code
    }

    async fn has_one(&self) -> Value {
        let (answer, _) = self.ask("GET", "/set-up", &Value::Null).await;
        let shown: Value = serde_json::from_str(&answer.body).expect("JSON");
        let gateways = shown["gateways"].as_array().cloned().unwrap_or_default();
        let ours = gateways.into_iter().find(|known| known["id"] == self.gateway.to_string().as_str());
        ours.expect("the gateway")["hasCredential"].clone()
    }

    /// What the trail says of credentials, the newest first.
    async fn told(&self) -> Vec<String> {
        let (answer, _) = self.ask("GET", "/set-up/audit-trail", &Value::Null).await;
        let trail: Value = serde_json::from_str(&answer.body).expect("JSON");
        let entries = trail["changes"].as_array().into_iter().flatten();
        let of_it = entries.filter(|entry| entry["action"] == "gateway.credential");
        of_it.map(|entry| format!("{} {}", entry["subjectId"], entry["description"]).replace('"', "")).collect()
    }

    async fn merchant(&self) -> Merchant {
        let item = self.world.merchants.read(&merchant_key(&self.world.merchant)).await.expect("memory");
        decode_merchant(item.expect("there")).expect("readable")
    }

    async fn account(&self) -> Gateway {
        self.merchant().await.gateways[&self.gateway].clone()
    }

    async fn change(&self, change: impl FnOnce(&mut Gateway)) {
        let mut merchant = self.merchant().await;
        change(merchant.gateways.get_mut(&self.gateway).expect("the gateway"));
        self.world.merchants.put(encode_merchant(&merchant));
    }

    fn keys(&self) -> &SealingKeys {
        self.world.app.shell.sealing_keys.as_ref().expect("keys")
    }

    /// What we are known by there now.
    async fn counting(&self) -> Option<String> {
        let sealed = self.account().await.sealed_credential?;
        let opened = SharedWith::Gateway(self.gateway).open_one(&self.world.merchant, &sealed, self.keys());
        let credential = Credential::from_secret(&opened.expect("it opens"), KEYED.credential).expect("a credential");
        Some(credential.text("secretKey").to_owned())
    }
}

#[tokio::test]
async fn a_credential_is_set_sent_with_everything_and_replaced_at_once() {
    let shop = Shop::open().await;
    assert_eq!((shop.counting().await, shop.has_one().await), (None, json!(false)));
    assert_eq!(shop.sale("a").await, 201);
    shop.set(json!({ "secretKey": FIRST })).await;
    assert_eq!((shop.counting().await.as_deref(), shop.has_one().await), (Some(FIRST), json!(true)));
    assert_eq!(shop.sale("b").await, 201);
    // Whoever heard nothing sets it again: that changes nothing.
    assert_eq!(shop.set(json!({ "secretKey": FIRST })).await.merchants.writes, 0);
    shop.set(json!({ "secretKey": SECOND })).await;
    assert_eq!(shop.counting().await.as_deref(), Some(SECOND));
    assert_eq!(shop.sale("c").await, 201);
    assert_eq!(shop.check().await["ok"], true);
    let [first, second] = [FIRST, SECOND].map(|secret| format!("Bearer {secret}"));
    assert_eq!(shop.spy.heard(), ["", &first, &second, &second]);
    // None in the place of one, and then of none.
    assert_eq!((shop.set(json!({})).await.merchants.writes > 0, shop.has_one().await), (true, json!(false)));
    assert_eq!(shop.set(json!({})).await.merchants.writes, 0);
    let said = ["there is none any more", "in the place of another", "there was none before"];
    assert_eq!(shop.told().await, said.map(|said| format!("{} {said}", shop.gateway)));
}

#[tokio::test]
async fn what_is_open_is_not_sent_to_what_may_be_another_account_and_is_to_the_same() {
    for is_same_account in [false, true] {
        let shop = Shop::open().await;
        shop.set(json!({ "secretKey": FIRST })).await;
        assert_eq!(shop.lose_sale().await, [format!("Bearer {FIRST}")]);
        match is_same_account {
            true => shop.roll(json!({ "secretKey": SECOND })).await,
            false => shop.set(json!({ "secretKey": SECOND })).await,
        };
        let sale = shop.look().await;
        assert_eq!(sale.is_settled(), is_same_account, "{:?}", sale.state);
        assert_eq!(shop.sale("a").await, if is_same_account { 402 } else { 202 }, "the caller's retry");
        let second = format!("Bearer {SECOND}");
        assert_eq!(shop.spy.heard(), if is_same_account { vec![second.clone()] } else { vec![] });
        let overdue = shop.world.lines().iter().any(|line| line.contains("overdue"));
        assert_eq!(overdue, !is_same_account, "a person is told");
        assert_eq!(shop.sale("b").await, 201);
        assert_eq!(shop.spy.heard(), [second], "what is asked for anew goes to the account that counts now");
    }
}

#[tokio::test]
async fn the_generation_is_the_version_since_which_the_account_may_be_another() {
    let shop = Shop::open().await;
    let generation = async || shop.account().await.generation.0;
    let version = async || shop.merchant().await.version;
    // This gateway could be asked without one.
    shop.set(json!({ "secretKey": FIRST })).await;
    assert_eq!(generation().await, version().await);
    shop.set(json!({ "secretKey": SECOND })).await;
    let second = generation().await;
    assert_eq!(second, version().await);
    assert_eq!(shop.set(json!({ "secretKey": SECOND })).await.merchants.writes, 0, "it is the same");
    shop.roll(json!({ "secretKey": FIRST })).await;
    assert_eq!((generation().await, shop.counting().await.as_deref()), (second, Some(FIRST)));
    shop.set(json!({})).await;
    assert_eq!(generation().await, version().await);
    let said = shop.told().await;
    assert_eq!(said[1], format!("{} in the place of another, same account", shop.gateway));
}

#[tokio::test]
async fn a_credential_is_shown_nowhere_and_rests_sealed_for_its_gateway_alone() {
    let shop = Shop::open().await;
    shop.set(json!({ "secretKey": FIRST })).await;
    shop.set(json!({ "secretKey": SECOND })).await;
    shop.sale("a").await;
    let mut seen = shop.world.lines();
    for path in ["/set-up", "/set-up/audit-trail"] {
        seen.push(shop.ask("GET", path, &Value::Null).await.0.body);
    }
    seen.push(shop.check().await.to_string());
    seen.push(format!("{:?}", shop.merchant().await));
    seen.push(format!("{:?} {:?}", shop.world.merchants.items(), shop.world.payments.items()));
    for text in &seen {
        assert!(![FIRST, SECOND].iter().any(|secret| text.contains(secret)), "{text}");
    }
    // In another gateway's place it does not open, and nothing is sent.
    let sealed = shop.account().await.sealed_credential;
    let other = Shop { gateway: shop.world.gateways["LOOK_UP"], ..shop };
    other.change(|gateway| gateway.sealed_credential = sealed).await;
    other.spy.heard();
    assert_eq!(other.sale("b").await, 500);
    assert!(other.spy.heard().is_empty());
}

#[tokio::test]
async fn a_credential_that_will_not_do_is_refused_by_name_and_not_repeated() {
    let shop = Shop::open().await;
    let (long, many) = (format!("{FIRST}{}", "x".repeat(600)), (0..17).map(|name| (format!("a{name}"), json!(FIRST))));
    let rows = [
        (json!({}), "REQUIRED_FIELD_MISSING", "Credential"),
        (json!({ "Credential": null }), "REQUIRED_FIELD_MISSING", "Credential"),
        (json!({ "Credential": FIRST }), "INVALID_API_INPUT", "Credential: must be an object"),
        (json!({ "Credential": [FIRST] }), "INVALID_API_INPUT", "Credential: must be an object"),
        (json!({ "Credential": { "secretKey": 7 } }), "INVALID_API_INPUT", "Credential: must hold strings"),
        (json!({ "Credential": { "secretKey": [FIRST] } }), "INVALID_API_INPUT", "Credential: must hold strings"),
        (
            json!({ "Credential": { "secretKey": format!("{FIRST} ") } }),
            "INVALID_API_INPUT",
            "Credential.secretKey: must",
        ),
        (json!({ "Credential": { "secretKey": long } }), "INVALID_API_INPUT", "Credential.secretKey: must"),
        (json!({ "Credential": { "SecretKey": FIRST } }), "INVALID_API_INPUT", "that is none of secretKey"),
        (json!({ "Credential": { FIRST: "x" } }), "INVALID_API_INPUT", "that is none of secretKey"),
        (json!({ "Credential": many.collect::<Value>() }), "INVALID_API_INPUT", "more than 16 members"),
        (json!({ "Credential": {}, "SameAccount": "yes" }), "INVALID_API_INPUT", "SameAccount: must"),
        (json!({ "Credential": {}, "secretKey": FIRST }), "INVALID_API_INPUT", "secretKey: is not a member"),
        (json!({ "Credential": {}, "credential": {} }), "JSON_PARSER_ERROR", "given twice"),
    ];
    for (body, code, says) in rows {
        let (answer, spent) = shop.ask("POST", &shop.path("credential"), &body).await;
        assert_eq!(answer.status_code, 400, "{body}: {}", answer.body);
        assert!(answer.body.contains(code) && answer.body.contains(says), "{body}: {}", answer.body);
        assert!(!answer.body.contains(FIRST), "{}", answer.body);
        assert_eq!(spent.merchants.writes, 0, "{body}");
    }
    assert!(!shop.world.lines().iter().any(|line| line.contains(FIRST)));
    shop.set(json!({ "secretKey": "~".repeat(512) })).await;
    assert_eq!(shop.counting().await, Some("~".repeat(512)));
}

#[tokio::test]
async fn a_key_of_another_mode_than_the_gateways_is_refused_and_so_is_the_mode() {
    let shop = Shop::open().await;
    shop.change(|gateway| "stripe".clone_into(&mut gateway.adapter)).await;
    let set = async |key: &str| {
        let body = json!({ "Credential": { "secretKey": key } });
        shop.ask("POST", &shop.path("credential"), &body).await.0
    };
    let turn = async |mode: &str| {
        let path = format!("/sobjects/PaymentGateway/{}", shop.gateway);
        shop.ask("PATCH", &path, &json!({ "GatewayMode": mode })).await.0
    };
    let refused = set("rk_test_51c07e").await;
    assert_eq!(refused.status_code, 400);
    let why = "Credential.secretKey: is of mode Test, and the gateway of mode Live";
    assert!(refused.body.contains(why) && !refused.body.contains("51c07e"), "{}", refused.body);
    assert_eq!(set("sk_live_a83b19").await.status_code, 204);
    let refused = turn("Test").await;
    assert_eq!(refused.status_code, 400);
    assert!(refused.body.contains("GatewayMode: ") && refused.body.contains("secretKey"), "{}", refused.body);
    assert_eq!((turn("Live").await.status_code, turn("Connected").await.status_code), (204, 204));
    // From the one to the other it goes by way of Connected.
    let modes = async |mode: &str, key: &str| (set(key).await.status_code, turn(mode).await.status_code);
    assert_eq!(modes("Test", "sk_test_51c07e").await, (204, 204));
    assert_eq!((turn("Connected").await.status_code, modes("Live", "sk_live_a83b19").await), (204, (204, 204)));
    // One that counts, and was set before anybody looked at its form, is set again.
    shop.change(|gateway| gateway.mode = GatewayMode::Test).await;
    assert_eq!((set("sk_live_a83b19").await.status_code, set("sk_live_c40d28").await.status_code), (204, 400));
}

#[tokio::test]
async fn that_the_account_is_the_same_is_said_with_the_credential_or_not_at_all() {
    let shop = Shop::open().await;
    shop.set(json!({ "secretKey": FIRST })).await;
    shop.set(json!({ "secretKey": SECOND })).await;
    let generation = shop.account().await.generation;
    let say = async |is_same: bool| {
        let body = json!({ "Credential": { "secretKey": SECOND }, "SameAccount": is_same });
        shop.ask("POST", &shop.path("credential"), &body).await
    };
    let (answer, spent) = say(true).await;
    assert_eq!((answer.status_code, spent.merchants.writes), (400, 0));
    assert!(answer.body.contains("SameAccount: comes too late") && !answer.body.contains(SECOND), "{}", answer.body);
    assert_eq!(shop.account().await.generation, generation);
    let (answer, spent) = say(false).await;
    assert_eq!((answer.status_code, spent.merchants.writes), (204, 0), "{}", answer.body);
}

#[tokio::test]
async fn a_gateway_that_wants_to_know_nobody_takes_no_credential() {
    let shop = Shop::open().await;
    let shop = Shop { gateway: shop.world.gateways["LOOK_UP"], ..shop };
    let body = json!({ "Credential": { "secretKey": FIRST } });
    let (answer, spent) = shop.ask("POST", &shop.path("credential"), &body).await;
    assert_eq!((answer.status_code, spent.merchants.writes), (400, 0));
    assert!(answer.body.contains("Credential: must be empty") && !answer.body.contains(FIRST), "{}", answer.body);
    assert_eq!(shop.set(json!({})).await.merchants.writes, 0);
    assert_eq!((shop.has_one().await, shop.sale("a").await), (json!(false), 201));
}

#[tokio::test]
async fn another_merchant_sets_no_credential_and_checks_nothing() {
    let shop = Shop::open().await;
    shop.set(json!({ "secretKey": FIRST })).await;
    let (made, _) = shop.ask("POST", "/set-up/merchants", &json!({ "name": "Other" })).await;
    let made: Value = serde_json::from_str(&made.body).expect("JSON");
    let other = made["apiKey"]["key"].as_str().expect("a key");
    let body = json!({ "Credential": { "secretKey": SECOND } });
    for (what, body) in [("credential", &body), ("check", &Value::Null)] {
        let (theirs, spent) = shop.ask_with(other, "POST", &shop.path(what), body).await;
        assert_eq!((theirs.status_code, spent.merchants.writes), (404, 0), "{}", theirs.body);
        let unknown = format!("/sobjects/PaymentGateway/{}/{what}", GatewayId::from_random([9; 16]));
        assert_eq!((theirs, spent), shop.ask_with(other, "POST", &unknown, body).await);
    }
    assert_eq!(shop.counting().await.as_deref(), Some(FIRST));
    assert!(shop.spy.heard().is_empty());
}

#[tokio::test]
async fn a_credential_whose_key_is_lost_is_a_fault_until_it_is_set_anew() {
    let shop = Shop::open().await;
    let lost = SealingKeys::parse(&format!("lost:{}", "5".repeat(64))).expect("keys");
    let secret = Secret::new(json!({ "secretKey": FIRST }).to_string());
    let with = SharedWith::Gateway(shop.gateway);
    let sealed = with.seal(&shop.world.merchant, &lost, &secret, [1; 16]).expect("sealed");
    shop.change(|gateway| gateway.sealed_credential = Some(sealed)).await;
    assert_eq!(shop.sale("a").await, 500);
    assert!(shop.spy.heard().is_empty(), "nothing is sent without it");
    shop.set(json!({ "secretKey": FIRST })).await;
    assert_eq!((shop.counting().await.as_deref(), shop.sale("a").await), (Some(FIRST), 201));
}

#[tokio::test]
async fn a_credential_that_is_set_again_is_sealed_under_the_newest_key() {
    let mut shop = Shop::open().await;
    shop.set(json!({ "secretKey": FIRST })).await;
    let key_of = async |shop: &Shop| shop.account().await.sealed_credential.expect("one").key.as_str().to_owned();
    let generation = shop.account().await.generation;
    assert_eq!(key_of(&shop).await, "k1");
    let newer = format!("k2:{},k1:{SEALING_KEY}", "6".repeat(64));
    shop.world.app.shell.sealing_keys = SealingKeys::parse(&newer).map(Arc::new);
    shop.set(json!({ "secretKey": FIRST })).await;
    assert_eq!((key_of(&shop).await.as_str(), shop.counting().await.as_deref()), ("k2", Some(FIRST)));
    assert_eq!(shop.account().await.generation, generation, "it is the same credential");
}

#[tokio::test]
async fn a_check_says_what_the_gateway_offers_or_why_it_does_not_work() {
    let shop = Shop::open().await;
    shop.set(json!({ "secretKey": FIRST })).await;
    let before = shop.world.spent();
    let methods = json!([{ "name": "card", "label": "Card" }, { "name": "bankAccount", "label": "Bank account" }]);
    assert_eq!(shop.check().await, json!({ "ok": true, "paymentMethods": methods }));
    assert_eq!(shop.spy.heard().len(), 1, "it is asked once");
    *shop.spy.answer.lock().expect("the spy") = Some((401, "{}".to_owned()));
    let refused = shop.check().await;
    assert_eq!(refused, json!({ "ok": false, "message": "the answer is none of the sandbox's: 401" }));
    *shop.spy.answer.lock().expect("the spy") = None;
    shop.change(|gateway| gateway.base_url = "http://127.0.0.1:1/keyed".to_owned()).await;
    let unreached = shop.check().await;
    let why = unreached["message"].as_str().unwrap_or_default();
    assert!(unreached["ok"] == false && why.starts_with("the gateway was not reached: "), "{unreached}");
    let after = shop.world.spent();
    assert_eq!((before.payments, before.vault), (after.payments, after.vault));
    let (answer, _) = shop.ask("POST", &shop.path("check"), &json!({ "a": 1 })).await;
    assert!(answer.status_code == 400 && answer.body.contains("is not a member"), "{}", answer.body);
}
