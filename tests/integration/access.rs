//! Who may do what: every route of the template, asked by everybody who must not get in.
//!
//! The matrix is made of the template's routes, so that a route without cells cannot be: one whose parameter or body is
//! not known here ends the test. Of each route there are these cells.
//!
//! | who asks | hears | and |
//! |---|---|---|
//! | nobody; with what is no key; with a key that nobody has, that was revoked, or that has expired | 401, the same body all | nothing is written, no payment and no method is read |
//! | a key with every scope but one that the route needs, for each that it needs | 403 that names the scope | the same |
//! | another merchant, which may do everything, of each record that the path names, of each that the body names, of the account in the query | what is said of an id that nobody has: the same status, the same body | as many reads and writes of each table |
//! | anybody, with a key or without, at the door where gateways come | that nobody signed it, the same body all | nothing is written or read of payments and methods |
//! | the merchant itself with no scope but those that the route needs | success | so the cells above fail for their one reason |
//!
//! Equal reads and writes are what "in the same time" means here: whoever measures learns nothing, and no test waits.
//! Both kinds of path are routes of their own: with and without the version of the wire format.

mod asking;
mod recurring;

use std::collections::{BTreeMap, BTreeSet};

use kessai_functions::event::HttpAnswer;
use kessai_functions::local::routes::{Route, routes};
use kessai_shared::event::EventName;
use kessai_shared::ids::{MerchantId, Record};
use kessai_shared::memory::Meter;
use kessai_shared::merchant::Scope;
use kessai_shared::payment::outbox::News;
use kessai_shared::ports::Archive;
use kessai_shared::stored::event::{Recorded, encode_recorded};
use serde_json::{Value, json};

use self::asking::{
    ACCOUNT, Ids, SCHEDULES, body, named_in, opening, parameters, path, plain, rule, rule_set, schedule, schedule_item,
    scopes, unknown,
};
use crate::harness::Kessai;
use crate::in_process::{InProcess, Spent};

/// By what a route names what it takes away or replaces.
const PERISHABLE: [&str; 4] = ["apiKeyId", "endpointId", "ruleSetId", "ruleId"];

/// Somebody with a key, over the functions in this process.
struct Holder<'a> {
    world: &'a InProcess,
    authorization: Option<String>,
}

impl<'a> Holder<'a> {
    fn new(world: &'a InProcess, key: &str) -> Self {
        Self { world, authorization: Some(format!("Bearer {key}")) }
    }

    fn saying(world: &'a InProcess, authorization: Option<&str>) -> Self {
        Self { world, authorization: authorization.map(str::to_owned) }
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> (HttpAnswer, Spent) {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(self.authorization.as_deref().map(|authorization| ("authorization", authorization)));
        self.world.request(method, path, &headers, body).await
    }

    /// Makes something, and takes what the answer says of it.
    async fn make(&self, path: &str, body: Value, pointer: &str) -> String {
        let (answer, _) = self.ask("POST", path, &body).await;
        let made: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let text = made.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        text.unwrap_or_else(|| panic!("no {pointer} at {path}: {} {}", answer.status_code, answer.body))
    }

    /// A key of this merchant for these scopes, and its id.
    async fn key(&self, scopes: impl IntoIterator<Item = Scope>, more: Value) -> (String, String) {
        let scopes: Vec<_> = scopes.into_iter().map(Scope::name).collect();
        let mut body = json!({ "name": "Till", "scopes": scopes });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let (answer, _) = self.ask("POST", "/set-up/api-keys", &body).await;
        let made: Value = serde_json::from_str(&answer.body).expect("JSON");
        let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned();
        (text("key"), text("id"))
    }

    /// One record of each kind, all of one payment where they are of one.
    async fn records(&self) -> Ids {
        let provider = json!({ "DeveloperName": "Shop", "MasterLabel": "Shop", "Adapter": "sandbox-keyed" });
        let provider = self.make("/tooling/sobjects/PaymentGatewayProvider", provider, "/id").await;
        let gateway = json!({
            "PaymentGatewayName": "Shop", "PaymentGatewayProviderId": provider,
            "BaseUrl": format!("{}/keyed", self.world.sandbox_url()),
        });
        let gateway = self.make("/sobjects/PaymentGateway", gateway, "/id").await;
        let token = json!({ "GatewayToken": "03O000000000000", "AccountId": ACCOUNT, "PaymentGatewayId": gateway });
        let method = self.make("/sobjects/SavedPaymentMethod", token, "/id").await;
        let mut ids = Ids::from([("providerId", provider), ("gatewayId", gateway), ("paymentMethodId", method)]);
        let payments = "/commerce/payments";
        let authorizations = format!("{payments}/authorizations");
        let authorization = self.make(&authorizations, opening(&ids), "/paymentAuthorization/id").await;
        let [captures, reversals] =
            ["captures", "reversals"].map(|name| format!("{authorizations}/{authorization}/{name}"));
        let capture = self.make(&captures, json!({ "amount": 100 }), "/payment/id").await;
        let reversal = self.make(&reversals, json!({ "amount": 1 }), "/paymentAuthAdjustment/id").await;
        let refunds = format!("{payments}/payments/{capture}/refunds");
        let refund = self.make(&refunds, json!({ "amount": 1 }), "/refund/id").await;
        ids.extend([("authorizationId", authorization), ("paymentId", capture)]);
        ids.extend([("reversalId", reversal), ("refundId", refund)]);
        let schedule = self.make(SCHEDULES, schedule(&ids), "/paymentSchedule/id").await;
        let items = format!("{SCHEDULES}/{schedule}/payment-schedule-items");
        let item = self.make(&items, schedule_item("2030-02-28"), "/paymentScheduleItem/id").await;
        ids.extend([("paymentScheduleId", schedule), ("paymentScheduleItemId", item)]);
        let held = self.make("/sobjects/PaymentRetryRuleSet", rule_set("Held"), "/id").await;
        ids.insert("heldRuleSetId", held);
        recurring::make(self, &mut ids).await;
        ids.insert("eventId", self.event(&ids["authorizationId"]).await);
        self.perishable(&mut ids).await;
        ids
    }

    /// That this authorization was asked for, as it is recorded.
    async fn event(&self, authorization: &str) -> String {
        let (set_up, _) = self.ask("GET", "/set-up", &Value::Null).await;
        let set_up: Value = serde_json::from_str(&set_up.body).expect("JSON");
        let merchant = set_up["merchant"]["id"].as_str().and_then(MerchantId::parse).expect("a merchant");
        let (payment, operation) = Record::Authorization.locate(authorization).expect("an authorization");
        let recorded = Recorded {
            id: format!("evt_{:031x}", self.world.archive.items().len()),
            item: kessai_shared::ids::PaymentKey { merchant, payment }.into(),
            operation,
            news: News::Created,
            at: self.world.deadline(),
            version: 1,
            name: EventName::AuthorizationCreated,
            deliveries: Vec::new(),
        };
        self.world.archive.keep(encode_recorded(&recorded)).await.expect("kept");
        recorded.id
    }

    /// What a route takes away or replaces.
    async fn perishable(&self, ids: &mut Ids) {
        ids.insert("apiKeyId", self.key([Scope::Read], json!({})).await.1);
        let hook = json!({ "url": "https://shop.example/hooks", "events": ["*"] });
        ids.insert("endpointId", self.make("/set-up/webhook-endpoints", hook, "/id").await);
        // A set that has rules would not be deleted.
        let set = self.make("/sobjects/PaymentRetryRuleSet", rule_set("Empty"), "/id").await;
        ids.insert("ruleSetId", set);
        let rule = rule(&ids["heldRuleSetId"], &ids["ruleSetId"]);
        ids.insert("ruleId", self.make("/sobjects/PaymentRetryRule", rule, "/id").await);
    }
}

/// Everybody who comes to the door.
struct Cast<'a> {
    world: &'a InProcess,
    owner: Holder<'a>,
    mine: Ids,
    other: Holder<'a>,
    theirs: Ids,
    strangers: Vec<(&'static str, Holder<'a>)>,
    /// Keys with every scope but this one.
    lacking: BTreeMap<Scope, Holder<'a>>,
    /// Names for what is made.
    count: usize,
}

impl<'a> Cast<'a> {
    async fn gather(world: &'a InProcess) -> Self {
        let owner = Holder::new(world, world.api_key.reveal());
        let mine = owner.records().await;
        let made = owner.make("/set-up/merchants", json!({ "name": "Other" }), "/apiKey/key").await;
        let (everything, _) = Holder::new(world, &made).key(Scope::ALL, json!({})).await;
        let other = Holder::new(world, &everything);
        let theirs = other.records().await;
        let (revoked, id) = owner.key(Scope::ALL, json!({})).await;
        owner.ask("DELETE", &format!("/set-up/api-keys/{id}"), &Value::Null).await;
        let tomorrow = world.deadline().plus(std::time::Duration::from_secs(60)).to_string();
        let (expired, _) = owner.key(Scope::ALL, json!({ "expiresAt": tomorrow })).await;
        world.advance(std::time::Duration::from_secs(120)).await;
        let unknown = format!("Bearer kessai_{}", "7".repeat(64));
        let own = world.api_key.reveal();
        let says = |authorization: Option<&str>| Holder::saying(world, authorization);
        let strangers = vec![
            ("no key", says(None)),
            ("an empty key", says(Some("Bearer "))),
            ("no scheme", says(Some(own))),
            ("another scheme", says(Some(&format!("Basic {own}")))),
            ("a malformed key", says(Some("Bearer nonsense"))),
            ("half a key", says(Some(&format!("Bearer {}", &own[..own.len() / 2])))),
            ("two keys", says(Some(&format!("Bearer {own},Bearer {own}")))),
            ("an unknown key", says(Some(&unknown))),
            ("a revoked key", Holder::new(world, &revoked)),
            ("an expired key", Holder::new(world, &expired)),
        ];
        let mut lacking = BTreeMap::new();
        for lacks in Scope::ALL {
            let (key, _) = owner.key(Scope::ALL.into_iter().filter(|scope| *scope != lacks), json!({})).await;
            lacking.insert(lacks, Holder::new(world, &key));
        }
        Self { world, owner, mine, other, theirs, strangers, lacking, count: 0 }
    }

    fn name(&mut self) -> String {
        self.count += 1;
        format!("Name{:04}", self.count)
    }

    /// Every cell of a route; how many there are.
    async fn check(&mut self, route: &Route) -> usize {
        if route.function.scopes.is_empty() {
            return self.check_public(route).await;
        }
        let strangers = self.check_strangers(route).await;
        let scopes = self.check_scopes(route).await;
        let others = self.check_another_merchant(route).await;
        self.check_owner(route).await;
        strangers + scopes + others + 1
    }

    /// Where gateways come an API key opens nothing: only who knows the provider's secret is believed.
    async fn check_public(&self, route: &Route) -> usize {
        assert_eq!(plain(route), "/commerce/payments/notify", "what else is open to everybody?");
        let (path, body) = (path(route, &self.mine), json!({ "notices": [] }));
        let path = format!("{path}?provider={}", self.mine["providerId"]);
        let named = [("the merchant", &self.owner), ("another merchant", &self.other)];
        let everybody: Vec<_> = self.strangers.iter().map(|(who, stranger)| (*who, stranger)).chain(named).collect();
        for (who, holder) in &everybody {
            let (answer, spent) = holder.ask(&route.method, &path, &body).await;
            let context = format!("{who}: {} {path}: {}", route.method, answer.body);
            assert_eq!(
                (answer.status_code, answer.body.as_str()),
                (403, "Not a valid notification request"),
                "{context}"
            );
            check_untouched(spent, &context);
        }
        everybody.len()
    }

    async fn check_strangers(&mut self, route: &Route) -> usize {
        let (path, body) = (path(route, &self.mine), body(route, &self.mine, "Nobody"));
        let mut heard = BTreeSet::new();
        for (who, stranger) in &self.strangers {
            let (answer, spent) = stranger.ask(&route.method, &path, &body).await;
            let context = format!("{who}: {} {path}: {}", route.method, answer.body);
            assert_eq!(answer.status_code, 401, "{context}");
            assert!(answer.body.contains("INVALID_SESSION_ID"), "{context}");
            check_untouched(spent, &context);
            heard.insert(answer.body);
        }
        assert_eq!(heard.len(), 1, "why a key opens nothing is not told: {heard:?}");
        self.strangers.len()
    }

    async fn check_scopes(&mut self, route: &Route) -> usize {
        let (path, body) = (path(route, &self.mine), body(route, &self.mine, "Nobody"));
        assert!(!route.function.scopes.is_empty(), "{path} needs no scope");
        for scope in scopes(route) {
            let (answer, spent) = self.lacking[&scope].ask(&route.method, &path, &body).await;
            let context = format!("without {}: {} {path}: {}", scope.name(), route.method, answer.body);
            assert_eq!(answer.status_code, 403, "{context}");
            assert!(answer.body.contains(&format!("lacks the scope {}\"", scope.name())), "{context}");
            check_untouched(spent, &context);
        }
        scopes(route).len()
    }

    /// Whatever the path, the body or the query names of this merchant is to another as if it were not there.
    async fn check_another_merchant(&mut self, route: &Route) -> usize {
        let (unknown, name) = (unknown(), self.name());
        let own = body(route, &self.theirs, &name);
        let mut cells = 0;
        for parameter in parameters(route) {
            let with = |ids: &Ids| {
                let mut path_ids = self.theirs.clone();
                let (parameter, id) = ids.get_key_value(parameter).unwrap_or_else(|| panic!("no id for {parameter}"));
                path_ids.insert(parameter, id.clone());
                path(route, &path_ids)
            };
            self.check_alike(route, (&with(&self.mine), &own), (&with(&unknown), &own), 404).await;
            cells += 1;
        }
        if parameters(route).len() > 1 {
            self.check_alike(route, (&path(route, &self.mine), &own), (&path(route, &unknown), &own), 404).await;
            cells += 1;
        }
        for (pointer, named) in named_in(&own, &self.theirs) {
            let with = |ids: &Ids| {
                let mut body = own.clone();
                *body.pointer_mut(&pointer).expect("there") = json!(ids[named]);
                body
            };
            let path = path(route, &self.theirs);
            self.check_alike(route, (&path, &with(&self.mine)), (&path, &with(&unknown)), 400).await;
            cells += 1;
        }
        cells
    }

    /// Asked by the other merchant, both are answered alike, at the same cost.
    async fn check_alike(&self, route: &Route, mine: (&str, &Value), unknown: (&str, &Value), status: u16) {
        let (of_mine, cost_of_mine) = self.other.ask(&route.method, mine.0, mine.1).await;
        let (of_unknown, cost_of_unknown) = self.other.ask(&route.method, unknown.0, unknown.1).await;
        let context = format!("{} {} {}", route.method, mine.0, mine.1);
        assert_eq!(of_mine.status_code, status, "{context}: {}", of_mine.body);
        assert_eq!(of_mine, of_unknown, "{context}");
        assert_eq!(cost_of_mine, cost_of_unknown, "{context}");
    }

    /// With its scopes and no other it works, so what was refused above was refused for the one reason.
    async fn check_owner(&mut self, route: &Route) {
        let name = self.name();
        let (path, body) = (path(route, &self.mine), body(route, &self.mine, &name));
        let (key, id) = self.owner.key(scopes(route), json!({})).await;
        let (answer, _) = Holder::new(self.world, &key).ask(&route.method, &path, &body).await;
        // The sandbox has no client-side authorization of this name, and says so: it was asked.
        let success = if plain(route).ends_with("/postAuths") { 402..403 } else { 200..300 };
        assert!(
            success.contains(&answer.status_code),
            "{} {path}: {} {}",
            route.method,
            answer.status_code,
            answer.body
        );
        self.owner.ask("DELETE", &format!("/set-up/api-keys/{id}"), &Value::Null).await;
        if parameters(route).iter().any(|name| PERISHABLE.contains(name)) {
            let endpoint = format!("/set-up/webhook-endpoints/{}", self.mine["endpointId"]);
            self.owner.ask("DELETE", &endpoint, &Value::Null).await;
            for (record, id) in [("PaymentRetryRule", "ruleId"), ("PaymentRetryRuleSet", "ruleSetId")] {
                self.owner.ask("DELETE", &format!("/sobjects/{record}/{}", self.mine[id]), &Value::Null).await;
            }
            let mut mine = std::mem::take(&mut self.mine);
            self.owner.perishable(&mut mine).await;
            self.mine = mine;
        }
    }
}

/// Nothing was written, and no payment and no method was read.
fn check_untouched(spent: Spent, context: &str) {
    assert_eq!((spent.payments, spent.vault), (Meter::default(), Meter::default()), "{context}");
    assert_eq!(spent.merchants.writes, 0, "{context}");
}

#[tokio::test]
async fn nobody_gets_in_who_must_not_and_others_records_are_not_there() {
    let world = InProcess::new().await;
    let mut cast = Cast::gather(&world).await;
    let routes = routes().unwrap_or_else(|error| panic!("{error:?}"));
    let mut cells = BTreeMap::new();
    for route in &routes {
        cells.insert(format!("{} {}", route.method, route.path), cast.check(route).await);
    }
    assert_eq!(cells.len(), routes.len(), "no route stands there twice");
    let strangers = cast.strangers.len();
    assert!(cells.values().all(|count| *count >= strangers + 2), "{cells:?}");
    assert!(routes.len() >= 70, "{} routes", routes.len());
    eprintln!("{} routes, {} cells", routes.len(), cells.values().sum::<usize>());
}

#[tokio::test]
async fn whoever_keeps_a_card_beside_a_payment_needs_the_scope_of_that_too() {
    let world = InProcess::new().await;
    let cast = Cast::gather(&world).await;
    let card = json!({ "cardNumber": "4242424242424242", "expiryMonth": 5, "expiryYear": 2030 });
    for path in ["/commerce/payments/authorizations", "/commerce/payments/sales", "/commerce/payments/postAuths"] {
        let mut body = opening(&cast.mine);
        body["paymentMethod"] = json!({ "cardPaymentMethod": card, "saveForFuture": true });
        let (answer, spent) = cast.lacking[&Scope::Tokenize].ask("POST", path, &body).await;
        assert_eq!(answer.status_code, 403, "{path}: {}", answer.body);
        assert!(answer.body.contains("lacks the scope tokenize"), "{path}: {}", answer.body);
        check_untouched(spent, path);
    }
}

#[tokio::test]
async fn the_methods_of_an_account_are_those_of_the_merchant_that_asks() {
    let world = InProcess::new().await;
    let cast = Cast::gather(&world).await;
    let list = |account: &str| format!("/commerce/payments/payment-methods?accountId={account}");
    let methods = async |who: &Holder<'_>, path: &str| {
        let (answer, spent) = who.ask("GET", path, &Value::Null).await;
        let body: Value = serde_json::from_str(&answer.body).expect("JSON");
        let methods = body["paymentMethods"].as_array().unwrap_or_else(|| panic!("{}", answer.body)).clone();
        (methods.iter().map(|method| method["id"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>(), spent)
    };
    // Both have methods of an account of the same name.
    let (mine, cost) = methods(&cast.owner, &list(ACCOUNT)).await;
    let (theirs, _) = methods(&cast.other, &list(ACCOUNT)).await;
    assert_eq!(
        (mine, theirs),
        (vec![cast.mine["paymentMethodId"].clone()], vec![cast.theirs["paymentMethodId"].clone()])
    );
    let (nobodys, cost_of_none) = methods(&cast.other, &list("001000000000099")).await;
    assert_eq!((nobodys, cost_of_none), (Vec::new(), cost));
    // A page goes on after any id of the right form, whoever's method it is.
    let after = |ids: &Ids| format!("{}&pageToken={}", list("001000000000099"), ids["paymentMethodId"]);
    let (unknown, mine) = (after(&unknown()), after(&cast.mine));
    assert_eq!(methods(&cast.other, &mine).await, methods(&cast.other, &unknown).await);
}

#[test]
fn the_running_server_keeps_the_same_door() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let authorization = client.authorize("KEYED", "a", "50").expect(201).id();
    let made = client.ask("POST", "set-up/merchants", None, &json!({ "name": "Other" })).expect(201);
    let text = |reply: &crate::harness::Reply, pointer: &str| reply.at(pointer).as_str().expect("a text").to_owned();
    let ask = |key: Option<&str>, method: &str, path: &str, body: &Value| {
        let url = format!("{}/{path}", client.variable("KESSAI_URL"));
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        request = request.header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        client.try_send(request.body(body).expect("a request")).expect("an answer")
    };
    let set_up = text(&made, "/apiKey/key");
    let key = |scopes: Value| {
        let made = ask(Some(&set_up), "POST", "set-up/api-keys", &json!({ "name": "k", "scopes": scopes }));
        text(&made.expect(201), "/key")
    };
    let reader = key(json!(["read"]));
    let record = format!("commerce/payments/authorizations/{authorization}");
    let nobodys = format!("commerce/payments/authorizations/{}", unknown()["authorizationId"]);
    let theirs = ask(Some(&reader), "GET", &record, &Value::Null).expect(404);
    assert_eq!(theirs, ask(Some(&reader), "GET", &nobodys, &Value::Null));
    let unknown_key = format!("kessai_{}", "7".repeat(64));
    for path in [record.as_str(), "set-up", "commerce/payments/payment-methods?accountId=1"] {
        let refused = ask(None, "GET", path, &Value::Null).expect(401);
        assert_eq!(refused, ask(Some("nonsense"), "GET", path, &Value::Null), "{path}");
        assert_eq!(refused, ask(Some(&unknown_key), "GET", path, &Value::Null), "{path}");
    }
    let opening = client.opening("KEYED", "5");
    let refused = ask(Some(&reader), "POST", "commerce/payments/sales", &opening).expect(403);
    assert!(refused.text.contains("lacks the scope authorize"), "{}", refused.text);
    assert_eq!(client.ledger().len(), 1, "nothing reached the gateway");
}
